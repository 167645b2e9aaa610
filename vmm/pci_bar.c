/*
 * BARs: regions on the memory or port bus, or memory slots of the guest, that appear where the guest
 * puts them. Source: PCI Local Bus 3.0, section 6.2.5.
 */
#define G_LOG_DOMAIN "pci"

#include "vmm/pci_internal.h"
#include "vmm/slot.h"

enum bar_bits {
	BAR_IO = 1,
	BAR_64 = 4,
	BAR_PREFETCH = 8,
	ROM_ON = 1,
	ROM_ADDRESS = ~0x7ff,
	/* Where a firmware-less machine has its port BARs; below are the chipset's own. */
	ASSIGN_IO_BASE = 0xc000,
	ASSIGN_IO_END = 0x10000,
};

/* No guest processor of ours has more address bits than it has to have. */
#define BAR_LIMIT (1ull << 46)

static unsigned bar_register(unsigned i)
{
	return i == PCI_ROM ? PCI_ROM_ADDRESS : PCI_BAR0 + 4 * i;
}

static uint64_t bar_address(const struct pci_device *device, unsigned i)
{
	const struct pci_bar *bar = &device->bar[i];
	uint64_t base = config_get(device, bar_register(i), 4) & (bar->io ? ~3ull : ~0xfull);

	if (i == PCI_ROM)
		return base & ROM_ADDRESS;
	if (bar->wide)
		base |= (uint64_t)config_get(device, bar_register(i) + 4, 4) << 32;
	return base;
}

