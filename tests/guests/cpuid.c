/*
 * CPUID: a hypervisor is there, says how fast the clocks are, and the topology is ours.
 */
#include "guest.h"

struct leaf {
	uint32_t a, b, c, d;
};

static struct leaf cpuid(uint32_t function, uint32_t index)
{
	struct leaf leaf = { .a = function, .c = index };

	__asm__ volatile("cpuid" : "+a"(leaf.a), "=b"(leaf.b), "+c"(leaf.c), "=d"(leaf.d));
	return leaf;
}

int guest_main(const void *start_info)
{
	struct leaf leaf = cpuid(1, 0);

	check(leaf.c >> 31);            /* hypervisor present */
	check((leaf.b >> 16 & 0xff) == 2); /* logical processors */
	check(leaf.d >> 28 & 1);        /* HTT: the field is valid */
	check(leaf.b >> 24 == 0);
	leaf = cpuid(0x40000000, 0);
	check(leaf.a >= 0x40000010);
	check(leaf.b == 0x4b4d564b);    /* "KVMK" */
	leaf = cpuid(0x40000010, 0);
	check(leaf.a > 100000);         /* TSC, kHz */
	check(leaf.b == 1000000);       /* local APIC, kHz */
	leaf = cpuid(0xb, 1);
	check(leaf.b == 2);
	check((leaf.c >> 8 & 0xff) == 2);
	guest_print("TSC kHz ");
	guest_print_hex(cpuid(0x40000010, 0).a);
	guest_print("\n");
	return 0;
}
