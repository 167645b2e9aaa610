/*
 * virtio-mem: memory above Memory= that the host asks the guest to take or to give back, in blocks of
 * 2 MiB. The guest says which block of the room (memory.h) it takes; a block that it gives back is
 * punched out of the memfd, so that the host has the pages at once. Source: virtio 1.2, section 5.15;
 * ACPI 6.4, 5.2.16 for the table that tells a system of the room before there is a driver.
 *
 * KVM has the whole room as memory. A guest that touches what is not plugged in finds zeros, in pages
 * that count as the guest's and never exceed the room, until it is reset or saved; no device of ours
 * will touch such a place, since the gate is closed.
 *
 * Thread: the I/O context; figures and requests from any thread, under the device's lock; create and
 * destroy on the main thread.
 */
#define G_LOG_DOMAIN "virtio-mem"

#include "vmm/virtio_mem.h"

#include <stddef.h>
#include <string.h>

#include "vmm/acpi.h"
#include "vmm/acpi_table.h"
#include "vmm/machine.h"
#include "vmm/state.h"
#include "vmm/virtio_pci.h"

/* The driver knows that reading what is not plugged in makes pages, and leaves it. */
#define MEM_F_UNPLUGGED_INACCESSIBLE (1ull << 1)

#define MEM_LINUX_BLOCK (128ull << 20)

enum mem_request {
	MEM_PLUG,
	MEM_UNPLUG,
	MEM_UNPLUG_ALL,
	MEM_STATE,
	MEM_REQUESTS,

	MEM_REQUEST_MIN = 8, /* bytes: without address and number of blocks */
};

enum mem_answer {
	MEM_ACK,
	MEM_NACK,  /* not now */
	MEM_BUSY,
	MEM_ERROR, /* never */

	MEM_ANSWER_MIN = 8, /* bytes: without a state */
};

enum mem_block_state {
	MEM_PLUGGED,
	MEM_UNPLUGGED,
	MEM_MIXED,
};

/* virtio 1.2, 5.15.4. */
struct mem_wire_config {
	uint64_t block_size;
	uint16_t node_id, padding[3];
	uint64_t addr, region_size, usable_region_size, plugged_size, requested_size;
};

/* 5.15.6. */
struct mem_wire_request {
	uint16_t type, padding[3];
	uint64_t addr;
	uint16_t n_blocks, more_padding[3];
};

struct mem_wire_answer {
	uint16_t type, padding[3];
	uint16_t state;
};

struct virtio_mem {
	struct device device;
	struct machine *machine;
	struct virtio_device virtio;
	struct vq_chain chain;
	const struct memory_part *room; /* NULL: none, and the guest sees no device */
	uint64_t limit;                 /* of `requested` */
	uint64_t requested;
};

static struct virtio_mem *mem_of(struct virtio_device *dev)
{
	return (struct virtio_mem *)((char *)dev - offsetof(struct virtio_mem, virtio));
}

static uint64_t mem_blocks(const struct virtio_mem *mem)
{
	return mem->room->len / MEMORY_BLOCK;
}

static uint64_t mem_plugged(const struct virtio_mem *mem)
{
	return memory_plugged(mem->machine->memory, 0, mem_blocks(mem)) * MEMORY_BLOCK;
}

static enum mem_answer mem_plug(struct virtio_mem *mem, uint64_t first, uint64_t n, uint16_t *state)
{
	if (memory_plugged(mem->machine->memory, first, n))
		return MEM_ERROR;
	if (mem_plugged(mem) + n * MEMORY_BLOCK > mem->requested)
		return MEM_NACK;
	memory_plug(mem->machine->memory, first, n);
	return MEM_ACK;
}

static enum mem_answer mem_unplug(struct virtio_mem *mem, uint64_t first, uint64_t n,
	uint16_t *state)
{
	if (memory_plugged(mem->machine->memory, first, n) != n)
		return MEM_ERROR;
	/* Where the pages could not be had, the guest has given the block away all the same. */
	memory_unplug(mem->machine->memory, first, n);
	return MEM_ACK;
}

