/*
 * A device is one file that registers itself at its foot:
 *
 *	static const struct device_type virtio_rng = { .name = "rng", ... };
 *	DEVICE_REGISTER(virtio_rng);
 *
 * It owns its options (a property table: parser, --help, man page and JSON come from it), its help
 * line and its counters. machine.c walks the types and creates one device for each section of the
 * guest's configuration that names the type: [Disk system] gives type "Disk", instance "system".
 *
 * Thread: the main thread, before the guest runs and after it has stopped.
 */
#ifndef IRORI_VMM_DEVICE_H
#define IRORI_VMM_DEVICE_H

#include <glib.h>

#include "vmm/property.h"

struct machine;
struct guest_config;
struct device;
struct state;

struct device_type {
	const char *section;  /* configuration section: "Disk" */
	const char *help;     /* one line */
	bool always;          /* one is made even if no section asks for it */
	bool single;          /* and two are an error */
	const struct property *properties; /* ends with a zeroed entry; NULL: none */
	size_t config_size;   /* of the structure the properties fill */
	/* The device, or NULL and error set. `config` lives as long as the machine. */
	struct device *(*create)(struct machine *machine, const char *instance, const void *config,
		GError **error);
	/* For irori-vmm --check: what create would find wrong, as far as that can be said without
	 * changing anything on the host, locking anything, or starting anything. May be NULL. */
	bool (*check)(const struct guest_config *guest, const char *instance, const void *config,
		GError **error);
};

/* What machine.c keeps of a device; embedded in the device's own structure. */
struct device {
	const struct device_type *type;
	const char *instance;
	/* Machine reset: called with vCPUs stopped, on the main thread. May be NULL. */
	void (*reset)(struct device *device);
	/* Before its state is saved: finish what is under way with the host, and give the guest the
	 * results. Processors and workers are stopped; a device's own threads are its own matter. New
	 * work waits in the rings for the guest that is loaded. May be NULL. */
	void (*drain)(struct device *device);
	/* Everything of it that the guest could tell apart, to or from a saved guest: see state.h.
	 * Loading, the device is as after create(). NULL: it has no state. */
	void (*state)(struct device *device, struct state *state);
	void (*destroy)(struct device *device);
};

#define DEVICE_REGISTER(type)                                                                      \
	static const struct device_type *const type##_registered                                   \
		__attribute__((used, section("irori_devices"))) = &type

#endif
