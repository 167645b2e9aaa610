/*
 * The chord detector: its whole transition table, then times.
 */
#include "input/chord.h"
#include "tests/unit/test.h"

#include <linux/input-event-codes.h>

#define MS INT64_C(1000000)

static void table(void)
{
	static const struct {
		enum chord_state from;
		enum chord_event event;
		enum chord_state to;
	} rows[] = {
		{CHORD_IDLE, CHORD_MEMBER_DOWN, CHORD_ONE},
		{CHORD_IDLE, CHORD_MEMBER_UP, CHORD_IDLE},
		{CHORD_IDLE, CHORD_OTHER_DOWN, CHORD_SPOILED},
		{CHORD_IDLE, CHORD_ALL_UP, CHORD_IDLE},
		{CHORD_IDLE, CHORD_TIMEOUT, CHORD_IDLE},
		{CHORD_ONE, CHORD_MEMBER_DOWN, CHORD_BOTH},
		{CHORD_ONE, CHORD_MEMBER_UP, CHORD_SPOILED},
		{CHORD_ONE, CHORD_OTHER_DOWN, CHORD_SPOILED},
		{CHORD_ONE, CHORD_ALL_UP, CHORD_IDLE},
		{CHORD_ONE, CHORD_TIMEOUT, CHORD_SPOILED},
		{CHORD_BOTH, CHORD_MEMBER_DOWN, CHORD_BOTH},
		{CHORD_BOTH, CHORD_MEMBER_UP, CHORD_SPOILED},
		{CHORD_BOTH, CHORD_OTHER_DOWN, CHORD_SPOILED},
		{CHORD_BOTH, CHORD_ALL_UP, CHORD_IDLE},
		{CHORD_BOTH, CHORD_TIMEOUT, CHORD_FIRED},
		{CHORD_FIRED, CHORD_MEMBER_DOWN, CHORD_FIRED},
		{CHORD_FIRED, CHORD_MEMBER_UP, CHORD_FIRED},
		{CHORD_FIRED, CHORD_OTHER_DOWN, CHORD_FIRED},
		{CHORD_FIRED, CHORD_ALL_UP, CHORD_IDLE},
		{CHORD_FIRED, CHORD_TIMEOUT, CHORD_FIRED},
		{CHORD_SPOILED, CHORD_MEMBER_DOWN, CHORD_SPOILED},
		{CHORD_SPOILED, CHORD_MEMBER_UP, CHORD_SPOILED},
		{CHORD_SPOILED, CHORD_OTHER_DOWN, CHORD_SPOILED},
		{CHORD_SPOILED, CHORD_ALL_UP, CHORD_IDLE},
		{CHORD_SPOILED, CHORD_TIMEOUT, CHORD_SPOILED},
	};

	test_equal(sizeof(rows) / sizeof(rows[0]), CHORD_STATES * CHORD_EVENTS);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		test_equal(chord_next(rows[i].from, rows[i].event), rows[i].to);
}

static void fires_when_both_are_held(void)
{
	struct chord chord;

	chord_init(&chord, &chord_default);
	test_assert(!chord_key(&chord, KEY_LEFTCTRL, true, false, 0));
	test_assert(!chord_key(&chord, KEY_RIGHTCTRL, true, false, 100 * MS));
	test_equal(chord.deadline_ns, 700 * MS);
	test_assert(!chord_tick(&chord, 699 * MS));
	test_assert(chord_tick(&chord, 700 * MS));
	test_assert(!chord_tick(&chord, 800 * MS));
	test_assert(chord_swallows(&chord));
	test_assert(!chord_key(&chord, KEY_LEFTCTRL, false, false, 900 * MS));
	test_assert(chord_swallows(&chord));
	test_assert(!chord_key(&chord, KEY_RIGHTCTRL, false, true, 901 * MS));
	test_assert(!chord_swallows(&chord));
}

