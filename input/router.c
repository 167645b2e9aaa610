/*
 * The input router. Two kinds of map: `down` is what a source physically holds; `live` is the part of
 * it that counts for the guest that has the input now (a key held across a switch, or swallowed by
 * the chord, is down but not live). `told` is what a guest believes. Everything that may end a key
 * changes live and then settles: whatever a guest was told and no source keeps live is released. Touches
 * and a pad's axes are told in maps of their own (touch.h, axes.h), which know whose they are.
 */
#include "input/router.h"

#include "input/axes.h"
#include "input/held.h"
#include "input/touch.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>

/* Owed releases are tried again so soon. */
#define ROUTER_RETRY_NS (20 * INT64_C(1000000))

struct router_source {
	struct held_map down[INPUT_DEVICES];
	struct held_map live[INPUT_DEVICES];
	unsigned touches; /* bit n: its slot n is down */
};

/* What a guest believes. */
struct router_guest {
	struct held_map told[INPUT_DEVICES];
	struct touch_map touches;
	struct axis_map axes;
	bool owes; /* it has lost the input, or could not be told something */
};

struct router {
	const struct router_ops *ops;
	void *data;
	struct chord chord;
	int guest;
	int wanted; /* a switch that waits for all keys to be up; == guest: none */
	bool owes;  /* a release could not be sent */
	int64_t retry_ns;
	struct router_source sources[ROUTER_SOURCES];
	struct router_guest guests[ROUTER_GUESTS];
};

struct router *router_new(const struct router_ops *ops, void *data,
	const struct chord_config *chord)
{
	static const struct chord_config none = {0};
	struct router *router = calloc(1, sizeof(*router));

	if (!router)
		return NULL;
	router->ops = ops;
	router->data = data;
	router->guest = router->wanted = ROUTER_NOBODY;
	chord_init(&router->chord, chord ? chord : &none);
	return router;
}

void router_set_chord(struct router *router, const uint16_t keys[2])
{
	chord_set_keys(&router->chord, keys);
}

void router_free(struct router *router)
{
	free(router);
}

int router_guest(const struct router *router)
{
	return router->guest;
}

bool router_guest_holds(const struct router *router, unsigned guest, enum input_device device,
	uint16_t code)
{
	if (guest < ROUTER_GUESTS && device == INPUT_TOUCH && code == BTN_TOUCH)
		return touch_count(&router->guests[guest].touches) != 0;
	return guest < ROUTER_GUESTS && device < INPUT_DEVICES &&
		held_get(&router->guests[guest].told[device], code);
}

unsigned router_guest_held(const struct router *router, unsigned guest)
{
	unsigned count = 0;

	for (unsigned d = 0; guest < ROUTER_GUESTS && d < INPUT_DEVICES; d++)
		count += held_count(&router->guests[guest].told[d]);
	return count + router_guest_touches(router, guest);
}

unsigned router_guest_touches(const struct router *router, unsigned guest)
{
	return guest < ROUTER_GUESTS ? touch_count(&router->guests[guest].touches) : 0;
}

int32_t router_guest_axis(const struct router *router, unsigned guest, uint16_t code)
{
	return guest < ROUTER_GUESTS && code < PORT_PAD_AXES
		? router->guests[guest].axes.told[code]
		: 0;
}

static bool router_any_down(const struct router *router)
{
	for (unsigned s = 0; s < ROUTER_SOURCES; s++) {
		if (router->sources[s].touches)
			return true;
		for (unsigned d = 0; d < INPUT_DEVICES; d++)
			if (held_any(&router->sources[s].down[d]))
				return true;
	}
	return false;
}

static bool router_is_live(const struct router *router, unsigned device, unsigned code)
{
	for (unsigned s = 0; s < ROUTER_SOURCES; s++)
		if (held_get(&router->sources[s].live[device], code))
			return true;
	return false;
}

/* Releases of keys that the guest was told and nobody keeps live, up to `room` of them. */
static unsigned router_owed_keys(const struct router *router, unsigned guest, unsigned device,
	struct port_input *events, unsigned room)
{
	const struct held_map *told = &router->guests[guest].told[device];
	unsigned n = 0;

