/*
 * One irori-seat process, and irorid's end of the control protocol (seats/wire.h) up to its WELCOME.
 * Which of a seat's processes has the seat is seat_unit's to say.
 *
 * A process that does not read, does not answer or says what it should not is killed.
 *
 * Thread: main.
 */
#ifndef IRORI_SEATS_SEAT_PROCESS_H
#define IRORI_SEATS_SEAT_PROCESS_H

#include "seats/process.h"
#include "seats/wire_codec.h"

struct seat_process;

/* From the loop, never from within a call. */
struct seat_process_events {
	/* It said WELCOME. `seated`: an irorid before us gave it the seat. */
	void (*greeted)(void *data, struct seat_process *process, bool seated);
	/* After WELCOME. Not 0: it should not have said that. */
	int (*message)(void *data, struct seat_process *process, uint16_t opcode,
		const union wire_body *body);
	/* It is not connected any more, whether it was greeted or not; or it was busy, and is gone. */
	void (*lost)(void *data, struct seat_process *process);
};

struct seat_process_config {
	const char *seat;   /* copied, as all strings here */
	const char *name;   /* its own: its socket's, its unit's */
	uint32_t number;
	struct spawn *spawn;
	const char *runtime;
	const char *program;
	const char *const *options; /* NULL: none */
	int64_t (*now)(void);
};

struct seat_process *seat_process_new(const struct seat_process_config *config,
	const struct seat_process_events *events, void *data);
/* The process stays. NULL is allowed. */
void seat_process_free(struct seat_process *process);

/* Connects if it is there. True: it is, and greets or is lost, be it later. Starts nothing. */
bool seat_process_find(struct seat_process *process);
/* From now on it is to be there. */
void seat_process_want(struct seat_process *process);
/* Ends it, not to come back until it is wanted again. No event comes of it. */
void seat_process_end(struct seat_process *process);
/* Where the sender is within an event, `lost` comes of a failure later. See wire_send; -EAGAIN: it
 * is not greeted. */
int seat_process_send(struct seat_process *process, uint16_t opcode, const void *body, size_t size,
	int fd);

/* It is there and has not greeted yet: it may have the seat. */
bool seat_process_silent(const struct seat_process *process);
bool seat_process_greeted(const struct seat_process *process);
pid_t seat_process_pid(const struct seat_process *process); /* 0: it is not connected */

#endif
