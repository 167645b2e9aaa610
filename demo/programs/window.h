/*
 * Windows of the small desktop: a frame with a title, and an application behind it that draws its
 * inside and takes input. Coordinates that an application sees count from its inside's corner.
 */
#ifndef IRORI_DEMO_WINDOW_H
#define IRORI_DEMO_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "demo/programs/canvas.h"

enum {
	WINDOW_TITLE = 32,  /* height of the title bar */
	WINDOW_REACH = 26,  /* of the shadow */
	WINDOW_RADIUS = 10,
	WINDOW_DROP = 8,    /* how far the shadow falls */
};

struct window;

/* Each may be NULL. What returns true wants its window drawn again. */
struct window_app {
	const char *title;
	/* c is clipped to what is to be drawn; inside is where the application is. */
	void (*draw)(struct window *w, struct canvas *c, struct rect inside);
	bool (*key)(struct window *w, uint16_t code, bool shift);
	bool (*pointer)(struct window *w, int x, int y, bool pressed);
	/* At each vblank. */
	bool (*tick)(struct window *w, int64_t now_ns);
};

struct window {
	const struct window_app *app;
	struct rect frame;
	void *state; /* the application's */
};

struct rect window_inside(const struct window *w);
/* All that changes when the window does: with its shadow. */
struct rect window_extent(const struct window *w);
bool window_in_title(const struct window *w, int x, int y);
void window_draw(struct window *w, struct canvas *c, bool active);

extern const struct window_app editor_app, paint_app, monitor_app;

void *editor_new(void);
void *paint_new(int width, int height);
void *monitor_new(void);

/* What the desktop tells its monitor: a frame was seen, so many nanoseconds after the one before,
 * and took so long to draw. */
void monitor_frame(void *monitor, int64_t interval_ns, int64_t draw_ns);
void monitor_count_input(void *monitor, unsigned events);

#endif
