/* Frames on a stream socket, with a peer that the test plays: whole frames, torn ones, impossible
 * ones; a guest without room; a peer that does not read. */
#include "vmm/net_stream.c"

#include "tests/unit/test.h"

static struct {
	GMutex lock;
	struct net_user user;
	struct net_stream *stream;
	int peer;
	bool no_room;
	unsigned frames, batches, writables, lost;
	size_t last_len;
	uint8_t last[NET_FRAME_MAX];
} t;

static bool on_receive(void *data, const uint8_t *frame, size_t len)
{
	if (t.no_room)
		return false;
	test_assert(len >= NET_ETHERNET && len <= NET_FRAME_MAX);
	memcpy(t.last, frame, len);
	t.last_len = len;
	t.frames++;
	return true;
}

static void on_received(void *data)
{
	t.batches++;
}

static void on_writable(void *data)
{
	t.writables++;
}

static void on_lost(void *data, const char *why)
{
	t.lost++;
}

static void begin(void)
{
	int pair[2];

	memset(&t, 0, sizeof(t));
	test_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	t.peer = pair[1];
	t.user = (struct net_user){
		.lock = &t.lock,
		.context = g_main_context_default(),
		.receive = on_receive,
		.received = on_received,
		.writable = on_writable,
	};
	t.stream = net_stream_new(pair[0], &t.user, on_lost, NULL);
}

static void end(void)
{
	net_stream_free(t.stream);
	if (t.peer >= 0)
		close(t.peer);
}

static void spin(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void peer_says(const void *bytes, size_t len)
{
	test_equal(write(t.peer, bytes, len), len);
	spin();
}

static void peer_sends(size_t len)
{
	static uint8_t frame[NET_STREAM_PREFIX + NET_FRAME_MAX];

	frame[0] = frame[1] = 0;
	frame[2] = (uint8_t)(len >> 8);
	frame[3] = (uint8_t)len;
	for (size_t i = 0; i < len; i++)
		frame[4 + i] = (uint8_t)(i % 251);
	peer_says(frame, 4 + len);
}

static void whole_frames(void)
{
	begin();
	peer_sends(60);
	test_equal(t.frames, 1);
	test_equal(t.last_len, 60);
	test_equal(t.last[59], 59);
	peer_sends(NET_FRAME_MAX);
	test_equal(t.frames, 2);
	test_equal(t.last_len, NET_FRAME_MAX);
	test_equal(t.batches, 2);
	test_equal(t.lost, 0);
	end();
}

static void torn_frames(void)
{
	uint8_t bytes[4 + 20] = {0, 0, 0, 20};

	begin();
	for (unsigned i = 0; i < sizeof(bytes); i++) {
		test_equal(t.frames, 0);
		peer_says(bytes + i, 1);
	}
	test_equal(t.frames, 1);
	end();
}

static void runts(void)
{
	begin();
	peer_sends(13);
	test_equal(t.frames, 0);
	peer_sends(14);
	test_equal(t.frames, 1);
	test_equal(t.lost, 0);
	end();
}

static void impossible_lengths(void)
{
	static const uint8_t bad[][4] = {{0, 0, 0, 0}, {0, 1, 0, 0}, {0xff, 0xff, 0xff, 0xff},
		{0x80, 0, 0, 60}};

	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		begin();
		peer_says(bad[i], 4);
		test_equal(t.lost, 1);
		peer_sends(60); /* and nothing is heard after it */
		test_equal(t.frames, 0);
		test_equal(t.lost, 1);
		end();
	}
}

static void hangs_up(void)
{
	begin();
	close(t.peer);
	t.peer = -1;
	spin();
	test_equal(t.lost, 1);
	end();
	/* Also seen while the guest has no room. */
	begin();
	t.no_room = true;
	peer_sends(60);
	close(t.peer);
	t.peer = -1;
	spin();
	test_equal(t.lost, 1);
	end();
}

