/*
 * Frames on a stream socket: two bounded buffers and one source whose conditions follow them.
 */
#define G_LOG_DOMAIN "irori-net"

#include "vmm/net_stream.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	STREAM_DIRECT = 8192,   /* frames from this size on are not copied while the socket takes them */
	STREAM_IOV = 64,
	STREAM_SOCKET = 1 << 20, /* what we ask the kernel to buffer */
};

struct stream_buffer {
	uint8_t *bytes;
	size_t begin, end;
};

struct net_stream {
	struct net_user user;
	void (*lost)(void *data, const char *why);
	void *lost_data;
	int fd;
	GSource *source;
	gpointer tag;
	GIOCondition condition;
	struct stream_buffer in, out;
	bool stalled; /* the guest has no room for the frame at in.begin */
	bool blocked; /* the guest waits for room in `out` */
	bool dead;
};

struct stream_source {
	GSource source;
	struct net_stream *stream;
};

/* The source listens to what there is room for, and nothing else wakes it. */
static void stream_listen(struct net_stream *stream)
{
	GIOCondition want = (stream->stalled ? 0 : G_IO_IN) |
		(stream->out.begin < stream->out.end ? G_IO_OUT : 0);

	if (want == stream->condition)
		return;
	stream->condition = want;
	g_source_modify_unix_fd(stream->source, stream->tag, want);
}

static void stream_lost(struct net_stream *stream, const char *why)
{
	if (stream->dead)
		return;
	stream->dead = true;
	g_source_remove_unix_fd(stream->source, stream->tag);
	stream->lost(stream->lost_data, why); /* may free it */
}

static size_t buffer_used(const struct stream_buffer *buffer)
{
	return buffer->end - buffer->begin;
}

/* What is in it goes to the front when less than `room` is left behind it. */
static void buffer_make_room(struct stream_buffer *buffer, size_t room)
{
	if (buffer->begin == buffer->end)
		buffer->begin = buffer->end = 0;
	if (buffer->begin == 0 || NET_STREAM_BUFFER - buffer->end >= room)
		return;
	memmove(buffer->bytes, buffer->bytes + buffer->begin, buffer_used(buffer));
	buffer->end -= buffer->begin;
	buffer->begin = 0;
}

/* The next whole frame; 0: not there yet; -1: no peer that means well sends this. */
static int stream_next(const struct net_stream *stream, const uint8_t **frame, uint32_t *len)
{
	const uint8_t *at = stream->in.bytes + stream->in.begin;
	size_t have = buffer_used(&stream->in);

	if (have < NET_STREAM_PREFIX)
		return 0;
	*len = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	if (*len == 0 || *len > NET_FRAME_MAX)
		return -1;
	if (have - NET_STREAM_PREFIX < *len)
		return 0;
	*frame = at + NET_STREAM_PREFIX;
	return 1;
}

/* Hands frames to the guest. False: the stream is lost. */
static bool stream_deliver(struct net_stream *stream)
{
	const uint8_t *frame;
	bool any = false;
	uint32_t len;
	int found;

	while ((found = stream_next(stream, &frame, &len)) == 1) {
		/* Runts are no frames; they cost us nothing. */
		if (len >= NET_ETHERNET &&
			!stream->user.receive(stream->user.data, frame, len)) {
			stream->stalled = true;
			break;
		}
		any = true;
		stream->in.begin += NET_STREAM_PREFIX + len;
	}
	if (any)
		stream->user.received(stream->user.data);
	if (found < 0)
		stream_lost(stream, "a frame of an impossible length");
	return found >= 0;
}

/* One read, whatever comes; false: the stream is lost. */
static bool stream_read(struct net_stream *stream)
{
	ssize_t got;

	/* There is always room: what is left there is less than a frame. */
	buffer_make_room(&stream->in, NET_STREAM_BUFFER / 2);
	got = recv(stream->fd, stream->in.bytes + stream->in.end,
		NET_STREAM_BUFFER - stream->in.end, MSG_DONTWAIT);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		stream_lost(stream, got == 0 ? "closed by the other side" : g_strerror(errno));
		return false;
	}
	if (got > 0)
		stream->in.end += (size_t)got;
	return stream_deliver(stream);
}

/* Sends what waits; errors are seen when it is read from. */
static void stream_write(struct net_stream *stream)
{
	struct stream_buffer *out = &stream->out;

	while (out->begin < out->end) {
		ssize_t sent = send(stream->fd, out->bytes + out->begin, buffer_used(out),
			MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno != EAGAIN)
			out->begin = out->end; /* nobody will ever read it */
		if (sent <= 0)
			break;
		out->begin += (size_t)sent;
	}
}

static void stream_unblock(struct net_stream *stream)
{
	if (!stream->blocked || buffer_used(&stream->out) > NET_STREAM_BUFFER / 2)
		return;
	stream->blocked = false;
	stream->user.writable(stream->user.data);
}

