/*
 * ACPI tables: that they can be found from the RSDP, that their checksums are right, and that they
 * say what is there.
 */
#include "vmm/acpi.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/test.h"
#include "vmm/acpi/dsdt.aml.h"
#include "vmm/acpi_table.h"
#include "vmm/machine.h"

static struct guest_memory *memory;
static struct machine machine;

static uint64_t get(uint64_t gpa, unsigned len)
{
	uint64_t value = 0;

	test_assert(memory_read(memory, gpa, &value, len));
	return value;
}

static void sum_is_zero(uint64_t gpa, uint64_t len)
{
	const uint8_t *bytes = memory_at(memory, gpa, len);
	uint8_t sum = 0;

	test_assert(bytes);
	for (uint64_t i = 0; i < len; i++)
		sum += bytes[i];
	test_equal(sum, 0);
}

/* A listed table by its signature; its length. */
static uint64_t find(uint64_t rsdp, const char *signature, uint64_t *len)
{
	uint64_t xsdt = get(rsdp + 24, 8);

	for (uint64_t at = xsdt + 36; at < xsdt + get(xsdt + 4, 4); at += 8) {
		uint64_t table = get(at, 8);

		if (memcmp(memory_at(memory, table, 4), signature, 4))
			continue;
		*len = get(table + 4, 4);
		sum_is_zero(table, *len);
		return table;
	}
	test_assert(!"table found");
	return 0;
}

static void tables_are_found(void)
{
	uint64_t rsdp = acpi_build(&machine, 3), at, len;

	test_assert(rsdp >= 0xe0000 && rsdp < 0x100000);
	test_assert(!memcmp(memory_at(memory, rsdp, 8), "RSD PTR ", 8));
	sum_is_zero(rsdp, 20);
	sum_is_zero(rsdp, 36);
	test_equal(get(rsdp + 15, 1), 2);
	at = get(rsdp + 24, 8);
	sum_is_zero(at, get(at + 4, 4));
	at = find(rsdp, "FACP", &len);
	test_equal(len, 276);
	test_equal(get(at + 116, 1), 1);
	test_equal(get(at + 120, 8), 0xcf9);
	test_equal(get(at + 128, 1), 6);
	at = get(at + 140, 8);
	test_assert(!memcmp(memory_at(memory, at, 4), "DSDT", 4));
	sum_is_zero(at, get(at + 4, 4));
	at = find(rsdp, "MCFG", &len);
	test_equal(get(at + 44, 8), MACHINE_ECAM_BASE);
	test_equal(len, 60);
}

static void processors_are_counted(void)
{
	uint64_t rsdp = acpi_build(&machine, 64), len, at = find(rsdp, "APIC", &len);
	unsigned processors = 0, io = 0;

	for (uint64_t entry = at + 44; entry < at + len; entry += get(entry + 1, 1)) {
		test_assert(get(entry + 1, 1) >= 2);
		if (get(entry, 1) == 0)
			test_equal(get(entry + 3, 1), processors++);
		io += get(entry, 1) == 1;
	}
	test_equal(processors, 64);
	test_equal(io, 1);
}

/* What a person or a driver looks at first. */
static void board_is_told(void)
{
	uint64_t rsdp = acpi_build(&machine, 1), len, at = find(rsdp, "FACP", &len), entry;
	bool sci = false;

	test_equal(get(at + 46, 2), 9);
	test_equal(get(at + 48, 4), 0); /* no SMI: in ACPI mode from the start */
	test_equal(get(at + 56, 4), 0x600);
	test_equal(get(at + 64, 4), 0x604);
	test_equal(get(at + 76, 4), 0x608);
	test_equal(get(at + 80, 4), 0x620);
	test_equal(get(at + 88, 1) | get(at + 89, 1) << 8 | get(at + 91, 1) << 16, 0x040204);
	test_equal(get(at + 148, 4), 0x02002001);
	test_equal(get(at + 152, 8), 0x600);
	test_equal(get(at + 109, 2), 0x15); /* no keyboard controller, no VGA */
	test_assert(!(get(at + 112, 4) & 1 << 20)); /* not hardware-reduced */
	test_assert(!memcmp(memory_at(memory, get(at + 36, 4), 4), "FACS", 4));
	test_equal(get(at + 36, 4) % 64, 0);
	acpi_present(&machine, ACPI_I8042);
	acpi_present(&machine, ACPI_VGA);
	rsdp = acpi_build(&machine, 1);
	test_equal(get(find(rsdp, "FACP", &len) + 109, 2), 0x13);
	at = find(rsdp, "APIC", &len);
	for (entry = at + 44; entry < at + len; entry += get(entry + 1, 1))
		sci = sci || (get(entry, 4) == 0x09000a02 && get(entry + 4, 4) == 9 &&
			get(entry + 8, 2) == 0x0d);
	test_assert(sci);
}

