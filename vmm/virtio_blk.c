/*
 * virtio-blk: one queue. A request is checked here and carried out by the storage behind it (disk.h);
 * up to DISK_DEPTH are under way, the rest wait in the ring. Whatever goes wrong with the file
 * is an I/O error of the guest's disk and nothing worse. Source: virtio 1.2, section 5.2.
 *
 * A reset waits for what is under way: after it nothing of ours writes to guest memory any more.
 *
 * Thread: the I/O context; reset also on vCPU threads and the main thread, under the device's lock.
 */
#define G_LOG_DOMAIN "virtio-blk"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "vmm/disk.h"
#include "vmm/fw_cfg.h"
#include "vmm/machine.h"
#include "vmm/state.h"
#include "vmm/virtio_pci.h"

enum blk_numbers {
	BLK_SECTOR = 512,
	BLK_ID_LEN = DISK_ID_LEN,
	BLK_SEGMENTS = VIRTQUEUE_MAX_SEGMENTS - 2,
	BLK_REQUEST_MAX = 64 << 20,         /* bytes in one request */
	BLK_ERASE_MAX = 1 << 22,            /* sectors in one discard, write-zeroes */
	BLK_ERASE_UNMAP = 1,
	BLK_TURNS = 4, /* of DISK_DEPTH requests, before somebody else has the thread */
};

enum blk_request_type {
	BLK_T_IN = 0,
	BLK_T_OUT = 1,
	BLK_T_FLUSH = 4,
	BLK_T_GET_ID = 8,
	BLK_T_DISCARD = 11,
	BLK_T_WRITE_ZEROES = 13,
	BLK_T_COUNT
};

enum blk_status {
	BLK_S_OK = 0,
	BLK_S_IOERR = 1,
	BLK_S_UNSUPP = 2,
	BLK_S_LATER = 256, /* ours: the file answers */
};

#define BLK_F_SEG_MAX (1ull << 2)
#define BLK_F_RO (1ull << 5)
#define BLK_F_BLK_SIZE (1ull << 6)
#define BLK_F_FLUSH (1ull << 9)
#define BLK_F_DISCARD (1ull << 13)
#define BLK_F_WRITE_ZEROES (1ull << 14)

struct blk_header {
	uint32_t type, reserved;
	uint64_t sector;
};

struct blk_erase {
	uint64_t sector;
	uint32_t sectors, flags;
};

/* struct virtio_blk_config. */
struct blk_space {
	uint64_t capacity; /* sectors */
	uint32_t size_max, seg_max;
	uint8_t geometry[4];
	uint32_t blk_size;
	uint8_t topology[8];
	uint8_t writeback, unused0;
	uint16_t num_queues;
	uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
	uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap, unused1[3];
} __attribute__((packed));

struct blk;

struct blk_request {
	struct disk_io io;
	struct blk *blk;
	struct blk_request *next_free;
	struct vq_chain chain; /* segments are cut to the data once the header is read */
	uint8_t *status;       /* in guest memory */
	uint32_t written;      /* to in-buffers if all goes well, the status byte counted */
};

struct blk {
	struct device device;
	struct virtio_device virtio;
	struct disk *disk;
	struct blk_space space;
	char id[BLK_ID_LEN];
	struct blk_request *free;
	unsigned under_way;
	bool resetting;
};

static struct blk *blk_of(struct virtio_device *dev)
{
	return (struct blk *)((char *)dev - offsetof(struct blk, virtio));
}

static struct blk_request *blk_take(struct blk *blk)
{
	struct blk_request *request = blk->free;

	if (request)
		blk->free = request->next_free;
	else
		request = g_new(struct blk_request, 1); /* DISK_DEPTH of them at most */
	request->blk = blk;
	return request;
}

static void blk_give(struct blk *blk, struct blk_request *request)
{
	request->next_free = blk->free;
	blk->free = request;
}

static void blk_answer(struct blk_request *request, enum blk_status status)
{
	struct blk *blk = request->blk;
	/* What a failed request wrote is not told: only the status byte is sure to be there. */
	uint32_t written = status == BLK_S_OK ? request->written : 1;

	if (!blk->resetting) {
		*request->status = (uint8_t)status;
		virtio_push(&blk->virtio, 0, request->chain.head, written);
	}
	blk_give(blk, request);
}

