/*
 * The meter: a seat that looks at guests' scanouts at each vblank of a 60 Hz clock, reads the bar
 * codes from the pixels and writes down what it saw. It is those guests' clock: it tells them when
 * their frames were presented.
 *
 * A picture counts for a vblank only if its flush had been carried out before the vblank's nominal
 * time, however late the meter itself gets there: that is when a monitor would have latched it. A
 * vblank that the meter slept through has no observation; see display/metrics.h.
 *
 * Vblanks are at multiples of the period, so several meters beat together.
 *
 * Thread: one of its own for all guests, real-time where permitted (its work is small and bounded).
 * Functions here are for the owner's thread.
 */
#ifndef IRORI_DISPLAY_METER_H
#define IRORI_DISPLAY_METER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/metrics.h"

enum { METER_MAX_GUESTS = 8 };

struct meter;

/* How the host treated the meter itself; sums since meter_start. */
struct meter_host {
	const char *scheduling;  /* what was permitted: "SCHED_FIFO", "nice", "none" */
	int64_t run_delay_ns;    /* runnable but not running, /proc/PID/task/TID/schedstat */
	int64_t steal_ns;        /* all processors together, /proc/stat */
};

struct meter *meter_new(int64_t period_ns);
/* Hangs up, ends the thread. NULL is allowed. */
void meter_free(struct meter *meter);

/* Before meter_start: sits down at the guest on this socket. Its index, or -1 and error set. */
int meter_add(struct meter *meter, const char *path, GError **error);
bool meter_start(struct meter *meter, GError **error);

/* Observations so far; the index at which a later interval begins. */
size_t meter_count(struct meter *meter, int guest);
/* A copy of those in [from, now). GArray of struct observation. */
GArray *meter_observations(struct meter *meter, int guest, size_t from);
/* False once the guest's process has hung up. */
bool meter_attached(struct meter *meter, int guest);
void meter_host(struct meter *meter, struct meter_host *host);

#endif
