/*
 * A virtio device found and started as the specification says (capabilities; virtio 1.2, 4.1.4), so
 * that the guest also runs on other VMMs: what figures are compared with.
 */
#ifndef IRORI_TESTS_GUESTS_PORTABLE_H
#define IRORI_TESTS_GUESTS_PORTABLE_H

#include "guest.h"

struct portable {
	uint32_t function; /* CF8 address of its configuration space */
	volatile uint8_t *common, *notify, *device;
	uint32_t notify_step;
};

/* Where its queue 0 is: descriptor table, driver and device area, a page each. */
enum portable_layout {
	PORTABLE_DESC = 0x200000,
	PORTABLE_AVAIL = 0x201000,
	PORTABLE_USED = 0x202000,
	PORTABLE_FREE = 0x203000,
};

/* By its number in virtio 1.2, section 5. The guest fails if it is not there. */
void portable_find(struct portable *dev, unsigned type);
/* To DRIVER_OK with queue 0, empty, of so many entries, and these features besides VERSION_1. */
void portable_start(struct portable *dev, uint32_t features, uint16_t size);
static inline void portable_kick(const struct portable *dev)
{
	*(volatile uint16_t *)dev->notify = 0;
}

/* Time-stamp counter. */
static inline uint64_t portable_ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

#endif
