/*
 * Where nothing answers, reads give all ones and writes are ignored.
 */
#include "guest.h"

enum {
	NO_PORT = 0x1234,
	NO_MEMORY = 0xd8000000, /* in the PCI window, where no BAR is */
	NO_DEVICE = 0x8000f000, /* PCI 00:1e.0 by CF8 */
	HOST_BRIDGE = 0x80000000,
	ECAM = 0xe0000000,
};

int guest_main(const void *start_info)
{
	check(inb(NO_PORT) == 0xff);
	check(inw(NO_PORT) == 0xffff);
	check(inl(NO_PORT) == 0xffffffff);
	outl(NO_PORT, 1);
	check(inl(NO_PORT) == 0xffffffff);

	write32(NO_MEMORY, 1);
	check(read32(NO_MEMORY) == 0xffffffff);
	check(*(volatile uint8_t *)(NO_MEMORY + 3) == 0xff);
	check(*(volatile uint16_t *)(NO_MEMORY + 1) == 0xffff);

	outl(0xcf8, NO_DEVICE);
	check(inl(0xcfc) == 0xffffffff);
	outl(0xcf8, HOST_BRIDGE);
	check(inl(0xcfc) == 0x29c08086);
	check(read32(ECAM) == 0x29c08086);
	check(read32(ECAM + (30 << 15)) == 0xffffffff);
	check(inb(0x64) == 0);
	return 0;
}
