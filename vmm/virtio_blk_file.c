/*
 * Disk files on io_uring, with plain system calls as the way out where a sandbox forbids io_uring.
 * Both go through the same table of operations and the same continuation of short transfers.
 */
#define G_LOG_DOMAIN "virtio-blk"

#include "vmm/virtio_blk_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <liburing.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct blk_file {
	int fd;
	int event; /* -1: no io_uring */
	uint64_t size;
	struct io_uring ring;
	unsigned under_way; /* queued and not reaped */
};

static const int punch_mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
static const int zero_mode = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;

static bool blk_transfers(const struct blk_io *io)
{
	return io->operation == BLK_READ || io->operation == BLK_WRITE ||
		io->operation == BLK_WRITE_THROUGH;
}

static void blk_prepare(struct blk_file *file, struct io_uring_sqe *sqe, struct blk_io *io)
{
	static const struct {
		uint8_t opcode;
		int mode;
		unsigned flags;
	} how[] = {
		[BLK_READ] = {.opcode = IORING_OP_READV},
		[BLK_WRITE] = {.opcode = IORING_OP_WRITEV},
		[BLK_WRITE_THROUGH] = {.opcode = IORING_OP_WRITEV, .flags = RWF_DSYNC},
		[BLK_FLUSH] = {.opcode = IORING_OP_FSYNC, .flags = IORING_FSYNC_DATASYNC},
		[BLK_PUNCH] = {.opcode = IORING_OP_FALLOCATE, .mode = punch_mode},
		[BLK_ZERO] = {.opcode = IORING_OP_FALLOCATE, .mode = zero_mode},
	};

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = how[io->operation].opcode;
	sqe->fd = file->fd;
	sqe->rw_flags = (int)how[io->operation].flags; /* one union with fsync_flags */
	if (blk_transfers(io)) {
		sqe->addr = (uintptr_t)io->iov;
		sqe->len = io->n_iov;
		sqe->off = io->offset;
	} else if (io->operation != BLK_FLUSH) {
		sqe->addr = io->len;
		sqe->len = (uint32_t)how[io->operation].mode;
		sqe->off = io->offset;
	}
	io_uring_sqe_set_data(sqe, io);
}

static ssize_t blk_call(struct blk_file *file, const struct blk_io *io)
{
	off_t offset = (off_t)io->offset;
	int n = (int)io->n_iov;
	ssize_t result = -1;

	switch (io->operation) {
	case BLK_READ:
		result = preadv(file->fd, io->iov, n, offset);
		break;
	case BLK_WRITE:
		result = pwritev(file->fd, io->iov, n, offset);
		break;
	case BLK_WRITE_THROUGH:
		result = pwritev2(file->fd, io->iov, n, offset, RWF_DSYNC);
		break;
	case BLK_FLUSH:
		result = fdatasync(file->fd);
		break;
	case BLK_PUNCH:
		result = fallocate(file->fd, punch_mode, offset, (off_t)io->len);
		break;
	case BLK_ZERO:
		result = fallocate(file->fd, zero_mode, offset, (off_t)io->len);
		break;
	}
	return result < 0 ? -errno : result;
}

/* What `moved` bytes have left over. */
static void blk_advance(struct blk_io *io, uint64_t moved)
{
	io->offset += moved;
	io->len -= moved;
	while (io->n_iov > 0 && moved >= io->iov->iov_len) {
		moved -= io->iov->iov_len;
		io->iov++;
		io->n_iov--;
	}
	if (io->n_iov > 0) {
		io->iov->iov_base = (uint8_t *)io->iov->iov_base + moved;
		io->iov->iov_len -= moved;
	}
}

/* True if the operation has ended; *result is then 0 or -errno. False: it goes on. */
static bool blk_ended(struct blk_io *io, ssize_t *result)
{
	if (*result == -EINTR || *result == -EAGAIN)
		return false;
	if (*result < 0)
		return true;
	if (!blk_transfers(io) || (uint64_t)*result >= io->len) {
		*result = 0;
		return true;
	}
	if (*result == 0) { /* somebody made the file shorter */
		*result = -EIO;
		return true;
	}
	blk_advance(io, (uint64_t)*result);
	return false;
}

static void blk_run_now(struct blk_file *file, struct blk_io *io)
{
	ssize_t result;

	do
		result = blk_call(file, io);
	while (!blk_ended(io, &result));
	io->done(io, (int)result);
}

static void blk_push_sqe(struct blk_file *file, struct blk_io *io)
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
	blk_prepare(file, sqe, io);
}

