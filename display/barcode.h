/*
 * The bar code that carries a frame's number on the picture itself.
 *
 * One row of BARCODE_CELLS square cells, white or black: 4 guard cells (white black white black),
 * 16 data bits (most significant first, white is 1), 4 check bits (barcode_check). The player draws
 * it in the guest with cells of BARCODE_PLAYER_CELL pixels, top left, at (0, 0): its running count
 * of presented frames, modulo 65536. The clip has one burnt in before it was encoded, with cells of
 * BARCODE_CLIP_CELL pixels, bottom left: the frame's number within the clip, which proves that the
 * frame that was counted is the frame that was decoded. Readers sample each cell's middle.
 *
 * This is an interface: the demonstration's programs include it too. No dependencies.
 */
#ifndef IRORI_DISPLAY_BARCODE_H
#define IRORI_DISPLAY_BARCODE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BARCODE_CELLS = 24,
	BARCODE_PLAYER_CELL = 8,
	BARCODE_CLIP_CELL = 16,
};

static inline unsigned barcode_check(uint16_t number)
{
	unsigned sum = number ^ (number >> 4) ^ (number >> 8) ^ (number >> 12);

	return (sum ^ 0x9) & 0xf;
}

/* The whole row as 24 bits, first cell in bit 23. */
static inline uint32_t barcode_row(uint16_t number)
{
	return 0xau << 20 | (uint32_t)number << 4 | barcode_check(number);
}

static inline bool barcode_parse(uint32_t row, uint16_t *number)
{
	*number = (uint16_t)(row >> 4);
	return row >> 20 == 0xa && (row & 0xf) == barcode_check(*number);
}

#endif
