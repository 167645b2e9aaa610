/*
 * Firmware: finding and checking its image, laying it into the guest's address space, and the debug
 * port that SeaBIOS and OVMF print on.
 *
 *	0x0000e0000  the last 128 KiB of a BIOS, in RAM, copied at each reset
 *	0x100000000  here the image ends; read only. An OVMF has its variables (pflash.c) before it
 */
#define G_LOG_DOMAIN "irori-firmware"

#include "vmm/firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/boot.h"
#include "vmm/error.h"
#include "vmm/flash_file.h"
#include "vmm/fw_cfg.h"
#include "vmm/machine.h"
#include "vmm/pflash.h"
#include "vmm/slot.h"
#include "vmm/smbios.h"
#include "vmm/state.h"

#define FIRMWARE_END (1ull << 32)

enum {
	DEBUG_PORT = 0x402,
	DEBUG_READY = 0xe9, /* what it reads as says that somebody listens */
	LOG_LINE = 256,
	LOG_MAX = 1 << 20, /* bytes of one run */
	VECTOR_FROM_END = 16,
	VOLUME_GUID = 16, /* of an EFI firmware volume, in its header: its kind */
	VOLUME_SIGNATURE = 40,
};

struct firmware_config {
	char *log, *variables;
	uint32_t menu;
	unsigned serial;
};

struct firmware {
	struct device device;
	struct machine *machine;
	const struct firmware_config *config;
	struct firmware_image image;
	struct memory_slot slot;
	struct pflash *flash; /* NULL: it keeps nothing */
	bool bios; /* to be copied to below 1 MiB */
	struct region debug;
	int log; /* -1: nobody listens */
	GMutex lock; /* of what follows */
	uint8_t line[LOG_LINE];
	unsigned n_line;
	size_t logged;
};

/* What can be named, and the Debian package that has it. */
static const struct {
	const char *name, *path, *variables, *package;
} known[] = {
	{ "bios", "/usr/share/seabios/bios-256k.bin", NULL, "seabios" },
	{ "uefi", "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", "ovmf" },
};

static const char *const serial_choices[] = { "auto", "yes", "no", NULL };

static const char *package_of(const char *path)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(known); i++)
		if (!strcmp(path, known[i].path) || !g_strcmp0(path, known[i].variables))
			return known[i].package;
	return NULL;
}

/* OVMF_CODE_4M.fd has its variables in OVMF_VARS_4M.fd, and so do others of its family. */
static char *variables_beside(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path), *name = g_path_get_basename(path);
	char *code = strstr(name, "CODE");

	if (!code)
		return NULL;
	memcpy(code, "VARS", 4);
	return g_build_filename(folder, name, NULL);
}

/* These trust System Management Mode, which Irori has not got, to guard the variables. */
static bool needs_smm(const char *path)
{
	g_autofree char *real = realpath(path, NULL);
	g_autofree char *name = g_path_get_basename(real ? real : path);

	return strstr(name, "secboot") || strstr(name, ".ms.") || strstr(name, "snakeoil");
}

bool firmware_find(const char *firmware, char **path, char **variables, GError **error)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(known); i++)
		if (!strcmp(firmware, known[i].name)) {
			*path = g_strdup(known[i].path);
			*variables = g_strdup(known[i].variables);
			return true;
		}
	if (!g_path_is_absolute(firmware))
		return fail(error, "[Guest] Firmware=%s: it is bios, uefi, or an absolute path",
			firmware);
	if (needs_smm(firmware))
		return fail(error, "%s: a Secure Boot build needs System Management Mode, which Irori "
			"does not offer; use Firmware=uefi", firmware);
	*path = g_strdup(firmware);
	*variables = variables_beside(firmware);
	return true;
}

