/*
 * ACPI tables: what a guest's kernel is told of processors, interrupt controllers and PCI.
 * Source: ACPI 6.4, section 5.2.
 */
#ifndef IRORI_VMM_ACPI_H
#define IRORI_VMM_ACPI_H

#include <stdint.h>

#include "vmm/memory.h"

/* Writes the tables for n processors at BOOT_ACPI. The RSDP's address; 0: no room for them. */
uint64_t acpi_build(const struct guest_memory *memory, unsigned n);

#endif
