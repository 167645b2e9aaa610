/*
 * Fuzz target: an EDID. What it says is text that may be printed and numbers that are in bounds.
 * The checksum is made right, else nothing would get past it.
 */
#include "display/edid_read.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	if (len == size)
		abort();
	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			abort();
	if (len && (text[0] == ' ' || text[len - 1] == ' '))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size + 1); /* so that a byte too many is seen */
	struct edid edid;
	uint8_t sum = 0;

	if (size)
		memcpy(copy, bytes, size);
	for (size_t i = 0; size >= 128 && i < 127; i++)
		sum = (uint8_t)(sum + copy[i]);
	if (size >= 128)
		copy[127] = (uint8_t)-sum;
	edid_read(copy, size, &edid);
	check_text(edid.make, sizeof(edid.make));
	check_text(edid.model, sizeof(edid.model));
	check_text(edid.serial, sizeof(edid.serial));
	if (edid.width > 4095 || edid.height > 8190 || edid.width_mm > 4095 ||
		edid.height_mm > 4095)
		abort();
	free(copy);
	return 0;
}
