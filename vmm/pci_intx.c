/*
 * The interrupt pins of PCI functions: INTA# of each, wired to one of the chipset's lines. A line is
 * high while any function drives it. Source: PCI Local Bus 3.0, sections 2.2.6 and 6.2.4.
 */
#include "vmm/pci_internal.h"

enum {
	SLOTS_IN_TURN = 25,
};

unsigned pci_intx_line(unsigned slot)
{
	return slot < SLOTS_IN_TURN ? 4 + slot % 4 : 0;
}

void pci_add_intx(struct pci_device *device)
{
	device->config[PCI_INTERRUPT_PIN] = 1;
}

void pci_bus_intx(struct pci_bus *bus, struct intx_sink *sink)
{
	bus->lines.sink = sink;
}

/* Under the lines' lock, so that the sink hears of changes in their order. */
static void line_update(struct intx_lines *lines, struct pci_device *device)
{
	bool off = config_get(device, PCI_COMMAND, 2) & PCI_COMMAND_INTX_OFF;
	bool high = device->intx && !off && !msix_on(device) && !msi_on(device);
	unsigned line = pci_intx_line(device->slot), before = lines->high[line];

	if (device->intx)
		device->config[PCI_STATUS] |= PCI_STATUS_INTX;
	else
		device->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTX;
	if (high == device->intx_high)
		return;
	device->intx_high = high;
	lines->high[line] += high ? 1 : -1;
	if (lines->sink && !before != !lines->high[line])
		lines->sink->set(lines->sink, line, lines->high[line]);
}

void pci_intx_update(struct pci_device *device)
{
	struct intx_lines *lines = &device->bus->lines;

	g_mutex_lock(&lines->lock);
	line_update(lines, device);
	g_mutex_unlock(&lines->lock);
}

void pci_intx(struct pci_device *device, bool level)
{
	struct intx_lines *lines;

	if (!device->bus)
		return;
	lines = &device->bus->lines;
	g_mutex_lock(&lines->lock);
	if (device->intx != level) {
		device->intx = level;
		line_update(lines, device);
	}
	g_mutex_unlock(&lines->lock);
}
