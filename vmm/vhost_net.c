/*
 * vhost-net by its ioctls.
 */
#define G_LOG_DOMAIN "irori-net"

#include <linux/vhost.h>
#undef VIRTIO_F_VERSION_1 /* there the number of the bit, with us its mask */

#include "vmm/vhost_net.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/virtio.h"

enum {
	VHOST_QUEUES = 2,
	VHOST_REGIONS = 8,
};

/* What of the driver's features is the kernel's business; the rest is between the driver and us. */
#define VHOST_KNOWN                                                                                \
	(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 | NET_F_MRG_RXBUF)

struct vhost_net {
	struct net_user user;
	struct virtio_device *dev; /* while it has the queues */
	int fd;
	uint64_t features;
	int kick[VHOST_QUEUES], call[VHOST_QUEUES];
	GSource *source[VHOST_QUEUES];
};

static gboolean vhost_called(gint fd, GIOCondition condition, gpointer data)
{
	struct vhost_net *vhost = data;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return G_SOURCE_CONTINUE;
	g_mutex_lock(vhost->user.lock);
	for (unsigned q = 0; q < VHOST_QUEUES; q++)
		if (vhost->call[q] == fd && vhost->dev && vhost->dev->notify.queue)
			vhost->dev->notify.queue(vhost->dev, q);
	g_mutex_unlock(vhost->user.lock);
	return G_SOURCE_CONTINUE;
}

