/* Fuzzes the frames of passt's socket: the input is what it sends, in pieces, to a guest that at times
 * has no room. The first byte of each piece: its length, and in bit 7 whether there is room. */
#include "vmm/net_stream.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool room;

static bool fuzz_receive(void *data, const uint8_t *frame, size_t len)
{
	static uint8_t copy[NET_FRAME_MAX];

	if (len < NET_ETHERNET || len > NET_FRAME_MAX)
		abort();
	memcpy(copy, frame, len); /* all of it is there */
	return room;
}

static void fuzz_nothing(void *data)
{
}

static void fuzz_lost(void *data, const char *why)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static GMutex lock;
	struct net_user user = {
		.lock = &lock,
		.context = g_main_context_default(),
		.receive = fuzz_receive,
		.received = fuzz_nothing,
		.writable = fuzz_nothing,
	};
	struct net_stream *stream;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	stream = net_stream_new(pair[0], &user, fuzz_lost, NULL);
	while (size > 0) {
		size_t len = MIN(size - 1, (size_t)(data[0] & 0x7f) * 4);
		struct iovec iov = {(void *)(data + 1), len};

		room = data[0] & 0x80;
		if (send(pair[1], data + 1, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
		if (len >= NET_ETHERNET)
			net_stream_send(stream, &iov, 1, len);
		net_stream_flush(stream);
		while (g_main_context_iteration(NULL, FALSE))
			;
		if (room)
			net_stream_resume(stream);
		data += 1 + len;
		size -= 1 + len;
	}
	net_stream_free(stream);
	close(pair[1]);
	return 0;
}
