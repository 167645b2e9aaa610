/*
 * PCI Express functions and the bus that finds them.
 *
 * A pci_device is embedded in the device that owns it: it has a configuration space (type 0 header,
 * capabilities), up to six BARs and an MSI-X table. Configuration space is reached by CF8/CFC and by
 * ECAM, both through this file. Source: PCI Local Bus 3.0 section 6, PCI Express Base section 7.
 *
 * Thread: set-up on the main thread before the guest runs. Configuration and BAR accesses come on
 * vCPU threads, configuration under the bus's own lock. msix_raise from any thread. The sink's
 * functions are called under the device's msix_lock; ops under the bus's lock. So the order of locks
 * is: the PCI bus, a device's own, msix_lock, the sink's.
 */
#ifndef IRORI_VMM_PCI_H
#define IRORI_VMM_PCI_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/bus.h"

enum pci_registers {
	PCI_VENDOR_ID = 0x00,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_REVISION = 0x08,
	PCI_CACHE_LINE = 0x0c,
	PCI_BAR0 = 0x10,
	PCI_SUBSYSTEM = 0x2c,
	PCI_HEADER_TYPE = 0x0e,
	PCI_ROM_ADDRESS = 0x30,
	PCI_CAP_POINTER = 0x34,
	PCI_INTERRUPT_LINE = 0x3c,
	PCI_INTERRUPT_PIN = 0x3d,
	PCI_HEADER_END = 0x40,

	PCI_COMMAND_IO = 0x0001,
	PCI_COMMAND_MEMORY = 0x0002,
	PCI_COMMAND_MASTER = 0x0004,
	PCI_COMMAND_INTX_OFF = 0x0400,
	PCI_STATUS_INTX = 0x0008,
	PCI_STATUS_CAPS = 0x0010,
	PCI_CAP_MSI = 0x05,
	PCI_CAP_MSIX = 0x11,
	PCI_CAP_VENDOR = 0x09,
	PCI_CAP_EXPRESS = 0x10,
};

enum pci_limits {
	PCI_SLOTS = 32,
	PCI_BARS = 6,
	PCI_ROM = PCI_BARS, /* the option ROM is one more, with a register of its own */
	PCI_CONFIG_SIZE = 4096,
	PCI_MSIX_MAX = 64, /* vectors of one device */
};

struct memory_slot;
struct pci_bus;
struct pci_device;
struct state;

/* Sends one message-signalled interrupt; kvm.c has the real one, tests a counting one. */
struct msi_sink {
	/* Route vector `index` of the device to (address, data); called when the guest (re)writes
	 * a table entry or unmasks it. */
	int (*route)(struct msi_sink *sink, struct pci_device *device, unsigned index,
		uint64_t address, uint32_t data);
	void (*raise)(struct msi_sink *sink, struct pci_device *device, unsigned index);
};

/* Where the four interrupt pins of all functions go: the chipset (lpc.c), or a counter in tests.
 * `line` is 0..7, PIRQA..PIRQH; the level is the OR of all functions on it. Any thread. */
struct intx_sink {
	void (*set)(struct intx_sink *sink, unsigned line, bool level);
};

struct pci_id {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint8_t class_code, subclass, interface, revision;
};

struct pci_device_ops {
	/* A write to configuration space outside the header's standard fields, after it has been
	 * stored where the write mask allows. May be NULL. */
	void (*config_written)(struct pci_device *device, unsigned offset, unsigned size);
	/* Before a read is answered from config[]. May be NULL. */
	void (*config_reading)(struct pci_device *device, unsigned offset, unsigned size);
	/* Where BAR `bar` lies now, or 0 when it is switched off (ioeventfds follow). May be NULL. */
	void (*bar_moved)(struct pci_device *device, unsigned bar, uint64_t base);
	/* The command register was written (or reset, or loaded): bus mastering may have come or
	 * gone, see pci_master. May be NULL. */
	void (*command_written)(struct pci_device *device);
};

struct pci_bar {
	struct region region; /* owner, ops and len are the device's; base follows the BAR */
	bool io;              /* port I/O, else memory */
	bool wide;            /* memory, 64 bits: the next BAR's register is its upper half */
	struct memory_slot *slot; /* memory that the guest reaches without leaving; NULL: by ops */
	bool mapped;
};

