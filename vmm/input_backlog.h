/*
 * Reports on their way to a virtio-input driver that may be slow.
 *
 * Reports (events up to SYN_REPORT) go in whole and come out whole. When there is no room, presses
 * are dropped and what must not be lost is owed instead: releases of keys that the guest believes
 * down and of fingers that it believes on the screen, the sum of relative motion, the last position of
 * axes and fingers. What is owed comes out, as reports of its own, once the guest has read the rest;
 * nothing overtakes it. Of a finger whose first report was dropped the guest never hears. BTN_TOUCH
 * is made here.
 *
 * Thread: the device's lock.
 */
#ifndef IRORI_VMM_INPUT_BACKLOG_H
#define IRORI_VMM_INPUT_BACKLOG_H

#include <linux/input-event-codes.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/port.h"

enum {
	INPUT_BACKLOG = 256, /* events */
};

/* struct virtio_input_event: virtio 1.2, 5.8.6. */
struct input_event_wire {
	uint16_t type, code;
	uint32_t value;
};

struct input_backlog {
	struct input_event_wire event[INPUT_BACKLOG];
	unsigned n;
	/* What the guest believes down once it has read all of it. */
	uint8_t down[(KEY_CNT + 7) / 8];
	uint16_t fingers; /* bit n: slot n is down */
	uint8_t slot;     /* the last one that it was told */
	uint8_t from_slot; /* and that we were told */
	/* Owed. */
	bool owes;
	uint16_t lift;
	uint8_t finger_moved[PORT_TOUCHES]; /* bit 0: x, 1: y */
	int32_t finger[PORT_TOUCHES][2];
	uint8_t release[(KEY_CNT + 7) / 8];
	int32_t rel[REL_CNT];
	int32_t abs[PORT_PAD_AXES];
	bool abs_moved[PORT_PAD_AXES];
};

void input_backlog_clear(struct input_backlog *backlog);

/* Owes the release of every key and finger that the guest believes down. */
void input_backlog_release(struct input_backlog *backlog);
/* Owes an axis' way to this value. */
void input_backlog_axis(struct input_backlog *backlog, unsigned code, int32_t value);

/* One whole report of n events; the last is SYN_REPORT. Codes are in range (KEY_CNT, REL_CNT, what
 * port_axis() knows), slots too. A report of more than `longest` events is not passed as it is: the driver has not so
 * many buffers. */
void input_backlog_add(struct input_backlog *backlog, const struct input_event_wire *event,
	unsigned n, unsigned longest);

/* How many events the first report has, 0: there is none. `longest` bounds those made of what is
 * owed; at least 2, or nothing that is owed comes out. */
unsigned input_backlog_first(struct input_backlog *backlog, unsigned longest);
/* Drops the first n events: they are with the guest. */
void input_backlog_drop(struct input_backlog *backlog, unsigned n);

#endif
