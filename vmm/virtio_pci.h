/*
 * Virtio over PCI, modern only: a virtio_device becomes a PCI function of the machine.
 *
 * A device's create() ends with virtio_attach_pci(); its device.reset calls virtio_pci_reset() and
 * its destroy virtio_detach_pci() and then virtio_clear(). Kicks arrive on dev->context: an
 * ioeventfd for each queue, polled through GLib. Interrupts go out through MSI-X: vector 0..n_queues
 * as the driver assigns them; for a driver without it (a firmware, an installer) by the pin. A device
 * that is no bus master is held (virtio_hold).
 *
 * Thread: the main thread; detach only when no thread runs dev->context and no vCPU runs.
 *
 * Source: virtio 1.2, section 4.1.
 */
#ifndef IRORI_VMM_VIRTIO_PCI_H
#define IRORI_VMM_VIRTIO_PCI_H

#include "vmm/machine.h"
#include "vmm/virtio.h"

/* What lies where in BAR 0. */
enum virtio_pci_layout {
	VIRTIO_PCI_COMMON = 0x0000,
	VIRTIO_PCI_ISR = 0x1000,
	VIRTIO_PCI_DEVICE = 0x2000,
	VIRTIO_PCI_NOTIFY = 0x3000, /* queue q at + 4 * q */
	VIRTIO_PCI_MSIX = 0x4000,
	VIRTIO_PCI_BAR_LEN = 0x8000,
	VIRTIO_PCI_NOTIFY_STEP = 4,
	VIRTIO_PCI_NO_VECTOR = 0xffff,
};

/* dev must have been through virtio_init and stay where it is. dev->notify is filled. */
bool virtio_attach_pci(struct machine *machine, struct virtio_device *dev, GError **error);
/* Undoes it; a device that is not attached is ignored. */
void virtio_detach_pci(struct virtio_device *dev);
/* Machine reset: the device and the transport's own registers. vCPUs are stopped. */
void virtio_pci_reset(struct virtio_device *dev);
/* For tests and for `irori stat`; NULL when it is not attached. */
struct pci_device *virtio_pci_function(struct virtio_device *dev);

#endif
