/*
 * A PS/2 keyboard and a PS/2 mouse: the devices at the two ports of the keyboard controller
 * (i8042.h). Bytes go in one at a time as the controller's are written, and come out as it takes
 * them; keys and motion come from the seats.
 *
 * What the guest was told is down is what it will be told is up: a key's release always has room,
 * because its press was refused otherwise.
 *
 * Thread: the controller's lock. Source: IBM PS/2 technical reference, keyboard and mouse;
 * "The PS/2 keyboard interface" and "The PS/2 mouse interface" by A. Chapweske.
 */
#ifndef IRORI_VMM_PS2_H
#define IRORI_VMM_PS2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ps2_limits {
	PS2_QUEUE = 256,
	PS2_KEY_BYTES = 8,   /* the longest key: Pause */
	PS2_KEYS = 256,      /* evdev codes below this */
};

enum ps2_replies {
	PS2_ACK = 0xfa,
	PS2_AGAIN = 0xfe, /* what was that? */
	PS2_TEST_PASSED = 0xaa,
};

/* Plain data, saved as it is. */
struct ps2_queue {
	uint8_t byte[PS2_QUEUE];
	uint16_t first, n;
};

struct ps2_keyboard {
	struct ps2_queue reply, keys; /* answers go first */
	uint8_t last;      /* byte sent, for "resend" */
	uint8_t argument;  /* the command that waits for its argument; 0: none */
	uint8_t set;       /* 1 or 2 */
	uint8_t leds;      /* bit 0 scroll, 1 num, 2 caps */
	uint8_t rate;      /* of repetition, as the guest sets it */
	uint8_t held;      /* the key that repeats, evdev's code; 0: none */
	uint8_t scanning;  /* bool; as the others here: what is loaded may be any byte */
	uint8_t down[PS2_KEYS / 8]; /* what the guest has been told is down */
};

struct ps2_mouse {
	struct ps2_queue reply, motion;
	uint8_t last, argument;
	uint8_t id;         /* 0; 3 with a wheel; 4 with five buttons */
	uint8_t rate, resolution;
	uint8_t knock[3];   /* the last rates: the sequence that asks for a wheel */
	uint8_t reporting, remote, wrap, twice;
	uint8_t buttons, buttons_told; /* bit 0 left, 1 right, 2 middle, 3 side, 4 extra */
	int32_t dx, dy, dz;
};

bool ps2_queue_take(struct ps2_queue *queue, uint8_t *byte);
/* True when all fit, else none is added. */
bool ps2_queue_add(struct ps2_queue *queue, const uint8_t *byte, size_t n);
/* Of a saved guest: within its bounds? */
bool ps2_queue_valid(const struct ps2_queue *queue);

void ps2_keyboard_reset(struct ps2_keyboard *keyboard);
void ps2_keyboard_write(struct ps2_keyboard *keyboard, uint8_t byte);
bool ps2_keyboard_take(struct ps2_keyboard *keyboard, uint8_t *byte);
/* An evdev key code goes down or up; what has no scan code is ignored, and so is a release of what
 * is not down. */
void ps2_keyboard_key(struct ps2_keyboard *keyboard, unsigned code, bool down);
/* Everything that is down goes up. */
void ps2_keyboard_release(struct ps2_keyboard *keyboard);
/* The key that went down last, while it is held, is sent again, unless the guest has not yet taken
 * what was before; `first`: not yet. us until the next time, -1: there is nothing to repeat. */
int64_t ps2_keyboard_repeat(struct ps2_keyboard *keyboard, bool first);
bool ps2_keyboard_valid(const struct ps2_keyboard *keyboard);

void ps2_mouse_reset(struct ps2_mouse *mouse);
void ps2_mouse_write(struct ps2_mouse *mouse, uint8_t byte);
bool ps2_mouse_take(struct ps2_mouse *mouse, uint8_t *byte);
/* Right, down, wheel away from the user: as evdev counts. Added up until ps2_mouse_report. */
void ps2_mouse_move(struct ps2_mouse *mouse, int32_t dx, int32_t dy, int32_t wheel);
void ps2_mouse_button(struct ps2_mouse *mouse, unsigned button, bool down);
void ps2_mouse_report(struct ps2_mouse *mouse);
bool ps2_mouse_valid(const struct ps2_mouse *mouse);

/* The bytes of a key in scan code set 1 or 2; 0: it has none. */
unsigned ps2_key_bytes(unsigned code, bool down, unsigned set, uint8_t byte[PS2_KEY_BYTES]);
/* Set 2 to set 1, as the controller does it; the break prefix 0xf0 is the controller's. */
uint8_t ps2_translate(uint8_t byte);

#endif
