/*
 * A virtio driver in as few lines as it can be, for guests that want to send what no driver sends:
 * one device, its queue 0 of VIRTIO_SIZE entries, rings at fixed places.
 */
#ifndef IRORI_TESTS_GUESTS_VIRTIO_H
#define IRORI_TESTS_GUESTS_VIRTIO_H

#include "guest.h"

enum virtio_guest {
	VIRTIO_BLK = 0x1042,
	VIRTIO_RNG = 0x1044,
	VIRTIO_GPU = 0x1050,
	VIRTIO_SIZE = 8,
	VIRTIO_NEEDS_RESET = 0x40,
	DESC_NEXT = 1,
	DESC_WRITE = 2,
	DESC_INDIRECT = 4,
};

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

struct avail {
	uint16_t flags, idx, ring[VIRTIO_SIZE], used_event;
};

struct used {
	uint16_t flags, idx;
	struct {
		uint32_t id, len;
	} ring[VIRTIO_SIZE];
	uint16_t avail_event;
};

struct virtio {
	uint32_t config; /* ECAM */
	uint32_t bar;
	uint16_t size; /* of the queue; VIRTIO_SIZE unless somebody sets another before the start */
	volatile struct desc *desc;
	volatile struct avail *avail;
	volatile struct used *used;
};

/* Finds it; the guest fails if it is not there. */
void virtio_find(struct virtio *dev, uint16_t id);
/* Resets it and brings it to DRIVER_OK with empty rings and these features besides VERSION_1. */
void virtio_start(struct virtio *dev, uint32_t features, uint16_t vector);
void virtio_rings_at(struct virtio *dev, uint64_t desc, uint64_t avail, uint64_t used);
void virtio_reset(struct virtio *dev);
void virtio_desc(struct virtio *dev, unsigned i, uint64_t addr, uint32_t len, uint16_t flags,
	uint16_t next);
/* Makes a chain available and kicks. */
void virtio_send(struct virtio *dev, uint16_t head);
uint8_t virtio_status(struct virtio *dev);
/* True when the device has used as many chains as `n` in all, in reasonable time. */
bool virtio_wait_used(struct virtio *dev, uint16_t n);
bool virtio_wait_needs_reset(struct virtio *dev);
/* Routes MSI-X vector 0 to this vector of processor 0 and switches MSI-X on. */
void virtio_msix(struct virtio *dev, uint8_t vector);

#endif
