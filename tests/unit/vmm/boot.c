/*
 * The kernel loaders: good files land where they should, bad ones are refused and harm nothing.
 */
#include "vmm/boot.h"

#include <elf.h>
#include <string.h>

#include "tests/unit/test.h"

enum {
	MEMORY = 32 << 20,
	ENTRY = 0x100040,
	LINUX_LEN = 0x3000,
};

/* A PVH kernel in as few bytes as it can be. */
struct kernel {
	Elf64_Ehdr head;
	Elf64_Phdr load, note;
	struct {
		Elf64_Nhdr head;
		char name[4];
		uint32_t entry;
	} pvh;
	uint8_t code[64];
};

static struct kernel kernel_good(void)
{
	struct kernel k = {
		.head = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_phoff = offsetof(struct kernel, load),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
		.load = {
			.p_type = PT_LOAD,
			.p_offset = offsetof(struct kernel, code),
			.p_paddr = 0x100000,
			.p_filesz = sizeof(k.code),
			.p_memsz = 4096,
		},
		.note = {
			.p_type = PT_NOTE,
			.p_offset = offsetof(struct kernel, pvh),
			.p_filesz = sizeof(k.pvh),
			.p_align = 4,
		},
		.pvh = {
			.head = { .n_namesz = 4, .n_descsz = 4, .n_type = 18 },
			.name = "Xen",
			.entry = ENTRY,
		},
	};

	memset(k.code, 0xcc, sizeof(k.code));
	return k;
}

/* Loads into a new guest's memory, which is the caller's; NULL: refused. */
static struct guest_memory *load(const void *file, size_t len, size_t initrd,
	struct boot_entry *entry)
{
	static uint8_t ramdisk[8192] = { [0] = 0x77, [8191] = 0x88 };
	struct guest_memory *memory = memory_new(MEMORY, NULL);
	g_autoptr(GError) error = NULL;
	const struct boot_files files = {
		.kernel = { .fd = -1, .data = file, .len = len },
		.initrd = { .fd = -1, .data = ramdisk, .len = initrd },
		.command_line = "quiet",
	};

	test_assert(memory);
	if (boot_load(memory, &files, entry, &error)) {
		test_assert(!error);
		return memory;
	}
	test_assert(error && error->message[0]);
	memory_free(memory);
	return NULL;
}

static bool loads(const struct kernel *kernel)
{
	struct boot_entry entry;
	struct guest_memory *memory = load(kernel, sizeof(*kernel), 0, &entry);

	memory_free(memory);
	return memory;
}

static void pvh_is_loaded(void)
{
	struct kernel kernel = kernel_good();
	struct boot_entry entry;
	struct guest_memory *memory = load(&kernel, sizeof(kernel), 8192, &entry);
	uint32_t info[10];
	uint64_t module[2];
	uint8_t *at;

	test_assert(memory);
	test_equal(entry.mode, BOOT_PROTECTED);
	test_equal(entry.ip, ENTRY);
	at = memory_at(memory, 0x100000, 65);
	test_assert(at[0] == 0xcc && at[63] == 0xcc && at[64] == 0);
	test_assert(memory_read(memory, entry.info, info, sizeof(info)));
	test_equal(info[0], 0x336ec578);
	test_equal(info[3], 1); /* modules */
	test_assert(!strcmp(memory_at(memory, info[6], 6), "quiet"));
	test_assert(memory_read(memory, info[4], module, sizeof(module)));
	test_equal(module[0], MEMORY - 8192);
	test_equal(module[1], 8192);
	at = memory_at(memory, module[0], 8192);
	test_assert(at[0] == 0x77 && at[8191] == 0x88);
	memory_free(memory);
}

#define BAD(change)                                                                                \
	do {                                                                                       \
		struct kernel k = kernel_good();                                                   \
		change;                                                                            \
		test_assert(!loads(&k));                                                           \
	} while (0)

static void bad_elf_is_refused(void)
{
	BAD(k.head.e_ident[0] = 0);
	BAD(k.head.e_ident[EI_DATA] = ELFDATA2MSB);
	BAD(k.head.e_machine = EM_ARM);
	BAD(k.head.e_phnum = 0);
	BAD(k.head.e_phnum = 65);
	BAD(k.head.e_phnum = 3 + sizeof(k.code));
	BAD(k.head.e_phentsize = 1);
	BAD(k.head.e_phoff = UINT64_MAX - 8);
	BAD(k.head.e_phoff = sizeof(k) - 8);
}

static void bad_segments_are_refused(void)
{
	BAD(k.load.p_paddr = 0x9000);              /* over the boot structures */
	BAD(k.load.p_paddr = MEMORY);
	BAD(k.load.p_paddr = MEMORY - 4095);
	BAD(k.load.p_paddr = UINT64_MAX - 100);
	BAD(k.load.p_memsz = UINT64_MAX);
	BAD(k.load.p_memsz = UINT64_MAX - 0x100000 + 1);
	BAD(k.load.p_filesz = 5000);               /* more than in memory */
	BAD(k.load.p_filesz = 4096);               /* more than in the file */
	BAD(k.load.p_offset = UINT64_MAX);
	BAD(k.load.p_offset = UINT64_MAX - 63);
}

