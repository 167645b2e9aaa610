/* Fuzzes the front end of vhost-user as its back end: the input is what it answers, whatever is asked.
 * It is there from the beginning, and after it the connection is closed, so nothing waits. */
#include "vmm/vhost_user.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct virtio_ops ops = {.name = "fuzz", .n_queues = 2, .queue_size = {64, 64}};

static void fuzz_queues(struct virtio_device *dev, const struct guest_memory *memory)
{
	virtio_init(dev, &ops, memory, NULL);
	for (unsigned q = 0; q < 2; q++) {
		dev->queue[q].desc = 0x1000;
		dev->queue[q].avail = 0x2000;
		dev->queue[q].used = 0x3000;
		dev->queue[q].size = 32;
		virtqueue_enable(&dev->queue[q]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct guest_memory *memory;
	const int fds[2] = {0, 0};
	struct virtio_device dev;
	struct vhost_user *user;
	int pair[2];

	if (!memory)
		memory = memory_new(1 << 20, NULL);
	if (!memory || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	if (send(pair[1], data, MIN(size, 4096), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		abort();
	shutdown(pair[1], SHUT_WR);
	user = vhost_user_new(pair[0], memory, NULL);
	if (user) {
		fuzz_queues(&dev, memory);
		vhost_user_start(user, &dev, fds, fds);
		vhost_user_stop(user, &dev);
		if (dev.queue[0].ready && dev.queue[0].size != 32)
			abort();
		virtio_clear(&dev);
	}
	vhost_user_free(user);
	close(pair[1]);
	return 0;
}
