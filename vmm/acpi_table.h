/*
 * The tables that have a fixed form: FADT, MADT, MCFG, SRAT, FACS, and the header that all have.
 * Source: ACPI 6.4, section 5.2; PCI Firmware Specification 3.0, section 4.1.2.
 *
 * Thread: any.
 */
#ifndef IRORI_VMM_ACPI_TABLE_H
#define IRORI_VMM_ACPI_TABLE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct guest_memory;

enum acpi_table_layout {
	ACPI_HEADER_LEN = 36,
	ACPI_LENGTH = 4, /* offsets in the header */
	ACPI_CHECKSUM = 9,
	ACPI_MAKER = 10, /* OEM ID and OEM table ID */
	ACPI_MAKER_LEN = 14,
	ACPI_FACS_LEN = 64, /* and its alignment */
	ACPI_FADT_FACS = 36, /* pointers of 4 bytes */
	ACPI_FADT_DSDT = 40,
	ACPI_FADT_X_DSDT = 140, /* 8 bytes */
};

/* `len` bytes of a number, little endian, at the end; the same at a place that exists. */
void table_add(GByteArray *table, uint64_t value, unsigned len);
void table_set(GByteArray *table, unsigned offset, uint64_t value, unsigned len);
/* A header; its length and checksum are whoever places it's. */
GByteArray *table_new(const char *signature, uint8_t revision);
/* What at their checksum makes the sum of n bytes zero, when there is a zero now. */
uint8_t table_checksum(const uint8_t *bytes, size_t n);

/* Pointers in it are zero. */
GByteArray *table_fadt(bool i8042, bool vga);
/* `max` processors, of which bit i of `there` says that one is; the rest may be plugged in. */
GByteArray *table_madt(uint64_t there, unsigned max);
GByteArray *table_mcfg(uint64_t ecam_base);
/* One node with `max` processors, all RAM and the room, which is marked as one to plug memory into. */
GByteArray *table_srat(const struct guest_memory *memory, unsigned max);
GByteArray *table_facs(void);

#endif
