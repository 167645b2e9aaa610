/*
 * Counting frames; the definitions are in metrics.h.
 */
#include "display/metrics.h"

#include <math.h>
#include <string.h>

/* What is known when a vblank is looked at. */
struct track {
	const struct metrics_config *config;
	const struct observation *before; /* the vblank before */
	bool have, judge;                 /* a frame is up; we saw it come */
	uint16_t number, clip;
	bool have_clip;
	uint32_t clip_frames;             /* 0: not learnt yet */
	uint32_t start;                   /* vblank at which it was first shown */
	int64_t start_ns;
	bool host;                        /* since then the host took processors away */
};

struct counting {
	struct metrics *metrics; /* NULL: only frames are wanted */
	GArray *frames;
};

/* How many of the vblanks up to `vblank` showed the present frame longer than the cadence allows. */
static int64_t overheld(const struct track *track, uint32_t vblank)
{
	int64_t held = (int64_t)vblank - track->start;

	return track->have && held > track->config->cadence ? held - track->config->cadence : 0;
}

/* True if the burnt-in number took the same step as the player's. */
static bool clip_agrees(struct track *track, const struct observation *o, int step)
{
	uint32_t frames;

	if (!(o->flags & OBSERVED_CLIP))
		return !track->have_clip;
	if (!track->have_clip)
		return true;
	if (track->clip_frames)
		return o->clip < track->clip_frames &&
			(track->clip + (uint32_t)step) % track->clip_frames == o->clip;
	if (o->clip == track->clip + step)
		return true;
	if (o->clip >= track->clip || o->clip >= step)
		return false;
	frames = track->clip + (uint32_t)step - o->clip;
	track->clip_frames = frames;
	return true;
}

static void frame_shown(struct track *track, const struct observation *o, int step,
	struct counting *counting, bool counted)
{
	struct shown_frame frame = {
		.vblank_ns = o->vblank_ns,
		.taken_ns = o->taken_ns,
		.flush_ns = o->flush_ns,
		.vblank = o->vblank,
		.host = track->host,
	};

	if (track->have && step > 0) {
		frame.skipped = (uint32_t)step - 1;
		frame.judged = track->judge;
		frame.interval_ms = (double)(o->taken_ns - track->start_ns) / 1e6;
		if (frame.judged)
			frame.late_by = (int)(o->vblank - track->start) -
				(int)track->config->cadence * step;
		frame.mismatched = !clip_agrees(track, o, step);
	}
	if (counted)
		g_array_append_val(counting->frames, frame);
	/* The very first may have been up for a while already. */
	track->judge = track->have;
	track->have = true;
	track->number = o->number;
	if (o->flags & OBSERVED_CLIP) {
		track->clip = o->clip;
		track->have_clip = true;
	} else if (track->have_clip) {
		track->clip = (uint16_t)(track->clip + MAX(step, 0));
		if (track->clip_frames)
			track->clip %= track->clip_frames;
	}
	track->start = o->vblank;
	track->start_ns = o->taken_ns;
	track->host = false;
}

static void vblank_count(struct track *track, const struct observation *o,
	struct counting *counting, bool counted)
{
	uint32_t gap = track->before ? o->vblank - track->before->vblank - 1 : 0;
	/* Vblanks since the one before at which the old frame was up too long. */
	int64_t repeated = 0;
	int step = track->have ? (int16_t)(uint16_t)(o->number - track->number) : 1;
	bool readable = o->flags & OBSERVED_NUMBER;
	bool fresh = readable && (!track->have || step);

	track->host |= !!(o->flags & OBSERVED_HOST);
	if (track->before)
		repeated = overheld(track, fresh ? o->vblank : o->vblank + 1) -
			overheld(track, track->before->vblank + 1);
	if (counted && counting->metrics) {
		struct metrics *m = counting->metrics;

		m->vblanks += 1 + gap;
		m->missed += gap;
		m->unreadable += !readable;
		m->host_vblanks += !!(o->flags & OBSERVED_HOST);
		m->repeated += repeated > 0 ? (uint64_t)repeated : 0;
		m->restarts += fresh && step < 0;
		m->clip_read += fresh && (o->flags & OBSERVED_CLIP);
	}
	if (fresh)
		frame_shown(track, o, step, counting, counted);
	track->before = o;
}

