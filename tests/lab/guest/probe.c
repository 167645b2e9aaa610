/*
 * A guest that says on its own screen what reaches it. Runs on Hearth (demo/), boots in milliseconds.
 *
 * The screen has the colour probe.colour=RRGGBB (hexadecimal). Bar codes (display/barcode.h) at the
 * bottom left, where a seat's own notices are not, the first PROBE_LINE * ROWS lines above the end, one
 * each PROBE_LINE lines: frames presented, one a vblank; the last key's code; how many key
 * events came; how many keys are down; how many reports of motion came. A tone of probe.hz= plays
 * all the time (0: none). COM1 hears "KEY CODE VALUE", one line an event.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/input-event-codes.h>

#include "demo/programs/options.h"
#include "demo/programs/screen.h"
#include "demo/programs/sound.h"
#include "display/barcode.h"

enum {
	PROBE_LINE = 16,
	PROBE_BUFFERS = 2,
	PROBE_WAKE_MS = 30,
	PROBE_RATE = 48000,
	PROBE_PERIOD = PROBE_RATE / 50,
	PROBE_PERIODS = 12,
	PROBE_KEYS = 0x300,
};

enum probe_row { ROW_FRAMES, ROW_KEY, ROW_KEYS, ROW_DOWN, ROW_MOTION, ROWS };

struct probe {
	struct screen screen;
	struct surface surface[PROBE_BUFFERS];
	unsigned shown[PROBE_BUFFERS][ROWS];
	unsigned row[ROWS];
	int input;
	bool down[PROBE_KEYS];
	struct sound sound;
	bool has_sound;
	double phase, step;
};

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

static int probe_present(struct probe *probe)
{
	unsigned index = ++probe->row[ROW_FRAMES] % PROBE_BUFFERS;
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
	return screen_present(&probe->screen, &probe->surface[index], &damage, 0);
}

static int probe_open_screen(struct probe *probe)
{
	uint32_t colour = (uint32_t)strtoul(option_word("probe.colour", "404040"), NULL, 16);
	int err = screen_open(&probe->screen);

	for (unsigned i = 0; i < PROBE_BUFFERS && !err; i++) {
		struct surface *surface = &probe->surface[i];
		struct display_rect all = { 0, 0, probe->screen.info.width, probe->screen.info.height };

		err = screen_surface(&probe->screen, all.width, all.height, surface);
		for (uint32_t y = 0; y < all.height && !err; y++)
			for (uint32_t x = 0; x < all.width; x++)
				surface->pixels[y * surface->stride + x] = colour;
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
		else if (records[i].type == EV_REL || records[i].type == EV_ABS)
			probe->row[ROW_MOTION]++;
	}
}

static void probe_fill_sound(struct probe *probe)
{
	if (!probe->has_sound || sound_update(&probe->sound))
		return;
	while (sound_free(&probe->sound)) {
		int16_t *slot = sound_slot(&probe->sound);

		for (unsigned i = 0; i < PROBE_PERIOD; i++, slot += 2) {
			slot[0] = slot[1] = (int16_t)lrint(12000 * sin(probe->phase));
			probe->phase = fmod(probe->phase + probe->step, 2 * M_PI);
		}
		if (sound_queue(&probe->sound))
			return;
	}
}

/* One frame for each that was shown, two ahead. */
static int probe_run(struct probe *probe)
{
	struct display_event events[DISPLAY_MAX_QUEUED];

	for (;;) {
		struct pollfd wait[2] = { { .fd = probe->screen.fd, .events = POLLIN },
					  { .fd = probe->input, .events = POLLIN } };
		int err = screen_events(&probe->screen, events, DISPLAY_MAX_QUEUED);

		if (err < 0)
			return err;
		probe_read_input(probe);
		while (probe->screen.queued < PROBE_BUFFERS) {
			err = probe_present(probe);
			if (err)
				return err;
		}
		probe_fill_sound(probe);
		if (poll(wait, probe->input < 0 ? 1 : 2, PROBE_WAKE_MS) < 0)
			return -errno;
	}
}

int main(void)
{
	static struct probe probe;
	long hz = option_number("probe.hz", 0);
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	probe.input = open("/dev/input", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	probe.step = 2 * M_PI * (double)hz / PROBE_RATE;
	probe.has_sound = hz > 0 && sound_open(&probe.sound, PROBE_RATE, 2, PROBE_PERIOD,
					       PROBE_PERIODS) == 0;
	err = probe_open_screen(&probe);
	printf("PROBE-UP %ux%u%s\n", probe.screen.info.width, probe.screen.info.height,
	       probe.has_sound ? " with sound" : "");
	if (!err)
		err = probe_run(&probe);
	printf("probe: %s\n", strerror(-err));
	return 1;
}
