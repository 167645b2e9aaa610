/*
 * ACPI tables: RSDP, XSDT, FADT of a hardware-reduced machine, MADT, MCFG, and a DSDT with the PCI
 * root, COM1 and the power-off state. A table is built in a byte array and placed with its checksum.
 */
#include "vmm/acpi.h"

#include <glib.h>
#include <string.h>

#include "vmm/boot.h"
#include "vmm/machine.h"

enum acpi_limits {
	ACPI_HEADER = 36,
	ACPI_LENGTH = 4, /* offsets in the header */
	ACPI_CHECKSUM = 9,
	RSDP_LEN = 36,
	FADT_LEN = 276,
	MAX_TABLES = 8,
};

enum fadt_fields {
	FADT_DSDT = 40,
	FADT_PROFILE = 45,
	FADT_BOOT_ARCH = 109,
	FADT_FLAGS = 112,
	FADT_RESET = 116,
	FADT_RESET_VALUE = 128,
	FADT_MINOR = 131,
	FADT_X_DSDT = 140,
	FADT_SLEEP_CONTROL = 244,
	FADT_SLEEP_STATUS = 256,

	PROFILE_DESKTOP = 1,
	BOOT_NO_VGA_NO_CMOS = 0x24,
	FLAGS_NO_FIXED_BUTTONS = 0x30,
	FLAGS_RESET_REGISTER = 1 << 10,
	FLAGS_HARDWARE_REDUCED = 1 << 20,
};

enum aml {
	AML_ZERO = 0x00,
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_DWORD = 0x0c,
	AML_SCOPE = 0x10,
	AML_BUFFER = 0x11,
	AML_PACKAGE = 0x12,
	AML_DEVICE = 0x5b82, /* in two bytes */
};

/* Where the next table goes, and where those before it went. */
struct place {
	const struct guest_memory *memory;
	uint64_t at;
	unsigned n;
	uint64_t table[MAX_TABLES];
	bool full;
};

static void add(GByteArray *out, uint64_t value, unsigned len)
{
	guint8 bytes[8];

	value = GUINT64_TO_LE(value);
	memcpy(bytes, &value, sizeof(bytes));
	g_byte_array_append(out, bytes, len);
}

static void set(GByteArray *out, unsigned offset, uint64_t value, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		out->data[offset + i] = (guint8)(value >> 8 * i);
}

static uint8_t checksum(const uint8_t *bytes, size_t n)
{
	uint8_t sum = 0;

	while (n--)
		sum += *bytes++;
	return (uint8_t)-sum;
}

static GByteArray *table_new(const char *signature, uint8_t revision)
{
	GByteArray *table = g_byte_array_new();

	g_byte_array_append(table, (const guint8 *)signature, 4);
	add(table, 0, 4);
	add(table, revision, 1);
	add(table, 0, 1);
	g_byte_array_append(table, (const guint8 *)"IRORI IRORIPC ", 14);
	add(table, 1, 4);
	g_byte_array_append(table, (const guint8 *)"IROR", 4);
	add(table, 1, 4);
	return table;
}

/* Writes the bytes to the next free place; its address. Takes the array. */
static uint64_t place_bytes(struct place *place, GByteArray *bytes)
{
	uint64_t at = place->at;

	if (bytes->len > BOOT_KERNEL_MIN - at ||
		!memory_write(place->memory, at, bytes->data, bytes->len))
		place->full = true;
	else
		place->at = (at + bytes->len + 15) & ~15ull;
	g_byte_array_unref(bytes);
	return at;
}

static uint64_t place_table(struct place *place, GByteArray *table)
{
	set(table, ACPI_LENGTH, table->len, 4);
	table->data[ACPI_CHECKSUM] = checksum(table->data, table->len);
	return place_bytes(place, table);
}

/* A table that the XSDT lists. */
static void place_listed(struct place *place, GByteArray *table)
{
	place->table[place->n++] = place_table(place, table);
}

