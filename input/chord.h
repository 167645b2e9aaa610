/*
 * The chord detector: two keys (both Ctrl, usually) held together, and nothing else, for a while
 * call the seat menu, or let go of a window. A state machine, with the clock passed in.
 *
 *	            first key                second key                 hold_ns over
 *	  CHORD_IDLE ---------> CHORD_ONE ---------------> CHORD_BOTH -----------------> CHORD_FIRED
 *	                          | other key, too late      | other key, a key let go      |
 *	                          v                          v                              |
 *	                        CHORD_SPOILED <--------------+                              |
 *	                          | all keys up: CHORD_IDLE                                 |
 *	  CHORD_IDLE <------------+------------------------- all keys up -------------------+
 *
 * Keys reach the guest as usual until the chord fires; from then on until all are up the router
 * swallows them.
 */
#ifndef IRORI_INPUT_CHORD_H
#define IRORI_INPUT_CHORD_H

#include <stdbool.h>
#include <stdint.h>

enum chord_state {
	CHORD_IDLE,
	CHORD_ONE,
	CHORD_BOTH,
	CHORD_FIRED,
	CHORD_SPOILED,
	CHORD_STATES
};

enum chord_event {
	CHORD_MEMBER_DOWN,
	CHORD_MEMBER_UP,
	CHORD_OTHER_DOWN,
	CHORD_ALL_UP,
	CHORD_TIMEOUT, /* the deadline of the state has passed */
	CHORD_EVENTS
};

struct chord_config {
	uint16_t keys[2]; /* evdev codes; 0, 0: no chord at all */
	int64_t hold_ns;  /* both held for so long */
	int64_t gap_ns;   /* at most so long between the first and the second */
};

/* Both Ctrl for 600 ms, within a second. */
extern const struct chord_config chord_default;

struct chord {
	struct chord_config config;
	enum chord_state state;
	int64_t deadline_ns; /* of the state; INT64_MAX: none */
};

/* Two names of input/keymap.h with + between ("ctrl+ctrl_r"), or "none", to keys; false: neither. */
bool chord_parse(const char *text, uint16_t keys[2]);

/* The table, for tests: where an event leads from a state. */
enum chord_state chord_next(enum chord_state state, enum chord_event event);

void chord_init(struct chord *chord, const struct chord_config *config);
/* Other keys from now on; what has begun goes on. */
void chord_set_keys(struct chord *chord, const uint16_t keys[2]);
/* A key of the seat went down (or up; `all_up`: it was the last one). Returns whether the chord has
 * fired since the call before: passing of time counts too. */
bool chord_key(struct chord *chord, uint16_t code, bool down, bool all_up, int64_t now_ns);
/* Time has passed. Returns whether the chord fires. */
bool chord_tick(struct chord *chord, int64_t now_ns);
/* Keys are swallowed: it has fired, and not all are up yet. */
bool chord_swallows(const struct chord *chord);

#endif
