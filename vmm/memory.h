/*
 * Guest memory, and the one gate to it.
 *
 * Every byte that the VMM reads or writes in a guest passes memory_at() or one of the two copying
 * forms. A pointer from the gate is valid until memory_free(); what it points to changes under the
 * reader's eyes, so copy before you check.
 *
 * Layout of a PC: [0, min(size, 2 GiB)) and the rest from 4 GiB up; above both a room for memory that
 * is plugged in block by block (virtio_mem.c). One memfd holds all three, in this order. The gate
 * knows the blocks of the room that are plugged in, as of now: one that is unplugged later is punched
 * out and never unmapped, so that a pointer into it stays good, for nothing.
 *
 * Thread: memory_at, memory_read, memory_write, memory_plugged from any thread; memory_plug and
 * memory_unplug from one at a time; new, free, clear and state from the main thread while no other
 * uses it.
 */
#ifndef IRORI_VMM_MEMORY_H
#define IRORI_VMM_MEMORY_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_LOW_END (2ull << 30)   /* RAM below ends here at the latest: the rest is for PCI */
#define MEMORY_HIGH_BASE (4ull << 30) /* and goes on here */
#define MEMORY_BLOCK (2ull << 20)     /* what the room is plugged in by */
#define MEMORY_ROOM_ALIGN (2ull << 30) /* where it begins: Linux adds memory by 128 MiB to 2 GiB */

struct guest_memory;
struct state;

/* A part of RAM that is contiguous for the guest and for us. */
struct memory_part {
	uint64_t gpa, len;
	void *host;
};

/* size in bytes, a multiple of 4096, not 0. NULL and error set if the host has not got it. */
struct guest_memory *memory_new(uint64_t size, GError **error);
/* And a room of so many bytes, a multiple of MEMORY_BLOCK, with nothing plugged in; 0: none. */
struct guest_memory *memory_new_with_room(uint64_t size, uint64_t room, GError **error);
void memory_free(struct guest_memory *memory);

/* RAM that is there from the start; and the length of the memfd: with the room. */
uint64_t memory_size(const struct guest_memory *memory);
uint64_t memory_total(const struct guest_memory *memory);
int memory_fd(const struct guest_memory *memory);
/* Part i (0 low, 1 high) of the RAM that is there from the start, or NULL when there is none. */
const struct memory_part *memory_part(const struct guest_memory *memory, unsigned i);
/* The same, followed by the room as a whole: for those that are told once where everything lies, in
 * the order of the memfd. */
const struct memory_part *memory_mapping(const struct guest_memory *memory, unsigned i);
/* NULL: there is none. */
const struct memory_part *memory_room(const struct guest_memory *memory);

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

/* How many of the room's blocks [first, first + n) are plugged in; those beyond its end are not. */
uint64_t memory_plugged(const struct guest_memory *memory, uint64_t first, uint64_t n);
/* Opens these blocks, or closes them and gives their pages back. 0; -EINVAL beyond the room; closing
 * also -errno, and then they are closed and have their pages still. */
int memory_plug(struct guest_memory *memory, uint64_t first, uint64_t n);
int memory_unplug(struct guest_memory *memory, uint64_t first, uint64_t n);
/* Which blocks are plugged in, to or from a saved guest: before the devices, whose rings may lie
 * there, and after the memory. What a guest left in others is given back. Nothing without a room. */
void memory_state(struct guest_memory *memory, struct state *state);

#endif
