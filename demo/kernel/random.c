/*
 * Random bytes: virtio-rng; without one, the low bits of the clock, which will do for a seed.
 */
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"
#include "demo/kernel/virtio.h"

enum { AT_ONCE = 256 };

static struct virtq queue;
static uint8_t *bytes; /* AT_ONCE that the device writes */

void random_init(void)
{
	struct virtio device;
	uint8_t *page = page_alloc();

	if (!page || virtio_open(&device, VIRTIO_ENTROPY, 0) || virtio_queue(&device, &queue, 0, 2))
		return;
	virtio_start(&device);
	bytes = page;
}

int64_t random_read(uint64_t to, uint64_t n)
{
	if (n > AT_ONCE)
		n = AT_ONCE;
	if (bytes) {
		virtq_describe(&queue, 0, bytes, (uint32_t)n, DESC_WRITE, 0);
		virtq_do(&queue, 0);
		memcpy((void *)to, bytes, n);
	} else {
		for (uint64_t i = 0; i < n; i++)
			((uint8_t *)to)[i] = (uint8_t)(rdtsc() >> 2);
	}
	return (int64_t)n;
}

static int64_t random_file_read(struct file *file, struct syscall *call, uint64_t to, uint64_t n,
	uint64_t at)
{
	return random_read(to, n);
}

const struct file_ops random_file = { .path = "/dev/urandom", .read = random_file_read };
