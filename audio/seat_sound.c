/*
 * The sound of a seat: one loop over three descriptors (the guest's link, the sink's, a wake-up from
 * the setters) and two retry clocks.
 */
#define G_LOG_DOMAIN "irori-sound"

#include "audio/seat_sound.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "display/link_client.h"
#include "display/packet.h"

#define MS 1000000ll

enum {
	RETRY_GUEST_MS = 250,
	RETRY_FIRST_MS = 100, /* for the device */
	RETRY_LAST_MS = 4000,
	RETRY_EAGER = 40,     /* tries before they become rare: a server's restart takes a moment */
	OWED_RETRY_MS = 5, /* the guest's queue was full */
};

struct retry {
	int64_t at; /* ns; 0: at once */
	unsigned ms, tries;
};

struct seat_sound {
	char *name;
	char *server, *sink_name, *source_name, *stream_name;
	const struct audio_ops *ops;
	struct audio_config audio;
	void (*ask)(void *data);
	void *ask_data;
	int64_t (*now)(void);
	GThread *thread;
	int wake;

	/* the thread's */
	struct sink *sink;
	bool ready;         /* the sink's device is there */
	bool sink_over, link_over;
	char *guest;        /* NULL: nobody */
	struct link_client *link;
	struct retry sink_retry;
	int64_t link_retry_ns;
	uint64_t owed;      /* consumed, not yet told */

	GMutex lock; /* what follows */
	bool quit, changed;
	bool microphone;
	char *next_guest;   /* that was asked for */
	bool moved;         /* and it is another */
	int next_link;      /* a connection to it that has come; -1: none */
	struct seat_sound_stat stat;
};

static void retry_later(struct retry *retry, int64_t now)
{
	bool eager = retry->tries++ < RETRY_EAGER;

	retry->ms = eager ? RETRY_FIRST_MS : MIN(retry->ms * 2, RETRY_LAST_MS);
	retry->at = now + retry->ms * MS;
}

static void retry_clear(struct retry *retry)
{
	*retry = (struct retry){ 0 };
}

/* Logged and kept once for each new trouble, not once for each try. */
static void sound_trouble(struct seat_sound *sound, const char *why)
{
	g_mutex_lock(&sound->lock);
	if (strcmp(sound->stat.trouble, why)) {
		g_message("%s: %s", sound->name, *why ? why : "the device is there");
		g_strlcpy(sound->stat.trouble, why, sizeof(sound->stat.trouble));
	}
	g_mutex_unlock(&sound->lock);
}

/* ---- the device ---- */

static void sound_ready(void *user)
{
	struct seat_sound *sound = user;

	sound->ready = true;
	retry_clear(&sound->sink_retry);
	sound_trouble(sound, "");
}

static void sound_consumed(void *user, size_t bytes)
{
	struct seat_sound *sound = user;

	if (sound->link && (link_client_granted(sound->link) & LINK_WANT_SINK))
		sound->owed += bytes;
}

static void sound_captured(void *user, const void *pcm, size_t bytes)
{
	struct seat_sound *sound = user;

	/* A guest whose queue is full loses a moment of the microphone. */
	if (sound->link && (link_client_granted(sound->link) & LINK_WANT_MIC))
		link_client_audio_captured(sound->link, pcm, bytes);
}

static void sound_failed(void *user, const char *why)
{
	struct seat_sound *sound = user;

	sound_trouble(sound, why);
	sound->sink_over = true;
}

static const struct sink_events sound_sink_events = {
	.ready = sound_ready,
	.consumed = sound_consumed,
	.captured = sound_captured,
	.failed = sound_failed,
};

static void sound_open_sink(struct seat_sound *sound, int64_t now)
{
	GError *error = NULL;

	if (sound->sink || now < sound->sink_retry.at)
		return;
	g_mutex_lock(&sound->lock);
	sound->changed = true; /* the new one learns the settings */
	g_mutex_unlock(&sound->lock);
	sound->sink = sink_new(sound->ops, &sound->audio, &sound_sink_events, sound, &error);
	if (sound->sink)
		return;
	sound_trouble(sound, error->message);
	g_clear_error(&error);
	retry_later(&sound->sink_retry, now);
}

