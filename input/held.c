/*
 * Held keys: a bitmap of 768 codes.
 */
#include "input/held.h"

bool held_get(const struct held_map *map, unsigned code)
{
	return code < HELD_CODES && (map->bits[code / 64] >> code % 64 & 1);
}

bool held_set(struct held_map *map, unsigned code, bool down)
{
	if (code >= HELD_CODES || held_get(map, code) == down)
		return false;
	map->bits[code / 64] ^= UINT64_C(1) << code % 64;
	return true;
}

bool held_any(const struct held_map *map)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < HELD_WORDS; i++)
		any |= map->bits[i];
	return any;
}

unsigned held_count(const struct held_map *map)
{
	unsigned count = 0;

	for (unsigned i = 0; i < HELD_WORDS; i++)
		count += (unsigned)__builtin_popcountll(map->bits[i]);
	return count;
}

void held_clear(struct held_map *map)
{
	*map = (struct held_map){0};
}

void held_add(struct held_map *into, const struct held_map *other)
{
	for (unsigned i = 0; i < HELD_WORDS; i++)
		into->bits[i] |= other->bits[i];
}

int held_next(const struct held_map *map, unsigned from)
{
	for (unsigned i = from / 64; i < HELD_WORDS; i++) {
		uint64_t word = map->bits[i];

		if (i == from / 64)
			word &= ~UINT64_C(0) << from % 64;
		if (word)
			return (int)(i * 64 + (unsigned)__builtin_ctzll(word));
	}
	return -1;
}
