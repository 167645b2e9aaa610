/*
 * Processes behind sockets: what is started, what is found, who is busy, who is killed.
 */
#include "display/packet.h"
#include "seats/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/seats/loop.h"

static char *folder;

/* Starting processes */

static int ended_status;
static unsigned ended;

static void child_ended(void *data, int status)
{
	ended++;
	ended_status = status;
}

static struct spawn_child *sh(struct spawn *spawn, const char *script)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	struct spawn_spec spec = { .kind = SPAWN_GUEST, .name = "sh", .argv = argv };
	GError *error = NULL;
	struct spawn_child *child = spawn_start(spawn, &spec, child_ended, NULL, &error);

	test_assert(child && !error);
	return child;
}

static void spawned(void)
{
	static const char *const none[] = { "/nonexistent/program", NULL };
	struct spawn_spec spec = { .kind = SPAWN_SEAT, .name = "none", .argv = none };
	g_autofree char *log = g_build_filename(folder, "log/guest-sh.log", NULL);
	g_autofree char *alive = g_build_filename(folder, "alive", NULL);
	g_autofree char *script = g_strdup_printf("sleep 0.2; echo > %s", alive);
	g_autofree char *text = NULL;
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct spawn_child *child;
	GError *error = NULL;

	test_assert(!strcmp(spawn_way(spawn), "fork"));
	ended = 0;
	sh(spawn, "echo said; exit 3");
	until(ended == 1);
	test_equal(ended_status, 3);
	test_assert(g_file_get_contents(log, &text, NULL, NULL) && !strcmp(text, "said\n"));
	child = sh(spawn, "exec sleep 100");
	spawn_kill(child, SIGKILL);
	until(ended == 2);
	test_equal(ended_status, -1);
	test_assert(!spawn_start(spawn, &spec, child_ended, NULL, &error) && error);
	g_clear_error(&error);
	/* Forgotten, it goes on, and nobody hears of its end. */
	spawn_forget(sh(spawn, script));
	until(!g_access(alive, F_OK));
	until(!g_main_context_iteration(NULL, FALSE));
	test_equal(ended, 2);
	spawn_forget(NULL);
	spawn_free(spawn);
}

/* Processes behind sockets */

static int peer_fd = -1;
static char *peer_why;

static void peer_connected(void *data, int fd)
{
	peer_fd = fd;
}

static void peer_changed(void *data, const char *why)
{
	g_free(peer_why);
	peer_why = g_strdup(why);
}

static bool peer_ended(void *data, int status)
{
	return false;
}

static const struct process_events peer_events = { peer_connected, peer_changed, peer_ended };

static int listen_at(const char *path, int backlog)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	test_equal(packet_address(path, &address), 0);
	test_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	test_equal(listen(fd, backlog), 0);
	return fd;
}

/* One that has no room for another connection is there: nothing is started in its place, and its socket stays. */
static void busy_is_there(void)
{
	g_autofree char *path = g_build_filename(folder, "busy.sock", NULL);
	g_autofree char *started = g_build_filename(folder, "started", NULL);
	g_autofree char *script = g_strdup_printf("echo > %s", started);
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct process_config config = { .spawn = spawn, .spec = { .kind = SPAWN_GUEST, .name = "busy",
		.argv = argv }, .socket = path, .start_ms = 1000, .end_ms = 10, .now = now };
	struct process *process;
	int listener = listen_at(path, 0), first = packet_connect(path);

	test_assert(first >= 0);
	test_equal(packet_connect(path), -EAGAIN);
	backoff_init(&config.backoff, 10, 20, 1000);
	process = process_new(&config, &peer_events, NULL);
	test_assert(process_find(process));
	test_assert(process_is_busy(process));
	test_equal(process_state(process), PROCESS_WAITING);
	test_assert(strstr(peer_why, "takes no connection"));
	process_want(process, true);
	turn(300);
	test_equal(process_state(process), PROCESS_WAITING);
	test_assert(g_access(started, F_OK) < 0);
	close(accept(listener, NULL, NULL));
	close(first);
	until(process_state(process) == PROCESS_UP);
	test_assert(!process_is_busy(process));
	test_equal(process_pid(process), getpid());
	close(peer_fd);
	process_free(process);
	close(listener);
	g_unlink(path);
	g_clear_pointer(&peer_why, g_free);
	spawn_free(spawn);
}

