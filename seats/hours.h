/*
 * A person's time: when they may use the PC, and for how long a day. Pure: wall clock and usage are
 * passed in.
 *
 * What counts first is the person's own time: within the hours, until the day's budget is used up. A
 * parent's gift comes after it: it is used up while the own time is over, whichever limit ended it, and
 * what is left of it goes at 04:00. A free night ("tonight") costs neither.
 *
 * A budget is new on a day that is later than all before, so that a clock that is set back, or back and on
 * again, renews none. One that once was far ahead holds the budget until then, or until a parent's gift:
 * who gives it takes the clock of that moment to be right.
 *
 * Hours are said by the wall clock, so summer time needs no thought: an hour that the clock skips is
 * not had, one that it says twice is had twice. A budget is time that has passed.
 *
 * Thread: any.
 */
#ifndef IRORI_SEATS_HOURS_H
#define IRORI_SEATS_HOURS_H

#include "seats/household.h"

enum {
	HOURS_MAX_SPANS = 64, /* of one person */
};

/* What a person has used and been given, kept over restarts (seats/usage.h). Zeroed, it is a person
 * who begins. Any value is taken: what cannot be is mended by hours_step. */
struct usage {
	int64_t day;           /* days since 1970-01-01, local: the day that used_us is about, the latest that the
				* clock has shown; after today, if it went back since */
	int64_t used_us;       /* of that day's budget */
	int64_t extra_us;      /* what is left of a parent's gift */
	int64_t extra_until_s; /* local wall clock: the gift is gone then */
	int64_t free_until_s;  /* local wall clock: no limit until then ("tonight"); 0: none */
	uint32_t warned;       /* the last warning that was given, minutes; 0: none yet */
};

struct hours_verdict {
	int64_t left_us;  /* until hours, budget and gift end; INT64_MAX: without limit */
	bool allowed;     /* false: freeze */
	uint32_t warning; /* minutes, to be said now; 0: nothing */
	int64_t next_s;   /* when to look again at the latest, local wall clock; after now_s */
};

/* now_s: local wall clock in seconds since 1970-01-01 00:00 local time (that is, with the zone's offset
 * added). elapsed_us: how long the person's guest was shown and ran since the last step; a step of the
 * wall clock does not cost them. Updates usage. A warning is said once; again only if there was more time
 * between. */
struct hours_verdict hours_step(const struct person *person, struct usage *usage, int64_t now_s,
	int64_t elapsed_us);
/* By how many days the clock has been ahead of now_s: so long there is no new budget. */
int64_t hours_days_ahead(const struct usage *usage, int64_t now_s);
/* A parent's gift: minutes (a day's at most), or until 04:00 next (tonight). */
void hours_extend(struct usage *usage, int64_t now_s, uint32_t minutes);
void hours_tonight(struct usage *usage, int64_t now_s);

/* "Mon-Fri 15:00-19:30, Sat Sun 9:00-21:00, 6-7": days (none: every day) and a time, with commas between.
 * Appends struct hours_span; one over midnight ("Fri 20:00-1:00") becomes two. False and error set with
 * what was expected, and nothing appended. */
bool hours_parse(const char *text, GArray *spans, GError **error);

#endif
