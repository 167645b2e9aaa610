/*
 * PulseAudio as a sound device: one playback stream, and a recording stream while the microphone is
 * open to us. PipeWire answers to the same library.
 *
 * The write callback is the clock: the server asks for what its device has made room for. Short
 * buffers (tlength by configuration, 30 ms), prebuf 0 so that the stream never stops by itself when
 * we are late: gaps are silence of our own. DONT_MOVE, because a seat's sound belongs to the seat's
 * device: when that goes, the stream fails and the seat looks for it again.
 *
 * A sink by place ("path:") is looked for in the server's list, and the device is ready when it is
 * there. It belongs to the seat: the volume is set on the sink itself, and it is never muted. A
 * microphone that is not there, or goes, is waited for; the sound does not suffer.
 *
 * Thread: the library's own for callbacks, with its lock held; ops take that lock.
 */
#define G_LOG_DOMAIN "irori-sound"

#include "audio/audio.h"

#include <errno.h>
#include <pulse/pulseaudio.h>

#include "audio/place.h"
#include "audio/pulse_find.h"

struct audio_device {
	const struct audio_events *events;
	void *user;
	pa_threaded_mainloop *loop;
	pa_context *context;
	pa_stream *playback, *recording;
	struct audio_format format, record_format;
	bool want_playback, want_recording, failed;
	char *sink, *source, *name;
	unsigned latency_ms, volume;
	struct pulse_find *find;
	char *found[PULSE_DIRECTIONS]; /* the name of what is at the place now; NULL: nothing */
	uint32_t sink_index;
	uint8_t sink_channels;
};

/* With the loop's lock. */
static void pulse_fail(struct audio_device *device, const char *what)
{
	char *why;

	if (device->failed)
		return;
	device->failed = true;
	why = g_strdup_printf("%s: %s", what, pa_strerror(pa_context_errno(device->context)));
	device->events->failed(device->user, why);
	g_free(why);
}

static void pulse_drop_stream(pa_stream **stream)
{
	if (!*stream)
		return;
	pa_stream_set_state_callback(*stream, NULL, NULL);
	pa_stream_set_write_callback(*stream, NULL, NULL);
	pa_stream_set_read_callback(*stream, NULL, NULL);
	pa_stream_disconnect(*stream);
	pa_stream_unref(*stream);
	*stream = NULL;
}

static void pulse_stream_state(pa_stream *stream, void *data)
{
	struct audio_device *device = data;
	pa_stream_state_t state = pa_stream_get_state(stream);

	if (state != PA_STREAM_FAILED && state != PA_STREAM_TERMINATED)
		return;
	if (stream == device->playback)
		return pulse_fail(device, "the playback stream is gone");
	g_message("no microphone: %s", pa_strerror(pa_context_errno(device->context)));
	pulse_drop_stream(&device->recording);
}

static void pulse_write(pa_stream *stream, size_t bytes, void *data)
{
	struct audio_device *device = data;
	size_t frame = audio_frame_bytes(&device->format), n;
	void *to;

	for (bytes -= bytes % frame; bytes; bytes -= n) {
		n = bytes;
		if (pa_stream_begin_write(stream, &to, &n) < 0 || !to)
			return;
		n -= n % frame;
		if (!n) {
			pa_stream_cancel_write(stream);
			return;
		}
		n = MIN(n, bytes);
		device->events->fill(device->user, to, n);
		if (pa_stream_write(stream, to, n, NULL, 0, PA_SEEK_RELATIVE) < 0)
			return;
	}
}

static void pulse_read(pa_stream *stream, size_t bytes, void *data)
{
	struct audio_device *device = data;
	const void *from;
	size_t n;

	while (pa_stream_readable_size(stream) > 0) {
		if (pa_stream_peek(stream, &from, &n) < 0 || !n)
			return;
		if (from) /* NULL is a hole in the recording */
			device->events->captured(device->user, from, n);
		pa_stream_drop(stream);
	}
}

static pa_stream *pulse_stream_new(struct audio_device *device, const char *what,
	const struct audio_format *format)
{
	pa_sample_spec spec = {
		.format = PA_SAMPLE_S16LE,
		.rate = format->rate,
		.channels = format->channels,
	};
	pa_stream *stream = pa_stream_new(device->context, what, &spec, NULL);

	if (stream)
		pa_stream_set_state_callback(stream, pulse_stream_state, device);
	return stream;
}

static uint32_t pulse_bytes(const struct audio_format *format, unsigned ms)
{
	return format->rate * ms / 1000 * audio_frame_bytes(format);
}

/* What to connect to; false: it is not there now. */
static bool pulse_target(const struct audio_device *device, enum pulse_direction direction,
	const char **name)
{
	const char *given = direction == PULSE_SINK ? device->sink : device->source;

	*name = place_of(given) ? device->found[direction] : given;
	return *name || !place_of(given);
}

