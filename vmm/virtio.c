/*
 * The virtio device as such: its status machine, its features and the way from a queue's trouble to
 * NEEDS_RESET. Transports call the second half, devices the first.
 */
#define G_LOG_DOMAIN "virtio"

#include "vmm/virtio.h"

#include <errno.h>
#include <string.h>

#define VIRTIO_DRIVER_BITS                                                                         \
	(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_DRIVER_OK | VIRTIO_FEATURES_OK | VIRTIO_FAILED)

void virtio_init(struct virtio_device *dev, const struct virtio_ops *ops,
	const struct guest_memory *memory, GMainContext *context)
{
	memset(dev, 0, sizeof(*dev));
	dev->ops = ops;
	dev->memory = memory;
	dev->context = context;
	dev->offered = ops->features | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC |
		VIRTIO_F_EVENT_IDX;
	g_mutex_init(&dev->lock);
	for (unsigned q = 0; q < ops->n_queues; q++)
		virtqueue_init(&dev->queue[q], memory, ops->queue_size[q]);
}

void virtio_clear(struct virtio_device *dev)
{
	g_mutex_clear(&dev->lock);
}

bool virtio_held(const struct virtio_device *dev)
{
	return __atomic_load_n(&dev->held, __ATOMIC_ACQUIRE);
}

int virtio_pop(struct virtio_device *dev, unsigned q, struct vq_chain *chain)
{
	int result;

	if (virtio_held(dev))
		return 0;
	result = virtqueue_pop(&dev->queue[q], chain);
	if (result < 0)
		virtio_needs_reset(dev, "malformed ring");
	return result;
}

void virtio_push(struct virtio_device *dev, unsigned q, uint16_t head, uint32_t written)
{
	virtqueue_push(&dev->queue[q], head, written);
}

void virtio_unpop(struct virtio_device *dev, unsigned q, unsigned n)
{
	if (!n)
		return;
	dev->queue[q].last_avail = (uint16_t)(dev->queue[q].last_avail - n);
	if (dev->notify.kick)
		dev->notify.kick(dev);
}

void virtio_interrupt(struct virtio_device *dev, unsigned q)
{
	if (virtqueue_wants_interrupt(&dev->queue[q]) && dev->notify.queue)
		dev->notify.queue(dev, q);
}

void virtio_interrupt_all(struct virtio_device *dev)
{
	for (unsigned q = 0; q < dev->ops->n_queues; q++)
		if (dev->queue[q].ready && dev->notify.queue)
			dev->notify.queue(dev, q);
}

static void virtio_notify_config(struct virtio_device *dev)
{
	if ((dev->status & VIRTIO_DRIVER_OK) && dev->notify.config)
		dev->notify.config(dev);
}

void virtio_needs_reset(struct virtio_device *dev, const char *why)
{
	unsigned n;

	if (dev->status & VIRTIO_NEEDS_RESET)
		return;
	dev->status |= VIRTIO_NEEDS_RESET;
	/* The 1st, 2nd, 4th, ... time: a guest cannot flood the log. */
	n = ++dev->complaints;
	if ((n & (n - 1)) == 0)
		g_message("%s: %s; needs a reset by its driver (%u so far)", dev->ops->name, why, n);
	virtio_notify_config(dev);
}

void virtio_config_changed(struct virtio_device *dev)
{
	dev->config_generation++;
	virtio_notify_config(dev);
}

/* virtio 1.2, 2.2.2 and 6.1: a subset of the offer, and never the legacy interface. */
static bool virtio_features_fit(const struct virtio_device *dev)
{
	return (dev->accepted & ~dev->offered) == 0 && (dev->accepted & VIRTIO_F_VERSION_1);
}

static void virtio_features_ok(struct virtio_device *dev)
{
	if (!virtio_features_fit(dev))
		return; /* the driver reads the bit back and sees that it is not set */
	dev->status |= VIRTIO_FEATURES_OK;
	for (unsigned q = 0; q < dev->ops->n_queues; q++) {
		dev->queue[q].event_idx = dev->accepted & VIRTIO_F_EVENT_IDX;
		dev->queue[q].indirect = dev->accepted & VIRTIO_F_INDIRECT_DESC;
	}
}

static void virtio_reset_locked(struct virtio_device *dev)
{
	if (dev->ops->reset)
		dev->ops->reset(dev);
	for (unsigned q = 0; q < dev->ops->n_queues; q++)
		virtqueue_reset(&dev->queue[q]);
	dev->status = 0;
	dev->accepted = 0;
}

void virtio_set_status(struct virtio_device *dev, uint8_t status)
{
	uint8_t set;

	g_mutex_lock(&dev->lock);
	set = status & VIRTIO_DRIVER_BITS & ~dev->status; /* bits only go by a reset */
	if (status == 0)
		virtio_reset_locked(dev);
	dev->status |= set & ~(VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
	if (set & VIRTIO_FEATURES_OK)
		virtio_features_ok(dev);
	if ((set & VIRTIO_DRIVER_OK) && (dev->status & VIRTIO_FEATURES_OK)) {
		dev->status |= VIRTIO_DRIVER_OK;
		if (dev->ops->activate)
			dev->ops->activate(dev);
	}
	g_mutex_unlock(&dev->lock);
}

void virtio_kick(struct virtio_device *dev, unsigned q)
{
	g_mutex_lock(&dev->lock);
	if (q < dev->ops->n_queues && (dev->status & VIRTIO_DRIVER_OK) &&
		!(dev->status & VIRTIO_NEEDS_RESET) && dev->queue[q].ready)
		dev->ops->kick(dev, q);
	g_mutex_unlock(&dev->lock);
}

void virtio_reset(struct virtio_device *dev)
{
	g_mutex_lock(&dev->lock);
	virtio_reset_locked(dev);
	g_mutex_unlock(&dev->lock);
}

void virtio_hold(struct virtio_device *dev, bool held)
{
	bool before = __atomic_exchange_n(&dev->held, held, __ATOMIC_ACQ_REL);

	if (before != held && dev->notify.kick)
		dev->notify.kick(dev);
}
