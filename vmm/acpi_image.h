/*
 * All tables of a guest in one image, in which pointers are offsets until it is known where it lies.
 * For acpi.c, which makes and places it, and acpi_loader.c, which tells a firmware how.
 *
 * Thread: as acpi.h.
 */
#ifndef IRORI_VMM_ACPI_IMAGE_H
#define IRORI_VMM_ACPI_IMAGE_H

#include <glib.h>

enum acpi_image_limits {
	ACPI_MAX_TABLES = 32,
	ACPI_MAX_POINTERS = 8 + 2 * ACPI_MAX_TABLES,
	ACPI_ALIGN = 16,

	RSDP_LEN = 36,
	RSDP_RSDT = 16,
	RSDP_XSDT = 24,
	RSDP_CHECKSUM = 8,
	RSDP_CHECKSUM_ALL = 32,
	RSDP_SHORT = 20, /* what the first checksum is of */
};

#define ACPI_FILE_TABLES "etc/acpi/tables"
#define ACPI_FILE_RSDP "etc/acpi/rsdp"
#define ACPI_FILE_LOADER "etc/table-loader"

struct acpi_image {
	GByteArray *bytes;
	struct {
		unsigned at, size;
	} pointer[ACPI_MAX_POINTERS]; /* offsets in the image, of offsets in the image */
	struct {
		unsigned at, len;
	} table[ACPI_MAX_TABLES]; /* with checksums */
	unsigned n_pointers, n_tables;
	unsigned rsdt, xsdt;
};

/* The commands by which a firmware places the image and its RSDP; the caller's. */
GBytes *acpi_loader(const struct acpi_image *image);

#endif
