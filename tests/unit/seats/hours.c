/*
 * Hours and budgets: tables of what is left when, warnings once each, new days, nights, clock steps.
 */
#include "seats/hours.h"

#include <string.h>

#include "tests/unit/test.h"

#define MINUTE ((int64_t)60)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define US G_USEC_PER_SEC
#define MONDAY (19723 * DAY) /* 2024-01-01 */

static struct person someone(const char *hours, uint32_t budget)
{
	static const uint32_t minutes[] = { 15, 5, 1 };
	struct person person = { .name = "mika", .budget = budget };

	person.hours = g_array_new(FALSE, FALSE, sizeof(struct hours_span));
	person.warnings = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_array_append_vals(person.warnings, minutes, G_N_ELEMENTS(minutes));
	if (hours)
		test_assert(hours_parse(hours, person.hours, NULL));
	return person;
}

static void gone(struct person *person)
{
	g_array_free(person->hours, TRUE);
	g_array_free(person->warnings, TRUE);
}

static void hours_are_by_day_and_clock(void)
{
	static const struct {
		const char *hours;
		int64_t at, left_s; /* left -1: without limit */
	} table[] = {
		{ NULL, MONDAY, -1 },
		{ "Mon-Fri 15:00-19:30", MONDAY, 0 },
		{ "Mon-Fri 15:00-19:30", MONDAY + 15 * HOUR - 1, 0 },
		{ "Mon-Fri 15:00-19:30", MONDAY + 15 * HOUR, 4 * HOUR + 30 * MINUTE },
		{ "Mon-Fri 15:00-19:30", MONDAY + 19 * HOUR + 30 * MINUTE - 1, 1 },
		{ "Mon-Fri 15:00-19:30", MONDAY + 19 * HOUR + 30 * MINUTE, 0 },
		{ "Mon-Fri 15:00-19:30", MONDAY + 5 * DAY + 16 * HOUR, 0 },
		{ "Sat-Mon 9-10", MONDAY + 6 * DAY + 9 * HOUR, HOUR },
		{ "Sat-Mon 9-10", MONDAY + 9 * HOUR, HOUR },
		{ "Sat-Mon 9-10", MONDAY + DAY + 9 * HOUR, 0 },
		{ "9-10,10-11,10:30-12", MONDAY + 9 * HOUR, 3 * HOUR },
		{ "10:30-12,10-11,9-10", MONDAY + 9 * HOUR, 3 * HOUR },
		{ "0-24", MONDAY + 3, -1 },
		{ "Mon 0-24", MONDAY + 3 * HOUR, 21 * HOUR },
		{ "Mon Tue 0-24", MONDAY + 3 * HOUR, 45 * HOUR },
		/* over midnight */
		{ "Fri 20:00-1:00", MONDAY + 4 * DAY + 23 * HOUR, 2 * HOUR },
		{ "Fri 20:00-1:00", MONDAY + 5 * DAY, HOUR },
		{ "Fri 20:00-1:00", MONDAY + 5 * DAY + HOUR, 0 },
		{ "Fri 20:00-1:00", MONDAY + 4 * DAY, 0 },
		{ "Sun 22-6", MONDAY + 7 * DAY + 5 * HOUR, HOUR },
		{ "Sun 22-0", MONDAY + 6 * DAY + 23 * HOUR, HOUR },
		/* before 1970, and where no clock is */
		{ "Wed 9-10", -DAY + 9 * HOUR, HOUR },
		{ "Mon 9-10", INT64_MIN, 0 },
		{ "0-24", INT64_MAX, -1 },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
		struct person person = someone(table[i].hours, 0);
		struct usage usage = { 0 };
		struct hours_verdict verdict = hours_step(&person, &usage, table[i].at, 0);

		test_equal(verdict.left_us,
			table[i].left_s < 0 ? INT64_MAX : table[i].left_s * US);
		test_equal(verdict.allowed, table[i].left_s != 0);
		gone(&person);
	}
}

