/*
 * The hands at a seat: events without devices, through the real router to a fake guest; and a property
 * test over random sequences of all that can happen.
 */
#include "input/hands.h"
#include "input/held.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#define MS INT64_C(1000000)

enum fake_limits {
	FAKE_GUESTS = 3,
};

/* A guest, as its drivers see it. */
struct fake_guest {
	struct held_map down[INPUT_DEVICES];
	unsigned slot, fingers;
	int32_t axes[PORT_PAD_AXES];
};

static struct {
	struct router *router;
	struct seat_hands *hands;
	struct fake_guest guest[FAKE_GUESTS];
	bool full, bad;
	/* The last report. */
	struct port_input last[ROUTER_REPORT];
	unsigned n, reports;
	/* The owner. */
	bool takes_hotkeys, grabs_on_chord;
	unsigned caps, activities, hotkeys, chords, wheel;
	uint16_t press;
	uint32_t press_id;
	struct held_map overlay; /* keys and buttons that it believes down */
	double x, y;
} fake;

static void guest_abs(struct fake_guest *guest, const struct port_input *e)
{
	unsigned bit = 1u << guest->slot;
	int32_t min, max;

	fake.bad |= !port_axis(e->device, e->code, &min, &max) || e->value < min || e->value > max;
	if (e->device == INPUT_GAMEPAD)
		guest->axes[e->code] = e->value;
	if (e->device != INPUT_TOUCH)
		return;
	if (e->code == ABS_MT_SLOT)
		guest->slot = (unsigned)e->value;
	else if (e->code == ABS_MT_TRACKING_ID && e->value >= 0)
		guest->fingers |= bit;
	else if (!(guest->fingers & bit))
		fake.bad = true;
	else if (e->code == ABS_MT_TRACKING_ID)
		guest->fingers &= ~bit;
}

static int on_send(void *data, unsigned guest, const struct port_input *events, unsigned n)
{
	if (n < 2 || n > ROUTER_REPORT || events[n - 1].type != EV_SYN || guest >= FAKE_GUESTS)
		fake.bad = true;
	if (fake.full || fake.bad)
		return -EAGAIN;
	memcpy(fake.last, events, n * sizeof(events[0]));
	fake.n = n;
	fake.reports++;
	for (unsigned i = 0; i < n; i++) {
		const struct port_input *e = &events[i];

		fake.bad |= e->device != events[0].device;
		if (e->type == EV_KEY)
			fake.bad |= !held_set(&fake.guest[guest].down[e->device], e->code, e->value);
		if (e->type == EV_ABS)
			guest_abs(&fake.guest[guest], e);
	}
	return 0;
}

static void on_chord(void *data)
{
	fake.chords++;
	if (fake.grabs_on_chord)
		seat_hands_grab(fake.hands, true, 0);
}

static void on_activity(void *data, uint32_t id, uint16_t code, int64_t now_ns)
{
	fake.activities++;
	if (code) {
		fake.press = code;
		fake.press_id = id;
	}
}

static bool on_hotkey(void *data, uint16_t code, bool down)
{
	fake.hotkeys++;
	return fake.takes_hotkeys;
}

static void on_caps(void *data, unsigned caps)
{
	fake.caps = caps;
}

static void on_key(void *data, uint16_t code, bool down)
{
	held_set(&fake.overlay, code, down);
}

static void on_pointer(void *data, double x, double y)
{
	fake.x = x;
	fake.y = y;
}

static void on_wheel(void *data, int notches)
{
	fake.wheel += (unsigned)notches;
}

static const struct router_ops router_ops = {.send = on_send, .chord = on_chord};
static const struct seat_input_ops ops = {
	.activity = on_activity,
	.hotkey = on_hotkey,
	.caps = on_caps,
	.key = on_key,
	.pointer = on_pointer,
	.button = on_key,
	.wheel = on_wheel,
};
static const struct seat_screen screen = {1000, 500, 0, 0, 1000, 500, 1000, 500};

