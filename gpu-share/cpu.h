/*
 * A class of sharing, put into the host scheduler's terms.
 *
 * In order of preference: cgroup v2 cpu.weight and cpu.idle where a writable cgroup was given
 * (gpu-share/group.h, the supervisor's work), then per-thread nice and SCHED_IDLE, then affinity (the
 * only knob an unprivileged process can turn back). cpu_share_how() says which of the latter two, for
 * reports and `irori doctor`.
 *
 * No guest's thread becomes a real-time thread, not even for video: how much work a device thread has
 * is for the guest to say, and a hostile guest's real-time thread could take a processor away from
 * everybody. A nice level a step before its vCPUs does what is needed.
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
	CPU_SHARE_NICE,     /* nice both ways and SCHED_IDLE */
	CPU_SHARE_AFFINITY, /* not allowed to raise again: fewer processors instead */
};

/* What this process may do; found once, by trying on the calling thread. */
enum cpu_share_how cpu_share_how(void);
const char *cpu_share_how_name(enum cpu_share_how how);

/* Gives a thread of this process its class. 0 or -errno; a thread that is gone is not an error. */
int cpu_share_apply(pid_t tid, enum cpu_role role, enum share_class share_class);

#endif
