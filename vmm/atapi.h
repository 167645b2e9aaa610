/*
 * A CD or DVD drive as its commands see it: packets in, answers out, no controller and no file. The
 * drive says what to read; who has asked reads it.
 *
 * Thread: its owner's. Source: MMC-3 (drive commands), SPC-2 (INQUIRY, REQUEST SENSE).
 */
#ifndef IRORI_VMM_ATAPI_H
#define IRORI_VMM_ATAPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum atapi_limits {
	ATAPI_BLOCK = 2048,
	ATAPI_PACKET = 12,
	ATAPI_REPLY_MAX = 2052, /* a DVD's structure */
};

enum atapi_kind {
	ATAPI_DONE,  /* without data */
	ATAPI_REPLY, /* data of `len` bytes */
	ATAPI_READ,  /* `blocks` from `block` on; they are on the disc */
	ATAPI_FAILED, /* the sense tells why */
};

struct atapi_answer {
	enum atapi_kind kind;
	uint32_t block, blocks;
	size_t len;
	uint8_t data[ATAPI_REPLY_MAX];
};

enum atapi_key {
	ATAPI_NO_SENSE,
	ATAPI_NOT_READY = 2,
	ATAPI_MEDIUM_ERROR = 3,
	ATAPI_ILLEGAL = 5,
	ATAPI_ATTENTION = 6,
};

struct atapi {
	uint32_t blocks;  /* of the disc */
	uint8_t disc;     /* one is in the drive: 0 or 1 */
	uint8_t open;     /* the tray */
	uint8_t locked;   /* by the guest */
	uint8_t attention; /* additional sense of what the guest is to be told first; 0: nothing */
	uint8_t event;    /* the media event that it has not asked for yet */
	uint8_t key, asc, ascq;
};

/* A reset: the guest is told of it with its next command. The disc stays, the tray closes. */
void atapi_reset(struct atapi *atapi);
/* Another disc, or (0 blocks) none. The guest is told. */
void atapi_change(struct atapi *atapi, uint32_t blocks);
/* Carries a packet out. `packet` is a copy. */
void atapi_command(struct atapi *atapi, const uint8_t packet[ATAPI_PACKET],
	struct atapi_answer *answer);
/* A read that was answered with ATAPI_READ has failed. */
void atapi_read_failed(struct atapi *atapi);

#endif