static void sound_close_sink(struct seat_sound *sound)
{
	g_clear_pointer(&sound->sink, sink_free);
	sound->ready = false;
	sound->sink_over = false;
}

/* ---- the guest ---- */

static void sound_welcome(void *data, const struct link_welcome *welcome)
{
	struct seat_sound *sound = data;

	g_debug("%s: at %s%s", sound->name, welcome->name,
		welcome->granted & LINK_WANT_SINK ? ", whose clock we are" : "");
}

static void sound_start(void *data, const struct link_audio_start *start)
{
	struct seat_sound *sound = data;
	struct audio_format format = { .rate = start->rate, .channels = start->channels };
	int result;

	if (start->stream == 0)
		sound->owed = 0;
	result = start->stream == 0 ? sink_start(sound->sink, &format)
				    : sink_capture_start(sound->sink, &format);
	if (result == 0)
		return;
	/* Guests can do this as often as they like. */
	sound_trouble(sound, "a stream of the guest's is none that this device can carry");
	g_debug("%s: stream %u of %u Hz, %u channels: %s", sound->name, start->stream, start->rate,
		start->channels, g_strerror(-result));
}

static void sound_stop(void *data, unsigned stream)
{
	struct seat_sound *sound = data;

	if (stream != 0)
		return sink_capture_stop(sound->sink);
	sink_stop(sound->sink, sound->now());
	sound->owed = 0;
}

static void sound_data(void *data, const void *pcm, size_t bytes)
{
	struct seat_sound *sound = data;

	sink_write(sound->sink, pcm, bytes);
}

static const struct link_client_events sound_link_events = {
	.welcome = sound_welcome,
	.audio_start = sound_start,
	.audio_stop = sound_stop,
	.audio_data = sound_data,
};

/* A connection that was asked for and has come; -1: none. One to the guest that we have yet to move to waits. */
static int sound_take_link(struct seat_sound *sound)
{
	int fd = -1;

	g_mutex_lock(&sound->lock);
	if (!sound->moved) {
		fd = sound->next_link;
		sound->next_link = -1;
	}
	g_mutex_unlock(&sound->lock);
	return fd;
}

/* NULL: nobody is there, or its owner is asked. */
static struct link_client *sound_connect(struct seat_sound *sound, int64_t now)
{
	struct link_client *link = NULL;
	GError *error = NULL;

	sound->link_retry_ns = now + RETRY_GUEST_MS * MS;
	if (sound->ask) {
		sound->ask(sound->ask_data);
		return NULL;
	}
	link = link_client_connect(sound->guest, SEAT_SOUND_WANTS, sound->name, &sound_link_events,
		sound, &error);
	if (!link)
		g_debug("%s: %s", sound->name, error->message);
	g_clear_error(&error);
	return link;
}

static void sound_close_link(struct seat_sound *sound, int64_t now)
{
	g_clear_pointer(&sound->link, link_client_free);
	sound->link_over = false;
	sound->owed = 0;
	if (!sound->sink)
		return;
	sink_stop(sound->sink, now);
	sink_capture_stop(sound->sink);
}

/* Only with a device that is there: the sink is the guest's clock from then on. */
static void sound_open_link(struct seat_sound *sound, int64_t now)
{
	int fd = sound_take_link(sound);

	if (!sound->guest || !sound->ready) {
		if (fd >= 0)
			packet_hang_up(fd);
		return;
	}
	if (fd >= 0) {
		sound_close_link(sound, now); /* a newer one is given in place of it */
		sound->link = link_client_adopt(fd, SEAT_SOUND_WANTS, &sound_link_events, sound);
	} else {
		if (sound->link || now < sound->link_retry_ns)
			return;
		sound->link = sound_connect(sound, now);
		if (!sound->link)
			return;
	}
	g_mutex_lock(&sound->lock);
	sound->stat.connections++;
	g_mutex_unlock(&sound->lock);
}

static void sound_pay(struct seat_sound *sound)
{
	uint32_t bytes = MIN(sound->owed, UINT32_MAX);

	if (!bytes || !sound->link)
		return;
	if (link_client_audio_consumed(sound->link, 0, bytes) == 0)
		sound->owed -= bytes;
}

