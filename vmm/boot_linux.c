/*
 * A Linux bzImage: its set-up header becomes the zero page, its 64-bit entry is taken.
 */
#define G_LOG_DOMAIN "irori-boot"

#include <string.h>

#include "vmm/boot.h"
#include "vmm/error.h"

/* Offsets in the file and in the zero page alike (the set-up header keeps its place). */
enum linux_header {
	HDR_SETUP_SECTS = 0x1f1,
	HDR_SYSSIZE = 0x1f4, /* of what follows the set-up code */
	HDR_BOOT_FLAG = 0x1fe,
	HDR_LENGTH = 0x201, /* the header ends at 0x202 + this byte */
	HDR_MAGIC = 0x202,
	HDR_VERSION = 0x206,
	HDR_LOADER = 0x210,
	HDR_LOADFLAGS = 0x211,
	HDR_RAMDISK = 0x218,
	HDR_RAMDISK_SIZE = 0x21c,
	HDR_COMMAND_LINE = 0x228,
	HDR_INITRD_MAX = 0x22c,
	HDR_ALIGNMENT = 0x230,
	HDR_RELOCATABLE = 0x234,
	HDR_XLOADFLAGS = 0x236,
	HDR_COMMAND_LINE_SIZE = 0x238,
	HDR_PREFERRED = 0x258,
	HDR_INIT_SIZE = 0x260,
	HDR_END = 0x290, /* farther than any header reaches */

	ZERO_RSDP = 0x070,
	ZERO_E820_COUNT = 0x1e8,
	ZERO_E820 = 0x2d0,
	ZERO_LEN = 4096,

	BOOT_FLAG = 0xaa55,
	VERSION_64 = 0x20c, /* the first with xloadflags */
	LOADED_HIGH = 1,
	XLF_KERNEL_64 = 1,
	LOADER_UNKNOWN = 0xff,
	ENTRY_64 = 0x200,
	SECTOR = 512,
	PARAGRAPH = 16, /* what HDR_SYSSIZE counts */
	E820_RAM = 1,
	E820_RESERVED = 2,
};

struct e820 {
	uint64_t base, len;
	uint32_t type;
} __attribute__((packed));

static uint64_t get(const uint8_t *page, unsigned offset, unsigned len)
{
	uint64_t value = 0;

	memcpy(&value, page + offset, len);
	return value;
}

static void put(uint8_t *page, unsigned offset, uint64_t value, unsigned len)
{
	memcpy(page + offset, &value, len);
}

bool boot_linux_is(const struct boot_source *kernel)
{
	uint8_t magic[4], flag[2];

	return boot_read(kernel, HDR_BOOT_FLAG, flag, sizeof(flag)) &&
		get(flag, 0, 2) == BOOT_FLAG &&
		boot_read(kernel, HDR_MAGIC, magic, sizeof(magic)) && !memcmp(magic, "HdrS", 4);
}

/* The header alone, the rest of the page zero, as the protocol wants it. */
static bool header_read(const struct boot_source *kernel, uint8_t *page, GError **error)
{
	uint8_t file[HDR_END] = { 0 };
	unsigned end;

	if (!boot_read(kernel, 0, file, MIN(kernel->len, sizeof(file))) || kernel->len < SECTOR * 2)
		return fail_as(error, EX_DATAERR, "the bzImage is cut short");
	end = MIN(HDR_MAGIC + (unsigned)file[HDR_LENGTH], HDR_END);
	memset(page, 0, ZERO_LEN);
	if (end > HDR_SETUP_SECTS)
		memcpy(page + HDR_SETUP_SECTS, file + HDR_SETUP_SECTS, end - HDR_SETUP_SECTS);
	if (get(page, HDR_VERSION, 2) < VERSION_64 || !(page[HDR_LOADFLAGS] & LOADED_HIGH) ||
		!(get(page, HDR_XLOADFLAGS, 2) & XLF_KERNEL_64))
		return fail_as(error, EX_DATAERR, "the bzImage has no 64-bit entry (boot protocol "
			"%#x, 2.12 and XLF_KERNEL_64 are needed)", (unsigned)get(page, HDR_VERSION, 2));
	return true;
}

