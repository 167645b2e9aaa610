/*
 * One bus type for port I/O, MMIO and PCI configuration space.
 *
 * A region is embedded in the device that owns it and answers accesses to [base, base + len).
 * Lookup is a binary search. An access that hits no region, or crosses a region's end, reads all
 * ones, is ignored on write, and is traced (rate limited).
 *
 * Thread: bus_read and bus_write from any vCPU thread, at the same time; a region's functions must
 * cope. bus_add and bus_remove from any thread, also from inside another region's function (a write
 * to ECAM moves a BAR on the same bus), but a region cannot remove itself. After bus_remove returns
 * no call into the region is running or will come.
 */
#ifndef IRORI_VMM_BUS_H
#define IRORI_VMM_BUS_H

#include <stdbool.h>
#include <stdint.h>

struct bus;

/* offset from the region's base; size is 1, 2, 4 or 8; the access lies within the region. */
struct region_ops {
	uint64_t (*read)(void *owner, uint64_t offset, unsigned size);
	void (*write)(void *owner, uint64_t offset, unsigned size, uint64_t value);
};

struct region {
	const char *name;
	uint64_t base, len;
	const struct region_ops *ops;
	void *owner;
	int users; /* bus.c's: calls under way */
};

struct bus *bus_new(const char *name);
void bus_free(struct bus *bus); /* regions are their owners' */

/* 0, or -EBUSY if it overlaps another region, -EINVAL if it is empty or wraps. */
int bus_add(struct bus *bus, struct region *region);
void bus_remove(struct bus *bus, struct region *region); /* one that is not there is ignored */
/* For regions whose owner outlives the bus and which only change their place (ECAM, the ports of
 * power management): to [base, base + len) at once, also from inside the region's own functions; a
 * call that is under way ends with the offset it began with. len 0: nowhere. 0 or as bus_add, and
 * then the region is nowhere. */
int bus_move(struct bus *bus, struct region *region, uint64_t base, uint64_t len);

/* True if a region answered. *value is all ones in `size` bytes if none did. */
bool bus_read(struct bus *bus, uint64_t addr, unsigned size, uint64_t *value);
bool bus_write(struct bus *bus, uint64_t addr, unsigned size, uint64_t value);

#endif
