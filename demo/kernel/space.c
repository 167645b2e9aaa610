/*
 * The program's heap and mappings. Addresses go up; what was unmapped is kept in a short list and
 * given again, cleared by the program's own processor time (ring3.S).
 */
#include "demo/kernel/kernel.h"

enum { MAP_ANONYMOUS = 0x20, MAP_FIXED = 0x10, MREMAP_MAYMOVE = 1 };

struct hole {
	uint64_t at, length;
};

static uint64_t heap_start, heap_end, heap_used; /* heap_used: the highest heap_end so far */
static uint64_t map_end = USER_MMAP;
static struct hole holes[32];

static uint64_t round_up(uint64_t n)
{
	return (n + PAGE - 1) & -PAGE;
}

void space_init(uint64_t start)
{
	heap_start = heap_end = heap_used = round_up(start);
}

int64_t space_brk(struct syscall *call)
{
	uint64_t to = call->arg[0], old = heap_end;

	if (to < heap_start || to > USER_HEAP_END || user_grow(old, to))
		return (int64_t)old;
	heap_end = to;
	if (to > old && old < heap_used)
		user_clear_later(call, old, (to < heap_used ? to : heap_used) - old);
	if (to > heap_used)
		heap_used = to;
	return (int64_t)to;
}

static void hole_add(uint64_t at, uint64_t length)
{
	for (unsigned i = 0; i < ARRAY_SIZE(holes); i++) {
		if (holes[i].length && holes[i].at + holes[i].length == at) {
			holes[i].length += length;
			return;
		}
	}
	for (unsigned i = 0; i < ARRAY_SIZE(holes); i++) {
		if (!holes[i].length) {
			holes[i] = (struct hole){ at, length };
			return;
		}
	}
	/* The list is full: the memory is lost. */
}

static uint64_t hole_take(uint64_t length)
{
	for (unsigned i = 0; i < ARRAY_SIZE(holes); i++) {
		if (holes[i].length >= length) {
			uint64_t at = holes[i].at;

			holes[i].at += length;
			holes[i].length -= length;
			return at;
		}
	}
	return 0;
}

/* Fresh, so zero, memory at the end. */
static int64_t map_fresh(uint64_t length)
{
	uint64_t at = map_end;

	if (length > USER_INITRD - at || user_grow(at, at + length))
		return -ENOMEM;
	map_end += length;
	return (int64_t)at;
}

int64_t space_mmap(struct syscall *call)
{
	uint64_t length = round_up(call->arg[1]), at;

	if (!call->arg[1] || length < call->arg[1] || length > DIRECT_SIZE || call->arg3 & MAP_FIXED)
		return -EINVAL;
	if (!(call->arg3 & MAP_ANONYMOUS))
		return file_mmap((int)call->arg4, length, call->arg5);
	at = hole_take(length);
	if (!at)
		return map_fresh(length);
	user_clear_later(call, at, length);
	return (int64_t)at;
}

int64_t space_munmap(struct syscall *call)
{
	uint64_t at = call->arg[0], length = round_up(call->arg[1]);

	if (at < USER_MMAP || at % PAGE || length > map_end || at > map_end - length)
		return -EINVAL;
	hole_add(at, length);
	return 0;
}

int64_t space_mremap(struct syscall *call)
{
	uint64_t at = call->arg[0], length = round_up(call->arg[1]), wanted = round_up(call->arg[2]);
	int64_t to;

	if (at < USER_MMAP || at % PAGE || length > map_end || at > map_end - length || !wanted)
		return -EINVAL;
	if (wanted <= length) {
		if (wanted < length)
			hole_add(at + wanted, length - wanted);
		return (int64_t)at;
	}
	if (at + length == map_end) {
		to = map_fresh(wanted - length);
		return to < 0 ? to : (int64_t)at;
	}
	if (!(call->arg3 & MREMAP_MAYMOVE))
		return -ENOMEM;
	to = map_fresh(wanted);
	if (to >= 0) {
		user_copy_later(call, (uint64_t)to, at, length);
		hole_add(at, length);
	}
	return to;
}

int64_t space_show(uint64_t at_physical, uint64_t length)
{
	uint64_t at = (map_end + LARGE_PAGE - 1) & -LARGE_PAGE;
	uint64_t size = (length + LARGE_PAGE - 1) & -LARGE_PAGE;

	if (size > USER_INITRD - at || user_map(at, at_physical, size, true))
		return -ENOMEM;
	map_end = at + size;
	return (int64_t)at;
}
