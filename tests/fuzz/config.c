/*
 * Configuration files: any text gives a guest's configuration or a message, never neither.
 */
#include "vmm/machine.h"
#include "vmm/property.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static GLogWriterOutput silent(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer user)
{
	return G_LOG_WRITER_HANDLED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autoptr(GError) error = NULL;
	struct guest_config config = { 0 };
	static bool quiet;
	struct config_file *file;

	if (!quiet)
		g_log_set_writer_func(silent, NULL, NULL);
	quiet = true;
	file = config_file_parse((const char *)data, len, "fuzz.conf", &error);
	if (!file)
		return error ? 0 : (__builtin_trap(), 0);
	for (const char *const *section = config_file_sections(file); *section; section++) {
		g_autoptr(GError) bad = NULL;

		if (property_parse(machine_guest_properties, file, *section, &config, &bad) == !!bad)
			__builtin_trap();
		property_clear(machine_guest_properties, &config);
	}
	config_file_free(file);
	return 0;
}
