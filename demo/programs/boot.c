/*
 * The boot screen. The first processor works too, and draws between blocks: at each of the screen's
 * fences, but at most every other one, for a boot's business is to boot.
 */
#include "demo/programs/boot.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "demo/programs/hearth.h"
#include "demo/programs/work.h"

enum {
	BOOT_FRAME_NS = 33000000, /* between two pictures */
	BOOT_BAR_WIDTH = 340,
	BOOT_BAR_HEIGHT = 6,
	BOOT_LINES = 7,
	BOOT_BLOCKS = 32, /* between two looks at the clock, which is a system call */
	BOOT_PATIENCE_NS = 2000000000, /* with other processors' last blocks */
};

static const struct boot_stage {
	unsigned percent; /* begins here */
	const char *title, *log;
} boot_stages[] = {
	{ 0, "lighting the fire", "hearth: image in memory, 128 blocks of 32 KiB" },
	{ 4, "lighting the fire", "cpu: all processors at work" },
	{ 12, "unpacking the system", "verify: pass 1, sha-256 over every block" },
	{ 24, "unpacking the system", "verify: kernel and drivers are what they were" },
	{ 36, "checking the house", "display: virtio-gpu, presentation by vblank" },
	{ 47, "checking the house", "input: keyboard, tablet, mouse" },
	{ 58, "waking the services", "verify: libraries are what they were" },
	{ 68, "waking the services", "seat: one monitor, one keyboard, one person" },
	{ 78, "preparing your seat", "fonts: DejaVu, six faces" },
	{ 88, "preparing your seat", "verify: last pass" },
	{ 96, "welcome", "desktop: starting" },
};

enum { BOOT_STAGES = sizeof boot_stages / sizeof *boot_stages };

struct boot {
	struct screen *screen;
	struct surface *surface;
	struct canvas canvas;
	const char *name;
	struct work work;
	int64_t began_ns, drawn_ns;
	int64_t stage_ns[BOOT_STAGES]; /* when each was reached */
	unsigned stage;                /* how many are */
	struct rect hearth, bar, title, log;
	bool fresh; /* nothing has been drawn yet */
};

static int64_t boot_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void boot_lay_out(struct boot *b)
{
	int w = b->canvas.width, h = b->canvas.height, middle = w / 2;

	b->hearth = (struct rect){ middle - HEARTH_SIZE / 2, h * 38 / 100 - HEARTH_SIZE / 2,
				   HEARTH_SIZE, HEARTH_SIZE };
	b->bar = (struct rect){ middle - BOOT_BAR_WIDTH / 2, h * 76 / 100, BOOT_BAR_WIDTH,
				BOOT_BAR_HEIGHT };
	b->title = (struct rect){ middle - 200, b->bar.y + 16, 400, 26 };
	b->log = (struct rect){ 28, h - 28 - BOOT_LINES * font_mono_small.height, 460,
				BOOT_LINES * font_mono_small.height + 6 };
}

/* Night, a little lighter around the fire. */
static uint32_t boot_night(const struct boot *b, int x, int y)
{
	float dx = (float)(x - b->canvas.width / 2), dy = (float)(y - b->canvas.height * 38 / 100);
	float d = (dx * dx + dy * dy) / (420.0f * 420.0f), light = d < 1 ? (1 - d) * (1 - d) : 0;
	unsigned dither = (unsigned)(x * 7 + y * 13) % 16;

	/* In sixteenths of a step, so that no bands are seen. */
	return ((uint32_t)(18 * 16 + light * 18 * 16 + (float)dither) / 16) << 16 |
	       ((uint32_t)(10 * 16 + light * 8 * 16 + (float)dither) / 16) << 8 |
	       (uint32_t)(7 * 16 + light * 4 * 16 + (float)dither) / 16;
}

static void boot_clear(struct boot *b, struct rect r)
{
	r = rect_meet(r, b->canvas.clip);
	for (int y = r.y; y < r.y + r.height; y++)
		for (int x = r.x; x < r.x + r.width; x++)
			b->canvas.pixels[(long)y * b->canvas.stride + x] = boot_night(b, x, y);
}

static void boot_centre(struct boot *b, const struct font *font, int y, uint32_t colour,
			const char *string)
{
	int x = (b->canvas.width - canvas_text_width(font, string)) / 2;

	canvas_text(&b->canvas, font, x, y, colour, string);
}

/* What stays the same. */
static void boot_draw_once(struct boot *b)
{
	int y = b->hearth.y + HEARTH_SIZE + 70;

	boot_clear(b, b->canvas.clip);
	boot_centre(b, &font_large, y, HEARTH_CREAM, "irori");
	boot_centre(b, &font_text, y + 30, HEARTH_EMBER, b->name);
}

static void boot_draw_log(struct boot *b)
{
	unsigned from = b->stage > BOOT_LINES ? b->stage - BOOT_LINES : 0;
	int y = b->log.y + font_mono_small.ascent;

	boot_clear(b, b->log);
	for (unsigned i = from; i < b->stage; i++, y += font_mono_small.height) {
		uint32_t opacity = 70 + 130 * (i - from + 1) / BOOT_LINES;
		int64_t ms = b->stage_ns[i] / 1000000;
		char line[96];

		snprintf(line, sizeof line, "[%3lld.%03lld] %s", (long long)(ms / 1000),
			 (long long)(ms % 1000), boot_stages[i].log);
		canvas_text(&b->canvas, &font_mono_small, b->log.x, y,
			    (HEARTH_ASH & 0xffffff) | opacity << 24, line);
	}
}