static void guest_without_room(void)
{
	begin();
	t.no_room = true;
	for (unsigned i = 0; i < 20; i++)
		peer_sends(1000);
	test_equal(t.frames, 0);
	test_equal(t.stream->stalled, true);
	t.no_room = false;
	net_stream_resume(t.stream);
	spin();
	test_equal(t.frames, 20);
	test_equal(t.lost, 0);
	end();
}

/* Another source of the same poll has the guest filled up: what the poll said of reading is stale.
 * The buffer is full then, and nothing to read is not the end of the connection. */
static void stale_poll(void)
{
	begin();
	t.no_room = true;
	for (unsigned i = 0; i < 100; i++) {
		uint8_t frame[4 + 8000] = {0, 0, 8000 >> 8, 8000 & 0xff};

		if (send(t.peer, frame, sizeof(frame), MSG_DONTWAIT) != sizeof(frame))
			break;
		/* As if it had polled before it stalled. */
		g_source_modify_unix_fd(t.stream->source, t.stream->tag, G_IO_IN);
		g_main_context_iteration(NULL, FALSE);
		t.stream->condition = G_IO_IN;
		stream_listen(t.stream);
	}
	test_equal(t.lost, 0);
	t.no_room = false;
	net_stream_resume(t.stream);
	spin();
	test_equal(t.lost, 0);
	test_assert(t.frames > 10);
	end();
}

static bool send_frame(size_t len)
{
	static uint8_t frame[NET_FRAME_MAX];
	const struct iovec iov[2] = {{frame, len / 2}, {frame + len / 2, len - len / 2}};

	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i % 249);
	return net_stream_send(t.stream, iov, 2, len);
}

static void peer_reads(void *to, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t got;

		spin();
		got = recv(t.peer, (uint8_t *)to + at, len - at, MSG_DONTWAIT);
		test_assert(got > 0);
		at += (size_t)got;
	}
}

static void peer_expects(size_t len)
{
	static uint8_t frame[NET_STREAM_PREFIX + NET_FRAME_MAX];

	peer_reads(frame, 4 + len);
	test_equal(frame[0] << 24 | frame[1] << 16 | frame[2] << 8 | frame[3], len);
	for (size_t i = 0; i < len; i++)
		test_equal(frame[4 + i], i % 249);
}

static void sends(void)
{
	static const size_t lens[] = {14, 60, 1514, 8191, 8192, 40000, NET_FRAME_MAX};

	begin();
	for (unsigned i = 0; i < G_N_ELEMENTS(lens); i++) {
		test_assert(send_frame(lens[i]));
		net_stream_flush(t.stream);
		peer_expects(lens[i]);
	}
	end();
}

/* A peer that does not read: bounded, then "full", then everything arrives, in order and whole. */
static void back_pressure(void)
{
	static const size_t lens[] = {60, 30000, 1514, NET_FRAME_MAX, 9000};
	unsigned sent = 0;

	begin();
	while (send_frame(lens[sent % G_N_ELEMENTS(lens)])) {
		net_stream_flush(t.stream);
		sent++;
		test_assert(sent < 10000);
	}
	test_assert(sent > 4);
	spin();
	test_equal(t.writables, 0);
	for (unsigned i = 0; i < sent; i++)
		peer_expects(lens[i % G_N_ELEMENTS(lens)]);
	spin();
	test_equal(t.writables, 1);
	test_assert(send_frame(60));
	end();
}

static void sends_to_nobody(void)
{
	begin();
	close(t.peer);
	t.peer = -1;
	for (unsigned i = 0; i < 100; i++) {
		test_assert(send_frame(9000));
		net_stream_flush(t.stream);
	}
	spin();
	test_equal(t.lost, 1);
	test_assert(send_frame(9000));
	end();
}

int main(void)
{
	test_run(whole_frames);
	test_run(torn_frames);
	test_run(runts);
	test_run(impossible_lengths);
	test_run(hangs_up);
	test_run(guest_without_room);
	test_run(stale_poll);
	test_run(sends);
	test_run(back_pressure);
	test_run(sends_to_nobody);
	return 0;
}
