/*
 * A class of sharing, put into the host scheduler's terms.
 *
 * In order of preference: cgroup v2 cpu.weight and cpu.idle where a writable cgroup was given
 * (gpu-share/group.h, the supervisor's work), then per-thread nice and SCHED_IDLE, then affinity (the
 * only knob an unprivileged process can turn back). cpu_share_how() says which of the latter two, for
 * reports and `irori doctor`.
 *
 * The video class gets more than a nice level: a reservation (SCHED_DEADLINE) of so many milliseconds
 * in each vblank's time. A nice level only counts within a session where the kernel groups tasks by
 * session (autogroup) or control group; measured beside a build in another session, threads at nice
 * -15 waited up to 300 ms for their turn, and those with a real-time policy 0.2. A plain real-time
 * policy is not for guests: how much work its threads have is for the guest to say, and a hostile one
 * could take a processor away from everybody. A reservation ends when it is used up, and the kernel
 * refuses those that it could not keep; then the nice level stays.
 *
 * Thread: any; the calls name the threads they change.
 */
#ifndef IRORI_GPU_SHARE_CPU_H
#define IRORI_GPU_SHARE_CPU_H

#include <sys/types.h>

#include "gpu-share/policy.h"

enum cpu_role {
	CPU_ROLE_VCPU,
	CPU_ROLE_DEVICE, /* display, sound, I/O of the same guest: a step before its vCPUs */
};

enum cpu_share_how {
	CPU_SHARE_CGROUP,
	CPU_SHARE_NICE,     /* reservations, nice both ways, SCHED_IDLE */
	CPU_SHARE_AFFINITY, /* not allowed to raise again: fewer processors instead */
};

/* What this process may do; found once, by trying on the calling thread. */
enum cpu_share_how cpu_share_how(void);
const char *cpu_share_how_name(enum cpu_share_how how);

/* Gives a thread of this process its class. 0 or -errno; a thread that is gone is not an error. */
int cpu_share_apply(pid_t tid, enum cpu_role role, enum share_class share_class);

#endif
