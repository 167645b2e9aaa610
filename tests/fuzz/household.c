/*
 * Configuration of seats, guests, people: any text gives something good or a complaint. Hours and usage
 * have their own grammars: what is taken is within bounds, and steps through a week.
 */
#include <string.h>

#include "seats/hours.h"
#include "seats/usage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void hours_hold(const char *text)
{
	g_autoptr(GError) error = NULL;
	static const uint32_t minutes[] = { 15, 5, 1 };
	struct person person = { .budget = 30 };
	struct usage usage = { 0 };
	int64_t now = 0;

	person.hours = g_array_new(FALSE, FALSE, sizeof(struct hours_span));
	person.warnings = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_array_append_vals(person.warnings, minutes, G_N_ELEMENTS(minutes));
	if (hours_parse(text, person.hours, &error) == !!error || person.hours->len > HOURS_MAX_SPANS)
		__builtin_trap();
	for (guint i = 0; i < person.hours->len; i++) {
		const struct hours_span *span = &g_array_index(person.hours, struct hours_span, i);

		if (span->from >= span->to || span->to > 1440 || !span->days || span->days > 0x7f)
			__builtin_trap();
	}
	for (int i = 0; i < 100; i++) {
		struct hours_verdict verdict = hours_step(&person, &usage, now, 1000000);

		if (verdict.next_s <= now || verdict.left_us < 0 || verdict.allowed != (verdict.left_us > 0))
			__builtin_trap();
		now = verdict.next_s;
	}
	g_array_free(person.hours, TRUE);
	g_array_free(person.warnings, TRUE);
}

static void household_holds(const char *text, size_t len)
{
	for (unsigned kind = 0; kind < HOUSEHOLD_KINDS; kind++) {
		struct household *household = household_new();
		guint made;

		household_parse(household, kind, "fuzz", "fuzz.conf", text, len);
		made = household->seats->len + household->guests->len + household->people->len;
		if (kind != HOUSEHOLD_IRORI && !made && !household->complaints->len)
			__builtin_trap();
		if (household->seats->len) {
			g_autofree char *again =
				household_seat_text(g_ptr_array_index(household->seats, 0));

			household_parse(household, HOUSEHOLD_SEAT, "again", "again", again, strlen(again));
			if (household->seats->len != 2)
				__builtin_trap();
		}
		household_free(household);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree char *text = g_strndup((const char *)data, len);
	struct usage usage;

	household_holds((const char *)data, len);
	hours_hold(text);
	if (usage_parse((const char *)data, len, &usage)) {
		struct person person = { .budget = 30, .hours = g_array_new(FALSE, FALSE, 4),
			.warnings = g_array_new(FALSE, FALSE, 4) };

		hours_step(&person, &usage, 1700000000, 1000000);
		g_array_free(person.hours, TRUE);
		g_array_free(person.warnings, TRUE);
	}
	return 0;
}
