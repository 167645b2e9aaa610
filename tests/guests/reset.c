/*
 * Resets itself for ever, by each of the ways that a PC has, and finds a new machine each time.
 * The runner counts the lines and ends it. What tells the ways apart is the time stamp counter,
 * which goes on.
 */
#include "guest.h"

enum {
	MARK = 0x400000,
	LAPIC_SPURIOUS = 0xfee000f0,
	LAPIC_ENABLED = 0x1ff,
	PIC_MASK = 0x21,
};

static uint32_t read_cr4(void)
{
	uint32_t value;

	__asm__ volatile("movl %%cr4, %0" : "=r"(value));
	return value;
}

static uint32_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low;
}

/* The second processor, if there is one, is in the middle of something when the reset comes. */
void guest_ap_main(void)
{
	for (;;)
		write32(MARK + 4, read32(MARK + 4) + 1);
}

int guest_main(const void *start_info)
{
	check(read32(MARK) == 0);
	check(read32(LAPIC_SPURIOUS) == 0xff);
	check(read_cr4() == 0);
	check(inb(0x3ff) == 0); /* the UART's scratch register */
	check(inb(PIC_MASK) == 0);
	check(read32(MARK + 4) == 0);
	guest_print("boot\n");
	guest_smp_start();
	for (unsigned i = 0; i < 1000 && !read32(MARK + 4); i++)
		__asm__ volatile("pause");

	write32(MARK, 0x12345678);
	write32(LAPIC_SPURIOUS, LAPIC_ENABLED);
	outb(0x3ff, 0x5a);
	outb(PIC_MASK, 0xff);
	__asm__ volatile("movl %0, %%cr4" : : "r"(0x10));
	switch (read_tsc() >> 8 & 3) {
	case 0:
		outb(0x64, 0xfe);
		break;
	case 1:
		outb(0x92, 1);
		break;
	default:
		outb(0xcf9, 6);
		break;
	}
	/* No instruction after the request is executed. */
	guest_print("alive after reset\n");
	return 1;
}
