/*
 * The input router: what it promises, one by one, and a property test over random sequences. The fake
 * guest keeps its own map of what is down, from nothing but the reports that it was sent.
 */
#include "input/router.h"
#include "input/held.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <string.h>

#define MS INT64_C(1000000)

/* A guest's touch screen and pad, as its driver would see them. */
struct fake_fingers {
	int slot;
	bool down[PORT_TOUCHES];
	int32_t id[PORT_TOUCHES], x[PORT_TOUCHES], y[PORT_TOUCHES];
};

struct fake {
	struct held_map believes[ROUTER_GUESTS][INPUT_DEVICES];
	struct fake_fingers fingers[ROUTER_GUESTS];
	int32_t axes[ROUTER_GUESTS][PORT_PAD_AXES];
	unsigned reports, chords, switches, motions;
	int guest;
	bool full; /* the guests' queues have no room */
	bool bad;  /* a report that no guest should see */
};

static unsigned fake_fingers_down(const struct fake *fake, unsigned guest)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PORT_TOUCHES; i++)
		count += fake->fingers[guest].down[i];
	return count;
}

static void fake_finger(struct fake *fake, struct fake_fingers *fingers, const struct port_input *e)
{
	int slot = fingers->slot;
	int32_t min, max;

	if (!port_axis(INPUT_TOUCH, e->code, &min, &max) || e->value < min || e->value > max) {
		fake->bad = true;
	} else if (e->code == ABS_MT_SLOT) {
		fingers->slot = e->value;
	} else if (e->code == ABS_MT_TRACKING_ID && e->value >= 0) {
		fake->bad |= fingers->down[slot] && fingers->id[slot] == e->value;
		fingers->down[slot] = true;
		fingers->id[slot] = e->value;
	} else if (!fingers->down[slot]) {
		fake->bad = true; /* of a finger that the guest does not know */
	} else if (e->code == ABS_MT_TRACKING_ID) {
		fingers->down[slot] = false;
	} else if (e->code == ABS_MT_POSITION_X) {
		fingers->x[slot] = e->value;
	} else {
		fingers->y[slot] = e->value;
	}
}

static void fake_pad(struct fake *fake, unsigned guest, const struct port_input *e)
{
	int32_t min, max;

	if (port_axis(INPUT_GAMEPAD, e->code, &min, &max) && e->value >= min && e->value <= max)
		fake->axes[guest][e->code] = e->value;
	else
		fake->bad = true;
}

static int fake_send(void *data, unsigned guest, const struct port_input *events, unsigned n)
{
	struct fake *fake = data;

	if (n < 2 || n > ROUTER_REPORT || events[n - 1].type != EV_SYN)
		fake->bad = true;
	if (fake->full)
		return -EAGAIN;
	for (unsigned i = 0; i < n; i++) {
		fake->bad |= events[i].device != events[0].device;
		fake->motions += events[i].type == EV_REL || events[i].type == EV_ABS;
		/* A repeated press, or a release of what is up, is a lie. */
		if (events[i].type == EV_KEY &&
			!held_set(&fake->believes[guest][events[i].device], events[i].code,
				events[i].value))
			fake->bad = true;
		if (events[i].type == EV_ABS && events[i].device == INPUT_TOUCH)
			fake_finger(fake, &fake->fingers[guest], &events[i]);
		if (events[i].type == EV_ABS && events[i].device == INPUT_GAMEPAD)
			fake_pad(fake, guest, &events[i]);
	}
	if (held_get(&fake->believes[guest][INPUT_TOUCH], BTN_TOUCH) !=
		(fake_fingers_down(fake, guest) != 0))
		fake->bad = true;
	fake->reports++;
	return 0;
}

static void fake_switched(void *data, int guest)
{
	struct fake *fake = data;

	fake->guest = guest;
	fake->switches++;
}

static void fake_chord(void *data)
{
	((struct fake *)data)->chords++;
}

static const struct router_ops fake_ops = {
	.send = fake_send,
	.switched = fake_switched,
	.chord = fake_chord,
};

static struct router *fake_router(struct fake *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->guest = ROUTER_NOBODY;
	return router_new(&fake_ops, fake, &chord_default);
}

