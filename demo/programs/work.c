/*
 * Boot's load: SHA-256 over the blocks of an image in memory. The other processors run work_other()
 * without an operating system under them: no system calls, no thread-local data.
 */
#include "demo/programs/work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "demo/abi.h"

enum {
	WORK_BLOCK = 32768,
	WORK_BLOCKS = 128, /* 4 MiB: more than a second-level cache */
	WORK_STACK = 16384,
	WORK_CPUS = 64,
};

static struct {
	uint8_t image[WORK_BLOCKS][WORK_BLOCK];
	uint32_t digests[WORK_BLOCKS][8];
	uint8_t stacks[WORK_CPUS][WORK_STACK] __attribute__((aligned(16)));
} work_memory;

static const uint32_t work_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t work_turn(uint32_t x, int by)
{
	return x >> by | x << (32 - by);
}

static void work_compress(uint32_t h[8], const uint8_t *data)
{
	uint32_t w[64], s[8];

	for (int i = 0; i < 16; i++) {
		memcpy(&w[i], data + i * 4, 4);
		w[i] = __builtin_bswap32(w[i]);
	}
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] + (work_turn(a, 7) ^ work_turn(a, 18) ^ a >> 3) +
		       (work_turn(b, 17) ^ work_turn(b, 19) ^ b >> 10);
	}
	for (int i = 0; i < 8; i++)
		s[i] = h[i];
	for (int i = 0; i < 64; i++) {
		uint32_t e = s[4], a = s[0];
		uint32_t t1 = s[7] + (work_turn(e, 6) ^ work_turn(e, 11) ^ work_turn(e, 25)) +
			      ((e & s[5]) ^ (~e & s[6])) + work_k[i] + w[i];
		uint32_t t2 = (work_turn(a, 2) ^ work_turn(a, 13) ^ work_turn(a, 22)) +
			      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

		s[7] = s[6];
		s[6] = s[5];
		s[5] = e;
		s[4] = s[3] + t1;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = a;
		s[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		h[i] += s[i];
}

/* All blocks are as long, so the length that SHA-256 appends is left out. */
static void work_digest(unsigned block, uint32_t h[8])
{
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	for (int i = 0; i < 8; i++)
		h[i] = start[i];
	for (unsigned at = 0; at < WORK_BLOCK; at += 64)
		work_compress(h, work_memory.image[block] + at);
}

int work_step(struct work *work)
{
	uint64_t n = __atomic_fetch_add(&work->next, 1, __ATOMIC_RELAXED);
	unsigned block = (unsigned)(n % WORK_BLOCKS);
	uint32_t h[8], differ = 0;

	if (n >= work->total)
		return 0;
	work_digest(block, h);
	for (int i = 0; i < 8; i++)
		differ |= h[i] ^ work_memory.digests[block][i];
	if (differ)
		__atomic_fetch_add(&work->damaged, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&work->done, 1, __ATOMIC_RELAXED);
	return 1;
}

/* The entry of another processor: whatever its stack's alignment is, and with no way back. */
__attribute__((force_align_arg_pointer)) static void work_other(uint64_t arg)
{
	struct work *work = (struct work *)(uintptr_t)arg;

	while (work_step(work))
		;
	for (;;)
		__asm__ volatile("syscall" : : "a"(SYS_exit), "D"(0) : "rcx", "r11", "memory");
}

static int64_t work_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Makes the image, its digests, and finds what a block costs: the least that any did. */
static int64_t work_prepare(void)
{
	int64_t least = INT64_MAX;
	uint32_t x = 0x1db71064;

	for (unsigned i = 0; i < sizeof work_memory.image; i += 4) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		memcpy(&work_memory.image[0][0] + i, &x, 4);
	}
	for (unsigned block = 0; block < WORK_BLOCKS; block += 8) {
		int64_t began = work_now(), took;

		for (unsigned i = 0; i < 8; i++) /* several, so that reading the clock weighs little */
			work_digest(block + i, work_memory.digests[block + i]);
		took = (work_now() - began) / 8;
		least = took < least ? took : least;
	}
	return least < 10000 ? 10000 : least;
}

int work_open(struct work *work, unsigned ms)
{
	int64_t block_ns = work_prepare();
	int fd = open("/dev/cpu", O_RDWR | O_CLOEXEC), cpus = fd < 0 ? 1 : ioctl(fd, CPU_TOTAL, NULL);

	if (fd >= 0)
		close(fd);
	*work = (struct work){
		.cpus = cpus < 1 ? 1 : cpus > WORK_CPUS ? WORK_CPUS : (unsigned)cpus,
	};
	/* A quarter of its processors, for a guest may have been given more than its host has. */
	work->total = (uint64_t)ms * 1000000 / (uint64_t)block_ns * ((work->cpus + 3) / 4);
	return 0;
}

void work_start(struct work *work)
{
	int fd = open("/dev/cpu", O_RDWR | O_CLOEXEC);

	for (unsigned cpu = 1; fd >= 0 && cpu < work->cpus; cpu++) {
		struct cpu_start start = {
			.cpu = cpu,
			.entry = (uint64_t)(uintptr_t)work_other,
			.stack_top = (uint64_t)(uintptr_t)work_memory.stacks[cpu] + WORK_STACK,
			.arg = (uint64_t)(uintptr_t)work,
		};

		ioctl(fd, CPU_START, &start); /* one that does not start leaves more to the others */
	}
	if (fd >= 0)
		close(fd);
}
