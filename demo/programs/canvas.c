/*
 * Rectangles, round corners, shadows, lines, letters, in software. Edges are anti-aliased by
 * distance: a pixel is covered by as much as its middle lies inside.
 */
#include "demo/programs/canvas.h"

#include <math.h>
#include <string.h>

struct rect rect_meet(struct rect a, struct rect b)
{
	int x0 = a.x > b.x ? a.x : b.x, y0 = a.y > b.y ? a.y : b.y;
	int x1 = a.x + a.width < b.x + b.width ? a.x + a.width : b.x + b.width;
	int y1 = a.y + a.height < b.y + b.height ? a.y + a.height : b.y + b.height;

	if (x1 <= x0 || y1 <= y0)
		return (struct rect){ 0 };
	return (struct rect){ x0, y0, x1 - x0, y1 - y0 };
}

struct rect rect_join(struct rect a, struct rect b)
{
	int x0 = a.x < b.x ? a.x : b.x, y0 = a.y < b.y ? a.y : b.y;
	int x1 = a.x + a.width > b.x + b.width ? a.x + a.width : b.x + b.width;
	int y1 = a.y + a.height > b.y + b.height ? a.y + a.height : b.y + b.height;

	if (!a.width || !a.height)
		return b;
	if (!b.width || !b.height)
		return a;
	return (struct rect){ x0, y0, x1 - x0, y1 - y0 };
}

static inline uint32_t *canvas_row(struct canvas *c, int y)
{
	return c->pixels + (long)y * c->stride;
}

static void canvas_span(uint32_t *to, int n, uint32_t colour)
{
	uint32_t opacity = colour >> 24;

	if (opacity == 255)
		for (int i = 0; i < n; i++)
			to[i] = colour & 0xffffff;
	else
		for (int i = 0; i < n; i++)
			to[i] = canvas_blend(to[i], colour, opacity);
}

void canvas_fill(struct canvas *c, struct rect r, uint32_t colour)
{
	r = rect_meet(r, c->clip);
	for (int y = r.y; y < r.y + r.height; y++)
		canvas_span(canvas_row(c, y) + r.x, r.width, colour);
}

void canvas_gradient(struct canvas *c, struct rect r, uint32_t top, uint32_t bottom)
{
	struct rect seen = rect_meet(r, c->clip);

	for (int y = seen.y; y < seen.y + seen.height; y++) {
		uint32_t part = (uint32_t)((y - r.y) * 255 / (r.height > 1 ? r.height - 1 : 1));
		uint32_t opacity = ((top >> 24) * (255 - part) + (bottom >> 24) * part) / 255;

		canvas_span(canvas_row(c, y) + seen.x, seen.width,
			    canvas_blend(top & 0xffffff, bottom, part) | opacity << 24);
	}
}

static inline uint32_t canvas_coverage(float inside)
{
	return inside <= 0 ? 0 : inside >= 1 ? 255 : (uint32_t)(inside * 255);
}

static inline void canvas_dot(struct canvas *c, int x, int y, uint32_t colour, uint32_t coverage)
{
	uint32_t *to = canvas_row(c, y) + x;

	*to = canvas_blend(*to, colour, (colour >> 24) * coverage / 255);
}

/* One row of a round end: the corners by distance, what lies between as a span. */
static void canvas_round_row(struct canvas *c, struct rect r, struct rect seen, int y, int radius,
			     float dy, uint32_t colour)
{
	for (int x = seen.x; x < seen.x + seen.width; x++) {
		float dx = 0;

		if (x < r.x + radius)
			dx = (float)(r.x + radius - x) - 0.5f;
		else if (x >= r.x + r.width - radius)
			dx = (float)(x - (r.x + r.width - radius)) + 0.5f;
		canvas_dot(c, x, y, colour,
			   dx > 0 ? canvas_coverage((float)radius + 0.5f - sqrtf(dx * dx + dy * dy)) : 255);
	}
}

void canvas_round(struct canvas *c, struct rect r, int radius, unsigned corners, uint32_t colour)
{
	struct rect seen = rect_meet(r, c->clip);

	if (radius * 2 > r.height)
		radius = r.height / 2;
	if (radius * 2 > r.width)
		radius = r.width / 2;
	for (int y = seen.y; y < seen.y + seen.height; y++) {
		float dy = 0;

		if (y < r.y + radius && corners & CANVAS_TOP)
			dy = (float)(r.y + radius - y) - 0.5f;
		else if (y >= r.y + r.height - radius && corners & CANVAS_BOTTOM)
			dy = (float)(y - (r.y + r.height - radius)) + 0.5f;
		if (dy > 0)
			canvas_round_row(c, r, seen, y, radius, dy, colour);
		else
			canvas_span(canvas_row(c, y) + seen.x, seen.width, colour);
	}
}

