/*
 * A seat's devices through the real libinput, on devices that umockdev pretends: descriptors from
 * outside, keys, pointers, fingers, pads, lights, and what becomes of it all when they are pulled out.
 */
#include "input/libinput.h"

#include <poll.h>

#include "input/held.h"
#include "tests/unit/input/mock_evdev.h"

static const struct mock_kind keyboard = {
	.name = "Mock keyboard",
	.property = "ID_INPUT_KEYBOARD",
	.range = {{EV_KEY, KEY_ESC, KEY_MICMUTE}, {EV_LED, LED_NUML, LED_SCROLLL}},
};
static const struct mock_kind mouse = {
	.name = "Mock mouse",
	.property = "ID_INPUT_MOUSE",
	.range = {{EV_KEY, BTN_LEFT, BTN_TASK}, {EV_REL, REL_X, REL_Y}, {EV_REL, REL_WHEEL, REL_WHEEL},
		{EV_REL, REL_WHEEL_HI_RES, REL_WHEEL_HI_RES}},
};
static const struct mock_kind screen = {
	.name = "Mock touch screen",
	.property = "ID_INPUT_TOUCHSCREEN",
	.props = 1 << INPUT_PROP_DIRECT,
	.range = {{EV_KEY, BTN_TOUCH, BTN_TOUCH}, {EV_ABS, ABS_X, ABS_Y}, {EV_ABS, ABS_MT_SLOT, ABS_MT_SLOT},
		{EV_ABS, ABS_MT_POSITION_X, ABS_MT_POSITION_Y},
		{EV_ABS, ABS_MT_TRACKING_ID, ABS_MT_TRACKING_ID}},
	.axis = {{ABS_X, 0, 999, 10}, {ABS_Y, 0, 999, 10}, {ABS_MT_SLOT, 0, 15, 0},
		{ABS_MT_POSITION_X, 0, 999, 10}, {ABS_MT_POSITION_Y, 0, 999, 10},
		{ABS_MT_TRACKING_ID, 0, 65535, 0}},
};
static const struct mock_kind pen = {
	.name = "Mock pen",
	.property = "ID_INPUT_TABLET",
	.range = {{EV_KEY, BTN_TOOL_PEN, BTN_TOOL_PEN}, {EV_KEY, BTN_TOUCH, BTN_STYLUS},
		{EV_ABS, ABS_X, ABS_Y}, {EV_ABS, ABS_PRESSURE, ABS_PRESSURE}},
	.axis = {{ABS_X, 0, 9999, 100}, {ABS_Y, 0, 9999, 100}, {ABS_PRESSURE, 0, 1023, 0}},
};
static const struct mock_kind pad = {
	.name = "Mock pad",
	.property = "ID_INPUT_JOYSTICK",
	.range = {{EV_KEY, BTN_SOUTH, BTN_THUMBR}, {EV_ABS, ABS_X, ABS_RZ}, {EV_ABS, ABS_HAT0X, ABS_HAT0Y}},
	.axis = {{ABS_X, 0, 255, 0}, {ABS_Y, 0, 255, 0}, {ABS_Z, 0, 255, 0}, {ABS_RX, 0, 255, 0},
		{ABS_RY, 0, 255, 0}, {ABS_RZ, 0, 255, 0}, {ABS_HAT0X, -1, 1, 0}, {ABS_HAT0Y, -1, 1, 0}},
};
static const struct mock_kind lid = {
	.name = "Mock lid",
	.property = "ID_INPUT_SWITCH",
	.range = {{EV_SW, SW_LID, SW_LID}},
};

static struct {
	struct router *router;
	struct seat_input *input;
	unsigned reports, notches;
	int32_t fine;
	int32_t axis[INPUT_DEVICES][ABS_CNT];
	int64_t moved[2];
	unsigned caps;
	uint32_t pressed_on;
} seen;

static int on_send(void *data, unsigned guest, const struct port_input *events, unsigned n)
{
	seen.reports++;
	for (unsigned i = 0; i < n; i++) {
		const struct port_input *e = &events[i];

		if (e->type == EV_ABS && e->code < ABS_CNT)
			seen.axis[e->device][e->code] = e->value;
		if (e->type == EV_REL && e->code <= REL_Y)
			seen.moved[e->code] += e->value;
		if (e->type == EV_REL && e->code == REL_WHEEL)
			seen.notches += (unsigned)e->value;
		if (e->type == EV_REL && e->code == REL_WHEEL_HI_RES)
			seen.fine += e->value;
	}
	return 0;
}

