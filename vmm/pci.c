/*
 * PCI: the functions of bus 0 and their configuration spaces. BARs are in pci_bar.c, the ways to
 * configuration space and the host bridge in pci_host.c, pins in pci_intx.c, messages in msix.c.
 */
#define G_LOG_DOMAIN "pci"

#include <errno.h>

#include "vmm/pci_internal.h"

enum {
	MULTI_FUNCTION = 0x80, /* of the header type */
	CAPS_END = 0x100,
	EXPRESS_LEN = 60,
	EXPRESS_VERSION = 2,
	EXPRESS_ROOT_ENDPOINT = 9,
};

static bool touches(unsigned offset, unsigned size, unsigned field, unsigned len)
{
	return offset < field + len && field < offset + size;
}

uint64_t pci_config_read(struct pci_bus *bus, unsigned function, unsigned offset, unsigned size)
{
	struct pci_device *device = bus->function[function % PCI_FUNCTIONS];
	uint64_t value = 0;

	if (!device || offset + size > PCI_CONFIG_SIZE)
		return size >= 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;
	if (device->ops && device->ops->config_reading)
		device->ops->config_reading(device, offset, size);
	memcpy(&value, &device->config[offset], size);
	return value;
}

/* The command register has, or may have, another value. Under the bus's lock. */
static void command_follow(struct pci_device *device)
{
	pci_intx_update(device);
	msix_master_written(device);
	if (device->msi_cap)
		msi_written(device);
	if (device->ops && device->ops->command_written)
		device->ops->command_written(device);
}

void pci_config_write(struct pci_bus *bus, unsigned function, unsigned offset, unsigned size,
	uint64_t value)
{
	struct pci_device *device = bus->function[function % PCI_FUNCTIONS];

	if (!device || offset + size > PCI_CONFIG_SIZE)
		return;
	for (unsigned i = 0; i < size; i++) {
		uint8_t mask = device->writable[offset + i];

		if (!mask)
			continue; /* the status register is the pin's to change, at any time */
		device->config[offset + i] = (device->config[offset + i] & ~mask) |
			((uint8_t)(value >> (8 * i)) & mask);
	}
	if (touches(offset, size, PCI_COMMAND, 2) ||
		touches(offset, size, PCI_BAR0, 4 * PCI_BARS) ||
		touches(offset, size, PCI_ROM_ADDRESS, 4))
		pci_settle(bus);
	if (touches(offset, size, PCI_COMMAND, 2))
		command_follow(device);
	if (device->msix_cap && touches(offset, size, device->msix_cap + 2, 2)) {
		msix_control_written(device);
		pci_intx_update(device);
	}
	if (device->msi_cap && touches(offset, size, device->msi_cap + 2, 12))
		msi_written(device);
	if (offset + size > PCI_HEADER_END && device->ops && device->ops->config_written)
		device->ops->config_written(device, offset, size);
}

bool pci_master(const struct pci_device *device)
{
	return __atomic_load_n(&device->config[PCI_COMMAND], __ATOMIC_RELAXED) & PCI_COMMAND_MASTER;
}

struct pci_bus *pci_bus_new(struct bus *mmio, struct bus *pio, struct msi_sink *sink)
{
	struct pci_bus *bus = g_new0(struct pci_bus, 1);

	g_mutex_init(&bus->lock);
	g_mutex_init(&bus->lines.lock);
	bus->mmio = mmio;
	bus->pio = pio;
	bus->sink = sink;
	pci_host_init(bus);
	pci_attach(bus, &bus->bridge, 0);
	return bus;
}

void pci_bus_free(struct pci_bus *bus)
{
	if (!bus)
		return;
	bus_remove(bus->pio, &bus->ports);
	bus_remove(bus->mmio, &bus->ecam);
	pci_detach(&bus->bridge);
	g_mutex_clear(&bus->lines.lock);
	g_mutex_clear(&bus->lock);
	g_free(bus);
}

struct msi_sink *pci_bus_sink(struct pci_bus *bus)
{
	return bus->sink;
}

/* BARs, ECAM, pins and whoever wants to know, after configuration spaces were set as a whole. BARs
 * leave first: one may lie where ECAM goes to. */
static void pci_follow(struct pci_bus *bus)
{
	pci_settle_leave(bus);
	pci_host_settle(bus);
	pci_settle(bus);
	for (unsigned f = 0; f < PCI_FUNCTIONS; f++)
		if (bus->function[f])
			command_follow(bus->function[f]);
}

void pci_bus_assign(struct pci_bus *bus, uint64_t mmio_base, uint64_t mmio_len)
{
	g_mutex_lock(&bus->lock);
	pci_assign(bus, mmio_base, mmio_len);
	pci_follow(bus);
	g_mutex_unlock(&bus->lock);
}

/* Under the lock; BARs stay where they are mapped until the next pci_settle. */
static void pci_reset_config(struct pci_bus *bus)
{
	bus->address = 0;
	for (unsigned f = 0; f < PCI_FUNCTIONS; f++) {
		struct pci_device *device = bus->function[f];

		if (!device)
			continue;
		memcpy(device->config, device->initial, PCI_CONFIG_SIZE);
		pci_intx(device, false);
		msix_reset(device);
		msi_reset(device);
	}
}

