/*
 * See hours.h.
 */
#include "seats/hours.h"

#define MINUTE_US (60 * G_USEC_PER_SEC)
#define DAY_S ((int64_t)24 * 60 * 60)
#define WALL_MAX ((int64_t)1 << 40) /* seconds; no clock says more, and sums stay far from overflow */
#define NIGHT_S ((int64_t)4 * 60 * 60) /* what was given for a night ends at 04:00 */
#define REARM_US (MINUTE_US / 2) /* so much more time is more than a clock that was set right */

static int64_t day_of(int64_t now_s)
{
	return now_s / DAY_S - (now_s % DAY_S < 0);
}

/* 1970-01-01 was a Thursday; Monday is 0. */
static unsigned weekday_of(int64_t day)
{
	return (unsigned)(((day + 3) % 7 + 7) % 7);
}

static int64_t night_end(int64_t now_s)
{
	int64_t at = day_of(now_s) * DAY_S + NIGHT_S;

	return now_s < at ? at : at + DAY_S;
}

/* An end that was never given by this clock: it was set back since, or the file is wrong. */
static bool is_stale(int64_t until_s, int64_t now_s)
{
	return until_s <= now_s || until_s > now_s + DAY_S;
}

/* How long the spans go on without a gap from now_s; a week or more is for ever. */
static int64_t hours_left(const GArray *spans, int64_t now_s)
{
	int64_t end = now_s;
	bool grew = spans->len > 0;

	if (!spans->len)
		return INT64_MAX;
	while (grew && end < now_s + 7 * DAY_S) {
		int64_t day = day_of(end), start = day * DAY_S;

		grew = false;
		for (guint i = 0; i < spans->len; i++) {
			const struct hours_span *span = &g_array_index(spans, struct hours_span, i);
			int64_t to = start + span->to * 60;

			if (!(span->days & 1u << weekday_of(day)) || end < start + span->from * 60 ||
				to <= end)
				continue;
			end = to;
			grew = true;
			if (end >= start + DAY_S)
				break;
		}
	}
	return end >= now_s + 7 * DAY_S ? INT64_MAX : (end - now_s) * G_USEC_PER_SEC;
}

/* What cannot be, and what is of another day. */
static void usage_mend(struct usage *usage, int64_t now_s)
{
	int64_t day = day_of(now_s);

	if (usage->day < day)
		usage->used_us = 0;
	/* The clock went back: the latest day goes on, however far that is. Otherwise back and on again would renew
	 * the budget. */
	if (usage->day < day || usage->day > day_of(WALL_MAX))
		usage->day = day;
	if (is_stale(usage->extra_until_s, now_s))
		usage->extra_us = usage->extra_until_s = 0;
	if (is_stale(usage->free_until_s, now_s))
		usage->free_until_s = 0;
	usage->used_us = CLAMP(usage->used_us, 0, DAY_S * G_USEC_PER_SEC);
	usage->extra_us = CLAMP(usage->extra_us, 0, DAY_S * G_USEC_PER_SEC);
}

/* The person's own time that is left, without gifts. */
static int64_t own_left(const struct person *person, const struct usage *usage, int64_t now_s)
{
	int64_t budget = person->budget ? MAX(person->budget * MINUTE_US - usage->used_us, 0) : INT64_MAX;

	return MIN(budget, hours_left(person->hours, now_s));
}