/* It is killed when it takes a connection at last, and its socket stays until then. */
static void busy_is_evicted(void)
{
	g_autofree char *path = g_build_filename(folder, "stranger.sock", NULL);
	int taken[2], go[2], first, status = 0;
	char byte = 0;
	pid_t pid;

	test_assert(!pipe(taken) && !pipe(go));
	pid = fork();
	if (!pid) {
		int listener = listen_at(path, 0);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(taken[1], "", 1) == 1 && read(go[0], &byte, 1) == 1 &&
			accept(listener, NULL, NULL) >= 0)
			for (;;)
				pause();
		_exit(1);
	}
	test_equal(read(taken[0], &byte, 1), 1);
	first = packet_connect(path);
	test_assert(first >= 0);
	test_assert(!process_evict(path));
	test_assert(!g_access(path, F_OK) && !waitpid(pid, NULL, WNOHANG));
	test_equal(write(go[1], "", 1), 1);
	until(process_evict(path));
	until(waitpid(pid, &status, WNOHANG) == pid);
	test_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	test_assert(g_access(path, F_OK) < 0);
	test_assert(process_evict(path));
	close(first);
	for (unsigned i = 0; i < 2; i++) {
		close(taken[i]);
		close(go[i]);
	}
}

/* What we cannot ask may be there: with no descriptor left, nothing is started and nobody loses a socket. */
static void unknown_is_there(void)
{
	g_autofree char *path = g_build_filename(folder, "unknown.sock", NULL);
	g_autofree char *started = g_build_filename(folder, "started", NULL);
	g_autofree char *script = g_strdup_printf("echo > %s", started);
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct process_config config = { .spawn = spawn, .spec = { .kind = SPAWN_GUEST, .name = "unknown",
		.argv = argv }, .socket = path, .start_ms = 1000, .end_ms = 10, .now = now };
	int listener = listen_at(path, 4);
	struct process *process;
	struct rlimit limit, few;

	backoff_init(&config.backoff, 10, 20, 1000);
	process = process_new(&config, &peer_events, NULL);
	test_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = 1;
	test_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	test_equal(packet_connect(path), -EMFILE);
	process_want(process, true);
	test_assert(!process_evict(path));
	test_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	test_equal(process_state(process), PROCESS_WAITING);
	test_assert(process_is_busy(process) && !g_access(path, F_OK) && g_access(started, F_OK) < 0);
	until(process_state(process) == PROCESS_UP);
	test_assert(g_access(started, F_OK) < 0);
	close(peer_fd);
	process_free(process);
	close(listener);
	g_unlink(path);
	g_clear_pointer(&peer_why, g_free);
	spawn_free(spawn);
}

/* One that was found, and hangs up without ending: it has its time, and is not there beside its successor. */
static void leaving_is_killed(void)
{
	g_autofree char *path = g_build_filename(folder, "leaving.sock", NULL);
	g_autofree char *started = g_build_filename(folder, "leaving-started", NULL);
	g_autofree char *script = g_strdup_printf("echo > %s", started);
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct process_config config = { .spawn = spawn, .spec = { .kind = SPAWN_GUEST, .name = "leaving",
		.argv = argv }, .socket = path, .start_ms = 1000, .end_ms = 200, .now = now };
	struct process *process;
	int ready[2], status = 0;
	char byte;
	pid_t pid;

	test_assert(!pipe(ready));
	pid = fork();
	if (!pid) {
		int listener = listen_at(path, 4), fd;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		while ((fd = accept(listener, NULL, NULL)) < 0)
			g_usleep(1000);
		close(fd);
		close(listener);
		for (;;)
			pause();
	}
	test_equal(read(ready[0], &byte, 1), 1);
	backoff_init(&config.backoff, 10, 20, 1000);
	process = process_new(&config, &peer_events, NULL);
	process_want(process, true);
	test_equal(process_state(process), PROCESS_UP);
	test_equal(process_pid(process), pid);
	until(read(peer_fd, &byte, 1) == 0); /* hung up */
	close(peer_fd);
	process_lost(process);
	test_equal(process_pid(process), 0);
	turn(100);
	test_assert(g_access(started, F_OK) < 0 && !waitpid(pid, NULL, WNOHANG));
	until(!g_access(started, F_OK));
	test_equal(waitpid(pid, &status, 0), pid);
	test_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	process_free(process);
	close(ready[0]);
	close(ready[1]);
	g_clear_pointer(&peer_why, g_free);
	spawn_free(spawn);
}

int main(void)
{
	folder = folders_make();
	test_run(spawned);
	test_run(busy_is_there);
	test_run(busy_is_evicted);
	test_run(unknown_is_there);
	test_run(leaving_is_killed);
	folders_remove(folder);
	return 0;
}
