/*
 * Both ends of the seat link, in one process: the guest's end with a fake device behind it, seats on
 * socket pairs.
 */
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

static int64_t now(void)
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
	uint32_t width, height;
	unsigned verb, argument;
} device;

static void on_presented(void *data, uint64_t seq, int64_t vblank_ns, int64_t period_ns)
{
	device.presented[device.n_presented % 64] = seq;
	device.vblank[device.n_presented++ % 64] = vblank_ns;
}

static void on_resized(void *data, uint32_t width, uint32_t height)
{
	device.width = width;
	device.height = height;
}

static void on_input(void *data, const struct port_input *events, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		device.input[device.n_input++ % 256] = events[i];
}

static void on_consumed(void *data, unsigned stream, size_t bytes)
{
	device.consumed += bytes;
}

static void on_captured(void *data, const void *pcm, size_t bytes)
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

static int on_request(void *data, enum link_verb verb, uint32_t argument)
{
	device.verb = verb;
	device.argument = argument;
	return verb == LINK_VERB_RESET ? 0 : -EPERM;
}

static void on_stat_wanted(void *data, struct link_stat *stat)
{
	stat->pid = 4711;
	stat->n_exits = 1;
	strcpy(stat->exits[0].reason, "mmio");
	stat->exits[0].count = 9;
}

static const struct link_server_owner owner = { .request = on_request, .stat = on_stat_wanted };

static GMainContext *context;
static struct link_server *server;
static struct seat_port *port;
static int picture_fd;

static void start(const char *path)
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

static void stop(void)
{
	link_server_free(server);
	g_main_context_unref(context);
	close(picture_fd);
}

static void pump(void)
{
	for (unsigned i = 0; i < 20; i++)
		g_main_context_iteration(context, FALSE);
}

static int64_t pump_ms(unsigned ms)
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

static void seen_buffer(void *data, const struct link_picture *picture)
{
	((struct seen *)data)->buffers++;
}

static void seen_gone(void *data, const struct link_picture *picture)
{
	((struct seen *)data)->gone++;
}

static void seen_frame(void *data, const struct link_frame *frame,
	const struct link_picture *picture)
{
	struct seen *seen = data;

	seen->frames++;
	seen->picture = picture;
	if (picture)
		seen->first = picture->pixels[0];
}

static void seen_cursor(void *data, const struct link_cursor *cursor,
	const struct link_picture *picture)
{
	((struct seen *)data)->cursors++;
}

static void seen_leds(void *data, uint32_t leds)
{
	((struct seen *)data)->leds = leds;
}

static void seen_start(void *data, const struct link_audio_start *format)
{
	((struct seen *)data)->starts++;
}

static void seen_stop(void *data, unsigned stream)
{
	((struct seen *)data)->stops++;
}

static void seen_pcm(void *data, const void *pcm, size_t bytes)
{
	((struct seen *)data)->pcm += bytes;
}

static void seen_guest(void *data, const struct link_guest *guest)
{
	((struct seen *)data)->guests++;
}

static void seen_reply(void *data, const struct link_reply *reply)
{
	struct seen *seen = data;

	seen->replies++;
	seen->reply = *reply;
}

static void seen_stat(void *data, const struct link_stat *stat)
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

static void sit(struct seen *seen, uint32_t wants)
{
	int pair[2];

	memset(seen, 0, sizeof(*seen));
	test_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	test_equal(link_server_adopt(server, pair[0]), 0);
	seen->client = link_client_adopt(pair[1], wants, "tester", &seen_events, seen, NULL);
	test_assert(seen->client);
	pump();
	test_assert(link_client_dispatch(seen->client) > 0);
}

static void leave(struct seen *seen)
{
	link_client_free(seen->client);
	pump();
}

static void show_buffer(uint32_t id)
{
	struct port_buffer buffer = { id, picture_fd, 64, 64, 64 * 4 };

	test_equal(port->ops->buffer(port, &buffer), 0);
}

static void show_frame(uint64_t seq, uint32_t buffer)
{
	struct port_frame frame = {
		.seq = seq, .buffer = buffer, .source = { 0, 0, 64, 64 },
		.damage = { 1, 2, 3, 4 }, .flush_ns = now(),
	};

	port->ops->frame(port, &frame);
}

