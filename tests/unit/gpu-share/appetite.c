/*
 * How much a guest wants of the host.
 */
#include "gpu-share/appetite.h"

#include <time.h>
#include <unistd.h>

#include "tests/unit/test.h"

#define MS INT64_C(1000000)

static void most_of_its_processors(void)
{
	struct appetite appetite = { 0 };

	test_assert(!appetite_judge(&appetite, 5000 * MS, 2, 1000 * MS)); /* nothing to compare with */
	test_assert(!appetite.busy);
	test_assert(appetite_judge(&appetite, 5210 * MS, 2, 1200 * MS)); /* 210 of 400 */
	test_assert(appetite.busy);
	test_assert(!appetite_judge(&appetite, 5610 * MS, 2, 1400 * MS));
	test_assert(appetite_judge(&appetite, 5800 * MS, 2, 1600 * MS)); /* 190 of 400 */
	test_assert(!appetite.busy);
	/* A thread ended and took its time with it. */
	test_assert(!appetite_judge(&appetite, 100 * MS, 2, 1800 * MS));
	/* No time has passed. */
	test_assert(!appetite_judge(&appetite, 900 * MS, 2, 1800 * MS));
}

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void of_a_process(void)
{
	struct appetite appetite = { 0 };
	int64_t end = now() + 200 * MS;

	appetite_look(&appetite, getpid(), 1, now());
	while (now() < end)
		;
	appetite_look(&appetite, getpid(), 1, now());
	test_assert(appetite.busy);
	/* One that is not there wants nothing. */
	appetite = (struct appetite){ 0 };
	appetite_look(&appetite, 0x3fffffff, 1, now());
	usleep(1000);
	appetite_look(&appetite, 0x3fffffff, 1, now());
	test_assert(!appetite.busy);
}

int main(void)
{
	test_run(most_of_its_processors);
	if (access("/proc/self/schedstat", R_OK))
		test_skip("this kernel keeps no schedstat");
	test_run(of_a_process);
	return 0;
}
