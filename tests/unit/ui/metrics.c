/*
 * Counting frames: sequences of what was on the scanout at each vblank, and what they must add up to.
 * "." is a vblank that nothing could be read at, "_" one that the observer slept through; letters
 * are frames.
 */
#include "display/metrics.h"

#include <string.h>

#include "tests/unit/test.h"

#define PERIOD 16666667ll

static const struct metrics_config thirty = { .cadence = 2, .period_ns = PERIOD };
static const struct metrics_config sixty = { .cadence = 1, .period_ns = PERIOD };

static size_t sequence(const char *text, uint16_t first, uint32_t clip_frames,
	struct observation *o)
{
	size_t n = 0;

	for (uint32_t v = 0; text[v]; v++) {
		if (text[v] == '_')
			continue;
		o[n] = (struct observation){
			.vblank = v,
			.vblank_ns = v * PERIOD,
			.taken_ns = v * PERIOD + 100000,
			.flush_ns = v * PERIOD - 5000000,
		};
		if (text[v] != '.') {
			uint32_t k = (uint32_t)(text[v] - 'a');

			o[n].number = (uint16_t)(first + k);
			o[n].clip = (uint16_t)(k % clip_frames);
			o[n].flags = OBSERVED_NUMBER | OBSERVED_CLIP;
		}
		n++;
	}
	return n;
}

static const struct {
	const char *what, *text;
	struct metrics expect;
} cases[] = {
	{ "all is well", "aabbccddee", { .shown = 5 } },
	{ "joined in the middle of a frame", "abbccdd", { .shown = 4 } },
	{ "late by one", "aabbcccddee", { .shown = 5, .late = 1, .repeated = 1 } },
	{ "late by three, once", "aabbcccccddee", { .shown = 5, .late = 1, .repeated = 3 } },
	{ "late, then a hurry", "aabbcccdee", { .shown = 5, .late = 1, .repeated = 1, .early = 1 } },
	{ "late twice", "aabbcccdddee", { .shown = 5, .late = 2, .repeated = 2 } },
	{ "one skipped, in time", "aabbccccee", { .shown = 4, .skipped = 1, .repeated = 2 } },
	{ "one skipped, early", "aabbccee", { .shown = 4, .skipped = 1, .early = 1 } },
	{ "two skipped and late", "aabbcccccccff",
		{ .shown = 4, .skipped = 2, .repeated = 5, .late = 1 } },
	{ "stuck to the end", "aabbcccccc", { .shown = 3, .repeated = 4, .stalled = 4 } },
	{ "a vblank that cannot be read within a frame", "aabbc.ddee",
		{ .shown = 5, .unreadable = 1 } },
	{ "one where the new frame was due", "aabb.ccdd",
		{ .shown = 4, .unreadable = 1, .late = 1, .repeated = 1 } },
	{ "the observer slept within a frame", "aabbc_ddee", { .shown = 5, .missed = 1 } },
	{ "and when a frame was due", "aabb_ccdd",
		{ .shown = 4, .missed = 1, .late = 1, .repeated = 1 } },
	{ "the count began anew", "ddeeffaabb", { .shown = 5, .restarts = 1 } },
	{ "black", "......", { .unreadable = 6 } },
	{ "nothing", "", { 0 } },
};

static void table(void)
{
	struct observation o[64];
	struct metrics m;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct metrics *e = &cases[i].expect;
		size_t n = sequence(cases[i].text, 100, 1000, o);

		printf("   %s: %s\n", cases[i].what, cases[i].text);
		metrics_count(o, n, 0, &thirty, &m);
		test_equal(m.vblanks, strlen(cases[i].text));
		test_equal(m.shown, e->shown);
		test_equal(m.late, e->late);
		test_equal(m.repeated, e->repeated);
		test_equal(m.skipped, e->skipped);
		test_equal(m.early, e->early);
		test_equal(m.stalled, e->stalled);
		test_equal(m.unreadable, e->unreadable);
		test_equal(m.missed, e->missed);
		test_equal(m.restarts, e->restarts);
		/* The clip begins anew at a count of its own: a restart is not a mismatch. */
		test_equal(m.mismatched, 0);
	}
}

/* Every way to cut a run in two gives the same sums as the whole. */
static void windows_add_up(void)
{
	const char *text = "aabbcccddee.ffgggghhjjkk_llmmmoopp";
	struct observation o[64];
	struct metrics whole, a, b;
	size_t n = sequence(text, 65530, 7, o);

	metrics_count(o, n, 0, &thirty, &whole);
	test_assert(whole.late && whole.skipped && whole.repeated);
	for (size_t cut = 0; cut <= n; cut++) {
		metrics_count(o, cut, 0, &thirty, &a);
		metrics_count(o, n, cut, &thirty, &b);
		test_equal(a.vblanks + b.vblanks, whole.vblanks);
		test_equal(a.shown + b.shown, whole.shown);
		test_equal(a.late + b.late, whole.late);
		test_equal(a.repeated + b.repeated, whole.repeated);
		test_equal(a.skipped + b.skipped, whole.skipped);
		test_equal(a.missed + b.missed, whole.missed);
		test_equal(a.unreadable + b.unreadable, whole.unreadable);
	}
}

