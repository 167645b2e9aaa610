/*
 * How long to wait before something that ended is started again: from min, doubling, to max; from min
 * again once it stayed up for a while. Pure: the clock is passed in.
 *
 * Thread: any.
 */
#ifndef IRORI_SEATS_BACKOFF_H
#define IRORI_SEATS_BACKOFF_H

#include <stdint.h>

struct backoff {
	uint32_t min_ms, max_ms, stay_ms; /* stay_ms: up for so long is no failure */
	uint32_t next_ms;
	int64_t up_ns; /* since when it is up; -1: it is not */
};

/* min_ms 0 is 1; max_ms is at least min_ms. */
void backoff_init(struct backoff *backoff, uint32_t min_ms, uint32_t max_ms, uint32_t stay_ms);
/* It does what it is there for. */
void backoff_up(struct backoff *backoff, int64_t now_ns);
/* It ended, or did not come: how many ms to wait. */
uint32_t backoff_down(struct backoff *backoff, int64_t now_ns);
/* A person asked: the next wait is the shortest again. */
void backoff_reset(struct backoff *backoff);

#endif
