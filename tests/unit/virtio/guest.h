/*
 * A guest without KVM: a machine of memory, buses, PCI and a counting interrupt sink, one virtio
 * device plugged into it, and a small driver that talks to it through its BAR and its rings, as a
 * real one would. Unit tests and fuzzers include it, together with the device's own .c file:
 *
 *	#include "vmm/virtio_rng.c"
 *	#include "tests/unit/virtio/guest.h"
 *
 * Thread: one; kicks are served by guest_spin().
 */
#ifndef IRORI_TESTS_UNIT_VIRTIO_GUEST_H
#define IRORI_TESTS_UNIT_VIRTIO_GUEST_H

#include <errno.h>
#include <string.h>

#include "vmm/machine.h"
#include "vmm/virtio.h"
#include "vmm/virtio_pci.h"

#define GUEST_FN static __attribute__((unused))

enum guest_layout {
	GUEST_MEMORY = 4 << 20,
	GUEST_HEAP = 0x10000,
	GUEST_SLOT = 1, /* the first after the host bridge */
};

enum guest_desc_flags {
	DESC_NEXT = 1,
	DESC_WRITE = 2,
	DESC_INDIRECT = 4,
};

/* The common configuration structure, virtio 1.2, 4.1.4.3. */
enum guest_common {
	COMMON_OFFERED_SELECT = 0x00,
	COMMON_OFFERED = 0x04,
	COMMON_ACCEPTED_SELECT = 0x08,
	COMMON_ACCEPTED = 0x0c,
	COMMON_CONFIG_VECTOR = 0x10,
	COMMON_N_QUEUES = 0x12,
	COMMON_DEVICE_STATUS = 0x14,
	COMMON_GENERATION = 0x15,
	COMMON_QUEUE_SELECT = 0x16,
	COMMON_QUEUE_SIZE = 0x18,
	COMMON_QUEUE_VECTOR = 0x1a,
	COMMON_QUEUE_ENABLE = 0x1c,
	COMMON_NOTIFY_OFFSET = 0x1e,
	COMMON_DESC = 0x20,
	COMMON_AVAIL = 0x28,
	COMMON_USED = 0x30,
};

struct guest_queue {
	uint64_t desc, avail, used;
	uint16_t size, next_desc, added, seen;
};

struct guest {
	struct msi_sink sink; /* first: the sink's functions find us by it */
	struct machine machine;
	struct guest_config config;
	struct device *device;
	unsigned raised[PCI_MSIX_MAX], routed[PCI_MSIX_MAX];
	struct guest_queue queue[VIRTIO_MAX_QUEUES];
	uint64_t heap;
};

struct guest_buffer {
	uint64_t addr;
	uint32_t len;
	bool in; /* the device writes it */
};

static int64_t guest_now_ns __attribute__((unused));

GUEST_FN int64_t guest_now(void)
{
	return guest_now_ns;
}

/* The machine's side that machine.c would have. */
static unsigned guest_ioeventfds __attribute__((unused));

int machine_ioeventfd(struct machine *machine, uint64_t gpa, unsigned len, int fd, bool add)
{
	guest_ioeventfds += add ? 1 : -1;
	return -ENOSYS; /* kicks arrive through the BAR */
}

static const struct seat_port_events *guest_events __attribute__((unused));
static void *guest_events_device __attribute__((unused));

void machine_seat_events(struct machine *machine, const struct seat_port_events *events,
	void *device)
{
	guest_events = events;
	guest_events_device = device;
}

static unsigned guest_taken __attribute__((unused));

void machine_input_taken(struct machine *machine, enum input_device which, bool taken)
{
	guest_taken = (guest_taken & ~(1u << which)) | (unsigned)taken << which;
}

void machine_request(struct machine *machine, enum machine_request what, const char *why)
{
}

GUEST_FN int guest_route(struct msi_sink *sink, struct pci_device *device, unsigned index,
	uint64_t address, uint32_t data)
{
	((struct guest *)sink)->routed[index]++;
	return 0;
}

GUEST_FN void guest_raise(struct msi_sink *sink, struct pci_device *device, unsigned index)
{
	((struct guest *)sink)->raised[index]++;
}

/* Memory of `size` bytes; a machine without devices. */
GUEST_FN void guest_open(struct guest *guest, uint64_t size)
{
	struct machine *machine = &guest->machine;

	memset(guest, 0, sizeof(*guest));
	guest->config.name = (char *)"test";
	guest->config.memory = size;
	guest->sink.route = guest_route;
	guest->sink.raise = guest_raise;
	guest->heap = GUEST_HEAP;
	machine->config = &guest->config;
	machine->memory = memory_new(size, NULL);
	if (!machine->memory)
		abort();
	machine->pio = bus_new("pio");
	machine->mmio = bus_new("mmio");
	machine->pci = pci_bus_new(machine->mmio, machine->pio, &guest->sink);
	pci_bus_map(machine->pci, MACHINE_ECAM_BASE);
	machine->main_context = g_main_context_new();
	machine->seat_context = machine->main_context;
	machine->io_context = machine->main_context;
	machine->net_context = machine->main_context;
	machine->now = guest_now;
}

