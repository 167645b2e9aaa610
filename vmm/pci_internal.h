/*
 * What the files of the PCI bus share and nobody else may look at: pci.c (functions and their
 * configuration spaces), pci_bar.c (BARs), pci_host.c (the ways in, the host bridge), pci_intx.c
 * (pins), msi.c, msix.c, pci_state.c.
 */
#ifndef IRORI_VMM_PCI_INTERNAL_H
#define IRORI_VMM_PCI_INTERNAL_H

#include <string.h>

#include "vmm/pci.h"

enum pci_internal_limits {
	PCI_FUNCTIONS = PCI_SLOTS * 8,
	PCI_LINES = 8, /* PIRQA..PIRQH */
};

/* The lines that pins are wired to. */
struct intx_lines {
	GMutex lock;
	struct intx_sink *sink;
	unsigned high[PCI_LINES]; /* functions that drive it */
};

struct pci_bus {
	GMutex lock; /* configuration spaces, `address`, functions */
	struct bus *mmio, *pio;
	struct msi_sink *sink;
	struct pci_device *function[PCI_FUNCTIONS]; /* by slot * 8 + function */
	struct pci_device bridge;
	struct region ports, ecam;
	struct intx_lines lines;
	uint32_t address;
	uint8_t (*reset_read)(void *owner);
	void (*reset_write)(void *owner, uint8_t value);
	void *reset_owner;
	void (*ecam_moved)(void *owner);
	void *ecam_owner;
	bool ecam_told; /* where it is now; under the lock */
};

static inline uint32_t config_get(const struct pci_device *device, unsigned offset, unsigned size)
{
	uint32_t value = 0;

	memcpy(&value, &device->config[offset], size);
	return value;
}

static inline void config_set(struct pci_device *device, unsigned offset, uint32_t value,
	unsigned size)
{
	memcpy(&device->config[offset], &value, size);
}

/* Under the bus's lock; `function` is slot * 8 + function. */
uint64_t pci_config_read(struct pci_bus *bus, unsigned function, unsigned offset, unsigned size);
void pci_config_write(struct pci_bus *bus, unsigned function, unsigned offset, unsigned size,
	uint64_t value);

/* Under the bus's lock: puts every BAR where the guest wants it. */
void pci_settle(struct pci_bus *bus);
/* The first half of it: none stays where it is not wanted. */
void pci_settle_leave(struct pci_bus *bus);
void pci_unmap_bars(struct pci_device *device);
/* Addresses for every BAR, as a firmware would give them. */
void pci_assign(struct pci_bus *bus, uint64_t mmio_base, uint64_t mmio_len);

/* The host bridge: ECAM to where its PCIEXBAR says. */
void pci_host_init(struct pci_bus *bus);
void pci_host_settle(struct pci_bus *bus);

/* A pin follows a write to the command register or to MSI-X's control, a reset, the end of its
 * device. */
void pci_intx_update(struct pci_device *device);

/* MSI-X follows a write to its capability or to the command register, a reset, a saved guest. */
void msix_control_written(struct pci_device *device);
void msix_master_written(struct pci_device *device);
void msix_reset(struct pci_device *device);
void msix_state(struct pci_device *device, struct state *state);

/* The same of MSI, which has its state in configuration space. */
bool msi_on(const struct pci_device *device);
void msi_written(struct pci_device *device);
void msi_reset(struct pci_device *device);

#endif
