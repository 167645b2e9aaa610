/*
 * A firmware image and a file of UEFI's variables: what is taken for one is one, within its bounds.
 *
 *	u32	the file's length, of which the bytes that follow are the end, or with bit 31 the beginning
 */
#include "vmm/firmware.c"

#include <stdlib.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct firmware_image image = { 0 };
	g_autoptr(GError) error = NULL, other = NULL;
	static char path[64];
	static int fd = -1;
	bool begins;
	uint32_t len;

	if (fd < 0) {
		g_log_set_default_handler(quiet, NULL);
		fd = memfd_create("firmware", MFD_CLOEXEC);
		g_snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (size < sizeof(len))
		return 0;
	memcpy(&len, data, sizeof(len));
	data += sizeof(len);
	size -= sizeof(len);
	begins = len >> 31;
	len = MAX(len % (1 << 20), (uint32_t)size);
	if (ftruncate(fd, 0) < 0 || ftruncate(fd, len) < 0 ||
		pwrite(fd, data, size, (off_t)(begins ? 0 : len - size)) != (ssize_t)size)
		abort();
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