static void boot_draw_bar(struct boot *b, unsigned permille)
{
	struct rect full = b->bar, part = b->bar;
	int wide = (int)(BOOT_BAR_WIDTH * permille / 1000);

	boot_clear(b, rect_grow(full, 8));
	canvas_round(&b->canvas, full, BOOT_BAR_HEIGHT / 2, CANVAS_ALL, HEARTH_CLAY);
	if (wide < BOOT_BAR_HEIGHT)
		wide = BOOT_BAR_HEIGHT;
	part.width = wide;
	canvas_round(&b->canvas, part, BOOT_BAR_HEIGHT / 2, CANVAS_ALL, HEARTH_EMBER);
	canvas_disc(&b->canvas, (float)(part.x + wide - 3), (float)part.y + 3, 7, 0x60ff9a40);
	canvas_disc(&b->canvas, (float)(part.x + wide - 3), (float)part.y + 3, 3.2f, 0xffffe0b0);
}

static struct rect boot_draw(struct boot *b, int64_t now)
{
	unsigned permille = b->work.total ? (unsigned)(b->work.done * 1000 / b->work.total) : 1000;
	float seconds = (float)(now - b->began_ns) / 1e9f;
	struct rect damage = b->hearth;
	unsigned before = b->stage;

	if (permille > 1000)
		permille = 1000;
	while (b->stage < BOOT_STAGES && boot_stages[b->stage].percent * 10 <= permille)
		b->stage_ns[b->stage++] = now - b->began_ns;
	if (b->fresh)
		boot_draw_once(b);
	hearth_draw(&b->canvas, b->hearth.x, b->hearth.y, seconds, 0.35f + 0.65f * (float)permille / 1000);
	boot_draw_bar(b, permille);
	if (b->stage != before) {
		boot_clear(b, b->title);
		boot_centre(b, &font_small, b->title.y + 16, 0xd0d8c0a8,
			    boot_stages[b->stage - 1].title);
		boot_draw_log(b);
		damage = rect_join(damage, rect_join(b->title, b->log));
	}
	damage = rect_join(damage, rect_grow(b->bar, 8));
	if (b->fresh)
		damage = b->canvas.clip;
	b->fresh = false;
	return rect_meet(damage, b->canvas.clip);
}

/* Draws and presents if it is time to. */
static int boot_picture(struct boot *b)
{
	struct display_event events[DISPLAY_MAX_QUEUED];
	int64_t now = boot_now();
	struct rect damage;
	int err;

	if (!b->fresh && now - b->drawn_ns < BOOT_FRAME_NS)
		return 0;
	err = screen_events(b->screen, events, DISPLAY_MAX_QUEUED);
	if (err < 0 || b->screen->queued)
		return err < 0 ? err : 0;
	b->drawn_ns = now;
	damage = boot_draw(b, now);
	return screen_present(b->screen, b->surface,
			      &(struct display_rect){ (uint32_t)damage.x, (uint32_t)damage.y,
						      (uint32_t)damage.width, (uint32_t)damage.height },
			      0);
}

/* The last blocks may be with other processors still; and the screen may be. */
static int boot_settle(struct boot *b)
{
	struct display_event events[DISPLAY_MAX_QUEUED];
	struct pollfd fd = { .fd = b->screen->fd, .events = POLLIN };
	int64_t until = boot_now() + BOOT_PATIENCE_NS;
	int err = 0;

	while (err >= 0 && b->work.done < b->work.total && boot_now() < until) {
		err = boot_picture(b);
		poll(&fd, 1, 5);
	}
	b->drawn_ns = 0;
	while (err >= 0 && b->screen->queued) {
		poll(&fd, 1, 50);
		err = screen_events(b->screen, events, DISPLAY_MAX_QUEUED);
	}
	return err < 0 ? err : 0;
}

int boot_run(struct screen *screen, struct surface *surface, const char *name, unsigned ms)
{
	static struct boot boot;
	struct boot *b = &boot;
	int err;

	*b = (struct boot){
		.screen = screen,
		.surface = surface,
		.name = name,
		.canvas = { .pixels = surface->pixels,
			    .width = (int)surface->width,
			    .height = (int)surface->height,
			    .stride = (int)surface->stride,
			    .clip = { 0, 0, (int)surface->width, (int)surface->height } },
		.began_ns = boot_now(),
		.fresh = true,
	};
	boot_lay_out(b);
	b->work.total = 1;
	err = boot_picture(b); /* before anything else: a person waits */
	if (!err)
		err = work_open(&b->work, ms);
	if (err)
		return err;
	work_start(&b->work);
	for (unsigned n = 1; !err && work_step(&b->work); n++)
		if (n % BOOT_BLOCKS == 0)
			err = boot_picture(b);
	if (!err)
		err = boot_settle(b);
	printf("desktop: booted in %lld ms on %u processors, %llu of %llu blocks damaged\n",
	       (long long)((boot_now() - b->began_ns) / 1000000), b->work.cpus,
	       (unsigned long long)b->work.damaged, (unsigned long long)b->work.total);
	return err;
}
