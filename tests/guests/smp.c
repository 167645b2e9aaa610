/*
 * A second processor comes up by INIT and SIPI, and both see each other's writes.
 */
#include "guest.h"

static volatile uint32_t ap_here, bsp_seen, ap_id;

static uint32_t apic_id(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return b >> 24;
}

void guest_ap_main(void)
{
	ap_id = apic_id();
	ap_here = 1;
	while (!bsp_seen)
		__asm__ volatile("pause");
	ap_here = 2;
}

int guest_main(const void *start_info)
{
	check(apic_id() == 0);
	guest_smp_start();
	while (ap_here != 1)
		__asm__ volatile("pause");
	check(ap_id == 1);
	bsp_seen = 1;
	while (ap_here != 2)
		__asm__ volatile("pause");
	guest_print("two processors\n");
	return 0;
}
