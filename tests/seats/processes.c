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

/* A process behind the socket `path`; to start it makes the file `started`. */
struct place {
	char *path, *started, *script;
	const char *argv[4];
	struct spawn *spawn;
	struct process *process;
};

static void place_make(struct place *place, const char *name, unsigned end_ms)
{
	struct process_config config = { .spec = { .kind = SPAWN_GUEST, .name = name, .argv = place->argv },
		.start_ms = 1000, .end_ms = end_ms, .now = now };

	place->path = g_strdup_printf("%s/%s.sock", folder, name);
	place->started = g_strdup_printf("%s/%s-started", folder, name);
	place->script = g_strdup_printf("echo > %s", place->started);
	place->argv[0] = "/bin/sh";
	place->argv[1] = "-c";
	place->argv[2] = place->script;
	place->argv[3] = NULL;
	place->spawn = config.spawn = spawn_new(SPAWN_FORK, folder, NULL);
	config.socket = place->path;
	backoff_init(&config.backoff, 10, 20, 1000);
	place->process = process_new(&config, &peer_events, NULL);
}

static bool is_started(const struct place *place)
{
	return !g_access(place->started, F_OK);
}

static void place_end(struct place *place)
{
	process_free(place->process);
	spawn_free(place->spawn);
	g_unlink(place->path);
	g_free(place->path);
	g_free(place->started);
	g_free(place->script);
	g_clear_pointer(&peer_why, g_free);
}

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
	struct place place;
	int listener, first;

	place_make(&place, "busy", 10);
	listener = listen_at(place.path, 0);
	first = packet_connect(place.path);
	test_assert(first >= 0);
	test_equal(packet_connect(place.path), -EAGAIN);
	test_assert(process_find(place.process));
	test_assert(process_is_busy(place.process));
	test_equal(process_state(place.process), PROCESS_WAITING);
	test_assert(strstr(peer_why, "takes no connection"));
	process_want(place.process, true);
	turn(300);
	test_equal(process_state(place.process), PROCESS_WAITING);
	test_assert(!is_started(&place));
	close(accept(listener, NULL, NULL));
	close(first);
	until(process_state(place.process) == PROCESS_UP);
	test_assert(!process_is_busy(place.process));
	test_equal(process_pid(place.process), getpid());
	close(peer_fd);
	place_end(&place);
	close(listener);
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
	struct place place;
	struct rlimit limit, few;
	int listener;

	place_make(&place, "unknown", 10);
	listener = listen_at(place.path, 4);
	test_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = 1;
	test_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	test_equal(packet_connect(place.path), -EMFILE);
	process_want(place.process, true);
	test_assert(!process_evict(place.path));
	test_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	test_equal(process_state(place.process), PROCESS_WAITING);
	test_assert(process_is_busy(place.process) && !g_access(place.path, F_OK) && !is_started(&place));
	until(process_state(place.process) == PROCESS_UP);
	test_assert(!is_started(&place));
	close(peer_fd);
	place_end(&place);
	close(listener);
}

/* One that was found, and hangs up without ending: it has its time, and is not there beside its successor. */
static void leaving_is_killed(void)
{
	struct place place;
	int ready[2], status = 0;
	char byte;
	pid_t pid;

	place_make(&place, "leaving", 200);
	test_assert(!pipe(ready));
	pid = fork();
	if (!pid) {
		int listener = listen_at(place.path, 4), fd;

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
	process_want(place.process, true);
	test_equal(process_state(place.process), PROCESS_UP);
	test_equal(process_pid(place.process), pid);
	until(read(peer_fd, &byte, 1) == 0); /* hung up */
	close(peer_fd);
	process_lost(place.process);
	test_equal(process_pid(place.process), 0);
	turn(100);
	test_assert(!is_started(&place) && !waitpid(pid, NULL, WNOHANG));
	until(is_started(&place));
	test_equal(waitpid(pid, &status, 0), pid);
	test_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	place_end(&place);
	close(ready[0]);
	close(ready[1]);
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
