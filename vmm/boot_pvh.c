/*
 * PVH: an ELF file with a note that names its 32-bit entry point, and a start_info structure that
 * tells it what it was given.
 */
#define G_LOG_DOMAIN "irori-boot"

#include <elf.h>
#include <string.h>

#include "vmm/boot.h"
#include "vmm/error.h"

enum pvh_limits {
	PVH_MAX_HEADERS = 64,
	PVH_MAX_NOTES = 16384,
	XEN_ELFNOTE_PHYS32_ENTRY = 18,
	PVH_MAGIC = 0x336ec578,
	PVH_VERSION = 1,
	PVH_RAM = 1,
	PVH_RESERVED = 2,
};

struct pvh_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr, memmap_paddr;
	uint32_t memmap_entries, reserved;
};

struct pvh_module {
	uint64_t paddr, size, cmdline_paddr, reserved;
};

struct pvh_memmap {
	uint64_t addr, size;
	uint32_t type, reserved;
};

/* All that start_info points to, in one piece at BOOT_INFO. */
struct pvh_block {
	struct pvh_start_info info;
	struct pvh_module module;
	struct pvh_memmap memmap[BOOT_MAX_RANGES];
};

/* A program header of either class. */
struct segment {
	uint32_t type;
	uint64_t offset, paddr, filesz, memsz, align;
};

struct elf {
	const struct boot_source *source;
	bool wide;
	uint64_t phoff;
	unsigned phnum;
};

bool boot_pvh_is(const struct boot_source *kernel)
{
	unsigned char ident[EI_NIDENT];

	return boot_read(kernel, 0, ident, sizeof(ident)) && !memcmp(ident, ELFMAG, SELFMAG);
}

static bool elf_open(struct elf *elf, const struct boot_source *source, GError **error)
{
	unsigned char ident[EI_NIDENT];
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;
	uint16_t machine, size;

	*elf = (struct elf){ .source = source };
	if (!boot_read(source, 0, ident, sizeof(ident)) || ident[EI_DATA] != ELFDATA2LSB)
		return fail_as(error, EX_DATAERR, "not a little-endian ELF file");
	elf->wide = ident[EI_CLASS] == ELFCLASS64;
	if (elf->wide) {
		if (!boot_read(source, 0, &e64, sizeof(e64)))
			return fail_as(error, EX_DATAERR, "the ELF header is cut short");
		elf->phoff = e64.e_phoff;
		elf->phnum = e64.e_phnum;
		machine = e64.e_machine;
		size = e64.e_phentsize;
	} else {
		if (!boot_read(source, 0, &e32, sizeof(e32)))
			return fail_as(error, EX_DATAERR, "the ELF header is cut short");
		elf->phoff = e32.e_phoff;
		elf->phnum = e32.e_phnum;
		machine = e32.e_machine;
		size = e32.e_phentsize;
	}
	if (machine != EM_X86_64 && machine != EM_386)
		return fail_as(error, EX_DATAERR, "the ELF file is for another processor (%u)",
			machine);
	if (size != (elf->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) ||
		elf->phnum == 0 || elf->phnum > PVH_MAX_HEADERS)
		return fail_as(error, EX_DATAERR, "%u ELF program headers of %u bytes",
			elf->phnum, size);
	return true;
}

static bool elf_segment(const struct elf *elf, unsigned i, struct segment *s)
{
	Elf64_Phdr p64;
	Elf32_Phdr p32;

	/* phoff comes from the file: with it near 2^64 the sum wraps, and boot_read looks at the
	 * wrong but valid place in the file; refuse it. */
	if (elf->phoff > elf->source->len)
		return false;
	if (elf->wide) {
		if (!boot_read(elf->source, elf->phoff + i * sizeof(p64), &p64, sizeof(p64)))
			return false;
		*s = (struct segment){ p64.p_type, p64.p_offset, p64.p_paddr, p64.p_filesz,
			p64.p_memsz, p64.p_align };
		return true;
	}
	if (!boot_read(elf->source, elf->phoff + i * sizeof(p32), &p32, sizeof(p32)))
		return false;
	*s = (struct segment){ p32.p_type, p32.p_offset, p32.p_paddr, p32.p_filesz, p32.p_memsz,
		p32.p_align };
	return true;
}