/* Where the guest wants a BAR; 0: nowhere. A BAR that is being sized reads as no address. */
static uint64_t bar_wanted(const struct pci_device *device, unsigned i)
{
	const struct pci_bar *bar = &device->bar[i];
	uint64_t len = bar->region.len, end = 1ull << 32, base;

	if (len == 0 ||
		!(device->config[PCI_COMMAND] & (bar->io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
		return 0;
	if (i == PCI_ROM && !(device->config[PCI_ROM_ADDRESS] & ROM_ON))
		return 0;
	base = bar_address(device, i);
	if (bar->io)
		end = 1 << 16;
	else if (base >> 32)
		end = BAR_LIMIT;
	return base >= end || len >= end - base ? 0 : base;
}

static struct bus *bar_bus(const struct pci_device *device, unsigned i)
{
	return device->bar[i].io ? device->bus->pio : device->bus->mmio;
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
	if (bar->slot)
		slot_unmap(bar->slot);
	bus_remove(bar_bus(device, i), &bar->region);
	bar->mapped = false;
}

static void bar_map(struct pci_device *device, unsigned i, uint64_t base)
{
	struct pci_bar *bar = &device->bar[i];

	bar->region.base = base;
	if (bus_add(bar_bus(device, i), &bar->region) < 0) {
		/* Two BARs may change places one after the other: tried again at the next move. */
		g_debug("%s: BAR %u cannot lie at %#" G_GINT64_MODIFIER "x", device->name, i, base);
		return;
	}
	/* Where the kernel will not have it, over RAM, accesses still come by way of the bus. */
	if (bar->slot && slot_map(bar->slot, base) < 0)
		g_debug("%s: BAR %u is over memory at %#" G_GINT64_MODIFIER "x", device->name, i,
			base);
	bar->mapped = true;
	bar_moved(device, i, base);
}

void pci_unmap_bars(struct pci_device *device)
{
	for (unsigned i = 0; i <= PCI_ROM; i++)
		bar_unmap(device, i);
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
	for (unsigned f = 0; f < PCI_FUNCTIONS; f++)
		for (unsigned i = 0; bus->function[f] && i <= PCI_ROM; i++)
			visit(bus->function[f], i, bar_wanted(bus->function[f], i));
}

void pci_settle_leave(struct pci_bus *bus)
{
	pci_visit_bars(bus, visit_leave);
}

/* First all that leave, then all that come. */
void pci_settle(struct pci_bus *bus)
{
	pci_settle_leave(bus);
	pci_visit_bars(bus, visit_come);
}

/* Gives the BARs of one function addresses from *mmio and *io on; false when there is no room. */
static bool pci_assign_device(struct pci_device *device, uint64_t *mmio, uint64_t mmio_end,
	uint64_t *io)
{
	bool all = true;

	for (unsigned i = 0; i < PCI_BARS; i++) {
		uint64_t len = device->bar[i].region.len, base;
		uint64_t *next = device->bar[i].io ? io : mmio;
		uint64_t end = device->bar[i].io ? ASSIGN_IO_END : mmio_end;

		if (len == 0)
			continue;
		base = (*next + len - 1) & ~(len - 1);
		if (base > end || len > end - base) {
			g_warning("%s: no room for BAR %u", device->name, i);
			all = false;
			continue;
		}
		config_set(device, bar_register(i),
			(uint32_t)base | (device->config[bar_register(i)] & 0xf), 4);
		if (device->bar[i].wide)
			config_set(device, bar_register(i) + 4, (uint32_t)(base >> 32), 4);
		*next = base + len;
	}
	return all;
}

void pci_assign(struct pci_bus *bus, uint64_t mmio_base, uint64_t mmio_len)
{
	uint64_t mmio = mmio_base, end = mmio_base + mmio_len, io = ASSIGN_IO_BASE;

	for (unsigned f = 0; f < PCI_FUNCTIONS; f++) {
		struct pci_device *device = bus->function[f];

		if (device && pci_assign_device(device, &mmio, end, &io))
			device->config[PCI_COMMAND] |=
				(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER) &
				device->writable[PCI_COMMAND];
	}
}

static void add_bar(struct pci_device *device, unsigned i, uint64_t len, uint8_t bits,
	const struct region_ops *ops, void *owner, const char *name)
{
	uint64_t mask = ~(len - 1);
	struct pci_bar *bar = &device->bar[i];

	bar->region = (struct region){ .name = name, .len = len, .ops = ops, .owner = owner };
	bar->io = bits & BAR_IO;
	bar->wide = bits & BAR_64;
	device->config[bar_register(i)] = bits;
	memcpy(&device->writable[bar_register(i)], &mask, bar->wide ? 8 : 4);
	device->writable[PCI_COMMAND] |= bar->io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
}

void pci_add_bar(struct pci_device *device, unsigned bar, uint64_t len,
	const struct region_ops *ops, void *owner, const char *name)
{
	add_bar(device, bar, len, 0, ops, owner, name);
}

void pci_add_bar64(struct pci_device *device, unsigned bar, uint64_t len,
	const struct region_ops *ops, void *owner, const char *name)
{
	add_bar(device, bar, len, BAR_64 | BAR_PREFETCH, ops, owner, name);
}

void pci_add_bar_io(struct pci_device *device, unsigned bar, uint64_t len,
	const struct region_ops *ops, void *owner, const char *name)
{
	add_bar(device, bar, len, BAR_IO, ops, owner, name);
}

/* Accesses that reach the bus all the same: no KVM, or an instruction that the kernel emulates. */
static uint64_t memory_bar_read(void *owner, uint64_t offset, unsigned size)
{
	const struct memory_slot *slot = owner;
	uint64_t value = 0;

	memcpy(&value, (const uint8_t *)slot->host + offset, size);
	return value;
}

static void memory_bar_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	const struct memory_slot *slot = owner;

	if (!(slot->flags & SLOT_READ_ONLY))
		memcpy((uint8_t *)slot->host + offset, &value, size);
}

static const struct region_ops memory_bar_ops = {
	.read = memory_bar_read,
	.write = memory_bar_write,
};

void pci_add_bar_memory(struct pci_device *device, unsigned bar, struct memory_slot *slot, bool wide)
{
	add_bar(device, bar, slot->len, BAR_PREFETCH | (wide ? BAR_64 : 0), &memory_bar_ops, slot,
		slot->name);
	device->bar[bar].slot = slot;
}

void pci_add_rom(struct pci_device *device, struct memory_slot *slot)
{
	uint32_t mask = ((uint32_t)ROM_ADDRESS & ~(uint32_t)(slot->len - 1)) | ROM_ON;

	add_bar(device, PCI_ROM, slot->len, 0, &memory_bar_ops, slot, slot->name);
	memcpy(&device->writable[PCI_ROM_ADDRESS], &mask, sizeof(mask));
	device->bar[PCI_ROM].slot = slot;
}
