/*
 * The bus: a sorted array of regions, found by binary search. An access takes the table's lock only
 * to look the region up and count itself as its user; the region's function runs with no lock of
 * the bus held, so regions may be added and removed from inside another region's function.
 */
#define G_LOG_DOMAIN "bus"

#include "vmm/bus.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

struct bus {
	const char *name;
	GRWLock lock; /* region, n, room */
	struct region **region;
	unsigned n, room;
	/* bus_remove waits here for the calls that are under way. */
	GMutex grace_lock;
	GCond grace;
	int waiting; /* atomic */
	int missed;  /* atomic: accesses that found nothing */
};

struct bus *bus_new(const char *name)
{
	struct bus *bus = g_new0(struct bus, 1);

	bus->name = name;
	g_rw_lock_init(&bus->lock);
	g_mutex_init(&bus->grace_lock);
	g_cond_init(&bus->grace);
	return bus;
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	g_rw_lock_clear(&bus->lock);
	g_mutex_clear(&bus->grace_lock);
	g_cond_clear(&bus->grace);
	g_free(bus->region);
	g_free(bus);
}

/* The index of the first region whose base is above addr. */
static unsigned bus_above(const struct bus *bus, uint64_t addr)
{
	unsigned low = 0, high = bus->n;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (bus->region[middle]->base <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool bus_free_at(const struct bus *bus, unsigned i, const struct region *region)
{
	if (i > 0 && region->base - bus->region[i - 1]->base < bus->region[i - 1]->len)
		return false;
	return i == bus->n || bus->region[i]->base - region->base >= region->len;
}

/* Under the writer's lock, as bus_take. */
static int bus_put(struct bus *bus, struct region *region)
{
	unsigned i;

	/* base + len may be 2^64, but not beyond. */
	if (region->len == 0 || region->len - 1 > UINT64_MAX - region->base)
		return -EINVAL;
	i = bus_above(bus, region->base);
	if (!bus_free_at(bus, i, region))
		return -EBUSY;
	if (bus->n == bus->room) {
		bus->room = bus->room ? bus->room * 2 : 16;
		bus->region = g_renew(struct region *, bus->region, bus->room);
	}
	memmove(&bus->region[i + 1], &bus->region[i], (bus->n - i) * sizeof(bus->region[0]));
	bus->region[i] = region;
	bus->n++;
	return 0;
}

static bool bus_take(struct bus *bus, struct region *region)
{
	bool found = false;

	for (unsigned i = 0; i < bus->n && !found; i++) {
		if (bus->region[i] != region)
			continue;
		bus->n--;
		memmove(&bus->region[i], &bus->region[i + 1],
			(bus->n - i) * sizeof(bus->region[0]));
		found = true;
	}
	return found;
}

int bus_add(struct bus *bus, struct region *region)
{
	int result;

	g_rw_lock_writer_lock(&bus->lock);
	result = bus_put(bus, region);
	g_rw_lock_writer_unlock(&bus->lock);
	return result;
}

int bus_move(struct bus *bus, struct region *region, uint64_t base, uint64_t len)
{
	int result = 0;

	g_rw_lock_writer_lock(&bus->lock);
	bus_take(bus, region);
	region->base = base;
	region->len = len;
	if (len)
		result = bus_put(bus, region);
	g_rw_lock_writer_unlock(&bus->lock);
	return result;
}

void bus_remove(struct bus *bus, struct region *region)
{
	bool found;

	g_rw_lock_writer_lock(&bus->lock);
	found = bus_take(bus, region);
	g_rw_lock_writer_unlock(&bus->lock);
	if (!found)
		return;
	g_mutex_lock(&bus->grace_lock);
	g_atomic_int_inc(&bus->waiting);
	while (g_atomic_int_get(&region->users) != 0)
		g_cond_wait(&bus->grace, &bus->grace_lock);
	g_atomic_int_add(&bus->waiting, -1);
	g_mutex_unlock(&bus->grace_lock);
}

static struct region *bus_enter(struct bus *bus, uint64_t addr, unsigned size, uint64_t *at)
{
	struct region *region = NULL;
	unsigned i;

	g_rw_lock_reader_lock(&bus->lock);
	i = bus_above(bus, addr);
	if (i > 0) {
		struct region *below = bus->region[i - 1];
		uint64_t offset = addr - below->base;

		if (offset < below->len && size <= below->len - offset)
			region = below;
		*at = offset;
	}
	if (region)
		g_atomic_int_inc(&region->users);
	g_rw_lock_reader_unlock(&bus->lock);
	return region;
}

static void bus_leave(struct bus *bus, struct region *region)
{
	/* The remover raises `waiting` before it looks at `users`, we the other way round: one of
	 * the two sees the other. The region may be gone once users is 0. */
	if (!g_atomic_int_dec_and_test(&region->users) || !g_atomic_int_get(&bus->waiting))
		return;
	g_mutex_lock(&bus->grace_lock);
	g_cond_broadcast(&bus->grace);
	g_mutex_unlock(&bus->grace_lock);
}

/* Traces the 1st, 2nd, 4th, 8th, ... miss: a guest cannot flood the log, and no clock is needed. */
static void bus_missed(struct bus *bus, const char *what, uint64_t addr, unsigned size)
{
	unsigned missed = (unsigned)g_atomic_int_add(&bus->missed, 1) + 1;

	if ((missed & (missed - 1)) == 0)
		g_debug("%s: nothing answers a %s of %u bytes at %#" G_GINT64_MODIFIER
			"x (%u so far)",
			bus->name, what, size, addr, missed);
}

static uint64_t bus_mask(unsigned size)
{
	return size >= 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;
}

bool bus_read(struct bus *bus, uint64_t addr, unsigned size, uint64_t *value)
{
	uint64_t offset;
	struct region *region = bus_enter(bus, addr, size, &offset);

	if (!region) {
		bus_missed(bus, "read", addr, size);
		*value = bus_mask(size);
		return false;
	}
	*value = region->ops->read(region->owner, offset, size) & bus_mask(size);
	bus_leave(bus, region);
	return true;
}

bool bus_write(struct bus *bus, uint64_t addr, unsigned size, uint64_t value)
{
	uint64_t offset;
	struct region *region = bus_enter(bus, addr, size, &offset);

	if (!region) {
		bus_missed(bus, "write", addr, size);
		return false;
	}
	region->ops->write(region->owner, offset, size, value & bus_mask(size));
	bus_leave(bus, region);
	return true;
}
