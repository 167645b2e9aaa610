/* Letters as pictures: the printable ASCII characters in a few faces, made by font-gen.c. */
#ifndef IRORI_DEMO_FONT_H
#define IRORI_DEMO_FONT_H

#include <stdint.h>

enum {
	FONT_FIRST = 32,
	FONT_LAST = 126,
};

struct font_glyph {
	int16_t x, y; /* of the picture's corner, from the pen; y downwards, so mostly negative */
	uint16_t width, height;
	uint16_t advance;
	uint32_t at; /* in the coverage */
};

struct font {
	const uint8_t *coverage; /* 0 to 255, rows of each glyph's own width */
	const struct font_glyph *glyphs;
	int ascent, height; /* of a line */
};

extern const struct font font_small, font_text, font_bold, font_mono, font_mono_small, font_large;

#endif
