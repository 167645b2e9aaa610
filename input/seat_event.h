/*
 * What hands do at a seat, in our own words: input/libinput.c makes these from libinput,
 * input/gamepad.c from evdev, tests from nothing. input/hands.h turns them into reports for guests.
 *
 * Events of one device, in order. Motion may come as often as the mouse likes. Codes are those of
 * linux/input-event-codes.h; whoever reads them checks them: they come from a device.
 */
#ifndef IRORI_INPUT_SEAT_EVENT_H
#define IRORI_INPUT_SEAT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

enum seat_event_type {
	SEAT_KEY,        /* code, down */
	SEAT_BUTTON,     /* code, down: of a mouse, a touchpad, a pen (its tip is BTN_LEFT) */
	SEAT_MOTION,     /* x, y: pixels, accelerated; raw_x, raw_y: the device's own counts */
	SEAT_MOTION_ABS, /* x, y in 0..1 of the seat's screen */
	SEAT_WHEEL,      /* x, y: 120 is a notch; right and down are positive */
	SEAT_SCROLL,     /* the same from fingers: 15 is a notch; x = y = 0: the fingers are off */
	SEAT_TOUCH_DOWN, /* slot, x, y in 0..1 of the seat's screen */
	SEAT_TOUCH_MOVE, /* slot, x, y */
	SEAT_TOUCH_UP,   /* slot */
	SEAT_TOUCH_FRAME, /* the touches since the last frame belong together */
	SEAT_PAD_BUTTON, /* code, down: of the fixed pad (display/port.h) */
	SEAT_PAD_AXIS,   /* code, value: of the fixed pad, in its range */
	SEAT_PAD_FRAME,
	SEAT_EVENTS
};

struct seat_event {
	enum seat_event_type type;
	uint16_t code;
	bool down;
	unsigned slot; /* below SEAT_SLOTS, of the device */
	int32_t value;
	double x, y, raw_x, raw_y;
};

enum seat_event_limits {
	SEAT_SLOTS = 32, /* more fingers on one device are not seen */
};

/* What a seat's devices can do. */
enum seat_caps {
	SEAT_HAS_KEYBOARD = 1 << 0,
	SEAT_HAS_POINTER = 1 << 1,
	SEAT_HAS_TOUCH = 1 << 2,
	SEAT_HAS_GAMEPAD = 1 << 3,
};

#endif
