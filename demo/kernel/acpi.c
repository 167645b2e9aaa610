/*
 * How many processors there are: from the ACPI tables that the loader points to.
 * Source: ACPI 6.4, 5.2.5 (RSDP), 5.2.7 and 5.2.8 (RSDT, XSDT), 5.2.12 (MADT).
 */
#include "demo/kernel/kernel.h"

enum { TABLE_HEADER = 36, MADT_ENTRIES = 44, MADT_LAPIC = 0, LAPIC_ENABLED = 1 };

static uint32_t read32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint64_t read64(const uint8_t *at)
{
	return read32(at) | (uint64_t)read32(at + 4) << 32;
}

static unsigned madt_count(const uint8_t *madt)
{
	const uint8_t *end = madt + read32(madt + 4);
	unsigned n = 0;

	for (const uint8_t *entry = madt + MADT_ENTRIES; entry + 2 <= end && entry[1]; entry += entry[1])
		n += entry[0] == MADT_LAPIC && entry[4] & LAPIC_ENABLED;
	return n;
}

unsigned acpi_processors(uint64_t rsdp_physical)
{
	const uint8_t *rsdp = direct(rsdp_physical), *table;
	unsigned step;

	if (!rsdp_physical || rsdp_physical >= DIRECT_SIZE || memcmp(rsdp, "RSD PTR ", 8))
		return 1;
	step = rsdp[15] >= 2 ? 8 : 4; /* revision: XSDT, or RSDT */
	table = direct(step == 8 ? read64(rsdp + 24) : read32(rsdp + 16));
	for (uint32_t at = TABLE_HEADER; at + step <= read32(table + 4); at += step) {
		uint64_t where = step == 8 ? read64(table + at) : read32(table + at);

		if (where < DIRECT_SIZE && !memcmp(direct(where), "APIC", 4))
			return madt_count(direct(where));
	}
	return 1;
}
