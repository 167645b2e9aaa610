/*
 * What kvm.c, kvm_msi.c and kvm_cpuid.c share and nobody else may look at.
 */
#ifndef IRORI_VMM_KVM_INTERNAL_H
#define IRORI_VMM_KVM_INTERNAL_H

#include "vmm/kvm.h"

/* An MSI route: gsi KVM_MSI_GSI_BASE + its place in the table. */
struct kvm_msi_route {
	uint64_t address;
	uint32_t data;
	int fd;     /* the irqfd's eventfd; the pci_device's vector has the same number */
	bool valid; /* address and data are the guest's */
};

struct kvm {
	int fd, vm;
	size_t run_len;
	struct kvm_cpuid2 *cpuid; /* as the host offers it */
	struct kvm_cpuid2 *hyperv; /* the same, of Hyper-V's leaves; NULL: not for this guest */
	struct kvm_msr_list *msrs;
	struct kvm_irqchip chip[3]; /* when new */
	struct kvm_pit_state2 pit;
	bool has_pit;

	GMutex lock; /* of what follows */
	struct msi_sink sink;
	GHashTable *gsi_of; /* &device->vector[index] -> gsi */
	unsigned n_msi, n_slots;
	struct kvm_msi_route msi[KVM_MSI_MAX];
};

void kvm_msi_init(struct kvm *kvm);
void kvm_msi_clear(struct kvm *kvm);
int kvm_routing_set(struct kvm *kvm);
bool kvm_cpuid_init(struct kvm *kvm, GError **error);

#endif
