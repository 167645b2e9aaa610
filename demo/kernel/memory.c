/*
 * Memory: where it is, who gets it, and the program's page tables.
 *
 * Memory that nobody has used since the machine was switched on is zero, so what is handed out is
 * never cleared and never comes back. The program is mapped in pages of 2 MiB.
 */
#include "demo/kernel/boot_info.h"
#include "demo/kernel/kernel.h"

enum { PTE_PRESENT = 1, PTE_WRITE = 2, PTE_USER = 4, PTE_LARGE = 0x80,
	PTE_PROGRAM = 0x200 /* free for our use: the program's own, not the kernel's */ };
#define PTE_ADDRESS 0x000ffffffffff000ull

struct range {
	uint64_t start, end;
};

/*
 * How far memory has been used since the machine was switched on. It outlives a reset where the VMM
 * leaves memory as it was (QEMU does); what was used before the reset is then left alone.
 */
struct epoch {
	uint64_t magic, used_to;
};

#define EPOCH_MAGIC 0x68636f706520696full

uint64_t initrd_physical, initrd_length;

extern uint64_t kernel_pml4[512];
extern char kernel_start[], kernel_end[], ring3_page[], ring3_copy[], ring3_clear[];

static struct range large;  /* 2 MiB pages from its start */
static struct epoch *epoch; /* NULL until memory_init has found a place for it */
static struct range small;  /* the one that is cut in 4 KiB pages */

uint64_t physical(const void *kernel_address)
{
	uint64_t address = (uint64_t)kernel_address;

	return address < DIRECT_BASE ? address - KERNEL_BASE : address - DIRECT_BASE;
}

void *large_alloc(unsigned n)
{
	void *page = direct(large.start);

	if (n > (large.end - large.start) / LARGE_PAGE)
		return NULL;
	large.start += n * LARGE_PAGE;
	if (epoch)
		epoch->used_to = large.start;
	return page;
}

void *page_alloc(void)
{
	if (small.start == small.end) {
		void *page = large_alloc(1);

		if (!page)
			return NULL;
		small.start = physical(page);
		small.end = small.start + LARGE_PAGE;
	}
	small.start += PAGE;
	return direct(small.start - PAGE);
}

/* The table below entry `i` of a table, made if it is not there. */
static uint64_t *table_below(uint64_t *table, uint64_t i, bool make)
{
	if (!(table[i] & PTE_PRESENT)) {
		void *page = make ? page_alloc() : NULL;

		if (!page)
			return NULL;
		table[i] = physical(page) | PTE_PRESENT | PTE_WRITE | PTE_USER;
	}
	return direct(table[i] & PTE_ADDRESS);
}

/* The entry of the 2 MiB page at `at`. */
static uint64_t *user_entry(uint64_t at, bool make)
{
	uint64_t *table = table_below(kernel_pml4, at >> 39 & 511, make);

	if (table)
		table = table_below(table, at >> 30 & 511, make);
	return table ? &table[at >> 21 & 511] : NULL;
}

int user_map(uint64_t at, uint64_t to, uint64_t length, bool writable)
{
	for (uint64_t done = 0; done < length; done += LARGE_PAGE) {
		uint64_t *entry = user_entry(at + done, true);

		if (!entry)
			return -ENOMEM;
		*entry = (to + done) | PTE_PRESENT | PTE_USER | PTE_LARGE | PTE_PROGRAM |
			(writable ? PTE_WRITE : 0);
	}
	return 0;
}

int user_grow(uint64_t from, uint64_t to)
{
	for (uint64_t at = from & -LARGE_PAGE; at < to; at += LARGE_PAGE) {
		uint64_t *entry = user_entry(at, true);
		void *page;

		if (!entry)
			return -ENOMEM;
		if (*entry & PTE_PRESENT)
			continue;
		page = large_alloc(1);
		if (!page)
			return -ENOMEM;
		*entry = physical(page) | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_LARGE |
			PTE_PROGRAM;
	}
	return 0;
}

bool user_range(uint64_t at, uint64_t length)
{
	if (at >= USER_END || length > USER_END - at)
		return false;
	for (uint64_t page = at & -LARGE_PAGE; page < at + length; page += LARGE_PAGE) {
		uint64_t *entry = user_entry(page, false);

		/* Also writable: the kernel has no use for the ramdisk. */
		if (!entry || (*entry & (PTE_PROGRAM | PTE_WRITE)) != (PTE_PROGRAM | PTE_WRITE))
			return false;
	}
	return true;
}

