/*
 * A table from a file: what is one and what is not, and what a guest finds of it.
 */
#include "vmm/acpi_file.c"

#include "tests/unit/test.h"

enum { LEN = 48 };

static void seal(uint8_t *table, uint32_t len)
{
	memcpy(table + ACPI_LENGTH, &len, sizeof(len));
	table[ACPI_CHECKSUM] = 0;
	table[ACPI_CHECKSUM] = table_checksum(table, LEN);
}

static void make(uint8_t *table, const char *signature)
{
	memset(table, 0, ACPI_FILE_MAX + 1);
	memcpy(table, signature, SIGNATURE_LEN);
	memcpy(table + ACPI_MAKER, "MAKER THEIR-PC", ACPI_MAKER_LEN);
	memcpy(table + ACPI_HEADER_LEN, "a licence", 9);
	seal(table, LEN);
}

static void refused(const uint8_t *table, size_t len, const char *word)
{
	g_autoptr(GError) error = NULL;

	test_assert(!acpi_file_check(table, len, &error));
	test_equal(error_status(error), EX_DATAERR);
	test_assert(strstr(error->message, word) && !strchr(error->message, '\n'));
}

static void what_is_none_is_refused(void)
{
	static uint8_t table[ACPI_FILE_MAX + 1];

	make(table, "MSDM");
	test_assert(acpi_file_check(table, LEN, NULL));
	for (size_t n = 0; n < LEN; n++)
		refused(table, n, n < ACPI_HEADER_LEN ? "not an ACPI table" : "cut off");
	refused(table, LEN + 1, "more behind it");
	refused(table, sizeof(table), "8 KiB");
	for (unsigned i = 0; i < LEN; i++) {
		table[i] ^= 0x80;
		refused(table, LEN, i < 4 ? "not an ACPI table" : i < 8 ? "by its header" : "checksum");
		table[i] ^= 0x80;
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(own); i++) {
		make(table, own[i]);
		refused(table, LEN, "already");
	}
}

static bool image_has(struct machine *machine, const char *signature, const char *maker)
{
	struct acpi_files files;
	const char *bytes;
	bool found = false;
	gsize len;

	acpi_files(machine, 1, &files);
	bytes = g_bytes_get_data(files.tables, &len);
	for (gsize i = 0; i + ACPI_HEADER_LEN <= len; i += 4)
		found = found || (!memcmp(bytes + i, signature, SIGNATURE_LEN) &&
			!memcmp(bytes + i + ACPI_MAKER, maker, ACPI_MAKER_LEN));
	g_bytes_unref(files.tables);
	g_bytes_unref(files.rsdp);
	g_bytes_unref(files.loader);
	return found;
}

static struct device *create(struct machine *machine, const char *path, GError **error)
{
	struct acpi_file_config config = { .path = (char *)path };
	bool good = acpi_file_is_good(NULL, "licence", &config, NULL);
	struct device *device = acpi_file_create(machine, "licence", &config, error);

	test_assert(good || !device);
	return device;
}

/* MSDM: it alone. SLIC: the lists and the FADT are that maker's, the DSDT is ours. Then too many. */
static void a_guest_finds_it(void)
{
	static const char ours[] = "IRORI IRORIPC ", theirs[] = "MAKER THEIR-PC";
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "irori-acpi-XXXXXX", NULL);
	struct machine machine = { .acpi = acpi_new(), .memory = memory_new(2 << 20, NULL),
		.mmio = bus_new("memory"), .pio = bus_new("port") };
	static uint8_t table[ACPI_FILE_MAX + 1];
	g_autoptr(GError) error = NULL;
	struct device *device;
	unsigned n = 2;
	int fd = g_mkstemp(path);

	machine.pci = pci_bus_new(machine.mmio, machine.pio, NULL);
	test_assert(!create(&machine, path, &error) && strstr(error->message, path));
	make(table, "MSDM");
	test_equal(pwrite(fd, table, LEN, 0), LEN);
	device = create(&machine, path, NULL);
	device->destroy(device);
	test_assert(image_has(&machine, "MSDM", theirs) && image_has(&machine, "XSDT", ours));
	make(table, "SLIC");
	test_equal(pwrite(fd, table, LEN, 0), LEN);
	device = create(&machine, path, NULL);
	device->destroy(device);
	test_assert(image_has(&machine, "SLIC", theirs) && image_has(&machine, "XSDT", theirs) &&
		image_has(&machine, "RSDT", theirs) && image_has(&machine, "FACP", theirs) &&
		image_has(&machine, "APIC", ours));
	test_assert(acpi_build(&machine, 1));
	for (g_clear_error(&error); (device = create(&machine, path, &error)); n++)
		device->destroy(device);
	test_equal(n, 8);
	test_equal(error_status(error), EX_CONFIG);
	close(fd);
	unlink(path);
	acpi_free(machine.acpi);
	pci_bus_free(machine.pci);
	bus_free(machine.mmio);
	bus_free(machine.pio);
	memory_free(machine.memory);
}

int main(void)
{
	test_run(what_is_none_is_refused);
	test_run(a_guest_finds_it);
	return 0;
}