/* op, the length of what follows with its own encoding (two bytes), and what follows. */
static void aml_block(GByteArray *out, unsigned op, GByteArray *inner)
{
	unsigned len = inner->len + 2;

	if (op > 0xff)
		add(out, op >> 8, 1);
	add(out, op & 0xff, 1);
	add(out, 0x40 | (len & 0xf), 1);
	add(out, len >> 4, 1);
	g_byte_array_append(out, inner->data, inner->len);
	g_byte_array_unref(inner);
}

static void aml_name(GByteArray *out, const char *name)
{
	add(out, AML_NAME, 1);
	g_byte_array_append(out, (const guint8 *)name, 4);
}

static void aml_name_byte(GByteArray *out, const char *name, uint8_t value)
{
	aml_name(out, name);
	add(out, AML_BYTE, 1);
	add(out, value, 1);
}

/* "PNP" and four hexadecimal digits, the EISA way. */
static void aml_name_pnp(GByteArray *out, const char *name, uint16_t number)
{
	aml_name(out, name);
	add(out, AML_DWORD, 1);
	add(out, 0xd041 | (uint32_t)(number >> 8) << 16 | (uint32_t)(number & 0xff) << 24, 4);
}

/* _CRS: the resources, to which the end tag is added. */
static void aml_resources(GByteArray *out, GByteArray *resources)
{
	GByteArray *inner = g_byte_array_new();

	add(resources, 0x0079, 2);
	add(inner, AML_BYTE, 1);
	add(inner, resources->len, 1);
	g_byte_array_append(inner, resources->data, resources->len);
	g_byte_array_unref(resources);
	aml_name(out, "_CRS");
	aml_block(out, AML_BUFFER, inner);
}

static void resource_io(GByteArray *out, uint16_t port, uint8_t len)
{
	add(out, 0x0147, 2); /* 16 bits are decoded */
	add(out, port, 2);
	add(out, port, 2);
	add(out, 1, 1);
	add(out, len, 1);
}

static void resource_bus_0(GByteArray *out)
{
	add(out, 0x000d88, 3);
	add(out, 0x000c02, 3); /* bus numbers, minimum and maximum fixed */
	add(out, 0, 8);
	add(out, 1, 2);
}

static void resource_memory(GByteArray *out, uint32_t base, uint32_t len)
{
	add(out, 0x001787, 3);
	add(out, 0x010c00, 3); /* memory, fixed, writable, not cached */
	add(out, 0, 4);
	add(out, base, 4);
	add(out, base + len - 1, 4);
	add(out, 0, 4);
	add(out, len, 4);
}

static GByteArray *aml_pci_root(void)
{
	GByteArray *root = g_byte_array_new(), *resources = g_byte_array_new();

	g_byte_array_append(root, (const guint8 *)"PCI0", 4);
	aml_name_pnp(root, "_HID", 0x0a08);
	aml_name_pnp(root, "_CID", 0x0a03);
	aml_name_byte(root, "_SEG", 0);
	aml_name_byte(root, "_BBN", 0);
	resource_bus_0(resources);
	resource_io(resources, 0xcf8, 8);
	resource_memory(resources, (uint32_t)MACHINE_PCI_BASE, (uint32_t)MACHINE_PCI_LEN);
	aml_resources(root, resources);
	return root;
}

static GByteArray *aml_com1(void)
{
	GByteArray *com1 = g_byte_array_new(), *resources = g_byte_array_new();

	g_byte_array_append(com1, (const guint8 *)"COM1", 4);
	aml_name_pnp(com1, "_HID", 0x0501);
	aml_name_byte(com1, "_UID", 1);
	resource_io(resources, 0x3f8, 8);
	add(resources, 0x001022, 3); /* interrupt 4 */
	aml_resources(com1, resources);
	return com1;
}

static GByteArray *dsdt(void)
{
	GByteArray *table = table_new("DSDT", 2), *off = g_byte_array_new();
	GByteArray *scope = g_byte_array_new();

	aml_name(table, "_S5_");
	add(off, 4, 1); /* elements: the sleep type of reset.c, and three that nobody reads */
	add(off, AML_BYTE, 1);
	add(off, 5, 1);
	add(off, AML_ZERO, 3);
	aml_block(table, AML_PACKAGE, off);
	g_byte_array_append(scope, (const guint8 *)"\\_SB_", 5);
	aml_block(scope, AML_DEVICE, aml_pci_root());
	aml_block(scope, AML_DEVICE, aml_com1());
	aml_block(table, AML_SCOPE, scope);
	return table;
}

