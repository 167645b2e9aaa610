/*
 * The interrupts of the local APIC's timer, of the PIT at the pin where the ACPI tables say that it
 * is wired to, and of COM1's line arrive.
 */
#include "guest.h"

enum {
	LAPIC = 0xfee00000,
	LAPIC_EOI = LAPIC + 0xb0,
	LAPIC_LVT_TIMER = LAPIC + 0x320,
	LAPIC_INITIAL = LAPIC + 0x380,
	LAPIC_DIVIDE = LAPIC + 0x3e0,
	IOAPIC = 0xfec00000,
	PIT_PIN = 2,
	COM1_PIN = 4,
	TIMER_VECTOR = 0x40,
	COM1_VECTOR = 0x41,
	PIT_VECTOR = 0x42,
};

static volatile uint32_t ticks, pits, lines;

static __attribute__((used)) void timer_tick(void)
{
	ticks++;
	write32(LAPIC_EOI, 0);
}

static __attribute__((used)) void pit_ended(void)
{
	pits++;
	write32(LAPIC_EOI, 0);
}

static __attribute__((used)) void com1_ready(void)
{
	lines++;
	inb(0x3fa);      /* identifies, which answers "transmitter empty" */
	outb(0x3f9, 0);  /* and no more of it */
	write32(LAPIC_EOI, 0);
}

GUEST_HANDLER(timer_handler, timer_tick)
GUEST_HANDLER(pit_handler, pit_ended)
GUEST_HANDLER(com1_handler, com1_ready)

static void ioapic_write(uint32_t index, uint32_t value)
{
	write32(IOAPIC, index);
	write32(IOAPIC + 0x10, value);
}

static void wait_for(volatile uint32_t *count)
{
	__asm__ volatile("sti");
	for (unsigned i = 0; i < 50000 && !*count; i++)
		__asm__ volatile("pause");
	__asm__ volatile("cli");
	check(*count == 1);
}

int guest_main(const void *start_info)
{
	guest_gate(TIMER_VECTOR, timer_handler);
	guest_gate(PIT_VECTOR, pit_handler);
	guest_gate(COM1_VECTOR, com1_handler);
	guest_interrupts_on();
	write32(LAPIC_DIVIDE, 0xb);
	write32(LAPIC_LVT_TIMER, TIMER_VECTOR);
	write32(LAPIC_INITIAL, 100000); /* 0.1 ms */
	wait_for(&ticks);
	guest_print("tick\n");

	ioapic_write(0x10 + 2 * PIT_PIN + 1, 0);
	ioapic_write(0x10 + 2 * PIT_PIN, PIT_VECTOR);
	outb(0x43, 0x30); /* channel 0 counts down once */
	outb(0x40, 0xe8);
	outb(0x40, 0x03); /* 0.8 ms */
	wait_for(&pits);
	guest_print("pit\n");

	ioapic_write(0x10 + 2 * COM1_PIN + 1, 0);
	ioapic_write(0x10 + 2 * COM1_PIN, COM1_VECTOR);
	outb(0x3fc, 0x08); /* OUT2 */
	outb(0x3f9, 0x02); /* transmitter empty: at once */
	wait_for(&lines);
	guest_print("timer and line\n");
	return 0;
}
