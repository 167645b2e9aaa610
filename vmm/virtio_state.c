/*
 * A virtio device in a saved guest: status, features, queues. What is loaded passes the same checks
 * as what a driver writes.
 */
#include "vmm/state.h"
#include "vmm/virtio.h"

struct saved_queue {
	uint64_t desc, avail, used;
	uint16_t size, last_avail, next_used, signalled_used;
	uint8_t ready, broken, kicks_off, unused[5];
};

static void queue_save(const struct virtqueue *queue, struct saved_queue *saved)
{
	*saved = (struct saved_queue){
		.desc = queue->desc,
		.avail = queue->avail,
		.used = queue->used,
		.size = queue->size,
		.last_avail = queue->last_avail,
		.next_used = queue->next_used,
		.signalled_used = queue->signalled_used,
		.ready = queue->ready,
		.broken = queue->broken,
		.kicks_off = queue->kicks_off,
	};
}

static void queue_load(struct virtio_device *dev, unsigned q, const struct saved_queue *saved,
	struct state *state)
{
	struct virtqueue *queue = &dev->queue[q];

	queue->desc = saved->desc;
	queue->avail = saved->avail;
	queue->used = saved->used;
	queue->size = saved->size;
	queue->event_idx = dev->accepted & VIRTIO_F_EVENT_IDX;
	queue->indirect = dev->accepted & VIRTIO_F_INDIRECT_DESC;
	if (saved->ready && virtqueue_enable(queue) < 0) {
		state_fail(state, "queue %u: of a size or at a place that is not allowed", q);
		return;
	}
	queue->last_avail = saved->last_avail;
	queue->next_used = saved->next_used;
	queue->signalled_used = saved->signalled_used;
	queue->broken = saved->broken;
	queue->kicks_off = saved->kicks_off;
}

static void queues_state(struct virtio_device *dev, struct state *state)
{
	struct saved_queue saved[VIRTIO_MAX_QUEUES] = { 0 };
	unsigned n = dev->ops->n_queues;

	for (unsigned q = 0; q < n; q++)
		queue_save(&dev->queue[q], &saved[q]);
	state_bytes(state, "queues", saved, n * sizeof(saved[0]));
	for (unsigned q = 0; state_loading(state) && !state_failed(state) && q < n; q++)
		queue_load(dev, q, &saved[q], state);
}

static bool status_fits(const struct virtio_device *dev, uint8_t status, uint64_t accepted)
{
	if (status & VIRTIO_FEATURES_OK)
		return !(accepted & ~dev->offered) && accepted & VIRTIO_F_VERSION_1;
	return !(status & VIRTIO_DRIVER_OK);
}

static void core_state(struct virtio_device *dev, struct state *state)
{
	uint64_t accepted = dev->accepted;
	uint8_t status = dev->status;

	STATE(state, accepted);
	STATE(state, status);
	STATE(state, dev->config_generation);
	if (state_failed(state))
		return;
	if (!status_fits(dev, status, accepted)) {
		state_fail(state, "features %#" G_GINT64_MODIFIER "x with status %#x", accepted,
			status);
		return;
	}
	dev->accepted = accepted;
	queues_state(dev, state);
	if (!state_loading(state) || state_failed(state))
		return;
	dev->status = status;
	if (status & VIRTIO_DRIVER_OK && dev->ops->activate)
		dev->ops->activate(dev);
}

void virtio_state(struct virtio_device *dev, struct state *state)
{
	if (dev->notify.state)
		dev->notify.state(dev, state);
	g_mutex_lock(&dev->lock);
	core_state(dev, state);
	g_mutex_unlock(&dev->lock);
	if (state_loading(state) && !state_failed(state) && dev->notify.kick)
		dev->notify.kick(dev);
}
