/*
 * A helper: another program that does a part of this guest's work (passt, virtiofsd), as our child.
 * It dies with us, what it says on stderr is kept as the reason of its end, and the owner hears of
 * that end. Starting it again, and when, is the owner's.
 *
 * Thread: `ended` is called on the thread that runs `context`; start, stop from any, one at a time, but
 * stop without a lock that `ended` takes. After stop nothing is heard of it.
 */
#ifndef IRORI_VMM_HELPER_H
#define IRORI_VMM_HELPER_H

#include <glib.h>

enum helper_limits {
	HELPER_FD = 3,           /* where the child finds the descriptor that it is given */
	HELPER_LINES = 64,       /* of its stderr that are passed on as debug messages */
	HELPER_PATIENCE_MS = 500, /* between asking it to end and killing it */
};

struct helper;

struct helper_owner {
	GMainContext *context;
	/* It ended by itself; `why` is its last word or its status. helper_stop() may, and in the end
	 * must, be called; not from within. May be NULL. */
	void (*ended)(void *data, const char *why);
	void *data;
};

/* Runs argv (argv[0] is looked for in PATH) with `fd` as its descriptor 3 and nothing else of ours
 * but /dev/null and a pipe for stderr. fd stays the caller's. NULL and error set. */
struct helper *helper_start(const char *const *argv, int fd, const struct helper_owner *owner,
	GError **error);
/* The same, after `call` has run in the child, between fork and exec: it may make system calls and
 * nothing else (no malloc, no locks). It returns NULL, or what went wrong, which ends the child. */
struct helper_prepare {
	const char *(*call)(void *data);
	void *data;
};
struct helper *helper_start_in(const struct helper_prepare *prepare, const char *const *argv, int fd,
	const struct helper_owner *owner, GError **error);
/* The last line that it wrote to stderr, or NULL; valid until helper_stop. */
const char *helper_last_word(struct helper *helper);
/* Kills it and its children and waits until it is dead; `ended` comes as ever, in its thread. From
 * any thread, as long as no other stops the helper. */
void helper_kill(struct helper *helper);
/* Ends it if it has not ended, waits for it, frees. NULL is ignored. */
void helper_stop(struct helper *helper);

/* How long to wait before start number `n` (0: the first), in ms: 0, 500, 1000, ... 30000. */
unsigned helper_back_off(unsigned n);

#endif
