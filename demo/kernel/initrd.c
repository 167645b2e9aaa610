/*
 * The initial ramdisk: a "newc" cpio archive, read where it lies. Source: cpio(5).
 */
#include "demo/kernel/kernel.h"

enum { HEADER = 110, FIELD_SIZE = 6 + 6 * 8, FIELD_NAME = 6 + 11 * 8 };

/* What is not a number is larger than any archive. */
#define NO_NUMBER (1ull << 40)

static uint64_t hex(const uint8_t *digits)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++) {
		uint8_t c = digits[i], letter = c | 0x20;

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (letter >= 'a' && letter <= 'f')
			value = value << 4 | (uint64_t)(letter - 'a' + 10);
		else
			return NO_NUMBER;
	}
	return value;
}

const uint8_t *initrd_find(const char *path, uint64_t *length)
{
	const uint8_t *archive = direct(initrd_physical);
	uint64_t at = 0;

	while (*path == '/')
		path++;
	while (at + HEADER < initrd_length && !memcmp(archive + at, "070701", 6)) {
		uint64_t size = hex(archive + at + FIELD_SIZE);
		uint64_t name_size = hex(archive + at + FIELD_NAME);
		const char *name = (const char *)archive + at + HEADER;
		uint64_t data = (at + HEADER + name_size + 3) & ~3ull;

		if (!name_size || data + size > initrd_length || name[name_size - 1])
			return NULL;
		if (name[0] == '.' && name[1] == '/')
			name += 2;
		if (text_equal(name, path)) {
			*length = size;
			return archive + data;
		}
		if (text_equal(name, "TRAILER!!!"))
			return NULL;
		at = (data + size + 3) & ~3ull;
	}
	return NULL;
}

uint64_t initrd_user_address(const uint8_t *data)
{
	return USER_INITRD + initrd_physical % LARGE_PAGE + (physical(data) - initrd_physical);
}
