/*
 * Resources that move while the guest runs: memory by the balloon and virtio-mem, processors by hot
 * plug. A number
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
#include "vmm/virtio_mem.h"

int machine_set_memory(struct machine *machine, uint64_t bytes)
{
	uint64_t size = memory_size(machine->memory);

	if (bytes == 0)
		return -EINVAL;
	if (bytes > MAX(size, machine->config->max_memory))
		return -ERANGE;
	if ((bytes < size && !machine->balloon) || (bytes > size && !machine->mem))
		return -EOPNOTSUPP;
	if (machine->balloon)
		balloon_set_target(machine->balloon, size - MIN(bytes, size));
	if (machine->mem)
		virtio_mem_request(machine->mem, bytes - MIN(bytes, size));
	return 0;
}

int machine_set_vcpus(struct machine *machine, unsigned n)
{
	return machine->cpu_hotplug ? cpu_hotplug_set(machine->cpu_hotplug, n) : -EOPNOTSUPP;
}

void machine_resources(struct machine *machine, struct link_stat *stat)
{
	struct balloon_figures figures = { 0 };
	struct virtio_mem_figures more = { 0 };

	if (machine->vcpus) {
		stat->vcpus = vcpus_count(machine->vcpus);
		stat->vcpus_max = vcpus_max(machine->vcpus);
	}
	if (!machine->memory)
		return;
	if (machine->balloon)
		balloon_figures(machine->balloon, &figures);
	if (machine->mem)
		virtio_mem_figures(machine->mem, &more);
	stat->memory_bytes = memory_size(machine->memory);
	stat->memory_max = MAX(stat->memory_bytes, machine->config->max_memory);
	stat->memory_host = memory_used(machine->memory);
	stat->memory_available = figures.available;
	stat->memory_target = stat->memory_bytes - figures.target + more.requested;
	stat->memory_actual = stat->memory_bytes - figures.actual + more.plugged;
}
