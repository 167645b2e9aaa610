/*
 * Raw files and block devices, on io_uring, with plain system calls as the way out where a sandbox
 * forbids io_uring. Both go through the same table of operations and the same continuation of short
 * transfers.
 *
 * What ends while it is submitted (a read from the page cache does) is answered in the same turn:
 * the thread is woken, by the ring's own descriptor, only for what ends later.
 */
#define G_LOG_DOMAIN "disk"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <liburing.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/disk_internal.h"
#include "vmm/error.h"

struct disk_file {
	struct disk disk; /* first */
	int fd;
	bool on_ring, registered;
	struct io_uring ring;
	unsigned under_way; /* queued and not reaped */
	GMainContext *context;
	GSource *source;
	GSource *again; /* the kernel took nothing: tried once more */
};

static const int punch_mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
static const int zero_mode = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;

static bool file_transfers(const struct disk_io *io)
{
	return io->operation == DISK_READ || io->operation == DISK_WRITE ||
		io->operation == DISK_WRITE_THROUGH;
}

static const struct {
	uint8_t opcode, single; /* with one buffer there is no array to copy */
	int mode;
	unsigned flags;
} file_how[] = {
	[DISK_READ] = {.opcode = IORING_OP_READV, .single = IORING_OP_READ},
	[DISK_WRITE] = {.opcode = IORING_OP_WRITEV, .single = IORING_OP_WRITE},
	[DISK_WRITE_THROUGH] = {.opcode = IORING_OP_WRITEV, .single = IORING_OP_WRITE,
		.flags = RWF_DSYNC},
	[DISK_FLUSH] = {.opcode = IORING_OP_FSYNC, .flags = IORING_FSYNC_DATASYNC},
	[DISK_PUNCH] = {.opcode = IORING_OP_FALLOCATE, .mode = punch_mode},
	[DISK_ZERO] = {.opcode = IORING_OP_FALLOCATE, .mode = zero_mode},
};

static void file_prepare(struct disk_file *file, struct io_uring_sqe *sqe, struct disk_io *io)
{
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = file_how[io->operation].opcode;
	sqe->fd = file->registered ? 0 : file->fd;
	sqe->flags = file->registered ? IOSQE_FIXED_FILE : 0;
	sqe->rw_flags = (int)file_how[io->operation].flags; /* one union with fsync_flags */
	if (file_transfers(io) && io->n_iov == 1) {
		sqe->opcode = file_how[io->operation].single;
		sqe->addr = (uintptr_t)io->iov->iov_base;
		sqe->len = (uint32_t)io->iov->iov_len;
		sqe->off = io->offset;
	} else if (file_transfers(io)) {
		sqe->addr = (uintptr_t)io->iov;
		sqe->len = io->n_iov;
		sqe->off = io->offset;
	} else if (io->operation != DISK_FLUSH) {
		sqe->addr = io->len;
		sqe->len = (uint32_t)file_how[io->operation].mode;
		sqe->off = io->offset;
	}
	io_uring_sqe_set_data(sqe, io);
}

static ssize_t file_call(struct disk_file *file, const struct disk_io *io)
{
	off_t offset = (off_t)io->offset;
	int n = (int)io->n_iov;
	ssize_t result = -1;

	switch (io->operation) {
	case DISK_READ:
		result = preadv(file->fd, io->iov, n, offset);
		break;
	case DISK_WRITE:
		result = pwritev(file->fd, io->iov, n, offset);
		break;
	case DISK_WRITE_THROUGH:
		result = pwritev2(file->fd, io->iov, n, offset, RWF_DSYNC);
		break;
	case DISK_FLUSH:
		result = fdatasync(file->fd);
		break;
	case DISK_PUNCH:
	case DISK_ZERO:
		result = fallocate(file->fd, file_how[io->operation].mode, offset, (off_t)io->len);
		break;
	}
	return result < 0 ? -errno : result;
}

