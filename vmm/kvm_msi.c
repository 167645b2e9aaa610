/*
 * Message-signalled interrupts: each vector that a guest routes gets a GSI and an eventfd with an
 * irqfd behind it, for the life of the VM. A rewrite with the same address and data, which is what
 * a rebooted guest does, costs no call: setting the routing table waits for all processors.
 */
#define G_LOG_DOMAIN "irori-kvm"

#include "vmm/kvm_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	PIC_PINS = 16,
	IOAPIC_PINS = 24,
};

static void entry_pin(struct kvm_irq_routing *table, unsigned chip, unsigned gsi, unsigned pin)
{
	table->entries[table->nr++] = (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};
}

/* The whole table: the pins, then the messages. Under the lock. */
int kvm_routing_set(struct kvm *kvm)
{
	g_autofree struct kvm_irq_routing *table = g_malloc0(sizeof(*table) +
		(PIC_PINS + IOAPIC_PINS + KVM_MSI_MAX) * sizeof(table->entries[0]));

	for (unsigned i = 0; i < PIC_PINS; i++)
		if (i != 2) /* the cascade */
			entry_pin(table, i < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, i,
				i % 8);
	/* The timer of the PIT is wired to pin 2 of the I/O APIC. */
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		if (i != 2)
			entry_pin(table, KVM_IRQCHIP_IOAPIC, i, i ? i : 2);
	for (unsigned i = 0; i < kvm->n_msi; i++)
		if (kvm->msi[i].valid)
			table->entries[table->nr++] = (struct kvm_irq_routing_entry){
				.gsi = KVM_MSI_GSI_BASE + i,
				.type = KVM_IRQ_ROUTING_MSI,
				.u.msi = {
					.address_lo = (uint32_t)kvm->msi[i].address,
					.address_hi = (uint32_t)(kvm->msi[i].address >> 32),
					.data = kvm->msi[i].data,
				},
			};
	return ioctl(kvm->vm, KVM_SET_GSI_ROUTING, table) < 0 ? -errno : 0;
}

static int irqfd_set(struct kvm *kvm, unsigned i, bool on)
{
	struct kvm_irqfd irqfd = {
		.fd = (uint32_t)kvm->msi[i].fd,
		.gsi = KVM_MSI_GSI_BASE + i,
		.flags = on ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
	};

	return ioctl(kvm->vm, KVM_IRQFD, &irqfd) < 0 ? -errno : 0;
}

/* The place in the table of a vector, a new one if it has none; -errno. Under the lock. */
static int msi_find(struct kvm *kvm, struct msix_vector *vector)
{
	gpointer gsi;
	int fd;

	if (g_hash_table_lookup_extended(kvm->gsi_of, vector, NULL, &gsi))
		return GPOINTER_TO_INT(gsi) - KVM_MSI_GSI_BASE;
	if (kvm->n_msi == KVM_MSI_MAX)
		return -ENOSPC;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	kvm->msi[kvm->n_msi] = (struct kvm_msi_route){ .fd = fd };
	g_hash_table_insert(kvm->gsi_of, vector, GINT_TO_POINTER(KVM_MSI_GSI_BASE + kvm->n_msi));
	return (int)kvm->n_msi++;
}

static int msi_route(struct msi_sink *sink, struct pci_device *device, unsigned index,
	uint64_t address, uint32_t data)
{
	struct kvm *kvm = (struct kvm *)((char *)sink - offsetof(struct kvm, sink));
	struct msix_vector *vector;
	struct kvm_msi_route *msi;
	int i, rc = 0;

	if (index >= PCI_MSIX_MAX)
		return -EINVAL;
	vector = &device->vector[index];
	g_mutex_lock(&kvm->lock);
	i = msi_find(kvm, vector);
	if (i < 0) {
		rc = i;
	} else if (msi = &kvm->msi[i], !msi->valid || msi->address != address || msi->data != data) {
		bool fresh = !msi->valid;

		msi->address = address;
		msi->data = data;
		msi->valid = true;
		rc = kvm_routing_set(kvm);
		if (!rc && fresh)
			rc = irqfd_set(kvm, (unsigned)i, true);
		if (rc && fresh)
			msi->valid = false;
	}
	if (!rc) {
		vector->gsi = KVM_MSI_GSI_BASE + i;
		vector->eventfd = kvm->msi[i].fd;
	}
	g_mutex_unlock(&kvm->lock);
	if (rc)
		g_debug("MSI of %s, vector %u: %s", device->name, index, g_strerror(-rc));
	return rc;
}

static void msi_raise(struct msi_sink *sink, struct pci_device *device, unsigned index)
{
	uint64_t one = 1;
	int fd = index < PCI_MSIX_MAX ? device->vector[index].eventfd : -1;

	/* EAGAIN would mean 2^64 interrupts that the kernel has not looked at. */
	if (fd >= 0 && write(fd, &one, sizeof(one)) != sizeof(one))
		g_debug("interrupt of %s lost: %s", device->name, g_strerror(errno));
}

void kvm_msi_init(struct kvm *kvm)
{
	kvm->sink = (struct msi_sink){ .route = msi_route, .raise = msi_raise };
	kvm->gsi_of = g_hash_table_new(NULL, NULL);
}

void kvm_msi_clear(struct kvm *kvm)
{
	for (unsigned i = 0; i < kvm->n_msi; i++) {
		if (kvm->msi[i].valid)
			irqfd_set(kvm, i, false);
		close(kvm->msi[i].fd);
	}
	g_hash_table_destroy(kvm->gsi_of);
}

struct msi_sink *kvm_msi_sink(struct kvm *kvm)
{
	return &kvm->sink;
}
