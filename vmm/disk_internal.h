/*
 * What a layer of storage is, for disk*.c alone.
 *
 * Layers stand on each other: an overlay has a scratch file and a base below it. A layer embeds
 * struct disk first. All of a disk's layers share one guard, which keeps the requests that a full
 * host refused.
 */
#ifndef IRORI_VMM_DISK_INTERNAL_H
#define IRORI_VMM_DISK_INTERNAL_H

#include "vmm/disk.h"

struct disk_layer_ops {
	void (*queue)(struct disk *disk, struct disk_io *io);
	void (*submit)(struct disk *disk);
	/* Gives what has ended to disk_ended; with `wait`, until nothing is under way in it. */
	void (*reap)(struct disk *disk, bool wait);
	bool (*busy)(struct disk *disk); /* something is under way in it */
	void (*watch)(struct disk *disk, GMainContext *context);
	void (*reset)(struct disk *disk);                      /* may be NULL */
	void (*state)(struct disk *disk, struct state *state); /* may be NULL */
	void (*close)(struct disk *disk);
};

/* What a guest may have to wait for, each for itself. */
enum disk_wait {
	DISK_WAIT_ROOM,
	DISK_WAIT_SERVER,
	DISK_WAITS
};

struct disk_guard {
	struct machine *machine;
	char *name; /* "disk system" */
	bool pause_on_error;
	bool cancelling;
	const char *waits[DISK_WAITS]; /* why, as the machine was told; NULL: it need not */
	struct disk_io *kept; /* refused by the host, to be tried again */
	unsigned n_kept, errors;
	GMainContext *context;
	void (*ready)(void *data);
	void *data;
	GSource *retry; /* runs while something is kept */
	int due;        /* atomic: it is time to try again */
};

struct disk {
	const struct disk_layer_ops *ops;
	struct disk_guard *guard;
	uint64_t size;
	bool read_only;
	bool top; /* has the guard */
};

/* A layer is through with a request: tells the one above, or keeps it if the host is full. */
void disk_ended(struct disk *layer, struct disk_io *io, int result);
/* On the watched context: calls ready. */
void disk_ready(struct disk *layer);
/* The guard: the guest has to wait for something, and no more. */
void disk_wait(struct disk_guard *guard, enum disk_wait what, const char *why);
void disk_wait_over(struct disk_guard *guard, enum disk_wait what);

/* Takes `moved` bytes off the front of a request. */
void disk_advance(struct disk_io *io, uint64_t moved);

/* Sets "NAME: WHAT: strerror" and gives NULL. */
struct disk *disk_fail(GError **error, const char *name, const char *what, int code);

/* An open, locked file, which it takes over. */
struct disk *disk_file_new(int fd, const char *path, bool read_only, bool uring, GError **error);
/* Opens and, with disk_file_open, locks: the descriptor, or -1 and error set. */
int disk_file_look(const char *path, bool read_only, GError **error);
int disk_file_open(const char *path, bool read_only, GError **error);


/* Reads come from `base`, which it takes over, until they were written; that goes to a file without
 * a name in `folder`, up to `max` bytes. */
struct disk *disk_overlay_new(struct disk *base, const char *folder, uint64_t max, bool uring,
	GError **error);

#endif
