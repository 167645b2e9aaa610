/*
 * Targets that take a file by its path: one in memory, with another content each time. Warnings are not
 * printed: a fuzzer has a million.
 */
#ifndef IRORI_TESTS_FUZZ_FILE_HARNESS_H
#define IRORI_TESTS_FUZZ_FILE_HARNESS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static inline void file_quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

/* The path of a file of `len` bytes: the data at `at`, which it covers at most to its end, the rest zeros. */
static inline const char *file_of(const uint8_t *data, size_t size, size_t at, size_t len)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		g_log_set_default_handler(file_quiet, NULL);
		fd = memfd_create("file", MFD_CLOEXEC);
		g_snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, (off_t)at) != (ssize_t)size ||
		ftruncate(fd, (off_t)len) < 0)
		abort();
	return path;
}

#endif
