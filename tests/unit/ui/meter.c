/*
 * The meter against a guest that plays from a script: what was put on the scanout, vblank by vblank,
 * must be counted exactly. Runs in real time (slowly, 40 ms a vblank); where the machine that tests is
 * so busy that the fake guest misses a vblank, a run is repeated.
 */
#include "display/meter.h"

#include <glib/gstdio.h>
#include <string.h>
#include <time.h>

#include "tests/unit/test.h"
#include "tests/unit/ui/fake_guest.h"

#define PERIOD 40000000ll

enum { TRIES = 5 };

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static GArray *run_script(const char *script)
{
	g_autofree char *dir = g_dir_make_tmp("irori-meter-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "guest.sock", NULL);
	GMainContext *context = g_main_context_new();
	struct fake_guest guest = { .script = script, .bars = true };
	struct link_server_config config = { .path = path, .name = "fake", .now = now };
	struct meter *meter = meter_new(PERIOD);
	struct meter_host host;
	GArray *observations;
	int64_t end, tail;

	test_assert(fake_guest_start(&guest, context, &config, NULL));
	test_equal(meter_add(meter, path, NULL), 0);
	test_assert(meter_start(meter, NULL));
	end = now() + 20000000000ll;
	tail = INT64_MAX;
	/* Let the meter sit down first. */
	for (int64_t start = now(); now() - start < 4 * PERIOD;)
		g_main_context_iteration(context, FALSE), g_usleep(1000);
	fake_guest_play(&guest);
	while (now() < end && now() < tail) {
		if (!g_main_context_iteration(context, FALSE))
			g_usleep(500);
		if (guest.done && tail == INT64_MAX)
			tail = now() + PERIOD / 4;
	}
	meter_host(meter, &host);
	printf("   the meter runs as: %s\n", host.scheduling);
	test_assert(meter_attached(meter, 0));
	observations = meter_observations(meter, 0, 0);
	test_equal(meter_count(meter, 0) >= observations->len, 1);
	meter_free(meter);
	fake_guest_stop(&guest);
	g_rmdir(dir);
	g_main_context_unref(context);
	return observations;
}

/* From the first number to the end of the script. */
static void count(GArray *observations, size_t len, struct metrics *m)
{
	const struct metrics_config config = { .cadence = 2, .period_ns = PERIOD };
	const struct observation *o = &g_array_index(observations, struct observation, 0);
	size_t first = 0;

	while (first < observations->len && !(o[first].flags & OBSERVED_NUMBER))
		first++;
	metrics_count(o + first, MIN(observations->len - first, len), 0, &config, m);
}

static const struct {
	const char *script;
	struct metrics expect;
} cases[] = {
	{ "aabbccddeeffgghh", { .shown = 8 } },
	{ "aabbcccddffggghh",
		{ .shown = 7, .late = 2, .repeated = 2, .skipped = 1, .early = 1 } },
	{ "aabb..ddee", { .shown = 4, .unreadable = 2, .skipped = 1, .repeated = 2 } },
};

static void faults_are_counted(void)
{
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct metrics *e = &cases[i].expect;
		struct metrics m = { 0 };
		bool same = false;

		for (unsigned try = 0; try < TRIES && !same; try++) {
			GArray *observations = run_script(cases[i].script);

			count(observations, strlen(cases[i].script), &m);
			g_array_free(observations, TRUE);
			same = m.shown == e->shown && m.late == e->late &&
				m.repeated == e->repeated && m.skipped == e->skipped &&
				m.early == e->early && m.unreadable == e->unreadable;
			printf("   %s: shown %d late %d repeated %d skipped %d early %d unreadable %d "
				"missed %d\n", cases[i].script, (int)m.shown, (int)m.late,
				(int)m.repeated, (int)m.skipped, (int)m.early, (int)m.unreadable,
				(int)m.missed);
		}
		test_assert(same);
		test_equal(m.mismatched, 0);
		test_assert(m.slack_p50 > 0 && m.slack_p50 < 40);
	}
}

static void nobody_there(void)
{
	struct meter *meter = meter_new(PERIOD);

	test_equal(meter_add(meter, "/nonexistent/guest.sock", NULL), -1);
	meter_free(meter);
	meter_free(NULL);
}

int main(void)
{
	test_run(nobody_there);
	test_run(faults_are_counted);
	return 0;
}
