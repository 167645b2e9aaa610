/*
 * What a demonstration found out: the figures of its legs, for JSON and for the report page.
 *
 * The JSON has stable names, for scripts: top level "legs", "verdict", "why"; a leg has "leg",
 * "seconds", "guests"; a guest "name", "role", "frames_expected", "frames_shown", "late", "repeated",
 * "skipped", "jitter_ms" {p50, p99, max}, "slack_ms" {p01, p50}, "audio_underruns", "reboots",
 * "reboot_ms" {p50, max}, "exits" {reason: count}, "cpu_s". More may be added, these do not change.
 * Frames of a guest whose picture carries no numbers ("counted_by": "link") are those that the link
 * presented; nothing is expected of them.
 *
 * Thread: one.
 */
#ifndef IRORI_UI_RESULT_H
#define IRORI_UI_RESULT_H

#include <glib.h>
#include <stdbool.h>

#include "display/link.h"
#include "display/metrics.h"
#include "ui/verdict.h"

enum result_limits {
	RESULT_GUESTS = 2,
	RESULT_LEGS = 3,
};

struct result_exits {
	unsigned n;
	struct link_exit_count count[LINK_MAX_EXITS];
};

struct result_guest {
	char name[LINK_NAME_LEN];
	const char *role;
	bool present, counted; /* frames counted from the picture */
	struct metrics video;
	uint64_t frames; /* presented, by the link's count */
	uint64_t audio_periods, audio_underruns;
	unsigned reboots;
	double reboot_p50, reboot_max; /* ms, reset to first frame */
	struct result_exits exits;
	double cpu_s, run_delay_s;
	GArray *observations; /* struct observation; the leg begins at `from` */
	size_t from;
};

/* A time in which the other guest was rebooting: from the reset until its first frame. */
struct result_band {
	int64_t from_ns, to_ns;
};

struct result_leg {
	const char *leg; /* "alone", "managed", "unmanaged" */
	double seconds;
	int64_t from_ns, to_ns;
	struct result_guest guest[RESULT_GUESTS];
	GArray *bands;   /* struct result_band */
	double steal_s, meter_delay_s;
	bool crashed, complete;
};

struct result {
	unsigned n_legs;
	struct result_leg leg[RESULT_LEGS];
	enum verdict verdict;
	char why[VERDICT_WHY];
	struct metrics_config metrics;
	/* About the host and the run; g_free. */
	char *cpu_model, *kernel, *system, *kvm, *sharing, *meter, *started;
	unsigned processors, study_vcpus;
	double load_before;
	GByteArray *png[RESULT_GUESTS]; /* what the seats showed; may be NULL */
};

void result_clear(struct result *result);
/* From the legs: verdict and why. */
void result_judge(struct result *result);
const struct result_leg *result_leg(const struct result *result, const char *name);

/* now - before, by reason; reasons that did not occur are left out; the most frequent first. */
void result_exits(const struct link_stat *before, const struct link_stat *now,
	struct result_exits *exits);

char *result_json(const struct result *result); /* g_free */
/* A few lines for a terminal: the legs side by side, verdict and why. g_free. */
char *result_text(const struct result *result);

#endif
