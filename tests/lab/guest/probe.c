/*
 * A guest that says on its own screen what reaches it. Runs on Hearth (demo/), boots in milliseconds.
 *
 * The screen has the colour probe.colour=RRGGBB (hexadecimal). Bar codes (display/barcode.h) at the
 * bottom left, where a seat's own notices are not, the first PROBE_LINE * ROWS lines above the end, one
 * each PROBE_LINE lines: frames presented, one a vblank; the last key's code; how many key
 * events came; how many keys are down; how many reports of motion came; and see below. A tone of
 * probe.hz= plays all the time (0: none), one of probe.note= while a key is down. COM1 hears "KEY CODE VALUE", one line an event.
 *
 * probe.fps=N: it plays a film (film.h) of N pictures a second instead, above the bar codes, with probe.depth=
 * rounds for a pixel; from when S is pressed with as many as make a picture take probe.load= percent of its
 * time. Frames then counts the film's pictures. Each is to be presented at its time, counted from the first;
 * like any player it leaves out those whose time is over before they are made. Four more bar codes: pictures
 * left out; pictures on the screen more than a frame's time late, as the seat's feedback has it, and as the
 * guest hears of it; by how many milliseconds the latest was, since the last key; the depth.
 *
 * probe.boot=MS: before anything else all processors work as much as takes a quarter of them that long,
 * as a boot does.
 *
 * probe.title=WORDS (_ for a blank): a landscape in shades of its colour and these words, for pictures
 * in which people are to recognise it; the lowest PROBE_GROUND lines stay as they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/input-event-codes.h>

#include "demo/programs/canvas.h"
#include "demo/programs/options.h"
#include "demo/programs/screen.h"
#include "demo/programs/sound.h"
#include "demo/programs/work.h"
#include "display/barcode.h"
#include "tests/lab/guest/film.h"

enum {
	PROBE_LINE = 16,
	PROBE_BUFFERS = 2,
	PROBE_WAKE_MS = 30,
	PROBE_RATE = 48000,
	PROBE_PERIOD = PROBE_RATE / 50,
	PROBE_PERIODS = 12,
	PROBE_KEYS = 0x300,
	PROBE_GROUND = 130,
	FILM_DEPTH = 4,
	FILM_DEPTH_MAX = 20000,
	FILM_TRIED = 16, /* pictures that are made to see how long they take */
};

#define PROBE_NS 1000000000ll

enum probe_row {
	ROW_FRAMES,
	ROW_KEY,
	ROW_KEYS,
	ROW_DOWN,
	ROW_MOTION,
	ROW_LOST,
	ROW_LATE,
	ROW_WORST,
	ROW_DEPTH,
	ROWS
};

/* The film: picture n is due at begun_ns + n * period_ns. */
struct film {
	int64_t begun_ns, period_ns; /* period 0: no film is played */
	long percent;                /* of its time that a picture is to take */
	uint32_t depth, made;        /* the picture that is shown next */
	unsigned surface;            /* in which it is */
};

struct probe {
	struct screen screen;
	struct surface surface[PROBE_BUFFERS];
	unsigned shown[PROBE_BUFFERS][ROWS];
	unsigned row[ROWS];
	int input;
	bool down[PROBE_KEYS];
	struct sound sound;
	bool has_sound;
	double phase, step, note_step; /* note_step 0: keys change nothing */
	struct film film;
};

static int64_t probe_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * PROBE_NS + t.tv_nsec;
}

static unsigned row_top(const struct surface *surface, enum probe_row row)
{
	return surface->height - (ROWS - row) * PROBE_LINE;
}

static void row_draw(struct surface *surface, enum probe_row row, unsigned number)
{
	uint32_t bits = barcode_row((uint16_t)number);

	for (unsigned y = 0; y < BARCODE_PLAYER_CELL; y++) {
		uint32_t *line = surface->pixels + (row_top(surface, row) + y) * surface->stride;

		for (unsigned x = 0; x < BARCODE_CELLS * BARCODE_PLAYER_CELL; x++)
			line[x] = bits >> (BARCODE_CELLS - 1 - x / BARCODE_PLAYER_CELL) & 1 ? 0xffffff : 0;
	}
}

