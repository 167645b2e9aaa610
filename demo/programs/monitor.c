/*
 * The monitor: how evenly this guest's own frames come, as its fences tell, and how long it takes to
 * draw them. On a shared machine that is the first thing to suffer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "demo/programs/hearth.h"
#include "demo/programs/window.h"

enum {
	MONITOR_POINTS = 150,
	MONITOR_TOP_US = 50000, /* the graph's top edge */
};

struct monitor {
	uint32_t interval_us[MONITOR_POINTS], draw_us[MONITOR_POINTS]; /* a ring */
	unsigned at, count;
	unsigned inputs;
	uint32_t refresh_at; /* figures change every few frames, to be read */
	uint32_t shown_interval, shown_draw;
};

void *monitor_new(void)
{
	return calloc(1, sizeof(struct monitor));
}

void monitor_frame(void *state, int64_t interval_ns, int64_t draw_ns)
{
	struct monitor *m = state;
	uint64_t interval = 0, draw = 0;

	m->interval_us[m->at] = (uint32_t)(interval_ns / 1000);
	m->draw_us[m->at] = (uint32_t)(draw_ns / 1000);
	m->at = (m->at + 1) % MONITOR_POINTS;
	m->count += m->count < MONITOR_POINTS;
	if (++m->refresh_at % 15)
		return;
	for (unsigned i = 1; i <= 15; i++) {
		unsigned k = (m->at + MONITOR_POINTS - i) % MONITOR_POINTS;

		interval += m->interval_us[k];
		draw += m->draw_us[k];
	}
	m->shown_interval = (uint32_t)(interval / 15);
	m->shown_draw = (uint32_t)(draw / 15);
}

void monitor_count_input(void *state, unsigned events)
{
	struct monitor *m = state;

	m->inputs += events;
}

static bool monitor_tick(struct window *w, int64_t now_ns)
{
	return true;
}

static void monitor_curve(const struct monitor *m, struct canvas *c, struct rect r,
			  const uint32_t *values, uint32_t colour, bool filled)
{
	float x0 = 0, y0 = 0, step = (float)r.width / (MONITOR_POINTS - 1);

	for (unsigned i = 0; i < m->count; i++) {
		unsigned k = (m->at + MONITOR_POINTS - m->count + i) % MONITOR_POINTS;
		uint32_t v = values[k] < MONITOR_TOP_US ? values[k] : MONITOR_TOP_US;
		float x = (float)r.x + step * (float)(MONITOR_POINTS - m->count + i);
		float y = (float)(r.y + r.height) - (float)v * (float)r.height / MONITOR_TOP_US;

		if (filled)
			canvas_gradient(c,
					(struct rect){ (int)x, (int)y, (int)(x + step) - (int)x,
						       r.y + r.height - (int)y },
					(colour & 0xffffff) | 0x70000000u, (colour & 0xffffff) | 0x08000000u);
		if (i)
			canvas_line(c, x0, y0, x, y, 2, colour);
		x0 = x;
		y0 = y;
	}
}

static int monitor_figure(struct canvas *c, int x, int y, uint32_t colour, const char *name,
			  const char *value)
{
	canvas_disc(c, (float)x + 4, (float)y - 4, 4, colour);
	x = canvas_text(c, &font_small, x + 14, y, 0xffb09a88u, name);
	return canvas_text(c, &font_small, x + 6, y, HEARTH_PAPER, value) + 18;
}

static void monitor_draw(struct window *w, struct canvas *c, struct rect inside)
{
	struct monitor *m = w->state;
	struct rect graph = { inside.x + 12, inside.y + 12, inside.width - 24, inside.height - 48 };
	int x = graph.x, y = inside.y + inside.height - 14;
	char value[32];

	canvas_round(c, graph, 6, CANVAS_ALL, 0xff170e0au);
	for (int ms = 1; ms <= 2; ms++) { /* one and two periods of a 60 Hz display */
		int line = graph.y + graph.height - graph.height * ms * 16667 / MONITOR_TOP_US;

		canvas_fill(c, (struct rect){ graph.x, line, graph.width, 1 }, 0x30ffd0a0u);
		snprintf(value, sizeof value, "%.1f ms", ms * 16.667);
		canvas_text(c, &font_mono_small, graph.x + 6, line - 3, 0xff7d6757u, value);
	}
	monitor_curve(m, c, graph, m->draw_us, 0xffd94f1eu, true);
	monitor_curve(m, c, graph, m->interval_us, HEARTH_FLAME, false);
	snprintf(value, sizeof value, "%.1f ms", m->shown_interval / 1000.0);
	x = monitor_figure(c, x, y, HEARTH_FLAME, "frame", value);
	snprintf(value, sizeof value, "%.1f ms", m->shown_draw / 1000.0);
	x = monitor_figure(c, x, y, 0xffd94f1eu, "drawing", value);
	snprintf(value, sizeof value, "%u", m->inputs);
	monitor_figure(c, x, y, HEARTH_ASH, "input", value);
}

const struct window_app monitor_app = {
	.title = "Pulse",
	.draw = monitor_draw,
	.tick = monitor_tick,
};