static void a_budget_is_used_up_and_new_the_next_day(void)
{
	struct person person = someone(NULL, 60);
	struct usage usage = { 0 };
	struct hours_verdict verdict = hours_step(&person, &usage, MONDAY + HOUR, 0);

	test_equal(verdict.left_us, 60 * MINUTE * US);
	verdict = hours_step(&person, &usage, MONDAY + 2 * HOUR, 20 * MINUTE * US);
	test_equal(verdict.left_us, 40 * MINUTE * US);
	verdict = hours_step(&person, &usage, MONDAY + 3 * HOUR, 41 * MINUTE * US);
	test_assert(!verdict.allowed);
	test_equal(verdict.left_us, 0);
	test_equal(verdict.next_s, MONDAY + DAY);
	/* half a minute of what has passed was after midnight */
	verdict = hours_step(&person, &usage, MONDAY + DAY + 30, MINUTE * US);
	test_equal(verdict.left_us, (60 * MINUTE - 30) * US);
	test_assert(verdict.allowed);
	gone(&person);
}

static void what_ends_first_counts(void)
{
	struct person person = someone("9-10", 30);
	struct usage usage = { 0 };

	test_equal(hours_step(&person, &usage, MONDAY + 9 * HOUR, 0).left_us, 30 * MINUTE * US);
	test_equal(hours_step(&person, &usage, MONDAY + 9 * HOUR + 50 * MINUTE, 10 * MINUTE * US).left_us,
		10 * MINUTE * US);
	test_assert(!hours_step(&person, &usage, MONDAY + 10 * HOUR, 10 * MINUTE * US).allowed);
	test_equal(usage.used_us, 20 * MINUTE * US);
	/* after the hours nothing of the budget goes */
	test_assert(!hours_step(&person, &usage, MONDAY + 11 * HOUR, 5 * MINUTE * US).allowed);
	test_equal(usage.used_us, 20 * MINUTE * US);
	gone(&person);
}

/* A day of seconds; every warning with the second it came at. */
static void warnings_come_once_each(void)
{
	static const struct {
		uint32_t minutes;
		int64_t left_s;
	} expected[] = { { 15, 900 }, { 5, 300 }, { 1, 60 } };
	struct person person = someone("9:00-10:00", 0);
	struct usage usage = { 0 };
	unsigned n = 0;

	for (int64_t now = MONDAY; now < MONDAY + DAY; now++) {
		struct hours_verdict verdict = hours_step(&person, &usage, now, US);

		test_assert(verdict.next_s > now && verdict.next_s <= MONDAY + DAY);
		if (!verdict.warning)
			continue;
		test_assert(n < G_N_ELEMENTS(expected));
		test_equal(verdict.warning, expected[n].minutes);
		test_equal(verdict.left_us, expected[n].left_s * US);
		n++;
	}
	test_equal(n, 3);
	gone(&person);
}

static void who_comes_late_hears_the_nearest(void)
{
	struct person person = someone("9:00-10:00", 0);
	struct usage usage = { 0 };
	int64_t end = MONDAY + 10 * HOUR;

	test_equal(hours_step(&person, &usage, end - 3 * MINUTE, 0).warning, 5);
	test_equal(hours_step(&person, &usage, end - 3 * MINUTE, 0).warning, 0);
	test_equal(hours_step(&person, &usage, end - 30, 0).warning, 1);
	test_equal(hours_step(&person, &usage, end, 0).warning, 0);
	gone(&person);
}

static void next_is_when_something_changes(void)
{
	static const struct {
		const char *hours;
		int64_t at, next;
	} table[] = {
		{ NULL, 5 * HOUR, DAY },
		{ "9-10", 0, 9 * HOUR },
		{ "9-10", 9 * HOUR, 9 * HOUR + 45 * MINUTE },
		{ "9-10", 9 * HOUR + 45 * MINUTE, 9 * HOUR + 55 * MINUTE },
		{ "9-10", 9 * HOUR + 59 * MINUTE, 10 * HOUR },
		{ "9-10,11-12", 10 * HOUR, 11 * HOUR },
		{ "9-10", 10 * HOUR, DAY },
		{ "0-24", 23 * HOUR, DAY },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
		struct person person = someone(table[i].hours, 0);
		struct usage usage = { 0 };

		test_equal(hours_step(&person, &usage, MONDAY + table[i].at, 0).next_s,
			MONDAY + table[i].next);
		gone(&person);
	}
}

