/*
 * Reads the bar codes of display/barcode.h from a picture.
 *
 * Thread: any. Nothing is written; the pixels may change while they are read (then the guard and
 * check cells fail, and that is the answer).
 */
#ifndef IRORI_DISPLAY_READER_H
#define IRORI_DISPLAY_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "display/picture.h"

/* The code whose first cell's top left pixel is (x, y). False: none there, or not readable. */
bool reader_read(const struct picture *picture, uint32_t x, uint32_t y, uint32_t cell,
	uint16_t *number);

/* Where the player and the clip have theirs. */
bool reader_player(const struct picture *picture, uint16_t *number);
bool reader_clip(const struct picture *picture, uint16_t *number);

#endif
