/*
 * Hours as people write them; see hours_parse in hours.h.
 */
#include "seats/hours.h"

#include <string.h>

#include "vmm/error.h"

enum {
	MIDNIGHT = 24 * 60,
};

static const char *const day_names[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

/* A day's name, which may go on ("Monday"), at *at, which is moved behind it; -1: none. */
static int parse_day(const char **at)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(day_names); i++) {
		if (g_ascii_strncasecmp(*at, day_names[i], 3))
			continue;
		while (g_ascii_isalpha(**at))
			++*at;
		return (int)i;
	}
	return -1;
}

/* "Mon" or "Mon-Fri" (or "Sat-Mon"). */
static bool parse_days(const char *word, uint8_t *days)
{
	int first = parse_day(&word), last = first;

	if (first >= 0 && *word == '-') {
		word++;
		last = parse_day(&word);
	}
	if (first < 0 || last < 0 || *word)
		return false;
	for (int day = first;; day = (day + 1) % 7) {
		*days |= (uint8_t)(1u << day);
		if (day == last)
			return true;
	}
}

/* Up to two digits. */
static bool parse_digits(const char **at, unsigned *value)
{
	const char *start = *at;

	for (*value = 0; g_ascii_isdigit(**at) && *at < start + 2; ++*at)
		*value = *value * 10 + (unsigned)(**at - '0');
	return *at > start;
}

/* "9", "9:00", "24:00" in minutes. */
static bool parse_time(const char **at, unsigned *minutes)
{
	unsigned hour, minute = 0;

	if (!parse_digits(at, &hour))
		return false;
	if (**at == ':') {
		++*at;
		if (!parse_digits(at, &minute))
			return false;
	}
	*minutes = hour * 60 + minute;
	return minute < 60 && *minutes <= MIDNIGHT;
}

static bool parse_times(const char *word, unsigned *from, unsigned *to)
{
	if (!parse_time(&word, from) || *word++ != '-' || !parse_time(&word, to) || *word)
		return false;
	return *from != *to && *from < MIDNIGHT;
}

static void span_append(GArray *spans, uint8_t days, unsigned from, unsigned to)
{
	struct hours_span span = { .days = days, .from = (uint16_t)from, .to = (uint16_t)to };

	if (from < to)
		g_array_append_val(spans, span);
}

/* "Mon-Fri 15:00-19:30": words, of which the last is the time. */
static bool parse_item(const char *item, GArray *spans)
{
	g_auto(GStrv) words = g_strsplit_set(item, " \t", -1);
	uint8_t days = 0;
	unsigned from = 0, to = 0;
	bool timed = false;

	for (char **word = words; *word; word++) {
		if (!**word)
			continue;
		if (timed)
			return false;
		if (g_ascii_isdigit(**word))
			timed = parse_times(*word, &from, &to);
		if (!timed && !parse_days(*word, &days))
			return false;
	}
	if (!timed)
		return false;
	if (!days)
		days = 0x7f;
	span_append(spans, days, from, to > from ? to : MIDNIGHT);
	if (to < from)
		span_append(spans, (uint8_t)((days << 1 | days >> 6) & 0x7f), 0, to);
	return true;
}

bool hours_parse(const char *text, GArray *spans, GError **error)
{
	g_auto(GStrv) items = g_strsplit(text, ",", HOURS_MAX_SPANS + 1);
	guint before = spans->len;

	for (char **item = items; *item; item++)
		if (!parse_item(*item, spans) || spans->len > HOURS_MAX_SPANS) {
			bool many = spans->len > HOURS_MAX_SPANS;

			g_array_set_size(spans, before);
			return many ? fail(error, "at most %d spans of hours", HOURS_MAX_SPANS) :
				fail(error, "'%.40s': expected days and a time, such as "
					"Mon-Fri 15:00-19:30", g_strstrip(*item));
		}
	return true;
}
