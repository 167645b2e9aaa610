/*
 * See process.h.
 */
#include "seats/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "display/packet.h"

enum {
	CONNECT_EVERY_MS = 10,
	BUSY_EVERY_MS = 100,
	NO_PROGRAM_MS = 2000,
	NEEDS_EVERY_MS = 200,
};

struct process {
	struct process_config config;
	const struct process_events *events;
	void *data;
	enum process_state state;
	struct backoff backoff;
	struct spawn_child *child; /* NULL: none, or not ours */
	pid_t peer;                /* who listens */
	int handle;                /* of that one, a pidfd, also after its hang-up; -1: none */
	bool wanted, busy;
	int64_t started_ns, lost_ns;
	guint timer;
};

static void process_try(struct process *process);

static void state_set(struct process *process, enum process_state state, const char *why)
{
	process->state = state;
	process->events->changed(process->data, why);
}

static gboolean wait_over(gpointer data)
{
	struct process *process = data;

	process->timer = 0;
	process_try(process);
	return G_SOURCE_REMOVE;
}

static void wait_begin(struct process *process, const char *why)
{
	uint32_t wait = backoff_down(&process->backoff, process->config.now());

	g_clear_handle_id(&process->timer, g_source_remove);
	if (!process->wanted) {
		state_set(process, PROCESS_IDLE, why);
		return;
	}
	process->timer = g_timeout_add(wait, wait_over, process);
	state_set(process, PROCESS_WAITING, why);
}

/* The one who listens, by the kernel's word, and a handle on it (-1: none, and 0). The word is a number, which may
 * be another's by now if that one has died. But then its connections are over: while this one stands, who has the
 * number is the one who listens. */
static pid_t peer_find(int fd, int *handle)
{
	struct pollfd over = { .fd = fd };
	struct ucred peer;
	socklen_t len = sizeof(peer);

	*handle = -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.pid <= 1)
		return 0;
	*handle = (int)syscall(SYS_pidfd_open, peer.pid, 0); /* is CLOEXEC */
	if (*handle >= 0 && poll(&over, 1, 0) == 0)
		return peer.pid;
	if (*handle >= 0)
		close(*handle);
	*handle = -1;
	return 0;
}

static void handle_kill(int handle)
{
	if (handle >= 0)
		syscall(SYS_pidfd_send_signal, handle, SIGKILL, NULL, 0);
}

static bool handle_alive(int handle)
{
	struct pollfd over = { .fd = handle, .events = POLLIN };

	return handle >= 0 && poll(&over, 1, 0) == 0;
}

/* Now, and not when systemd comes to it: what it holds is to be free for who comes after it. */
static void kill_it(struct process *process)
{
	handle_kill(process->handle);
	spawn_kill(process->child, SIGKILL);
}

static void peer_forget(struct process *process)
{
	if (process->handle >= 0)
		close(process->handle);
	process->handle = -1;
	process->peer = 0;
}

/* Of all that connecting may end with, only this says that nobody is there. */
static bool is_nobody(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED;
}

/* 0, or -errno. */
static int process_connect(struct process *process)
{
	int fd = packet_connect(process->config.socket);

	if (fd < 0)
		return fd;
	g_clear_handle_id(&process->timer, g_source_remove);
	peer_forget(process);
	process->busy = false;
	process->peer = peer_find(fd, &process->handle);
	backoff_up(&process->backoff, process->config.now());
	process->state = PROCESS_UP;
	process->events->connected(process->data, fd);
	return 0;
}

/* Another must not be started beside it. It has taken nobody for long, so it is not asked often. */
static void busy_wait(struct process *process, int r)
{
	g_clear_handle_id(&process->timer, g_source_remove);
	process->timer = g_timeout_add(BUSY_EVERY_MS, wait_over, process);
	if (process->busy)
		return;
	process->busy = true;
	state_set(process, PROCESS_WAITING,
		r == -EAGAIN ? "is there and takes no connection" : g_strerror(-r));
}

static void child_ended(void *data, int status)
{
	struct process *process = data;
	g_autofree char *why = status > 0 ? g_strdup_printf("ended with status %d", status) :
		g_strdup(status ? "was killed" : "ended");

	process->child = NULL;
	/* Who was connected hears of the end by the hang-up, may still have something to read, and may be
	 * wanted again by now. */
	if (process->state != PROCESS_STARTING)
		return;
	if (!process->events->ended(process->data, status))
		process->wanted = false;
	wait_begin(process, why);
}

static gboolean connect_again(gpointer data)
{
	struct process *process = data;
	int64_t waited = process->config.now() - process->started_ns;

	process->timer = 0;
	if (!process_connect(process))
		return G_SOURCE_REMOVE;
	if (waited > process->config.start_ms * INT64_C(1000000)) {
		spawn_kill(process->child, SIGKILL);
		spawn_forget(g_steal_pointer(&process->child));
		wait_begin(process, "did not begin to listen");
		return G_SOURCE_REMOVE;
	}
	process->timer = g_timeout_add(CONNECT_EVERY_MS, connect_again, process);
	return G_SOURCE_REMOVE;
}

