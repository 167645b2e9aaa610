/*
 * A sound device that plays to nobody at the nominal rate: for a seat without one, and for trying
 * the rest without a sound server. A thread asks every few milliseconds for what is due by
 * CLOCK_MONOTONIC since the start, so that it neither drifts nor depends on how late it wakes.
 */
#include "audio/audio.h"

#include <errno.h>
#include <time.h>

enum {
	NULL_STEP_NS = 5000000,
	NULL_PIECE = 4096,
};

struct audio_device {
	const struct audio_events *events;
	void *user;
	GThread *thread;
	GMutex lock;
	GCond wake;
	struct audio_format format; /* rate 0: at rest */
	unsigned turn;              /* counts play and rest */
	bool quit;
};

static int64_t null_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void null_ask(struct audio_device *device, const struct audio_format *format, int64_t frames)
{
	uint8_t piece[NULL_PIECE];
	const int64_t most = NULL_PIECE / (int64_t)audio_frame_bytes(format);

	for (int64_t n; frames > 0; frames -= n) {
		n = MIN(frames, most);
		device->events->fill(device->user, piece, n * audio_frame_bytes(format));
	}
}

static void null_run(struct audio_device *device, unsigned turn)
{
	struct audio_format format = device->format;
	int64_t start = null_now(), asked = 0, due;

	while (device->turn == turn && !device->quit) {
		g_mutex_unlock(&device->lock);
		g_usleep(NULL_STEP_NS / 1000);
		due = (int64_t)((__int128)(null_now() - start) * format.rate / 1000000000);
		null_ask(device, &format, due - asked);
		asked = due;
		g_mutex_lock(&device->lock);
	}
}

static gpointer null_thread(gpointer data)
{
	struct audio_device *device = data;

	audio_thread_urgent();
	device->events->ready(device->user);
	g_mutex_lock(&device->lock);
	while (!device->quit) {
		if (device->format.rate)
			null_run(device, device->turn);
		else
			g_cond_wait(&device->wake, &device->lock);
	}
	g_mutex_unlock(&device->lock);
	return NULL;
}

static struct audio_device *null_open(const struct audio_config *config,
	const struct audio_events *events, void *user, GError **error)
{
	struct audio_device *device = g_new0(struct audio_device, 1);

	device->events = events;
	device->user = user;
	g_mutex_init(&device->lock);
	g_cond_init(&device->wake);
	device->thread = g_thread_new("null-sound", null_thread, device);
	return device;
}

static void null_set(struct audio_device *device, const struct audio_format *format, bool quit)
{
	g_mutex_lock(&device->lock);
	device->format = *format;
	device->turn++;
	device->quit = quit;
	g_cond_signal(&device->wake);
	g_mutex_unlock(&device->lock);
}

static int null_play(struct audio_device *device, const struct audio_format *format)
{
	null_set(device, format, false);
	return 0;
}

static void null_rest(struct audio_device *device)
{
	null_set(device, &(struct audio_format){ 0 }, false);
}

static int null_record(struct audio_device *device, const struct audio_format *format)
{
	return format ? -ENODEV : 0;
}

static void null_volume(struct audio_device *device, unsigned percent)
{
}

static void null_close(struct audio_device *device)
{
	null_set(device, &(struct audio_format){ 0 }, true);
	g_thread_join(device->thread);
	g_cond_clear(&device->wake);
	g_mutex_clear(&device->lock);
	g_free(device);
}

const struct audio_ops audio_null = {
	.name = "null",
	.open = null_open,
	.play = null_play,
	.rest = null_rest,
	.record = null_record,
	.volume = null_volume,
	.close = null_close,
};