/* Device n of the tests has the id 100 + n and can do everything. */
static void begin(unsigned devices)
{
	memset(&fake, 0, sizeof(fake));
	fake.router = router_new(&router_ops, NULL, &chord_default);
	fake.hands = seat_hands_new(fake.router, &ops, NULL);
	seat_hands_screen(fake.hands, &screen);
	for (unsigned i = 0; i < devices; i++)
		test_equal(seat_hands_plug(fake.hands, 100 + i, SEAT_HAS_POINTER), i);
	router_switch(fake.router, 0, true);
}

static void end(void)
{
	seat_hands_free(fake.hands);
	router_tick(fake.router, INT64_MAX);
	for (unsigned g = 0; g < FAKE_GUESTS; g++)
		test_equal(router_guest_held(fake.router, g), 0);
	router_free(fake.router);
	test_assert(!fake.bad);
}

static void act(unsigned device, struct seat_event event)
{
	seat_hands_event(fake.hands, device, &event, 0);
}

static void key(unsigned device, uint16_t code, bool down)
{
	act(device, (struct seat_event){.type = SEAT_KEY, .code = code, .down = down});
}

static void button(unsigned device, uint16_t code, bool down)
{
	act(device, (struct seat_event){.type = SEAT_BUTTON, .code = code, .down = down});
}

static void move(unsigned device, double x, double y)
{
	act(device, (struct seat_event){.type = SEAT_MOTION, .x = x, .y = y, .raw_x = 2 * x,
			    .raw_y = 2 * y});
}

static void point(unsigned device, double x, double y)
{
	act(device, (struct seat_event){.type = SEAT_MOTION_ABS, .x = x, .y = y});
}

static void wheel(unsigned device, double x, double y)
{
	act(device, (struct seat_event){.type = SEAT_WHEEL, .x = x, .y = y});
}

static void finger(unsigned device, enum seat_event_type type, unsigned slot, double x, double y)
{
	act(device, (struct seat_event){.type = type, .slot = slot, .x = x, .y = y});
}

static void frame(unsigned device)
{
	act(device, (struct seat_event){.type = SEAT_TOUCH_FRAME});
}

static void flush(void)
{
	seat_hands_flush(fake.hands, 0);
}

/* The last report is these events and its end. */
static void expect(unsigned n, const struct port_input *events)
{
	test_equal(fake.n, n + 1);
	for (unsigned i = 0; i < n; i++) {
		test_equal(fake.last[i].device, events[i].device);
		test_equal(fake.last[i].type, events[i].type);
		test_equal(fake.last[i].code, events[i].code);
		test_equal(fake.last[i].value, events[i].value);
	}
}

#define EXPECT(...)                                                                                \
	do {                                                                                       \
		const struct port_input expected[] = {__VA_ARGS__};                                \
		expect(sizeof(expected) / sizeof(expected[0]), expected);                          \
	} while (0)

static void devices_come_and_go(void)
{
	begin(0);
	test_equal(seat_hands_plug(fake.hands, 7, SEAT_HAS_KEYBOARD), 0);
	test_equal(fake.caps, SEAT_HAS_KEYBOARD);
	test_equal(seat_hands_plug(fake.hands, 7, SEAT_HAS_TOUCH), -EEXIST);
	test_equal(seat_hands_plug(fake.hands, 8, SEAT_HAS_TOUCH), 1);
	test_equal(seat_hands_caps(fake.hands), SEAT_HAS_KEYBOARD | SEAT_HAS_TOUCH);
	for (unsigned i = 2; i < SEAT_INPUT_DEVICES; i++)
		test_equal(seat_hands_plug(fake.hands, 100 + i, 0), i);
	test_equal(seat_hands_plug(fake.hands, 1000, 0), -ENOSPC);
	key(0, KEY_A, true);
	test_assert(router_guest_holds(fake.router, 0, INPUT_KEYBOARD, KEY_A));
	test_equal(fake.press_id, 7);
	test_equal(fake.press, KEY_A);
	test_equal(seat_hands_unplug(fake.hands, 7, 0), 0);
	test_assert(!router_guest_holds(fake.router, 0, INPUT_KEYBOARD, KEY_A));
	test_equal(seat_hands_unplug(fake.hands, 7, 0), -ENOENT);
	test_equal(fake.caps, SEAT_HAS_TOUCH);
	key(0, KEY_A, true); /* late */
	test_equal(router_guest_held(fake.router, 0), 0);
	test_equal(seat_hands_plug(fake.hands, 1000, 0), 0);
	end();
}

