/*
 * The small desktop of guest "study": boots as boot.h says, then shows a few windows that follow
 * keyboard and pointer, and after a while starts the machine again.
 *
 * One buffer: it is drawn into when the fence of the last presentation has come, for then the host
 * has its own copy. Only what has changed is drawn.
 *
 * Options on the kernel's command line: boot_ms= (of work for half of the processors, default 2500),
 * desktop_ms= (until it restarts, default 2500; 0: never), name= (default study).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/input-event-codes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#include "demo/programs/boot.h"
#include "demo/programs/hearth.h"
#include "demo/programs/options.h"
#include "demo/programs/window.h"

enum {
	DESKTOP_WINDOWS = 3,
	DESKTOP_PANEL = 36, /* height */
	DESKTOP_DAMAGES = 12,
	DESKTOP_CURSOR = 24, /* room for the cursor, square */
	DESKTOP_ABS_MAX = 32767,
};

struct desktop {
	struct screen screen;
	struct surface surface;
	struct canvas canvas, wallpaper;
	const char *name;

	struct window windows[DESKTOP_WINDOWS];
	struct window *order[DESKTOP_WINDOWS]; /* bottom first; the last is active */
	struct window *dragged, *pressed;
	int grab_x, grab_y; /* where the dragged window is held */

	int input;
	int x, y; /* the pointer's */
	int to_x, to_y; /* where it goes when the report is whole */
	bool button, shift;

	struct rect damages[DESKTOP_DAMAGES];
	unsigned damage_count;
	int64_t now_ns, began_ns, restart_ns; /* restart_ns 0: never */
	int64_t event_ns, drawn_ns;           /* the last fence; how long the last drawing took */
	int64_t panel_tenth;
};

static int64_t desktop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Damage that meets other damage becomes one with it; when there is no more room, so does all. */
static void desktop_damage(struct desktop *d, struct rect r)
{
	r = rect_meet(r, (struct rect){ 0, 0, d->canvas.width, d->canvas.height });
	if (!r.width)
		return;
	for (unsigned i = 0; i < d->damage_count;) {
		if (!rect_meet(r, d->damages[i]).width && d->damage_count < DESKTOP_DAMAGES) {
			i++;
			continue;
		}
		r = rect_join(r, d->damages[i]);
		d->damages[i] = d->damages[--d->damage_count];
		i = 0; /* it has grown: look again at those it did not meet before */
	}
	d->damages[d->damage_count++] = r;
}

static struct rect desktop_cursor(const struct desktop *d)
{
	return (struct rect){ d->x - 2, d->y - 2, DESKTOP_CURSOR, DESKTOP_CURSOR };
}

/* An arrow, as coverage of its ink and of its rim. */
static void desktop_cursor_masks(uint8_t ink[DESKTOP_CURSOR][DESKTOP_CURSOR],
				 uint8_t rim[DESKTOP_CURSOR][DESKTOP_CURSOR])
{
	static const float corners[][2] = { { 2, 2 }, { 2, 19 }, { 6.4f, 15 }, { 9.4f, 21.4f },
					    { 12.4f, 20 }, { 9.5f, 13.8f }, { 15.2f, 13.4f } };
	enum { CORNERS = sizeof corners / sizeof *corners };

	for (int i = 0; i < DESKTOP_CURSOR * DESKTOP_CURSOR; i++) {
		float x = (float)(i % DESKTOP_CURSOR) + 0.5f, y = (float)(i / DESKTOP_CURSOR) + 0.5f;
		float nearest = 100, inside = 0;

		for (int k = 0, j = CORNERS - 1; k < CORNERS; j = k++) {
			const float *a = corners[k], *b = corners[j];
			float ex = b[0] - a[0], ey = b[1] - a[1], px = x - a[0], py = y - a[1];
			float t = fminf(1, fmaxf(0, (px * ex + py * ey) / (ex * ex + ey * ey)));

			nearest = fminf(nearest, hypotf(px - t * ex, py - t * ey));
			if ((a[1] > y) != (b[1] > y) && x < a[0] + ex * (y - a[1]) / ey)
				inside = !inside;
		}
		if (!inside)
			nearest = -nearest;
		ink[i / DESKTOP_CURSOR][i % DESKTOP_CURSOR] =
			(uint8_t)(255 * fminf(1, fmaxf(0, nearest + 0.5f)));
		rim[i / DESKTOP_CURSOR][i % DESKTOP_CURSOR] =
			(uint8_t)(255 * fminf(1, fmaxf(0, nearest + 1.9f)));
	}
}

