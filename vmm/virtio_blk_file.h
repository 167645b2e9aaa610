/*
 * The file behind a virtio-blk disk: requests go in, results come out later, on io_uring where the
 * host lets us have it, at once where it does not.
 *
 * Thread: one at a time (the device's lock); `done` is called from blk_file_reap or, without
 * io_uring, from within the submission.
 */
#ifndef IRORI_VMM_VIRTIO_BLK_FILE_H
#define IRORI_VMM_VIRTIO_BLK_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

enum blk_file_limits {
	BLK_FILE_DEPTH = 64, /* operations under way at once; the caller keeps to it */
};

enum blk_operation {
	BLK_READ,
	BLK_WRITE,
	BLK_WRITE_THROUGH, /* on the medium when it is done */
	BLK_FLUSH,
	BLK_PUNCH,         /* reads as zeros, and the space is given back */
	BLK_ZERO,          /* reads as zeros, and the space is kept */
};

/* One operation; the caller's until `done`, and iov with what it points to as well. */
struct blk_io {
	enum blk_operation operation;
	uint64_t offset, len;
	struct iovec *iov; /* READ, WRITE: changed as the operation goes on */
	unsigned n_iov;
	/* 0, or -errno. A short transfer has been continued; the file's end is -EIO. */
	void (*done)(struct blk_io *io, int result);
};

struct blk_file;

/* Locks the file against other guests: shared for read-only, else exclusive. `uring` false: do
 * without. NULL and error set if it cannot be. */
struct blk_file *blk_file_open(const char *path, bool read_only, bool uring, GError **error);
/* Nothing may be under way. */
void blk_file_close(struct blk_file *file);

uint64_t blk_file_size(const struct blk_file *file); /* bytes, as it was at open */
/* An eventfd that becomes readable when blk_file_reap has something to do; -1 without io_uring. */
int blk_file_fd(const struct blk_file *file);

void blk_file_queue(struct blk_file *file, struct blk_io *io);
/* Hands what was queued to the kernel. */
void blk_file_submit(struct blk_file *file);
/* Calls done for all that has ended; with `wait`, until nothing is under way. */
void blk_file_reap(struct blk_file *file, bool wait);

#endif
