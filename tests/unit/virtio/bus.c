/* The bus: who answers where, who does not, and regions that come and go while others are used. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/test.h"
#include "vmm/bus.h"

struct plate {
	struct region region;
	struct bus *bus;
	struct region *moves; /* taken off the bus from inside a write */
	uint64_t last;
	int inside, gone;
};

static uint64_t plate_read(void *owner, uint64_t offset, unsigned size)
{
	return offset;
}

static void plate_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct plate *plate = owner;

	plate->last = value;
	if (plate->moves)
		bus_remove(plate->bus, plate->moves);
}

static const struct region_ops plate_ops = {
	.read = plate_read,
	.write = plate_write,
};

static void plate_init(struct plate *plate, struct bus *bus, uint64_t base, uint64_t len)
{
	memset(plate, 0, sizeof(*plate));
	plate->bus = bus;
	plate->region.name = "plate";
	plate->region.base = base;
	plate->region.len = len;
	plate->region.ops = &plate_ops;
	plate->region.owner = plate;
}

static void lookup(void)
{
	struct bus *bus = bus_new("test");
	struct plate plate[50];
	uint64_t value;

	/* In an order that is not sorted. */
	for (unsigned i = 0; i < 50; i++) {
		unsigned at = i * 17 % 50;

		plate_init(&plate[at], bus, 0x1000 + 0x100 * at, 0x80);
		test_equal(bus_add(bus, &plate[at].region), 0);
	}
	for (unsigned i = 0; i < 50; i++) {
		test_assert(bus_read(bus, 0x1000 + 0x100 * i + i, 1, &value));
		test_equal(value, i);
		test_assert(!bus_read(bus, 0x1080 + 0x100 * i, 1, &value));
		test_equal(value, 0xff);
	}
	bus_free(bus);
}

static void unmapped_reads_ones(void)
{
	struct bus *bus = bus_new("test");
	struct plate plate;
	uint64_t value;

	plate_init(&plate, bus, 0x100, 6);
	bus_add(bus, &plate.region);
	test_assert(!bus_read(bus, 0xff, 1, &value));
	test_assert(!bus_read(bus, 0xff, 2, &value));
	test_equal(value, 0xffff);
	test_assert(!bus_read(bus, 0x104, 4, &value)); /* across its end */
	test_equal(value, 0xffffffff);
	test_assert(!bus_read(bus, UINT64_MAX, 8, &value));
	test_equal(value, -1);
	test_assert(!bus_write(bus, 0x103, 4, 1));
	test_equal(plate.last, 0);
	test_assert(bus_write(bus, 0x102, 2, 0x12345));
	test_equal(plate.last, 0x2345); /* no more than the access is wide */
	bus_free(bus);
}

static void overlaps_refused(void)
{
	struct bus *bus = bus_new("test");
	struct plate plate, other;
	static const struct {
		uint64_t base, len;
		int result;
	} cases[] = {
		{0x1000, 0x100, -EBUSY},
		{0xfff, 2, -EBUSY},
		{0x10ff, 1, -EBUSY},
		{0, UINT64_MAX, -EBUSY},
		{0x1080, UINT64_MAX, -EINVAL},
		{0x2000, 0, -EINVAL},
		{0xf00, 0x100, 0},
		{0x1100, 1, 0},
		{UINT64_MAX, 1, 0},
	};

	plate_init(&plate, bus, 0x1000, 0x100);
	test_equal(bus_add(bus, &plate.region), 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		plate_init(&other, bus, cases[i].base, cases[i].len);
		test_equal(bus_add(bus, &other.region), cases[i].result);
		bus_remove(bus, &other.region);
	}
	bus_free(bus);
}

static void moves_from_inside(void)
{
	struct bus *bus = bus_new("test");
	struct plate ecam, bar;
	uint64_t value;

	plate_init(&ecam, bus, 0x1000, 0x100);
	plate_init(&bar, bus, 0x2000, 0x100);
	ecam.moves = &bar.region;
	bus_add(bus, &ecam.region);
	bus_add(bus, &bar.region);
	test_assert(bus_write(bus, 0x1000, 4, 1));
	test_assert(!bus_read(bus, 0x2000, 4, &value));
	bus_free(bus);
}

static uint64_t slow_read(void *owner, uint64_t offset, unsigned size)
{
	struct plate *plate = owner;

	g_atomic_int_inc(&plate->inside);
	g_usleep(100);
	if (g_atomic_int_get(&plate->gone))
		abort();
	return 1;
}

static const struct region_ops slow_ops = {
	.read = slow_read,
	.write = plate_write,
};

static gpointer reader(gpointer data)
{
	struct plate *plate = data;
	uint64_t value;

	for (unsigned i = 0; i < 500; i++)
		bus_read(plate->bus, 0x1000, 4, &value);
	return NULL;
}

/* After bus_remove nobody is inside any more. */
static void remove_waits(void)
{
	struct bus *bus = bus_new("test");
	struct plate plate;
	GThread *thread[3];

	plate_init(&plate, bus, 0x1000, 0x100);
	plate.region.ops = &slow_ops;
	bus_add(bus, &plate.region);
	for (unsigned i = 0; i < 3; i++)
		thread[i] = g_thread_new("reader", reader, &plate);
	for (unsigned i = 0; i < 50; i++) {
		g_usleep(200);
		bus_remove(bus, &plate.region);
		g_atomic_int_set(&plate.gone, 1);
		g_usleep(200);
		g_atomic_int_set(&plate.gone, 0);
		bus_add(bus, &plate.region);
	}
	for (unsigned i = 0; i < 3; i++)
		g_thread_join(thread[i]);
	test_assert(plate.inside > 0);
	bus_free(bus);
}

int main(void)
{
	test_run(lookup);
	test_run(unmapped_reads_ones);
	test_run(overlaps_refused);
	test_run(moves_from_inside);
	test_run(remove_waits);
	return 0;
}
