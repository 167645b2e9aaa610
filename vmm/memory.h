/*
 * Guest memory, and the one gate to it.
 *
 * Every byte that the VMM reads or writes in a guest passes memory_at() or one of the two copying
 * forms. A pointer from the gate is valid until memory_free(); what it points to changes under the
 * reader's eyes, so copy before you check.
 *
 * Layout of a PC: [0, min(size, 2 GiB)) and the rest from 4 GiB up. One memfd holds both parts.
 *
 * Thread: memory_at, memory_read, memory_write from any thread; new, free and clear from the main
 * thread while no other uses it.
 */
#ifndef IRORI_VMM_MEMORY_H
#define IRORI_VMM_MEMORY_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_LOW_END (2ull << 30)   /* RAM below ends here at the latest: the rest is for PCI */
#define MEMORY_HIGH_BASE (4ull << 30) /* and goes on here */

struct guest_memory;

/* A part of RAM that is contiguous for the guest and for us. */
struct memory_part {
	uint64_t gpa, len;
	void *host;
};

/* size in bytes, a multiple of 4096, not 0. NULL and error set if the host has not got it. */
struct guest_memory *memory_new(uint64_t size, GError **error);
void memory_free(struct guest_memory *memory);

uint64_t memory_size(const struct guest_memory *memory);
int memory_fd(const struct guest_memory *memory);
/* Part i (0 low, 1 high), or NULL when there is none. */
const struct memory_part *memory_part(const struct guest_memory *memory, unsigned i);

/* The gate: where [gpa, gpa + len) lies, or NULL if any byte of it is not RAM. len 0 gives NULL. */
void *memory_at(const struct guest_memory *memory, uint64_t gpa, uint64_t len);
/* Copies; false, and nothing copied, where the gate says NULL. */
bool memory_read(const struct guest_memory *memory, uint64_t gpa, void *to, size_t len);
bool memory_write(const struct guest_memory *memory, uint64_t gpa, const void *from, size_t len);

/* Gives the whole pages within [gpa, gpa + len) back to the host: whoever reads them next finds
 * zeros, in pages that are made then. 0; -EFAULT where the gate says NULL; or -errno. Any thread. */
int memory_discard(const struct guest_memory *memory, uint64_t gpa, uint64_t len);
/* The same, for a pointer from the gate. */
int memory_discard_at(const struct guest_memory *memory, const void *host, uint64_t len);
/* Bytes of it for which the host has pages now. */
uint64_t memory_used(const struct guest_memory *memory);
/* Gives every page back to the host: the guest reads zeros again. For reset. */
int memory_clear(struct guest_memory *memory);

#endif