static void on_activity(void *data, uint32_t id, uint16_t code, int64_t now_ns)
{
	if (code)
		seen.pressed_on = id;
}

static void on_caps(void *data, unsigned caps)
{
	seen.caps = caps;
}

static const struct router_ops router_ops = {.send = on_send};
static const struct seat_input_ops ops = {.activity = on_activity, .caps = on_caps};

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void begin(void)
{
	memset(&seen, 0, sizeof(seen));
	mock_bed = umockdev_testbed_new();
	seen.router = router_new(&router_ops, NULL, NULL);
	seen.input = seat_input_new(seen.router, &ops, NULL);
	test_assert(seen.router && seen.input);
	router_switch(seen.router, 0, true);
}

static void end(void)
{
	seat_input_free(seen.input);
	test_equal(router_guest_held(seen.router, 0), 0);
	router_free(seen.router);
	for (unsigned i = 0; i < MOCK_DEVICES; i++)
		if (mocks[i].kind)
			mock_unplug(i);
	g_clear_object(&mock_bed);
}

/* The seat's loop, until nothing has come for a while (libinput waits some milliseconds before it
 * believes a button's release) or for a longer one (it looks at a pen that is down again and again). */
static void settle(void)
{
	struct pollfd poll_fd = {.fd = seat_input_fd(seen.input), .events = POLLIN};
	int64_t until = now() + 500 * INT64_C(1000000);

	while (now() < until && poll(&poll_fd, 1, 100) > 0)
		test_equal(seat_input_dispatch(seen.input, now()), 0);
}

static void plug(uint32_t id, unsigned n, const struct mock_kind *kind)
{
	test_equal(seat_input_add(seen.input, id, mock_path(n), mock_plug(n, kind)), 0);
	settle();
}

static bool holds(enum input_device device, uint16_t code)
{
	return router_guest_holds(seen.router, 0, device, code);
}

static void keys(void)
{
	int fd;

	begin();
	plug(11, 1, &keyboard);
	test_equal(seen.caps, SEAT_HAS_KEYBOARD);
	fd = mock_plug(2, &keyboard);
	test_equal(seat_input_add(seen.input, 11, mock_path(2), fd), -EEXIST);
	test_equal(fcntl(fd, F_GETFD), -1); /* taken over all the same */
	plug(13, 3, &keyboard);
	mock_event(1, EV_KEY, KEY_A, 1);
	mock_sync(1);
	settle();
	test_assert(holds(INPUT_KEYBOARD, KEY_A));
	test_equal(seen.pressed_on, 11);
	mock_event(3, EV_KEY, KEY_A, 1);
	mock_event(1, EV_KEY, KEY_A, 0);
	mock_sync(3);
	mock_sync(1);
	settle();
	test_assert(holds(INPUT_KEYBOARD, KEY_A)); /* the other keyboard still has it */
	test_equal(seat_input_remove(seen.input, 13, now()), 0);
	mock_unplug(3);
	test_assert(!holds(INPUT_KEYBOARD, KEY_A));
	test_equal(seat_input_remove(seen.input, 13, now()), -ENOENT);
	settle();
	plug(13, 3, &keyboard); /* and in again */
	mock_event(3, EV_KEY, KEY_B, 1);
	mock_sync(3);
	settle();
	test_assert(holds(INPUT_KEYBOARD, KEY_B));
	end();
}

static unsigned lit(unsigned n, unsigned before)
{
	struct input_event event;

	while (mock_written(n, &event))
		if (event.type == EV_LED)
			before = event.value ? before | 1u << event.code : before & ~(1u << event.code);
	return before;
}

static void lights(void)
{
	begin();
	plug(1, 1, &keyboard);
	seat_input_leds(seen.input, 1u << LED_CAPSL);
	test_equal(lit(1, 0), 1u << LED_CAPSL);
	plug(2, 2, &keyboard);
	test_equal(lit(2, 0), 1u << LED_CAPSL); /* a new one shows what the others do */
	seat_input_leds(seen.input, 1u << LED_NUML | 1u << LED_SCROLLL);
	test_equal(lit(1, 1u << LED_CAPSL), 1u << LED_NUML | 1u << LED_SCROLLL);
	end();
}

