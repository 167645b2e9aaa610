/*
 * See acpi_file.h.
 */
#include "vmm/acpi_file.h"

#include <string.h>
#include <unistd.h>

#include "vmm/acpi.h"
#include "vmm/acpi_table.h"
#include "vmm/boot.h"
#include "vmm/error.h"
#include "vmm/machine.h"
#include "vmm/machine_config.h"

enum { SIGNATURE_LEN = 4 };

/* A second one of these would say what is not so. */
static const char *const own[] = {
	"RSD ", "RSDT", "XSDT", "FACP", "FACS", "DSDT", "APIC", "MCFG", "SRAT", "TPM2",
};

static bool signature_check(const char *signature, GError **error)
{
	for (unsigned i = 0; i < SIGNATURE_LEN; i++)
		if (signature[i] < ' ' || signature[i] > '_') /* none has small letters */
			return fail_as(error, EX_DATAERR, "not an ACPI table");
	for (unsigned i = 0; i < G_N_ELEMENTS(own); i++)
		if (!memcmp(signature, own[i], SIGNATURE_LEN))
			return fail_as(error, EX_DATAERR, "a %.4s table, which a guest has already",
				signature);
	return true;
}

bool acpi_file_check(const uint8_t *bytes, size_t len, GError **error)
{
	char signature[SIGNATURE_LEN + 1] = "";
	uint32_t says;

	if (len < ACPI_HEADER_LEN)
		return fail_as(error, EX_DATAERR, "not an ACPI table: %zu bytes, a header has %u", len,
			ACPI_HEADER_LEN);
	if (len > ACPI_FILE_MAX)
		return fail_as(error, EX_DATAERR, "not an ACPI table, or larger than %u KiB",
			ACPI_FILE_MAX >> 10);
	memcpy(signature, bytes, SIGNATURE_LEN);
	memcpy(&says, bytes + ACPI_LENGTH, sizeof(says));
	says = GUINT32_FROM_LE(says);
	if (!signature_check(signature, error))
		return false;
	if (says != len)
		return fail_as(error, EX_DATAERR, "%s table, %s: %u bytes by its header, %zu in the file",
			signature, says > len ? "cut off" : "with more behind it", says, len);
	if (table_checksum(bytes, len))
		return fail_as(error, EX_DATAERR, "%s table, damaged: its checksum is wrong", signature);
	return true;
}

struct acpi_file_config {
	char *path;
};

static const struct property acpi_file_properties[] = {
	{ "Path", PROPERTY_PATH, offsetof(struct acpi_file_config, path), NULL,
		"file with the table, as in /sys/firmware/acpi/tables", .required = true,
		.exists = true },
	{ 0 }
};

/* NULL and error set. */
static GBytes *acpi_file_read(const char *path, GError **error)
{
	struct boot_source source = { .fd = -1 };
	g_autofree uint8_t *bytes = g_malloc(ACPI_FILE_MAX + 1);
	g_autoptr(GError) inner = NULL;
	size_t len = 0;

	if (machine_source_open(&source, path, &inner)) {
		len = MIN(source.len, ACPI_FILE_MAX + 1);
		if (!boot_read(&source, 0, bytes, len))
			fail_as(&inner, EX_IOERR, "%s: cannot be read", path);
		else if (!acpi_file_check(bytes, len, &inner))
			g_prefix_error(&inner, "%s: ", path);
	}
	if (source.fd >= 0)
		close(source.fd);
	if (!inner)
		return g_bytes_new(bytes, len);
	g_propagate_prefixed_error(error, g_steal_pointer(&inner), "ACPI table ");
	return NULL;
}

static bool acpi_file_is_good(const struct guest_config *guest, const char *instance,
	const void *config, GError **error)
{
	GBytes *table = acpi_file_read(((const struct acpi_file_config *)config)->path, error);

	if (table)
		g_bytes_unref(table);
	return table;
}

static void acpi_file_destroy(struct device *device)
{
	g_free(device);
}

static struct device *acpi_file_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	GBytes *table = acpi_file_read(((const struct acpi_file_config *)config)->path, error);
	struct device *device;

	if (!table || !acpi_add_file(machine, table, error))
		return NULL;
	device = g_new0(struct device, 1);
	device->destroy = acpi_file_destroy;
	return device;
}

static const struct device_type acpi_file = {
	.section = "Acpi",
	.help = "one more ACPI table, from a file: a PC's Windows licence (SLIC, MSDM)",
	.properties = acpi_file_properties,
	.config_size = sizeof(struct acpi_file_config),
	.create = acpi_file_create,
	.check = acpi_file_is_good,
};
DEVICE_REGISTER(acpi_file);
