/* The gate to guest memory: what it lets through, and above all what not. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "vmm/memory.h"

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

int main(void)
{
	test_run(gate_refuses);
	test_run(sizes_refused);
	test_run(two_parts);
	test_run(clear_gives_zeros);
	test_run(file_is_sealed);
	test_run(guarded);
	test_run(nothing_copied_outside);
	return 0;
}
