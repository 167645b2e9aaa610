/*
 * What a configuration says of the machine, before there is one: [Guest], which sections there are
 * and whose, and the check that changes nothing on the host (irori-vmm --check).
 */
#include "vmm/machine_config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "display/link.h"
#include "gpu-share/policy.h"
#include "vmm/boot.h"
#include "vmm/error.h"
#include "vmm/kvm.h"
#include "vmm/memory.h"
#include "vmm/smbios.h"

static const char *const share_classes[] = { "video", "interactive", "fair", "idle", NULL };
static const char *const crash_choices[] = { "stay", "exit", NULL };

const struct property machine_guest_properties[] = {
	{ "Name", PROPERTY_STRING, offsetof(struct guest_config, name), NULL,
		"what the guest is called: letters, digits, '-', '_', '.'", .required = true },
	{ "Memory", PROPERTY_SIZE, offsetof(struct guest_config, memory), "256M",
		"RAM, a multiple of 4K", .min = 1 << 20, .max = 1ull << 40 },
	{ "MaxMemory", PROPERTY_SIZE, offsetof(struct guest_config, max_memory), "0",
		"RAM that it can be given while it runs, in all, Memory= and a multiple of 2M; 0: no "
		"more than Memory=", .min = 0, .max = 1ull << 40 },
	{ "Vcpus", PROPERTY_UINT, offsetof(struct guest_config, vcpus), "1",
		"virtual processors", .min = 1, .max = KVM_MAX_VCPUS },
	{ "Firmware", PROPERTY_STRING, offsetof(struct guest_config, firmware), NULL,
		"bios, uefi, or an image's absolute path (default: bios, when there is no Kernel=)",
		.required = false },
	{ "Uuid", PROPERTY_STRING, offsetof(struct guest_config, uuid), NULL,
		"what the guest reads as its machine's (default: always the same for its name)",
		.required = false },
	{ "MaxVcpus", PROPERTY_UINT, offsetof(struct guest_config, max_vcpus), "0",
		"virtual processors that can be plugged in while it runs, in all; 0: no more than "
		"Vcpus=", .min = 0, .max = KVM_MAX_VCPUS },
	{ "Windows", PROPERTY_BOOL, offsetof(struct guest_config, windows), "no",
		"look like Hyper-V, which Windows runs faster on", .required = false },
	{ "Kernel", PROPERTY_PATH, offsetof(struct guest_config, kernel), NULL,
		"PVH ELF file or Linux bzImage to boot without firmware", .exists = true },
	{ "Initrd", PROPERTY_PATH, offsetof(struct guest_config, initrd), NULL,
		"initial ramdisk", .exists = true },
	{ "CommandLine", PROPERTY_STRING, offsetof(struct guest_config, command_line), NULL,
		"the kernel's command line", .required = false },
	{ "Class", PROPERTY_ENUM, offsetof(struct guest_config, share_class), "fair",
		"what it is for when guests compete", .values = share_classes },
	{ "Socket", PROPERTY_PATH, offsetof(struct guest_config, socket), NULL,
		"seat link (default NAME.sock in the runtime folder's irori/)", .required = false },
	{ "OnCrash", PROPERTY_ENUM, offsetof(struct guest_config, on_crash), "stay",
		"after a crash: stay, so that seats see it, or exit with status 3",
		.values = crash_choices },
	{ 0 }
};

char *machine_help(void)
{
	g_autofree char *guest = property_help(machine_guest_properties);
	GString *out = g_string_new("[Guest]\n");

	g_string_append(out, guest);
	for (const struct device_type *const *t = __start_irori_devices; t < __stop_irori_devices; t++) {
		g_autofree char *properties = property_help((*t)->properties);

		g_string_append_printf(out, "\n[%s]  %s%s\n%s", (*t)->section, (*t)->help,
			(*t)->always ? " (always there)" : "", properties);
	}
	return g_string_free(out, FALSE);
}