static bool image_fill(struct firmware_image *image, int fd, const char *path, GError **error)
{
	const struct boot_source source = { .fd = fd, .len = image->len };

	image->data = mmap(NULL, image->len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		0);
	if (image->data == MAP_FAILED) {
		image->data = NULL;
		return fail_errno(error, errno, "%s: %s", path, g_strerror(errno));
	}
	return boot_read(&source, 0, image->data, image->len) ||
		fail_as(error, EX_IOERR, "%s: cannot be read whole", path);
}

bool firmware_read(struct firmware_image *image, const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *package = package_of(path);
	struct stat status;
	bool good = false;

	*image = (struct firmware_image){ 0 };
	if (fd < 0 && package)
		return fail_errno(error, errno, "%s: %s; it is in the package %s", path,
			g_strerror(errno), package);
	if (fd < 0 || fstat(fd, &status) < 0)
		fail_errno(error, errno, "%s: %s", path, g_strerror(errno));
	else if (!S_ISREG(status.st_mode))
		fail_as(error, EX_NOINPUT, "%s: not a file", path);
	else if (status.st_size < FIRMWARE_MIN || status.st_size > FIRMWARE_MAX ||
		status.st_size % FIRMWARE_PAGE)
		fail_as(error, EX_DATAERR, "%s: %jd bytes are not a firmware image (64 KiB to "
			"16 MiB, whole pages); is it cut short?", path, (intmax_t)status.st_size);
	else
		good = true;
	image->len = good ? (size_t)status.st_size : 0;
	good = good && image_fill(image, fd, path, error);
	if (fd >= 0)
		close(fd);
	if (!good)
		firmware_clear(image);
	return good;
}

void firmware_clear(struct firmware_image *image)
{
	if (image->data)
		munmap(image->data, image->len);
	*image = (struct firmware_image){ 0 };
}

/* Under the lock. The log is for people who look for a fault: what cannot be written is dropped. */
static void debug_flush(struct firmware *firmware)
{
	ssize_t n = MIN(firmware->n_line, LOG_MAX - firmware->logged);

	if (n && write(firmware->log, firmware->line, (size_t)n) == n)
		firmware->logged += (size_t)n;
	firmware->n_line = 0;
}

static uint64_t debug_read(void *owner, uint64_t offset, unsigned size)
{
	return DEBUG_READY;
}

static void debug_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct firmware *firmware = owner;

	g_mutex_lock(&firmware->lock);
	firmware->line[firmware->n_line++] = (uint8_t)value;
	if ((uint8_t)value == '\n' || firmware->n_line == LOG_LINE)
		debug_flush(firmware);
	g_mutex_unlock(&firmware->lock);
}

static const struct region_ops debug_ops = {
	.read = debug_read,
	.write = debug_write,
};

/* Without a log there is no port: firmware looks, and is spared thousands of exits. */
static bool debug_open(struct firmware *firmware, GError **error)
{
	const char *path = firmware->config->log;

	if (!path)
		return true;
	firmware->log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		0600);
	if (firmware->log < 0)
		return fail_errno(error, errno, "[Firmware] Log=%s: %s", path, g_strerror(errno));
	firmware->debug = (struct region){ .name = "firmware's debug port", .base = DEBUG_PORT,
		.len = 1, .ops = &debug_ops, .owner = firmware };
	return bus_add(firmware->machine->pio, &firmware->debug) == 0 ||
		fail(error, "[Firmware]: there is one already");
}

static bool image_map(struct firmware *firmware, const char *path, GError **error)
{
	int rc = slot_init(&firmware->slot, firmware->machine->kvm, "firmware",
		firmware->image.data, firmware->image.len, SLOT_READ_ONLY);

	if (!rc)
		rc = slot_map(&firmware->slot, FIRMWARE_END - firmware->image.len);
	return !rc || fail_as(error, EX_OSERR, "%s: cannot be laid below 4 GiB: %s", path,
		g_strerror(-rc));
}

/* The 16 bytes that a processor begins with are never all the same in firmware that is whole. */
static bool image_starts(const struct firmware_image *image)
{
	const uint8_t *vector = image->data + image->len - VECTOR_FROM_END;

	return memcmp(vector, vector + 1, VECTOR_FROM_END - 1) != 0;
}

