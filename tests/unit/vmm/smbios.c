/*
 * SMBIOS: the structures can be walked as every reader of them does, and sums are right.
 */
#include "vmm/smbios.h"

#include <string.h>

#include "tests/unit/test.h"

static struct smbios_config config = {
	.name = "family",
	.version = "1",
	.vcpus = 3,
	.low = 2ull << 30,
	.high_base = 4ull << 30,
	.high = 62ull << 30,
};

/* The structure of a type, its number among those; NULL: there is none. Checks the walk. */
static const uint8_t *find(GBytes *tables, unsigned n, uint8_t type, unsigned which)
{
	gsize len;
	const uint8_t *at = g_bytes_get_data(tables, &len), *end = at + len, *found = NULL;

	for (unsigned i = 0; i < n; i++) {
		test_assert(end - at >= 4 && at[1] >= 4 && end - at >= at[1] + 2);
		if (at[0] == type && which-- == 0)
			found = at;
		test_assert(i + 1 < n || at[0] == 127);
		for (at += at[1]; at[0] || at[1]; at++)
			test_assert(at + 2 < end);
		at += 2;
	}
	test_assert(at == end);
	return found;
}

static uint64_t number(const uint8_t *at, unsigned len)
{
	uint64_t value = 0;

	memcpy(&value, at, len);
	return GUINT64_FROM_LE(value);
}

static void structures_are_whole(void)
{
	unsigned n, largest;
	g_autoptr(GBytes) tables = smbios_tables(&config, &n, &largest);
	const uint8_t *at;

	test_equal(find(tables, n, 1, 0)[1], 27);
	test_equal(find(tables, n, 3, 0)[1], 22);
	at = find(tables, n, 4, 0);
	test_equal(at[1], 42);
	test_equal(at[35], 3);
	at = find(tables, n, 16, 0);
	test_equal(at[1], 23);
	test_equal(number(at + 15, 8), 64ull << 30);
	at = find(tables, n, 17, 0);
	test_equal(at[1], 40);
	test_equal(number(at + 12, 2), 0x7fff);
	test_equal(number(at + 28, 4), 64 << 10);
	at = find(tables, n, 19, 0);
	test_equal(at[1], 31);
	test_equal(number(at + 8, 4), (2u << 20) - 1);
	at = find(tables, n, 19, 1);
	test_equal(number(at + 4, 4), 4u << 20);
	test_equal(number(at + 8, 4), (66u << 20) - 1);
	test_equal(find(tables, n, 32, 0)[1], 11);
	test_assert(!find(tables, n, 0, 0)); /* the firmware's own */
	test_assert(largest > 40 && largest < 128);
}

static uint8_t sum(const uint8_t *bytes, size_t n)
{
	uint8_t total = 0;

	while (n--)
		total += *bytes++;
	return total;
}

static void anchor_sums_are_right(void)
{
	g_autoptr(GBytes) anchor = smbios_anchor(0x123, 9, 70, 0xf1000);
	gsize len;
	const uint8_t *at = g_bytes_get_data(anchor, &len);

	test_equal(len, SMBIOS_ANCHOR_LEN);
	test_assert(!memcmp(at, "_SM_", 4) && !memcmp(at + 16, "_DMI_", 5));
	test_equal(at[5], len);
	test_equal(sum(at, len), 0);
	test_equal(sum(at + 16, 15), 0);
	test_equal(number(at + 22, 2), 0x123);
	test_equal(number(at + 24, 4), 0xf1000);
	test_equal(number(at + 28, 2), 9);
}

static void uuids(void)
{
	uint8_t one[SMBIOS_UUID_LEN], two[SMBIOS_UUID_LEN];
	unsigned n, largest;
	g_autoptr(GBytes) tables = NULL;

	test_assert(smbios_uuid(NULL, "family", one) && smbios_uuid(NULL, "family", two));
	test_assert(!memcmp(one, two, sizeof(one)));
	test_assert(one[6] >> 4 == 5 && one[8] >> 6 == 2);
	test_assert(smbios_uuid(NULL, "study", two) && memcmp(one, two, sizeof(one)));
	test_assert(!smbios_uuid("", "x", one));
	test_assert(!smbios_uuid("00112233-4455-6677-8899-aabbccddeef", "x", one));
	test_assert(!smbios_uuid("0011223344556677-8899-aabbccddeeffgg", "x", one));
	test_assert(smbios_uuid("00112233-4455-6677-8899-aabbccddEEff", "x", config.uuid));
	test_equal(config.uuid[15], 0xff);
	tables = smbios_tables(&config, &n, &largest);
	test_assert(!memcmp(find(tables, n, 1, 0) + 8, "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa",
		11));
}

int main(void)
{
	test_run(structures_are_whole);
	test_run(anchor_sums_are_right);
	test_run(uuids);
	return 0;
}
