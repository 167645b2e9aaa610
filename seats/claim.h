/*
 * Keyboards that belong to no seat yet: F1 to F12 say whose they are ("press F2 on your keyboard"), Enter
 * that all is as it should be. No other key says anything.
 *
 * What a keyboard says is hostile: events are copied, counted and bounded; one that does not speak
 * struct input_event is gone.
 *
 * Thread: that of the main context that was the thread's default at claim_new; events come from there.
 */
#ifndef IRORI_SEATS_CLAIM_H
#define IRORI_SEATS_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

enum {
	CLAIM_MAX_DEVICES = 64,
	CLAIM_MAX_SEATS = 12, /* as there are F keys */
};

struct claim;

/* Any of these may call claim_add, claim_remove and claim_take, not claim_free. */
struct claim_events {
	void (*claimed)(void *data, uint32_t id, unsigned number); /* F<number> went down, 1..12 */
	void (*entered)(void *data, uint32_t id); /* Enter went down */
	void (*gone)(void *data, uint32_t id);    /* unplugged or broken; it is removed already */
};

struct claim *claim_new(const struct claim_events *events, void *data);
/* Closes what is left. NULL is allowed. */
void claim_free(struct claim *claim);

/* A keyboard by irorid's id and its open event device (O_NONBLOCK), which is the claim's from here on, in
 * any case: 0, or -EEXIST, -ENOSPC, and it is closed. */
int claim_add(struct claim *claim, uint32_t id, int fd);
/* Closes it. Unknown ids are ignored. */
void claim_remove(struct claim *claim, uint32_t id);
/* Removes it and gives the descriptor back; -1: unknown. */
int claim_take(struct claim *claim, uint32_t id);

#endif