static bool guest_check(struct guest_config *config, GError **error)
{
	if (config->kernel && config->firmware)
		return fail(error, "[Guest] Kernel= is booted without firmware: remove it or Firmware=");
	if (!config->kernel && (config->initrd || config->command_line))
		return fail(error, "[Guest] %s= is a kernel's, and there is no Kernel=",
			config->initrd ? "Initrd" : "CommandLine");
	if (!config->kernel && !config->firmware)
		config->firmware = g_strdup("bios");
	config->max_vcpus = MAX(config->max_vcpus, config->vcpus);
	if (config->memory % 4096)
		return fail(error, "[Guest] Memory= is not a multiple of 4096 bytes");
	config->max_memory = MAX(config->max_memory, config->memory);
	if ((config->max_memory - config->memory) % MEMORY_BLOCK)
		return fail(error, "[Guest] MaxMemory= is not Memory= and a multiple of 2M");
	if (strlen(config->name) >= LINK_NAME_LEN || config->name[0] == '.' ||
		strspn(config->name, "abcdefghijklmnopqrstuvwxyz0123456789-_."
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(config->name))
		return fail(error, "[Guest] Name=%s: at most %u letters, digits, '-', '_' and '.'",
			config->name, LINK_NAME_LEN - 1);
	return true;
}

bool machine_guest_load(const struct config_file *file, struct guest_config *config, GError **error)
{
	if (!property_parse(machine_guest_properties, file, "Guest", config, error))
		return false;
	if (guest_check(config, error))
		return true;
	g_prefix_error(error, "%s: ", config_file_name(file));
	return false;
}

bool machine_source_open(struct boot_source *source, const char *path, GError **error)
{
	struct stat status;

	if (!path)
		return true;
	source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* what it is, is seen next */
	if (source->fd < 0 || fstat(source->fd, &status) < 0)
		return fail_errno(error, errno, "%s: %s", path, g_strerror(errno));
	if (!S_ISREG(status.st_mode))
		return fail_as(error, EX_NOINPUT, "%s: not a file", path);
	if (status.st_size == 0)
		return fail_as(error, EX_DATAERR, "%s: is empty", path);
	source->len = (uint64_t)status.st_size;
	return true;
}

/* "Disk system": the type's name, and what follows it. NULL: another type's section. */
static const char *section_instance(const char *section, const struct device_type *type)
{
	size_t len = strlen(type->section);

	if (strncmp(section, type->section, len) || (section[len] && section[len] != ' '))
		return NULL;
	return section + len + (section[len] == ' ');
}

bool machine_sections(const struct config_file *file, const struct device_type *type,
	machine_section_fn *call, void *data, GError **error)
{
	bool found = false;

	for (const char *const *s = config_file_sections(file); *s; s++) {
		const char *instance = section_instance(*s, type);

		if (!instance)
			continue;
		if (found && type->single)
			return fail(error, "%s:%d: [%s]: a guest has only one [%s]",
				config_file_name(file), config_file_line(file, *s, ""), *s,
				type->section);
		if (!call(data, type, *s, instance, error))
			return false;
		found = true;
	}
	return found || !type->always || call(data, type, NULL, "", error);
}

/* What irorid reads in the same file, and knows the keys of. */
static const char household_section[] = "Household";

bool machine_sections_known(const struct config_file *file, GError **error)
{
	for (const char *const *s = config_file_sections(file); *s; s++) {
		bool known = !strcmp(*s, "Guest") || !strcmp(*s, household_section);

		for (const struct device_type *const *t = __start_irori_devices;
			t < __stop_irori_devices; t++)
			known = known || section_instance(*s, *t);
		if (!known)
			return fail(error, "%s:%d: there is no section [%s]; irori-vmm --help lists all",
				config_file_name(file), config_file_line(file, *s, ""), *s);
	}
	return true;
}

struct check {
	const struct config_file *file;
	const struct guest_config *guest;
};

static bool check_section(void *data, const struct device_type *type, const char *section,
	const char *instance, GError **error)
{
	const struct check *check = data;
	void *values = g_malloc0(MAX(type->config_size, 1));
	bool elsewhere = false;
	bool good = property_parse(type->properties, section ? check->file : NULL, section, values,
		error);

	good = good && property_exists(type->properties, check->file, section, values, &elsewhere, error);
	if (good && type->check && !elsewhere)
		good = type->check(check->guest, instance, values, error);
	property_clear(type->properties, values);
	g_free(values);
	return good;
}

/* As far as memory of a guest that never is. */
static bool check_kernel(const struct guest_config *guest, GError **error)
{
	struct boot_files files = { .command_line = guest->command_line, .kernel.fd = -1,
		.initrd.fd = -1 };
	struct guest_memory *memory = NULL;
	struct boot_entry entry;
	GError *inner = NULL;
	bool good = machine_source_open(&files.kernel, guest->kernel, error) &&
		machine_source_open(&files.initrd, guest->initrd, error) &&
		(memory = memory_new(guest->memory, error));

	if (good && !boot_load(memory, &files, &entry, &inner)) {
		g_propagate_prefixed_error(error, inner, "%s: ", guest->kernel);
		good = false;
	}
	memory_free(memory);
	if (files.kernel.fd >= 0)
		close(files.kernel.fd);
	if (files.initrd.fd >= 0)
		close(files.initrd.fd);
	return good;
}

bool machine_check(const struct config_file *file, GError **error)
{
	struct guest_config guest = { 0 };
	struct check check = { file, &guest };
	bool elsewhere = false;
	bool good = machine_sections_known(file, error) && machine_guest_load(file, &guest, error) &&
		property_exists(machine_guest_properties, file, "Guest", &guest, &elsewhere, error) &&
		(!guest.kernel || elsewhere || check_kernel(&guest, error));

	for (const struct device_type *const *t = __start_irori_devices;
		good && t < __stop_irori_devices; t++)
		good = machine_sections(file, *t, check_section, &check, error);
	property_clear(machine_guest_properties, &guest);
	return good;
}
