/*
 * EDID: a good one, and what is wrong with others.
 */
#include "tests/unit/test.h"

#include <string.h>

#include "display/edid_read.h"
#include "tests/unit/display/edid.h"

static void test_reads_a_monitor(void)
{
	uint8_t bytes[256] = {0};
	struct edid edid;

	edid_make_sample(bytes);
	test_assert(edid_read(bytes, sizeof(bytes), &edid));
	test_assert(!strcmp(edid.make, "DEL"));
	test_assert(!strcmp(edid.model, "DELL U2412M"));
	test_assert(!strcmp(edid.serial, "ABC 0815"));
	test_equal(edid.width, 1920);
	test_equal(edid.height, 1080);
	test_equal(edid.width_mm, 510);
	test_equal(edid.height_mm, 287);
}

static void test_numbers_where_there_is_no_text(void)
{
	uint8_t bytes[128];
	struct edid edid;

	edid_make_sample(bytes);
	memset(bytes + 54, 0, 72);
	edid_seal(bytes);
	test_assert(edid_read(bytes, sizeof(bytes), &edid));
	test_assert(!strcmp(edid.model, "0xa0b1"));
	test_assert(!strcmp(edid.serial, "1234"));
	test_equal(edid.width, 0);
	test_equal(edid.width_mm, 510);
	test_equal(edid.height_mm, 290);
}

static void test_text_is_tame(void)
{
	uint8_t bytes[128];
	struct edid edid;

	edid_make_sample(bytes);
	edid_text_at(bytes + 72, 0xfc, "  a\x1b[31m\xff/..b");
	memset(bytes + 90 + 5, 'x', 13); /* no line feed */
	bytes[8] = bytes[9] = 0;
	edid_seal(bytes);
	test_assert(edid_read(bytes, sizeof(bytes), &edid));
	test_assert(!strcmp(edid.model, "a?[31m?/..b"));
	test_assert(!strcmp(edid.serial, "xxxxxxxxxxxxx"));
	test_assert(!strcmp(edid.make, "???"));
}

static void test_no_edid(void)
{
	uint8_t bytes[128];
	struct edid edid;

	edid_make_sample(bytes);
	test_assert(!edid_read(bytes, 127, &edid));
	test_assert(!edid_read(NULL, 0, &edid));
	bytes[20] ^= 1;
	test_assert(!edid_read(bytes, sizeof(bytes), &edid));
	bytes[20] ^= 1;
	bytes[0] = 1;
	edid_seal(bytes);
	test_assert(!edid_read(bytes, sizeof(bytes), &edid));
	test_equal(edid.model[0], 0);
	test_equal(edid.width, 0);
}

int main(void)
{
	test_run(test_reads_a_monitor);
	test_run(test_numbers_where_there_is_no_text);
	test_run(test_text_is_tame);
	test_run(test_no_edid);
	return 0;
}
