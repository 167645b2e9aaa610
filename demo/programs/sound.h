/*
 * A program's side of /dev/audio: a ring of periods that the device plays in turn. The program
 * fills sound_slot() and hands it over with sound_queue(). Single thread.
 */
#ifndef IRORI_DEMO_SOUND_H
#define IRORI_DEMO_SOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "demo/abi.h"

struct sound {
	int fd;
	int16_t *ring;
	uint32_t rate, channels, frames, periods; /* frames: in a period */
	bool started;
	uint64_t queued; /* periods handed over since the start */
	uint64_t played; /* of those, completed; as of the last sound_update() */
	uint32_t latency_bytes;
};

/* `frames` in a period, `periods` in the ring. 0 or -errno; -ENODEV: there is no sound device. */
int sound_open(struct sound *sound, uint32_t rate, uint32_t channels, uint32_t frames,
	       uint32_t periods);

/* Asks the device how far it is. 0 or -errno. */
int sound_update(struct sound *sound);

/* How many slots may be filled now, by the last update. */
unsigned sound_free(const struct sound *sound);

/* The next slot to fill: frames * channels samples. Only when sound_free() is not 0. */
int16_t *sound_slot(struct sound *sound);
int sound_queue(struct sound *sound);

/* Nanoseconds of what was queued that have been heard, by the last update. */
int64_t sound_heard(const struct sound *sound);

#endif
