/*
 * PCI: the functions' configuration spaces, the two ways to reach them (CF8/CFC and ECAM), BARs that
 * appear on the memory bus where the guest puts them, and the host bridge of a Q35.
 */
#define G_LOG_DOMAIN "pci"

#include "vmm/pci.h"

#include <errno.h>
#include <string.h>

enum pci_ports {
	PCI_PORT_BASE = 0xcf8, /* address register; 0xcfc: data */
	PCI_PORT_LEN = 8,
	PCI_PORT_RESET = 1, /* CF9 */
	PCI_ECAM_LEN = 1 << 20,
	Q35_PCIEXBAR = 0x60,
	Q35_PCIEXBAR_ON = 1,
	Q35_PCIEXBAR_64M = 4,
};

struct pci_bus {
	GMutex lock; /* configuration spaces, `address`, slots */
	struct bus *mmio, *pio;
	struct msi_sink *sink;
	struct pci_device *slot[PCI_SLOTS];
	struct pci_device bridge;
	struct region ports, ecam;
	struct intx_lines lines;
	uint32_t address;
	uint8_t (*reset_read)(void *owner);
	void (*reset_write)(void *owner, uint8_t value);
	void *reset_owner;
};

static uint32_t config_get(const struct pci_device *device, unsigned offset, unsigned size)
{
	uint32_t value = 0;

	memcpy(&value, &device->config[offset], size);
	return value;
}

static void config_set(struct pci_device *device, unsigned offset, uint32_t value, unsigned size)
{
	memcpy(&device->config[offset], &value, size);
}

static uint64_t all_ones(unsigned size)
{
	return size >= 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;
}

/* Where the guest wants a BAR; 0: nowhere. A BAR that is being sized reads as no address. */
static uint64_t bar_wanted(const struct pci_device *device, unsigned i)
{
	uint64_t len = device->bar[i].region.len;
	uint64_t base = config_get(device, PCI_BAR0 + 4 * i, 4) & ~(uint64_t)0xf;

	if (len == 0 || !(config_get(device, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		return 0;
	return base + len >= 1ull << 32 ? 0 : base;
}

static void bar_moved(struct pci_device *device, unsigned i, uint64_t base)
{
	if (device->ops && device->ops->bar_moved)
		device->ops->bar_moved(device, i, base);
}

static void bar_unmap(struct pci_device *device, unsigned i)
{
	struct pci_bar *bar = &device->bar[i];

	if (!bar->mapped)
		return;
	bar_moved(device, i, 0);
	bus_remove(device->bus->mmio, &bar->region);
	bar->mapped = false;
}

static void bar_map(struct pci_device *device, unsigned i, uint64_t base)
{
	struct pci_bar *bar = &device->bar[i];

	bar->region.base = base;
	if (bus_add(device->bus->mmio, &bar->region) < 0) {
		/* Two BARs may change places one after the other: tried again at the next move. */
		g_debug("%s: BAR %u cannot lie at %#" G_GINT64_MODIFIER "x", device->name, i, base);
		return;
	}
	bar->mapped = true;
	bar_moved(device, i, base);
}

typedef void (*bar_visit)(struct pci_device *device, unsigned i, uint64_t wanted);

static void visit_leave(struct pci_device *device, unsigned i, uint64_t wanted)
{
	if (device->bar[i].mapped && device->bar[i].region.base != wanted)
		bar_unmap(device, i);
}

static void visit_come(struct pci_device *device, unsigned i, uint64_t wanted)
{
	if (!device->bar[i].mapped && wanted != 0)
		bar_map(device, i, wanted);
}

static void pci_visit_bars(struct pci_bus *bus, bar_visit visit)
{
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++)
		for (unsigned i = 0; bus->slot[slot] && i < PCI_BARS; i++)
			visit(bus->slot[slot], i, bar_wanted(bus->slot[slot], i));
}

/* Puts every BAR where the guest wants it: first all that leave, then all that come. */
static void pci_settle(struct pci_bus *bus)
{
	pci_visit_bars(bus, visit_leave);
	pci_visit_bars(bus, visit_come);
}

static bool touches(unsigned offset, unsigned size, unsigned field, unsigned len)
{
	return offset < field + len && field < offset + size;
}

static uint64_t pci_config_read(struct pci_bus *bus, unsigned slot, unsigned offset, unsigned size)
{
	struct pci_device *device = bus->slot[slot];
	uint64_t value = 0;

	if (!device || offset + size > PCI_CONFIG_SIZE)
		return all_ones(size);
	if (device->ops && device->ops->config_reading)
		device->ops->config_reading(device, offset, size);
	memcpy(&value, &device->config[offset], size);
	return value;
}

static void pci_config_write(struct pci_bus *bus, unsigned slot, unsigned offset, unsigned size,
	uint64_t value)
{
	struct pci_device *device = bus->slot[slot];

	if (!device || offset + size > PCI_CONFIG_SIZE)
		return;
	for (unsigned i = 0; i < size; i++) {
		uint8_t mask = device->writable[offset + i];

		device->config[offset + i] = (device->config[offset + i] & ~mask) |
			((uint8_t)(value >> (8 * i)) & mask);
	}
	if (touches(offset, size, PCI_COMMAND, 2) ||
		touches(offset, size, PCI_BAR0, 4 * PCI_BARS))
		pci_settle(bus);
	if (touches(offset, size, PCI_COMMAND, 2))
		pci_intx_update(device);
	if (device->msix_cap && touches(offset, size, device->msix_cap + 2, 2))
		msix_control_written(device);
	if (offset + size > PCI_HEADER_END && device->ops && device->ops->config_written)
		device->ops->config_written(device, offset, size);
}

/* CF8: bit 31 enable, 23..16 bus, 15..11 device, 10..8 function, 7..2 register. */
static bool pci_port_target(const struct pci_bus *bus, unsigned *slot, unsigned *offset)
{
	*slot = bus->address >> 11 & 31;
	*offset += bus->address & 0xfc;
	return (bus->address >> 31) && (bus->address >> 8 & 0xff07) == 0;
}

static uint64_t ports_read(void *owner, uint64_t offset, unsigned size)
{
	struct pci_bus *bus = owner;
	uint64_t value = all_ones(size);
	unsigned slot, reg = offset & 3;

	if (offset == PCI_PORT_RESET && size == 1)
		return bus->reset_read ? bus->reset_read(bus->reset_owner) : 0;
	g_mutex_lock(&bus->lock);
	if (offset == 0 && size == 4)
		value = bus->address;
	else if (offset >= 4 && reg + size <= 4 && pci_port_target(bus, &slot, &reg))
		value = pci_config_read(bus, slot, reg, size);
	g_mutex_unlock(&bus->lock);
	return value;
}

static void ports_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_bus *bus = owner;
	unsigned slot, reg = offset & 3;

	if (offset == PCI_PORT_RESET && size == 1) {
		if (bus->reset_write)
			bus->reset_write(bus->reset_owner, (uint8_t)value);
		return;
	}
	g_mutex_lock(&bus->lock);
	if (offset == 0 && size == 4)
		bus->address = (uint32_t)value;
	else if (offset >= 4 && reg + size <= 4 && pci_port_target(bus, &slot, &reg))
		pci_config_write(bus, slot, reg, size, value);
	g_mutex_unlock(&bus->lock);
}

static const struct region_ops ports_ops = {
	.read = ports_read,
	.write = ports_write,
};

/* ECAM: bits 19..15 device, 14..12 function, 11..0 register; only functions 0 exist. */
static uint64_t ecam_read(void *owner, uint64_t offset, unsigned size)
{
	struct pci_bus *bus = owner;
	uint64_t value = all_ones(size);

	if (offset >> 12 & 7)
		return value;
	g_mutex_lock(&bus->lock);
	value = pci_config_read(bus, offset >> 15, offset & 0xfff, size);
	g_mutex_unlock(&bus->lock);
	return value;
}

static void ecam_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_bus *bus = owner;

	if (offset >> 12 & 7)
		return;
	g_mutex_lock(&bus->lock);
	pci_config_write(bus, offset >> 15, offset & 0xfff, size, value);
	g_mutex_unlock(&bus->lock);
}

