/*
 * Whose clock it is. A frame waits until the clock seat says it was shown, sound until the sink says
 * it was heard; where there is no such seat, or it dozes, a clock of our own says so instead. Both
 * run on absolute times, so that they do not drift.
 */
#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "display/link_server_priv.h"

#define NULL_HZ 60
#define PATIENCE_NS (LINK_SERVER_PATIENCE_MS * NS_PER_MS)

static void timer_set(int timer, int64_t ns, int64_t interval_ns)
{
	struct itimerspec spec = {
		.it_value = { ns / NS_PER_S, ns % NS_PER_S },
		.it_interval = { interval_ns / NS_PER_S, interval_ns % NS_PER_S },
	};

	timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static uint64_t timer_take(int timer)
{
	uint64_t ticks = 0;

	return read(timer, &ticks, sizeof(ticks)) == sizeof(ticks) ? ticks : 0;
}

static int timer_new(struct link_server *server, GUnixFDSourceFunc fired, void *data,
	GSource **source, int *timer)
{
	*timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (*timer < 0)
		return -errno;
	*source = g_unix_fd_source_new(*timer, G_IO_IN);
	g_source_set_callback(*source, G_SOURCE_FUNC(fired), data, NULL);
	g_source_set_priority(*source, G_PRIORITY_HIGH);
	g_source_attach(*source, server->context);
	return 0;
}

static void timer_clear(GSource **source, int timer)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_source_unref(*source);
	*source = NULL;
	close(timer);
}

/* Frames */

/* Tick n lies at base + n / 60 s: dividing late keeps it from drifting. */
static int64_t null_tick_after(const struct frame_clock *clock, int64_t now)
{
	int64_t n = (now - clock->base_ns) * NULL_HZ / NS_PER_S;
	int64_t tick;

	do
		tick = clock->base_ns + ++n * NS_PER_S / NULL_HZ;
	while (tick <= now);
	return tick;
}

static bool clock_is_null(const struct frame_clock *clock)
{
	return !clock->seat || clock->dozes;
}

static void clock_arm(struct frame_clock *clock)
{
	int64_t at = 0; /* disarmed */

	if (clock->sent != clock->presented)
		at = clock_is_null(clock) ? null_tick_after(clock, clock->server->now()) :
			clock->waiting_ns + PATIENCE_NS;
	timer_set(clock->timer, at, 0);
}

static void clock_present(struct frame_clock *clock, uint64_t seq, int64_t vblank_ns,
	int64_t period_ns)
{
	struct link_server *server = clock->server;
	unsigned head = (unsigned)(clock - server->clock);
	bool moved = clock->presented < seq;

	/* The device may send further frames from within; those wait for the next vblank. */
	while (clock->presented < seq) {
		clock->presented++;
		if (server->events && server->events->presented)
			server->events->presented(server->device, head, clock->presented,
				vblank_ns, period_ns);
	}
	/* Who says the same again and again does not hold up what waits. */
	if (moved && clock->sent != clock->presented)
		clock->waiting_ns = server->now();
	clock_arm(clock);
}

static gboolean clock_fired(gint fd, GIOCondition condition, gpointer data)
{
	struct frame_clock *clock = data;
	int64_t now = clock->server->now();

	/* Armed again meanwhile: there is nothing to take. */
	if (!timer_take(fd) || clock->sent == clock->presented)
		return G_SOURCE_CONTINUE;
	if (clock_is_null(clock)) {
		int64_t period = NS_PER_S / NULL_HZ;

		clock_present(clock, clock->sent, null_tick_after(clock, now) - period, period);
		return G_SOURCE_CONTINUE;
	}
	if (now >= clock->waiting_ns + PATIENCE_NS) {
		clock->dozes = true;
		/* The 1st, 2nd, 4th, ... time: a seat cannot flood the log. */
		clock->dozed++;
		if ((clock->dozed & (clock->dozed - 1)) == 0)
			g_message("seat \"%s\" does not say what it shows; frames go on without "
				"it (%u so far)", clock->seat->name, clock->dozed);
	}
	clock_arm(clock);
	return G_SOURCE_CONTINUE;
}

void clock_frame_sent(struct frame_clock *clock, uint64_t seq)
{
	if (clock->sent == clock->presented)
		clock->waiting_ns = clock->server->now();
	clock->sent = seq;
	clock_arm(clock);
}

int clock_presented(struct link_server *server, const struct link_presented *presented)
{
	struct frame_clock *clock = &server->clock[presented->head];

	if (clock->seat != server->clock_seat || presented->seq > clock->sent)
		return -EPROTO;
	if (clock->dozes)
		g_debug("seat \"%s\" is back", clock->seat->name);
	clock->dozes = false;
	clock_present(clock, presented->seq, presented->vblank_ns, presented->period_ns);
	return 0;
}

void clock_seat_changed(struct link_server *server, struct link_seat *seat, uint32_t granted)
{
	server->clock_seat = seat;
	for (unsigned i = 0; i < PORT_HEADS; i++) {
		struct frame_clock *clock = &server->clock[i];

		clock->seat = i == 0 || (granted & LINK_WANT_HEADS) ? seat : NULL;
		clock->dozes = false;
		/* A seat that has just come gets its time from now on. */
		clock->waiting_ns = server->now();
		clock_arm(clock);
	}
}

/* Sound */

static void audio_tell_consumed(struct link_server *server, size_t bytes)
{
	if (bytes && server->events && server->events->audio_consumed)
		server->events->audio_consumed(server->device, 0, bytes);
}

static bool audio_is_null(const struct audio_clock *audio)
{
	return !audio->seat || audio->dozes;
}

