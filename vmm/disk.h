/*
 * The storage behind a guest's disk, whatever the guest sees it as: requests go in, results come out
 * later. What is behind it is one of several layers (disk_internal.h): a raw file or a block device,
 * an overlay that is thrown away, an NBD server.
 *
 * A host that is full is no error of the guest's disk: the request is kept, the guest is paused with
 * the reason, and both go on when there is room again. Nothing is lost.
 *
 * Thread: one at a time (the device's lock). `done` is called from disk_reap, disk_submit, or from
 * within disk_queue. Open and close on the main thread.
 */
#ifndef IRORI_VMM_DISK_H
#define IRORI_VMM_DISK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct device;
struct machine;
struct pci_device;
struct state;

enum disk_limits {
	DISK_DEPTH = 128, /* operations under way at once; the caller keeps to it */
	DISK_SECTOR = 512,
	DISK_SEGMENTS = 258, /* buffers of one operation */
	DISK_ID_LEN = 20, /* of a serial number */
	DISK_MODEL_LEN = 40,
};

enum disk_operation {
	DISK_READ,
	DISK_WRITE,
	DISK_WRITE_THROUGH, /* on the medium when it is done */
	DISK_FLUSH,         /* and with it every write that was done before */
	DISK_PUNCH,         /* reads as zeros, and the space is given back */
	DISK_ZERO,          /* reads as zeros; the space is kept where the host can */
};

struct disk;

/* One operation; the caller's until `done`, and iov with what it points to as well. Offset and len
 * are multiples of DISK_SECTOR within the disk; len is not 0 but for DISK_FLUSH. */
struct disk_io {
	enum disk_operation operation;
	uint64_t offset, len;
	struct iovec *iov; /* READ, WRITE: changed as the operation goes on */
	unsigned n_iov;
	/* 0, or -errno. A short transfer has been continued; the file's end is -EIO. */
	void (*done)(struct disk_io *io, int result);
	/* What follows is for the layers. */
	struct disk *layer;
	struct disk_io *next;
	uint64_t mark;
};

enum disk_bus {
	DISK_BUS_VIRTIO,
	DISK_BUS_NVME,
};

enum disk_format {
	DISK_FORMAT_AUTO, /* qcow2 if its magic says so, else raw */
	DISK_FORMAT_RAW,
	DISK_FORMAT_QCOW2,
};

enum disk_engine {
	DISK_ENGINE_AUTO, /* io_uring if the host lets us */
	DISK_ENGINE_SYNC,
};

/* [Disk NAME] of the configuration. */
struct disk_config {
	char *path, *url;
	unsigned format, bus, engine;
	unsigned pause_on_error; /* a choice as well: the property table writes an unsigned */
	bool read_only, ephemeral;
	char *scratch;          /* folder of the overlay; NULL: /var/tmp */
	uint64_t ephemeral_max; /* bytes */
	char *serial, *model;
	uint32_t boot_index;    /* 0: not from this one */
};

/* Opens and locks what the configuration names: shared for read-only and below overlays, else
 * exclusive. `name` is the disk's in messages. NULL and error set: one line with file and reason. */
struct disk *disk_open(struct machine *machine, const char *name, const struct disk_config *config,
	GError **error);
/* What disk_open would find wrong with it, without locking, starting or changing anything; its size
 * in bytes, or 0 where only opening would tell. `error` may not be NULL. */
bool disk_check(const char *name, const struct disk_config *config, uint64_t *size,
	GError **error);
/* Nothing may be under way. */
void disk_close(struct disk *disk);

uint64_t disk_size(const struct disk *disk); /* bytes, as it was at open */

/* `ready` is called on `context`, whenever disk_reap has something to do. Once. */
void disk_watch(struct disk *disk, GMainContext *context, void (*ready)(void *data), void *data);

void disk_queue(struct disk *disk, struct disk_io *io);
/* Hands what was queued to the host, and calls `done` for what has ended by then. */
void disk_submit(struct disk *disk);
/* Calls `done` for all that has ended; with `wait`, until nothing is under way but what is kept
 * until the host has room. */
void disk_reap(struct disk *disk, bool wait);
/* Requests that are kept until the host has room. */
unsigned disk_kept(const struct disk *disk);
/* The guest has forgotten its requests: waits for what is under way; what is kept ends with an
 * error. */
void disk_cancel(struct disk *disk);
/* Machine reset, after disk_cancel: an overlay is thrown away. */
void disk_reset(struct disk *disk);
/* What a saved guest must find again: the size, the changes in an overlay. */
void disk_state(struct disk *disk, struct state *state);

/* Fixed text of at most `len` bytes, as drives have it: zeros after it, none needed at its end. */
void disk_text(char *to, const char *from, size_t len);

/* The two devices that show a disk to a guest; see [Disk NAME] in disk_device.c. */
struct device *virtio_blk_new(struct machine *machine, const char *instance,
	const struct disk_config *config, GError **error);
struct device *nvme_new(struct machine *machine, const char *instance,
	const struct disk_config *config, GError **error);

#endif
