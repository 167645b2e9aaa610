/*
 * The loader's script, by which a firmware lays out tables that it does not understand: commands of
 * 128 bytes with numbers and names of files, and no code.
 * Source: QEMU, hw/acpi/bios-linker-loader.c; EDK II, OvmfPkg/AcpiPlatformDxe/QemuLoader.h.
 */
#include "vmm/acpi_image.h"
#include "vmm/acpi_table.h"
#include "vmm/fw_cfg.h"

enum loader {
	LOADER_LEN = 128,
	LOADER_ALLOCATE = 1,
	LOADER_POINTER = 2,
	LOADER_CHECKSUM = 3,
	ZONE_HIGH = 1,
	ZONE_LOW = 2, /* the segment where an RSDP is looked for */
};

static void add_file(GByteArray *out, const char *name)
{
	char padded[FW_CFG_NAME_MAX] = "";

	g_strlcpy(padded, name, sizeof(padded));
	g_byte_array_append(out, (const guint8 *)padded, sizeof(padded));
}

static void command_end(GByteArray *out)
{
	while (out->len % LOADER_LEN)
		table_add(out, 0, 1);
}

static void command_allocate(GByteArray *out, const char *file, unsigned align, unsigned zone)
{
	table_add(out, LOADER_ALLOCATE, 4);
	add_file(out, file);
	table_add(out, align, 4);
	table_add(out, zone, 1);
	command_end(out);
}

static void command_pointer(GByteArray *out, const char *file, unsigned at, unsigned size)
{
	table_add(out, LOADER_POINTER, 4);
	add_file(out, file);
	add_file(out, ACPI_FILE_TABLES);
	table_add(out, at, 4);
	table_add(out, size, 1);
	command_end(out);
}

static void command_checksum(GByteArray *out, const char *file, unsigned at, unsigned start,
	unsigned len)
{
	table_add(out, LOADER_CHECKSUM, 4);
	add_file(out, file);
	table_add(out, at, 4);
	table_add(out, start, 4);
	table_add(out, len, 4);
	command_end(out);
}

GBytes *acpi_loader(const struct acpi_image *image)
{
	GByteArray *loader = g_byte_array_new();

	command_allocate(loader, ACPI_FILE_RSDP, ACPI_ALIGN, ZONE_LOW);
	command_allocate(loader, ACPI_FILE_TABLES, ACPI_FACS_LEN, ZONE_HIGH);
	for (unsigned i = 0; i < image->n_pointers; i++)
		command_pointer(loader, ACPI_FILE_TABLES, image->pointer[i].at, image->pointer[i].size);
	for (unsigned i = 0; i < image->n_tables; i++)
		command_checksum(loader, ACPI_FILE_TABLES, image->table[i].at + ACPI_CHECKSUM,
			image->table[i].at, image->table[i].len);
	command_pointer(loader, ACPI_FILE_RSDP, RSDP_RSDT, 4);
	command_pointer(loader, ACPI_FILE_RSDP, RSDP_XSDT, 8);
	command_checksum(loader, ACPI_FILE_RSDP, RSDP_CHECKSUM, 0, RSDP_SHORT);
	command_checksum(loader, ACPI_FILE_RSDP, RSDP_CHECKSUM_ALL, 0, RSDP_LEN);
	return g_byte_array_free_to_bytes(loader);
}
