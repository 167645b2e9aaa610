/*
 * The remote seat's loudspeaker. spice-server hands out buffers of a fixed number of frames, none
 * while nobody listens: then the sound is dropped, the guest's clock is not ours.
 */
#include "display/remote/sound.h"

#include "display/remote/resample.h"

#include <glib.h>
#include <string.h>

struct remote_sound {
	SpicePlaybackInstance playback;
	struct link_audio_start format; /* rate 0: stopped */
	struct resample resample;
	uint32_t *buffer; /* spice-server's; NULL: none */
	uint32_t frames, filled;
};

static const SpicePlaybackInterface playback_interface = {
	.base.type = SPICE_INTERFACE_PLAYBACK,
	.base.description = "irori playback",
	.base.major_version = SPICE_INTERFACE_PLAYBACK_MAJOR,
	.base.minor_version = SPICE_INTERFACE_PLAYBACK_MINOR,
};

struct remote_sound *remote_sound_new(SpiceServer *server)
{
	struct remote_sound *sound = g_new0(struct remote_sound, 1);

	sound->playback.base.sif = &playback_interface.base;
	if (spice_server_add_interface(server, &sound->playback.base)) {
		g_free(sound);
		return NULL;
	}
	return sound;
}

void remote_sound_free(struct remote_sound *sound)
{
	g_free(sound);
}

void remote_sound_stop(struct remote_sound *sound)
{
	if (!sound->format.rate)
		return;
	if (sound->buffer) {
		memset(sound->buffer + sound->filled, 0,
			(sound->frames - sound->filled) * sizeof(*sound->buffer));
		spice_server_playback_put_samples(&sound->playback, sound->buffer);
		sound->buffer = NULL;
	}
	spice_server_playback_stop(&sound->playback);
	sound->format.rate = 0;
}

void remote_sound_start(struct remote_sound *sound, const struct link_audio_start *start)
{
	uint32_t rate = spice_server_get_best_playback_rate(&sound->playback);

	remote_sound_stop(sound);
	if (resample_init(&sound->resample, start->rate, start->channels, rate))
		return;
	sound->format = *start;
	spice_server_set_playback_rate(&sound->playback, rate);
	spice_server_playback_start(&sound->playback);
}

void remote_sound_client(struct remote_sound *sound)
{
	struct link_audio_start format = sound->format;

	if (format.rate)
		remote_sound_start(sound, &format);
}

/* Whether there was room. */
static bool sound_put(struct remote_sound *sound, uint32_t frame)
{
	if (!sound->buffer) {
		spice_server_playback_get_buffer(&sound->playback, &sound->buffer, &sound->frames);
		sound->filled = 0;
	}
	if (!sound->buffer || !sound->frames)
		return false;
	sound->buffer[sound->filled++] = frame;
	if (sound->filled == sound->frames) {
		spice_server_playback_put_samples(&sound->playback, sound->buffer);
		sound->buffer = NULL;
	}
	return true;
}

void remote_sound_data(struct remote_sound *sound, const void *pcm, size_t bytes)
{
	size_t frame_bytes = sound->format.channels * sizeof(int16_t);
	uint32_t out;

	if (!sound->format.rate)
		return;
	for (size_t at = 0; at + frame_bytes <= bytes; at += frame_bytes) {
		int16_t frame[8];

		memcpy(frame, (const char *)pcm + at, frame_bytes);
		resample_push(&sound->resample, frame);
		while (resample_pull(&sound->resample, &out))
			if (!sound_put(sound, out))
				return;
	}
}
