/* Fuzzes virtio-balloon as its guest. */
#include "vmm/virtio_balloon.c"

#include "tests/fuzz/virtio_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A person looks, and sets a target. */
static void balloon_event(struct guest *guest, const uint8_t *data, size_t len)
{
	struct balloon *balloon = (struct balloon *)guest->device;
	struct balloon_figures figures;

	guest_now_ns += BALLOON_STATS_AGE_NS;
	balloon_figures(balloon, &figures);
	if (len)
		balloon_set_target(balloon, (uint64_t)data[0] << 14);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct virtio_fuzz fuzz = {
		.type = &virtio_balloon,
		.event = balloon_event,
	};

	return virtio_fuzz_run(&fuzz, data, size);
}
