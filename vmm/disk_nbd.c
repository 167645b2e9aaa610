/*
 * NBD: requests go out in the order they came, as many as the socket takes; replies are taken as they
 * come. What is longer than NBD_PART is asked for part by part.
 */
#define G_LOG_DOMAIN "disk"

#include "vmm/disk_nbd.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/disk_nbd_wire.h"
#include "vmm/helper.h"
#include "vmm/machine.h"
#include "vmm/state.h"

enum nbd_limits {
	NBD_SLOTS = DISK_DEPTH + 16, /* the device's, and a flush of its own */
	NBD_PART = 16 << 20,         /* bytes of one request with data */
	NBD_PART_EMPTY = 1 << 30,    /* and without */
	NBD_BUFFER = 64 << 10,
	NBD_GATHER = 256,            /* buffers of one send */
	NBD_STUCK_MS = 30000,        /* a reset waits no longer for an answer of the peer's */
	NBD_SLOW_MS = 120000,        /* and for all of them */
};

/* No error that is tried again: the second try would not know of it any more. */
#define NBD_BROKEN (-ESTALE)
#define NBD_GONE "its server is gone"

enum nbd_phase {
	NBD_IDLE,
	NBD_TO_SEND,
	NBD_SENT,
};

struct nbd_slot {
	enum nbd_phase phase;
	struct disk_io *io;
	struct nbd_slot *next; /* to be sent after it */
	uint32_t part, generation;
	uint64_t written; /* of a flush: the writes that it is for */
	bool broken;      /* of a flush: some of them may be gone */
	uint8_t header[NBD_REQUEST_LEN];
};

struct nbd {
	struct disk disk; /* first */
	struct machine *machine;
	struct nbd_opener opener;
	char *name;
	int fd; /* -1: lost */
	uint16_t flags;
	GMainContext *context;
	GSource *source;
	bool wants_out;
	struct nbd_slot slot[NBD_SLOTS];
	unsigned busy;
	struct nbd_slot *first, *last; /* to be sent */
	size_t sent;                   /* of the first */
	struct disk_io *waiting, **waiting_end; /* no slot is free */
	uint8_t buffer[NBD_BUFFER];
	size_t have;            /* in the buffer */
	struct nbd_slot *reply; /* whose data is being received */
	size_t received;        /* of it */
	uint64_t written, flushed; /* writes that were answered, and how many of them a flush was */
	bool promise_broken;       /* the next flush is to say so */
	unsigned losses;
	/* A new connection, from the main thread. */
	GSource *reopen;
	unsigned attempt;
	int fresh; /* atomic: its descriptor; -1: none */
};

static void nbd_watch_for(struct nbd *nbd, bool out);

static bool nbd_has_data(const struct disk_io *io)
{
	return io->operation == DISK_WRITE || io->operation == DISK_WRITE_THROUGH;
}

/* What it writes is the server's to lose until the next flush. */
static bool nbd_is_cached(const struct disk_io *io)
{
	return io->operation == DISK_WRITE || io->operation == DISK_PUNCH ||
		io->operation == DISK_ZERO;
}

static uint32_t nbd_part(const struct disk_io *io)
{
	uint64_t most = io->operation == DISK_PUNCH || io->operation == DISK_ZERO ? NBD_PART_EMPTY :
		NBD_PART;

	return io->operation == DISK_FLUSH ? 0 : (uint32_t)MIN(io->len, most);
}

static void nbd_fill_header(struct nbd *nbd, struct nbd_slot *slot)
{
	static const struct {
		uint16_t type, flags;
	} how[] = {
		[DISK_READ] = {NBD_CMD_READ, 0},
		[DISK_WRITE] = {NBD_CMD_WRITE, 0},
		[DISK_WRITE_THROUGH] = {NBD_CMD_WRITE, NBD_CMD_FLAG_FUA},
		[DISK_FLUSH] = {NBD_CMD_FLUSH, 0},
		[DISK_PUNCH] = {NBD_CMD_WRITE_ZEROES, 0},
		[DISK_ZERO] = {NBD_CMD_WRITE_ZEROES, NBD_CMD_FLAG_NO_HOLE},
	};
	const struct disk_io *io = slot->io;

	slot->part = nbd_part(io);
	nbd_request(slot->header, how[io->operation].type, how[io->operation].flags,
		(uint64_t)slot->generation << 32 | (uint64_t)(slot - nbd->slot),
		io->operation == DISK_FLUSH ? 0 : io->offset, slot->part);
}

