/*
 * PCI functions on bus 0. Source: PCI Local Bus 3.0 section 6; ICH9/Q35 for where ECAM is.
 */
#ifndef DEMO_KERNEL_PCI_H
#define DEMO_KERNEL_PCI_H

#include <stdint.h>

struct pci {
	uint16_t vendor, device;
	uint8_t slot;
};

void pci_init(void);
/* The nth function (from 0) with these IDs, or NULL. */
const struct pci *pci_find(uint16_t vendor, uint16_t device, unsigned nth);
uint32_t pci_read(const struct pci *pci, unsigned offset); /* 4 bytes, aligned */
void pci_write(const struct pci *pci, unsigned offset, uint32_t value);
/* Where memory BAR `bar` is mapped; given a place if it has none below 4 GiB. NULL: no BAR. */
volatile uint8_t *pci_bar(const struct pci *pci, unsigned bar);
/* Offset of the next capability `id` after `from` (0: from the beginning), 0: no more. */
unsigned pci_capability(const struct pci *pci, uint8_t id, unsigned from);
/* Memory and bus mastering on, MSI-X on with vector 0 set to the one interrupt. */
int pci_enable(const struct pci *pci);

#endif
