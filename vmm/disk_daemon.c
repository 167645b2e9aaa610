/*
 * qemu-storage-daemon as our child: the chain of images is walked and locked here, the daemon gets it
 * whole as one block node, and a listening socket that only we have the other end of. A daemon that
 * dies is started again (disk_nbd.h says what that means for the guest).
 */
#define G_LOG_DOMAIN "disk"

#include "vmm/disk_daemon.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/disk_nbd.h"
#include "vmm/disk_qcow2.h"
#include "vmm/error.h"
#include "vmm/helper.h"
#include "vmm/machine.h"

struct daemon {
	struct machine *machine;
	char *path, *node;
	bool read_only, running; /* running: its end is news */
	GArray *locks;
	struct helper *helper;
	char *end; /* why it ended */
};

static void json_string(GString *out, const char *text)
{
	g_string_append_c(out, '"');
	for (const char *c = text; *c; c++)
		if (*c == '"' || *c == '\\')
			g_string_append_printf(out, "\\%c", *c);
		else if ((unsigned char)*c < 0x20)
			g_string_append_printf(out, "\\u%04x", (unsigned)*c);
		else
			g_string_append_c(out, *c);
	g_string_append_c(out, '"');
}

static void json_file(GString *out, const char *path, int fd, bool read_only)
{
	struct stat status = {0};
	bool device = fstat(fd, &status) == 0 && S_ISBLK(status.st_mode);

	g_string_append_printf(out, "{\"driver\":\"%s\",\"discard\":\"unmap\",\"read-only\":%s,"
				    "\"filename\":",
		device ? "host_device" : "file", read_only ? "true" : "false");
	json_string(out, path);
	g_string_append_c(out, '}');
}

/* Where a backing file is: relative to the image that names it. NULL and error set. */
static char *backing_path(const char *image, const char *backing, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(image);
	const char *colon = strchr(backing, ':'), *slash = strchr(backing, '/');

	if (colon && (!slash || colon < slash)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
			"disk %s: its backing file, %s, is not a file on this host", image, backing);
		return NULL;
	}
	return backing[0] == '/' ? g_strdup(backing) : g_build_filename(folder, backing, NULL);
}

static bool node_head(const char *path, int fd, struct qcow2_head *head, GError **error)
{
	g_autofree uint8_t *bytes = g_malloc(QCOW2_HEAD);
	ssize_t got = pread(fd, bytes, QCOW2_HEAD, 0);
	off_t end = lseek(fd, 0, SEEK_END);

	if (got < 0 || end < 0)
		return !!disk_fail(error, path, "cannot be read", errno);
	if (qcow2_parse(bytes, (size_t)got, (uint64_t)end, head, error))
		return true;
	g_prefix_error(error, "disk %s: ", path);
	return false;
}

static bool node_append(GString *out, const char *path, const char *format, bool read_only,
	unsigned depth, GArray *locks, GError **error);

/* The image that another stands on. It says of what format it is, or we do not guess. */
static bool node_backing(GString *out, const char *path, const struct qcow2_head *head,
	unsigned depth, GArray *locks, GError **error)
{
	g_autofree char *backing = NULL;

	if (!head->backing[0]) {
		g_string_append(out, ",\"backing\":null");
		return true;
	}
	if (strcmp(head->backing_format, "raw") && strcmp(head->backing_format, "qcow2")) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
			"disk %s: does not say whether its backing file %s is raw or qcow2; qemu-img "
			"rebase -u -F FORMAT -b %s does", path, head->backing, head->backing);
		return false;
	}
	backing = backing_path(path, head->backing, error);
	if (!backing)
		return false;
	g_string_append(out, ",\"backing\":");
	if (node_append(out, backing, head->backing_format, true, depth + 1, locks, error))
		return true;
	g_prefix_error(error, "disk %s: backing file: ", path);
	return false;
}

static bool node_describe(GString *out, const char *path, int fd, const char *format,
	bool read_only, unsigned depth, GArray *locks, GError **error)
{
	bool raw = strcmp(format, "qcow2") != 0;
	struct qcow2_head head;

	if (!raw && !node_head(path, fd, &head, error))
		return false;
	g_string_append_printf(out, "{\"driver\":\"%s\",\"read-only\":%s,%s\"discard\":\"unmap\","
				    "\"file\":",
		raw ? "raw" : "qcow2", read_only ? "true" : "false",
		depth == 0 ? "\"node-name\":\"disk\"," : "");
	json_file(out, path, fd, read_only);
	if (!raw && !node_backing(out, path, &head, depth, locks, error))
		return false;
	g_string_append_c(out, '}');
	return true;
}

