/*
 * All tables in one image, in which pointers are offsets until it is known where it lies: in the
 * first MiB of a directly booted guest, or where a firmware puts it. See acpi.h.
 */
#define G_LOG_DOMAIN "irori-acpi"

#include "vmm/acpi.h"

#include <string.h>

#include "vmm/acpi/dsdt.aml.h"
#include "vmm/acpi_image.h"
#include "vmm/acpi_table.h"
#include "vmm/boot.h"
#include "vmm/error.h"
#include "vmm/fw_cfg.h"
#include "vmm/machine.h"
#include "vmm/vcpu.h"

#define PCI32_BASE MEMORY_LOW_END
#define PCI32_END 0xfec00000ull /* the I/O APIC */
#define PCI64_LEN (64ull << 30)
#define PCI64_MIN (64ull << 30) /* RAM may grow up to here */

enum { ACPI_FILES_MAX = 8 };

struct acpi {
	GPtrArray *tables; /* GBytes *: SSDTs and others, whole */
	bool present[ACPI_PARTS];
	unsigned n; /* processors, as last published */
	unsigned fragments, files;
	char maker[ACPI_MAKER_LEN]; /* of the SLIC; zeros: none */
};

struct acpi *acpi_new(void)
{
	struct acpi *acpi = g_new0(struct acpi, 1);

	acpi->tables = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	return acpi;
}

void acpi_free(struct acpi *acpi)
{
	if (!acpi)
		return;
	g_ptr_array_unref(acpi->tables);
	g_free(acpi);
}

static void add_array(struct acpi *acpi, GByteArray *table)
{
	table_set(table, ACPI_LENGTH, table->len, 4);
	g_ptr_array_add(acpi->tables, g_byte_array_free_to_bytes(table));
}

void acpi_add_fragment(struct machine *machine, GBytes *aml)
{
	gsize len;
	const guint8 *bytes = g_bytes_get_data(aml, &len);

	if (machine->acpi) {
		GByteArray *table = table_new("SSDT", 2);

		/* Linux tells tables apart by their names. */
		table_set(table, 23, 'A' + machine->acpi->fragments++ % 26, 1);
		g_byte_array_append(table, bytes, (guint)len);
		add_array(machine->acpi, table);
	}
	g_bytes_unref(aml);
}

void acpi_add_table(struct machine *machine, GBytes *table)
{
	gsize len;
	const guint8 *bytes = g_bytes_get_data(table, &len);
	uint32_t says = 0;

	if (len >= ACPI_HEADER_LEN)
		memcpy(&says, bytes + ACPI_LENGTH, sizeof(says));
	if (machine->acpi && says == len && len)
		g_ptr_array_add(machine->acpi->tables, g_bytes_ref(table));
	else if (machine->acpi)
		g_warning("a table of %zu bytes that says %u is left out", len, says);
	g_bytes_unref(table);
}

bool acpi_add_file(struct machine *machine, GBytes *table, GError **error)
{
	const char *bytes = g_bytes_get_data(table, NULL);

	if (machine->acpi && machine->acpi->files == ACPI_FILES_MAX) {
		g_bytes_unref(table);
		return fail(error, "more than %u sections [Acpi]", ACPI_FILES_MAX);
	}
	if (machine->acpi)
		machine->acpi->files++;
	if (machine->acpi && !memcmp(bytes, "SLIC", 4))
		memcpy(machine->acpi->maker, bytes + ACPI_MAKER, ACPI_MAKER_LEN);
	acpi_add_table(machine, table);
	return true;
}

void acpi_present(struct machine *machine, enum acpi_part part)
{
	if (machine->acpi)
		machine->acpi->present[part] = true;
}

static void image_pointer(struct acpi_image *image, unsigned at, unsigned size, unsigned to)
{
	table_set(image->bytes, at, to, size);
	image->pointer[image->n_pointers].at = at;
	image->pointer[image->n_pointers++].size = size;
}

/* Its place. */
static unsigned image_add(struct acpi_image *image, const void *bytes, unsigned len, unsigned align)
{
	unsigned at = (image->bytes->len + align - 1) & ~(align - 1);

	while (image->bytes->len < at)
		table_add(image->bytes, 0, 1);
	g_byte_array_append(image->bytes, bytes, len);
	return at;
}

static unsigned image_table(struct acpi_image *image, GByteArray *table)
{
	unsigned at, len = table->len;

	table_set(table, ACPI_LENGTH, len, 4);
	table_set(table, ACPI_CHECKSUM, 0, 1);
	at = image_add(image, table->data, len, ACPI_ALIGN);
	image->table[image->n_tables].at = at;
	image->table[image->n_tables++].len = len;
	g_byte_array_unref(table);
	return at;
}