static void a_gift_comes_after_what_is_ones_own(void)
{
	struct person person = someone("9:00-10:00", 0);
	struct usage usage = { 0 };
	int64_t end = MONDAY + 10 * HOUR;
	struct hours_verdict verdict;

	hours_step(&person, &usage, end - 30, 0);
	hours_extend(&usage, end - 30, 10);
	verdict = hours_step(&person, &usage, end - 30, 0);
	test_equal(verdict.left_us, (10 * MINUTE + 30) * US);
	test_equal(verdict.warning, 0); /* that much was just said */
	test_equal(hours_step(&person, &usage, end, 30 * US).left_us, 10 * MINUTE * US);
	verdict = hours_step(&person, &usage, end + 5 * MINUTE, 5 * MINUTE * US);
	test_equal(verdict.left_us, 5 * MINUTE * US);
	test_equal(verdict.warning, 5);
	/* a guest that is not shown does not use it up */
	test_equal(hours_step(&person, &usage, end + HOUR, 0).left_us, 5 * MINUTE * US);
	test_assert(!hours_step(&person, &usage, end + HOUR, 5 * MINUTE * US).allowed);
	gone(&person);
}

static void a_gift_is_for_a_budget_too_and_ends_in_the_night(void)
{
	struct person person = someone(NULL, 1);
	struct usage usage = { 0 };
	int64_t late = MONDAY + 23 * HOUR + 50 * MINUTE;

	test_assert(!hours_step(&person, &usage, late, 2 * MINUTE * US).allowed);
	hours_extend(&usage, late, 60);
	test_equal(hours_step(&person, &usage, late, 0).left_us, HOUR * US);
	/* midnight: a new budget, and what is left of the gift */
	test_equal(hours_step(&person, &usage, MONDAY + DAY, 10 * MINUTE * US).left_us,
		61 * MINUTE * US);
	test_equal(hours_step(&person, &usage, MONDAY + DAY + 4 * HOUR, 0).left_us, MINUTE * US);
	gone(&person);
}

static void tonight_is_until_four(void)
{
	struct person person = someone("9:00-10:00", 1);
	struct usage usage = { 0 };
	struct hours_verdict verdict;

	hours_tonight(&usage, MONDAY + 22 * HOUR);
	verdict = hours_step(&person, &usage, MONDAY + 22 * HOUR, HOUR * US);
	test_equal(verdict.left_us, INT64_MAX);
	test_equal(verdict.next_s, MONDAY + DAY);
	verdict = hours_step(&person, &usage, MONDAY + DAY + HOUR, HOUR * US);
	test_assert(verdict.allowed);
	test_equal(verdict.next_s, MONDAY + DAY + 4 * HOUR);
	test_assert(hours_step(&person, &usage, MONDAY + DAY + 4 * HOUR - 1, HOUR * US).allowed);
	test_assert(!hours_step(&person, &usage, MONDAY + DAY + 4 * HOUR, 0).allowed);
	test_equal(usage.used_us, 0); /* a free night costs nothing */
	hours_tonight(&usage, MONDAY + 2 * HOUR);
	test_equal(usage.free_until_s, MONDAY + 4 * HOUR);
	hours_tonight(&usage, MONDAY + 4 * HOUR);
	test_equal(usage.free_until_s, MONDAY + DAY + 4 * HOUR);
	gone(&person);
}

static void a_step_of_the_clock_costs_nothing(void)
{
	struct person person = someone(NULL, 60);
	struct usage usage = { 0 };
	int64_t now = MONDAY + 12 * HOUR;

	hours_step(&person, &usage, now, 0);
	test_equal(hours_step(&person, &usage, now + 3 * HOUR, US).left_us, (60 * MINUTE - 1) * US);
	test_equal(hours_step(&person, &usage, now - 3 * HOUR, US).left_us, (60 * MINUTE - 2) * US);
	test_equal(hours_step(&person, &usage, now, -HOUR * US).left_us, (60 * MINUTE - 2) * US);
	test_equal(hours_step(&person, &usage, now, INT64_MIN).left_us, (60 * MINUTE - 2) * US);
	gone(&person);
}

