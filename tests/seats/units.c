/*
 * Guests and seats as units, by fork: what is started, what dies and comes back, what is found again.
 * The guest is a fake one: the real link server without a machine (tests/seat/fake_guest.c).
 */
#include "display/packet.h"
#include "seats/guest_unit.h"
#include "seats/process.h"
#include "seats/seat_unit.h"
#include "seats/wire_codec.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/test.h"

static char *folder, *fake_guest;

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Runs the loop until it is so; ends the test after half a minute. */
#define until(condition)                                                                           \
	do {                                                                                       \
		int64_t until_end = now() + INT64_C(30000000000);                                  \
		while (!(condition)) {                                                             \
			g_main_context_iteration(NULL, FALSE);                                     \
			g_usleep(1000);                                                            \
			if (now() > until_end) {                                                   \
				fprintf(stderr, "%s:%d: never: %s\n", __FILE__, __LINE__,          \
					#condition);                                               \
				exit(1);                                                           \
			}                                                                          \
		}                                                                                  \
	} while (0)

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

static void turn(unsigned ms)
{
	for (int64_t end = now() + ms * INT64_C(1000000); now() < end; g_usleep(1000))
		g_main_context_iteration(NULL, FALSE);
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
	test_assert(!process_find(process));
	test_equal(process_state(process), PROCESS_WAITING);
	test_assert(strstr(peer_why, "takes no connection"));
	process_want(process, true);
	turn(300);
	test_equal(process_state(process), PROCESS_WAITING);
	test_assert(g_access(started, F_OK) < 0);
	close(accept(listener, NULL, NULL));
	close(first);
	until(process_state(process) == PROCESS_UP);
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
	process_evict(path);
	turn(250);
	test_assert(!g_access(path, F_OK) && !waitpid(pid, NULL, WNOHANG));
	test_equal(write(go[1], "", 1), 1);
	until(waitpid(pid, &status, WNOHANG) == pid);
	test_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	until(g_access(path, F_OK) < 0);
	close(first);
	for (unsigned i = 0; i < 2; i++) {
		close(taken[i]);
		close(go[i]);
	}
}

/* Guests */

static unsigned shares[POLICY_QUIET + 1], changes;

static void guest_changed(void *data, struct guest_unit *unit)
{
	changes++;
}

static void guest_share(void *data, struct guest_unit *unit, enum policy_event_type event)
{
	shares[event]++;
}

static const struct guest_unit_events guest_events = { guest_changed, guest_share };

static char *none[] = { NULL };
static struct guest_entry entry = { .name = "fake", .title = "Fake", .restart = true, .seats = none };
static const struct irori_config irori = { .backoff_min_ms = 20, .backoff_max_ms = 100,
	.shutdown_seconds = 1 };
static char *monitor;
static int control = -1;

/* What guest_unit starts: the fake guest, its commands by a fifo. */
static void fake_monitor(void)
{
	g_autofree char *script = NULL, *fifo = g_build_filename(folder, "commands", NULL);

	monitor = g_build_filename(folder, "fake-vmm", NULL);
	script = g_strdup_printf("#!/bin/sh\nexec %s \"$2\" fake <%s\n", fake_guest, fifo);
	test_assert(g_file_set_contents(monitor, script, -1, NULL) && !chmod(monitor, 0700));
	test_equal(mkfifo(fifo, 0600), 0);
	control = open(fifo, O_RDWR | O_CLOEXEC);
	test_assert(control >= 0);
	entry.path = g_build_filename(folder, "fake.conf", NULL);
	test_assert(g_file_set_contents(entry.path, "[Guest]\nName=fake\nClass=video\n", -1, NULL));
}

static void command(const char *line)
{
	test_equal(write(control, line, strlen(line)), (long)strlen(line));
}

static struct guest_unit *guest_make(struct spawn *spawn)
{
	struct guest_unit_config config = { .entry = &entry, .irori = &irori, .id = 7, .spawn = spawn,
		.runtime = folder, .monitor = monitor, .now = now };

	memset(shares, 0, sizeof(shares));
	return guest_unit_new(&config, &guest_events, NULL);
}

static void guest_lives(void)
{
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct guest_unit *unit = guest_make(spawn);
	pid_t pid;

	test_equal(guest_unit_state(unit), WIRE_GUEST_OFF);
	test_equal(guest_unit_class(unit), SHARE_VIDEO);
	test_assert(!guest_unit_find(unit));
	test_equal(guest_unit_pause(unit, true), -EAGAIN);
	guest_unit_start(unit, NULL);
	test_equal(guest_unit_state(unit), WIRE_GUEST_STARTING);
	until(guest_unit_state(unit) == WIRE_GUEST_RUNNING);
	test_equal(shares[POLICY_GUEST_ADDED], 1);
	pid = guest_unit_pid(unit);
	test_assert(pid > 0 && !kill(pid, 0));
	command("reset\n");
	until(guest_unit_state(unit) == WIRE_GUEST_RESETTING);
	test_equal(guest_unit_reboots(unit), 1);
	test_equal(shares[POLICY_GUEST_RESET], 1);
	command("running\n");
	until(guest_unit_state(unit) == WIRE_GUEST_RUNNING);
	test_equal(shares[POLICY_FIRST_FRAME], 1);
	/* Killed, it comes back; each time another process. */
	for (unsigned i = 0; i < 4; i++) {
		pid = guest_unit_pid(unit);
		kill(pid, SIGKILL);
		until(guest_unit_starts(unit) == i + 2 && guest_unit_state(unit) == WIRE_GUEST_RUNNING);
		test_assert(guest_unit_pid(unit) != pid);
		test_equal(shares[POLICY_GUEST_GONE], i + 1);
	}
	command("crash\n");
	until(guest_unit_state(unit) == WIRE_GUEST_CRASHED);
	guest_unit_free(unit);
	spawn_free(spawn);
}

static void guest_is_found(void)
{
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct guest_unit *unit = guest_make(spawn);
	pid_t pid;

	/* The one that the case before left behind. */
	test_assert(guest_unit_find(unit));
	until(guest_unit_state(unit) == WIRE_GUEST_CRASHED);
	pid = guest_unit_pid(unit);
	command("running\n");
	until(guest_unit_state(unit) == WIRE_GUEST_RUNNING);
	guest_unit_freeze(unit, true);
	test_equal(guest_unit_state(unit), WIRE_GUEST_FROZEN);
	test_equal(guest_unit_pause(unit, false), -EPERM);
	guest_unit_free(unit);
	/* A new irorid finds it frozen. */
	unit = guest_make(spawn);
	test_assert(guest_unit_find(unit));
	until(guest_unit_state(unit) == WIRE_GUEST_FROZEN);
	test_equal(guest_unit_pid(unit), pid);
	guest_unit_freeze(unit, false);
	test_equal(guest_unit_state(unit), WIRE_GUEST_RUNNING);
	/* It obeys nothing: by force. It is not ours, and is killed all the same. */
	guest_unit_stop(unit, false);
	until(guest_unit_state(unit) == WIRE_GUEST_OFF);
	until(kill(pid, 0) < 0 && errno == ESRCH);
	test_assert(!guest_unit_on(unit));
	for (unsigned i = 0; i < 300; i++) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
	test_equal(guest_unit_state(unit), WIRE_GUEST_OFF); /* and stays off */
	guest_unit_free(unit);
	spawn_free(spawn);
}

/* Switched off before it is up: it does not come up later all the same. */
static void guest_is_stopped_while_it_starts(void)
{
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct guest_unit *unit = guest_make(spawn);

	test_equal(guest_unit_start(unit, NULL), 0);
	test_equal(guest_unit_state(unit), WIRE_GUEST_STARTING);
	guest_unit_stop(unit, true);
	test_assert(guest_unit_on(unit)); /* whoever switches the PC off waits for it */
	until(!guest_unit_on(unit));
	test_equal(guest_unit_starts(unit), 1);
	test_assert(!guest_unit_find(unit));
	/* Wanted again after all. */
	test_equal(guest_unit_start(unit, NULL), 0);
	guest_unit_stop(unit, false);
	test_equal(guest_unit_start(unit, NULL), 0);
	until(guest_unit_state(unit) == WIRE_GUEST_RUNNING);
	guest_unit_stop(unit, true);
	until(!guest_unit_on(unit));
	guest_unit_free(unit);
	spawn_free(spawn);
}

static void guest_is_barred(void)
{
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct guest_unit *unit = guest_make(spawn);
	const char *why = NULL;

	guest_unit_bar(unit, "does not start: for a reason");
	test_equal(guest_unit_start(unit, &why), -EPERM);
	test_assert(!strcmp(why, "does not start: for a reason"));
	why = NULL;
	test_equal(guest_unit_restart(unit, &why), -EPERM);
	test_assert(!strcmp(why, "does not start: for a reason"));
	test_assert(!strcmp(guest_unit_why(unit), "does not start: for a reason"));
	test_assert(!guest_unit_on(unit));
	guest_unit_bar(unit, NULL);
	test_equal(guest_unit_start(unit, NULL), 0);
	until(guest_unit_state(unit) == WIRE_GUEST_RUNNING);
	/* What runs goes on, but not when it has died. */
	guest_unit_bar(unit, "does not start: for another reason");
	test_equal(guest_unit_state(unit), WIRE_GUEST_RUNNING);
	kill(guest_unit_pid(unit), SIGKILL);
	until(guest_unit_state(unit) == WIRE_GUEST_OFF);
	for (unsigned i = 0; i < 300; i++) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
	test_equal(guest_unit_state(unit), WIRE_GUEST_OFF);
	guest_unit_free(unit);
	spawn_free(spawn);
}

static void guest_that_cannot_start(void)
{
	g_autofree char *kvm = g_build_filename(folder, "kvm", NULL);
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct guest_unit_config config = { .entry = &entry, .irori = &irori, .id = 7, .spawn = spawn,
		.runtime = folder, .monitor = "/bin/false", .kvm = kvm, .now = now };
	struct guest_unit *unit = guest_unit_new(&config, &guest_events, NULL);

	guest_unit_start(unit, NULL);
	test_assert(strstr(guest_unit_why(unit), "/dev/kvm"));
	test_equal(guest_unit_state(unit), WIRE_GUEST_STARTING);
	test_assert(g_file_set_contents(kvm, "", 0, NULL));
	until(!strstr(guest_unit_why(unit), "/dev/kvm"));
	test_assert(strstr(guest_unit_why(unit), "status 1"));
	test_equal(guest_unit_state(unit), WIRE_GUEST_STARTING); /* tries again */
	guest_unit_stop(unit, false);
	test_equal(guest_unit_state(unit), WIRE_GUEST_OFF);
	guest_unit_free(unit);
	entry.restart = false;
	unit = guest_unit_new(&config, &guest_events, NULL);
	guest_unit_start(unit, NULL);
	until(guest_unit_state(unit) == WIRE_GUEST_OFF);
	guest_unit_free(unit);
	entry.restart = true;
	spawn_free(spawn);
}

/* Seats: who speaks is this test; who listens, and is killed, is a child of it. */

static unsigned ups, downs, asked;

static void seat_up(void *data, struct seat_unit *unit)
{
	struct wire_show show = { 3 };
	int r = seat_unit_send(unit, WIRE_SHOW, &show, sizeof(show), -1);

	ups++;
	test_assert(r == 0 || r == -EPIPE); /* who has the seat may be dead already */
}

static void seat_down(void *data, struct seat_unit *unit)
{
	downs++;
}

static void seat_request(void *data, struct seat_unit *unit, const struct wire_request *request)
{
	asked++;
	test_assert(!strcmp(request->pin, "1234"));
	seat_unit_answer(unit, request->cookie, -EACCES, "no");
}

static void seat_state(void *data, struct seat_unit *unit)
{
}

static uint32_t linked;

static void seat_link(void *data, struct seat_unit *unit, const struct wire_link *wanted)
{
	linked = wanted->guest;
	test_equal(wanted->kind, WIRE_LINK_SOUND);
	test_equal(seat_unit_send(unit, WIRE_LINK, wanted, sizeof(*wanted), 0), 0);
}

static const struct seat_unit_events seat_events = { seat_up, seat_down, seat_request, seat_state, seat_link };

struct seat_fake {
	const char *name;
	int listener, fd;
	pid_t pid;
};

/* The kernel says that who called listen() is at the other end. */
static void fake_listen(struct seat_fake *fake, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/seats/%s.sock", folder, name);
	struct sockaddr_un address;
	int made[2];
	char done;

	fake->name = name;
	fake->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	g_unlink(path);
	test_equal(packet_address(path, &address), 0);
	test_equal(bind(fake->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	test_equal(pipe(made), 0);
	fake->pid = fork();
	if (!fake->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (listen(fake->listener, 4) < 0 || write(made[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	test_equal(read(made[0], &done, 1), 1);
	close(made[0]);
	close(made[1]);
}

static void seat_hears(int fd, uint16_t opcode, struct wire_message *message)
{
	int r;

	until((r = wire_receive(fd, WIRE_FROM_IRORID, message)) != 0);
	test_equal(r, 1);
	test_equal(message->opcode, opcode);
}

static void fake_accept(struct seat_fake *fake)
{
	struct wire_message message;

	until((fake->fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0);
	seat_hears(fake->fd, WIRE_HELLO, &message);
	test_equal(message.body.hello.number, 2);
	test_assert(!strcmp(message.body.hello.seat, "desk"));
}

static void fake_welcome(struct seat_fake *fake, uint32_t version, uint32_t seated)
{
	struct wire_welcome welcome = { .version = version, .pid = getpid(), .seated = seated };

	test_equal(wire_send(fake->fd, WIRE_WELCOME, &welcome, sizeof(welcome), -1), 0);
}

/* It has been told all there is: the seat is its. */
static void fake_seated(struct seat_fake *fake)
{
	struct wire_message message;

	seat_hears(fake->fd, WIRE_SHOW, &message);
	seat_hears(fake->fd, WIRE_READY, &message);
}

static bool fake_alive(const struct seat_fake *fake)
{
	return !waitpid(fake->pid, NULL, WNOHANG);
}

static void fake_end(struct seat_fake *fake)
{
	kill(fake->pid, SIGKILL);
	waitpid(fake->pid, NULL, 0);
	close(fake->listener);
	close(fake->fd);
}

static struct seat_unit *desk_new(struct spawn *spawn)
{
	static const char *const options[] = { "100", NULL };
	struct seat_unit_config config = { .name = "desk", .number = 2, .spawn = spawn,
		.runtime = folder, .program = "/bin/true", .options = options, .now = now };

	ups = downs = 0;
	return seat_unit_new(&config, &seat_events, NULL);
}

static void seat_lives(void)
{
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct wire_request request = { .cookie = 9, .verb = WIRE_VERB_UNLOCK, .pin = "1234" };
	struct wire_state said = { .width = 800, .height = 600, .outputs = 1 };
	struct wire_link link = { 3, WIRE_LINK_SOUND };
	struct seat_unit *unit = desk_new(spawn);
	struct seat_fake fake;
	struct wire_message message;

	fake_listen(&fake, "desk");
	seat_unit_start(unit); /* finds it */
	fake_accept(&fake);
	test_equal(seat_unit_send(unit, WIRE_READY, NULL, 0, -1), -EAGAIN); /* not up yet */
	fake_welcome(&fake, WIRE_VERSION, 0);
	until(ups == 1);
	fake_seated(&fake);
	test_equal(wire_send(fake.fd, WIRE_STATE, &said, sizeof(said), -1), 0);
	until(seat_unit_state(unit)->width == 800);
	test_equal(wire_send(fake.fd, WIRE_REQUEST, &request, sizeof(request), -1), 0);
	seat_hears(fake.fd, WIRE_ANSWER, &message);
	test_equal(message.body.answer.cookie, 9);
	test_equal(message.body.answer.result, -EACCES);
	test_equal(wire_send(fake.fd, WIRE_WANT_LINK, &link, sizeof(link), -1), 0);
	seat_hears(fake.fd, WIRE_LINK, &message);
	test_equal(linked, 3);
	test_assert(message.fd >= 0);
	close(message.fd);
	/* A second WELCOME is one too many: it is killed. */
	fake_welcome(&fake, WIRE_VERSION, 0);
	until(downs == 1);
	test_equal(seat_unit_state(unit)->width, 0);
	until(!fake_alive(&fake));
	fake_end(&fake);
	/* Of another version: the same. */
	fake_listen(&fake, "desk");
	seat_unit_start(unit);
	fake_accept(&fake);
	fake_welcome(&fake, WIRE_VERSION + 1, 0);
	until(!fake_alive(&fake));
	fake_end(&fake);
	test_equal(ups, 1);
	seat_unit_free(unit);
	spawn_free(spawn);
}

/* Of two that are found, the one that has the seat keeps it; the other has it when that one is gone. */
static void seat_spare(void)
{
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct wire_request request = { .cookie = 9, .verb = WIRE_VERB_LOCK };
	struct seat_unit *unit = desk_new(spawn);
	struct seat_fake first, second;

	fake_listen(&first, "desk");
	fake_listen(&second, "desk" SEAT_UNIT_SECOND);
	seat_unit_start(unit);
	fake_accept(&first);
	fake_accept(&second);
	fake_welcome(&first, WIRE_VERSION, 0);
	for (unsigned i = 0; i < 10; i++) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
	test_equal(ups, 0); /* the other may have it */
	fake_welcome(&second, WIRE_VERSION, 1);
	until(ups == 1);
	fake_seated(&second);
	fake_end(&second);
	until(ups == 2);
	test_equal(downs, 1);
	fake_seated(&first);
	/* One that comes late and says that it has the seat is mistaken. */
	fake_listen(&second, "desk" SEAT_UNIT_SECOND);
	seat_unit_start(unit);
	fake_accept(&second);
	fake_welcome(&second, WIRE_VERSION, 1);
	until(!fake_alive(&second));
	fake_end(&second);
	/* A spare that speaks is killed; the seat goes on. */
	fake_listen(&second, "desk" SEAT_UNIT_SECOND);
	seat_unit_start(unit);
	fake_accept(&second);
	fake_welcome(&second, WIRE_VERSION, 0);
	test_equal(wire_send(second.fd, WIRE_REQUEST, &request, sizeof(request), -1), 0);
	until(!fake_alive(&second));
	fake_end(&second);
	test_assert(seat_unit_is_up(unit) && fake_alive(&first));
	test_equal(ups, 2);
	/* Both die at once: who has the seat then is dead before it is told anything. */
	fake_listen(&second, "desk" SEAT_UNIT_SECOND);
	seat_unit_start(unit);
	fake_accept(&second);
	fake_welcome(&second, WIRE_VERSION, 0);
	for (unsigned i = 0; i < 10; i++) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
	fake_end(&first);
	fake_end(&second);
	until(!seat_unit_is_up(unit));
	seat_unit_free(unit);
	spawn_free(spawn);
}

static void folders_make(void)
{
	static const char *const names[] = { "guests", "seats" };

	folder = g_dir_make_tmp("irori-units-XXXXXX", NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL);

		test_equal(g_mkdir(path, 0700), 0);
	}
}

static void folders_remove(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *inner = g_build_filename(path, name, NULL);

		folders_remove(inner);
	}
	if (dir)
		g_dir_close(dir);
	g_remove(path);
}

int main(int argc, char **argv)
{
	test_assert(argc == 2);
	fake_guest = argv[1];
	folders_make();
	fake_monitor();
	test_run(spawned);
	test_run(busy_is_there);
	test_run(busy_is_evicted);
	test_run(guest_lives);
	test_run(guest_is_found);
	test_run(guest_is_stopped_while_it_starts);
	test_run(guest_is_barred);
	test_run(guest_that_cannot_start);
	test_run(seat_lives);
	test_run(seat_spare);
	folders_remove(folder);
	return 0;
}
