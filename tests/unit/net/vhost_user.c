/* The front end of vhost-user, with a back end that the test plays: what it is told, and what it may
 * answer. */
#include "vmm/vhost_user.c"

#include "tests/unit/test.h"

enum {
	MEMORY = 1 << 20,
};

/* The back end: a thread that answers by a script. */
static struct back {
	GThread *thread;
	int fd;
	uint64_t features, protocol;
	/* What it does wrong, and at which request. */
	uint32_t at;
	enum wrong {
		RIGHT,
		SILENT,
		HANGS_UP,
		OTHER_REQUEST,
		NO_REPLY_FLAG,
		OTHER_VERSION,
		TOO_LONG,
		TOO_SHORT,
		HALF,
		SAYS_NO,
	} wrong;
	/* What it was told. */
	unsigned told[64], fds;
	struct vu_memory memory;
	struct vu_addr addr;
	struct vu_state num, base, enable;
	uint64_t accepted;
} back;

static bool back_read(struct vu_header *header, void *body, size_t room)
{
	char control[CMSG_SPACE(sizeof(int) * 8)];
	struct iovec iov = {header, sizeof(*header)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *cmsg;
	ssize_t got = recvmsg(back.fd, &message, 0);

	if (got < (ssize_t)sizeof(*header))
		return false;
	test_assert(header->size <= room);
	if (header->size)
		test_equal(recv(back.fd, body, header->size, MSG_WAITALL), header->size);
	cmsg = CMSG_FIRSTHDR(&message);
	for (unsigned i = 0; cmsg && i < (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
		close(fd);
		back.fds++;
	}
	return true;
}

static void back_answer(uint32_t request, const void *body, uint32_t size)
{
	enum wrong wrong = back.at == request ? back.wrong : RIGHT;
	struct vu_header header = {request, VU_VERSION | VU_REPLY, size};
	uint8_t bytes[64] = {0};

	memcpy(bytes, body, size);
	if (wrong == SILENT)
		return;
	if (wrong == HANGS_UP)
		shutdown(back.fd, SHUT_RDWR);
	if (wrong == OTHER_REQUEST)
		header.request++;
	if (wrong == NO_REPLY_FLAG)
		header.flags &= ~(uint32_t)VU_REPLY;
	if (wrong == OTHER_VERSION)
		header.flags ^= 3;
	if (wrong == TOO_LONG)
		header.size = 0xffffffff;
	if (wrong == TOO_SHORT)
		header.size = size - 1;
	if (wrong == SAYS_NO)
		bytes[0] = 1;
	send(back.fd, &header, sizeof(header), MSG_NOSIGNAL);
	send(back.fd, bytes, wrong == HALF ? size / 2 : size, MSG_NOSIGNAL);
}

static void back_take(const struct vu_header *header, const void *body)
{
	const struct {
		uint32_t request;
		void *to;
		size_t len;
	} kept[] = {
		{VU_SET_FEATURES, &back.accepted, sizeof(back.accepted)},
		{VU_SET_MEM_TABLE, &back.memory, sizeof(back.memory)},
		{VU_SET_VRING_NUM, &back.num, sizeof(back.num)},
		{VU_SET_VRING_BASE, &back.base, sizeof(back.base)},
		{VU_SET_VRING_ADDR, &back.addr, sizeof(back.addr)},
		{VU_SET_VRING_ENABLE, &back.enable, sizeof(back.enable)},
	};

	test_assert(header->request < G_N_ELEMENTS(back.told));
	back.told[header->request]++;
	for (unsigned i = 0; i < G_N_ELEMENTS(kept); i++)
		if (kept[i].request == header->request)
			memcpy(kept[i].to, body, MIN(kept[i].len, header->size));
}

static void *back_run(void *data)
{
	const uint64_t zero = 0;
	const struct vu_state base = {0, 5};
	struct vu_header header;
	uint8_t body[512];

	while (back_read(&header, body, sizeof(body))) {
		back_take(&header, body);
		if (header.request == VU_GET_FEATURES)
			back_answer(header.request, &back.features, 8);
		else if (header.request == VU_GET_PROTOCOL_FEATURES)
			back_answer(header.request, &back.protocol, 8);
		else if (header.request == VU_GET_VRING_BASE)
			back_answer(header.request, &base, sizeof(base));
		else if (header.flags & VU_NEED_REPLY)
			back_answer(header.request, &zero, 8);
	}
	return NULL;
}

static struct guest_memory *memory;

static struct vhost_user *meet(GError **error)
{
	int pair[2];

	test_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	back.fd = pair[1];
	back.thread = g_thread_new("back", back_run, NULL);
	return vhost_user_new(pair[0], memory, error);
}

static void begin(void)
{
	memset(&back, 0, sizeof(back));
	back.features = VU_F_PROTOCOL_FEATURES | VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX;
	back.protocol = 0xffff;
	memory = memory_new(MEMORY, NULL);
}

static void end(struct vhost_user *user)
{
	vhost_user_free(user);
	g_thread_join(back.thread);
	close(back.fd);
	memory_free(memory);
}

static struct virtio_ops ops = {.name = "test", .n_queues = 2, .queue_size = {64, 64}};

static void device(struct virtio_device *dev)
{
	virtio_init(dev, &ops, memory, NULL);
	dev->accepted = VIRTIO_F_VERSION_1;
	dev->queue[1].desc = 0x1000;
	dev->queue[1].avail = 0x2000;
	dev->queue[1].used = 0x3000;
	dev->queue[1].size = 32;
	test_equal(virtqueue_enable(&dev->queue[1]), 0);
	dev->queue[1].last_avail = 3;
}

static void meets(void)
{
	struct vhost_user *user;

	begin();
	user = meet(NULL);
	test_assert(user);
	test_equal(vhost_user_features(user), VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX);
	test_equal(back.told[VU_SET_OWNER], 1);
	test_equal(back.memory.n, 1);
	test_equal(back.fds, 1);
	test_equal(back.memory.region[0].len, MEMORY);
	test_equal(back.memory.region[0].address, 0); /* the guest's address, not ours */
	end(user);
}

static void starts_and_stops(void)
{
	const int fds[2] = {0, 0}; /* any */
	struct virtio_device dev;
	struct vhost_user *user;
	uint16_t idx = 4;

	begin();
	user = meet(NULL);
	device(&dev);
	test_equal(vhost_user_start(user, &dev, fds, fds), 0);
	memory_write(memory, 0x3002, &idx, 2);
	test_equal(vhost_user_stop(user, &dev), -EPROTO); /* its script answers for queue 0 */
	test_equal(back.told[VU_SET_VRING_NUM], 1);
	test_equal(back.num.index, 1);
	test_equal(back.num.num, 32);
	test_equal(back.base.num, 3);
	test_equal(back.addr.desc, 0x1000);
	test_equal(back.addr.avail, 0x2000);
	test_equal(back.addr.used, 0x3000);
	test_equal(back.enable.num, 1);
	test_equal(back.accepted, VIRTIO_F_VERSION_1 | VU_F_PROTOCOL_FEATURES);
	virtio_clear(&dev);
	end(user);
}

static void takes_back(void)
{
	const int fds[2] = {0, 0};
	struct virtio_device dev;
	struct vhost_user *user;
	uint16_t idx = 4;

	begin();
	user = meet(NULL);
	device(&dev);
	dev.queue[0] = dev.queue[1];
	dev.queue[1].ready = false;
	test_equal(vhost_user_start(user, &dev, fds, fds), 0);
	memory_write(memory, 0x3002, &idx, 2);
	test_equal(vhost_user_stop(user, &dev), 0);
	test_equal(dev.queue[0].last_avail, 5);
	test_equal(dev.queue[0].next_used, 4);
	test_equal(vhost_user_stop(user, &dev), 0); /* again: nothing is left to stop */
	test_equal(back.told[VU_GET_VRING_BASE], 1);
	virtio_clear(&dev);
	end(user);
}

static void an_old_one(void)
{
	struct vhost_user *user;

	begin();
	back.features = VIRTIO_F_VERSION_1; /* no protocol features, no acknowledgements */
	user = meet(NULL);
	test_assert(user);
	test_equal(back.told[VU_GET_PROTOCOL_FEATURES], 0);
	end(user);
}

static void wrong_answers(void)
{
	static const uint32_t requests[] = {VU_GET_FEATURES, VU_GET_PROTOCOL_FEATURES,
		VU_SET_MEM_TABLE};
	static const enum wrong wrongs[] = {HANGS_UP, OTHER_REQUEST, NO_REPLY_FLAG, OTHER_VERSION,
		TOO_LONG, TOO_SHORT};

	for (unsigned r = 0; r < G_N_ELEMENTS(requests); r++)
		for (unsigned w = 0; w < G_N_ELEMENTS(wrongs); w++) {
			g_autoptr(GError) error = NULL;

			begin();
			back.at = requests[r];
			back.wrong = wrongs[w];
			test_assert(!meet(&error));
			test_assert(error);
			end(NULL);
		}
}

static void says_no(void)
{
	begin();
	back.at = VU_SET_MEM_TABLE;
	back.wrong = SAYS_NO;
	test_assert(!meet(NULL));
	end(NULL);
}

/* Waiting for it is bounded. */
static void says_nothing(void)
{
	static const enum wrong wrongs[] = {SILENT, HALF};
	const int fds[2] = {0, 0};

	for (unsigned i = 0; i < G_N_ELEMENTS(wrongs); i++) {
		struct virtio_device dev;
		struct vhost_user *user;

		begin();
		back.at = VU_GET_VRING_BASE;
		back.wrong = wrongs[i];
		user = meet(NULL);
		device(&dev);
		test_equal(vhost_user_start(user, &dev, fds, fds), 0);
		user->patience_ms = 50;
		test_equal(vhost_user_stop(user, &dev), -ETIMEDOUT);
		test_equal(vhost_user_stop(user, &dev), -ENOTCONN); /* and it is not asked again */
		virtio_clear(&dev);
		end(user);
	}
}

int main(void)
{
	test_run(meets);
	test_run(starts_and_stops);
	test_run(takes_back);
	test_run(an_old_one);
	test_run(wrong_answers);
	test_run(says_no);
	test_run(says_nothing);
	return 0;
}