static bool vhost_open(struct vhost_net *vhost)
{
	vhost->fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	if (vhost->fd < 0 || ioctl(vhost->fd, VHOST_SET_OWNER, NULL) < 0 ||
		ioctl(vhost->fd, VHOST_GET_FEATURES, &vhost->features) < 0)
		return false;
	for (unsigned q = 0; q < VHOST_QUEUES; q++) {
		vhost->kick[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		vhost->call[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (vhost->kick[q] < 0 || vhost->call[q] < 0)
			return false;
		vhost->source[q] = g_unix_fd_source_new(vhost->call[q], G_IO_IN);
		g_source_set_callback(vhost->source[q], G_SOURCE_FUNC(vhost_called), vhost, NULL);
		g_source_attach(vhost->source[q], vhost->user.context);
	}
	return true;
}

struct vhost_net *vhost_net_new(const struct net_user *user)
{
	struct vhost_net *vhost = g_new0(struct vhost_net, 1);

	vhost->user = *user;
	vhost->fd = -1;
	for (unsigned q = 0; q < VHOST_QUEUES; q++)
		vhost->kick[q] = vhost->call[q] = -1;
	if (vhost_open(vhost))
		return vhost;
	g_debug("vhost-net: %s", g_strerror(errno));
	vhost_net_free(vhost);
	return NULL;
}

void vhost_net_free(struct vhost_net *vhost)
{
	if (!vhost)
		return;
	for (unsigned q = 0; q < VHOST_QUEUES; q++) {
		if (vhost->source[q]) {
			g_source_destroy(vhost->source[q]);
			g_source_unref(vhost->source[q]);
		}
		if (vhost->kick[q] >= 0)
			close(vhost->kick[q]);
		if (vhost->call[q] >= 0)
			close(vhost->call[q]);
	}
	if (vhost->fd >= 0)
		close(vhost->fd);
	g_free(vhost);
}

static int vhost_memory(struct vhost_net *vhost, const struct guest_memory *memory)
{
	g_autofree struct vhost_memory *table = g_malloc0(sizeof(*table) +
		VHOST_REGIONS * sizeof(struct vhost_memory_region));
	const struct memory_part *part;

	while ((part = memory_mapping(memory, table->nregions))) {
		if (table->nregions == VHOST_REGIONS)
			return -E2BIG;
		table->regions[table->nregions++] = (struct vhost_memory_region){
			.guest_phys_addr = part->gpa,
			.memory_size = part->len,
			.userspace_addr = (uint64_t)(uintptr_t)part->host,
		};
	}
	return ioctl(vhost->fd, VHOST_SET_MEM_TABLE, table) < 0 ? -errno : 0;
}

/* The rings' places are checked again: one address more than the gate allows would be the kernel
 * reading in our own memory. */
static int vhost_addresses(struct vhost_net *vhost, const struct virtio_device *dev, unsigned q)
{
	const struct virtqueue *queue = &dev->queue[q];
	void *desc = memory_at(dev->memory, queue->desc, 16ull * queue->size);
	void *avail = memory_at(dev->memory, queue->avail, 6 + 2ull * queue->size);
	void *used = memory_at(dev->memory, queue->used, 6 + 8ull * queue->size);
	struct vhost_vring_addr address = {
		.index = q,
		.desc_user_addr = (uint64_t)(uintptr_t)desc,
		.avail_user_addr = (uint64_t)(uintptr_t)avail,
		.used_user_addr = (uint64_t)(uintptr_t)used,
	};

	if (!desc || !avail || !used)
		return -EFAULT;
	return ioctl(vhost->fd, VHOST_SET_VRING_ADDR, &address) < 0 ? -errno : 0;
}

static int vhost_queue(struct vhost_net *vhost, const struct virtio_device *dev, unsigned q)
{
	struct vhost_vring_state num = {q, dev->queue[q].size};
	struct vhost_vring_state base = {q, dev->queue[q].last_avail};
	struct vhost_vring_file kick = {q, vhost->kick[q]}, call = {q, vhost->call[q]};
	int result;

	if (ioctl(vhost->fd, VHOST_SET_VRING_NUM, &num) < 0 ||
		ioctl(vhost->fd, VHOST_SET_VRING_BASE, &base) < 0)
		return -errno;
	result = vhost_addresses(vhost, dev, q);
	if (result < 0)
		return result;
	if (ioctl(vhost->fd, VHOST_SET_VRING_CALL, &call) < 0 ||
		ioctl(vhost->fd, VHOST_SET_VRING_KICK, &kick) < 0)
		return -errno;
	return 0;
}

static int vhost_backend(struct vhost_net *vhost, unsigned q, int tap)
{
	struct vhost_vring_file file = {q, tap};

	return ioctl(vhost->fd, VHOST_NET_SET_BACKEND, &file) < 0 ? -errno : 0;
}

static int vhost_start(struct vhost_net *vhost, struct virtio_device *dev, int tap)
{
	uint64_t features = dev->accepted & VHOST_KNOWN;
	int result;

	if ((features & ~vhost->features) || !dev->queue[0].ready || !dev->queue[1].ready)
		return -ENOTSUP;
	if (ioctl(vhost->fd, VHOST_SET_FEATURES, &features) < 0)
		return -errno;
	result = vhost_memory(vhost, dev->memory);
	for (unsigned q = 0; result == 0 && q < VHOST_QUEUES; q++)
		result = vhost_queue(vhost, dev, q);
	for (unsigned q = 0; result == 0 && q < VHOST_QUEUES; q++)
		result = vhost_backend(vhost, q, tap);
	return result;
}

bool vhost_net_start(struct vhost_net *vhost, struct virtio_device *dev, int tap)
{
	int result = vhost_start(vhost, dev, tap);

	if (result < 0) {
		g_message("vhost-net does not take the queues (%s): frames pass through the process",
			g_strerror(-result));
		for (unsigned q = 0; q < VHOST_QUEUES; q++)
			vhost_backend(vhost, q, -1);
		return false;
	}
	vhost->dev = dev;
	/* The driver may have kicked before. */
	for (unsigned q = 0; q < VHOST_QUEUES; q++)
		vhost_net_kick(vhost, q);
	return true;
}

void vhost_net_stop(struct vhost_net *vhost, struct virtio_device *dev)
{
	vhost->dev = NULL;
	for (unsigned q = 0; q < VHOST_QUEUES; q++) {
		struct vhost_vring_state base = {.index = q};

		/* Without a back end the worker has left the queue when the call returns. */
		if (vhost_backend(vhost, q, -1) == 0 &&
			ioctl(vhost->fd, VHOST_GET_VRING_BASE, &base) == 0)
			virtqueue_resume_at(&dev->queue[q], (uint16_t)base.num);
	}
}

void vhost_net_kick(struct vhost_net *vhost, unsigned q)
{
	const uint64_t one = 1;

	if (q < VHOST_QUEUES && write(vhost->kick[q], &one, sizeof(one)) < 0)
		g_debug("vhost-net: kick: %s", g_strerror(errno));
}
