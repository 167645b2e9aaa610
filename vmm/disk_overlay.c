/*
 * An overlay that is thrown away (Ephemeral=yes): what the guest writes goes to a file that has no
 * name, a bitmap says which sectors are there, all others are read from the base. At a reset of the
 * machine both are emptied; at our end, however it comes, they are gone with us.
 *
 * A request is carried out run by run, one after the other, so that what it needs does not depend on
 * how its sectors lie. A flush promises nothing here: what is written does not outlive us.
 */
#define G_LOG_DOMAIN "disk"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/disk_internal.h"
#include "vmm/state.h"

enum overlay_limits {
	OVERLAY_CHUNK = 1 << 20,         /* of a saved overlay */
	OVERLAY_SAVED_MAX = 512 << 20,   /* bytes that are put in a saved guest */
};

struct overlay;

/* A request on its way; the child is the run that is under way. */
struct overlay_work {
	struct disk_io child; /* first */
	struct overlay *overlay;
	struct disk_io *parent;
	struct overlay_work *next_free;
	uint64_t len; /* of the run; the child's own shrinks as it is carried out */
	bool inside, ended; /* the child was started by overlay_run, and has ended in there */
	int result;
	struct iovec iov[DISK_SEGMENTS];
};

struct overlay {
	struct disk disk; /* first */
	struct disk *base, *scratch;
	int fd; /* the scratch file's */
	uint8_t *bitmap; /* a bit a sector: it is in the scratch file */
	size_t bitmap_len;
	uint64_t used, max; /* bytes, as last measured and added to since */
	uint64_t writing;   /* bytes of writes that are under way, and so not measured */
	unsigned refusals;
	struct overlay_work *free;
};

static bool overlay_has(const struct overlay *overlay, uint64_t sector)
{
	return overlay->bitmap[sector / 8] >> (sector % 8) & 1;
}

static void overlay_set(struct overlay *overlay, uint64_t sector, uint64_t n)
{
	for (; n > 0 && sector % 8; sector++, n--)
		overlay->bitmap[sector / 8] |= (uint8_t)(1 << (sector % 8));
	if (n / 8 > 0)
		memset(overlay->bitmap + sector / 8, 0xff, n / 8);
	for (sector += n / 8 * 8, n %= 8; n > 0; sector++, n--)
		overlay->bitmap[sector / 8] |= (uint8_t)(1 << (sector % 8));
}

/* Bytes from `offset` on, at most len, that lie on the same side. */
static uint64_t overlay_extent(const struct overlay *overlay, uint64_t offset, uint64_t len)
{
	uint64_t sector = offset / DISK_SECTOR, n = len / DISK_SECTOR, i = 1;
	bool has = overlay_has(overlay, sector);

	while (i < n && overlay_has(overlay, sector + i) == has)
		i++;
	return i * DISK_SECTOR;
}

static struct overlay_work *overlay_take(struct overlay *overlay)
{
	struct overlay_work *work = overlay->free;

	if (work)
		overlay->free = work->next_free;
	else
		work = g_new(struct overlay_work, 1); /* as many as requests at once */
	work->overlay = overlay;
	return work;
}

static bool overlay_writes(const struct disk_io *io)
{
	return io->operation == DISK_WRITE || io->operation == DISK_WRITE_THROUGH;
}

static void overlay_end(struct overlay_work *work, int result)
{
	struct disk_io *parent = work->parent;

	if (overlay_writes(parent)) /* in one run */
		work->overlay->writing -= parent->len;
	work->next_free = work->overlay->free;
	work->overlay->free = work;
	parent->done(parent, result);
}

/* The parent's buffers as far as the child's length goes. */
static void overlay_slice(struct overlay_work *work)
{
	struct disk_io *child = &work->child;
	uint64_t left = child->len;

	child->iov = work->iov;
	child->n_iov = 0;
	for (unsigned i = 0; left > 0 && i < work->parent->n_iov; i++) {
		struct iovec part = work->parent->iov[i];

		part.iov_len = MIN(part.iov_len, left);
		left -= part.iov_len;
		work->iov[child->n_iov++] = part;
	}
}

static void overlay_done(struct disk_io *io, int result);

/* Starts the next run of a request that has one. */
static void overlay_start(struct overlay_work *work)
{
	struct overlay *overlay = work->overlay;
	struct disk_io *child = &work->child, *parent = work->parent;
	struct disk *layer = overlay->scratch;

	*child = (struct disk_io){
		.operation = parent->operation,
		.offset = parent->offset,
		.len = parent->len,
		.done = overlay_done,
	};
	if (parent->operation == DISK_READ) {
		child->len = overlay_extent(overlay, parent->offset, parent->len);
		if (!overlay_has(overlay, parent->offset / DISK_SECTOR))
			layer = overlay->base;
	} else if (parent->operation == DISK_WRITE_THROUGH) {
		child->operation = DISK_WRITE;
	} else if (parent->operation == DISK_ZERO) {
		child->operation = DISK_PUNCH;
	}
	work->len = child->len;
	if (child->operation != DISK_PUNCH)
		overlay_slice(work);
	layer->ops->queue(layer, child);
}

