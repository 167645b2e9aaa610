/*
 * Time: the TSC, with its frequency from the hypervisor or measured, and the local APIC's timer to
 * wake up in time.
 */
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"

#define LAPIC(reg) (direct(0xfee00000 + (reg)))

enum {
	LAPIC_SPURIOUS = 0xf0,
	LAPIC_TIMER = 0x320,
	LAPIC_TIMER_START = 0x380,
	LAPIC_TIMER_NOW = 0x390,
	LAPIC_TIMER_DIVIDE = 0x3e0,
};

uint32_t clock_khz;
static uint32_t lapic_khz;
static uint64_t tsc_start;
static uint64_t ns_per_tick, ticks_per_ns; /* fixed point, 32 bits of fraction */
static bool timer_set;

/* Without anybody to ask: both frequencies against 10 ms of the PIT's channel 2. */
static void measure(void)
{
	uint32_t lapic_start = 0xffffffff;
	uint64_t start;

	outb(0x61, (inb(0x61) & 0xfc) | 1);
	outb(0x43, 0xb0);
	outb(0x42, 11932 & 0xff);
	outb(0x42, 11932 >> 8);
	mmio_write32(LAPIC(LAPIC_TIMER_START), lapic_start);
	start = rdtsc();
	while (!(inb(0x61) & 0x20))
		;
	clock_khz = (uint32_t)((rdtsc() - start) / 10);
	lapic_khz = (lapic_start - mmio_read32(LAPIC(LAPIC_TIMER_NOW))) / 10;
	mmio_write32(LAPIC(LAPIC_TIMER_START), 0);
}

static void find_frequencies(void)
{
	if (cpuid(1).ecx >> 31 && cpuid(0x40000000).eax >= 0x40000010) {
		struct cpuid id = cpuid(0x40000010);

		clock_khz = id.eax;
		lapic_khz = id.ebx;
	}
	if (!clock_khz || !lapic_khz)
		measure();
}

void clock_init(void)
{
	tsc_start = rdtsc();
	mmio_write32(LAPIC(LAPIC_SPURIOUS), 0x100 | VECTOR_SPURIOUS);
	mmio_write32(LAPIC(LAPIC_TIMER_DIVIDE), 0xb); /* by 1 */
	mmio_write32(LAPIC(LAPIC_TIMER), VECTOR_WAKE | 1u << 16);
	find_frequencies();
	mmio_write32(LAPIC(LAPIC_TIMER), VECTOR_WAKE);
	ns_per_tick = (1000000ull << 32) / clock_khz;
	ticks_per_ns = ((uint64_t)lapic_khz << 32) / 1000000;
}

static uint64_t scale(uint64_t value, uint64_t factor)
{
	uint64_t low, high;

	__asm__("mulq %3" : "=a"(low), "=d"(high) : "0"(value), "r"(factor) : "cc");
	return high << 32 | low >> 32;
}

int64_t clock_now(void)
{
	return (int64_t)scale(rdtsc() - tsc_start, ns_per_tick);
}

int64_t clock_epoch(void)
{
	return (int64_t)option_number("time", 0) * SECOND;
}

void clock_idle(int64_t until)
{
	uint64_t ticks = 0;

	if (until != NEVER) {
		int64_t left = until - clock_now();

		if (left <= 0)
			return;
		ticks = scale((uint64_t)left, ticks_per_ns) + 1;
		timer_set = true;
	}
	if (timer_set)
		mmio_write32(LAPIC(LAPIC_TIMER_START), ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
	timer_set = until != NEVER;
	cpu_idle();
}
