/*
 * The seat's input devices, as irorid hands them over: which of them stay open when a new irorid tells
 * them again, under numbers of its own.
 *
 * Thread: the main one, whose default GMainContext it lives on.
 */
#ifndef IRORI_SEATS_SEAT_DEVICES_H
#define IRORI_SEATS_SEAT_DEVICES_H

#include <glib.h>

#include "seats/seat/session.h"

struct devices;

/* They feed the session, once that has been given; `failed` when input is over for good. */
struct devices *devices_new(int64_t (*now)(void), void (*failed)(void *data), void *data);
int devices_attach(struct devices *devices, struct session *session);
void devices_free(struct devices *devices);

/* A new irorid has told of none yet. */
void devices_begin(struct devices *devices);
/* Whether the message was about devices. READY is looked at, and is not only theirs. */
bool devices_message(struct devices *devices, struct wire_message *message);
/* By hand; fd is taken over. 0 or -errno. */
int devices_add(struct devices *devices, uint32_t id, const char *path, int fd);

extern const struct session_devices devices_session; /* with the devices as data */

#endif
