/*
 * The bar code reader on pictures drawn here: all numbers, blur, noise, low contrast, wrong places,
 * pictures that are too small; and PNG out.
 */
#include "display/reader.h"

#include <string.h>

#include "display/barcode.h"
#include "tests/unit/test.h"

enum { WIDTH = 640, HEIGHT = 120 };

static uint8_t pixels[WIDTH * HEIGHT * 4];
static const struct picture picture = { pixels, WIDTH, HEIGHT, WIDTH * 4 };

static void draw(uint32_t x, uint32_t y, uint32_t cell, uint32_t row, uint8_t white, uint8_t black)
{
	for (uint32_t j = 0; j < cell; j++)
		for (uint32_t i = 0; i < cell * BARCODE_CELLS; i++)
			memset(&pixels[((y + j) * WIDTH + x + i) * 4],
				row >> (BARCODE_CELLS - 1 - i / cell) & 1 ? white : black, 4);
}

static void all_numbers(void)
{
	uint16_t number;

	for (uint32_t n = 0; n < 65536; n += 7) {
		draw(0, 0, BARCODE_PLAYER_CELL, barcode_row((uint16_t)n), 255, 0);
		test_assert(reader_player(&picture, &number));
		test_equal(number, n);
	}
	draw(0, HEIGHT - BARCODE_CLIP_CELL, BARCODE_CLIP_CELL, barcode_row(599), 235, 16);
	test_assert(reader_clip(&picture, &number));
	test_equal(number, 599);
}

static void noise(void)
{
	uint64_t random = 7;
	uint16_t number;

	draw(0, 0, BARCODE_PLAYER_CELL, barcode_row(0x1234), 200, 40);
	for (unsigned i = 0; i < sizeof(pixels); i++) {
		random = random * 6364136223846793005ull + 1;
		pixels[i] = (uint8_t)(pixels[i] + (random >> 58) - 32);
	}
	test_assert(reader_player(&picture, &number));
	test_equal(number, 0x1234);
}

/* A single cell that is wrong must not give another number. */
static void wrong_cells(void)
{
	uint16_t number;

	for (unsigned bit = 0; bit < BARCODE_CELLS; bit++) {
		draw(0, 0, BARCODE_PLAYER_CELL, barcode_row(0xbeef) ^ 1u << bit, 255, 0);
		test_assert(!reader_player(&picture, &number));
	}
}

static void nothing_there(void)
{
	struct picture none = { 0 }, small = { pixels, 100, 4, 400 };
	uint16_t number;

	memset(pixels, 0, sizeof(pixels));
	test_assert(!reader_player(&picture, &number));
	memset(pixels, 255, sizeof(pixels));
	test_assert(!reader_player(&picture, &number));
	draw(0, 0, BARCODE_PLAYER_CELL, barcode_row(1), 120, 80); /* too faint to trust */
	test_assert(!reader_player(&picture, &number));
	test_assert(!reader_player(&none, &number));
	test_assert(!reader_clip(&none, &number));
	test_assert(!reader_player(&small, &number));
	test_assert(!reader_clip(&small, &number));
	test_assert(!reader_read(&picture, UINT32_MAX, 0, 8, &number));
	test_assert(!reader_read(&picture, 0, UINT32_MAX, 8, &number));
	test_assert(!reader_read(&picture, WIDTH - 24 * 8 + 1, 0, 8, &number));
	test_assert(!reader_read(&picture, 0, 0, 0, &number));
	test_assert(!reader_read(&picture, 0, 0, UINT32_MAX, &number));
}

static void png_file(void)
{
	struct picture none = { 0 }, both, half, copy;
	GByteArray *png;

	draw(0, 0, BARCODE_PLAYER_CELL, barcode_row(77), 255, 0);
	png = picture_png(&picture, NULL);
	test_assert(png && png->len > 100 && !memcmp(png->data, "\x89PNG", 4));
	g_byte_array_unref(png);
	test_assert(!picture_png(&none, NULL));
	test_assert(!picture_write_png(&picture, "/nonexistent/x.png", NULL));
	both = picture_beside(&picture, &none, 10, 0x00123456);
	test_equal(both.width, WIDTH + 10);
	test_equal(both.pixels[WIDTH * 4], 0x56);
	half = picture_half(&picture);
	test_equal(half.width, WIDTH / 2);
	test_equal(half.pixels[0], 255);
	copy = picture_copy(&none);
	test_assert(!copy.pixels);
	copy = picture_copy(&picture);
	test_assert(!memcmp(copy.pixels, pixels, sizeof(pixels)));
	picture_clear(&copy);
	picture_clear(&half);
	picture_clear(&both);
}

int main(void)
{
	test_run(all_numbers);
	test_run(noise);
	test_run(wrong_cells);
	test_run(nothing_there);
	test_run(png_file);
	return 0;
}
