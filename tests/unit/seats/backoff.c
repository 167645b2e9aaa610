/*
 * How long to wait before what ended is started again.
 */
#include "seats/backoff.h"

#include "tests/unit/test.h"

#define MS INT64_C(1000000)

static void doubles_up_to_max(void)
{
	static const uint32_t waits[] = { 50, 100, 200, 400, 500, 500 };
	struct backoff backoff;

	backoff_init(&backoff, 50, 500, 1000);
	for (unsigned i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		test_equal(backoff_down(&backoff, (int64_t)i * MS), waits[i]);
	backoff_reset(&backoff);
	test_equal(backoff_down(&backoff, 0), 50);
}

static void staying_up_ends_it(void)
{
	struct backoff backoff;

	backoff_init(&backoff, 50, 500, 1000);
	backoff_down(&backoff, 0);
	backoff_up(&backoff, 10 * MS);
	test_equal(backoff_down(&backoff, 1009 * MS), 100); /* not for long enough */
	backoff_up(&backoff, 2000 * MS);
	backoff_up(&backoff, 2900 * MS); /* the first counts */
	test_equal(backoff_down(&backoff, 3000 * MS), 50);
	/* One that has not come up since is no longer up. */
	test_equal(backoff_down(&backoff, 9000 * MS), 100);
}

static void odd_bounds(void)
{
	struct backoff backoff;

	backoff_init(&backoff, 0, 0, 0);
	test_equal(backoff_down(&backoff, 0), 1);
	test_equal(backoff_down(&backoff, 0), 1);
	backoff_init(&backoff, 100, 10, 0);
	test_equal(backoff_down(&backoff, 0), 100);
	backoff_init(&backoff, UINT32_MAX / 2 + 1, UINT32_MAX, 0);
	test_equal(backoff_down(&backoff, 0), UINT32_MAX / 2 + 1);
	test_equal(backoff_down(&backoff, 0), UINT32_MAX);
	test_equal(backoff_down(&backoff, 0), UINT32_MAX);
}

int main(void)
{
	test_run(doubles_up_to_max);
	test_run(staying_up_ends_it);
	test_run(odd_bounds);
	return 0;
}
