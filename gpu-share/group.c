/*
 * Control groups by their files; see group.h.
 */
#include "gpu-share/group.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct group_root {
	char *path;
	GPtrArray *names; /* char *, groups made */
};

static const struct {
	const char *weight, *idle;
} class_values[SHARE_CLASSES] = {
	[SHARE_VIDEO] = { "10000", "0" },
	[SHARE_INTERACTIVE] = { "400", "0" },
	[SHARE_FAIR] = { "100", "0" },
	[SHARE_IDLE] = { "1", "1" },
};

static int value_write(const char *dir, const char *name, const char *value)
{
	char *path = g_build_filename(dir, name, NULL);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 ? -errno : 0;

	g_free(path);
	if (fd < 0)
		return ret;
	if (write(fd, value, strlen(value)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Our own group: the mount of cgroup v2 and the "0::" line of /proc/self/cgroup. */
static char *own_path(void)
{
	g_autofree char *mounts = NULL, *groups = NULL;
	g_autofree char *mount = NULL;
	char *line, *end, *path = NULL;

	if (!g_file_get_contents("/proc/self/mounts", &mounts, NULL, NULL) ||
		!g_file_get_contents("/proc/self/cgroup", &groups, NULL, NULL))
		return NULL;
	for (line = mounts; line && *line; line = end ? end + 1 : NULL) {
		char at[256], type[32];

		end = strchr(line, '\n');
		if (sscanf(line, "%*s %255s %31s", at, type) == 2 && !strcmp(type, "cgroup2")) {
			mount = g_strdup(at);
			break;
		}
	}
	line = strstr(groups, "0::/");
	if (!mount || !line)
		return NULL;
	end = strchr(line, '\n');
	if (end)
		*end = 0;
	path = g_build_filename(mount, line + 3, NULL);
	return path;
}

static bool has_cpu(const char *path)
{
	g_autofree char *file = g_build_filename(path, "cgroup.controllers", NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) words = NULL;

	if (!g_file_get_contents(file, &text, NULL, NULL))
		return false;
	words = g_strsplit_set(g_strstrip(text), " \n", -1);
	return g_strv_contains((const char *const *)words, "cpu");
}

char *group_own_path(void)
{
	char *path = own_path();

	if (path && has_cpu(path) && !access(path, W_OK))
		return path;
	g_free(path);
	return NULL;
}

struct group_root *group_root_open(const char *given, GError **error)
{
	g_autofree char *path = given ? g_strdup(given) : own_path();
	g_autofree char *leaf = NULL;
	struct group_root *root;
	int ret;

	if (!path || !has_cpu(path)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			"no cgroup v2 with a cpu controller is delegated to this process");
		return NULL;
	}
	leaf = g_build_filename(path, "supervisor", NULL);
	if (mkdir(leaf, 0755) && errno != EEXIST) {
		ret = -errno;
		goto refused;
	}
	/* A group with processes of its own cannot hand a controller to its children. */
	ret = value_write(leaf, "cgroup.procs", "0");
	if (!ret)
		ret = value_write(path, "cgroup.subtree_control", "+cpu");
	if (ret) {
		value_write(path, "cgroup.procs", "0");
		rmdir(leaf);
		goto refused;
	}
	root = g_new0(struct group_root, 1);
	root->path = g_steal_pointer(&path);
	root->names = g_ptr_array_new_with_free_func(g_free);
	return root;
refused:
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-ret), "cgroup %s: %s", path,
		g_strerror(-ret));
	return NULL;
}

static char *group_path(const struct group_root *root, const char *name)
{
	return g_build_filename(root->path, name, NULL);
}

int group_add(struct group_root *root, const char *name, pid_t pid)
{
	g_autofree char *path = group_path(root, name);
	char text[16];

	if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return -EINVAL;
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	g_ptr_array_add(root->names, g_strdup(name));
	snprintf(text, sizeof(text), "%d", (int)pid);
	return value_write(path, "cgroup.procs", text);
}

int group_set_class(struct group_root *root, const char *name, enum share_class share_class)
{
	g_autofree char *path = group_path(root, name);
	int ret;

	if ((unsigned)share_class >= SHARE_CLASSES)
		return -EINVAL;
	/* The kernel refuses a weight while a group is idle: idle off first. */
	ret = value_write(path, "cpu.idle", class_values[share_class].idle);
	if (!ret && share_class != SHARE_IDLE)
		ret = value_write(path, "cpu.weight", class_values[share_class].weight);
	return ret;
}

void group_remove(struct group_root *root, const char *name)
{
	g_autofree char *path = group_path(root, name);

	rmdir(path);
}

void group_root_close(struct group_root *root)
{
	g_autofree char *leaf = NULL;

	if (!root)
		return;
	for (unsigned i = 0; i < root->names->len; i++)
		group_remove(root, root->names->pdata[i]);
	leaf = group_path(root, "supervisor");
	value_write(root->path, "cgroup.subtree_control", "-cpu");
	value_write(root->path, "cgroup.procs", "0");
	rmdir(leaf);
	g_ptr_array_free(root->names, TRUE);
	g_free(root->path);
	g_free(root);
}
