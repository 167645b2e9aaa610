/*
 * Hyper-V's leaves, for Windows: with them it reads the time from a page instead of a register that
 * is emulated, waits for locks and flushes other processors' TLBs by asking, and has timers that need
 * no interrupt controller. What is offered is what this kernel supports and one guest on its own can
 * use: no VMBus (messages and events would be ours to deliver), no nested hypervisor, no debugger, no
 * crash register (Windows writes it before its dump, which is worth more than our notice of it).
 *
 * The privileges of leaf 3 have to be right: without the one for the reference TSC page Windows reads
 * the counter's register, an exit each, tens of thousands of times a second.
 *
 * Source: Microsoft Hypervisor Top Level Functional Specification 6.0b, sections 2.4 to 2.7.
 */
#include "vmm/cpuid.h"

#include <stddef.h>

enum {
	HV_VENDOR = 0x40000000,
	HV_INTERFACE,
	HV_VERSION,
	HV_FEATURES,
	HV_RECOMMENDATIONS,
	HV_LIMITS,
	HV_HARDWARE,
	HV_LAST = HV_HARDWARE,

	KVM_OLD = 0x40000000,
	KVM_OLD_END = 0x40000100,
	KVM_BASE = 0x40000100, /* where Linux and its like look next */

	SPIN_RETRIES = 0x1fff, /* before a processor that waits for a lock says so */
};

/* HV_FEATURES, eax: registers the guest may use. */
#define HV_RUNTIME (1u << 0)
#define HV_REFERENCE_COUNTER (1u << 1)
#define HV_SYNIC (1u << 2)
#define HV_TIMERS (1u << 3)
#define HV_APIC (1u << 4)
#define HV_HYPERCALL (1u << 5)
#define HV_INDEX (1u << 6)
#define HV_RESET (1u << 7)
#define HV_REFERENCE_TSC (1u << 9)
#define HV_FREQUENCIES (1u << 11)
#define HV_TSC_INVARIANT (1u << 15)
/* edx: features there are. */
#define HV_XMM_INPUT (1u << 4)
#define HV_FREQUENCY_REGISTERS (1u << 8)
#define HV_TIMERS_DIRECT (1u << 19)
/* HV_RECOMMENDATIONS, eax. */
#define HV_FLUSH_REMOTE (1u << 2)
#define HV_APIC_REGISTERS (1u << 3)
#define HV_RELAXED_TIMING (1u << 5)
#define HV_NO_AUTO_EOI (1u << 9)
#define HV_CLUSTER_IPI (1u << 10)
#define HV_PROCESSOR_MASKS (1u << 11)
#define HV_NO_CORE_SHARING (1u << 18)

/* What passes of each leaf; the rest is not ours to offer. */
static const struct {
	uint32_t function, eax, ebx, ecx, edx;
} allowed[] = {
	{ HV_INTERFACE, ~0u, 0, 0, 0 },
	{ HV_VERSION, ~0u, ~0u, ~0u, ~0u },
	{ HV_FEATURES,
		HV_RUNTIME | HV_REFERENCE_COUNTER | HV_SYNIC | HV_TIMERS | HV_APIC | HV_HYPERCALL |
			HV_INDEX | HV_RESET | HV_REFERENCE_TSC | HV_FREQUENCIES | HV_TSC_INVARIANT,
		0, 0, HV_XMM_INPUT | HV_FREQUENCY_REGISTERS | HV_TIMERS_DIRECT },
	{ HV_RECOMMENDATIONS,
		HV_FLUSH_REMOTE | HV_APIC_REGISTERS | HV_RELAXED_TIMING | HV_NO_AUTO_EOI |
			HV_CLUSTER_IPI | HV_PROCESSOR_MASKS | HV_NO_CORE_SHARING, 0, 0, 0 },
	{ HV_LIMITS, ~0u, ~0u, ~0u, 0 },
	{ HV_HARDWARE, 0, 0, 0, 0 },
};

/* What one needs of another: [what, without which it is no use]. */
static const uint32_t needs[][2] = {
	{ HV_TIMERS, HV_SYNIC | HV_REFERENCE_COUNTER },
	{ HV_REFERENCE_TSC, HV_REFERENCE_COUNTER | HV_HYPERCALL },
	{ HV_SYNIC, HV_INDEX },
};

/* KVM's own leaves make room, 0x100 above; the clocks of other hypervisors are not for this guest. */
static void kvm_leaves_move(struct kvm_cpuid2 *cpuid)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 entry = cpuid->entries[i];

		if (entry.function >= KVM_OLD && entry.function < KVM_OLD_END) {
			if (entry.function > KVM_OLD + 1)
				continue;
			entry.function += KVM_BASE - KVM_OLD;
			if (entry.function == KVM_BASE)
				entry.eax = KVM_BASE + 1;
		}
		cpuid->entries[kept++] = entry;
	}
	cpuid->nent = kept;
}

static void privileges_agree(struct kvm_cpuid_entry2 *features)
{
	for (unsigned round = 0; round < sizeof(needs) / sizeof(needs[0]); round++)
		for (unsigned i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
			if ((features->eax & needs[i][1]) != needs[i][1])
				features->eax &= ~needs[i][0];
	if (!(features->eax & HV_TIMERS))
		features->edx &= ~HV_TIMERS_DIRECT;
	if (!(features->eax & HV_FREQUENCIES) || !(features->edx & HV_FREQUENCY_REGISTERS)) {
		features->eax &= ~HV_FREQUENCIES;
		features->edx &= ~HV_FREQUENCY_REGISTERS;
	}
}

static void leaf_add(struct kvm_cpuid2 *cpuid, const struct kvm_cpuid2 *supported, unsigned i)
{
	struct kvm_cpuid_entry2 *entry = cpuid_leaf(cpuid, allowed[i].function, 0, false);
	const struct kvm_cpuid_entry2 *from = cpuid_find((struct kvm_cpuid2 *)supported,
		allowed[i].function, 0);

	if (!entry || !from)
		return;
	entry->eax = from->eax & allowed[i].eax;
	entry->ebx = from->ebx & allowed[i].ebx;
	entry->ecx = from->ecx & allowed[i].ecx;
	entry->edx = from->edx & allowed[i].edx;
}

void cpuid_hyperv(struct kvm_cpuid2 *cpuid, const struct kvm_cpuid2 *supported)
{
	struct kvm_cpuid_entry2 *entry;

	kvm_leaves_move(cpuid);
	entry = cpuid_leaf(cpuid, HV_VENDOR, 0, false);
	if (entry) {
		entry->eax = HV_LAST;
		entry->ebx = 0x7263694d; /* "Microsoft Hv" */
		entry->ecx = 0x666f736f;
		entry->edx = 0x76482074;
	}
	for (unsigned i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		leaf_add(cpuid, supported, i);
	entry = cpuid_find(cpuid, HV_FEATURES, 0);
	if (entry)
		privileges_agree(entry);
	entry = cpuid_find(cpuid, HV_RECOMMENDATIONS, 0);
	if (entry) {
		entry->eax |= HV_RELAXED_TIMING;
		entry->ebx = SPIN_RETRIES;
	}
}