static void welcome_tells_what_was_granted(void)
{
	struct seen first, second;

	start(NULL);
	sit(&first, LINK_WANT_CLOCK | LINK_WANT_SINK | LINK_WANT_INPUT | 1u << 31);
	test_equal(link_client_granted(first.client), LINK_WANT_CLOCK | LINK_WANT_DISPLAY |
		LINK_WANT_SINK | LINK_WANT_AUDIO | LINK_WANT_INPUT);
	test_assert(!strcmp(link_client_guest_name(first.client), "theater"));
	sit(&second, LINK_WANT_CLOCK | LINK_WANT_SINK);
	test_equal(link_client_granted(second.client), LINK_WANT_DISPLAY | LINK_WANT_AUDIO);
	leave(&first);
	leave(&second);
	test_equal(link_server_seats(server), 0);
	sit(&second, LINK_WANT_CLOCK);
	test_equal(link_client_granted(second.client), LINK_WANT_CLOCK | LINK_WANT_DISPLAY);
	leave(&second);
	stop();
}

static void state_is_replayed(void)
{
	struct port_audio_format format = { 48000, 2, 1920 };
	struct seen seat;

	start(NULL);
	show_buffer(7);
	show_buffer(8);
	show_frame(1, 7);
	port->ops->cursor(port, 8, 5, 6, 0, 0);
	port->ops->leds(port, 2);
	port->ops->audio_start(port, 0, &format);
	sit(&seat, LINK_WANT_DISPLAY | LINK_WANT_INPUT | LINK_WANT_AUDIO);
	test_equal(seat.buffers, 2);
	test_equal(seat.frames, 1);
	test_equal(seat.first, 'h');
	test_equal(link_client_frame(seat.client, NULL)->damage.width, 64); /* all is new to it */
	test_equal(seat.cursors, 1);
	test_equal(seat.leds, 2);
	test_equal(seat.starts, 1);
	show_frame(2, 0);
	port->ops->buffer_gone(port, 7);
	port->ops->buffer_gone(port, 7);
	port->ops->buffer_gone(port, 0);
	link_client_dispatch(seat.client);
	test_equal(seat.frames, 2);
	test_assert(!seat.picture);
	test_equal(seat.gone, 1);
	test_assert(!link_client_picture(seat.client, 7));
	test_assert(link_client_picture(seat.client, 8));
	leave(&seat);
	stop();
}

static void only_what_was_wanted(void)
{
	struct port_audio_format format = { 48000, 2, 1920 };
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_CONTROL);
	show_buffer(1);
	show_frame(1, 1);
	port->ops->leds(port, 1);
	port->ops->audio_start(port, 0, &format);
	port->ops->audio_write(port, "abcd", 4);
	link_client_dispatch(seat.client);
	test_equal(seat.buffers + seat.frames + seat.leds + seat.starts + seat.pcm, 0);
	test_equal(seat.guests, 1);
	leave(&seat);
	stop();
}

static void bad_buffers_are_refused(void)
{
	struct port_buffer buffer = { 1, picture_fd, 64, 65, 256 };

	start(NULL);
	buffer.fd = picture_fd;
	test_equal(port->ops->buffer(port, &buffer), -EINVAL); /* larger than its memory */
	buffer.height = 64;
	test_equal(port->ops->buffer(port, &buffer), 0);
	test_equal(port->ops->buffer(port, &buffer), -EINVAL); /* twice */
	for (buffer.id = 2; buffer.id <= LINK_MAX_BUFFERS; buffer.id++)
		test_equal(port->ops->buffer(port, &buffer), 0);
	test_equal(port->ops->buffer(port, &buffer), -ENOSPC);
	stop();
}

