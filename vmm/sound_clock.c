/*
 * A position that moves evenly between reports: a line of the stream's rate through `base`, whose
 * `base` is drawn to the reports (a control loop of the first order).
 */
#include "vmm/sound_clock.h"

#include <glib.h>

#define SECOND 1000000000ll

enum {
	CLOCK_PULL = 8, /* the part of an error that a report takes away */
	CLOCK_PAST = 60, /* seconds: nobody looks less often */
};

static int64_t clock_line(const struct sound_clock *clock, int64_t now)
{
	int64_t ns = CLAMP(now - clock->since, 0, CLOCK_PAST * SECOND);

	return clock->base + (int64_t)((unsigned __int128)ns * clock->rate / SECOND);
}

void sound_clock_start(struct sound_clock *clock, int64_t now, uint32_t rate, uint32_t slack)
{
	*clock = (struct sound_clock){
		.rate = rate,
		.slack = slack,
		.alone = slack == 0,
		.since = now,
	};
}

void sound_clock_report(struct sound_clock *clock, int64_t now, uint64_t bytes)
{
	int64_t line = clock_line(clock, now), error;

	clock->reported += bytes;
	error = (int64_t)clock->reported - line;
	/* Far off: the sink stood, or began late. */
	if (ABS(error) <= clock->slack)
		error /= CLOCK_PULL;
	clock->base = line + error;
	clock->since = now;
}

uint64_t sound_clock_at(struct sound_clock *clock, int64_t now)
{
	int64_t at = clock_line(clock, now), limit = (int64_t)clock->reported + clock->slack;

	if (!clock->alone) {
		at = MIN(at, limit);
	} else if (now - clock->since >= CLOCK_PAST / 2 * SECOND) {
		/* No report does this for it; not often, as a part of a byte is lost. */
		clock->base = at;
		clock->since = now;
	}
	clock->last = MAX(clock->last, (uint64_t)MAX(at, 0));
	return clock->last;
}

int64_t sound_clock_when(const struct sound_clock *clock, uint64_t bytes)
{
	int64_t ahead = (int64_t)bytes - clock->base;

	if (!clock->rate || (!clock->alone && bytes > clock->reported + clock->slack))
		return INT64_MAX;
	return ahead <= 0 ? clock->since
			  : clock->since + (int64_t)((unsigned __int128)ahead * SECOND /
				    clock->rate) + 1;
}
