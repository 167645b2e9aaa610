/*
 * Helpers: spawned by GLib, watched through a pidfd, so that no signal handler and no thread is
 * needed for it.
 */
#define G_LOG_DOMAIN "irori-helper"

#include "vmm/helper.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	HELPER_LINE_MAX = 240,
};

struct helper {
	char *name;
	struct helper_owner owner;
	GPid pid;
	int pidfd, errors;
	GSource *end_source, *error_source;
	/* The sources' as long as they are called: one that is stopped elsewhere may be in a call. */
	int uses; /* atomic */
	GMutex lock; /* of what follows */
	bool stopped;
	char line[HELPER_LINE_MAX + 1], last[HELPER_LINE_MAX + 1];
	unsigned line_len, lines;
	int status;
	bool reaped;
};

struct helper_birth {
	const struct helper_prepare *prepare;
	pid_t parent;
};

/* In the child, between fork and exec: only what is safe there. */
static void helper_child(gpointer data)
{
	const struct helper_birth *birth = data;
	const char *failed = NULL;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0); /* what it forks goes with it; a terminal's ^C is for us */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (birth->prepare)
		failed = birth->prepare->call(birth->prepare->data);
	if (failed && write(STDERR_FILENO, failed, strlen(failed)) >= 0)
		raise(SIGKILL);
	if (failed || (birth->prepare == NULL && getppid() != birth->parent))
		raise(SIGKILL); /* we died before the call above */
}

static void helper_line(struct helper *helper)
{
	helper->line[helper->line_len] = '\0';
	g_strstrip(helper->line);
	helper->line_len = 0;
	/* It has no syslog where it is, and says so on each line. */
	if (helper->line[0] == '\0' || strstr(helper->line, "to syslog"))
		return;
	for (char *c = helper->line; *c; c++)
		if (!g_ascii_isprint(*c))
			*c = '?';
	memcpy(helper->last, helper->line, sizeof(helper->last));
	if (helper->lines++ < HELPER_LINES)
		g_debug("%s: %s", helper->name, helper->line);
}

/* What read() says: 0 is the end, -1 that there is nothing now. */
static ssize_t helper_listen(struct helper *helper)
{
	char bytes[512];
	ssize_t got = read(helper->errors, bytes, sizeof(bytes));

	for (ssize_t i = 0; i < got; i++)
		if (bytes[i] == '\n' || helper->line_len == HELPER_LINE_MAX)
			helper_line(helper);
		else
			helper->line[helper->line_len++] = bytes[i];
	return got;
}

