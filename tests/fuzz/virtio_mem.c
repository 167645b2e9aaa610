/* Fuzzes virtio-mem as its guest. */
#include "vmm/virtio_mem.c"

#include "tests/fuzz/virtio_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 128 << 20, LIMIT = 64 << 20 };

static void mem_prepare(struct guest *guest)
{
	struct machine *machine = &guest->machine;

	if (!memory_room(machine->memory)) {
		memory_free(machine->memory);
		machine->memory = memory_new_with_room(VIRTIO_FUZZ_MEMORY, ROOM, NULL);
	}
	guest->config.max_memory = guest->config.memory + LIMIT;
	memory_unplug(machine->memory, 0, ROOM / MEMORY_BLOCK);
}

/* A person looks, and asks for another size. Never is more plugged in than can be asked for. */
static void mem_event(struct guest *guest, const uint8_t *data, size_t len)
{
	struct virtio_mem *mem = (struct virtio_mem *)guest->device;
	struct virtio_mem_figures figures;

	if (len)
		virtio_mem_request(mem, (uint64_t)data[0] << 20);
	virtio_mem_figures(mem, &figures);
	if (figures.plugged > LIMIT || figures.requested > LIMIT)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct virtio_fuzz fuzz = {
		.type = &virtio_mem,
		.prepare = mem_prepare,
		.event = mem_event,
	};

	return virtio_fuzz_run(&fuzz, data, size);
}
