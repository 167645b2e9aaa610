/*
 * The machine on one page: what a guest is made of, in the order in which it is made.
 *
 *	0x000000000  RAM, up to 2 GiB; for direct boot the boot structures (boot.h) and the ACPI
 *	             tables are in the first MiB
 *	0x0c0000000  where direct boot puts BARs; a firmware uses what it likes from 2 GiB on
 *	0x0e0000000  PCI Express configuration space (ECAM) of bus 0, until a firmware moves it
 *	0x0fec00000  I/O APIC, 0x0fee00000 local APIC (in the kernel)
 *	0x0feffc000  four pages of KVM's own
 *	0x0ff000000  firmware's flash, up to 4 GiB
 *	0x100000000  the rest of the RAM; above it the room for memory that is plugged in, and 64-bit
 *	             BARs
 *
 * Ports: 0x70 clock (rtc_device.c); 0x3f8 COM1; 0x60, 0x64 keyboard and mouse (i8042_device.c);
 * 0x510 fw_cfg; 0x600 power management (pm.c); 0xcf8, 0xcfc PCI; 0x92, 0xcf9 reset (reset.c). PIC,
 * PIT and port 0x61 are in the kernel. Slot 31 is the chipset (lpc.c). Every other device is a PCI
 * function that a configuration section names.
 */
#define G_LOG_DOMAIN "irori-machine"

#include "vmm/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "display/link_server.h"
#include "gpu-share/policy.h"
#include "vmm/acpi.h"
#include "vmm/boot.h"
#include "vmm/control.h"
#include "vmm/error.h"
#include "vmm/firmware.h"
#include "vmm/fw_cfg.h"
#include "vmm/kvm.h"
#include "vmm/machine_config.h"
#include "vmm/pm.h"
#include "vmm/property.h"
#include "vmm/save.h"
#include "vmm/state.h"
#include "vmm/stats.h"
#include "vmm/vcpu.h"
#include "vmm/virtio_gpu.h"
#include "vmm/virtio_mem.h"
#include "vmm/worker.h"

/* What nobody else needs to see of a machine. */
struct machine_parts {
	struct machine machine; /* first */
	struct guest_config config;
	const struct config_file *file;
	struct worker *seat, *io, *net;
	struct boot_files files;
	GPtrArray *devices; /* struct device *, in order of creation */
	GPtrArray *configs; /* their configurations: struct device_config * */
};

struct device_config {
	const struct device_type *type;
	void *values;
};

int64_t machine_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static bool make_memory(struct machine *machine, GError **error)
{
	const struct memory_part *part;

	machine->memory = memory_new_with_room(machine->config->memory,
		virtio_mem_room(machine->config), error);
	if (!machine->memory)
		return false;
	for (unsigned i = 0; (part = memory_mapping(machine->memory, i)); i++) {
		int rc = kvm_add_memory(machine->kvm, i, part->gpa, part->len, part->host);

		if (rc)
			return fail_as(error, EX_UNAVAILABLE, "/dev/kvm: memory of the guest: %s", g_strerror(-rc));
	}
	return true;
}

static bool make_buses(struct machine *machine, GError **error)
{
	int rc;

	machine->pio = bus_new("port");
	machine->mmio = bus_new("memory");
	machine->pci = pci_bus_new(machine->mmio, machine->pio, kvm_msi_sink(machine->kvm));
	machine->acpi = acpi_new();
	rc = pci_bus_map(machine->pci, MACHINE_ECAM_BASE);
	if (!rc && machine->config->firmware)
		machine->fw_cfg = fw_cfg_new(machine);
	return !rc || fail_as(error, EX_OSERR, "PCI: %s", g_strerror(-rc));
}

/* Processors by way of the threads' classes, pixel copying by way of the screen's. */
static int share_set(struct machine *machine, uint32_t share_class)
{
	const GPtrArray *devices = ((struct machine_parts *)machine)->devices;

	if (share_class >= SHARE_CLASSES)
		return -EINVAL;
	for (unsigned i = 0; i < devices->len; i++)
		virtio_gpu_set_class(devices->pdata[i], share_class);
	return stats_share(machine->stats, share_class);
}

/* What seats ask over the link: on the seat thread. */
static int link_request(void *data, enum link_verb verb, uint32_t argument)
{
	struct machine *machine = data;
	static const enum machine_request requests[] = {
		[LINK_VERB_RESET] = MACHINE_RESET,
		[LINK_VERB_POWEROFF] = MACHINE_POWEROFF,
		[LINK_VERB_PAUSE] = MACHINE_PAUSE,
		[LINK_VERB_RESUME] = MACHINE_RESUME,
	};

	if (verb == LINK_VERB_CLASS)
		return share_set(machine, argument);
	if (verb == LINK_VERB_MEMORY)
		return machine_set_memory(machine, (uint64_t)argument << 20);
	if (verb == LINK_VERB_VCPUS)
		return machine_set_vcpus(machine, argument);
	if (verb == LINK_VERB_SHUTDOWN)
		return pm_power_button(machine) ? 0 : -EOPNOTSUPP;
	if (verb < LINK_VERB_RESET || verb > LINK_VERB_RESUME)
		return -EINVAL;
	machine_request(machine, requests[verb], "asked over the seat link");
	return 0;
}

