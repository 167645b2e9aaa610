/*
 * The seat link's codec: what is a message and what is not.
 */
#include <errno.h>
#include <glib.h>
#include <linux/input-event-codes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "display/link_codec.h"
#include "display/packet.h"
#include "tests/unit/test.h"

static struct link_message message;
static uint8_t packet[sizeof(struct link_header) + LINK_MAX_BODY + 8];

static int parse(enum link_side from, uint16_t opcode, const void *body, size_t size,
	unsigned n_fds)
{
	struct link_header header = { opcode, (uint16_t)size };

	memcpy(packet, &header, sizeof(header));
	if (size)
		memcpy(packet + sizeof(header), body, size);
	return link_parse(from, packet, sizeof(header) + size, n_fds, &message);
}

static const struct {
	enum link_side from;
	uint16_t opcode;
	size_t size;
	unsigned n_fds;
} fixed[] = {
	{ LINK_FROM_SEAT, LINK_HELLO, sizeof(struct link_hello), 0 },
	{ LINK_FROM_SEAT, LINK_REQUEST, sizeof(struct link_request), 0 },
	{ LINK_FROM_SEAT, LINK_AUDIO_CONSUMED, sizeof(struct link_audio_consumed), 0 },
	{ LINK_FROM_GUEST, LINK_WELCOME, sizeof(struct link_welcome), 0 },
	{ LINK_FROM_GUEST, LINK_BUFFER_GONE, sizeof(struct link_buffer_gone), 0 },
	{ LINK_FROM_GUEST, LINK_CURSOR, sizeof(struct link_cursor), 0 },
	{ LINK_FROM_GUEST, LINK_LEDS, sizeof(struct link_leds), 0 },
	{ LINK_FROM_GUEST, LINK_AUDIO_STOP, sizeof(struct link_audio_stop), 0 },
	{ LINK_FROM_GUEST, LINK_GUEST, sizeof(struct link_guest), 0 },
	{ LINK_FROM_GUEST, LINK_REPLY, sizeof(struct link_reply), 0 },
	{ LINK_FROM_GUEST, LINK_STAT_REPLY, sizeof(struct link_stat), 0 },
};

static void exact_size_and_side(void)
{
	static const uint8_t zero[LINK_MAX_BODY];

	for (unsigned i = 0; i < G_N_ELEMENTS(fixed); i++) {
		enum link_side other = fixed[i].from == LINK_FROM_SEAT ? LINK_FROM_GUEST :
			LINK_FROM_SEAT;
		size_t size = fixed[i].size;

		test_equal(parse(fixed[i].from, fixed[i].opcode, zero, size, 0), 0);
		test_equal(message.opcode, fixed[i].opcode);
		test_equal(parse(fixed[i].from, fixed[i].opcode, zero, size - 1, 0), -EPROTO);
		test_equal(parse(fixed[i].from, fixed[i].opcode, zero, size + 1, 0), -EPROTO);
		test_equal(parse(fixed[i].from, fixed[i].opcode, zero, size, 1), -EPROTO);
		test_equal(parse(other, fixed[i].opcode, zero, size, 0), -EPROTO);
	}
}

static void unknown_opcodes(void)
{
	static const uint8_t zero[16];

	for (unsigned opcode = 0; opcode < 0x10000; opcode++) {
		bool known = (opcode >= LINK_HELLO && opcode <= LINK_STAT) ||
			(opcode >= LINK_WELCOME && opcode <= LINK_STAT_REPLY);

		for (size_t size = 0; size <= sizeof(zero) && !known; size += 4) {
			test_equal(parse(LINK_FROM_SEAT, opcode, zero, size, 0), -EPROTO);
			test_equal(parse(LINK_FROM_GUEST, opcode, zero, size, 0), -EPROTO);
		}
	}
	test_equal(link_parse(LINK_FROM_SEAT, zero, 3, 0, &message), -EPROTO);
	test_equal(link_parse(LINK_FROM_SEAT, zero, 0, 0, &message), -EPROTO);
}

