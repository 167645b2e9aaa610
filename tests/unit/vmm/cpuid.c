/* CPUID: topology of Intel's and AMD's processors, and what a guest may think it has of Hyper-V. */
#include "vmm/cpuid.h"

#include <glib.h>

#include "tests/unit/test.h"

enum { INTEL = 0x756e6547, AMD = 0x68747541, INDEXED = KVM_CPUID_FLAG_SIGNIFCANT_INDEX };

static struct {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[CPUID_MAX];
} table;

static struct {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[16];
} hyperv;

static void put(uint32_t function, uint32_t index, uint32_t flags, uint32_t eax, uint32_t ebx,
	uint32_t ecx, uint32_t edx)
{
	table.entries[table.head.nent++] = (struct kvm_cpuid_entry2){ .function = function,
		.index = index, .flags = flags, .eax = eax, .ebx = ebx, .ecx = ecx, .edx = edx };
}

static const struct kvm_cpuid_entry2 *get(uint32_t function, uint32_t index)
{
	static const struct kvm_cpuid_entry2 none;
	const struct kvm_cpuid_entry2 *entry = cpuid_find(&table.head, function, index);

	return entry ? entry : &none;
}

static void host(uint32_t vendor)
{
	memset(&table, 0, sizeof(table));
	put(0, 0, 0, 0x1f, vendor, 0, 0);
	put(1, 0, 0, 0x800f12, 0x05100800, 1 << 21, 0);
	put(4, 0, INDEXED, 0x1c004121, 0, 0, 0);
	put(4, 3, INDEXED, 0x1c03c163, 0, 0, 0);
	for (uint32_t i = 0; i < 5; i++) {
		put(0xb, i, INDEXED, 7, 99, i | 1 << 8, 77);
		put(0x1f, i, INDEXED, 7, 99, i | 1 << 8, 77);
	}
	put(0x40000000, 0, 0, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d);
	put(0x40000001, 0, 0, 0x01007afb, 0, 0, 0);
	put(0x80000008, 0, 0, 0x3030, 0, 0x5017, 0);
	put(0x8000001d, 3, INDEXED, 0x1c163, 0, 0, 0);
	put(0x8000001e, 0, 0, 5, 0x102, 3, 0);
	put(0x80000026, 0, INDEXED, 5, 6, 7, 8);
}

static void make(unsigned index, unsigned n, const struct kvm_cpuid2 *hv)
{
	const struct cpuid_options options = { .index = index, .n = n, .tsc_deadline = true,
		.tsc_khz = 3000000, .lapic_khz = 1000000, .hyperv = hv };

	cpuid_make(&table.head, &options);
}

static void topologies(void)
{
	static const struct {
		unsigned n, bits, ids;
	} cases[] = { { 1, 0, 1 }, { 2, 1, 2 }, { 3, 2, 4 }, { 16, 4, 16 }, { 17, 5, 32 },
		{ 64, 6, 64 } };

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		for (unsigned amd = 0; amd < 2; amd++) {
			unsigned n = cases[i].n, index = n - 1, ids = cases[i].ids;

			host(amd ? AMD : INTEL);
			make(index, n, NULL);
			test_equal(get(1, 0)->ebx, 0x0800 | (amd ? n : ids) << 16 | index << 24);
			test_equal(get(1, 0)->edx >> 28 & 1, n > 1);
			test_assert(get(1, 0)->ecx >> 31 && get(1, 0)->ecx >> 24 & 1);
			test_assert(get(1, 0)->ecx >> 21 & 1);
			test_equal(get(4, 0)->eax, 0x121 | (ids - 1) << 26);
			test_equal(get(4, 3)->eax >> 14 & 0xfff, ids - 1);
			test_equal(get(4, 3)->eax >> 26, ids - 1);
			test_equal(get(0x80000008, 0)->ecx, amd ? (n - 1) | cases[i].bits << 12 : 0);
			test_equal(get(0x8000001e, 0)->eax, index);
			test_equal(get(0x8000001e, 0)->ebx, index);
			test_equal(get(0x8000001d, 3)->eax >> 14 & 0xfff, n - 1);
			test_assert(!cpuid_find(&table.head, 0x80000026, 0));
		}
}

