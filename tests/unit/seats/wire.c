/*
 * The seat control protocol's codec: what is a message and what is none, over a socket and not.
 */
#include "seats/wire_codec.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/test.h"

static struct wire_message message;

static int parse(enum wire_side from, uint16_t opcode, const void *body, size_t size, unsigned fds)
{
	uint8_t packet[sizeof(struct wire_header) + WIRE_MAX_BODY + 8] = { 0 };
	struct wire_header header = { opcode, (uint16_t)size };

	memcpy(packet, &header, sizeof(header));
	if (size)
		memcpy(packet + sizeof(header), body, size);
	return wire_parse(from, packet, sizeof(header) + size, fds, &message);
}

/* A good body for each opcode; rows of tests are made of them by spoiling one thing. */
static union wire_body good(uint16_t opcode)
{
	union wire_body body = { 0 };

	switch (opcode) {
	case WIRE_HELLO:
		body.hello = (struct wire_hello){ WIRE_VERSION, 2, "study" };
		break;
	case WIRE_LEASE:
		body.lease = (struct wire_lease){ "pci-0000:00:02.0" };
		break;
	case WIRE_INPUT_ADD:
		body.input_add = (struct wire_input_add){ 7, WIRE_INPUT_KEYBOARD,
			"/dev/input/event7", "K\xc3\xbc" "che" };
		break;
	case WIRE_INPUT_REMOVE:
		body.input_remove.id = 7;
		break;
	case WIRE_SOUND:
		body.sound = (struct wire_sound){ "", "path:pci-0000:00:1b.0", "", 70, 0 };
		break;
	case WIRE_GUEST:
		body.guest = (struct wire_guest){ 3, WIRE_GUEST_RUNNING, "mika", "Mika's PC", "mika" };
		break;
	case WIRE_GUEST_GONE:
		body.guest_gone.id = 3;
		break;
	case WIRE_LINK:
	case WIRE_WANT_LINK:
		body.link = (struct wire_link){ 3, WIRE_LINK_SOUND };
		break;
	case WIRE_LOCK:
		body.lock.locked = 1;
		break;
	case WIRE_TIME:
		body.time = (struct wire_time){ 900000000, 0, 0, "Mika" };
		break;
	case WIRE_NOTICE:
		body.notice = (struct wire_notice){ WIRE_NOTICE_WARNING, 10, "15 minutes left" };
		break;
	case WIRE_IDENTIFY:
		body.identify = (struct wire_identify){ 1, 10, "Press F1" };
		break;
	case WIRE_ANSWER:
		body.answer = (struct wire_answer){ 1, -EACCES, "The PIN is wrong" };
		break;
	case WIRE_SETTINGS:
		body.settings = (struct wire_settings){ 2, 1024, 768, { 29, 97 } };
		break;
	case WIRE_WELCOME:
		body.welcome = (struct wire_welcome){ .version = WIRE_VERSION, .pid = 42, .seated = 1 };
		break;
	case WIRE_REQUEST:
		body.request = (struct wire_request){ 1, WIRE_VERB_EXTEND, "15", "1234" };
		break;
	case WIRE_STATE:
		body.state = (struct wire_state){ .guest = 3, .flags = WIRE_STATE_GUEST,
			.width = 1920, .height = 1080, .outputs = 1, .volume = 70 };
		break;
	default:
		break;
	}
	return body;
}