static struct display_rect probe_draw_rows(struct probe *probe, unsigned index)
{
	struct display_rect damage = {
		.y = row_top(&probe->surface[index], ROW_FRAMES),
		.width = BARCODE_CELLS * BARCODE_PLAYER_CELL,
	};

	for (unsigned row = 0; row < ROWS; row++) {
		if (probe->shown[index][row] == probe->row[row])
			continue;
		probe->shown[index][row] = probe->row[row];
		row_draw(&probe->surface[index], row, probe->row[row]);
		damage.height = row * PROBE_LINE + BARCODE_PLAYER_CELL;
	}
	return damage;
}

static int probe_present(struct probe *probe)
{
	unsigned index = ++probe->row[ROW_FRAMES] % PROBE_BUFFERS;
	struct display_rect damage = probe_draw_rows(probe, index);

	return screen_present(&probe->screen, &probe->surface[index], &damage, 0);
}

/* ---- the film ---- */

static int64_t film_due(const struct film *film, uint32_t number)
{
	return film->begun_ns + number * film->period_ns;
}

static struct display_rect film_place(const struct surface *surface)
{
	return (struct display_rect){ 0, row_top(surface, ROW_FRAMES) - FILM_HEIGHT, FILM_WIDTH, FILM_HEIGHT };
}

static void film_make(struct probe *probe, uint32_t number)
{
	struct surface *surface = &probe->surface[probe->film.surface ^= 1];
	struct display_rect place = film_place(surface);

	for (uint32_t y = 0; y < FILM_HEIGHT; y++) {
		uint32_t *line = surface->pixels + (place.y + y) * surface->stride + place.x;

		for (uint32_t x = 0; x < FILM_WIDTH; x++)
			line[x] = film_pixel(number, (int32_t)x, (int32_t)y, probe->film.depth);
	}
	probe->film.made = number;
	probe->row[ROW_DEPTH] = probe->film.depth;
}

/* The picture that is made, if its time has come; then the next is made, or a later one when there is no
 * time for that. */
static int film_present(struct probe *probe)
{
	struct film *film = &probe->film;
	uint32_t number = film->made, next = number + 1;
	struct display_rect damage = film_place(&probe->surface[film->surface]), rows;
	int64_t now = probe_now();
	int err;

	if (now < film_due(film, number))
		return 0;
	probe->row[ROW_FRAMES] = number;
	rows = probe_draw_rows(probe, film->surface);
	damage.height = rows.y + rows.height - damage.y;
	err = screen_present(&probe->screen, &probe->surface[film->surface], &damage, number);
	if (err)
		return err;
	while (film_due(film, next + 1) <= now)
		next++;
	probe->row[ROW_LOST] += next - number - 1;
	film_make(probe, next);
	return 0;
}

static void film_shown(struct probe *probe, const struct display_event *event)
{
	int64_t late = event->ns - film_due(&probe->film, (uint32_t)event->cookie);

	if (late > probe->film.period_ns)
		probe->row[ROW_LATE]++;
	if (late / 1000000 > probe->row[ROW_WORST])
		probe->row[ROW_WORST] = (unsigned)(late / 1000000);
}

static int probe_wait_ms(const struct probe *probe)
{
	int64_t left = film_due(&probe->film, probe->film.made) - probe_now();

	if (!probe->film.period_ns || left > PROBE_WAKE_MS * 1000000ll)
		return PROBE_WAKE_MS;
	return left > 0 ? (int)(left / 1000000) + 1 : 0;
}

/* How long a picture takes at this depth, with nobody else on the processor. */
static int64_t film_cost_ns(struct probe *probe)
{
	int64_t cost = INT64_MAX;

	for (uint32_t number = 0; number < FILM_TRIED; number++) {
		int64_t began = probe_now(), took;

		film_make(probe, number);
		took = probe_now() - began;
		cost = took < cost ? took : cost;
	}
	return cost > 0 ? cost : 1;
}

