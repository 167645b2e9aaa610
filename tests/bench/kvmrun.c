/*
 * Preloaded into a VMM by bench.py: notes when it first enters a guest.
 *
 * Every VMM on /dev/kvm calls ioctl(vcpu, KVM_RUN) from libc; the first call is the last moment
 * before the first guest instruction. CLOCK_MONOTONIC in nanoseconds goes to the file that
 * IRORI_BENCH_FIRST_RUN names. The same shim times every VMM, ours included.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...);

static int (*next_ioctl)(int, unsigned long, ...);
static atomic_flag entered = ATOMIC_FLAG_INIT;

static void note_entry(void)
{
	const char *path = getenv("IRORI_BENCH_FIRST_RUN");
	struct timespec now;
	char line[32];
	int fd, len;

	clock_gettime(CLOCK_MONOTONIC, &now);
	fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	if (fd < 0)
		return;
	len = snprintf(line, sizeof(line), "%lld\n", now.tv_sec * 1000000000ll + now.tv_nsec);
	if (write(fd, line, len) != len)
		unlink(path);
	close(fd);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	if (!next_ioctl)
		next_ioctl = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	if (request == KVM_RUN && !atomic_flag_test_and_set(&entered))
		note_entry();
	return next_ioctl(fd, request, argument);
}
