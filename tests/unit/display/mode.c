/*
 * Sizes as text, for seats.d and irori-seat --mode alike.
 */
#include "display/mode.h"

#include "tests/unit/test.h"

static void sizes_are_read(void)
{
	static const struct {
		const char *text;
		uint32_t width, height; /* 0: it is none */
	} table[] = {
		{ "1920x1080", 1920, 1080 },
		{ "320x200", 320, 200 },
		{ "16384x16384", 16384, 16384 },
		{ "319x200", 0, 0 },
		{ "320x199", 0, 0 },
		{ "16385x200", 0, 0 },
		{ "320x16385", 0, 0 },
		{ "", 0, 0 },
		{ "x", 0, 0 },
		{ "1920", 0, 0 },
		{ "1920x", 0, 0 },
		{ "x1080", 0, 0 },
		{ "1920x1080 ", 0, 0 },
		{ " 1920x1080", 0, 0 },
		{ "1920X1080", 0, 0 },
		{ "1920x1080@60", 0, 0 },
		{ "-1920x1080", 0, 0 },
		{ "1920x+1080", 0, 0 },
		{ "99999999999999999999x1080", 0, 0 },
		{ "4294968576x1080", 0, 0 }, /* 1280 and 2^32 */
	};

	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint32_t width = 0, height = 0;

		test_equal(mode_parse(table[i].text, &width, &height), table[i].width != 0);
		test_equal(width, table[i].width);
		test_equal(height, table[i].height);
	}
}

int main(void)
{
	test_run(sizes_are_read);
	return 0;
}
