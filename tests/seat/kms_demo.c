/*
 * Seats on a real graphics card, by hand: lends connectors as irorid does, and shows on each lease
 * what it is told, as irori-seat does. Commands come from a FIFO, answers go to standard output.
 *
 *	kms-demo /dev/dri/card0 FIFO
 *
 * The lab's scenario kms drives it, and looks at the monitors.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "display/kms_drm.h"
#include "display/lease.h"
#include "display/screen.h"
#include "display/screen_source.h"

enum {
	MAX_SEATS = 4,
	MAX_WORDS = 10,
	SIDE = 2048,
	CURSOR = 24,
};

struct seat {
	char name[16];
	struct screen *screen;
	GSource *source;
	uint32_t lessee;
	unsigned lost;
	uint64_t flipped, run_until;
	int64_t run_since_ns;
	uint32_t *pixels;
	struct link_picture picture;
	struct link_frame frame;
	uint32_t cursor[CURSOR * CURSOR];
	uint32_t *overlay;
};

static struct {
	const char *path;
	struct lease_card *card;
	struct seat seats[MAX_SEATS];
	FILE *commands;
} demo;

static void show(struct seat *seat, struct rect damage)
{
	seat->frame.seq++;
	seat->frame.buffer = seat->picture.id;
	seat->frame.damage = damage;
	screen_frame(seat->screen, &seat->frame, &seat->picture);
}

static void flipped(void *data, unsigned head, uint64_t seq, int64_t vblank_ns, int64_t period_ns)
{
	struct seat *seat = data;

	seat->flipped = seq;
	if (!seat->run_until)
		return;
	if (!seat->run_since_ns)
		seat->run_since_ns = vblank_ns;
	if (seq < seat->run_until) {
		show(seat, (struct rect){0, 0, 1, 1});
		return;
	}
	printf("ran %s %.1f ms\n", seat->name, (double)(vblank_ns - seat->run_since_ns) / 1e6);
	seat->run_until = 0;
}

static void monitors(void *data)
{
	struct seat *seat = data;

	printf("monitors %s %u\n", seat->name, screen_monitors(seat->screen));
}

static void lost(void *data, int error)
{
	struct seat *seat = data;

	seat->lost++;
	printf("lost %s %s\n", seat->name, strerror(-error));
}

static const struct screen_events events = {flipped, monitors, lost};

static struct seat *seat_find(const char *name)
{
	struct seat *free_one = NULL;

	for (unsigned i = 0; i < MAX_SEATS; i++) {
		if (!strcmp(demo.seats[i].name, name))
			return &demo.seats[i];
		if (!free_one && !demo.seats[i].screen)
			free_one = &demo.seats[i];
	}
	if (!free_one)
		return NULL;
	g_strlcpy(free_one->name, name, sizeof(free_one->name));
	free_one->pixels = g_new0(uint32_t, SIDE * SIDE);
	free_one->overlay = g_new0(uint32_t, SIDE * SIDE);
	free_one->screen = screen_new(&events, free_one);
	free_one->source = screen_source_new(free_one->screen);
	g_source_attach(free_one->source, NULL);
	return free_one;
}

static uint32_t number(const char *word)
{
	return word ? (uint32_t)strtoul(word, NULL, 0) : 0;
}

static uint32_t colour(const char *word)
{
	return word ? (uint32_t)strtoul(word, NULL, 16) : 0;
}

static bool card_open(void)
{
	g_autoptr(GError) error = NULL;

	if (!demo.card)
		demo.card = lease_card_open(demo.path, &error);
	if (!demo.card)
		printf("error %s\n", error->message);
	return demo.card != NULL;
}

static uint32_t connector_id(const char *name)
{
	g_autofree struct lease_connector *list = NULL;
	uint32_t id = 0;
	unsigned n = 0;

	list = lease_card_connectors(demo.card, &n, NULL);
	for (unsigned i = 0; list && i < n; i++)
		if (!strcmp(list[i].name, name))
			id = list[i].id;
	return id;
}

static void do_connectors(struct seat *seat, char **word)
{
	g_autofree struct lease_connector *list = NULL;
	unsigned n = 0;

	if (card_open())
		list = lease_card_connectors(demo.card, &n, NULL);
	for (unsigned i = 0; list && i < n; i++)
		printf("connector %s %s %ux%u %s %s\n", list[i].name,
			list[i].connected ? "connected" : "-", list[i].width, list[i].height,
			list[i].edid.make, list[i].edid.model);
	printf("connectors %u\n", n);
}

static void do_lend(struct seat *seat, char **word)
{
	uint32_t ids[MAX_WORDS];
	g_autoptr(GError) error = NULL;
	struct kms_card *card = NULL;
	unsigned n = 0;
	int fd;

	if (!card_open())
		return;
	for (; word[n]; n++)
		ids[n] = connector_id(word[n]);
	if (lease_create(demo.card, ids, n, &fd, &seat->lessee, &error))
		card = kms_drm_new(fd, &error);
	if (!card) {
		printf("error %s\n", error->message);
		return;
	}
	screen_lease(seat->screen, card);
	printf("lent %s %u vblank=%d cursor=%u\n", seat->name, seat->lessee, card->caps.vblank,
		card->caps.cursor_width);
}

static void do_revoke(struct seat *seat, char **word)
{
	lease_revoke(demo.card, seat->lessee);
}

/* As when irorid dies: the master's file is closed. */
static void do_close(struct seat *seat, char **word)
{
	lease_card_free(demo.card);
	demo.card = NULL;
}