static void blk_done(struct disk_io *io, int result)
{
	struct blk_request *request = (struct blk_request *)io;
	struct blk *blk = request->blk;

	blk->under_way--;
	blk_answer(request,
		result == 0 ? BLK_S_OK : result == -EOPNOTSUPP ? BLK_S_UNSUPP : BLK_S_IOERR);
}

/* [sector, sector + sectors) is on the disk. */
static bool blk_on_disk(const struct blk *blk, uint64_t sector, uint64_t sectors)
{
	return sector <= blk->space.capacity && sectors <= blk->space.capacity - sector;
}

static enum blk_status blk_start(struct blk_request *request, enum disk_operation operation,
	uint64_t sector, uint64_t len)
{
	struct blk *blk = request->blk;

	request->io.operation = operation;
	request->io.offset = sector * BLK_SECTOR;
	request->io.len = len;
	request->io.done = blk_done;
	blk->under_way++;
	disk_queue(blk->disk, &request->io);
	return BLK_S_LATER;
}

static enum blk_status blk_transfer(struct blk_request *request, enum disk_operation operation,
	const struct blk_header *header, size_t len)
{
	if (len % BLK_SECTOR != 0 || len > BLK_REQUEST_MAX ||
		!blk_on_disk(request->blk, header->sector, len / BLK_SECTOR))
		return BLK_S_IOERR;
	if (len == 0)
		return BLK_S_OK;
	return blk_start(request, operation, header->sector, len);
}

static enum blk_status blk_in(struct blk_request *request, const struct blk_header *header)
{
	struct vq_chain *chain = &request->chain;
	struct iovec *last = &chain->segment[chain->n_out + chain->n_in - 1];
	size_t len = chain->in_len - 1;

	last->iov_len--; /* the status byte */
	request->io.iov = &chain->segment[chain->n_out];
	request->io.n_iov = chain->n_in - (last->iov_len == 0);
	request->written += (uint32_t)MIN(len, BLK_REQUEST_MAX);
	return blk_transfer(request, DISK_READ, header, len);
}

static enum blk_status blk_out(struct blk_request *request, const struct blk_header *header)
{
	struct vq_chain *chain = &request->chain;
	struct iovec *first = chain->segment;
	unsigned n = chain->n_out;
	size_t skip = sizeof(*header);
	bool flushes = request->blk->virtio.accepted & BLK_F_FLUSH;

	/* The header may lie in pieces, and share a buffer with the data. */
	while (n > 0 && skip >= first->iov_len) {
		skip -= first->iov_len;
		first++;
		n--;
	}
	if (n > 0) {
		first->iov_base = (uint8_t *)first->iov_base + skip;
		first->iov_len -= skip;
	}
	request->io.iov = first;
	request->io.n_iov = n;
	return blk_transfer(request, flushes ? DISK_WRITE : DISK_WRITE_THROUGH, header,
		chain->out_len - sizeof(*header));
}

static enum blk_status blk_flush(struct blk_request *request, const struct blk_header *header)
{
	return blk_start(request, DISK_FLUSH, 0, 0);
}

static enum blk_status blk_get_id(struct blk_request *request, const struct blk_header *header)
{
	struct blk *blk = request->blk;
	size_t room = request->chain.in_len - 1;

	request->written += (uint32_t)chain_write(&request->chain, 0, blk->id,
		MIN(room, sizeof(blk->id)));
	return BLK_S_OK;
}

static bool blk_read_erase(struct blk_request *request, struct blk_erase *erase)
{
	return request->chain.out_len == sizeof(struct blk_header) + sizeof(*erase) &&
		chain_read(&request->chain, sizeof(struct blk_header), erase, sizeof(*erase)) ==
			sizeof(*erase);
}

static enum blk_status blk_erase(struct blk_request *request, uint32_t flags_allowed, bool discard)
{
	struct blk_erase erase;

