/*
 * A VGA's usual modes, set by ports as a BIOS sets them, for tests and the fuzzer.
 */
#ifndef IRORI_TESTS_UNIT_VGA_MODES_H
#define IRORI_TESTS_UNIT_VGA_MODES_H

#include "vmm/vga_mode.h"

enum { MODES_VRAM = 16 << 20 };

#define MODES_FN static __attribute__((unused))

MODES_FN void modes_out(struct vga *vga, unsigned port, unsigned size, uint32_t value)
{
	vga_port_write(vga, port - VGA_PORT_BASE, size, value);
}

MODES_FN void modes_crtc(struct vga *vga, uint8_t index, uint8_t value)
{
	modes_out(vga, 0x3d4, 2, index | (uint32_t)value << 8);
}

struct modes_values {
	uint8_t misc, seq[5], gfx[9], attr_mode, columns, lines, overflow, cell, pitch;
};

MODES_FN void modes_set(struct vga *vga, const struct modes_values *to)
{
	vga_dispi_write(vga, DISPI_ENABLE, 0);
	modes_out(vga, 0x3c2, 1, to->misc);
	for (unsigned i = 0; i < 5; i++)
		modes_out(vga, 0x3c4, 2, i | (uint32_t)to->seq[i] << 8);
	for (unsigned i = 0; i < 9; i++)
		modes_out(vga, 0x3ce, 2, i | (uint32_t)to->gfx[i] << 8);
	modes_crtc(vga, 0x11, 0);
	modes_crtc(vga, 0x01, to->columns);
	modes_crtc(vga, 0x07, to->overflow);
	modes_crtc(vga, 0x09, to->cell);
	modes_crtc(vga, 0x12, to->lines);
	modes_crtc(vga, 0x13, to->pitch);
	vga_port_read(vga, 0x3da - VGA_PORT_BASE, 1);
	for (unsigned i = 0; i < 16; i++) {
		modes_out(vga, 0x3c0, 1, i);
		modes_out(vga, 0x3c0, 1, i);
	}
	modes_out(vga, 0x3c0, 1, 0x10);
	modes_out(vga, 0x3c0, 1, to->attr_mode);
	modes_out(vga, 0x3c0, 1, 0x12);
	modes_out(vga, 0x3c0, 1, 0x0f);
	modes_out(vga, 0x3c0, 1, 0x20);
}

/* 80x25 of 9x16. */
MODES_FN void modes_text(struct vga *vga)
{
	static const struct modes_values values = {
		0x67, { 3, 0, 3, 0, 2 }, { 0, 0, 0, 0, 0, 0x10, 0x0e, 0x0f, 0xff }, 0x0c, 79, 0x8f,
		0x1f, 0x4f, 40,
	};

	modes_set(vga, &values);
}

/* 640x480 of 16 colours. */
MODES_FN void modes_planar(struct vga *vga)
{
	static const struct modes_values values = {
		0xe3, { 3, 1, 15, 0, 6 }, { 0, 0, 0, 0, 0, 0, 0x05, 0x0f, 0xff }, 0x01, 79, 0xdf,
		0x3e, 0x40, 40,
	};

	modes_set(vga, &values);
}

/* 320x200 of 256 colours. */
MODES_FN void modes_packed(struct vga *vga)
{
	static const struct modes_values values = {
		0x63, { 3, 1, 15, 0, 14 }, { 0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff }, 0x41, 79,
		0x8f, 0x1f, 0x41, 40,
	};

	modes_set(vga, &values);
}

MODES_FN void modes_dispi(struct vga *vga, uint16_t width, uint16_t height, uint16_t bits,
	uint16_t flags)
{
	vga_dispi_write(vga, DISPI_ENABLE, 0);
	vga_dispi_write(vga, DISPI_XRES, width);
	vga_dispi_write(vga, DISPI_YRES, height);
	vga_dispi_write(vga, DISPI_BPP, bits);
	vga_dispi_write(vga, DISPI_ENABLE, DISPI_ENABLED | DISPI_LFB | flags);
}

/* Plane 2 at 0xa0000, as SeaBIOS' vgabios has it while it writes a font. */
MODES_FN void modes_font_open(struct vga *vga)
{
	static const uint16_t seq[] = { 0x0100, 0x0402, 0x0704, 0x0300 };
	static const uint16_t gfx[] = { 0x0204, 0x0005, 0x0406 };

	for (unsigned i = 0; i < 4; i++)
		modes_out(vga, 0x3c4, 2, seq[i]);
	for (unsigned i = 0; i < 3; i++)
		modes_out(vga, 0x3ce, 2, gfx[i]);
}

MODES_FN void modes_font_close(struct vga *vga)
{
	static const uint16_t seq[] = { 0x0100, 0x0302, 0x0304, 0x0300 };
	static const uint16_t gfx[] = { 0x0e06, 0x0004, 0x1005 };

	for (unsigned i = 0; i < 4; i++)
		modes_out(vga, 0x3c4, 2, seq[i]);
	for (unsigned i = 0; i < 3; i++)
		modes_out(vga, 0x3ce, 2, gfx[i]);
}

/* Does all of what the mode shows lie within the memory? The tests' own sum of it. */
MODES_FN bool modes_fits(const struct vga_mode *mode, uint64_t memory)
{
	uint64_t last = mode->start + (uint64_t)(mode->height - 1) * mode->pitch;

	if (!mode->width || !mode->height || mode->width > 8192 || mode->height > 8192)
		return false;
	if (mode->kind == VGA_TEXT)
		return mode->columns * mode->rows <= VGA_MAX_COLUMNS * VGA_MAX_ROWS &&
			mode->font[0] < VGA_PLANE && mode->font[1] < VGA_PLANE;
	if (mode->kind == VGA_PLANAR && mode->wrap != UINT32_MAX)
		return mode->wrap < VGA_PLANE;
	if (mode->kind == VGA_PLANAR)
		return (last + (mode->width + 7) / 8) * 4 <= memory;
	if (mode->wrap != UINT32_MAX)
		return mode->wrap < 4 * VGA_PLANE;
	return last + (uint64_t)mode->width * ((mode->bits + 7) / 8) <= memory;
}

#endif
