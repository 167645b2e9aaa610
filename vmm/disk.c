/*
 * A disk as its device sees it: opened by its configuration, guarded against a host that is full.
 *
 * The guard: a request that ended because the host has no room (ENOSPC, EDQUOT; EIO as well with
 * OnError=pause) is kept instead of failed, and tried again every second. As long as one is kept the
 * guest waits (MACHINE_WAIT), and no person can resume it.
 */
#define G_LOG_DOMAIN "disk"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/disk_daemon.h"
#include "vmm/disk_internal.h"
#include "vmm/disk_nbd.h"
#include "vmm/disk_qcow2.h"
#include "vmm/error.h"
#include "vmm/machine.h"
#include "vmm/state.h"

enum {
	RETRY_MS = 1000,
};

struct disk *disk_fail(GError **error, const char *name, const char *what, int code)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "disk %s: %s: %s", name, what,
		g_strerror(code));
	return NULL;
}

void disk_advance(struct disk_io *io, uint64_t moved)
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

void disk_wait(struct disk_guard *guard, enum disk_wait what, const char *why)
{
	g_autofree char *text = g_strdup_printf("%s: %s", guard->name, why);

	if (guard->waits[what])
		return;
	/* Requests want text that stays: there are as many of these as disks and reasons. */
	guard->waits[what] = g_intern_string(text);
	machine_request(guard->machine, MACHINE_WAIT, guard->waits[what]);
}

void disk_wait_over(struct disk_guard *guard, enum disk_wait what)
{
	if (!guard->waits[what])
		return;
	machine_request(guard->machine, MACHINE_WAIT_OVER, guard->waits[what]);
	guard->waits[what] = NULL;
}

static gboolean guard_retry(gpointer data)
{
	struct disk_guard *guard = data;

	g_atomic_int_set(&guard->due, 1);
	guard->ready(guard->data);
	return G_SOURCE_CONTINUE;
}

static void guard_stop_timer(struct disk_guard *guard)
{
	if (!guard->retry)
		return;
	g_source_destroy(guard->retry);
	g_clear_pointer(&guard->retry, g_source_unref);
}

static void guard_start_timer(struct disk_guard *guard)
{
	if (guard->retry || !guard->context)
		return;
	guard->retry = g_timeout_source_new(RETRY_MS);
	g_source_set_callback(guard->retry, guard_retry, guard, NULL);
	g_source_attach(guard->retry, guard->context);
}

static bool guard_keeps(const struct disk_guard *guard, int result)
{
	return !guard->cancelling && guard->context &&
		(result == -ENOSPC || result == -EDQUOT ||
			(result == -EIO && guard->pause_on_error));
}

static void guard_keep(struct disk_guard *guard, struct disk *layer, struct disk_io *io, int result)
{
	struct disk_io **end = &guard->kept;

	while (*end)
		end = &(*end)->next;
	*end = io;
	io->next = NULL;
	io->layer = layer;
	guard->n_kept++;
	guard_start_timer(guard);
	if (guard->waits[DISK_WAIT_ROOM])
		return;
	g_warning("%s: %s: the guest waits until there is room", guard->name, g_strerror(-result));
	disk_wait(guard, DISK_WAIT_ROOM,
		result == -EIO ? "the host's disk fails" : "the host's disk is full");
}

void disk_ended(struct disk *layer, struct disk_io *io, int result)
{
	struct disk_guard *guard = layer->guard;

	if (result < 0 && guard && guard_keeps(guard, result)) {
		guard_keep(guard, layer, io, result);
		return;
	}
	if (result < 0 && result != -EOPNOTSUPP && guard) {
		unsigned n = ++guard->errors;

		/* The 1st, 2nd, 4th, ... error. */
		if ((n & (n - 1)) == 0)
			g_warning("%s: %s (%u errors so far)", guard->name, g_strerror(-result), n);
	}
	io->done(io, result);
}

void disk_ready(struct disk *layer)
{
	if (layer->guard && layer->guard->ready)
		layer->guard->ready(layer->guard->data);
}