static void process_start(struct process *process)
{
	g_autoptr(GError) error = NULL;

	/* What our own unit may not touch is there all the same: EPERM, from the device filter. */
	if (process->config.needs && access(process->config.needs, F_OK) < 0 && errno == ENOENT) {
		process->timer = g_timeout_add(NEEDS_EVERY_MS, wait_over, process);
		state_set(process, PROCESS_WAITING, process->config.needs_why);
		return;
	}
	peer_forget(process);
	process->started_ns = process->config.now();
	process->child = spawn_start(process->config.spawn, &process->config.spec, child_ended, process,
		&error);
	if (!process->child) {
		/* There is no such program: it will not be there in a moment either. */
		process->timer = g_timeout_add(NO_PROGRAM_MS, wait_over, process);
		state_set(process, PROCESS_WAITING, error->message);
		return;
	}
	process->timer = g_timeout_add(CONNECT_EVERY_MS, connect_again, process);
	state_set(process, PROCESS_STARTING, NULL);
}

/* It has hung up, and may still be writing. */
static bool is_leaving(const struct process *process)
{
	return process->child || handle_alive(process->handle);
}

/* It may be there, started before us; or still be on its way out. */
static void process_try(struct process *process)
{
	int r = process_connect(process);

	if (r == 0)
		return;
	/* Who has hung up and takes nobody else is on its way out. */
	if (!is_nobody(r) && !(r == -EAGAIN && is_leaving(process))) {
		busy_wait(process, r);
		return;
	}
	process->busy = false;
	if (!process->wanted) {
		state_set(process, PROCESS_IDLE, NULL);
		return;
	}
	if (is_leaving(process)) {
		if (process->config.now() - process->lost_ns <
			process->config.end_ms * INT64_C(1000000)) {
			process->timer = g_timeout_add(CONNECT_EVERY_MS, wait_over, process);
			return;
		}
		kill_it(process);
		spawn_forget(g_steal_pointer(&process->child));
	}
	process_start(process);
}

struct process *process_new(const struct process_config *config, const struct process_events *events,
	void *data)
{
	struct process *process = g_new0(struct process, 1);

	process->config = *config;
	process->events = events;
	process->data = data;
	process->handle = -1;
	process->backoff = config->backoff;
	return process;
}

void process_free(struct process *process)
{
	if (!process)
		return;
	g_clear_handle_id(&process->timer, g_source_remove);
	spawn_forget(process->child);
	peer_forget(process);
	g_free(process);
}

void process_renew(struct process *process, const struct spawn_spec *spec)
{
	process->config.spec = *spec;
}

bool process_find(struct process *process)
{
	int r = process->state == PROCESS_UP ? 0 : process_connect(process);

	if (r < 0 && !is_nobody(r) && process->state == PROCESS_IDLE)
		busy_wait(process, r);
	return !is_nobody(r);
}

void process_want(struct process *process, bool now)
{
	process->wanted = true;
	if (now)
		backoff_reset(&process->backoff);
	if (process->state == PROCESS_IDLE || (now && process->state == PROCESS_WAITING)) {
		g_clear_handle_id(&process->timer, g_source_remove);
		process_try(process);
	}
}

void process_unwant(struct process *process)
{
	process->wanted = false;
	if (process->state != PROCESS_WAITING || process->busy)
		return;
	g_clear_handle_id(&process->timer, g_source_remove);
	state_set(process, PROCESS_IDLE, NULL);
}

void process_lost(struct process *process)
{
	if (process->state != PROCESS_UP)
		return;
	process->peer = 0; /* the handle is kept: it may have to be killed yet */
	process->lost_ns = process->config.now();
	wait_begin(process, "hung up");
}

void process_hangs(struct process *process, const char *why)
{
	bool busy = process->busy;

	kill_it(process);
	peer_forget(process);
	process->busy = false;
	if (process->state != PROCESS_UP && !busy)
		return;
	process->lost_ns = process->config.now();
	wait_begin(process, why);
}

enum process_state process_state(const struct process *process)
{
	return process->state;
}

pid_t process_pid(const struct process *process)
{
	return process->peer;
}

bool process_wanted(const struct process *process)
{
	return process->wanted;
}

bool process_is_busy(const struct process *process)
{
	return process->busy;
}

bool process_evict(const char *socket)
{
	int fd = packet_connect(socket), handle;

	if (fd < 0 && !is_nobody(fd))
		return false;
	if (fd >= 0) {
		peer_find(fd, &handle);
		close(fd);
		if (handle < 0) /* not known; or it has just ended, and is nobody the next time */
			return false;
		handle_kill(handle);
		close(handle);
	}
	unlink(socket);
	return true;
}
