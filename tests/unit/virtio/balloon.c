/* virtio-balloon, from its guest's side: pages really go, wrong ones do no harm. */
#include "vmm/virtio_balloon.c"

#include "tests/unit/test.h"
#include "tests/unit/virtio/guest.h"

enum { ALL = 1 << 1 | 1 << 2 | 1 << 5, PAGES = GUEST_MEMORY / 4096, POOL = 0x100000 };

static struct guest guest;

static struct balloon *balloon(void)
{
	return (struct balloon *)guest.device;
}

static void plug(uint64_t features)
{
	guest_open(&guest, GUEST_MEMORY);
	test_assert(guest_plug(&guest, &virtio_balloon, NULL, NULL));
	memset(guest_at(&guest, 0, GUEST_MEMORY), 0x5a, GUEST_MEMORY);
	memset(guest_at(&guest, 0, POOL), 0, POOL);
	guest_start(&guest, features);
}

static uint8_t byte(uint64_t gpa)
{
	return *(uint8_t *)guest_at(&guest, gpa, 1);
}

static void put_pfns(unsigned q, const uint32_t *pfn, unsigned n)
{
	uint64_t at = guest_put(&guest, pfn, n * sizeof(*pfn));
	uint32_t id, len;

	guest_add(&guest, q, (struct guest_buffer[]){{at, n * 4, false}}, 1);
	guest_kick(&guest, q);
	test_assert(guest_used(&guest, q, &id, &len));
	test_equal(len, 0);
}

/* The pages of an inflated balloon are the host's; touching them brings them back as zeros. */
static void pages_go_and_come(void)
{
	static const uint32_t pfn[] = {0x203, 0x201, 0x200, 0x202, 0x300, 0x300};
	uint64_t before;

	plug(ALL);
	before = memory_used(guest.machine.memory);
	put_pfns(0, pfn, G_N_ELEMENTS(pfn));
	test_equal(before - memory_used(guest.machine.memory), 5 * 4096);
	test_equal(byte(0x1fffff), 0x5a);
	test_equal(byte(0x204000), 0x5a);
	put_pfns(1, pfn, G_N_ELEMENTS(pfn));
	test_equal(byte(0x200000), 0);
	test_equal(byte(0x300fff), 0);
	test_equal(before - memory_used(guest.machine.memory), 3 * 4096);
	guest_close(&guest);
}

/* Page numbers that are not RAM, whole and half ones, an empty list: nothing happens. */
static void odd_pages(void)
{
	static const uint32_t pfn[] = {PAGES, 0xffffffff, 0xfffffffe, 0x80000000, PAGES - 1};
	uint64_t before, at;
	uint32_t id, len;

	plug(ALL);
	before = memory_used(guest.machine.memory);
	put_pfns(0, pfn, 4);
	test_equal(before, memory_used(guest.machine.memory));
	at = guest_put(&guest, &pfn[4], 4);
	guest_add(&guest, 0, (struct guest_buffer[]){{at, 3, false}}, 1);
	guest_add(&guest, 0, (struct guest_buffer[]){{at, 4, true}}, 1);
	guest_kick(&guest, 0);
	test_assert(guest_used(&guest, 0, &id, &len) && guest_used(&guest, 0, &id, &len));
	test_equal(before, memory_used(guest.machine.memory));
	/* A run that begins in RAM and leaves it is not taken in part either. */
	put_pfns(0, (uint32_t[]){PAGES - 1, PAGES}, 2);
	test_equal(before, memory_used(guest.machine.memory));
	put_pfns(0, &pfn[4], 1);
	test_equal(before - memory_used(guest.machine.memory), 4096);
	test_assert(!guest_needs_reset(&guest));
	guest_close(&guest);
}

/* Lists of pages that are all apart, as long as they are allowed to be: a turn is short all the same,
 * and the rest comes in the next ones. */
static void turns_are_short(void)
{
	static uint32_t pfn[64 * BALLOON_PFNS];
	uint64_t at;
	uint32_t id, len;
	unsigned n = 0;

	plug(ALL);
	for (unsigned i = 0; i < G_N_ELEMENTS(pfn); i++)
		pfn[i] = 0x200 + i % 256 * 2;
	at = guest_put(&guest, pfn, sizeof(pfn));
	for (unsigned i = 0; i < 4; i++)
		guest_add(&guest, 0, (struct guest_buffer[]){{at, sizeof(pfn), false}}, 1);
	virtio_kick(&balloon()->virtio, 0);
	test_assert(balloon()->figures.discarded <= (BALLOON_TURN + BALLOON_CHAIN) * 4096ull);
	test_assert(guest_used(&guest, 0, &id, &len));
	test_assert(!guest_used(&guest, 0, &id, &len));
	for (n = 0; n < 3 && g_main_context_iteration(guest.machine.io_context, FALSE);)
		n += guest_used(&guest, 0, &id, &len);
	test_equal(n, 3);
	guest_close(&guest);
}