static struct disk_io *guard_take(struct disk_guard *guard)
{
	struct disk_io *io = guard->kept;

	if (!io)
		return NULL;
	guard->kept = io->next;
	guard->n_kept--;
	return io;
}

/* Each of those that are kept now, once. */
static void guard_try(struct disk_guard *guard)
{
	for (unsigned n = guard->n_kept; n > 0; n--) {
		struct disk_io *io = guard_take(guard);

		io->layer->ops->queue(io->layer, io);
	}
}

/* All that were kept have gone through: the guest goes on. */
static void guard_settle(struct disk_guard *guard)
{
	if (guard->n_kept > 0 || !guard->retry)
		return;
	guard_stop_timer(guard);
	disk_wait_over(guard, DISK_WAIT_ROOM);
}

void disk_text(char *to, const char *from, size_t len)
{
	size_t have = strnlen(from, len);

	memcpy(to, from, have);
	memset(to + have, 0, len - have);
}

uint64_t disk_size(const struct disk *disk)
{
	return disk->size;
}

unsigned disk_kept(const struct disk *disk)
{
	return disk->guard->n_kept;
}

void disk_watch(struct disk *disk, GMainContext *context, void (*ready)(void *data), void *data)
{
	disk->guard->context = context;
	disk->guard->ready = ready;
	disk->guard->data = data;
	disk->ops->watch(disk, context);
}

void disk_queue(struct disk *disk, struct disk_io *io)
{
	disk->ops->queue(disk, io);
}

void disk_submit(struct disk *disk)
{
	disk->ops->submit(disk);
}

void disk_reap(struct disk *disk, bool wait)
{
	struct disk_guard *guard = disk->guard;
	bool tries = wait || g_atomic_int_exchange(&guard->due, 0);

	if (guard->n_kept == 0 && !wait) {
		disk->ops->reap(disk, false);
		guard_settle(guard);
		return;
	}
	if (tries)
		guard_try(guard);
	disk->ops->submit(disk);
	disk->ops->reap(disk, wait || tries);
	guard_settle(guard);
}

void disk_cancel(struct disk *disk)
{
	struct disk_guard *guard = disk->guard;
	struct disk_io *io;

	guard->cancelling = true;
	disk->ops->submit(disk);
	disk->ops->reap(disk, true);
	while ((io = guard_take(guard)))
		io->done(io, -EIO);
	disk->ops->submit(disk);
	disk->ops->reap(disk, true);
	guard_stop_timer(guard);
	/* Nothing of the guest's is left that waits. */
	disk_wait_over(guard, DISK_WAIT_ROOM);
	disk_wait_over(guard, DISK_WAIT_SERVER);
	guard->cancelling = false;
}

void disk_reset(struct disk *disk)
{
	if (disk->ops->reset)
		disk->ops->reset(disk);
}

void disk_state(struct disk *disk, struct state *state)
{
	uint64_t size = disk->size;

	STATE(state, size);
	if (size != disk->size)
		state_fail(state, "%s has %" G_GUINT64_FORMAT " bytes, %" G_GUINT64_FORMAT
				  " when the guest was saved", disk->guard->name, disk->size, size);
	if (disk->guard->n_kept > 0)
		state_fail(state, "%s waits until the host's disk has room", disk->guard->name);
	if (!state_failed(state) && disk->ops->state)
		disk->ops->state(disk, state);
}

static void guard_free(struct disk_guard *guard)
{
	guard_stop_timer(guard);
	g_free(guard->name);
	g_free(guard);
}

void disk_close(struct disk *disk)
{
	struct disk_guard *guard;

	if (!disk)
		return;
	guard = disk->top ? disk->guard : NULL;
	disk->ops->close(disk);
	if (guard)
		guard_free(guard);
}

static bool wrong(GError **error, const char *path, const char *what)
{
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "disk %s: %s", path, what);
	return false;
}

