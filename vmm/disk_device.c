/*
 * [Disk NAME]: what a person can say of a disk, and which device shows it to the guest.
 */
#include <stddef.h>

#include "vmm/disk.h"
#include "vmm/machine.h"

static const char *const disk_formats[] = {"auto", "raw", "qcow2", NULL};
static const char *const disk_buses[] = {"virtio", "nvme", NULL};
static const char *const disk_engines[] = {"auto", "sync", NULL};
static const char *const disk_policies[] = {"report", "pause", NULL};

#define OFFSET(field) offsetof(struct disk_config, field)

static const struct property disk_properties[] = {
	{"Path", PROPERTY_PATH, OFFSET(path), NULL, "a raw or qcow2 image, or a block device",
		.exists = true},
	{"Url", PROPERTY_STRING, OFFSET(url), NULL,
		"instead of Path: an NBD server, nbd+unix:///EXPORT?socket=PATH", .required = false},
	{"Format", PROPERTY_ENUM, OFFSET(format), "auto",
		"auto: qcow2 if both its name (.qcow2) and its content say so, else raw",
		.values = disk_formats},
	{"Bus", PROPERTY_ENUM, OFFSET(bus), "virtio", "virtio, or nvme for guests without its driver",
		.values = disk_buses},
	{"ReadOnly", PROPERTY_BOOL, OFFSET(read_only), "no",
		"the guest cannot write to it; several guests may share it", .required = false},
	{"Ephemeral", PROPERTY_BOOL, OFFSET(ephemeral), "no",
		"what the guest writes is thrown away when it is reset or off; several guests may "
		"share the disk", .required = false},
	{"EphemeralMax", PROPERTY_SIZE, OFFSET(ephemeral_max), "16G",
		"how much of that there may be, at most", .min = 1 << 20, .max = 1ull << 50},
	{"EphemeralFolder", PROPERTY_PATH, OFFSET(scratch), NULL,
		"where it is kept meanwhile, in a file without a name (default: /var/tmp)",
		.exists = true},
	{"BootIndex", PROPERTY_UINT, OFFSET(boot_index), "0",
		"its place in the order that the firmware boots from; 0: none", .max = 1000},
	{"Serial", PROPERTY_STRING, OFFSET(serial), NULL,
		"serial number, up to 20 characters (default: the disk's name)",
		.required = false},
	{"Model", PROPERTY_STRING, OFFSET(model), NULL, "model, up to 40 characters (nvme)",
		.required = false},
	{"OnError", PROPERTY_ENUM, OFFSET(pause_on_error), "report",
		"an I/O error of the host: the guest's driver hears of it, or the guest is paused "
		"until it is over, as it always is when the host's disk is full",
		.values = disk_policies},
	{"Engine", PROPERTY_ENUM, OFFSET(engine), "auto",
		"auto: io_uring if the host lets us; sync: never", .values = disk_engines},
	{0},
};

static struct device *disk_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	const struct disk_config *disk = config;

	return disk->bus == DISK_BUS_NVME ? nvme_new(machine, instance, disk, error) :
		virtio_blk_new(machine, instance, disk, error);
}

static bool disk_is_good(const struct guest_config *guest, const char *instance,
	const void *config, GError **error)
{
	uint64_t size;

	return disk_check(instance, config, &size, error);
}

static const struct device_type disk_type = {
	.section = "Disk",
	.help = "a disk (virtio-blk or NVMe)",
	.properties = disk_properties,
	.config_size = sizeof(struct disk_config),
	.create = disk_create,
	.check = disk_is_good,
};

DEVICE_REGISTER(disk_type);
