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

/* What lies where in the BAR: 0, or where a virtio_pci_place has it. */
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

/* A function that is more than virtio: virtio is at `offset` in a BAR of `len`, and what is below
 * goes to other ops. */
struct virtio_pci_place {
	unsigned bar;
	uint64_t len;
	uint32_t offset; /* whole pages, VIRTIO_PCI_BAR_LEN before the end at the latest */
	const struct region_ops *below;
	void *below_owner;
	bool vga;        /* the function's class: a VGA */
	/* Adds BARs and the like before the function is attached. May be NULL. */
	void (*prepare)(struct pci_device *pci, void *owner);
	void *owner;
};

/* dev must have been through virtio_init and stay where it is. dev->notify is filled. */
bool virtio_attach_pci(struct machine *machine, struct virtio_device *dev, GError **error);
/* The same elsewhere; `place` stays the caller's, as long as the device is attached. */
bool virtio_attach_pci_at(struct machine *machine, struct virtio_device *dev,
	const struct virtio_pci_place *place, GError **error);
/* Undoes it; a device that is not attached is ignored. */
void virtio_detach_pci(struct virtio_device *dev);
/* Machine reset: the device and the transport's own registers. vCPUs are stopped. */
void virtio_pci_reset(struct virtio_device *dev);
/* For tests and for `irori stat`; NULL when it is not attached. */
struct pci_device *virtio_pci_function(struct virtio_device *dev);

#endif
