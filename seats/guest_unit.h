/*
 * One configured guest: its irori-vmm, irorid's end of its seat link, its state.
 *
 * State as seats are told it (enum wire_guest_state):
 *
 *	           start              connected           link says
 *	  OFF -----------> STARTING ------------> RUNNING <--------> RESETTING, PAUSED, CRASHED
 *	   ^                  ^ |                    |
 *	   | powered off      | | back-off           | process gone, and it is to restart
 *	   +------------------+-+--------------------+
 *
 * FROZEN is PAUSED by its person's time, whatever the link says. Nothing of a guest depends on irorid
 * staying alive: a new one finds it by its socket, and a mark beside it (SOCKET.frozen) says that it was
 * frozen and not paused by a person.
 *
 * Thread: main.
 */
#ifndef IRORI_SEATS_GUEST_UNIT_H
#define IRORI_SEATS_GUEST_UNIT_H

#include "display/link.h"
#include "gpu-share/policy.h"
#include "seats/household.h"
#include "seats/spawn.h"
#include "seats/wire.h"

struct guest_unit;

struct guest_unit_events {
	/* guest_unit_state() or what else D-Bus shows of it. */
	void (*changed)(void *data, struct guest_unit *unit);
	/* For the sharing policy: it came (SHARE of its configuration), went, resets, shows a frame. */
	void (*share)(void *data, struct guest_unit *unit, enum policy_event_type event);
};

struct guest_unit_config {
	const struct guest_entry *entry;      /* outlives the unit, or until guest_unit_renew */
	const struct irori_config *irori;     /* the same */
	uint32_t id;                          /* not 0 */
	struct spawn *spawn;
	const char *runtime;                  /* RUNTIME/guests/NAME.sock is its link */
	const char *monitor;                  /* irori-vmm */
	const char *kvm;                      /* /dev/kvm, which comes late when a PC starts; NULL: not waited for */
	int64_t (*now)(void);
};

struct guest_unit *guest_unit_new(const struct guest_unit_config *config,
	const struct guest_unit_events *events, void *data);
/* The guest stays as it is, and no event comes of it. NULL is allowed. */
void guest_unit_free(struct guest_unit *unit);
/* Its configuration was read anew: counts from the next start. */
void guest_unit_renew(struct guest_unit *unit, const struct guest_entry *entry,
	const struct irori_config *irori);

/* Takes over a guest that runs. True: it was there. */
bool guest_unit_find(struct guest_unit *unit);
/* From now on it does not start, nor again when it dies; NULL: it may. What runs goes on. */
void guest_unit_bar(struct guest_unit *unit, const char *why);
const char *guest_unit_barred(const struct guest_unit *unit); /* NULL: it may start */
/* -EPERM: it is barred; *why (NULL is allowed) says so to people, until it changes. */
int guest_unit_start(struct guest_unit *unit, const char **why);
/* The power button, and the plug when it is still on after ShutdownSeconds= or nobody in it
 * listens; `force`: the plug. One that is starting is switched off when it is up. It stays off. */
void guest_unit_stop(struct guest_unit *unit, bool force);
/* The reset button; one that is off is started: as guest_unit_start. */
int guest_unit_restart(struct guest_unit *unit, const char **why);
/* Its person's time is over, or no longer: stands still as it is, and goes on. */
void guest_unit_freeze(struct guest_unit *unit, bool frozen);
/* A person's: stand still, go on. -EAGAIN: it does not run; -EPERM: it is frozen. */
int guest_unit_pause(struct guest_unit *unit, bool paused);
void guest_unit_set_class(struct guest_unit *unit, enum share_class share_class);

/* Whether it wants most of its processors; POLICY_BUSY or POLICY_QUIET goes out when that is news. For
 * one that boots, a few times a second. */
void guest_unit_look(struct guest_unit *unit);

uint32_t guest_unit_id(const struct guest_unit *unit);
const struct guest_entry *guest_unit_entry(const struct guest_unit *unit);
const char *guest_unit_socket(const struct guest_unit *unit);
enum wire_guest_state guest_unit_state(const struct guest_unit *unit);
const char *guest_state_name(enum wire_guest_state state); /* "running" */
/* What its configuration says ([Guest] Class=). */
enum share_class guest_unit_class(const struct guest_unit *unit);
enum share_class guest_unit_effective(const struct guest_unit *unit);
pid_t guest_unit_pid(const struct guest_unit *unit); /* 0: none, or not known */
uint32_t guest_unit_reboots(const struct guest_unit *unit);
uint32_t guest_unit_starts(const struct guest_unit *unit); /* processes that came up */
/* It is on in some way: not OFF. */
bool guest_unit_on(const struct guest_unit *unit);
/* Why it did not start the last time, for people; NULL: it did. */
const char *guest_unit_why(const struct guest_unit *unit);

#endif
