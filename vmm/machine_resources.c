/*
 * Resources that move while the guest runs: memory by the balloon, processors by hot plug. A number
 * that a person asks for is split into what each device is told.
 *
 * Thread: any; the devices take their own locks.
 */
#include <errno.h>

#include "display/link.h"
#include "vmm/cpu_hotplug.h"
#include "vmm/machine.h"
#include "vmm/vcpu.h"
#include "vmm/virtio_balloon.h"

int machine_set_memory(struct machine *machine, uint64_t bytes)
{
	uint64_t size = memory_size(machine->memory);

	if (bytes == 0)
		return -EINVAL;
	if (bytes > size)
		return -ERANGE;
	if (!machine->balloon)
		return -EOPNOTSUPP;
	balloon_set_target(machine->balloon, size - bytes);
	return 0;
}

int machine_set_vcpus(struct machine *machine, unsigned n)
{
	return machine->cpu_hotplug ? cpu_hotplug_set(machine->cpu_hotplug, n) : -EOPNOTSUPP;
}

void machine_resources(struct machine *machine, struct link_stat *stat)
{
	struct balloon_figures figures = { 0 };

	if (machine->vcpus) {
		stat->vcpus = vcpus_count(machine->vcpus);
		stat->vcpus_max = vcpus_max(machine->vcpus);
	}
	if (!machine->memory)
		return;
	if (machine->balloon)
		balloon_figures(machine->balloon, &figures);
	stat->memory_bytes = stat->memory_max = memory_size(machine->memory);
	stat->memory_host = memory_used(machine->memory);
	stat->memory_available = figures.available;
	stat->memory_target = stat->memory_bytes - figures.target;
	stat->memory_actual = stat->memory_bytes - figures.actual;
}