static enum mem_answer mem_state_of(struct virtio_mem *mem, uint64_t first, uint64_t n,
	uint16_t *state)
{
	uint64_t plugged = memory_plugged(mem->machine->memory, first, n);

	*state = GUINT16_TO_LE(plugged == n ? MEM_PLUGGED : plugged ? MEM_MIXED : MEM_UNPLUGGED);
	return MEM_ACK;
}

static enum mem_answer mem_unplug_all(struct virtio_mem *mem)
{
	memory_unplug(mem->machine->memory, 0, mem_blocks(mem));
	return MEM_ACK;
}

static enum mem_answer mem_obey(struct virtio_mem *mem, const struct mem_wire_request *request,
	size_t len, uint16_t *state)
{
	static enum mem_answer (*const obey[MEM_REQUESTS])(struct virtio_mem *mem, uint64_t first,
		uint64_t n, uint16_t *state) = {
		[MEM_PLUG] = mem_plug,
		[MEM_UNPLUG] = mem_unplug,
		[MEM_STATE] = mem_state_of,
	};
	uint16_t type = GUINT16_FROM_LE(request->type), n = GUINT16_FROM_LE(request->n_blocks);
	uint64_t offset = GUINT64_FROM_LE(request->addr) - mem->room->gpa; /* huge when below */

	if (type == MEM_UNPLUG_ALL)
		return mem_unplug_all(mem);
	if (type >= MEM_REQUESTS || len < sizeof(*request) || n == 0 || offset % MEMORY_BLOCK ||
		offset >= mem->room->len || n > mem_blocks(mem) - offset / MEMORY_BLOCK)
		return MEM_ERROR;
	return obey[type](mem, offset / MEMORY_BLOCK, n, state);
}

static bool mem_serve(struct virtio_mem *mem)
{
	struct mem_wire_request request = { 0 };
	struct mem_wire_answer answer = { 0 };
	size_t len = chain_read(&mem->chain, 0, &request, sizeof(request));

	if (len < MEM_REQUEST_MIN || mem->chain.in_len < MEM_ANSWER_MIN) {
		virtio_needs_reset(&mem->virtio, "a request without a head, or without room to answer");
		return false;
	}
	answer.type = GUINT16_TO_LE(mem_obey(mem, &request, len, &answer.state));
	len = chain_write(&mem->chain, 0, &answer, offsetof(struct mem_wire_answer, state) +
		sizeof(answer.state));
	virtio_push(&mem->virtio, 0, mem->chain.head, (uint32_t)len);
	return true;
}

/* As many as the queue can hold; a guest that goes on adding waits for the next turn. */
static void mem_kick(struct virtio_device *dev, unsigned q)
{
	struct virtio_mem *mem = mem_of(dev);
	unsigned i;

	for (i = 0; i < dev->queue[q].size; i++)
		if (virtio_pop(dev, q, &mem->chain) != 1 || !mem_serve(mem))
			break;
	virtio_interrupt(dev, q);
	if (i == dev->queue[q].size && dev->notify.kick)
		dev->notify.kick(dev);
}

static void mem_config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned len)
{
	const struct virtio_mem *mem = mem_of(dev);
	const struct mem_wire_config wire = {
		.block_size = GUINT64_TO_LE(MEMORY_BLOCK),
		.addr = GUINT64_TO_LE(mem->room->gpa),
		.region_size = GUINT64_TO_LE(mem->room->len),
		.usable_region_size = GUINT64_TO_LE(mem->room->len),
		.plugged_size = GUINT64_TO_LE(mem_plugged(mem)),
		.requested_size = GUINT64_TO_LE(mem->requested),
	};

	memcpy(to, (const char *)&wire + offset, len);
}

/* A reset by the driver unplugs nothing: the next one asks what there is. */
static const struct virtio_ops mem_ops = {
	.name = "virtio-mem",
	.id = 24,
	.pci_class = 0xff,
	.n_queues = 1,
	.queue_size = {64},
	.features = MEM_F_UNPLUGGED_INACCESSIBLE,
	.config_len = sizeof(struct mem_wire_config),
	.kick = mem_kick,
	.config_read = mem_config_read,
};