/* The depth at which a picture takes so much of its time. Twice, as little time is measured badly. */
static void film_settle(struct probe *probe)
{
	struct film *film = &probe->film;
	uint32_t made = film->made;

	for (unsigned again = 0; again < 2; again++) {
		int64_t depth = film->depth * (film->period_ns / 100 * film->percent) / film_cost_ns(probe);

		film->depth = (uint32_t)(depth < 1 ? 1 : depth > FILM_DEPTH_MAX ? FILM_DEPTH_MAX : depth);
	}
	film_make(probe, made);
}

static void film_open(struct probe *probe)
{
	long fps = option_number("probe.fps", 0);

	if (fps <= 0 || probe->screen.info.width < FILM_WIDTH ||
	    probe->screen.info.height < FILM_HEIGHT + ROWS * PROBE_LINE)
		return;
	probe->film.period_ns = PROBE_NS / fps;
	probe->film.depth = (uint32_t)option_number("probe.depth", FILM_DEPTH);
	probe->film.percent = option_number("probe.load", 0);
	film_make(probe, 1);
	probe->film.begun_ns = probe_now();
}

/* So much of white, of 256. */
static uint32_t lighter(uint32_t colour, uint32_t by)
{
	return 0xff000000 | canvas_blend(colour, 0xffffff, by);
}

static void landscape_draw(struct surface *surface, uint32_t colour, const char *title)
{
	int width = (int)surface->width, height = (int)surface->height, ground = height - PROBE_GROUND;
	float w = (float)width, h = (float)height;
	struct canvas c = { surface->pixels, width, height, (int)surface->stride,
		{ 0, 0, width, ground } };

	canvas_gradient(&c, c.clip, lighter(colour, 90), lighter(colour, 190));
	canvas_disc(&c, w * 0.78f, h * 0.24f, h * 0.075f, lighter(colour, 240));
	canvas_disc(&c, w * 0.20f, h * 1.30f, h * 0.80f, lighter(colour, 80));
	canvas_disc(&c, w * 0.72f, h * 1.42f, h * 0.82f, lighter(colour, 40));
	canvas_text(&c, &font_large, (width - canvas_text_width(&font_large, title)) / 2,
		height / 4, 0xffffffff, title);
}

static void probe_draw(struct surface *surface)
{
	uint32_t colour = (uint32_t)strtoul(option_word("probe.colour", "404040"), NULL, 16);
	char title[64];

	for (uint32_t y = 0; y < surface->height; y++)
		for (uint32_t x = 0; x < surface->width; x++)
			surface->pixels[y * surface->stride + x] = colour;
	snprintf(title, sizeof title, "%s", option_word("probe.title", ""));
	for (char *at = title; *at; at++)
		*at = *at == '_' ? ' ' : *at;
	if (title[0] && surface->height > PROBE_GROUND)
		landscape_draw(surface, colour, title);
}

static int probe_open_screen(struct probe *probe)
{
	int err = screen_open(&probe->screen);

	for (unsigned i = 0; i < PROBE_BUFFERS && !err; i++) {
		struct surface *surface = &probe->surface[i];
		struct display_rect all = { 0, 0, probe->screen.info.width, probe->screen.info.height };

		err = screen_surface(&probe->screen, all.width, all.height, surface);
		if (!err)
			probe_draw(surface);
		for (unsigned row = 0; row < ROWS && !err; row++)
			row_draw(surface, row, 0);
		if (!err)
			err = screen_present(&probe->screen, surface, &all, 0);
	}
	return err;
}

static void key_note(struct probe *probe, const struct input_record *record)
{
	bool down = record->value != 0;

	probe->row[ROW_KEY] = record->code;
	probe->row[ROW_KEYS]++;
	probe->row[ROW_WORST] = 0;
	if (record->code < PROBE_KEYS && probe->down[record->code] != down) {
		probe->down[record->code] = down;
		probe->row[ROW_DOWN] += down ? 1 : -1u;
	}
	printf("KEY %u %d\n", record->code, record->value);
}

