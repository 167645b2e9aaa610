/*
 * The remote seat's loudspeaker: the guest's playback stream to SPICE clients.
 *
 * Thread: main.
 */
#ifndef IRORI_DISPLAY_REMOTE_SOUND_H
#define IRORI_DISPLAY_REMOTE_SOUND_H

#include <spice.h>
#include <stddef.h>

#include "display/link.h"

struct remote_sound;

struct remote_sound *remote_sound_new(SpiceServer *server);
/* After spice_server_destroy. */
void remote_sound_free(struct remote_sound *sound);

/* The stream's format is the guest's word: an unusable one is silence. */
void remote_sound_start(struct remote_sound *sound, const struct link_audio_start *start);
void remote_sound_stop(struct remote_sound *sound);
void remote_sound_data(struct remote_sound *sound, const void *pcm, size_t bytes);
/* A client's playback channel came up: it may want another rate. */
void remote_sound_client(struct remote_sound *sound);

#endif