static void clock_seat_presents(void)
{
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_CLOCK);
	show_buffer(1);
	for (uint64_t seq = 1; seq <= 3; seq++)
		show_frame(seq, 1);
	pump();
	test_equal(device.n_presented, 0); /* it is the seat's to say */
	link_client_dispatch(seat.client);
	test_equal(seat.frames, 3);
	test_equal(link_client_presented(seat.client, 2, 1234, 16), 0);
	pump();
	test_equal(device.n_presented, 2);
	test_equal(device.presented[0], 1);
	test_equal(device.presented[1], 2);
	test_equal(device.vblank[1], 1234);
	link_client_presented(seat.client, 2, 1235, 16); /* once each */
	pump();
	test_equal(device.n_presented, 2);
	link_client_presented(seat.client, 3, 1236, 16);
	pump();
	test_equal(device.n_presented, 3);
	link_client_presented(seat.client, 4, 1237, 16); /* was never sent: nonsense */
	pump();
	test_equal(link_server_seats(server), 0);
	leave(&seat);
	stop();
}

static void null_clock_is_even(void)
{
	int64_t first;

	start(NULL);
	show_buffer(1);
	for (uint64_t seq = 1; seq <= 12; seq++) {
		show_frame(seq, 1);
		while (device.n_presented < seq)
			g_main_context_iteration(context, TRUE);
		test_equal(device.presented[seq - 1], seq);
	}
	first = device.vblank[0];
	for (unsigned i = 1; i < 12; i++) {
		int64_t ticks = (device.vblank[i] - first) * 60 + 500000000ll;

		/* On the grid of 1/60 s, give or take a rounding, whatever the host did. */
		test_assert(llabs(ticks % 1000000000ll - 500000000ll) < 1000);
		test_assert(device.vblank[i] > device.vblank[i - 1]);
	}
	stop();
}

static void null_clock_stands_in(void)
{
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_CLOCK);
	show_buffer(1);
	show_frame(1, 1);
	pump_not(60, 90, device.n_presented);
	pump_until(device.n_presented == 1);
	show_frame(2, 1); /* it dozes: no second wait of 100 ms */
	pump_until(device.n_presented == 2);
	link_client_presented(seat.client, 1, 99, 16); /* awake, though late */
	pump();
	show_frame(3, 1);
	pump_not(40, 90, device.n_presented != 2);
	leave(&seat); /* and gone: the frame does not wait for it */
	pump_until(device.n_presented == 3);
	stop();
}

static const struct port_input key_down[] = {
	{ INPUT_KEYBOARD, EV_KEY, KEY_A, 1 }, { INPUT_KEYBOARD, EV_SYN, SYN_REPORT, 0 },
};
static const struct port_input key_up[] = {
	{ INPUT_KEYBOARD, EV_KEY, KEY_A, 0 }, { INPUT_KEYBOARD, EV_SYN, SYN_REPORT, 0 },
};

static void type(struct seen *seat, const struct port_input *report)
{
	test_equal(link_client_input(seat->client, report, 2), 0);
	pump();
}

static void held_keys_are_released(void)
{
	struct seen a, b;

	start(NULL);
	sit(&a, LINK_WANT_INPUT);
	sit(&b, LINK_WANT_INPUT);
	type(&a, key_down);
	test_equal(device.n_input, 2);
	type(&a, key_down); /* no news */
	type(&b, key_down);
	test_equal(device.n_input, 2);
	leave(&a); /* b still holds it */
	test_equal(device.n_input, 2);
	leave(&b);
	test_equal(device.n_input, 4);
	test_equal(device.input[2].code, KEY_A);
	test_equal(device.input[2].value, 0);
	test_equal(device.input[3].type, EV_SYN);
	stop();
}

static void reset_forgets_held_keys(void)
{
	struct seen a;

	start(NULL);
	sit(&a, LINK_WANT_INPUT);
	type(&a, key_down);
	link_server_set_state(server, LINK_GUEST_RESETTING, 1);
	pump();
	type(&a, key_up); /* the new guest has never heard of it */
	test_equal(device.n_input, 2);
	leave(&a);
	test_equal(device.n_input, 2);
	stop();
}

