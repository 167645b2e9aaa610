/*
 * Firmware images: found by name, refused with a reason, and what one is told by fw_cfg.
 */
#include "vmm/firmware.c"

#include <glib/gstdio.h>

#include "tests/unit/test.h"
#include "vmm/vcpu.h"

static char *folder;

unsigned vcpus_max(const struct vcpus *vcpus)
{
	return 4;
}

unsigned vcpus_count(const struct vcpus *vcpus)
{
	return 2;
}

static char *file_new(const char *name, size_t len, const char *volume)
{
	g_autofree char *bytes = g_malloc0(len + 1);
	char *path = g_build_filename(folder, name, NULL);

	if (len >= FIRMWARE_MIN)
		memcpy(bytes + len - VECTOR_FROM_END, "\xea\x5b\xe0\x00\xf0", 5);
	if (volume) {
		memcpy(bytes + VOLUME_SIGNATURE, "_FVH", 4);
		memcpy(bytes + VOLUME_GUID, volume, 16);
	}
	test_assert(g_file_set_contents(path, bytes, (gssize)len, NULL));
	return path;
}

static void names(void)
{
	g_autofree char *path = NULL, *variables = NULL;
	char *other = NULL, *none = NULL;
	g_autoptr(GError) error = NULL;

	test_assert(firmware_find("uefi", &path, &variables, NULL));
	test_assert(strstr(path, "OVMF_CODE") && strstr(variables, "OVMF_VARS"));
	test_assert(firmware_find("bios", &other, &none, NULL));
	test_assert(strstr(other, "seabios") && !none);
	g_free(other);
	test_assert(firmware_find("/some/MY_CODE_x.fd", &other, &none, NULL));
	test_assert(!strcmp(none, "/some/MY_VARS_x.fd"));
	g_free(other);
	g_free(none);
	test_assert(!firmware_find("efi", &other, &none, &error));
	test_assert(strstr(error->message, "bios, uefi, or an absolute path"));
	g_clear_error(&error);
	test_assert(!firmware_find("/x/OVMF_CODE_4M.secboot.fd", &other, &none, &error));
	test_assert(strstr(error->message, "System Management Mode"));
}

static void refused(const char *path, const char *why)
{
	g_autoptr(GError) error = NULL;
	struct firmware_image image;

	test_assert(!firmware_read(&image, path, &error));
	test_assert(strstr(error->message, why) && strstr(error->message, path));
	test_assert(!image.data);
}

static void bad_images_are_told(void)
{
	static const size_t odd[] = { 0, 1, FIRMWARE_MIN - 4096, FIRMWARE_MIN + 1,
		FIRMWARE_MAX + 4096 };

	for (unsigned i = 0; i < G_N_ELEMENTS(odd); i++) {
		g_autofree char *path = file_new("odd", odd[i], NULL);

		refused(path, "is it cut short?");
		unlink(path);
	}
	{
		g_autofree char *path = file_new("short", FIRMWARE_MIN * 2, NULL);

		unlink(path);
		refused(path, "No such file");
		refused(folder, "not a file");
	}
}

static void good_image_is_read(void)
{
	g_autofree char *path = file_new("good", FIRMWARE_MIN, NULL);
	struct firmware_image image;

	test_assert(firmware_read(&image, path, NULL));
	test_equal(image.len, FIRMWARE_MIN);
	test_equal(image.data[FIRMWARE_MIN - 16], 0xea);
	test_assert(!image_is_efi(&image));
	firmware_clear(&image);
	test_assert(!image.data);
	firmware_clear(&image);
	unlink(path);
}

struct pc {
	struct guest_config guest;
	struct firmware_config config;
	struct machine machine;
	struct device *device;
};

static struct device *pc_try(struct pc *pc, GError **error)
{
	pc->guest.name = (char *)"test";
	pc->machine = (struct machine){ .config = &pc->guest, .memory = memory_new(4 << 20, NULL),
		.pio = bus_new("port"), .mmio = bus_new("memory"),
		.io_context = g_main_context_default() };
	pc->machine.fw_cfg = fw_cfg_new(&pc->machine);
	return firmware_type.create(&pc->machine, "", &pc->config, error);
}

static void pc_end(struct pc *pc)
{
	fw_cfg_free(pc->machine.fw_cfg);
	bus_free(pc->machine.pio);
	bus_free(pc->machine.mmio);
	memory_free(pc->machine.memory);
}

static void image_that_is_cut_short(void)
{
	g_autofree char *path = file_new("bios", FIRMWARE_MIN * 2, NULL);
	struct pc pc = { .guest = { .firmware = path } };
	g_autoptr(GError) error = NULL;

	test_equal(truncate(path, FIRMWARE_MIN), 0);
	test_assert(!pc_try(&pc, &error));
	test_assert(strstr(error->message, "no reset vector"));
	pc_end(&pc);
	unlink(path);
}

