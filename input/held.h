/*
 * Held keys: a bit for each key and button code (linux/input-event-codes.h, below KEY_CNT) of one
 * virtual device. The router keeps one to know what a source holds, one to know what the guest was
 * told; the seat link's server may keep one for each seat.
 *
 * Thread: none of its own; a held_map is a plain value. Codes out of range are never down.
 */
#ifndef IRORI_INPUT_HELD_H
#define IRORI_INPUT_HELD_H

#include <stdbool.h>
#include <stdint.h>

enum held_limits {
	HELD_CODES = 768, /* KEY_CNT */
	HELD_WORDS = HELD_CODES / 64,
};

struct held_map {
	uint64_t bits[HELD_WORDS];
};

bool held_get(const struct held_map *map, unsigned code);
/* Returns whether that changed anything. */
bool held_set(struct held_map *map, unsigned code, bool down);
bool held_any(const struct held_map *map);
unsigned held_count(const struct held_map *map);
void held_clear(struct held_map *map);
/* into |= other */
void held_add(struct held_map *into, const struct held_map *other);
/* The lowest code at or above `from` that is down, or -1: for (c = held_next(m, 0); c >= 0;
 * c = held_next(m, c + 1)). */
int held_next(const struct held_map *map, unsigned from);

#endif