struct msix_vector {
	uint64_t address;
	uint32_t data, control;
	bool pending;
	int eventfd; /* with an irqfd behind it; -1 when the sink raises by ioctl */
	int gsi;
};

struct pci_device {
	const char *name;
	const struct pci_device_ops *ops;
	struct pci_bus *bus;
	unsigned slot, function;
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE]; /* mask of bits the guest may change */
	uint8_t initial[PCI_CONFIG_SIZE];  /* what reset goes back to; kept by pci_attach */
	struct pci_bar bar[PCI_BARS + 1];
	unsigned next_cap; /* where the next capability goes */
	uint8_t last_cap;
	/* MSI-X; what follows is under msix_lock once the guest runs. */
	unsigned msix_cap; /* offset, 0: none */
	bool msix_enabled, msix_all_masked; /* the capability's message control, as last written */
	unsigned n_vectors, msix_bar;
	uint32_t msix_table, msix_pba; /* offsets in the BAR */
	struct msix_vector vector[PCI_MSIX_MAX];
	GMutex msix_lock;
	unsigned msi_cap; /* offset, 0: none; its one vector is vector[0] */
	bool msi_enabled; /* as last written */
	bool intx; /* the pin, as the device drives it; under the lock of the bus's lines */
	bool intx_high; /* and as the line sees it */
};

/* The sink stays the caller's and outlives the bus. A host bridge sits in slot 0. */
struct pci_bus *pci_bus_new(struct bus *mmio, struct bus *pio, struct msi_sink *sink);
void pci_bus_free(struct pci_bus *bus); /* functions are their owners', detached before */
struct msi_sink *pci_bus_sink(struct pci_bus *bus);
/* Adds CF8..CFF to the port bus and ECAM at `base` to the MMIO bus. 0 or -errno. That is where
 * ECAM is after every reset; a firmware puts it elsewhere by the host bridge's PCIEXBAR (of its
 * 256, 128 or 64 MiB only bus 0 has functions). */
int pci_bus_map(struct pci_bus *bus, uint64_t ecam_base);
/* Where ECAM is now and how long; false: switched off. From any thread, not under the bus's lock. */
bool pci_bus_ecam(struct pci_bus *bus, uint64_t *base, uint64_t *len);
/* `moved` is told when the guest has moved it; on a vCPU thread, no lock held. */
void pci_bus_ecam_moved(struct pci_bus *bus, void (*moved)(void *owner), void *owner);
/* The chipset's reset control register, port CF9, lies within the address register's four ports:
 * byte accesses to it go to these two (read may be NULL). On vCPU threads, no lock held. */
void pci_bus_reset_port(struct pci_bus *bus, uint8_t (*read)(void *owner),
	void (*write)(void *owner, uint8_t value), void *owner);
/* The windows that firmware-less boot assigns BARs from (a PVH or bzImage guest expects them set). */
void pci_bus_assign(struct pci_bus *bus, uint64_t mmio_base, uint64_t mmio_len);
/* Every function back to its state after pci_attach, BARs unmapped and without addresses: a
 * firmware-less machine calls pci_bus_assign again. No vCPU runs. */
void pci_bus_reset(struct pci_bus *bus);
/* pci_bus_reset and pci_bus_assign in one: a BAR that was where it goes to does not move, which
 * spares each of its ioeventfds two calls that wait for every processor. */
void pci_bus_renew(struct pci_bus *bus, uint64_t mmio_base, uint64_t mmio_len);

void pci_init(struct pci_device *device, const char *name, const struct pci_id *id,
	const struct pci_device_ops *ops);
/* A memory BAR of 32 bits; len a power of two, at least 4096. */
void pci_add_bar(struct pci_device *device, unsigned bar, uint64_t len,
	const struct region_ops *ops, void *owner, const char *name);
/* The same of 64 bits, prefetchable; takes the register of `bar` + 1 as well. */
void pci_add_bar64(struct pci_device *device, unsigned bar, uint64_t len,
	const struct region_ops *ops, void *owner, const char *name);
