/*
 * After a while of nothing it shows pictures as fast as it can, for ever: what resets in the middle of
 * work are tried on. The while is longer than any reset takes.
 */
#include "virtio.h"

enum {
	SIZE = 256, /* of the queue */
	REQUEST = 0x300000,
	ANSWER = 0x301000,
	CREATE_2D = 0x101,
	SET_SCANOUT = 0x103,
	FLUSH = 0x104,
	OK_NODATA = 0x1100,
	SIDE = 64,
	QUIET_MCYCLES = 500,
};

/* Millions, nearly. */
static uint32_t cycles(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return high << 12 | low >> 20;
}

static void request(unsigned word, uint32_t value)
{
	write32(REQUEST + 24 + word * 4, value);
}

/* The rest of the queue names descriptor 0, too. */
static void send(struct virtio *dev, uint32_t type, uint32_t len, uint16_t times)
{
	write32(REQUEST, type);
	virtio_desc(dev, 0, REQUEST, 24 + len, DESC_NEXT, 1);
	virtio_desc(dev, 1, ANSWER, 24, DESC_WRITE, 0);
	dev->avail->idx += times - 1;
	virtio_send(dev, 0);
	check(virtio_wait_used(dev, dev->avail->idx));
	check(read32(ANSWER) == OK_NODATA);
}

int guest_main(const void *start_info)
{
	uint32_t begin = cycles();
	struct virtio dev;

	while (cycles() - begin < QUIET_MCYCLES)
		__asm__ volatile("pause");
	virtio_find(&dev, VIRTIO_GPU);
	dev.size = SIZE;
	virtio_start(&dev, 0, 0xffff);
	memset((void *)REQUEST, 0, 0x2000);
	request(0, 1); /* resource, format, width, height */
	request(1, 2);
	request(2, SIDE);
	request(3, SIDE);
	send(&dev, CREATE_2D, 16, 1);
	request(0, 0); /* x, y, width, height, scanout, resource */
	request(1, 0);
	request(4, 0);
	request(5, 1);
	send(&dev, SET_SCANOUT, 24, 1);
	request(4, 1); /* resource */
	request(5, 0);
	guest_print("shows\n");
	for (;;)
		send(&dev, FLUSH, 24, SIZE - 1);
}
