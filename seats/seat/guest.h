/*
 * A guest at which the seat sits, by its seat link: shows its picture on the seat's screen while it is
 * the one that is shown, sends it the seat's input. It opens no path: its owner has its connections. When one is
 * over it asks for another, 100 ms to 1 s apart, until the guest's process is back.
 *
 * Thread: the main one, whose default GMainContext it lives on. From inside a callback everything but
 * guest_free is allowed.
 */
#ifndef IRORI_SEATS_SEAT_GUEST_H
#define IRORI_SEATS_SEAT_GUEST_H

#include "display/screen.h"

struct guest;

struct guest_events {
	/* It needs a connection: guest_link, now or later. */
	void (*wants_link)(void *data, struct guest *guest);
	/* Attached or not any more, or its state (guest_link_state) is another. */
	void (*changed)(void *data, struct guest *guest);
	/* It believes that nothing is down: it was reset, or the connection is new. */
	void (*reset)(void *data, struct guest *guest);
	void (*leds)(void *data, struct guest *guest, uint32_t leds);
	/* A picture has another size, or there is one at last. */
	void (*resized)(void *data, struct guest *guest);
};

/* `key` is what its owner knows it by; it is copied. It has no connection and has not asked for one. */
struct guest *guest_new(const char *key, const struct guest_events *events, void *data);
void guest_free(struct guest *guest);

const char *guest_key(const struct guest *guest);
/* It may be there now: asks for a connection if it has none, and has not just asked. */
void guest_ask(struct guest *guest);
/* A seat link of seats/guest_link.h for the picture, taken over; it replaces the one that is there. */
void guest_link(struct guest *guest, int socket);
bool guest_attached(const struct guest *guest);
/* enum link_guest_state; LINK_GUEST_OFF while not attached. */
uint32_t guest_link_state(const struct guest *guest);
uint32_t guest_leds(const struct guest *guest);

/* On this screen from now on, at once with what it showed last; NULL: on none. */
void guest_show(struct guest *guest, struct screen *screen);
/* The monitors it should have, and their sizes (n at most PORT_HEADS); told again whenever it attaches. */
void guest_resize(struct guest *guest, const struct port_size *heads, unsigned n);
/* What it shows on a head; 0 by 0: nothing. */
struct port_size guest_size(const struct guest *guest, unsigned head);
void guest_presented(struct guest *guest, unsigned head, uint64_t seq, int64_t vblank_ns,
	int64_t period_ns);
/* A whole report. 0 or -errno. A guest that is not attached takes it and forgets it. */
int guest_input(struct guest *guest, const struct port_input *events, unsigned n);

#endif