/* Ports; len a power of two, 4 to 256. */
void pci_add_bar_io(struct pci_device *device, unsigned bar, uint64_t len,
	const struct region_ops *ops, void *owner, const char *name);
/* A prefetchable BAR of plain memory: the guest's accesses do not leave it. The slot is the
 * device's, made by slot_init (slot.h), its length a power of two; it stays until the device is
 * detached. `wide`: 64 bits, as pci_add_bar64. */
void pci_add_bar_memory(struct pci_device *device, unsigned bar, struct memory_slot *slot, bool wide);
/* The option ROM: memory as pci_add_bar_memory has it, read-only to the guest. Firmware copies it;
 * pci_bus_assign gives it no address. */
void pci_add_rom(struct pci_device *device, struct memory_slot *slot);
/* May the function do DMA and send messages (command register, bit 2)? Any thread. msix_raise looks
 * for itself: what is raised meanwhile stays pending. virtio devices need not ask: their queues give
 * nothing while it is off. Others look before they read or write the guest's memory. */
bool pci_master(const struct pci_device *device);
/* The capability of a PCI Express endpoint that sits in the root complex; 60 bytes. */
void pci_add_express(struct pci_device *device);
/* Room for a capability of `len` bytes; returns its offset (the first two bytes are filled). */
unsigned pci_add_cap(struct pci_device *device, uint8_t id, unsigned len);
/* MSI-X table and PBA of n vectors at `table` within a memory BAR that the device already has;
 * the device's BAR ops forward accesses in [table, table + 4096) to msix_read and msix_write, with
 * the offset counted from `table`. */
void pci_add_msix(struct pci_device *device, unsigned n, unsigned bar, uint32_t table);
uint64_t msix_read(struct pci_device *device, uint64_t offset, unsigned size);
void msix_write(struct pci_device *device, uint64_t offset, unsigned size, uint64_t value);
/* Interrupt by vector; kept pending while masked. Out of range is ignored. */
void msix_raise(struct pci_device *device, unsigned vector);
/* The driver has switched MSI-X on: pins stay low from then on. Any thread. */
bool msix_on(const struct pci_device *device);

/* MSI with one vector, for a function without MSI-X. */
void pci_add_msi(struct pci_device *device);
/* For a function with both: its interrupt causes were `before` and are `now`. The pin follows, low
 * while MSI is on; then a message goes out when a cause is new. From any thread, as pci_intx. */
void pci_signal(struct pci_device *device, uint32_t before, uint32_t now);

/* The function drives INTA# (its interrupt pin register says so). */
void pci_add_intx(struct pci_device *device);
/* Drives the pin; the guest's "INTx disable" bit is obeyed. From any thread; no lock of the PCI bus
 * is taken, so it may be called from BAR accesses and with the device's own lock held. */
void pci_intx(struct pci_device *device, bool level);
/* Who hears of the lines; NULL: nobody. Before the guest runs. */
void pci_bus_intx(struct pci_bus *bus, struct intx_sink *sink);
/* The line that INTA# of a slot is wired to, as on a Q35: PIRQE..PIRQH in turn for slots up to 24,
 * PIRQA for those above. */
unsigned pci_intx_line(unsigned slot);

/* Takes the next free slot (or `slot` if it is not -1), as its function 0. 0 or -errno. */
int pci_attach(struct pci_bus *bus, struct pci_device *device, int slot);
/* A function of a slot with several: the chipset's 00:1f.2. The slot's function 0 must come too,
 * sooner or later. */
int pci_attach_function(struct pci_bus *bus, struct pci_device *device, unsigned slot,
	unsigned function);
/* Takes the function off the bus: after it returns no access to it is running. */
void pci_detach(struct pci_device *device);

/*
 * The function's share of a saved guest (state.h): configuration space, MSI-X table, pin. Called
 * from the device's own `state`, first (virtio devices: by way of virtio_state). Loading takes over
 * only what the guest could have written, maps BARs and routes vectors.
 */
void pci_state(struct pci_device *device, struct state *state);
/* The bus's own: the host bridge with ECAM's place, the address register. machine.c calls it before
 * the devices. */
void pci_bus_state(struct pci_bus *bus, struct state *state);

#endif
