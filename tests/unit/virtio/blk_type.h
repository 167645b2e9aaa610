/* virtio-blk as a device type of its own, for tests that plug it: [Disk NAME] is disk_device.c's. */
#ifndef IRORI_TESTS_UNIT_VIRTIO_BLK_TYPE_H
#define IRORI_TESTS_UNIT_VIRTIO_BLK_TYPE_H

#include "vmm/device.h"
#include "vmm/disk.h"

static struct device *blk_make(struct machine *machine, const char *instance, const void *config,
	GError **error)
{
	return virtio_blk_new(machine, instance, config, error);
}

static const struct device_type blk_type = {.section = "Disk", .create = blk_make};

#endif
