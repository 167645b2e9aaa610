/*
 * Host memory that a guest sees as its own and that is not RAM: video memory in a BAR, flash, an
 * option ROM. The guest's accesses to it do not leave the guest; the gate (memory.h) does not know
 * it, so no device can be told to do DMA to it.
 *
 * Thread: slot_init before the guest runs. slot_map and slot_unmap by one thread at a time for a
 * slot (the PCI bus's lock, for BARs); slot_dirty from any.
 *
 * Source: Documentation/virt/kvm/api.rst, KVM_SET_USER_MEMORY_REGION, KVM_GET_DIRTY_LOG.
 */
#ifndef IRORI_VMM_SLOT_H
#define IRORI_VMM_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kvm;

enum slot_flags {
	SLOT_DIRTY_LOG = 1, /* slot_dirty can be asked */
	SLOT_READ_ONLY = 2, /* the guest's writes leave the guest, to whatever lies there on the bus */
};

struct memory_slot {
	const char *name;
	void *host;     /* page aligned; its owner's, and mapped as long as the slot is */
	uint64_t len;   /* a multiple of 4096 */
	unsigned flags; /* enum slot_flags */
	struct kvm *kvm;
	int number;     /* the kernel's; -1 without KVM */
	uint64_t base;
	bool mapped;
	bool forgotten; /* atomic: mapped since the last slot_dirty, so the log before is gone */
};

/* 0, -EINVAL for what is not whole pages, -ENOSPC. `kvm` NULL (unit tests): it is only told where it
 * would lie. */
int slot_init(struct memory_slot *slot, struct kvm *kvm, const char *name, void *host, uint64_t len,
	unsigned flags);
/* To gpa, from wherever it was. 0 or -errno (-EEXIST: RAM or another slot is there), and then it is
 * nowhere. */
int slot_map(struct memory_slot *slot, uint64_t gpa);
void slot_unmap(struct memory_slot *slot);
/* Which pages the guest wrote since the last call: bit i of `bitmap` (of (len / 4096 + 63) / 64
 * words, filled) is page i. What a bus access wrote is not in it. 0, or -errno: take all of them as
 * written (always so without KVM, while the slot is nowhere, and the first time that it is somewhere
 * else or there again). */
int slot_dirty(struct memory_slot *slot, uint64_t *bitmap);

#endif