GUEST_FN void guest_unplug(struct guest *guest)
{
	if (guest->device)
		guest->device->destroy(guest->device);
	guest->device = NULL;
	memset(guest->queue, 0, sizeof(guest->queue));
	memset(guest->raised, 0, sizeof(guest->raised));
	memset(guest->routed, 0, sizeof(guest->routed));
	guest->heap = GUEST_HEAP;
}

GUEST_FN void guest_close(struct guest *guest)
{
	guest_unplug(guest);
	pci_bus_free(guest->machine.pci);
	bus_free(guest->machine.pio);
	bus_free(guest->machine.mmio);
	memory_free(guest->machine.memory);
	g_main_context_unref(guest->machine.main_context);
}

/* False, and *error set, if the device could not be made. It answers at MACHINE_PCI_BASE. */
GUEST_FN bool guest_plug(struct guest *guest, const struct device_type *type, const void *config,
	GError **error)
{
	guest->device = type->create(&guest->machine, "test", config, error);
	if (!guest->device)
		return false;
	pci_bus_assign(guest->machine.pci, MACHINE_PCI_BASE, MACHINE_PCI_LEN);
	return true;
}

/* What machine.c does at a reset. */
GUEST_FN void guest_reset(struct guest *guest)
{
	if (guest->device->reset)
		guest->device->reset(guest->device);
	memory_clear(guest->machine.memory);
	pci_bus_renew(guest->machine.pci, MACHINE_PCI_BASE, MACHINE_PCI_LEN);
	memset(guest->queue, 0, sizeof(guest->queue));
	guest->heap = GUEST_HEAP;
}

GUEST_FN uint64_t guest_read(struct guest *guest, uint64_t offset, unsigned size)
{
	uint64_t value;

	bus_read(guest->machine.mmio, MACHINE_PCI_BASE + offset, size, &value);
	return value;
}

GUEST_FN void guest_write(struct guest *guest, uint64_t offset, unsigned size, uint64_t value)
{
	bus_write(guest->machine.mmio, MACHINE_PCI_BASE + offset, size, value);
}

GUEST_FN uint64_t guest_config_read(struct guest *guest, unsigned offset, unsigned size)
{
	return guest_read(guest, VIRTIO_PCI_DEVICE + offset, size);
}

GUEST_FN uint64_t guest_alloc(struct guest *guest, uint64_t len)
{
	uint64_t at = guest->heap;

	guest->heap += (len + 15) & ~15ull;
	return at;
}

/* A place in guest memory, as the guest sees it. */
GUEST_FN void *guest_at(struct guest *guest, uint64_t gpa, uint64_t len)
{
	return memory_at(guest->machine.memory, gpa, len);
}

GUEST_FN uint64_t guest_put(struct guest *guest, const void *from, size_t len)
{
	uint64_t at = guest_alloc(guest, len);

	memory_write(guest->machine.memory, at, from, len);
	return at;
}

/* Runs what the device's context has to do. */
GUEST_FN void guest_spin(struct guest *guest)
{
	while (g_main_context_iteration(guest->machine.main_context, FALSE))
		;
}

