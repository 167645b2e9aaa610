/* The programs' small parts: cadence, options, colours, clipping, the initial ramdisk's neighbours. */
#include <stdlib.h>
#include <string.h>

#include "demo/programs/cadence.h"
#include "demo/programs/canvas.h"
#include "demo/programs/convert.h"
#include "demo/programs/options.h"
#include "tests/unit/test.h"

static void test_cadence(void)
{
	struct cadence c;
	uint64_t total = 0;

	cadence_set(&c, 30000, 60000);
	for (int i = 0; i < 1000; i++)
		test_equal(cadence_next(&c), 2);
	cadence_set(&c, 23976, 59940);
	for (int i = 0; i < 23976; i++) {
		unsigned n = cadence_next(&c);

		test_assert(n == 2 || n == 3);
		total += n;
	}
	test_equal(total, 59940);
	cadence_set(&c, 60000, 50000); /* a frame in six is left out */
	total = 0;
	for (int i = 0; i < 600; i++) {
		unsigned n = cadence_next(&c);

		test_assert(n <= 1);
		total += n;
	}
	test_equal(total, 500);
	cadence_set(&c, 30000, 60000); /* after years */
	c.frame = 1ull << 40;
	test_equal(cadence_next(&c), 2);
}

static uint32_t refresh_of(int64_t period, int64_t jitter, unsigned stalls)
{
	int64_t distances[32];

	for (int i = 0; i < 32; i++)
		distances[i] = period + (i % 3 - 1) * jitter;
	for (unsigned i = 0; i < stalls; i++)
		distances[i * 32 / stalls] = period * 5;
	return cadence_refresh(distances, 32);
}

static void test_refresh(void)
{
	test_equal(refresh_of(16666667, 0, 0), 60000);
	test_equal(refresh_of(16666667, 1500000, 0), 60000);
	test_equal(refresh_of(16666667, 1500000, 3), 60000);
	test_equal(refresh_of(13333333, 100000, 0), 75000);
	test_equal(refresh_of(20000000, 100000, 2), 50000);
	test_equal(refresh_of(16666667, 9000000, 0), CADENCE_UNSURE); /* a machine out of breath */
	test_equal(refresh_of(16666667, 100000, 16), CADENCE_UNSURE);
	test_equal(refresh_of(18800000, 100000, 0), CADENCE_UNSURE); /* no display has 53 Hz */
	test_equal(refresh_of(20000, 5000, 0), CADENCE_UNPACED);
	test_equal(cadence_refresh(NULL, 0), CADENCE_UNSURE);
}

static void test_options(void)
{
	const char *line = "init=/player player.loop=3 xplayer.loop=9 player.loop=4 empty= long=abcdefgh\n";
	char word[5];

	test_assert(!strcmp(option_find(line, "player.loop", word, sizeof word), "4"));
	test_assert(!strcmp(option_find(line, "init", word, sizeof word), "/pla")); /* cut, and ended */
	test_assert(!*option_find(line, "empty", word, sizeof word));
	test_assert(!option_find(line, "loop", word, sizeof word));
	test_assert(!option_find(line, "player", word, sizeof word));
	test_assert(!option_find("", "x", word, sizeof word));
	test_assert(!option_find("   ", "x", word, sizeof word));
}

/* One colour, at every width: the fast part and the rest agree, and nothing beyond is written. */
static void colour(uint8_t y, uint8_t u, uint8_t v, uint32_t expected, int slack)
{
	for (unsigned width = 1; width < 40; width++) {
		uint8_t *luma = malloc(width * 3), *cb = malloc((width + 1) / 2 * 2), *cr = malloc((width + 1) / 2 * 2);
		uint32_t out[3 * 41];
		struct convert_plane planes[3] = { { luma, (ptrdiff_t)width },
						   { cb, (ptrdiff_t)((width + 1) / 2) },
						   { cr, (ptrdiff_t)((width + 1) / 2) } };

		memset(luma, y, width * 3);
		memset(cb, u, (width + 1) / 2 * 2);
		memset(cr, v, (width + 1) / 2 * 2);
		memset(out, 0xee, sizeof out);
		convert_yuv420(planes, width, 3, out, 41);
		for (unsigned i = 0; i < 3 * 41; i++)
			for (int shift = 0; shift < 24; shift += 8) {
				int is = (int)(out[i] >> shift & 255), want = (int)(expected >> shift & 255);

				if (i % 41 >= width)
					test_equal(out[i], 0xeeeeeeee);
				else
					test_assert(abs(is - want) <= slack);
			}
		free(luma);
		free(cb);
		free(cr);
	}
}

static void test_colours(void)
{
	colour(16, 128, 128, 0x000000, 0);
	colour(235, 128, 128, 0xffffff, 0);
	colour(126, 128, 128, 0x808080, 2);
	colour(81, 90, 240, 0xff0000, 3);
	colour(145, 54, 34, 0x00ff00, 3);
	colour(41, 240, 110, 0x0000ff, 3);
	colour(0, 0, 0, 0x009a00, 3); /* beyond video range: clamped, not wrapped */
	colour(255, 255, 255, 0xff7dff, 4);
}

/* Whatever is drawn, wherever: nothing changes outside the clip. */
static void test_clipping(void)
{
	enum { SIZE = 64 };
	static uint32_t pixels[SIZE * SIZE];
	struct canvas c = { pixels, SIZE, SIZE, SIZE, { 20, 20, 24, 24 } };
	unsigned seed = 1;

	for (int round = 0; round < 3000; round++) {
		int v[4];
		struct rect r;

		for (int i = 0; i < 4; i++) {
			seed = seed * 1103515245 + 12345;
			v[i] = (int)(seed >> 16) % 200 - 100;
		}
		r = (struct rect){ v[0], v[1], abs(v[2]), abs(v[3]) };
		canvas_fill(&c, r, 0x80ff0000u);
		canvas_gradient(&c, r, 0xff112233u, 0x00ffffffu);
		canvas_round(&c, r, abs(v[2]) % 20, CANVAS_ALL, 0xff00ff00u);
		canvas_shadow(&c, r, rect_grow(r, -5), 12, 0xff000000u);
		canvas_line(&c, (float)v[0], (float)v[1], (float)v[2], (float)v[3], 5, 0xc00000ffu);
		canvas_text(&c, &font_large, v[0], v[1], 0xffffffffu, "g~\xff\x01 j");
	}
	for (int i = 0; i < SIZE * SIZE; i++)
		if (!rect_has(c.clip, i % SIZE, i / SIZE))
			test_equal(pixels[i], 0);
}

static void test_blending(void)
{
	for (unsigned a = 0; a < 256; a++) {
		uint32_t p = canvas_blend(0x0000ff, 0xff0000, a);

		test_assert((p >> 16) + (p & 255) >= 254 && (p >> 16) + (p & 255) <= 256);
		test_equal(p >> 8 & 255, 0);
	}
	test_equal(canvas_blend(0x123456, 0xabcdef, 0), 0x123456);
	test_equal(canvas_blend(0x123456, 0xabcdef, 255), 0xabcdef);
}

int main(void)
{
	test_run(test_cadence);
	test_run(test_refresh);
	test_run(test_options);
	test_run(test_colours);
	test_run(test_clipping);
	test_run(test_blending);
	return 0;
}
