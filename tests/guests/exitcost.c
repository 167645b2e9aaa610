/*
 * What an exit costs: three loops of the same shape, each the best of BLOCKS by the time-stamp counter
 * (the least disturbed tells the cost). One touches nothing, one reads a virtio device's status (an
 * MMIO exit to the VMM), one kicks its queue (an ioeventfd: no exit to the VMM).
 */
#include "portable.h"

enum {
	ROUNDS = 400, /* of a block */
	BLOCKS = 10,
	RNG = 4,
};

static uint32_t ticks(void)
{
	return (uint32_t)portable_ticks();
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

int guest_main(const void *start_info)
{
	static volatile uint8_t nothing;
	uint32_t loop = UINT32_MAX, mmio = UINT32_MAX, kick = UINT32_MAX;
	struct portable dev;

	portable_find(&dev, RNG);
	portable_start(&dev, 0, 8);
	for (unsigned block = 0; block < BLOCKS; block++) {
		uint32_t start = ticks(), after_loop, after_mmio;

		for (unsigned i = 0; i < ROUNDS; i++)
			nothing;
		after_loop = ticks();
		for (unsigned i = 0; i < ROUNDS; i++)
			dev.common[0x14];
		after_mmio = ticks();
		for (unsigned i = 0; i < ROUNDS; i++)
			portable_kick(&dev);
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
