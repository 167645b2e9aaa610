/*
 * The one virtqueue: split rings of virtio 1.2, section 2.7.
 *
 * Everything in a ring is the guest's and hostile. A chain is copied once, descriptor by
 * descriptor, into the caller's vq_chain before any of it is looked at; its length is capped by the
 * array that holds it and by the ring (so loops end), indirect tables are checked, every buffer has
 * passed the memory gate. A malformed ring is reported once as -EPROTO: the caller answers with
 * virtio_needs_reset() and the queue gives nothing more until it is reset.
 *
 * Thread: one thread at a time for each queue (the device's lock).
 */
#ifndef IRORI_VMM_VIRTQUEUE_H
#define IRORI_VMM_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vmm/memory.h"

enum virtqueue_limits {
	VIRTQUEUE_MAX_SIZE = 256,
	VIRTQUEUE_MAX_SEGMENTS = 256, /* buffers in one chain */
};

struct virtqueue {
	const struct guest_memory *memory;
	uint16_t size; /* power of two, <= max_size */
	uint16_t max_size;
	uint64_t desc, avail, used; /* guest physical */
	bool ready, broken;
	bool event_idx, indirect; /* features the driver accepted */
	uint16_t last_avail, next_used;
	uint16_t signalled_used; /* next_used when the driver was last asked */
	bool kicks_off;
};

/* Buffers the driver filled come first (out), then those the device fills (in). */
struct vq_chain {
	uint16_t head;
	unsigned n_out, n_in;
	struct iovec segment[VIRTQUEUE_MAX_SEGMENTS];
	size_t out_len, in_len; /* bytes; sums cannot overflow: each is at most 2^32 * 256 */
};

/* A chain to give back, as virtqueue_push has it. */
struct virtqueue_used {
	uint32_t head, written;
};

void virtqueue_init(struct virtqueue *queue, const struct guest_memory *memory, uint16_t max_size);
void virtqueue_reset(struct virtqueue *queue);
/* The driver set ready: 0, or -EINVAL when size, alignment or addresses are not allowed. */
int virtqueue_enable(struct virtqueue *queue);

/* 1: a chain; 0: empty (the driver has been asked to kick again); -EPROTO: malformed. */
int virtqueue_pop(struct virtqueue *queue, struct vq_chain *chain);
/* Gives a chain back with `written` bytes in its in-buffers. */
void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t written);
/* The same for n chains that the driver must see at once (a frame in several buffers). */
void virtqueue_push_all(struct virtqueue *queue, const struct virtqueue_used *used, unsigned n);
/* Forgets the last n pops, none of which has been pushed: they come again. */
void virtqueue_unpop(struct virtqueue *queue, unsigned n);
/* Another has served the queue (vhost) and popped all before `last_avail`: goes on from there, and
 * from where the used ring says. */
void virtqueue_resume_at(struct virtqueue *queue, uint16_t last_avail);
/* After a batch of pushes: does the driver want an interrupt? */
bool virtqueue_wants_interrupt(struct virtqueue *queue);
/* While polling: switch kicks off, on. */
void virtqueue_set_kicks(struct virtqueue *queue, bool on);

/* Copy from out-buffers starting at `offset`, into in-buffers; bytes copied, less at the end. */
size_t chain_read(const struct vq_chain *chain, size_t offset, void *to, size_t len);
size_t chain_write(const struct vq_chain *chain, size_t offset, const void *from, size_t len);

#endif
