/*
 * A ring of PCM bytes with a fixed capacity.
 *
 * Thread: none of its own; the owner's lock.
 */
#ifndef IRORI_AUDIO_RING_H
#define IRORI_AUDIO_RING_H

#include <stddef.h>
#include <stdint.h>

enum ring_size {
	RING_SIZE = 1 << 17, /* bytes, a power of two: 0.68 s of 48 kHz stereo */
};

struct ring {
	uint64_t head, tail; /* bytes ever read, ever written */
	uint8_t data[RING_SIZE];
};

static inline size_t ring_level(const struct ring *ring)
{
	return ring->tail - ring->head;
}

void ring_clear(struct ring *ring);
/* Bytes taken: fewer than `len` when the ring is full. */
size_t ring_put(struct ring *ring, const void *from, size_t len);
/* Bytes given: fewer than `len` when there are no more. */
size_t ring_get(struct ring *ring, void *to, size_t len);

#endif
