/*
 * From registers to a mode, checked; and the palette.
 */
#include "vmm/vga_mode.h"

#include <string.h>

enum vga_mode_bits {
	ATTR_ON = 0x20,        /* in the index */
	ATTR_MODE = 0x10,
	ATTR_PLANES = 0x12,
	ATTR_SELECT = 0x14,
	ATTR_MODE_LINES = 0x04,
	ATTR_MODE_BLINK = 0x08,
	ATTR_MODE_SELECT = 0x80,

	SEQ_CLOCK = 1,
	SEQ_FONTS = 3,
	CLOCK_8_DOTS = 0x01,
	CLOCK_HALF = 0x08,
	CLOCK_OFF = 0x20,

	GFX_MODE = 5,
	GFX_MISC = 6,
	GFX_MISC_GRAPHICS = 0x01,

	CRTC_COLUMNS = 0x01,
	CRTC_OVERFLOW = 0x07,
	CRTC_CELL = 0x09,
	CRTC_CURSOR_FIRST = 0x0a,
	CRTC_CURSOR_LAST = 0x0b,
	CRTC_START = 0x0c,
	CRTC_CURSOR = 0x0e,
	CRTC_HEIGHT = 0x12,
	CRTC_PITCH = 0x13,
	CELL_DOUBLED = 0x80,
	CURSOR_OFF = 0x20,

	TEXT_CHARACTERS = VGA_TEXT_LEN / 2,
};

static unsigned crtc_word(const struct vga_registers *reg, unsigned index)
{
	return (unsigned)reg->crtc[index] << 8 | reg->crtc[index + 1];
}

static unsigned crtc_lines(const struct vga_registers *reg)
{
	unsigned overflow = reg->crtc[CRTC_OVERFLOW];

	return (reg->crtc[CRTC_HEIGHT] | (overflow & 0x02) << 7 | (overflow & 0x40) << 3) + 1;
}

/* The eight fonts of plane 2, and where the register has the bits of each of the two chosen. */
static uint32_t font_at(unsigned choice)
{
	return (choice & 3) << 14 | (choice & 4) << 11;
}

static void text_fonts(const struct vga_registers *reg, struct vga_mode *mode)
{
	unsigned map = reg->seq[SEQ_FONTS];

	mode->font[0] = font_at((map & 3) | (map >> 2 & 4));
	mode->font[1] = font_at((map >> 2 & 3) | (map >> 3 & 4));
}

static void text_mode(const struct vga_registers *reg, struct vga_mode *mode)
{
	bool half = reg->seq[SEQ_CLOCK] & CLOCK_HALF;

	mode->columns = reg->crtc[CRTC_COLUMNS] + 1u;
	mode->cell_height = (reg->crtc[CRTC_CELL] & 0x1f) + 1u;
	mode->cell_width = reg->seq[SEQ_CLOCK] & CLOCK_8_DOTS ? 8 : 9;
	mode->stretch = half ? 2 : 1;
	mode->rows = crtc_lines(reg) / mode->cell_height;
	if (reg->crtc[CRTC_CELL] & CELL_DOUBLED)
		mode->rows /= 2;
	if (mode->rows < 1 || mode->rows > VGA_MAX_ROWS || mode->columns < 2)
		return;
	mode->width = mode->columns * mode->cell_width * mode->stretch;
	mode->height = mode->rows * mode->cell_height;
	mode->start = crtc_word(reg, CRTC_START) % TEXT_CHARACTERS;
	mode->pitch = reg->crtc[CRTC_PITCH] * 2u;
	text_fonts(reg, mode);
	mode->blink = reg->attr[ATTR_MODE] & ATTR_MODE_BLINK;
	mode->line_graphics = reg->attr[ATTR_MODE] & ATTR_MODE_LINES;
	mode->cursor_on = !(reg->crtc[CRTC_CURSOR_FIRST] & CURSOR_OFF);
	mode->cursor = crtc_word(reg, CRTC_CURSOR) % TEXT_CHARACTERS;
	mode->cursor_first = reg->crtc[CRTC_CURSOR_FIRST] & 0x1f;
	mode->cursor_last = reg->crtc[CRTC_CURSOR_LAST] & 0x1f;
	mode->kind = VGA_TEXT;
}

