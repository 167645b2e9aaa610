/*
 * What NBD looks like on the wire: the handshake, requests, replies. All of it big endian.
 *
 * Source: NBD, doc/proto.md.
 */
#ifndef IRORI_VMM_DISK_NBD_WIRE_H
#define IRORI_VMM_DISK_NBD_WIRE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum nbd_wire {
	NBD_REQUEST_LEN = 28,
	NBD_REPLY_LEN = 16,
	NBD_NAME_MAX = 255,
	NBD_OPTION_MAX = 4096, /* bytes of one reply in the handshake; a longer one ends it */
	NBD_OPTIONS_MAX = 64,  /* and so many of them */
	NBD_HANDSHAKE_S = 10,
};

enum nbd_command {
	NBD_CMD_READ = 0,
	NBD_CMD_WRITE = 1,
	NBD_CMD_DISC = 2,
	NBD_CMD_FLUSH = 3,
	NBD_CMD_WRITE_ZEROES = 6,
	NBD_CMD_FLAG_FUA = 1 << 0,
	NBD_CMD_FLAG_NO_HOLE = 1 << 1,
};

enum nbd_export_flags {
	NBD_FLAG_READ_ONLY = 1 << 1,
	NBD_FLAG_SEND_FLUSH = 1 << 2,
	NBD_FLAG_SEND_FUA = 1 << 3,
	NBD_FLAG_SEND_WRITE_ZEROES = 1 << 6,
};

struct nbd_export {
	uint64_t size;
	uint16_t flags;
	uint32_t block_min;
};

/* Blocking, for twice NBD_HANDSHAKE_S at most; the socket can be used either way after. False: error set. */
bool nbd_handshake(int fd, const char *name, struct nbd_export *export, GError **error);
/* Can it be a guest's disk? */
bool nbd_export_check(const struct nbd_export *export, bool read_only, GError **error);

void nbd_request(uint8_t to[NBD_REQUEST_LEN], uint16_t type, uint16_t flags, uint64_t cookie,
	uint64_t offset, uint32_t len);
/* False: it is not a simple reply. */
bool nbd_reply(const uint8_t from[NBD_REPLY_LEN], uint32_t *error, uint64_t *cookie);
/* The -errno of an error on the wire. */
int nbd_errno(uint32_t error);

#endif