static int link_save(void *data, int fd)
{
	return machine_save(data, fd);
}

static void link_class_over(void *data)
{
	struct machine *machine = data;

	share_set(machine, machine->config->share_class);
}

static void link_stat(void *data, struct link_stat *stat)
{
	stats_fill(data, stat);
}

static bool make_seats(struct machine *machine, GError **error)
{
	static const struct link_server_owner owner = {
		.request = link_request,
		.save = link_save,
		.class_over = link_class_over,
		.stat = link_stat,
	};
	const struct guest_config *guest = machine->config;
	g_autofree char *path = guest->socket ? g_strdup(guest->socket) :
		g_strdup_printf("%s/irori/%s.sock", g_get_user_runtime_dir(), guest->name);
	const struct link_server_config config = {
		.path = path,
		.name = guest->name,
		.owner = &owner,
		.owner_data = machine,
		.now = machine->now,
	};

	machine->link = link_server_new(machine->seat_context, &config, error);
	if (!machine->link)
		return false;
	link_server_set_events(machine->link, &machine_seat_port_events, machine);
	machine->port = link_server_port(machine->link);
	return true;
}

static bool make_device(struct machine_parts *parts, const struct device_type *type,
	const char *section, const char *instance, GError **error)
{
	struct device_config *config = g_new0(struct device_config, 1);
	struct device *device;

	config->type = type;
	config->values = g_malloc0(MAX(type->config_size, 1));
	g_ptr_array_add(parts->configs, config);
	if (!property_parse(type->properties, section ? parts->file : NULL, section, config->values,
		    error))
		return false;
	device = type->create(&parts->machine, instance, config->values, error);
	if (!device)
		return fail(error, "[%s] could not be made", type->section);
	device->type = type;
	device->instance = instance;
	g_ptr_array_add(parts->devices, device);
	return true;
}

static bool make_section(void *data, const struct device_type *type, const char *section,
	const char *instance, GError **error)
{
	return make_device(data, type, section, instance, error);
}

static bool make_sections(struct machine_parts *parts, const struct device_type *type, GError **error)
{
	return machine_sections(parts->file, type, make_section, parts, error);
}

static bool make_devices(struct machine_parts *parts, GError **error)
{
	for (const struct device_type *const *t = __start_irori_devices; t < __stop_irori_devices; t++)
		if (!make_sections(parts, *t, error))
			return false;
	return true;
}

static bool make_vcpus(struct machine *machine, GError **error)
{
	int rc = machine->config->windows ? kvm_use_hyperv(machine->kvm) : 0;

	if (rc)
		g_warning("[Guest] Windows=yes: this kernel is not to look like Hyper-V: %s",
			g_strerror(-rc));
	machine->vcpus = vcpus_new(machine, machine->config->vcpus, machine->config->max_vcpus,
		error);
	return machine->vcpus;
}

static bool make_all(struct machine_parts *parts, int64_t started_ns, GError **error)
{
	struct machine *machine = &parts->machine;

	if (!machine_sections_known(parts->file, error) ||
		!machine_guest_load(parts->file, &parts->config, error) ||
		!machine_source_open(&parts->files.kernel, parts->config.kernel, error) ||
		!machine_source_open(&parts->files.initrd, parts->config.initrd, error))
		return false;
	parts->files.command_line = parts->config.command_line;
	machine->config = &parts->config;
	machine->now = machine_clock;
	machine->stats = stats_new(started_ns);
	stats_share(machine->stats, (enum share_class)parts->config.share_class);
	stats_thread(machine->stats, LINK_THREAD_MAIN);
	machine->main_context = g_main_context_ref(g_main_context_default());
	parts->seat = worker_new("seat", LINK_THREAD_SEAT, machine->stats);
	parts->io = worker_new("io", LINK_THREAD_IO, machine->stats);
	machine->seat_context = worker_context(parts->seat);
	machine->io_context = worker_context(parts->io);
	parts->net = worker_new("net", LINK_THREAD_IO, machine->stats);
	machine->net_context = worker_context(parts->net);
	machine->control = control_new(machine);

	machine->kvm = kvm_new(error);
	if (!machine->kvm || !make_memory(machine, error) ||
		!kvm_create_chips(machine->kvm, error) || !make_buses(machine, error) ||
		!make_seats(machine, error) || !make_devices(parts, error))
		return false;
	return make_vcpus(machine, error) && machine_boot(machine, error);
}

struct machine *machine_new(const struct config_file *file, int64_t started_ns, GError **error)
{
	struct machine_parts *parts = g_new0(struct machine_parts, 1);

	parts->file = file;
	parts->files.kernel.fd = parts->files.initrd.fd = -1;
	parts->devices = g_ptr_array_new();
	parts->configs = g_ptr_array_new();
	if (make_all(parts, started_ns, error))
		return &parts->machine;
	machine_free(&parts->machine);
	return NULL;
}

