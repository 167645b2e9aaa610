/*
 * The remote seat's hands: a SPICE client's keyboard, absolute pointer and mouse, through the input
 * router to the guest. Whatever a client holds is released when it leaves.
 *
 * Thread: main.
 */
#ifndef IRORI_DISPLAY_REMOTE_HANDS_H
#define IRORI_DISPLAY_REMOTE_HANDS_H

#include <spice.h>

#include "display/port.h"

struct remote_hands;

/* send: a whole report for the guest; 0 or -errno. */
struct remote_hands *remote_hands_new(SpiceServer *server,
	int (*send)(void *data, const struct port_input *events, unsigned n), void *data);
/* After spice_server_destroy. */
void remote_hands_free(struct remote_hands *hands);

/* The client has gone: everything up. */
void remote_hands_release(struct remote_hands *hands);
/* The guest believes that nothing is down: it was reset, or its process is new. */
void remote_hands_guest_reset(struct remote_hands *hands);
/* Keyboard LEDs as the guest wants them, LED_* bits. */
void remote_hands_leds(struct remote_hands *hands, uint32_t leds);

#endif
