/*
 * What irorid tells, into the facts: one message at a time, and what is forgotten when it is READY.
 *
 * Thread: the main one. Pure.
 */
#ifndef IRORI_SEATS_SEAT_TOLD_H
#define IRORI_SEATS_SEAT_TOLD_H

#include "seats/seat/facts.h"
#include "seats/wire_codec.h"

/* What this irorid has said so far. */
struct told {
	bool guest[WIRE_GUESTS]; /* as facts.guests */
	bool show, lock, time;
};

/* A new irorid: it has said nothing yet. */
void told_begin(struct told *told, struct seat_facts *facts, const struct wire_hello *hello);
/* Whether the message was one of facts (GUEST, GUEST_GONE, SHOW, LOCK, TIME, READY). */
bool told_message(struct told *told, struct seat_facts *facts, const struct wire_message *message);

#endif
