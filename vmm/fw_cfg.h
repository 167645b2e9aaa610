/*
 * fw_cfg: named blobs for the guest's firmware, by ports 0x510..0x51b (selector, data, DMA).
 *
 * SeaBIOS and OVMF ask it for the address map, the ACPI and SMBIOS tables, option ROMs, the boot
 * order and the number of processors. Devices add their files while they are made; a file's content
 * is read at the guest's request, so that what a reset changes is seen.
 *
 * Source: QEMU, docs/specs/fw_cfg.rst; Linux, drivers/firmware/qemu_fw_cfg.c.
 *
 * Thread: fw_cfg_add* on the main thread before the guest runs (or with processors stopped);
 * `written` on a vCPU thread.
 */
#ifndef IRORI_VMM_FW_CFG_H
#define IRORI_VMM_FW_CFG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct fw_cfg;
struct machine;
struct pci_device;
struct state;

enum fw_cfg_limits {
	FW_CFG_NAME_MAX = 56,  /* with its zero */
	FW_CFG_FILES_MAX = 64,
	FW_CFG_ITEMS_MAX = 16,
	FW_CFG_DMA_MAX = 16 << 20, /* bytes of one transfer; a longer one is an error */
};

/* The numbered items, as the firmware knows them. */
enum fw_cfg_items {
	FW_CFG_SIGNATURE = 0x00,
	FW_CFG_ID = 0x01,
	FW_CFG_UUID = 0x02,
	FW_CFG_RAM_SIZE = 0x03,
	FW_CFG_NO_GRAPHIC = 0x04,
	FW_CFG_NB_CPUS = 0x05,
	FW_CFG_BOOT_MENU = 0x0e,
	FW_CFG_MAX_CPUS = 0x0f,
	FW_CFG_DIRECTORY = 0x19,
	FW_CFG_FILE_FIRST = 0x20,
	FW_CFG_IRQ0_OVERRIDE = 0x8002,
};

/* A file the firmware reads: "etc/e820", "vgaroms/vgabios.bin". Takes over `content`; replaces a
 * file of that name. Ignored when the machine has no firmware (a direct boot). */
void fw_cfg_add(struct machine *machine, const char *name, GBytes *content);
/* A file that the firmware writes as well ("etc/ramfb"): `written` gets a copy of the whole of it
 * after each DMA write. Its content goes back to `initial` at reset. */
void fw_cfg_add_writable(struct machine *machine, const char *name, GBytes *initial,
	void (*written)(void *owner, const uint8_t *content, size_t len), void *owner);
/* One of the numbered items; replaces one of that key. */
void fw_cfg_add_item(struct machine *machine, uint16_t key, GBytes *content);
bool fw_cfg_has(const struct machine *machine, const char *name_prefix);

/* A function that the firmware may boot from: `index` is its place in the order (BootIndex=), and
 * its OpenFirmware path is /pci@i0cf8/TYPE@SLOT/REST: "scsi" and "disk@0,0" for virtio-blk,
 * "pci8086,5845" and "namespace@1,0" for NVMe, "ethernet" and "ethernet-phy@0" for a net card. Of
 * two with one index the first stays first. In create(), after pci_attach. */
void fw_cfg_add_boot(struct machine *machine, uint32_t index, const struct pci_device *device,
	const char *type, const char *rest);
/* The order as the firmware reads it, lines each with its newline and a final zero; g_free. */
char *fw_cfg_boot_order(const struct fw_cfg *fw_cfg);

/* For machine.c and firmware.c. `machine->fw_cfg` is set first; free takes it off the port bus. */
struct fw_cfg *fw_cfg_new(struct machine *machine);
void fw_cfg_free(struct fw_cfg *fw_cfg);
void fw_cfg_reset(struct fw_cfg *fw_cfg); /* no processor runs */
void fw_cfg_state(struct fw_cfg *fw_cfg, struct state *state);

#endif
