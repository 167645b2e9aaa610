/*
 * Where virtiofsd runs. By itself it confines itself to the folder: namespaces for mounts, processes
 * and network, pivot_root, a seccomp filter. For that it has to be root. Where we are not, it gets a
 * user namespace in which our user is root: weaker than a user of its own in one respect (it is still
 * our user to the rest of the host, though there is nothing of it in its sight), and to the guest
 * every file there belongs to root. Where we are root, what the guest's root makes in the folder is
 * root's on the host as well: mount such a folder nosuid.
 *
 * ReadOnly= is a read-only mount of the folder over itself, in a namespace of its own.
 *
 * virtiofsd takes a listening socket. The one it gets is made, connected to and taken away again in a
 * folder that only our user can enter, before virtiofsd runs: nobody else can be the first.
 */
#define G_LOG_DOMAIN "irori-share"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/vhost_user_fs.h"

/* What the child does is prepared here: between fork and exec nothing may be allocated. */
struct room_plan {
	const struct fs_room *room;
	bool user_namespace;
	char uid_map[32], gid_map[32];
};

static bool put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

static const char *room_user(const struct room_plan *plan)
{
	/* Else the files below are root's. */
	prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER) < 0)
		return "no user namespace";
	if (!put_file("/proc/self/setgroups", "deny") ||
		!put_file("/proc/self/uid_map", plan->uid_map) ||
		!put_file("/proc/self/gid_map", plan->gid_map))
		return "no root in the user namespace";
	return NULL;
}

static const char *room_read_only(const struct room_plan *plan)
{
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return "no mount namespace";
	if (mount(plan->room->path, plan->room->path, NULL, MS_BIND | MS_REC, NULL) < 0 ||
		mount_setattr(AT_FDCWD, plan->room->path, AT_RECURSIVE, &attributes,
			sizeof(attributes)) < 0)
		return "it cannot be made read-only";
	return NULL;
}

static const char *room_prepare(void *data)
{
	const struct room_plan *plan = data;
	const char *failed = plan->user_namespace ? room_user(plan) : NULL;

	return failed || !plan->room->read_only ? failed : room_read_only(plan);
}

static bool room_failed(GError **error, const char *what)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", what,
		g_strerror(errno));
	return false;
}

/* A listening socket with one connection waiting, ours. */
static bool room_sockets(const char *folder, int *listening, int *connected, GError **error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	bool made;

	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", folder);
	*listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*connected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	made = *listening >= 0 && *connected >= 0 &&
		bind(*listening, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		listen(*listening, 1) == 0 &&
		connect(*connected, (struct sockaddr *)&address, sizeof(address)) == 0;
	if (!made)
		room_failed(error, "socket");
	unlink(address.sun_path);
	return made;
}

static const char *const virtiofsd_places[] = {
	"/usr/lib/qemu/virtiofsd", /* Debian 12, with QEMU */
	"/usr/libexec/virtiofsd",
	"/usr/lib/virtiofsd",
};

static const char *virtiofsd_find(GError **error)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(virtiofsd_places); i++)
		if (g_file_test(virtiofsd_places[i], G_FILE_TEST_IS_EXECUTABLE))
			return virtiofsd_places[i];
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
		"virtiofsd is not installed (Debian: qemu-system-common)");
	return NULL;
}

static struct helper *virtiofsd_start(const struct fs_room *room, int listening,
	const struct helper_owner *owner, GError **error)
{
	struct room_plan plan = {.room = room, .user_namespace = geteuid() != 0};
	const struct helper_prepare prepare = {room_prepare, &plan};
	g_autofree char *source = g_strdup_printf("source=%s", room->path);
	g_autofree char *fd = g_strdup_printf("--fd=%d", HELPER_FD);
	const char *argv[] = {virtiofsd_find(error), "-f", fd, "-o", source, "-o", "log_level=warn",
		"--rlimit-nofile=0", NULL};

	if (!argv[0])
		return NULL;
	g_snprintf(plan.uid_map, sizeof(plan.uid_map), "0 %u 1", geteuid());
	g_snprintf(plan.gid_map, sizeof(plan.gid_map), "0 %u 1", getegid());
	return helper_start_in(&prepare, argv, listening, owner, error);
}

struct helper *fs_room_enter(const struct fs_room *room, const struct helper_owner *owner, int *fd,
	GError **error)
{
	g_autofree char *folder = g_dir_make_tmp("irori-XXXXXX", error);
	struct helper *helper = NULL;
	int listening = -1;

	*fd = -1;
	if (!folder)
		return NULL;
	if (room_sockets(folder, &listening, fd, error))
		helper = virtiofsd_start(room, listening, owner, error);
	g_rmdir(folder);
	if (listening >= 0)
		close(listening);
	if (!helper && *fd >= 0)
		close(*fd);
	return helper;
}