static uint64_t number_in(uint64_t at, uint64_t len, const char *name)
{
	for (uint64_t i = at; i + 10 < at + len; i++)
		if (get(i, 1) == 8 && !memcmp(memory_at(memory, i + 1, 4), name, 4) &&
			get(i + 5, 1) == 0x0c)
			return get(i + 6, 4);
	test_assert(!"name found");
	return 0;
}

static void windows_are(uint32_t ecam, uint32_t below_end, uint32_t above)
{
	uint64_t rsdp = acpi_build(&machine, 1), len;
	uint64_t at = get(find(rsdp, "FACP", &len) + 140, 8);

	len = get(at + 4, 4);
	test_equal(number_in(at, len, "MECM"), ecam);
	test_equal(number_in(at, len, "MW1E"), below_end);
	test_equal(number_in(at, len, "MW2B"), above);
	test_equal(number_in(at, len, "MW2E"), 0xfebfffff);
	test_assert(number_in(at, len, "MW6B") >= 4096);
	test_equal(get(find(rsdp, "MCFG", &len) + 44, 8), ecam);
}

static void pciexbar(uint32_t value)
{
	bus_write(machine.pio, 0xcf8, 4, 0x80000060);
	bus_write(machine.pio, 0xcfc, 4, value);
}

static void tables_follow_ecam(void)
{
	windows_are(0xe0000000, 0xdfffffff, 0xf0000000);
	pciexbar(0xb0000001);
	windows_are(0xb0000000, 0xafffffff, 0xc0000000);
	pciexbar(0x40000001); /* over RAM: no reason for windows of length zero */
	windows_are(0x40000000, 0xdfffffff, 0xe0000000);
	pciexbar(0xf0000001);
	windows_are(0xf0000000, 0xdfffffff, 0xe0000000);
	pciexbar(0);
	windows_are(0, 0xdfffffff, 0xe0000000);
	pci_bus_reset(machine.pci);
	windows_are(0xe0000000, 0xdfffffff, 0xf0000000);
}

static uint32_t file_get(const uint8_t *bytes, gsize len, uint64_t at, unsigned size)
{
	uint32_t value = 0;

	test_assert(at <= len && size <= len - at);
	memcpy(&value, bytes + at, size);
	return value;
}

/* A firmware: carries the loader's script out, with the tables at 8 KiB and the RSDP at 4 KiB. */
static void firmware_loads(void)
{
	enum { RSDP = 0x1000, TABLES = 0x2000 };
	struct acpi_files files;
	const uint8_t *script;
	gsize len, n;

	acpi_files(&machine, 2, &files);
	script = g_bytes_get_data(files.loader, &len);
	test_equal(len % 128, 0);
	memory_write(memory, RSDP, g_bytes_get_data(files.rsdp, &n), g_bytes_get_size(files.rsdp));
	test_equal(n, 36);
	memory_write(memory, TABLES, g_bytes_get_data(files.tables, &n),
		g_bytes_get_size(files.tables));
	for (gsize i = 0; i < len; i += 128) {
		const char *file = (const char *)script + i + 4;
		uint64_t base = strcmp(file, "etc/acpi/rsdp") ? TABLES : RSDP;
		gsize size = base == RSDP ? 36 : n;
		uint32_t at, from, count;
		uint64_t value;

		test_assert(base == RSDP || !strcmp(file, "etc/acpi/tables"));
		switch (file_get(script, len, i, 4)) {
		case 1:
			test_equal(file_get(script, len, i + 64, 1), base == RSDP ? 2 : 1);
			break;
		case 2:
			test_assert(!strcmp((const char *)script + i + 60, "etc/acpi/tables"));
			at = file_get(script, len, i + 116, 4);
			count = file_get(script, len, i + 120, 1);
			test_assert(at + count <= size && (count == 4 || count == 8));
			value = get(base + at, count) + TABLES;
			memory_write(memory, base + at, &value, count);
			break;
		case 3:
			at = file_get(script, len, i + 60, 4);
			from = file_get(script, len, i + 64, 4);
			count = file_get(script, len, i + 68, 4);
			test_assert(from + count <= size && at >= from && at < from + count);
			value = 0;
			for (uint32_t k = from; k < from + count; k++)
				value -= get(base + k, 1);
			test_equal(get(base + at, 1), 0);
			memory_write(memory, base + at, &value, 1);
			break;
		default:
			test_assert(!"a command that is known");
		}
	}
	sum_is_zero(RSDP, 20);
	sum_is_zero(RSDP, 36);
	find(RSDP, "APIC", &n);
	find(RSDP, "MCFG", &n);
	test_assert(!memcmp(memory_at(memory, get(find(RSDP, "FACP", &n) + 140, 8), 4), "DSDT", 4));
	g_bytes_unref(files.loader);
	g_bytes_unref(files.tables);
	g_bytes_unref(files.rsdp);
}