static bool fake_down(const struct fake *fake, unsigned guest, unsigned code)
{
	return held_get(&fake->believes[guest][INPUT_KEYBOARD], code);
}

static void key(struct router *router, unsigned source, uint16_t code, bool down)
{
	test_equal(router_key(router, source, INPUT_KEYBOARD, code, down, 0), 0);
}

/* The guest was reset. */
static void fake_forget(struct fake *fake, unsigned guest)
{
	memset(fake->believes[guest], 0, sizeof(fake->believes[guest]));
	memset(&fake->fingers[guest], 0, sizeof(fake->fingers[guest]));
	memset(fake->axes[guest], 0, sizeof(fake->axes[guest]));
}

static int finger(struct router *router, unsigned source, int32_t slot, int32_t id, int32_t x)
{
	const struct port_input down[] = {
		{INPUT_TOUCH, EV_ABS, ABS_MT_SLOT, slot},
		{INPUT_TOUCH, EV_ABS, ABS_MT_TRACKING_ID, id},
		{INPUT_TOUCH, EV_ABS, ABS_MT_POSITION_X, x},
		{INPUT_TOUCH, EV_ABS, ABS_MT_POSITION_Y, x},
		{INPUT_TOUCH, EV_SYN, SYN_REPORT, 0},
	};
	const struct port_input up[] = {down[0], down[1], down[4]};

	return id < 0 ? router_report(router, source, up, 3, 0)
		      : router_report(router, source, down, 5, 0);
}

static void stick(struct router *router, unsigned source, uint16_t axis, int32_t value)
{
	const struct port_input events[] = {
		{INPUT_GAMEPAD, EV_ABS, axis, value},
		{INPUT_GAMEPAD, EV_SYN, SYN_REPORT, 0},
	};

	test_equal(router_report(router, source, events, 2, 0), 0);
}

static void keys_go_to_one_guest(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);

	key(router, 0, KEY_A, true);
	key(router, 0, KEY_A, false);
	test_equal(fake.reports, 0);
	test_equal(router_switch(router, 1, false), 0);
	test_equal(fake.guest, 1);
	key(router, 0, KEY_A, true);
	test_assert(fake_down(&fake, 1, KEY_A));
	test_equal(router_guest_held(router, 1), 1);
	key(router, 0, KEY_A, true); /* auto-repeat */
	test_equal(fake.reports, 1);
	key(router, 0, KEY_A, false);
	key(router, 0, KEY_A, false);
	test_equal(fake.reports, 2);
	test_assert(!fake_down(&fake, 1, KEY_A));
	test_assert(!fake.bad);
	router_free(router);
}

static void two_sources_hold_one_key(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);

	router_switch(router, 0, false);
	key(router, 0, KEY_LEFTSHIFT, true);
	key(router, 1, KEY_LEFTSHIFT, true);
	key(router, 0, KEY_LEFTSHIFT, false);
	test_assert(fake_down(&fake, 0, KEY_LEFTSHIFT));
	router_unplug(router, 1, 0);
	test_assert(!fake_down(&fake, 0, KEY_LEFTSHIFT));
	test_assert(!fake.bad);
	router_free(router);
}

static void switch_waits_for_all_keys_up(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);

	router_switch(router, 0, false);
	key(router, 0, KEY_A, true);
	router_switch(router, 1, false);
	test_equal(router_guest(router), 0);
	key(router, 0, KEY_B, true);
	test_assert(fake_down(&fake, 0, KEY_B));
	key(router, 0, KEY_A, false);
	test_equal(router_guest(router), 0);
	key(router, 0, KEY_B, false);
	test_equal(router_guest(router), 1);
	test_equal(router_guest_held(router, 0), 0);
	/* Thought better of it. */
	key(router, 0, KEY_A, true);
	router_switch(router, 0, false);
	router_switch(router, 1, false);
	key(router, 0, KEY_A, false);
	test_equal(router_guest(router), 1);
	test_equal(router_switch(router, ROUTER_GUESTS, false), -EINVAL);
	test_equal(router_switch(router, -2, true), -EINVAL);
	router_free(router);
}