/* A generic address: a port of one byte. */
static void fadt_port(GByteArray *table, unsigned offset, uint16_t port)
{
	set(table, offset, 0x01000801, 4); /* system I/O, 8 bits wide, access by byte */
	set(table, offset + 4, port, 8);
}

static GByteArray *fadt(uint64_t dsdt_at)
{
	GByteArray *table = table_new("FACP", 6);

	g_byte_array_set_size(table, FADT_LEN);
	memset(table->data + ACPI_HEADER, 0, FADT_LEN - ACPI_HEADER);
	set(table, FADT_DSDT, dsdt_at, 4);
	set(table, FADT_X_DSDT, dsdt_at, 8);
	set(table, FADT_PROFILE, PROFILE_DESKTOP, 1);
	set(table, FADT_BOOT_ARCH, BOOT_NO_VGA_NO_CMOS, 2);
	set(table, FADT_FLAGS,
		FLAGS_NO_FIXED_BUTTONS | FLAGS_RESET_REGISTER | FLAGS_HARDWARE_REDUCED, 4);
	fadt_port(table, FADT_RESET, 0xcf9);
	set(table, FADT_RESET_VALUE, 6, 1);
	set(table, FADT_MINOR, 4, 1);
	fadt_port(table, FADT_SLEEP_CONTROL, 0x606);
	fadt_port(table, FADT_SLEEP_STATUS, 0x607);
	return table;
}

static GByteArray *madt(unsigned n)
{
	GByteArray *table = table_new("APIC", 4);

	add(table, 0xfee00000, 4);
	add(table, 1, 4); /* there is a PIC as well */
	for (unsigned i = 0; i < n; i++) {
		add(table, 0x0800, 2);
		add(table, i | i << 8, 2);
		add(table, 1, 4);
	}
	add(table, 0x0c01, 2); /* I/O APIC, its number, 0 */
	add(table, 0, 2);
	add(table, 0xfec00000, 4);
	add(table, 0, 4);
	add(table, 0x0a02, 2); /* the PIT's interrupt 0 is wired to pin 2 */
	add(table, 0, 2);
	add(table, 2, 4);
	add(table, 0, 2);
	add(table, 0x0604, 2); /* LINT1 of all processors is the NMI */
	add(table, 0xff, 1);
	add(table, 0, 2);
	add(table, 1, 1);
	return table;
}

static GByteArray *mcfg(void)
{
	GByteArray *table = table_new("MCFG", 1);

	add(table, 0, 8);
	add(table, MACHINE_ECAM_BASE, 8);
	add(table, 0, 8); /* segment 0, bus 0 to 0 */
	return table;
}

static GByteArray *xsdt(const struct place *place)
{
	GByteArray *table = table_new("XSDT", 1);

	for (unsigned i = 0; i < place->n; i++)
		add(table, place->table[i], 8);
	return table;
}

static GByteArray *rsdp(uint64_t xsdt_at)
{
	GByteArray *table = g_byte_array_new();

	g_byte_array_append(table, (const guint8 *)"RSD PTR \0IRORI \2", 16);
	add(table, 0, 4); /* no RSDT */
	add(table, RSDP_LEN, 4);
	add(table, xsdt_at, 8);
	add(table, 0, 4);
	table->data[8] = checksum(table->data, 20);
	table->data[32] = checksum(table->data, RSDP_LEN);
	return table;
}

uint64_t acpi_build(const struct guest_memory *memory, unsigned n)
{
	/* The RSDP's place is kept free: it comes last, when the XSDT has its address. */
	struct place place = { .memory = memory, .at = BOOT_ACPI + 64 };
	uint64_t at;

	at = place_table(&place, dsdt());
	place_listed(&place, fadt(at));
	place_listed(&place, madt(n));
	place_listed(&place, mcfg());
	at = place_table(&place, xsdt(&place));
	place.at = BOOT_ACPI;
	place_bytes(&place, rsdp(at));
	return place.full ? 0 : BOOT_ACPI;
}