static void quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

static void devices_add(void)
{
	static const uint8_t aml[] = { 0x08, 'M', 'I', 'N', 'E', 0x01 };
	uint8_t table[40] = "TPM2\x28";
	uint64_t rsdp, at, len;

	acpi_add_fragment(&machine, g_bytes_new(aml, sizeof(aml)));
	acpi_add_fragment(&machine, g_bytes_new(aml, sizeof(aml)));
	acpi_add_table(&machine, g_bytes_new(table, sizeof(table)));
	g_log_set_handler("irori-acpi", G_LOG_LEVEL_WARNING, quiet, NULL);
	acpi_add_table(&machine, g_bytes_new(table, 39)); /* shorter than it says */
	acpi_add_table(&machine, g_bytes_new(table, 8));
	acpi_add_table(&machine, g_bytes_new(NULL, 0));
	rsdp = acpi_build(&machine, 1);
	at = find(rsdp, "SSDT", &len);
	test_equal(len, 36 + sizeof(aml));
	test_assert(!memcmp(memory_at(memory, at + 36, sizeof(aml)), aml, sizeof(aml)));
	find(rsdp, "TPM2", &len);
	test_equal(len, 40);
	for (unsigned i = 0; i < 100; i++) /* no end of them */
		acpi_add_fragment(&machine, g_bytes_new(aml, sizeof(aml)));
	test_assert(acpi_build(&machine, 1));
	acpi_free(machine.acpi);
	machine.acpi = NULL;
	acpi_add_fragment(&machine, g_bytes_new(aml, sizeof(aml))); /* nobody to take it */
	acpi_add_table(&machine, g_bytes_new(table, sizeof(table)));
	acpi_present(&machine, ACPI_VGA);
}

static void no_room(void)
{
	struct guest_memory *small = memory_new(0xe0000, NULL);

	test_assert(small);
	machine.memory = small;
	test_equal(acpi_build(&machine, 1), 0);
	machine.memory = memory;
	memory_free(small);
}

/* The room for memory is in the SRAT, hot-pluggable, and below the window for 64-bit BARs. */
static void room_is_told(void)
{
	struct guest_memory *roomy = memory_new_with_room(2 << 20, 70ull << 30, NULL), *before = memory;
	GByteArray *table = table_srat(roomy, 2);
	uint64_t rsdp, at, len;

	table_set(table, ACPI_LENGTH, table->len, 4);
	machine.memory = memory = roomy;
	acpi_add_table(&machine, g_byte_array_free_to_bytes(table));
	rsdp = acpi_build(&machine, 1);
	at = find(rsdp, "SRAT", &len);
	test_equal(len, 48 + 2 * 16 + 2 * 40);
	test_equal(get(at + 48 + 16, 4), 0x01001000); /* processor 1 */
	test_equal(get(at + 80 + 8, 8), 0);
	test_equal(get(at + 80 + 16, 8), 2 << 20);
	test_equal(get(at + 80 + 28, 4), 1);
	test_equal(get(at + 120 + 8, 8), MEMORY_HIGH_BASE);
	test_equal(get(at + 120 + 16, 8), 70ull << 30);
	test_equal(get(at + 120 + 28, 4), 3);
	at = get(find(rsdp, "FACP", &len) + 140, 8);
	test_equal(get(at + DSDT_MW6B, 4), (128ull << 30) >> 20);
	machine.memory = memory = before;
	memory_free(roomy);
}

int main(void)
{
	memory = memory_new(2 << 20, NULL);
	test_assert(memory);
	machine.memory = memory;
	machine.acpi = acpi_new();
	machine.mmio = bus_new("memory");
	machine.pio = bus_new("port");
	machine.pci = pci_bus_new(machine.mmio, machine.pio, NULL);
	test_equal(pci_bus_map(machine.pci, MACHINE_ECAM_BASE), 0);
	test_run(tables_are_found);
	test_run(processors_are_counted);
	test_run(no_room);
	test_run(board_is_told);
	test_run(tables_follow_ecam);
	test_run(firmware_loads);
	test_run(room_is_told);
	test_run(devices_add);
	pci_bus_free(machine.pci);
	bus_free(machine.mmio);
	bus_free(machine.pio);
	memory_free(memory);
	return 0;
}