static void probe_read_input(struct probe *probe)
{
	struct input_record records[16];
	ssize_t got = probe->input < 0 ? 0 : read(probe->input, records, sizeof records);

	for (ssize_t i = 0; i < got / (ssize_t)sizeof records[0]; i++) {
		if (records[i].type == EV_KEY)
			key_note(probe, &records[i]);
		if (records[i].type == EV_KEY && records[i].code == KEY_S && records[i].value == 1 &&
		    probe->film.period_ns && probe->film.percent > 0)
			film_settle(probe);
		else if (records[i].type == EV_REL || records[i].type == EV_ABS)
			probe->row[ROW_MOTION]++;
	}
}

static void probe_fill_sound(struct probe *probe)
{
	if (!probe->has_sound || sound_update(&probe->sound))
		return;
	while (sound_free(&probe->sound)) {
		double step = probe->row[ROW_DOWN] && probe->note_step > 0 ? probe->note_step : probe->step;
		int16_t *slot = sound_slot(&probe->sound);

		for (unsigned i = 0; i < PROBE_PERIOD; i++, slot += 2) {
			slot[0] = slot[1] = (int16_t)lrint(12000 * sin(probe->phase));
			probe->phase = fmod(probe->phase + step, 2 * M_PI);
		}
		if (sound_queue(&probe->sound))
			return;
	}
}

/* One frame for each that was shown, two ahead; of the film one, the other is being made. */
static int probe_fill_screen(struct probe *probe)
{
	unsigned ahead = probe->film.period_ns ? PROBE_BUFFERS - 1 : PROBE_BUFFERS;
	int err = 0;

	if (probe->film.period_ns)
		return probe->screen.queued < ahead ? film_present(probe) : 0;
	while (probe->screen.queued < ahead && !err)
		err = probe_present(probe);
	return err;
}

static int probe_run(struct probe *probe)
{
	struct display_event events[DISPLAY_MAX_QUEUED];

	for (;;) {
		struct pollfd wait[2] = { { .fd = probe->screen.fd, .events = POLLIN },
					  { .fd = probe->input, .events = POLLIN } };
		int count = screen_events(&probe->screen, events, DISPLAY_MAX_QUEUED), err;

		if (count < 0)
			return count;
		for (int i = 0; i < count && probe->film.period_ns; i++)
			if (events[i].cookie)
				film_shown(probe, &events[i]);
		probe_read_input(probe);
		err = probe_fill_screen(probe);
		if (err)
			return err;
		probe_fill_sound(probe);
		if (poll(wait, probe->input < 0 ? 1 : 2, probe_wait_ms(probe)) < 0)
			return -errno;
	}
}

static void probe_boot(unsigned ms)
{
	struct work work;

	if (!ms || work_open(&work, ms))
		return;
	work_start(&work);
	while (work_step(&work))
		;
	while (__atomic_load_n(&work.done, __ATOMIC_RELAXED) < work.total)
		usleep(1000);
}

int main(void)
{
	static struct probe probe;
	long hz = option_number("probe.hz", 0);
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	probe_boot((unsigned)option_number("probe.boot", 0));
	probe.input = open("/dev/input", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	probe.step = 2 * M_PI * (double)hz / PROBE_RATE;
	probe.note_step = 2 * M_PI * (double)option_number("probe.note", 0) / PROBE_RATE;
	probe.has_sound = hz > 0 && sound_open(&probe.sound, PROBE_RATE, 2, PROBE_PERIOD,
					       PROBE_PERIODS) == 0;
	err = probe_open_screen(&probe);
	printf("PROBE-UP %ux%u%s\n", probe.screen.info.width, probe.screen.info.height,
	       probe.has_sound ? " with sound" : "");
	if (!err)
		film_open(&probe);
	if (!err)
		err = probe_run(&probe);
	printf("probe: %s\n", strerror(-err));
	return 1;
}