static void forced_switch_releases_and_keeps_up(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);

	router_switch(router, 0, false);
	key(router, 0, KEY_A, true);
	router_switch(router, 1, true);
	test_assert(!fake_down(&fake, 0, KEY_A));
	test_assert(!fake_down(&fake, 1, KEY_A));
	key(router, 0, KEY_A, false); /* the new guest never knew */
	test_assert(!fake.bad);
	key(router, 0, KEY_A, true);
	test_assert(fake_down(&fake, 1, KEY_A));
	router_free(router);
}

static void reset_clears_silently(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);
	unsigned reports;

	router_switch(router, 0, false);
	key(router, 0, KEY_A, true);
	reports = fake.reports;
	router_guest_reset(router, 0);
	fake_forget(&fake, 0);
	test_equal(router_guest_held(router, 0), 0);
	key(router, 0, KEY_A, false);
	test_equal(fake.reports, reports);
	key(router, 0, KEY_A, true);
	test_assert(fake_down(&fake, 0, KEY_A));
	router_free(router);
}

static void a_full_guest_gets_its_release_later(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);

	router_switch(router, 0, false);
	key(router, 0, KEY_A, true);
	fake.full = true;
	key(router, 0, KEY_A, false);
	key(router, 0, KEY_B, true); /* lost */
	test_assert(fake_down(&fake, 0, KEY_A));
	test_assert(router_guest_holds(router, 0, INPUT_KEYBOARD, KEY_A));
	test_assert(router_deadline(router) <= 20 * MS);
	router_switch(router, 1, true);
	fake.full = false;
	router_tick(router, router_deadline(router));
	test_assert(!fake_down(&fake, 0, KEY_A));
	test_assert(!fake_down(&fake, 0, KEY_B));
	test_equal(router_deadline(router), INT64_MAX);
	test_assert(!fake.bad);
	router_free(router);
}

static void chord_releases_and_swallows(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);

	router_switch(router, 0, false);
	key(router, 0, KEY_LEFTCTRL, true);
	key(router, 1, KEY_RIGHTCTRL, true); /* a key of the seat, not of the device */
	test_equal(router_guest_held(router, 0), 2);
	test_equal(router_deadline(router), 600 * MS);
	router_tick(router, 600 * MS);
	test_equal(fake.chords, 1);
	test_equal(router_guest_held(router, 0), 0);
	router_key(router, 0, INPUT_KEYBOARD, KEY_A, true, 610 * MS);
	test_equal(router_guest_held(router, 0), 0);
	router_switch(router, ROUTER_NOBODY, false); /* waits: keys are down */
	test_equal(router_guest(router), 0);
	router_release_all(router, 620 * MS);
	test_equal(router_guest(router), ROUTER_NOBODY);
	router_switch(router, 0, false);
	router_key(router, 0, INPUT_KEYBOARD, KEY_A, true, 630 * MS);
	test_equal(router_guest_held(router, 0), 1);
	test_assert(!fake.bad);
	router_free(router);
}

/* A mouse button that is still held does not keep the chord from getting ready again. */
static void a_button_does_not_spoil_the_chord(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);

	router_switch(router, 0, false);
	router_key(router, 2, INPUT_TABLET, BTN_LEFT, true, 0);
	key(router, 0, KEY_A, true);
	key(router, 0, KEY_A, false);
	key(router, 0, KEY_LEFTCTRL, true);
	key(router, 0, KEY_RIGHTCTRL, true);
	router_tick(router, 600 * MS);
	test_equal(fake.chords, 1);
	router_free(router);
}

