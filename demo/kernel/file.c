/*
 * Files: a small table of open ones, and the system calls on them. What a name means: a device's
 * path, or else a file of the initial ramdisk.
 */
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"

enum { MAX_FILES = 32, MAX_PATH = 128, MAX_POLL = 16 };

struct stat {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad;
	uint64_t rdev, size, blksize, blocks, time[6], unused[3];
};

struct iovec {
	uint64_t base, length;
};

struct pollfd {
	int32_t fd;
	int16_t events, revents;
};

static const struct file_ops ramdisk_file;
static const struct file_ops *const devices[] = {
	&console_file, &display_file, &input_file, &disk_file, &audio_file, &cpu_file, &random_file,
	&cmdline_file,
};
static struct file files[MAX_FILES];

void file_init(void)
{
	for (unsigned i = 0; i < 3; i++)
		files[i].ops = &console_file;
}

int64_t user_string(uint64_t at, char *to, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if ((!i || !((at + i) % PAGE)) && !user_range(at + i, 1))
			return -EFAULT;
		to[i] = *(const char *)(at + i);
		if (!to[i])
			return (int64_t)i;
	}
	return -ERANGE;
}

static struct file *file_at(uint64_t fd)
{
	return fd < MAX_FILES && files[fd].ops ? &files[fd] : NULL;
}

/* What `path` names, in *file. */
static int file_resolve(const char *path, struct file *file)
{
	*file = (struct file){ .ops = NULL };
	for (unsigned i = 0; i < ARRAY_SIZE(devices); i++) {
		if (text_equal(path, devices[i]->path)) {
			file->ops = devices[i];
			return file->ops->open ? file->ops->open(file) : 0;
		}
	}
	file->data = initrd_find(path, &file->data_length);
	file->ops = &ramdisk_file;
	return file->data ? 0 : -ENOENT;
}

int64_t file_open(struct syscall *call, uint64_t at)
{
	char path[MAX_PATH];
	struct file file;
	int64_t ret = user_string(at, path, sizeof(path));

	if (ret < 0)
		return ret;
	ret = file_resolve(path, &file);
	if (ret)
		return ret;
	for (unsigned i = 0; i < MAX_FILES; i++) {
		if (!files[i].ops) {
			files[i] = file;
			return i;
		}
	}
	return -EMFILE;
}

int64_t file_close(struct syscall *call)
{
	struct file *file = file_at(call->arg[0]);

	if (!file)
		return -EBADF;
	file->ops = NULL;
	return 0;
}

static int64_t file_read_at(struct file *file, struct syscall *call, uint64_t to, uint64_t n,
	uint64_t at)
{
	if (!file)
		return -EBADF;
	if (!file->ops->read)
		return -EINVAL;
	if (!n)
		return 0;
	return user_range(to, n) ? file->ops->read(file, call, to, n, at) : -EFAULT;
}

int64_t file_read(struct syscall *call)
{
	struct file *file = file_at(call->arg[0]);
	int64_t ret = file_read_at(file, call, call->arg[1], call->arg[2], file ? file->position : 0);

	if (ret > 0)
		file->position += (uint64_t)ret;
	return ret;
}

int64_t file_pread(struct syscall *call)
{
	struct file *file = file_at(call->arg[0]);

	if (file && !file->ops->size)
		return -ESPIPE;
	return file_read_at(file, call, call->arg[1], call->arg[2], call->arg3);
}

static bool iovec_ok(struct syscall *call)
{
	return call->arg[2] <= 64 && user_range(call->arg[1], call->arg[2] * sizeof(struct iovec));
}

/* Only the first piece that has a length: a short read, as is allowed. */
int64_t file_readv(struct syscall *call)
{
	const struct iovec *piece = (const void *)call->arg[1];

	if (!iovec_ok(call))
		return -EFAULT;
	for (uint64_t n = call->arg[2]; n; n--, piece++) {
		if (piece->length) {
			call->arg[1] = piece->base;
			call->arg[2] = piece->length;
			return file_read(call);
		}
	}
	return 0;
}

static int64_t file_write_from(struct file *file, uint64_t from, uint64_t n)
{
	if (!file)
		return -EBADF;
	if (!file->ops->write)
		return -EINVAL;
	return user_range(from, n) ? file->ops->write(file, from, n) : -EFAULT;
}

int64_t file_write(struct syscall *call)
{
	return file_write_from(file_at(call->arg[0]), call->arg[1], call->arg[2]);
}

int64_t file_writev(struct syscall *call)
{
	const struct iovec *piece = (const void *)call->arg[1];
	struct file *file = file_at(call->arg[0]);
	int64_t sum = 0;

	if (!iovec_ok(call))
		return -EFAULT;
	for (uint64_t n = call->arg[2]; n; n--, piece++) {
		int64_t ret = piece->length ? file_write_from(file, piece->base, piece->length) : 0;

		if (ret < 0)
			return sum ? sum : ret;
		sum += ret;
	}
	return sum;
}