/* How much of the time that has passed was within the hours. */
static int64_t hours_passed(const GArray *hours, int64_t now_s, int64_t elapsed_us)
{
	int64_t began = now_s - (elapsed_us + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;

	return hours_left(hours, now_s) > 0 ? elapsed_us : MIN(hours_left(hours, began), elapsed_us);
}

/* Time that has passed goes to the budget as long as it is the person's own, the rest to the gift. */
static void usage_charge(const struct person *person, struct usage *usage, int64_t now_s,
	int64_t elapsed_us)
{
	int64_t own = hours_passed(person->hours, now_s, elapsed_us);

	if (person->budget)
		own = MIN(own, MAX(person->budget * MINUTE_US - usage->used_us, 0));
	usage->used_us += own;
	usage->extra_us = MAX(usage->extra_us - (elapsed_us - own), 0);
}

/* The smallest warning that so little time calls for; 0: none. */
static uint32_t warning_of(const struct person *person, int64_t left_us)
{
	uint32_t warning = 0;

	for (guint i = 0; i < person->warnings->len; i++) {
		uint32_t minutes = g_array_index(person->warnings, uint32_t, i);

		if (left_us <= minutes * MINUTE_US && (!warning || minutes < warning))
			warning = minutes;
	}
	return warning;
}

static uint32_t warning_step(const struct person *person, struct usage *usage, int64_t left_us)
{
	uint32_t warning = warning_of(person, left_us);

	if (usage->warned && left_us > usage->warned * MINUTE_US + REARM_US)
		usage->warned = warning; /* more time than was said: that much is known */
	if (!warning || (usage->warned && warning >= usage->warned))
		return 0;
	usage->warned = warning;
	return warning;
}

/* Until the next warning, or the end. */
static int64_t next_allowed(const struct person *person, int64_t left_us)
{
	int64_t next = left_us;

	for (guint i = 0; i < person->warnings->len; i++) {
		int64_t at = left_us - g_array_index(person->warnings, uint32_t, i) * MINUTE_US;

		if (at > 0 && at < next)
			next = at;
	}
	return next / G_USEC_PER_SEC;
}

/* Until a span begins today. */
static int64_t next_frozen(const struct person *person, int64_t now_s)
{
	int64_t day = day_of(now_s), next = DAY_S;

	for (guint i = 0; i < person->hours->len; i++) {
		const struct hours_span *span = &g_array_index(person->hours, struct hours_span, i);
		int64_t at = day * DAY_S + span->from * 60 - now_s;

		if (span->days & 1u << weekday_of(day) && at > 0 && at < next)
			next = at;
	}
	return next;
}

struct hours_verdict hours_step(const struct person *person, struct usage *usage, int64_t now_s,
	int64_t elapsed_us)
{
	struct hours_verdict verdict = { .left_us = INT64_MAX, .allowed = true };
	int64_t next, since_midnight;

	now_s = CLAMP(now_s, -WALL_MAX, WALL_MAX);
	since_midnight = now_s - day_of(now_s) * DAY_S;
	elapsed_us = CLAMP(elapsed_us, 0, DAY_S * G_USEC_PER_SEC);
	if (usage->day < day_of(now_s)) /* what was before midnight is not the new day's */
		elapsed_us = MIN(elapsed_us, since_midnight * G_USEC_PER_SEC);
	usage_mend(usage, now_s);
	next = DAY_S - since_midnight;
	if (usage->free_until_s) {
		usage->warned = 0;
		verdict.next_s = MIN(now_s + next, usage->free_until_s);
		return verdict;
	}
	usage_charge(person, usage, now_s, elapsed_us);
	verdict.left_us = own_left(person, usage, now_s);
	if (verdict.left_us != INT64_MAX)
		verdict.left_us += usage->extra_us;
	verdict.allowed = verdict.left_us > 0;
	if (verdict.allowed)
		verdict.warning = warning_step(person, usage, verdict.left_us);
	next = MIN(next, verdict.allowed ? next_allowed(person, verdict.left_us) :
					   next_frozen(person, now_s));
	verdict.next_s = now_s + MAX(next, 1);
	return verdict;
}

int64_t hours_days_ahead(const struct usage *usage, int64_t now_s)
{
	return MAX(CLAMP(usage->day, -WALL_MAX, WALL_MAX) - day_of(CLAMP(now_s, -WALL_MAX, WALL_MAX)), 0);
}

/* Before a gift: whoever may give one says with it that the clock is right. */
static void usage_begin_gift(struct usage *usage, int64_t now_s)
{
	usage_mend(usage, now_s);
	usage->day = day_of(now_s);
}

void hours_extend(struct usage *usage, int64_t now_s, uint32_t minutes)
{
	now_s = CLAMP(now_s, -WALL_MAX, WALL_MAX);
	usage_begin_gift(usage, now_s);
	usage->extra_us = MIN(usage->extra_us + minutes * MINUTE_US, DAY_S * G_USEC_PER_SEC);
	usage->extra_until_s = night_end(now_s);
}

void hours_tonight(struct usage *usage, int64_t now_s)
{
	now_s = CLAMP(now_s, -WALL_MAX, WALL_MAX);
	usage_begin_gift(usage, now_s);
	usage->free_until_s = night_end(now_s);
}
