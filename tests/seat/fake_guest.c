/*
 * A guest without a machine: the real link server with a fake device behind it, for tests of seats.
 *
 *	fake-guest SOCKET NAME [WIDTH HEIGHT]
 *
 * Commands, a line each, on standard input; "ok" follows on standard output.
 *	frame N       show pattern N: pixel (x, y) is b = x + N, g = y, r = (x / 16) ^ (y / 16), mod 256
 *	patch N X Y W H  the same, only in this rectangle (damage)
 *	animate N     a new pattern at each vblank from now on; N frames (0: stop)
 *	scene         a picture for people to look at
 *	size W H      a new buffer of that size, pattern 0
 *	on N          what follows is of the guest's head N (0 at first); give it a size first
 *	off           the scanout is off
 *	reset, running, crash   the guest's state
 *	tone, silence a 1 kHz tone of 48000 Hz stereo
 *	leds N
 *	quit
 * Input arrives as lines: "input DEVICE TYPE CODE VALUE"; a client's wish for sizes as "resize W H [W H]...".
 */
#include "display/link_server.h"

#include <glib-unix.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static struct fake_head {
	struct port_buffer buffer;
	uint32_t *pixels;
	uint64_t seq;
} heads[PORT_HEADS];

static struct fake {
	GMainLoop *loop;
	struct link_server *server;
	struct seat_port *port;
	struct fake_head *head;
	unsigned animate, reboots, number;
	unsigned buffers;
	double tone_phase;
	bool tone;
	unsigned line_len;
	char line[256];
} fake;

