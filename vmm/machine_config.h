/*
 * What a configuration says of the machine: for machine.c, which makes it, and for irori-vmm --check.
 *
 * Thread: main, before the guest runs.
 */
#ifndef IRORI_VMM_MACHINE_CONFIG_H
#define IRORI_VMM_MACHINE_CONFIG_H

#include <glib.h>
#include <stdbool.h>

#include "vmm/boot.h"
#include "vmm/device.h"
#include "vmm/machine.h"

/* Every device type that is linked in; see DEVICE_REGISTER. */
extern const struct device_type *const __start_irori_devices[] __attribute__((weak));
extern const struct device_type *const __stop_irori_devices[] __attribute__((weak));

/* [Guest] into `config` (zeroed), to be ended with property_clear in any case. */
bool machine_guest_load(const struct config_file *file, struct guest_config *config, GError **error);

/* Opened once and kept: a reset needs no right to open files. NULL: nothing. source->fd is -1 before. */
bool machine_source_open(struct boot_source *source, const char *path, GError **error);

/* False and error set for a section that is no device's, nor [Household], which is irorid's. */
bool machine_sections_known(const struct config_file *file, GError **error);

/* Calls for each section of the type, in the file's order; with section NULL for a type that is
 * always there and has none. Until one call gives false. */
typedef bool machine_section_fn(void *data, const struct device_type *type, const char *section,
	const char *instance, GError **error);
bool machine_sections(const struct config_file *file, const struct device_type *type,
	machine_section_fn *call, void *data, GError **error);

/* What machine_new would find wrong with the configuration and the files that it names, as far as
 * that can be said without /dev/kvm, without starting anything, and without changing anything. */
bool machine_check(const struct config_file *file, GError **error);

#endif
