/*
 * SMBIOS tables: what the guest reads of its "hardware": maker, name, UUID, processors, memory.
 * dmidecode, Windows' activation and systemd's machine identity go by them.
 * Source: DMTF DSP0134, System Management BIOS 2.8.
 *
 * Thread: any; pure functions.
 */
#ifndef IRORI_VMM_SMBIOS_H
#define IRORI_VMM_SMBIOS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum smbios_limits {
	SMBIOS_UUID_LEN = 16,
	SMBIOS_ANCHOR_LEN = 31,
};

struct smbios_config {
	const char *name;    /* the guest's: serial number of the system */
	const char *version; /* of the program */
	uint8_t uuid[SMBIOS_UUID_LEN]; /* in the order in which it is written */
	unsigned vcpus;
	uint32_t cpu_signature, cpu_features; /* CPUID leaf 1: eax, edx */
	uint64_t low, high_base, high; /* bytes of RAM from 0, and from high_base */
};

/* A UUID from its text, or, text being NULL, one that is always the same for this name. False: the
 * text is none. */
bool smbios_uuid(const char *text, const char *name, uint8_t uuid[SMBIOS_UUID_LEN]);

/* The structures, and in *n how many they are, *largest the size of the largest. Type 0 is left to
 * the firmware, which knows its own name. */
GBytes *smbios_tables(const struct smbios_config *config, unsigned *n, unsigned *largest);
/* The 2.8 entry point for structures at `at` (0: the firmware fills it in, with both checksums). */
GBytes *smbios_anchor(size_t tables_len, unsigned n, unsigned largest, uint32_t at);

#endif
