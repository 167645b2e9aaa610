/*
 * The split virtqueue, device side. Every field of a ring is read once, into a local, before it is
 * looked at; every address passes the memory gate; every loop is bounded by a size that was fixed
 * when the queue was enabled or by the array that the chain is copied into.
 */
#include "vmm/virtqueue.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

enum vq_desc_flags {
	VQ_DESC_NEXT = 1,
	VQ_DESC_WRITE = 2,
	VQ_DESC_INDIRECT = 4,
};

enum vq_ring_flags {
	VQ_USED_NO_NOTIFY = 1,     /* used.flags: kicks are not wanted */
	VQ_AVAIL_NO_INTERRUPT = 1, /* avail.flags */
};

/* virtio 1.2, 2.7.5, 2.7.6, 2.7.8; little endian, as every machine that runs this. */
struct vq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

struct vq_avail {
	uint16_t flags, idx;
	uint16_t ring[]; /* [size], then used_event */
};

struct vq_used_elem {
	uint32_t id, len;
};

struct vq_used {
	uint16_t flags, idx;
	struct vq_used_elem ring[]; /* [size], then avail_event */
};

static uint64_t vq_desc_bytes(uint16_t size)
{
	return sizeof(struct vq_desc) * size;
}

static uint64_t vq_avail_bytes(uint16_t size)
{
	return sizeof(struct vq_avail) + sizeof(uint16_t) * size + sizeof(uint16_t);
}

static uint64_t vq_used_bytes(uint16_t size)
{
	return sizeof(struct vq_used) + sizeof(struct vq_used_elem) * size + sizeof(uint16_t);
}

static struct vq_avail *vq_avail(const struct virtqueue *queue)
{
	return memory_at(queue->memory, queue->avail, vq_avail_bytes(queue->size));
}

static struct vq_used *vq_used(const struct virtqueue *queue)
{
	return memory_at(queue->memory, queue->used, vq_used_bytes(queue->size));
}

static uint16_t *vq_used_event(const struct virtqueue *queue, struct vq_avail *avail)
{
	return &avail->ring[queue->size];
}

static uint16_t *vq_avail_event(const struct virtqueue *queue, struct vq_used *used)
{
	return (uint16_t *)&used->ring[queue->size];
}

void virtqueue_init(struct virtqueue *queue, const struct guest_memory *memory, uint16_t max_size)
{
	memset(queue, 0, sizeof(*queue));
	queue->memory = memory;
	queue->max_size = MIN(max_size, VIRTQUEUE_MAX_SIZE);
	queue->size = queue->max_size;
}

void virtqueue_reset(struct virtqueue *queue)
{
	virtqueue_init(queue, queue->memory, queue->max_size);
}

int virtqueue_enable(struct virtqueue *queue)
{
	uint16_t size = queue->size;

	if (size == 0 || size > queue->max_size || (size & (size - 1)) != 0)
		return -EINVAL;
	if (queue->desc % 16 != 0 || queue->avail % 2 != 0 || queue->used % 4 != 0)
		return -EINVAL;
	if (!memory_at(queue->memory, queue->desc, vq_desc_bytes(size)) || !vq_avail(queue) ||
		!vq_used(queue))
		return -EINVAL;
	queue->last_avail = 0;
	queue->next_used = 0;
	queue->signalled_used = 0;
	queue->kicks_off = false;
	queue->broken = false;
	queue->ready = true;
	return 0;
}

/* Walks one chain; the state that a descriptor after another changes. */
struct vq_walk {
	const struct virtqueue *queue;
	struct vq_chain *chain;
	const struct vq_desc *table;
	uint32_t table_size;
	uint32_t left; /* descriptors that may still come before the chain must be a loop */
	bool in_indirect;
	bool seen_in;
};

