/*
 * The linear resampler of the remote seat.
 */
#include "display/remote/resample.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <math.h>

static void refuses_nonsense(void)
{
	struct resample r;

	test_equal(resample_init(&r, 0, 2, 48000), -EINVAL);
	test_equal(resample_init(&r, 48000, 0, 48000), -EINVAL);
	test_equal(resample_init(&r, 48000, 9, 48000), -EINVAL);
	test_equal(resample_init(&r, 48000, 2, 0), -EINVAL);
	test_equal(resample_init(&r, 0xffffffff, 2, 48000), -EINVAL);
	test_equal(resample_init(&r, 44100, 1, 48000), 0);
}

static void equal_rates_pass_unchanged(void)
{
	struct resample r;
	uint32_t out;
	int expected = -30000;

	resample_init(&r, 48000, 2, 48000);
	for (int i = -30000; i < 30000; i += 7) {
		int16_t frame[2] = {(int16_t)i, (int16_t)-i};

		resample_push(&r, frame);
		while (resample_pull(&r, &out)) {
			test_equal((int16_t)out, expected);
			test_equal((int16_t)(out >> 16), -expected);
			expected += 7;
		}
	}
	test_assert(expected >= 30000 - 2 * 7); /* the last one waits for its neighbour */
}

/* A second of a tone comes out with as many frames as a second has, and the same frequency. */
static void keeps_time(uint32_t in, uint32_t out_rate, uint32_t channels)
{
	struct resample r;
	uint32_t out;
	unsigned n = 0, rising = 0;
	int16_t before = 0;

	test_equal(resample_init(&r, in, channels, out_rate), 0);
	for (uint32_t i = 0; i < in; i++) {
		int16_t frame[8] = {0};

		frame[0] = frame[1] = (int16_t)(20000 * sin(i * 2 * M_PI * 440 / in));
		resample_push(&r, frame);
		while (resample_pull(&r, &out)) {
			rising += before < 0 && (int16_t)out >= 0;
			before = (int16_t)out;
			n++;
		}
	}
	test_assert(n + 12 > out_rate && n < out_rate + 12);
	test_assert(rising >= 438 && rising <= 440);
}

static void rates(void)
{
	keeps_time(44100, 48000, 2);
	keeps_time(48000, 44100, 1);
	keeps_time(8000, 48000, 1);
	keeps_time(192000, 48000, 8);
	keeps_time(48000, 48000, 2);
}

int main(void)
{
	test_run(refuses_nonsense);
	test_run(equal_rates_pass_unchanged);
	test_run(rates);
	return 0;
}
