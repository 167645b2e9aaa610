/*
 * [Cd NAME]: a CD or DVD drive on an AHCI controller of its own (that of an ICH9), which firmware and
 * systems know without a driver being given. Registers are here, commands in ahci_command.c, the
 * drive in atapi.c. Source: Serial ATA AHCI 1.3, section 3.
 *
 * Thread: registers on processors' threads, commands on the I/O thread, reset on the main thread,
 * under one lock.
 */
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/ahci_internal.h"
#include "vmm/error.h"
#include "vmm/fw_cfg.h"
#include "vmm/machine.h"
#include "vmm/state.h"

enum ahci_registers {
	REG_CAP = 0x00,
	REG_GLOBAL = 0x04,
	REG_PENDING = 0x08,
	REG_PORTS = 0x0c,
	REG_VERSION = 0x10,
	REG_PORT = 0x100,
	REG_PORT_END = 0x180,
	AHCI_BAR = 5,
	AHCI_BAR_LEN = 0x1000,
};

enum ahci_port_registers {
	PX_LIST_LOW = 0x00,
	PX_LIST_HIGH = 0x04,
	PX_FIS_LOW = 0x08,
	PX_FIS_HIGH = 0x0c,
	PX_INTERRUPTS = 0x10,
	PX_ENABLED = 0x14,
	PX_COMMAND = 0x18,
	PX_TASK_FILE = 0x20,
	PX_SIGNATURE = 0x24,
	PX_LINK = 0x28,
	PX_CONTROL = 0x2c,
	PX_ERRORS = 0x30,
	PX_ACTIVE = 0x34,
	PX_ISSUED = 0x38,
};

enum ahci_bits {
	/* 64 bits, list override, 1.5 Gb/s, nothing but AHCI, 32 slots, one port */
	CAP_VALUE = (int)(0x80000000u | 1 << 24 | 1 << 20 | 1 << 18 | (AHCI_SLOTS - 1) << 8),
	GLOBAL_RESET = 1 << 0,
	GLOBAL_INTERRUPTS = 1 << 1,
	VERSION = 0x00010300,
	CMD_SPIN_UP = 1 << 1,
	CMD_POWER = 1 << 2,
	CMD_OVERRIDE = 1 << 3,
	CMD_STORED = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 4 | 1 << 24,
	CMD_FIXED = 1 << 1 | 1 << 2,
	CMD_SHOWN = 1 << 14, /* and 15: receiving, running, as bits 4 and 0 say */
	CONTROL_DETECT = 0xf,
	LINK_UP = 0x113,
	SIGNATURE = (int)0xeb140101,
	INTERRUPTS_ALL = (int)0xfdc000ff,
};

#define GLOBAL_AHCI (1u << 31)

struct cd_config {
	char *path;
	uint32_t boot_index;
};

static struct ahci *ahci_of(struct device *device)
{
	return (struct ahci *)((char *)device - offsetof(struct ahci, device));
}

/* ---- interrupts ---- */

void ahci_signal(struct ahci *ahci)
{
	uint32_t causes = ahci->port.interrupts & ahci->port.enabled;

	if (causes)
		ahci->pending |= 1;
	/* The controller's own bit beside the port's: when only it is left, that is nothing new. */
	if (!(ahci->global & GLOBAL_INTERRUPTS) || !(ahci->pending & 1))
		causes = 0;
	else
		causes |= 1u << 31;
	if (causes == ahci->signalled)
		return;
	pci_signal(&ahci->pci, ahci->signalled, causes);
	ahci->signalled = causes;
}

/* ---- registers ---- */

static void port_reset(struct ahci *ahci)
{
	ahci_forget(ahci);
	ahci->port.halted = ahci->port.resetting = 0;
	ahci->port.issued = 0;
	ahci->port.errors = 0;
	atapi_reset(&ahci->atapi);
	ahci_report(ahci);
}