static void nbd_append(struct nbd *nbd, struct nbd_slot *slot)
{
	slot->phase = NBD_TO_SEND;
	slot->next = NULL;
	nbd_fill_header(nbd, slot);
	if (nbd->last)
		nbd->last->next = slot;
	else
		nbd->first = slot;
	nbd->last = slot;
}

/* What the server does not know: an answer without asking it. */
static int nbd_refusal(struct nbd *nbd, const struct disk_io *io)
{
	if (io->operation == DISK_FLUSH && nbd->promise_broken) {
		nbd->promise_broken = false;
		return NBD_BROKEN;
	}
	if (io->operation == DISK_FLUSH && !(nbd->flags & NBD_FLAG_SEND_FLUSH))
		return 1; /* there is nothing to flush */
	if ((io->operation == DISK_PUNCH || io->operation == DISK_ZERO) &&
		!(nbd->flags & NBD_FLAG_SEND_WRITE_ZEROES))
		return -EOPNOTSUPP;
	if (io->operation == DISK_WRITE_THROUGH && !(nbd->flags & NBD_FLAG_SEND_FUA))
		return -EOPNOTSUPP;
	return 0;
}

static void nbd_queue(struct disk *disk, struct disk_io *io)
{
	struct nbd *nbd = (struct nbd *)disk;
	int refusal = nbd_refusal(nbd, io);

	if (nbd->fd < 0 && disk->guard && !disk->guard->cancelling) /* a guest that was reset since */
		disk_wait(disk->guard, DISK_WAIT_SERVER, NBD_GONE);
	if (refusal) {
		disk_ended(disk, io, refusal < 0 ? refusal : 0);
		return;
	}
	for (unsigned i = 0; i < NBD_SLOTS; i++) {
		struct nbd_slot *slot = &nbd->slot[i];

		if (slot->phase != NBD_IDLE)
			continue;
		slot->io = io;
		slot->generation++;
		slot->written = nbd->written;
		slot->broken = false;
		nbd->busy++;
		nbd_append(nbd, slot);
		return;
	}
	io->next = NULL;
	*nbd->waiting_end = io;
	nbd->waiting_end = &io->next;
}

static void nbd_end(struct nbd *nbd, struct nbd_slot *slot, int result)
{
	struct disk_io *io = slot->io, *next = nbd->waiting;

	slot->phase = NBD_IDLE;
	slot->io = NULL;
	nbd->busy--;
	if (result == 0 && io->operation == DISK_FLUSH)
		nbd->flushed = MAX(nbd->flushed, slot->written);
	else if (result == 0)
		nbd->written += nbd_is_cached(io);
	if (next) {
		nbd->waiting = next->next;
		if (!nbd->waiting)
			nbd->waiting_end = &nbd->waiting;
		nbd_queue(&nbd->disk, next);
	}
	disk_ended(&nbd->disk, io, result);
}

/* A part is through; the next, or the end of it. */
static void nbd_part_done(struct nbd *nbd, struct nbd_slot *slot)
{
	struct disk_io *io = slot->io;

	if (io->operation == DISK_FLUSH || slot->part >= io->len) {
		nbd_end(nbd, slot, io->operation == DISK_FLUSH && slot->broken ? NBD_BROKEN : 0);
		return;
	}
	nbd->written += nbd_is_cached(io); /* it is not sent again, should the server go */
	disk_advance(io, slot->part);
	slot->generation++;
	nbd_append(nbd, slot);
}

/* Buffers of `io` from byte `skip` on, `len` of them, as iovecs; how many. */
static unsigned nbd_slice(const struct disk_io *io, size_t skip, size_t len, struct iovec *iov,
	unsigned room)
{
	unsigned n = 0;

	for (unsigned i = 0; i < io->n_iov && n < room && len > 0; i++) {
		struct iovec part = io->iov[i];

		if (skip >= part.iov_len) {
			skip -= part.iov_len;
			continue;
		}
		part.iov_base = (uint8_t *)part.iov_base + skip;
		part.iov_len = MIN(part.iov_len - skip, len);
		skip = 0;
		len -= part.iov_len;
		iov[n++] = part;
	}
	return n;
}

static size_t nbd_slot_len(const struct nbd_slot *slot)
{
	return NBD_REQUEST_LEN + (nbd_has_data(slot->io) ? slot->part : 0);
}