static void observations_walk(const struct observation *o, size_t n, size_t from,
	const struct metrics_config *config, struct counting *counting)
{
	struct track track = { .config = config };

	for (size_t i = 0; i < n; i++)
		vblank_count(&track, &o[i], counting, i >= from);
	if (n && counting->metrics)
		counting->metrics->stalled = (uint64_t)overheld(&track, o[n - 1].vblank + 1);
}

GArray *metrics_frames(const struct observation *observations, size_t n, size_t from,
	const struct metrics_config *config)
{
	struct counting counting = {
		.frames = g_array_new(FALSE, FALSE, sizeof(struct shown_frame)),
	};

	observations_walk(observations, n, from, config, &counting);
	return counting.frames;
}

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double metrics_quantile(GArray *doubles, double part)
{
	if (!doubles->len)
		return 0;
	g_array_sort(doubles, double_compare);
	/* Nearest rank: the smallest value that is not below `part` of all. */
	return g_array_index(doubles, double,
		CLAMP((int64_t)ceil(part * doubles->len) - 1, 0, (int64_t)doubles->len - 1));
}

static void frames_sum(const GArray *frames, const struct metrics_config *config,
	struct metrics *m)
{
	GArray *jitter = g_array_new(FALSE, FALSE, sizeof(double));
	GArray *slack = g_array_new(FALSE, FALSE, sizeof(double));
	double promised = (double)config->period_ns * config->cadence / 1e6;

	for (unsigned i = 0; i < frames->len; i++) {
		const struct shown_frame *f = &g_array_index(frames, struct shown_frame, i);
		double value = (double)(f->vblank_ns - f->flush_ns) / 1e6;

		m->shown++;
		g_array_append_val(slack, value);
		m->skipped += f->skipped;
		m->mismatched += f->mismatched;
		m->skipped_host += f->host ? f->skipped : 0;
		if (!f->judged)
			continue;
		m->late += f->late_by > 0;
		m->early += f->late_by < 0;
		m->late_host += f->host && f->late_by > 0;
		value = fabs(f->interval_ms - promised * (1 + f->skipped));
		g_array_append_val(jitter, value);
	}
	m->jitter_p50 = metrics_quantile(jitter, 0.5);
	m->jitter_p99 = metrics_quantile(jitter, 0.99);
	m->jitter_max = metrics_quantile(jitter, 1);
	m->slack_p01 = metrics_quantile(slack, 0.01);
	m->slack_p50 = metrics_quantile(slack, 0.5);
	g_array_free(jitter, TRUE);
	g_array_free(slack, TRUE);
}

void metrics_count(const struct observation *observations, size_t n, size_t from,
	const struct metrics_config *config, struct metrics *metrics)
{
	struct counting counting = {
		.metrics = metrics,
		.frames = g_array_new(FALSE, FALSE, sizeof(struct shown_frame)),
	};
	GArray *taken = g_array_new(FALSE, FALSE, sizeof(double));

	memset(metrics, 0, sizeof(*metrics));
	observations_walk(observations, n, from, config, &counting);
	frames_sum(counting.frames, config, metrics);
	metrics->expected = (metrics->vblanks + config->cadence / 2) / config->cadence;
	for (size_t i = from; i < n; i++) {
		double late = (double)(observations[i].taken_ns - observations[i].vblank_ns) / 1e6;

		g_array_append_val(taken, late);
	}
	metrics->taken_p99 = metrics_quantile(taken, 0.99);
	metrics->taken_max = metrics_quantile(taken, 1);
	g_array_free(taken, TRUE);
	g_array_free(counting.frames, TRUE);
}
