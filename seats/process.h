/*
 * A process behind a socket: found if it is there, started if it is not, started again with back-off
 * when it goes. What guests and seats have in common.
 *
 *	         want                    connected
 *	  IDLE --------> (connects) ----------------------------> UP
 *	   ^  \              | nobody there                        |
 *	   |   \             v        connected                    | lost
 *	   |    +------ STARTING ------------------> UP            |
 *	   |                 | ended, or too slow: killed          |
 *	   |   not wanted    v                                     |
 *	   +------------- WAITING <--------------------------------+
 *	                     | back-off over: as want
 *
 * One that was started by an irorid before is known by its socket and by the credentials at its other end.
 * Nobody is there only where there is no socket or nobody who listens. All else, be it that it has no room for
 * another connection or that we have no descriptor to ask with, is busy: it is asked again (WAITING), wanted or
 * not, and nothing is started in its place.
 *
 * Thread: main.
 */
#ifndef IRORI_SEATS_PROCESS_H
#define IRORI_SEATS_PROCESS_H

#include <sys/types.h>

#include "seats/backoff.h"
#include "seats/spawn.h"

enum process_state {
	PROCESS_IDLE,
	PROCESS_STARTING,
	PROCESS_UP,
	PROCESS_WAITING,
};

struct process_config {
	struct spawn *spawn;
	struct spawn_spec spec;  /* its strings outlive the process */
	const char *socket;      /* so does this */
	const char *needs;       /* a file that must be there before it is started; NULL: none */
	const char *needs_why;   /* what people are told until then */
	struct backoff backoff;  /* as backoff_init made it */
	uint32_t start_ms;       /* so long it may take until it listens */
	uint32_t end_ms;         /* so long from its hang-up to its end; then it is killed */
	int64_t (*now)(void);    /* CLOCK_MONOTONIC, ns */
};

struct process_events {
	/* A connected socket, the receiver's. */
	void (*connected)(void *data, int socket);
	/* STARTING and WAITING come and go, or it did not come up: for people, `why` (may be NULL). */
	void (*changed)(void *data, const char *why);
	/* The process ended without having come up: exit status or -1. False: it is not to be started
	 * again. */
	bool (*ended)(void *data, int status);
};

struct process;

struct process *process_new(const struct process_config *config, const struct process_events *events,
	void *data);
/* The process stays. NULL is allowed. */
void process_free(struct process *process);

/* From the next start on. */
void process_renew(struct process *process, const struct spawn_spec *spec);

/* Connects if it is there. True: it is, be it that it is busy and connected later. Starts nothing. */
bool process_find(struct process *process);
/* From now on it is to be there. A person asked: without waiting. */
void process_want(struct process *process, bool now);
/* No longer; what runs stays until it ends, and what is busy is connected all the same. */
void process_unwant(struct process *process);
/* The connection is over (the socket is the owner's to close): tries again if it is wanted. It may take its
 * time to end, and is killed after that. */
void process_lost(struct process *process);
/* The same, where it hangs: it is killed first, whoever started it. One that is busy is asked no more. */
void process_hangs(struct process *process, const char *why);

enum process_state process_state(const struct process *process);
/* 0: not known, or not connected. */
pid_t process_pid(const struct process *process);
bool process_wanted(const struct process *process);
/* It is there, not connected, and asked again and again. */
bool process_is_busy(const struct process *process);

/* Whoever listens there is nobody's any more: killed, and the socket removed. False: it is busy, and to be tried
 * again. */
bool process_evict(const char *socket);

#endif
