/*
 * CPUID tables: from what the kernel supports to what one processor of a guest is told. Pure
 * functions of their arguments, so that tests need no KVM.
 *
 * Sources: Intel SDM 2A, CPUID; AMD APM 3, appendix E; Linux Documentation/virt/kvm/x86/cpuid.rst;
 * Microsoft Hypervisor Top Level Functional Specification 6.0b, sections 2.4 to 2.7.
 *
 * Thread: any.
 */
#ifndef IRORI_VMM_CPUID_H
#define IRORI_VMM_CPUID_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

enum cpuid_limits {
	CPUID_SUPPORTED_MAX = 256, /* entries that are asked of the kernel */
	CPUID_MAX = CPUID_SUPPORTED_MAX + 24,
};

struct cpuid_options {
	unsigned index;      /* the processor, which is its APIC id too */
	unsigned n;          /* processors in the package, one day */
	bool tsc_deadline;   /* the kernel emulates that timer */
	uint32_t tsc_khz;    /* 0: not known */
	uint32_t lapic_khz;
	/* Hyper-V's leaves as this kernel supports them; NULL: the guest is told of KVM alone. */
	const struct kvm_cpuid2 *hyperv;
};

/* `cpuid` holds what the kernel supports, and room for CPUID_MAX entries. */
void cpuid_make(struct kvm_cpuid2 *cpuid, const struct cpuid_options *options);

/* An entry, or NULL. `index` counts only where the leaf has subleaves. */
struct kvm_cpuid_entry2 *cpuid_find(struct kvm_cpuid2 *cpuid, uint32_t function, uint32_t index);
/* The same, made where it is missing; NULL when the table is full. */
struct kvm_cpuid_entry2 *cpuid_leaf(struct kvm_cpuid2 *cpuid, uint32_t function, uint32_t index,
	bool indexed);

/* cpuid_hyperv.c: Hyper-V's leaves where Windows looks for them, KVM's beside them. */
void cpuid_hyperv(struct kvm_cpuid2 *cpuid, const struct kvm_cpuid2 *supported);

#endif