/* An EFI image is a volume of files; one of variables as well would be written to. */
static bool image_is_efi(const struct firmware_image *image)
{
	return !memcmp(image->data + VOLUME_SIGNATURE, "_FVH", 4);
}

static bool image_has_variables(const struct firmware_image *image)
{
	static const uint8_t guid[] = { 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c, 0xa9, 0x85,
		0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50 };

	return image_is_efi(image) && !memcmp(image->data + VOLUME_GUID, guid, sizeof(guid));
}

static char *variables_default(const char *name)
{
	g_autofree char *file = g_strconcat(name, ".vars", NULL);

	return g_build_filename(g_get_user_state_dir(), "irori", file, NULL);
}

static char *variables_path(const struct guest_config *guest, const struct firmware_config *config)
{
	return config->variables ? g_strdup(config->variables) : variables_default(guest->name);
}

static bool variables_are(const struct firmware_image *image, const char *path, GError **error)
{
	return image_has_variables(image) ||
		fail_as(error, EX_DATAERR, "%s: not a file of UEFI variables, or damaged; without it "
			"the guest starts with new ones", path);
}

static bool variables_load(struct firmware *firmware, const char *template, GError **error)
{
	struct machine *machine = firmware->machine;
	g_autofree char *path = variables_path(machine->config, firmware->config);
	struct firmware_image image;
	struct flash_file *file = flash_file_open(path, template, &image, machine->io_context, error);

	if (!file)
		return false;
	if (!variables_are(&image, path, error)) {
		flash_file_free(file);
		firmware_clear(&image);
		return false;
	}
	firmware->flash = pflash_new(machine, firmware->slot.base - image.len, &image, file, error);
	return firmware->flash;
}

/* The code, where it is, and where the template of its variables is (NULL: it is a BIOS). */
static bool image_load(const struct guest_config *guest, struct firmware_image *image, char **path,
	char **variables, GError **error)
{
	if (!firmware_find(guest->firmware, path, variables, error) ||
		!firmware_read(image, *path, error))
		return false;
	if (!image_starts(image))
		return fail_as(error, EX_DATAERR, "%s: it has no reset vector at its end; is it cut "
			"short?", *path);
	return !image_has_variables(image) ||
		fail(error, "%s: it holds code and variables in one; name the file that has its code "
			"alone", *path);
}

static bool firmware_load(struct firmware *firmware, GError **error)
{
	g_autofree char *path = NULL, *variables = NULL;

	if (!image_load(firmware->machine->config, &firmware->image, &path, &variables, error))
		return false;
	firmware->bios = !image_is_efi(&firmware->image);
	if (!image_map(firmware, path, error) || !debug_open(firmware, error))
		return false;
	return firmware->bios || variables_load(firmware, variables, error);
}

static bool variables_check(const struct guest_config *guest, const struct firmware_config *config,
	const char *template, GError **error)
{
	g_autofree char *path = variables_path(guest, config);
	struct firmware_image image;
	bool good = flash_file_check(path, template, &image, error) &&
		variables_are(&image, path, error);

	firmware_clear(&image);
	return good;
}

static bool firmware_check(const struct guest_config *guest, const char *instance,
	const void *config, GError **error)
{
	g_autofree char *path = NULL, *variables = NULL;
	struct firmware_image image = { 0 };
	uint8_t uuid[16];
	bool good;

	if (guest->kernel)
		return true;
	if (!smbios_uuid(guest->uuid, guest->name, uuid))
		return fail(error, "[Guest] Uuid=%s: not a UUID", guest->uuid);
	good = image_load(guest, &image, &path, &variables, error) &&
		(!image_is_efi(&image) || variables_check(guest, config, variables, error));
	firmware_clear(&image);
	return good;
}

