/*
 * See portable.h.
 */
#include "portable.h"

enum {
	VIRTIO_VENDOR = 0x1af4,
	MODERN = 0x1040, /* and the type */
	CAP_VENDOR = 9,
	CAP_COMMON = 1,
	CAP_NOTIFY = 2,
	CAP_DEVICE = 4,
};

/* Devices that were there before 1.0 may have kept their numbers. */
static const uint16_t transitional[] = { [2] = 0x1001, [4] = 0x1005 };

static uint32_t config_read(uint32_t function, unsigned offset)
{
	outl(0xcf8, function | (offset & 0xfc));
	return inl(0xcfc) >> (offset % 4 * 8);
}

static volatile uint8_t *cap_address(uint32_t function, unsigned cap)
{
	unsigned bar = config_read(function, cap + 4) & 0xff;
	uint32_t base = config_read(function, 0x10 + 4 * bar) & ~0xfu;

	return (volatile uint8_t *)(base + config_read(function, cap + 8));
}

static void map(struct portable *dev)
{
	uint32_t f = dev->function;

	for (unsigned cap = config_read(f, 0x34) & 0xfc, left = 48; cap && left; left--) {
		uint32_t head = config_read(f, cap);

		if ((head & 0xff) == CAP_VENDOR && head >> 24 == CAP_COMMON)
			dev->common = cap_address(f, cap);
		if ((head & 0xff) == CAP_VENDOR && head >> 24 == CAP_DEVICE)
			dev->device = cap_address(f, cap);
		if ((head & 0xff) == CAP_VENDOR && head >> 24 == CAP_NOTIFY) {
			dev->notify = cap_address(f, cap);
			dev->notify_step = config_read(f, cap + 16);
		}
		cap = head >> 8 & 0xfc;
	}
	outl(0xcf8, f | 4);
	outl(0xcfc, config_read(f, 4) | 6); /* memory, bus master */
	check(dev->common && dev->notify);
}

void portable_find(struct portable *dev, unsigned type)
{
	uint16_t old = type < sizeof(transitional) / 2 ? transitional[type] : 0;

	for (uint32_t slot = 0; slot < 32; slot++) {
		uint32_t function = 0x80000000u | slot << 11, id = config_read(function, 0);

		if (id != (VIRTIO_VENDOR | (MODERN + type) << 16) &&
			(!old || id != (VIRTIO_VENDOR | (uint32_t)old << 16)))
			continue;
		*dev = (struct portable){ .function = function };
		map(dev);
		return;
	}
	guest_print("FAILED: no such virtio device\n");
	guest_exit(1);
}

static void put32(volatile uint8_t *at, uint32_t value)
{
	*(volatile uint32_t *)at = value;
}

static void put16(volatile uint8_t *at, uint16_t value)
{
	*(volatile uint16_t *)at = value;
}

/* Only with DRIVER_OK do VMMs arm their ioeventfd. */
void portable_start(struct portable *dev, uint32_t features, uint16_t size)
{
	volatile uint8_t *c = dev->common;

	c[0x14] = 0;
	memset((void *)PORTABLE_DESC, 0, PORTABLE_FREE - PORTABLE_DESC);
	c[0x14] = 3;
	put32(c + 0x08, 0);
	put32(c + 0x0c, features);
	put32(c + 0x08, 1);
	put32(c + 0x0c, 1); /* VERSION_1 */
	c[0x14] = 11;
	put16(c + 0x16, 0);
	put16(c + 0x18, size);
	put32(c + 0x20, PORTABLE_DESC);
	put32(c + 0x24, 0);
	put32(c + 0x28, PORTABLE_AVAIL);
	put32(c + 0x2c, 0);
	put32(c + 0x30, PORTABLE_USED);
	put32(c + 0x34, 0);
	put16(c + 0x1c, 1);
	c[0x14] = 15;
	dev->notify += *(volatile uint16_t *)(c + 0x1e) * dev->notify_step;
	check(c[0x14] == 15);
}
