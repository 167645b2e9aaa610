/*
 * vhost-user messages: a header of three words, a fixed-size body, descriptors beside it.
 */
#define G_LOG_DOMAIN "irori-vhost"

#include "vmm/vhost_user.h"

#include <errno.h>
#include <gio/gio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum vu_request {
	VU_GET_FEATURES = 1,
	VU_SET_FEATURES = 2,
	VU_SET_OWNER = 3,
	VU_SET_MEM_TABLE = 5,
	VU_SET_VRING_NUM = 8,
	VU_SET_VRING_ADDR = 9,
	VU_SET_VRING_BASE = 10,
	VU_GET_VRING_BASE = 11,
	VU_SET_VRING_KICK = 12,
	VU_SET_VRING_CALL = 13,
	VU_GET_PROTOCOL_FEATURES = 15,
	VU_SET_PROTOCOL_FEATURES = 16,
	VU_SET_VRING_ENABLE = 18,
};

enum vu_flags {
	VU_VERSION = 1,
	VU_VERSION_MASK = 3,
	VU_REPLY = 4,
	VU_NEED_REPLY = 8,
};

#define VU_F_PROTOCOL_FEATURES (1ull << 30) /* a feature bit of GET_FEATURES, not for the guest */
#define VU_PROTOCOL_REPLY_ACK (1ull << 3)

struct vu_header {
	uint32_t request, flags, size;
};

struct vu_state {
	uint32_t index, num;
};

struct vu_addr {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};

struct vu_region {
	uint64_t gpa, len, address, offset;
};

struct vu_memory {
	uint32_t n, padding;
	struct vu_region region[VHOST_USER_REGIONS];
};

struct vhost_user {
	int fd;
	const struct guest_memory *memory;
	uint64_t features, protocol;
	int patience_ms;
	bool lost;
	uint32_t started; /* a bit a queue */
};

static int vu_failed(struct vhost_user *user, int result)
{
	user->lost = true;
	return result;
}

/* All of it or nothing: messages are small, and a back end that lets the socket fill up is lost. */
static int vu_send(struct vhost_user *user, const struct vu_header *header, const void *body,
	const int *fds, unsigned n_fds)
{
	struct iovec iov[2] = {
		{.iov_base = (void *)header, .iov_len = sizeof(*header)},
		{.iov_base = (void *)body, .iov_len = header->size},
	};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * VHOST_USER_REGIONS)];
	} control = {0};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = header->size ? 2 : 1};
	struct cmsghdr *cmsg;
	ssize_t sent;

	if (user->lost)
		return -ENOTCONN;
	if (n_fds) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		cmsg = CMSG_FIRSTHDR(&message);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n_fds);
	}
	do
		sent = sendmsg(user->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)(sizeof(*header) + header->size))
		return 0;
	return vu_failed(user, sent < 0 ? -errno : -EPIPE);
}

static int vu_tell(struct vhost_user *user, uint32_t request, const void *body, uint32_t size,
	const int *fds, unsigned n_fds)
{
	const struct vu_header header = {request, VU_VERSION, size};

	return vu_send(user, &header, body, fds, n_fds);
}

static int vu_left_ms(int64_t end_us)
{
	return (int)MAX((end_us - g_get_monotonic_time() + 999) / 1000, 0);
}

/* Exactly len bytes. Descriptors that come along are dropped by the kernel: there is no room. */
static int vu_receive(struct vhost_user *user, void *to, size_t len, int64_t end_us)
{
	uint8_t *at = to;

	/* A back end writes head and body separately, but does not drip bytes: so this is bounded. */
	for (unsigned turn = 0; turn < 4 && len > 0; turn++) {
		struct pollfd ready = {.fd = user->fd, .events = POLLIN};
		int n = poll(&ready, 1, vu_left_ms(end_us));
		ssize_t got;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? -ETIMEDOUT : -errno;
		got = recv(user->fd, at, len, MSG_DONTWAIT);
		if (got <= 0)
			return got == 0 ? -ECONNRESET : -errno;
		at += got;
		len -= (size_t)got;
	}
	return len ? -EPROTO : 0;
}

/* The answer to `request`, of exactly `size` bytes. */
static int vu_answer(struct vhost_user *user, uint32_t request, void *body, uint32_t size)
{
	int64_t end_us = g_get_monotonic_time() + user->patience_ms * 1000ll;
	struct vu_header header;
	int result = user->lost ? -ENOTCONN : vu_receive(user, &header, sizeof(header), end_us);

	if (result == 0 && (header.request != request || header.size != size ||
		!(header.flags & VU_REPLY) || (header.flags & VU_VERSION_MASK) != VU_VERSION))
		result = -EPROTO;
	if (result == 0)
		result = vu_receive(user, body, size, end_us);
	return result == 0 ? 0 : vu_failed(user, result);
}

static int vu_ask_u64(struct vhost_user *user, uint32_t request, uint64_t *value)
{
	int result = vu_tell(user, request, NULL, 0, NULL, 0);

	return result ? result : vu_answer(user, request, value, sizeof(*value));
}

/* Tells it, and waits until it has done it, where it can say so. */
static int vu_tell_done(struct vhost_user *user, uint32_t request, const void *body, uint32_t size,
	const int *fds, unsigned n_fds)
{
	bool ack = user->protocol & VU_PROTOCOL_REPLY_ACK;
	const struct vu_header header = {request, VU_VERSION | (ack ? VU_NEED_REPLY : 0), size};
	uint64_t failed = 0;
	int result = vu_send(user, &header, body, fds, n_fds);

	if (result == 0 && ack)
		result = vu_answer(user, request, &failed, sizeof(failed));
	return result ? result : failed ? vu_failed(user, -EREMOTEIO) : 0;
}