static void desktop_draw_cursor(struct desktop *d)
{
	static uint8_t ink[DESKTOP_CURSOR][DESKTOP_CURSOR], rim[DESKTOP_CURSOR][DESKTOP_CURSOR];
	struct rect all = desktop_cursor(d), r = rect_meet(all, d->canvas.clip);

	if (!ink[4][3])
		desktop_cursor_masks(ink, rim);
	for (int y = r.y; y < r.y + r.height; y++)
		for (int x = r.x; x < r.x + r.width; x++) {
			uint32_t *to = d->canvas.pixels + (long)y * d->canvas.stride + x;

			*to = canvas_blend(*to, 0x1a0e08, rim[y - all.y][x - all.x]);
			*to = canvas_blend(*to, d->button ? 0xffb45a : 0xfff4e6, ink[y - all.y][x - all.x]);
		}
}

static void desktop_clock(struct desktop *d, char text[32])
{
	struct timespec t;
	struct tm tm;
	time_t seconds;

	clock_gettime(CLOCK_REALTIME, &t);
	seconds = t.tv_sec;
	if (seconds > 1000000000 && gmtime_r(&seconds, &tm))
		snprintf(text, 32, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
	else
		snprintf(text, 32, "up %lld s", (long long)(d->now_ns / 1000000000));
}

static void desktop_draw_panel(struct desktop *d)
{
	struct canvas *c = &d->canvas;
	struct rect bar = { 0, 0, c->width, DESKTOP_PANEL };
	int base = 23;
	char text[48];

	if (!rect_meet(bar, c->clip).width)
		return;
	canvas_fill(c, bar, 0xc0140b07u);
	canvas_fill(c, (struct rect){ 0, DESKTOP_PANEL - 1, c->width, 1 }, 0x30ffb070u);
	canvas_disc(c, 24, 18, 8, 0x50ff7a28u);
	canvas_disc(c, 24, 18, 5, HEARTH_EMBER);
	canvas_disc(c, 24, 18, 2.2f, 0xffffe6b8u);
	canvas_text(c, &font_text, canvas_text(c, &font_bold, 42, base, HEARTH_CREAM, "irori") + 10, base,
		    0xffc8a88cu, d->name);
	desktop_clock(d, text);
	canvas_text(c, &font_bold, (c->width - canvas_text_width(&font_bold, text)) / 2, base,
		    HEARTH_CREAM, text);
	if (d->restart_ns) {
		int64_t left = d->restart_ns - d->now_ns, whole = d->restart_ns - d->began_ns;
		struct rect line = { c->width - 168, 26, 140, 3 };

		left = left < 0 ? 0 : left;
		snprintf(text, sizeof text, "restarts in %lld.%lld s", (long long)(left / 1000000000),
			 (long long)(left / 100000000 % 10));
		canvas_text(c, &font_small, line.x, 20, 0xffd8c0a8u, text);
		canvas_fill(c, line, HEARTH_CLAY);
		line.width = (int)(line.width * (whole > 0 ? left * 1000 / whole : 0) / 1000);
		canvas_fill(c, line, HEARTH_EMBER);
	}
}

static void desktop_draw(struct desktop *d, struct rect r)
{
	d->canvas.clip = r;
	canvas_under(&d->canvas, r, &d->wallpaper);
	for (int i = 0; i < DESKTOP_WINDOWS; i++)
		window_draw(d->order[i], &d->canvas, i == DESKTOP_WINDOWS - 1);
	desktop_draw_panel(d);
	desktop_draw_cursor(d);
}

/* Draws what has changed and presents it, if the screen is ready for it. */
static int desktop_frame(struct desktop *d)
{
	struct rect all = { 0 };
	int64_t began;

	if (d->screen.queued || !d->damage_count)
		return 0;
	began = desktop_now();
	for (unsigned i = 0; i < d->damage_count; i++) {
		desktop_draw(d, d->damages[i]);
		all = rect_join(all, d->damages[i]);
	}
	d->damage_count = 0;
	d->drawn_ns = desktop_now() - began;
	return screen_present(&d->screen, &d->surface,
			      &(struct display_rect){ (uint32_t)all.x, (uint32_t)all.y,
						      (uint32_t)all.width, (uint32_t)all.height },
			      0);
}

static void desktop_raise(struct desktop *d, struct window *w)
{
	int i = 0;

	desktop_damage(d, window_extent(d->order[DESKTOP_WINDOWS - 1]));
	while (d->order[i] != w)
		i++;
	for (; i + 1 < DESKTOP_WINDOWS; i++)
		d->order[i] = d->order[i + 1];
	d->order[i] = w;
	desktop_damage(d, window_extent(w));
}

static struct window *desktop_window_at(struct desktop *d, int x, int y)
{
	for (int i = DESKTOP_WINDOWS - 1; i >= 0; i--)
		if (rect_has(d->order[i]->frame, x, y))
			return d->order[i];
	return NULL;
}

/* The pointer as the window's application sees it. */
static void desktop_point(struct desktop *d, struct window *w)
{
	struct rect inside = window_inside(w);

	if (w->app->pointer && w->app->pointer(w, d->x - inside.x, d->y - inside.y, d->button))
		desktop_damage(d, inside);
}

static void desktop_press(struct desktop *d, bool down)
{
	struct window *w = down ? desktop_window_at(d, d->x, d->y) : d->pressed;

	d->button = down;
	d->dragged = NULL;
	d->pressed = down ? w : NULL;
	desktop_damage(d, desktop_cursor(d));
	if (!w)
		return;
	if (down && w != d->order[DESKTOP_WINDOWS - 1])
		desktop_raise(d, w);
	if (down && window_in_title(w, d->x, d->y)) {
		d->dragged = w;
		d->grab_x = d->x - w->frame.x;
		d->grab_y = d->y - w->frame.y;
		return;
	}
	desktop_point(d, w);
}

static int desktop_clamp(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

static void desktop_move(struct desktop *d, int x, int y)
{
	if (x == d->x && y == d->y)
		return;
	desktop_damage(d, desktop_cursor(d));
	d->x = x;
	d->y = y;
	desktop_damage(d, desktop_cursor(d));
	if (d->dragged) {
		desktop_damage(d, window_extent(d->dragged));
		d->dragged->frame.x = x - d->grab_x;
		d->dragged->frame.y = desktop_clamp(y - d->grab_y, DESKTOP_PANEL,
						    d->canvas.height - WINDOW_TITLE);
		desktop_damage(d, window_extent(d->dragged));
	} else if (d->pressed) {
		desktop_point(d, d->pressed);
	}
}

static void desktop_key(struct desktop *d, uint16_t code, int32_t value)
{
	struct window *w = d->order[DESKTOP_WINDOWS - 1];

	if (code == BTN_LEFT || code == BTN_TOUCH) {
		desktop_press(d, value != 0);
		return;
	}
	if (code == KEY_LEFTSHIFT || code == KEY_RIGHTSHIFT) {
		d->shift = value != 0;
		return;
	}
	if (!value || code >= BTN_MISC)
		return;
	if (!w->app->key) /* typing goes to the window that can be typed into */
		w = &d->windows[0];
	if (w->app->key(w, code, d->shift))
		desktop_damage(d, window_inside(w));
}

/* A position of the tablet's, in pixels. */
static int desktop_absolute(int32_t value, int size)
{
	return desktop_clamp(value, 0, DESKTOP_ABS_MAX) * size / (DESKTOP_ABS_MAX + 1);
}

static void desktop_record(struct desktop *d, const struct input_record *r)
{
	int step = desktop_clamp(r->value, -10000, 10000), w = d->canvas.width, h = d->canvas.height;

	if (r->type == EV_REL && r->code == REL_X)
		d->to_x = desktop_clamp(d->to_x + step, 0, w - 1);
	else if (r->type == EV_REL && r->code == REL_Y)
		d->to_y = desktop_clamp(d->to_y + step, 0, h - 1);
	else if (r->type == EV_ABS && r->code == ABS_X)
		d->to_x = desktop_absolute(r->value, w);
	else if (r->type == EV_ABS && r->code == ABS_Y)
		d->to_y = desktop_absolute(r->value, h);
	else /* a report's end, or a button, which belongs to the place the pointer has come to */
		desktop_move(d, d->to_x, d->to_y);
	if (r->type == EV_KEY)
		desktop_key(d, r->code, r->value);
}

static void desktop_input(struct desktop *d)
{
	struct input_record records[64];
	ssize_t got;

	while (d->input >= 0 && (got = read(d->input, records, sizeof records)) > 0) {
		unsigned n = (unsigned)((size_t)got / sizeof *records);

		for (unsigned i = 0; i < n; i++)
			desktop_record(d, &records[i]);
		monitor_count_input(d->windows[2].state, n);
		if (n < sizeof records / sizeof *records)
			break;
	}
}

/* A fence has come: applications move on. */
static void desktop_tick(struct desktop *d, int64_t event_ns)
{
	int64_t tenth = d->now_ns / 100000000;

	if (d->event_ns)
		monitor_frame(d->windows[2].state, event_ns - d->event_ns, d->drawn_ns);
	d->event_ns = event_ns;
	for (int i = 0; i < DESKTOP_WINDOWS; i++) {
		struct window *w = &d->windows[i];

		if (w->app->tick && w->app->tick(w, d->now_ns))
			desktop_damage(d, window_inside(w));
	}
	if (tenth != d->panel_tenth)
		desktop_damage(d, (struct rect){ 0, 0, d->canvas.width, DESKTOP_PANEL });
	d->panel_tenth = tenth;
}

static int desktop_run(struct desktop *d)
{
	struct pollfd fds[2] = {
		{ .fd = d->screen.fd, .events = POLLIN },
		{ .fd = d->input, .events = POLLIN },
	};
	struct display_event events[DISPLAY_MAX_QUEUED];
	int got = 0;

	desktop_damage(d, d->canvas.clip);
	while (got >= 0 && (!d->restart_ns || d->now_ns < d->restart_ns)) {
		got = desktop_frame(d);
		if (got < 0)
			break;
		poll(fds, d->input < 0 ? 1 : 2, 50);
		d->now_ns = desktop_now();
		if (d->input >= 0 && fds[1].revents)
			desktop_input(d);
		got = screen_events(&d->screen, events, DISPLAY_MAX_QUEUED);
		for (int i = 0; i < got; i++)
			desktop_tick(d, events[i].ns);
	}
	return got < 0 ? got : 0;
}

static int desktop_windows(struct desktop *d)
{
	int w = d->canvas.width, h = d->canvas.height;
	const struct window windows[DESKTOP_WINDOWS] = {
		{ &editor_app, { w * 6 / 100, h * 14 / 100, 460, 308 }, editor_new() },
		{ &paint_app, { w * 50 / 100, h * 20 / 100, 456, 350 }, paint_new(440, 302) },
		{ &monitor_app, { w * 22 / 100, h * 58 / 100, 430, 236 }, monitor_new() },
	};

	for (int i = 0; i < DESKTOP_WINDOWS; i++) {
		if (!windows[i].state)
			return -ENOMEM;
		d->windows[i] = windows[i];
	}
	d->order[0] = &d->windows[1];
	d->order[1] = &d->windows[2];
	d->order[2] = &d->windows[0];
	return 0;
}

static int desktop_open(struct desktop *d)
{
	int err = screen_open(&d->screen), w, h;

	if (!err)
		err = screen_surface(&d->screen, d->screen.info.width, d->screen.info.height, &d->surface);
	if (err)
		return err;
	w = (int)d->surface.width;
	h = (int)d->surface.height;
	d->canvas = (struct canvas){ d->surface.pixels, w, h, (int)d->surface.stride, { 0, 0, w, h } };
	d->wallpaper = (struct canvas){ malloc((size_t)w * (size_t)h * 4), w, h, w, { 0, 0, w, h } };
	if (!d->wallpaper.pixels)
		return -ENOMEM;
	d->input = open("/dev/input", O_RDONLY | O_NONBLOCK);
	d->x = d->to_x = w * 62 / 100;
	d->y = d->to_y = h * 74 / 100;
	return desktop_windows(d);
}

static unsigned desktop_ms(const char *name)
{
	long ms = option_number(name, 2500);

	return ms < 0 ? 0 : ms > 3600000 ? 3600000 : (unsigned)ms;
}

int main(void)
{
	static struct desktop desktop;
	struct desktop *d = &desktop;
	static char name[32];
	unsigned ms = desktop_ms("desktop_ms");
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(name, sizeof name, "%s", option_word("name", "study"));
	d->name = name;
	err = desktop_open(d);
	if (!err)
		err = boot_run(&d->screen, &d->surface, name, desktop_ms("boot_ms"));
	if (!err) {
		hearth_wallpaper(&d->wallpaper);
		d->began_ns = d->now_ns = desktop_now();
		d->restart_ns = ms ? d->began_ns + (int64_t)ms * 1000000 : 0;
		err = desktop_run(d);
	}
	if (err)
		printf("desktop: %s\n", strerror(-err));
	else
		printf("desktop: restarting\n");
	reboot(err ? RB_POWER_OFF : RB_AUTOBOOT);
	return err != 0;
}
