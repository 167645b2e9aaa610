/*
 * One seat: who has it of two irori-seat processes, and what is said to that one.
 *
 * The other is a spare: started, greeted, and told nothing. When the one that has the seat dies, does
 * not read or says what it should not, the spare has the seat at once, without waiting for a process
 * to start; the other is killed, and is the spare after a while.
 *
 * The seat is up while one has it: `up` tells it all there is, with seat_unit_send, and READY follows
 * by itself. What is sent while the seat is not up is lost: `up` says it all again.
 *
 * Thread: main.
 */
#ifndef IRORI_SEATS_SEAT_UNIT_H
#define IRORI_SEATS_SEAT_UNIT_H

#include <stdbool.h>
#include <stddef.h>

#include "seats/household.h"
#include "seats/spawn.h"
#include "seats/wire.h"

/* What the second process has behind the seat's name in its own; no seat's name has a colon. */
#define SEAT_UNIT_SECOND ":2"

struct seat_unit;

struct seat_unit_events {
	void (*up)(void *data, struct seat_unit *unit);
	void (*down)(void *data, struct seat_unit *unit);
	/* Answer it with seat_unit_answer. The PIN in it is forgotten after return. */
	void (*request)(void *data, struct seat_unit *unit, const struct wire_request *request);
	/* seat_unit_state() is news. */
	void (*state)(void *data, struct seat_unit *unit);
	/* WANT_LINK: answered with LINK, or not at all. */
	void (*link)(void *data, struct seat_unit *unit, const struct wire_link *wanted);
};

struct seat_unit_config {
	const char *name; /* copied */
	uint32_t number;
	struct spawn *spawn;
	const char *runtime; /* RUNTIME/seats/NAME.sock, NAME:2.sock */
	const char *program; /* irori-seat */
	const char *const *options; /* more of its arguments, copied; NULL: none */
	bool spare;          /* keep one */
	int64_t (*now)(void);
};

struct seat_unit *seat_unit_new(const struct seat_unit_config *config,
	const struct seat_unit_events *events, void *data);
/* The processes stay; one goes on with what it has. NULL is allowed. */
void seat_unit_free(struct seat_unit *unit);
/* Takes it over if it is there, else starts it. */
void seat_unit_start(struct seat_unit *unit);
/* No longer wanted (its monitor belongs to another seat now): ends them, not to come back. */
void seat_unit_end(struct seat_unit *unit);

/* See wire_send; -EAGAIN: it is not up. A queue that is full ends the process. */
int seat_unit_send(struct seat_unit *unit, uint16_t opcode, const void *body, size_t size, int fd);
void seat_unit_answer(struct seat_unit *unit, uint32_t cookie, int result, const char *text);
void seat_unit_notice(struct seat_unit *unit, enum wire_notice_kind kind, uint32_t seconds,
	const char *text);

bool seat_unit_is_up(const struct seat_unit *unit);
/* What it said last; zeroed while it is not up. */
const struct wire_state *seat_unit_state(const struct seat_unit *unit);
pid_t seat_unit_pid(const struct seat_unit *unit);
uint32_t seat_unit_starts(const struct seat_unit *unit); /* how often it came up */

#endif
