/*
 * The seam between spawn.c and the two ways.
 *
 * Thread: main.
 */
#ifndef IRORI_SEATS_SPAWN_INTERNAL_H
#define IRORI_SEATS_SPAWN_INTERNAL_H

#include "seats/spawn.h"

struct spawn_ops {
	const char *way;
	/* Fills child's own part; false and error set. */
	bool (*start)(struct spawn_child *child, const struct spawn_spec *spec, GError **error);
	void (*kill)(struct spawn_child *child, int signal);
	void (*forget)(struct spawn_child *child);
	void (*free)(struct spawn *spawn);
};

struct spawn {
	const struct spawn_ops *ops;
	char *runtime;
	void *own; /* the way's */
};

struct spawn_child {
	struct spawn *spawn;
	spawn_ended_fn *ended;
	void *data;
	char *name;    /* "guest-mika" */
	GPid pid;      /* fork's */
	guint watch;   /* fork's */
	void *own;     /* systemd's */
};

bool spawn_fork_init(struct spawn *spawn, GError **error);
bool spawn_systemd_init(struct spawn *spawn, GError **error);
/* For the ways: tells the owner and frees the child. */
void spawn_child_ended(struct spawn_child *child, int status);

#endif
