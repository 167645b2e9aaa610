/*
 * The input router: the one place that all of a seat's sources (keyboards, a window, a SPICE client,
 * a script) feed, and from which exactly one guest gets keys.
 *
 * For each guest it remembers what that guest *believes* is down, which is exactly what it was told
 * and not yet told otherwise. That makes the rules short:
 *	- A key is released towards the guest when no source holds it any more: by release, unplug,
 *	  disconnect, switch to another guest, or the chord.
 *	- Keys held across a switch stay up in the new guest until pressed again.
 *	- A guest's reset clears its map; nothing is sent into the reset.
 *	- A release that the guest's queue has no room for is owed and sent later; a press is lost.
 *	- Auto-repeat is dropped: guests repeat for themselves.
 *	- Fingers are keys in this; each source numbers its own, and what a guest has no slot for is
 *	  ignored until lifted. An axis of a pad has the value of whoever moved it last, and rests at
 *	  0 when that one is gone; after a switch it moves from its next event on.
 *
 * Thread: one thread calls everything. Pure: no clock, no descriptors, no GLib.
 */
#ifndef IRORI_INPUT_ROUTER_H
#define IRORI_INPUT_ROUTER_H

#include "display/port.h"
#include "input/chord.h"

struct router;

enum router_limits {
	ROUTER_SOURCES = 64,
	ROUTER_GUESTS = 16,
	ROUTER_REPORT = 64, /* events in one report, the end included: ten fingers fit */
	ROUTER_NOBODY = -1,
};

struct router_ops {
	/* Send a whole report to the guest. 0, or -errno and nothing was sent. */
	int (*send)(void *data, unsigned guest, const struct port_input *events, unsigned n);
	/* Input goes to another guest now, or to ROUTER_NOBODY. May be NULL. */
	void (*switched)(void *data, int guest);
	/* The chord was held. The guest's keys are up already. May be NULL. */
	void (*chord)(void *data);
};

/* NULL without memory. chord NULL: none. Input goes to nobody at first. */
struct router *router_new(const struct router_ops *ops, void *data,
	const struct chord_config *chord);
void router_free(struct router *router);
/* The chord is of other keys from now on; 0, 0: none. */
void router_set_chord(struct router *router, const uint16_t keys[2]);

/*
 * One report of a source (below ROUTER_SOURCES): up to ROUTER_REPORT events of one device, the last
 * is SYN_REPORT. Key values are 0, 1, or 2 for auto-repeat; codes below 768. Touches and pads as
 * display/port.h has them; of touches one event less.
 * 0, or -EINVAL and nothing was done.
 */
int router_report(struct router *router, unsigned source, const struct port_input *events,
	unsigned n, int64_t now_ns);
/* One key or button, as a report of its own. */
int router_key(struct router *router, unsigned source, enum input_device device, uint16_t code,
	bool down, int64_t now_ns);
/* The source is gone (unplugged, client disconnected, window lost the focus): lets go of its keys.*/
void router_unplug(struct router *router, unsigned source, int64_t now_ns);
/* Let go of everything (unplug of all sources). */
void router_release_all(struct router *router, int64_t now_ns);

/*
 * Give input to a guest (or ROUTER_NOBODY). Happens when all keys are up; until then the wish is
 * remembered, and a later one replaces it. With `force` at once: the old guest's keys are released.
 * -EINVAL: no such guest.
 */
int router_switch(struct router *router, int guest, bool force);
int router_guest(const struct router *router);

/* The guest was reset, or its connection is new: it believes that nothing is down. */
void router_guest_reset(struct router *router, unsigned guest);
/* What the guest's device believes: tests, indicators. */
bool router_guest_holds(const struct router *router, unsigned guest, enum input_device device,
	uint16_t code);
unsigned router_guest_held(const struct router *router, unsigned guest); /* touches as well */
unsigned router_guest_touches(const struct router *router, unsigned guest);
/* Where the guest believes its pad's axis to be. */
int32_t router_guest_axis(const struct router *router, unsigned guest, uint16_t code);

/* Time has passed; call at router_deadline (INT64_MAX: no need). Also sends what is owed. */
void router_tick(struct router *router, int64_t now_ns);
int64_t router_deadline(const struct router *router);

#endif
