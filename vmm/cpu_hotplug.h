/*
 * Processors that come and go while the guest runs: what the rest of the monitor asks of them.
 *
 * Thread: cpu_hotplug_set from one thread at a time, not a processor's; the rest from any.
 */
#ifndef IRORI_VMM_CPU_HOTPLUG_H
#define IRORI_VMM_CPU_HOTPLUG_H

#include <glib.h>

struct cpu_hotplug;

/* The guest shall have n processors. More are there at once, and the guest is told; of fewer it is
 * asked, and it lets them go when it likes, at its next reset at the latest. 0 or -errno. */
int cpu_hotplug_set(struct cpu_hotplug *hotplug, unsigned n);

/* The AML of n processors: \_SB.CPUS with a device for each, and the event's method. For tests. */
GByteArray *cpu_hotplug_aml(unsigned n);

#endif
