/*
 * What demo/abi.h promises, tried from a program of the demonstration OS. One line for each part:
 * "ok NAME", "absent NAME" where the machine has no such device, or "FAIL ..."; at the end "checked".
 * The disk holds the 32-bit number of each of its words.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "demo/abi.h"

static int failures;

static bool wrong(const char *what, int line)
{
	printf("FAIL line %d: %s (errno %d)\n", line, what, errno);
	failures++;
	return false;
}

/* In functions that return whether all is well. */
#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return wrong(#condition, __LINE__);                                        \
	} while (0)
#define EXPECT_ERRNO(call, error) EXPECT((call) == -1 && errno == (error))

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static bool is_zero(const char *at, size_t n)
{
	while (n && !*at)
		at++, n--;
	return !n;
}

static bool check_heap(void)
{
	enum { SIZE = 5 << 20 };
	char *start = sbrk(SIZE);

	EXPECT(start != (void *)-1 && is_zero(start, SIZE));
	memset(start, 1, SIZE);
	EXPECT(sbrk(-SIZE) == start + SIZE);
	EXPECT(sbrk(2 * SIZE) == start && is_zero(start, 2 * SIZE));
	EXPECT(sbrk(-2 * SIZE) != (void *)-1);
	return true;
}

static bool check_mmap(void)
{
	enum { SIZE = 3 << 20, FLAGS = MAP_PRIVATE | MAP_ANONYMOUS };
	char *a = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, FLAGS, -1, 0), *b, *c;

	EXPECT(a != MAP_FAILED && is_zero(a, SIZE));
	memset(a, 2, SIZE);
	EXPECT(!munmap(a, SIZE));
	b = mmap(NULL, SIZE / 2, PROT_READ | PROT_WRITE, FLAGS, -1, 0);
	EXPECT(b != MAP_FAILED && is_zero(b, SIZE / 2));
	memset(b, 3, SIZE / 2);
	c = mremap(b, SIZE / 2, 2 * SIZE, MREMAP_MAYMOVE);
	EXPECT(c != MAP_FAILED && c[0] == 3 && c[SIZE / 2 - 1] == 3);
	EXPECT(is_zero(c + SIZE / 2, 2 * SIZE - SIZE / 2));
	EXPECT_ERRNO(munmap((void *)0x6ffff000, 1 << 20), EINVAL); /* the kernel's */
	return true;
}

static bool check_files(void)
{
	char text[64] = "", tail[64] = "";
	struct stat stat;
	int fd = open("/words", O_RDONLY);

	EXPECT(fd >= 0 && !fstat(fd, &stat) && stat.st_size == 26);
	EXPECT(read(fd, text, sizeof(text)) == 26 && !strcmp(text, "abcdefghijklmnopqrstuvwxyz"));
	EXPECT(read(fd, text, sizeof(text)) == 0);
	EXPECT(pread(fd, tail, sizeof(tail), 20) == 6 && !strcmp(tail, "uvwxyz"));
	EXPECT(lseek(fd, 3, SEEK_SET) == 3 && read(fd, tail, 2) == 2 && !memcmp(tail, "de", 2));
	EXPECT_ERRNO(write(fd, text, 1), EINVAL);
	EXPECT(!close(fd));
	EXPECT_ERRNO(read(fd, text, 1), EBADF);
	EXPECT_ERRNO(open("/nothing", O_RDONLY), ENOENT);
	fd = open("/proc/cmdline", O_RDONLY);
	memset(text, 0, sizeof(text));
	EXPECT(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strstr(text, "init=/check"));
	return !close(fd);
}

/* What a program must not get the kernel to touch. */
static bool check_pointers(void)
{
	static const uint64_t bad[] = {
		1, 0x70100000 /* the kernel */, 0x600000100000 /* all memory */,
		0x7fff40000000 /* the ramdisk */, 0x800000000000, 0xffffffff80000000, UINT64_MAX - 4,
	};
	int fd = open("/words", O_RDONLY);

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_ERRNO(syscall(SYS_read, fd, bad[i], 16), EFAULT);
		EXPECT_ERRNO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, bad[i]), EFAULT);
		EXPECT_ERRNO(syscall(SYS_getrandom, bad[i], 16, 0), EFAULT);
		EXPECT_ERRNO(syscall(SYS_open, bad[i], O_RDONLY), EFAULT);
	}
	EXPECT_ERRNO(syscall(SYS_read, fd, &fd, 1ull << 62), EFAULT);
	EXPECT_ERRNO(syscall(SYS_fork), ENOSYS);
	EXPECT_ERRNO(syscall(100000), ENOSYS);
	return !close(fd);
}

static bool check_clock(void)
{
	int64_t start = now(), took;
	double third = (double)start / 3;

	usleep(20000);
	took = now() - start;
	EXPECT(took >= 20000000 && took < 2000000000);
	EXPECT((double)start / 3 == third); /* registers of floating point are kept */
	start = now();
	EXPECT(poll(NULL, 0, 15) == 0);
	took = now() - start;
	EXPECT(took >= 15000000 && took < 2000000000);
	return true;
}

static bool check_random(void)
{
	char a[32] = "", b[32] = "";

	EXPECT(getrandom(a, sizeof(a), 0) == sizeof(a) && getrandom(b, sizeof(b), 0) == sizeof(b));
	EXPECT(memcmp(a, b, sizeof(a)));
	return true;
}

static int present(int fd, uint32_t handle, uint32_t width, uint64_t cookie)
{
	struct display_present present = { handle, { 0, 0, width, 32 }, cookie };

	return ioctl(fd, DISPLAY_PRESENT, &present);
}