/* A thousand motions between two turns are one report, of where the pointer is then. */
static void motion_is_summed(void)
{
	begin(2);
	for (unsigned i = 0; i < 1000; i++)
		move(0, 0.1, 0.05);
	test_equal(fake.reports, 0);
	flush();
	flush();
	test_equal(fake.reports, 1);
	EXPECT({INPUT_TABLET, EV_ABS, ABS_X, 19660}, {INPUT_TABLET, EV_ABS, ABS_Y, 19660});
	move(0, 1e9, -1e9);
	button(0, BTN_LEFT, true); /* where it is, and the press */
	EXPECT({INPUT_TABLET, EV_ABS, ABS_X, 32767}, {INPUT_TABLET, EV_ABS, ABS_Y, 0},
		{INPUT_TABLET, EV_KEY, BTN_LEFT, 1});
	move(0, -1000, 0);
	move(1, 500, 0); /* another mouse's is another report, of the same pointer */
	test_equal(fake.reports, 3);
	flush();
	EXPECT({INPUT_TABLET, EV_ABS, ABS_X, 16384}, {INPUT_TABLET, EV_ABS, ABS_Y, 0});
	point(1, 0.25, 1);
	flush();
	EXPECT({INPUT_TABLET, EV_ABS, ABS_X, 8192}, {INPUT_TABLET, EV_ABS, ABS_Y, 32767});
	end();
}

static void relative_mode(void)
{
	begin(1);
	button(0, BTN_LEFT, true);
	seat_hands_mode(fake.hands, SEAT_POINTER_RELATIVE);
	move(0, 0.2, -3);
	flush();
	EXPECT({INPUT_MOUSE, EV_REL, REL_Y, -6});
	move(0, 0.4, 0);
	flush(); /* with what was left */
	EXPECT({INPUT_MOUSE, EV_REL, REL_X, 1});
	test_assert(router_guest_holds(fake.router, 0, INPUT_TABLET, BTN_LEFT));
	button(0, BTN_LEFT, false); /* goes up where it went down */
	test_equal(router_guest_held(fake.router, 0), 0);
	button(0, BTN_RIGHT, true);
	test_assert(router_guest_holds(fake.router, 0, INPUT_MOUSE, BTN_RIGHT));
	wheel(0, 0, 120);
	flush();
	EXPECT({INPUT_MOUSE, EV_REL, REL_WHEEL_HI_RES, -120}, {INPUT_MOUSE, EV_REL, REL_WHEEL, -1});
	seat_hands_mode(fake.hands, SEAT_POINTER_ABSOLUTE);
	button(0, BTN_RIGHT, false);
	test_equal(router_guest_held(fake.router, 0), 0);
	seat_hands_mode(fake.hands, SEAT_POINTER_RELATIVE);
	point(0, 0.5, 0.5); /* a pen has a place whatever the mode */
	button(0, BTN_LEFT, true);
	EXPECT({INPUT_TABLET, EV_ABS, ABS_X, 16384}, {INPUT_TABLET, EV_ABS, ABS_Y, 16384},
		{INPUT_TABLET, EV_KEY, BTN_LEFT, 1});
	end();
}

