/*
 * The paint window: paper, and a brush that follows the pointer while its button is down. Until
 * somebody paints, it draws a circle in one stroke by itself, as a calligrapher would.
 */
#include <math.h>
#include <stdlib.h>

#include "demo/programs/hearth.h"
#include "demo/programs/window.h"

enum {
	PAINT_PAPER = 0xe9dfcf,
	PAINT_INK = 0x2a1c16,
	PAINT_STROKE_MS = 1500, /* of the circle */
};

struct paint {
	struct canvas paper;
	bool touched, down;
	float x, y; /* where the brush was */
	float width;
	int64_t began_ns;
	float part; /* of the circle that is drawn */
};

void *paint_new(int width, int height)
{
	struct paint *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->paper = (struct canvas){ .pixels = malloc((size_t)width * (size_t)height * 4),
				    .width = width,
				    .height = height,
				    .stride = width,
				    .clip = { 0, 0, width, height } };
	if (!p->paper.pixels) {
		free(p);
		return NULL;
	}
	for (int i = 0; i < width * height; i++) {
		/* Fibres, faintly. */
		unsigned n = (unsigned)(i * 2654435761u) >> 28, m = (unsigned)(i / 3 * 40503u) >> 12 & 3;

		p->paper.pixels[i] = canvas_blend(PAINT_PAPER, 0xb59a7a, n + m * 2);
	}
	return p;
}

/* The brush's stroke: a dense middle and a dry edge. */
static void paint_stroke(struct paint *p, float x, float y, float width, uint32_t colour)
{
	canvas_line(&p->paper, p->x, p->y, x, y, width, (colour & 0xffffff) | 0x50000000u);
	canvas_line(&p->paper, p->x, p->y, x, y, width * 0.72f, (colour & 0xffffff) | 0xc0000000u);
	p->x = x;
	p->y = y;
}

static bool paint_pointer(struct window *w, int x, int y, bool pressed)
{
	struct paint *p = w->state;
	float fx = (float)x, fy = (float)y;

	if (!pressed) {
		p->down = false;
		return false;
	}
	p->touched = true;
	if (!p->down) {
		p->x = fx;
		p->y = fy;
		p->width = 7;
		p->down = true;
	}
	/* A quick stroke is a thin one. */
	p->width = p->width * 0.8f + 0.2f * fmaxf(3, 11 - hypotf(fx - p->x, fy - p->y) * 0.22f);
	paint_stroke(p, fx, fy, p->width, 0xc2410c);
	return true;
}

static bool paint_tick(struct window *w, int64_t now_ns)
{
	struct paint *p = w->state;
	float cx = (float)p->paper.width * 0.5f, cy = (float)p->paper.height * 0.5f;
	float radius = cy * 0.62f, until;

	if (!p->began_ns)
		p->began_ns = now_ns;
	if (p->touched || p->part >= 1)
		return false;
	until = fminf(1, (float)((now_ns - p->began_ns) / 1000000) / PAINT_STROKE_MS);
	until = until * until * (3 - 2 * until);
	while (p->part < until) {
		float next = fminf(until, p->part + 0.006f), a = -1.9f + next * 6.02f;
		float wide = 15 - 10 * next + 3 * sinf(next * 9), r = radius * (1 + 0.05f * sinf(a * 1.3f));

		if (p->part == 0) {
			p->x = cx + r * cosf(a);
			p->y = cy + r * sinf(a);
		}
		paint_stroke(p, cx + r * cosf(a), cy + r * sinf(a), wide, PAINT_INK);
		p->part = next;
	}
	return true;
}

static void paint_draw(struct window *w, struct canvas *c, struct rect inside)
{
	struct paint *p = w->state;

	canvas_picture(c, inside.x + 8, inside.y + 8, &p->paper);
}

static bool paint_pointer_inside(struct window *w, int x, int y, bool pressed)
{
	return paint_pointer(w, x - 8, y - 8, pressed);
}

const struct window_app paint_app = {
	.title = "Brush",
	.draw = paint_draw,
	.pointer = paint_pointer_inside,
	.tick = paint_tick,
};
