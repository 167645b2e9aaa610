/* The gate to guest memory: what it lets through, and above all what not. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "vmm/memory.h"
#include "vmm/state.h"

static void gate_refuses(void)
{
	struct guest_memory *memory = memory_new(1 << 20, NULL);
	static const struct {
		uint64_t gpa, len;
		bool there;
	} cases[] = {
		{0, 1, true},
		{0, 1 << 20, true},
		{(1 << 20) - 1, 1, true},
		{0, 0, false},
		{0, (1 << 20) + 1, false},
		{(1 << 20) - 1, 2, false},
		{1 << 20, 1, false},
		{1, UINT64_MAX, false},
		{UINT64_MAX, 1, false},
		{UINT64_MAX, UINT64_MAX, false},
		{UINT64_MAX - 4095, 8192, false},
		{MEMORY_HIGH_BASE, 1, false},
	};

	test_assert(memory);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		test_equal(memory_at(memory, cases[i].gpa, cases[i].len) != NULL, cases[i].there);
	memory_free(memory);
}

static void sizes_refused(void)
{
	static const uint64_t sizes[] = {0, 1, 4095, 4097, UINT64_MAX, UINT64_MAX - 4095};

	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		GError *error = NULL;

		test_assert(!memory_new(sizes[i], &error));
		test_assert(error);
		g_error_free(error);
	}
}

static void two_parts(void)
{
	uint64_t size = MEMORY_LOW_END + (1 << 20);
	struct guest_memory *memory = memory_new(size, NULL);
	uint32_t value = 0x12345678, back = 0;

	test_assert(memory);
	test_equal(memory_size(memory), size);
	test_equal(memory_part(memory, 0)->len, MEMORY_LOW_END);
	test_equal(memory_part(memory, 1)->gpa, MEMORY_HIGH_BASE);
	test_equal(memory_part(memory, 1)->len, 1 << 20);
	test_assert(!memory_part(memory, 2));
	/* Neither the hole nor an access across it is RAM. */
	test_assert(!memory_at(memory, MEMORY_LOW_END, 1));
	test_assert(!memory_at(memory, MEMORY_LOW_END - 2, 4));
	test_assert(!memory_at(memory, MEMORY_HIGH_BASE - 1, 2));
	test_assert(!memory_at(memory, MEMORY_LOW_END - 1, MEMORY_HIGH_BASE));
	test_assert(memory_write(memory, MEMORY_HIGH_BASE + 8, &value, 4));
	test_assert(memory_read(memory, MEMORY_HIGH_BASE + 8, &back, 4));
	test_equal(back, value);
	/* The high part follows the low one in the file. */
	test_equal(pread(memory_fd(memory), &back, 4, MEMORY_LOW_END + 8), 4);
	test_equal(back, value);
	memory_free(memory);
}

static void clear_gives_zeros(void)
{
	struct guest_memory *memory = memory_new(1 << 20, NULL);
	uint8_t *at = memory_at(memory, 0, 1 << 20);

	at[0] = at[123456] = 7;
	test_equal(memory_clear(memory), 0);
	test_equal(at[0] + at[123456], 0);
	at[5] = 1; /* and it is still there to be written */
	memory_free(memory);
}

static void file_is_sealed(void)
{
	struct guest_memory *memory = memory_new(1 << 20, NULL);

	test_assert(ftruncate(memory_fd(memory), 0) < 0);
	test_assert(ftruncate(memory_fd(memory), 2 << 20) < 0);
	test_assert(fcntl(memory_fd(memory), F_GET_SEALS) & F_SEAL_SEAL);
	memory_free(memory);
}

/* Mapped on both sides of each part, and not to be touched: write(2) says so without a fault. */
static void guarded(void)
{
	struct guest_memory *memory = memory_new(1 << 20, NULL);
	uint8_t *at = memory_at(memory, 0, 1 << 20);
	int fd[2];

	test_equal(pipe(fd), 0);
	test_equal(write(fd[1], at, 1), 1);
	test_assert(write(fd[1], at - 1, 1) < 0);
	test_assert(write(fd[1], at + (1 << 20), 1) < 0);
	close(fd[0]);
	close(fd[1]);
	memory_free(memory);
}

static void nothing_copied_outside(void)
{
	struct guest_memory *memory = memory_new(4096, NULL);
	uint8_t bytes[16] = {1};

	test_assert(!memory_write(memory, 4090, bytes, 16));
	test_assert(!memory_read(memory, 4090, bytes, 16));
	test_equal(bytes[0], 1);
	test_equal(*(uint8_t *)memory_at(memory, 4090, 1), 0);
	memory_free(memory);
}

/* Above all RAM, in the same file, closed but for the blocks that are plugged in; across words of the
 * bitmap and across their edges. */
