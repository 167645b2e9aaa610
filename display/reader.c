/*
 * The bar code reader. Each cell is the mean of its middle, the threshold lies half way between the
 * guard cells: a codec's blur and a wrong gamma do no harm.
 */
#include "display/reader.h"

#include "display/barcode.h"

enum { MIN_CONTRAST = 64 };

/* 0..255, the mean green (most of what the eye, and a codec, calls brightness) of the middle. */
static unsigned cell_level(const struct picture *picture, uint32_t x, uint32_t y, uint32_t cell)
{
	uint32_t half = cell >= 8 ? 2 : 1;
	unsigned sum = 0;

	x += cell / 2 - half;
	y += cell / 2 - half;
	for (uint32_t j = 0; j < 2 * half; j++)
		for (uint32_t i = 0; i < 2 * half; i++)
			sum += picture->pixels[(size_t)(y + j) * picture->stride + (x + i) * 4 + 1];
	return sum / (4 * half * half);
}

bool reader_read(const struct picture *picture, uint32_t x, uint32_t y, uint32_t cell,
	uint16_t *number)
{
	unsigned level[BARCODE_CELLS], white, black;
	uint32_t bits = 0;

	if (!picture->pixels || cell < 2 || cell > 256 || x > picture->width ||
		y > picture->height || picture->width - x < cell * BARCODE_CELLS ||
		picture->height - y < cell)
		return false;
	for (uint32_t i = 0; i < BARCODE_CELLS; i++)
		level[i] = cell_level(picture, x + i * cell, y, cell);
	white = (level[0] + level[2]) / 2;
	black = (level[1] + level[3]) / 2;
	if (white < black + MIN_CONTRAST)
		return false;
	for (unsigned i = 0; i < BARCODE_CELLS; i++)
		bits = bits << 1 | (level[i] > (white + black) / 2);
	return barcode_parse(bits, number);
}

bool reader_player(const struct picture *picture, uint16_t *number)
{
	return reader_read(picture, 0, 0, BARCODE_PLAYER_CELL, number);
}

bool reader_clip(const struct picture *picture, uint16_t *number)
{
	if (picture->height < BARCODE_CLIP_CELL)
		return false;
	return reader_read(picture, 0, picture->height - BARCODE_CLIP_CELL, BARCODE_CLIP_CELL,
		number);
}
