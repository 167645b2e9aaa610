/*
 * virtio-blk: one queue, raw files. A request is checked here and carried out by virtio_blk_file.c;
 * up to BLK_FILE_DEPTH are under way, the rest wait in the ring. Whatever goes wrong with the file
 * is an I/O error of the guest's disk and nothing worse. Source: virtio 1.2, section 5.2.
 *
 * A reset waits for what is under way: after it nothing of ours writes to guest memory any more.
 *
 * Thread: the I/O context; reset also on vCPU threads and the main thread, under the device's lock.
 */
#define G_LOG_DOMAIN "virtio-blk"

#include <errno.h>
#include <glib-unix.h>
#include <stddef.h>
#include <string.h>

#include "vmm/machine.h"
#include "vmm/virtio_blk_file.h"
#include "vmm/virtio_pci.h"

enum blk_numbers {
	BLK_SECTOR = 512,
	BLK_ID_LEN = 20,
	BLK_SEGMENTS = VIRTQUEUE_MAX_SEGMENTS - 2,
	BLK_REQUEST_MAX = 64 << 20,         /* bytes in one request */
	BLK_ERASE_MAX = 1 << 22,            /* sectors in one discard, write-zeroes */
	BLK_ERASE_UNMAP = 1,
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

struct blk_config {
	char *path;
	bool read_only;
	unsigned engine;
};

struct blk;

struct blk_request {
	struct blk_io io;
	struct blk *blk;
	struct blk_request *next_free;
	struct vq_chain chain; /* segments are cut to the data once the header is read */
	uint8_t *status;       /* in guest memory */
	uint32_t written;      /* to in-buffers if all goes well, the status byte counted */
};

struct blk {
	struct device device;
	struct virtio_device virtio;
	struct blk_file *file;
	GSource *source;
	struct blk_space space;
	char id[BLK_ID_LEN];
	struct blk_request *free;
	unsigned under_way;
	bool resetting;
	unsigned errors;
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
		request = g_new(struct blk_request, 1); /* BLK_FILE_DEPTH of them at most */
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

static void blk_done(struct blk_io *io, int result)
{
	struct blk_request *request = (struct blk_request *)io;
	struct blk *blk = request->blk;

	blk->under_way--;
	if (result < 0 && result != -EOPNOTSUPP) {
		unsigned n = ++blk->errors;

		/* The 1st, 2nd, 4th, ... error. */
		if ((n & (n - 1)) == 0)
			g_warning("disk %s: %s (%u errors so far)", blk->device.instance,
				g_strerror(-result), n);
	}
	blk_answer(request,
		result == 0 ? BLK_S_OK : result == -EOPNOTSUPP ? BLK_S_UNSUPP : BLK_S_IOERR);
}

/* [sector, sector + sectors) is on the disk. */
static bool blk_on_disk(const struct blk *blk, uint64_t sector, uint64_t sectors)
{
	return sector <= blk->space.capacity && sectors <= blk->space.capacity - sector;
}

static enum blk_status blk_start(struct blk_request *request, enum blk_operation operation,
	uint64_t sector, uint64_t len)
{
	struct blk *blk = request->blk;

	request->io.operation = operation;
	request->io.offset = sector * BLK_SECTOR;
	request->io.len = len;
	request->io.done = blk_done;
	blk->under_way++;
	blk_file_queue(blk->file, &request->io);
	return BLK_S_LATER;
}

static enum blk_status blk_transfer(struct blk_request *request, enum blk_operation operation,
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
	return blk_transfer(request, BLK_READ, header, len);
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
	return blk_transfer(request, flushes ? BLK_WRITE : BLK_WRITE_THROUGH, header,
		chain->out_len - sizeof(*header));
}

static enum blk_status blk_flush(struct blk_request *request, const struct blk_header *header)
{
	return blk_start(request, BLK_FLUSH, 0, 0);
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
	return blk_start(request, discard || (erase.flags & BLK_ERASE_UNMAP) ? BLK_PUNCH : BLK_ZERO,
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

static void blk_serve(struct blk *blk)
{
	while (blk->under_way < BLK_FILE_DEPTH && !(blk->virtio.status & VIRTIO_NEEDS_RESET) &&
		blk_next(blk))
		;
	blk_file_submit(blk->file);
	virtio_interrupt(&blk->virtio, 0);
}

static void blk_kick(struct virtio_device *dev, unsigned q)
{
	blk_serve(blk_of(dev));
}

static gboolean blk_event(gint fd, GIOCondition condition, gpointer data)
{
	struct blk *blk = data;

	g_mutex_lock(&blk->virtio.lock);
	blk_file_reap(blk->file, false);
	if (blk->virtio.status & VIRTIO_DRIVER_OK)
		blk_serve(blk); /* some waited for a place, and the driver for its interrupt */
	g_mutex_unlock(&blk->virtio.lock);
	return G_SOURCE_CONTINUE;
}

static void blk_forget(struct virtio_device *dev)
{
	struct blk *blk = blk_of(dev);

	blk->resetting = true;
	blk_file_reap(blk->file, true);
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
	virtio_pci_reset(&((struct blk *)device)->virtio);
}

static void blk_destroy(struct device *device)
{
	struct blk *blk = (struct blk *)device;

	if (blk->file)
		virtio_reset(&blk->virtio);
	virtio_detach_pci(&blk->virtio);
	if (blk->source) {
		g_source_destroy(blk->source);
		g_source_unref(blk->source);
	}
	blk_file_close(blk->file);
	while (blk->free) {
		struct blk_request *request = blk->free;

		blk->free = request->next_free;
		g_free(request);
	}
	virtio_clear(&blk->virtio);
	g_free(blk);
}

static void blk_describe(struct blk *blk, bool read_only)
{
	blk->space.capacity = blk_file_size(blk->file) / BLK_SECTOR;
	blk->space.seg_max = BLK_SEGMENTS;
	blk->space.blk_size = BLK_SECTOR;
	blk->space.num_queues = 1;
	strncpy(blk->id, blk->device.instance, sizeof(blk->id) - 1);
	if (read_only) {
		blk->virtio.offered |= BLK_F_RO;
		return;
	}
	blk->virtio.offered |= BLK_F_DISCARD | BLK_F_WRITE_ZEROES;
	blk->space.max_discard_sectors = blk->space.max_write_zeroes_sectors = BLK_ERASE_MAX;
	blk->space.max_discard_seg = blk->space.max_write_zeroes_seg = 1;
	blk->space.discard_sector_alignment = 1;
	blk->space.write_zeroes_may_unmap = 1;
}

static void blk_listen(struct blk *blk)
{
	if (blk_file_fd(blk->file) < 0)
		return;
	blk->source = g_unix_fd_source_new(blk_file_fd(blk->file), G_IO_IN);
	g_source_set_callback(blk->source, G_SOURCE_FUNC(blk_event), blk, NULL);
	g_source_attach(blk->source, blk->virtio.context);
}

enum blk_engine {
	BLK_ENGINE_AUTO,
	BLK_ENGINE_SYNC,
};

static const char *const blk_engines[] = {"auto", "sync", NULL};

static const struct property blk_properties[] = {
	{
		.key = "Path",
		.type = PROPERTY_PATH,
		.offset = offsetof(struct blk_config, path),
		.help = "a raw image or a block device",
		.required = true,
	},
	{
		.key = "ReadOnly",
		.type = PROPERTY_BOOL,
		.offset = offsetof(struct blk_config, read_only),
		.fallback = "no",
		.help = "the guest cannot write to it; several guests may share it",
	},
	{
		.key = "Engine",
		.type = PROPERTY_ENUM,
		.offset = offsetof(struct blk_config, engine),
		.fallback = "auto",
		.help = "auto: io_uring if the host lets us; sync: never",
		.values = blk_engines,
	},
	{0},
};

static struct device *blk_create(struct machine *machine, const char *instance,
	const void *config, GError **error);

static const struct device_type virtio_blk = {
	.section = "Disk",
	.help = "a disk (virtio-blk)",
	.properties = blk_properties,
	.config_size = sizeof(struct blk_config),
	.create = blk_create,
};

static struct device *blk_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	const struct blk_config *blk_config = config;
	struct blk *blk = g_new0(struct blk, 1);

	blk->device = (struct device){
		.type = &virtio_blk,
		.instance = instance,
		.reset = blk_reset,
		.destroy = blk_destroy,
	};
	virtio_init(&blk->virtio, &blk_ops, machine->memory, machine->io_context);
	blk->file = blk_file_open(blk_config->path, blk_config->read_only,
		blk_config->engine == BLK_ENGINE_AUTO, error);
	if (!blk->file)
		goto fail;
	blk_describe(blk, blk_config->read_only);
	blk_listen(blk);
	if (!virtio_attach_pci(machine, &blk->virtio, error))
		goto fail;
	return &blk->device;
fail:
	blk_destroy(&blk->device);
	return NULL;
}

DEVICE_REGISTER(virtio_blk);
