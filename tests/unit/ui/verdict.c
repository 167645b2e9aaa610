/*
 * The verdict as a table: figures of three legs, and what they must lead to.
 */
#include "ui/verdict.h"

#include <string.h>

#include "tests/unit/test.h"

#define LEG(reboots_, ...)                                                                         \
	{ .present = true, .reboots = reboots_,                                                    \
	  .video = { .expected = 1800, .shown = 1800, .clip_read = 1800, __VA_ARGS__ } }

static const struct {
	const char *what;
	struct verdict_input input;
	enum verdict verdict;
	const char *why; /* a part of it */
} cases[] = {
	{ "as it should be",
		{ LEG(0), LEG(10), LEG(10, .late = 40, .skipped = 12) }, VERDICT_PASS,
		"no frame was skipped" },
	{ "one late is within a thousandth",
		{ LEG(0), LEG(10, .late = 1), LEG(10, .late = 40) }, VERDICT_PASS, "1 of 1800" },
	{ "two are not",
		{ LEG(0), LEG(10, .late = 2), LEG(10, .late = 40) }, VERDICT_FAIL, "allowed" },
	{ "unless it is as late alone",
		{ LEG(0, .late = 3), LEG(10, .late = 4), LEG(10, .late = 40) }, VERDICT_PASS,
		"3 alone" },
	{ "one skipped is one too many",
		{ LEG(0), LEG(10, .skipped = 1), LEG(10, .late = 40) }, VERDICT_FAIL, "1 frames" },
	{ "nine reboots are too few",
		{ LEG(0), LEG(9), LEG(10, .late = 40) }, VERDICT_INCONCLUSIVE, "only 9" },
	{ "lost frames are a fail even so",
		{ LEG(0), LEG(9, .skipped = 1), LEG(10) }, VERDICT_FAIL, "skipped" },
	{ "a control that loses nothing",
		{ LEG(0), LEG(10), LEG(10) }, VERDICT_INCONCLUSIVE, "too small" },
	{ "a control that loses by chance",
		{ LEG(0), LEG(10), LEG(10, .late = 2) }, VERDICT_INCONCLUSIVE, "too small" },
	{ "a control as bad as alone",
		{ LEG(0, .late = 30), LEG(10), LEG(10, .late = 31) }, VERDICT_INCONCLUSIVE,
		"too small" },
	{ "no control",
		{ LEG(0), LEG(10), { 0 } }, VERDICT_INCONCLUSIVE, "--ab" },
	{ "no leg alone",
		{ { 0 }, LEG(10), LEG(10, .late = 40) }, VERDICT_INCONCLUSIVE, "--ab" },
	{ "nothing managed",
		{ LEG(0), { 0 }, LEG(10) }, VERDICT_INCONCLUSIVE, "put to the proof" },
	{ "the host took all that is too much",
		{ LEG(0), LEG(10, .late = 5, .late_host = 4, .skipped = 1, .skipped_host = 1),
			LEG(10, .late = 40) }, VERDICT_INCONCLUSIVE, "host" },
	{ "the host took some of it",
		{ LEG(0), LEG(10, .late = 5, .late_host = 2), LEG(10, .late = 40) }, VERDICT_FAIL,
		"late" },
	{ "a picture that lies",
		{ LEG(0), LEG(10, .mismatched = 1), LEG(10, .late = 40) }, VERDICT_FAIL, "burnt" },
	{ "a picture that lies in the control",
		{ LEG(0), LEG(10), LEG(10, .late = 40, .mismatched = 1) }, VERDICT_FAIL,
		"unmanaged" },
	{ "a player that began anew",
		{ LEG(0), LEG(10, .restarts = 1), LEG(10, .late = 40) }, VERDICT_FAIL, "anew" },
	{ "a player that hangs",
		{ LEG(0), LEG(10, .stalled = 300), LEG(10, .late = 40) }, VERDICT_FAIL, "still" },
	{ "a control whose player hangs",
		{ LEG(0), LEG(10), LEG(10, .stalled = 300) }, VERDICT_FAIL, "unmanaged" },
	{ "nothing seen",
		{ LEG(0), { .present = true, .reboots = 10 }, LEG(10) }, VERDICT_FAIL, "No frame" },
	{ "a clip without numbers",
		{ LEG(0), { .present = true, .reboots = 10, .video = { .expected = 9, .shown = 9 } },
			LEG(10) }, VERDICT_INCONCLUSIVE, "unproved" },
	{ "a crash",
		{ LEG(0), { .present = true, .crashed = true, .reboots = 10,
			.video = { .expected = 9, .shown = 9, .clip_read = 9 } }, LEG(10) },
		VERDICT_FAIL, "crashed" },
};

static void table(void)
{
	char why[VERDICT_WHY];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum verdict is = verdict_reach(&cases[i].input, why);

		printf("   %s: %s: %s\n", cases[i].what, verdict_name(is), why);
		test_equal(is, cases[i].verdict);
		test_assert(strstr(why, cases[i].why));
	}
}

/* A leg twice as long may have twice as many late frames. */
static void proportion(void)
{
	struct verdict_input in = {
		LEG(0, .late = 10), LEG(10, .late = 23), LEG(10, .late = 400),
	};
	char why[VERDICT_WHY];

	test_equal(verdict_reach(&in, why), VERDICT_FAIL);
	in.managed.video.expected *= 2;
	test_equal(verdict_reach(&in, why), VERDICT_PASS);
}

int main(void)
{
	test_run(table);
	test_run(proportion);
	return 0;
}