static void wheels(void)
{
	begin(1);
	wheel(0, 0, -30);
	flush();
	EXPECT({INPUT_TABLET, EV_REL, REL_WHEEL_HI_RES, 30});
	for (unsigned i = 0; i < 3; i++)
		wheel(0, 0, -30);
	flush();
	EXPECT({INPUT_TABLET, EV_REL, REL_WHEEL_HI_RES, 90}, {INPUT_TABLET, EV_REL, REL_WHEEL, 1});
	wheel(0, 0, -90);
	wheel(0, 0, 60); /* back: the 90 are forgotten */
	flush();
	EXPECT({INPUT_TABLET, EV_REL, REL_WHEEL_HI_RES, 30});
	wheel(0, 250, 60);
	flush();
	EXPECT({INPUT_TABLET, EV_REL, REL_HWHEEL_HI_RES, 250}, {INPUT_TABLET, EV_REL, REL_HWHEEL, 2},
		{INPUT_TABLET, EV_REL, REL_WHEEL_HI_RES, -60}, {INPUT_TABLET, EV_REL, REL_WHEEL, -1});
	end();
}

static void fingers_scroll(void)
{
	struct seat_event scroll = {.type = SEAT_SCROLL, .y = 0.0625}; /* half of a 120th */

	begin(1);
	act(0, scroll);
	flush();
	test_equal(fake.reports, 0);
	act(0, scroll);
	flush();
	EXPECT({INPUT_TABLET, EV_REL, REL_WHEEL_HI_RES, -1});
	scroll.y = 15;
	act(0, scroll);
	flush();
	EXPECT({INPUT_TABLET, EV_REL, REL_WHEEL_HI_RES, -120}, {INPUT_TABLET, EV_REL, REL_WHEEL, -1});
	scroll.y = 7.5;
	act(0, scroll);
	act(0, (struct seat_event){.type = SEAT_SCROLL}); /* off */
	act(0, scroll);
	flush();
	EXPECT({INPUT_TABLET, EV_REL, REL_WHEEL_HI_RES, -120});
	end();
}

static void the_picture_is_not_the_screen(void)
{
	const struct seat_screen boxed = {1000, 500, 250, 0, 500, 500, 0, 0};
	const struct seat_screen odd = {0, 0, 7, 7, 900, 900, 0, 0};
	double x, y;

	begin(1);
	seat_hands_screen(fake.hands, &boxed);
	point(0, 0, 0.5); /* in the border: the picture's edge */
	flush();
	EXPECT({INPUT_TABLET, EV_ABS, ABS_X, 0}, {INPUT_TABLET, EV_ABS, ABS_Y, 16384});
	seat_hands_where(fake.hands, &x, &y);
	test_assert(x == 0.25 && y == 0.5);
	finger(0, SEAT_TOUCH_DOWN, 0, 0.1, 0.5); /* nothing there to be touched */
	finger(0, SEAT_TOUCH_MOVE, 0, 0.5, 0.5);
	frame(0);
	test_equal(router_guest_touches(fake.router, 0), 0);
	finger(0, SEAT_TOUCH_DOWN, 1, 0.5, 0.5);
	finger(0, SEAT_TOUCH_MOVE, 1, 1, 0); /* and beyond */
	frame(0);
	test_equal(router_guest_touches(fake.router, 0), 1);
	test_equal(fake.last[fake.n - 4].value, 32767);
	seat_hands_screen(fake.hands, &odd);
	move(0, 1, 1);
	flush();
	end();
}

/* Two monitors, 600 x 500 and 400 x 400: pointers go everywhere, fingers and the menu have the first. */
static void two_monitors(void)
{
	const struct seat_screen two = {1000, 500, 0, 0, 1000, 500, 600, 500};
	double x, y;

	begin(1);
	seat_hands_screen(fake.hands, &two);
	point(0, 1, 0.5);
	flush();
	EXPECT({INPUT_TABLET, EV_ABS, ABS_X, 32767}, {INPUT_TABLET, EV_ABS, ABS_Y, 16384});
	finger(0, SEAT_TOUCH_DOWN, 0, 0.5, 0.5);
	frame(0);
	test_equal(fake.last[fake.n - 4].value, 9830); /* 300 of 1000 */
	finger(0, SEAT_TOUCH_UP, 0, 0, 0);
	frame(0);
	seat_hands_grab(fake.hands, true, 0);
	point(0, 0.9, 0.5); /* off the first: its edge */
	flush();
	seat_hands_where(fake.hands, &x, &y);
	test_assert(x == 0.6);
	test_assert(fake.x == 1);
	point(0, 0.3, 0.5);
	flush();
	test_assert(fake.x == 0.5);
	end();
}

