/* Draws the bar code of display/barcode.h into pixels. Header only: two loops. */
#ifndef IRORI_DEMO_BARCODE_DRAW_H
#define IRORI_DEMO_BARCODE_DRAW_H

#include <stddef.h>

#include "display/barcode.h"

/* Top left of `pixels`, which must hold BARCODE_CELLS * cell by cell; stride in pixels. */
static inline void barcode_draw(uint32_t *pixels, size_t stride, unsigned cell, uint16_t number)
{
	uint32_t row = barcode_row(number);

	for (unsigned y = 0; y < cell; y++)
		for (unsigned x = 0; x < BARCODE_CELLS * cell; x++) {
			unsigned bit = BARCODE_CELLS - 1 - x / cell;

			pixels[y * stride + x] = row >> bit & 1 ? 0xffffff : 0;
		}
}

#endif