	if (!blk_read_erase(request, &erase))
		return BLK_S_IOERR;
	if (erase.flags & ~flags_allowed)
		return BLK_S_UNSUPP;
	if (erase.sectors > BLK_ERASE_MAX || !blk_on_disk(request->blk, erase.sector, erase.sectors))
		return BLK_S_IOERR;
	if (erase.sectors == 0)
		return BLK_S_OK;
	return blk_start(request, discard || (erase.flags & BLK_ERASE_UNMAP) ? DISK_PUNCH : DISK_ZERO,
		erase.sector, (uint64_t)erase.sectors * BLK_SECTOR);
}

static enum blk_status blk_discard(struct blk_request *request, const struct blk_header *header)
{
	return blk_erase(request, 0, true);
}

static enum blk_status blk_write_zeroes(struct blk_request *request,
	const struct blk_header *header)
{
	return blk_erase(request, BLK_ERASE_UNMAP, false);
}

static const struct {
	enum blk_status (*start)(struct blk_request *request, const struct blk_header *header);
	bool writes;
} blk_types[BLK_T_COUNT] = {
	[BLK_T_IN] = {.start = blk_in},
	[BLK_T_OUT] = {.start = blk_out, .writes = true},
	[BLK_T_FLUSH] = {.start = blk_flush},
	[BLK_T_GET_ID] = {.start = blk_get_id},
	[BLK_T_DISCARD] = {.start = blk_discard, .writes = true},
	[BLK_T_WRITE_ZEROES] = {.start = blk_write_zeroes, .writes = true},
};

static enum blk_status blk_dispatch(struct blk_request *request)
{
	bool read_only = request->blk->virtio.offered & BLK_F_RO;
	struct blk_header header;

	if (chain_read(&request->chain, 0, &header, sizeof(header)) != sizeof(header))
		return BLK_S_IOERR;
	if (header.type >= BLK_T_COUNT || !blk_types[header.type].start)
		return BLK_S_UNSUPP;
	if (read_only && blk_types[header.type].writes)
		return BLK_S_IOERR;
	return blk_types[header.type].start(request, &header);
}

/* False: there is not even a place for the status. */
static bool blk_begin(struct blk_request *request)
{
	struct vq_chain *chain = &request->chain;
	const struct iovec *last;
	enum blk_status status;

	if (chain->in_len == 0)
		return false;
	last = &chain->segment[chain->n_out + chain->n_in - 1];
	request->status = (uint8_t *)last->iov_base + last->iov_len - 1;
	request->written = 1;
	status = blk_dispatch(request);
	if (status != BLK_S_LATER)
		blk_answer(request, status);
	return true;
}

static bool blk_next(struct blk *blk)
{
	struct blk_request *request = blk_take(blk);

	if (virtio_pop(&blk->virtio, 0, &request->chain) != 1) {
		blk_give(blk, request);
		return false;
	}
	if (blk_begin(request))
		return true;
	virtio_needs_reset(&blk->virtio, "a request without a status byte");
	blk_give(blk, request);
	return false;
}

static bool blk_room(const struct blk *blk)
{
	return blk->under_way < DISK_DEPTH && !(blk->virtio.status & VIRTIO_NEEDS_RESET);
}

static void blk_serve(struct blk *blk)
{
	bool more = true;

	/* What ends while it is submitted makes room for more; but others use the thread as well. */
	for (unsigned turn = 0; more && blk_room(blk); turn++) {
		if (turn == BLK_TURNS) {
			if (blk->virtio.notify.kick)
				blk->virtio.notify.kick(&blk->virtio);
			break;
		}
		for (unsigned i = 0; i < DISK_DEPTH && blk_room(blk) && (more = blk_next(blk)); i++)
			;
		disk_submit(blk->disk);
	}
	virtio_interrupt(&blk->virtio, 0);
}

static void blk_kick(struct virtio_device *dev, unsigned q)
{
	blk_serve(blk_of(dev));
}

static void blk_event(void *data)
{
	struct blk *blk = data;

	g_mutex_lock(&blk->virtio.lock);
	disk_reap(blk->disk, false);
	if (blk->virtio.status & VIRTIO_DRIVER_OK)
		blk_serve(blk); /* some waited for a place, and the driver for its interrupt */
	g_mutex_unlock(&blk->virtio.lock);
}

