/*
 * The machine: what a guest is made of, on one page (machine.c).
 *
 * Thread: fields are set before the vCPUs start and then read by all. machine_request from any
 * thread; everything else on the main thread.
 */
#ifndef IRORI_VMM_MACHINE_H
#define IRORI_VMM_MACHINE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/port.h"
#include "vmm/bus.h"
#include "vmm/device.h"
#include "vmm/memory.h"
#include "vmm/pci.h"

struct balloon;
struct acpi;
struct config_file;
struct control;
struct firmware;
struct fw_cfg;
struct cpu_hotplug;
struct kvm;
struct virtio_mem;
struct pm;
struct state;
struct stats;
struct vcpus;
struct link_server;
struct link_stat;
struct sound_card;

/* The address map, a PC's with a Q35's window for PCI. */
#define MACHINE_PCI_BASE 0xc0000000ull  /* memory BARs, 512 MiB; RAM ends below */
#define MACHINE_PCI_LEN 0x20000000ull
#define MACHINE_ECAM_BASE 0xe0000000ull /* 1 MiB: bus 0 */

enum machine_request {
	MACHINE_RESET,    /* in place: process, seats and sound stay */
	MACHINE_POWEROFF, /* at once; the process ends with success */
	MACHINE_PAUSE,
	MACHINE_RESUME,
	MACHINE_SAVE,     /* see machine_save */
	MACHINE_CRASHED,  /* a vCPU gave up; the process and its seats stay */
	/* The host has a reason for the guest to stand still (`why`, shown to people), until the same
	 * one is over. It goes on when all of them are, and not if a person has paused it. */
	MACHINE_WAIT,
	MACHINE_WAIT_OVER,
};

enum machine_state {
	MACHINE_RUNNING,
	MACHINE_PAUSED,
	MACHINE_OFF,
	MACHINE_DEAD, /* crashed: only reset or poweroff help */
};

/* [Guest] of the configuration. */
struct guest_config {
	char *name;
	uint64_t memory, max_memory; /* max_memory is at least memory */
	uint32_t vcpus, max_vcpus; /* max_vcpus is at least vcpus */
	bool windows;
	char *firmware, *uuid; /* firmware NULL: the kernel is booted directly */
	char *kernel, *initrd, *command_line;
	unsigned share_class; /* enum share_class of gpu-share/policy.h */
	char *socket;         /* the seat link; default: RUNTIME/irori/NAME.sock */
	unsigned on_crash;    /* 0 stay, 1 end the process with status MACHINE_EXIT_CRASHED */
};

enum machine_exit {
	MACHINE_EXIT_CRASHED = 3,
};

enum machine_seat_limits {
	INPUT_LISTENERS = INPUT_DEVICES + 1, /* each of virtio-input's, and PS/2 */
};

/* Which device hears each event of the seats; see machine_seat_events. */
struct machine_seat {
	struct seat_port_events events;
	void *presented, *resized, *audio_consumed, *audio_captured;
	struct {
		void (*told)(void *device, const struct port_input *events, unsigned n);
		void *device;
	} input[INPUT_LISTENERS];
	/* Bit n: a driver of the guest's takes the events of enum input_device n (atomic). */
	int taken;
	void (*watch)(void *device, enum input_device which);
	void *watcher;
};

struct machine {
	const struct guest_config *config;
	struct guest_memory *memory;
	struct bus *pio, *mmio;
	struct pci_bus *pci;
	struct acpi *acpi;        /* what the tables are made of; NULL in unit tests */
	struct pm *pm;            /* power management, once the chipset is made */
	struct kvm *kvm;          /* NULL in unit tests */
	struct stats *stats;
	GMainContext *main_context;
	GMainContext *seat_context; /* display, input, sound, seat link: the seat thread */
	GMainContext *io_context;   /* block, console, rng: the I/O thread */
	GMainContext *net_context;  /* network cards, shared folders: the net thread */
	struct seat_port *port;     /* the seats */
	struct link_server *link;   /* the same, by its own name; NULL in unit tests */
	struct fw_cfg *fw_cfg;      /* NULL: direct boot */
	struct firmware *firmware;  /* firmware.c's */
	struct sound_card *sound;   /* for its counters; NULL: no sound card */
	struct balloon *balloon;    /* for machine_resources.c; NULL: none */
	struct virtio_mem *mem;     /* the same */
	struct cpu_hotplug *cpu_hotplug; /* the same */
	int64_t (*now)(void);       /* CLOCK_MONOTONIC in ns; tests turn it by hand */
	struct vcpus *vcpus;        /* NULL in unit tests */
	struct control *control;    /* NULL in unit tests: requests are only logged */
	struct machine_seat seat;   /* the seat thread's */
};

