/*
 * What the files of an AHCI controller with a CD drive share: ahci.c (PCI function, registers, life)
 * and ahci_command.c (a command's way from its slot to its end). Under the controller's lock.
 * Source: Serial ATA AHCI 1.3; Serial ATA 2.6, section 10 (FIS).
 */
#ifndef IRORI_VMM_AHCI_INTERNAL_H
#define IRORI_VMM_AHCI_INTERNAL_H

#include <glib.h>

#include "vmm/atapi.h"
#include "vmm/device.h"
#include "vmm/disk.h"
#include "vmm/memory.h"
#include "vmm/pci.h"

enum ahci_limits {
	AHCI_SLOTS = 32,
	AHCI_PIECE = 65536, /* of a read, at a time */
	AHCI_TURN = 64,     /* commands and pieces, before somebody else has the lock */
};

enum ahci_port_interrupts {
	AHCI_PXI_D2H = 1 << 0,       /* a register FIS */
	AHCI_PXI_PIO = 1 << 1,
	AHCI_PXI_CONNECT = 1 << 6,
	AHCI_PXI_HOST_FATAL = 1 << 29,
	AHCI_PXI_TASK_FILE = 1 << 30,
};

enum ahci_port_command {
	AHCI_CMD_START = 1 << 0,
	AHCI_CMD_RECEIVE = 1 << 4,
	AHCI_CMD_SLOT = 0x1f00,
};

enum ata_status {
	ATA_ERROR = 0x01,
	ATA_DATA = 0x08,
	ATA_GOOD = 0x50, /* ready, and no seek under way */
	ATA_ABORTED = 0x04, /* in the error register */
};

struct ahci_port {
	uint32_t list_low, list_high, fis_low, fis_high;
	uint32_t interrupts, enabled, command, control, errors, issued;
	uint8_t status, error;
	uint8_t halted;   /* after an error, until START is cleared */
	uint8_t resetting; /* software reset: between its two FIS */
};

/* The command that is being carried out. */
struct ahci_transfer {
	bool active;
	bool under_way; /* the host has the buffer */
	bool stale;     /* the guest has forgotten it: only the buffer is waited for */
	unsigned slot;
	bool by_dma;    /* the guest's choice of protocol; the data goes the same way */
	uint32_t block, blocks; /* still to be read */
	uint64_t header;        /* where the slot is */
	uint64_t regions;       /* the table of memory regions */
	uint32_t n_regions, region; /* all, and the one that is filled */
	uint32_t filled;        /* of that region */
	uint32_t moved;         /* in all */
	uint32_t piece;         /* bytes that are under way; the operation's own shrink with it */
	struct disk_io io;
	struct iovec iov;
};

struct ahci {
	struct device device;
	struct pci_device pci;
	GMutex lock;
	const struct guest_memory *memory;
	GSource *source; /* runs on the I/O thread when woken */
	struct disk *disk; /* NULL: an empty drive */
	uint32_t global, pending; /* GHC, IS */
	uint32_t signalled;
	struct ahci_port port;
	struct atapi atapi;
	char serial[DISK_ID_LEN], model[DISK_MODEL_LEN];
	struct ahci_transfer transfer;
	struct atapi_answer answer;
	uint8_t buffer[AHCI_PIECE];
};

/* ---- ahci.c ---- */

void ahci_wake(struct ahci *ahci);
/* The interrupt follows what the registers say. */
void ahci_signal(struct ahci *ahci);

/* ---- ahci_command.c: on the I/O thread ---- */

/* Carries out what has been issued, until a read is under way or nothing is left. */
void ahci_run(struct ahci *ahci);
/* The guest has stopped the port: what is under way does not concern it any more. */
void ahci_forget(struct ahci *ahci);
/* The drive reports itself, as it does after a reset of any kind. */
void ahci_report(struct ahci *ahci);

#endif
