/* The demonstration's kernel finds files in its ramdisk, also in one that is broken. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "demo/kernel/layout.h"
#include "tests/unit/test.h"

/* demo/kernel/kernel.h cannot be had together with a libc. */
const uint8_t *initrd_find(const char *path, uint64_t *length);
uint64_t physical(const void *kernel_address);
bool text_equal(const char *a, const char *b);

uint64_t initrd_physical, initrd_length;

uint64_t physical(const void *kernel_address)
{
	return (uint64_t)kernel_address - DIRECT_BASE;
}

bool text_equal(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static char archive[1024];
static size_t used;

/* The two fields as text, so that they can be anything. */
static void add(const char *size, const char *name_size, const char *name, const char *data)
{
	char *at = archive + used;
	size_t len = 110 + strlen(name) + 1;

	memset(at, '0', 110);
	memcpy(at, "070701", 6);
	memcpy(at + 6 + 6 * 8, size, 8);
	memcpy(at + 6 + 11 * 8, name_size, 8);
	strcpy(at + 110, name);
	len = (len + 3) & ~3u;
	strcpy(at + len, data);
	used += (len + strlen(data) + 3) & ~3u;
}

/* In memory of its own size, so that a sanitizer sees what lies outside. */
static int64_t find(const char *path)
{
	char *copy = malloc(used);
	uint64_t length = 0;
	const uint8_t *found;
	int64_t result = -1;

	test_assert(copy);
	memcpy(copy, archive, used);
	initrd_physical = physical(copy);
	initrd_length = used;
	found = initrd_find(path, &length);
	if (found)
		result = (char *)found >= copy && length <= used &&
			(size_t)((char *)found - copy) <= used - length ? (int64_t)length : -2;
	free(copy);
	used = 0;
	memset(archive, 0, sizeof(archive));
	return result;
}

static void files_are_found(void)
{
	add("00000005", "00000002", "a", "hello");
	add("00000003", "00000006", "./b/c", "you");
	test_equal(find("/b/c"), 3);
	add("00000005", "00000002", "a", "hello");
	test_equal(find("a"), 5);
	add("0000000B", "00000002", "a", "hello world"); /* digits of either case */
	test_equal(find("a"), 11);
	add("00000005", "00000002", "a", "hello");
	add("00000000", "0000000b", "TRAILER!!!", "");
	test_equal(find("b"), -1);
}

static void broken_archives_have_no_files(void)
{
	add("00000005", "00000002", "a", "hell"); /* cut off */
	test_equal(find("a"), -1);
	add("ffffffff", "00000002", "a", "hello");
	test_equal(find("a"), -1);
	add("00000005", "ffffffff", "a", "hello");
	test_equal(find("a"), -1);
	add("00000005", "00000000", "a", "hello");
	test_equal(find("a"), -1);
	add("00000005", "00000001", "a", "hello"); /* does not end there */
	test_equal(find("a"), -1);
	/* What is no digit must not become a size that wraps round. */
	add("/0000000", "00000002", "a", "hello");
	test_equal(find("a"), -1);
	add("///////\x01", "00000002", "a", "hello");
	test_equal(find("b"), -1);
	add("00000005", "/////// ", "a", "hello");
	test_equal(find("a"), -1);
	add("0000000z", "00000002", "a", "hello and so on, for a while, until there is enough");
	test_equal(find("a"), -1);
}

int main(void)
{
	test_run(files_are_found);
	test_run(broken_archives_have_no_files);
	return 0;
}
