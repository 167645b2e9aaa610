/*
 * A film without an end, for guests that play one in the lab: each picture is a Julia set that depends on
 * its number, with some grain, so that a picture proves its number. The grain is what it costs: each pixel
 * of each picture as much, as a decoder would. Integers only: tests/lab/film.py makes the same pixels.
 */
#ifndef IRORI_TESTS_LAB_FILM_H
#define IRORI_TESTS_LAB_FILM_H

#include <stdint.h>

enum {
	FILM_WIDTH = 320,
	FILM_HEIGHT = 240,
	FILM_ONE = 1 << 12,  /* fixed point */
	FILM_TURN = 64,      /* pictures until it comes by again, but for the grain */
	FILM_ROUNDS = 24,    /* of a Julia set */
};

/* Up and down between 0 and 255. */
static inline int32_t film_wave(uint32_t at)
{
	int32_t in = (int32_t)(at % FILM_TURN) * 2 * 256 / FILM_TURN;

	return in < 256 ? in : 511 - in;
}

/* A number of 32 bits after so many rounds of mixing. */
static inline uint32_t film_grain(uint32_t seed, uint32_t depth)
{
	while (depth--) {
		seed ^= seed >> 15;
		seed = seed * 739982445u + 1;
	}
	return seed;
}

/* XRGB8888 of a pixel. `depth`: rounds of its grain. */
static inline uint32_t film_pixel(uint32_t number, int32_t px, int32_t py, uint32_t depth)
{
	int32_t cx = -3300 + film_wave(number), cy = 640 + film_wave(number + FILM_TURN / 3);
	int32_t x = (px - FILM_WIDTH / 2) * 36, y = (py - FILM_HEIGHT / 2) * 36;
	uint32_t round = 0, grain = film_grain(number << 20 | (uint32_t)py << 10 | (uint32_t)px, depth) >> 27;

	while (round < FILM_ROUNDS) {
		int32_t xx = x * x / FILM_ONE, yy = y * y / FILM_ONE;

		if (xx + yy > 4 * FILM_ONE)
			break;
		y = x * y / (FILM_ONE / 2) + cy;
		x = xx - yy + cx;
		round++;
	}
	return ((round * 7 + number * 3) & 255) << 16 | (round * 9 & 255) << 8 | (255 - round * 6 - grain);
}

#endif