static void levels(void)
{
	static const uint32_t leaves[] = { 0xb, 0x1f };

	host(INTEL);
	make(5, 6, NULL);
	for (unsigned i = 0; i < 2; i++) {
		test_equal(get(leaves[i], 0)->eax, 0);
		test_equal(get(leaves[i], 0)->ebx, 1);
		test_equal(get(leaves[i], 0)->ecx, 0x100);
		test_equal(get(leaves[i], 1)->eax, 3);
		test_equal(get(leaves[i], 1)->ebx, 6);
		test_equal(get(leaves[i], 1)->ecx, 0x201);
		test_equal(get(leaves[i], 2)->ebx, 0);
		test_equal(get(leaves[i], 2)->ecx, 2);
		test_equal(get(leaves[i], 2)->edx, 5);
		test_assert(!cpuid_find(&table.head, leaves[i], 3));
	}
	/* A host without the second form gives the guest none. */
	memset(&table, 0, sizeof(table));
	put(0, 0, 0, 0xb, AMD, 0, 0);
	make(0, 2, NULL);
	test_equal(get(0xb, 1)->ebx, 2);
	test_assert(!cpuid_find(&table.head, 0x1f, 0));
	test_assert(!cpuid_find(&table.head, 0x40000010, 0));
}

static void frequencies(void)
{
	host(AMD);
	make(0, 1, NULL);
	test_equal(get(0x40000000, 0)->eax, 0x40000010);
	test_equal(get(0x40000010, 0)->eax, 3000000);
	test_equal(get(0x40000010, 0)->ebx, 1000000);
}

/* A kernel that supports everything there is. */
static void hyperv_host(void)
{
	memset(&hyperv, 0, sizeof(hyperv));
	for (uint32_t i = 0; i <= 10; i++)
		hyperv.entries[hyperv.head.nent++] = (struct kvm_cpuid_entry2){
			.function = 0x40000000 + i, .eax = ~0u, .ebx = ~0u, .ecx = ~0u, .edx = ~0u };
	hyperv.entries[1].eax = 0x31237648;
	hyperv.entries[hyperv.head.nent++].function = 0x40000080;
}

static void looks_like_hyperv(void)
{
	hyperv_host();
	host(INTEL);
	make(0, 4, &hyperv.head);
	test_equal(get(0x40000000, 0)->eax, 0x40000006);
	test_assert(!memcmp(&get(0x40000000, 0)->ebx, "Micr", 4));
	test_assert(!memcmp(&get(0x40000000, 0)->ecx, "osof", 4));
	test_assert(!memcmp(&get(0x40000000, 0)->edx, "t Hv", 4));
	test_assert(!memcmp(&get(0x40000001, 0)->eax, "Hv#1", 4));
	test_equal(get(0x40000003, 0)->eax, 0x8aff);
	test_equal(get(0x40000003, 0)->ebx, 0);
	test_equal(get(0x40000003, 0)->edx, 1 << 4 | 1 << 8 | 1 << 19);
	test_equal(get(0x40000004, 0)->eax, 0x40e2c);
	test_equal(get(0x40000004, 0)->ebx, 0x1fff);
	test_assert(!cpuid_find(&table.head, 0x4000000a, 0));
	test_assert(!cpuid_find(&table.head, 0x40000080, 0));
	/* KVM's own, 0x100 further up, and nothing of it below. */
	test_equal(get(0x40000100, 0)->eax, 0x40000101);
	test_equal(get(0x40000100, 0)->ebx, 0x4b4d564b);
	test_equal(get(0x40000101, 0)->eax, 0x01007afb);
	test_assert(!cpuid_find(&table.head, 0x40000010, 0));
}

/* A privilege without what it rests on is none: the guest would go the slow way, or a wrong one. */
static void privileges_agree(void)
{
	static const struct {
		uint32_t eax, edx, eax_left, edx_left;
	} cases[] = {
		{ 0x20f, 1 << 19, 0x003, 0 },     /* no index: no SynIC, so no timers; no hypercall */
		{ 0x26f, 1 << 19, 0x26f, 1 << 19 },
		{ 0x262, 0, 0x262, 0 },
		{ 0x260, 0, 0x060, 0 },           /* no counter: no page */
		{ 0x800, 0, 0, 0 },               /* frequencies: both or none */
		{ 0x000, 1 << 8, 0, 0 },
		{ 0x800, 1 << 8, 0x800, 1 << 8 },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		hyperv_host();
		hyperv.entries[3].eax = cases[i].eax;
		hyperv.entries[3].edx = cases[i].edx;
		host(AMD);
		make(0, 1, &hyperv.head);
		test_equal(get(0x40000003, 0)->eax, cases[i].eax_left);
		test_equal(get(0x40000003, 0)->edx, cases[i].edx_left);
	}
}

/* A full table loses leaves, not memory. */
static void full(void)
{
	hyperv_host();
	memset(&table, 0, sizeof(table));
	for (unsigned i = 0; i < CPUID_MAX - 2; i++)
		put(0x80100000 + i, 0, 0, 1, 2, 3, 4);
	make(0, 64, &hyperv.head);
	test_assert(table.head.nent <= CPUID_MAX);
}

int main(void)
{
	test_run(topologies);
	test_run(levels);
	test_run(frequencies);
	test_run(looks_like_hyperv);
	test_run(privileges_agree);
	test_run(full);
	return 0;
}
