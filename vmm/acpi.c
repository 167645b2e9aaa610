/*
 * ACPI tables.
 */
#include "vmm/acpi.h"

uint64_t acpi_build(const struct guest_memory *memory, unsigned n)
{
	return 0;
}
