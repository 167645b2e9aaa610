/*
 * Saving a guest and bringing it back: one function a device, for both directions.
 *
 *	static void rng_state(struct device *device, struct state *state)
 *	{
 *		struct rng *rng = (struct rng *)device;
 *
 *		STATE(state, rng->seed);
 *		if (state_loading(state) && rng->seed > SEED_MAX)
 *			state_fail(state, "seed %u", rng->seed);
 *	}
 *
 * Saving, each call appends a record of name, length and bytes; loading, it takes the next record,
 * which must have that name and that length, and copies it. So there is no second list that could
 * drift from the first. A stream that is not as expected fails once, with the section and the record
 * named, and every call after that does nothing and leaves its data alone.
 *
 * What is loaded is a file's and hostile: a device checks what it indexes, allocates or loops by
 * before it uses it, and says state_fail(). A guest that fails to load is never run.
 *
 * Thread: the main thread; processors are stopped, and the device's own queues are idle.
 */
#ifndef IRORI_VMM_STATE_H
#define IRORI_VMM_STATE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct state;

enum state_limit {
	STATE_MAX = 1 << 30, /* bytes of a stream; saving more fails */
};

struct state *state_new_saving(void);
/* Takes over `bytes`. */
struct state *state_new_loading(GBytes *bytes);
void state_free(struct state *state);
/* What was saved; the caller's. The state can only be freed after it. */
GBytes *state_take(struct state *state);

bool state_loading(const struct state *state);
bool state_failed(const struct state *state);
/* The first failure, or NULL when there is none. Takes it out. */
GError *state_error(struct state *state);

/* What follows is the state of this part of the machine: "Disk system". */
void state_section(struct state *state, const char *name);
/* True when loading and nothing is left. */
bool state_at_end(const struct state *state);

void state_bytes(struct state *state, const char *name, void *data, size_t len);
#define STATE(state, lvalue) state_bytes((state), #lvalue, &(lvalue), sizeof(lvalue))

/* Bytes whose number is not known beforehand, at most `max`: saving, *data and *len are written;
 * loading, *data is g_malloc'ed (the old one is freed) and *len set. */
void state_blob(struct state *state, const char *name, uint8_t **data, size_t *len, size_t max);

void state_fail(struct state *state, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