static void do_dark(struct seat *seat, char **word)
{
	if (card_open())
		printf("dark %d\n", lease_card_dark(demo.card));
}

/* A card that is no lease, as `irori-seat --card` has it. */
static void do_own(struct seat *seat, char **word)
{
	g_autoptr(GError) error = NULL;
	struct kms_card *card = kms_drm_open(demo.path, &error);

	if (!card) {
		printf("error %s\n", error->message);
		return;
	}
	screen_wish(seat->screen, (const char *const *)word, 0, 0);
	screen_lease(seat->screen, card);
}

static void do_return(struct seat *seat, char **word)
{
	screen_lease(seat->screen, NULL);
}

/* fill SEAT COLOUR [WIDTH HEIGHT]: by default as large as the monitor. */
static void do_fill(struct seat *seat, char **word)
{
	struct screen_monitor monitor = {.width = 640, .height = 480};
	uint32_t width, height;

	screen_monitor(seat->screen, 0, &monitor);
	width = word[0] && word[1] ? number(word[1]) : monitor.width;
	height = width != monitor.width && word[2] ? number(word[2]) : monitor.height;
	width = CLAMP(width, 1, SIDE);
	height = CLAMP(height, 1, SIDE);
	for (uint32_t i = 0; i < width * height; i++)
		seat->pixels[i] = colour(word[0]);
	seat->picture =
		(struct link_picture){1, width, height, width * 4, (const uint8_t *)seat->pixels};
	seat->frame.source = (struct rect){0, 0, width, height};
	show(seat, seat->frame.source);
}

static void do_box(struct seat *seat, char **word)
{
	struct rect part = {0, 0, 16, 16};

	if (!seat->picture.pixels || !word[0] || !word[1])
		return;
	part.x = MIN(number(word[0]), seat->picture.width - 16);
	part.y = MIN(number(word[1]), seat->picture.height - 16);
	for (uint32_t i = 0; i < 16 * 16; i++)
		seat->pixels[(part.y + i / 16) * seat->picture.width + part.x + i % 16] =
			colour(word[2]);
	show(seat, part);
}

static void do_run(struct seat *seat, char **word)
{
	seat->run_until = seat->frame.seq + number(word[0]);
	seat->run_since_ns = 0;
	show(seat, (struct rect){0, 0, 1, 1});
}

