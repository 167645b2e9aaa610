/*
 * Direct boot: a kernel file into guest memory, and the state in which processor 0 enters it.
 *
 * The files are hostile: every header is copied once and then checked, every size and sum bounded,
 * and what is not a header goes from the file straight to where memory_at() allows. Sources:
 * the PVH boot ABI (xen/include/public/arch-x86/hvm/start_info.h), the Linux boot protocol
 * (Documentation/arch/x86/boot.rst), ELF-64 object file format.
 *
 * Thread: the main thread, no processor running.
 */
#ifndef IRORI_VMM_BOOT_H
#define IRORI_VMM_BOOT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/memory.h"

/* Where things lie in the first MiB. Kernels themselves may not go below BOOT_KERNEL_MIN. */
enum boot_layout {
	BOOT_GDT = 0x500,
	BOOT_GDT_LEN = 0x20,
	BOOT_CODE_SELECTOR = 0x10,
	BOOT_DATA_SELECTOR = 0x18,
	BOOT_INFO = 0x6000,  /* hvm_start_info and its tables, or Linux's zero page */
	BOOT_PAGES = 0x9000, /* six pages: 4 GiB mapped one to one with 2 MiB pages */
	BOOT_COMMAND_LINE = 0x20000,
	BOOT_COMMAND_LINE_MAX = 4096, /* with its zero */
	BOOT_HOLE = 0xa0000,          /* to BOOT_KERNEL_MIN: not RAM to a PC's guest */
	BOOT_ACPI = 0xe0000,          /* to BOOT_KERNEL_MIN; the RSDP is at its beginning */
	BOOT_KERNEL_MIN = 0x100000,
	BOOT_MAX_RANGES = 8,
};

/* A file, or bytes in memory (tests, fuzzers) when data is not NULL. Not owned. */
struct boot_source {
	int fd;
	const uint8_t *data;
	uint64_t len;
};

struct boot_files {
	struct boot_source kernel, initrd; /* initrd.len 0: none */
	const char *command_line;          /* NULL: empty */
	uint64_t rsdp;                     /* 0: no ACPI */
};

enum boot_mode {
	BOOT_PROTECTED, /* 32 bit, no paging, ebx = info */
	BOOT_LONG,      /* 64 bit, paging on BOOT_PAGES, rsi = info */
	BOOT_RESET,     /* as a processor comes out of reset: 16 bit, at 0xfffffff0; firmware */
};

struct boot_entry {
	enum boot_mode mode;
	uint64_t ip, info;
};

struct boot_range {
	uint64_t base, len;
	bool ram; /* else reserved */
};

/* Recognises the kernel's format and loads it. False and error set; memory is then undefined. */
bool boot_load(const struct guest_memory *memory, const struct boot_files *files,
	struct boot_entry *entry, GError **error);

/* The formats. */
bool boot_pvh_is(const struct boot_source *kernel);
bool boot_pvh_load(const struct guest_memory *memory, const struct boot_files *files,
	struct boot_entry *entry, GError **error);
bool boot_linux_is(const struct boot_source *kernel);
bool boot_linux_load(const struct guest_memory *memory, const struct boot_files *files,
	struct boot_entry *entry, GError **error);

/* For the formats. */
bool boot_read(const struct boot_source *source, uint64_t offset, void *to, uint64_t len);
/* From the file to guest memory at gpa, which must not be below BOOT_KERNEL_MIN. */
bool boot_place(const struct guest_memory *memory, const struct boot_source *source,
	uint64_t offset, uint64_t gpa, uint64_t len);
/* As high as possible in [above, below) of low memory, page aligned; 0 in *gpa: no initrd. */
bool boot_place_initrd(const struct guest_memory *memory, const struct boot_source *initrd,
	uint64_t above, uint64_t below, uint64_t *gpa, GError **error);
bool boot_place_command_line(const struct guest_memory *memory, const char *text, GError **error);
/* The address map as a guest is told it; at most BOOT_MAX_RANGES. */
unsigned boot_ranges(const struct guest_memory *memory, struct boot_range *range);

#endif