static int vu_memory_table(struct vhost_user *user)
{
	struct vu_memory table = {0};
	const struct memory_part *part;
	int fds[VHOST_USER_REGIONS];
	uint64_t offset = 0;

	for (; (part = memory_mapping(user->memory, table.n)); offset += part->len) {
		if (table.n == VHOST_USER_REGIONS)
			return vu_failed(user, -E2BIG);
		fds[table.n] = memory_fd(user->memory);
		table.region[table.n++] = (struct vu_region){
			.gpa = part->gpa,
			.len = part->len,
			.address = part->gpa,
			.offset = offset,
		};
	}
	return vu_tell_done(user, VU_SET_MEM_TABLE, &table,
		(uint32_t)(offsetof(struct vu_memory, region) + table.n * sizeof(struct vu_region)),
		fds, table.n);
}

static int vu_greet(struct vhost_user *user)
{
	uint64_t protocol = 0;
	int result = vu_ask_u64(user, VU_GET_FEATURES, &user->features);

	if (result == 0 && (user->features & VU_F_PROTOCOL_FEATURES)) {
		result = vu_ask_u64(user, VU_GET_PROTOCOL_FEATURES, &protocol);
		protocol &= VU_PROTOCOL_REPLY_ACK;
		if (result == 0)
			result = vu_tell(user, VU_SET_PROTOCOL_FEATURES, &protocol,
				sizeof(protocol), NULL, 0);
		user->protocol = protocol;
	}
	if (result == 0)
		result = vu_tell(user, VU_SET_OWNER, NULL, 0, NULL, 0);
	return result ? result : vu_memory_table(user);
}

struct vhost_user *vhost_user_new(int fd, const struct guest_memory *memory, GError **error)
{
	struct vhost_user *user = g_new0(struct vhost_user, 1);
	int result;

	user->fd = fd;
	user->memory = memory;
	user->patience_ms = VHOST_USER_PATIENCE_MS;
	result = vu_greet(user);
	user->patience_ms = VHOST_USER_STOP_MS;
	if (result == 0)
		return user;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-result),
		"the back end does not answer as it should: %s", g_strerror(-result));
	vhost_user_free(user);
	return NULL;
}

void vhost_user_free(struct vhost_user *user)
{
	if (!user)
		return;
	close(user->fd);
	g_free(user);
}

int vhost_user_fd(const struct vhost_user *user)
{
	return user->fd;
}

uint64_t vhost_user_features(const struct vhost_user *user)
{
	return user->features & ~VU_F_PROTOCOL_FEATURES;
}

static int vu_start_queue(struct vhost_user *user, const struct virtqueue *queue, uint32_t q,
	int kick, int call)
{
	const struct vu_state num = {q, queue->size}, base = {q, queue->last_avail}, on = {q, 1};
	const struct vu_addr addr = {
		.index = q,
		.desc = queue->desc,
		.used = queue->used,
		.avail = queue->avail,
	};
	const uint64_t index = q;
	int result = vu_tell(user, VU_SET_VRING_NUM, &num, sizeof(num), NULL, 0);

	if (result == 0)
		result = vu_tell(user, VU_SET_VRING_BASE, &base, sizeof(base), NULL, 0);
	if (result == 0)
		result = vu_tell(user, VU_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
	if (result == 0)
		result = vu_tell(user, VU_SET_VRING_CALL, &index, sizeof(index), &call, 1);
	if (result == 0)
		result = vu_tell(user, VU_SET_VRING_KICK, &index, sizeof(index), &kick, 1);
	user->started |= 1u << q;
	/* Without protocol features a ring is enabled from the start. */
	if (result == 0 && (user->features & VU_F_PROTOCOL_FEATURES))
		result = vu_tell(user, VU_SET_VRING_ENABLE, &on, sizeof(on), NULL, 0);
	return result;
}

int vhost_user_start(struct vhost_user *user, struct virtio_device *dev, const int *kick,
	const int *call)
{
	uint64_t features = dev->accepted | (user->features & VU_F_PROTOCOL_FEATURES);
	int result = vu_tell(user, VU_SET_FEATURES, &features, sizeof(features), NULL, 0);

	for (unsigned q = 0; result == 0 && q < dev->ops->n_queues; q++)
		if (dev->queue[q].ready)
			result = vu_start_queue(user, &dev->queue[q], q, kick[q], call[q]);
	return result;
}

int vhost_user_stop(struct vhost_user *user, struct virtio_device *dev)
{
	int result = 0;

	for (unsigned q = 0; q < dev->ops->n_queues; q++) {
		struct vu_state state = {.index = q};

		if (!(user->started & 1u << q))
			continue;
		result = vu_tell(user, VU_GET_VRING_BASE, &state, sizeof(state), NULL, 0);
		if (result == 0)
			result = vu_answer(user, VU_GET_VRING_BASE, &state, sizeof(state));
		if (result == 0 && state.index != q)
			result = vu_failed(user, -EPROTO);
		if (result)
			return result;
		user->started &= ~(1u << q);
		virtqueue_resume_at(&dev->queue[q], (uint16_t)state.num);
	}
	return 0;
}