/* ---- the loop ---- */

/* To another guest, while the device stays as it is. */
static void sound_move(struct seat_sound *sound, int64_t now)
{
	bool moved, microphone;

	g_mutex_lock(&sound->lock);
	moved = sound->moved;
	sound->moved = false;
	microphone = sound->microphone;
	if (moved) {
		g_free(sound->guest);
		sound->guest = g_strdup(sound->next_guest);
	}
	g_mutex_unlock(&sound->lock);
	if (!moved)
		return;
	sound_close_link(sound, now);
	if (sound->sink)
		sink_grant(sound->sink, microphone); /* what the old guest had is not the new one's */
	sound->link_retry_ns = 0;
}

static void sound_apply(struct seat_sound *sound)
{
	bool changed, microphone;
	unsigned volume;

	g_mutex_lock(&sound->lock);
	changed = sound->changed && sound->sink;
	if (changed)
		sound->changed = false;
	microphone = sound->microphone;
	volume = sound->audio.volume;
	g_mutex_unlock(&sound->lock);
	if (!changed)
		return;
	sink_volume(sound->sink, volume);
	sink_grant(sound->sink, microphone);
}

static void sound_publish(struct seat_sound *sound)
{
	struct sink_stat stat = { 0 };
	uint32_t granted = sound->link ? link_client_granted(sound->link) : 0;

	if (sound->sink)
		sink_stat(sound->sink, &stat);
	g_mutex_lock(&sound->lock);
	sound->stat.sink = stat;
	sound->stat.device = sound->ready;
	sound->stat.guest = granted != 0;
	sound->stat.clock = granted & LINK_WANT_SINK;
	sound->stat.recording = sound->sink && sink_recording(sound->sink);
	g_mutex_unlock(&sound->lock);
}

static int sound_sooner(int ms, int other)
{
	return ms < 0 || (other >= 0 && other < ms) ? other : ms;
}

static int sound_until(int64_t at, int64_t now)
{
	return at <= now ? 0 : (int)((at - now) / MS) + 1;
}

static int sound_timeout(const struct seat_sound *sound, int sink_ms, int64_t now)
{
	int ms = sink_ms;

	if (!sound->sink)
		ms = sound_sooner(ms, sound_until(sound->sink_retry.at, now));
	else if (sound->ready && sound->guest && !sound->link)
		ms = sound_sooner(ms, sound_until(sound->link_retry_ns, now));
	if (sound->owed)
		ms = sound_sooner(ms, OWED_RETRY_MS);
	return ms;
}

static void sound_wait(struct seat_sound *sound, int ms)
{
	struct pollfd fds[] = {
		{ .fd = sound->wake, .events = POLLIN },
		{ .fd = sound->sink ? sink_fd(sound->sink) : -1, .events = POLLIN },
		{ .fd = sound->link ? link_client_fd(sound->link) : -1, .events = POLLIN },
	};
	uint64_t count;

	if (poll(fds, G_N_ELEMENTS(fds), ms) > 0 && (fds[0].revents & POLLIN) &&
		read(sound->wake, &count, sizeof(count)) < 0)
		g_debug("wake-up: %s", g_strerror(errno));
}

static void sound_step(struct seat_sound *sound)
{
	int64_t now = sound->now();
	int ms = -1;

	sound_open_sink(sound, now);
	sound_apply(sound);
	sound_move(sound, now);
	if (sound->sink)
		ms = sink_dispatch(sound->sink, now);
	if (sound->sink_over) {
		/* first the guest, that it turns to its null clock at once */
		sound_close_link(sound, now);
		sound_close_sink(sound);
		retry_later(&sound->sink_retry, now);
	}
	sound_open_link(sound, now);
	if (sound->link && link_client_dispatch(sound->link) < 0) {
		sound_close_link(sound, now);
		sound->link_retry_ns = now + RETRY_GUEST_MS * MS;
	}
	sound_pay(sound);
	sound_publish(sound);
	sound_wait(sound, sound_timeout(sound, ms, now));
}

