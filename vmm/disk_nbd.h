/*
 * NBD's client over a stream socket: fixed newstyle handshake, simple replies, any number of requests
 * under way. The peer is not trusted with more than the disk: every reply is checked, and one that is
 * wrong ends the connection.
 *
 * A connection that is lost is opened again; requests wait meanwhile and the guest is paused. Writes
 * that had been answered and not flushed may be gone then: the flushes under way say so, or the next
 * (ESTALE).
 *
 * Source: NBD, doc/proto.md.
 *
 * Thread: as disk.h; the opener is called on the main thread.
 */
#ifndef IRORI_VMM_DISK_NBD_H
#define IRORI_VMM_DISK_NBD_H

#include "vmm/disk_internal.h"

struct nbd_opener {
	/* A connected stream socket, or -1 and error set. Called again when that was lost. */
	int (*open)(void *data, GError **error);
	void (*free)(void *data);
	void *data;
	char *export; /* the nbd takes it over, as `data` */
};

/* NULL and error set; `name` is the disk's in messages. */
struct disk *disk_nbd_new(struct machine *machine, const struct nbd_opener *opener, const char *name,
	bool read_only, GError **error);

/* nbd+unix:///EXPORT?socket=PATH */
struct disk *disk_nbd_open_url(struct machine *machine, const char *url, bool read_only,
	GError **error);

#endif