static int vq_enter_indirect(struct vq_walk *walk, const struct vq_desc *desc)
{
	if (!walk->queue->indirect || walk->in_indirect || (desc->flags & VQ_DESC_NEXT))
		return -EPROTO;
	if (desc->len == 0 || desc->len % sizeof(struct vq_desc) != 0)
		return -EPROTO;
	walk->table = memory_at(walk->queue->memory, desc->addr, desc->len);
	if (!walk->table)
		return -EPROTO;
	walk->table_size = desc->len / sizeof(struct vq_desc);
	/* More than the array holds is refused when it is reached; this ends the loop earlier. */
	walk->left = MIN(walk->table_size, VIRTQUEUE_MAX_SEGMENTS);
	walk->in_indirect = true;
	return 0;
}

static int vq_add_segment(struct vq_walk *walk, const struct vq_desc *desc)
{
	struct vq_chain *chain = walk->chain;
	bool in = desc->flags & VQ_DESC_WRITE;
	unsigned n = chain->n_out + chain->n_in;
	void *host;

	if (walk->seen_in && !in)
		return -EPROTO;
	walk->seen_in = in;
	if (desc->len == 0)
		return 0;
	host = memory_at(walk->queue->memory, desc->addr, desc->len);
	if (!host || n == VIRTQUEUE_MAX_SEGMENTS)
		return -EPROTO;
	chain->segment[n] = (struct iovec){.iov_base = host, .iov_len = desc->len};
	if (in) {
		chain->n_in++;
		chain->in_len += desc->len;
	} else {
		chain->n_out++;
		chain->out_len += desc->len;
	}
	return 0;
}

static int vq_walk_chain(struct vq_walk *walk, uint32_t next)
{
	struct vq_desc desc;
	int result;

	for (;;) {
		if (next >= walk->table_size || walk->left == 0)
			return -EPROTO;
		walk->left--;
		memcpy(&desc, &walk->table[next], sizeof(desc));
		__atomic_signal_fence(__ATOMIC_SEQ_CST); /* the copy is made here, once */
		if (desc.flags & VQ_DESC_INDIRECT) {
			result = vq_enter_indirect(walk, &desc);
			next = 0;
		} else {
			result = vq_add_segment(walk, &desc);
			if (result == 0 && !(desc.flags & VQ_DESC_NEXT))
				return 0;
			next = desc.next;
		}
		if (result < 0)
			return result;
	}
}

/* How many chains wait; asks for a kick and looks again when it seems to be none. */
static int vq_waiting(struct virtqueue *queue, struct vq_avail *avail)
{
	uint16_t idx = __atomic_load_n(&avail->idx, __ATOMIC_ACQUIRE);
	uint16_t waiting = (uint16_t)(idx - queue->last_avail);

	if (waiting == 0 && !queue->kicks_off) {
		virtqueue_set_kicks(queue, true);
		idx = __atomic_load_n(&avail->idx, __ATOMIC_ACQUIRE);
		waiting = (uint16_t)(idx - queue->last_avail);
	}
	return waiting <= queue->size ? waiting : -EPROTO;
}

static int vq_pop(struct virtqueue *queue, struct vq_chain *chain)
{
	struct vq_avail *avail = vq_avail(queue);
	struct vq_walk walk = {
		.queue = queue,
		.chain = chain,
		.table = memory_at(queue->memory, queue->desc, vq_desc_bytes(queue->size)),
		.table_size = queue->size,
		.left = queue->size,
	};
	int waiting, result;

	if (!avail || !walk.table)
		return -EPROTO;
	waiting = vq_waiting(queue, avail);
	if (waiting <= 0)
		return waiting;
	chain->head = __atomic_load_n(&avail->ring[queue->last_avail % queue->size],
		__ATOMIC_RELAXED);
	result = vq_walk_chain(&walk, chain->head);
	if (result < 0)
		return result;
	queue->last_avail++;
	return 1;
}

int virtqueue_pop(struct virtqueue *queue, struct vq_chain *chain)
{
	int result;

	chain->head = 0;
	chain->n_out = chain->n_in = 0;
	chain->out_len = chain->in_len = 0;
	if (!queue->ready || queue->broken)
		return 0;
	result = vq_pop(queue, chain);
	if (result < 0) {
		queue->broken = true;
		/* Nobody may use half a chain by mistake. */
		chain->n_out = chain->n_in = 0;
		chain->out_len = chain->in_len = 0;
	}
	return result;
}

