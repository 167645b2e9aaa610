/*
 * The file behind flash memory: created atomically, locked, written in the guest's own order.
 */
#define G_LOG_DOMAIN "irori-firmware"

#include "vmm/flash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/error.h"
#include "vmm/firmware.h"

enum flash_file_limits {
	QUEUE_MAX = 1 << 20, /* bytes; a guest that is faster than the disk waits for it */
	PATIENCE_MS = 50,
};

struct piece {
	uint32_t offset, len;
};

/* Changes in their order: the pieces, and the bytes of all of them one after the other. */
struct queue {
	GArray *pieces;
	GByteArray *bytes;
};

struct flash_file {
	int fd;
	char *path;
	GSource *source;
	GMutex writing; /* held by whoever writes to the file; taken before `lock` */
	GMutex lock;    /* of what follows */
	struct queue queue;
	bool failed;
};

static bool failed(GError **error, const char *path)
{
	return fail_errno(error, errno, "%s: %s", path, g_strerror(errno));
}

static struct queue queue_new(void)
{
	return (struct queue){ g_array_new(FALSE, FALSE, sizeof(struct piece)), g_byte_array_new() };
}

static void queue_free(struct queue *queue)
{
	g_array_unref(queue->pieces);
	g_byte_array_unref(queue->bytes);
}

static bool write_whole(int fd, const uint8_t *from, size_t len, off_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, from, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : ENOSPC;
			return false;
		}
		from += n;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool queue_write(const struct queue *queue, int fd)
{
	size_t at = 0;

	for (unsigned i = 0; i < queue->pieces->len; i++) {
		const struct piece *piece = &g_array_index(queue->pieces, struct piece, i);

		if (!write_whole(fd, queue->bytes->data + at, piece->len, piece->offset))
			return false;
		at += piece->len;
	}
	return !queue->pieces->len || fdatasync(fd) == 0;
}

void flash_file_sync(struct flash_file *file)
{
	struct queue queue;

	g_mutex_lock(&file->writing);
	g_mutex_lock(&file->lock);
	queue = file->queue;
	file->queue = queue_new();
	g_mutex_unlock(&file->lock);
	if (!queue_write(&queue, file->fd)) {
		if (!file->failed)
			g_warning("%s: %s; what the guest changes of its firmware's variables is lost "
				"at power-off", file->path, g_strerror(errno));
		file->failed = true;
	}
	g_mutex_unlock(&file->writing);
	queue_free(&queue);
}

void flash_file_write(struct flash_file *file, uint32_t offset, const uint8_t *bytes, uint32_t len)
{
	struct piece *last, piece = { offset, len };
	bool full;

	g_mutex_lock(&file->lock);
	last = file->queue.pieces->len ? &g_array_index(file->queue.pieces, struct piece,
		file->queue.pieces->len - 1) : NULL;
	if (last && last->offset + last->len == offset)
		last->len += len;
	else
		g_array_append_val(file->queue.pieces, piece);
	g_byte_array_append(file->queue.bytes, bytes, len);
	full = file->queue.bytes->len + file->queue.pieces->len * sizeof(piece) > QUEUE_MAX;
	g_mutex_unlock(&file->lock);
	if (full)
		flash_file_sync(file);
	else if (g_source_get_ready_time(file->source) < 0)
		g_source_set_ready_time(file->source, g_get_monotonic_time() + PATIENCE_MS * 1000);
}

void flash_file_kick(struct flash_file *file)
{
	if (g_source_get_ready_time(file->source) >= 0)
		g_source_set_ready_time(file->source, 0);
}

static gboolean file_timer(GSource *source, GSourceFunc callback, gpointer data)
{
	g_source_set_ready_time(source, -1);
	return callback(data);
}

static gboolean file_due(gpointer data)
{
	flash_file_sync(data);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs file_timer_funcs = {
	.dispatch = file_timer,
};

static bool folder_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

/* Under another name first: the file has all of it, or is not there. link() does not replace one
 * that somebody else has made meanwhile. */
static bool file_create(const char *path, const struct firmware_image *image, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *temporary = g_strdup_printf("%s.XXXXXX", path);
	bool good;
	int fd;

	if (g_mkdir_with_parents(folder, 0700) < 0)
		return failed(error, folder);
	fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(error, path);
	good = write_whole(fd, image->data, image->len, 0) && fsync(fd) == 0 &&
		(link(temporary, path) == 0 || errno == EEXIST);
	if (!good)
		failed(error, path);
	unlink(temporary);
	close(fd);
	return good && (folder_sync(folder) || failed(error, folder));
}

static bool file_lock(int fd, const char *path, GError **error)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return true;
	if (errno == EAGAIN || errno == EACCES)
		return fail_as(error, EX_TEMPFAIL, "%s: another guest is using it", path);
	return failed(error, path);
}

/* A file that is there counts; the template, if any, says how long it must be. */
static bool file_read(const char *path, const struct firmware_image *template,
	struct firmware_image *image, GError **error)
{
	if (!firmware_read(image, path, error))
		return false;
	if (template->data && template->len != image->len)
		return fail_as(error, EX_DATAERR, "%s: %zu bytes, but this firmware's variables are "
			"%zu: is it another firmware's, or cut short?", path, image->len,
			template->len);
	return true;
}

bool flash_file_check(const char *path, const char *template, struct firmware_image *image,
	GError **error)
{
	struct firmware_image original = { 0 };
	bool good;

	*image = (struct firmware_image){ 0 };
	if (template && !firmware_read(&original, template, error))
		return false;
	if (template && access(path, F_OK) < 0 && errno == ENOENT) {
		*image = original;
		return true;
	}
	good = file_read(path, &original, image, error);
	firmware_clear(&original);
	if (!good)
		firmware_clear(image);
	return good;
}

static int file_open(const char *path, const char *template, struct firmware_image *image,
	GError **error)
{
	struct firmware_image original = { 0 };
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	bool good = !template || firmware_read(&original, template, error);

	if (good && fd < 0 && errno == ENOENT && template) {
		good = file_create(path, &original, error);
		fd = good ? open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK) : -1;
	}
	if (good && fd < 0)
		good = failed(error, path);
	if (good)
		good = file_lock(fd, path, error) && file_read(path, &original, image, error);
	firmware_clear(&original);
	if (good)
		return fd;
	firmware_clear(image);
	if (fd >= 0)
		close(fd);
	return -1;
}

struct flash_file *flash_file_open(const char *path, const char *template,
	struct firmware_image *image, GMainContext *context, GError **error)
{
	struct flash_file *file;
	int fd;

	*image = (struct firmware_image){ 0 };
	fd = file_open(path, template, image, error);
	if (fd < 0)
		return NULL;
	file = g_new0(struct flash_file, 1);
	file->fd = fd;
	file->path = g_strdup(path);
	file->queue = queue_new();
	g_mutex_init(&file->writing);
	g_mutex_init(&file->lock);
	file->source = g_source_new(&file_timer_funcs, sizeof(GSource));
	g_source_set_callback(file->source, file_due, file, NULL);
	g_source_attach(file->source, context);
	return file;
}

void flash_file_free(struct flash_file *file)
{
	if (!file)
		return;
	g_source_destroy(file->source);
	g_source_unref(file->source);
	flash_file_sync(file);
	queue_free(&file->queue);
	close(file->fd);
	g_mutex_clear(&file->writing);
	g_mutex_clear(&file->lock);
	g_free(file->path);
	g_free(file);
}
