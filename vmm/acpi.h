/*
 * ACPI tables: what a guest's kernel is told of processors, interrupt controllers, PCI and the
 * board. The same tables go straight into memory (direct boot) or to the firmware, which places them
 * and tells where (etc/acpi/tables, etc/acpi/rsdp, etc/table-loader in fw_cfg).
 *
 * Sources: ACPI 6.4, section 5.2; QEMU, hw/acpi/bios-linker-loader.c for the loader's commands.
 *
 * Thread: acpi_add_* and acpi_present while the machine is made; the rest on the main thread with no
 * processor running, acpi_publish from any.
 */
#ifndef IRORI_VMM_ACPI_H
#define IRORI_VMM_ACPI_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct acpi;
struct machine;

/* What may be there or not, and the guest has to be told. */
enum acpi_part {
	ACPI_I8042, /* keyboard and mouse at ports 0x60 and 0x64 */
	ACPI_VGA,   /* VGA's ports and memory */
	ACPI_PARTS
};

struct acpi *acpi_new(void);
void acpi_free(struct acpi *acpi);

/* All that follows take a machine whose `acpi` may be NULL (unit tests): then they do nothing. */

/* AML (aml.h) of the caller's own, without a table's header, becomes an SSDT: Scope (\_SB) with the
 * device, \_GPE._Exx for its event. Takes over `aml`. */
void acpi_add_fragment(struct machine *machine, GBytes *aml);
/* A whole table (TPM2, SRAT), listed in the XSDT as it is; its checksum is put right. Takes over
 * `table`; one that is shorter than a header or than it says is left out with a warning. */
void acpi_add_table(struct machine *machine, GBytes *table);
/* A table from a file of the user's (acpi_file.h), checked. Takes over `table`. False and error
 * set: there are too many. With a SLIC the XSDT, the RSDT and the FADT bear its maker's names,
 * without which Windows does not take it for this PC's. */
bool acpi_add_file(struct machine *machine, GBytes *table, GError **error);
void acpi_present(struct machine *machine, enum acpi_part part);

/* Writes the tables for n processors at BOOT_ACPI. The RSDP's address; 0: no room for them. */
uint64_t acpi_build(struct machine *machine, unsigned n);
/* The same for a firmware's eyes, into fw_cfg. At each boot; and by itself again when the firmware
 * has moved ECAM, of which the tables tell. */
void acpi_publish(struct machine *machine, unsigned n);

/* The three files, for acpi_publish and its tests; the caller's. */
struct acpi_files {
	GBytes *tables, *rsdp, *loader;
};
void acpi_files(struct machine *machine, unsigned n, struct acpi_files *files);

#endif
