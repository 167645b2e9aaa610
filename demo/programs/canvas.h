/*
 * A small software renderer. Colours are 0xAARRGGBB, not premultiplied; AA is opacity. Everything is
 * clipped to canvas.clip, which must lie within the canvas. Coordinates may be anywhere.
 */
#ifndef IRORI_DEMO_CANVAS_H
#define IRORI_DEMO_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#include "demo/programs/font.h"

struct rect {
	int x, y, width, height;
};

static inline struct rect rect_grow(struct rect r, int by)
{
	return (struct rect){ r.x - by, r.y - by, r.width + 2 * by, r.height + 2 * by };
}

static inline bool rect_has(struct rect r, int x, int y)
{
	return x >= r.x && y >= r.y && x < r.x + r.width && y < r.y + r.height;
}

struct rect rect_meet(struct rect a, struct rect b); /* width 0: they do not */
struct rect rect_join(struct rect a, struct rect b); /* empty ones do not count */

struct canvas {
	uint32_t *pixels;
	int width, height, stride; /* stride in pixels */
	struct rect clip;
};

enum {
	CANVAS_TOP = 1,
	CANVAS_BOTTOM = 2,
	CANVAS_ALL = 3,
};

static inline uint32_t canvas_blend(uint32_t under, uint32_t colour, uint32_t opacity)
{
	uint32_t a = opacity + (opacity >> 7); /* 0 to 256 */
	uint32_t rb = (under & 0xff00ff) + ((((colour & 0xff00ff) - (under & 0xff00ff)) * a) >> 8);
	uint32_t g = (under & 0xff00) + ((((colour & 0xff00) - (under & 0xff00)) * a) >> 8);

	return (rb & 0xff00ff) | (g & 0xff00);
}

void canvas_fill(struct canvas *c, struct rect r, uint32_t colour);
/* Top colour to bottom colour. */
void canvas_gradient(struct canvas *c, struct rect r, uint32_t top, uint32_t bottom);
/* corners: which ends are round. */
void canvas_round(struct canvas *c, struct rect r, int radius, unsigned corners, uint32_t colour);
/* r's soft shadow, reaching so far around it; colour's opacity is that at the edge. What lies in
 * `hole` is left alone: whatever casts the shadow covers it. */
void canvas_shadow(struct canvas *c, struct rect r, struct rect hole, int reach, uint32_t colour);
void canvas_disc(struct canvas *c, float x, float y, float radius, uint32_t colour);
void canvas_line(struct canvas *c, float x0, float y0, float x1, float y1, float width,
		 uint32_t colour);
/* The part of `from` that lies at the same place. */
void canvas_under(struct canvas *c, struct rect r, const struct canvas *from);
/* `from` whole, its corner at x, y. */
void canvas_picture(struct canvas *c, int x, int y, const struct canvas *from);

/* y is the base line. Returns where the pen ends. A character that is not ASCII is a blank. */
int canvas_text(struct canvas *c, const struct font *font, int x, int y, uint32_t colour,
		const char *string);
int canvas_text_width(const struct font *font, const char *string);

#endif