uint64_t virtio_mem_room(const struct guest_config *config)
{
	uint64_t more = config->max_memory > config->memory ? config->max_memory - config->memory : 0;

	return (more + MEM_LINUX_BLOCK - 1) & ~(MEM_LINUX_BLOCK - 1);
}

void virtio_mem_request(struct virtio_mem *mem, uint64_t bytes)
{
	bytes = (MIN(bytes, mem->limit) + MEMORY_BLOCK - 1) & ~(MEMORY_BLOCK - 1);
	g_mutex_lock(&mem->virtio.lock);
	if (mem->requested != bytes) {
		mem->requested = bytes;
		virtio_config_changed(&mem->virtio);
	}
	g_mutex_unlock(&mem->virtio.lock);
}

void virtio_mem_figures(struct virtio_mem *mem, struct virtio_mem_figures *figures)
{
	g_mutex_lock(&mem->virtio.lock);
	figures->requested = mem->requested;
	figures->plugged = mem_plugged(mem);
	figures->driver = mem->virtio.status & VIRTIO_DRIVER_OK;
	g_mutex_unlock(&mem->virtio.lock);
}

/* A machine that starts anew has Memory=; what the host asked for stays, and the next driver is told. */
static void mem_reset(struct device *device)
{
	struct virtio_mem *mem = (struct virtio_mem *)device;

	virtio_pci_reset(&mem->virtio);
	g_mutex_lock(&mem->virtio.lock);
	mem_unplug_all(mem);
	g_mutex_unlock(&mem->virtio.lock);
}

/* Which blocks are plugged in is the memory's: memory_state(). */
static void mem_state(struct device *device, struct state *state)
{
	struct virtio_mem *mem = (struct virtio_mem *)device;

	virtio_state(&mem->virtio, state);
	STATE(state, mem->requested);
	if (state_loading(state) && (mem->requested > mem->limit || mem->requested % MEMORY_BLOCK)) {
		state_fail(state, "%" G_GUINT64_FORMAT " bytes asked for", mem->requested);
		mem->requested = 0;
	}
}

static void mem_destroy(struct device *device)
{
	struct virtio_mem *mem = (struct virtio_mem *)device;

	if (mem->room) {
		if (mem->machine->mem == mem)
			mem->machine->mem = NULL;
		virtio_detach_pci(&mem->virtio);
		virtio_clear(&mem->virtio);
	}
	g_free(mem);
}

static void mem_add_srat(struct machine *machine)
{
	GByteArray *table = table_srat(machine->memory, machine->config->max_vcpus);

	table_set(table, ACPI_LENGTH, table->len, 4);
	acpi_add_table(machine, g_byte_array_free_to_bytes(table));
}

static const struct property mem_properties[] = {
	{0},
};

static struct device *mem_create(struct machine *machine, const char *instance, const void *config,
	GError **error)
{
	struct virtio_mem *mem = g_new0(struct virtio_mem, 1);

	mem->machine = machine;
	mem->device.destroy = mem_destroy;
	mem->room = memory_room(machine->memory);
	if (!mem->room)
		return &mem->device;
	mem->limit = MIN(machine->config->max_memory - machine->config->memory, mem->room->len);
	mem->device.reset = mem_reset;
	mem->device.state = mem_state;
	virtio_init(&mem->virtio, &mem_ops, machine->memory, machine->io_context);
	if (!virtio_attach_pci(machine, &mem->virtio, error)) {
		mem_destroy(&mem->device);
		return NULL;
	}
	mem_add_srat(machine);
	machine->mem = mem;
	return &mem->device;
}

static const struct device_type virtio_mem = {
	.section = "Memory",
	.help = "memory that is plugged in up to MaxMemory= of [Guest] (virtio-mem)",
	.always = true,
	.single = true,
	.properties = mem_properties,
	.create = mem_create,
};

DEVICE_REGISTER(virtio_mem);
