/*
 * One more ACPI table for a guest, from a file: [Acpi NAME]. Its use is what a household's PC came
 * with, the SLIC or MSDM table that holds its Windows licence.
 *
 * The file is hostile as far as we look into it: its header. What is behind that is the guest's.
 *
 * Source: ACPI 6.4, section 5.2.6; Microsoft, "OEM Activation 3.0" (MSDM) and 2.1 (SLIC).
 *
 * Thread: the main thread.
 */
#ifndef IRORI_VMM_ACPI_FILE_H
#define IRORI_VMM_ACPI_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum acpi_file_limit {
	ACPI_FILE_MAX = 8 << 10, /* bytes; a directly booted guest has 128 KiB for all tables */
};

/* One whole table that the machine does not make itself. False and error set, one line without the
 * file's name. */
bool acpi_file_check(const uint8_t *bytes, size_t len, GError **error);

#endif
