/*
 * What the kernel formats have in common: reading files, placing things, the memory map.
 */
#define G_LOG_DOMAIN "irori-boot"

#include "vmm/boot.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "vmm/error.h"
#include "vmm/machine.h"

bool boot_read(const struct boot_source *source, uint64_t offset, void *to, uint64_t len)
{
	if (offset > source->len || len > source->len - offset)
		return false;
	if (source->data) {
		memcpy(to, source->data + offset, len);
		return true;
	}
	while (len) {
		ssize_t n = pread(source->fd, to, MIN(len, 1u << 30), (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* the file has become shorter, or cannot be read */
			return false;
		to = (char *)to + n;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return true;
}

bool boot_place(const struct guest_memory *memory, const struct boot_source *source,
	uint64_t offset, uint64_t gpa, uint64_t len)
{
	void *to;

	if (gpa < BOOT_KERNEL_MIN)
		return false;
	to = memory_at(memory, gpa, len);
	return to && boot_read(source, offset, to, len);
}

bool boot_place_initrd(const struct guest_memory *memory, const struct boot_source *initrd,
	uint64_t above, uint64_t below, uint64_t *gpa, GError **error)
{
	const struct memory_part *low = memory_part(memory, 0);

	*gpa = 0;
	if (!initrd->len)
		return true;
	below = MIN(below, low->len);
	above = MAX(above, BOOT_KERNEL_MIN);
	if (above > below || initrd->len > below - above)
		return fail(error, "the guest has too little memory for its initial ramdisk");
	*gpa = (below - initrd->len) & ~0xfffull;
	if (*gpa < above)
		return fail(error, "the guest has too little memory for its initial ramdisk");
	if (!boot_place(memory, initrd, 0, *gpa, initrd->len))
		return fail_as(error, EX_IOERR, "the initial ramdisk cannot be read");
	return true;
}

bool boot_place_command_line(const struct guest_memory *memory, const char *text, GError **error)
{
	size_t len = text ? strlen(text) : 0;

	if (len >= BOOT_COMMAND_LINE_MAX)
		return fail(error, "the command line is longer than %d bytes",
			BOOT_COMMAND_LINE_MAX - 1);
	if (!memory_write(memory, BOOT_COMMAND_LINE, text ? text : "", len + 1))
		return fail(error, "the guest has too little memory");
	return true;
}

unsigned boot_ranges(const struct guest_memory *memory, struct boot_range *range)
{
	const struct memory_part *low = memory_part(memory, 0), *high = memory_part(memory, 1);
	unsigned n = 0;

	range[n++] = (struct boot_range){ 0, MIN(low->len, BOOT_HOLE), true };
	if (low->len > BOOT_HOLE)
		range[n++] = (struct boot_range){ BOOT_HOLE, BOOT_KERNEL_MIN - BOOT_HOLE, false };
	if (low->len > BOOT_KERNEL_MIN)
		range[n++] = (struct boot_range){ BOOT_KERNEL_MIN, low->len - BOOT_KERNEL_MIN, true };
	range[n++] = (struct boot_range){ MACHINE_ECAM_BASE, 1 << 20, false };
	if (high)
		range[n++] = (struct boot_range){ high->gpa, high->len, true };
	return n;
}

static bool boot_place_gdt(const struct guest_memory *memory, enum boot_mode mode)
{
	const uint64_t code = mode == BOOT_LONG ? 0x00af9b000000ffff : 0x00cf9b000000ffff;
	const uint64_t gdt[BOOT_GDT_LEN / 8] = { 0, 0, code, 0x00cf93000000ffff };

	return memory_write(memory, BOOT_GDT, gdt, sizeof(gdt));
}

/* One PML4, one PDPT, four page directories. */
static bool boot_place_pages(const struct guest_memory *memory)
{
	enum {
		PRESENT_WRITE = 3,
		LARGE = 0x80,
		ENTRIES = 512,
		DIRECTORIES = 4,
	};
	uint64_t *page = memory_at(memory, BOOT_PAGES, (2 + DIRECTORIES) * 4096);

	if (!page)
		return false;
	page[0] = (BOOT_PAGES + 0x1000) | PRESENT_WRITE;
	for (unsigned i = 0; i < DIRECTORIES; i++)
		page[ENTRIES + i] = (BOOT_PAGES + 0x2000 + i * 0x1000) | PRESENT_WRITE;
	for (uint64_t i = 0; i < DIRECTORIES * ENTRIES; i++)
		page[2 * ENTRIES + i] = i << 21 | LARGE | PRESENT_WRITE;
	return true;
}

bool boot_load(const struct guest_memory *memory, const struct boot_files *files,
	struct boot_entry *entry, GError **error)
{
	bool good;

	if (boot_linux_is(&files->kernel))
		good = boot_linux_load(memory, files, entry, error);
	else if (boot_pvh_is(&files->kernel))
		good = boot_pvh_load(memory, files, entry, error);
	else
		return fail_as(error, EX_DATAERR, "neither an ELF file nor a Linux bzImage");
	if (!good)
		return false;
	if (!boot_place_gdt(memory, entry->mode) ||
		(entry->mode == BOOT_LONG && !boot_place_pages(memory)))
		return fail(error, "the guest has too little memory");
	return true;
}
