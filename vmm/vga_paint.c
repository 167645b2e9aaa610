/*
 * Graphics modes become pixels, line by line, where pages of the memory were written; text is
 * vga_text.c's.
 */
#include "vmm/vga_paint.h"

#include <string.h>

enum { PAGE_SHIFT = 12 };

typedef void (*line_draw)(const struct vga *vga, const struct vga_look *look, uint32_t start,
	uint32_t *to);

static void planar_line(const struct vga *vga, const struct vga_look *look, uint32_t start,
	uint32_t *to)
{
	const struct vga_mode *mode = &look->mode;

	for (uint32_t x = 0; x < mode->width; x++) {
		const uint8_t *byte = &vga->vram[(size_t)((start + x / 8) & mode->wrap) * 4];
		unsigned bit = 7 - x % 8, index = 0;

		for (unsigned p = 0; p < 4; p++)
			index |= (byte[p] >> bit & 1u) << p;
		to[x] = look->text_colour[index];
	}
}

static void packed_line(const struct vga *vga, const struct vga_look *look, uint32_t start,
	uint32_t *to)
{
	for (uint32_t x = 0; x < look->mode.width; x++)
		to[x] = look->colour[vga->vram[(start + x) & look->mode.wrap]];
}

/* n bits to eight, so that all ones stay all ones. */
static uint32_t widen(uint32_t value, unsigned n)
{
	value &= (1u << n) - 1;
	return value << (8 - n) | value >> (2 * n - 8);
}

static void line_15(const struct vga *vga, const struct vga_look *look, uint32_t start,
	uint32_t *to)
{
	const uint8_t *from = vga->vram + start;

	for (uint32_t x = 0; x < look->mode.width; x++, from += 2) {
		uint32_t value = from[0] | (uint32_t)from[1] << 8;

		to[x] = widen(value >> 10, 5) << 16 | widen(value >> 5, 5) << 8 | widen(value, 5);
	}
}

static void line_16(const struct vga *vga, const struct vga_look *look, uint32_t start,
	uint32_t *to)
{
	const uint8_t *from = vga->vram + start;

	for (uint32_t x = 0; x < look->mode.width; x++, from += 2) {
		uint32_t value = from[0] | (uint32_t)from[1] << 8;

		to[x] = widen(value >> 11, 5) << 16 | widen(value >> 5, 6) << 8 | widen(value, 5);
	}
}

static void line_24(const struct vga *vga, const struct vga_look *look, uint32_t start,
	uint32_t *to)
{
	const uint8_t *from = vga->vram + start;

	for (uint32_t x = 0; x < look->mode.width; x++, from += 3)
		to[x] = from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16;
}

static void line_32(const struct vga *vga, const struct vga_look *look, uint32_t start,
	uint32_t *to)
{
	memcpy(to, vga->vram + start, look->mode.width * sizeof(*to));
}

static line_draw line_of(const struct vga_mode *mode)
{
	if (mode->kind == VGA_PLANAR)
		return planar_line;
	if (mode->kind == VGA_PACKED)
		return packed_line;
	switch (mode->bits) {
	case 15:
		return line_15;
	case 16:
		return line_16;
	case 24:
		return line_24;
	default:
		return line_32;
	}
}

static bool line_dirty(const struct vga_dirty *dirty, uint32_t start, uint32_t len)
{
	size_t first = start >> PAGE_SHIFT, last = (start + len - 1) >> PAGE_SHIFT;

	if (!dirty->page)
		return true;
	for (size_t page = first; page <= last; page++)
		if (page >= dirty->n || dirty->page[page / 64] >> (page % 64) & 1)
			return true;
	return false;
}

static void graphics_paint(const struct vga *vga, const struct vga_look *look,
	const struct vga_dirty *dirty, uint32_t *pixels, uint32_t stride, struct rect *damage)
{
	const struct vga_mode *mode = &look->mode;
	uint32_t bytes = mode->width * (mode->kind == VGA_DIRECT ? (mode->bits + 7) / 8 : 1);
	line_draw draw = line_of(mode);

	for (uint32_t y = 0; y < mode->height; y++) {
		uint32_t start = mode->start + y * mode->pitch;

		if (mode->linear && !line_dirty(dirty, start, bytes))
			continue;
		draw(vga, look, start, pixels + (size_t)y * stride);
		if (!damage->height)
			*damage = (struct rect){ 0, y, mode->width, 0 };
		damage->height = y + 1 - damage->y;
	}
}

bool vga_paint(struct vga_painter *painter, struct vga *vga, const struct vga_look *look,
	const struct vga_dirty *dirty, uint32_t *pixels, uint32_t stride, struct rect *damage)
{
	static const struct vga_dirty everything;
	unsigned touched = (unsigned)g_atomic_int_get((gint *)&vga->touched);
	bool all = !painter->valid || painter->touched != touched ||
		memcmp(&painter->look, look, sizeof(*look));

	painter->valid = true;
	painter->touched = touched;
	memcpy(&painter->look, look, sizeof(*look)); /* with its padding */
	*damage = (struct rect){ 0 };
	if (look->mode.kind == VGA_TEXT)
		vga_text_paint(painter, vga, look, all, pixels, stride, damage);
	else if (look->mode.linear || all)
		graphics_paint(vga, look, all ? &everything : dirty, pixels, stride, damage);
	return damage->width && damage->height;
}
