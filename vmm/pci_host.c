/*
 * The ways to configuration space (CF8/CFC, ECAM) and the host bridge of a Q35, which says where ECAM
 * is. What its PAM and SMRAM registers would switch is always RAM here: they keep what is written.
 * Source: Intel 3 Series Express Chipset Family datasheet, section 5.1; PCI Express Base, 7.2.2.
 */
#define G_LOG_DOMAIN "pci"

#include <errno.h>

#include "vmm/pci_internal.h"

enum host_ports {
	PCI_PORT_BASE = 0xcf8, /* address register; 0xcfc: data */
	PCI_PORT_LEN = 8,
	PCI_PORT_RESET = 1, /* CF9 */
};

enum host_registers {
	Q35_PCIEXBAR = 0x60,
	Q35_PCIEXBAR_ON = 1,
	Q35_PCIEXBAR_LEN = 6, /* 0: 256 MiB, 2: 128 MiB, 4: 64 MiB */
	Q35_PAM = 0x90,
	Q35_PAM_LEN = 7,
	Q35_SMRAM = 0x9d,
	Q35_SMRAM_INITIAL = 0x02,
	ECAM_BUS_LEN = 1 << 20,
};

/* Leaves the lock, and tells where ECAM has gone to meanwhile. */
static void pci_unlock(struct pci_bus *bus)
{
	bool told = bus->ecam_told;

	bus->ecam_told = true;
	g_mutex_unlock(&bus->lock);
	if (!told && bus->ecam_moved)
		bus->ecam_moved(bus->ecam_owner);
}

static uint64_t all_ones(unsigned size)
{
	return size >= 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;
}

/* CF8: bit 31 enable, 23..16 bus, 15..11 device, 10..8 function, 7..2 register. */
static bool pci_port_target(const struct pci_bus *bus, unsigned *function, unsigned *offset)
{
	*function = bus->address >> 8 & 0xff;
	*offset += bus->address & 0xfc;
	return (bus->address >> 31) && (bus->address >> 16 & 0xff) == 0;
}

static uint64_t ports_read(void *owner, uint64_t offset, unsigned size)
{
	struct pci_bus *bus = owner;
	uint64_t value = all_ones(size);
	unsigned function, reg = offset & 3;

	if (offset == PCI_PORT_RESET && size == 1)
		return bus->reset_read ? bus->reset_read(bus->reset_owner) : 0;
	g_mutex_lock(&bus->lock);
	if (offset == 0 && size == 4)
		value = bus->address;
	else if (offset >= 4 && reg + size <= 4 && pci_port_target(bus, &function, &reg))
		value = pci_config_read(bus, function, reg, size);
	g_mutex_unlock(&bus->lock);
	return value;
}

static void ports_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_bus *bus = owner;
	unsigned function, reg = offset & 3;

	if (offset == PCI_PORT_RESET && size == 1) {
		if (bus->reset_write)
			bus->reset_write(bus->reset_owner, (uint8_t)value);
		return;
	}
	g_mutex_lock(&bus->lock);
	if (offset == 0 && size == 4)
		bus->address = (uint32_t)value;
	else if (offset >= 4 && reg + size <= 4 && pci_port_target(bus, &function, &reg))
		pci_config_write(bus, function, reg, size, value);
	pci_unlock(bus);
}

static const struct region_ops ports_ops = {
	.read = ports_read,
	.write = ports_write,
};

/* ECAM: bits 27..20 bus, 19..15 device, 14..12 function, 11..0 register. */
static uint64_t ecam_read(void *owner, uint64_t offset, unsigned size)
{
	struct pci_bus *bus = owner;
	uint64_t value = all_ones(size);

	if (offset >= ECAM_BUS_LEN)
		return value;
	g_mutex_lock(&bus->lock);
	value = pci_config_read(bus, (unsigned)(offset >> 12), offset & 0xfff, size);
	g_mutex_unlock(&bus->lock);
	return value;
}

static void ecam_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_bus *bus = owner;

	if (offset >= ECAM_BUS_LEN)
		return;
	g_mutex_lock(&bus->lock);
	pci_config_write(bus, (unsigned)(offset >> 12), offset & 0xfff, size, value);
	pci_unlock(bus);
}

static const struct region_ops ecam_ops = {
	.read = ecam_read,
	.write = ecam_write,
};