static const struct {
	uint16_t opcode;
	enum wire_side from;
	size_t size;
	unsigned fds;
} kinds[] = {
	{ WIRE_HELLO, WIRE_FROM_IRORID, sizeof(struct wire_hello), 0 },
	{ WIRE_LEASE, WIRE_FROM_IRORID, sizeof(struct wire_lease), 1 },
	{ WIRE_UNLEASE, WIRE_FROM_IRORID, 0, 0 },
	{ WIRE_HOTPLUG, WIRE_FROM_IRORID, 0, 0 },
	{ WIRE_INPUT_ADD, WIRE_FROM_IRORID, sizeof(struct wire_input_add), 1 },
	{ WIRE_INPUT_REMOVE, WIRE_FROM_IRORID, sizeof(struct wire_input_remove), 0 },
	{ WIRE_SOUND, WIRE_FROM_IRORID, sizeof(struct wire_sound), 0 },
	{ WIRE_GUEST, WIRE_FROM_IRORID, sizeof(struct wire_guest), 0 },
	{ WIRE_GUEST_GONE, WIRE_FROM_IRORID, sizeof(struct wire_guest_gone), 0 },
	{ WIRE_SHOW, WIRE_FROM_IRORID, sizeof(struct wire_show), 0 },
	{ WIRE_LOCK, WIRE_FROM_IRORID, sizeof(struct wire_lock), 0 },
	{ WIRE_TIME, WIRE_FROM_IRORID, sizeof(struct wire_time), 0 },
	{ WIRE_NOTICE, WIRE_FROM_IRORID, sizeof(struct wire_notice), 0 },
	{ WIRE_IDENTIFY, WIRE_FROM_IRORID, sizeof(struct wire_identify), 0 },
	{ WIRE_READY, WIRE_FROM_IRORID, 0, 0 },
	{ WIRE_ANSWER, WIRE_FROM_IRORID, sizeof(struct wire_answer), 0 },
	{ WIRE_SETTINGS, WIRE_FROM_IRORID, sizeof(struct wire_settings), 0 },
	{ WIRE_LINK, WIRE_FROM_IRORID, sizeof(struct wire_link), 1 },
	{ WIRE_WELCOME, WIRE_FROM_SEAT, sizeof(struct wire_welcome), 0 },
	{ WIRE_REQUEST, WIRE_FROM_SEAT, sizeof(struct wire_request), 0 },
	{ WIRE_STATE, WIRE_FROM_SEAT, sizeof(struct wire_state), 0 },
	{ WIRE_WANT_LINK, WIRE_FROM_SEAT, sizeof(struct wire_link), 0 },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void exact_size_side_and_descriptors(void)
{
	for (unsigned i = 0; i < N_KINDS; i++) {
		union wire_body body = good(kinds[i].opcode);
		enum wire_side other = kinds[i].from == WIRE_FROM_SEAT ? WIRE_FROM_IRORID
								       : WIRE_FROM_SEAT;

		test_equal(parse(kinds[i].from, kinds[i].opcode, &body, kinds[i].size,
			kinds[i].fds), 0);
		test_equal(message.opcode, kinds[i].opcode);
		test_equal(message.size, kinds[i].size);
		test_equal(message.fd, -1);
		test_assert(!memcmp(&message.body, &body, kinds[i].size));
		test_equal(parse(other, kinds[i].opcode, &body, kinds[i].size, kinds[i].fds),
			-EPROTO);
		test_equal(parse(kinds[i].from, kinds[i].opcode, &body, kinds[i].size + 1,
			kinds[i].fds), -EPROTO);
		if (kinds[i].size)
			test_equal(parse(kinds[i].from, kinds[i].opcode, &body,
				kinds[i].size - 1, kinds[i].fds), -EPROTO);
		test_equal(parse(kinds[i].from, kinds[i].opcode, &body, kinds[i].size,
			kinds[i].fds + 1), -EPROTO);
		if (kinds[i].fds)
			test_equal(parse(kinds[i].from, kinds[i].opcode, &body, kinds[i].size, 0),
				-EPROTO);
	}
}

static void unknown_opcodes(void)
{
	static const uint16_t opcodes[] = { 0, WIRE_ANSWER + 1, 20, 21, 22, 23, 24, 0x7fff, 0x8000,
		WIRE_WANT_LINK + 1, 0xffff };

	for (unsigned i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		test_equal(parse(WIRE_FROM_IRORID, opcodes[i], NULL, 0, 0), -EPROTO);
		test_equal(parse(WIRE_FROM_SEAT, opcodes[i], NULL, 0, 0), -EPROTO);
	}
	test_equal(wire_parse(WIRE_FROM_SEAT, "abc", 3, 0, &message), -EPROTO);
}

#define BAD(op, field, value)                                                                      \
	do {                                                                                       \
		union wire_body spoiled = good(op);                                                \
		spoiled.field = value;                                                             \
		for (unsigned i = 0; i < N_KINDS; i++)                                             \
			if (kinds[i].opcode == (op))                                               \
				test_equal(parse(kinds[i].from, op, &spoiled, kinds[i].size,       \
					kinds[i].fds), -EPROTO);                                   \
	} while (0)

static void values_out_of_range(void)
{
	BAD(WIRE_HELLO, hello.number, 0);
	BAD(WIRE_HELLO, hello.number, WIRE_MAX_NUMBER + 1);
	BAD(WIRE_INPUT_ADD, input_add.id, 0);
	BAD(WIRE_INPUT_ADD, input_add.kind, 0);
	BAD(WIRE_INPUT_ADD, input_add.kind, 64);
	BAD(WIRE_INPUT_REMOVE, input_remove.id, 0);
	BAD(WIRE_SOUND, sound.volume, WIRE_MAX_VOLUME + 1);
	BAD(WIRE_GUEST, guest.id, 0);
	BAD(WIRE_GUEST, guest.state, WIRE_GUEST_STATES);
	BAD(WIRE_GUEST_GONE, guest_gone.id, 0);
	BAD(WIRE_LINK, link.guest, 0);
	BAD(WIRE_LINK, link.kind, WIRE_LINKS);
	BAD(WIRE_WANT_LINK, link.guest, 0);
	BAD(WIRE_WANT_LINK, link.kind, UINT32_MAX);
	BAD(WIRE_LOCK, lock.locked, 2);
	BAD(WIRE_TIME, time.left_us, -2);
	BAD(WIRE_TIME, time.frozen, 2);
	BAD(WIRE_NOTICE, notice.kind, WIRE_NOTICES);
	BAD(WIRE_NOTICE, notice.seconds, WIRE_MAX_SECONDS + 1);
	BAD(WIRE_IDENTIFY, identify.on, 2);
	BAD(WIRE_IDENTIFY, identify.seconds, UINT32_MAX);
	BAD(WIRE_ANSWER, answer.result, 1);
	BAD(WIRE_ANSWER, answer.result, -4096);
	BAD(WIRE_SETTINGS, settings.number, 0);
	BAD(WIRE_SETTINGS, settings.number, WIRE_MAX_NUMBER + 1);
	BAD(WIRE_SETTINGS, settings.width, WIRE_MAX_SIDE + 1);
	BAD(WIRE_SETTINGS, settings.width, 0);
	BAD(WIRE_SETTINGS, settings.height, 0);
	BAD(WIRE_SETTINGS, settings.chord[1], 0);
	BAD(WIRE_WELCOME, welcome.pid, 0);
	BAD(WIRE_WELCOME, welcome.seated, 2);
	BAD(WIRE_REQUEST, request.verb, 0);
	BAD(WIRE_REQUEST, request.verb, WIRE_VERBS);
	BAD(WIRE_STATE, state.flags, 32);
	BAD(WIRE_STATE, state.width, WIRE_MAX_SIDE + 1);
	BAD(WIRE_STATE, state.height, UINT32_MAX);
	BAD(WIRE_STATE, state.input_ns, -1);
	BAD(WIRE_STATE, state.volume, 1000);
}

static void strings(void)
{
	union wire_body body;

	BAD(WIRE_HELLO, hello.seat[0], 0);      /* a seat has a name */
	BAD(WIRE_HELLO, hello.seat[0], '.');
	BAD(WIRE_HELLO, hello.seat[1], '/');
	BAD(WIRE_HELLO, hello.seat[1], '\n');
	BAD(WIRE_GUEST, guest.name[0], 0);
	BAD(WIRE_GUEST, guest.title[0], '\n');
	BAD(WIRE_INPUT_ADD, input_add.path[0], 0);
	BAD(WIRE_INPUT_ADD, input_add.path[0], 'x'); /* from the root */
	BAD(WIRE_INPUT_ADD, input_add.path[3], '\x80');
	BAD(WIRE_INPUT_ADD, input_add.name[0], '\x1b');
	BAD(WIRE_INPUT_ADD, input_add.name[1], 'x'); /* half a character of UTF-8 */
	BAD(WIRE_NOTICE, notice.text[0], '\n');
	/* No zero within the field. */
	body = good(WIRE_HELLO);
	memset(body.hello.seat, 'a', sizeof(body.hello.seat));
	test_equal(parse(WIRE_FROM_IRORID, WIRE_HELLO, &body, sizeof(body.hello), 0), -EPROTO);
	body.hello.seat[WIRE_NAME - 1] = 0;
	test_equal(parse(WIRE_FROM_IRORID, WIRE_HELLO, &body, sizeof(body.hello), 0), 0);
	/* What is behind the zero does not go on. */
	body = good(WIRE_REQUEST);
	memcpy(body.request.pin, "12\0secret", 9);
	test_equal(parse(WIRE_FROM_SEAT, WIRE_REQUEST, &body, sizeof(body.request), 0), 0);
	test_assert(!strcmp(message.body.request.pin, "12") && !message.body.request.pin[3]);
}

static void text_is_cut_between_characters(void)
{
	char field[8];

	memset(field, 'x', sizeof(field));
	wire_text(field, sizeof(field), "abc");
	test_assert(!memcmp(field, "abc\0\0\0\0\0", 8));
	wire_text(field, sizeof(field), "12345678");
	test_assert(!strcmp(field, "1234567"));
	wire_text(field, sizeof(field), "123456\xc3\xbc");
	test_assert(!strcmp(field, "123456"));
	wire_text(field, sizeof(field), "12345\xc3\xbc");
	test_assert(!strcmp(field, "12345\xc3\xbc"));
	wire_text(field, sizeof(field), "a\nb\x7f");
	test_assert(!strcmp(field, "a?b?"));
	wire_text(field, sizeof(field), "\xff");
	test_assert(!strcmp(field, "\xef\xbf\xbd"));
	wire_text(field, sizeof(field), NULL);
	test_assert(!*field);
}

static unsigned count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 64; fd++)
		n += dup2(fd, fd) == fd;
	return n;
}

