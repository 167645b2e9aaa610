/*
 * A clip in memory: Ogg with one Theora and at most one Vorbis stream. Pictures and sound are read
 * with a cursor each, so that neither waits for the other, and each can be rewound alone.
 * Errors: -errno; -EILSEQ is a clip that is not one. Single thread.
 */
#ifndef IRORI_DEMO_MEDIA_H
#define IRORI_DEMO_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "demo/programs/convert.h"

struct media;

struct media_info {
	unsigned width, height; /* of the picture that is to be seen */
	uint32_t fps_mhz;
	uint64_t frames; /* in the clip */
	unsigned rate, channels; /* of the sound; rate 0: there is none */
};

/* `data` is borrowed until media_close(). Zeros after the clip's end are skipped. */
int media_open(struct media **media, const uint8_t *data, size_t size);
void media_close(struct media *media);

const struct media_info *media_about(const struct media *media);

/*
 * The next picture: planes point into the decoder and stay until the next call. 1: there is one;
 * 0: the clip is over (rewind, or be told so again).
 */
int media_picture(struct media *media, struct convert_plane planes[3]);
void media_picture_rewind(struct media *media);

/*
 * Up to `frames` frames of sound, interleaved. How many; fewer than asked only at the clip's end.
 */
int media_sound(struct media *media, int16_t *samples, unsigned frames);
void media_sound_rewind(struct media *media);

#endif