static void motion_and_reports(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);
	struct port_input events[ROUTER_REPORT + 1] = {
		{INPUT_TABLET, EV_ABS, ABS_X, 5},
		{INPUT_TABLET, EV_ABS, ABS_Y, 6},
		{INPUT_TABLET, EV_KEY, BTN_LEFT, 1},
		{INPUT_TABLET, EV_KEY, BTN_LEFT, 0}, /* a click in one report */
		{INPUT_TABLET, EV_SYN, SYN_REPORT, 0},
	};

	test_equal(router_report(router, 0, events, 5, 0), 0);
	test_equal(fake.reports, 0);
	router_switch(router, 3, false);
	test_equal(router_report(router, 0, events, 5, 0), 0);
	test_equal(fake.motions, 2);
	test_equal(router_guest_held(router, 3), 0);
	test_assert(!fake.bad);

	test_equal(router_report(router, 0, events, 4, 0), -EINVAL);
	test_equal(router_report(router, 0, events, 0, 0), -EINVAL);
	test_equal(router_report(router, 0, events, ROUTER_REPORT + 1, 0), -EINVAL);
	test_equal(router_report(router, ROUTER_SOURCES, events, 5, 0), -EINVAL);
	events[1].device = INPUT_MOUSE;
	test_equal(router_report(router, 0, events, 5, 0), -EINVAL);
	events[1].device = INPUT_TABLET;
	events[2].code = HELD_CODES;
	test_equal(router_report(router, 0, events, 5, 0), -EINVAL);
	events[2].code = BTN_LEFT;
	events[2].value = 3;
	test_equal(router_report(router, 0, events, 5, 0), -EINVAL);
	events[2].value = 1;
	events[1].type = EV_SYN;
	test_equal(router_report(router, 0, events, 5, 0), -EINVAL);
	router_free(router);
}

/* Release and press of the same key in one report: both arrive. */
static void release_then_press_in_one_report(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);
	static const struct port_input events[] = {
		{INPUT_KEYBOARD, EV_KEY, KEY_A, 0},
		{INPUT_KEYBOARD, EV_KEY, KEY_A, 1},
		{INPUT_KEYBOARD, EV_SYN, SYN_REPORT, 0},
	};

	router_switch(router, 0, false);
	key(router, 0, KEY_A, true);
	test_equal(router_report(router, 0, events, 3, 0), 0);
	test_assert(fake_down(&fake, 0, KEY_A));
	key(router, 0, KEY_A, false);
	test_equal(router_guest_held(router, 0), 0);
	test_assert(!fake.bad);
	router_free(router);
}

/* Two screens' fingers share the guest's slots; BTN_TOUCH is any of them. */
static void fingers_of_two_sources(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);

	test_equal(finger(router, 0, 3, 7, 100), 0);
	test_equal(fake.reports, 0);
	router_switch(router, 0, true);
	test_equal(finger(router, 0, 3, -1, 0), 0); /* the guest never knew */
	test_equal(fake.reports, 0);
	finger(router, 0, 3, 7, 100);
	finger(router, 1, 3, 7, 200);
	test_equal(router_guest_touches(router, 0), 2);
	test_equal(fake_fingers_down(&fake, 0), 2);
	test_equal(fake.fingers[0].x[0], 100);
	test_equal(fake.fingers[0].x[1], 200);
	finger(router, 0, 3, -1, 0);
	test_assert(router_guest_holds(router, 0, INPUT_TOUCH, BTN_TOUCH));
	router_unplug(router, 1, 0);
	test_assert(!router_guest_holds(router, 0, INPUT_TOUCH, BTN_TOUCH));
	test_equal(fake_fingers_down(&fake, 0), 0);
	test_assert(!fake.bad);
	router_free(router);
}

static void fingers_at_a_switch(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);

	router_switch(router, 0, false);
	finger(router, 0, 0, 1, 5);
	router_switch(router, 1, false); /* waits, as for keys */
	test_equal(router_guest(router), 0);
	router_switch(router, 1, true);
	test_equal(fake_fingers_down(&fake, 0), 0);
	finger(router, 0, 0, 2, 5); /* a new one is the new guest's */
	test_equal(fake_fingers_down(&fake, 1), 1);
	router_switch(router, 0, false);
	finger(router, 0, 0, -1, 0);
	test_equal(router_guest(router), 0);
	test_assert(!fake.bad);
	router_free(router);
}

