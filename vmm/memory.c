/*
 * Guest memory: one memfd, mapped as the two parts that a PC has below and above the 4 GiB line and
 * the room for more above them, and the gate that every access of the VMM to it passes.
 */
#include "vmm/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/state.h"

enum {
	MEMORY_PAGE = 4096,
	MEMORY_HUGE = 2 << 20, /* a large page: where a part begins, for us as for the guest */
	MEMORY_GUARD = MEMORY_HUGE, /* before and after each part: nothing there */
	MEMORY_PARTS = 3,
	WORD_BITS = 64,
};

/* The upper bound of all of it keeps gpa sums and off_t far from wrapping. */
#define MEMORY_MAX (1ull << 46)

struct guest_memory {
	int fd;
	unsigned n_parts;
	uint64_t size;
	const struct memory_part *room; /* the last part, or NULL */
	uint64_t *plugged; /* a bit a block of it; atomic words */
	struct memory_part part[MEMORY_PARTS];
	uint64_t in_memfd[MEMORY_PARTS]; /* where each part lies */
};

static bool memory_failed(GError **error, const char *what)
{
	int saved = errno;

	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved), "guest memory: %s: %s", what,
		g_strerror(saved));
	return false;
}

/* Address space at a multiple of MEMORY_HUGE; MAP_FAILED: there is none. */
static uint8_t *memory_reserve(uint64_t len)
{
	uint8_t *room = mmap(NULL, len + MEMORY_HUGE, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before = -(uintptr_t)room % MEMORY_HUGE;

	if (room == MAP_FAILED)
		return room;
	if (before)
		munmap(room, before);
	munmap(room + before + len, MEMORY_HUGE - before);
	return room + before;
}

/* A part between two guards: should a sum ever go wrong above the gate, it is a fault at once and
 * not a neighbour's memory. */
static bool memory_map(struct guest_memory *memory, uint64_t gpa, uint64_t offset, uint64_t len,
	GError **error)
{
	uint8_t *room = memory_reserve(len + 2 * MEMORY_GUARD);
	void *host;

	if (room == MAP_FAILED)
		return memory_failed(error, "no address space");
	host = mmap(room + MEMORY_GUARD, len, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_NORESERVE | MAP_FIXED, memory->fd, (off_t)offset);
	if (host == MAP_FAILED) {
		memory_failed(error, "cannot map");
		munmap(room, len + 2 * MEMORY_GUARD);
		return false;
	}
	/* A guest's memory has no place in a core file. */
	madvise(host, len, MADV_DONTDUMP);
	/* Without effect where the host has shmem_enabled=never: then a guest's first touch of each 4 KiB is
	 * an exit, and its page walks are longer. */
	madvise(host, len, MADV_HUGEPAGE);
	memory->in_memfd[memory->n_parts] = offset;
	memory->part[memory->n_parts++] = (struct memory_part){
		.gpa = gpa,
		.len = len,
		.host = host,
	};
	return true;
}

static uint64_t room_blocks(const struct guest_memory *memory)
{
	return memory->room ? memory->room->len / MEMORY_BLOCK : 0;
}

static bool memory_add_room(struct guest_memory *memory, uint64_t len, GError **error)
{
	const struct memory_part *high = memory_part(memory, 1);
	uint64_t gpa = high ? high->gpa + high->len : MEMORY_HIGH_BASE;

	gpa = (gpa + MEMORY_ROOM_ALIGN - 1) & ~(MEMORY_ROOM_ALIGN - 1);
	if (!memory_map(memory, gpa, memory->size, len, error))
		return false;
	memory->room = &memory->part[memory->n_parts - 1];
	memory->plugged = g_new0(uint64_t, (room_blocks(memory) + WORD_BITS - 1) / WORD_BITS);
	return true;
}

static bool memory_fill(struct guest_memory *memory, uint64_t room, GError **error)
{
	uint64_t low = MIN(memory->size, MEMORY_LOW_END);

	memory->fd = memfd_create("irori-guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory->fd < 0)
		return memory_failed(error, "memfd_create");
	if (ftruncate(memory->fd, (off_t)(memory->size + room)) < 0)
		return memory_failed(error, "cannot set the size");
	/* Whoever gets this descriptor cannot take the pages away under our feet. */
	if (fcntl(memory->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return memory_failed(error, "cannot seal");
	if (!memory_map(memory, 0, 0, low, error))
		return false;
	if (memory->size > low &&
		!memory_map(memory, MEMORY_HIGH_BASE, low, memory->size - low, error))
		return false;
	return !room || memory_add_room(memory, room, error);
}

struct guest_memory *memory_new(uint64_t size, GError **error)
{
	return memory_new_with_room(size, 0, error);
}

struct guest_memory *memory_new_with_room(uint64_t size, uint64_t room, GError **error)
{
	struct guest_memory *memory;

	if (size == 0 || size % MEMORY_PAGE != 0 || size > MEMORY_MAX ||
		room % MEMORY_BLOCK != 0 || room > MEMORY_MAX - size) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
			"guest memory: size %" G_GUINT64_FORMAT
			" is not a multiple of %d within 64 TiB",
			size, MEMORY_PAGE);
		return NULL;
	}
	memory = g_new0(struct guest_memory, 1);
	memory->size = size;
	memory->fd = -1;
	if (!memory_fill(memory, room, error)) {
		memory_free(memory);
		return NULL;
	}
	return memory;
}

void memory_free(struct guest_memory *memory)
{
	if (!memory)
		return;
	for (unsigned i = 0; i < memory->n_parts; i++)
		munmap((uint8_t *)memory->part[i].host - MEMORY_GUARD,
			memory->part[i].len + 2 * MEMORY_GUARD);
	if (memory->fd >= 0)
		close(memory->fd);
	g_free(memory->plugged);
	g_free(memory);
}

uint64_t memory_size(const struct guest_memory *memory)
{
	return memory->size;
}

uint64_t memory_total(const struct guest_memory *memory)
{
	return memory->size + (memory->room ? memory->room->len : 0);
}

int memory_fd(const struct guest_memory *memory)
{
	return memory->fd;
}

const struct memory_part *memory_part(const struct guest_memory *memory, unsigned i)
{
	const struct memory_part *part = memory_mapping(memory, i);

	return part != memory->room ? part : NULL;
}

const struct memory_part *memory_mapping(const struct guest_memory *memory, unsigned i)
{
	return i < memory->n_parts ? &memory->part[i] : NULL;
}

const struct memory_part *memory_room(const struct guest_memory *memory)
{
	return memory->room;
}

/* The bits of word `w` that are blocks of [first, end). */
static uint64_t word_mask(uint64_t w, uint64_t first, uint64_t end)
{
	uint64_t from = MAX(first, w * WORD_BITS), to = MIN(end, (w + 1) * WORD_BITS);
	uint64_t bits = to - from;

	return (bits < WORD_BITS ? (1ull << bits) - 1 : UINT64_MAX) << from % WORD_BITS;
}

uint64_t memory_plugged(const struct guest_memory *memory, uint64_t first, uint64_t n)
{
	uint64_t blocks = room_blocks(memory), end, count = 0;

	if (first >= blocks || n == 0)
		return 0;
	end = first + MIN(n, blocks - first);
	for (uint64_t w = first / WORD_BITS; w * WORD_BITS < end; w++)
		count += (uint64_t)__builtin_popcountll(word_mask(w, first, end) &
			__atomic_load_n(&memory->plugged[w], __ATOMIC_ACQUIRE));
	return count;
}

/* Whether the gate is open for [offset, offset + len), len not 0, which lies in the part. */
static bool part_open(const struct guest_memory *memory, const struct memory_part *part,
	uint64_t offset, uint64_t len)
{
	uint64_t first = offset / MEMORY_BLOCK, last = (offset + len - 1) / MEMORY_BLOCK;

	return part != memory->room || memory_plugged(memory, first, last - first + 1) ==
		last - first + 1;
}

void *memory_at(const struct guest_memory *memory, uint64_t gpa, uint64_t len)
{
	for (unsigned i = 0; i < memory->n_parts; i++) {
		const struct memory_part *part = &memory->part[i];
		uint64_t offset = gpa - part->gpa; /* huge when gpa lies below the part */

		/* No sum here can wrap: the difference is taken from what is known to be larger. */
		if (gpa >= part->gpa && offset < part->len && len <= part->len - offset)
			return len && part_open(memory, part, offset, len) ?
				(uint8_t *)part->host + offset : NULL;
	}
	return NULL;
}

bool memory_read(const struct guest_memory *memory, uint64_t gpa, void *to, size_t len)
{
	const void *host = memory_at(memory, gpa, len);

	if (host)
		memcpy(to, host, len);
	return host;
}

bool memory_write(const struct guest_memory *memory, uint64_t gpa, const void *from, size_t len)
{
	void *host = memory_at(memory, gpa, len);

	if (host)
		memcpy(host, from, len);
	return host;
}

int memory_discard(const struct guest_memory *memory, uint64_t gpa, uint64_t len)
{
	const void *host = memory_at(memory, gpa, len);

	return host ? memory_discard_at(memory, host, len) : -EFAULT;
}

/* Punching a hole also drops the pages from every mapping, KVM's included. */
static int memory_punch(const struct guest_memory *memory, uint64_t offset, uint64_t len)
{
	uint64_t begin = (offset + MEMORY_PAGE - 1) & ~(uint64_t)(MEMORY_PAGE - 1);
	uint64_t end = (offset + len) & ~(uint64_t)(MEMORY_PAGE - 1);

	if (begin < end && fallocate(memory->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		    (off_t)begin, (off_t)(end - begin)) < 0)
		return -errno;
	return 0;
}

int memory_discard_at(const struct guest_memory *memory, const void *host, uint64_t len)
{
	for (unsigned i = 0; i < memory->n_parts; i++) {
		const struct memory_part *part = &memory->part[i];
		uint64_t offset = (uint64_t)((const uint8_t *)host - (const uint8_t *)part->host);

		if (offset < part->len && len <= part->len - offset)
			return memory_punch(memory, memory->in_memfd[i] + offset, len);
	}
	return -EFAULT;
}

uint64_t memory_used(const struct guest_memory *memory)
{
	struct stat status;

	return fstat(memory->fd, &status) < 0 ? 0 : (uint64_t)status.st_blocks * 512;
}

int memory_clear(struct guest_memory *memory)
{
	return memory_punch(memory, 0, memory_total(memory));
}

static bool blocks_there(const struct guest_memory *memory, uint64_t first, uint64_t n)
{
	uint64_t blocks = room_blocks(memory);

	return first <= blocks && n <= blocks - first;
}

int memory_plug(struct guest_memory *memory, uint64_t first, uint64_t n)
{
	if (!blocks_there(memory, first, n))
		return -EINVAL;
	for (uint64_t w = first / WORD_BITS; n && w * WORD_BITS < first + n; w++)
		__atomic_fetch_or(&memory->plugged[w], word_mask(w, first, first + n),
			__ATOMIC_RELEASE);
	return 0;
}

/* Closed first: what passed the gate before makes pages anew at worst, until the block is next
 * unplugged or cleared. */
int memory_unplug(struct guest_memory *memory, uint64_t first, uint64_t n)
{
	if (!blocks_there(memory, first, n))
		return -EINVAL;
	for (uint64_t w = first / WORD_BITS; n && w * WORD_BITS < first + n; w++)
		__atomic_fetch_and(&memory->plugged[w], ~word_mask(w, first, first + n),
			__ATOMIC_SEQ_CST);
	return memory_punch(memory, memory->size + first * MEMORY_BLOCK, n * MEMORY_BLOCK);
}

/* Pages of blocks that are not plugged in: a guest may have touched them all the same. */
static void room_tidy(struct guest_memory *memory)
{
	uint64_t blocks = room_blocks(memory);

	for (uint64_t i = 0, end; i < blocks; i = end) {
		for (end = i; end < blocks && !memory_plugged(memory, end, 1); end++)
			;
		memory_unplug(memory, i, end - i);
		end += end == i;
	}
}

void memory_state(struct guest_memory *memory, struct state *state)
{
	uint64_t blocks = room_blocks(memory), words = (blocks + WORD_BITS - 1) / WORD_BITS;

	if (!memory->room)
		return;
	state_section(state, "Memory");
	state_bytes(state, "plugged", memory->plugged, words * sizeof(*memory->plugged));
	if (state_failed(state))
		return;
	if (state_loading(state) && memory->plugged[words - 1] &
		~word_mask(words - 1, 0, blocks)) {
		state_fail(state, "blocks beyond the end are plugged in");
		return;
	}
	room_tidy(memory);
}