static void over_a_socket(void)
{
	union wire_body body = good(WIRE_LEASE), bad = good(WIRE_HELLO);
	uint8_t packet[sizeof(struct wire_header) + WIRE_MAX_BODY + 8] = { 0 };
	unsigned before;
	int pair[2], fd;

	test_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	test_equal(wire_receive(pair[1], WIRE_FROM_IRORID, &message), 0);
	test_equal(wire_send(pair[0], WIRE_READY, NULL, 0, -1), 0);
	test_equal(wire_receive(pair[1], WIRE_FROM_IRORID, &message), 1);
	test_equal(message.opcode, WIRE_READY);
	test_equal(message.fd, -1);
	test_equal(wire_send(pair[0], WIRE_LEASE, &body, sizeof(body.lease), pair[0]), 0);
	test_equal(wire_receive(pair[1], WIRE_FROM_IRORID, &message), 1);
	test_assert(message.fd >= 0);
	close(message.fd);
	/* What is no message is not sent. */
	bad.hello.seat[0] = '/';
	test_equal(wire_send(pair[0], WIRE_HELLO, &bad, sizeof(bad.hello), -1), -EINVAL);
	test_equal(wire_send(pair[0], WIRE_LEASE, &body, sizeof(body.lease), -1), -EINVAL);
	test_equal(wire_send(pair[0], WIRE_LEASE, &body, sizeof(body.lease) - 1, 0), -EINVAL);
	test_equal(wire_send(pair[0], WIRE_READY, NULL, 0, pair[0]), -EINVAL);
	/* A descriptor from the wrong side is closed. */
	before = count_fds();
	test_equal(wire_send(pair[0], WIRE_LEASE, &body, sizeof(body.lease), pair[0]), 0);
	test_equal(wire_receive(pair[1], WIRE_FROM_SEAT, &message), -EPROTO);
	test_equal(count_fds(), before);
	/* Too long to be one. */
	test_equal(send(pair[0], packet, sizeof(packet), 0), (long)sizeof(packet));
	test_equal(wire_receive(pair[1], WIRE_FROM_IRORID, &message), -EPROTO);
	/* A queue that nobody reads. */
	for (fd = 0; fd == 0;)
		fd = wire_send(pair[0], WIRE_READY, NULL, 0, -1);
	test_equal(fd, -EAGAIN);
	close(pair[0]);
	while ((fd = wire_receive(pair[1], WIRE_FROM_IRORID, &message)) == 1)
		;
	test_equal(fd, -EPIPE);
	body = good(WIRE_WELCOME);
	test_equal(wire_send(pair[1], WIRE_WELCOME, &body, sizeof(body.welcome), -1), -EPIPE);
	close(pair[1]);
}

int main(void)
{
	test_run(exact_size_side_and_descriptors);
	test_run(unknown_opcodes);
	test_run(values_out_of_range);
	test_run(strings);
	test_run(text_is_cut_between_characters);
	test_run(over_a_socket);
	return 0;
}
