/* Fuzzes virtio-blk as its guest, on io_uring for half of the inputs, on an overlay that is thrown away for
 * some. */
#include "vmm/virtio_blk.c"

#include <sys/mman.h>

#include "tests/fuzz/virtio_harness.h"
#include "tests/unit/virtio/blk_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	DISK_BYTES = 1 << 16,
};

static void blk_settle(struct guest *guest)
{
	struct blk *blk = (struct blk *)guest->device;

	g_mutex_lock(&blk->virtio.lock);
	disk_reap(blk->disk, true);
	if (blk->virtio.status & VIRTIO_DRIVER_OK)
		blk_serve(blk);
	g_mutex_unlock(&blk->virtio.lock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[64];
	struct disk_config config = {
		.path = path,
		.engine = size & 1 ? DISK_ENGINE_AUTO : DISK_ENGINE_SYNC,
		.read_only = (size & 15) == 2,
		.ephemeral = (size & 6) == 4,
		.ephemeral_max = DISK_BYTES / 2,
		.scratch = (char *)"/dev/shm",
	};
	struct virtio_fuzz fuzz = {
		.type = &blk_type,
		.config = &config,
		.settle = blk_settle,
	};

	if (path[0] == '\0') {
		int fd = memfd_create("disk", 0);

		if (fd < 0 || ftruncate(fd, DISK_BYTES) < 0)
			abort();
		g_snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	return virtio_fuzz_run(&fuzz, data, size);
}
