/*
 * Guests and seats as units, by fork: what is started, what dies and comes back, what is found again.
 * The guest is a fake one: the real link server without a machine (tests/seat/fake_guest.c).
 */
#include "display/packet.h"
#include "seats/guest_unit.h"
#include "seats/seat_unit.h"
#include "seats/spawn_internal.h"
#include "seats/wire_codec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/seats/loop.h"

static char *folder, *fake_guest;

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

static void never_killed(struct spawn_child *child, int signal)
{
}

/* Whoever kills what has been started takes its time: systemd. It is dead at once all the same. */
static void guest_is_killed_at_once(void)
{
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct spawn_ops ops = *spawn->ops;
	struct guest_unit *unit;
	pid_t pid;

	ops.kill = never_killed;
	spawn->ops = &ops;
	unit = guest_make(spawn);
	test_equal(guest_unit_start(unit, NULL), 0);
	until(guest_unit_state(unit) == WIRE_GUEST_RUNNING);
	pid = guest_unit_pid(unit);
	guest_unit_stop(unit, true); /* it does not obey */
	until(!guest_unit_on(unit));
	until(kill(pid, 0) < 0 && errno == ESRCH);
	guest_unit_free(unit);
	spawn_free(spawn);
}

/* One that is there and takes no connection is on, and is switched off when it takes one. */
static void guest_is_stopped_while_it_is_busy(void)
{
	g_autofree char *path = g_strdup_printf("%s/guests/%s.sock", folder, entry.name);
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct guest_unit *unit = guest_make(spawn);
	int waiting[64];
	unsigned n = 0;
	pid_t pid;

	test_equal(guest_unit_start(unit, NULL), 0);
	until(guest_unit_state(unit) == WIRE_GUEST_RUNNING);
	pid = guest_unit_pid(unit);
	guest_unit_free(unit);
	kill(pid, SIGSTOP);
	while (n < G_N_ELEMENTS(waiting) && (waiting[n] = packet_connect(path)) >= 0)
		n++;
	test_assert(n < G_N_ELEMENTS(waiting));
	unit = guest_make(spawn);
	test_assert(guest_unit_find(unit));
	test_equal(guest_unit_state(unit), WIRE_GUEST_STARTING);
	guest_unit_stop(unit, true);
	turn(200);
	test_assert(guest_unit_on(unit));
	while (n)
		close(waiting[--n]);
	kill(pid, SIGCONT);
	until(!guest_unit_on(unit));
	until(kill(pid, 0) < 0 && errno == ESRCH);
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
	/* One of a version before ours hangs up on what it does not know: the same. */
	fake_listen(&fake, "desk");
	seat_unit_start(unit);
	fake_accept(&fake);
	close(fake.fd);
	fake.fd = -1;
	turn(500); /* and not only when it answers no second greeting */
	test_assert(!fake_alive(&fake));
	fake_end(&fake);
	test_equal(ups, 1);
	seat_unit_free(unit);
	spawn_free(spawn);
}

/* Nobody is started beside one that has the seat and takes no connection yet. */
static void seat_is_busy(void)
{
	g_autofree char *path = g_strdup_printf("%s/seats/desk" SEAT_UNIT_SECOND ".sock", folder);
	g_autofree char *log = g_build_filename(folder, "log", "seat-desk.log", NULL);
	g_autofree char *log2 = g_build_filename(folder, "log", "seat-desk" SEAT_UNIT_SECOND ".log", NULL);
	struct spawn *spawn = spawn_new(SPAWN_FORK, folder, NULL);
	struct seat_unit *unit = desk_new(spawn);
	struct seat_fake second;
	int waiting[16];
	unsigned n = 0;

	g_unlink(log);
	fake_listen(&second, "desk" SEAT_UNIT_SECOND);
	while (n < G_N_ELEMENTS(waiting) && (waiting[n] = packet_connect(path)) >= 0)
		n++;
	test_assert(n < G_N_ELEMENTS(waiting));
	seat_unit_start(unit);
	turn(300);
	test_assert(g_access(log, F_OK) < 0); /* the other was not started */
	for (unsigned i = 0; i < n; i++) {
		close(accept(second.listener, NULL, NULL));
		close(waiting[i]);
	}
	fake_accept(&second);
	fake_welcome(&second, WIRE_VERSION, 1);
	until(ups == 1);
	fake_seated(&second);
	test_assert(fake_alive(&second));
	fake_end(&second);
	until(!seat_unit_is_up(unit));
	seat_unit_free(unit);
	g_unlink(path);
	/* It goes without ever having answered: another is started. */
	unit = desk_new(spawn);
	g_unlink(log2);
	fake_listen(&second, "desk" SEAT_UNIT_SECOND);
	for (n = 0; n < G_N_ELEMENTS(waiting) && (waiting[n] = packet_connect(path)) >= 0;)
		n++;
	seat_unit_start(unit);
	turn(150);
	second.fd = -1;
	fake_end(&second);
	while (n)
		close(waiting[--n]);
	until(!g_access(log2, F_OK));
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
	/* One that has had it and merely hangs up is killed: the other has what it had. */
	fake_listen(&second, "desk" SEAT_UNIT_SECOND);
	seat_unit_start(unit);
	fake_accept(&second);
	fake_welcome(&second, WIRE_VERSION, 0);
	turn(20);
	close(second.fd);
	until(!fake_alive(&second));
	second.fd = -1;
	fake_end(&second);
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

int main(int argc, char **argv)
{
	test_assert(argc == 2);
	fake_guest = argv[1];
	folder = folders_make();
	fake_monitor();
	test_run(guest_lives);
	test_run(guest_is_found);
	test_run(guest_is_stopped_while_it_starts);
	test_run(guest_is_killed_at_once);
	test_run(guest_is_stopped_while_it_is_busy);
	test_run(guest_is_barred);
	test_run(guest_that_cannot_start);
	test_run(seat_lives);
	test_run(seat_is_busy);
	test_run(seat_spare);
	folders_remove(folder);
	return 0;
}