static const struct region_ops ecam_ops = {
	.read = ecam_read,
	.write = ecam_write,
};

struct pci_bus *pci_bus_new(struct bus *mmio, struct bus *pio, struct msi_sink *sink)
{
	static const struct pci_id q35 = {
		.vendor = 0x8086,
		.device = 0x29c0,
		.class_code = 0x06,
	};
	struct pci_bus *bus = g_new0(struct pci_bus, 1);

	g_mutex_init(&bus->lock);
	g_mutex_init(&bus->lines.lock);
	bus->mmio = mmio;
	bus->pio = pio;
	bus->sink = sink;
	bus->ports = (struct region){
		.name = "pci ports",
		.base = PCI_PORT_BASE,
		.len = PCI_PORT_LEN,
		.ops = &ports_ops,
		.owner = bus,
	};
	bus->ecam = (struct region){
		.name = "pci ecam",
		.len = PCI_ECAM_LEN,
		.ops = &ecam_ops,
		.owner = bus,
	};
	pci_init(&bus->bridge, "host bridge", &q35, NULL);
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

struct intx_lines *pci_bus_lines(struct pci_bus *bus)
{
	return &bus->lines;
}

int pci_bus_map(struct pci_bus *bus, uint64_t ecam_base)
{
	uint32_t window = (uint32_t)ecam_base | Q35_PCIEXBAR_64M | Q35_PCIEXBAR_ON;
	int result;

	bus->ecam.base = ecam_base;
	config_set(&bus->bridge, Q35_PCIEXBAR, window, 4);
	config_set(&bus->bridge, Q35_PCIEXBAR + 4, (uint32_t)(ecam_base >> 32), 4);
	memcpy(bus->bridge.initial, bus->bridge.config, PCI_CONFIG_SIZE);
	result = bus_add(bus->pio, &bus->ports);
	if (result < 0)
		return result;
	result = bus_add(bus->mmio, &bus->ecam);
	if (result < 0)
		bus_remove(bus->pio, &bus->ports);
	return result;
}

void pci_bus_reset_port(struct pci_bus *bus, uint8_t (*read)(void *owner),
	void (*write)(void *owner, uint8_t value), void *owner)
{
	bus->reset_read = read;
	bus->reset_write = write;
	bus->reset_owner = owner;
}

/* Gives the BARs of one function addresses from *next on; false when the window is full. */
static bool pci_assign_device(struct pci_device *device, uint64_t *next, uint64_t end)
{
	bool all = true;

	for (unsigned i = 0; i < PCI_BARS; i++) {
		uint64_t len = device->bar[i].region.len;
		uint64_t base;

		if (len == 0)
			continue;
		base = (*next + len - 1) & ~(len - 1);
		if (base > end || len > end - base) {
			g_warning("%s: no room for BAR %u", device->name, i);
			all = false;
			continue;
		}
		config_set(device, PCI_BAR0 + 4 * i, (uint32_t)base, 4);
		*next = base + len;
	}
	return all;
}

/* Under the lock. */
static void pci_assign(struct pci_bus *bus, uint64_t mmio_base, uint64_t mmio_len)
{
	uint64_t next = mmio_base, end = mmio_base + mmio_len;

	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		struct pci_device *device = bus->slot[slot];

		if (device && pci_assign_device(device, &next, end))
			device->config[PCI_COMMAND] |= (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER) &
				device->writable[PCI_COMMAND];
	}
}

