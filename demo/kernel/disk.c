/*
 * /dev/disk0: virtio-blk, read only. The device writes straight into the program's memory; only the
 * ragged ends of a read go through a sector of our own.
 * Source: virtio 1.2, 5.2.
 */
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"
#include "demo/kernel/virtio.h"

enum { SECTOR = 512, MAX_PIECES = 8, AT_ONCE = 4 << 20 };

struct request {
	uint32_t type, reserved;
	uint64_t sector;
	uint8_t status;
};

static struct virtq queue;
static struct request *request; /* NULL: no disk */
static uint8_t *sector;         /* SECTOR bytes */
static uint64_t length;

void disk_init(void)
{
	struct virtio device;
	uint8_t *page = page_alloc();

	if (!page || virtio_open(&device, VIRTIO_BLOCK, 0) || virtio_queue(&device, &queue, 0, 16))
		return;
	length = SECTOR * (mmio_read32(device.config) | (uint64_t)mmio_read32(device.config + 4) << 32);
	virtio_start(&device);
	request = (struct request *)page;
	sector = page + SECTOR;
}

/* Reads whole sectors into the program's memory, or where `to` is NULL, one into `sector`. */
static int64_t sectors_read(uint64_t to, uint64_t n, uint64_t at)
{
	uint16_t i = 1;
	uint64_t done = 0;

	*request = (struct request){ .sector = at / SECTOR, .status = 0xff };
	virtq_describe(&queue, 0, request, 16, DESC_NEXT, 1);
	if (!to) {
		virtq_describe(&queue, i++, sector, SECTOR, DESC_NEXT | DESC_WRITE, 2);
		done = SECTOR;
	}
	while (done < n && i <= MAX_PIECES) {
		uint64_t place, piece = user_physical(to + done, n - done, &place);

		virtq_describe(&queue, i, direct(place), (uint32_t)piece, DESC_NEXT | DESC_WRITE, i + 1);
		done += piece;
		i++;
	}
	virtq_describe(&queue, i, &request->status, 1, DESC_WRITE, 0);
	virtq_do(&queue, 0);
	return request->status ? -EIO : (int64_t)done;
}

/* One step of a read: what can be had with one request. */
static int64_t disk_step(uint64_t to, uint64_t n, uint64_t at)
{
	uint64_t skip = at % SECTOR;
	int64_t ret;

	if (!skip && n >= SECTOR)
		return sectors_read(to, (n < AT_ONCE ? n : AT_ONCE) & -SECTOR, at);
	ret = sectors_read(0, SECTOR, at - skip);
	if (ret < 0)
		return ret;
	if (n > SECTOR - skip)
		n = SECTOR - skip;
	memcpy((void *)to, sector + skip, n);
	return (int64_t)n;
}

static int64_t disk_read(struct file *file, struct syscall *call, uint64_t to, uint64_t n, uint64_t at)
{
	uint64_t done = 0;

	if (at >= length)
		return 0;
	if (n > length - at)
		n = length - at;
	while (done < n) {
		int64_t ret = disk_step(to + done, n - done, at + done);

		if (ret < 0)
			return done ? (int64_t)done : ret;
		done += (uint64_t)ret;
	}
	return (int64_t)done;
}

static int disk_open(struct file *file)
{
	return request ? 0 : -ENODEV;
}

static uint64_t disk_size(struct file *file)
{
	return length;
}

const struct file_ops disk_file = {
	.path = "/dev/disk0",
	.open = disk_open,
	.read = disk_read,
	.size = disk_size,
};