static void sixteen_bits_wrap(void)
{
	struct observation o[64];
	struct metrics m;
	size_t n = sequence("aabbccddeeffgghh", 65533, 1000, o);

	metrics_count(o, n, 0, &thirty, &m);
	test_equal(m.shown, 8);
	test_equal(m.restarts + m.skipped + m.late, 0);
}

static void cadence_of_one(void)
{
	struct observation o[64];
	struct metrics m;
	size_t n = sequence("abcddefhij", 0, 1000, o);

	metrics_count(o, n, 0, &sixty, &m);
	test_equal(m.expected, 10);
	test_equal(m.shown, 9);
	test_equal(m.repeated, 1);
	test_equal(m.late, 1);
	test_equal(m.skipped, 1);
	test_equal(m.early, 1);
}

static void clip_is_checked(void)
{
	struct observation o[64];
	struct metrics m;
	/* A clip of five frames: wraps at f, k, p. */
	size_t n = sequence("aabbccddeeffgghhiijjkkllmmnnooppqq", 0, 5, o);

	metrics_count(o, n, 0, &thirty, &m);
	test_equal(m.mismatched, 0);
	test_equal(m.clip_read, 17);
	/* The player shows an old frame under a new number: seen when it goes wrong and when it goes
	 * right again. */
	for (size_t i = 0; i < n; i++)
		if (o[i].number == 8)
			o[i].clip = 2;
	metrics_count(o, n, 0, &thirty, &m);
	test_equal(m.mismatched, 2);
	/* A clip number that has gone missing is a mismatch too. */
	for (size_t i = 0; i < n; i++) {
		if (o[i].number == 8)
			o[i].clip = 3;
		if (o[i].number == 12)
			o[i].flags &= ~(uint32_t)OBSERVED_CLIP;
	}
	metrics_count(o, n, 0, &thirty, &m);
	test_equal(m.mismatched, 1);
	/* A wrap of another length than the first. */
	for (size_t i = 0; i < n; i++) {
		o[i].flags |= OBSERVED_CLIP;
		o[i].clip = o[i].number < 12 ? o[i].number % 5 : o[i].number - 12;
	}
	metrics_count(o, n, 0, &thirty, &m);
	test_equal(m.mismatched, 1);
}

static void host_is_reported_beside(void)
{
	struct observation o[64];
	struct metrics m;
	size_t n = sequence("aabbcccddeeefffhh", 0, 1000, o);

	o[6].flags |= OBSERVED_HOST; /* the third c */
	metrics_count(o, n, 0, &thirty, &m);
	test_equal(m.late, 2); /* d and f; h comes early for two steps */
	test_equal(m.skipped, 1);
	test_equal(m.late_host, 1);
	test_equal(m.skipped_host, 0);
	test_equal(m.host_vblanks, 1);
}

static bool near(double a, double b)
{
	return a - b < 0.001 && b - a < 0.001;
}

static void times(void)
{
	struct observation o[64];
	struct metrics m;
	size_t n = sequence("aabbccddeeffgghh", 0, 1000, o);

	o[6].taken_ns += 900000; /* d was looked at 1 ms late */
	o[8].flush_ns = o[8].vblank_ns - 200000; /* e came just in time */
	metrics_count(o, n, 0, &thirty, &m);
	test_equal(m.late, 0);
	test_assert(near(m.jitter_max, 0.9));
	test_assert(near(m.jitter_p50, 0));
	test_assert(near(m.slack_p01, 0.2));
	test_assert(near(m.slack_p50, 5));
	test_assert(near(m.taken_max, 1));
}

static void quantiles(void)
{
	GArray *values = g_array_new(FALSE, FALSE, sizeof(double));

	test_assert(near(metrics_quantile(values, 0.5), 0));
	for (int i = 100; i > 0; i--) {
		double value = i;

		g_array_append_val(values, value);
	}
	test_assert(near(metrics_quantile(values, 0), 1));
	test_assert(near(metrics_quantile(values, 0.01), 1));
	test_assert(near(metrics_quantile(values, 0.5), 50));
	test_assert(near(metrics_quantile(values, 0.99), 99));
	test_assert(near(metrics_quantile(values, 1), 100));
	g_array_free(values, TRUE);
}

/* Hostile numbers must not upset the arithmetic. */
static void any_numbers(void)
{
	static struct observation o[5000];
	uint64_t random = 1;
	struct metrics m;

	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 5000; i++) {
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			o[i] = (struct observation){
				.vblank = i ? o[i - 1].vblank + 1 + (random >> 60 == 0) : 0,
				.number = (uint16_t)(random >> 20),
				.clip = (uint16_t)(random >> 40),
				.flags = (random >> 57) & 7,
				.flush_ns = (int64_t)(random >> 1),
			};
		}
		metrics_count(o, 5000, round * 100, &thirty, &m);
		test_assert(m.shown <= 5000);
	}
}

int main(void)
{
	test_run(table);
	test_run(windows_add_up);
	test_run(sixteen_bits_wrap);
	test_run(cadence_of_one);
	test_run(clip_is_checked);
	test_run(host_is_reported_beside);
	test_run(times);
	test_run(quantiles);
	test_run(any_numbers);
	return 0;
}