static void controller_reset(struct ahci *ahci)
{
	memset(&ahci->port, 0, sizeof(ahci->port));
	ahci->port.command = CMD_FIXED;
	ahci->global = ahci->pending = 0;
	port_reset(ahci);
	ahci->port.interrupts = 0;
}

static void command_written(struct ahci *ahci, uint32_t value)
{
	struct ahci_port *port = &ahci->port;
	uint32_t before = port->command;

	port->command = (value & CMD_STORED) | CMD_FIXED | (before & AHCI_CMD_SLOT);
	if (before & AHCI_CMD_START && !(value & AHCI_CMD_START)) {
		ahci_forget(ahci);
		port->issued = 0;
		port->halted = 0;
		port->command &= ~(uint32_t)AHCI_CMD_SLOT;
	}
	if (value & CMD_OVERRIDE)
		port->status &= (uint8_t)~0x88; /* busy and data request */
	/* What it said after its reset could not be heard. */
	if (!(before & AHCI_CMD_RECEIVE) && value & AHCI_CMD_RECEIVE && !port->status)
		ahci_report(ahci);
	ahci_wake(ahci);
}

/* DET 1, then 0: the link is made anew. */
static void control_written(struct ahci *ahci, uint32_t value)
{
	uint32_t before = ahci->port.control & CONTROL_DETECT;

	ahci->port.control = value & 0xfff;
	if (before != 1 || (value & CONTROL_DETECT))
		return;
	port_reset(ahci);
	ahci->port.interrupts |= AHCI_PXI_CONNECT;
	ahci->port.errors |= 1 << 26;
}

static uint32_t port_read(const struct ahci *ahci, uint32_t offset)
{
	const struct ahci_port *port = &ahci->port;

	switch (offset) {
	case PX_LIST_LOW:
		return port->list_low;
	case PX_LIST_HIGH:
		return port->list_high;
	case PX_FIS_LOW:
		return port->fis_low;
	case PX_FIS_HIGH:
		return port->fis_high;
	case PX_INTERRUPTS:
		return port->interrupts;
	case PX_ENABLED:
		return port->enabled;
	case PX_COMMAND:
		return port->command | (port->command & AHCI_CMD_START) << 15 |
			(port->command & AHCI_CMD_RECEIVE) << 10;
	case PX_TASK_FILE:
		return port->status | (uint32_t)port->error << 8;
	case PX_SIGNATURE:
		return (uint32_t)SIGNATURE;
	case PX_LINK:
		return (port->control & CONTROL_DETECT) == 0 ? LINK_UP : 0;
	case PX_CONTROL:
		return port->control;
	case PX_ERRORS:
		return port->errors;
	case PX_ISSUED:
		return port->issued;
	default:
		return 0;
	}
}

static void port_write(struct ahci *ahci, uint32_t offset, uint32_t value)
{
	struct ahci_port *port = &ahci->port;

	switch (offset) {
	case PX_LIST_LOW:
		port->list_low = value;
		break;
	case PX_LIST_HIGH:
		port->list_high = value;
		break;
	case PX_FIS_LOW:
		port->fis_low = value;
		break;
	case PX_FIS_HIGH:
		port->fis_high = value;
		break;
	case PX_INTERRUPTS:
		port->interrupts &= ~value;
		break;
	case PX_ENABLED:
		port->enabled = value & (uint32_t)INTERRUPTS_ALL;
		break;
	case PX_COMMAND:
		command_written(ahci, value);
		break;
	case PX_CONTROL:
		control_written(ahci, value);
		break;
	case PX_ERRORS:
		port->errors &= ~value;
		break;
	case PX_ISSUED:
		if (port->command & AHCI_CMD_START)
			port->issued |= value;
		ahci_wake(ahci);
		break;
	default:
		break;
	}
}