/* True if the operation has ended; *result is then 0 or -errno. False: it goes on. */
static bool file_ended(struct disk_io *io, ssize_t *result)
{
	if (*result == -EINTR || *result == -EAGAIN)
		return false;
	if (*result == -EOPNOTSUPP && io->operation == DISK_ZERO) {
		io->operation = DISK_PUNCH; /* it reads as zeros as well, and more files can */
		return false;
	}
	if (*result < 0)
		return true;
	if (!file_transfers(io) || (uint64_t)*result >= io->len) {
		*result = 0;
		return true;
	}
	if (*result == 0) { /* somebody made the file shorter */
		*result = -EIO;
		return true;
	}
	disk_advance(io, (uint64_t)*result);
	return false;
}

static void file_run_now(struct disk_file *file, struct disk_io *io)
{
	ssize_t result;

	do
		result = file_call(file, io);
	while (!file_ended(io, &result));
	disk_ended(&file->disk, io, (int)result);
}

static void file_push(struct disk_file *file, struct disk_io *io)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&file->ring);

	if (!sqe) { /* depth exceeded, or the kernel took nothing yet */
		io_uring_submit(&file->ring);
		sqe = io_uring_get_sqe(&file->ring);
	}
	if (!sqe) {
		file->under_way--;
		io->done(io, -EBUSY);
		return;
	}
	file_prepare(file, sqe, io);
}

static void file_queue(struct disk *disk, struct disk_io *io)
{
	struct disk_file *file = (struct disk_file *)disk;

	if (!file->on_ring) {
		file_run_now(file, io);
		return;
	}
	file->under_way++;
	file_push(file, io);
}

static bool file_reap_one(struct disk_file *file)
{
	struct io_uring_cqe *cqe;
	struct disk_io *io;
	ssize_t result;

	if (io_uring_peek_cqe(&file->ring, &cqe) != 0)
		return false;
	io = io_uring_cqe_get_data(cqe);
	result = cqe->res;
	io_uring_cqe_seen(&file->ring, cqe);
	if (!file_ended(io, &result)) {
		file_push(file, io);
		return true;
	}
	file->under_way--;
	disk_ended(&file->disk, io, (int)result);
	return true;
}

static gboolean file_again(gpointer data)
{
	struct disk_file *file = data;

	g_clear_pointer(&file->again, g_source_unref);
	disk_ready(&file->disk);
	return G_SOURCE_REMOVE;
}

/* The kernel is out of something for now: come back in a millisecond. */
static void file_later(struct disk_file *file)
{
	if (file->again || !file->context)
		return;
	file->again = g_timeout_source_new(1);
	g_source_set_callback(file->again, file_again, file, NULL);
	g_source_attach(file->again, file->context);
}

static void file_submit(struct disk *disk)
{
	struct disk_file *file = (struct disk_file *)disk;

	if (!file->on_ring || io_uring_sq_ready(&file->ring) == 0)
		return;
	if (io_uring_submit(&file->ring) < 0)
		file_later(file);
	while (file_reap_one(file))
		;
	if (io_uring_sq_ready(&file->ring) > 0 && io_uring_submit(&file->ring) < 0)
		file_later(file); /* rests of short transfers */
}

static void file_reap(struct disk *disk, bool wait)
{
	struct disk_file *file = (struct disk_file *)disk;

	if (!file->on_ring)
		return;
	while (file_reap_one(file))
		;
	while (wait && file->under_way > 0) {
		/* EINTR, EAGAIN and EBUSY pass; there is no other way to know the pages are ours. */
		if (io_uring_submit_and_wait(&file->ring, 1) < 0)
			g_usleep(100);
		while (file_reap_one(file))
			;
	}
	file_submit(disk);
}

static bool file_busy(struct disk *disk)
{
	return ((struct disk_file *)disk)->under_way > 0;
}

static gboolean file_event(gint fd, GIOCondition condition, gpointer data)
{
	struct disk_file *file = data;

	disk_ready(&file->disk);
	return G_SOURCE_CONTINUE;
}

static void file_watch(struct disk *disk, GMainContext *context)
{
	struct disk_file *file = (struct disk_file *)disk;

	if (!file->on_ring)
		return;
	file->context = context;
	file->source = g_unix_fd_source_new(file->ring.ring_fd, G_IO_IN);
	g_source_set_callback(file->source, G_SOURCE_FUNC(file_event), file, NULL);
	g_source_attach(file->source, context);
}

