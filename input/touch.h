/*
 * Fingers of several owners (a router's sources, a guest's seats) on one guest's touch screen.
 *
 * Owners number their touches by themselves; the guest has PORT_TOUCHES slots for all of them. A
 * touch_map is what the guest believes: which slots are down, and whose finger each is. A finger for
 * which there is no slot, or which went down when the guest was not listening, is nobody's, until
 * it is lifted and put down again.
 *
 * Thread: none of its own; a touch_map is a plain value.
 */
#ifndef IRORI_INPUT_TOUCH_H
#define IRORI_INPUT_TOUCH_H

#include "display/port.h"

enum touch_limits {
	TOUCH_NOBODY = 0xffff, /* an owner: the finger has gone, the guest has not heard of it */
	TOUCH_EVERYBODY = 0x10000,
	TOUCH_LIFT_EVENTS = 2 * PORT_TOUCHES + 1,
};

struct touch {
	bool down;
	uint16_t owner, slot, id;
};

struct touch_map {
	struct touch touch[PORT_TOUCHES];
	uint16_t next_id;
};

unsigned touch_count(const struct touch_map *map);

/* Is each event but the last one of a finger (or BTN_TOUCH), in range, after its slot? n includes
 * SYN_REPORT. */
bool touch_report_valid(const struct port_input *events, unsigned n);

/* What a valid report of `owner` means to the guest: events in its own slots, with BTN_TOUCH when
 * that changes, without SYN_REPORT. n is without it as well, `out` has room for n + 1. How many. */
unsigned touch_take(struct touch_map *map, unsigned owner, const struct port_input *events,
	unsigned n, struct port_input *out);

/* These fingers have gone, the guest does not know it yet. */
void touch_orphan(struct touch_map *map, unsigned owner);
/* `after` was not heard: fingers that it would have lifted have gone, its new ones never were. */
void touch_unheard(struct touch_map *map, const struct touch_map *after);
/* What lifts all fingers of an owner, without SYN_REPORT: up to TOUCH_LIFT_EVENTS. */
unsigned touch_lift(struct touch_map *map, unsigned owner, struct port_input *out);

#endif