/* [Guest] and every device type, for --help. */
extern const struct property machine_guest_properties[];
char *machine_help(void); /* g_free */

/* The machine of a configuration, ready to run: devices made, kernel loaded, processors stopped.
 * `file` must outlive it. NULL and error set. */
struct machine *machine_new(const struct config_file *file, int64_t started_ns, GError **error);
/* Starts threads and the guest, serves requests until power-off; the process's exit status. */
int machine_run(struct machine *machine);
void machine_free(struct machine *machine);

/* For control.c: every device to its beginning. No processor runs. */
void machine_reset_devices(struct machine *machine);
/* Before a guest is saved: devices finish what is under way, workers stop until release. No
 * processor runs. */
void machine_hold(struct machine *machine);
void machine_release(struct machine *machine);
/* save_write with the machine's own configuration. */
bool machine_save_to(struct machine *machine, int fd, GError **error);
/* Every part but memory, to or from a saved guest that slept `slept_ns`. */
void machine_state(struct machine *machine, struct state *state, int64_t slept_ns);
/* PCI to its beginning, the kernel into clean memory, the processors to its entry. */
bool machine_boot(struct machine *machine, GError **error);

/* What machine_run is to return; the next power-off ends it. From any thread. */
void machine_exit_status(struct machine *machine, int status);

/* Devices subscribe to what the seats send; at most one for each event, the last one stays. But
 * `input` goes to each of the last INPUT_LISTENERS that subscribed: they take what is theirs. */
void machine_seat_events(struct machine *machine, const struct seat_port_events *events,
	void *device);

/* virtio-input says that the guest's driver of one of its devices is up, or is gone: keys go to PS/2
 * until it is up, and never to both. From any thread; a device's own lock may be held. */
void machine_input_taken(struct machine *machine, enum input_device which, bool taken);
bool machine_input_is_taken(struct machine *machine, enum input_device which);
/* PS/2 hears when one is taken, on the thread that took it. While the machine is made. */
void machine_input_watch(struct machine *machine, void (*watch)(void *device, enum input_device which),
	void *watcher);
/* The other side of it, for the port: its `device` is the machine. */
extern const struct seat_port_events machine_seat_port_events;

/* What a real machine's `now` is: CLOCK_MONOTONIC in ns. For the tops of threads only. */
int64_t machine_clock(void);

/* Asks the main thread; never blocks. `why` (static) is logged. Anything that stops the guest stops
 * its processors at once: one that asks executes no further instruction of the guest. */
void machine_request(struct machine *machine, enum machine_request what, const char *why);

/* Asks for the guest to be saved in the file `fd`, which it takes over, and to be off after that; if
 * it cannot be saved it goes on. From any thread. 0; -EBUSY: it is being saved already. */
int machine_save(struct machine *machine, int fd);

/* How much memory the guest shall have, in bytes, and how many processors: see LINK_VERB_MEMORY and
 * LINK_VERB_VCPUS. 0 or -errno. Any thread. (machine_resources.c) */
int machine_set_memory(struct machine *machine, uint64_t bytes);
int machine_set_vcpus(struct machine *machine, unsigned n);
/* What `irori stat` shows of both. */
void machine_resources(struct machine *machine, struct link_stat *stat);

/* A pin of PIC and I/O APIC, by its GSI; the level stays. From any thread. */
void machine_irq(struct machine *machine, unsigned gsi, bool level);

/* ioeventfd: a write of `len` (0: any) bytes at guest address `gpa` signals `fd`. 0 or -errno;
 * -ENOSYS without KVM. */
int machine_ioeventfd(struct machine *machine, uint64_t gpa, unsigned len, int fd, bool add);

#endif
