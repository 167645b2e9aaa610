/*
 * Text modes: a page of characters and attributes, the guest's font from plane 2, the palette, and
 * the cursor become pixels. Pure but for reading memory that the guest may be writing: what is read
 * are dots and indices that any byte is valid for.
 */
#include <string.h>

#include "vmm/vga_paint.h"

enum {
	GLYPH_BYTES = 32, /* a character's place in the font */
	FONT_PLANE = 2,
	LINE_FIRST = 0xc0, /* box drawing goes on in the ninth dot */
	LINE_LAST = 0xdf,
};

/* The character and attribute at an address of the page. */
static uint16_t cell_read(const struct vga *vga, bool plain, uint32_t address)
{
	uint32_t at = address % (VGA_TEXT_LEN / 2) * 2;

	if (plain)
		return (uint16_t)(vga->text[at] | vga->text[at + 1] << 8);
	return (uint16_t)(vga->vram[at * 4] | vga->vram[at * 4 + 1] << 8);
}

struct brush {
	const struct vga *vga;
	const struct vga_look *look;
	uint32_t *pixels;
	uint32_t stride;
};

static uint16_t glyph_row(const struct brush *brush, uint8_t character, unsigned font, unsigned row)
{
	const struct vga_mode *mode = &brush->look->mode;
	uint32_t at = mode->font[font] + character * GLYPH_BYTES + row % GLYPH_BYTES;
	uint16_t dots = (uint16_t)(brush->vga->vram[(at % VGA_PLANE) * 4 + FONT_PLANE] << 1);

	if (mode->line_graphics && character >= LINE_FIRST && character <= LINE_LAST)
		dots |= dots >> 1 & 1;
	return dots; /* bit 8 is the leftmost, bit 0 the ninth */
}

static void cell_draw(const struct brush *brush, unsigned column, unsigned row, uint16_t cell,
	bool cursor)
{
	const struct vga_mode *mode = &brush->look->mode;
	uint8_t attribute = (uint8_t)(cell >> 8), character = (uint8_t)cell;
	uint32_t front = brush->look->text_colour[attribute & 0xf];
	uint32_t back = brush->look->text_colour[attribute >> 4 & (mode->blink ? 7 : 15)];
	unsigned across = mode->cell_width * mode->stretch;

	for (unsigned y = 0; y < mode->cell_height; y++) {
		uint32_t *to = brush->pixels + (size_t)(row * mode->cell_height + y) *
			brush->stride + column * across;
		uint16_t dots = glyph_row(brush, character, attribute >> 3 & 1, y);

		if (cursor && y >= mode->cursor_first && y <= mode->cursor_last)
			dots = 0x1ff;
		for (unsigned x = 0; x < across; x++)
			to[x] = dots >> (8 - x / mode->stretch) & 1 ? front : back;
	}
}

/* Grows *damage, which may be empty, by a rectangle. */
static void damage_add(struct rect *damage, const struct rect *more)
{
	uint32_t right, bottom;

	if (!damage->width) {
		*damage = *more;
		return;
	}
	right = MAX(damage->x + damage->width, more->x + more->width);
	bottom = MAX(damage->y + damage->height, more->y + more->height);
	damage->x = MIN(damage->x, more->x);
	damage->y = MIN(damage->y, more->y);
	damage->width = right - damage->x;
	damage->height = bottom - damage->y;
}

void vga_text_paint(struct vga_painter *painter, const struct vga *vga,
	const struct vga_look *look, bool all, uint32_t *pixels, uint32_t stride,
	struct rect *damage)
{
	const struct vga_mode *mode = &look->mode;
	const struct brush brush = { vga, look, pixels, stride };
	unsigned across = mode->cell_width * mode->stretch;

	for (unsigned i = 0; i < mode->rows * mode->columns; i++) {
		unsigned row = i / mode->columns, column = i % mode->columns;
		uint32_t address = mode->start + row * mode->pitch + column;
		uint16_t cell = cell_read(vga, look->text_plain, address);
		bool cursor = mode->cursor_on && address % (VGA_TEXT_LEN / 2) == mode->cursor;
		struct rect at = { column * across, row * mode->cell_height, across,
			mode->cell_height };

		if (!all && cell == painter->cell[i])
			continue;
		painter->cell[i] = cell;
		cell_draw(&brush, column, row, cell, cursor);
		damage_add(damage, &at);
	}
}
