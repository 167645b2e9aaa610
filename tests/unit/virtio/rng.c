/* virtio-rng, from its guest's side: bytes come, and no more of them than is allowed. */
#include "vmm/virtio_rng.c"

#include "tests/unit/test.h"
#include "tests/unit/virtio/guest.h"

static struct guest guest;

static void plug(uint64_t rate, uint64_t features)
{
	struct rng_config config = {.rate = rate};

	guest_open(&guest, GUEST_MEMORY);
	test_assert(guest_plug(&guest, &virtio_rng, &config, NULL));
	guest_start(&guest, features);
}

static void bytes_come(void)
{
	uint32_t id, len;
	uint64_t at;
	unsigned set = 0;

	plug(1 << 20, VIRTIO_F_EVENT_IDX);
	at = guest_alloc(&guest, 256);
	guest_add(&guest, 0, (struct guest_buffer[]){{at, 256, true}}, 1);
	guest_kick(&guest, 0);
	test_assert(guest_used(&guest, 0, &id, &len));
	test_equal(len, 256);
	test_equal(guest.raised[0], 1);
	for (unsigned i = 0; i < 256; i++)
		set += *(uint8_t *)guest_at(&guest, at + i, 1) != 0;
	test_assert(set > 128);
	guest_close(&guest);
}

static void rate_is_bounded(void)
{
	uint32_t id, len, sum = 0;
	unsigned answered = 0;

	plug(10240, 0); /* 1024 in a tenth of a second */
	for (unsigned i = 0; i < 8; i++) {
		uint64_t at = guest_alloc(&guest, 400);

		guest_add(&guest, 0, (struct guest_buffer[]){{at, 400, true}}, 1);
	}
	guest_kick(&guest, 0);
	while (guest_used(&guest, 0, &id, &len)) {
		sum += len;
		answered++;
	}
	test_equal(sum, 1024);
	test_equal(answered, 3);
	/* A reset does not pay the debt. */
	guest_reset(&guest);
	guest_start(&guest, 0);
	guest_add(&guest, 0, (struct guest_buffer[]){{guest_alloc(&guest, 64), 64, true}}, 1);
	guest_kick(&guest, 0);
	test_assert(!guest_used(&guest, 0, &id, &len));
	test_assert(guest_wait_used(&guest, 0, &id, &len)); /* but time does */
	test_equal(len, 64);
	guest_close(&guest);
}

static void odd_requests(void)
{
	uint32_t id, len;
	uint64_t at;

	plug(1 << 20, 0);
	at = guest_alloc(&guest, 16);
	/* Nothing to write to; and far more than one answer gives. */
	guest_add(&guest, 0, (struct guest_buffer[]){{at, 16, false}}, 1);
	guest_add(&guest, 0, (struct guest_buffer[]){{0, 1 << 20, true}, {0, 1 << 20, true}}, 2);
	guest_kick(&guest, 0);
	test_assert(guest_used(&guest, 0, &id, &len));
	test_equal(len, 0);
	test_assert(guest_used(&guest, 0, &id, &len));
	test_equal(len, RNG_REQUEST_MAX);
	test_assert(!guest_needs_reset(&guest));
	guest_close(&guest);
}

static void bad_ring_needs_reset(void)
{
	uint32_t id, len;

	plug(1 << 20, 0);
	guest_desc(&guest, 0, 0, UINT64_MAX - 3, 16, DESC_WRITE, 0);
	guest_make_available(&guest, 0, 0);
	guest_kick(&guest, 0);
	test_assert(guest_needs_reset(&guest));
	test_equal(guest.raised[1], 1); /* the configuration vector says so */
	test_assert(!guest_used(&guest, 0, &id, &len));
	/* And a reset mends it. */
	guest_start(&guest, 0);
	test_assert(!guest_needs_reset(&guest));
	guest_add(&guest, 0, (struct guest_buffer[]){{guest_alloc(&guest, 8), 8, true}}, 1);
	guest_kick(&guest, 0);
	test_assert(guest_used(&guest, 0, &id, &len));
	test_equal(len, 8);
	guest_close(&guest);
}

int main(void)
{
	test_run(bytes_come);
	test_run(rate_is_bounded);
	test_run(odd_requests);
	test_run(bad_ring_needs_reset);
	return 0;
}