static void fingers(void)
{
	begin(1);
	for (unsigned i = 0; i < 12; i++) /* of 12 the guest has 10 */
		finger(0, SEAT_TOUCH_DOWN, 20 + i, i / 12.0, 0.5);
	test_equal(fake.reports, 0);
	frame(0);
	test_equal(fake.reports, 1);
	test_equal(fake.press, BTN_TOUCH);
	test_equal(router_guest_touches(fake.router, 0), 10);
	finger(0, SEAT_TOUCH_UP, 20, 0, 0);
	finger(0, SEAT_TOUCH_UP, 31, 0, 0);
	frame(0);
	test_equal(router_guest_touches(fake.router, 0), 9);
	finger(0, SEAT_TOUCH_DOWN, SEAT_SLOTS, 0.5, 0.5); /* too many for us */
	finger(0, SEAT_TOUCH_UP, 31, 0, 0);
	frame(0);
	for (unsigned i = 0; i < 200; i++) /* more than a report has room for */
		finger(0, SEAT_TOUCH_MOVE, 20 + i % 12, 0.5, i / 200.0);
	frame(0);
	test_equal(router_guest_touches(fake.router, 0), 9);
	seat_hands_unplug(fake.hands, 100, 0);
	test_equal(router_guest_touches(fake.router, 0), 0);
	end();
}

static void hotkeys_may_be_taken(void)
{
	begin(1);
	fake.takes_hotkeys = true;
	key(0, KEY_VOLUMEUP, true);
	fake.takes_hotkeys = false;
	key(0, KEY_VOLUMEUP, false); /* its press was taken */
	test_equal(fake.hotkeys, 2);
	test_equal(fake.reports, 0);
	key(0, KEY_MUTE, true);
	test_assert(router_guest_holds(fake.router, 0, INPUT_KEYBOARD, KEY_MUTE));
	key(0, KEY_MUTE, false);
	test_equal(fake.hotkeys, 3);
	fake.takes_hotkeys = true;
	key(0, KEY_A, true);
	test_equal(fake.hotkeys, 3);
	seat_hands_grab(fake.hands, true, 0);
	key(0, KEY_MICMUTE, true);
	seat_hands_unplug(fake.hands, 100, 0);
	test_equal(fake.hotkeys, 5);
	end();
}

static void the_overlay_takes_all(void)
{
	begin(2);
	key(0, KEY_A, true);
	button(0, BTN_LEFT, true);
	finger(0, SEAT_TOUCH_DOWN, 0, 0.5, 0.5);
	frame(0);
	test_equal(router_guest_held(fake.router, 0), 3);
	seat_hands_grab(fake.hands, true, 0);
	test_equal(router_guest_held(fake.router, 0), 0);
	fake.reports = 0;
	key(0, KEY_A, false); /* was not pressed for the overlay */
	key(0, KEY_ENTER, true);
	test_assert(held_get(&fake.overlay, KEY_ENTER));
	key(0, KEY_ENTER, false);
	test_equal(held_count(&fake.overlay), 0);
	move(1, 10, 0);
	flush();
	test_assert(fake.x > 0.5 && fake.y == 0.5);
	button(1, BTN_RIGHT, true);
	wheel(1, 0, 240);
	flush();
	test_equal(fake.wheel, 2);
	finger(1, SEAT_TOUCH_DOWN, 5, 0.75, 0.25);
	test_assert(fake.x == 0.75 && held_get(&fake.overlay, BTN_LEFT));
	finger(1, SEAT_TOUCH_DOWN, 6, 0.1, 0.1); /* one finger points */
	finger(1, SEAT_TOUCH_MOVE, 5, 0.5, 0.25);
	finger(1, SEAT_TOUCH_UP, 5, 0, 0);
	test_assert(fake.x == 0.5 && !held_get(&fake.overlay, BTN_LEFT));
	key(0, KEY_ESC, true);
	seat_hands_grab(fake.hands, false, 0);
	key(0, KEY_ESC, false);
	button(1, BTN_RIGHT, false);
	finger(1, SEAT_TOUCH_MOVE, 6, 0.1, 0.2);
	finger(1, SEAT_TOUCH_UP, 6, 0, 0);
	frame(1);
	test_equal(fake.reports, 0); /* nothing of it was the guest's */
	key(0, KEY_B, true);
	test_equal(fake.reports, 1);
	end();
}

