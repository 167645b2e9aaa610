/*
 * How much of the host's processors a guest wants: what its threads ran and what they waited for their
 * turn. It tells one that still boots from one that has: POLICY_BUSY and POLICY_QUIET of policy.h.
 *
 * Thread: one at a time.
 */
#ifndef IRORI_GPU_SHARE_APPETITE_H
#define IRORI_GPU_SHARE_APPETITE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct appetite {
	int64_t wanted_ns, looked_ns; /* at the last look; looked_ns 0: there was none */
	bool busy;
};

/* Looks at the process; `vcpus`: its virtual processors. True: busy is news. From the second look on. */
bool appetite_look(struct appetite *appetite, pid_t pid, unsigned vcpus, int64_t now_ns);
/* The pure part: it wanted so much by now. */
bool appetite_judge(struct appetite *appetite, int64_t wanted_ns, unsigned vcpus, int64_t now_ns);

#endif
