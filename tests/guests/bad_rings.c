/*
 * What no driver may put in a ring. Each must end in NEEDS_RESET, after which a reset makes the
 * device whole again; the VMM must outlive all of it.
 */
#include "virtio.h"

enum {
	HEADER = 0x300000,
	DATA = 0x301000,
	STATUS = 0x302000,
	TABLE = 0x303000,
	INDIRECT = 1 << 28, /* feature */
	NO_VECTOR = 0xffff,
	MEMORY = 16 << 20,
};

static struct virtio dev;
static uint32_t features;

static struct desc *table_entry(unsigned i)
{
	return (struct desc *)TABLE + i;
}

static void loop_of_one(void)
{
	virtio_desc(&dev, 0, HEADER, 16, DESC_NEXT, 0);
	virtio_send(&dev, 0);
}

static void loop_of_three(void)
{
	virtio_desc(&dev, 0, HEADER, 16, DESC_NEXT, 1);
	virtio_desc(&dev, 1, DATA, 512, DESC_WRITE | DESC_NEXT, 2);
	virtio_desc(&dev, 2, DATA, 512, DESC_WRITE | DESC_NEXT, 1);
	virtio_send(&dev, 0);
}

static void address_outside(void)
{
	virtio_desc(&dev, 0, 0xd0000000, 16, 0, 0);
	virtio_send(&dev, 0);
}

static void address_past_the_end(void)
{
	virtio_desc(&dev, 0, MEMORY - 8, 16, 0, 0);
	virtio_send(&dev, 0);
}

static void address_that_wraps(void)
{
	virtio_desc(&dev, 0, 0xfffffffffffffff8, 16, 0, 0);
	virtio_send(&dev, 0);
}

static void length_that_wraps(void)
{
	virtio_desc(&dev, 0, HEADER, 0xffffffff, 0, 0);
	virtio_send(&dev, 0);
}

static void next_outside(void)
{
	virtio_desc(&dev, 0, HEADER, 16, DESC_NEXT, 999);
	virtio_send(&dev, 0);
}

static void head_outside(void)
{
	virtio_send(&dev, VIRTIO_SIZE);
}

static void index_that_jumps(void)
{
	dev.avail->idx = 1000;
	virtio_send(&dev, 0);
}

static void read_after_write(void)
{
	virtio_desc(&dev, 0, DATA, 512, DESC_WRITE | DESC_NEXT, 1);
	virtio_desc(&dev, 1, HEADER, 16, 0, 0);
	virtio_send(&dev, 0);
}

static void indirect_of_odd_length(void)
{
	virtio_desc(&dev, 0, TABLE, 17, DESC_INDIRECT, 0);
	virtio_send(&dev, 0);
}

static void indirect_of_nothing(void)
{
	virtio_desc(&dev, 0, TABLE, 0, DESC_INDIRECT, 0);
	virtio_send(&dev, 0);
}

static void indirect_outside(void)
{
	virtio_desc(&dev, 0, 0xd0000000, 64, DESC_INDIRECT, 0);
	virtio_send(&dev, 0);
}

static void indirect_in_indirect(void)
{
	*table_entry(0) = (struct desc){ TABLE, 64, DESC_INDIRECT, 0 };
	virtio_desc(&dev, 0, TABLE, 64, DESC_INDIRECT, 0);
	virtio_send(&dev, 0);
}

static void indirect_that_loops(void)
{
	*table_entry(0) = (struct desc){ HEADER, 16, DESC_NEXT, 1 };
	*table_entry(1) = (struct desc){ DATA, 512, DESC_WRITE | DESC_NEXT, 1 };
	virtio_desc(&dev, 0, TABLE, 64, DESC_INDIRECT, 0);
	virtio_send(&dev, 0);
}

static void indirect_next_outside(void)
{
	*table_entry(0) = (struct desc){ HEADER, 16, DESC_NEXT, 4 };
	virtio_desc(&dev, 0, TABLE, 64, DESC_INDIRECT, 0);
	virtio_send(&dev, 0);
}

static const struct {
	const char *name;
	void (*send)(void);
	uint32_t features;
} attacks[] = {
	{ "loop_of_one", loop_of_one, 0 },
	{ "loop_of_three", loop_of_three, 0 },
	{ "address_outside", address_outside, 0 },
	{ "address_past_the_end", address_past_the_end, 0 },
	{ "address_that_wraps", address_that_wraps, 0 },
	{ "length_that_wraps", length_that_wraps, 0 },
	{ "next_outside", next_outside, 0 },
	{ "head_outside", head_outside, 0 },
	{ "index_that_jumps", index_that_jumps, 0 },
	{ "read_after_write", read_after_write, 0 },
	{ "indirect_without_the_feature", indirect_that_loops, 0 },
	{ "indirect_of_odd_length", indirect_of_odd_length, INDIRECT },
	{ "indirect_of_nothing", indirect_of_nothing, INDIRECT },
	{ "indirect_outside", indirect_outside, INDIRECT },
	{ "indirect_in_indirect", indirect_in_indirect, INDIRECT },
	{ "indirect_that_loops", indirect_that_loops, INDIRECT },
	{ "indirect_next_outside", indirect_next_outside, INDIRECT },
};

static bool good_request(uint16_t id)
{
	virtio_start(&dev, features, NO_VECTOR);
	if (id == VIRTIO_RNG) {
		virtio_desc(&dev, 0, DATA, 64, DESC_WRITE, 0);
		virtio_send(&dev, 0);
		return virtio_wait_used(&dev, 1) && dev.used->ring[0].len == 64;
	}
	memset((void *)HEADER, 0, 16); /* reads sector 0 */
	*(volatile uint8_t *)STATUS = 0xff;
	virtio_desc(&dev, 0, HEADER, 16, DESC_NEXT, 1);
	virtio_desc(&dev, 1, DATA, 512, DESC_WRITE | DESC_NEXT, 2);
	virtio_desc(&dev, 2, STATUS, 1, DESC_WRITE, 0);
	virtio_send(&dev, 0);
	return virtio_wait_used(&dev, 1) && *(volatile uint8_t *)STATUS == 0;
}

/* Rings outside memory: refused when the queue is enabled, or as soon as it is used. */
static void rings_outside(void)
{
	virtio_reset(&dev);
	virtio_rings_at(&dev, 0xd0000000, 0xd0001000, 0xd0002000);
	virtio_reset(&dev);
	virtio_rings_at(&dev, 0xfffffffffffffff0, 0xfffffffffffffff0, 0xfffffffffffffff0);
	virtio_reset(&dev);
	virtio_rings_at(&dev, MEMORY - 16, MEMORY - 2, MEMORY - 4);
}

static void attack_all(uint16_t id)
{
	virtio_find(&dev, id);
	check(good_request(id));
	for (unsigned i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		virtio_start(&dev, attacks[i].features, NO_VECTOR);
		attacks[i].send();
		if (!virtio_wait_needs_reset(&dev)) {
			guest_print("FAILED: ");
			guest_print(attacks[i].name);
			guest_print("\n");
			guest_exit(1);
		}
	}
	rings_outside();
	check(good_request(id));
}

int guest_main(const void *start_info)
{
	attack_all(VIRTIO_RNG);
	guest_print("rng stands\n");
	attack_all(VIRTIO_BLK);
	guest_print("blk stands\n");
	return 0;
}
