/*
 * What we look at in a qcow2 image ourselves: enough to know that it is one, that it is whole, and
 * which files stand behind it. Reading and writing it is qemu-storage-daemon's (disk_daemon.h).
 *
 * Source: QEMU, docs/interop/qcow2.txt.
 */
#ifndef IRORI_VMM_DISK_QCOW2_H
#define IRORI_VMM_DISK_QCOW2_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum qcow2_limits {
	QCOW2_HEAD = 65536, /* bytes from the image's beginning that are looked at */
	QCOW2_NAME_MAX = 1023,
	QCOW2_CHAIN_MAX = 16, /* images that stand behind one another */
};

struct qcow2_head {
	uint64_t size;
	char backing[QCOW2_NAME_MAX + 1]; /* "": none */
	char backing_format[16];          /* "": not said */
};

bool qcow2_magic(const uint8_t *head, size_t len);
/* From the first `len` bytes (at most QCOW2_HEAD) of a file of file_len bytes. False and error set,
 * one line without the file's name. */
bool qcow2_parse(const uint8_t *head, size_t len, uint64_t file_len, struct qcow2_head *parsed,
	GError **error);

#endif