enum { TONE_PERIOD = 4800 * 4 / 10 }; /* bytes: 10 ms of S16 stereo */

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void say(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void present(struct rect damage)
{
	struct port_frame frame = {
		.seq = ++fake.head->seq,
		.head = (uint32_t)(fake.head - heads),
		.buffer = fake.head->buffer.id,
		.source = {0, 0, fake.head->buffer.width, fake.head->buffer.height},
		.damage = damage,
		.flush_ns = now(),
	};

	fake.port->ops->frame(fake.port, &frame);
}

static void present_all(void)
{
	present((struct rect){0, 0, fake.head->buffer.width, fake.head->buffer.height});
}

static void paint(unsigned number, struct rect r)
{
	for (uint32_t y = r.y; y < r.y + r.height; y++)
		for (uint32_t x = r.x; x < r.x + r.width; x++)
			fake.head->pixels[y * fake.head->buffer.width + x] = ((x / 16 ^ y / 16) & 255) << 16 |
				(y & 255) << 8 | ((x + number) & 255);
}

/* A sky at dusk over hills: something to look at. */
static void paint_scene(void)
{
	uint32_t w = fake.head->buffer.width, h = fake.head->buffer.height;
	double sun_x = w * 0.56, sun_y = h * 0.42;

	for (uint32_t y = 0; y < h; y++)
		for (uint32_t x = 0; x < w; x++) {
			double t = (double)y / h, d = hypot(x - sun_x, y - sun_y) / h;
			double glow = exp(-d * 4), ridge = 0.62 + 0.06 * sin(x * 6.0 / w + 1) +
				0.02 * sin(x * 31.0 / w);
			double red = 40 + 190 * t + 160 * glow, green = 34 + 90 * t + 120 * glow;
			double blue = 80 + 40 * t + 30 * glow;

			if (d < 0.06)
				red = 255, green = 214, blue = 140;
			if (t > ridge)
				red = 34, green = 28, blue = 48;
			if (t > ridge + 0.13 + 0.05 * sin(x * 9.0 / w))
				red = 20, green = 17, blue = 30;
			fake.head->pixels[y * w + x] = (uint32_t)CLAMP(red, 0, 255) << 16 |
				(uint32_t)CLAMP(green, 0, 255) << 8 | (uint32_t)CLAMP(blue, 0, 255);
		}
}

static void new_buffer(uint32_t width, uint32_t height)
{
	size_t bytes = (size_t)width * height * 4;
	uint32_t old = fake.head->buffer.id;
	int fd = memfd_create("fake-guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)bytes) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		perror("fake-guest: memfd");
		exit(1);
	}
	fake.head->pixels = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	fake.head->buffer = (struct port_buffer){++fake.buffers, fd, width, height, width * 4};
	paint(0, (struct rect){0, 0, width, height});
	if (fake.port->ops->buffer(fake.port, &fake.head->buffer))
		exit(1);
	present_all();
	if (old)
		fake.port->ops->buffer_gone(fake.port, old);
}

static void write_tone(void)
{
	int16_t pcm[TONE_PERIOD / 2];

	for (unsigned i = 0; i < TONE_PERIOD / 4; i++) {
		pcm[2 * i] = pcm[2 * i + 1] = (int16_t)(12000 * sin(fake.tone_phase));
		fake.tone_phase = fmod(fake.tone_phase + 2 * G_PI * 1000 / 48000, 2 * G_PI);
	}
	fake.port->ops->audio_write(fake.port, pcm, sizeof(pcm));
}

static void command_audio(bool on)
{
	struct port_audio_format format = {48000, 2, TONE_PERIOD};

	if (on) {
		fake.port->ops->audio_start(fake.port, 0, &format);
		for (unsigned i = 0; i < 4; i++)
			write_tone();
	} else {
		fake.port->ops->audio_stop(fake.port, 0);
	}
	fake.tone = on;
}

static void off(void)
{
	struct port_frame frame = {.seq = ++fake.head->seq, .head = (uint32_t)(fake.head - heads),
		.flush_ns = now()};

	fake.port->ops->frame(fake.port, &frame);
}

static bool command(const char *line)
{
	unsigned a, b, x, y, w, h;

	if (sscanf(line, "frame %u", &a) == 1) {
		paint(a, (struct rect){0, 0, fake.head->buffer.width, fake.head->buffer.height});
		present_all();
	} else if (sscanf(line, "patch %u %u %u %u %u", &a, &x, &y, &w, &h) == 5) {
		paint(a, (struct rect){x, y, w, h});
		present((struct rect){x, y, w, h});
	} else if (sscanf(line, "animate %u", &a) == 1) {
		fake.animate = a;
		present_all();
	} else if (sscanf(line, "size %u %u", &a, &b) == 2) {
		new_buffer(a, b);
	} else if (sscanf(line, "on %u", &a) == 1 && a < PORT_HEADS) {
		fake.head = &heads[a];
	} else if (sscanf(line, "leds %u", &a) == 1) {
		fake.port->ops->leds(fake.port, a);
	} else if (!strcmp(line, "scene")) {
		paint_scene();
		present_all();
	} else if (!strcmp(line, "off")) {
		off();
	} else if (!strcmp(line, "reset")) {
		link_server_set_state(fake.server, LINK_GUEST_RESETTING, ++fake.reboots);
	} else if (!strcmp(line, "running")) {
		link_server_set_state(fake.server, LINK_GUEST_RUNNING, fake.reboots);
	} else if (!strcmp(line, "crash")) {
		link_server_set_state(fake.server, LINK_GUEST_CRASHED, fake.reboots);
	} else if (!strcmp(line, "tone") || !strcmp(line, "silence")) {
		command_audio(*line == 't');
	} else if (!strcmp(line, "quit")) {
		g_main_loop_quit(fake.loop);
	} else {
		return false;
	}
	return true;
}

static gboolean on_stdin(gint fd, GIOCondition condition, gpointer data)
{
	char c;

	if (read(fd, &c, 1) != 1) {
		g_main_loop_quit(fake.loop);
		return G_SOURCE_REMOVE;
	}
	if (c != '\n') {
		if (fake.line_len < sizeof(fake.line) - 1)
			fake.line[fake.line_len++] = c;
		return G_SOURCE_CONTINUE;
	}
	fake.line[fake.line_len] = '\0';
	fake.line_len = 0;
	say(command(fake.line) ? "ok" : "what?");
	return G_SOURCE_CONTINUE;
}

static void on_presented(void *data, unsigned head, uint64_t seq, int64_t vblank_ns, int64_t period_ns)
{
	if (!fake.animate || head != fake.head - heads || seq != fake.head->seq)
		return;
	fake.animate--;
	paint(++fake.number, (struct rect){0, 0, fake.head->buffer.width, fake.head->buffer.height});
	present_all();
}

static void on_resized(void *data, const struct port_size *sizes, unsigned n)
{
	g_autoptr(GString) text = g_string_new("resize");

	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(text, " %u %u", sizes[i].width, sizes[i].height);
	say("%s", text->str);
}

static void on_input(void *data, const struct port_input *events, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		say("input %u %u %u %d", events[i].device, events[i].type, events[i].code,
			events[i].value);
}

static void on_audio_consumed(void *data, unsigned stream, size_t bytes)
{
	if (stream == 0 && fake.tone)
		write_tone();
}

static const struct seat_port_events events = {
	.presented = on_presented,
	.resized = on_resized,
	.input = on_input,
	.audio_consumed = on_audio_consumed,
};

int main(int argc, char **argv)
{
	struct link_server_config config = {.now = now};
	g_autoptr(GError) error = NULL;

	if (argc != 3 && argc != 5) {
		fprintf(stderr, "usage: fake-guest SOCKET NAME [WIDTH HEIGHT]\n");
		return 64;
	}
	config.path = argv[1];
	config.name = argv[2];
	fake.head = heads;
	fake.loop = g_main_loop_new(NULL, FALSE);
	fake.server = link_server_new(NULL, &config, &error);
	if (!fake.server) {
		fprintf(stderr, "fake-guest: %s\n", error->message);
		return 1;
	}
	fake.port = link_server_port(fake.server);
	link_server_set_events(fake.server, &events, &fake);
	link_server_set_state(fake.server, LINK_GUEST_RUNNING, 0);
	new_buffer(argc == 5 ? (uint32_t)atoi(argv[3]) : 640, argc == 5 ? (uint32_t)atoi(argv[4]) : 360);
	g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP, on_stdin, NULL);
	say("ready");
	g_main_loop_run(fake.loop);
	link_server_free(fake.server);
	return 0;
}