	for (int code = held_next(told, 0); code >= 0 && n < room;
		code = held_next(told, (unsigned)code + 1))
		if ((int)guest != router->guest || !router_is_live(router, device, (unsigned)code))
			events[n++] = (struct port_input){
				.device = (uint16_t)device,
				.type = EV_KEY,
				.code = (uint16_t)code,
			};
	return n;
}

/* Tells one device of a guest what it is owed. */
static void router_settle_device(struct router *router, unsigned guest, unsigned device)
{
	struct router_guest *to = &router->guests[guest];
	struct port_input events[ROUTER_REPORT];
	struct touch_map touches = to->touches;
	unsigned keys, n;

	for (;;) {
		n = keys = router_owed_keys(router, guest, device, events,
			ROUTER_REPORT - 1 - PORT_PAD_AXES);
		if (device == INPUT_GAMEPAD)
			n += axes_due(&to->axes, events + n);
		if (device == INPUT_TOUCH)
			n += touch_lift(&touches, TOUCH_NOBODY, events + n);
		if (!n)
			return;
		events[n] = (struct port_input){.device = (uint16_t)device, .type = EV_SYN};
		if (router->ops->send(router->data, guest, events, n + 1)) {
			router->owes = to->owes = true;
			return;
		}
		for (unsigned i = 0; i < keys; i++)
			held_set(&to->told[device], events[i].code, false);
		axes_told(&to->axes, events, n);
		to->touches = touches;
	}
}

static void router_settle(struct router *router, int64_t now_ns)
{
	router->owes = false;
	for (unsigned g = 0; g < ROUTER_GUESTS; g++) {
		if ((int)g != router->guest && !router->guests[g].owes)
			continue; /* told of nothing, or of its end */
		router->guests[g].owes = false;
		for (unsigned d = 0; d < INPUT_DEVICES; d++)
			router_settle_device(router, g, d);
	}
	router->retry_ns = now_ns + ROUTER_RETRY_NS;
}

static void router_kill_live(struct router *router)
{
	for (unsigned s = 0; s < ROUTER_SOURCES; s++)
		for (unsigned d = 0; d < INPUT_DEVICES; d++)
			held_clear(&router->sources[s].live[d]);
	if (router->guest != ROUTER_NOBODY) {
		touch_orphan(&router->guests[router->guest].touches, TOUCH_EVERYBODY);
		axes_rest(&router->guests[router->guest].axes, AXES_EVERYBODY);
	}
}

static void router_do_switch(struct router *router, int guest, int64_t now_ns)
{
	router->wanted = guest;
	if (router->guest == guest)
		return;
	router_kill_live(router);
	if (router->guest != ROUTER_NOBODY)
		router->guests[router->guest].owes = true;
	router->guest = guest;
	router_settle(router, now_ns);
	if (router->ops->switched)
		router->ops->switched(router->data, guest);
}

int router_switch(struct router *router, int guest, bool force)
{
	if (guest < ROUTER_NOBODY || guest >= ROUTER_GUESTS)
		return -EINVAL;
	router->wanted = guest;
	if (force || !router_any_down(router))
		router_do_switch(router, guest, 0);
	return 0;
}

/* After keys went up. */
static void router_settled_up(struct router *router, int64_t now_ns)
{
	if (router->wanted != router->guest && !router_any_down(router))
		router_do_switch(router, router->wanted, now_ns);
}

static void router_fire(struct router *router, int64_t now_ns)
{
	router_kill_live(router);
	router_settle(router, now_ns);
	if (router->ops->chord)
		router->ops->chord(router->data);
}