/* A day back and a day on again, however often, gives one budget; real days give each their own. */
static void a_clock_set_back_renews_nothing(void)
{
	static const struct {
		int64_t at, elapsed_s, left_s;
		const char *what;
	} table[] = {
		{ MONDAY + DAY + 12 * HOUR, 0, 30 * MINUTE, "Tuesday" },
		{ MONDAY + DAY + 13 * HOUR, 30 * MINUTE, 0, "used up" },
		{ MONDAY + 13 * HOUR, 0, 0, "Monday again" },
		{ MONDAY + 14 * HOUR, HOUR, 0, "it goes on" },
		{ MONDAY + DAY + 1, 0, 0, "Tuesday again, by itself or by hand" },
		{ MONDAY + 13 * HOUR, 0, 0, "back" },
		{ MONDAY + DAY + 23 * HOUR, 0, 0, "and on" },
		{ MONDAY + 2 * DAY, 0, 30 * MINUTE, "Wednesday" },
		{ MONDAY + 2 * DAY + HOUR, 10 * MINUTE, 20 * MINUTE, "some of it" },
		{ MONDAY + 2 * DAY - 1, 0, 20 * MINUTE, "a second before midnight: what passes is charged" },
		{ MONDAY + 2 * DAY - 1, 10 * MINUTE, 10 * MINUTE, "all of it" },
		/* more than a day, as far as one likes */
		{ MONDAY + 2 * DAY + HOUR, 10 * MINUTE, 0, "used up" },
		{ MONDAY, 0, 0, "two days back" },
		{ MONDAY + 1 * DAY, 0, 0, "a midnight of those" },
		{ MONDAY + 2 * DAY + HOUR, 0, 0, "set right" },
		{ -10000 * DAY, 0, 0, "a battery that is empty" },
		{ MONDAY + 2 * DAY + 2 * HOUR, 0, 0, "set right by the network" },
		{ MONDAY + 3 * DAY, 0, 30 * MINUTE, "Thursday" },
	};
	struct person person = someone(NULL, 30);
	struct usage usage = { 0 };

	for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
		struct hours_verdict verdict =
			hours_step(&person, &usage, table[i].at, table[i].elapsed_s * US);

		if (verdict.left_us != table[i].left_s * US)
			fprintf(stderr, "%s:\n", table[i].what);
		test_equal(verdict.left_us, table[i].left_s * US);
	}
	gone(&person);
}

/* A clock that once was years ahead holds the budget, until somebody who may gives time: from then on its days
 * count. */
static void a_gift_says_that_the_clock_is_right(void)
{
	for (unsigned tonight = 0; tonight < 2; tonight++) {
		struct person person = someone(NULL, 30);
		struct usage usage = { 0 };

		hours_step(&person, &usage, MONDAY + 4000 * DAY, 0);
		test_assert(!hours_step(&person, &usage, MONDAY + HOUR, 30 * MINUTE * US).allowed);
		test_assert(!hours_step(&person, &usage, MONDAY + DAY, 0).allowed);
		test_equal(hours_days_ahead(&usage, MONDAY + DAY), 3999);
		if (tonight)
			hours_tonight(&usage, MONDAY + DAY);
		else
			hours_extend(&usage, MONDAY + DAY, 10);
		test_equal(hours_days_ahead(&usage, MONDAY + DAY), 0);
		test_equal(hours_step(&person, &usage, MONDAY + DAY, 0).left_us,
			tonight ? INT64_MAX : 10 * MINUTE * US);
		test_equal(usage.used_us, 30 * MINUTE * US);
		test_equal(hours_step(&person, &usage, MONDAY + 2 * DAY + 5 * HOUR, 0).left_us, 30 * MINUTE * US);
		/* a day that begins with the gift begins anew all the same */
		usage.used_us = 30 * MINUTE * US;
		if (tonight)
			hours_tonight(&usage, MONDAY + 3 * DAY);
		else
			hours_extend(&usage, MONDAY + 3 * DAY, 10);
		test_equal(usage.used_us, 0);
		gone(&person);
	}
}

/* A PC whose clock begins in the wrong year, and is set right a minute later. */
static void a_clock_set_right_frees_nobody_for_years(void)
{
	struct person person = someone("9:00-10:00", 0);
	struct usage usage = { 0 };
	int64_t wrong = MONDAY + 14 * 365 * DAY;

	hours_tonight(&usage, wrong);
	hours_extend(&usage, wrong, 600);
	test_assert(hours_step(&person, &usage, wrong, 0).allowed);
	test_assert(!hours_step(&person, &usage, MONDAY + 20 * HOUR, 0).allowed);
	test_equal(usage.extra_us, 0);
	gone(&person);
}