void blk_file_queue(struct blk_file *file, struct blk_io *io)
{
	if (file->event < 0) {
		blk_run_now(file, io);
		return;
	}
	file->under_way++;
	blk_push_sqe(file, io);
}

void blk_file_submit(struct blk_file *file)
{
	uint64_t one = 1;

	if (file->event < 0 || io_uring_sq_ready(&file->ring) == 0)
		return;
	/* The kernel is out of something for now: come back by way of our own event. */
	if (io_uring_submit(&file->ring) < 0 && write(file->event, &one, sizeof(one)) < 0)
		g_debug("event: %s", g_strerror(errno));
}

static bool blk_reap_one(struct blk_file *file)
{
	struct io_uring_cqe *cqe;
	struct blk_io *io;
	ssize_t result;

	if (io_uring_peek_cqe(&file->ring, &cqe) != 0)
		return false;
	io = io_uring_cqe_get_data(cqe);
	result = cqe->res;
	io_uring_cqe_seen(&file->ring, cqe);
	if (!blk_ended(io, &result)) {
		blk_push_sqe(file, io);
		return true;
	}
	file->under_way--;
	io->done(io, (int)result);
	return true;
}

void blk_file_reap(struct blk_file *file, bool wait)
{
	uint64_t count;

	if (file->event < 0)
		return;
	if (read(file->event, &count, sizeof(count)) < 0 && errno != EAGAIN)
		g_debug("event: %s", g_strerror(errno));
	while (blk_reap_one(file))
		;
	while (wait && file->under_way > 0) {
		/* EINTR, EAGAIN and EBUSY pass; there is no other way to know the pages are ours. */
		if (io_uring_submit_and_wait(&file->ring, 1) < 0)
			g_usleep(100);
		while (blk_reap_one(file))
			;
	}
	blk_file_submit(file);
}

uint64_t blk_file_size(const struct blk_file *file)
{
	return file->size;
}

int blk_file_fd(const struct blk_file *file)
{
	return file->event;
}

static bool blk_failed(GError **error, const char *path, const char *what, int code)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "disk %s: %s: %s", path, what,
		g_strerror(code));
	return false;
}

static bool blk_measure(struct blk_file *file, const char *path, GError **error)
{
	struct stat status;

	if (fstat(file->fd, &status) < 0)
		return blk_failed(error, path, "cannot be looked at", errno);
	if (S_ISREG(status.st_mode))
		file->size = (uint64_t)status.st_size;
	else if (!S_ISBLK(status.st_mode))
		return blk_failed(error, path, "neither a file nor a block device", EINVAL);
	else if (ioctl(file->fd, BLKGETSIZE64, &file->size) < 0)
		return blk_failed(error, path, "cannot be measured", errno);
	if (file->size < 512)
		return blk_failed(error, path, "is smaller than one sector", EINVAL);
	return true;
}

static void blk_start_uring(struct blk_file *file, const char *path)
{
	int result = io_uring_queue_init(BLK_FILE_DEPTH, &file->ring, 0);

	if (result < 0) {
		g_message("disk %s: no io_uring (%s), slower without", path, g_strerror(-result));
		return;
	}
	io_uring_ring_dontfork(&file->ring);
	file->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	result = file->event < 0 ? -errno : io_uring_register_eventfd(&file->ring, file->event);
	if (result == 0)
		return;
	g_message("disk %s: no event for io_uring (%s), slower without", path, g_strerror(-result));
	if (file->event >= 0)
		close(file->event);
	file->event = -1;
	io_uring_queue_exit(&file->ring);
}

struct blk_file *blk_file_open(const char *path, bool read_only, bool uring, GError **error)
{
	struct blk_file *file = g_new0(struct blk_file, 1);

	file->event = -1;
	file->fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0)
		blk_failed(error, path, "cannot be opened", errno);
	else if (flock(file->fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0)
		blk_failed(error, path, "is another guest's", errno);
	else if (blk_measure(file, path, error)) {
		/* Only the open was not to hang; io_uring takes O_NONBLOCK for "fail rather than
		 * wait for the disk". */
		fcntl(file->fd, F_SETFL, 0);
		if (uring)
			blk_start_uring(file, path);
		return file;
	}
	blk_file_close(file);
	return NULL;
}

void blk_file_close(struct blk_file *file)
{
	if (!file)
		return;
	if (file->event >= 0) {
		io_uring_queue_exit(&file->ring);
		close(file->event);
	}
	if (file->fd >= 0)
		close(file->fd);
	g_free(file);
}
