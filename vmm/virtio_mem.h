/*
 * Memory that is plugged in while the guest runs, as the rest of the monitor sees it: how much there
 * may be, shall be and is. virtio_mem.c is the device; where it lies is memory.h's room.
 *
 * Thread: any.
 */
#ifndef IRORI_VMM_VIRTIO_MEM_H
#define IRORI_VMM_VIRTIO_MEM_H

#include <stdbool.h>
#include <stdint.h>

struct guest_config;
struct virtio_mem;

/* Bytes. */
struct virtio_mem_figures {
	uint64_t requested, plugged;
	bool driver; /* there is one, and it is ready */
};

/* How large the room of such a guest is: MaxMemory= less Memory=, in whole 128 MiB, since Linux adds
 * no less. 0: there is none, and no device. */
uint64_t virtio_mem_room(const struct guest_config *config);

/* Asks the guest to have `bytes` plugged in, in whole blocks, rounded up, and no more than MaxMemory=
 * leaves; it does so in its own time, or never. */
void virtio_mem_request(struct virtio_mem *mem, uint64_t bytes);
void virtio_mem_figures(struct virtio_mem *mem, struct virtio_mem_figures *figures);

#endif
