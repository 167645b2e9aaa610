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

struct machine;

enum fw_cfg_limits {
	FW_CFG_NAME_MAX = 56,  /* with its zero */
	FW_CFG_FILES_MAX = 64,
};

/* A file the firmware reads: "etc/e820", "vgaroms/vgabios.bin". Takes over `content`; replaces a
 * file of that name. Ignored when the machine has no firmware (a direct boot). */
void fw_cfg_add(struct machine *machine, const char *name, GBytes *content);
/* A file that the firmware writes as well ("etc/ramfb"): `written` gets a copy of the whole of it
 * after each DMA write. Its content goes back to `initial` at reset. */
void fw_cfg_add_writable(struct machine *machine, const char *name, GBytes *initial,
	void (*written)(void *owner, const uint8_t *content, size_t len), void *owner);
/* One of the numbered items (FW_CFG_NB_CPUS = 5 ...). */
void fw_cfg_add_item(struct machine *machine, uint16_t key, GBytes *content);

#endif