static gpointer sound_thread(gpointer data)
{
	struct seat_sound *sound = data;
	bool quit = false;

	audio_thread_urgent();
	while (!quit) {
		sound_step(sound);
		g_mutex_lock(&sound->lock);
		quit = sound->quit;
		g_mutex_unlock(&sound->lock);
	}
	sound_close_link(sound, sound->now());
	sound_close_sink(sound);
	return NULL;
}

static void sound_wake(struct seat_sound *sound)
{
	uint64_t one = 1;

	if (write(sound->wake, &one, sizeof(one)) < 0)
		g_debug("wake-up: %s", g_strerror(errno));
}

struct seat_sound *seat_sound_new(const struct seat_sound_config *config, GError **error)
{
	struct seat_sound *sound;
	int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (wake < 0) {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
			"no eventfd for the sound: %s", g_strerror(errno));
		return NULL;
	}
	sound = g_new0(struct seat_sound, 1);
	sound->wake = wake;
	sound->guest = g_strdup(config->guest);
	sound->next_guest = g_strdup(config->guest);
	sound->next_link = -1;
	sound->ask = config->ask;
	sound->ask_data = config->ask_data;
	sound->name = g_strdup(config->name);
	sound->ops = config->ops;
	sound->now = config->now;
	sound->microphone = config->microphone;
	sound->audio = config->audio;
	sound->audio.server = sound->server = g_strdup(config->audio.server);
	sound->audio.sink = sound->sink_name = g_strdup(config->audio.sink);
	sound->audio.source = sound->source_name = g_strdup(config->audio.source);
	sound->audio.name = sound->stream_name = g_strdup(config->audio.name);
	g_mutex_init(&sound->lock);
	sound->thread = g_thread_new("sound", sound_thread, sound);
	return sound;
}

void seat_sound_free(struct seat_sound *sound)
{
	if (!sound)
		return;
	g_mutex_lock(&sound->lock);
	sound->quit = true;
	g_mutex_unlock(&sound->lock);
	sound_wake(sound);
	g_thread_join(sound->thread);
	close(sound->wake);
	if (sound->next_link >= 0)
		packet_hang_up(sound->next_link);
	g_mutex_clear(&sound->lock);
	g_free(sound->guest);
	g_free(sound->next_guest);
	g_free(sound->name);
	g_free(sound->server);
	g_free(sound->sink_name);
	g_free(sound->source_name);
	g_free(sound->stream_name);
	g_free(sound);
}

/* Under the lock. */
static void sound_next_link(struct seat_sound *sound, int socket)
{
	if (sound->next_link >= 0)
		packet_hang_up(sound->next_link);
	sound->next_link = socket;
}

void seat_sound_link(struct seat_sound *sound, int socket)
{
	g_mutex_lock(&sound->lock);
	sound_next_link(sound, socket);
	g_mutex_unlock(&sound->lock);
	sound_wake(sound);
}

void seat_sound_guest(struct seat_sound *sound, const char *guest)
{
	g_mutex_lock(&sound->lock);
	if (g_strcmp0(sound->next_guest, guest)) {
		g_free(sound->next_guest);
		sound->next_guest = g_strdup(guest);
		sound_next_link(sound, -1); /* it was the other's */
		sound->moved = sound->changed = true;
		sound->microphone = false;
	}
	g_mutex_unlock(&sound->lock);
	sound_wake(sound);
}

void seat_sound_volume(struct seat_sound *sound, unsigned percent)
{
	g_mutex_lock(&sound->lock);
	sound->audio.volume = MIN(percent, AUDIO_VOLUME_MAX);
	sound->changed = true;
	g_mutex_unlock(&sound->lock);
	sound_wake(sound);
}

void seat_sound_grant(struct seat_sound *sound, bool microphone)
{
	g_mutex_lock(&sound->lock);
	sound->microphone = microphone;
	sound->changed = true;
	g_mutex_unlock(&sound->lock);
	sound_wake(sound);
}

void seat_sound_stat(struct seat_sound *sound, struct seat_sound_stat *stat)
{
	g_mutex_lock(&sound->lock);
	*stat = sound->stat;
	g_mutex_unlock(&sound->lock);
}
