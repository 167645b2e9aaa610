/*
 * A seat's sound at a guest's seat link, both real, with devices that play to nobody: who is the
 * clock, what happens when the guest or the device goes away.
 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audio/fake.h"
#include "audio/seat_sound.h"
#include "display/link_server.h"
#include "display/link_client.h"
#include "display/packet.h"

static struct {
	char *folder, *path;
	GMainContext *context;
	struct link_server *server;
	size_t consumed, captured;
} guest;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void guest_consumed(void *device, unsigned stream, size_t bytes)
{
	guest.consumed += bytes;
}

static void guest_captured(void *device, const void *pcm, size_t bytes)
{
	guest.captured += bytes;
}

static void guest_up(void)
{
	static const struct seat_port_events events = {
		.audio_consumed = guest_consumed,
		.audio_captured = guest_captured,
	};
	struct link_server_config config = { .path = guest.path, .name = "guest", .now = now };

	guest.server = link_server_new(guest.context, &config, NULL);
	test_assert(guest.server);
	link_server_set_events(guest.server, &events, NULL);
	guest.consumed = 0;
}

static void guest_down(void)
{
	link_server_free(guest.server);
	guest.server = NULL;
}

static void guest_play(void)
{
	static const struct port_audio_format format = { 48000, 2, 1920 };
	struct seat_port *port = link_server_port(guest.server);
	static uint8_t pcm[7680];

	port->ops->audio_start(port, 0, &format);
	port->ops->audio_write(port, pcm, sizeof(pcm));
}

typedef bool (*condition)(struct seat_sound *sound);

/* Turns the guest's loop until it is so; ten seconds at most, for slow machines. */
static void until(struct seat_sound *sound, condition holds, const char *what)
{
	int64_t end = now() + 10000000000ll;

	while (!holds(sound)) {
		if (now() > end) {
			fprintf(stderr, "waited in vain: %s\n", what);
			exit(1);
		}
		while (g_main_context_iteration(guest.context, FALSE))
			;
		g_usleep(1000);
	}
}

static bool is_clock(struct seat_sound *sound)
{
	struct seat_sound_stat stat;

	seat_sound_stat(sound, &stat);
	return stat.clock;
}

static bool is_alone(struct seat_sound *sound)
{
	struct seat_sound_stat stat;

	seat_sound_stat(sound, &stat);
	return !stat.guest;
}

static bool has_consumed(struct seat_sound *sound)
{
	return guest.consumed == 7680;
}

static bool has_silence(struct seat_sound *sound)
{
	return guest.captured > 0;
}

static struct seat_sound *sound_up(const struct audio_ops *ops)
{
	struct seat_sound_config config = {
		.guest = guest.path,
		.name = "den",
		.ops = ops,
		.audio = { .volume = 100 },
		.now = now,
	};
	struct seat_sound *sound = seat_sound_new(&config, NULL);

	test_assert(sound);
	return sound;
}

static void test_is_the_guests_clock(void)
{
	struct seat_sound *sound;
	struct seat_sound_stat stat;

	guest_up();
	sound = sound_up(&audio_null);
	until(sound, is_clock, "the seat is the clock");
	guest_play();
	until(sound, has_consumed, "all consumed");
	seat_sound_stat(sound, &stat);
	test_equal(stat.connections, 1);
	test_assert(!stat.recording);
	seat_sound_free(sound);
	guest_down();
}

static void test_guest_goes_and_comes(void)
{
	struct seat_sound *sound = sound_up(&audio_null); /* before there is a guest */

	g_usleep(20000);
	guest_up();
	until(sound, is_clock, "the seat is the clock");
	guest_down();
	until(sound, is_alone, "the guest is gone");
	guest_up();
	until(sound, is_clock, "the seat is the clock again");
	guest_play();
	until(sound, has_consumed, "all consumed");
	seat_sound_free(sound);
	guest_down();
}

static struct {
	gint asked;
	bool gives, sent;
} owner;

static void owner_ask(void *data)
{
	g_atomic_int_inc(&owner.asked);
}

/* As its owner is given it. */
static int owner_link(void)
{
	int fd = packet_connect(guest.path);

	if (fd >= 0)
		test_equal(link_client_greet(fd, SEAT_SOUND_WANTS, "den"), 0);
	return fd;
}

/* Its owner answers from its own thread, as a seat does. */
static bool owner_turn(struct seat_sound *sound)
{
	if (owner.gives && g_atomic_int_get(&owner.asked)) {
		int fd = owner_link();

		g_atomic_int_set(&owner.asked, 0);
		if (fd >= 0)
			seat_sound_link(sound, fd);
	}
	return is_clock(sound);
}

static bool owner_takes_the_newer(struct seat_sound *sound)
{
	struct seat_sound_stat stat;

	seat_sound_stat(sound, &stat);
	if (stat.connections == 1 && !owner.sent) {
		owner.sent = true;
		seat_sound_link(sound, owner_link());
	}
	return stat.connections == 2 && stat.guest && link_server_seats(guest.server) == 1;
}

