/*
 * For the tests of the seat link: a guest's end with a fake device and a fake owner behind it, and
 * seats that count what they see, all in one thread.
 */
#ifndef IRORI_TESTS_UNIT_LINK_FAKE_H
#define IRORI_TESTS_UNIT_LINK_FAKE_H

#include <errno.h>
#include <linux/input-event-codes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

#include "display/link_client.h"
#include "display/link_codec.h"
#include "display/link_server.h"
#include "tests/unit/test.h"

static inline int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* The fake device and the fake owner. */
static struct {
	uint64_t presented[64];
	int64_t vblank[64];
	unsigned n_presented;
	struct port_input input[256];
	unsigned n_input;
	size_t consumed, captured;
	unsigned presented_on[PORT_HEADS];
	struct port_size heads[PORT_HEADS];
	unsigned n_heads;
	unsigned verb, argument, classes_over;
} device;

static inline void on_presented(void *data, unsigned head, uint64_t seq, int64_t vblank_ns,
	int64_t period_ns)
{
	device.presented_on[head]++;
	device.presented[device.n_presented % 64] = seq;
	device.vblank[device.n_presented++ % 64] = vblank_ns;
}

static inline void on_resized(void *data, const struct port_size *heads, unsigned n)
{
	memcpy(device.heads, heads, n * sizeof(*heads));
	device.n_heads = n;
}

static inline void on_input(void *data, const struct port_input *events, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		device.input[device.n_input++ % 256] = events[i];
}

static inline void on_consumed(void *data, unsigned stream, size_t bytes)
{
	device.consumed += bytes;
}

static inline void on_captured(void *data, const void *pcm, size_t bytes)
{
	device.captured += bytes;
}

static const struct seat_port_events device_events = {
	.presented = on_presented,
	.resized = on_resized,
	.input = on_input,
	.audio_consumed = on_consumed,
	.audio_captured = on_captured,
};

static inline int on_request(void *data, enum link_verb verb, uint32_t argument)
{
	device.verb = verb;
	device.argument = argument;
	if (verb == LINK_VERB_CLASS)
		return argument == 3 ? 0 : argument == 2 ? -EPERM : -EINVAL;
	return verb == LINK_VERB_RESET ? 0 : -EPERM;
}

static inline void on_class_over(void *data)
{
	device.classes_over++;
}

static inline void on_stat_wanted(void *data, struct link_stat *stat)
{
	stat->pid = 4711;
	stat->n_exits = 1;
	strcpy(stat->exits[0].reason, "mmio");
	stat->exits[0].count = 9;
}

static const struct link_server_owner owner = {
	.request = on_request, .class_over = on_class_over, .stat = on_stat_wanted,
};

static GMainContext *context;
static struct link_server *server;
static struct seat_port *port;
static int picture_fd;