/* The chord that calls the overlay is due when another key comes: that is the overlay's already. */
static void a_grab_from_the_chord(void)
{
	struct seat_event e = {.type = SEAT_KEY, .code = KEY_DOWN, .down = true};

	begin(1);
	fake.grabs_on_chord = true;
	key(0, KEY_LEFTCTRL, true);
	key(0, KEY_RIGHTCTRL, true);
	test_equal(router_guest_held(fake.router, 0), 2);
	seat_hands_event(fake.hands, 0, &e, 700 * MS);
	test_equal(fake.chords, 1);
	test_equal(router_guest_held(fake.router, 0), 0);
	test_assert(held_get(&fake.overlay, KEY_DOWN));
	end();
}

static void pads(void)
{
	begin(1);
	act(0, (struct seat_event){.type = SEAT_PAD_AXIS, .code = ABS_X, .value = -300});
	act(0, (struct seat_event){.type = SEAT_PAD_AXIS, .code = ABS_THROTTLE, .value = 1});
	act(0, (struct seat_event){.type = SEAT_PAD_AXIS, .code = ABS_Z, .value = 1024});
	act(0, (struct seat_event){.type = SEAT_PAD_BUTTON, .code = BTN_SOUTH, .down = true});
	act(0, (struct seat_event){.type = SEAT_PAD_BUTTON, .code = KEY_A, .down = true});
	test_equal(fake.reports, 0);
	act(0, (struct seat_event){.type = SEAT_PAD_FRAME});
	EXPECT({INPUT_GAMEPAD, EV_KEY, BTN_SOUTH, 1}, {INPUT_GAMEPAD, EV_ABS, ABS_X, -300});
	seat_hands_grab(fake.hands, true, 0);
	test_equal(router_guest_axis(fake.router, 0, ABS_X), 0);
	act(0, (struct seat_event){.type = SEAT_PAD_AXIS, .code = ABS_HAT0Y, .value = 1});
	test_assert(held_get(&fake.overlay, KEY_DOWN));
	act(0, (struct seat_event){.type = SEAT_PAD_AXIS, .code = ABS_HAT0Y, .value = -1});
	test_assert(!held_get(&fake.overlay, KEY_DOWN) && held_get(&fake.overlay, KEY_UP));
	act(0, (struct seat_event){.type = SEAT_PAD_AXIS, .code = ABS_HAT0Y, .value = 0});
	act(0, (struct seat_event){.type = SEAT_PAD_BUTTON, .code = BTN_EAST, .down = true});
	test_assert(held_get(&fake.overlay, KEY_ESC) && held_count(&fake.overlay) == 1);
	end();
}

static uint32_t seed;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

static struct seat_event random_event(void)
{
	static const uint16_t codes[] = {KEY_A, KEY_LEFTCTRL, KEY_RIGHTCTRL, KEY_MUTE, BTN_LEFT,
		BTN_SOUTH, ABS_X, ABS_HAT0Y};
	struct seat_event event = {
		.type = (enum seat_event_type)below(SEAT_EVENTS),
		.code = codes[below(8)],
		.down = below(2),
		.slot = below(14),
		.value = (int32_t)below(3) - 1,
		.x = (int)below(300) / 100.0 - 1,
		.y = (int)below(300) / 100.0 - 1,
	};

