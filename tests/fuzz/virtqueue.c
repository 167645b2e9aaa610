/*
 * Fuzzes the virtqueue alone: the input is the memory that the rings lie in. Every chain that comes
 * out is read and written from end to end, so that a segment outside memory is found.
 */
#include <errno.h>
#include <string.h>

#include "vmm/virtqueue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MEMORY = 1 << 16,
	QUEUE = 16,
	DESC = 0x0000,  /* 256 bytes */
	AVAIL = 0x0100, /* 38 */
	USED = 0x0180,
	TABLES = 0x0200,
};

static void touch(const struct vq_chain *chain)
{
	uint8_t bytes[4096];
	size_t at = 0, n;

	while (at < 1 << 17 && (n = chain_read(chain, at, bytes, sizeof(bytes))) > 0)
		at += n;
	/* Written back as it was read, so that the rings stay what the input says. */
	for (unsigned i = 0; i < chain->n_in; i++) {
		const struct iovec *iov = &chain->segment[chain->n_out + i];
		volatile uint8_t *first = iov->iov_base, *last = first + iov->iov_len - 1;

		*first = *first;
		*last = *last;
	}
	if (chain->n_out + chain->n_in > VIRTQUEUE_MAX_SEGMENTS || chain->in_len > 1ull << 40)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct guest_memory *memory;
	static struct vq_chain chain;
	struct virtqueue queue;
	uint8_t *host;
	unsigned popped = 0;
	int result;

	if (size < 1)
		return 0;
	if (!memory)
		memory = memory_new(MEMORY, NULL);
	host = memory_at(memory, 0, MEMORY);
	memset(host, 0, MEMORY);
	memcpy(host, data + 1, MIN(size - 1, MEMORY));
	virtqueue_init(&queue, memory, QUEUE);
	queue.desc = DESC;
	queue.avail = AVAIL;
	queue.used = USED;
	queue.indirect = data[0] & 1;
	queue.event_idx = data[0] & 2;
	if (virtqueue_enable(&queue) < 0)
		__builtin_trap();
	if (data[0] & 4)
		virtqueue_set_kicks(&queue, false);
	/* avail.idx is only changed by the pushes that land on it; there is an end to it. */
	while ((result = virtqueue_pop(&queue, &chain)) == 1 && popped++ < 1024) {
		touch(&chain);
		virtqueue_push(&queue, chain.head, (uint32_t)chain.in_len);
		virtqueue_wants_interrupt(&queue);
	}
	if (result < 0 && (result != -EPROTO || !queue.broken))
		__builtin_trap();
	if (result < 0 && virtqueue_pop(&queue, &chain) != 0)
		__builtin_trap();
	return 0;
}