/* Looks through the notes in [note, note + len) for the entry point. */
static bool notes_find(const uint8_t *note, uint64_t len, uint64_t align, uint64_t *entry)
{
	uint64_t pad = align == 8 ? 7 : 3;

	for (uint64_t at = 0; len - at >= sizeof(Elf32_Nhdr);) {
		Elf32_Nhdr head;
		uint64_t name, desc, next;

		/* 32-bit fields in 64-bit sums: nothing wraps. */
		memcpy(&head, note + at, sizeof(head));
		name = at + sizeof(head);
		desc = (name + head.n_namesz + pad) & ~pad;
		next = (desc + head.n_descsz + pad) & ~pad;
		if (desc > len || head.n_descsz > len - desc)
			return false;
		if (head.n_type == XEN_ELFNOTE_PHYS32_ENTRY && head.n_namesz == 4 &&
			!memcmp(note + name, "Xen", 4) &&
			(head.n_descsz == 4 || head.n_descsz == 8)) {
			*entry = 0;
			memcpy(entry, note + desc, head.n_descsz);
			return true;
		}
		if (next > len)
			return false;
		at = next;
	}
	return false;
}

static bool segment_notes(const struct elf *elf, const struct segment *s, uint64_t *entry)
{
	g_autofree uint8_t *notes = NULL;

	if (s->filesz > PVH_MAX_NOTES)
		return false;
	notes = g_malloc(s->filesz + 1);
	return boot_read(elf->source, s->offset, notes, s->filesz) &&
		notes_find(notes, s->filesz, s->align, entry);
}

static bool segment_load(const struct guest_memory *memory, const struct elf *elf,
	const struct segment *s, uint64_t *end, GError **error)
{
	if (s->memsz == 0)
		return true;
	if (s->filesz > s->memsz || s->paddr < BOOT_KERNEL_MIN ||
		!memory_at(memory, s->paddr, s->memsz))
		return fail_as(error, EX_DATAERR,
			"an ELF segment of %#" G_GINT64_MODIFIER "x bytes at %#"
			G_GINT64_MODIFIER "x is not in the guest's memory", s->memsz, s->paddr);
	if (s->filesz && !boot_place(memory, elf->source, s->offset, s->paddr, s->filesz))
		return fail_as(error, EX_DATAERR, "an ELF segment goes beyond the end of the file");
	*end = MAX(*end, s->paddr + s->memsz);
	return true;
}

static bool pvh_info(const struct guest_memory *memory, const struct boot_files *files,
	uint64_t initrd, GError **error)
{
	struct boot_range range[BOOT_MAX_RANGES];
	unsigned n = boot_ranges(memory, range);
	struct pvh_block block = {
		.info = {
			.magic = PVH_MAGIC,
			.version = PVH_VERSION,
			.nr_modules = initrd ? 1 : 0,
			.modlist_paddr = BOOT_INFO + offsetof(struct pvh_block, module),
			.cmdline_paddr = BOOT_COMMAND_LINE,
			.rsdp_paddr = files->rsdp,
			.memmap_paddr = BOOT_INFO + offsetof(struct pvh_block, memmap),
			.memmap_entries = n,
		},
		.module = { .paddr = initrd, .size = files->initrd.len },
	};

	for (unsigned i = 0; i < n; i++)
		block.memmap[i] = (struct pvh_memmap){ range[i].base, range[i].len,
			range[i].ram ? PVH_RAM : PVH_RESERVED, 0 };
	if (!memory_write(memory, BOOT_INFO, &block, sizeof(block)))
		return fail(error, "the guest has too little memory");
	return true;
}

bool boot_pvh_load(const struct guest_memory *memory, const struct boot_files *files,
	struct boot_entry *entry, GError **error)
{
	uint64_t end = BOOT_KERNEL_MIN, initrd, ip = 0;
	bool noted = false;
	struct elf elf;

	if (!elf_open(&elf, &files->kernel, error))
		return false;
	for (unsigned i = 0; i < elf.phnum; i++) {
		struct segment s;

		if (!elf_segment(&elf, i, &s))
			return fail_as(error, EX_DATAERR, "the ELF program headers are cut short");
		if (s.type == PT_LOAD && !segment_load(memory, &elf, &s, &end, error))
			return false;
		if (s.type == PT_NOTE && !noted)
			noted = segment_notes(&elf, &s, &ip);
	}
	if (!noted)
		return fail_as(error, EX_DATAERR,
			"the ELF file has no PVH entry (XEN_ELFNOTE_PHYS32_ENTRY); "
			"Linux has it with CONFIG_PVH=y");
	if (ip < BOOT_KERNEL_MIN || ip > UINT32_MAX || !memory_at(memory, ip, 1))
		return fail_as(error, EX_DATAERR, "its PVH entry is not in the guest's memory");
	if (!boot_place_initrd(memory, &files->initrd, end, UINT32_MAX, &initrd, error) ||
		!boot_place_command_line(memory, files->command_line, error) ||
		!pvh_info(memory, files, initrd, error))
		return false;
	*entry = (struct boot_entry){ .mode = BOOT_PROTECTED, .ip = ip, .info = BOOT_INFO };
	return true;
}
