/*
 * A seat's keyboards, mice, touch screens and gamepads: libinput with devices that come from outside.
 *
 * Devices come as open descriptors (irorid opens them): nothing here opens a device by its path. They
 * feed an input router (input/router.h), each as a source of its own, which sends whole reports to
 * the guest that has the input. The owner polls seat_input_fd() for POLLIN and calls dispatch, and
 * keeps calling router_tick() at router_deadline() itself.
 *
 * libinput looks a device up by its path: /dev/input (to be looked at, not opened), /sys, /run/udev and
 * its own quirks in /usr/share/libinput must be there when a device is added.
 *
 * Thread: one thread calls everything, and owns the router as well. Callbacks come from dispatch,
 * remove, grab and free; they may call everything here but dispatch, add, remove and free.
 */
#ifndef IRORI_INPUT_LIBINPUT_H
#define IRORI_INPUT_LIBINPUT_H

#include "input/router.h"
#include "input/seat_event.h"

struct seat_input;

enum seat_input_limits {
	SEAT_INPUT_DEVICES = ROUTER_SOURCES,
};

enum seat_pointer_mode {
	SEAT_POINTER_ABSOLUTE, /* mice move a pointer of the seat, the guest's tablet gets its place */
	SEAT_POINTER_RELATIVE, /* mice move the guest's mouse, unaccelerated (games) */
};

/*
 * Where the guest's picture is on the seat's screen, in pixels of the screen. Where the guest has several
 * monitors, the screen is all of them side by side; the first, at 0, 0, has the overlay and the fingers.
 * first_width 0: it is the whole screen.
 */
struct seat_screen {
	unsigned width, height;
	unsigned x, y, picture_width, picture_height;
	unsigned first_width, first_height;
};

/* Any may be NULL. */
struct seat_input_ops {
	/*
	 * Somebody did something on device `id` (idle time, "press a key to claim this keyboard"):
	 * code is the key or button that went down, BTN_TOUCH for a finger, 0: motion, releases. Comes
	 * before the event goes anywhere: a grab from here catches it.
	 */
	void (*activity)(void *data, uint32_t id, uint16_t code, int64_t now_ns);
	/* A volume, mute, microphone, brightness, power or sleep key. True: the owner takes it, no
	 * guest hears of it. The release of a key that was taken comes here as well. Comes first
	 * while grabbed, too. */
	bool (*hotkey)(void *data, uint16_t code, bool down);
	/* The seat has other devices than before: enum seat_caps. */
	void (*caps)(void *data, unsigned caps);

	/* While grabbed, and only then. Every release of a key has had its press. */
	void (*key)(void *data, uint16_t code, bool down);
	/* The pointer is here now, in 0..1 of the first monitor; a finger is a pointer with BTN_LEFT. */
	void (*pointer)(void *data, double x, double y);
	void (*button)(void *data, uint16_t code, bool down);
	void (*wheel)(void *data, int notches); /* down is positive */
};

/* The router, ops and data must outlive it. NULL and errno. */
struct seat_input *seat_input_new(struct router *router, const struct seat_input_ops *ops,
	void *data);
/* What is held is released towards the guest; all devices are closed. NULL is allowed. */
void seat_input_free(struct seat_input *input);

/*
 * A device of the seat: `path` its node ("/dev/input/event5"), fd open with O_RDWR | O_NONBLOCK and
 * taken over, whatever comes of it. Reads what the device can do. Ids are the owner's.
 * 0; -EEXIST: there is one of this id; -ENOSPC: SEAT_INPUT_DEVICES are there; -ENODEV: it is nothing
 * that hands use (a lid, an accelerometer), or it has gone; -ENOMEM.
 */
int seat_input_add(struct seat_input *input, uint32_t id, const char *path, int fd);
/* Unplugged, or another seat's now: lets go of what is held on it. -ENOENT: no such id. */
int seat_input_remove(struct seat_input *input, uint32_t id, int64_t now_ns);

/* Poll it for POLLIN. Stays the same. */
int seat_input_fd(const struct seat_input *input);
/* Handles what has arrived: all motion since the last time is one report. 0 or -errno (over: free it
 * and make another). */
int seat_input_dispatch(struct seat_input *input, int64_t now_ns);

/* LEDs of the seat's keyboards, bit n is LED code n; keyboards that come later get them as well. */
void seat_input_leds(struct seat_input *input, uint32_t leds);
unsigned seat_input_caps(const struct seat_input *input);

/* Absolute at first; buttons that are down are let go on the device they were pressed on. */
void seat_input_mode(struct seat_input *input, enum seat_pointer_mode mode);
/* Sizes of 0 and pictures beyond the screen are cut to what makes sense. Before the first call:
 * a picture of 1280x720 that fills the screen. */
void seat_input_screen(struct seat_input *input, const struct seat_screen *screen);
/* Where the seat's pointer is, in 0..1 of the screen. */
void seat_input_where(const struct seat_input *input, double *x, double *y);

/*
 * Takes keys, pointer and touches away from the guests (the overlay is open): what guests believe
 * down is released, and all goes to ops until it is given back. What is held at either change is
 * nothing to the other side until pressed again. May be called from ops and from the router's chord.
 */
void seat_input_grab(struct seat_input *input, bool on, int64_t now_ns);

#endif