/* As many requests as fit one call. */
static unsigned nbd_gather(struct nbd *nbd, struct iovec iov[NBD_GATHER])
{
	size_t skip = nbd->sent;
	unsigned n = 0;

	for (struct nbd_slot *slot = nbd->first; slot && n + 1 < NBD_GATHER; slot = slot->next) {
		size_t data = nbd_slot_len(slot) - NBD_REQUEST_LEN, begin = 0;
		unsigned before = n;

		if (skip < NBD_REQUEST_LEN)
			iov[n++] = (struct iovec){slot->header + skip, NBD_REQUEST_LEN - skip};
		else
			begin = skip - NBD_REQUEST_LEN;
		if (data > begin) {
			size_t got = 0;

			before = n;
			n += nbd_slice(slot->io, begin, data - begin, iov + n, NBD_GATHER - n);
			for (unsigned i = before; i < n; i++)
				got += iov[i].iov_len;
			if (got < data - begin)
				break; /* the rest with the next call */
		}
		skip = 0;
	}
	return n;
}

static void nbd_sent(struct nbd *nbd, size_t len)
{
	nbd->sent += len;
	while (nbd->first && nbd->sent >= nbd_slot_len(nbd->first)) {
		struct nbd_slot *slot = nbd->first;

		nbd->sent -= nbd_slot_len(slot);
		nbd->first = slot->next;
		if (!nbd->first)
			nbd->last = NULL;
		slot->phase = NBD_SENT;
	}
}

static gboolean nbd_reopen(gpointer data);

static void nbd_reopen_later(struct nbd *nbd)
{
	nbd->reopen = g_timeout_source_new(helper_back_off(nbd->attempt++));
	g_source_set_callback(nbd->reopen, nbd_reopen, nbd, NULL);
	g_source_attach(nbd->reopen, nbd->machine->main_context);
}

/* What was answered and not flushed may be gone: flushes that are under way say so, or the next. */
static void nbd_break_promise(struct nbd *nbd)
{
	bool told = false;

	if (nbd->written == nbd->flushed)
		return;
	nbd->flushed = nbd->written;
	for (unsigned i = 0; i < NBD_SLOTS; i++)
		if (nbd->slot[i].phase != NBD_IDLE && nbd->slot[i].io->operation == DISK_FLUSH)
			told = nbd->slot[i].broken = true;
	nbd->promise_broken = nbd->promise_broken || !told;
}

/* All that was under way is sent again when there is a connection, in the order of the slots. */
static void nbd_lost(struct nbd *nbd, const char *why)
{
	if (nbd->fd < 0)
		return;
	nbd->losses++;
	g_warning("disk %s: connection lost: %s", nbd->name, why);
	if (nbd->source) {
		g_source_destroy(nbd->source);
		g_clear_pointer(&nbd->source, g_source_unref);
	}
	close(nbd->fd);
	nbd->fd = -1;
	nbd->have = nbd->sent = nbd->received = 0;
	nbd->reply = NULL;
	nbd->first = nbd->last = NULL;
	for (unsigned i = 0; i < NBD_SLOTS; i++)
		if (nbd->slot[i].phase != NBD_IDLE) {
			nbd->slot[i].generation++;
			nbd_append(nbd, &nbd->slot[i]);
		}
	nbd_break_promise(nbd);
	if (nbd->disk.guard)
		disk_wait(nbd->disk.guard, DISK_WAIT_SERVER, NBD_GONE);
	nbd_reopen_later(nbd);
}

static void nbd_send(struct nbd *nbd)
{
	struct iovec iov[NBD_GATHER];
	struct msghdr message = {.msg_iov = iov};
	ssize_t sent;

	while (nbd->first && nbd->fd >= 0) {
		message.msg_iovlen = nbd_gather(nbd, iov);
		sent = sendmsg(nbd->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent > 0)
			nbd_sent(nbd, (size_t)sent);
		else if (sent < 0 && errno == EAGAIN)
			break;
		else if (sent == 0 || errno != EINTR)
			nbd_lost(nbd, sent < 0 ? g_strerror(errno) : "nothing is taken");
	}
	nbd_watch_for(nbd, nbd->fd >= 0 && nbd->first);
}

/* The request that a reply is for; NULL: none that is under way. */
static struct nbd_slot *nbd_slot_of(struct nbd *nbd, uint64_t cookie)
{
	uint32_t i = (uint32_t)cookie;

