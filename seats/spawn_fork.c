/*
 * The plain way: a child in a session of its own. There is no PDEATHSIG: it is to outlive us, init
 * inherits it, and the next irorid finds it by its socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seats/spawn_internal.h"
#include "vmm/error.h"

enum {
	LOG_MAX = 1 << 20, /* bytes, looked at when a process starts; one old log is kept */
};

/* What the kernel sacrifices first when memory is short: guests before seats before us. */
static const char *const oom_adjust[] = {
	[SPAWN_GUEST] = "200",
	[SPAWN_SEAT] = "-400",
};

static int log_open(const struct spawn_child *child, GError **error)
{
	g_autofree char *folder = g_build_filename(child->spawn->runtime, "log", NULL);
	g_autofree char *path = g_strdup_printf("%s/%s.log", folder, child->name);
	g_autofree char *old = g_strconcat(path, ".old", NULL);
	struct stat st;
	int fd;

	if (g_mkdir_with_parents(folder, 0700) < 0) {
		fail_errno(error, errno, "%s: %s", folder, g_strerror(errno));
		return -1;
	}
	if (!lstat(path, &st) && st.st_size > LOG_MAX)
		g_rename(path, old);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		fail_errno(error, errno, "%s: %s", path, g_strerror(errno));
	return fd;
}

/* In the child, between fork and exec: async-signal-safe calls only. */
static void child_setup(gpointer data)
{
	const char *adjust = data;
	int fd;

	setsid();
	setpriority(PRIO_PROCESS, 0, 0);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		/* Not being allowed to is no reason not to run. */
		ssize_t ignored = write(fd, adjust, strlen(adjust));

		(void)ignored;
		close(fd);
	}
}

static void child_ended(GPid pid, gint status, gpointer data)
{
	struct spawn_child *child = data;

	child->watch = 0;
	spawn_child_ended(child, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static bool fork_start(struct spawn_child *child, const struct spawn_spec *spec, GError **error)
{
	int log = log_open(child, error);
	bool done;

	if (log < 0)
		return false;
	done = g_spawn_async_with_fds(NULL, (char **)spec->argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
		child_setup, (gpointer)oom_adjust[spec->kind], &child->pid, -1, log, log, error);
	close(log);
	if (done)
		child->watch = g_child_watch_add(child->pid, child_ended, child);
	return done;
}

static void fork_kill(struct spawn_child *child, int signal)
{
	kill(child->pid, signal);
}

/* Nobody hears of it any more, but it must not stay a zombie while we live. */
static void reaped(GPid pid, gint status, gpointer data)
{
}

static void fork_forget(struct spawn_child *child)
{
	g_source_remove(child->watch);
	g_child_watch_add(child->pid, reaped, NULL);
}

static const struct spawn_ops fork_ops = {
	.way = "fork",
	.start = fork_start,
	.kill = fork_kill,
	.forget = fork_forget,
};

bool spawn_fork_init(struct spawn *spawn, GError **error)
{
	spawn->ops = &fork_ops;
	return true;
}
