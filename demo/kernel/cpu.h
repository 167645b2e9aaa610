/*
 * The processor: instructions that C has no words for. Ring 0 may be interpreted by an emulator that
 * does not know every instruction, so fences are locked additions and nothing here is newer than
 * the first x86-64.
 */
#ifndef DEMO_KERNEL_CPU_H
#define DEMO_KERNEL_CPU_H

#include <stdint.h>

enum msr {
	MSR_FS_BASE = 0xc0000100,
	MSR_GS_BASE = 0xc0000101,
	MSR_STAR = 0xc0000081,
	MSR_LSTAR = 0xc0000082,
	MSR_FMASK = 0xc0000084,
};

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf)
{
	struct cpuid id;

	__asm__ volatile("cpuid" : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx)
		: "a"(leaf), "c"(0));
	return id;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" :: "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) :: "memory");
	return (uint64_t)high << 32 | low;
}

#define PORT(suffix, type)                                                                         \
	static inline void out##suffix(uint16_t port, type value)                                  \
	{                                                                                          \
		__asm__ volatile("out" #suffix " %0, %1" :: "a"(value), "d"(port));               \
	}                                                                                          \
	static inline type in##suffix(uint16_t port)                                               \
	{                                                                                          \
		type value;                                                                        \
		__asm__ volatile("in" #suffix " %1, %0" : "=a"(value) : "d"(port));               \
		return value;                                                                      \
	}
PORT(b, uint8_t)
PORT(w, uint16_t)
PORT(l, uint32_t)
#undef PORT

/* Stores before are seen before loads after. */
static inline void fence(void)
{
	__asm__ volatile("lock; addl $0, (%%rsp)" ::: "memory", "cc");
}

/* The compiler keeps the order; the processor does anyway for stores among themselves. */
static inline void barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

/*
 * Sleeps until the next interrupt. One that came since the last time ends it at once. In ring 3,
 * hlt faults, and protection_entry in trap.S does all three.
 */
static inline void cpu_idle(void)
{
	uint32_t cs;

	__asm__ volatile("mov %%cs, %0" : "=r"(cs));
	if (cs & 3)
		__asm__ volatile("hlt" ::: "memory");
	else
		__asm__ volatile("sti; hlt; cli" ::: "memory");
}

static inline _Noreturn void cpu_stop(void)
{
	for (;;)
		__asm__ volatile("hlt"); /* interrupts are off, or nobody minds */
}

/* Device registers: one access of exactly this width. */
static inline uint32_t mmio_read32(const volatile void *at) { return *(const volatile uint32_t *)at; }
static inline uint16_t mmio_read16(const volatile void *at) { return *(const volatile uint16_t *)at; }
static inline uint8_t mmio_read8(const volatile void *at) { return *(const volatile uint8_t *)at; }
static inline void mmio_write32(volatile void *at, uint32_t v) { *(volatile uint32_t *)at = v; }
static inline void mmio_write16(volatile void *at, uint16_t v) { *(volatile uint16_t *)at = v; }
static inline void mmio_write8(volatile void *at, uint8_t v) { *(volatile uint8_t *)at = v; }

#endif