/* What PCIEXBAR says; false: off, or a length that is reserved. */
static bool ecam_wanted(const struct pci_bus *bus, uint64_t *base, uint64_t *len)
{
	uint32_t low = config_get(&bus->bridge, Q35_PCIEXBAR, 4);

	if (!(low & Q35_PCIEXBAR_ON) || (low & Q35_PCIEXBAR_LEN) == Q35_PCIEXBAR_LEN)
		return false;
	*len = (256ull << 20) >> (low & Q35_PCIEXBAR_LEN) / 2;
	*base = (low | (uint64_t)config_get(&bus->bridge, Q35_PCIEXBAR + 4, 4) << 32) & ~(*len - 1);
	return *base != 0;
}

void pci_host_settle(struct pci_bus *bus)
{
	uint64_t base = 0, len = 0;

	if (!ecam_wanted(bus, &base, &len))
		len = 0;
	if (bus->ecam.base == base && bus->ecam.len == len)
		return;
	/* Also from inside an access to ECAM itself, so it cannot wait for those under way. */
	if (bus_move(bus->mmio, &bus->ecam, base, len) < 0) {
		g_debug("ECAM cannot lie at %#" G_GINT64_MODIFIER "x", base);
		bus_move(bus->mmio, &bus->ecam, 0, 0);
	}
	bus->ecam_told = false;
	pci_settle(bus); /* a BAR may have waited for the place */
}

static void bridge_written(struct pci_device *device, unsigned offset, unsigned size)
{
	if (offset < Q35_PCIEXBAR + 8 && offset + size > Q35_PCIEXBAR)
		pci_host_settle(device->bus);
}

void pci_host_init(struct pci_bus *bus)
{
	static const struct pci_id q35 = {
		.vendor = 0x8086,
		.device = 0x29c0,
		.class_code = 0x06,
	};
	static const struct pci_device_ops ops = {
		.config_written = bridge_written,
	};
	struct pci_device *bridge = &bus->bridge;

	bus->ports = (struct region){ .name = "pci ports", .base = PCI_PORT_BASE,
		.len = PCI_PORT_LEN, .ops = &ports_ops, .owner = bus };
	bus->ecam = (struct region){ .name = "pci ecam", .ops = &ecam_ops, .owner = bus };
	pci_init(bridge, "host bridge", &q35, &ops);
	bridge->config[Q35_SMRAM] = Q35_SMRAM_INITIAL;
	config_set(bridge, Q35_PCIEXBAR, 0, 4);
	memset(&bridge->writable[Q35_PAM], 0x33, Q35_PAM_LEN);
	bridge->writable[Q35_SMRAM] = 0x78; /* not that it is locked, which would be a promise */
	bridge->writable[Q35_PCIEXBAR] = Q35_PCIEXBAR_ON | Q35_PCIEXBAR_LEN;
	bridge->writable[Q35_PCIEXBAR + 3] = 0xfc; /* from 64 MiB up */
	bridge->writable[Q35_PCIEXBAR + 4] = 0x0f; /* to 36 bits */
}

int pci_bus_map(struct pci_bus *bus, uint64_t ecam_base)
{
	struct pci_device *bridge = &bus->bridge;
	int result = bus_add(bus->pio, &bus->ports);

	if (result < 0)
		return result;
	g_mutex_lock(&bus->lock);
	config_set(bridge, Q35_PCIEXBAR, (uint32_t)ecam_base | Q35_PCIEXBAR_ON, 4);
	config_set(bridge, Q35_PCIEXBAR + 4, (uint32_t)(ecam_base >> 32), 4);
	memcpy(bridge->initial, bridge->config, PCI_CONFIG_SIZE);
	pci_host_settle(bus);
	bus->ecam_told = true;
	result = bus->ecam.len ? 0 : -EBUSY;
	g_mutex_unlock(&bus->lock);
	if (result < 0)
		bus_remove(bus->pio, &bus->ports);
	return result;
}

bool pci_bus_ecam(struct pci_bus *bus, uint64_t *base, uint64_t *len)
{
	bool on;

	g_mutex_lock(&bus->lock);
	*base = bus->ecam.base;
	*len = bus->ecam.len;
	on = *len != 0;
	g_mutex_unlock(&bus->lock);
	return on;
}

void pci_bus_ecam_moved(struct pci_bus *bus, void (*moved)(void *owner), void *owner)
{
	bus->ecam_moved = moved;
	bus->ecam_owner = owner;
}

void pci_bus_reset_port(struct pci_bus *bus, uint8_t (*read)(void *owner),
	void (*write)(void *owner, uint8_t value), void *owner)
{
	bus->reset_read = read;
	bus->reset_write = write;
	bus->reset_owner = owner;
}
