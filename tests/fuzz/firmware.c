/*
 * A firmware image and a file of UEFI's variables: what is taken for one is one, within its bounds.
 *
 *	u32	the file's length, of which the bytes that follow are the end, or with bit 31 the beginning
 */
#include "vmm/firmware.c"

#include "tests/fuzz/file_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct firmware_image image = { 0 };
	g_autoptr(GError) error = NULL, other = NULL;
	const char *path;
	bool begins;
	uint32_t len;

	if (size < sizeof(len))
		return 0;
	memcpy(&len, data, sizeof(len));
	data += sizeof(len);
	size -= sizeof(len);
	begins = len >> 31;
	len = MAX(len % (1 << 20), (uint32_t)size);
	path = file_of(data, size, begins ? 0 : len - size, len);
	if (firmware_read(&image, path, &error) == !!error)
		abort();
	if (error)
		return 0;
	image_starts(&image);
	if (variables_are(&image, path, &other) == !!other)
		abort();
	firmware_clear(&image);
	return 0;
}