static pa_volume_t pulse_stream_volume(const struct audio_device *device)
{
	return place_of(device->sink) ? PA_VOLUME_NORM : PA_VOLUME_NORM / 100 * device->volume;
}

/* With the loop's lock. */
static void pulse_drop_operation(pa_operation *operation)
{
	if (operation)
		pa_operation_unref(operation);
}

/* With the loop's lock, the sink is there. Below 100 % by PulseAudio's own curve, as mixers show it. */
static void pulse_sink_volume(struct audio_device *device)
{
	pa_cvolume volume;

	pa_cvolume_set(&volume, CLAMP(device->sink_channels, 1, PA_CHANNELS_MAX),
		PA_VOLUME_NORM / 100 * device->volume);
	pulse_drop_operation(pa_context_set_sink_volume_by_index(device->context,
		device->sink_index, &volume, NULL, NULL));
	pulse_drop_operation(pa_context_set_sink_mute_by_index(device->context,
		device->sink_index, 0, NULL, NULL));
}

/* With the loop's lock, context ready. */
static void pulse_connect_playback(struct audio_device *device)
{
	const struct audio_format *format = &device->format;
	pa_buffer_attr attr = {
		.maxlength = (uint32_t)-1,
		.tlength = pulse_bytes(format, device->latency_ms),
		.prebuf = 0,
		.minreq = pulse_bytes(format, MAX(device->latency_ms / 6, 1)),
		.fragsize = (uint32_t)-1,
	};
	pa_cvolume volume;
	const char *sink;

	if (!pulse_target(device, PULSE_SINK, &sink))
		return;
	pa_cvolume_set(&volume, format->channels, pulse_stream_volume(device));
	device->playback = pulse_stream_new(device, device->name, format);
	if (!device->playback)
		return pulse_fail(device, "no playback stream");
	pa_stream_set_write_callback(device->playback, pulse_write, device);
	if (pa_stream_connect_playback(device->playback, sink, &attr,
		    PA_STREAM_ADJUST_LATENCY | PA_STREAM_INTERPOLATE_TIMING |
			    PA_STREAM_AUTO_TIMING_UPDATE | PA_STREAM_DONT_MOVE,
		    &volume, NULL) < 0)
		pulse_fail(device, "no playback stream");
}

static void pulse_connect_recording(struct audio_device *device)
{
	const struct audio_format *format = &device->record_format;
	pa_buffer_attr attr = {
		.maxlength = (uint32_t)-1,
		.fragsize = pulse_bytes(format, 10),
	};
	const char *source;

	if (!pulse_target(device, PULSE_SOURCE, &source))
		return;
	device->recording = pulse_stream_new(device, "microphone", format);
	if (!device->recording)
		return;
	pa_stream_set_read_callback(device->recording, pulse_read, device);
	if (pa_stream_connect_record(device->recording, source, &attr,
		    PA_STREAM_ADJUST_LATENCY | PA_STREAM_DONT_MOVE) < 0)
		pulse_drop_stream(&device->recording);
}

/* The device is there: what it was asked for before can begin. */
static void pulse_ready(struct audio_device *device)
{
	device->events->ready(device->user);
	if (place_of(device->sink))
		pulse_sink_volume(device);
	if (device->want_playback && !device->playback)
		pulse_connect_playback(device);
}

static void pulse_found(void *user, enum pulse_direction direction,
	const struct pulse_device *found)
{
	struct audio_device *device = user;
	bool had = device->found[direction] != NULL;

	g_free(device->found[direction]);
	device->found[direction] = g_strdup(found->name);
	if (direction == PULSE_SOURCE) {
		/* If there was one, its stream is over or about to be. */
		if (had || !found->name)
			pulse_drop_stream(&device->recording);
		if (found->name && device->want_recording)
			pulse_connect_recording(device);
		return;
	}
	if (had)
		return pulse_fail(device, "the sound card was unplugged, or is another now");
	device->sink_index = found->index;
	device->sink_channels = found->channels;
	if (found->name)
		pulse_ready(device);
	else
		g_message("no sound card at %s yet", place_of(device->sink));
}

static void pulse_context_state(pa_context *context, void *data)
{
	struct audio_device *device = data;
	pa_context_state_t state = pa_context_get_state(context);

	if (state == PA_CONTEXT_FAILED || state == PA_CONTEXT_TERMINATED)
		return pulse_fail(device, "no sound server");
	if (state != PA_CONTEXT_READY)
		return;
	audio_thread_urgent(); /* this is the library's thread */
	if (place_of(device->sink) || place_of(device->source)) {
		const char *const places[PULSE_DIRECTIONS] = {
			[PULSE_SINK] = place_of(device->sink),
			[PULSE_SOURCE] = place_of(device->source),
		};

		device->find = pulse_find_new(context, places, pulse_found, device);
		if (!device->find)
			return pulse_fail(device, "the sound server does not say what it has");
	}
	if (!place_of(device->sink))
		pulse_ready(device);
	if (device->want_recording && !device->recording)
		pulse_connect_recording(device);
}

