/*
 * Loads the program: a static x86-64 ELF file of the ramdisk. Its segments are copied by itself,
 * just before its first instruction, by ring3_load.
 *
 * Source: System V ABI, AMD64 supplement, 3.4.1 (process entry) and chapter 4 (ELF).
 */
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"

struct elf {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, segments, sections;
	uint32_t flags;
	uint16_t size, segment_size, n_segments, section_size, n_sections, names;
};

struct segment {
	uint32_t type, flags;
	uint64_t offset, address, physical, file_size, memory_size, align;
};

struct copy { /* as ring3_load reads it */
	uint64_t to, from, length;
};

enum { MAX_SEGMENTS = 16, PT_LOAD = 1, ET_EXEC = 2, EM_X86_64 = 62, MAX_ARGS = 32 };
enum { AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6, AT_ENTRY = 9, AT_SECURE = 23, AT_RANDOM = 25 };

void ring3_load(const struct copy *copies, uint64_t stack) __attribute__((noreturn));

static void fail(const char *path, const char *why)
{
	log_quiet = false;
	log_line("hearth: init=%s: %s", path, why);
	machine_panic();
}

/* Why the file is not a program, or NULL. */
static const char *elf_check(const struct elf *elf, uint64_t length)
{
	static const uint8_t magic[6] = { 0x7f, 'E', 'L', 'F', 2, 1 };

	if (length < sizeof(*elf) || memcmp(elf->ident, magic, sizeof(magic)))
		return "not a 64-bit ELF file";
	if (elf->type != ET_EXEC || elf->machine != EM_X86_64)
		return "not linked with -static -no-pie for x86-64";
	if (elf->segment_size != sizeof(struct segment) || elf->n_segments > MAX_SEGMENTS ||
		length < MAX_SEGMENTS * sizeof(struct segment) || elf->segments % 8 ||
		elf->segments > length - MAX_SEGMENTS * sizeof(struct segment))
		return "odd segments";
	return NULL;
}

/* Makes room for the segments and lists what goes where; the address of the program headers. */
static uint64_t segments_place(const char *path, const struct elf *elf, uint64_t length,
	struct copy *copies)
{
	const uint8_t *file = (const uint8_t *)elf;
	const struct segment *segment = (const void *)(file + elf->segments);
	uint64_t end = 0, headers = 0;

	for (unsigned i = 0; i < elf->n_segments; i++, segment++) {
		if (segment->type != PT_LOAD)
			continue;
		if (segment->offset > length || segment->file_size > length - segment->offset ||
			segment->memory_size < segment->file_size || segment->address >= USER_HEAP_END ||
			segment->memory_size > USER_HEAP_END - segment->address)
			fail(path, "a segment is out of range");
		if (user_grow(segment->address, segment->address + segment->memory_size))
			fail(path, "not enough memory");
		if (segment->offset <= elf->segments &&
			elf->segments < segment->offset + segment->file_size)
			headers = segment->address + elf->segments - segment->offset;
		if (segment->file_size)
			*copies++ = (struct copy){ segment->address,
				initrd_user_address(file + segment->offset), segment->file_size };
		if (segment->address + segment->memory_size > end)
			end = segment->address + segment->memory_size;
	}
	*copies = (struct copy){ elf->entry, 0, 0 };
	space_init(end);
	return headers;
}

/*
 * The stack as a program finds it: argc, argv, no environment, auxiliary vector; above it the
 * strings, below it the table of copies. argv is init= and then the whole command line, cut at
 * spaces.
 */
static uint64_t stack_build(const struct elf *elf, const char *path, uint64_t headers)
{
	uint64_t *random = (uint64_t *)(USER_STACK_TOP - 16);
	uint64_t size = strlen(command_line) + 1;
	char *text = (char *)random - size, *name = text - strlen(path) - 1;
	uint64_t *stack = (uint64_t *)(((uint64_t)name & -16ul) - 512), *out = stack + 1;

	random_read((uint64_t)random, 16);
	memcpy(text, command_line, size);
	memcpy(name, path, strlen(path) + 1);
	*out++ = (uint64_t)name;
	for (char *at = text; *at && out < stack + MAX_ARGS; ) {
		*out++ = (uint64_t)at;
		while (*at && *at != ' ')
			at++;
		while (*at == ' ')
			*at++ = 0;
	}
	*stack = (uint64_t)(out - stack) - 1;
	*out++ = 0; /* argv */
	*out++ = 0; /* environment */
	const uint64_t vector[] = {
		AT_PHDR, headers, AT_PHENT, sizeof(struct segment), AT_PHNUM, elf->n_segments,
		AT_PAGESZ, PAGE, AT_ENTRY, elf->entry, AT_SECURE, 0, AT_RANDOM, (uint64_t)random, 0, 0,
	};
	memcpy(out, vector, sizeof(vector));
	return (uint64_t)stack;
}

void program_run(void)
{
	static char path[64];
	const char *value = NULL;
	int n = option("init", &value);
	const struct elf *elf;
	const char *why;
	uint64_t length, headers, stack;
	struct copy *copies;

	if (n <= 0 || n >= (int)sizeof(path))
		fail("", "say on the command line what is to run");
	memcpy(path, value, (size_t)n);
	elf = (const struct elf *)initrd_find(path, &length);
	why = elf ? elf_check(elf, length) : "not in the initial ramdisk";
	if (why)
		fail(path, why);
	if (user_grow(USER_STACK_TOP - USER_STACK_SIZE, USER_STACK_TOP))
		fail(path, "not enough memory");
	copies = (struct copy *)(USER_STACK_TOP - USER_STACK_SIZE);
	headers = segments_place(path, elf, length, copies);
	stack = stack_build(elf, path, headers);
	log_line("hearth: %s after %lu us", path, clock_now() / 1000);
	ring3_load(copies, stack);
}
