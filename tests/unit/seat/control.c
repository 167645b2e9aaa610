/*
 * The seat's end of the control protocol, and what it makes of what it is told: with an irorid that is
 * right, one that dies, one that comes between, and ones that send anything.
 */
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "display/packet.h"
#include "seats/seat/control.h"
#include "seats/seat/told.h"

static struct {
	struct control *control;
	int irorid;
	unsigned begun, ended, messages;
	int why;
	uint16_t last;
	bool keeps; /* descriptors */
	int kept;
	struct told told;
	struct seat_facts facts;
} test;

static void on_begun(void *data, const struct wire_hello *hello)
{
	test.begun++;
	told_begin(&test.told, &test.facts, hello);
}

static void on_message(void *data, struct wire_message *message)
{
	test.messages++;
	test.last = message->opcode;
	told_message(&test.told, &test.facts, message);
	if (test.keeps) {
		test.kept = message->fd;
		message->fd = -1;
	}
}

static void on_ended(void *data, int why)
{
	test.ended++;
	test.why = why;
}

static const struct control_events events = { on_begun, on_message, on_ended };

static void turn(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void begin(void)
{
	int pair[2];

	memset(&test, 0, sizeof(test));
	test.kept = -1;
	test_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	test.control = control_adopt(pair[0], &events, NULL);
	test.irorid = pair[1];
}

static void end(void)
{
	control_free(test.control);
	if (test.irorid >= 0)
		close(test.irorid);
}

static void say(uint16_t opcode, const void *body, size_t size, int fd)
{
	test_equal(wire_send(test.irorid, opcode, body, size, fd), 0);
	turn();
}

static void hello(void)
{
	struct wire_hello body = { .version = WIRE_VERSION, .number = 2, .seat = "den" };

	say(WIRE_HELLO, &body, sizeof(body), -1);
}

static struct wire_guest guest(uint32_t id, const char *name)
{
	struct wire_guest body = { .id = id, .state = WIRE_GUEST_RUNNING };

	wire_text(body.name, sizeof(body.name), name);
	return body;
}

static void say_guest(uint32_t id, const char *name)
{
	struct wire_guest body = guest(id, name);

	say(WIRE_GUEST, &body, sizeof(body), -1);
}

static void test_hello_and_welcome(void)
{
	struct wire_message message;
	struct wire_state state = { 0 };

	begin();
	test_equal(control_send(test.control, WIRE_STATE, &state, sizeof(state)), -ENOTCONN);
	hello();
	test_equal(test.begun, 1);
	test_equal(test.facts.number, 2);
	test_equal(wire_receive(test.irorid, WIRE_FROM_SEAT, &message), 1);
	test_equal(message.opcode, WIRE_WELCOME);
	test_equal(message.body.welcome.pid, getpid());
	test_equal(control_send(test.control, WIRE_STATE, &state, sizeof(state)), 0);
	test_equal(wire_receive(test.irorid, WIRE_FROM_SEAT, &message), 1);
	test_equal(message.opcode, WIRE_STATE);
	end();
	test_equal(test.ended, 0);
}

static void test_nothing_before_hello(void)
{
	begin();
	say(WIRE_READY, NULL, 0, -1);
	test_equal(test.messages, 0);
	test_equal(test.ended, 0); /* nobody was there */
	test_equal(control_send(test.control, WIRE_STATE, "", 0), -ENOTCONN);
	end();
}

static void test_another_hello_ends_it(void)
{
	begin();
	hello();
	hello();
	test_equal(test.begun, 1);
	test_equal(test.ended, 1);
	test_equal(test.why, -EPROTO);
	end();
}

static void test_other_versions_are_not_spoken(void)
{
	struct wire_hello body = { .version = WIRE_VERSION + 1, .number = 2, .seat = "den" };
	uint8_t packet[4 + sizeof(body)];

	begin();
	memcpy(packet, &(struct wire_header){ WIRE_HELLO, sizeof(body) }, 4);
	memcpy(packet + 4, &body, sizeof(body));
	test_equal(send(test.irorid, packet, sizeof(packet), 0), (ssize_t)sizeof(packet));
	turn();
	test_equal(test.begun, 0);
	end();
}

static void test_its_death_is_noticed(void)
{
	begin();
	hello();
	close(test.irorid);
	test.irorid = -1;
	turn();
	test_equal(test.ended, 1);
	test_assert(!control_connected(test.control));
	end();
}

/* Descriptors are whoever's keeps them; none leaks. */
static void test_descriptors(void)
{
	struct wire_lease lease = { .card = "pci-0000:00:02.0" };
	int pipes[2], next;

	begin();
	hello();
	test_equal(pipe(pipes), 0);
	next = dup(0);
	close(next);
	say(WIRE_LEASE, &lease, sizeof(lease), pipes[1]);
	test_equal(test.last, WIRE_LEASE);
	test_equal(fcntl(next, F_GETFD), -1); /* closed behind us */
	test.keeps = true;
	say(WIRE_LEASE, &lease, sizeof(lease), pipes[1]);
	test_assert(test.kept >= 0 && fcntl(test.kept, F_GETFD) >= 0);
	close(test.kept);
	close(pipes[0]);
	close(pipes[1]);
	end();
}

static uint32_t chance(void)
{
	static uint32_t seed = 2003;

	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

/* Whatever comes: the connection ends or the message was one; there is no third. */
static void test_anything(void)
{
	for (unsigned i = 0; i < 3000; i++) {
		uint8_t packet[512];
		size_t len = chance() % sizeof(packet);
		struct wire_header header = { (uint16_t)(chance() % 20), (uint16_t)(len - 4) };

		begin();
		if (chance() & 3)
			hello();
		for (size_t b = 0; b < len; b++)
			packet[b] = chance() & 3 ? 0 : (uint8_t)chance();
		if (len >= 4 && (chance() & 3))
			memcpy(packet, &header, sizeof(header));
		if (send(test.irorid, packet, len, 0) < 0)
			test_assert(len == 0 || errno == EAGAIN);
		turn();
		test_assert(test.messages || !control_connected(test.control) || len == 0);
		test_assert(test.facts.n_guests <= WIRE_GUESTS);
		end();
	}
}

/* ---- what is told ---- */

static void test_ready_forgets_what_was_not_told_again(void)
{
	struct wire_show show = { .id = 1 };
	struct wire_lock lock = { .locked = 1 };

	begin();
	hello();
	say_guest(1, "one");
	say_guest(2, "two");
	say(WIRE_SHOW, &show, sizeof(show), -1);
	say(WIRE_LOCK, &lock, sizeof(lock), -1);
	say(WIRE_READY, NULL, 0, -1);
	test_equal(test.facts.n_guests, 2);
	test_equal(test.facts.shown, 1);
	test_assert(test.facts.locked);
	/* another irorid */
	told_begin(&test.told, &test.facts,
		&(struct wire_hello){ .version = WIRE_VERSION, .number = 2, .seat = "den" });
	say_guest(2, "two");
	test_equal(test.facts.n_guests, 2); /* until it has told all */
	test_assert(test.facts.locked);
	say(WIRE_READY, NULL, 0, -1);
	test_equal(test.facts.n_guests, 1);
	test_equal(test.facts.guests[0].id, 2);
	test_equal(test.facts.shown, 0);
	test_assert(!test.facts.locked);
	test_equal(test.facts.time.left_us, -1);
	end();
}

static void test_guests_come_change_and_go(void)
{
	struct wire_guest_gone gone = { .id = 3 };
	char name[16];

	begin();
	hello();
	for (unsigned i = 1; i <= WIRE_GUESTS + 5; i++) {
		snprintf(name, sizeof(name), "guest-%u", i);
		say_guest(i, name);
	}
	test_equal(test.facts.n_guests, WIRE_GUESTS);
	say_guest(4, "other");
	test_equal(test.facts.n_guests, WIRE_GUESTS);
	test_assert(strcmp(test.facts.guests[3].name, "other") == 0);
	say(WIRE_GUEST_GONE, &gone, sizeof(gone), -1);
	say(WIRE_GUEST_GONE, &gone, sizeof(gone), -1);
	test_equal(test.facts.n_guests, WIRE_GUESTS - 1);
	test_equal(test.facts.guests[2].id, 4);
	test_assert(!facts_guest(&test.facts, 3));
	test_assert(!facts_guest(&test.facts, 0));
	end();
}

/* ---- the listening socket ---- */

static int dial(const char *path)
{
	struct wire_hello body = { .version = WIRE_VERSION, .number = 2, .seat = "den" };
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	test_equal(packet_address(path, &address), 0);
	test_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	test_equal(wire_send(fd, WIRE_HELLO, &body, sizeof(body), -1), 0);
	turn();
	return fd;
}

static void test_a_later_irorid_replaces_the_one_before(void)
{
	g_autofree char *folder = g_dir_make_tmp("irori-control-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "den.sock", NULL);
	struct wire_message message;
	struct stat status;
	int first, second;

	memset(&test, 0, sizeof(test));
	test.control = control_new(path, &events, NULL, NULL);
	test_assert(test.control);
	test_equal(stat(path, &status), 0);
	test_equal(status.st_mode & 0777, 0600);
	first = dial(path);
	second = dial(path);
	test_equal(test.begun, 2);
	test_equal(test.ended, 1);
	test_equal(wire_receive(first, WIRE_FROM_SEAT, &message), 1); /* its WELCOME */
	test_equal(wire_receive(first, WIRE_FROM_SEAT, &message), -EPIPE);
	test_equal(wire_receive(second, WIRE_FROM_SEAT, &message), 1);
	close(first);
	close(second);
	turn();
	test_equal(test.ended, 2);
	control_free(test.control);
	test_assert(access(path, F_OK) < 0);
	rmdir(folder);
}

static void test_a_socket_that_cannot_be(void)
{
	GError *error = NULL;

	test_assert(!control_new("/nonexistent/den.sock", &events, NULL, &error));
	test_assert(error);
	g_clear_error(&error);
}

int main(void)
{
	test_run(test_hello_and_welcome);
	test_run(test_nothing_before_hello);
	test_run(test_another_hello_ends_it);
	test_run(test_other_versions_are_not_spoken);
	test_run(test_its_death_is_noticed);
	test_run(test_descriptors);
	test_run(test_anything);
	test_run(test_ready_forgets_what_was_not_told_again);
	test_run(test_guests_come_change_and_go);
	test_run(test_a_later_irorid_replaces_the_one_before);
	test_run(test_a_socket_that_cannot_be);
	return 0;
}
