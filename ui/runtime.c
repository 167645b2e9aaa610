/*
 * Where things are; see runtime.h.
 */
#include "ui/runtime.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".sock"
#define APPLIANCE "/run/irori/guests" /* irorid's */

/* Where programs lie in the build tree, below its root. */
static const struct {
	const char *name, *folder;
} programs[] = {
	{ "irori-vmm", "vmm" },
	{ "irori-sound", "audio" },
	{ "irori-remote", "display/remote" },
	{ "irori-remote", "display" },
};

char *runtime_dir(GError **error)
{
	const char *base = g_getenv("XDG_RUNTIME_DIR");
	char *path = base && *base ? g_build_filename(base, "irori", NULL)
				   : g_strdup_printf("/tmp/irori-%u", (unsigned)getuid());
	struct stat st;
	const char *why = NULL;

	if (g_mkdir_with_parents(path, 0700) || lstat(path, &st))
		why = g_strerror(errno);
	else if (!S_ISDIR(st.st_mode) || st.st_uid != getuid() || st.st_mode & 022)
		why = "it must be a folder of yours that nobody else can write to";
	if (!why)
		return path;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", path, why);
	g_free(path);
	return NULL;
}

char *runtime_socket(const char *guest, GError **error)
{
	g_autofree char *dir = NULL;
	char *path;

	if (strchr(guest, '/'))
		return g_strdup(guest);
	dir = runtime_dir(error);
	if (!dir)
		return NULL;
	path = g_strconcat(dir, "/", guest, SUFFIX, NULL);
	if (access(path, F_OK)) {
		g_autofree char *appliance = g_strconcat(APPLIANCE "/", guest, SUFFIX, NULL);

		if (!access(appliance, F_OK)) {
			g_free(path);
			return g_steal_pointer(&appliance);
		}
	}
	if (!access(path, F_OK))
		return path;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
		"there is no guest \"%s\" (no %s); irori list shows those there are", guest, path);
	g_free(path);
	return NULL;
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sockets_list(GDir *dir, GPtrArray *names)
{
	const char *name;

	while ((name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, SUFFIX)) {
			char *guest = g_strndup(name, strlen(name) - strlen(SUFFIX));

			if (g_ptr_array_find_with_equal_func(names, guest, g_str_equal, NULL))
				g_free(guest);
			else
				g_ptr_array_add(names, guest);
		}
	g_dir_close(dir);
}

char **runtime_guests(GError **error)
{
	g_autofree char *path = runtime_dir(error);
	GDir *dir = path ? g_dir_open(path, 0, error) : NULL;
	GDir *appliance = g_dir_open(APPLIANCE, 0, NULL);
	GPtrArray *names;

	if (!dir && appliance)
		g_dir_close(appliance);
	if (!dir)
		return NULL;
	names = g_ptr_array_new();
	sockets_list(dir, names);
	if (appliance)
		sockets_list(appliance, names);
	g_ptr_array_sort(names, name_compare);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

/* The build tree's root if we run from <root>/ui/irori, else NULL. */
static char *build_root(void)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;
	g_autofree char *mark = NULL;
	char *root;

	if (!folder)
		return NULL;
	root = g_path_get_dirname(folder);
	mark = g_build_filename(root, "build.ninja", NULL);
	if (!access(mark, F_OK))
		return root;
	g_free(root);
	return NULL;
}

static char *existing(char *path, int mode)
{
	if (path && !access(path, mode))
		return path;
	g_free(path);
	return NULL;
}

char *runtime_program(const char *name)
{
	g_autofree char *root = build_root();
	char *path = NULL;

	for (size_t i = 0; root && !path && i < G_N_ELEMENTS(programs); i++)
		if (!strcmp(programs[i].name, name))
			path = existing(
				g_build_filename(root, programs[i].folder, name, NULL), X_OK);
	if (!path)
		path = existing(g_build_filename(IRORI_BINDIR, name, NULL), X_OK);
	return path ? path : g_find_program_in_path(name);
}

char *runtime_file(const char *name)
{
	g_autofree char *root = build_root();
	char *path = root ? existing(g_build_filename(root, name, NULL), R_OK) : NULL;

	return path ? path : existing(g_build_filename(IRORI_DATADIR, name, NULL), R_OK);
}