static void file_close(struct disk *disk)
{
	struct disk_file *file = (struct disk_file *)disk;

	if (file->source) {
		g_source_destroy(file->source);
		g_source_unref(file->source);
	}
	if (file->again) {
		g_source_destroy(file->again);
		g_source_unref(file->again);
	}
	/* The ring lets go of the file later, by itself: the lock must not wait for that. */
	flock(file->fd, LOCK_UN);
	if (file->on_ring)
		io_uring_queue_exit(&file->ring);
	close(file->fd);
	g_free(file);
}

static const struct disk_layer_ops disk_file_ops = {
	.queue = file_queue,
	.submit = file_submit,
	.reap = file_reap,
	.busy = file_busy,
	.watch = file_watch,
	.close = file_close,
};

static bool file_measure(struct disk_file *file, const char *path, GError **error)
{
	struct stat status;

	if (fstat(file->fd, &status) < 0)
		return !!disk_fail(error, path, "cannot be looked at", errno);
	if (S_ISREG(status.st_mode))
		file->disk.size = (uint64_t)status.st_size;
	else if (ioctl(file->fd, BLKGETSIZE64, &file->disk.size) < 0)
		return !!disk_fail(error, path, "cannot be measured", errno);
	if (file->disk.size < DISK_SECTOR)
		return fail_as(error, EX_DATAERR, "disk %s: %s", path, file->disk.size ?
			"is smaller than one sector" : "is empty");
	if (file->disk.size % DISK_SECTOR)
		return fail_as(error, EX_DATAERR, "disk %s: its size, %" G_GUINT64_FORMAT
			" bytes, is not a multiple of %u: not a raw image, or cut off",
			path, file->disk.size, DISK_SECTOR);
	return true;
}

static void file_start_ring(struct disk_file *file, const char *path)
{
	int result = io_uring_queue_init(DISK_DEPTH, &file->ring, IORING_SETUP_COOP_TASKRUN);

	if (result == -EINVAL) /* an older kernel */
		result = io_uring_queue_init(DISK_DEPTH, &file->ring, 0);
	if (result < 0) {
		g_message("disk %s: no io_uring (%s), slower without", path, g_strerror(-result));
		return;
	}
	io_uring_ring_dontfork(&file->ring);
	file->on_ring = true;
	file->registered = io_uring_register_files(&file->ring, &file->fd, 1) == 0;
}

struct disk *disk_file_new(int fd, const char *path, bool read_only, bool uring, GError **error)
{
	struct disk_file *file = g_new0(struct disk_file, 1);

	file->disk.ops = &disk_file_ops;
	file->disk.read_only = read_only;
	file->fd = fd;
	if (!file_measure(file, path, error)) {
		file_close(&file->disk);
		return NULL;
	}
	if (uring)
		file_start_ring(file, path);
	return &file->disk;
}

static bool file_check_kind(const struct stat *status, const char *path, GError **error)
{
	if (S_ISDIR(status->st_mode))
		return !!disk_fail(error, path, "cannot be a disk", EISDIR);
	if (!S_ISREG(status->st_mode) && !S_ISBLK(status->st_mode))
		return fail_as(error, EX_NOINPUT, "disk %s: neither a file nor a block device",
			path);
	return true;
}

int disk_file_look(const char *path, bool read_only, GError **error)
{
	struct stat status;
	int fd;

	/* Before it is opened: an image may name any file as its backing file, and there are devices
	 * (a watchdog) that must not even be opened. */
	if (stat(path, &status) == 0 && !file_check_kind(&status, path, error))
		return -1;
	fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) < 0)
		disk_fail(error, path, "cannot be opened", errno);
	else if (file_check_kind(&status, path, error))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int disk_file_open(const char *path, bool read_only, GError **error)
{
	int fd = disk_file_look(path, read_only, error);

	if (fd < 0)
		return -1;
	if (flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0) {
		/* Only the open was not to hang; io_uring takes O_NONBLOCK for "fail rather than
		 * wait for the disk". */
		fcntl(fd, F_SETFL, 0);
		return fd;
	}
	if (errno == EWOULDBLOCK)
		fail_as(error, EX_TEMPFAIL, "disk %s: is in use by another guest%s", path,
			read_only ? " that writes to it" : "");
	else
		disk_fail(error, path, "cannot be locked", errno);
	close(fd);
	return -1;
}