/* Up to FEATURES_OK; the status read back. */
GUEST_FN uint8_t guest_negotiate(struct guest *guest, uint64_t features)
{
	guest_write(guest, COMMON_DEVICE_STATUS, 1, 0);
	guest_write(guest, COMMON_DEVICE_STATUS, 1, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	for (unsigned half = 0; half < 2; half++) {
		guest_write(guest, COMMON_ACCEPTED_SELECT, 4, half);
		guest_write(guest, COMMON_ACCEPTED, 4, (uint32_t)(features >> (32 * half)));
	}
	guest_write(guest, COMMON_DEVICE_STATUS, 1,
		VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	return (uint8_t)guest_read(guest, COMMON_DEVICE_STATUS, 1);
}

/* Rings on the heap, vector q, enabled; size 0: what the device offers. */
GUEST_FN void guest_enable_queue(struct guest *guest, unsigned q, uint16_t size)
{
	struct guest_queue *queue = &guest->queue[q];

	guest_write(guest, COMMON_QUEUE_SELECT, 2, q);
	if (size == 0)
		size = (uint16_t)guest_read(guest, COMMON_QUEUE_SIZE, 2);
	*queue = (struct guest_queue){
		.size = size,
		.desc = guest_alloc(guest, 16ull * size),
		.avail = guest_alloc(guest, 6 + 2ull * size),
		.used = guest_alloc(guest, 6 + 8ull * size),
	};
	guest_write(guest, COMMON_QUEUE_SIZE, 2, size);
	guest_write(guest, COMMON_DESC, 8, queue->desc);
	guest_write(guest, COMMON_AVAIL, 8, queue->avail);
	guest_write(guest, COMMON_USED, 8, queue->used);
	guest_write(guest, COMMON_QUEUE_VECTOR, 2, q);
	guest_write(guest, COMMON_QUEUE_ENABLE, 2, 1);
}

/* MSI-X on, every vector open. */
GUEST_FN void guest_open_vectors(struct guest *guest)
{
	uint64_t config = MACHINE_ECAM_BASE + ((uint64_t)GUEST_SLOT << 15);
	uint64_t cap, id, next;

	bus_read(guest->machine.mmio, config + PCI_CAP_POINTER, 1, &cap);
	for (; cap != 0; cap = next) {
		bus_read(guest->machine.mmio, config + cap, 1, &id);
		bus_read(guest->machine.mmio, config + cap + 1, 1, &next);
		if (id == PCI_CAP_MSIX)
			bus_write(guest->machine.mmio, config + cap + 2, 2, 0x8000);
	}
	for (unsigned i = 0; i < VIRTIO_MAX_QUEUES + 1; i++)
		guest_write(guest, VIRTIO_PCI_MSIX + 16 * i + 12, 4, 0);
}

/* All of a driver's start: every queue at its offered size, the config vector after them. */
GUEST_FN void guest_start(struct guest *guest, uint64_t features)
{
	unsigned n;

	guest_negotiate(guest, features | VIRTIO_F_VERSION_1);
	guest_open_vectors(guest);
	n = (unsigned)guest_read(guest, COMMON_N_QUEUES, 2);
	for (unsigned q = 0; q < n; q++)
		guest_enable_queue(guest, q, 0);
	guest_write(guest, COMMON_CONFIG_VECTOR, 2, n);
	guest_write(guest, COMMON_DEVICE_STATUS, 1,
		VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

GUEST_FN bool guest_needs_reset(struct guest *guest)
{
	return guest_read(guest, COMMON_DEVICE_STATUS, 1) & VIRTIO_NEEDS_RESET;
}

/* One descriptor as given, right or wrong, in the table at gpa `table`. */
GUEST_FN void guest_desc_in(struct guest *guest, uint64_t table, unsigned i, uint64_t addr,
	uint32_t len, uint16_t flags, uint16_t next)
{
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} desc = {addr, len, flags, next};

	memory_write(guest->machine.memory, table + 16ull * i, &desc, sizeof(desc));
}

GUEST_FN void guest_desc(struct guest *guest, unsigned q, unsigned i, uint64_t addr, uint32_t len,
	uint16_t flags, uint16_t next)
{
	guest_desc_in(guest, guest->queue[q].desc, i, addr, len, flags, next);
}

GUEST_FN void guest_publish(struct guest *guest, unsigned q, uint16_t idx)
{
	memory_write(guest->machine.memory, guest->queue[q].avail + 2, &idx, 2);
}

/* Puts a head into the available ring and publishes it. */
GUEST_FN void guest_make_available(struct guest *guest, unsigned q, uint16_t head)
{
	struct guest_queue *queue = &guest->queue[q];

	memory_write(guest->machine.memory, queue->avail + 4 + 2 * (queue->added % queue->size),
		&head, 2);
	queue->added++;
	guest_publish(guest, q, queue->added);
}

/* A well-formed chain; its head. Descriptors are taken in turn and never looked at again. */
GUEST_FN uint16_t guest_add(struct guest *guest, unsigned q, const struct guest_buffer *buffer,
	unsigned n)
{
	struct guest_queue *queue = &guest->queue[q];
	uint16_t head = queue->next_desc;

	for (unsigned i = 0; i < n; i++) {
		uint16_t here = queue->next_desc;
		uint16_t flags = (buffer[i].in ? DESC_WRITE : 0) | (i + 1 < n ? DESC_NEXT : 0);

		queue->next_desc = (uint16_t)((here + 1) % queue->size);
		guest_desc(guest, q, here, buffer[i].addr, buffer[i].len, flags,
			queue->next_desc);
	}
	guest_make_available(guest, q, head);
	return head;
}

GUEST_FN void guest_kick(struct guest *guest, unsigned q)
{
	guest_write(guest, VIRTIO_PCI_NOTIFY + VIRTIO_PCI_NOTIFY_STEP * q, 2, q);
	guest_spin(guest);
}

/* The next used element, if there is one. */
GUEST_FN bool guest_used(struct guest *guest, unsigned q, uint32_t *id, uint32_t *len)
{
	struct guest_queue *queue = &guest->queue[q];
	uint64_t at = queue->used + 4 + 8 * (queue->seen % queue->size);
	uint16_t idx = 0;

	memory_read(guest->machine.memory, queue->used + 2, &idx, 2);
	if (idx == queue->seen)
		return false;
	memory_read(guest->machine.memory, at, id, 4);
	memory_read(guest->machine.memory, at + 4, len, 4);
	queue->seen++;
	return true;
}

/* The same, for devices that answer later: waits up to two seconds. */
GUEST_FN bool guest_wait_used(struct guest *guest, unsigned q, uint32_t *id, uint32_t *len)
{
	for (unsigned i = 0; i < 2000; i++) {
		guest_spin(guest);
		if (guest_used(guest, q, id, len))
			return true;
		g_usleep(1000);
	}
	return false;
}

#endif
