/*
 * The sink: the seat's end of a guest's sound, between the messages that come from the guest and a
 * device of the host (audio.h).
 *
 * What the guest sends waits in a ring until the device asks for it. Every byte that the device has
 * taken is told to the owner once (consumed), and that is the guest's sound clock. When the ring
 * runs dry the device gets silence, goes on running, and an underrun is counted if more sound
 * follows. A stopped stream rests only after SINK_LINGER_MS, so that a guest's reboot does not close
 * it. Bytes that stop or start throws away are not told: the guest forgets them too.
 *
 * The microphone is closed until granted; until then a capturing guest gets nothing from here (the
 * guest's end makes silence).
 *
 * Thread: one, the owner's, which polls sink_fd() and calls sink_dispatch(); events come from inside
 * sink_dispatch(). An event handler may call anything but sink_free().
 */
#ifndef IRORI_AUDIO_SINK_H
#define IRORI_AUDIO_SINK_H

#include "audio/audio.h"

struct sink;

#define SINK_LINGER_MS 5000

struct sink_events {
	/* The device is there: now is the time to offer the guest a clock. Once. */
	void (*ready)(void *user);
	/* The device has taken so many bytes of what was written. */
	void (*consumed)(void *user, size_t bytes);
	/* From the microphone; at most PORT_MAX_PCM at once. */
	void (*captured)(void *user, const void *pcm, size_t bytes);
	/* The device is gone: free the sink, tell the guest, try again later. Comes once. */
	void (*failed)(void *user, const char *why);
};

struct sink_stat {
	uint64_t written, consumed; /* bytes */
	uint64_t dropped;           /* came while the ring was full, or were thrown away by a stop */
	uint64_t silence;           /* bytes of silence between bytes of sound */
	uint64_t underruns;         /* gaps between sound of one stream */
	size_t level, level_max;    /* bytes in the ring */
};

struct sink *sink_new(const struct audio_ops *ops, const struct audio_config *config,
	const struct sink_events *events, void *user, GError **error);
void sink_free(struct sink *sink);

int sink_fd(const struct sink *sink); /* readable: call sink_dispatch */
/* now_ns: CLOCK_MONOTONIC. Returns ms until it wants to be called again in any case, or -1. */
int sink_dispatch(struct sink *sink, int64_t now_ns);

/* Playback. 0 or -errno; -EINVAL for a format outside audio.h's limits. */
int sink_start(struct sink *sink, const struct audio_format *format);
void sink_write(struct sink *sink, const void *pcm, size_t bytes);
void sink_stop(struct sink *sink, int64_t now_ns);
void sink_volume(struct sink *sink, unsigned percent);

/* Capture: recording runs while the guest captures and the microphone is granted. */
int sink_capture_start(struct sink *sink, const struct audio_format *format);
void sink_capture_stop(struct sink *sink);
int sink_grant(struct sink *sink, bool microphone);
bool sink_recording(const struct sink *sink); /* for the seat's indicator */

void sink_stat(struct sink *sink, struct sink_stat *stat);

#endif