	if (i >= NBD_SLOTS || nbd->slot[i].phase != NBD_SENT ||
		nbd->slot[i].generation != (uint32_t)(cookie >> 32))
		return NULL;
	return &nbd->slot[i];
}

/* The head of a reply, from the buffer. False: the connection is over. */
static bool nbd_take_reply(struct nbd *nbd, const uint8_t *head)
{
	struct nbd_slot *slot;
	uint64_t cookie;
	uint32_t error;

	if (!nbd_reply(head, &error, &cookie)) {
		nbd_lost(nbd, "a reply that is none");
		return false;
	}
	slot = nbd_slot_of(nbd, cookie);
	if (!slot) {
		nbd_lost(nbd, "a reply to nothing that was asked");
		return false;
	}
	nbd->attempt = 0; /* it works: the next one comes at once */
	if (error)
		nbd_end(nbd, slot, nbd_errno(error));
	else if (slot->io->operation == DISK_READ)
		nbd->reply = slot;
	else
		nbd_part_done(nbd, slot);
	return nbd->fd >= 0;
}

static void nbd_received(struct nbd *nbd, size_t len)
{
	struct nbd_slot *slot = nbd->reply;

	nbd->received += len;
	if (nbd->received < slot->part)
		return;
	nbd->reply = NULL;
	nbd->received = 0;
	nbd_part_done(nbd, slot);
}

/* Data of the reply that lies in the buffer at `at`; how much of it. */
static size_t nbd_copy(struct nbd *nbd, size_t at)
{
	size_t len = MIN(nbd->have - at, nbd->reply->part - nbd->received), done = 0;
	struct iovec iov[DISK_SEGMENTS];
	unsigned n = nbd_slice(nbd->reply->io, nbd->received, len, iov, G_N_ELEMENTS(iov));

	for (unsigned i = 0; i < n; done += iov[i++].iov_len)
		memcpy(iov[i].iov_base, nbd->buffer + at + done, iov[i].iov_len);
	return done;
}

/* All that is in the buffer. False: the connection is over. */
static bool nbd_digest(struct nbd *nbd)
{
	size_t at = 0;
	bool good = true;

	while (good) {
		if (nbd->reply && nbd->have > at) {
			size_t len = nbd_copy(nbd, at);

			at += len;
			good = len > 0;
			nbd_received(nbd, len);
		} else if (!nbd->reply && nbd->have - at >= NBD_REPLY_LEN) {
			at += NBD_REPLY_LEN;
			good = nbd_take_reply(nbd, nbd->buffer + at - NBD_REPLY_LEN);
		} else {
			break;
		}
	}
	if (good) {
		nbd->have -= at;
		memmove(nbd->buffer, nbd->buffer + at, nbd->have);
	}
	return good;
}

/* Long data straight to where it belongs, all else by way of the buffer. */
static ssize_t nbd_receive_once(struct nbd *nbd)
{
	struct iovec iov[DISK_SEGMENTS];
	struct msghdr message = {.msg_iov = iov};
	size_t left = nbd->reply ? nbd->reply->part - nbd->received : 0;
	ssize_t got;

	if (left < NBD_BUFFER / 4 || nbd->have > 0)
		return recv(nbd->fd, nbd->buffer + nbd->have, NBD_BUFFER - nbd->have, MSG_DONTWAIT);
	message.msg_iovlen =
		nbd_slice(nbd->reply->io, nbd->received, left, iov, G_N_ELEMENTS(iov));
	got = recvmsg(nbd->fd, &message, MSG_DONTWAIT);
	if (got > 0)
		nbd_received(nbd, (size_t)got);
	return got;
}

static void nbd_receive(struct nbd *nbd)
{
	while (nbd->fd >= 0) {
		bool direct = nbd->reply && nbd->have == 0 &&
			nbd->reply->part - nbd->received >= NBD_BUFFER / 4;
		ssize_t got = nbd_receive_once(nbd);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0) {
			nbd_lost(nbd, got < 0 ? g_strerror(errno) : "the server hung up");
			return;
		}
		if (direct)
			continue;
		nbd->have += (size_t)got;
		if (!nbd_digest(nbd))
			return;
	}
}

