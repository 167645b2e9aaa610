/*
 * The table of system calls, with Linux's numbers, and those that are too small for a file of their
 * own. demo/abi.h is the contract.
 */
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"

struct timespec {
	int64_t s, ns;
};

enum { CLOCK_REALTIME = 0, CLOCK_REALTIME_COARSE = 5, TIMER_ABSTIME = 1, ARCH_SET_FS = 0x1002 };
enum { REBOOT_RESTART = 0x01234567, REBOOT_POWER_OFF = 0x4321fedc, REBOOT_HALT = 0xcdef0123 };

void syscall_dispatch(struct syscall *call);

static int64_t call_nothing(struct syscall *call)
{
	return 0;
}

static int64_t call_one(struct syscall *call)
{
	return 1; /* our process, our thread */
}

static int64_t call_absent(struct syscall *call)
{
	return -ENOENT; /* readlink: no links */
}

static int64_t call_open(struct syscall *call)
{
	return file_open(call, call->arg[0]);
}

static int64_t call_openat(struct syscall *call)
{
	return file_open(call, call->arg[1]);
}

static int64_t time_now(uint64_t clock)
{
	bool real = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;

	return clock_now() + (real ? clock_epoch() : 0);
}

static int64_t call_clock_gettime(struct syscall *call)
{
	struct timespec *time = (struct timespec *)call->arg[1];
	int64_t now = time_now(call->arg[0]);

	if (!user_range(call->arg[1], sizeof(*time)))
		return -EFAULT;
	time->s = now / SECOND;
	time->ns = now % SECOND;
	return 0;
}

static int64_t call_clock_getres(struct syscall *call)
{
	struct timespec *time = (struct timespec *)call->arg[1];

	if (call->arg[1] && !user_range(call->arg[1], sizeof(*time)))
		return -EFAULT;
	if (call->arg[1])
		*time = (struct timespec){ 0, 1 };
	return 0;
}

static int64_t call_gettimeofday(struct syscall *call)
{
	struct timespec *time = (struct timespec *)call->arg[0];
	int64_t now = time_now(CLOCK_REALTIME);

	if (!user_range(call->arg[0], sizeof(*time)))
		return -EFAULT;
	time->s = now / SECOND;
	time->ns = now % SECOND / 1000; /* struct timeval's microseconds */
	return 0;
}

static int64_t call_time(struct syscall *call)
{
	return time_now(CLOCK_REALTIME) / SECOND;
}

static int64_t sleep_until(int64_t until)
{
	while (clock_now() < until)
		clock_idle(until);
	return 0;
}

static int64_t sleep_time(uint64_t at)
{
	const struct timespec *time = (const struct timespec *)at;

	if (!user_range(at, sizeof(*time)))
		return -EFAULT;
	if (time->s < 0 || time->s > 1000000000 || time->ns < 0 || time->ns >= SECOND)
		return -EINVAL;
	return time->s * SECOND + time->ns;
}

static int64_t call_nanosleep(struct syscall *call)
{
	int64_t time = sleep_time(call->arg[0]);

	return time < 0 ? time : sleep_until(clock_now() + time);
}

static int64_t call_clock_nanosleep(struct syscall *call)
{
	int64_t time = sleep_time(call->arg[2]);

	if (time < 0)
		return time;
	if (call->arg[1] & TIMER_ABSTIME)
		return sleep_until(time - (time_now(call->arg[0]) - clock_now()));
	return sleep_until(clock_now() + time);
}

static int64_t call_exit(struct syscall *call)
{
	int status = (int)call->arg[0];

	if (!status)
		machine_power_off();
	log_quiet = false;
	log_line("hearth: the program ended with status %d", status);
	machine_panic();
}

static int64_t call_reboot(struct syscall *call)
{
	if (call->arg[2] == REBOOT_RESTART)
		machine_restart();
	if (call->arg[2] == REBOOT_POWER_OFF || call->arg[2] == REBOOT_HALT)
		machine_power_off();
	return -EINVAL;
}

static int64_t call_uname(struct syscall *call)
{
	static const char *const names[] = { "Hearth", "guest", "6.1.0", "#1", "x86_64", "" };
	char *to = (char *)call->arg[0];

	if (!user_range(call->arg[0], ARRAY_SIZE(names) * 65))
		return -EFAULT;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++, to += 65)
		memcpy(to, names[i], strlen(names[i]) + 1);
	return 0;
}

static int64_t call_arch_prctl(struct syscall *call)
{
	if (call->arg[0] != ARCH_SET_FS || call->arg[1] >= USER_END)
		return -EINVAL;
	wrmsr(MSR_FS_BASE, call->arg[1]);
	return 0;
}

static int64_t call_getrandom(struct syscall *call)
{
	if (!user_range(call->arg[0], call->arg[1]))
		return -EFAULT;
	return random_read(call->arg[0], call->arg[1]);
}

/* futex: alone, a wait ends at once (the value has changed or never will), a wake finds nobody. */
static int64_t call_futex(struct syscall *call)
{
	return (call->arg[1] & 0x7f) == 0 ? -EAGAIN : 0;
}

static int64_t call_affinity(struct syscall *call)
{
	if (call->arg[1] < 8 || !user_range(call->arg[2], 8))
		return -EINVAL;
	*(uint64_t *)call->arg[2] = (1ull << cpu_count()) - 1;
	return 8;
}

static int64_t call_madvise(struct syscall *call)
{
	return call->arg[2] == 4 ? -EINVAL : 0; /* DONTNEED promises zeros */
}

static int64_t (*const calls[335])(struct syscall *) = {
	[0] = file_read, [1] = file_write, [2] = call_open, [3] = file_close, [5] = file_stat,
	[7] = file_poll, [8] = file_lseek, [9] = space_mmap, [10] = call_nothing /* mprotect */,
	[11] = space_munmap, [12] = space_brk, [13] = call_nothing /* rt_sigaction */,
	[14] = call_nothing /* rt_sigprocmask */, [16] = file_ioctl, [17] = file_pread,
	[19] = file_readv, [20] = file_writev, [24] = call_nothing /* sched_yield */,
	[25] = space_mremap, [28] = call_madvise, [35] = call_nanosleep, [39] = call_one /* getpid */,
	[60] = call_exit, [63] = call_uname, [89] = call_absent /* readlink */,
	[96] = call_gettimeofday, [158] = call_arch_prctl, [169] = call_reboot,
	[186] = call_one /* gettid */, [201] = call_time, [202] = call_futex, [204] = call_affinity,
	[218] = call_one /* set_tid_address */, [228] = call_clock_gettime, [229] = call_clock_getres,
	[230] = call_clock_nanosleep, [231] = call_exit, [257] = call_openat, [262] = file_stat_at,
	[267] = call_absent /* readlinkat */, [273] = call_nothing /* set_robust_list */,
	[318] = call_getrandom,
};

void syscall_dispatch(struct syscall *call)
{
	uint64_t number = call->number;

	if (number < ARRAY_SIZE(calls) && calls[number])
		call->number = (uint64_t)calls[number](call);
	else
		call->number = (uint64_t)-ENOSYS;
}
