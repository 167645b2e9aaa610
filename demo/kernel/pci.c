/*
 * PCI: finding functions on bus 0, BARs, MSI-X. Every access to configuration space is a trip to
 * the VMM, by ECAM one, by CF8/CFC two: ECAM where the host bridge says it has one.
 */
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"
#include "demo/kernel/pci.h"

enum { SLOTS = 32, PCIEXBAR = 0x60, CAP_MSIX = 0x11 };

static struct pci found[SLOTS];
static unsigned n_found;
static uint64_t ecam; /* physical, 0: none */
static uint64_t bar_free = 0xe0000000; /* for BARs that nobody placed; rarely needed */

uint32_t pci_read(const struct pci *pci, unsigned offset)
{
	if (ecam)
		return mmio_read32(direct(ecam + (pci->slot << 15) + offset));
	outl(0xcf8, 0x80000000 | (uint32_t)pci->slot << 11 | offset);
	return inl(0xcfc);
}

void pci_write(const struct pci *pci, unsigned offset, uint32_t value)
{
	if (ecam) {
		mmio_write32(direct(ecam + (pci->slot << 15) + offset), value);
		return;
	}
	outl(0xcf8, 0x80000000 | (uint32_t)pci->slot << 11 | offset);
	outl(0xcfc, value);
}

void pci_init(void)
{
	const struct pci bridge = { .slot = 0 };
	uint32_t base = pci_read(&bridge, 0) == 0x29c08086 ? pci_read(&bridge, PCIEXBAR) : 0;

	if (base & 1)
		ecam = base & 0xf0000000;
	for (uint8_t slot = 1; slot < SLOTS; slot++) {
		struct pci *pci = &found[n_found];
		uint32_t id;

		pci->slot = slot;
		id = pci_read(pci, 0);
		if (id == 0xffffffff)
			continue;
		pci->vendor = (uint16_t)id;
		pci->device = (uint16_t)(id >> 16);
		n_found++;
	}
}

static void capabilities_list(struct pci *pci)
{
	uint8_t at = pci_read(pci, 0x34) & 0xfc;

	while (at && pci->n_caps < PCI_MAX_CAPS) {
		uint32_t head = pci_read(pci, at);

		pci->cap[pci->n_caps++] = (struct pci_cap){ head, at };
		at = head >> 8 & 0xfc;
	}
}

struct pci *pci_find(uint16_t vendor, uint16_t device, unsigned nth)
{
	for (struct pci *pci = found; pci < found + n_found; pci++) {
		if (pci->vendor == vendor && pci->device == device && !nth--) {
			if (!pci->n_caps)
				capabilities_list(pci);
			return pci;
		}
	}
	return NULL;
}

static uint64_t bar_place(const struct pci *pci, unsigned offset, bool wide)
{
	uint64_t size, at;

	pci_write(pci, offset, 0xffffffff);
	size = ~(pci_read(pci, offset) & ~0xful) + 1;
	size &= 0xffffffff;
	at = (bar_free + size - 1) & -size;
	bar_free = at + size;
	pci_write(pci, offset, (uint32_t)at);
	if (wide)
		pci_write(pci, offset + 4, 0);
	return at;
}

static volatile uint8_t *bar_find(const struct pci *pci, unsigned bar)
{
	unsigned offset = 0x10 + 4 * bar;
	uint32_t low = pci_read(pci, offset);
	bool wide = (low & 6) == 4;
	uint64_t at = low & ~0xful;

	if (low & 1)
		return NULL;
	if (!at || (wide && pci_read(pci, offset + 4)))
		at = bar_place(pci, offset, wide);
	return direct(at);
}

volatile uint8_t *pci_bar(struct pci *pci, unsigned bar)
{
	if (bar >= ARRAY_SIZE(pci->bar))
		return NULL;
	if (!pci->bar[bar])
		pci->bar[bar] = bar_find(pci, bar);
	return pci->bar[bar];
}

int pci_enable(struct pci *pci)
{
	const struct pci_cap *msix = pci->cap;
	volatile uint8_t *entry;
	uint32_t table;

	while (msix < pci->cap + pci->n_caps && (msix->head & 0xff) != CAP_MSIX)
		msix++;
	if (msix == pci->cap + pci->n_caps)
		return -ENODEV;
	table = pci_read(pci, msix->at + 4);
	entry = pci_bar(pci, table & 7);
	if (!entry)
		return -ENODEV;
	pci_write(pci, 4, 0x406); /* memory, bus master, no INTx */
	entry += table & ~7u;
	mmio_write32(entry, 0xfee00000); /* to processor 0 */
	mmio_write32(entry + 4, 0);
	mmio_write32(entry + 8, VECTOR_WAKE);
	mmio_write32(entry + 12, 0);
	pci_write(pci, msix->at, (msix->head & 0x3fffffff) | 0x80000000);
	return 0;
}