static GByteArray *array_of(const void *bytes, size_t len)
{
	return g_byte_array_append(g_byte_array_new(), bytes, (guint)len);
}

/* ECAM lies somewhere between RAM and the I/O APIC; what it leaves is for BARs. */
static void dsdt_windows(struct machine *machine, uint64_t ecam, uint64_t ecam_len, GByteArray *dsdt)
{
	const struct memory_part *high = memory_room(machine->memory);
	uint64_t base;

	high = high ? high : memory_part(machine->memory, 1);
	base = MAX(high ? high->gpa + high->len : MEMORY_HIGH_BASE, PCI64_MIN);
	table_set(dsdt, DSDT_MECM, ecam, 4);
	base = (base + PCI64_LEN - 1) & ~(PCI64_LEN - 1);
	if (ecam <= PCI32_BASE || ecam >= PCI32_END || ecam_len >= PCI32_END - ecam) {
		ecam = MACHINE_ECAM_BASE; /* elsewhere: two windows all the same */
		ecam_len = 0;
	}
	table_set(dsdt, DSDT_MW1E, ecam - 1, 4);
	table_set(dsdt, DSDT_MW2B, ecam + ecam_len, 4);
	table_set(dsdt, DSDT_MW2E, PCI32_END - 1, 4);
	table_set(dsdt, DSDT_MW6B, base >> 20, 4);
	table_set(dsdt, DSDT_MW6L, PCI64_LEN >> 20, 4);
}

/* dsdt.asl with what is so in this guest. It has the same length in all. */
static GByteArray *dsdt_new(struct machine *machine, uint64_t ecam, uint64_t ecam_len)
{
	bool i8042 = machine->acpi && machine->acpi->present[ACPI_I8042];
	GByteArray *dsdt = array_of(dsdt_aml, sizeof(dsdt_aml));

	dsdt_windows(machine, ecam, ecam_len, dsdt);
	if (!i8042) {
		table_set(dsdt, DSDT_STA_KBD, 0, 1);
		table_set(dsdt, DSDT_STA_MOU, 0, 1);
	}
	if (!machine->fw_cfg)
		table_set(dsdt, DSDT_STA_FWCF, 0, 1);
	return dsdt;
}

/* The PC that a SLIC is of is known by these names. */
static GByteArray *made_by(const struct acpi *acpi, GByteArray *table)
{
	if (acpi && acpi->maker[0])
		memcpy(table->data + ACPI_MAKER, acpi->maker, ACPI_MAKER_LEN);
	return table;
}

/* The lists of all tables from `first` on, with pointers of 4 and of 8 bytes. */
static unsigned image_list(struct acpi_image *image, GByteArray *list, unsigned first, unsigned end,
	unsigned size)
{
	unsigned at;

	g_byte_array_set_size(list, ACPI_HEADER_LEN + (end - first) * size);
	memset(list->data + ACPI_HEADER_LEN, 0, list->len - ACPI_HEADER_LEN);
	at = image_table(image, list);
	for (unsigned i = first; i < end; i++)
		image_pointer(image, at + ACPI_HEADER_LEN + (i - first) * size, size,
			image->table[i].at);
	return at;
}

static GByteArray *madt_of(struct machine *machine, unsigned n)
{
	uint64_t there = 0;

	if (!machine->vcpus)
		return table_madt(n < 64 ? (1ull << n) - 1 : ~0ull, n);
	for (unsigned i = 0; i < vcpus_max(machine->vcpus); i++)
		there |= (uint64_t)vcpus_present(machine->vcpus, i) << i;
	return table_madt(there, vcpus_max(machine->vcpus));
}

