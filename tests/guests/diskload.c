/*
 * What a disk gives: random reads of 4 KiB, one and sixteen at a time, reads and writes of 256 KiB in a
 * row, four at a time. Requests are laid out before the clock runs, and waited for by looking at the
 * ring, so that on hosts that interpret a guest's kernel the disk is measured and not the guest.
 *
 * A turn is a batch of requests, until the last is done. Prints for each load the time-stamp counter's
 * ticks in all, by 1024.
 */
#include "portable.h"

enum {
	BLK = 2,
	SIZE = 256,     /* of the queue */
	REQUESTS = 64,  /* that are laid out: three descriptors each */
	SECTOR = 512,
	HEADERS = PORTABLE_FREE,
	STATUSES = PORTABLE_FREE + 0x1000,
	DATA = 16 << 20,
	NEXT = 1,
	WRITE = 2,
	NO_INTERRUPT = 1,
	FLUSH = 1 << 9, /* a driver that can flush need not have each write on the medium */
	BLK_READ = 0,
	BLK_WRITE = 1,
};

static const struct load {
	const char *name;
	uint32_t type, len;
	unsigned depth, batches;
	bool random;
} loads[] = {
	{ " read1=", BLK_READ, 4096, 1, 2048, true },
	{ " read16=", BLK_READ, 4096, 16, 256, true },
	{ " reads=", BLK_READ, 256 << 10, 4, 64, false },
	{ " writes=", BLK_WRITE, 256 << 10, 4, 64, false },
};

struct header {
	uint32_t type, reserved, sector, sector_high;
};

static struct {
	uint32_t addr, addr_high, len;
	uint16_t flags, next;
} volatile *const desc = (void *)PORTABLE_DESC;

static struct {
	uint16_t flags, idx, ring[SIZE];
} volatile *const avail = (void *)PORTABLE_AVAIL;

static struct {
	uint16_t flags, idx;
} volatile *const used = (void *)PORTABLE_USED;

static volatile struct header *const header = (void *)HEADERS;
static volatile uint8_t *const status = (void *)STATUSES;

static void describe(unsigned i, uint32_t addr, uint32_t len, uint16_t flags)
{
	desc[i].addr = addr;
	desc[i].addr_high = 0;
	desc[i].len = len;
	desc[i].flags = flags;
	desc[i].next = i + 1;
}

static void lay_out(const struct load *load, uint32_t sectors)
{
	uint32_t per = load->len / SECTOR, seed = 2463534242u;

	for (unsigned i = 0; i < REQUESTS; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
		header[i].type = load->type;
		header[i].sector = (load->random ? seed : i) % (sectors / per) * per;
		status[i] = 0xff;
		describe(3 * i, HEADERS + i * sizeof(struct header), sizeof(struct header), NEXT);
		describe(3 * i + 1, DATA + i * load->len, load->len,
			NEXT | (load->type == BLK_READ ? WRITE : 0));
		describe(3 * i + 2, STATUSES + i, 1, WRITE);
	}
}

static void batch(const struct portable *dev, unsigned depth)
{
	uint16_t idx = avail->idx + depth;

	avail->idx = idx;
	portable_kick(dev);
	while (used->idx != idx)
		__asm__ volatile("pause");
}

static void run(const struct portable *dev, const struct load *load, uint32_t sectors)
{
	uint64_t begin;

	lay_out(load, sectors);
	for (unsigned i = 0; i < REQUESTS / load->depth; i++) /* each once: the host has seen it */
		batch(dev, load->depth);
	for (unsigned i = 0; i < REQUESTS; i++)
		check(status[i] == 0);
	begin = portable_ticks();
	for (unsigned i = 0; i < load->batches; i++)
		batch(dev, load->depth);
	guest_print(load->name);
	guest_print_hex((uint32_t)((portable_ticks() - begin) >> 10));
}

int guest_main(const void *start_info)
{
	struct portable dev;
	uint32_t sectors;

	portable_find(&dev, BLK);
	portable_start(&dev, FLUSH, SIZE);
	check(dev.device);
	sectors = *(volatile uint32_t *)dev.device;
	check(sectors >= (uint32_t)REQUESTS * (256 << 10) / SECTOR);
	avail->flags = NO_INTERRUPT;
	for (unsigned i = 0; i < SIZE; i++)
		avail->ring[i] = i % REQUESTS * 3;
	guest_print("diskload:");
	for (unsigned i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
		run(&dev, &loads[i], sectors);
	guest_print("\n");
	return 0;
}