static void header_must_tell_the_size(void)
{
	struct link_header header = { LINK_RESIZE, sizeof(struct link_resize) + 4 };
	size_t len = sizeof(header) + sizeof(struct link_resize);

	memset(packet, 0, sizeof(packet));
	memcpy(packet, &header, sizeof(header));
	packet[4] = packet[8] = packet[12] = 1; /* one monitor, 1x1 */
	test_equal(link_parse(LINK_FROM_SEAT, packet, len, 0, &message), -EPROTO);
	header.size -= 4;
	memcpy(packet, &header, sizeof(header));
	test_equal(link_parse(LINK_FROM_SEAT, packet, len, 0, &message), 0);
}

static void monitors_are_checked(void)
{
	static const struct {
		struct link_resize resize;
		int result;
	} rows[] = {
		{ { 1, { { 5, 5 } } }, 0 },
		{ { 1, { { 0, 5 } } }, -EPROTO },
		{ { 1, { { PORT_MAX_SIDE + 1, 5 } } }, -EPROTO },
		{ { 0, { { 5, 5 } } }, -EPROTO },
		{ { 0, { { 0, 0 } } }, -EPROTO },
		{ { 2, { { 5, 5 } } }, -EPROTO },           /* the second has no size */
		{ { 1, { { 5, 5 }, { 5, 5 } } }, -EPROTO }, /* or is not there */
		{ { 2, { { 5, 5 }, { 5, PORT_MAX_SIDE } } }, 0 },
		{ { 4, { { 5, 5 }, { 5, 5 }, { 5, 5 }, { 5, 5 } } }, 0 },
		{ { 5, { { 5, 5 }, { 5, 5 }, { 5, 5 }, { 5, 5 } } }, -EPROTO },
		{ { UINT32_MAX, { { 5, 5 } } }, -EPROTO },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
		test_equal(parse(LINK_FROM_SEAT, LINK_RESIZE, &rows[i].resize,
			sizeof(rows[i].resize), 0), rows[i].result);
}

static void values_out_of_range(void)
{
	struct link_hello hello = { .version = LINK_VERSION };
	struct link_presented presented = { 1, 0, 0, PORT_HEADS, 0 };
	struct link_frame frame = { .seq = 1, .head = PORT_HEADS };
	struct link_cursor cursor = { .head = PORT_HEADS };
	struct link_buffer buffer = { 1, 100, 100, 400 };
	struct link_audio_start start = { 2, 48000, 2, 1024 };
	struct link_guest guest = { .state = LINK_GUEST_CRASHED + 1 };
	struct link_stat stat = { .n_threads = LINK_MAX_THREADS + 1 };

	memset(hello.name, 'x', sizeof(hello.name));
	test_equal(parse(LINK_FROM_SEAT, LINK_HELLO, &hello, sizeof(hello), 0), -EPROTO);
	test_equal(parse(LINK_FROM_SEAT, LINK_PRESENTED, &presented, sizeof(presented), 0), -EPROTO);
	test_equal(parse(LINK_FROM_GUEST, LINK_FRAME, &frame, sizeof(frame), 0), -EPROTO);
	test_equal(parse(LINK_FROM_GUEST, LINK_CURSOR, &cursor, sizeof(cursor), 0), -EPROTO);
	test_equal(parse(LINK_FROM_GUEST, LINK_BUFFER, &buffer, sizeof(buffer), 1), 0);
	test_equal(parse(LINK_FROM_GUEST, LINK_BUFFER, &buffer, sizeof(buffer), 0), -EPROTO);
	buffer.stride = 396;
	test_equal(parse(LINK_FROM_GUEST, LINK_BUFFER, &buffer, sizeof(buffer), 1), -EPROTO);
	test_equal(parse(LINK_FROM_GUEST, LINK_AUDIO_START, &start, sizeof(start), 0), -EPROTO);
	test_equal(parse(LINK_FROM_GUEST, LINK_GUEST, &guest, sizeof(guest), 0), -EPROTO);
	test_equal(parse(LINK_FROM_GUEST, LINK_STAT_REPLY, &stat, sizeof(stat), 0), -EPROTO);
	stat.n_threads = 0;
	stat.n_exits = 1;
	memset(stat.exits[0].reason, 'x', sizeof(stat.exits[0].reason));
	test_equal(parse(LINK_FROM_GUEST, LINK_STAT_REPLY, &stat, sizeof(stat), 0), -EPROTO);
}

static void audio_sizes(void)
{
	static const uint8_t pcm[PORT_MAX_PCM + 1];

	test_equal(parse(LINK_FROM_GUEST, LINK_AUDIO_DATA, pcm, PORT_MAX_PCM, 0), 0);
	test_equal(parse(LINK_FROM_GUEST, LINK_AUDIO_DATA, pcm, PORT_MAX_PCM + 1, 0), -EPROTO);
	test_equal(parse(LINK_FROM_GUEST, LINK_AUDIO_DATA, pcm, 0, 0), -EPROTO);
	test_equal(parse(LINK_FROM_SEAT, LINK_STAT, NULL, 0, 0), 0);
	test_equal(parse(LINK_FROM_SEAT, LINK_STAT, pcm, 1, 0), -EPROTO);
}

#define SYN(device) { device, EV_SYN, SYN_REPORT, 0, 0 }
static const struct {
	bool valid;
	unsigned n;
	struct link_input_event events[4];
} inputs[] = {
	{ true, 2, { { INPUT_KEYBOARD, EV_KEY, KEY_A, 0, 1 }, SYN(INPUT_KEYBOARD) } },
	{ true, 3, { { INPUT_TABLET, EV_ABS, ABS_X, 0, 32767 }, { INPUT_TABLET, EV_ABS, ABS_Y, 0, 0 },
		SYN(INPUT_TABLET) } },
	{ true, 4, { { INPUT_MOUSE, EV_REL, REL_X, 0, -5 }, SYN(INPUT_MOUSE),
		{ INPUT_KEYBOARD, EV_KEY, KEY_A, 0, 0 }, SYN(INPUT_KEYBOARD) } },
	{ true, 1, { SYN(INPUT_MOUSE) } },
	{ false, 1, { { INPUT_KEYBOARD, EV_KEY, KEY_A, 0, 1 } } },              /* no SYN */
	{ false, 2, { { INPUT_KEYBOARD, EV_KEY, KEY_A, 0, 2 }, SYN(INPUT_KEYBOARD) } },
	{ false, 2, { { INPUT_KEYBOARD, EV_KEY, KEY_CNT, 0, 1 }, SYN(INPUT_KEYBOARD) } },
	{ false, 2, { { INPUT_DEVICES, EV_KEY, KEY_A, 0, 1 }, SYN(INPUT_DEVICES) } },
	{ false, 2, { { INPUT_KEYBOARD, EV_REL, REL_X, 0, 1 }, SYN(INPUT_KEYBOARD) } },
	{ false, 2, { { INPUT_KEYBOARD, EV_REL, REL_WHEEL, 0, 1 }, SYN(INPUT_KEYBOARD) } },
	{ false, 2, { { INPUT_TABLET, EV_ABS, ABS_X, 0, 32768 }, SYN(INPUT_TABLET) } },
	{ false, 2, { { INPUT_TABLET, EV_ABS, ABS_X, 0, -1 }, SYN(INPUT_TABLET) } },
	{ false, 2, { { INPUT_TABLET, EV_ABS, ABS_Z, 0, 1 }, SYN(INPUT_TABLET) } },
	{ false, 2, { { INPUT_MOUSE, EV_ABS, ABS_X, 0, 1 }, SYN(INPUT_MOUSE) } },
	{ true, 4, { { INPUT_TOUCH, EV_ABS, ABS_MT_SLOT, 0, 9 },
		{ INPUT_TOUCH, EV_ABS, ABS_MT_TRACKING_ID, 0, -1 },
		{ INPUT_TOUCH, EV_KEY, BTN_TOUCH, 0, 0 }, SYN(INPUT_TOUCH) } },
	{ true, 3, { { INPUT_TOUCH, EV_ABS, ABS_MT_SLOT, 0, 0 },
		{ INPUT_TOUCH, EV_ABS, ABS_MT_POSITION_X, 0, 32767 }, SYN(INPUT_TOUCH) } },
	{ true, 4, { { INPUT_GAMEPAD, EV_KEY, BTN_SOUTH, 0, 1 },
		{ INPUT_GAMEPAD, EV_ABS, ABS_RX, 0, -32768 },
		{ INPUT_GAMEPAD, EV_ABS, ABS_HAT0Y, 0, -1 }, SYN(INPUT_GAMEPAD) } },
	{ false, 2, { { INPUT_TOUCH, EV_ABS, ABS_MT_SLOT, 0, 10 }, SYN(INPUT_TOUCH) } },
	{ false, 3, { { INPUT_TOUCH, EV_ABS, ABS_MT_POSITION_X, 0, 1 }, /* before its slot */
		{ INPUT_TOUCH, EV_ABS, ABS_MT_SLOT, 0, 0 }, SYN(INPUT_TOUCH) } },
	{ false, 4, { { INPUT_TOUCH, EV_ABS, ABS_MT_SLOT, 0, 0 }, SYN(INPUT_TOUCH), /* not its report's */
		{ INPUT_TOUCH, EV_ABS, ABS_MT_TRACKING_ID, 0, 1 }, SYN(INPUT_TOUCH) } },
	{ false, 3, { { INPUT_TOUCH, EV_ABS, ABS_MT_SLOT, 0, 0 },
		{ INPUT_TOUCH, EV_ABS, ABS_MT_TRACKING_ID, 0, 65536 }, SYN(INPUT_TOUCH) } },
	{ false, 2, { { INPUT_TOUCH, EV_KEY, BTN_LEFT, 0, 1 }, SYN(INPUT_TOUCH) } },
	{ false, 2, { { INPUT_TOUCH, EV_ABS, ABS_X, 0, 1 }, SYN(INPUT_TOUCH) } },
	{ false, 2, { { INPUT_TOUCH, EV_REL, REL_WHEEL, 0, 1 }, SYN(INPUT_TOUCH) } },
	{ false, 2, { { INPUT_GAMEPAD, EV_KEY, KEY_A, 0, 1 }, SYN(INPUT_GAMEPAD) } },
	{ false, 2, { { INPUT_GAMEPAD, EV_ABS, ABS_Z, 0, 1024 }, SYN(INPUT_GAMEPAD) } },
	{ false, 2, { { INPUT_GAMEPAD, EV_ABS, ABS_HAT1X, 0, 1 }, SYN(INPUT_GAMEPAD) } },
	{ false, 2, { { INPUT_TABLET, EV_ABS, ABS_MT_SLOT, 0, 1 }, SYN(INPUT_TABLET) } },
	{ false, 2, { { INPUT_KEYBOARD, EV_LED, LED_CAPSL, 0, 1 }, SYN(INPUT_KEYBOARD) } },
	{ false, 2, { { INPUT_KEYBOARD, EV_KEY, KEY_A, 0, 1 }, SYN(INPUT_MOUSE) } },
	{ false, 2, { { INPUT_KEYBOARD, EV_KEY, KEY_A, 7, 1 }, SYN(INPUT_KEYBOARD) } },
	{ false, 1, { { INPUT_KEYBOARD, EV_SYN, SYN_DROPPED, 0, 0 } } },
};

static void input_reports(void)
{
	struct link_input_event many[LINK_MAX_INPUT + 1] = { 0 };

	for (unsigned i = 0; i < G_N_ELEMENTS(inputs); i++) {
		if (link_input_valid(inputs[i].events, inputs[i].n) != inputs[i].valid)
			fprintf(stderr, "row %u\n", i);
		test_equal(link_input_valid(inputs[i].events, inputs[i].n), inputs[i].valid);
		test_equal(parse(LINK_FROM_SEAT, LINK_INPUT, inputs[i].events,
			inputs[i].n * sizeof(inputs[i].events[0]), 0), inputs[i].valid ? 0 : -EPROTO);
	}
	test_assert(link_input_valid(many, LINK_MAX_INPUT)); /* all SYN_REPORT of the keyboard */
	test_assert(!link_input_valid(many, LINK_MAX_INPUT + 1));
	test_assert(!link_input_valid(many, 0));
}

static void over_a_socket(void)
{
	struct link_leds leds = { 5 };
	struct link_buffer buffer = { 1, 1, 1, 4 };
	int pair[2];

	test_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	test_equal(link_receive(pair[1], LINK_FROM_GUEST, &message), 0);
	test_equal(link_send(pair[0], LINK_LEDS, &leds, sizeof(leds), -1), 0);
	test_equal(link_receive(pair[1], LINK_FROM_GUEST, &message), 1);
	test_equal(message.body.leds.leds, 5);
	test_equal(message.fd, -1);
	test_equal(link_send(pair[0], LINK_BUFFER, &buffer, sizeof(buffer), pair[0]), 0);
	test_equal(link_receive(pair[1], LINK_FROM_GUEST, &message), 1);
	test_assert(message.fd >= 0);
	close(message.fd);
	/* What is no message is not sent. */
	test_equal(link_send(pair[0], LINK_LEDS, &leds, 3, -1), -EINVAL);
	test_equal(link_send(pair[0], LINK_LEDS, &leds, sizeof(leds), pair[0]), -EINVAL);
	test_equal(link_send(pair[0], LINK_BUFFER, &buffer, sizeof(buffer), -1), -EINVAL);
	test_equal(link_send(pair[0], 999, &leds, sizeof(leds), -1), -EINVAL);
	/* Too long to be one. */
	test_equal(send(pair[0], packet, sizeof(packet), 0), (long)sizeof(packet));
	test_equal(link_receive(pair[1], LINK_FROM_GUEST, &message), -EPROTO);
	close(pair[0]);
	test_equal(link_receive(pair[1], LINK_FROM_GUEST, &message), -EPIPE);
	test_equal(link_send(pair[1], LINK_STAT, NULL, 0, -1), -EPIPE);
	close(pair[1]);
}

static unsigned count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 64; fd++)
		n += dup2(fd, fd) == fd;
	return n;
}

