/*
 * audio_ops: what a sound device of the host is to us.
 *
 * This is the seam between the seat's sound (sink.c) and whatever plays it: pulse.c (PulseAudio, or
 * PipeWire through its PulseAudio server), null.c (nothing, at the nominal rate), fake.c (tests turn
 * its clock by hand). The device pulls: it asks for bytes when its own clock wants them, and that
 * call is the clock that the whole sound path of the guest follows.
 *
 * Samples are S16 little endian, interleaved. Sizes are bytes, always whole frames.
 *
 * Thread: the ops come from one thread, the owner's, and do not block on the sound server. The
 * events come from the device's own thread, never from inside an op that the owner called.
 */
#ifndef IRORI_AUDIO_AUDIO_H
#define IRORI_AUDIO_AUDIO_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audio_device;

struct audio_format {
	uint32_t rate; /* frames a second */
	uint32_t channels;
};

enum audio_limits {
	AUDIO_RATE_MIN = 8000,
	AUDIO_RATE_MAX = 192000,
	AUDIO_CHANNELS_MAX = 2,
	AUDIO_VOLUME_MAX = 150, /* per cent */
};

/* Strings are the caller's, and copied. */
struct audio_config {
	const char *server;   /* NULL: the user's own */
	/* Devices to play on, to record from: a name, "path:" and the place of its card (place.h), or
	 * NULL, the server's default. A sink by place is the seat's own: it need not be there yet, and
	 * `volume` is the sink's. */
	const char *sink, *source;
	const char *name;     /* what mixers show */
	unsigned latency_ms;  /* what the server buffers; 0: AUDIO_LATENCY_MS */
	unsigned volume;      /* per cent, of this stream or of the sink */
};

#define AUDIO_LATENCY_MS 30u

struct audio_events {
	/* The device is there and can be played on. Once, before any other. */
	void (*ready)(void *user);
	/* The device plays `bytes` next. Fill them all (silence where there is nothing). */
	void (*fill)(void *user, void *to, size_t bytes);
	void (*captured)(void *user, const void *pcm, size_t bytes);
	/* The device has failed for good: nothing more comes. Close it and open another later. */
	void (*failed)(void *user, const char *why);
};

struct audio_ops {
	const char *name;
	/* NULL and error set where it cannot even begin; a server that does not answer is told by
	 * `failed`. `events` and `user` stay valid until close has returned. */
	struct audio_device *(*open)(const struct audio_config *config,
		const struct audio_events *events, void *user, GError **error);
	/* Play from now on in this format; a stream in another format is replaced. */
	int (*play)(struct audio_device *device, const struct audio_format *format);
	/* Stop asking for bytes. What the server has goes out. */
	void (*rest)(struct audio_device *device);
	/* Record (the microphone is open to us) or, with NULL, do not. */
	int (*record)(struct audio_device *device, const struct audio_format *format);
	void (*volume)(struct audio_device *device, unsigned percent);
	/* No event is running or will come once it has returned. */
	void (*close)(struct audio_device *device);
};

/* For the calling thread: before ordinary ones, as sound servers themselves are, where the host
 * allows that. Not real time: what it does depends on what a guest sends. */
void audio_thread_urgent(void);

extern const struct audio_ops audio_pulse;
extern const struct audio_ops audio_null;

static inline size_t audio_frame_bytes(const struct audio_format *format)
{
	return 2u * format->channels;
}

static inline bool audio_format_valid(const struct audio_format *format)
{
	return format->rate >= AUDIO_RATE_MIN && format->rate <= AUDIO_RATE_MAX &&
	       format->channels >= 1 && format->channels <= AUDIO_CHANNELS_MAX;
}

#endif
