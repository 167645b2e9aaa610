/*
 * What became of a video's frames, worked out from what was on the scanout at each vblank.
 *
 * Input is a list of observations, one a vblank: the number that was read from the picture. The
 * arithmetic is pure, so that a test can feed it any sequence and a recorded run can be counted
 * again.
 *
 * Definitions. A frame is *shown* at the first vblank at which its number is read. With a cadence of
 * c vblanks a frame (2 for 30 frames a second at 60 Hz):
 *
 *	skipped   numbers that were never read, counted when a later number appears
 *	late      a frame that is shown later than c vblanks (times the step of the number) after
 *	          the frame before it was shown. One late frame counts once, however late; the next
 *	          is judged from when this one was shown, so a burst that shifted everything after
 *	          it is not counted again, and a player that hurries to catch up is seen as `early`
 *	repeated  vblanks that showed an old frame when the cadence had promised a new one: a frame
 *	          late by k vblanks leaves k of them
 *	early     frames shown sooner than the cadence says
 *
 * A vblank at which nothing could be read shows no new frame: it is `unreadable` and, when it was a
 * new frame's turn, repeated. A vblank that the observer itself slept through is a gap in the
 * vblank index: nobody saw a new frame there either, so it counts just the same, and is reported
 * beside as `missed`.
 *
 * The clip's own burnt-in number must step as the player's does (its wrap at the end of the clip
 * is learnt at the first wrap); where it does not, the picture was not the one that was counted:
 * `mismatched`.
 *
 * Thread: any.
 */
#ifndef IRORI_DISPLAY_METRICS_H
#define IRORI_DISPLAY_METRICS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum observation_flags {
	OBSERVED_NUMBER = 1 << 0, /* the player's code was readable */
	OBSERVED_CLIP = 1 << 1,   /* the clip's was */
	OBSERVED_HOST = 1 << 2,   /* the host took processors away about then (steal) */
};

struct observation {
	int64_t vblank_ns; /* nominal */
	int64_t taken_ns;  /* when the picture was looked at */
	int64_t flush_ns;  /* when the guest's flush of this picture was carried out */
	uint32_t vblank;   /* counts up by one a vblank */
	uint16_t number, clip;
	uint32_t flags;
};

struct metrics_config {
	unsigned cadence;  /* vblanks a frame, at least 1 */
	int64_t period_ns; /* of a vblank */
};

/* A frame's first showing. */
struct shown_frame {
	int64_t vblank_ns, taken_ns, flush_ns;
	double interval_ms; /* since the frame before; 0: none before */
	uint32_t vblank;
	int late_by;        /* vblanks; negative: early */
	uint32_t skipped;   /* numbers missing before it */
	bool judged;        /* false: nothing to judge it by (first, or the count began anew) */
	bool host;          /* the host took processors away while it was awaited */
	bool mismatched;
};

struct metrics {
	uint64_t vblanks, expected, shown, late, repeated, skipped, early;
	uint64_t unreadable, missed, mismatched, restarts;
	uint64_t stalled; /* vblanks for which, at the end, a new frame had been due and was not shown */
	uint64_t clip_read;               /* showings whose clip code was read */
	uint64_t late_host, skipped_host; /* of late and skipped: while the host took processors */
	uint64_t host_vblanks;
	double jitter_p50, jitter_p99, jitter_max; /* ms, |interval - cadence| */
	double slack_p01, slack_p50;               /* ms, vblank - flush at first showings */
	double taken_p99, taken_max;               /* ms, how late the observer looked */
};

/* Counts observations [from, n); those before only say what came before. */
void metrics_count(const struct observation *observations, size_t n, size_t from,
	const struct metrics_config *config, struct metrics *metrics);

/* The showings themselves, in the same interval: GArray of struct shown_frame. */
GArray *metrics_frames(const struct observation *observations, size_t n, size_t from,
	const struct metrics_config *config);

/* Value below which `part` (0..1) of the values lie; sorts them. 0 for none. */
double metrics_quantile(GArray *doubles, double part);

#endif