static uint32_t register_read(const struct ahci *ahci, uint32_t offset)
{
	if (offset >= REG_PORT && offset < REG_PORT_END)
		return port_read(ahci, offset - REG_PORT);
	switch (offset) {
	case REG_CAP:
		return (uint32_t)CAP_VALUE;
	case REG_GLOBAL:
		return ahci->global | GLOBAL_AHCI;
	case REG_PENDING:
		return ahci->pending;
	case REG_PORTS:
		return 1;
	case REG_VERSION:
		return VERSION;
	default:
		return 0;
	}
}

static void register_write(struct ahci *ahci, uint32_t offset, uint32_t value)
{
	if (offset >= REG_PORT && offset < REG_PORT_END) {
		port_write(ahci, offset - REG_PORT, value);
	} else if (offset == REG_GLOBAL && value & GLOBAL_RESET) {
		controller_reset(ahci);
	} else if (offset == REG_GLOBAL) {
		ahci->global = value & GLOBAL_INTERRUPTS;
	} else if (offset == REG_PENDING) {
		ahci->pending &= ~value;
	}
}

/* Doublewords; of others the specification says nothing, and drivers do not use them to write. */
static uint64_t ahci_read(void *owner, uint64_t offset, unsigned size)
{
	struct ahci *ahci = owner;
	uint64_t value;

	g_mutex_lock(&ahci->lock);
	value = register_read(ahci, (uint32_t)offset & ~3u);
	if ((offset & 3) + size > 4)
		value |= (uint64_t)register_read(ahci, ((uint32_t)offset & ~3u) + 4) << 32;
	g_mutex_unlock(&ahci->lock);
	return value >> 8 * (offset & 3);
}

static void ahci_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct ahci *ahci = owner;

	if (offset & 3 || size < 4)
		return;
	g_mutex_lock(&ahci->lock);
	register_write(ahci, (uint32_t)offset, (uint32_t)value);
	if (size == 8)
		register_write(ahci, (uint32_t)offset + 4, (uint32_t)(value >> 32));
	ahci_signal(ahci);
	g_mutex_unlock(&ahci->lock);
}

static const struct region_ops bar_ops = {
	.read = ahci_read,
	.write = ahci_write,
};

/* ---- the I/O thread ---- */

void ahci_wake(struct ahci *ahci)
{
	g_source_set_ready_time(ahci->source, 0);
}

static gboolean ahci_turn(GSource *source, GSourceFunc callback, gpointer data)
{
	struct ahci *ahci = data;

	g_mutex_lock(&ahci->lock);
	g_source_set_ready_time(source, -1);
	ahci_run(ahci);
	ahci_signal(ahci);
	g_mutex_unlock(&ahci->lock);
	return G_SOURCE_CONTINUE;
}

static void ahci_ready(void *data)
{
	struct ahci *ahci = data;

	g_mutex_lock(&ahci->lock);
	disk_reap(ahci->disk, false);
	ahci_run(ahci);
	ahci_signal(ahci);
	g_mutex_unlock(&ahci->lock);
}

/* Under the bus's lock: what was issued while the function was no bus master. */
static void master_written(struct pci_device *device)
{
	ahci_wake((struct ahci *)((char *)device - offsetof(struct ahci, pci)));
}

/* ---- the device ---- */

static void cd_reset(struct device *device)
{
	struct ahci *ahci = ahci_of(device);

	g_mutex_lock(&ahci->lock);
	if (ahci->disk)
		disk_cancel(ahci->disk);
	controller_reset(ahci);
	ahci_signal(ahci);
	g_mutex_unlock(&ahci->lock);
}

static void cd_drain(struct device *device)
{
	struct ahci *ahci = ahci_of(device);

	g_mutex_lock(&ahci->lock);
	while (ahci->disk && ahci->transfer.active) {
		disk_reap(ahci->disk, true);
		if (ahci->transfer.under_way)
			break; /* kept until the host's disk answers again */
		ahci_run(ahci);
	}
	ahci_signal(ahci);
	g_mutex_unlock(&ahci->lock);
}

