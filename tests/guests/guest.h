/*
 * What one-purpose guests have: ports, memory, a print, an exit. 32-bit protected mode, no paging,
 * one processor unless guest_smp_start was called. Keep a guest below a million instructions: some
 * hosts interpret them.
 *
 * guest_main returns 0 for success, which powers off; another value ends the VMM with exit status
 * 2 * value + 1 through the test exit port.
 */
#ifndef IRORI_TESTS_GUESTS_GUEST_H
#define IRORI_TESTS_GUESTS_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int guest_main(const void *start_info);
void guest_ap_main(void); /* second processor; defined by guests that start it */

/* The compiler calls them too, for structures that are copied or cleared. */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);

void guest_exit(int status) __attribute__((noreturn));
void guest_print(const char *text);
void guest_print_hex(uint32_t value);

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t read32(uint32_t addr)
{
	return *(volatile uint32_t *)addr;
}

static inline void write32(uint32_t addr, uint32_t value)
{
	*(volatile uint32_t *)addr = value;
}

/* Says what is not so and fails. */
#define check(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			guest_print("FAILED: " #condition "\n");                                   \
			guest_exit(1);                                                             \
		}                                                                                  \
	} while (0)

/* Back without iret, which KVM's emulator has not got in protected mode: a near return that drops
 * the code segment and the flags; interrupts stay off. */
#define GUEST_HANDLER(name, function)                                                              \
	__attribute__((naked)) static void name(void)                                              \
	{                                                                                          \
		__asm__ volatile("pushal; call " #function "; popal; ret $8");                     \
	}

/* Vector `vector` of the interrupt table calls a GUEST_HANDLER. */
void guest_gate(unsigned vector, void (*handler)(void));
/* Loads the table, masks the old interrupt controllers, switches the local APIC on. Not sti. */
void guest_interrupts_on(void);

/* Wakes processor 1, which runs guest_ap_main on a stack of its own. */
void guest_smp_start(void);

#endif