/* More fingers than slots, and ten at once in one report. */
static void ten_fingers(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);
	struct port_input events[ROUTER_REPORT];
	unsigned n = 0;

	router_switch(router, 0, false);
	for (int32_t i = 0; i < PORT_TOUCHES; i++) {
		events[n++] = (struct port_input){INPUT_TOUCH, EV_ABS, ABS_MT_SLOT, i};
		events[n++] = (struct port_input){INPUT_TOUCH, EV_ABS, ABS_MT_TRACKING_ID, i};
		events[n++] = (struct port_input){INPUT_TOUCH, EV_ABS, ABS_MT_POSITION_X, i};
		events[n++] = (struct port_input){INPUT_TOUCH, EV_ABS, ABS_MT_POSITION_Y, i};
	}
	events[n++] = (struct port_input){INPUT_TOUCH, EV_SYN, SYN_REPORT, 0};
	test_equal(router_report(router, 0, events, n, 0), 0);
	test_equal(fake.reports, 1);
	test_equal(fake_fingers_down(&fake, 0), 10);
	finger(router, 1, 0, 0, 0); /* the eleventh */
	finger(router, 1, 0, -1, 0);
	test_equal(fake.reports, 1);
	router_release_all(router, 0);
	test_equal(fake_fingers_down(&fake, 0), 0);
	test_equal(fake.reports, 2);
	test_assert(!fake.bad);

	events[0].value = PORT_TOUCHES;
	test_equal(router_report(router, 0, events, n, 0), -EINVAL);
	test_equal(router_report(router, 0, events + 1, n - 1, 0), -EINVAL); /* whose? */
	events[0] = (struct port_input){INPUT_TOUCH, EV_KEY, BTN_LEFT, 1};
	test_equal(router_report(router, 0, events, n, 0), -EINVAL);
	router_free(router);
}

static void a_full_guest_and_fingers(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);

	router_switch(router, 0, false);
	finger(router, 0, 0, 1, 5);
	fake.full = true;
	finger(router, 0, 0, -1, 0); /* owed */
	finger(router, 0, 1, 2, 9);  /* lost */
	test_equal(fake_fingers_down(&fake, 0), 1);
	fake.full = false;
	finger(router, 0, 1, 2, 9); /* down in the source's eyes: a new one in the guest's */
	test_equal(fake_fingers_down(&fake, 0), 1);
	test_assert(!fake.bad);
	router_free(router);
}

static void a_pad_comes_to_rest(void)
{
	struct fake fake;
	struct router *router = fake_router(&fake);
	const struct port_input both[] = {
		{INPUT_GAMEPAD, EV_KEY, BTN_SOUTH, 1},
		{INPUT_GAMEPAD, EV_ABS, ABS_Z, 1000},
		{INPUT_GAMEPAD, EV_SYN, SYN_REPORT, 0},
	};
	struct port_input wrong[] = {
		{INPUT_GAMEPAD, EV_ABS, ABS_Z, -1},
		{INPUT_GAMEPAD, EV_SYN, SYN_REPORT, 0},
	};

	router_switch(router, 0, false);
	stick(router, 0, ABS_X, -32768);
	test_equal(router_report(router, 0, both, 3, 0), 0);
	test_equal(fake.reports, 2);
	stick(router, 1, ABS_Y, 5);
	router_unplug(router, 0, 0);
	test_equal(fake.axes[0][ABS_X], 0);
	test_equal(fake.axes[0][ABS_Z], 0);
	test_equal(fake.axes[0][ABS_Y], 5);
	fake.full = true;
	stick(router, 1, ABS_Y, 900);
	stick(router, 1, ABS_Y, 901);
	fake.full = false;
	router_tick(router, router_deadline(router));
	test_equal(fake.axes[0][ABS_Y], 901); /* the last one counts */
	router_switch(router, 1, true);
	test_equal(fake.axes[0][ABS_Y], 0);
	test_equal(router_guest_axis(router, 0, ABS_Y), 0);
	stick(router, 1, ABS_Y, 902);
	test_equal(fake.axes[1][ABS_Y], 902);
	test_equal(router_report(router, 0, wrong, 2, 0), -EINVAL);
	wrong[0] = (struct port_input){INPUT_GAMEPAD, EV_ABS, ABS_MT_SLOT, 0};
	test_equal(router_report(router, 0, wrong, 2, 0), -EINVAL);
	test_assert(!fake.bad);
	router_free(router);
}

static uint32_t seed;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

