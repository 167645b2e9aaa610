/*
 * The sink: a ring each way between the seat's thread and the device's thread, and an eventfd by
 * which the device's thread tells that something has moved. The lock is never held across a call
 * into the device or the owner, because the device calls us with its own lock held.
 */
#define G_LOG_DOMAIN "irori-sound"

#include "audio/sink.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "audio/ring.h"
#include "display/port.h"

struct sink {
	const struct audio_ops *ops;
	struct audio_device *device;
	const struct sink_events *events;
	void *user;
	int fd;

	/* the owner's thread only */
	struct audio_format format, capture_format;
	bool playing; /* the device asks for bytes */
	bool capturing, granted, recording;
	bool ready_told, failed_told;
	int64_t rest_ns; /* when a stopped stream may rest; 0: it is not stopped */
	uint8_t piece[PORT_MAX_PCM];

	GMutex lock; /* what follows */
	struct ring ring, mic;
	struct sink_stat stat;
	uint64_t told;    /* of stat.consumed */
	uint64_t gap;     /* silence since the last byte of sound */
	bool started;     /* between start and stop */
	bool sounded;     /* a byte of sound has been played since the start */
	bool ready, failed;
	bool awake; /* the eventfd has been written and not been read yet */
	char why[128];
};

static void sink_wake(struct sink *sink)
{
	uint64_t one = 1;
	bool awake;

	g_mutex_lock(&sink->lock);
	awake = sink->awake;
	sink->awake = true;
	g_mutex_unlock(&sink->lock);
	if (!awake && write(sink->fd, &one, sizeof(one)) < 0)
		g_debug("sound eventfd: %s", g_strerror(errno));
}

/* A gap is counted when sound follows it: the silence after the last sound is an end, not a gap. */
static void sink_count(struct sink *sink, size_t sound, size_t silence)
{
	if (sound && sink->gap && sink->sounded) {
		sink->stat.underruns++;
		sink->stat.silence += sink->gap;
	}
	if (sound) {
		sink->gap = 0;
		sink->sounded = true;
	}
	sink->gap += silence;
}

static void sink_fill(void *user, void *to, size_t bytes)
{
	struct sink *sink = user;
	size_t got = 0;

	g_mutex_lock(&sink->lock);
	if (sink->started) {
		got = ring_get(&sink->ring, to, bytes);
		sink->stat.consumed += got;
		sink_count(sink, got, bytes - got);
	}
	g_mutex_unlock(&sink->lock);
	memset((uint8_t *)to + got, 0, bytes - got);
	if (got)
		sink_wake(sink);
}

static void sink_heard(void *user, const void *pcm, size_t bytes)
{
	struct sink *sink = user;

	g_mutex_lock(&sink->lock);
	ring_put(&sink->mic, pcm, bytes); /* an owner that sleeps loses the newest */
	g_mutex_unlock(&sink->lock);
	sink_wake(sink);
}

static void sink_ready(void *user)
{
	struct sink *sink = user;

	g_mutex_lock(&sink->lock);
	sink->ready = true;
	g_mutex_unlock(&sink->lock);
	sink_wake(sink);
}

static void sink_broken(void *user, const char *why)
{
	struct sink *sink = user;

	g_mutex_lock(&sink->lock);
	if (!sink->failed)
		g_strlcpy(sink->why, why, sizeof(sink->why));
	sink->failed = true;
	g_mutex_unlock(&sink->lock);
	sink_wake(sink);
}

static const struct audio_events sink_audio_events = {
	.ready = sink_ready,
	.fill = sink_fill,
	.captured = sink_heard,
	.failed = sink_broken,
};

struct sink *sink_new(const struct audio_ops *ops, const struct audio_config *config,
	const struct sink_events *events, void *user, GError **error)
{
	struct sink *sink = g_new0(struct sink, 1);

	g_mutex_init(&sink->lock);
	sink->ops = ops;
	sink->events = events;
	sink->user = user;
	sink->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (sink->fd < 0)
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
			"no eventfd for the sound: %s", g_strerror(errno));
	else
		sink->device = ops->open(config, &sink_audio_events, sink, error);
	if (!sink->device) {
		sink_free(sink);
		return NULL;
	}
	return sink;
}

void sink_free(struct sink *sink)
{
	if (!sink)
		return;
	if (sink->device)
		sink->ops->close(sink->device);
	if (sink->fd >= 0)
		close(sink->fd);
	g_mutex_clear(&sink->lock);
	g_free(sink);
}

int sink_fd(const struct sink *sink)
{
	return sink->fd;
}

static size_t sink_take_consumed(struct sink *sink)
{
	size_t bytes;

	g_mutex_lock(&sink->lock);
	sink->awake = false; /* after the read, before the look: no wake-up is lost */
	bytes = sink->stat.consumed - sink->told;
	sink->told = sink->stat.consumed;
	g_mutex_unlock(&sink->lock);
	return bytes;
}

