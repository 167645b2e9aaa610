/*
 * The kernel loaders on any file: whatever is in it, loading ends, and nothing outside the guest's
 * memory is touched.
 */
#include "vmm/boot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct guest_memory *memory;
	static const uint8_t ramdisk[4096];
	g_autoptr(GError) error = NULL;
	const struct boot_files files = {
		.kernel = { .fd = -1, .data = data, .len = len },
		.initrd = { .fd = -1, .data = ramdisk, .len = len & 1 ? sizeof(ramdisk) : 0 },
		.command_line = "quiet",
	};
	struct boot_entry entry;

	if (!memory)
		memory = memory_new(4 << 20, NULL);
	if (boot_load(memory, &files, &entry, &error) == !!error)
		__builtin_trap();
	return 0;
}
