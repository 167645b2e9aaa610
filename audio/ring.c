/*
 * A ring of PCM bytes with a fixed capacity: two copies at most, for the part before the seam and
 * the part after it.
 */
#include "audio/ring.h"

#include <string.h>

void ring_clear(struct ring *ring)
{
	ring->head = ring->tail;
}

size_t ring_put(struct ring *ring, const void *from, size_t len)
{
	size_t room = RING_SIZE - ring_level(ring);
	size_t at = ring->tail % RING_SIZE, first;

	if (len > room)
		len = room;
	first = len < RING_SIZE - at ? len : RING_SIZE - at;
	memcpy(ring->data + at, from, first);
	memcpy(ring->data, (const uint8_t *)from + first, len - first);
	ring->tail += len;
	return len;
}

size_t ring_get(struct ring *ring, void *to, size_t len)
{
	size_t level = ring_level(ring);
	size_t at = ring->head % RING_SIZE, first;

	if (len > level)
		len = level;
	first = len < RING_SIZE - at ? len : RING_SIZE - at;
	memcpy(to, ring->data + at, first);
	memcpy((uint8_t *)to + first, ring->data, len - first);
	ring->head += len;
	return len;
}
