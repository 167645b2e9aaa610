/*
 * Images that are not raw: qemu-storage-daemon opens them, as a child that ends with us, and we are
 * the one client of its NBD server.
 *
 * Every file of the chain is named to it, with its format: it guesses nothing, so what a guest wrote
 * at the beginning of a raw disk cannot become an image with a backing file of the guest's choice.
 * We hold our own locks on all of them, exclusive on the first unless it is read-only.
 *
 * Thread: main.
 */
#ifndef IRORI_VMM_DISK_DAEMON_H
#define IRORI_VMM_DISK_DAEMON_H

#include "vmm/disk_internal.h"

/* NULL and error set, "disk PATH: ...". */
struct disk *disk_daemon_open(struct machine *machine, const char *path, bool read_only,
	GError **error);

/* The block node of a chain, as JSON, and the descriptors that hold its locks, appended to `locks`
 * (ints, the caller closes them in any case; NULL: nothing is locked). g_free. For disk_daemon_open and tests. */
char *disk_daemon_node(const char *path, bool read_only, GArray *locks, GError **error);

#endif