static bool pulse_is_ready(struct audio_device *device)
{
	return !device->failed && pa_context_get_state(device->context) == PA_CONTEXT_READY;
}

static int pulse_play(struct audio_device *device, const struct audio_format *format)
{
	bool same = device->format.rate == format->rate &&
		    device->format.channels == format->channels;

	pa_threaded_mainloop_lock(device->loop);
	device->want_playback = true;
	if (device->playback && same) {
		pulse_drop_operation(pa_stream_cork(device->playback, 0, NULL, NULL));
	} else {
		pulse_drop_stream(&device->playback);
		device->format = *format;
		if (pulse_is_ready(device))
			pulse_connect_playback(device);
	}
	pa_threaded_mainloop_unlock(device->loop);
	return 0;
}

static void pulse_rest(struct audio_device *device)
{
	pa_operation *o = NULL;

	pa_threaded_mainloop_lock(device->loop);
	device->want_playback = false;
	if (device->playback)
		o = pa_stream_cork(device->playback, 1, NULL, NULL);
	pulse_drop_operation(o);
	pa_threaded_mainloop_unlock(device->loop);
}

static int pulse_record(struct audio_device *device, const struct audio_format *format)
{
	pa_threaded_mainloop_lock(device->loop);
	pulse_drop_stream(&device->recording);
	device->want_recording = format != NULL;
	if (format)
		device->record_format = *format;
	if (format && pulse_is_ready(device))
		pulse_connect_recording(device);
	pa_threaded_mainloop_unlock(device->loop);
	return 0;
}

static void pulse_volume(struct audio_device *device, unsigned percent)
{
	pa_cvolume volume;
	pa_operation *o = NULL;

	pa_threaded_mainloop_lock(device->loop);
	device->volume = percent;
	if (place_of(device->sink)) {
		if (device->found[PULSE_SINK] && pulse_is_ready(device))
			pulse_sink_volume(device);
	} else if (device->playback && pa_stream_get_state(device->playback) == PA_STREAM_READY) {
		pa_cvolume_set(&volume, device->format.channels, PA_VOLUME_NORM / 100 * percent);
		o = pa_context_set_sink_input_volume(device->context,
			pa_stream_get_index(device->playback), &volume, NULL, NULL);
	}
	pulse_drop_operation(o);
	pa_threaded_mainloop_unlock(device->loop);
}

static void pulse_close(struct audio_device *device)
{
	if (device->loop)
		pa_threaded_mainloop_lock(device->loop);
	pulse_drop_stream(&device->playback);
	pulse_drop_stream(&device->recording);
	pulse_find_free(device->find);
	if (device->context) {
		pa_context_set_state_callback(device->context, NULL, NULL);
		pa_context_disconnect(device->context);
		pa_context_unref(device->context);
	}
	if (device->loop) {
		pa_threaded_mainloop_unlock(device->loop);
		pa_threaded_mainloop_stop(device->loop);
		pa_threaded_mainloop_free(device->loop);
	}
	for (unsigned i = 0; i < PULSE_DIRECTIONS; i++)
		g_free(device->found[i]);
	g_free(device->sink);
	g_free(device->source);
	g_free(device->name);
	g_free(device);
}

/* A server that is not there yet is no error here: the callback tells. */
static bool pulse_begin(struct audio_device *device, const char *server)
{
	pa_mainloop_api *api;
	bool begun;

	device->loop = pa_threaded_mainloop_new();
	if (!device->loop)
		return false;
	api = pa_threaded_mainloop_get_api(device->loop);
	device->context = pa_context_new(api, device->name);
	if (!device->context)
		return false;
	pa_context_set_state_callback(device->context, pulse_context_state, device);
	begun = pa_context_connect(device->context, server, PA_CONTEXT_NOAUTOSPAWN, NULL) >= 0;
	return begun && pa_threaded_mainloop_start(device->loop) >= 0;
}

static struct audio_device *pulse_open(const struct audio_config *config,
	const struct audio_events *events, void *user, GError **error)
{
	struct audio_device *device = g_new0(struct audio_device, 1);

	device->events = events;
	device->user = user;
	device->sink = g_strdup(config->sink);
	device->source = g_strdup(config->source);
	device->name = g_strdup(config->name ? config->name : "Irori");
	device->latency_ms = config->latency_ms ? config->latency_ms : AUDIO_LATENCY_MS;
	device->volume = MIN(config->volume, AUDIO_VOLUME_MAX);
	if (pulse_begin(device, config->server))
		return device;
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "no sound server: %s",
		device->context ? pa_strerror(pa_context_errno(device->context)) : "no memory");
	pulse_close(device);
	return NULL;
}

const struct audio_ops audio_pulse = {
	.name = "pulse",
	.open = pulse_open,
	.play = pulse_play,
	.rest = pulse_rest,
	.record = pulse_record,
	.volume = pulse_volume,
	.close = pulse_close,
};