/* The seat had its turn for a tick and the patience besides. */
static void audio_watch(struct link_server *server, struct audio_clock *audio, int64_t now)
{
	if (audio_is_null(audio) || now < audio->heard_ns + audio->step_ns + PATIENCE_NS)
		return;
	g_debug("seat \"%s\" has no sound; the null clock stands in", audio->seat->name);
	audio->dozes = true;
}

static void playback_tick(struct link_server *server, uint64_t ticks)
{
	struct audio_clock *audio = &server->audio[0];
	size_t budget = audio->step * MIN(ticks, 8);
	size_t n = MIN(budget, audio->pending_null), late;

	audio->pending_null -= n;
	if (audio->pending_seat)
		audio_watch(server, audio, server->now());
	if (audio->dozes) {
		late = MIN(budget - n, audio->pending_seat);
		audio->pending_seat -= late;
		audio->debt += late;
		n += late;
	}
	audio_tell_consumed(server, n);
}

static void capture_tick(struct link_server *server, uint64_t ticks)
{
	static const uint8_t silence[PORT_MAX_PCM];
	struct audio_clock *audio = &server->audio[1];

	audio_watch(server, audio, server->now());
	if (!audio_is_null(audio) || !server->events || !server->events->audio_captured)
		return;
	for (ticks = MIN(ticks, 8); ticks && audio->running; ticks--)
		server->events->audio_captured(server->device, silence, audio->step);
}

static gboolean playback_fired(gint fd, GIOCondition condition, gpointer data)
{
	struct link_server *server = data;
	uint64_t ticks = timer_take(fd);

	if (ticks && server->audio[0].running)
		playback_tick(server, ticks);
	return G_SOURCE_CONTINUE;
}

static gboolean capture_fired(gint fd, GIOCondition condition, gpointer data)
{
	struct link_server *server = data;
	uint64_t ticks = timer_take(fd);

	if (ticks && server->audio[1].running)
		capture_tick(server, ticks);
	return G_SOURCE_CONTINUE;
}

void audio_clock_start(struct link_server *server, unsigned stream)
{
	struct audio_clock *audio = &server->audio[stream];
	uint64_t frame = audio->format.channels * 2u;
	uint64_t bytes_s = (uint64_t)audio->format.rate * frame;
	uint64_t step = audio->format.period_bytes;

	/* Steps of 2 ms at least and of one message at most, whatever the guest calls a period. */
	step = MAX(step, bytes_s / 500);
	step = MIN(step, PORT_MAX_PCM);
	step = MAX(step / frame, 1) * frame;
	audio->step = step;
	audio->step_ns = (int64_t)(step * NS_PER_S / bytes_s);
	audio->running = true;
	audio->dozes = false;
	audio->pending_seat = audio->debt = 0;
	audio->heard_ns = server->now();
	timer_set(audio->timer, audio->heard_ns + audio->step_ns, audio->step_ns);
}

void audio_clock_stop(struct link_server *server, unsigned stream)
{
	struct audio_clock *audio = &server->audio[stream];

	audio->running = false;
	audio->pending_null = audio->pending_seat = audio->debt = 0;
	timer_set(audio->timer, 0, 0);
}

void audio_clock_written(struct link_server *server, size_t bytes)
{
	struct audio_clock *audio = &server->audio[0];

	if (!audio->seat || !audio->running) {
		audio->pending_null += bytes;
		return;
	}
	if (!audio->pending_seat)
		audio->heard_ns = server->now();
	audio->pending_seat += bytes;
}

void audio_clock_consumed(struct link_server *server, size_t bytes)
{
	struct audio_clock *audio = &server->audio[0];
	size_t paid = MIN(bytes, audio->debt), n;

	if (!bytes)
		return; /* no sign of life */
	audio->dozes = false;
	audio->heard_ns = server->now();
	audio->debt -= paid;
	/* More than it was given: a report from before a stop that crossed it. */
	n = MIN(bytes - paid, audio->pending_seat);
	audio->pending_seat -= n;
	audio_tell_consumed(server, n);
}

void audio_clock_captured(struct link_server *server, const void *pcm, size_t bytes)
{
	struct audio_clock *audio = &server->audio[1];

	audio->dozes = false;
	audio->heard_ns = server->now();
	if (audio->running && server->events && server->events->audio_captured)
		server->events->audio_captured(server->device, pcm, bytes);
}

void audio_clock_seat_changed(struct link_server *server, unsigned stream, struct link_seat *seat)
{
	struct audio_clock *audio = &server->audio[stream];

	audio->seat = seat;
	audio->dozes = false;
	audio->heard_ns = server->now();
	audio->pending_null += audio->pending_seat;
	audio->pending_seat = audio->debt = 0;
}

int clocks_init(struct link_server *server)
{
	int r = 0;

	for (unsigned i = 0; i < PORT_HEADS && !r; i++) {
		struct frame_clock *clock = &server->clock[i];

		clock->server = server;
		clock->base_ns = server->now();
		r = timer_new(server, clock_fired, clock, &clock->source, &clock->timer);
	}
	if (!r)
		r = timer_new(server, playback_fired, server, &server->audio[0].source,
			&server->audio[0].timer);
	if (!r)
		r = timer_new(server, capture_fired, server, &server->audio[1].source,
			&server->audio[1].timer);
	return r;
}

void clocks_clear(struct link_server *server)
{
	for (unsigned i = 0; i < PORT_HEADS; i++)
		timer_clear(&server->clock[i].source, server->clock[i].timer);
	for (unsigned i = 0; i < PORT_MAX_STREAMS; i++)
		timer_clear(&server->audio[i].source, server->audio[i].timer);
}
