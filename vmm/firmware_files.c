/*
 * What stock firmware reads from fw_cfg: the address map, the number of processors, the boot order,
 * SMBIOS. Made anew at each start, when every device has had its say.
 *
 * Sources: SeaBIOS, docs/Runtime_config.md and src/fw/paravirt.c; EDK II, OvmfPkg.
 */
#define G_LOG_DOMAIN "irori-firmware"

#include <string.h>

#include "vmm/firmware.h"
#include "vmm/error.h"
#include "vmm/fw_cfg.h"
#include "vmm/machine.h"
#include "vmm/smbios.h"
#include "vmm/vcpu.h"

enum {
	E820_RAM = 1,
	E820_ENTRY = 20,
};

static void add_number(struct machine *machine, const char *name, uint64_t value, size_t len)
{
	value = GUINT64_TO_LE(value);
	fw_cfg_add(machine, name, g_bytes_new(&value, len));
}

static void add_item(struct machine *machine, uint16_t key, uint64_t value, size_t len)
{
	value = GUINT64_TO_LE(value);
	fw_cfg_add_item(machine, key, g_bytes_new(&value, len));
}

/* RAM alone: what lies in its holes, the firmware knows better. */
static void add_e820(struct machine *machine)
{
	GByteArray *out = g_byte_array_new();
	const struct memory_part *part;

	for (unsigned i = 0; (part = memory_part(machine->memory, i)); i++) {
		struct {
			uint64_t base, len;
			uint32_t type;
		} entry = {
			GUINT64_TO_LE(part->gpa), GUINT64_TO_LE(part->len),
			GUINT32_TO_LE(E820_RAM),
		};

		g_byte_array_append(out, (const guint8 *)&entry, E820_ENTRY);
	}
	fw_cfg_add(machine, "etc/e820", g_byte_array_free_to_bytes(out));
	/* Where memory may be plugged in, no 64-bit BAR is put. */
	if (memory_room(machine->memory))
		add_number(machine, "etc/reserved-memory-end",
			memory_room(machine->memory)->gpa + memory_room(machine->memory)->len, 8);
}

static bool add_smbios(struct machine *machine, GError **error)
{
	const struct guest_config *guest = machine->config;
	const struct memory_part *low = memory_part(machine->memory, 0);
	const struct memory_part *high = memory_part(machine->memory, 1);
	struct smbios_config config = {
		.name = guest->name,
		.version = IRORI_VERSION,
		.vcpus = guest->vcpus,
		.low = low->len,
		.high_base = high ? high->gpa : 0,
		.high = high ? high->len : 0,
	};
	unsigned n, largest;
	GBytes *tables;

	if (!smbios_uuid(guest->uuid, guest->name, config.uuid))
		return fail(error, "[Guest] Uuid=%s: not a UUID", guest->uuid);
	tables = smbios_tables(&config, &n, &largest);
	fw_cfg_add(machine, "etc/smbios/smbios-anchor",
		smbios_anchor(g_bytes_get_size(tables), n, largest, 0));
	fw_cfg_add(machine, "etc/smbios/smbios-tables", tables);
	fw_cfg_add_item(machine, FW_CFG_UUID, g_bytes_new(config.uuid, sizeof(config.uuid)));
	return true;
}

static void add_boot(struct machine *machine, const struct firmware_options *options)
{
	char *order = fw_cfg_boot_order(machine->fw_cfg);

	/* With its zero: OVMF looks for it. */
	if (*order)
		fw_cfg_add(machine, "bootorder", g_bytes_new(order, strlen(order) + 1));
	g_free(order);
	/* A guest with nothing to boot from says so, and does not start again each minute. */
	add_number(machine, "etc/boot-fail-wait", UINT32_MAX, 4);
	add_item(machine, FW_CFG_BOOT_MENU, options->menu_ms > 0, 2);
	if (options->menu_ms)
		add_number(machine, "etc/boot-menu-wait", options->menu_ms, 2);
	if (options->serial)
		add_number(machine, "etc/sercon-port", 0x3f8, 2);
}

bool firmware_files(struct machine *machine, const struct firmware_options *options, GError **error)
{
	/* Of S0 to S5: supported ones have bit 7, the rest of S3 to S5 is the sleep type. Neither
	 * S3 nor S4: a guest is saved from outside. */
	static const uint8_t states[6] = { 0x80, 0, 0, 1, 2, 0x80 };
	unsigned n = vcpus_count(machine->vcpus);

	add_e820(machine);
	add_boot(machine, options);
	fw_cfg_add(machine, "etc/system-states", g_bytes_new_static(states, sizeof(states)));
	add_item(machine, FW_CFG_RAM_SIZE, memory_size(machine->memory), 8);
	add_item(machine, FW_CFG_NO_GRAPHIC, options->serial, 2);
	add_item(machine, FW_CFG_NB_CPUS, n, 2);
	add_item(machine, FW_CFG_MAX_CPUS, vcpus_max(machine->vcpus), 2);
	add_item(machine, FW_CFG_IRQ0_OVERRIDE, 1, 4); /* the PIT is at pin 2 */
	return add_smbios(machine, error);
}