static bool owner_is_asked_twice(struct seat_sound *sound)
{
	return g_atomic_int_get(&owner.asked) > 1;
}

static bool guest_is_left(struct seat_sound *sound)
{
	return link_server_seats(guest.server) == 0;
}

/* One that opens nothing has its connections from its owner. */
static void test_asks_its_owner(void)
{
	struct seat_sound_config config = { .guest = "mika", .name = "den", .ops = &audio_null,
		.audio = { .volume = 100 }, .now = now, .ask = owner_ask };
	struct seat_sound *sound = seat_sound_new(&config, NULL);
	int kept;

	guest_up();
	until(sound, owner_is_asked_twice, "asked again");
	test_assert(is_alone(sound));
	owner.gives = true;
	until(sound, owner_turn, "the seat is the clock");
	guest_play();
	until(sound, has_consumed, "all consumed");
	/* Asked for twice: the newer one counts. And what was another guest's does not, though somebody else has it too. */
	until(sound, owner_takes_the_newer, "the newer one");
	owner.gives = false;
	kept = owner_link();
	seat_sound_link(sound, fcntl(kept, F_DUPFD_CLOEXEC, 0));
	seat_sound_guest(sound, "jun");
	until(sound, guest_is_left, "the guest is left");
	until(sound, owner_is_asked_twice, "asked for the other");
	test_assert(is_alone(sound));
	guest_down();
	owner.gives = true;
	guest_up();
	until(sound, owner_turn, "the other has it");
	seat_sound_guest(sound, NULL);
	until(sound, guest_is_left, "left");
	close(kept);
	seat_sound_free(sound);
	guest_down();
}

/* A device that is never ready is never offered; when it fails, the guest has its null clock. */
static void test_no_device_no_clock(void)
{
	struct seat_sound *sound;

	guest_up();
	sound = sound_up(&audio_fake);
	guest_play();
	until(sound, has_consumed, "consumed by the null clock");
	test_assert(is_alone(sound));
	test_equal(link_server_seats(guest.server), 0);
	/* Its thread may be slower than the guest. */
	for (unsigned i = 0; i < 5000 && !fake_audio_last(); i++)
		g_usleep(1000);
	fake_audio_ready(fake_audio_last());
	until(sound, is_clock, "the device is there");
	fake_audio_fail(fake_audio_last(), "pulled out");
	until(sound, is_alone, "the device is gone");
	guest.consumed = 0;
	guest_play();
	until(sound, has_consumed, "consumed by the null clock");
	seat_sound_free(sound);
	guest_down();
}

/* A guest that records hears silence while nobody has granted it a microphone. */
static void test_closed_microphone_is_silence(void)
{
	static const struct port_audio_format format = { 48000, 1, 960 };
	struct seat_sound *sound;
	struct seat_port *port;

	guest_up();
	sound = sound_up(&audio_null);
	until(sound, is_clock, "the seat is the clock");
	guest.captured = 0;
	port = link_server_port(guest.server);
	port->ops->audio_start(port, 1, &format);
	until(sound, has_silence, "silence");
	seat_sound_free(sound);
	guest_down();
}

static gint messages;

static void count_message(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
	g_atomic_int_inc(&messages);
}

static bool is_settled(struct seat_sound *sound)
{
	return guest.consumed == 4;
}

/* Formats are the guest's word, as often as it likes. */
static void test_odd_formats_do_not_flood_the_log(void)
{
	struct port_audio_format format = { 5512, 1, 512 };
	guint handler = g_log_set_handler("irori-sound", G_LOG_LEVEL_MESSAGE, count_message, NULL);
	struct seat_sound *sound;
	struct seat_port *port;

	guest_up();
	sound = sound_up(&audio_null);
	until(sound, is_clock, "the seat is the clock");
	messages = 0;
	port = link_server_port(guest.server);
	for (unsigned i = 0; i < 100; i++) {
		format.rate = 5512 + i;
		port->ops->audio_start(port, 0, &format);
		port->ops->audio_start(port, 1, &format);
		port->ops->audio_stop(port, 0);
		port->ops->audio_stop(port, 1);
	}
	format.rate = 48000;
	port->ops->audio_start(port, 0, &format);
	port->ops->audio_write(port, "hush", 4);
	until(sound, is_settled, "the seat has heard it all");
	test_assert(g_atomic_int_get(&messages) <= 1);
	seat_sound_free(sound);
	guest_down();
	g_log_remove_handler("irori-sound", handler);
}

int main(void)
{
	guest.folder = g_dir_make_tmp("irori-sound-XXXXXX", NULL);
	guest.path = g_build_filename(guest.folder, "guest.sock", NULL);
	guest.context = g_main_context_new();
	test_run(test_is_the_guests_clock);
	test_run(test_guest_goes_and_comes);
	test_run(test_asks_its_owner);
	test_run(test_no_device_no_clock);
	test_run(test_closed_microphone_is_silence);
	test_run(test_odd_formats_do_not_flood_the_log);
	g_main_context_unref(guest.context);
	g_rmdir(guest.folder);
	g_free(guest.path);
	g_free(guest.folder);
	return 0;
}