/* A connection that the main thread has made takes the place of the lost one. */
static void nbd_adopt(struct nbd *nbd)
{
	int fd = g_atomic_int_exchange(&nbd->fresh, -1);

	if (fd < 0)
		return;
	nbd->fd = fd;
	g_message("disk %s: connected again", nbd->name);
	if (nbd->context)
		nbd_watch_for(nbd, false);
	if (nbd->disk.guard)
		disk_wait_over(nbd->disk.guard, DISK_WAIT_SERVER);
}

static void nbd_pump(struct nbd *nbd)
{
	nbd_adopt(nbd);
	nbd_receive(nbd);
	nbd_send(nbd);
}

static void nbd_submit(struct disk *disk)
{
	nbd_send((struct nbd *)disk);
}

/* Nobody answers and nobody will be asked again: what waits for it ends. */
static void nbd_give_up(struct nbd *nbd)
{
	for (unsigned i = 0; i < NBD_SLOTS; i++)
		if (nbd->slot[i].phase != NBD_IDLE)
			nbd_end(nbd, &nbd->slot[i], -EIO);
	nbd->first = nbd->last = NULL;
	nbd->sent = 0;
}

/* Until nothing is under way, or the peer has shown that it will not do it in time. */
static void nbd_wait(struct nbd *nbd)
{
	int64_t now = g_get_monotonic_time(), end = now + NBD_SLOW_MS * 1000ll;
	int64_t stuck = now + NBD_STUCK_MS * 1000ll;

	while (nbd->busy > 0 && nbd->fd >= 0) {
		struct pollfd event = {
			.fd = nbd->fd,
			.events = POLLIN | (nbd->first ? POLLOUT : 0),
		};
		unsigned busy = nbd->busy;

		if (now >= MIN(end, stuck) ||
			poll(&event, 1, (int)((MIN(end, stuck) - now) / 1000) + 1) == 0)
			nbd_lost(nbd, "no answer");
		nbd_pump(nbd);
		now = g_get_monotonic_time();
		if (nbd->busy < busy)
			stuck = now + NBD_STUCK_MS * 1000ll;
	}
}

static void nbd_reap(struct disk *disk, bool wait)
{
	struct nbd *nbd = (struct nbd *)disk;

	nbd_pump(nbd);
	if (wait)
		nbd_wait(nbd);
	while (nbd->busy > 0 && nbd->fd < 0 && disk->guard && disk->guard->cancelling)
		nbd_give_up(nbd);
}

static bool nbd_busy(struct disk *disk)
{
	struct nbd *nbd = (struct nbd *)disk;

	return nbd->busy > 0 && nbd->fd >= 0;
}

static gboolean nbd_event(gint fd, GIOCondition condition, gpointer data)
{
	struct nbd *nbd = data;

	disk_ready(&nbd->disk);
	return G_SOURCE_CONTINUE;
}

/* The socket is always looked at for replies, and for room only when something waits for it. */
static void nbd_watch_for(struct nbd *nbd, bool out)
{
	if (!nbd->context || nbd->fd < 0 || (nbd->source && out == nbd->wants_out))
		return;
	if (nbd->source) {
		g_source_destroy(nbd->source);
		g_source_unref(nbd->source);
	}
	nbd->wants_out = out;
	nbd->source = g_unix_fd_source_new(nbd->fd, out ? G_IO_IN | G_IO_OUT : G_IO_IN);
	g_source_set_callback(nbd->source, G_SOURCE_FUNC(nbd_event), nbd, NULL);
	g_source_attach(nbd->source, nbd->context);
}

static void nbd_watch(struct disk *disk, GMainContext *context)
{
	struct nbd *nbd = (struct nbd *)disk;

	nbd->context = context;
	nbd_watch_for(nbd, false);
}

static void nbd_state(struct disk *disk, struct state *state)
{
	struct nbd *nbd = (struct nbd *)disk;

	if (nbd->fd < 0 || nbd->busy > 0)
		state_fail(state, "disk %s: its server is gone", nbd->name);
}

