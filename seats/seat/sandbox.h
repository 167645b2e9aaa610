/*
 * The seat's sandbox: from here on the process opens nothing but fonts, sound and what describes devices, has
 * no privileges and cannot get any, and asks the kernel for nothing that is not on the list.
 *
 * What it needs comes in by descriptors: the lease, the event devices, the guests' pictures. It may
 * still connect to the sockets of guests and of the sound server. Its own socket it cannot remove: the
 * next seat of that name does.
 */
#ifndef IRORI_SEATS_SEAT_SANDBOX_H
#define IRORI_SEATS_SEAT_SANDBOX_H

#include <glib.h>
#include <stdbool.h>

/* For this process and its threads, for good. False and error set: nothing may go on. */
bool sandbox_enter(GError **error);

#endif
