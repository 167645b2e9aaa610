/*
 * What the registers of a VGA say is on the screen: the one gate between a guest's registers and
 * everything that draws. A mode that passed it lies within the memory it is drawn from, and is not
 * larger than a seat's picture may be.
 *
 * Thread: any; pure but for the lock of the registers.
 */
#ifndef IRORI_VMM_VGA_MODE_H
#define IRORI_VMM_VGA_MODE_H

#include "vmm/vga.h"

enum vga_kind {
	VGA_OFF,    /* no picture, or none that we can show */
	VGA_TEXT,
	VGA_PLANAR, /* 16 colours from four planes */
	VGA_PACKED, /* 256 colours, a byte a pixel */
	VGA_DIRECT, /* 15, 16, 24, 32 bits a pixel */
};

enum vga_mode_limits {
	VGA_MAX_SIDE = 4096,
	VGA_MAX_COLUMNS = 256,
	VGA_MAX_ROWS = 128,
};

struct vga_mode {
	enum vga_kind kind;
	uint32_t width, height;  /* of the picture, in pixels */
	/* Where it lies: bytes of vram, bytes of a plane (PLANAR), characters (TEXT). */
	uint32_t start, pitch;
	uint32_t wrap;           /* PLANAR, PACKED: addresses are taken modulo this + 1 */
	unsigned bits;           /* DIRECT */
	bool linear;             /* `start` and `pitch` were checked against vram: pages can be watched */
	/* TEXT */
	unsigned columns, rows, cell_width, cell_height, stretch; /* a dot is so many pixels wide */
	uint32_t font[2];        /* in plane 2, by bit 3 of the attribute */
	bool blink;              /* bit 7 of the attribute blinks: it is not a colour's */
	bool line_graphics;      /* characters c0 to df go on in the ninth dot */
	bool cursor_on;
	uint32_t cursor;         /* the character's address */
	unsigned cursor_first, cursor_last; /* rows of the cell */
};

/* A mode with its colours, XRGB8888. Compared as bytes: no padding is left unset. */
struct vga_look {
	struct vga_mode mode;
	bool text_plain; /* the characters are in `text`, else in the planes */
	uint32_t colour[256];
	uint32_t text_colour[16]; /* by way of the attribute controller */
};

/* The gate. `memory` is vram's length. */
void vga_mode_of(const struct vga_registers *reg, size_t memory, struct vga_mode *mode);
void vga_look(struct vga *vga, struct vga_look *look);

#endif
