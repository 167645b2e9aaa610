/*
 * PCI functions on bus 0. Source: PCI Local Bus 3.0 section 6; ICH9/Q35 for where ECAM is.
 */
#ifndef DEMO_KERNEL_PCI_H
#define DEMO_KERNEL_PCI_H

#include <stdint.h>

enum { PCI_MAX_CAPS = 16 };

struct pci_cap {
	uint32_t head; /* the first four bytes: id, next, and two of the capability's own */
	uint8_t at;
};

struct pci {
	uint16_t vendor, device;
	uint8_t slot;
	/* What has been asked before is not asked again. */
	uint8_t n_caps;
	struct pci_cap cap[PCI_MAX_CAPS];
	volatile uint8_t *bar[6];
};

void pci_init(void);
/* The nth function (from 0) with these IDs, its capabilities listed; or NULL. */
struct pci *pci_find(uint16_t vendor, uint16_t device, unsigned nth);
uint32_t pci_read(const struct pci *pci, unsigned offset); /* 4 bytes, aligned */
void pci_write(const struct pci *pci, unsigned offset, uint32_t value);
/* Where memory BAR `bar` is mapped; given a place if it has none below 4 GiB. NULL: no BAR. */
volatile uint8_t *pci_bar(struct pci *pci, unsigned bar);
/* Memory and bus mastering on, MSI-X on with vector 0 set to the one interrupt. */
int pci_enable(struct pci *pci);

#endif
