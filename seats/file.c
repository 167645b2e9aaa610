/*
 * See file.h.
 */
#include "seats/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/error.h"

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The name is on the disk only when its folder is. */
static int folder_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code;

	if (fd < 0)
		return -errno;
	code = fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
	close(fd);
	return code;
}

static int rename_to(const char *from, const char *to, bool replace)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, replace ? 0 : RENAME_NOREPLACE) == 0)
		return 0;
	if (replace || errno != EINVAL)
		return -errno;
	/* a file system that cannot: a second name is as good */
	return link(from, to) < 0 ? -errno : unlink(from) < 0 ? -errno : 0;
}

bool file_write(const char *path, const char *text, mode_t mode, bool replace, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *temporary = g_strdup_printf("%s/.%s.XXXXXX", folder, name);
	int code = 0, fd;

	if (g_mkdir_with_parents(folder, 0755) < 0)
		return fail_errno(error, errno, "%s: %s", folder, g_strerror(errno));
	fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(error, errno, "%s: %s", folder, g_strerror(errno));
	code = write_all(fd, text);
	if (!code && fchmod(fd, mode) < 0)
		code = -errno;
	close(fd);
	if (!code)
		code = rename_to(temporary, path, replace);
	if (code)
		unlink(temporary);
	else
		code = folder_sync(folder);
	return code == 0 || fail_errno(error, -code, "%s: %s", path, g_strerror(-code));
}
