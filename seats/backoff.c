/*
 * See backoff.h.
 */
#include "seats/backoff.h"

void backoff_init(struct backoff *backoff, uint32_t min_ms, uint32_t max_ms, uint32_t stay_ms)
{
	min_ms = min_ms ? min_ms : 1;
	*backoff = (struct backoff){
		.min_ms = min_ms,
		.max_ms = max_ms > min_ms ? max_ms : min_ms,
		.stay_ms = stay_ms,
		.next_ms = min_ms,
		.up_ns = -1,
	};
}

void backoff_up(struct backoff *backoff, int64_t now_ns)
{
	if (backoff->up_ns < 0)
		backoff->up_ns = now_ns;
}

uint32_t backoff_down(struct backoff *backoff, int64_t now_ns)
{
	uint32_t wait;

	if (backoff->up_ns >= 0 && now_ns - backoff->up_ns >= backoff->stay_ms * INT64_C(1000000))
		backoff->next_ms = backoff->min_ms;
	backoff->up_ns = -1;
	wait = backoff->next_ms;
	backoff->next_ms = wait > backoff->max_ms / 2 ? backoff->max_ms : wait * 2;
	return wait;
}

void backoff_reset(struct backoff *backoff)
{
	backoff->next_ms = backoff->min_ms;
}