/* Takes in the result of a run; true if there is another. */
static bool overlay_next(struct overlay_work *work)
{
	struct disk_io *parent = work->parent;

	if (work->result < 0) {
		overlay_end(work, work->result);
		return false;
	}
	if (parent->operation != DISK_READ)
		overlay_set(work->overlay, parent->offset / DISK_SECTOR, work->len / DISK_SECTOR);
	if (work->len < parent->len) {
		disk_advance(parent, work->len);
		return true;
	}
	overlay_end(work, 0);
	return false;
}

/* Runs until a run takes its time. A loop and not a recursion: runs may be many, and end at once. */
static void overlay_run(struct overlay_work *work)
{
	do {
		work->inside = true;
		work->ended = false;
		overlay_start(work);
		if (!work->ended) {
			work->inside = false;
			return;
		}
	} while (overlay_next(work));
}

static void overlay_done(struct disk_io *io, int result)
{
	struct overlay_work *work = (struct overlay_work *)io;

	work->result = result;
	if (work->inside)
		work->ended = true;
	else if (overlay_next(work))
		overlay_run(work);
}

/* What is in the scratch file, as the host counts it. */
static void overlay_measure(struct overlay *overlay)
{
	struct stat status;

	if (fstat(overlay->fd, &status) == 0)
		overlay->used = (uint64_t)status.st_blocks * 512 + overlay->writing;
}

/* Room for so many bytes more? Holes that discards have made are seen when it gets tight. */
static bool overlay_room(struct overlay *overlay, uint64_t len)
{
	unsigned n;

	if (overlay->used + len > overlay->max)
		overlay_measure(overlay);
	if (overlay->used + len <= overlay->max) {
		overlay->used += len;
		overlay->writing += len;
		return true;
	}
	n = ++overlay->refusals;
	if ((n & (n - 1)) == 0)
		g_warning("%s: what the guest has written since its start has reached EphemeralMax= "
			  "(%u writes refused)",
			overlay->disk.guard ? overlay->disk.guard->name : "disk", n);
	return false;
}

static void overlay_queue(struct disk *disk, struct disk_io *io)
{
	struct overlay *overlay = (struct overlay *)disk;
	struct overlay_work *work;

	if (io->operation == DISK_FLUSH) {
		io->done(io, 0);
		return;
	}
	if (overlay_writes(io) && !overlay_room(overlay, io->len)) {
		io->done(io, -EFBIG);
		return;
	}
	work = overlay_take(overlay);
	work->parent = io;
	overlay_run(work);
}

static void overlay_submit(struct disk *disk)
{
	struct overlay *overlay = (struct overlay *)disk;

	overlay->scratch->ops->submit(overlay->scratch);
	overlay->base->ops->submit(overlay->base);
}

/* What ends in one may begin in the other. */
static void overlay_reap(struct disk *disk, bool wait)
{
	struct overlay *overlay = (struct overlay *)disk;

	for (unsigned i = 0; i < (wait ? 2u : 1u); i++) {
		overlay->scratch->ops->reap(overlay->scratch, wait);
		overlay->base->ops->reap(overlay->base, wait);
	}
	while (wait && (overlay->scratch->ops->busy(overlay->scratch) ||
			       overlay->base->ops->busy(overlay->base))) {
		overlay->scratch->ops->reap(overlay->scratch, true);
		overlay->base->ops->reap(overlay->base, true);
	}
}

static bool overlay_busy(struct disk *disk)
{
	struct overlay *overlay = (struct overlay *)disk;

	return overlay->scratch->ops->busy(overlay->scratch) ||
		overlay->base->ops->busy(overlay->base);
}

static void overlay_watch(struct disk *disk, GMainContext *context)
{
	struct overlay *overlay = (struct overlay *)disk;

	overlay->scratch->guard = overlay->base->guard = disk->guard;
	overlay->scratch->ops->watch(overlay->scratch, context);
	overlay->base->ops->watch(overlay->base, context);
}

static void overlay_reset(struct disk *disk)
{
	struct overlay *overlay = (struct overlay *)disk;

	if (ftruncate(overlay->fd, 0) < 0 || ftruncate(overlay->fd, (off_t)disk->size) < 0)
		g_warning("disk: an overlay could not be emptied: %s", g_strerror(errno));
	madvise(overlay->bitmap, overlay->bitmap_len, MADV_DONTNEED);
	overlay->used = 0;
}

/* The 64 sectors from `offset` on are all in the base. */
static bool overlay_untouched(const struct overlay *overlay, uint64_t offset)
{
	uint64_t word;

	if (offset % (64 * DISK_SECTOR) || overlay->disk.size - offset < 64 * DISK_SECTOR)
		return false;
	memcpy(&word, overlay->bitmap + offset / DISK_SECTOR / 8, sizeof(word));
	return !word;
}

