/*
 * Starting guests and seats as processes that outlive irorid. Two ways behind one seam:
 *
 * - systemd: a transient service each, irori-guest-NAME.service or irori-seat-NAME.service, in the
 *   slice of its seat (irori-SEAT.slice) if it has one, with weight, quota, and what it need not do
 *   taken from it;
 * - fork: a child in a session of its own, its output in RUNTIME/log/. For tests and for machines
 *   without systemd.
 *
 * Either way the process stays when irorid dies, and the next irorid finds it by its socket. Both get
 * the processors that irorid itself is confined to.
 *
 * Thread: main.
 */
#ifndef IRORI_SEATS_SPAWN_H
#define IRORI_SEATS_SPAWN_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum spawn_how {
	SPAWN_AUTO, /* systemd where it runs, else fork */
	SPAWN_FORK,
	SPAWN_SYSTEMD,
};

enum spawn_kind {
	SPAWN_GUEST, /* /dev/kvm, disks, network, no devices of seats */
	SPAWN_SEAT,  /* gets its devices as descriptors */
};

struct spawn_spec {
	enum spawn_kind kind;
	const char *name;
	const char *seat;        /* whose slice; NULL: none */
	const char *const *argv; /* argv[0] is a path */
	uint32_t cpu_weight;     /* 1..10000; 0: as usual */
	uint32_t cpu_quota;      /* per cent of a processor; 0: no limit */
	uint64_t memory_max;     /* bytes; 0: no limit */
};

struct spawn;
struct spawn_child;

/* It ended by itself or was killed: exit status, or -1 where that is not known or it was a signal.
 * The child is freed after return. */
typedef void spawn_ended_fn(void *data, int status);

struct spawn *spawn_new(enum spawn_how how, const char *runtime, GError **error);
/* Children stay. */
void spawn_free(struct spawn *spawn);
const char *spawn_way(const struct spawn *spawn); /* "systemd" or "fork" */

/* Returns before the process has done anything. NULL and error set if it is known not to start. What
 * is found later ends it: `ended`. */
struct spawn_child *spawn_start(struct spawn *spawn, const struct spawn_spec *spec,
	spawn_ended_fn *ended, void *data, GError **error);
void spawn_kill(struct spawn_child *child, int signal);
/* Hears no more of it; the process stays. NULL is allowed. */
void spawn_forget(struct spawn_child *child);

#endif
