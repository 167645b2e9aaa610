/*
 * The keyboard controller of a PC, ports 0x60 and 0x64, with a keyboard and a mouse.
 *
 * Thread: ports on vCPU threads, keys and motion on the seat thread; every function takes the lock
 * by itself. `interrupt` is called under it.
 *
 * Source: IBM PC/AT technical reference, 8042; as Linux' i8042 and atkbd, SeaBIOS' ps2port and
 * OVMF's Ps2KeyboardDxe use it.
 */
#ifndef IRORI_VMM_I8042_H
#define IRORI_VMM_I8042_H

#include <glib.h>

#include "vmm/ps2.h"

struct state;

enum i8042_ports {
	I8042_DATA = 0x60,
	I8042_COMMAND = 0x64,
	I8042_RAM = 32,
};

enum i8042_source {
	I8042_NOTHING,
	I8042_CONTROLLER,
	I8042_KEYBOARD,
	I8042_MOUSE,
};

struct i8042_ops {
	void (*interrupt)(void *owner, unsigned irq, bool level); /* 1 or 12 */
	void (*reset)(void *owner);
	void (*leds)(void *owner, uint8_t leds); /* bit 0 scroll, 1 num, 2 caps */
};

/* Plain data, saved as it is. */
struct i8042_registers {
	uint8_t ram[I8042_RAM];  /* the first is the command byte */
	uint8_t command;         /* the one that waits for its argument; 0: none */
	uint8_t output_port;
	uint8_t last_port;       /* status bit 3: was the last write a command? */
	uint8_t output;          /* the output buffer */
	uint8_t source;          /* whose it is; I8042_NOTHING: it is empty */
	uint8_t as_mouse;        /* CONTROLLER: shown as if the mouse had sent it */
	uint8_t broken;          /* translation: a break prefix has come */
	struct ps2_queue reply;  /* the controller's own */
	struct ps2_queue mouse_reply; /* the same, shown as the mouse's */
	struct ps2_keyboard keyboard;
	struct ps2_mouse mouse;
};

struct i8042 {
	GMutex lock;
	struct i8042_registers reg;
	bool irq_1, irq_12;
	const struct i8042_ops *ops;
	void *owner;
};

void i8042_init(struct i8042 *i8042, const struct i8042_ops *ops, void *owner);
void i8042_clear(struct i8042 *i8042);
void i8042_reset(struct i8042 *i8042);

uint8_t i8042_read(struct i8042 *i8042, unsigned port);
void i8042_write(struct i8042 *i8042, unsigned port, uint8_t value);

/* From the seats; codes and counts are evdev's. */
void i8042_key(struct i8042 *i8042, unsigned code, bool down);
int64_t i8042_repeat(struct i8042 *i8042, bool first); /* see ps2_keyboard_repeat */
void i8042_release_keys(struct i8042 *i8042);
void i8042_move(struct i8042 *i8042, int32_t dx, int32_t dy, int32_t wheel);
void i8042_button(struct i8042 *i8042, unsigned button, bool down);
void i8042_report(struct i8042 *i8042); /* motion and buttons since the last time */

void i8042_state(struct i8042 *i8042, struct state *state);

#endif