static void overlay_save(struct overlay *overlay, struct state *state)
{
	uint64_t end = UINT64_MAX, at = 0, total = 0;
	uint8_t *data = g_malloc(OVERLAY_CHUNK);

	while (at < overlay->disk.size && !state_failed(state)) {
		size_t len;

		if (overlay_untouched(overlay, at)) {
			at += 64 * DISK_SECTOR;
			continue;
		}
		len = overlay_extent(overlay, at, MIN(OVERLAY_CHUNK, overlay->disk.size - at));

		if (overlay_has(overlay, at / DISK_SECTOR)) {
			total += len;
			if (total > OVERLAY_SAVED_MAX)
				state_fail(state, "an ephemeral disk has more changes than can be saved");
			else if (pread(overlay->fd, data, len, (off_t)at) != (ssize_t)len)
				state_fail(state, "an ephemeral disk cannot be read");
			state_bytes(state, "overlay", &at, sizeof(at));
			state_blob(state, "sectors", &data, &len, OVERLAY_CHUNK);
		}
		at += len;
	}
	state_bytes(state, "overlay", &end, sizeof(end));
	g_free(data);
}

static void overlay_load(struct overlay *overlay, struct state *state)
{
	uint64_t at = UINT64_MAX, size = overlay->disk.size;
	uint8_t *data = NULL;
	size_t len = 0;

	while (!state_failed(state)) {
		state_bytes(state, "overlay", &at, sizeof(at));
		if (at == UINT64_MAX || state_failed(state))
			break;
		state_blob(state, "sectors", &data, &len, OVERLAY_CHUNK);
		if (state_failed(state))
			break;
		if (at % DISK_SECTOR || len % DISK_SECTOR || len == 0 || at >= size || len > size - at)
			state_fail(state, "sectors that the disk has not got");
		else if (pwrite(overlay->fd, data, len, (off_t)at) != (ssize_t)len)
			state_fail(state, "an ephemeral disk cannot be written");
		else
			overlay_set(overlay, at / DISK_SECTOR, len / DISK_SECTOR);
	}
	g_free(data);
}

static void overlay_state(struct disk *disk, struct state *state)
{
	struct overlay *overlay = (struct overlay *)disk;

	if (overlay->base->ops->state)
		overlay->base->ops->state(overlay->base, state);
	if (!state_loading(state)) {
		overlay_save(overlay, state);
		return;
	}
	overlay_load(overlay, state);
	overlay_measure(overlay);
}

static void overlay_close(struct disk *disk)
{
	struct overlay *overlay = (struct overlay *)disk;

	if (overlay->scratch)
		overlay->scratch->ops->close(overlay->scratch);
	if (overlay->base)
		overlay->base->ops->close(overlay->base);
	if (overlay->bitmap)
		munmap(overlay->bitmap, overlay->bitmap_len);
	while (overlay->free) {
		struct overlay_work *work = overlay->free;

		overlay->free = work->next_free;
		g_free(work);
	}
	g_free(overlay);
}

static const struct disk_layer_ops overlay_ops = {
	.queue = overlay_queue,
	.submit = overlay_submit,
	.reap = overlay_reap,
	.busy = overlay_busy,
	.watch = overlay_watch,
	.reset = overlay_reset,
	.state = overlay_state,
	.close = overlay_close,
};

/* A file without a name; file systems that cannot make one get one that loses it at once. */
static int overlay_scratch(const char *folder)
{
	g_autofree char *path = g_build_filename(folder, "irori-overlay-XXXXXX", NULL);
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static bool overlay_make(struct overlay *overlay, const char *folder, bool uring, GError **error)
{
	overlay->bitmap_len = overlay->disk.size / DISK_SECTOR / 8 + 1;
	overlay->bitmap = mmap(NULL, overlay->bitmap_len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (overlay->bitmap == MAP_FAILED) {
		overlay->bitmap = NULL;
		return !!disk_fail(error, folder, "no memory for an overlay's bitmap", errno);
	}
	overlay->fd = overlay_scratch(folder);
	if (overlay->fd < 0)
		return !!disk_fail(error, folder, "no place for an ephemeral disk", errno);
	if (ftruncate(overlay->fd, (off_t)overlay->disk.size) < 0) {
		disk_fail(error, folder, "an ephemeral disk of this size cannot be", errno);
		close(overlay->fd);
		return false;
	}
	overlay->scratch = disk_file_new(overlay->fd, folder, false, uring, error);
	return overlay->scratch;
}

struct disk *disk_overlay_new(struct disk *base, const char *folder, uint64_t max, bool uring,
	GError **error)
{
	struct overlay *overlay = g_new0(struct overlay, 1);

	overlay->disk.ops = &overlay_ops;
	overlay->disk.size = base->size;
	overlay->base = base;
	overlay->max = max;
	if (overlay_make(overlay, folder, uring, error))
		return &overlay->disk;
	overlay_close(&overlay->disk);
	return NULL;
}
