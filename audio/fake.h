/*
 * A sound device for tests, whose clock is turned by hand: with a drift in millionths and with
 * stalls, as real ones have.
 *
 * Thread: one; events come from inside fake_audio_advance() and the others here.
 */
#ifndef IRORI_AUDIO_FAKE_H
#define IRORI_AUDIO_FAKE_H

#include "audio/audio.h"

extern const struct audio_ops audio_fake;

/* Where each byte that is played goes. */
typedef void (*fake_audio_played)(void *user, const void *pcm, size_t bytes);

/* The fake opened last, for the test that made a sink with audio_fake. */
struct audio_device *fake_audio_last(void);
void fake_audio_on_played(struct audio_device *device, fake_audio_played played, void *user);
/* The device's clock is off by so many millionths. */
void fake_audio_drift(struct audio_device *device, int ppm);
/* Time passes: the device asks for what is due, in one piece, as after a stall. */
void fake_audio_advance(struct audio_device *device, int64_t ns);
void fake_audio_hear(struct audio_device *device, const void *pcm, size_t bytes);
void fake_audio_ready(struct audio_device *device);
void fake_audio_fail(struct audio_device *device, const char *why);
bool fake_audio_playing(const struct audio_device *device);
bool fake_audio_recording(const struct audio_device *device);
unsigned fake_audio_volume(const struct audio_device *device);

#endif
