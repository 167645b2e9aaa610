/*
 * The chord detector's transition table and its deadlines.
 */
#include "input/chord.h"

#include <linux/input-event-codes.h>
#include <string.h>

#include "input/keymap.h"

const struct chord_config chord_default = {
	.keys = {KEY_LEFTCTRL, KEY_RIGHTCTRL},
	.hold_ns = 600 * INT64_C(1000000),
	.gap_ns = 1000 * INT64_C(1000000),
};

static const enum chord_state chord_table[CHORD_STATES][CHORD_EVENTS] = {
	[CHORD_IDLE] = {
		[CHORD_MEMBER_DOWN] = CHORD_ONE,
		[CHORD_MEMBER_UP] = CHORD_IDLE,
		[CHORD_OTHER_DOWN] = CHORD_SPOILED,
		[CHORD_ALL_UP] = CHORD_IDLE,
		[CHORD_TIMEOUT] = CHORD_IDLE,
	},
	[CHORD_ONE] = {
		[CHORD_MEMBER_DOWN] = CHORD_BOTH,
		[CHORD_MEMBER_UP] = CHORD_SPOILED,
		[CHORD_OTHER_DOWN] = CHORD_SPOILED,
		[CHORD_ALL_UP] = CHORD_IDLE,
		[CHORD_TIMEOUT] = CHORD_SPOILED,
	},
	[CHORD_BOTH] = {
		[CHORD_MEMBER_DOWN] = CHORD_BOTH,
		[CHORD_MEMBER_UP] = CHORD_SPOILED,
		[CHORD_OTHER_DOWN] = CHORD_SPOILED,
		[CHORD_ALL_UP] = CHORD_IDLE,
		[CHORD_TIMEOUT] = CHORD_FIRED,
	},
	[CHORD_FIRED] = {
		[CHORD_MEMBER_DOWN] = CHORD_FIRED,
		[CHORD_MEMBER_UP] = CHORD_FIRED,
		[CHORD_OTHER_DOWN] = CHORD_FIRED,
		[CHORD_ALL_UP] = CHORD_IDLE,
		[CHORD_TIMEOUT] = CHORD_FIRED,
	},
	[CHORD_SPOILED] = {
		[CHORD_MEMBER_DOWN] = CHORD_SPOILED,
		[CHORD_MEMBER_UP] = CHORD_SPOILED,
		[CHORD_OTHER_DOWN] = CHORD_SPOILED,
		[CHORD_ALL_UP] = CHORD_IDLE,
		[CHORD_TIMEOUT] = CHORD_SPOILED,
	},
};

bool chord_parse(const char *text, uint16_t keys[2])
{
	const char *plus = strchr(text, '+');

	keys[0] = keys[1] = 0;
	if (!plus)
		return !strcmp(text, "none");
	keys[0] = keymap_from_name(text, (size_t)(plus - text));
	keys[1] = keymap_from_name(plus + 1, strlen(plus + 1));
	return keys[0] && keys[1] && keys[0] != keys[1];
}

enum chord_state chord_next(enum chord_state state, enum chord_event event)
{
	return chord_table[state][event];
}

void chord_init(struct chord *chord, const struct chord_config *config)
{
	*chord = (struct chord){.config = *config, .deadline_ns = INT64_MAX};
}

void chord_set_keys(struct chord *chord, const uint16_t keys[2])
{
	memcpy(chord->config.keys, keys, sizeof(chord->config.keys));
}

/* Whether it fired with this event. */
static bool chord_step(struct chord *chord, enum chord_event event, int64_t now_ns)
{
	enum chord_state before = chord->state;

	chord->state = chord_next(before, event);
	if (chord->state == before)
		return false;
	chord->deadline_ns = INT64_MAX;
	if (chord->state == CHORD_ONE)
		chord->deadline_ns = now_ns + chord->config.gap_ns;
	if (chord->state == CHORD_BOTH)
		chord->deadline_ns = now_ns + chord->config.hold_ns;
	return chord->state == CHORD_FIRED;
}

bool chord_tick(struct chord *chord, int64_t now_ns)
{
	return now_ns >= chord->deadline_ns && chord_step(chord, CHORD_TIMEOUT, now_ns);
}

bool chord_key(struct chord *chord, uint16_t code, bool down, bool all_up, int64_t now_ns)
{
	bool member = code && (code == chord->config.keys[0] || code == chord->config.keys[1]);
	bool fired;

	if (!chord->config.keys[0])
		return false;
	fired = chord_tick(chord, now_ns);
	if (down)
		fired |= chord_step(chord, member ? CHORD_MEMBER_DOWN : CHORD_OTHER_DOWN, now_ns);
	else if (all_up)
		fired |= chord_step(chord, CHORD_ALL_UP, now_ns);
	else if (member)
		fired |= chord_step(chord, CHORD_MEMBER_UP, now_ns);
	return fired;
}

bool chord_swallows(const struct chord *chord)
{
	return chord->state == CHORD_FIRED;
}