static void do_cursor(struct seat *seat, char **word)
{
	struct link_picture picture = {
		2, CURSOR, CURSOR, CURSOR * 4, (const uint8_t *)seat->cursor};
	struct link_cursor cursor = {.buffer = 2};

	if (!word[0] || !word[1]) {
		screen_cursor(seat->screen, NULL, NULL);
		return;
	}
	cursor.x = atoi(word[0]);
	cursor.y = atoi(word[1]);
	for (unsigned i = 0; word[2] && i < CURSOR * CURSOR; i++)
		seat->cursor[i] = 0xff000000 | colour(word[2]);
	screen_cursor(seat->screen, &cursor, &picture);
}

static void do_overlay(struct seat *seat, char **word)
{
	struct screen_overlay overlay = {.pixels = (const uint8_t *)seat->overlay};

	if (!word[0] || !word[1] || !word[2] || !word[3]) {
		screen_overlay(seat->screen, NULL, NULL);
		return;
	}
	overlay.x = atoi(word[0]);
	overlay.y = atoi(word[1]);
	overlay.width = CLAMP(number(word[2]), 1, SIDE);
	overlay.height = CLAMP(number(word[3]), 1, SIDE);
	overlay.stride = overlay.width * 4;
	for (uint32_t i = 0; i < overlay.width * overlay.height; i++)
		seat->overlay[i] = colour(word[4]);
	screen_overlay(seat->screen, &overlay, NULL);
}

static void do_blank(struct seat *seat, char **word)
{
	screen_blank(seat->screen, number(word[0]) != 0);
}

static void do_hotplug(struct seat *seat, char **word)
{
	screen_hotplug(seat->screen);
}

static void do_state(struct seat *seat, char **word)
{
	struct screen_monitor monitor = {0};

	screen_monitor(seat->screen, 0, &monitor);
	printf("state %s idle=%d monitors=%u %s %ux%u %ux%umm %s/%s/%s told=%d flipped=%d "
	       "lost=%u\n",
		seat->name, screen_idle(seat->screen), screen_monitors(seat->screen),
		monitor.connector, monitor.width, monitor.height, monitor.width_mm,
		monitor.height_mm, monitor.make, monitor.model, monitor.serial,
		(int)seat->frame.seq, (int)seat->flipped, seat->lost);
}

static const struct {
	const char *name;
	bool of_a_seat;
	void (*act)(struct seat *seat, char **word);
} verbs[] = {
	{"connectors", false, do_connectors},
	{"close", false, do_close},
	{"dark", false, do_dark},
	{"lend", true, do_lend},
	{"revoke", true, do_revoke},
	{"own", true, do_own},
	{"return", true, do_return},
	{"fill", true, do_fill},
	{"box", true, do_box},
	{"run", true, do_run},
	{"cursor", true, do_cursor},
	{"overlay", true, do_overlay},
	{"blank", true, do_blank},
	{"hotplug", true, do_hotplug},
	{"state", true, do_state},
};

static void obey(char *line)
{
	g_auto(GStrv) word = g_strsplit(g_strstrip(line), " ", MAX_WORDS);
	struct seat *seat = NULL;

	if (!word[0])
		return;
	for (unsigned i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (strcmp(verbs[i].name, word[0]))
			continue;
		if (verbs[i].of_a_seat && (!word[1] || !(seat = seat_find(word[1]))))
			break;
		verbs[i].act(seat, word + 1 + verbs[i].of_a_seat);
		printf("did %s\n", line);
		return;
	}
	printf("error no such command: %s\n", line);
}

static gboolean command(gint fd, GIOCondition condition, gpointer data)
{
	char line[256];

	while (fgets(line, sizeof(line), demo.commands))
		obey(line);
	clearerr(demo.commands);
	return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: kms-demo CARD FIFO\n");
		return 64;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	demo.path = argv[1];
	/* For writing too: it does not end when a writer leaves. */
	fd = open(argv[2], O_RDWR | O_CLOEXEC | O_NONBLOCK);
	demo.commands = fd < 0 ? NULL : fdopen(fd, "r");
	if (!demo.commands) {
		fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
		return 66;
	}
	g_unix_fd_add(fd, G_IO_IN, command, NULL);
	printf("ready\n");
	for (;;)
		g_main_context_iteration(NULL, TRUE);
}