static void bad_notes_are_refused(void)
{
	BAD(k.note.p_type = PT_NULL);
	BAD(k.note.p_filesz = 4);
	BAD(k.note.p_filesz = UINT64_MAX);
	BAD(k.note.p_offset = UINT64_MAX);
	BAD(k.pvh.head.n_namesz = UINT32_MAX);
	BAD(k.pvh.head.n_descsz = UINT32_MAX);
	BAD(k.pvh.head.n_descsz = 5);
	BAD(k.pvh.head.n_type = 17);
	BAD(k.pvh.name[0] = 'x');
	BAD(k.pvh.entry = 0);
	BAD(k.pvh.entry = MEMORY);
}

static void small_and_large(void)
{
	struct kernel kernel = kernel_good();
	struct boot_entry entry;

	for (size_t len = 0; len < offsetof(struct kernel, code) + 64; len++)
		test_assert(!load(&kernel, len, 0, &entry));
	test_assert(!load("MZ", 2, 0, &entry));
}

static void initrd_must_fit(void)
{
	struct kernel k = kernel_good();
	struct boot_entry entry;

	k.load.p_memsz = MEMORY - 0x100000 - 4096;
	test_assert(!load(&k, sizeof(k), 8192, &entry));
	test_assert(!load(&k, sizeof(k), 4097, &entry));
}

static uint8_t *linux_good(void)
{
	static uint8_t file[LINUX_LEN];

	memset(file, 0, sizeof(file));
	file[0x1f1] = 4;
	file[0x1fe] = 0x55;
	file[0x1ff] = 0xaa;
	file[0x201] = 0x6a;
	memcpy(file + 0x202, "HdrS\x0f\x02", 6);
	file[0x211] = 1;
	memcpy(file + 0x22c, "\xff\xff\xff\x7f", 4);
	memcpy(file + 0x230, "\x00\x00\x20\x00", 4);
	file[0x234] = 1;
	file[0x236] = 1;
	memcpy(file + 0x238, "\xff\x07\x00\x00", 4);
	memcpy(file + 0x258, "\x00\x00\x00\x01", 4); /* 16 MiB */
	memcpy(file + 0x260, "\x00\x00\x80\x00", 4); /* 8 MiB */
	file[5 * 512] = 0x90;
	return file;
}

static bool linux_loads(const uint8_t *file)
{
	struct boot_entry entry;
	struct guest_memory *memory = load(file, LINUX_LEN, 8192, &entry);

	memory_free(memory);
	return memory;
}

static void linux_is_loaded(void)
{
	struct boot_entry entry;
	struct guest_memory *memory = load(linux_good(), LINUX_LEN, 8192, &entry);
	uint8_t *page;

	test_assert(memory);
	test_equal(entry.mode, BOOT_LONG);
	test_equal(entry.ip, 0x1000200);
	test_equal(*(uint8_t *)memory_at(memory, 0x1000000, 1), 0x90);
	page = memory_at(memory, entry.info, 4096);
	test_equal(page[0x210], 0xff);
	test_assert(page[0x1e8] >= 3);
	test_assert(!memcmp(page + 0x202, "HdrS", 4));
	test_equal(page[0x1f0], 0); /* nothing but the header is copied */
	test_equal(*(uint32_t *)(page + 0x218), MEMORY - 8192);
	test_equal(*(uint64_t *)memory_at(memory, BOOT_PAGES, 8), (BOOT_PAGES + 0x1000) | 3);
	memory_free(memory);
}

#define BAD_LINUX(change)                                                                          \
	do {                                                                                       \
		uint8_t *f = linux_good();                                                         \
		change;                                                                            \
		test_assert(!linux_loads(f));                                                      \
	} while (0)

static void bad_linux_is_refused(void)
{
	BAD_LINUX(f[0x207] = 1);                     /* protocol 1.x */
	BAD_LINUX(f[0x211] = 0);                     /* zImage */
	BAD_LINUX(f[0x236] = 0);                     /* 32 bit only */
	BAD_LINUX(f[0x1f1] = 255);                   /* no kernel behind the set-up code */
	BAD_LINUX(f[0x263] = 0x7f);                  /* wants 2 GiB */
	BAD_LINUX((f[0x234] = 0, f[0x25f] = 0xff));  /* not relocatable and far away */
	BAD_LINUX((f[0x234] = 0, f[0x25b] = 0));     /* not relocatable, at 0 */
	BAD_LINUX(memset(f + 0x238, 0, 4));          /* no command line */
	BAD_LINUX(memset(f + 0x22c, 0, 4));          /* no place for a ramdisk */
	BAD_LINUX(f[0x201] = 0);                     /* a header without end */
}

int main(void)
{
	test_run(pvh_is_loaded);
	test_run(bad_elf_is_refused);
	test_run(bad_segments_are_refused);
	test_run(bad_notes_are_refused);
	test_run(small_and_large);
	test_run(initrd_must_fit);
	test_run(linux_is_loaded);
	test_run(bad_linux_is_refused);
	return 0;
}
