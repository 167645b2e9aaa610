/*
 * irori save, restore: a guest's suspend to disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ui/attach.h"
#include "ui/command.h"
#include "ui/runtime.h"

enum {
	LOOK_MS = 100, /* how often the file is looked at */
	MAGIC_LEN = 8,
	MESSAGE_MAX = 1000,
};

/* What the beginning of the file says: 1 saved, 0 not yet, -1 and error: not, and why. */
static int file_says(int fd, GError **error)
{
	char bytes[MAGIC_LEN + MESSAGE_MAX + 1] = "";

	if (pread(fd, bytes, sizeof(bytes) - 1, 0) < MAGIC_LEN)
		return 0;
	if (!memcmp(bytes, "IRORISAV", MAGIC_LEN))
		return 1;
	if (memcmp(bytes, "IRORIERR", MAGIC_LEN))
		return 0;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", bytes + MAGIC_LEN);
	return -1;
}

/* Until the guest has hung up, which it does when it is in the file. */
static bool save_await(struct attached *attached, int fd, GError **error)
{
	int said;

	while (link_client_wait(attach_client(attached), LOOK_MS) >= 0)
		if (file_says(fd, error) < 0)
			return false;
	said = file_says(fd, error);
	if (!said)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the guest ended before it was saved");
	return said > 0;
}

static bool save_to(const char *guest, int fd, GError **error)
{
	struct attached *attached = attach(guest, LINK_WANT_CONTROL, error);
	bool done = attached && attach_save(attached, fd, error) && save_await(attached, fd, error);

	attach_free(attached);
	return done;
}

/* In a file of another name until it is whole. */
static int save_run(const char *name, char **args, int n)
{
	g_autofree char *part = g_strconcat(args[1], ".part", NULL);
	GError *error = NULL;
	int fd, status = EX_OK;

	if (!access(args[1], F_OK))
		return command_fail(EX_CANTCREAT, name, "%s: is there already", args[1]);
	fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return command_fail(EX_CANTCREAT, name, "%s: %s", part, g_strerror(errno));
	if (!save_to(args[0], fd, &error)) {
		status = command_fail_error(EX_UNAVAILABLE, name, error);
		unlink(part);
	} else if (rename(part, args[1]) < 0) {
		status = command_fail(EX_CANTCREAT, name, "%s: %s; the guest is in %s", args[1],
			g_strerror(errno), part);
	} else {
		printf("%s\n", args[1]);
	}
	close(fd);
	return status;
}

const struct command command_save = {
	.name = "save",
	.arguments = "GUEST FILE",
	.help = "save the guest in a file, and switch it off",
	.more = "irori restore FILE lets it go on. Its disks stay where they are: do not change them in\n"
		"between.",
	.min = 2,
	.max = 2,
	.run = save_run,
};

static int restore_run(const char *name, char **args, int n)
{
	g_autofree char *program = runtime_program("irori-vmm");
	char *argv[] = { program, "--restore", args[0], NULL };

	if (!program)
		return command_fail(EX_UNAVAILABLE, name, "irori-vmm is not installed");
	execv(program, argv);
	return command_fail(EX_OSERR, name, "%s: %s", program, g_strerror(errno));
}

const struct command command_restore = {
	.name = "restore",
	.arguments = "FILE",
	.help = "go on with a saved guest, in the foreground",
	.more = "The file is removed when the guest is loaded: its disks go on, so that it cannot be\n"
		"loaded twice.",
	.min = 1,
	.max = 1,
	.run = restore_run,
};
