/*
 * The interrupt pins of PCI functions: INTA# of each, wired to one of the chipset's lines. A line is
 * high while any function drives it. Source: PCI Local Bus 3.0, sections 2.2.6 and 6.2.4.
 */
#include "vmm/pci.h"

unsigned pci_intx_line(unsigned slot)
{
	return 4 + slot % 4;
}

void pci_add_intx(struct pci_device *device)
{
	device->config[PCI_INTERRUPT_PIN] = 1;
}

void pci_bus_intx(struct pci_bus *bus, struct intx_sink *sink)
{
	pci_bus_lines(bus)->sink = sink;
}

/* Under the lines' lock, so that the sink hears of changes in their order. */
static void line_update(struct intx_lines *lines, struct pci_device *device)
{
	bool off = device->config[PCI_COMMAND + 1] & PCI_COMMAND_INTX_OFF >> 8;
	unsigned line = pci_intx_line(device->slot);
	uint32_t before = lines->high[line], bit = 1u << device->slot;

	if (device->intx && !off)
		lines->high[line] |= bit;
	else
		lines->high[line] &= ~bit;
	if (device->intx)
		device->config[PCI_STATUS] |= PCI_STATUS_INTX;
	else
		device->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTX;
	if (lines->sink && !before != !lines->high[line])
		lines->sink->set(lines->sink, line, lines->high[line]);
}

void pci_intx_update(struct pci_device *device)
{
	struct intx_lines *lines = pci_bus_lines(device->bus);

	g_mutex_lock(&lines->lock);
	line_update(lines, device);
	g_mutex_unlock(&lines->lock);
}

void pci_intx(struct pci_device *device, bool level)
{
	struct intx_lines *lines;

	if (!device->bus)
		return;
	lines = pci_bus_lines(device->bus);
	g_mutex_lock(&lines->lock);
	if (device->intx != level) {
		device->intx = level;
		line_update(lines, device);
	}
	g_mutex_unlock(&lines->lock);
}
