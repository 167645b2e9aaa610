/*
 * A person's time: when they may use the PC, and for how long a day. Pure: wall clock and usage are
 * passed in.
 *
 * Thread: any.
 */
#ifndef IRORI_SEATS_HOURS_H
#define IRORI_SEATS_HOURS_H

#include "seats/household.h"

/* What a person has used and been given, kept over restarts (seats/usage.h). */
struct usage {
	int64_t day;          /* days since 1970-01-01, local: the day that the rest is about */
	int64_t used_us;      /* of that day */
	int64_t extra_us;     /* given by a parent that day */
	int64_t free_until_s; /* local wall clock, seconds: no limit until then ("tonight"); 0: none */
	uint32_t warned;      /* the last warning that was given, minutes; UINT32_MAX: none */
};

struct hours_verdict {
	int64_t left_us;  /* until hours or budget end; INT64_MAX: without limit */
	bool allowed;     /* false: freeze */
	uint32_t warning; /* minutes, to be said now; 0: nothing */
	int64_t next_s;   /* when to look again at the latest, local wall clock */
};

/* now_s: local wall clock in seconds since 1970-01-01 00:00 local time (that is, with the zone's offset
 * added). elapsed_us: how long the person's guest was shown and ran since the last step; a step of the
 * wall clock does not cost them. Updates usage. */
struct hours_verdict hours_step(const struct person *person, struct usage *usage, int64_t now_s,
	int64_t elapsed_us);
/* A parent's gift: minutes, or until 04:00 next (tonight). */
void hours_extend(struct usage *usage, int64_t now_s, uint32_t minutes);
void hours_tonight(struct usage *usage, int64_t now_s);

/* "Mon-Fri 15:00-19:30, Sat 9:00-21:00"; false and error set with what was expected. Appends spans; one over
 * midnight becomes two. */
bool hours_parse(const char *text, GArray *spans, GError **error);

#endif