static void mixed_reports_keep_their_shape(void)
{
	const struct port_input burst[] = {
		{ INPUT_KEYBOARD, EV_KEY, KEY_B, 0 }, { INPUT_KEYBOARD, EV_SYN, SYN_REPORT, 0 },
		{ INPUT_TABLET, EV_ABS, ABS_X, 100 }, { INPUT_TABLET, EV_ABS, ABS_Y, 200 },
		{ INPUT_TABLET, EV_SYN, SYN_REPORT, 0 },
	};
	struct seen a;

	start(NULL);
	sit(&a, LINK_WANT_INPUT);
	test_equal(link_client_input(a.client, burst, 4), -EINVAL); /* no SYN at its end */
	test_equal(link_client_input(a.client, burst, 5), 0);
	pump();
	test_equal(device.n_input, 3); /* a release of what is not held says nothing */
	test_equal(device.input[0].type, EV_ABS);
	test_equal(device.input[2].type, EV_SYN);
	leave(&a);
	stop();
}

static void what_was_not_granted_ends_it(void)
{
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_DISPLAY);
	link_client_input(seat.client, key_down, 2);
	pump();
	test_equal(device.n_input, 0);
	test_equal(link_server_seats(server), 0);
	while (link_client_dispatch(seat.client) >= 0)
		;
	test_equal(link_client_dispatch(seat.client), -EPIPE);
	test_equal(link_client_wait(seat.client, 1000), -EPIPE);
	leave(&seat);
	stop();
}

static void hello_comes_first(void)
{
	int pair[2];

	start(NULL);
	test_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	link_server_adopt(server, pair[0]);
	test_equal(link_send(pair[1], LINK_STAT, NULL, 0, -1), 0);
	pump();
	test_equal(link_server_seats(server), 0);
	close(pair[1]);
	stop();
}

static void seats_are_bounded(void)
{
	int pair[LINK_SERVER_MAX_SEATS + 1][2];

	start(NULL);
	for (unsigned i = 0; i <= LINK_SERVER_MAX_SEATS; i++) {
		test_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair[i]), 0);
		test_equal(link_server_adopt(server, pair[i][0]),
			i < LINK_SERVER_MAX_SEATS ? 0 : -EBUSY);
	}
	for (unsigned i = 0; i <= LINK_SERVER_MAX_SEATS; i++)
		close(pair[i][1]);
	pump();
	test_equal(link_server_seats(server), 0);
	stop();
}

static void slow_seat_is_dropped(void)
{
	struct seen slow, quick;

	start(NULL);
	sit(&slow, LINK_WANT_DISPLAY);
	sit(&quick, LINK_WANT_DISPLAY);
	show_buffer(1);
	for (uint64_t seq = 1; seq < 5000; seq++) {
		show_frame(seq, 1);
		link_client_dispatch(quick.client);
	}
	pump();
	test_equal(link_server_seats(server), 1);
	test_equal(quick.frames, 4999);
	leave(&slow);
	leave(&quick);
	stop();
}

static void state_and_first_frames(void)
{
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_CONTROL);
	show_buffer(1);
	show_frame(1, 1);
	link_server_set_state(server, LINK_GUEST_RESETTING, 1);
	pump();
	show_frame(2, 0);
	link_client_dispatch(seat.client);
	test_equal(link_client_guest(seat.client)->state, LINK_GUEST_RESETTING);
	test_equal(link_client_guest(seat.client)->reboots, 1);
	show_frame(3, 1);
	link_client_stat(seat.client);
	pump();
	link_client_dispatch(seat.client);
	test_equal(link_client_guest(seat.client)->state, LINK_GUEST_RUNNING);
	test_equal(seat.stats, 1);
	test_equal(seat.stat.frames, 3);
	test_equal(seat.stat.pid, 4711);
	test_assert(seat.stat.first_frame_ns && seat.stat.first_frame_ns <= seat.stat.reset_ns);
	test_assert(seat.stat.reset_ns <= seat.stat.reset_frame_ns);
	leave(&seat);
	stop();
}

static void requests_are_answered(void)
{
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_CONTROL | LINK_WANT_DISPLAY);
	link_client_request(seat.client, LINK_VERB_RESET, 3, 77);
	link_client_resize(seat.client, 1024, 768);
	pump();
	link_client_dispatch(seat.client);
	test_equal(device.verb, LINK_VERB_RESET);
	test_equal(device.argument, 3);
	test_equal(seat.reply.cookie, 77);
	test_equal(seat.reply.result, 0);
	test_equal(device.width, 1024);
	link_client_request(seat.client, 99, 0, 78);
	pump();
	link_client_dispatch(seat.client);
	test_equal(seat.reply.result, -EINVAL);
	test_equal(seat.replies, 2);
	leave(&seat);
	stop();
}

