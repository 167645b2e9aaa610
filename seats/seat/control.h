/*
 * The seat's end of the seat control protocol (seats/wire.h): listens, and speaks with one irorid at a
 * time. A later one replaces the one before; one that sends nonsense is hung up on. HELLO and WELCOME are
 * done here; what is told in between is the owner's.
 *
 * Thread: the main one, whose default GMainContext it lives on. From inside a callback everything but
 * control_free is allowed.
 */
#ifndef IRORI_SEATS_SEAT_CONTROL_H
#define IRORI_SEATS_SEAT_CONTROL_H

#include <glib.h>

#include "seats/wire_codec.h"

struct control;

struct control_events {
	/* An irorid is there and has been welcomed. */
	void (*begun)(void *data, const struct wire_hello *hello);
	/* From irorid. Who keeps the descriptor sets message->fd to -1. */
	void (*message)(void *data, struct wire_message *message);
	/* It is gone: `why` 0 or -EPIPE: hung up; -EPROTO: it sent nonsense. */
	void (*ended)(void *data, int why);
};

/* Listens at `path`, mode 0600; a socket that is there is replaced. `events` and data must outlive it. */
struct control *control_new(const char *path, const struct control_events *events, void *data,
	GError **error);
/* Does not listen; speaks on a connected socket (tests), which is taken over. */
struct control *control_adopt(int socket, const struct control_events *events, void *data);
void control_free(struct control *control);

/* 0; -ENOTCONN: nobody is there, or has not said HELLO; else as wire_send. */
int control_send(struct control *control, uint16_t opcode, const void *body, size_t size);
bool control_connected(const struct control *control);

#endif
