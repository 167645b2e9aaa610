/*
 * Tables of a fixed form: see acpi_table.h. What is where is in pm.h and lpc.h.
 */
#include "vmm/acpi_table.h"

#include <string.h>

#include "vmm/memory.h"
#include "vmm/pm.h"
#include "vmm/rtc.h"

enum fadt_fields {
	FADT_LEN = 276,
	FADT_PROFILE = 45,
	FADT_SCI = 46,
	FADT_PM1_EVENT = 56,
	FADT_PM1_CONTROL = 64,
	FADT_PM_TIMER = 76,
	FADT_GPE0 = 80,
	FADT_PM1_EVENT_LEN = 88,
	FADT_PM1_CONTROL_LEN = 89,
	FADT_PM_TIMER_LEN = 91,
	FADT_GPE0_LEN = 92,
	FADT_C2_LATENCY = 96, /* above 100 us: there is no such state */
	FADT_C3_LATENCY = 98, /* above 1000 us */
	FADT_CENTURY = 108,
	FADT_BOOT_ARCH = 109,
	FADT_FLAGS = 112,
	FADT_RESET = 116,
	FADT_RESET_VALUE = 128,
	FADT_MINOR = 131,
	FADT_X_PM1_EVENT = 148,
	FADT_X_PM1_CONTROL = 172,
	FADT_X_PM_TIMER = 208,
	FADT_X_GPE0 = 220,

	PROFILE_DESKTOP = 1,
	NO_C2 = 101,
	NO_C3 = 1001,
	BOOT_LEGACY = 0x01,
	BOOT_I8042 = 0x02,
	BOOT_NO_VGA = 0x04,
	BOOT_NO_ASPM = 0x10,
	FLAGS_WBINVD = 1 << 0,
	FLAGS_C1 = 1 << 2,
	FLAGS_NO_SLEEP_BUTTON = 1 << 5,
	FLAGS_RESET_REGISTER = 1 << 10,

	CF9_PORT = 0xcf9,
	CF9_HARD = 6,
};

void table_add(GByteArray *table, uint64_t value, unsigned len)
{
	guint8 bytes[8];

	value = GUINT64_TO_LE(value);
	memcpy(bytes, &value, sizeof(bytes));
	g_byte_array_append(table, bytes, len);
}

void table_set(GByteArray *table, unsigned offset, uint64_t value, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		table->data[offset + i] = (guint8)(value >> 8 * i);
}

uint8_t table_checksum(const uint8_t *bytes, size_t n)
{
	uint8_t sum = 0;

	while (n--)
		sum += *bytes++;
	return (uint8_t)-sum;
}

GByteArray *table_new(const char *signature, uint8_t revision)
{
	GByteArray *table = g_byte_array_new();

	g_byte_array_append(table, (const guint8 *)signature, 4);
	table_add(table, 0, 4);
	table_add(table, revision, 1);
	table_add(table, 0, 1);
	g_byte_array_append(table, (const guint8 *)"IRORI IRORIPC ", 14);
	table_add(table, 1, 4);
	g_byte_array_append(table, (const guint8 *)"IROR", 4);
	table_add(table, 1, 4);
	return table;
}

/* The same ports in the old form and in the new one, a generic address. */
static void fadt_ports(GByteArray *table, unsigned old, unsigned old_len, unsigned extended,
	uint16_t port, uint8_t len, uint8_t access)
{
	table_set(table, old, port, 4);
	table_set(table, old_len, len, 1);
	table_set(table, extended, 1 | (uint32_t)len << 11 | (uint32_t)access << 24, 4);
	table_set(table, extended + 4, port, 8);
}