static void bios_copy(const struct firmware *firmware)
{
	size_t len = MIN(firmware->image.len, FIRMWARE_SHADOW_LEN);

	memory_write(firmware->machine->memory, BOOT_KERNEL_MIN - len,
		firmware->image.data + firmware->image.len - len, len);
}

bool firmware_boot(struct machine *machine, struct boot_entry *entry, GError **error)
{
	struct firmware *firmware = machine->firmware;
	unsigned serial = firmware->config->serial;
	const struct firmware_options options = {
		.serial = serial == 1 || (serial == 0 && !fw_cfg_has(machine, "vgaroms/")),
		.menu_ms = 1000 * firmware->config->menu,
	};

	if (memory_part(machine->memory, 0)->len < 2 * BOOT_KERNEL_MIN)
		return fail(error, "[Guest] Memory=: firmware needs 2M at least");
	if (firmware->bios)
		bios_copy(firmware);
	*entry = (struct boot_entry){ .mode = BOOT_RESET };
	return firmware_files(machine, &options, error);
}

static void firmware_reset(struct device *device)
{
	struct firmware *firmware = (struct firmware *)device;

	if (firmware->machine->fw_cfg)
		fw_cfg_reset(firmware->machine->fw_cfg);
	if (firmware->flash)
		pflash_reset(firmware->flash);
}

static void firmware_state(struct device *device, struct state *state)
{
	struct firmware *firmware = (struct firmware *)device;

	if (firmware->machine->fw_cfg)
		fw_cfg_state(firmware->machine->fw_cfg, state);
	if (firmware->flash)
		pflash_state(firmware->flash, state);
}

static void firmware_drain(struct device *device)
{
	struct firmware *firmware = (struct firmware *)device;

	if (firmware->flash)
		pflash_drain(firmware->flash);
}

static void firmware_destroy(struct device *device)
{
	struct firmware *firmware = (struct firmware *)device;

	if (firmware->debug.owner)
		bus_remove(firmware->machine->pio, &firmware->debug);
	if (firmware->log >= 0) {
		debug_flush(firmware);
		close(firmware->log);
	}
	pflash_free(firmware->flash);
	slot_unmap(&firmware->slot);
	firmware_clear(&firmware->image);
	g_mutex_clear(&firmware->lock);
	firmware->machine->firmware = NULL;
	g_free(firmware);
}

static struct device *firmware_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	struct firmware *firmware = g_new0(struct firmware, 1);

	firmware->device = (struct device){ .reset = firmware_reset, .drain = firmware_drain,
		.state = firmware_state, .destroy = firmware_destroy };
	firmware->machine = machine;
	firmware->config = config;
	firmware->log = -1;
	g_mutex_init(&firmware->lock);
	machine->firmware = firmware;
	if (!machine->fw_cfg || firmware_load(firmware, error))
		return &firmware->device;
	firmware_destroy(&firmware->device);
	return NULL;
}

static const struct property firmware_properties[] = {
	{ "Log", PROPERTY_PATH, offsetof(struct firmware_config, log), NULL,
		"a file for what it prints on its debug port (0x402); makes it slower",
		.required = false },
	{ "Menu", PROPERTY_UINT, offsetof(struct firmware_config, menu), "0",
		"seconds in which a key brings up its boot menu", .max = 60 },
	{ "Serial", PROPERTY_ENUM, offsetof(struct firmware_config, serial), "auto",
		"a BIOS's screen on COM1 as well; auto: when there is no graphics card",
		.values = serial_choices },
	{ "Variables", PROPERTY_PATH, offsetof(struct firmware_config, variables), NULL,
		"file with UEFI's variables (default NAME.vars in the state folder's irori/)",
		.required = false },
	{ 0 }
};

static const struct device_type firmware_type = {
	.section = "Firmware",
	.help = "the firmware that [Guest] Firmware= names",
	.always = true,
	.single = true,
	.properties = firmware_properties,
	.config_size = sizeof(struct firmware_config),
	.create = firmware_create,
	.check = firmware_check,
};
DEVICE_REGISTER(firmware_type);
