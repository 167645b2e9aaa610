/*
 * The hands at a seat: what they do (seat_event.h) becomes whole reports for the input router, or
 * calls of the overlay's owner while it has taken the input. This is the part of input/libinput.h
 * that needs no devices; see there for what the calls mean.
 *
 * Motion, wheels and absolute places are summed until seat_hands_flush() or until something else
 * happens on a pointer, so that a mouse of 1000 Hz makes one report a turn of the main loop. The
 * pointer's place is the seat's, not a device's.
 *
 * Thread: the router's. Pure: no clock, no descriptors, no libinput.
 */
#ifndef IRORI_INPUT_HANDS_H
#define IRORI_INPUT_HANDS_H

#include "input/libinput.h"

struct seat_hands;

struct seat_hands *seat_hands_new(struct router *router, const struct seat_input_ops *ops,
	void *data);
/* Unplugs what is there, and tells ops nothing more. NULL is allowed. */
void seat_hands_free(struct seat_hands *hands);

/* A device with these abilities (enum seat_caps): its number for seat_hands_event, below
 * SEAT_INPUT_DEVICES; -EEXIST, -ENOSPC. */
int seat_hands_plug(struct seat_hands *hands, uint32_t id, unsigned caps);
/* -ENOENT */
int seat_hands_unplug(struct seat_hands *hands, uint32_t id, int64_t now_ns);

/* Something happened on a device that is plugged in; others are ignored. */
void seat_hands_event(struct seat_hands *hands, unsigned device, const struct seat_event *event,
	int64_t now_ns);
/* All that has arrived has been said. */
void seat_hands_flush(struct seat_hands *hands, int64_t now_ns);

unsigned seat_hands_caps(const struct seat_hands *hands);
void seat_hands_mode(struct seat_hands *hands, enum seat_pointer_mode mode);
void seat_hands_screen(struct seat_hands *hands, const struct seat_screen *screen);
void seat_hands_where(const struct seat_hands *hands, double *x, double *y);
void seat_hands_grab(struct seat_hands *hands, bool on, int64_t now_ns);

#endif