static void sound_by_the_null_clock(void)
{
	struct port_audio_format format = { 48000, 2, 1920 }; /* 10 ms */
	static const uint8_t pcm[1920 * 5];

	start(NULL);
	port->ops->audio_start(port, 0, &format);
	port->ops->audio_start(port, 1, &format);
	port->ops->audio_write(port, pcm, sizeof(pcm));
	pump_not(4, 9, device.consumed);
	pump_until(device.captured >= 1920 * 10);
	test_equal(device.captured % 1920, 0);
	pump_ms(30);
	test_equal(device.consumed, sizeof(pcm)); /* every byte, and no more */
	port->ops->audio_write(port, pcm, sizeof(pcm));
	port->ops->audio_stop(port, 0);
	port->ops->audio_stop(port, 1);
	pump_ms(60);
	test_equal(device.consumed, sizeof(pcm));
	stop();
}

static void sound_by_the_sink(void)
{
	struct port_audio_format format = { 48000, 2, 1920 };
	static const uint8_t pcm[1920];
	struct seen sink;

	start(NULL);
	sit(&sink, LINK_WANT_SINK);
	port->ops->audio_start(port, 0, &format);
	for (unsigned i = 0; i < 4; i++)
		port->ops->audio_write(port, pcm, sizeof(pcm));
	pump_not(40, 100, device.consumed); /* it is the sink's to say */
	link_client_dispatch(sink.client);
	test_equal(sink.pcm, 4 * 1920);
	link_client_audio_consumed(sink.client, 0, 2000);
	pump();
	test_assert(device.consumed >= 2000);
	pump_until(device.consumed == 4 * 1920); /* it dozes: the null clock goes on */
	link_client_audio_consumed(sink.client, 0, 4 * 1920 - 2000); /* late, counted once */
	pump();
	test_equal(device.consumed, 4 * 1920);
	port->ops->audio_write(port, pcm, sizeof(pcm));
	link_client_audio_consumed(sink.client, 0, 1u << 31); /* more than there is */
	pump();
	test_equal(device.consumed, 5 * 1920);
	port->ops->audio_write(port, pcm, sizeof(pcm));
	leave(&sink);
	pump_until(device.consumed == 6 * 1920);
	stop();
}

static void microphone(void)
{
	struct port_audio_format format = { 48000, 1, 960 };
	struct seen mic;

	start(NULL);
	sit(&mic, LINK_WANT_MIC);
	link_client_audio_captured(mic.client, "abcd", 4);
	pump();
	test_equal(device.captured, 0); /* nobody records */
	port->ops->audio_start(port, 1, &format);
	link_client_audio_captured(mic.client, "abcd", 4);
	pump();
	test_equal(device.captured, 4);
	leave(&mic);
	stop();
}

static void listens_where_it_should(void)
{
	char *folder = g_dir_make_tmp("irori-link-XXXXXX", NULL);
	char *path = g_build_filename(folder, "deep", "guest.sock", NULL);
	char *deep = g_path_get_dirname(path);
	struct link_server_config config = { .path = path, .name = "other", .now = now };
	struct link_client *client;
	GError *error = NULL;
	struct stat st;

	test_assert(!link_client_connect(path, 0, "x", NULL, NULL, &error));
	g_clear_error(&error);
	start(path);
	test_equal(stat(path, &st), 0);
	test_equal(st.st_mode & 07777, 0600);
	test_equal(stat(deep, &st), 0);
	test_equal(st.st_mode & 07777, 0700);
	client = link_client_connect(path, LINK_WANT_DISPLAY, "x", NULL, NULL, NULL);
	test_assert(client);
	pump();
	test_equal(link_client_wait(client, 1000), 2);
	test_assert(!link_server_new(context, &config, &error)); /* somebody answers there */
	test_assert(strstr(error->message, "another process"));
	g_clear_error(&error);
	link_client_free(client);
	stop();
	test_assert(stat(path, &st) < 0);

	/* Left behind by a process that was killed. */
	start(path);
	{
		char *saved = g_strconcat(path, ".saved", NULL);

		test_equal(link(path, saved), 0);
		stop();
		test_equal(rename(saved, path), 0);
		g_free(saved);
	}
	start(path);
	stop();

	/* Not ours to remove. */
	test_assert(g_file_set_contents(path, "dear diary", -1, NULL));
	test_assert(!link_server_new(NULL, &config, &error));
	g_clear_error(&error);
	test_equal(stat(path, &st), 0);
	unlink(path);
	rmdir(deep);
	rmdir(folder);
	g_free(deep);
	g_free(path);
	g_free(folder);
}

