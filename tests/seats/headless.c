/*
 * irori-seat without devices, for tests: its session and its control socket, on a card in memory whose
 * vblanks are 60 a second of real time, with hands that are commands on standard input.
 *
 *	seat-headless NAME [--socket PATH] [--size WxH] [--guest SOCKET]... [--server S --sink S --source S]
 *
 *	key CODE DOWN, press CODE, chord, move X Y (0..1), button CODE DOWN, wheel N
 *	plug W H       another monitor, or (0 0) none; plug2: a second one beside it
 *	dump PATH      what the monitor shows, as PPM; dump2: the second
 *	state          "state GUEST FLAGS WIDTH HEIGHT OUTPUTS VOLUME FLIPS"
 *	quit
 * "ok" follows each.
 */
#include <glib-unix.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "display/kms_fake.h"
#include "input/hands.h"
#include "seats/seat/control.h"
#include "seats/seat/overlay.h"
#include "seats/seat/session.h"

static struct {
	GMainLoop *loop;
	struct session *session;
	struct control *control;
	struct seat_hands *hands;
	struct kms_card *card;
	int keyboard, mouse;
} test;

static char *socket_path, *size = "1280x720", **guests, *server = "", *sink = "", *source = "";
static gboolean sound;

static const GOptionEntry entries[] = {
	{ "socket", 0, 0, G_OPTION_ARG_FILENAME, &socket_path, NULL, NULL },
	{ "size", 0, 0, G_OPTION_ARG_STRING, &size, NULL, NULL },
	{ "guest", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &guests, NULL, NULL },
	{ "server", 0, 0, G_OPTION_ARG_STRING, &server, NULL, NULL },
	{ "sink", 0, 0, G_OPTION_ARG_STRING, &sink, NULL, NULL },
	{ "source", 0, 0, G_OPTION_ARG_STRING, &source, NULL, NULL },
	{ "sound", 0, 0, G_OPTION_ARG_NONE, &sound, NULL, NULL },
	{ 0 },
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int send_irorid(void *data, uint16_t opcode, const void *body, size_t bytes)
{
	return test.control ? control_send(test.control, opcode, body, bytes) : -107;
}

static void on_begun(void *data, const struct wire_hello *hello)
{
	session_begun(test.session, hello);
}

static void on_message(void *data, struct wire_message *message)
{
	session_message(test.session, message);
}

static void on_ended(void *data, int why)
{
	session_ended(test.session);
}

static void on_grab(void *data, bool on, int64_t now_ns)
{
	seat_hands_grab(test.hands, on, now_ns);
}

static void on_screen(void *data, const struct seat_screen *screen)
{
	seat_hands_screen(test.hands, screen);
}

static void on_leds(void *data, uint32_t leds)
{
	printf("leds %u\n", leds);
	fflush(stdout);
}

static gboolean on_vblank(gpointer data)
{
	fake_card_vblank(test.card, now());
	return G_SOURCE_CONTINUE;
}

/* ---- hands ---- */

static void hand(int device, struct seat_event event)
{
	seat_hands_event(test.hands, (unsigned)device, &event, now());
	seat_hands_flush(test.hands, now());
	session_tick(test.session);
}

static void key(uint16_t code, bool down)
{
	hand(test.keyboard, (struct seat_event){ .type = SEAT_KEY, .code = code, .down = down });
}

static gboolean chord_over(gpointer data)
{
	key(KEY_LEFTCTRL, false);
	key(KEY_RIGHTCTRL, false);
	printf("ok\n");
	fflush(stdout);
	return G_SOURCE_REMOVE;
}

static void state(void)
{
	struct wire_state s;

	session_state(test.session, &s);
	printf("state %u %u %u %u %u %u %llu\n", s.guest, s.flags, s.width, s.height, s.outputs, s.volume,
		(unsigned long long)s.flips);
}

static void plug(const char *connector, unsigned width, unsigned height)
{
	fake_card_plug(test.card, connector, width, height, 60);
	screen_hotplug(session_screen(test.session));
}

static void dump(const char *connector, const char *path)
{
	if (!fake_card_write_ppm(test.card, connector, path))
		printf("dark\n");
}

static bool command(const char *line)
{
	unsigned a, b;
	double x, y;
	char path[512];
	int n;

	if (sscanf(line, "key %u %u", &a, &b) == 2) {
		key((uint16_t)a, b);
	} else if (sscanf(line, "press %u", &a) == 1) {
		key((uint16_t)a, true);
		key((uint16_t)a, false);
	} else if (strcmp(line, "chord") == 0) {
		key(KEY_LEFTCTRL, true);
		key(KEY_RIGHTCTRL, true);
		g_timeout_add(800, chord_over, NULL);
		return false;
	} else if (sscanf(line, "move %lf %lf", &x, &y) == 2) {
		hand(test.mouse, (struct seat_event){ .type = SEAT_MOTION_ABS, .x = x, .y = y });
	} else if (sscanf(line, "button %u %u", &a, &b) == 2) {
		hand(test.mouse, (struct seat_event){ .type = SEAT_BUTTON, .code = (uint16_t)a, .down = b });
	} else if (sscanf(line, "wheel %d", &n) == 1) {
		hand(test.mouse, (struct seat_event){ .type = SEAT_WHEEL, .y = 120.0 * n });
	} else if (sscanf(line, "plug2 %u %u", &a, &b) == 2) { /* before "plug", which it begins with */
		plug("HDMI-A-2", a, b);
	} else if (sscanf(line, "plug %u %u", &a, &b) == 2) {
		plug("HDMI-A-1", a, b);
	} else if (sscanf(line, "dump2 %511s", path) == 1) {
		dump("HDMI-A-2", path);
	} else if (sscanf(line, "dump %511s", path) == 1) {
		dump("HDMI-A-1", path);
	} else if (strcmp(line, "state") == 0) {
		state();
	} else if (strcmp(line, "quit") == 0) {
		g_main_loop_quit(test.loop);
	} else {
		printf("what?\n");
	}
	return true;
}

static gboolean on_input(gint fd, GIOCondition condition, gpointer data)
{
	static char line[600];
	static size_t len;
	char c;

	while (read(fd, &c, 1) == 1) {
		if (c != '\n') {
			if (len < sizeof(line) - 1)
				line[len++] = c;
			continue;
		}
		line[len] = '\0';
		len = 0;
		if (command(line))
			printf("ok\n");
		fflush(stdout);
		return G_SOURCE_CONTINUE;
	}
	g_main_loop_quit(test.loop);
	return G_SOURCE_REMOVE;
}

/* ---- the process ---- */

static void make_card(void)
{
	struct fake_connector connectors[] = {
		{ .name = "HDMI-A-1", .possible_crtcs = 3, .refresh = 60 },
		{ .name = "HDMI-A-2", .possible_crtcs = 3 }, /* nothing is plugged in */
	};
	struct fake_card_config config = { .connectors = connectors, .n_connectors = 2, .n_crtcs = 2,
		.cursors = true, .vblank = true };

	if (sscanf(size, "%ux%u", &connectors[0].width, &connectors[0].height) != 2)
		exit(64);
	test.card = fake_card_new(&config);
	screen_lease(session_screen(test.session), test.card);
}

static const struct control_events control_events = { on_begun, on_message, on_ended };
static const struct session_devices devices = { on_grab, on_screen, on_leds };

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new("NAME");
	const struct session_config config = { .name = "test", .audio = &audio_pulse,
		.devices = &devices, .send = send_irorid, .now = now };

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, NULL))
		return 64;
	test.loop = g_main_loop_new(NULL, FALSE);
	overlay_prepare();
	test.session = session_new(&config);
	test.hands = seat_hands_new(session_router(test.session), &session_hands, test.session);
	test.keyboard = seat_hands_plug(test.hands, 1, SEAT_HAS_KEYBOARD);
	test.mouse = seat_hands_plug(test.hands, 2, SEAT_HAS_POINTER);
	make_card();
	if (socket_path)
		test.control = control_new(socket_path, &control_events, NULL, NULL);
	for (unsigned i = 0; guests && guests[i]; i++) {
		g_autofree char *name = g_path_get_basename(guests[i]);

		session_add_guest(test.session, name, guests[i]);
	}
	if (sound)
		session_sound(test.session, server, sink, source, 70);
	g_timeout_add(16, on_vblank, NULL);
	g_unix_fd_add(0, G_IO_IN | G_IO_HUP, on_input, NULL);
	printf("ready\n");
	fflush(stdout);
	g_main_loop_run(test.loop);
	control_free(test.control);
	seat_hands_free(test.hands);
	session_free(test.session);
	g_main_loop_unref(test.loop);
	return 0;
}
