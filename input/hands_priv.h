/*
 * What the files of the hands share: hands.c (devices, keys, the overlay's grab), hands_pointer.c
 * (mice, wheels, pens), hands_touch.c (fingers), hands_pad.c (gamepads).
 */
#ifndef IRORI_INPUT_HANDS_PRIV_H
#define IRORI_INPUT_HANDS_PRIV_H

#include "input/hands.h"
#include "input/held.h"

enum hands_const {
	HANDS_NOTCH = 120,  /* of a wheel, in high resolution */
	HANDS_NONE = -1,
};

/* A finger on a device. */
enum hand_finger_state {
	FINGER_UP,
	FINGER_IGNORED, /* down, and nothing to anybody until it is up */
	FINGER_GUEST,   /* down, in `slot` of this device's reports */
};

struct hand_finger {
	enum hand_finger_state state;
	unsigned slot;
};

/* A device. Its index is its source of the router. */
struct hand {
	bool used;
	uint32_t id;
	unsigned caps;
	bool absolute;           /* its last motion was */
	struct held_map taken;   /* hotkeys that the owner took */
	struct held_map grabbed; /* keys and buttons that the overlay believes down */
	struct hand_finger finger[SEAT_SLOTS];
	int click[2];            /* what is left of a notch; 0: x, 1: y */
	double scroll[2];        /* what is left of a 120th */
	/* Touches or a pad's events, up to the frame. */
	struct port_input report[ROUTER_REPORT];
	unsigned n;
};

/* Motion that has not been told yet. */
struct hands_motion {
	int device; /* HANDS_NONE: nothing */
	bool absolute, moved;
	int wheel[2], notch[2];
};

struct seat_hands {
	struct router *router;
	const struct seat_input_ops *ops;
	void *data;
	struct hand hand[SEAT_INPUT_DEVICES];
	unsigned caps;
	bool grabbed;
	int64_t now_ns;
	enum seat_pointer_mode mode;
	struct seat_screen screen;
	double x, y;        /* the pointer, in 0..1 of the screen */
	double raw_x, raw_y; /* counts not told yet, with what is less than one */
	struct hands_motion motion;
	/* While grabbed, the finger that is a pointer. */
	int pointing_device;
	unsigned pointing_slot;
};

unsigned hands_device(const struct seat_hands *hands, const struct hand *hand);
/* A key or button went to the overlay's owner, if it is news. */
void hands_grab_key(struct seat_hands *hands, struct hand *hand, uint16_t code, bool down);
/* Sends the events that a device has collected. */
void hands_send(struct seat_hands *hands, struct hand *hand);
/* Room for `more` events in the device's report, which is made if need be. */
struct port_input *hands_room(struct seat_hands *hands, struct hand *hand, unsigned more);

/* hands_pointer.c */
void hands_button(struct seat_hands *hands, struct hand *hand, const struct seat_event *event);
void hands_move(struct seat_hands *hands, struct hand *hand, const struct seat_event *event);
void hands_move_abs(struct seat_hands *hands, struct hand *hand, const struct seat_event *event);
void hands_wheel(struct seat_hands *hands, struct hand *hand, const struct seat_event *event);
void hands_scroll(struct seat_hands *hands, struct hand *hand, const struct seat_event *event);
/* Tells what motion there is. */
void hands_flush_motion(struct seat_hands *hands);
/* The pointer goes no further than what it may point at. */
void hands_clamp(struct seat_hands *hands);
/* A finger's place, in 0..1 of the first monitor, becomes one on the screen. */
void hands_on_first(const struct seat_hands *hands, struct seat_event *event);
/* A place on the screen in 0..32767 of the picture; whether it is in the picture. */
bool hands_place(const struct seat_hands *hands, double x, double y, int32_t place[2]);

/* hands_touch.c */
void hands_touch_down(struct seat_hands *hands, struct hand *hand, const struct seat_event *event);
void hands_touch_move(struct seat_hands *hands, struct hand *hand, const struct seat_event *event);
void hands_touch_up(struct seat_hands *hands, struct hand *hand, const struct seat_event *event);
void hands_frame(struct seat_hands *hands, struct hand *hand, const struct seat_event *event);
/* What is down is nothing to anybody from now on. */
void hands_touch_ignore(struct seat_hands *hands, struct hand *hand);

/* hands_pad.c */
void hands_pad_button(struct seat_hands *hands, struct hand *hand, const struct seat_event *event);
void hands_pad_axis(struct seat_hands *hands, struct hand *hand, const struct seat_event *event);

#endif
