/*
 * A class of sharing, put into the host scheduler's terms.
 *
 * In order of preference: cgroup v2 cpu.weight and cpu.idle where a writable cgroup was given
 * (gpu-share/group.h, the supervisor's work), then per-thread nice and SCHED_IDLE, then affinity (the
 * only knob an unprivileged process can turn back). cpu_share_how() says which of the latter two, for
 * reports and `irori doctor`.
 *
 * The video class gets more than a nice level: the lowest real-time priorities (SCHED_RR), its vCPUs
 * below its device threads, both below the seat's clock. A nice level only counts within a session
 * where the kernel groups tasks by session (autogroup): measured beside a build in another session,
 * threads at nice -15 waited up to 300 ms for their turn, real-time ones 1. The price: a hostile guest
 * of class video may keep as many processors busy as it has virtual ones, up to what
 * sched_rt_runtime_us leaves to everybody else (95 %). So the class is for the administrator to give,
 * and a guest's vCPUs only get it where they leave the host a processor: see cpu_share_vcpus(). (SCHED_DEADLINE would bound it better;
 * Linux 6.18 lost reserved bandwidth when such threads changed class or ended, and after a few runs
 * refused every reservation.)
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
	CPU_SHARE_NICE,     /* SCHED_RR, nice both ways, SCHED_IDLE */
	CPU_SHARE_AFFINITY, /* not allowed to raise again: fewer processors instead */
};

/* What this process may do; found once, by trying on the calling thread. */
enum cpu_share_how cpu_share_how(void);
const char *cpu_share_how_name(enum cpu_share_how how);

/* What the vCPUs of a guest with so many get of its class: never every processor in real time. */
enum share_class cpu_share_vcpus(enum share_class share_class, unsigned vcpus, unsigned processors);

/* The calling thread is a seat's clock: it comes before what any class gives to guests, in real time where
 * that is permitted. Threads that it starts begin as everybody. 0 or -errno. */
int cpu_share_clock(void);

/* Gives a thread of this process its class. 0 or -errno; a thread that is gone is not an error. */
int cpu_share_apply(pid_t tid, enum cpu_role role, enum share_class share_class);

#endif