static void bios_is_copied_at_each_boot(void)
{
	g_autofree char *path = file_new("bios", 256 << 10, NULL), *log = file_new("log", 0, NULL);
	g_autofree char *text = NULL;
	struct pc pc = { .guest = { .firmware = path }, .config = { .log = log } };
	struct boot_entry entry = { 0 };
	uint8_t bytes[16];
	uint64_t value;

	pc.device = pc_try(&pc, NULL);
	test_assert(pc.device);
	for (unsigned i = 0; i < 2; i++) {
		test_assert(firmware_boot(&pc.machine, &entry, NULL));
		test_equal(entry.mode, BOOT_RESET);
		test_assert(memory_read(pc.machine.memory, 0xffff0, bytes, sizeof(bytes)));
		test_assert(!memcmp(bytes, "\xea\x5b\xe0\x00\xf0", 5));
		memory_clear(pc.machine.memory);
		pc.device->reset(pc.device);
	}
	test_assert(fw_cfg_has(&pc.machine, "etc/e820") &&
		fw_cfg_has(&pc.machine, "etc/smbios/smbios-tables") &&
		fw_cfg_has(&pc.machine, "etc/sercon-port"));
	test_assert(bus_read(pc.machine.pio, DEBUG_PORT, 1, &value) && value == DEBUG_READY);
	for (const char *c = "hello"; *c; c++)
		bus_write(pc.machine.pio, DEBUG_PORT, 1, (uint8_t)*c);
	pc.device->destroy(pc.device);
	test_assert(g_file_get_contents(log, &text, NULL, NULL) && !strcmp(text, "hello"));
	pc_end(&pc);
	unlink(path);
	unlink(log);
}

static void graphics_card_takes_the_screen(void)
{
	g_autofree char *path = file_new("bios", 256 << 10, NULL);
	struct pc pc = { .guest = { .firmware = path } };
	struct boot_entry entry = { 0 };
	uint64_t value;

	pc.device = pc_try(&pc, NULL);
	fw_cfg_add(&pc.machine, "vgaroms/card.bin", g_bytes_new_static("x", 1));
	test_assert(firmware_boot(&pc.machine, &entry, NULL));
	test_assert(!fw_cfg_has(&pc.machine, "etc/sercon-port"));
	test_assert(!bus_read(pc.machine.pio, DEBUG_PORT, 1, &value)); /* nobody listens */
	pc.device->destroy(pc.device);
	pc_end(&pc);
	unlink(path);
}

static void efi_has_variables(void)
{
	static const char code_guid[16] = { 0x78 };
	static const char variables_guid[16] = { -0x73, 0x2b, -0x0f, -0x01, -0x6a, 0x76, -0x75, 0x4c,
		-0x57, -0x7b, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50 };
	g_autofree char *code = file_new("A_CODE.fd", 256 << 10, code_guid);
	g_autofree char *both = file_new("both.fd", 256 << 10, variables_guid);
	g_autofree char *kept = g_build_filename(folder, "kept.vars", NULL);
	g_autofree char *variables = g_build_filename(folder, "A_VARS.fd", NULL);
	struct pc pc = { .guest = { .firmware = code }, .config = { .variables = kept } };
	g_autoptr(GError) error = NULL;
	uint64_t value;

	test_assert(!pc_try(&pc, &error));
	test_assert(strstr(error->message, "A_VARS.fd: No such file"));
	g_clear_error(&error);
	test_assert(!pc.machine.firmware);
	pc_end(&pc);
	g_free(file_new("A_VARS.fd", FIRMWARE_MIN, code_guid));
	test_assert(!pc_try(&pc, &error));
	test_assert(strstr(error->message, "kept.vars: not a file of UEFI variables"));
	g_clear_error(&error);
	pc_end(&pc);
	unlink(kept);
	g_free(file_new("A_VARS.fd", FIRMWARE_MIN, variables_guid));
	pc.device = pc_try(&pc, &error);
	test_assert(pc.device);
	test_assert(bus_read(pc.machine.mmio, FIRMWARE_END - (256 << 10) - FIRMWARE_MIN + 40, 4,
		&value));
	test_equal(value, 0x4856465f);
	pc.device->destroy(pc.device);
	pc_end(&pc);
	pc.guest.firmware = both;
	test_assert(!pc_try(&pc, &error));
	test_assert(strstr(error->message, "code and variables in one"));
	pc_end(&pc);
	unlink(code);
	unlink(both);
	unlink(variables);
	unlink(kept);
}

static void bad_uuid(void)
{
	g_autofree char *path = file_new("bios", FIRMWARE_MIN, NULL);
	struct pc pc = { .guest = { .firmware = path, .uuid = (char *)"12" } };
	g_autoptr(GError) error = NULL;
	struct boot_entry entry;

	pc.device = pc_try(&pc, NULL);
	test_assert(!firmware_boot(&pc.machine, &entry, &error));
	test_assert(strstr(error->message, "Uuid=12"));
	pc.device->destroy(pc.device);
	pc_end(&pc);
	unlink(path);
}

int main(void)
{
	folder = g_dir_make_tmp("irori-test-firmware-XXXXXX", NULL);
	test_run(names);
	test_run(bad_images_are_told);
	test_run(good_image_is_read);
	test_run(image_that_is_cut_short);
	test_run(bios_is_copied_at_each_boot);
	test_run(graphics_card_takes_the_screen);
	test_run(efi_has_variables);
	test_run(bad_uuid);
	test_equal(rmdir(folder), 0);
	return 0;
}