int64_t file_lseek(struct syscall *call)
{
	struct file *file = file_at(call->arg[0]);
	int64_t to = (int64_t)call->arg[1];

	if (!file)
		return -EBADF;
	if (!file->ops->size)
		return -ESPIPE;
	if (call->arg[2] == 1)
		to += (int64_t)file->position;
	else if (call->arg[2] == 2)
		to += (int64_t)file->ops->size(file);
	if (to < 0 || call->arg[2] > 2)
		return -EINVAL;
	file->position = (uint64_t)to;
	return to;
}

int64_t file_ioctl(struct syscall *call)
{
	struct file *file = file_at(call->arg[0]);

	if (!file)
		return -EBADF;
	return file->ops->ioctl ? file->ops->ioctl(file, (uint32_t)call->arg[1], call->arg[2]) : -ENOTTY;
}

int64_t file_mmap(int fd, uint64_t length, uint64_t offset)
{
	struct file *file = file_at((uint64_t)fd);

	if (!file)
		return -EBADF;
	return file->ops->mmap ? file->ops->mmap(file, length, offset) : -ENODEV;
}

static int64_t stat_fill(struct file *file, uint64_t to)
{
	struct stat *stat = (struct stat *)to;

	if (!user_range(to, sizeof(*stat)))
		return -EFAULT;
	*stat = (struct stat){
		.ino = 1 + (uint64_t)(file->data ? file->data : (const void *)file->ops),
		.nlink = 1,
		.mode = file->ops->size ? 0100444 : 0020666, /* S_IFREG, S_IFCHR */
		.size = file->ops->size ? file->ops->size(file) : 0,
		.blksize = 65536,
	};
	return 0;
}

int64_t file_stat(struct syscall *call)
{
	struct file *file = file_at(call->arg[0]);

	return file ? stat_fill(file, call->arg[1]) : -EBADF;
}

/* newfstatat: by path, or with an empty one of the file itself. */
int64_t file_stat_at(struct syscall *call)
{
	char path[MAX_PATH];
	struct file file, *open = file_at(call->arg[0]);
	int64_t ret = user_string(call->arg[1], path, sizeof(path));

	if (ret < 0)
		return ret;
	if (!ret)
		return open ? stat_fill(open, call->arg[2]) : -EBADF;
	ret = file_resolve(path, &file);
	return ret ? ret : stat_fill(&file, call->arg[2]);
}

/* Fills revents; how many have something. */
static int64_t poll_look(struct pollfd *fds, uint64_t n)
{
	int64_t ready = 0;

	for (; n; n--, fds++) {
		struct file *file = file_at((uint64_t)fds->fd);
		unsigned now = POLLIN | POLLOUT; /* files without poll never block */

		if (file && file->ops->poll)
			now = file->ops->poll(file);
		fds->revents = 0;
		if (fds->fd >= 0)
			fds->revents = file ? (int16_t)(now & ((unsigned)fds->events | POLLERR)) : POLLNVAL;
		ready += fds->revents != 0;
	}
	return ready;
}

int64_t file_poll(struct syscall *call)
{
	struct pollfd *fds = (struct pollfd *)call->arg[0];
	int32_t timeout = (int32_t)call->arg[2];
	int64_t until = timeout < 0 ? NEVER : timeout ? clock_now() + timeout * 1000000ll : 0;
	bool armed = false;

	if (call->arg[1] > MAX_POLL || !user_range(call->arg[0], call->arg[1] * sizeof(*fds)))
		return -EINVAL;
	for (;;) {
		int64_t ready = poll_look(fds, call->arg[1]);

		if (ready || !until || (until != NEVER && clock_now() >= until))
			return ready;
		if (armed)
			clock_idle(until);
		for (uint64_t i = 0; i < call->arg[1]; i++) {
			struct file *file = file_at((uint64_t)fds[i].fd);

			if (file && file->ops->arm)
				file->ops->arm(file);
		}
		fence(); /* arm, then look once more, then sleep */
		armed = true;
	}
}

static int64_t ramdisk_read(struct file *file, struct syscall *call, uint64_t to, uint64_t n,
	uint64_t at)
{
	if (at >= file->data_length)
		return 0;
	if (n > file->data_length - at)
		n = file->data_length - at;
	user_copy_later(call, to, initrd_user_address(file->data + at), n);
	return (int64_t)n;
}

static uint64_t ramdisk_size(struct file *file)
{
	return file->data_length;
}

static const struct file_ops ramdisk_file = { .read = ramdisk_read, .size = ramdisk_size };

static int64_t cmdline_read(struct file *file, struct syscall *call, uint64_t to, uint64_t n,
	uint64_t at)
{
	uint64_t length = strlen(command_line);

	if (at >= length)
		return 0;
	if (n > length - at)
		n = length - at;
	memcpy((void *)to, command_line + at, n);
	return (int64_t)n;
}

const struct file_ops cmdline_file = { .path = "/proc/cmdline", .read = cmdline_read };
