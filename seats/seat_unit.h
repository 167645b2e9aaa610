/*
 * One seat: its irori-seat process and irorid's end of the control protocol (seats/wire.h).
 *
 * When the process is there and has said WELCOME, `up` tells it all there is, with seat_unit_send;
 * READY follows by itself. A seat that does not read, does not answer or says what it should not is
 * hung up on, and killed if it does not come back well; its process is started again at once. What is
 * sent while the seat is not up is lost: `up` says it all again.
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

struct seat_unit;

struct seat_unit_events {
	void (*up)(void *data, struct seat_unit *unit);
	void (*down)(void *data, struct seat_unit *unit);
	/* Answer it with seat_unit_answer. The PIN in it is forgotten after return. */
	void (*request)(void *data, struct seat_unit *unit, const struct wire_request *request);
	/* seat_unit_state() is news. */
	void (*state)(void *data, struct seat_unit *unit);
};

struct seat_unit_config {
	const char *name; /* copied */
	uint32_t number;
	struct spawn *spawn;
	const char *runtime; /* RUNTIME/seats/NAME.sock */
	const char *program; /* irori-seat */
	const char *const *options; /* more of its arguments, copied; NULL: none */
	int64_t (*now)(void);
};

struct seat_unit *seat_unit_new(const struct seat_unit_config *config,
	const struct seat_unit_events *events, void *data);
/* The process stays and goes on with what it has. NULL is allowed. */
void seat_unit_free(struct seat_unit *unit);
/* Takes it over if it is there, else starts it. */
void seat_unit_start(struct seat_unit *unit);
/* No longer wanted (its monitor belongs to another seat now): ends it, not to come back. */
void seat_unit_end(struct seat_unit *unit);

/* See wire_send; -EAGAIN: it is not up. A queue that is full ends the connection. */
int seat_unit_send(struct seat_unit *unit, uint16_t opcode, const void *body, size_t size, int fd);
void seat_unit_answer(struct seat_unit *unit, uint32_t cookie, int result, const char *text);
void seat_unit_notice(struct seat_unit *unit, enum wire_notice_kind kind, uint32_t seconds,
	const char *text);

const char *seat_unit_name(const struct seat_unit *unit);
uint32_t seat_unit_number(const struct seat_unit *unit);
bool seat_unit_is_up(const struct seat_unit *unit);
/* What it said last; zeroed while it is not up. */
const struct wire_state *seat_unit_state(const struct seat_unit *unit);
pid_t seat_unit_pid(const struct seat_unit *unit);
uint32_t seat_unit_starts(const struct seat_unit *unit); /* how often it came up */

#endif