static void port_state(struct ahci_port *port, struct state *state)
{
	STATE(state, port->list_low);
	STATE(state, port->list_high);
	STATE(state, port->fis_low);
	STATE(state, port->fis_high);
	STATE(state, port->interrupts);
	STATE(state, port->enabled);
	STATE(state, port->command);
	STATE(state, port->control);
	STATE(state, port->errors);
	STATE(state, port->issued);
	STATE(state, port->status);
	STATE(state, port->error);
	STATE(state, port->halted);
	STATE(state, port->resetting);
}

static void atapi_state(struct atapi *atapi, struct state *state)
{
	uint32_t blocks = atapi->blocks;

	STATE(state, blocks);
	STATE(state, atapi->open);
	STATE(state, atapi->locked);
	STATE(state, atapi->attention);
	STATE(state, atapi->event);
	STATE(state, atapi->key);
	STATE(state, atapi->asc);
	STATE(state, atapi->ascq);
	atapi->open = !!atapi->open;
	/* Another disc than the guest knew: it is told. */
	if (state_loading(state) && blocks != atapi->blocks)
		atapi_change(atapi, atapi->blocks);
}

static void cd_state(struct device *device, struct state *state)
{
	struct ahci *ahci = ahci_of(device);

	pci_state(&ahci->pci, state);
	g_mutex_lock(&ahci->lock);
	STATE(state, ahci->global);
	STATE(state, ahci->pending);
	port_state(&ahci->port, state);
	atapi_state(&ahci->atapi, state);
	if (state_loading(state)) {
		ahci->global &= GLOBAL_INTERRUPTS;
		ahci->pending &= 1;
		ahci->port.command = (ahci->port.command & (CMD_STORED | AHCI_CMD_SLOT)) | CMD_FIXED;
		ahci->port.enabled &= (uint32_t)INTERRUPTS_ALL;
		ahci->signalled = 0;
		ahci_signal(ahci);
		ahci_wake(ahci);
	}
	g_mutex_unlock(&ahci->lock);
}

static void cd_destroy(struct device *device)
{
	struct ahci *ahci = ahci_of(device);

	pci_detach(&ahci->pci);
	g_source_destroy(ahci->source);
	g_source_unref(ahci->source);
	if (ahci->disk)
		disk_cancel(ahci->disk);
	disk_close(ahci->disk);
	g_mutex_clear(&ahci->lock);
	g_free(ahci);
}

static void cd_function(struct ahci *ahci)
{
	static const struct pci_id id = {
		.vendor = 0x8086,
		.device = 0x2922,
		.subsystem_vendor = 0x8086,
		.subsystem = 0x2922,
		.class_code = 0x01,
		.subclass = 0x06,
		.interface = 0x01,
		.revision = 2,
	};
	static const struct pci_device_ops ops = { .command_written = master_written };

	pci_init(&ahci->pci, "ahci", &id, &ops);
	pci_add_bar(&ahci->pci, AHCI_BAR, AHCI_BAR_LEN, &bar_ops, ahci, "ahci");
	pci_add_msi(&ahci->pci);
	pci_add_intx(&ahci->pci);
}

/* ECMA-119, 8.4: the primary volume descriptor, in block 16, says how many blocks there are. A disc
 * may have no such file system, and a drive plays what there is: nothing but a warning. */
