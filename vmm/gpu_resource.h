/*
 * A virtio-gpu 2D resource: pixels in a memfd of the host's, and the guest's pages that they come
 * from.
 *
 * Seats map the memfd: what a transfer wrote is what they scan out, one copy in all. It is sealed
 * against shrinking and against anybody else's writing.
 *
 * Thread: the device's lock.
 * Source: virtio 1.2, section 5.7.6.
 */
#ifndef IRORI_VMM_GPU_RESOURCE_H
#define IRORI_VMM_GPU_RESOURCE_H

#include "display/port.h"
#include "vmm/memory.h"

enum gpu_limits {
	GPU_MAX_RESOURCES = 256,
	GPU_MAX_BACKING = 16384, /* entries of one resource */
};

/* Host memory that a guest's resources cost, pixels and tables. */
struct gpu_budget {
	uint64_t used, max;
};

/* As the guest writes it: struct virtio_gpu_mem_entry. */
struct gpu_mem_entry {
	uint64_t addr;
	uint32_t len, padding;
};

struct gpu_part {
	uint64_t addr, len;
};

struct gpu_resource {
	uint32_t id, format, width, height, stride;
	const uint8_t *order; /* where blue, green, red, alpha lie in a pixel; NULL: as ours */
	uint8_t *pixels;
	size_t len;
	int fd;
	struct gpu_budget *budget;
	struct gpu_part *part; /* backing, neighbours joined; NULL: none */
	unsigned n_parts;
	uint64_t backing_len, table_len;
	uint32_t port_id; /* as the seats know it; 0: they do not */
	uint64_t used_seq; /* the last frame that named it */
};

/* A transfer under way. Begin with row 0. */
struct gpu_transfer {
	struct rect rect; /* of the resource */
	uint64_t offset;  /* in the backing: of the rectangle's first pixel */
	uint32_t row;     /* rows done */
};

/* 0; -EINVAL: format or size not allowed; -ENOMEM: past the budget or the host's means. */
int gpu_resource_new(uint32_t id, uint32_t format, uint32_t width, uint32_t height,
	struct gpu_budget *budget, struct gpu_resource **resource);
void gpu_resource_free(struct gpu_resource *resource);

/* Takes n entries, copied from the guest already, and forgets those before. 0, -EINVAL, -ENOMEM. */
int gpu_resource_attach(struct gpu_resource *resource, const struct gpu_mem_entry *entry,
	unsigned n);
void gpu_resource_detach(struct gpu_resource *resource);

/* One of a saved guest. Loading, *resource is made, and NULL where that fails. */
struct state;
void gpu_resource_state(struct gpu_resource **resource, struct gpu_budget *budget,
	struct state *state);

/* Does the rectangle lie within the resource, and is it not empty? */
bool gpu_resource_has(const struct gpu_resource *resource, const struct rect *rect);
/* Is the transfer within resource and backing? */
bool gpu_transfer_valid(const struct gpu_resource *resource, const struct gpu_transfer *transfer);
/* Goes on for about max_bytes (a row at least). 1: there is more; 0: done; -EFAULT: backing that is
 * not RAM. The transfer must be valid. */
int gpu_transfer_step(const struct gpu_resource *resource, const struct guest_memory *memory,
	struct gpu_transfer *transfer, size_t max_bytes);

#endif