static bool node_append(GString *out, const char *path, const char *format, bool read_only,
	unsigned depth, GArray *locks, GError **error)
{
	bool good;
	int fd;

	if (depth == QCOW2_CHAIN_MAX)
		return fail_as(error, EX_DATAERR, "disk %s: more than %u images behind one another",
			path, QCOW2_CHAIN_MAX);
	if (!g_utf8_validate(path, -1, NULL))
		return fail(error, "disk %s: a name that is not UTF-8", path);
	fd = (locks ? disk_file_open : disk_file_look)(path, read_only, error);
	if (fd < 0)
		return false;
	good = node_describe(out, path, fd, format, read_only, depth, locks, error);
	if (locks)
		g_array_append_val(locks, fd);
	else
		close(fd);
	return good;
}

char *disk_daemon_node(const char *path, bool read_only, GArray *locks, GError **error)
{
	GString *out = g_string_new(NULL);

	if (node_append(out, path, "qcow2", read_only, 0, locks, error))
		return g_string_free(out, FALSE);
	g_string_free(out, TRUE);
	return NULL;
}

static void daemon_ended(void *data, const char *why)
{
	struct daemon *daemon = data;

	g_free(daemon->end);
	daemon->end = g_strdup(why);
	if (daemon->running)
		g_warning("disk %s: %s", daemon->path, why);
	daemon->running = false;
}

/* A socket with a name that only we can reach, and a connection to it; the name is gone after. */
static int daemon_socket(int *connected, GError **error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_autofree char *folder = g_dir_make_tmp("irori-disk-XXXXXX", error);
	int fd;

	if (!folder)
		return -1;
	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/nbd", folder);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*connected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || *connected < 0 ||
		bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, 1) < 0 ||
		connect(*connected, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "a socket in %s: %s",
			folder, g_strerror(errno));
		if (fd >= 0)
			close(fd);
		if (*connected >= 0)
			close(*connected);
		fd = -1;
	}
	unlink(address.sun_path);
	rmdir(folder);
	return fd;
}

static int daemon_start(void *data, GError **error)
{
	struct daemon *daemon = data;
	const char *argv[] = {
		"qemu-storage-daemon", "--blockdev", daemon->node,
		"--nbd-server", "addr.type=fd,addr.str=" G_STRINGIFY(3) ",max-connections=1",
		"--export", daemon->read_only ?
			"type=nbd,id=irori,node-name=disk,name=disk,writable=off" :
			"type=nbd,id=irori,node-name=disk,name=disk,writable=on",
		NULL,
	};
	const struct helper_owner owner = {
		.context = daemon->machine->main_context,
		.ended = daemon_ended,
		.data = daemon,
	};
	int connected, fd;

	G_STATIC_ASSERT(HELPER_FD == 3);
	g_clear_pointer(&daemon->helper, helper_stop);
	g_clear_pointer(&daemon->end, g_free);
	fd = daemon_socket(&connected, error);
	if (fd < 0)
		return -1;
	daemon->helper = helper_start(argv, fd, &owner, error);
	close(fd);
	if (!daemon->helper) {
		g_prefix_error(error, "qcow2 needs qemu-storage-daemon (package qemu-system-common): ");
		close(connected);
		return -1;
	}
	daemon->running = true;
	return connected;
}

static void daemon_free(void *data)
{
	struct daemon *daemon = data;

	helper_stop(daemon->helper);
	for (unsigned i = 0; i < daemon->locks->len; i++)
		close(g_array_index(daemon->locks, int, i));
	g_array_unref(daemon->locks);
	g_free(daemon->path);
	g_free(daemon->node);
	g_free(daemon->end);
	g_free(daemon);
}

/* What the daemon said before it ended is a better reason than that it hung up. */
static void daemon_reason(struct daemon *daemon, GError **error)
{
	daemon->running = false;
	for (unsigned i = 0; i < 200 && !daemon->end && daemon->helper; i++)
		if (!g_main_context_iteration(daemon->machine->main_context, FALSE))
			g_usleep(1000);
	if (!daemon->end || !error)
		return;
	g_clear_error(error);
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "disk %s: %s", daemon->path, daemon->end);
}

struct disk *disk_daemon_open(struct machine *machine, const char *path, bool read_only,
	GError **error)
{
	struct daemon *daemon = g_new0(struct daemon, 1);
	struct nbd_opener opener = {
		.open = daemon_start,
		.data = daemon,
	};
	struct disk *disk = NULL;

	daemon->machine = machine;
	daemon->path = g_strdup(path);
	daemon->read_only = read_only;
	daemon->locks = g_array_new(FALSE, FALSE, sizeof(int));
	daemon->node = disk_daemon_node(path, read_only, daemon->locks, error);
	if (daemon->node) {
		opener.free = daemon_free;
		opener.export = g_strdup("disk");
		disk = disk_nbd_new(machine, &opener, path, read_only, error);
		if (disk)
			return disk;
		daemon_reason(daemon, error);
		g_free(opener.export);
	}
	daemon_free(daemon);
	return NULL;
}