static void letting_go_early_is_no_chord(void)
{
	struct chord chord;

	chord_init(&chord, &chord_default);
	chord_key(&chord, KEY_LEFTCTRL, true, false, 0);
	chord_key(&chord, KEY_RIGHTCTRL, true, false, 0);
	test_assert(!chord_key(&chord, KEY_RIGHTCTRL, false, false, 500 * MS));
	test_assert(!chord_key(&chord, KEY_RIGHTCTRL, true, false, 510 * MS));
	test_assert(!chord_tick(&chord, 5000 * MS));
	test_equal(chord.deadline_ns, INT64_MAX);
}

static void another_key_spoils_it(void)
{
	struct chord chord;

	chord_init(&chord, &chord_default);
	chord_key(&chord, KEY_LEFTCTRL, true, false, 0);
	chord_key(&chord, KEY_RIGHTCTRL, true, false, 1);
	chord_key(&chord, KEY_C, true, false, 2);
	chord_key(&chord, KEY_C, false, false, 3);
	test_assert(!chord_tick(&chord, 5000 * MS));
}

static void second_key_too_late(void)
{
	struct chord chord;

	chord_init(&chord, &chord_default);
	chord_key(&chord, KEY_LEFTCTRL, true, false, 0);
	chord_key(&chord, KEY_RIGHTCTRL, true, false, 1500 * MS);
	test_assert(!chord_tick(&chord, 5000 * MS));
}

/* A late loop: the key event itself says that the time was up. */
static void fires_on_a_late_key(void)
{
	struct chord chord;

	chord_init(&chord, &chord_default);
	chord_key(&chord, KEY_LEFTCTRL, true, false, 0);
	chord_key(&chord, KEY_RIGHTCTRL, true, false, 0);
	test_assert(chord_key(&chord, KEY_RIGHTCTRL, false, false, 900 * MS));
}

static void none_configured(void)
{
	static const struct chord_config none = {0};
	struct chord chord;

	chord_init(&chord, &none);
	for (int64_t i = 0; i < 10; i++)
		test_assert(!chord_key(&chord, KEY_LEFTCTRL, i % 2 == 0, i % 2, i * 5000 * MS));
	test_equal(chord.state, CHORD_IDLE);
}

static void names_of_keys(void)
{
	uint16_t keys[2];

	test_assert(chord_parse("ctrl+ctrl_r", keys));
	test_equal(keys[0], KEY_LEFTCTRL);
	test_equal(keys[1], KEY_RIGHTCTRL);
	test_assert(chord_parse("none", keys) && !keys[0] && !keys[1]);
	test_assert(!chord_parse("", keys) && !chord_parse("+", keys) && !chord_parse("ctrl+", keys) &&
		!chord_parse("ctrl+ctrl", keys) && !chord_parse("ctrl+ctrl_r+a", keys) &&
		!chord_parse("nonesuch", keys));
}

/* While the old ones are held: what has begun goes on, and no key is stuck. */
static void other_keys(void)
{
	static const uint16_t keys[2] = { KEY_LEFTALT, KEY_RIGHTALT };
	struct chord chord;
	int64_t at = chord_default.hold_ns + 1000;

	chord_init(&chord, &chord_default);
	chord_key(&chord, KEY_LEFTCTRL, true, false, 0);
	chord_key(&chord, KEY_RIGHTCTRL, true, false, 1);
	test_assert(chord_tick(&chord, at));
	chord_set_keys(&chord, keys);
	test_assert(chord_swallows(&chord));
	chord_key(&chord, KEY_LEFTCTRL, false, false, at + 1);
	chord_key(&chord, KEY_RIGHTCTRL, false, true, at + 2);
	test_assert(!chord_swallows(&chord));
	chord_key(&chord, KEY_LEFTALT, true, false, at + 3);
	chord_key(&chord, KEY_RIGHTALT, true, false, at + 4);
	test_assert(chord_tick(&chord, 2 * at + 4));
}

int main(void)
{
	test_run(table);
	test_run(fires_when_both_are_held);
	test_run(letting_go_early_is_no_chord);
	test_run(another_key_spoils_it);
	test_run(second_key_too_late);
	test_run(fires_on_a_late_key);
	test_run(none_configured);
	test_run(names_of_keys);
	test_run(other_keys);
	return 0;
}