void virtqueue_push_all(struct virtqueue *queue, const struct virtqueue_used *chain, unsigned n)
{
	struct vq_used *used;

	if (!queue->ready || queue->broken)
		return;
	used = vq_used(queue);
	if (!used)
		return;
	for (unsigned i = 0; i < n; i++)
		used->ring[queue->next_used++ % queue->size] =
			(struct vq_used_elem){.id = chain[i].head, .len = chain[i].written};
	/* The elements and what was written to the buffers are seen before the index. */
	__atomic_store_n(&used->idx, queue->next_used, __ATOMIC_RELEASE);
}

void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t written)
{
	const struct virtqueue_used chain = {.head = head, .written = written};

	virtqueue_push_all(queue, &chain, 1);
}

void virtqueue_unpop(struct virtqueue *queue, unsigned n)
{
	if (queue->ready && !queue->broken)
		queue->last_avail -= (uint16_t)n;
}

void virtqueue_resume_at(struct virtqueue *queue, uint16_t last_avail)
{
	struct vq_used *used;

	if (!queue->ready || queue->broken)
		return;
	used = vq_used(queue);
	if (!used)
		return;
	queue->last_avail = last_avail;
	queue->next_used = __atomic_load_n(&used->idx, __ATOMIC_ACQUIRE);
	queue->signalled_used = queue->next_used;
}

bool virtqueue_wants_interrupt(struct virtqueue *queue)
{
	uint16_t now = queue->next_used, before = queue->signalled_used;
	struct vq_avail *avail;
	uint16_t event;

	if (!queue->ready || queue->broken || now == before)
		return false;
	avail = vq_avail(queue);
	if (!avail)
		return false;
	queue->signalled_used = now;
	/* used.idx is stored before the driver's wish is loaded; the driver does it the other way
	 * round, so that one of us sees the other (StoreLoad, hence the full fence). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!queue->event_idx)
		return !(__atomic_load_n(&avail->flags, __ATOMIC_RELAXED) & VQ_AVAIL_NO_INTERRUPT);
	event = __atomic_load_n(vq_used_event(queue, avail), __ATOMIC_RELAXED);
	return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

void virtqueue_set_kicks(struct virtqueue *queue, bool on)
{
	struct vq_used *used;

	queue->kicks_off = !on;
	if (!queue->ready || queue->broken)
		return;
	used = vq_used(queue);
	if (!used)
		return;
	if (queue->event_idx) {
		/* Off: the event stays behind, where the driver's index has passed it. */
		if (on)
			__atomic_store_n(vq_avail_event(queue, used), queue->last_avail,
				__ATOMIC_RELAXED);
	} else {
		__atomic_store_n(&used->flags, on ? 0 : VQ_USED_NO_NOTIFY, __ATOMIC_RELAXED);
	}
	/* Before the caller looks at avail.idx again. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

typedef void (*chain_copy_fn)(void *guest, uint8_t *ours, size_t len);

static void copy_from_guest(void *guest, uint8_t *ours, size_t len)
{
	memcpy(ours, guest, len);
}

static void copy_to_guest(void *guest, uint8_t *ours, size_t len)
{
	memcpy(guest, ours, len);
}

static size_t chain_copy(const struct iovec *segment, unsigned n, size_t offset, uint8_t *ours,
	size_t len, chain_copy_fn copy)
{
	size_t done = 0;

	for (unsigned i = 0; i < n && done < len; i++) {
		size_t part;

		if (offset >= segment[i].iov_len) {
			offset -= segment[i].iov_len;
			continue;
		}
		part = MIN(segment[i].iov_len - offset, len - done);
		copy((uint8_t *)segment[i].iov_base + offset, ours + done, part);
		done += part;
		offset = 0;
	}
	return done;
}

size_t chain_read(const struct vq_chain *chain, size_t offset, void *to, size_t len)
{
	return chain_copy(chain->segment, chain->n_out, offset, to, len, copy_from_guest);
}

size_t chain_write(const struct vq_chain *chain, size_t offset, const void *from, size_t len)
{
	return chain_copy(chain->segment + chain->n_out, chain->n_in, offset, (uint8_t *)from, len,
		copy_to_guest);
}