static bool router_report_valid(const struct port_input *events, unsigned n)
{
	if (n < 1 || n > ROUTER_REPORT || events[0].device >= INPUT_DEVICES)
		return false;
	for (unsigned i = 0; i < n; i++) {
		const struct port_input *e = &events[i];
		int32_t min, max;

		if (e->device != events[0].device || (e->type == EV_SYN) != (i == n - 1))
			return false;
		if (e->type == EV_SYN && e->code != SYN_REPORT)
			return false;
		if (e->type == EV_KEY && (e->code >= HELD_CODES || e->value < 0 || e->value > 2))
			return false;
		if (e->type == EV_ABS && e->device == INPUT_GAMEPAD &&
			(!port_axis(e->device, e->code, &min, &max) || e->value < min ||
				e->value > max))
			return false;
	}
	/* One may become an event longer. */
	return events[0].device != INPUT_TOUCH ||
		(n < ROUTER_REPORT && touch_report_valid(events, n));
}

/* What one report becomes on its way. */
struct router_draft {
	struct router_source *source;
	struct held_map told; /* what the device will believe once it has got this */
	struct touch_map touches;
	struct port_input events[ROUTER_REPORT], changed[ROUTER_REPORT];
	unsigned n, n_changed;
};

/* Notes what the source holds now; whether the event goes on to the guest. */
static bool router_take_key(struct router *router, struct router_draft *draft,
	const struct port_input *e)
{
	bool down = e->value != 0;

	if (!held_set(&draft->source->down[e->device], e->code, down))
		return false; /* auto-repeat, or a release without a press */
	draft->changed[draft->n_changed++] = *e;
	if (!down)
		held_set(&draft->source->live[e->device], e->code, false);
	if (router->guest == ROUTER_NOBODY || chord_swallows(&router->chord))
		return false;
	if (down) /* the guest may know already, from another source: then ours counts as well */
		held_set(&draft->source->live[e->device], e->code, true);
	else if (router_is_live(router, e->device, e->code))
		return false;
	return held_set(&draft->told, e->code, down);
}

/* Notes which fingers are down; what the guest, if there is one, is told of them. */
static void router_take_touches(struct router *router, struct router_draft *draft, unsigned source,
	const struct port_input *events, unsigned n)
{
	unsigned bit = 0;

	for (unsigned i = 0; i < n; i++) {
		if (events[i].type == EV_ABS && events[i].code == ABS_MT_SLOT)
			bit = 1u << events[i].value;
		else if (events[i].type == EV_ABS && events[i].code == ABS_MT_TRACKING_ID)
			draft->source->touches = events[i].value < 0
				? draft->source->touches & ~bit
				: draft->source->touches | bit;
	}
	if (router->guest != ROUTER_NOBODY)
		draft->n = touch_take(&draft->touches, source, events, n, draft->events);
}

static void router_take(struct router *router, struct router_draft *draft, unsigned source,
	const struct port_input *events, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct port_input *e = &events[i];

		if (e->type == EV_KEY ? router_take_key(router, draft, e)
				      : router->guest != ROUTER_NOBODY &&
					e->device != INPUT_GAMEPAD)
			draft->events[draft->n++] = *e;
		else if (router->guest != ROUTER_NOBODY && e->device == INPUT_GAMEPAD &&
			e->type == EV_ABS)
			axes_want(&router->guests[router->guest].axes, source, e->code, e->value);
	}
	/* In the same report as the buttons; if ever there is no room, in the next. */
	if (router->guest != ROUTER_NOBODY && n && events[0].device == INPUT_GAMEPAD &&
		draft->n + PORT_PAD_AXES < ROUTER_REPORT)
		draft->n += axes_due(&router->guests[router->guest].axes,
			draft->events + draft->n);
}

static void router_send_draft(struct router *router, struct router_draft *draft, unsigned device)
{
	struct router_guest *to = &router->guests[router->guest];

	draft->events[draft->n++] = (struct port_input){.device = (uint16_t)device, .type = EV_SYN};
	if (!router->ops->send(router->data, (unsigned)router->guest, draft->events, draft->n)) {
		to->told[device] = draft->told;
		if (device == INPUT_TOUCH)
			to->touches = draft->touches;
		axes_told(&to->axes, draft->events, draft->n);
		return;
	}
	/* Presses are lost; releases and axes are owed, router_settle finds them. */
	for (unsigned i = 0; i < draft->n; i++)
		if (draft->events[i].type == EV_KEY && draft->events[i].value)
			held_set(&draft->source->live[device], draft->events[i].code, false);
	if (device == INPUT_TOUCH)
		touch_unheard(&to->touches, &draft->touches);
}

