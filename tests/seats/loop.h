/*
 * What tests of irorid's units share: the clock, a main loop that is turned until something is so, and a runtime folder.
 *
 * Thread: main.
 */
#ifndef IRORI_TESTS_SEATS_LOOP_H
#define IRORI_TESTS_SEATS_LOOP_H

#include <glib/gstdio.h>
#include <stdint.h>
#include <time.h>

#include "tests/unit/test.h"

static inline int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Runs the loop until it is so; ends the test after half a minute. */
#define until(condition)                                                                           \
	do {                                                                                       \
		int64_t until_end = now() + INT64_C(30000000000);                                  \
		while (!(condition)) {                                                             \
			g_main_context_iteration(NULL, FALSE);                                     \
			g_usleep(1000);                                                            \
			if (now() > until_end) {                                                   \
				fprintf(stderr, "%s:%d: never: %s\n", __FILE__, __LINE__,          \
					#condition);                                               \
				exit(1);                                                           \
			}                                                                          \
		}                                                                                  \
	} while (0)

static inline void turn(unsigned ms)
{
	for (int64_t end = now() + ms * INT64_C(1000000); now() < end; g_usleep(1000))
		g_main_context_iteration(NULL, FALSE);
}

/* Like irorid's own; the caller's to free, and to remove. */
static inline char *folders_make(void)
{
	static const char *const names[] = { "guests", "seats" };
	char *folder = g_dir_make_tmp("irori-units-XXXXXX", NULL);

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL);

		test_equal(g_mkdir(path, 0700), 0);
	}
	return folder;
}

static inline void folders_remove(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *inner = g_build_filename(path, name, NULL);

		folders_remove(inner);
	}
	if (dir)
		g_dir_close(dir);
	g_remove(path);
}

#endif