static void blk_forget(struct virtio_device *dev)
{
	struct blk *blk = blk_of(dev);

	blk->resetting = true;
	disk_cancel(blk->disk);
	blk->resetting = false;
}

static void blk_config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned len)
{
	memcpy(to, (const uint8_t *)&blk_of(dev)->space + offset, len);
}

static const struct virtio_ops blk_ops = {
	.name = "virtio-blk",
	.id = 2,
	.pci_class = 0x01, /* mass storage, other */
	.pci_subclass = 0x80,
	.n_queues = 1,
	.queue_size = {256},
	.features = BLK_F_SEG_MAX | BLK_F_BLK_SIZE | BLK_F_FLUSH,
	.config_len = sizeof(struct blk_space),
	.reset = blk_forget,
	.kick = blk_kick,
	.config_read = blk_config_read,
};

static void blk_reset(struct device *device)
{
	struct blk *blk = (struct blk *)device;

	virtio_pci_reset(&blk->virtio);
	disk_reset(blk->disk);
}

static void blk_drain(struct device *device)
{
	struct blk *blk = (struct blk *)device;

	g_mutex_lock(&blk->virtio.lock);
	disk_reap(blk->disk, true);
	virtio_interrupt(&blk->virtio, 0);
	g_mutex_unlock(&blk->virtio.lock);
}

static void blk_state(struct device *device, struct state *state)
{
	struct blk *blk = (struct blk *)device;

	virtio_state(&blk->virtio, state);
	disk_state(blk->disk, state);
}

static void blk_destroy(struct device *device)
{
	struct blk *blk = (struct blk *)device;

	if (blk->disk)
		virtio_reset(&blk->virtio);
	virtio_detach_pci(&blk->virtio);
	disk_close(blk->disk);
	while (blk->free) {
		struct blk_request *request = blk->free;

		blk->free = request->next_free;
		g_free(request);
	}
	virtio_clear(&blk->virtio);
	g_free(blk);
}

static void blk_describe(struct blk *blk, const struct disk_config *config)
{
	blk->space.capacity = disk_size(blk->disk) / BLK_SECTOR;
	blk->space.seg_max = BLK_SEGMENTS;
	blk->space.blk_size = BLK_SECTOR;
	blk->space.num_queues = 1;
	disk_text(blk->id, config->serial ? config->serial : blk->device.instance, sizeof(blk->id));
	if (config->read_only) {
		blk->virtio.offered |= BLK_F_RO;
		return;
	}
	blk->virtio.offered |= BLK_F_DISCARD | BLK_F_WRITE_ZEROES;
	blk->space.max_discard_sectors = blk->space.max_write_zeroes_sectors = BLK_ERASE_MAX;
	blk->space.max_discard_seg = blk->space.max_write_zeroes_seg = 1;
	blk->space.discard_sector_alignment = 1;
	blk->space.write_zeroes_may_unmap = 1;
}

struct device *virtio_blk_new(struct machine *machine, const char *instance,
	const struct disk_config *config, GError **error)
{
	struct blk *blk = g_new0(struct blk, 1);

	blk->device = (struct device){
		.instance = instance,
		.reset = blk_reset,
		.drain = blk_drain,
		.state = blk_state,
		.destroy = blk_destroy,
	};
	virtio_init(&blk->virtio, &blk_ops, machine->memory, machine->io_context);
	blk->disk = disk_open(machine, instance, config, error);
	if (!blk->disk)
		goto fail;
	blk_describe(blk, config);
	disk_watch(blk->disk, machine->io_context, blk_event, blk);
	if (!virtio_attach_pci(machine, &blk->virtio, error))
		goto fail;
	if (config->boot_index > 0)
		fw_cfg_add_boot(machine, config->boot_index, virtio_pci_function(&blk->virtio),
			"scsi", "disk@0,0");
	return &blk->device;
fail:
	blk_destroy(&blk->device);
	return NULL;
}
