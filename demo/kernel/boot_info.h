/*
 * What the PVH loader leaves for the kernel. Source: Xen, public/arch-x86/hvm/start_info.h.
 */
#ifndef DEMO_KERNEL_BOOT_INFO_H
#define DEMO_KERNEL_BOOT_INFO_H

#include <stdint.h>

struct start_info {
	uint32_t magic, version, flags, n_modules;
	uint64_t modules, command_line, rsdp; /* physical */
	uint64_t memory_map; /* from version 1 on */
	uint32_t n_memory_map, reserved;
};

#define START_INFO_MAGIC 0x336ec578

struct start_module {
	uint64_t address, length, command_line, reserved;
};

struct start_memory {
	uint64_t address, length;
	uint32_t type, reserved; /* 1: RAM */
};

#endif
