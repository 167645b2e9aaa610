/*
 * What CPUID tells a guest: what the kernel supports, with the topology made ours (one package, one
 * thread a core, APIC id = index) and the clock frequencies in leaf 0x40000010, where guests of
 * several hypervisors look for them.
 */
#include "vmm/cpuid.h"

#include <stddef.h>

enum {
	LEAF_EXTENDED_TOPOLOGY = 0xb,
	LEAF_EXTENDED_TOPOLOGY_2 = 0x1f,
	LEAF_AMD_TOPOLOGY_2 = 0x80000026,
	LEAF_KVM = 0x40000000,
	LEAF_CLOCKS = 0x40000010,

	VENDOR_INTEL_EBX = 0x756e6547, /* "Genu" */

	CPUID_1_EDX_HTT = 1u << 28,
	CPUID_1_ECX_TSC_DEADLINE = 1u << 24,
	CPUID_1_ECX_HYPERVISOR = 1u << 31,
	LEVEL_SMT = 1,
	LEVEL_CORE = 2,
};

struct kvm_cpuid_entry2 *cpuid_find(struct kvm_cpuid2 *cpuid, uint32_t function, uint32_t index)
{
	for (unsigned i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == function &&
			(!(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || entry->index == index))
			return entry;
	}
	return NULL;
}

struct kvm_cpuid_entry2 *cpuid_leaf(struct kvm_cpuid2 *cpuid, uint32_t function, uint32_t index,
	bool indexed)
{
	struct kvm_cpuid_entry2 *entry = cpuid_find(cpuid, function, index);

	if (entry || cpuid->nent >= CPUID_MAX)
		return entry;
	entry = &cpuid->entries[cpuid->nent++];
	*entry = (struct kvm_cpuid_entry2){
		.function = function,
		.index = index,
		.flags = indexed ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
	};
	return entry;
}

/* The host's topology, which is not ours: its levels would contradict those that are. */
static void leaves_remove(struct kvm_cpuid2 *cpuid, uint32_t function)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function != function)
			cpuid->entries[kept++] = cpuid->entries[i];
	cpuid->nent = kept;
}

/* Bits of an APIC id that number n processors. */
static unsigned id_bits(unsigned n)
{
	unsigned bits = 0;

	while ((1u << bits) < n)
		bits++;
	return bits;
}

/* Bits 25 to 14: how many APIC ids share a cache. Below level 3 it is a core's own. */
static uint32_t cache_shared(uint32_t eax, unsigned ids)
{
	return (eax & 0x3fff) | ((eax >> 5 & 7) >= 3 ? ids - 1 : 0) << 14;
}

static void topology_entry(struct kvm_cpuid_entry2 *entry, const struct cpuid_options *options,
	bool intel)
{
	unsigned bits = id_bits(options->n), ids = 1u << bits;

	if (entry->function == 1) {
		/* Intel counts APIC ids, AMD processors. */
		entry->ebx = (entry->ebx & 0xffff) | (intel ? ids : options->n) << 16 |
			options->index << 24;
		entry->edx = options->n > 1 ? entry->edx | CPUID_1_EDX_HTT :
			entry->edx & ~(uint32_t)CPUID_1_EDX_HTT;
		entry->ecx |= CPUID_1_ECX_HYPERVISOR;
	} else if (entry->function == 4 && entry->eax & 0x1f) {
		entry->eax = cache_shared(entry->eax, ids) | (ids - 1) << 26;
	} else if (entry->function == 0x8000001d && entry->eax & 0x1f) {
		entry->eax = cache_shared(entry->eax, options->n);
	} else if (entry->function == 0x8000001e) {
		entry->eax = options->index; /* APIC id */
		entry->ebx = options->index; /* core, of one thread */
		entry->ecx = 0;              /* node, of one */
	} else if (entry->function == 0x80000008) {
		entry->ecx = intel ? 0 : (entry->ecx & ~0xf0ffu) | (options->n - 1) | bits << 12;
	}
}

/* A thread in a core, a core in the package, and no third level. */
static void topology_levels(struct kvm_cpuid2 *cpuid, uint32_t function,
	const struct cpuid_options *options)
{
	struct kvm_cpuid_entry2 *entry;

	leaves_remove(cpuid, function);
	for (unsigned level = 0; level < 3; level++) {
		entry = cpuid_leaf(cpuid, function, level, true);
		if (!entry)
			return;
		entry->ecx = level;
		entry->edx = options->index;
		if (level == 0) {
			entry->ebx = 1;
			entry->ecx |= LEVEL_SMT << 8;
		} else if (level == 1) {
			entry->eax = id_bits(options->n);
			entry->ebx = options->n;
			entry->ecx |= LEVEL_CORE << 8;
		}
	}
}

static void topology(struct kvm_cpuid2 *cpuid, const struct cpuid_options *options)
{
	const struct kvm_cpuid_entry2 *vendor = cpuid_find(cpuid, 0, 0);
	bool intel = vendor && vendor->ebx == VENDOR_INTEL_EBX;

	for (unsigned i = 0; i < cpuid->nent; i++)
		topology_entry(&cpuid->entries[i], options, intel);
	topology_levels(cpuid, LEAF_EXTENDED_TOPOLOGY, options);
	if (cpuid_find(cpuid, LEAF_EXTENDED_TOPOLOGY_2, 0))
		topology_levels(cpuid, LEAF_EXTENDED_TOPOLOGY_2, options);
	leaves_remove(cpuid, LEAF_AMD_TOPOLOGY_2);
}

static void clocks(struct kvm_cpuid2 *cpuid, const struct cpuid_options *options)
{
	struct kvm_cpuid_entry2 *entry = cpuid_find(cpuid, LEAF_KVM, 0);

	if (!entry || !options->tsc_khz)
		return;
	entry->eax = LEAF_CLOCKS;
	entry = cpuid_leaf(cpuid, LEAF_CLOCKS, 0, false);
	if (entry) {
		entry->eax = options->tsc_khz;
		entry->ebx = options->lapic_khz;
		entry->ecx = entry->edx = 0;
	}
}

void cpuid_make(struct kvm_cpuid2 *cpuid, const struct cpuid_options *options)
{
	struct kvm_cpuid_entry2 *entry = cpuid_find(cpuid, 1, 0);

	if (entry && options->tsc_deadline)
		entry->ecx |= CPUID_1_ECX_TSC_DEADLINE;
	topology(cpuid, options);
	if (options->hyperv)
		cpuid_hyperv(cpuid, options->hyperv);
	else
		clocks(cpuid, options);
}
