/*
 * Modern virtio over PCI, the driver's side: split rings, event indices, one interrupt for all.
 *
 * The owner of a queue fills descriptors itself (they are mostly constant) and puts chains by their
 * first one. Interrupts are off unless virtq_arm() asked for one: whoever sleeps arms, looks once
 * more, sleeps. Source: virtio 1.2, 2.7 and 4.1.
 */
#ifndef DEMO_KERNEL_VIRTIO_H
#define DEMO_KERNEL_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VIRTQ_MAX = 64 }; /* so that a queue fits in a page */

enum virtio_id {
	VIRTIO_BLOCK = 2, VIRTIO_CONSOLE = 3, VIRTIO_ENTROPY = 4, VIRTIO_GPU = 16, VIRTIO_INPUT = 18,
	VIRTIO_SOUND = 25,
};

enum { DESC_NEXT = 1, DESC_WRITE = 2 };

struct virtq_desc {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

struct virtq {
	struct virtq_desc *desc;
	struct { uint16_t flags, index, ring[]; } *avail;                 /* then used_event */
	struct { uint16_t flags, index; struct { uint32_t id, length; } ring[]; } *used; /* then avail_event */
	volatile uint8_t *notify;
	uint16_t number, size, put, kicked, got;
	bool event_index;
};

struct virtio {
	volatile uint8_t *common, *config, *notify;
	uint32_t notify_step;
	bool event_index;
};

/* Resets the nth device of a kind and settles on version 1 without other features. 0 or -errno. */
int virtio_open(struct virtio *device, enum virtio_id id, unsigned nth);
/* Queue `number` with at most `size` entries (a power of two). */
int virtio_queue(struct virtio *device, struct virtq *queue, uint16_t number, uint16_t size);
/* All queues are set: go. */
void virtio_start(struct virtio *device);

/* Descriptor i: `at` is kernel memory. */
void virtq_describe(struct virtq *queue, uint16_t i, const void *at, uint32_t length, uint16_t flags,
	uint16_t next);
void virtq_put(struct virtq *queue, uint16_t head); /* the device sees it */
void virtq_kick(struct virtq *queue);               /* and looks */
/* A chain that came back: its head; -1 for none. *length (may be NULL): bytes the device wrote. */
int virtq_get(struct virtq *queue, uint32_t *length);
static inline bool virtq_pending(const struct virtq *queue)
{
	return *(const volatile uint16_t *)&queue->used->index != queue->got;
}
/* Interrupt when n chains have come back since the last virtq_get. Follow with fence(). */
void virtq_arm(struct virtq *queue, uint16_t n);
/* Puts, kicks and waits until it comes back; only for queues with nothing else under way. */
void virtq_do(struct virtq *queue, uint16_t head);

#endif