/* Where the kernel goes, and how far up it works before it knows of anything else there. */
static bool kernel_place(const struct guest_memory *memory, const struct boot_source *kernel,
	const uint8_t *page, uint64_t *base, uint64_t *end, GError **error)
{
	uint64_t sectors = page[HDR_SETUP_SECTS] ? page[HDR_SETUP_SECTS] : 4;
	uint64_t offset = (sectors + 1) * SECTOR, len, room;

	if (offset >= kernel->len)
		return fail_as(error, EX_DATAERR,
			"the bzImage has no kernel behind its set-up code");
	len = kernel->len - offset;
	if (len < get(page, HDR_SYSSIZE, 4) * PARAGRAPH)
		return fail_as(error, EX_DATAERR, "the bzImage is cut short: %" G_GUINT64_FORMAT
			" bytes, its header says %" G_GUINT64_FORMAT, kernel->len,
			offset + get(page, HDR_SYSSIZE, 4) * PARAGRAPH);
	room = MAX(len, get(page, HDR_INIT_SIZE, 4));
	*base = get(page, HDR_PREFERRED, 8);
	if ((*base < BOOT_KERNEL_MIN || !memory_at(memory, *base, room)) && page[HDR_RELOCATABLE]) {
		uint64_t align = get(page, HDR_ALIGNMENT, 4);

		*base = MAX(align, BOOT_KERNEL_MIN);
	}
	if (*base < BOOT_KERNEL_MIN || *base >= 1ull << 32 || !memory_at(memory, *base, room) ||
		!boot_place(memory, kernel, offset, *base, len))
		return fail(error, "the kernel wants %" G_GUINT64_FORMAT " MiB of memory at %#"
			G_GINT64_MODIFIER "x, which the guest has not got", room >> 20, *base);
	*end = *base + room;
	return true;
}

static void e820_fill(const struct guest_memory *memory, uint8_t *page)
{
	struct boot_range range[BOOT_MAX_RANGES];
	unsigned n = boot_ranges(memory, range);

	for (unsigned i = 0; i < n; i++) {
		struct e820 entry = { range[i].base, range[i].len,
			range[i].ram ? E820_RAM : E820_RESERVED };

		memcpy(page + ZERO_E820 + i * sizeof(entry), &entry, sizeof(entry));
	}
	page[ZERO_E820_COUNT] = (uint8_t)n;
}

bool boot_linux_load(const struct guest_memory *memory, const struct boot_files *files,
	struct boot_entry *entry, GError **error)
{
	uint64_t base = 0, end = 0, initrd, below;
	uint8_t page[ZERO_LEN];

	if (!header_read(&files->kernel, page, error) ||
		!kernel_place(memory, &files->kernel, page, &base, &end, error))
		return false;
	if (files->command_line && get(page, HDR_COMMAND_LINE_SIZE, 4) < strlen(files->command_line))
		return fail(error, "the kernel takes command lines of %u bytes at most",
			(unsigned)get(page, HDR_COMMAND_LINE_SIZE, 4));
	below = get(page, HDR_INITRD_MAX, 4) + 1;
	if (!boot_place_initrd(memory, &files->initrd, end, below, &initrd, error) ||
		!boot_place_command_line(memory, files->command_line, error))
		return false;
	page[HDR_LOADER] = LOADER_UNKNOWN;
	put(page, HDR_RAMDISK, initrd, 4);
	put(page, HDR_RAMDISK_SIZE, initrd ? files->initrd.len : 0, 4);
	put(page, HDR_COMMAND_LINE, BOOT_COMMAND_LINE, 4);
	put(page, ZERO_RSDP, files->rsdp, 8);
	e820_fill(memory, page);
	if (!memory_write(memory, BOOT_INFO, page, sizeof(page)))
		return fail(error, "the guest has too little memory");
	*entry = (struct boot_entry){ .mode = BOOT_LONG, .ip = base + ENTRY_64, .info = BOOT_INFO };
	return true;
}
