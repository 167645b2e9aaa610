/*
 * virtio-gpu's one setting that changes while the guest runs. The device itself is all in
 * virtio_gpu.c; device.h finds it.
 */
#ifndef IRORI_VMM_VIRTIO_GPU_H
#define IRORI_VMM_VIRTIO_GPU_H

#include "gpu-share/policy.h"
#include "vmm/device.h"

/* How much of the guest's pixel copying is done in one turn of the seat thread. Devices that are no
 * GPU are ignored: call it for each. Any thread. */
void virtio_gpu_set_class(struct device *device, enum share_class share_class);

#endif