static gboolean stream_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	struct net_stream *stream = ((struct stream_source *)source)->stream;
	GMutex *lock = stream->user.lock;
	GIOCondition events;

	g_mutex_lock(lock);
	events = stream->dead ? 0 : g_source_query_unix_fd(source, stream->tag);
	if (events & G_IO_OUT) {
		stream_write(stream);
		stream_unblock(stream);
	}
	/* What the poll said of reading was true before another source filled the guest up. */
	if (stream->stalled)
		events &= ~G_IO_IN;
	if (stream->stalled && (events & (G_IO_HUP | G_IO_ERR)))
		stream_lost(stream, "closed by the other side");
	else if (!(events & (G_IO_IN | G_IO_HUP | G_IO_ERR)) || stream_read(stream))
		stream_listen(stream);
	g_mutex_unlock(lock);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs stream_funcs = {
	.dispatch = stream_dispatch,
};

struct net_stream *net_stream_new(int fd, const struct net_user *user,
	void (*lost)(void *data, const char *why), void *data)
{
	struct net_stream *stream = g_new0(struct net_stream, 1);
	int size = STREAM_SOCKET;

	stream->user = *user;
	stream->lost = lost;
	stream->lost_data = data;
	stream->fd = fd;
	stream->in.bytes = g_malloc(NET_STREAM_BUFFER);
	stream->out.bytes = g_malloc(NET_STREAM_BUFFER);
	/* As much as the host allows; it works with less. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	stream->source = g_source_new(&stream_funcs, sizeof(struct stream_source));
	((struct stream_source *)stream->source)->stream = stream;
	stream->condition = G_IO_IN;
	stream->tag = g_source_add_unix_fd(stream->source, fd, G_IO_IN);
	g_source_attach(stream->source, user->context);
	return stream;
}

void net_stream_free(struct net_stream *stream)
{
	if (!stream)
		return;
	g_source_destroy(stream->source);
	g_source_unref(stream->source);
	close(stream->fd);
	g_free(stream->in.bytes);
	g_free(stream->out.bytes);
	g_free(stream);
}

static void out_append(struct stream_buffer *out, const void *bytes, size_t len)
{
	memcpy(out->bytes + out->end, bytes, len);
	out->end += len;
}

static void out_append_iov(struct stream_buffer *out, const struct iovec *iov, unsigned n,
	size_t skip)
{
	for (unsigned i = 0; i < n; i++) {
		size_t less = MIN(skip, iov[i].iov_len);

		skip -= less;
		out_append(out, (const uint8_t *)iov[i].iov_base + less, iov[i].iov_len - less);
	}
}

/* Straight from the guest's memory to the socket; what it took, 0 if nothing. */
static size_t stream_send_direct(struct net_stream *stream, const struct iovec *iov, unsigned n)
{
	struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = n};
	ssize_t sent = sendmsg(stream->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

	return sent > 0 ? (size_t)sent : 0;
}

bool net_stream_send(struct net_stream *stream, const struct iovec *iov, unsigned n, size_t len)
{
	uint8_t prefix[NET_STREAM_PREFIX] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16),
		(uint8_t)(len >> 8), (uint8_t)len};
	struct iovec all[STREAM_IOV + 1] = {{prefix, sizeof(prefix)}};
	size_t sent = 0;

	if (stream->dead)
		return true; /* as a cable that is pulled */
	buffer_make_room(&stream->out, NET_STREAM_PREFIX + len);
	if (NET_STREAM_BUFFER - stream->out.end < NET_STREAM_PREFIX + len) {
		stream_write(stream);
		buffer_make_room(&stream->out, NET_STREAM_PREFIX + len);
	}
	if (NET_STREAM_BUFFER - stream->out.end < NET_STREAM_PREFIX + len) {
		stream->blocked = true;
		stream_listen(stream);
		return false;
	}
	if (n <= STREAM_IOV && len >= STREAM_DIRECT && buffer_used(&stream->out) == 0) {
		memcpy(all + 1, iov, n * sizeof(*iov));
		sent = stream_send_direct(stream, all, n + 1);
	}
	if (sent == NET_STREAM_PREFIX + len)
		return true;
	out_append(&stream->out, prefix + MIN(sent, sizeof(prefix)),
		sizeof(prefix) - MIN(sent, sizeof(prefix)));
	out_append_iov(&stream->out, iov, n, sent - MIN(sent, sizeof(prefix)));
	return true;
}

void net_stream_flush(struct net_stream *stream)
{
	if (stream->dead)
		return;
	stream_write(stream);
	stream_listen(stream);
}

void net_stream_resume(struct net_stream *stream)
{
	if (stream->dead || !stream->stalled)
		return;
	stream->stalled = false;
	if (stream_deliver(stream))
		stream_listen(stream);
}