void pci_bus_reset(struct pci_bus *bus)
{
	g_mutex_lock(&bus->lock);
	pci_reset_config(bus);
	pci_follow(bus); /* memory access is off now: everything leaves */
	g_mutex_unlock(&bus->lock);
}

void pci_bus_renew(struct pci_bus *bus, uint64_t mmio_base, uint64_t mmio_len)
{
	g_mutex_lock(&bus->lock);
	pci_reset_config(bus);
	pci_assign(bus, mmio_base, mmio_len);
	pci_follow(bus);
	g_mutex_unlock(&bus->lock);
}

void pci_init(struct pci_device *device, const char *name, const struct pci_id *id,
	const struct pci_device_ops *ops)
{
	memset(device, 0, sizeof(*device));
	device->name = name;
	device->ops = ops;
	device->next_cap = PCI_HEADER_END;
	g_mutex_init(&device->msix_lock);
	for (unsigned i = 0; i < PCI_MSIX_MAX; i++)
		device->vector[i].eventfd = device->vector[i].gsi = -1;
	config_set(device, PCI_VENDOR_ID, id->vendor | (uint32_t)id->device << 16, 4);
	config_set(device, PCI_REVISION,
		id->revision | (uint32_t)id->interface << 8 | (uint32_t)id->subclass << 16 |
			(uint32_t)id->class_code << 24,
		4);
	config_set(device, PCI_SUBSYSTEM, id->subsystem_vendor | (uint32_t)id->subsystem << 16, 4);
	device->writable[PCI_COMMAND] = PCI_COMMAND_MASTER;
	device->writable[PCI_COMMAND + 1] = 0x04; /* INTx off */
	device->writable[PCI_CACHE_LINE] = 0xff;
	device->writable[PCI_INTERRUPT_LINE] = 0xff;
}

unsigned pci_add_cap(struct pci_device *device, uint8_t id, unsigned len)
{
	unsigned offset = device->next_cap;

	g_warn_if_fail(offset + len <= CAPS_END);
	device->config[offset] = id;
	device->config[device->last_cap ? device->last_cap + 1u : PCI_CAP_POINTER] = (uint8_t)offset;
	device->config[PCI_STATUS] |= PCI_STATUS_CAPS;
	device->last_cap = (uint8_t)offset;
	device->next_cap = (offset + len + 3) & ~3u;
	return offset;
}

void pci_add_express(struct pci_device *device)
{
	unsigned cap = pci_add_cap(device, PCI_CAP_EXPRESS, EXPRESS_LEN);

	config_set(device, cap + 2, EXPRESS_VERSION | EXPRESS_ROOT_ENDPOINT << 4, 2);
	config_set(device, cap + 4, 1 << 15, 4); /* role-based error reporting, which 1.1 wants */
}

static int pci_free_slot(const struct pci_bus *bus)
{
	for (int slot = 0; slot < PCI_SLOTS; slot++) {
		bool taken = false;

		for (unsigned f = 0; f < 8; f++)
			taken = taken || bus->function[slot * 8 + f];
		if (!taken)
			return slot;
	}
	return -ENOSPC;
}

/* A slot with more than function 0 says so in each of its functions. Under the lock. */
static void slot_mark(struct pci_bus *bus, unsigned slot)
{
	struct pci_device **first = &bus->function[slot * 8];
	bool several = false;

	for (unsigned f = 1; f < 8; f++)
		several = several || first[f];
	for (unsigned f = 0; several && f < 8; f++)
		if (first[f]) {
			first[f]->config[PCI_HEADER_TYPE] |= MULTI_FUNCTION;
			first[f]->initial[PCI_HEADER_TYPE] |= MULTI_FUNCTION;
		}
}

static int attach(struct pci_bus *bus, struct pci_device *device, int slot, unsigned function)
{
	int result = 0;

	if (slot >= PCI_SLOTS || function >= 8)
		return -EINVAL;
	g_mutex_lock(&bus->lock);
	if (slot < 0)
		slot = pci_free_slot(bus);
	if (slot < 0) {
		result = slot;
	} else if (bus->function[(unsigned)slot * 8 + function]) {
		result = -EBUSY;
	} else {
		memcpy(device->initial, device->config, PCI_CONFIG_SIZE);
		device->bus = bus;
		device->slot = (unsigned)slot;
		device->function = function;
		bus->function[(unsigned)slot * 8 + function] = device;
		slot_mark(bus, (unsigned)slot);
	}
	g_mutex_unlock(&bus->lock);
	return result;
}

int pci_attach(struct pci_bus *bus, struct pci_device *device, int slot)
{
	return attach(bus, device, slot, 0);
}

int pci_attach_function(struct pci_bus *bus, struct pci_device *device, unsigned slot,
	unsigned function)
{
	return slot < PCI_SLOTS ? attach(bus, device, (int)slot, function) : -EINVAL;
}

void pci_detach(struct pci_device *device)
{
	struct pci_bus *bus = device->bus;

	if (!bus)
		return;
	pci_intx(device, false);
	g_mutex_lock(&bus->lock);
	pci_unmap_bars(device);
	bus->function[device->slot * 8 + device->function] = NULL;
	g_mutex_unlock(&bus->lock);
	device->bus = NULL;
	g_mutex_clear(&device->msix_lock);
}
