/*
 * The whole of our test framework: a test is a function, an assertion that fails says where and
 * ends the program. Exit status 77 is a skip (meson's convention).
 */
#ifndef IRORI_TESTS_UNIT_TEST_H
#define IRORI_TESTS_UNIT_TEST_H

#include <stdio.h>
#include <stdlib.h>

#define test_assert(condition)                                                                     \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__,   \
				#condition);                                                       \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#define test_equal(a, b)                                                                           \
	do {                                                                                       \
		long long test_a = (long long)(a), test_b = (long long)(b);                        \
		if (test_a != test_b) {                                                            \
			fprintf(stderr, "%s:%d: %s: %s is %lld (%#llx), expected %lld (%#llx)\n",  \
				__FILE__, __LINE__, __func__, #a, test_a, test_a, test_b, test_b); \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#define test_run(f)                                                                                \
	do {                                                                                       \
		f();                                                                               \
		printf("ok %s\n", #f);                                                             \
		fflush(stdout);                                                                    \
	} while (0)

#define test_skip(reason)                                                                          \
	do {                                                                                       \
		printf("SKIP: %s\n", reason);                                                      \
		exit(77);                                                                          \
	} while (0)

#endif