void machine_reset_devices(struct machine *machine)
{
	struct machine_parts *parts = (struct machine_parts *)machine;

	for (unsigned i = 0; i < parts->devices->len; i++) {
		struct device *device = parts->devices->pdata[i];

		if (device->reset)
			device->reset(device);
	}
}

void machine_hold(struct machine *machine)
{
	struct machine_parts *parts = (struct machine_parts *)machine;

	worker_hold(parts->seat);
	worker_hold(parts->io);
	worker_hold(parts->net);
	for (unsigned i = 0; i < parts->devices->len; i++) {
		struct device *device = parts->devices->pdata[i];

		if (device->drain)
			device->drain(device);
	}
}

void machine_release(struct machine *machine)
{
	struct machine_parts *parts = (struct machine_parts *)machine;

	worker_release(parts->seat);
	worker_release(parts->io);
	worker_release(parts->net);
}

void machine_state(struct machine *machine, struct state *state, int64_t slept_ns)
{
	struct machine_parts *parts = (struct machine_parts *)machine;

	kvm_state(machine->kvm, state, slept_ns);
	vcpus_state(machine->vcpus, state, slept_ns);
	memory_state(machine->memory, state);
	state_section(state, "PCI");
	pci_bus_state(machine->pci, state);
	for (unsigned i = 0; i < parts->devices->len && !state_failed(state); i++) {
		struct device *device = parts->devices->pdata[i];
		g_autofree char *section = g_strdup_printf("%s%s%s", device->type->section,
			*device->instance ? " " : "", device->instance);

		state_section(state, section);
		if (device->state)
			device->state(device, state);
	}
}

bool machine_save_to(struct machine *machine, int fd, GError **error)
{
	return save_write(machine, ((struct machine_parts *)machine)->file, fd, error);
}

/* The kernel into memory, PCI as it expects it, and tables. */
static bool boot_direct(struct machine *machine, struct boot_entry *entry, GError **error)
{
	struct machine_parts *parts = (struct machine_parts *)machine;

	pci_bus_renew(machine->pci, MACHINE_PCI_BASE, MACHINE_PCI_LEN);
	parts->files.rsdp = acpi_build(machine, vcpus_count(machine->vcpus));
	if (boot_load(machine->memory, &parts->files, entry, error))
		return true;
	g_prefix_error(error, "%s: ", parts->config.kernel);
	return false;
}

/* PCI is the firmware's to set up. */
static bool boot_firmware(struct machine *machine, struct boot_entry *entry, GError **error)
{
	pci_bus_reset(machine->pci);
	acpi_publish(machine, vcpus_count(machine->vcpus));
	return firmware_boot(machine, entry, error);
}

bool machine_boot(struct machine *machine, GError **error)
{
	struct boot_entry entry;
	int rc;

	if (!(machine->fw_cfg ? boot_firmware : boot_direct)(machine, &entry, error))
		return false;
	rc = vcpus_reset(machine->vcpus, &entry);
	return !rc || fail_as(error, EX_UNAVAILABLE, "/dev/kvm: registers: %s", g_strerror(-rc));
}

int machine_run(struct machine *machine)
{
	struct machine_parts *parts = (struct machine_parts *)machine;

	worker_start(parts->seat);
	worker_start(parts->io);
	worker_start(parts->net);
	return control_run(machine->control);
}

static void machine_free_devices(struct machine_parts *parts)
{
	for (unsigned i = parts->devices->len; i-- > 0;) {
		struct device *device = parts->devices->pdata[i];

		if (device->destroy)
			device->destroy(device);
	}
	for (unsigned i = 0; i < parts->configs->len; i++) {
		struct device_config *config = parts->configs->pdata[i];

		property_clear(config->type->properties, config->values);
		g_free(config->values);
		g_free(config);
	}
	g_ptr_array_unref(parts->devices);
	g_ptr_array_unref(parts->configs);
}

/* Against the order of make_all; threads first, so that nobody uses what goes: the seat thread
 * stops processors and counts their exits, these are stopped and ask for nothing. */
void machine_free(struct machine *machine)
{
	struct machine_parts *parts = (struct machine_parts *)machine;

	if (parts->seat)
		worker_stop(parts->seat);
	if (parts->io)
		worker_stop(parts->io);
	if (parts->net)
		worker_stop(parts->net);
	vcpus_free(machine->vcpus);
	machine_free_devices(parts);
	link_server_free(machine->link);
	fw_cfg_free(machine->fw_cfg);
	acpi_free(machine->acpi);
	pci_bus_free(machine->pci);
	bus_free(machine->mmio);
	bus_free(machine->pio);
	kvm_free(machine->kvm);
	memory_free(machine->memory);
	control_free(machine->control);
	worker_free(parts->seat);
	worker_free(parts->io);
	worker_free(parts->net);
	if (machine->main_context)
		g_main_context_unref(machine->main_context);
	stats_free(machine->stats);
	if (parts->files.kernel.fd >= 0)
		close(parts->files.kernel.fd);
	if (parts->files.initrd.fd >= 0)
		close(parts->files.initrd.fd);
	property_clear(machine_guest_properties, &parts->config);
	g_free(parts);
}
