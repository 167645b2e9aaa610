/*
 * What a guest's process counts and times about itself, for `irori stat` and the reports.
 *
 * Thread: any; see each. Times are CLOCK_MONOTONIC in ns.
 */
#ifndef IRORI_VMM_STATS_H
#define IRORI_VMM_STATS_H

#include <glib.h>
#include <stdint.h>
#include <sys/types.h>

#include "display/link.h"
#include "gpu-share/policy.h"

struct machine;

struct stats {
	GMutex lock; /* of all fields */
	int64_t started_ns, first_entry_ns, reset_ns;
	uint32_t reboots;
	enum share_class share_class;
	unsigned n_threads, n_vcpus;
	const char *waits_for;
	struct link_thread thread[LINK_MAX_THREADS];
};

struct stats *stats_new(int64_t started_ns);
void stats_free(struct stats *stats);

/* The calling thread enters itself, at its start. A NULL `stats` is ignored (unit tests). */
void stats_thread(struct stats *stats, enum link_thread_role role);
void stats_first_entry(struct stats *stats, int64_t now);
void stats_reset(struct stats *stats, int64_t now);
/* What the guest waits for, static text; NULL: nothing. Any thread. */
void stats_waits(struct stats *stats, const char *why);
/* Gives every thread that has entered itself, and every later one, this class. 0 or -errno. */
int stats_share(struct stats *stats, enum share_class share_class);

/* Fills what the machine knows of `stat` (not frames, which are the link's). */
void stats_fill(struct machine *machine, struct link_stat *stat);

#endif