/* The client's checks, against a guest that is not to be trusted. */
static struct link_client *bad_guest(int *guest, struct seen *seen)
{
	struct link_welcome welcome = { .version = LINK_VERSION };
	int pair[2];

	memset(seen, 0, sizeof(*seen));
	test_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	*guest = pair[0];
	seen->client = link_client_adopt(pair[1], 0, "x", &seen_events, seen, NULL);
	test_equal(link_send(*guest, LINK_WELCOME, &welcome, sizeof(welcome), -1), 0);
	test_equal(link_client_dispatch(seen->client), 1);
	return seen->client;
}

static void client_refuses(uint16_t opcode, const void *body, size_t size, int fd)
{
	struct seen seen;
	int guest;
	struct link_client *client = bad_guest(&guest, &seen);

	test_equal(link_send(guest, opcode, body, size, fd), 0);
	test_equal(link_client_dispatch(client), -EPROTO);
	link_client_free(client);
	close(guest);
}

static void client_does_not_trust(void)
{
	struct link_buffer buffer = { 1, 64, 64, 256 };
	struct link_frame frame = { .seq = 1, .buffer = 1, .source = { 0, 0, 64, 64 } };
	struct link_cursor cursor = { .buffer = 3 };
	struct link_welcome welcome = { .version = LINK_VERSION };
	struct link_client *client;
	struct seen seen;
	int guest, open_fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	start(NULL);
	test_equal(ftruncate(open_fd, 64 * 256), 0);
	client_refuses(LINK_BUFFER, &buffer, sizeof(buffer), open_fd); /* it could shrink */
	buffer.height = 65;
	client_refuses(LINK_BUFFER, &buffer, sizeof(buffer), picture_fd); /* past its end */
	buffer.height = 64;
	client_refuses(LINK_BUFFER, &buffer, sizeof(buffer), STDIN_FILENO);
	client_refuses(LINK_FRAME, &frame, sizeof(frame), -1); /* unknown buffer */
	client_refuses(LINK_CURSOR, &cursor, sizeof(cursor), -1);
	client_refuses(LINK_WELCOME, &welcome, sizeof(welcome), -1); /* twice */

	client = bad_guest(&guest, &seen);
	test_equal(link_send(guest, LINK_BUFFER, &buffer, sizeof(buffer), picture_fd), 0);
	test_equal(link_client_dispatch(client), 1);
	frame.source.x = UINT32_MAX; /* + 64 would wrap */
	test_equal(link_send(guest, LINK_FRAME, &frame, sizeof(frame), -1), 0);
	test_equal(link_client_dispatch(client), -EPROTO);
	link_client_free(client);
	close(guest);
	close(open_fd);
	stop();
}

int main(void)
{
	test_run(welcome_tells_what_was_granted);
	test_run(state_is_replayed);
	test_run(only_what_was_wanted);
	test_run(bad_buffers_are_refused);
	test_run(clock_seat_presents);
	test_run(null_clock_is_even);
	test_run(null_clock_stands_in);
	test_run(held_keys_are_released);
	test_run(reset_forgets_held_keys);
	test_run(mixed_reports_keep_their_shape);
	test_run(what_was_not_granted_ends_it);
	test_run(hello_comes_first);
	test_run(seats_are_bounded);
	test_run(slow_seat_is_dropped);
	test_run(state_and_first_frames);
	test_run(requests_are_answered);
	test_run(sound_by_the_null_clock);
	test_run(sound_by_the_sink);
	test_run(microphone);
	test_run(listens_where_it_should);
	test_run(client_does_not_trust);
	return 0;
}