void pci_bus_assign(struct pci_bus *bus, uint64_t mmio_base, uint64_t mmio_len)
{
	g_mutex_lock(&bus->lock);
	pci_assign(bus, mmio_base, mmio_len);
	pci_settle(bus);
	g_mutex_unlock(&bus->lock);
}

/* Under the lock; BARs stay where they are mapped until the next pci_settle. */
static void pci_reset_config(struct pci_bus *bus)
{
	bus->address = 0;
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		struct pci_device *device = bus->slot[slot];

		if (!device)
			continue;
		memcpy(device->config, device->initial, PCI_CONFIG_SIZE);
		pci_intx(device, false);
		msix_reset(device);
	}
}

void pci_bus_reset(struct pci_bus *bus)
{
	g_mutex_lock(&bus->lock);
	pci_reset_config(bus);
	pci_settle(bus); /* memory access is off now: everything leaves */
	g_mutex_unlock(&bus->lock);
}

void pci_bus_renew(struct pci_bus *bus, uint64_t mmio_base, uint64_t mmio_len)
{
	g_mutex_lock(&bus->lock);
	pci_reset_config(bus);
	pci_assign(bus, mmio_base, mmio_len);
	pci_settle(bus);
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

void pci_add_bar(struct pci_device *device, unsigned bar, uint64_t len,
	const struct region_ops *ops, void *owner, const char *name)
{
	uint32_t mask = ~(uint32_t)(len - 1);

	device->bar[bar].region = (struct region){
		.name = name,
		.len = len,
		.ops = ops,
		.owner = owner,
	};
	memcpy(&device->writable[PCI_BAR0 + 4 * bar], &mask, sizeof(mask));
	device->writable[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
}

unsigned pci_add_cap(struct pci_device *device, uint8_t id, unsigned len)
{
	unsigned offset = device->next_cap;

	device->config[offset] = id;
	device->config[device->last_cap ? device->last_cap + 1u : PCI_CAP_POINTER] = (uint8_t)offset;
	device->config[PCI_STATUS] |= PCI_STATUS_CAPS;
	device->last_cap = (uint8_t)offset;
	device->next_cap = (offset + len + 3) & ~3u;
	return offset;
}

static int pci_free_slot(const struct pci_bus *bus)
{
	for (int slot = 0; slot < PCI_SLOTS; slot++)
		if (!bus->slot[slot])
			return slot;
	return -ENOSPC;
}

int pci_attach(struct pci_bus *bus, struct pci_device *device, int slot)
{
	int result = 0;

	if (slot >= PCI_SLOTS)
		return -EINVAL;
	g_mutex_lock(&bus->lock);
	if (slot < 0)
		slot = pci_free_slot(bus);
	if (slot < 0) {
		result = slot;
	} else if (bus->slot[slot]) {
		result = -EBUSY;
	} else {
		memcpy(device->initial, device->config, PCI_CONFIG_SIZE);
		device->bus = bus;
		device->slot = (unsigned)slot;
		bus->slot[slot] = device;
	}
	g_mutex_unlock(&bus->lock);
	return result;
}

void pci_detach(struct pci_device *device)
{
	struct pci_bus *bus = device->bus;

	if (!bus)
		return;
	pci_intx(device, false);
	g_mutex_lock(&bus->lock);
	for (unsigned i = 0; i < PCI_BARS; i++)
		bar_unmap(device, i);
	bus->slot[device->slot] = NULL;
	g_mutex_unlock(&bus->lock);
	device->bus = NULL;
	g_mutex_clear(&device->msix_lock);
}
