/*
 * Classes of sharing as nice levels, SCHED_IDLE or sets of processors; see cpu.h.
 */
#include "gpu-share/cpu.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct level {
	int policy;
	int nice[2];       /* by role */
	unsigned rt[2];    /* by role: SCHED_RR priority where that is permitted; 0: none */
	uint64_t slice_ns; /* asked of schedulers that have request sizes (Linux 6.12) */
};

/* A seat's clock: a step before the first of them. */
enum {
	CLOCK_RT = 3,
	CLOCK_NICE = -16,
};

/* A short slice is an early deadline: the thread waits less for its turn but gets no more of it. */
static const struct level levels[SHARE_CLASSES] = {
	[SHARE_VIDEO] = {
		.policy = SCHED_OTHER,
		.nice = { [CPU_ROLE_VCPU] = -10, [CPU_ROLE_DEVICE] = -15 },
		.rt = { [CPU_ROLE_VCPU] = 1, [CPU_ROLE_DEVICE] = 2 },
		.slice_ns = 1000000,
	},
	[SHARE_INTERACTIVE] = {
		.policy = SCHED_OTHER,
		.nice = { [CPU_ROLE_VCPU] = -5, [CPU_ROLE_DEVICE] = -7 },
	},
	[SHARE_FAIR] = { .policy = SCHED_OTHER },
	[SHARE_IDLE] = { .policy = SCHED_IDLE },
};

/* As the kernel has it (sched_setattr(2)); glibc of Debian 12 does not declare it. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum cpu_share_how how;
static cpu_set_t all; /* the processors this process may use when all is well */

static void how_find(void)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);
	int nice;

	if (sched_getaffinity(tid, sizeof(all), &all))
		memset(&all, 0xff, sizeof(all));
	errno = 0;
	nice = getpriority(PRIO_PROCESS, tid);
	/* What matters is the way back up. */
	how = CPU_SHARE_AFFINITY;
	if (!errno && !setpriority(PRIO_PROCESS, tid, -20)) {
		setpriority(PRIO_PROCESS, tid, nice);
		how = CPU_SHARE_NICE;
	}
}

enum cpu_share_how cpu_share_how(void)
{
	pthread_once(&once, how_find);
	return how;
}

const char *cpu_share_how_name(enum cpu_share_how which)
{
	static const char *const names[] = {
		[CPU_SHARE_CGROUP] = "cgroup v2 weights",
		[CPU_SHARE_NICE] = "SCHED_RR for video, nice levels, SCHED_IDLE",
		[CPU_SHARE_AFFINITY] = "processor affinity",
	};

	return names[which];
}

static int apply_nice(pid_t tid, enum cpu_role role, const struct level *level)
{
	struct attributes attributes = {
		.size = sizeof(attributes),
		.policy = (uint32_t)level->policy,
		.nice = level->nice[role],
		.runtime = level->slice_ns,
	};

	/* Threads that it starts begin as everybody. */
	if (level->rt[role] && !sched_setscheduler(tid, SCHED_RR | SCHED_RESET_ON_FORK,
			&(struct sched_param){ .sched_priority = (int)level->rt[role] }))
		return 0;
	if (!syscall(SYS_sched_setattr, tid, &attributes, 0))
		return 0;
	/* An older kernel refuses a runtime here. */
	attributes.runtime = 0;
	return syscall(SYS_sched_setattr, tid, &attributes, 0) ? -errno : 0;
}

int cpu_share_clock(void)
{
	const struct sched_param param = { .sched_priority = CLOCK_RT };

	if (!sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param))
		return 0;
	return setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), CLOCK_NICE) ? -errno : 0;
}

/* An idle guest gets the last of our processors, where there are several. */
static int apply_affinity(pid_t tid, enum share_class share_class)
{
	cpu_set_t set = all;

	if (share_class == SHARE_IDLE && CPU_COUNT(&all) > 1) {
		int last = CPU_SETSIZE - 1;

		while (!CPU_ISSET(last, &all))
			last--;
		CPU_ZERO(&set);
		CPU_SET(last, &set);
	}
	return sched_setaffinity(tid, sizeof(set), &set) ? -errno : 0;
}

int cpu_share_apply(pid_t tid, enum cpu_role role, enum share_class share_class)
{
	int ret;

	if ((unsigned)share_class >= SHARE_CLASSES || (unsigned)role > CPU_ROLE_DEVICE)
		return -EINVAL;
	if (cpu_share_how() == CPU_SHARE_NICE)
		ret = apply_nice(tid, role, &levels[share_class]);
	else
		ret = apply_affinity(tid, share_class);
	return ret == -ESRCH ? 0 : ret;
}

enum share_class cpu_share_vcpus(enum share_class share_class, unsigned vcpus, unsigned processors)
{
	return share_class == SHARE_VIDEO && vcpus >= processors ? SHARE_INTERACTIVE : share_class;
}
