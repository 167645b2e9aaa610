/*
 * Memory slots besides RAM: see slot.h.
 */
#include "vmm/slot.h"

#include <errno.h>
#include <linux/kvm.h>

#include "vmm/kvm.h"

enum {
	SLOT_PAGE = 4096,
};

int slot_init(struct memory_slot *slot, struct kvm *kvm, const char *name, void *host, uint64_t len,
	unsigned flags)
{
	*slot = (struct memory_slot){
		.name = name,
		.host = host,
		.len = len,
		.flags = flags,
		.kvm = kvm,
		.number = -1,
	};
	if (len == 0 || len % SLOT_PAGE || (uintptr_t)host % SLOT_PAGE)
		return -EINVAL;
	if (!kvm)
		return 0;
	slot->number = kvm_new_slot(kvm);
	return MIN(slot->number, 0);
}

int slot_map(struct memory_slot *slot, uint64_t gpa)
{
	uint32_t flags = (slot->flags & SLOT_DIRTY_LOG ? KVM_MEM_LOG_DIRTY_PAGES : 0) |
		(slot->flags & SLOT_READ_ONLY ? KVM_MEM_READONLY : 0);
	int rc = 0;

	if (slot->mapped && slot->base == gpa)
		return 0;
	slot_unmap(slot);
	if (slot->number >= 0)
		rc = kvm_set_slot(slot->kvm, (unsigned)slot->number, flags, gpa, slot->len,
			slot->host);
	slot->base = gpa;
	slot->mapped = !rc;
	__atomic_store_n(&slot->forgotten, true, __ATOMIC_RELEASE);
	return rc;
}

void slot_unmap(struct memory_slot *slot)
{
	if (!slot->mapped)
		return;
	if (slot->number >= 0)
		kvm_set_slot(slot->kvm, (unsigned)slot->number, 0, slot->base, 0, slot->host);
	slot->mapped = false;
}

int slot_dirty(struct memory_slot *slot, uint64_t *bitmap)
{
	int rc;

	if (slot->number < 0 || !slot->mapped || !(slot->flags & SLOT_DIRTY_LOG))
		return -ENOSYS;
	rc = kvm_slot_dirty(slot->kvm, (unsigned)slot->number, bitmap);
	return __atomic_exchange_n(&slot->forgotten, false, __ATOMIC_ACQ_REL) ? -EAGAIN : rc;
}