uint64_t user_physical(uint64_t at, uint64_t length, uint64_t *to)
{
	uint64_t *entry = user_entry(at, false);
	uint64_t done = LARGE_PAGE - at % LARGE_PAGE;

	if (!entry || !(*entry & PTE_PRESENT))
		return 0;
	*to = (*entry & PTE_ADDRESS & -LARGE_PAGE) + at % LARGE_PAGE;
	while (done < length) {
		entry = user_entry(at + done, false);
		if (!entry || (*entry & PTE_ADDRESS & -LARGE_PAGE) != *to + done)
			break;
		done += LARGE_PAGE;
	}
	return done < length ? done : length;
}

static void ring3_later(struct syscall *call, const char *code, uint64_t to, uint64_t from,
	uint64_t length)
{
	uint64_t *job = (uint64_t *)(call->rsp - RING3_JOB);

	if (!length || !user_range((uint64_t)job, RING3_JOB))
		return;
	job[0] = to;
	job[1] = from;
	job[2] = length;
	job[3] = call->rip;
	call->rip = USER_RING3 + (uint64_t)(code - ring3_page);
}

void user_copy_later(struct syscall *call, uint64_t to, uint64_t from, uint64_t length)
{
	ring3_later(call, ring3_copy, to, from, length);
}

void user_clear_later(struct syscall *call, uint64_t at, uint64_t length)
{
	ring3_later(call, ring3_clear, at, 0, length);
}

/* The part of `ram` from `start` on that nobody has used. */
static struct range unused_part(struct range ram, uint64_t start, const struct range *used, int n)
{
	struct range part = { start > ram.start ? start : ram.start, ram.end };

	for (int i = 0; i < n; i++) {
		if (part.start < used[i].end && part.end > used[i].start)
			part.end = used[i].start > part.start ? used[i].start : part.start;
	}
	part.start = (part.start + LARGE_PAGE - 1) & -LARGE_PAGE;
	part.end &= -LARGE_PAGE;
	return part;
}

static void large_consider(struct range part)
{
	if (part.end > part.start && part.end - part.start > large.end - large.start)
		large = part;
}

static int map_fixed(void)
{
	uint64_t offset = initrd_physical % LARGE_PAGE;
	uint64_t *entry = user_entry(USER_RING3, true), *table;

	if (!entry)
		return -ENOMEM;
	table = table_below(entry, 0, true);
	if (!table)
		return -ENOMEM;
	table[0] = physical(ring3_page) | PTE_PRESENT | PTE_USER;
	return user_map(USER_INITRD, initrd_physical - offset, offset + initrd_length, false);
}

/* Takes the first page for the epoch, and goes on after what an earlier one has used. */
static void epoch_begin(void)
{
	struct epoch *found = large_alloc(1);

	if (!found)
		return;
	if (found->magic == EPOCH_MAGIC && found->used_to >= large.start &&
		found->used_to <= large.end && found->used_to % LARGE_PAGE == 0)
		large.start = found->used_to;
	*found = (struct epoch){ EPOCH_MAGIC, large.start };
	epoch = found;
}

/* The largest part of RAM that is left after the kernel and the ramdisk, below 4 GiB. */
int memory_init(const struct start_info *info)
{
	const struct start_memory *map = direct(info->memory_map);
	struct range used[] = {
		{ 0, physical(kernel_end) },
		{ 0, 0 },
	};

	if (info->n_modules) {
		const struct start_module *module = direct(info->modules);

		initrd_physical = module->address;
		initrd_length = module->length;
		used[1] = (struct range){ module->address, module->address + module->length };
	}
	for (unsigned i = 0; i < info->n_memory_map; i++) {
		struct range ram = { map[i].address, map[i].address + map[i].length };

		if (map[i].type != 1 || ram.start >= DIRECT_SIZE)
			continue;
		if (ram.end > DIRECT_SIZE)
			ram.end = DIRECT_SIZE;
		for (unsigned j = 0; j < ARRAY_SIZE(used); j++)
			large_consider(unused_part(ram, used[j].end, used, ARRAY_SIZE(used)));
	}
	if (large.start == large.end)
		return -ENOMEM;
	epoch_begin();
	return map_fixed();
}
