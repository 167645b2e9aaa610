/*
 * Counts the ticks of the local APIC's timer and prints the count now and then, for ever: what save
 * and restore are tried on. Between two lines it fills memory with what it counted and checks it.
 */
#include "guest.h"

enum {
	LAPIC = 0xfee00000,
	LAPIC_EOI = LAPIC + 0xb0,
	LAPIC_LVT_TIMER = LAPIC + 0x320,
	LAPIC_INITIAL = LAPIC + 0x380,
	LAPIC_DIVIDE = LAPIC + 0x3e0,
	TIMER_VECTOR = 0x40,
	TIMER_PERIODIC = 1 << 17,
	TIMER_DIVIDE_1 = 0xb,
	TICK_NS = 10000000, /* the local APIC counts in ns */
	PATTERN = 0x200000,
	WORDS = 64,
};

static volatile uint32_t ticks;

static __attribute__((used)) void timer_tick(void)
{
	ticks++;
	write32(LAPIC_EOI, 0);
}

GUEST_HANDLER(timer_handler, timer_tick)

int guest_main(const void *start_info)
{
	guest_gate(TIMER_VECTOR, timer_handler);
	guest_interrupts_on();
	write32(LAPIC_DIVIDE, TIMER_DIVIDE_1);
	write32(LAPIC_LVT_TIMER, TIMER_VECTOR | TIMER_PERIODIC);
	write32(LAPIC_INITIAL, TICK_NS);
	for (uint32_t line = 1;; line++) {
		uint32_t begin = ticks;

		for (unsigned i = 0; i < WORDS; i++)
			write32(PATTERN + 4096 * i, line * 7 + i);
		while (ticks - begin < 3)
			__asm__ volatile("sti; hlt; cli");
		for (unsigned i = 0; i < WORDS; i++)
			check(read32(PATTERN + 4096 * i) == line * 7 + i);
		guest_print("line ");
		guest_print_hex(line);
		guest_print("\n");
	}
}