static void mice(void)
{
	unsigned before;

	begin();
	plug(1, 1, &mouse);
	test_equal(seen.caps, SEAT_HAS_POINTER);
	for (unsigned i = 0; i < 60; i++) {
		mock_event(1, EV_REL, REL_X, 20);
		mock_sync(1);
	}
	before = seen.reports;
	test_equal(seat_input_dispatch(seen.input, now()), 0);
	test_equal(seen.reports, before + 1); /* sixty motions */
	test_assert(seen.axis[INPUT_TABLET][ABS_X] > 16384);
	test_equal(seen.axis[INPUT_TABLET][ABS_Y], 16384);
	mock_event(1, EV_KEY, BTN_RIGHT, 1);
	mock_sync(1);
	settle();
	test_assert(holds(INPUT_TABLET, BTN_RIGHT));
	mock_event(1, EV_KEY, BTN_RIGHT, 0);
	mock_sync(1);
	settle();
	test_assert(!holds(INPUT_TABLET, BTN_RIGHT));
	seat_input_mode(seen.input, SEAT_POINTER_RELATIVE);
	mock_event(1, EV_REL, REL_X, 20);
	mock_event(1, EV_REL, REL_Y, -7);
	mock_sync(1);
	settle();
	test_equal(seen.moved[REL_X], 20); /* unaccelerated */
	test_equal(seen.moved[REL_Y], -7);
	end();
}

static void wheels(void)
{
	begin();
	plug(1, 1, &mouse);
	for (unsigned i = 0; i < 8; i++) {
		mock_event(1, EV_REL, REL_WHEEL_HI_RES, 60);
		if (i & 1)
			mock_event(1, EV_REL, REL_WHEEL, 1);
		mock_sync(1);
		settle();
	}
	test_equal(seen.fine, 480);
	test_equal(seen.notches, 4);
	end();
}

static void fingers(void)
{
	unsigned before;

	begin();
	plug(1, 1, &screen);
	test_equal(seen.caps, SEAT_HAS_TOUCH);
	for (int32_t i = 0; i < 10; i++) {
		mock_event(1, EV_ABS, ABS_MT_SLOT, i);
		mock_event(1, EV_ABS, ABS_MT_TRACKING_ID, 1 + i);
		mock_event(1, EV_ABS, ABS_MT_POSITION_X, 99 * i);
		mock_event(1, EV_ABS, ABS_MT_POSITION_Y, 500);
	}
	mock_event(1, EV_KEY, BTN_TOUCH, 1);
	mock_sync(1);
	before = seen.reports;
	settle();
	test_equal(seen.reports, before + 1);
	test_equal(router_guest_touches(seen.router, 0), 10);
	test_assert(holds(INPUT_TOUCH, BTN_TOUCH));
	test_assert(seen.axis[INPUT_TOUCH][ABS_MT_POSITION_X] > 29000);
	mock_event(1, EV_ABS, ABS_MT_SLOT, 3);
	mock_event(1, EV_ABS, ABS_MT_TRACKING_ID, -1);
	mock_sync(1);
	settle();
	test_equal(router_guest_touches(seen.router, 0), 9);
	seat_input_remove(seen.input, 1, now()); /* with nine fingers on it */
	test_equal(router_guest_touches(seen.router, 0), 0);
	end();
}

static void pens(void)
{
	begin();
	plug(1, 1, &pen);
	test_equal(seen.caps, SEAT_HAS_POINTER);
	mock_event(1, EV_KEY, BTN_TOOL_PEN, 1);
	mock_event(1, EV_ABS, ABS_X, 2500);
	mock_event(1, EV_ABS, ABS_Y, 5000);
	mock_sync(1);
	settle();
	test_assert(seen.axis[INPUT_TABLET][ABS_X] > 8000 && seen.axis[INPUT_TABLET][ABS_X] < 8400);
	mock_event(1, EV_ABS, ABS_PRESSURE, 900);
	mock_event(1, EV_KEY, BTN_TOUCH, 1);
	mock_sync(1);
	settle();
	test_assert(holds(INPUT_TABLET, BTN_LEFT));
	mock_event(1, EV_ABS, ABS_PRESSURE, 0);
	mock_event(1, EV_KEY, BTN_TOUCH, 0);
	mock_event(1, EV_KEY, BTN_TOOL_PEN, 0);
	mock_sync(1);
	settle();
	test_assert(!holds(INPUT_TABLET, BTN_LEFT));
	end();
}

