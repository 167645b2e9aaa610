/*
 * A thread that runs a GMainContext: the seat thread and the I/O thread.
 *
 * Thread: the main thread.
 */
#ifndef IRORI_VMM_WORKER_H
#define IRORI_VMM_WORKER_H

#include <glib.h>

#include "vmm/stats.h"

struct worker;

/* Has its context from the beginning; the thread starts with worker_start. */
struct worker *worker_new(const char *name, enum link_thread_role role, struct stats *stats);
GMainContext *worker_context(struct worker *worker);
void worker_start(struct worker *worker);
/* Stops the thread between two of its sources until worker_release; returns when it has stopped.
 * One that does not run is left alone. */
void worker_hold(struct worker *worker);
void worker_release(struct worker *worker);
/* Ends the thread after the sources it is running, and joins it. Again: nothing happens. */
void worker_stop(struct worker *worker);
void worker_free(struct worker *worker);

#endif
