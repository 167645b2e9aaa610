/*
 * Boots, prints what it was given, and powers off.
 */
#include "guest.h"

struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modules, command_line, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};

int guest_main(const void *start_info)
{
	const struct start_info *info = start_info;

	check(info->magic == 0x336ec578);
	check(info->version == 1);
	check(info->memmap_entries >= 3);
	guest_print("hello, ");
	guest_print((const char *)(uintptr_t)info->command_line);
	guest_print("\n");
	return 0;
}