static bool router_any_key_down(const struct router *router)
{
	for (unsigned s = 0; s < ROUTER_SOURCES; s++)
		if (held_any(&router->sources[s].down[INPUT_KEYBOARD]))
			return true;
	return false;
}

static void router_feed_chord(struct router *router, const struct router_draft *draft,
	int64_t now_ns)
{
	for (unsigned i = 0; i < draft->n_changed; i++) {
		const struct port_input *e = &draft->changed[i];

		if (e->device == INPUT_KEYBOARD &&
			chord_key(&router->chord, e->code, e->value != 0,
				!router_any_key_down(router), now_ns))
			router_fire(router, now_ns);
	}
}

int router_report(struct router *router, unsigned source, const struct port_input *events,
	unsigned n, int64_t now_ns)
{
	struct router_draft draft = {0};
	unsigned device;

	if (source >= ROUTER_SOURCES || !router_report_valid(events, n))
		return -EINVAL;
	device = events[0].device;
	draft.source = &router->sources[source];
	if (chord_tick(&router->chord, now_ns))
		router_fire(router, now_ns);
	if (router->owes)
		router_settle(router, now_ns);
	if (router->guest != ROUTER_NOBODY) {
		draft.told = router->guests[router->guest].told[device];
		draft.touches = router->guests[router->guest].touches;
	}
	if (device == INPUT_TOUCH)
		router_take_touches(router, &draft, source, events, n - 1);
	else
		router_take(router, &draft, source, events, n - 1);
	if (draft.n)
		router_send_draft(router, &draft, device);
	router_settle(router, now_ns);
	router_feed_chord(router, &draft, now_ns);
	router_settled_up(router, now_ns);
	return 0;
}

int router_key(struct router *router, unsigned source, enum input_device device, uint16_t code,
	bool down, int64_t now_ns)
{
	const struct port_input events[] = {
		{.device = (uint16_t)device, .type = EV_KEY, .code = code, .value = down},
		{.device = (uint16_t)device, .type = EV_SYN, .code = SYN_REPORT},
	};

	return router_report(router, source, events, 2, now_ns);
}

void router_unplug(struct router *router, unsigned source, int64_t now_ns)
{
	if (source >= ROUTER_SOURCES)
		return;
	for (unsigned d = 0; d < INPUT_DEVICES; d++) {
		held_clear(&router->sources[source].down[d]);
		held_clear(&router->sources[source].live[d]);
	}
	router->sources[source].touches = 0;
	if (router->guest != ROUTER_NOBODY) {
		touch_orphan(&router->guests[router->guest].touches, source);
		axes_rest(&router->guests[router->guest].axes, source);
	}
	router_settle(router, now_ns);
	if (!router_any_key_down(router))
		chord_key(&router->chord, 0, false, true, now_ns);
	router_settled_up(router, now_ns);
}

void router_release_all(struct router *router, int64_t now_ns)
{
	for (unsigned s = 0; s < ROUTER_SOURCES; s++)
		router_unplug(router, s, now_ns);
}

void router_guest_reset(struct router *router, unsigned guest)
{
	if (guest >= ROUTER_GUESTS)
		return;
	router->guests[guest] = (struct router_guest){0};
	if ((int)guest == router->guest)
		router_kill_live(router);
}

void router_tick(struct router *router, int64_t now_ns)
{
	if (chord_tick(&router->chord, now_ns))
		router_fire(router, now_ns);
	if (router->owes && now_ns >= router->retry_ns)
		router_settle(router, now_ns);
}

int64_t router_deadline(const struct router *router)
{
	int64_t deadline = router->chord.deadline_ns;

	return router->owes && router->retry_ns < deadline ? router->retry_ns : deadline;
}