/* What it is, by its configuration, its name and its content: all that speak must agree. A guest can
 * write what it likes at the beginning of a raw disk; content alone decides nothing. */
static bool find_format(int fd, const struct disk_config *config, enum disk_format *format,
	GError **error)
{
	uint8_t head[4] = "";
	ssize_t got = pread(fd, head, sizeof(head), 0);
	bool magic = got == sizeof(head) && qcow2_magic(head, sizeof(head));
	bool named = g_str_has_suffix(config->path, ".qcow2");

	*format = config->format;
	if (config->format == DISK_FORMAT_QCOW2 && !magic)
		return wrong(error, config->path, "is not a qcow2 image, as Format= says");
	if (config->format != DISK_FORMAT_AUTO)
		return true;
	if (named && !magic)
		return wrong(error, config->path,
			"is named like a qcow2 image and is none; Format=raw if it is raw");
	if (magic && !named)
		return wrong(error, config->path, "begins like a qcow2 image and is not named like "
						  "one; Format=qcow2 or Format=raw says what it is");
	*format = magic ? DISK_FORMAT_QCOW2 : DISK_FORMAT_RAW;
	return true;
}

static struct disk *open_path(struct machine *machine, const struct disk_config *config,
	bool read_only, GError **error)
{
	enum disk_format format;
	int fd = disk_file_open(config->path, read_only, error);

	if (fd < 0)
		return NULL;
	if (!find_format(fd, config, &format, error)) {
		close(fd);
		return NULL;
	}
	if (format == DISK_FORMAT_RAW)
		return disk_file_new(fd, config->path, read_only,
			config->engine == DISK_ENGINE_AUTO, error);
	close(fd); /* and its lock, which is taken again with those of the whole chain */
	return disk_daemon_open(machine, config->path, read_only, error);
}

static bool named_once(const char *name, const struct disk_config *config, GError **error)
{
	return !config->path != !config->url ||
		fail(error, "disk %s: needs Path= or Url=, and not both", name);
}

bool disk_check(const char *name, const struct disk_config *config, uint64_t *size,
	GError **error)
{
	bool read_only = config->read_only || config->ephemeral;
	enum disk_format format;
	g_autofree char *node = NULL;
	struct disk *disk;
	int fd;

	*size = 0;
	if (!named_once(name, config, error))
		return false;
	if (config->url)
		return true;
	fd = disk_file_look(config->path, read_only, error);
	if (fd < 0)
		return false;
	if (find_format(fd, config, &format, error) && format == DISK_FORMAT_RAW) {
		disk = disk_file_new(fd, config->path, read_only, false, error);
		*size = disk ? disk->size : 0;
		if (disk)
			disk->ops->close(disk);
		return disk;
	}
	close(fd);
	if (error && *error)
		return false;
	node = disk_daemon_node(config->path, read_only, NULL, error);
	return node;
}

static struct disk *open_layers(struct machine *machine, const char *name,
	const struct disk_config *config, GError **error)
{
	bool read_only = config->read_only || config->ephemeral;
	struct disk *disk;

	if (!named_once(name, config, error))
		return NULL;
	disk = config->url ? disk_nbd_open_url(machine, config->url, read_only, error) :
		open_path(machine, config, read_only, error);
	if (!disk || !config->ephemeral || config->read_only)
		return disk;
	return disk_overlay_new(disk, config->scratch ? config->scratch : "/var/tmp",
		config->ephemeral_max ? config->ephemeral_max : UINT64_MAX / 2,
		config->engine == DISK_ENGINE_AUTO, error);
}

struct disk *disk_open(struct machine *machine, const char *name, const struct disk_config *config,
	GError **error)
{
	struct disk *disk = open_layers(machine, name, config, error);

	if (!disk)
		return NULL;
	disk->top = true;
	disk->guard = g_new0(struct disk_guard, 1);
	disk->guard->machine = machine;
	disk->guard->name = g_strdup_printf("disk %s", name);
	disk->guard->pause_on_error = config->pause_on_error;
	return disk;
}