static void check(const struct router *router, const struct fake *fake)
{
	unsigned others = 0;

	test_assert(!fake->bad);
	test_equal(fake->guest, router_guest(router));
	for (unsigned g = 0; g < ROUTER_GUESTS; g++) {
		unsigned count = 0;

		for (unsigned d = 0; d < INPUT_DEVICES; d++) {
			const struct held_map *map = &fake->believes[g][d];

			count += held_count(map);
			for (int c = held_next(map, 0); c >= 0; c = held_next(map, (unsigned)c + 1))
				test_assert(router_guest_holds(router, g, d, (uint16_t)c));
		}
		/* BTN_TOUCH is no key of its own. */
		count += fake_fingers_down(fake, g) - (fake_fingers_down(fake, g) != 0);
		test_equal(router_guest_held(router, g), count);
		test_equal(router_guest_touches(router, g), fake_fingers_down(fake, g));
		for (unsigned a = 0; a < PORT_PAD_AXES; a++) {
			test_equal(router_guest_axis(router, g, (uint16_t)a), fake->axes[g][a]);
			if ((int)g != router_guest(router))
				others += fake->axes[g][a] != 0;
		}
		if ((int)g != router_guest(router))
			others += count;
	}
	/* Whoever has not got the input holds nothing, unless a release is owed. */
	if (others)
		test_assert(router_deadline(router) != INT64_MAX);
}

static void random_step(struct router *router, struct fake *fake, int64_t *now)
{
	static const uint16_t codes[] = {KEY_A, KEY_B, KEY_LEFTCTRL, KEY_RIGHTCTRL, BTN_LEFT,
		KEY_MAX};
	uint16_t code = codes[below(6)];
	unsigned source = below(3), guest = below(3);

	*now += below(300) * MS;
	switch (below(24)) {
	case 16:
	case 17:
	case 18:
	case 19:
		test_equal(finger(router, source, (int32_t)below(PORT_TOUCHES),
			(int32_t)below(3) - 1, (int32_t)below(100)), 0);
		break;
	case 20:
	case 21:
		stick(router, source, below(2) ? ABS_X : ABS_HAT0Y, (int32_t)below(3) - 1);
		break;
	case 0:
		router_switch(router, (int)guest - 1, below(3) == 0);
		break;
	case 1:
		router_unplug(router, source, *now);
		break;
	case 2:
		router_guest_reset(router, guest);
		fake_forget(fake, guest);
		break;
	case 3:
		fake->full = below(3) == 0;
		break;
	case 4:
		router_tick(router, *now);
		break;
	default:
		router_key(router, source,
			below(4) ? (enum input_device)below(INPUT_TOUCH) : INPUT_GAMEPAD, code,
			below(2), *now);
	}
}

static void what_guests_believe_is_what_they_were_told(void)
{
	for (unsigned round = 1; round <= 300; round++) {
		struct fake fake;
		struct router *router = fake_router(&fake);
		int64_t now = 0;

		seed = round * 2654435761u;
		for (unsigned i = 0; i < 300; i++) {
			random_step(router, &fake, &now);
			check(router, &fake);
		}
		/* The client disconnects. */
		fake.full = false;
		router_release_all(router, now);
		router_tick(router, now + 1000 * MS);
		check(router, &fake);
		for (unsigned g = 0; g < ROUTER_GUESTS; g++) {
			test_equal(router_guest_held(router, g), 0);
			for (unsigned a = 0; a < PORT_PAD_AXES; a++)
				test_equal(router_guest_axis(router, g, (uint16_t)a), 0);
		}
		router_free(router);
	}
}

int main(void)
{
	test_run(keys_go_to_one_guest);
	test_run(two_sources_hold_one_key);
	test_run(switch_waits_for_all_keys_up);
	test_run(forced_switch_releases_and_keeps_up);
	test_run(reset_clears_silently);
	test_run(a_full_guest_gets_its_release_later);
	test_run(chord_releases_and_swallows);
	test_run(a_button_does_not_spoil_the_chord);
	test_run(motion_and_reports);
	test_run(release_then_press_in_one_report);
	test_run(fingers_of_two_sources);
	test_run(fingers_at_a_switch);
	test_run(ten_fingers);
	test_run(a_full_guest_and_fingers);
	test_run(a_pad_comes_to_rest);
	test_run(what_guests_believe_is_what_they_were_told);
	return 0;
}