static void a_clock_set_by_seconds_repeats_no_warning(void)
{
	struct person person = someone("9:00-10:00", 0);
	struct usage usage = { 0 };
	int64_t end = MONDAY + 10 * HOUR;

	test_equal(hours_step(&person, &usage, end - 5 * MINUTE, 0).warning, 5);
	test_equal(hours_step(&person, &usage, end - 5 * MINUTE - 20, 0).warning, 0);
	test_equal(hours_step(&person, &usage, end - 5 * MINUTE, 0).warning, 0);
	/* back by an hour: that is new time, and it ends as well */
	test_equal(hours_step(&person, &usage, end - HOUR, 0).warning, 0);
	test_equal(hours_step(&person, &usage, end - 15 * MINUTE, 0).warning, 15);
	gone(&person);
}

static void any_usage_is_taken(void)
{
	static const int64_t values[] = { INT64_MIN, -1, 0, 1, INT64_MAX };
	struct person person = someone("0-24", 1440);

	for (unsigned i = 0; i < 5 * 5 * 5 * 5; i++) {
		struct usage usage = { values[i % 5], values[i / 5 % 5], values[i / 25 % 5],
			values[i / 125], values[i % 5], UINT32_MAX };

		hours_extend(&usage, values[i / 5 % 5], UINT32_MAX);
		hours_tonight(&usage, values[i / 5 % 5]);
		hours_step(&person, &usage, values[i / 25 % 5], values[i / 125]);
		usage.day = values[i / 125];
		test_assert(hours_days_ahead(&usage, values[i % 5]) >= 0);
	}
	gone(&person);
}

static void hours_that_are_none_are_refused(void)
{
	static const char *const bad[] = { "Mon", "15:00", "9-", "-9", "9-9", "24-1", "9:60-10", "25-26",
		"9-24:01", "Mox 9-10", "Mon-9-10", "Mon- 9-10", "9-10 Mon", "9-10 11-12", "9-10,", ",",
		" ", "Mon 9-10; Tue", "9:000-10", "999-1", "9-10x", "M\xc3\xb6n 9-10" };
	g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(struct hours_span));
	GString *many = g_string_new("1-2");

	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		test_assert(!hours_parse(bad[i], spans, &error));
		test_assert(strstr(error->message, "expected"));
		test_equal(spans->len, 0);
	}
	for (unsigned i = 1; i < HOURS_MAX_SPANS; i++)
		g_string_append(many, ",1-2");
	test_assert(hours_parse(many->str, spans, NULL));
	test_equal(spans->len, HOURS_MAX_SPANS);
	g_array_set_size(spans, 0);
	g_string_append(many, ",1-2");
	test_assert(!hours_parse(many->str, spans, NULL));
	test_equal(spans->len, 0);
	g_string_free(many, TRUE);
	test_assert(hours_parse("", spans, NULL));
	test_assert(hours_parse(" monday-FRIDAY\tSat  9:05-24:00 ", spans, NULL));
	test_equal(spans->len, 1);
	test_equal(g_array_index(spans, struct hours_span, 0).days, 0x3f);
	test_equal(g_array_index(spans, struct hours_span, 0).from, 545);
	test_equal(g_array_index(spans, struct hours_span, 0).to, 1440);
}

int main(void)
{
	test_run(hours_are_by_day_and_clock);
	test_run(a_budget_is_used_up_and_new_the_next_day);
	test_run(what_ends_first_counts);
	test_run(warnings_come_once_each);
	test_run(who_comes_late_hears_the_nearest);
	test_run(next_is_when_something_changes);
	test_run(a_gift_comes_after_what_is_ones_own);
	test_run(a_gift_is_for_a_budget_too_and_ends_in_the_night);
	test_run(tonight_is_until_four);
	test_run(a_step_of_the_clock_costs_nothing);
	test_run(a_clock_set_back_renews_nothing);
	test_run(a_gift_says_that_the_clock_is_right);
	test_run(a_clock_set_right_frees_nobody_for_years);
	test_run(a_clock_set_by_seconds_repeats_no_warning);
	test_run(any_usage_is_taken);
	test_run(hours_that_are_none_are_refused);
	return 0;
}