static inline void start(const char *path)
{
	struct link_server_config config = {
		.path = path, .name = "theater", .owner = &owner, .now = now,
	};

	memset(&device, 0, sizeof(device));
	context = g_main_context_new();
	server = link_server_new(context, &config, NULL);
	test_assert(server);
	port = link_server_port(server);
	link_server_set_events(server, &device_events, NULL);
	picture_fd = memfd_create("picture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	test_equal(ftruncate(picture_fd, 64 * 64 * 4), 0);
	test_equal(fcntl(picture_fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	test_equal(pwrite(picture_fd, "hearth", 6, 0), 6);
}

static inline void stop(void)
{
	link_server_free(server);
	g_main_context_unref(context);
	close(picture_fd);
}

static inline void pump(void)
{
	for (unsigned i = 0; i < 20; i++)
		g_main_context_iteration(context, FALSE);
}

static inline int64_t pump_ms(unsigned ms)
{
	int64_t start_ns = now();

	while (now() < start_ns + ms * 1000000ll) {
		g_main_context_iteration(context, FALSE);
		g_usleep(500);
	}
	return (now() - start_ns) / 1000000;
}

/* Up to five seconds: the host may be busy, and what is due must come nevertheless. */
#define pump_until(condition)                                                                      \
	do {                                                                                       \
		int64_t until = now() + 5000000000ll;                                              \
		while (!(condition) && now() < until) {                                            \
			g_main_context_iteration(context, FALSE);                                  \
			g_usleep(500);                                                             \
		}                                                                                  \
		test_assert(condition);                                                            \
	} while (0)

/* What must not have happened after so long; says nothing if the host took longer than `limit`. */
#define pump_not(ms, limit, condition)                                                             \
	do {                                                                                       \
		if (pump_ms(ms) < (limit))                                                         \
			test_assert(!(condition));                                                 \
	} while (0)

/* A seat that counts. */
struct seen {
	struct link_client *client;
	unsigned buffers, gone, frames, cursors, guests, replies, stats, starts, stops;
	size_t pcm;
	uint32_t leds;
	struct link_reply reply;
	struct link_stat stat;
	uint8_t first;
	const struct link_picture *picture;
};

static inline void seen_buffer(void *data, const struct link_picture *picture)
{
	((struct seen *)data)->buffers++;
}

static inline void seen_gone(void *data, const struct link_picture *picture)
{
	((struct seen *)data)->gone++;
}

static inline void seen_frame(void *data, const struct link_frame *frame,
	const struct link_picture *picture)
{
	struct seen *seen = data;

	seen->frames++;
	seen->picture = picture;
	if (picture)
		seen->first = picture->pixels[0];
}

static inline void seen_cursor(void *data, const struct link_cursor *cursor,
	const struct link_picture *picture)
{
	((struct seen *)data)->cursors++;
}

static inline void seen_leds(void *data, uint32_t leds)
{
	((struct seen *)data)->leds = leds;
}

static inline void seen_start(void *data, const struct link_audio_start *format)
{
	((struct seen *)data)->starts++;
}

static inline void seen_stop(void *data, unsigned stream)
{
	((struct seen *)data)->stops++;
}

static inline void seen_pcm(void *data, const void *pcm, size_t bytes)
{
	((struct seen *)data)->pcm += bytes;
}

static inline void seen_guest(void *data, const struct link_guest *guest)
{
	((struct seen *)data)->guests++;
}

static inline void seen_reply(void *data, const struct link_reply *reply)
{
	struct seen *seen = data;

	seen->replies++;
	seen->reply = *reply;
}

static inline void seen_stat(void *data, const struct link_stat *stat)
{
	struct seen *seen = data;

	seen->stats++;
	seen->stat = *stat;
}

static const struct link_client_events seen_events = {
	.buffer = seen_buffer,
	.buffer_gone = seen_gone,
	.frame = seen_frame,
	.cursor = seen_cursor,
	.leds = seen_leds,
	.audio_start = seen_start,
	.audio_stop = seen_stop,
	.audio_data = seen_pcm,
	.guest = seen_guest,
	.reply = seen_reply,
	.stat = seen_stat,
};

static inline void sit(struct seen *seen, uint32_t wants)
{
	int pair[2];

	memset(seen, 0, sizeof(*seen));
	test_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	test_equal(link_server_adopt(server, pair[0]), 0);
	seen->client = link_client_join(pair[1], wants, "tester", &seen_events, seen, NULL);
	test_assert(seen->client);
	pump();
	test_assert(link_client_dispatch(seen->client) > 0);
}

static inline void leave(struct seen *seen)
{
	link_client_free(seen->client);
	pump();
}

static inline void show_buffer(uint32_t id)
{
	struct port_buffer buffer = { id, picture_fd, 64, 64, 64 * 4 };

	test_equal(port->ops->buffer(port, &buffer), 0);
}

static inline void show_frame_on(unsigned head, uint64_t seq, uint32_t buffer)
{
	struct port_frame frame = {
		.head = head, .seq = seq, .buffer = buffer, .source = { 0, 0, 64, 64 },
		.damage = { 1, 2, 3, 4 }, .flush_ns = now(),
	};

	port->ops->frame(port, &frame);
}

static inline void show_frame(uint64_t seq, uint32_t buffer)
{
	show_frame_on(0, seq, buffer);
}

#endif