static void sink_pass_captured(struct sink *sink)
{
	size_t frame = audio_frame_bytes(&sink->capture_format), bytes;

	for (unsigned i = 0; frame && i < RING_SIZE / PORT_MAX_PCM; i++) {
		g_mutex_lock(&sink->lock);
		bytes = ring_get(&sink->mic, sink->piece, PORT_MAX_PCM / frame * frame);
		g_mutex_unlock(&sink->lock);
		/* what was recorded before the microphone was closed again stays here */
		if (!bytes || !sink->recording)
			break;
		if (sink->events->captured)
			sink->events->captured(sink->user, sink->piece, bytes);
	}
}

static int sink_linger(struct sink *sink, int64_t now_ns)
{
	if (!sink->rest_ns)
		return -1;
	if (now_ns < sink->rest_ns)
		return (int)((sink->rest_ns - now_ns) / 1000000) + 1;
	sink->rest_ns = 0;
	sink->playing = false;
	sink->ops->rest(sink->device);
	return -1;
}

static void sink_tell_state(struct sink *sink)
{
	bool ready, failed;

	g_mutex_lock(&sink->lock);
	ready = sink->ready;
	failed = sink->failed;
	g_mutex_unlock(&sink->lock);
	if (ready && !sink->ready_told) {
		sink->ready_told = true;
		if (sink->events->ready)
			sink->events->ready(sink->user);
	}
	if (failed && !sink->failed_told) {
		sink->failed_told = true;
		if (sink->events->failed)
			sink->events->failed(sink->user, sink->why);
	}
}

int sink_dispatch(struct sink *sink, int64_t now_ns)
{
	uint64_t count;
	size_t bytes;

	if (read(sink->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		g_debug("sound eventfd: %s", g_strerror(errno));
	bytes = sink_take_consumed(sink);
	if (bytes && sink->events->consumed)
		sink->events->consumed(sink->user, bytes);
	sink_pass_captured(sink);
	sink_tell_state(sink);
	return sink_linger(sink, now_ns);
}

/* Begin or end a stream: what is left of the one before is nobody's any more. */
static void sink_turn(struct sink *sink, bool started)
{
	g_mutex_lock(&sink->lock);
	sink->stat.dropped += ring_level(&sink->ring);
	ring_clear(&sink->ring);
	sink->told = sink->stat.consumed;
	sink->started = started;
	sink->sounded = false;
	sink->gap = 0;
	g_mutex_unlock(&sink->lock);
}

int sink_start(struct sink *sink, const struct audio_format *format)
{
	bool same = sink->playing && !memcmp(&sink->format, format, sizeof(*format));

	if (!audio_format_valid(format))
		return -EINVAL;
	sink_turn(sink, true);
	sink->rest_ns = 0;
	if (same)
		return 0;
	sink->format = *format;
	sink->playing = true;
	return sink->ops->play(sink->device, format);
}

void sink_write(struct sink *sink, const void *pcm, size_t bytes)
{
	size_t taken, dropped = 0;

	g_mutex_lock(&sink->lock);
	if (sink->started) {
		taken = ring_put(&sink->ring, pcm, bytes);
		dropped = bytes - taken;
		sink->stat.written += bytes;
		sink->stat.dropped += dropped;
		sink->stat.consumed += dropped; /* gone, so the guest is to be told */
		sink->stat.level_max = MAX(sink->stat.level_max, ring_level(&sink->ring));
	}
	g_mutex_unlock(&sink->lock);
	if (dropped)
		sink_wake(sink);
}

void sink_stop(struct sink *sink, int64_t now_ns)
{
	sink_turn(sink, false);
	if (sink->playing)
		sink->rest_ns = now_ns + SINK_LINGER_MS * 1000000ll;
	sink_wake(sink); /* so that the owner learns the new time-out */
}

void sink_volume(struct sink *sink, unsigned percent)
{
	sink->ops->volume(sink->device, MIN(percent, AUDIO_VOLUME_MAX));
}

static int sink_update_recording(struct sink *sink)
{
	bool want = sink->capturing && sink->granted;

	if (want == sink->recording)
		return 0;
	sink->recording = want;
	g_mutex_lock(&sink->lock);
	ring_clear(&sink->mic);
	g_mutex_unlock(&sink->lock);
	return sink->ops->record(sink->device, want ? &sink->capture_format : NULL);
}

int sink_capture_start(struct sink *sink, const struct audio_format *format)
{
	if (!audio_format_valid(format))
		return -EINVAL;
	sink_capture_stop(sink);
	sink->capture_format = *format;
	sink->capturing = true;
	return sink_update_recording(sink);
}

void sink_capture_stop(struct sink *sink)
{
	sink->capturing = false;
	sink_update_recording(sink);
}

int sink_grant(struct sink *sink, bool microphone)
{
	sink->granted = microphone;
	return sink_update_recording(sink);
}

bool sink_recording(const struct sink *sink)
{
	return sink->recording;
}

void sink_stat(struct sink *sink, struct sink_stat *stat)
{
	g_mutex_lock(&sink->lock);
	*stat = sink->stat;
	stat->level = ring_level(&sink->ring);
	g_mutex_unlock(&sink->lock);
}