static void room_opens_by_blocks(void)
{
	enum { BLOCKS = 130 };
	struct guest_memory *memory = memory_new_with_room(1 << 20, BLOCKS * MEMORY_BLOCK, NULL);
	const struct memory_part *room = memory_room(memory);

	test_assert(!memory_part(memory, 1) && memory_mapping(memory, 1) == room);
	test_assert(!memory_mapping(memory, 2));
	test_equal(room->gpa, MEMORY_HIGH_BASE);
	test_equal(memory_size(memory), 1 << 20);
	test_equal(memory_total(memory), (1 << 20) + BLOCKS * MEMORY_BLOCK);
	test_equal(memory_plugged(memory, 0, UINT64_MAX), 0);
	for (uint64_t first = 0; first < BLOCKS; first += 31)
		for (uint64_t n = 1; n <= BLOCKS - first; n += 11) {
			uint64_t at = room->gpa + first * MEMORY_BLOCK, len = n * MEMORY_BLOCK;

			test_equal(memory_plug(memory, first, n), 0);
			test_equal(memory_plugged(memory, 0, BLOCKS), n);
			test_equal(memory_plugged(memory, first, n), n);
			test_assert(memory_at(memory, at, len) && !memory_at(memory, at, len + 1) &&
				!memory_at(memory, at - 1, 2) && !memory_at(memory, at, 0));
			test_equal(memory_unplug(memory, first, n), 0);
			test_assert(!memory_at(memory, at, 1) && !memory_at(memory, at + len - 1, 1));
		}
	test_equal(memory_plug(memory, 0, BLOCKS + 1), -EINVAL);
	test_equal(memory_plug(memory, BLOCKS, 1), -EINVAL);
	test_equal(memory_plug(memory, UINT64_MAX, 2), -EINVAL);
	test_equal(memory_unplug(memory, 1, UINT64_MAX), -EINVAL);
	test_equal(memory_plugged(memory, BLOCKS, 1), 0);
	memory_free(memory);
}

static void room_lies_above(void)
{
	uint64_t size = MEMORY_LOW_END + (1 << 20);
	struct guest_memory *memory = memory_new_with_room(size, MEMORY_BLOCK, NULL);
	uint32_t value = 7, back = 0;

	test_equal(memory_room(memory)->gpa, MEMORY_HIGH_BASE + MEMORY_ROOM_ALIGN);
	test_assert(memory_mapping(memory, 2) == memory_room(memory) && !memory_part(memory, 2));
	test_equal(memory_plug(memory, 0, 1), 0);
	test_assert(memory_write(memory, MEMORY_HIGH_BASE + MEMORY_ROOM_ALIGN, &value, 4));
	test_equal(pread(memory_fd(memory), &back, 4, (off_t)size), 4);
	test_equal(back, value);
	test_equal(memory_clear(memory), 0);
	test_equal(memory_used(memory), 0);
	memory_free(memory);
	test_assert(!memory_new_with_room(size, 4096, NULL));
	test_assert(!memory_new_with_room(size, UINT64_MAX & ~(MEMORY_BLOCK - 1), NULL));
	memory = memory_new(size, NULL);
	test_assert(!memory_room(memory) && memory_total(memory) == size);
	test_equal(memory_plug(memory, 0, 1), -EINVAL);
	test_equal(memory_plugged(memory, 0, 1), 0);
	memory_free(memory);
}

static struct state *bits(uint64_t low, uint64_t high, size_t len)
{
	struct state *state = state_new_saving(), *loading;
	uint64_t words[2] = {low, high};

	state_section(state, "Memory");
	state_bytes(state, "plugged", words, len);
	loading = state_new_loading(state_take(state));
	state_free(state);
	return loading;
}

static void blocks_are_checked(void)
{
	static const struct {
		uint64_t low, high;
		size_t len;
		bool good;
	} cases[] = {
		{1, 2, 16, true}, {0, 0, 16, true}, {UINT64_MAX, 3, 16, true}, {0, 4, 16, false},
		{0, 1ull << 63, 16, false}, {1, 1, 8, false},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct guest_memory *memory = memory_new_with_room(4096, 66 * MEMORY_BLOCK, NULL);
		struct state *state = bits(cases[i].low, cases[i].high, cases[i].len);

		memory_state(memory, state);
		test_equal(!state_failed(state), cases[i].good);
		test_equal(memory_plugged(memory, 0, 1), cases[i].good && (cases[i].low & 1));
		test_assert(!memory_at(memory, memory_room(memory)->gpa + 66 * MEMORY_BLOCK, 1));
		state_free(state);
		memory_free(memory);
	}
}

int main(void)
{
	test_run(gate_refuses);
	test_run(sizes_refused);
	test_run(two_parts);
	test_run(clear_gives_zeros);
	test_run(file_is_sealed);
	test_run(guarded);
	test_run(nothing_copied_outside);
	test_run(room_opens_by_blocks);
	test_run(room_lies_above);
	test_run(blocks_are_checked);
	return 0;
}