static void strange_descriptors_are_closed(void)
{
	struct link_header header = { LINK_STAT, 0 };
	int pair[2], fds[3];
	char control[CMSG_SPACE(sizeof(fds))] = { 0 };
	struct iovec iov = { &header, sizeof(header) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	unsigned before;

	test_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	fds[0] = fds[1] = fds[2] = pair[0];
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	before = count_fds();
	test_equal(sendmsg(pair[0], &msg, 0), sizeof(header));
	test_equal(link_receive(pair[1], LINK_FROM_SEAT, &message), -EPROTO);
	test_equal(count_fds(), before);
	close(pair[0]);
	close(pair[1]);
}

static void address_lengths(void)
{
	struct sockaddr_un address;
	char path[sizeof(address.sun_path) + 1];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = 0;
	test_equal(packet_address(path, &address), -ENAMETOOLONG);
	path[sizeof(path) - 2] = 0;
	test_equal(packet_address(path, &address), 0);
	test_equal(packet_address("", &address), -ENAMETOOLONG);
}

int main(void)
{
	test_run(exact_size_and_side);
	test_run(unknown_opcodes);
	test_run(header_must_tell_the_size);
	test_run(monitors_are_checked);
	test_run(values_out_of_range);
	test_run(audio_sizes);
	test_run(input_reports);
	test_run(over_a_socket);
	test_run(strange_descriptors_are_closed);
	test_run(address_lengths);
	return 0;
}