static void pads(void)
{
	begin();
	plug(1, 1, &pad);
	test_equal(seen.caps, SEAT_HAS_GAMEPAD);
	test_assert(mocks[1].grabbed);
	mock_event(1, EV_KEY, BTN_SOUTH, 1);
	mock_event(1, EV_ABS, ABS_X, 255);
	mock_event(1, EV_ABS, ABS_RZ, 255);
	mock_event(1, EV_ABS, ABS_HAT0Y, -1);
	test_equal(seat_input_dispatch(seen.input, now()), 0);
	test_equal(seen.reports, 0); /* not before its end */
	mock_sync(1);
	settle();
	test_equal(seen.reports, 1);
	test_assert(holds(INPUT_GAMEPAD, BTN_SOUTH));
	test_equal(seen.axis[INPUT_GAMEPAD][ABS_X], PORT_STICK_MAX);
	test_equal(seen.axis[INPUT_GAMEPAD][ABS_RZ], PORT_TRIGGER_MAX);
	test_equal(seen.axis[INPUT_GAMEPAD][ABS_HAT0Y], -1);
	/* The kernel lost events: what is true is asked for. */
	mock_event(1, EV_SYN, SYN_DROPPED, 0);
	mock_event(1, EV_ABS, ABS_X, 3);
	mocks[1].abs[ABS_X].value = 127;
	mocks[1].abs[ABS_RZ].value = 255;
	mocks[1].key[BTN_EAST / 8] |= 1 << BTN_EAST % 8;
	mock_sync(1);
	settle();
	test_equal(seen.axis[INPUT_GAMEPAD][ABS_X], 0);
	test_equal(seen.axis[INPUT_GAMEPAD][ABS_RZ], PORT_TRIGGER_MAX);
	test_assert(holds(INPUT_GAMEPAD, BTN_EAST) && !holds(INPUT_GAMEPAD, BTN_SOUTH));
	seat_input_remove(seen.input, 1, now());
	test_equal(router_guest_axis(seen.router, 0, ABS_RZ), 0);
	test_equal(router_guest_held(seen.router, 0), 0);
	end();
}

/* A pad whose cable is pulled is not asked again and again until somebody says that it has gone. */
static void a_pad_that_has_gone(void)
{
	struct pollfd poll_fd = {.events = POLLIN};

	begin();
	plug(1, 1, &pad);
	poll_fd.fd = seat_input_fd(seen.input);
	shutdown(mocks[1].ours, SHUT_RDWR);
	settle();
	test_equal(poll(&poll_fd, 1, 0), 0);
	test_equal(seat_input_remove(seen.input, 1, now()), 0);
	end();
}

static void no_device_for_hands(void)
{
	int fd;

	begin();
	fd = mock_plug(1, &lid);
	test_equal(seat_input_add(seen.input, 1, mock_path(1), fd), -ENODEV);
	test_equal(fcntl(fd, F_GETFD), -1);
	fd = mock_plug(2, &keyboard);
	test_equal(seat_input_add(seen.input, 1, "/dev/input/event77", fd), -ENODEV); /* no such node */
	test_equal(seen.caps, 0);
	settle();
	end();
}

static void a_gap(void)
{
	begin();
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned n = 0; n < 4; n++)
			test_equal(seat_input_add(seen.input, n, mock_path(n),
					mock_plug(n, n & 1 ? &mouse : &keyboard)), 0);
		mock_event(round % 4, EV_KEY, round & 1 ? BTN_LEFT : KEY_A, 1);
		mock_sync(round % 4);
		if (round % 3)
			test_equal(seat_input_dispatch(seen.input, now()), 0);
		for (unsigned n = 0; n < 4; n++) {
			test_equal(seat_input_remove(seen.input, (n + round) % 4, now()), 0);
			mock_unplug((n + round) % 4);
		}
		test_equal(router_guest_held(seen.router, 0), 0);
		test_equal(seat_input_dispatch(seen.input, now()), 0);
	}
	end();
}

int main(void)
{
	if (!mock_possible())
		test_skip("not run by umockdev-wrapper");
	test_run(keys);
	test_run(lights);
	test_run(mice);
	test_run(wheels);
	test_run(fingers);
	test_run(pens);
	test_run(pads);
	test_run(a_pad_that_has_gone);
	test_run(no_device_for_hands);
	test_run(a_gap);
	return 0;
}
