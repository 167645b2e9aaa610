/*
 * Stock firmware: SeaBIOS and OVMF as Debian has them, unpatched.
 *
 * [Guest] Firmware= says which; firmware.c loads it when the devices are made, lays it below 4 GiB
 * and, for SeaBIOS, copies its end to below 1 MiB at every reset, since a BIOS writes to itself
 * there. firmware_files.c puts what it asks for into fw_cfg. Processors begin at the reset vector.
 *
 * Thread: the main thread, no processor running.
 */
#ifndef IRORI_VMM_FIRMWARE_H
#define IRORI_VMM_FIRMWARE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/memory.h"

struct boot_entry;
struct firmware;
struct machine;

enum firmware_limits {
	FIRMWARE_SHADOW_LEN = 128 << 10, /* what a BIOS has below 1 MiB */
	FIRMWARE_MIN = 64 << 10,
	FIRMWARE_MAX = 16 << 20,
	FIRMWARE_PAGE = 4096,
};

/* An image in memory of ours, page aligned. */
struct firmware_image {
	uint8_t *data;
	size_t len;
};

/* Where the image of `firmware` ("bios", "uefi" or a path) is, in *variables where its variables'
 * template is, or NULL when it has none (then it is a BIOS); both g_free. False and error set: what
 * is asked for is not offered. */
bool firmware_find(const char *firmware, char **path, char **variables, GError **error);
/* Reads an image whole; false and error set: not there, too short, not what firmware looks like. */
bool firmware_read(struct firmware_image *image, const char *path, GError **error);
void firmware_clear(struct firmware_image *image);

/* The BIOS to below 1 MiB, what it asks for to fw_cfg, the processors to the reset vector. */
bool firmware_boot(struct machine *machine, struct boot_entry *entry, GError **error);

struct firmware_options {
	bool serial;      /* SeaBIOS's screen on COM1 as well */
	uint32_t menu_ms; /* time to ask for a boot menu; 0: none */
};

/* firmware_files.c: e820, boot order, SMBIOS and the like into fw_cfg. False: error set. */
bool firmware_files(struct machine *machine, const struct firmware_options *options, GError **error);

#endif
