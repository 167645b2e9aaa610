/* Fuzzes virtio-rng as its guest. */
#include "vmm/virtio_rng.c"

#include "tests/fuzz/virtio_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rng_settle(struct guest *guest)
{
	struct rng *rng = (struct rng *)guest->device;

	/* The timer's work without the wait. */
	if (rng->refill) {
		g_source_destroy(rng->refill);
		rng_refilled(rng);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rng_config config = {.rate = 65536};
	static const struct virtio_fuzz fuzz = {
		.type = &virtio_rng,
		.config = &config,
		.settle = rng_settle,
	};

	return virtio_fuzz_run(&fuzz, data, size);
}