static gboolean helper_spoke(gint fd, GIOCondition condition, gpointer data)
{
	struct helper *helper = data;
	bool more = false;

	g_mutex_lock(&helper->lock);
	if (!helper->stopped) {
		ssize_t got = helper_listen(helper);

		more = got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
	}
	g_mutex_unlock(&helper->lock);
	return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void helper_reap(struct helper *helper)
{
	pid_t got;

	if (helper->reaped)
		return;
	do
		got = waitpid(helper->pid, &helper->status, 0);
	while (got < 0 && errno == EINTR);
	helper->reaped = true;
	for (unsigned i = 0; i < HELPER_LINES && helper_listen(helper) > 0; i++)
		;
	if (helper->line_len > 0)
		helper_line(helper);
}

static void helper_tell(struct helper *helper)
{
	g_autofree char *why = NULL;

	helper_reap(helper);
	if (WIFSIGNALED(helper->status))
		why = g_strdup_printf("%s: killed by signal %d%s%s", helper->name,
			WTERMSIG(helper->status), helper->last[0] ? ": " : "", helper->last);
	else
		why = g_strdup_printf("%s: ended with status %d%s%s", helper->name,
			WEXITSTATUS(helper->status), helper->last[0] ? ": " : "", helper->last);
	if (helper->owner.ended)
		helper->owner.ended(helper->owner.data, why);
}

/* The owner is told under the lock, so that it hears nothing after helper_stop(). */
static gboolean helper_ended(gint fd, GIOCondition condition, gpointer data)
{
	struct helper *helper = data;

	g_mutex_lock(&helper->lock);
	if (!helper->stopped)
		helper_tell(helper);
	g_mutex_unlock(&helper->lock);
	return G_SOURCE_REMOVE;
}

static void helper_drop(gpointer data)
{
	struct helper *helper = data;

	if (!g_atomic_int_dec_and_test(&helper->uses))
		return;
	if (helper->pidfd >= 0)
		close(helper->pidfd);
	if (helper->errors >= 0)
		close(helper->errors);
	g_mutex_clear(&helper->lock);
	g_free(helper->name);
	g_free(helper);
}

static GSource *helper_watch(struct helper *helper, int fd, GUnixFDSourceFunc call)
{
	GSource *source = g_unix_fd_source_new(fd, G_IO_IN);

	g_atomic_int_inc(&helper->uses);
	g_source_set_callback(source, G_SOURCE_FUNC(call), helper, helper_drop);
	g_source_attach(source, helper->owner.context);
	return source;
}

static bool helper_spawn(struct helper *helper, const struct helper_prepare *prepare,
	const char *const *argv, int fd, GError **error)
{
	struct helper_birth birth = {prepare, getpid()};
	const int to = HELPER_FD;

	return g_spawn_async_with_pipes_and_fds(NULL, argv, NULL,
		G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
			G_SPAWN_CLOEXEC_PIPES,
		helper_child, &birth, -1, -1, -1, &fd, &to, fd >= 0 ? 1 : 0,
		&helper->pid, NULL, NULL, &helper->errors, error);
}

struct helper *helper_start_in(const struct helper_prepare *prepare, const char *const *argv, int fd,
	const struct helper_owner *owner, GError **error)
{
	struct helper *helper = g_new0(struct helper, 1);

	helper->uses = 1;
	g_mutex_init(&helper->lock);
	helper->owner = *owner;
	helper->name = g_path_get_basename(argv[0]);
	helper->pidfd = helper->errors = -1;
	helper->reaped = true;
	if (!helper_spawn(helper, prepare, argv, fd, error)) {
		helper_stop(helper);
		return NULL;
	}
	helper->reaped = false;
	g_unix_set_fd_nonblocking(helper->errors, TRUE, NULL);
	helper->pidfd = pidfd_open(helper->pid, 0);
	if (helper->pidfd < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: pidfd: %s",
			helper->name, g_strerror(errno));
		helper_stop(helper);
		return NULL;
	}
	helper->end_source = helper_watch(helper, helper->pidfd, helper_ended);
	helper->error_source = helper_watch(helper, helper->errors, helper_spoke);
	return helper;
}

struct helper *helper_start(const char *const *argv, int fd, const struct helper_owner *owner,
	GError **error)
{
	return helper_start_in(NULL, argv, fd, owner, error);
}

const char *helper_last_word(struct helper *helper)
{
	/* It may have ended a moment ago, and not have been heard yet. */
	for (unsigned i = 0; i < HELPER_LINES && helper_listen(helper) > 0; i++)
		;
	if (helper->line_len > 0)
		helper_line(helper);
	return helper->last[0] ? helper->last : NULL;
}

/* By the group: a server may have put its work into a child in a namespace of its own. */
void helper_kill(struct helper *helper)
{
	struct pollfd end = {.fd = helper->pidfd, .events = POLLIN};

	if (helper->reaped)
		return;
	kill(-helper->pid, SIGKILL);
	poll(&end, 1, HELPER_PATIENCE_MS);
}

static void helper_unwatch(GSource *source)
{
	if (!source)
		return;
	g_source_destroy(source);
	g_source_unref(source);
}

void helper_stop(struct helper *helper)
{
	struct pollfd end;

	if (!helper)
		return;
	g_mutex_lock(&helper->lock);
	helper->stopped = true;
	g_mutex_unlock(&helper->lock);
	helper_unwatch(helper->end_source);
	helper_unwatch(helper->error_source);
	if (!helper->reaped) {
		kill(-helper->pid, SIGTERM);
		end = (struct pollfd){.fd = helper->pidfd, .events = POLLIN};
		if (helper->pidfd < 0 || poll(&end, 1, HELPER_PATIENCE_MS) != 1)
			kill(-helper->pid, SIGKILL);
		helper_reap(helper);
	}
	helper_drop(helper);
}

unsigned helper_back_off(unsigned n)
{
	return n == 0 ? 0 : MIN(500u << MIN(n - 1, 16), 30000u);
}
