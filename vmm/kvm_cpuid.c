/*
 * What CPUID tells a guest: what the kernel supports, with the topology made ours (one package, one
 * thread a core, APIC id = index) and the clock frequencies in leaf 0x40000010, where guests of
 * several hypervisors look for them.
 */
#define G_LOG_DOMAIN "irori-kvm"

#include "vmm/kvm_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

enum {
	CPUID_MAX = 256,
	CPUID_SPARE = 8, /* entries that we may add */
	CPUID_1_EDX_HTT = 1u << 28,
	CPUID_1_ECX_TSC_DEADLINE = 1u << 24,
	CPUID_1_ECX_HYPERVISOR = 1u << 31,
	LEAF_KVM = 0x40000000,
	LEAF_CLOCKS = 0x40000010,
	LEVEL_SMT = 1,
	LEVEL_CORE = 2,
};

bool kvm_cpuid_init(struct kvm *kvm, GError **error)
{
	kvm->cpuid = g_malloc0(sizeof(*kvm->cpuid) +
		(CPUID_MAX + CPUID_SPARE) * sizeof(kvm->cpuid->entries[0]));
	kvm->cpuid->nent = CPUID_MAX;
	if (!ioctl(kvm->fd, KVM_GET_SUPPORTED_CPUID, kvm->cpuid))
		return true;
	g_set_error(error, g_quark_from_static_string("irori-kvm"), errno,
		"/dev/kvm: supported CPUID: %s", g_strerror(errno));
	return false;
}

/* The entry of a leaf, made if it is not there; NULL when the table is full. */
static struct kvm_cpuid_entry2 *leaf(struct kvm_cpuid2 *cpuid, uint32_t function, uint32_t index,
	bool indexed)
{
	struct kvm_cpuid_entry2 *entry;

	for (unsigned i = 0; i < cpuid->nent; i++) {
		entry = &cpuid->entries[i];
		if (entry->function == function && (!indexed || entry->index == index))
			return entry;
	}
	if (cpuid->nent == CPUID_MAX + CPUID_SPARE)
		return NULL;
	entry = &cpuid->entries[cpuid->nent++];
	*entry = (struct kvm_cpuid_entry2){
		.function = function,
		.index = index,
		.flags = indexed ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
	};
	return entry;
}

/* Bits of an APIC id that number n processors. */
static unsigned id_bits(unsigned n)
{
	unsigned bits = 0;

	while ((1u << bits) < n)
		bits++;
	return bits;
}

/* Bits 25 to 14: who shares a cache. Below level 3 it is a core's own. */
static uint32_t cache_shared(uint32_t eax, unsigned n)
{
	return (eax & 0x3fff) | ((eax >> 5 & 7) >= 3 ? n - 1 : 0) << 14;
}

static void topology(struct kvm_cpuid2 *cpuid, unsigned index, unsigned n)
{
	struct kvm_cpuid_entry2 *entry;

	for (unsigned i = 0; i < cpuid->nent; i++) {
		entry = &cpuid->entries[i];
		if (entry->function == 1) {
			entry->ebx = (entry->ebx & 0xffff) | n << 16 | index << 24;
			entry->edx = n > 1 ? entry->edx | CPUID_1_EDX_HTT :
				entry->edx & ~(uint32_t)CPUID_1_EDX_HTT;
			entry->ecx |= CPUID_1_ECX_HYPERVISOR;
		} else if (entry->function == 4 && entry->eax & 0x1f) {
			entry->eax = cache_shared(entry->eax, n) | (n - 1) << 26;
		} else if (entry->function == 0x8000001d && entry->eax & 0x1f) {
			entry->eax = cache_shared(entry->eax, n);
		} else if (entry->function == 0x8000001e) {
			entry->eax = index; /* APIC id */
			entry->ebx = index; /* core, of one thread */
			entry->ecx = 0;     /* node, of one */
		} else if (entry->function == 0x80000008) {
			entry->ecx = (entry->ecx & ~0xf0ffu) | (n - 1) | id_bits(n) << 12;
		}
	}
	entry = leaf(cpuid, 0xb, 0, true);
	if (entry) {
		entry->eax = 0;
		entry->ebx = 1;
		entry->ecx = LEVEL_SMT << 8;
		entry->edx = index;
	}
	entry = leaf(cpuid, 0xb, 1, true);
	if (entry) {
		entry->eax = id_bits(n);
		entry->ebx = n;
		entry->ecx = LEVEL_CORE << 8 | 1;
		entry->edx = index;
	}
}

static void clocks(struct kvm *kvm, struct kvm_cpuid2 *cpuid, int vcpu_fd)
{
	int khz = ioctl(vcpu_fd, KVM_GET_TSC_KHZ, 0);
	struct kvm_cpuid_entry2 *entry = leaf(cpuid, 1, 0, false);

	if (entry && ioctl(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0)
		entry->ecx |= CPUID_1_ECX_TSC_DEADLINE;
	entry = leaf(cpuid, LEAF_KVM, 0, false);
	if (!entry || khz <= 0)
		return;
	entry->eax = LEAF_CLOCKS;
	entry = leaf(cpuid, LEAF_CLOCKS, 0, false);
	if (entry) {
		entry->eax = (uint32_t)khz;
		entry->ebx = KVM_LAPIC_KHZ;
		entry->ecx = entry->edx = 0;
	}
}

int kvm_set_cpuid(struct kvm *kvm, int vcpu_fd, unsigned index, unsigned n)
{
	size_t len = sizeof(*kvm->cpuid) +
		(CPUID_MAX + CPUID_SPARE) * sizeof(kvm->cpuid->entries[0]);
	g_autofree struct kvm_cpuid2 *cpuid = g_memdup2(kvm->cpuid, len);

	topology(cpuid, index, n);
	clocks(kvm, cpuid, vcpu_fd);
	return ioctl(vcpu_fd, KVM_SET_CPUID2, cpuid) < 0 ? -errno : 0;
}
