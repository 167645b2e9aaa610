/*
 * The common part of the one-purpose guests.
 */
#include "guest.h"

enum {
	COM1 = 0x3f8,
	TEST_EXIT = 0xf4,
	POWER = 0x604,
	POWER_OFF = 0x2000,
	AP_CODE = 0x10000,
	LAPIC_SPURIOUS = 0xfee000f0,
	LAPIC_ICR = 0xfee00300,
	LAPIC_ICR_HIGH = 0xfee00310,
	ICR_INIT = 0x4500,
	ICR_SIPI = 0x4600,
};

extern const uint8_t guest_ap_code[], guest_ap_code_end[];

void __attribute__((weak)) guest_ap_main(void)
{
}

void *memcpy(void *to, const void *from, size_t n)
{
	void *result = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
	return result;
}

void *memset(void *to, int byte, size_t n)
{
	void *result = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(byte) : "memory");
	return result;
}

void guest_print(const char *text)
{
	while (*text)
		outb(COM1, (uint8_t)*text++);
}

void guest_print_hex(uint32_t value)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		outb(COM1, (uint8_t)"0123456789abcdef"[value >> shift & 15]);
}

void guest_exit(int status)
{
	if (status)
		outb(TEST_EXIT, (uint8_t)status);
	else
		outw(POWER, POWER_OFF);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void guest_smp_start(void)
{
	memcpy((void *)AP_CODE, guest_ap_code, (size_t)(guest_ap_code_end - guest_ap_code));
	write32(LAPIC_ICR_HIGH, 1u << 24);
	write32(LAPIC_ICR, ICR_INIT);
	write32(LAPIC_ICR_HIGH, 1u << 24);
	write32(LAPIC_ICR, ICR_SIPI | AP_CODE >> 12);
}

static struct gate {
	uint16_t low, selector;
	uint8_t zero, type;
	uint16_t high;
} __attribute__((packed)) idt[256];

void guest_gate(unsigned vector, void (*handler)(void))
{
	uint32_t address = (uint32_t)handler;

	idt[vector] = (struct gate){ (uint16_t)address, 0x10, 0, 0x8e, (uint16_t)(address >> 16) };
}

void guest_interrupts_on(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (uint32_t)idt };

	__asm__ volatile("lidt %0" : : "m"(idtr));
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	write32(LAPIC_SPURIOUS, 0x1ff);
}