static void image_make(struct acpi_image *image, struct machine *machine, unsigned n)
{
	const struct acpi *acpi = machine->acpi;
	GByteArray *facs = table_facs();
	uint64_t ecam = 0, ecam_len = 0;
	unsigned facs_at, dsdt_at, fadt_at, first, end;

	*image = (struct acpi_image){ .bytes = g_byte_array_new() };
	pci_bus_ecam(machine->pci, &ecam, &ecam_len);
	facs_at = image_add(image, facs->data, facs->len, ACPI_FACS_LEN);
	g_byte_array_unref(facs);
	dsdt_at = image_table(image, dsdt_new(machine, ecam, ecam_len));
	first = image->n_tables;
	fadt_at = image_table(image, made_by(acpi, table_fadt(acpi && acpi->present[ACPI_I8042],
		acpi && acpi->present[ACPI_VGA])));
	image_pointer(image, fadt_at + ACPI_FADT_FACS, 4, facs_at);
	image_pointer(image, fadt_at + ACPI_FADT_DSDT, 4, dsdt_at);
	image_pointer(image, fadt_at + ACPI_FADT_X_DSDT, 8, dsdt_at);
	image_table(image, madt_of(machine, n));
	image_table(image, table_mcfg(ecam));
	for (unsigned i = 0; acpi && i < acpi->tables->len; i++) {
		gsize len;
		const void *bytes = g_bytes_get_data(acpi->tables->pdata[i], &len);

		if (image->n_tables == ACPI_MAX_TABLES - 2) {
			g_warning("more than %u tables: the rest is left out", ACPI_MAX_TABLES);
			break;
		}
		image_table(image, array_of(bytes, len));
	}
	end = image->n_tables;
	image->rsdt = image_list(image, made_by(acpi, table_new("RSDT", 1)), first, end, 4);
	image->xsdt = image_list(image, made_by(acpi, table_new("XSDT", 1)), first, end, 8);
}

/* Pointers without an RSDT or XSDT are the loader's to add. */
static GByteArray *rsdp_new(unsigned rsdt, unsigned xsdt)
{
	GByteArray *rsdp = g_byte_array_new();

	g_byte_array_append(rsdp, (const guint8 *)"RSD PTR \0IRORI \2", 16);
	table_add(rsdp, rsdt, 4);
	table_add(rsdp, RSDP_LEN, 4);
	table_add(rsdp, xsdt, 8);
	table_add(rsdp, 0, 4);
	return rsdp;
}

static uint64_t get(const GByteArray *bytes, unsigned at, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, bytes->data + at, size);
	return GUINT64_FROM_LE(value);
}

/* To address `base`, with its checksums. */
static void image_settle(struct acpi_image *image, uint64_t base)
{
	for (unsigned i = 0; i < image->n_pointers; i++) {
		unsigned at = image->pointer[i].at, size = image->pointer[i].size;

		table_set(image->bytes, at, get(image->bytes, at, size) + base, size);
	}
	for (unsigned i = 0; i < image->n_tables; i++) {
		uint8_t *table = image->bytes->data + image->table[i].at;

		table[ACPI_CHECKSUM] = table_checksum(table, image->table[i].len);
	}
}

uint64_t acpi_build(struct machine *machine, unsigned n)
{
	uint64_t at = BOOT_ACPI + ACPI_FACS_LEN;
	struct acpi_image image;
	GByteArray *rsdp;
	bool placed;

	image_make(&image, machine, n);
	image_settle(&image, at);
	rsdp = rsdp_new((uint32_t)at + image.rsdt, (uint32_t)at + image.xsdt);
	rsdp->data[RSDP_CHECKSUM] = table_checksum(rsdp->data, RSDP_SHORT);
	rsdp->data[RSDP_CHECKSUM_ALL] = table_checksum(rsdp->data, RSDP_LEN);
	placed = image.bytes->len <= BOOT_KERNEL_MIN - at &&
		memory_write(machine->memory, at, image.bytes->data, image.bytes->len) &&
		memory_write(machine->memory, BOOT_ACPI, rsdp->data, rsdp->len);
	g_byte_array_unref(image.bytes);
	g_byte_array_unref(rsdp);
	return placed ? BOOT_ACPI : 0;
}

void acpi_files(struct machine *machine, unsigned n, struct acpi_files *files)
{
	struct acpi_image image;

	image_make(&image, machine, n);
	files->loader = acpi_loader(&image);
	files->rsdp = g_byte_array_free_to_bytes(rsdp_new(image.rsdt, image.xsdt));
	files->tables = g_byte_array_free_to_bytes(image.bytes);
}

static void publish_again(void *owner)
{
	struct machine *machine = owner;

	acpi_publish(machine, machine->acpi->n);
}

void acpi_publish(struct machine *machine, unsigned n)
{
	struct acpi_files files;

	if (!machine->acpi)
		return;
	machine->acpi->n = n;
	pci_bus_ecam_moved(machine->pci, publish_again, machine);
	acpi_files(machine, n, &files);
	fw_cfg_add(machine, ACPI_FILE_TABLES, files.tables);
	fw_cfg_add(machine, ACPI_FILE_RSDP, files.rsdp);
	fw_cfg_add(machine, ACPI_FILE_LOADER, files.loader);
}