/* The graphics modes of a plain VGA: their addresses wrap within the planes. */
static void graphics_mode(const struct vga_registers *reg, struct vga_mode *mode)
{
	unsigned shift = reg->gfx[GFX_MODE] >> 5 & 3;
	unsigned each = ((reg->crtc[CRTC_CELL] & 0x1f) + 1u) *
		(reg->crtc[CRTC_CELL] & CELL_DOUBLED ? 2 : 1);
	unsigned start = crtc_word(reg, CRTC_START), pitch = reg->crtc[CRTC_PITCH] * 2u;

	if (shift == 1)
		return; /* CGA's four colours: nobody boots in them */
	mode->width = (reg->crtc[CRTC_COLUMNS] + 1u) * 8;
	mode->height = crtc_lines(reg) / each;
	if (!mode->height)
		return;
	mode->kind = VGA_PLANAR;
	mode->start = start;
	mode->pitch = pitch;
	mode->wrap = VGA_PLANE - 1;
	if (shift < 2)
		return;
	mode->kind = VGA_PACKED;
	mode->width /= 2;
	mode->start = start * 4;
	mode->pitch = pitch * 4;
	mode->wrap = VGA_PLANE * 4 - 1;
}

/* Everything the guest has chosen freely, so all sums are of 64 bits; the largest is below 2^36. */
static void dispi_mode(const struct vga_registers *reg, size_t memory, struct vga_mode *mode)
{
	uint64_t width = reg->dispi[DISPI_XRES], height = reg->dispi[DISPI_YRES];
	uint64_t across = MAX(reg->dispi[DISPI_VIRT_WIDTH], width);
	uint64_t x = reg->dispi[DISPI_X_OFFSET], y = reg->dispi[DISPI_Y_OFFSET];
	unsigned bits = reg->dispi[DISPI_BPP];
	uint64_t pitch, start, line, last;

	if (!width || !height || width > VGA_MAX_SIDE || height > VGA_MAX_SIDE)
		return;
	if (bits == 4) {
		pitch = across / 8;
		start = y * pitch + x / 8;
		line = (width + 7) / 8;
		memory /= 4;
	} else if (bits == 8 || bits == 15 || bits == 16 || bits == 24 || bits == 32) {
		unsigned bytes = (bits + 7) / 8;

		pitch = across * bytes;
		start = y * pitch + x * bytes;
		line = width * bytes;
	} else {
		return;
	}
	last = start + (height - 1) * pitch + line;
	if (last > memory)
		return;
	mode->kind = bits == 4 ? VGA_PLANAR : bits == 8 ? VGA_PACKED : VGA_DIRECT;
	mode->width = (uint32_t)width;
	mode->height = (uint32_t)height;
	mode->start = (uint32_t)start;
	mode->pitch = (uint32_t)pitch;
	mode->wrap = UINT32_MAX;
	mode->bits = bits;
	mode->linear = bits != 4;
}

void vga_mode_of(const struct vga_registers *reg, size_t memory, struct vga_mode *mode)
{
	memset(mode, 0, sizeof(*mode));
	if (!(reg->attr_index & ATTR_ON) || reg->seq[SEQ_CLOCK] & CLOCK_OFF)
		return;
	if (reg->dispi[DISPI_ENABLE] & DISPI_ENABLED)
		dispi_mode(reg, memory, mode);
	else if (memory < VGA_PLANE * 4)
		return;
	else if (reg->gfx[GFX_MISC] & GFX_MISC_GRAPHICS)
		graphics_mode(reg, mode);
	else
		text_mode(reg, mode);
	if (mode->kind == VGA_OFF)
		memset(mode, 0, sizeof(*mode));
}

static uint32_t colour_of(const struct vga_registers *reg, unsigned index)
{
	const uint8_t *part = &reg->dac[(index & reg->dac_mask) * 3];
	uint32_t rgb = 0;

	for (unsigned i = 0; i < 3; i++) {
		uint8_t value = part[i];

		/* Six bits to eight, so that the brightest is the brightest. */
		if (!(reg->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC))
			value = (uint8_t)(value << 2 | (value >> 4 & 3));
		rgb = rgb << 8 | value;
	}
	return rgb;
}

static unsigned attr_index(const struct vga_registers *reg, unsigned i)
{
	unsigned index = reg->attr[i & reg->attr[ATTR_PLANES] & 0xf] & 0x3f;
	unsigned select = reg->attr[ATTR_SELECT] & 0xf;

	if (reg->attr[ATTR_MODE] & ATTR_MODE_SELECT)
		return select << 4 | (index & 0xf);
	return (select & 0xc) << 4 | index;
}

void vga_look(struct vga *vga, struct vga_look *look)
{
	memset(look, 0, sizeof(*look));
	g_mutex_lock(&vga->lock);
	vga_mode_of(&vga->reg, vga->vram_len, &look->mode);
	look->text_plain = vga->text_plain;
	for (unsigned i = 0; i < G_N_ELEMENTS(look->colour); i++)
		look->colour[i] = colour_of(&vga->reg, i);
	for (unsigned i = 0; i < G_N_ELEMENTS(look->text_colour); i++)
		look->text_colour[i] = colour_of(&vga->reg, attr_index(&vga->reg, i));
	g_mutex_unlock(&vga->lock);
}
