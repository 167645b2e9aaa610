/*
 * The kernel's side of the machine: /dev/kvm by its ioctls, never by what CPUID of the host says.
 *
 * It owns the VM with its in-kernel interrupt controllers, memory slots, the table of message-
 * signalled interrupts and the CPUID that all processors share. Source: Documentation/virt/kvm/api.rst.
 *
 * Thread: new, memory, processors, reset on the main thread; irq lines, MSI and ioeventfd from any.
 */
#ifndef IRORI_VMM_KVM_H
#define IRORI_VMM_KVM_H

#include <glib.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/pci.h"

enum kvm_limits {
	KVM_MAX_VCPUS = 64,
	KVM_SLOTS_RAM = 8, /* slots below are RAM's, by the number of its part */
	KVM_SLOTS_MAX = 64,
	KVM_MSI_GSI_BASE = 24, /* below are the pins of PIC and I/O APIC */
	KVM_MSI_MAX = 1024,
	KVM_LAPIC_KHZ = 1000000, /* the bus clock of KVM's local APIC is 1 ns */
};

struct kvm;
struct state;

/* NULL and error says what is lacking: the device, the right to it, or a capability by name. */
struct kvm *kvm_new(GError **error);
void kvm_free(struct kvm *kvm);

/* A slot of guest memory; `host` stays the caller's and mapped. 0 or -errno. */
int kvm_add_memory(struct kvm *kvm, unsigned slot, uint64_t gpa, uint64_t len, void *host);
/* What is not RAM goes through slot.h, which calls these: the number of a slot for the life of the
 * VM, or -ENOSPC; where it lies (len 0: nowhere), with KVM_MEM_* flags; and which of its pages were
 * written since the last time one asked, a bit each. Any thread. 0 or -errno. */
int kvm_new_slot(struct kvm *kvm);
int kvm_set_slot(struct kvm *kvm, unsigned slot, uint32_t flags, uint64_t gpa, uint64_t len,
	void *host);
int kvm_slot_dirty(struct kvm *kvm, unsigned slot, uint64_t *bitmap);

/* PIC, I/O APIC and PIT, and a copy of how they are when new. After the memory: in this order
 * starting is 3 ms shorter, since the kernel delays the fourth of several quick changes to a VM. */
bool kvm_create_chips(struct kvm *kvm, GError **error);

/* A pin of the PIC and I/O APIC. */
int kvm_irq_line(struct kvm *kvm, unsigned gsi, bool level);
/* The real sink for pci_bus_new(): an irqfd a vector, made when the guest first routes it. */
struct msi_sink *kvm_msi_sink(struct kvm *kvm);
int kvm_ioeventfd(struct kvm *kvm, uint64_t gpa, unsigned len, int fd, bool add);

/* Processor `index`: its descriptor or -errno; *run is its shared page, unmapped by vcpu.c. */
int kvm_create_vcpu(struct kvm *kvm, unsigned index, struct kvm_run **run, size_t *run_len);
/* Processors that are made from now on look like Hyper-V's. 0; -EOPNOTSUPP: this kernel cannot. */
int kvm_use_hyperv(struct kvm *kvm);
/* Gives a processor its CPUID: topology of n processors in one package. 0 or -errno. */
int kvm_set_cpuid(struct kvm *kvm, int vcpu_fd, unsigned index, unsigned n);
/* Indices of the model-specific registers this kernel saves and restores. */
const struct kvm_msr_list *kvm_msrs(const struct kvm *kvm);

/* PIC, I/O APIC, PIT and the guest's clock, to or from a saved guest that slept `slept_ns`. Loading,
 * before the processors. */
void kvm_state(struct kvm *kvm, struct state *state, int64_t slept_ns);

/* PIC, I/O APIC and PIT as they were when the machine was new. No processor runs. */
int kvm_reset_chips(struct kvm *kvm);

#endif