static void cd_warn(const char *path, uint64_t size)
{
	enum { DESCRIPTOR = 16 * ATAPI_BLOCK, LEN = 84, BLOCKS = 80 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint8_t head[LEN];
	uint32_t blocks;

	if (fd >= 0 && pread(fd, head, LEN, DESCRIPTOR) == LEN && !memcmp(head, "\1CD001", 6)) {
		memcpy(&blocks, head + BLOCKS, sizeof(blocks));
		if (size < (uint64_t)GUINT32_FROM_LE(blocks) * ATAPI_BLOCK)
			g_warning("%s: the disc says that it has %" G_GUINT64_FORMAT " bytes, the file "
				"has %" G_GUINT64_FORMAT ": is it cut short?", path,
				(uint64_t)GUINT32_FROM_LE(blocks) * ATAPI_BLOCK, size);
	}
	if (fd >= 0)
		close(fd);
}

static bool cd_fits(const char *path, uint64_t size, GError **error)
{
	if (size < ATAPI_BLOCK || size / ATAPI_BLOCK > UINT32_MAX)
		return fail_as(error, EX_DATAERR, "%s: is no CD image: %" G_GUINT64_FORMAT " bytes",
			path, size);
	cd_warn(path, size);
	return true;
}

static struct disk_config cd_file(const struct cd_config *config)
{
	return (struct disk_config){ .path = config->path, .read_only = true,
		.format = DISK_FORMAT_RAW };
}

static bool cd_check(const struct guest_config *guest, const char *instance, const void *config,
	GError **error)
{
	const struct disk_config file = cd_file(config);
	uint64_t size;

	return !file.path || (disk_check(instance, &file, &size, error) && cd_fits(file.path, size, error));
}

static bool cd_insert(struct ahci *ahci, struct machine *machine, const char *instance,
	const struct cd_config *config, GError **error)
{
	const struct disk_config file = cd_file(config);

	if (!config->path)
		return true;
	ahci->disk = disk_open(machine, instance, &file, error);
	if (!ahci->disk || !cd_fits(config->path, disk_size(ahci->disk), error))
		return false;
	disk_watch(ahci->disk, machine->io_context, ahci_ready, ahci);
	atapi_change(&ahci->atapi, (uint32_t)(disk_size(ahci->disk) / ATAPI_BLOCK));
	return true;
}

static const struct device_type cd_type;

static struct device *cd_create(struct machine *machine, const char *instance, const void *config,
	GError **error)
{
	static GSourceFuncs funcs = { .dispatch = ahci_turn };
	const struct cd_config *cd = config;
	struct ahci *ahci = g_new0(struct ahci, 1);

	ahci->device = (struct device){ .type = &cd_type, .instance = instance, .reset = cd_reset,
		.drain = cd_drain, .state = cd_state, .destroy = cd_destroy };
	g_mutex_init(&ahci->lock);
	ahci->memory = machine->memory;
	ahci->source = g_source_new(&funcs, sizeof(GSource));
	g_source_set_callback(ahci->source, NULL, ahci, NULL);
	g_source_attach(ahci->source, machine->io_context);
	disk_text(ahci->serial, instance, sizeof(ahci->serial));
	disk_text(ahci->model, "Irori DVD-ROM", sizeof(ahci->model));
	cd_function(ahci);
	if (!cd_insert(ahci, machine, instance, cd, error)) {
		cd_destroy(&ahci->device);
		return NULL;
	}
	controller_reset(ahci);
	if (pci_attach(machine->pci, &ahci->pci, -1) < 0) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "ahci: no PCI slot is free");
		cd_destroy(&ahci->device);
		return NULL;
	}
	if (cd->boot_index)
		fw_cfg_add_boot(machine, cd->boot_index, &ahci->pci, "pci8086,2922",
			"drive@0/disk@0");
	return &ahci->device;
}

static const struct property cd_properties[] = {
	{ .key = "Path", .type = PROPERTY_PATH, .offset = offsetof(struct cd_config, path),
		.help = "an ISO image; without one the drive is empty", .exists = true },
	{ .key = "BootIndex", .type = PROPERTY_UINT, .fallback = "0", .max = 1000,
		.offset = offsetof(struct cd_config, boot_index),
		.help = "its place in the order that the firmware boots from; 0: none" },
	{ 0 },
};

static const struct device_type cd_type = {
	.section = "Cd",
	.help = "a CD or DVD drive (SATA)",
	.properties = cd_properties,
	.config_size = sizeof(struct cd_config),
	.create = cd_create,
	.check = cd_check,
};
DEVICE_REGISTER(cd_type);