static void nbd_close(struct disk *disk)
{
	struct nbd *nbd = (struct nbd *)disk;
	uint8_t header[NBD_REQUEST_LEN];
	int fresh = g_atomic_int_get(&nbd->fresh);

	if (nbd->fd >= 0) {
		nbd_request(header, NBD_CMD_DISC, 0, 0, 0, 0);
		if (send(nbd->fd, header, sizeof(header), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			g_debug("disk %s: %s", nbd->name, g_strerror(errno));
		close(nbd->fd);
	}
	if (fresh >= 0)
		close(fresh);
	if (nbd->source) {
		g_source_destroy(nbd->source);
		g_source_unref(nbd->source);
	}
	if (nbd->reopen) {
		g_source_destroy(nbd->reopen);
		g_source_unref(nbd->reopen);
	}
	if (nbd->opener.free)
		nbd->opener.free(nbd->opener.data);
	g_free(nbd->opener.export);
	g_free(nbd->name);
	g_free(nbd);
}

static const struct disk_layer_ops nbd_ops = {
	.queue = nbd_queue,
	.submit = nbd_submit,
	.reap = nbd_reap,
	.busy = nbd_busy,
	.watch = nbd_watch,
	.state = nbd_state,
	.close = nbd_close,
};

/* A connection with the handshake behind it, or -1 and error set. */
static int nbd_connect(struct nbd *nbd, struct nbd_export *export, GError **error)
{
	int fd = nbd->opener.open(nbd->opener.data, error);

	if (fd < 0)
		return -1;
	if (nbd_handshake(fd, nbd->opener.export, export, error))
		return fd;
	close(fd);
	return -1;
}

/* On the main thread, which is the one that may start helpers. */
static gboolean nbd_reopen(gpointer data)
{
	struct nbd *nbd = data;
	g_autoptr(GError) error = NULL;
	struct nbd_export export;
	int fd;

	g_clear_pointer(&nbd->reopen, g_source_unref);
	fd = nbd_connect(nbd, &export, &error);
	if (fd >= 0 && (export.size != nbd->disk.size || export.flags != nbd->flags)) {
		g_set_error(&error, G_IO_ERROR, G_IO_ERROR_FAILED, "it is another disk now");
		close(fd);
		fd = -1;
	}
	if (fd < 0) {
		g_warning("disk %s: %s", nbd->name, error->message);
		nbd_reopen_later(nbd);
		return G_SOURCE_REMOVE;
	}
	g_atomic_int_set(&nbd->fresh, fd);
	disk_ready(&nbd->disk);
	return G_SOURCE_REMOVE;
}

struct disk *disk_nbd_new(struct machine *machine, const struct nbd_opener *opener, const char *name,
	bool read_only, GError **error)
{
	struct nbd *nbd = g_new0(struct nbd, 1);
	struct nbd_export export;

	nbd->disk.ops = &nbd_ops;
	nbd->machine = machine;
	nbd->opener = *opener;
	nbd->opener.free = NULL; /* the caller's until we have it */
	nbd->name = g_strdup(name);
	nbd->waiting_end = &nbd->waiting;
	nbd->fresh = -1;
	nbd->fd = nbd_connect(nbd, &export, error);
	if (nbd->fd < 0 || !nbd_export_check(&export, read_only, error)) {
		g_prefix_error(error, "disk %s: ", name);
		nbd->opener.export = NULL;
		nbd_close(&nbd->disk);
		return NULL;
	}
	nbd->opener.free = opener->free;
	nbd->disk.size = export.size;
	nbd->disk.read_only = read_only;
	nbd->flags = export.flags;
	return &nbd->disk;
}

static int url_connect(void *data, GError **error)
{
	const char *path = data;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = NBD_HANDSHAKE_S};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* A server that accepts nobody makes connect wait. */
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", path,
		g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

struct disk *disk_nbd_open_url(struct machine *machine, const char *url, bool read_only,
	GError **error)
{
	g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, error);
	g_autoptr(GHashTable) query = NULL;
	struct nbd_opener opener = {.open = url_connect, .free = g_free};
	struct disk *disk;
	const char *path = NULL;

	if (uri && g_uri_get_query(uri))
		query = g_uri_parse_params(g_uri_get_query(uri), -1, "&", G_URI_PARAMS_NONE, NULL);
	if (query)
		path = g_hash_table_lookup(query, "socket");
	if (!uri || strcmp(g_uri_get_scheme(uri), "nbd+unix") || !path ||
		strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		g_clear_error(error);
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
			"disk %s: only nbd+unix:///EXPORT?socket=PATH is known", url);
		return NULL;
	}
	opener.data = g_strdup(path);
	opener.export = g_strdup(g_uri_get_path(uri) + (g_uri_get_path(uri)[0] == '/'));
	disk = disk_nbd_new(machine, &opener, url, read_only, error);
	if (!disk) {
		g_free(opener.data);
		g_free(opener.export);
	}
	return disk;
}
