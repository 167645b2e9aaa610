/*
 * What an exit costs: three loops of the same shape, each the best of BLOCKS by the time-stamp counter
 * (the least disturbed tells the cost). One touches nothing, one reads a virtio device's status (an MMIO exit to the VMM),
 * one kicks its queue (an ioeventfd: no exit to the VMM). The device is found as the specification
 * says (capabilities; virtio 1.2, 4.1.4), so this guest also runs on other VMMs.
 */
#include "guest.h"

enum {
	ROUNDS = 400, /* of a block */
	BLOCKS = 10,
	RINGS = 0x200000, /* descriptor table, driver and device area, a page each */
	VIRTIO_VENDOR = 0x1af4,
	CAP_VENDOR = 9,
	CAP_COMMON = 1,
	CAP_NOTIFY = 2,
	RNG_MODERN = 0x1044,
	RNG_TRANSITIONAL = 0x1005,
};

struct device {
	uint32_t function; /* CF8 address of its configuration space */
	volatile uint8_t *common, *notify;
	uint32_t notify_step;
};

static uint32_t config_read(uint32_t function, unsigned offset)
{
	outl(0xcf8, function | (offset & 0xfc));
	return inl(0xcfc) >> (offset % 4 * 8);
}

static bool device_find(struct device *dev)
{
	for (uint32_t slot = 0; slot < 32; slot++) {
		uint32_t function = 0x80000000u | slot << 11, id = config_read(function, 0);

		if (id != (VIRTIO_VENDOR | RNG_MODERN << 16) &&
			id != (VIRTIO_VENDOR | RNG_TRANSITIONAL << 16))
			continue;
		dev->function = function;
		return true;
	}
	return false;
}

static volatile uint8_t *cap_address(uint32_t function, unsigned cap)
{
	unsigned bar = config_read(function, cap + 4) & 0xff;
	uint32_t base = config_read(function, 0x10 + 4 * bar) & ~0xfu;

	return (volatile uint8_t *)(base + config_read(function, cap + 8));
}

static void device_map(struct device *dev)
{
	uint32_t f = dev->function;

	for (unsigned cap = config_read(f, 0x34) & 0xfc, left = 48; cap && left; left--) {
		uint32_t head = config_read(f, cap);

		if ((head & 0xff) == CAP_VENDOR && head >> 24 == CAP_COMMON)
			dev->common = cap_address(f, cap);
		if ((head & 0xff) == CAP_VENDOR && head >> 24 == CAP_NOTIFY) {
			dev->notify = cap_address(f, cap);
			dev->notify_step = config_read(f, cap + 16);
		}
		cap = head >> 8 & 0xfc;
	}
	outl(0xcf8, f | 4);
	outl(0xcfc, config_read(f, 4) | 6); /* memory, bus master */
}

static void put32(volatile uint8_t *at, uint32_t value)
{
	*(volatile uint32_t *)at = value;
}

static void put16(volatile uint8_t *at, uint16_t value)
{
	*(volatile uint16_t *)at = value;
}

/* To DRIVER_OK with one empty queue: only then do VMMs arm their ioeventfd. */
static void device_start(struct device *dev)
{
	volatile uint8_t *c = dev->common;

	c[0x14] = 0;
	c[0x14] = 3;
	put32(c + 0x08, 1);
	put32(c + 0x0c, 1); /* VERSION_1 */
	c[0x14] = 11;
	put16(c + 0x16, 0);
	put16(c + 0x18, 8);
	put32(c + 0x20, RINGS);
	put32(c + 0x24, 0);
	put32(c + 0x28, RINGS + 0x1000);
	put32(c + 0x2c, 0);
	put32(c + 0x30, RINGS + 0x2000);
	put32(c + 0x34, 0);
	put16(c + 0x1c, 1);
	c[0x14] = 15;
	dev->notify += *(volatile uint16_t *)(c + 0x1e) * dev->notify_step;
	check(c[0x14] == 15);
}

static uint32_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return low;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

int guest_main(const void *start_info)
{
	static volatile uint8_t nothing;
	uint32_t loop = UINT32_MAX, mmio = UINT32_MAX, kick = UINT32_MAX;
	struct device dev = {0};

	check(device_find(&dev));
	device_map(&dev);
	check(dev.common && dev.notify);
	device_start(&dev);
	for (unsigned block = 0; block < BLOCKS; block++) {
		uint32_t start = ticks(), after_loop, after_mmio;

		for (unsigned i = 0; i < ROUNDS; i++)
			nothing;
		after_loop = ticks();
		for (unsigned i = 0; i < ROUNDS; i++)
			dev.common[0x14];
		after_mmio = ticks();
		for (unsigned i = 0; i < ROUNDS; i++)
			*(volatile uint16_t *)dev.notify = 0;
		kick = least(kick, ticks() - after_mmio);
		mmio = least(mmio, after_mmio - after_loop);
		loop = least(loop, after_loop - start);
	}
	guest_print("exitcost: loop=");
	guest_print_hex(loop);
	guest_print(" mmio=");
	guest_print_hex(mmio);
	guest_print(" kick=");
	guest_print_hex(kick);
	guest_print("\n");
	return 0;
}