	/* Touches come down and go up much more often than anything else would let them. */
	if (below(3) == 0)
		event.type = (enum seat_event_type)(SEAT_TOUCH_DOWN + below(4));
	return event;
}

/* Plugged in devices, by the tests' own count. */
static bool random_step(bool plugged[4], int64_t *now)
{
	struct seat_event event = random_event();
	unsigned device = below(4), guest = below(FAKE_GUESTS);

	*now += below(200) * MS;
	switch (below(40)) {
	case 0:
		router_switch(fake.router, (int)guest - 1, below(2));
		break;
	case 1:
		test_equal(seat_hands_unplug(fake.hands, 100 + device, *now),
			plugged[device] ? 0 : -ENOENT);
		plugged[device] = false;
		break;
	case 2:
	case 9:
	case 10:
		if (seat_hands_plug(fake.hands, 100 + device, 0) >= 0)
			plugged[device] = true;
		break;
	case 3:
		router_guest_reset(fake.router, guest);
		fake.guest[guest] = (struct fake_guest){0};
		break;
	case 4:
		fake.full = below(5) == 0;
		break;
	case 5:
		seat_hands_grab(fake.hands, below(4) == 0, *now);
		break;
	case 6:
		seat_hands_mode(fake.hands, (enum seat_pointer_mode)below(2));
		break;
	case 7:
		seat_hands_flush(fake.hands, *now);
		break;
	case 8:
		router_tick(fake.router, *now);
		break;
	default:
		seat_hands_event(fake.hands, device, &event, *now);
	}
	return true;
}

static void check(void)
{
	test_assert(!fake.bad);
	for (unsigned g = 0; g < FAKE_GUESTS; g++) {
		unsigned count = (unsigned)__builtin_popcount(fake.guest[g].fingers);

		test_equal(router_guest_touches(fake.router, g), count);
		test_equal(held_get(&fake.guest[g].down[INPUT_TOUCH], BTN_TOUCH), count != 0);
		count -= count != 0; /* BTN_TOUCH is no key of its own */
		for (unsigned d = 0; d < INPUT_DEVICES; d++)
			count += held_count(&fake.guest[g].down[d]);
		test_equal(router_guest_held(fake.router, g), count);
	}
}

static void what_guests_believe_is_what_they_were_told(void)
{
	unsigned reports = 0;

	for (unsigned round = 1; round <= 300; round++) {
		bool plugged[4] = {true, true, true, true};
		int64_t now = 0;

		seed = round * 2654435761u;
		begin(4);
		for (unsigned i = 0; i < 1500 && random_step(plugged, &now); i++)
			check();
		fake.full = false;
		for (unsigned i = 0; i < 4; i++)
			seat_hands_unplug(fake.hands, 100 + i, now);
		router_tick(fake.router, now + 1000 * MS);
		for (unsigned g = 0; g < FAKE_GUESTS; g++) {
			for (unsigned d = 0; d < INPUT_DEVICES; d++)
				test_assert(!held_any(&fake.guest[g].down[d]));
			test_equal(fake.guest[g].fingers, 0);
			for (unsigned a = 0; a < PORT_PAD_AXES; a++)
				test_equal(fake.guest[g].axes[a], 0);
		}
		reports += fake.reports;
		end();
	}
	test_assert(reports > 300 * 50); /* it was about something */
}

int main(void)
{
	test_run(devices_come_and_go);
	test_run(motion_is_summed);
	test_run(relative_mode);
	test_run(wheels);
	test_run(fingers_scroll);
	test_run(the_picture_is_not_the_screen);
	test_run(two_monitors);
	test_run(fingers);
	test_run(hotkeys_may_be_taken);
	test_run(the_overlay_takes_all);
	test_run(a_grab_from_the_chord);
	test_run(pads);
	test_run(what_guests_believe_is_what_they_were_told);
	return 0;
}