void canvas_shadow(struct canvas *c, struct rect r, struct rect hole, int reach, uint32_t colour)
{
	struct rect seen = rect_meet(rect_grow(r, reach), c->clip);
	float scale = 1.0f / (float)reach;

	for (int y = seen.y; y < seen.y + seen.height; y++) {
		int dy = y < r.y ? r.y - y : y >= r.y + r.height ? y - (r.y + r.height) + 1 : 0;

		for (int x = seen.x; x < seen.x + seen.width; x++) {
			int dx = x < r.x ? r.x - x : x >= r.x + r.width ? x - (r.x + r.width) + 1 : 0;
			float part;

			if (rect_has(hole, x, y)) {
				x = hole.x + hole.width - 1;
				continue;
			}
			part = 1 - sqrtf((float)(dx * dx + dy * dy)) * scale;
			if (part > 0)
				canvas_dot(c, x, y, colour, (uint32_t)(part * part * 255));
		}
	}
}

void canvas_disc(struct canvas *c, float x, float y, float radius, uint32_t colour)
{
	canvas_line(c, x, y, x, y, radius * 2, colour);
}

/* A capsule: all that lies within half the width of the stretch from one end to the other. */
void canvas_line(struct canvas *c, float x0, float y0, float x1, float y1, float width,
		 uint32_t colour)
{
	float half = width / 2, dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
	int left = (int)floorf(fminf(x0, x1) - half - 1), top = (int)floorf(fminf(y0, y1) - half - 1);
	struct rect seen = { left, top, (int)ceilf(fmaxf(x0, x1) + half + 1) - left,
			     (int)ceilf(fmaxf(y0, y1) + half + 1) - top };

	seen = rect_meet(seen, c->clip);
	for (int y = seen.y; y < seen.y + seen.height; y++)
		for (int x = seen.x; x < seen.x + seen.width; x++) {
			float px = (float)x + 0.5f - x0, py = (float)y + 0.5f - y0, along = 0;
			uint32_t coverage;

			if (length > 0)
				along = fminf(1, fmaxf(0, (px * dx + py * dy) / length));
			px -= along * dx;
			py -= along * dy;
			coverage = canvas_coverage(half + 0.5f - sqrtf(px * px + py * py));
			if (coverage)
				canvas_dot(c, x, y, colour, coverage);
		}
}

void canvas_under(struct canvas *c, struct rect r, const struct canvas *from)
{
	r = rect_meet(rect_meet(r, c->clip), (struct rect){ 0, 0, from->width, from->height });
	for (int y = r.y; y < r.y + r.height; y++)
		memcpy(canvas_row(c, y) + r.x, from->pixels + (long)y * from->stride + r.x,
		       (size_t)r.width * 4);
}

void canvas_picture(struct canvas *c, int x, int y, const struct canvas *from)
{
	struct rect r = rect_meet((struct rect){ x, y, from->width, from->height }, c->clip);

	for (int row = r.y; row < r.y + r.height; row++)
		memcpy(canvas_row(c, row) + r.x,
		       from->pixels + (long)(row - y) * from->stride + (r.x - x), (size_t)r.width * 4);
}

static const struct font_glyph *canvas_glyph(const struct font *font, char c)
{
	unsigned char u = (unsigned char)c;

	return &font->glyphs[(u < FONT_FIRST || u > FONT_LAST ? FONT_FIRST : u) - FONT_FIRST];
}

int canvas_text(struct canvas *c, const struct font *font, int x, int y, uint32_t colour,
		const char *string)
{
	for (; *string; string++) {
		const struct font_glyph *g = canvas_glyph(font, *string);
		struct rect all = { x + g->x, y + g->y, g->width, g->height };
		struct rect r = rect_meet(all, c->clip);

		for (int row = r.y; row < r.y + r.height; row++) {
			const uint8_t *from =
				font->coverage + g->at + (row - all.y) * g->width + (r.x - all.x);

			for (int i = 0; i < r.width; i++)
				if (from[i])
					canvas_dot(c, r.x + i, row, colour, from[i]);
		}
		x += g->advance;
	}
	return x;
}

int canvas_text_width(const struct font *font, const char *string)
{
	int width = 0;

	for (; *string; string++)
		width += canvas_glyph(font, *string)->advance;
	return width;
}