/* Free pages are reported on whichever queue the driver counts to. */
static void free_pages_reported(void)
{
	static const struct {
		uint64_t features;
		unsigned q;
		bool taken;
	} cases[] = {
		{ALL, 3, true},
		{ALL, 4, true},
		{BALLOON_F_REPORTING, 2, true},
		{BALLOON_F_STATS, 3, false},
		{0, 2, false},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint64_t before;
		uint32_t id, len;

		plug(cases[i].features);
		before = memory_used(guest.machine.memory);
		/* Half pages at both ends stay. */
		guest_add(&guest, cases[i].q, (struct guest_buffer[]){{0x200000, 0x100000, true},
			{0x180800, 0x1800, true}}, 2);
		guest_kick(&guest, cases[i].q);
		test_assert(guest_used(&guest, cases[i].q, &id, &len));
		test_equal(before - memory_used(guest.machine.memory),
			cases[i].taken ? 0x100000 + 0x1000 : 0);
		test_equal(byte(0x180800), 0x5a);
		guest_close(&guest);
	}
}

static void target_is_told(void)
{
	struct balloon_figures figures;

	plug(ALL);
	test_equal(guest_config_read(&guest, 0, 4), 0);
	balloon_set_target(balloon(), 1 << 20);
	test_equal(guest.raised[BALLOON_QUEUES], 1);
	test_equal(guest_config_read(&guest, 0, 4), 256);
	balloon_set_target(balloon(), 1 << 20);
	test_equal(guest.raised[BALLOON_QUEUES], 1);
	guest_write(&guest, VIRTIO_PCI_DEVICE + 4, 4, 100);
	guest_write(&guest, VIRTIO_PCI_DEVICE, 4, 7); /* the host's, not the driver's */
	balloon_figures(balloon(), &figures);
	test_equal(figures.target, 1 << 20);
	test_equal(figures.actual, 100 * 4096);
	test_assert(figures.driver);
	guest_write(&guest, VIRTIO_PCI_DEVICE + 4, 4, 0xffffffff);
	balloon_figures(balloon(), &figures);
	test_equal(figures.actual, GUEST_MEMORY);
	/* The next guest is told of the same target. */
	guest_reset(&guest);
	guest_start(&guest, ALL);
	test_equal(guest_config_read(&guest, 0, 4), 256);
	test_equal(guest_config_read(&guest, 4, 4), 0);
	guest_close(&guest);
}

static void put_stats(uint16_t tag, uint64_t value)
{
	uint8_t entry[BALLOON_STAT_LEN + 3]; /* and the beginning of one more */
	uint64_t at;

	memset(entry, 0xff, sizeof(entry));
	memcpy(entry, &tag, 2);
	memcpy(entry + 2, &value, 8);
	at = guest_put(&guest, entry, sizeof(entry));
	guest_add(&guest, 2, (struct guest_buffer[]){{at, sizeof(entry), false}}, 1);
	guest_kick(&guest, 2);
}

static void statistics(void)
{
	struct balloon_figures figures;
	uint32_t id, len;

	plug(ALL);
	guest_now_ns = 1;
	put_stats(BALLOON_STAT_AVAILABLE, 12345);
	test_assert(!guest_used(&guest, 2, &id, &len)); /* kept, to ask with */
	balloon_figures(balloon(), &figures);
	test_equal(figures.available, 12345);
	guest_now_ns += BALLOON_STATS_AGE_NS;
	balloon_figures(balloon(), &figures);
	test_assert(guest_used(&guest, 2, &id, &len));
	test_equal(guest.raised[2], 1);
	put_stats(60000, 1);
	balloon_figures(balloon(), &figures);
	test_assert(!guest_used(&guest, 2, &id, &len)); /* not so soon */
	/* A driver that puts in two has the first back. */
	put_stats(BALLOON_STAT_FREE, 3);
	test_assert(guest_used(&guest, 2, &id, &len));
	balloon_figures(balloon(), &figures);
	test_equal(figures.free, 3);
	guest_close(&guest);
}

int main(void)
{
	test_run(pages_go_and_come);
	test_run(odd_pages);
	test_run(turns_are_short);
	test_run(free_pages_reported);
	test_run(target_is_told);
	test_run(statistics);
	return 0;
}
