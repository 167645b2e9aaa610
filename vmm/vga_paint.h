/*
 * Draws what a VGA shows into the seats' pixels, and only what has changed since the last time.
 *
 * Thread: one at a time for each painter; vram and text may change meanwhile.
 */
#ifndef IRORI_VMM_VGA_PAINT_H
#define IRORI_VMM_VGA_PAINT_H

#include "display/port.h"
#include "vmm/vga_mode.h"

struct vga_painter {
	bool valid;            /* the pixels are those of `look` */
	struct vga_look look;
	unsigned touched;      /* vga->touched as of then */
	uint16_t cell[VGA_MAX_ROWS * VGA_MAX_COLUMNS]; /* TEXT: what is drawn */
};

/* Which pages of vram were written since the last call; bit i of word i / 64. */
struct vga_dirty {
	const uint64_t *page; /* NULL: all of them */
	size_t n;             /* pages; what lies beyond counts as written */
};

/* `pixels` has room for look->mode.width x height, `stride` pixels a line, and is what this painter
 * drew last unless !painter->valid. Not for VGA_OFF. False: nothing changed; else *damage. */
bool vga_paint(struct vga_painter *painter, struct vga *vga, const struct vga_look *look,
	const struct vga_dirty *dirty, uint32_t *pixels, uint32_t stride, struct rect *damage);

/* For vga_paint.c: the text modes (vga_text.c). Everything if `all`, else cells that changed. */
void vga_text_paint(struct vga_painter *painter, const struct vga *vga,
	const struct vga_look *look, bool all, uint32_t *pixels, uint32_t stride,
	struct rect *damage);

#endif
