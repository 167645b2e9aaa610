/*
 * A TPM 2.0 in a process of its own: Debian's swtpm, which we start, feed commands and end.
 *
 * Its control channel is answered at once and asked with a limit of time; commands go by another
 * socket, whose end is the owner's to read and write without blocking.
 *
 * Thread: the main thread with the guest's processors stopped, unless said otherwise.
 *
 * Source: swtpm(8), swtpm_ioctls(3).
 */
#ifndef IRORI_VMM_SWTPM_H
#define IRORI_VMM_SWTPM_H

#include <glib.h>
#include <stdbool.h>

struct state;
struct swtpm;

enum swtpm_limits {
	SWTPM_BLOB_MAX = 1 << 20, /* of one kind of state, in a saved guest */
};

/* Starts it with its state in `folder` (made if it is not there); the TPM is as after power-on.
 * `ended` is called in `context` when it ends by itself. */
struct swtpm *swtpm_new(const char *folder, GMainContext *context,
	void (*ended)(void *data, const char *why), void *data, GError **error);
void swtpm_free(struct swtpm *swtpm);
/* Where commands go and answers come from; not blocking. Changes with swtpm_power_on. */
int swtpm_fd(const struct swtpm *swtpm);
/* As after power-on. One that is busy, or gone, is replaced by a new process. */
bool swtpm_power_on(struct swtpm *swtpm, bool busy, GError **error);
/* What it has in memory only, and what it keeps in its folder, to or from a saved guest. */
void swtpm_state(struct swtpm *swtpm, struct state *state);

#endif