GByteArray *table_fadt(bool i8042, bool vga)
{
	GByteArray *table = table_new("FACP", 6);

	g_byte_array_set_size(table, FADT_LEN);
	memset(table->data + ACPI_HEADER_LEN, 0, FADT_LEN - ACPI_HEADER_LEN);
	table_set(table, FADT_PROFILE, PROFILE_DESKTOP, 1);
	table_set(table, FADT_SCI, PM_SCI, 2);
	/* SMI_CMD stays 0: the machine is in ACPI mode from the start. */
	fadt_ports(table, FADT_PM1_EVENT, FADT_PM1_EVENT_LEN, FADT_X_PM1_EVENT, PM_BASE + PM1_STATUS,
		4, 2);
	fadt_ports(table, FADT_PM1_CONTROL, FADT_PM1_CONTROL_LEN, FADT_X_PM1_CONTROL,
		PM_BASE + PM1_CONTROL, 2, 2);
	fadt_ports(table, FADT_PM_TIMER, FADT_PM_TIMER_LEN, FADT_X_PM_TIMER, PM_BASE + PM_TIMER, 4,
		3);
	fadt_ports(table, FADT_GPE0, FADT_GPE0_LEN, FADT_X_GPE0, PM_BASE + PM_GPE0, PM_GPE0_LEN, 1);
	table_set(table, FADT_C2_LATENCY, NO_C2, 2);
	table_set(table, FADT_C3_LATENCY, NO_C3, 2);
	table_set(table, FADT_CENTURY, RTC_CENTURY, 1);
	table_set(table, FADT_BOOT_ARCH, BOOT_LEGACY | BOOT_NO_ASPM | (i8042 ? BOOT_I8042 : 0) |
		(vga ? 0 : BOOT_NO_VGA), 2);
	table_set(table, FADT_FLAGS, FLAGS_WBINVD | FLAGS_C1 | FLAGS_NO_SLEEP_BUTTON |
		FLAGS_RESET_REGISTER, 4);
	table_set(table, FADT_RESET, 0x01000801, 4); /* system I/O, 8 bits wide, access by byte */
	table_set(table, FADT_RESET + 4, CF9_PORT, 8);
	table_set(table, FADT_RESET_VALUE, CF9_HARD, 1);
	table_set(table, FADT_MINOR, 4, 1);
	return table;
}

GByteArray *table_facs(void)
{
	GByteArray *table = g_byte_array_new();

	g_byte_array_append(table, (const guint8 *)"FACS", 4);
	table_add(table, ACPI_FACS_LEN, 4);
	g_byte_array_set_size(table, ACPI_FACS_LEN);
	memset(table->data + 8, 0, ACPI_FACS_LEN - 8);
	table_set(table, 32, 2, 1); /* version */
	return table;
}

GByteArray *table_madt(uint64_t there, unsigned max)
{
	GByteArray *table = table_new("APIC", 5);

	table_add(table, 0xfee00000, 4);
	table_add(table, 1, 4); /* there is a PIC as well */
	/* Enabled, or "online capable": since 6.3 one that is neither never comes. */
	for (unsigned i = 0; i < max; i++) {
		table_add(table, 0x0800, 2);
		table_add(table, i | i << 8, 2);
		table_add(table, there >> i & 1 ? 1 : 2, 4);
	}
	table_add(table, 0x0c01, 2); /* I/O APIC, its number, 0 */
	table_add(table, 0, 2);
	table_add(table, 0xfec00000, 4);
	table_add(table, 0, 4);
	table_add(table, 0x0a02, 2); /* the PIT's interrupt 0 is wired to pin 2 */
	table_add(table, 0, 2);
	table_add(table, 2, 4);
	table_add(table, 0, 2);
	table_add(table, 0x0a02, 2); /* the SCI: high, level */
	table_add(table, PM_SCI << 8, 2);
	table_add(table, PM_SCI, 4);
	table_add(table, 0x000d, 2);
	table_add(table, 0x0604, 2); /* LINT1 of all processors is the NMI */
	table_add(table, 0xff, 1);
	table_add(table, 0, 2);
	table_add(table, 1, 1);
	return table;
}

GByteArray *table_mcfg(uint64_t ecam_base)
{
	GByteArray *table = table_new("MCFG", 1);

	table_add(table, 0, 8);
	table_add(table, ecam_base, 8);
	table_add(table, 0, 8); /* segment 0, bus 0 to 0 */
	return table;
}

GByteArray *table_srat(const struct guest_memory *memory, unsigned max)
{
	enum { ENABLED = 1, HOT_PLUGGABLE = 2 };
	GByteArray *table = table_new("SRAT", 3);
	const struct memory_part *part;

	table_add(table, 1, 4);
	table_add(table, 0, 8);
	for (unsigned i = 0; i < max; i++) {
		table_add(table, 0x1000, 2);
		table_add(table, i << 8, 2); /* its APIC, in node 0 */
		table_add(table, ENABLED, 4);
		table_add(table, 0, 8);
	}
	for (unsigned i = 0; (part = memory_mapping(memory, i)); i++) {
		table_add(table, 0x2801, 2);
		table_add(table, 0, 6);
		table_add(table, part->gpa, 8);
		table_add(table, part->len, 8);
		table_add(table, 0, 4);
		table_add(table, part == memory_room(memory) ? ENABLED | HOT_PLUGGABLE : ENABLED, 4);
		table_add(table, 0, 8);
	}
	return table;
}