static bool check_display(int fd)
{
	enum { FRAMES = 40 };
	struct display_info info;
	struct display_buffer buffer = { .width = 64, .height = 32 };
	struct display_event event;
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	uint64_t seen = 0;
	uint32_t *pixels;

	EXPECT(!ioctl(fd, DISPLAY_INFO, &info) && info.width && info.height);
	EXPECT(!ioctl(fd, DISPLAY_BUFFER, &buffer) && buffer.stride == 256);
	pixels = mmap(NULL, 64 * 32 * 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		(off_t)buffer.handle << 32);
	EXPECT(pixels != MAP_FAILED);
	memset(pixels, 0x7f, 64 * 32 * 4);
	EXPECT_ERRNO(read(fd, &event, sizeof(event)), EAGAIN);
	EXPECT_ERRNO(present(fd, buffer.handle + 1, 64, 0), EINVAL);
	EXPECT_ERRNO(present(fd, buffer.handle, 65, 0), EINVAL);
	EXPECT_ERRNO(ioctl(fd, DISPLAY_PRESENT, 8), EFAULT);
	for (uint64_t put = 0; seen < FRAMES; ) {
		while (put < FRAMES && !present(fd, buffer.handle, put % 2 ? 64 : 0, put))
			put++;
		EXPECT(put == FRAMES || errno == EAGAIN);
		EXPECT(poll(&wait, 1, 2000) == 1);
		while (read(fd, &event, sizeof(event)) == sizeof(event))
			EXPECT(event.cookie == seen++);
	}
	return true;
}

static bool check_disk(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	uint32_t *words = malloc((size_t)size), ragged[200];

	EXPECT(size > 0 && words && pread(fd, words, (size_t)size, 0) == size);
	for (uint32_t i = 0; i < size / 4; i++)
		EXPECT(words[i] == i);
	EXPECT(pread(fd, ragged, sizeof(ragged), 2000) == sizeof(ragged));
	EXPECT(!memcmp(ragged, words + 500, sizeof(ragged)));
	EXPECT(pread(fd, ragged, sizeof(ragged), size - 12) == 12);
	EXPECT(pread(fd, ragged, sizeof(ragged), size + 512) == 0);
	free(words);
	return true;
}

static bool check_audio(int fd)
{
	struct audio_start start = { 48000, 2, 1920, 4 };
	struct audio_status status;
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	int64_t began;

	EXPECT_ERRNO(ioctl(fd, AUDIO_QUEUE, 0), EINVAL);
	EXPECT(mmap(NULL, 4 * 1920, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED);
	EXPECT(!ioctl(fd, AUDIO_START, &start));
	began = now();
	for (unsigned i = 0; i < 30; i++) { /* 300 ms */
		EXPECT(poll(&wait, 1, 2000) == 1);
		EXPECT(!ioctl(fd, AUDIO_QUEUE, i % 4));
	}
	EXPECT(!ioctl(fd, AUDIO_STATUS, &status) && status.played + status.queued == 30);
	EXPECT(now() - began > 150000000 && now() - began < 3000000000);
	EXPECT(!ioctl(fd, AUDIO_STOP));
	EXPECT(!ioctl(fd, AUDIO_STATUS, &status) && status.played == 30);
	return true;
}

static bool check_input(int fd)
{
	struct input_record record;
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	EXPECT_ERRNO(read(fd, &record, sizeof(record)), EAGAIN);
	EXPECT(poll(&wait, 1, 10) == 0);
	return true;
}

static volatile int *volatile nowhere = (volatile int *)16;
static volatile uint64_t started;

static void other_processor(uint64_t argument)
{
	started = argument;
	__asm__ volatile("syscall" :: "a"(SYS_exit), "D"(0));
}

static bool check_cpu(int fd)
{
	static char stack[8192];
	struct cpu_start start = { .cpu = 1, .entry = (uint64_t)other_processor,
		.stack_top = (uint64_t)stack + sizeof(stack) };
	int64_t until;

	if (ioctl(fd, CPU_TOTAL) < 2)
		return true;
	for (uint64_t round = 1; round <= 3; round++) {
		start.arg = round;
		EXPECT(!ioctl(fd, CPU_START, &start));
		until = now() + 2000000000;
		while (started != round)
			EXPECT(now() < until);
	}
	start.cpu = (uint32_t)ioctl(fd, CPU_TOTAL);
	EXPECT_ERRNO(ioctl(fd, CPU_START, &start), EINVAL);
	return true;
}

static const struct {
	const char *name, *device;
	bool (*check)(void);
	bool (*check_device)(int fd);
} checks[] = {
	{ "heap", NULL, check_heap, NULL },
	{ "mmap", NULL, check_mmap, NULL },
	{ "files", NULL, check_files, NULL },
	{ "pointers", NULL, check_pointers, NULL },
	{ "clock", NULL, check_clock, NULL },
	{ "random", NULL, check_random, NULL },
	{ "display", "/dev/display", NULL, check_display },
	{ "disk", "/dev/disk0", NULL, check_disk },
	{ "audio", "/dev/audio", NULL, check_audio },
	{ "input", "/dev/input", NULL, check_input },
	{ "cpu", "/dev/cpu", NULL, check_cpu },
};

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[2], "fault"))
		*nowhere = 1; /* the kernel says so, with the registers, and powers off */
	for (unsigned i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int fd = checks[i].device ? open(checks[i].device, O_RDWR) : -1;

		if (checks[i].device && fd < 0)
			printf("absent %s\n", checks[i].name);
		else if (checks[i].check ? checks[i].check() : checks[i].check_device(fd))
			printf("ok %s\n", checks[i].name);
		fflush(stdout);
	}
	printf("checked, %d wrong\n", failures);
	return 0;
}
