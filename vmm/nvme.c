/*
 * An NVMe controller with one namespace: registers, doorbells, and its life. What drivers know it by
 * is its class; Windows, SeaBIOS and OVMF have a driver for it without being given one. NVM Express
 * 1.4, section 3.
 *
 * A driver that does not know doorbell buffers leaves the guest for every doorbell; the value is
 * stored and the I/O thread woken, nothing else happens on the processor's thread. With doorbell
 * buffers (Linux) the kernel takes what is left of them.
 *
 * Thread: registers on vCPU threads, queues on the I/O thread, reset also on the main thread.
 */
#define G_LOG_DOMAIN "nvme"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/fw_cfg.h"
#include "vmm/nvme_internal.h"
#include "vmm/state.h"

enum nvme_registers {
	NVME_CAP = 0x00,
	NVME_VS = 0x08,
	NVME_INTMS = 0x0c,
	NVME_INTMC = 0x10,
	NVME_CC = 0x14,
	NVME_CSTS = 0x1c,
	NVME_AQA = 0x24,
	NVME_ASQ = 0x28,
	NVME_ACQ = 0x30,
	NVME_REGISTERS_END = 0x38,
	NVME_DOORBELLS = 0x1000,
	NVME_MSIX = 0x2000,
	NVME_BAR_LEN = 0x4000,
};

enum nvme_bits {
	NVME_CC_EN = 1,
	NVME_CC_CSS_MPS = 0x7f0, /* command set, page size: 0 is what there is */
	NVME_CC_SHN = 0xc000,
	NVME_CC_WRITABLE = 0x00fffff1,
	NVME_CSTS_RDY = 1,
	NVME_CSTS_FATAL = 2,
	NVME_CSTS_SHUTTING = 1 << 2,
	NVME_CSTS_SHUT = 2 << 2,
	NVME_CSTS_SHST = 3 << 2,
};

/* Entries, contiguous queues, 10 s to get ready, the NVM command set, pages of 4 KiB. */
static const uint64_t nvme_cap =
	(NVME_ENTRIES_MAX - 1) | 1ull << 16 | 20ull << 24 | 1ull << 37;

void nvme_kernel_kicks(struct nvme *nvme, bool on)
{
	for (unsigned id = 1; id < NVME_QUEUES; id++) {
		uint64_t gpa = nvme->base + NVME_DOORBELLS + 8 * id;
		int result;

		if (on == nvme->kernel_kicks[id] || (on && (!nvme->sq[id].size || !nvme->base)))
			continue;
		result = machine_ioeventfd(nvme->machine, gpa, 4, nvme->kick_fd, on);
		nvme->kernel_kicks[id] = on && result == 0;
	}
}

static void nvme_enable(struct nvme *nvme)
{
	unsigned sq = (nvme->aqa & 0xfff) + 1, cq = (nvme->aqa >> 16 & 0xfff) + 1;

	if ((nvme->cc & NVME_CC_CSS_MPS) || sq < 2 || cq < 2 ||
		!nvme_cq_open(nvme, 0, nvme->acq, cq) || !nvme_sq_open(nvme, 0, nvme->asq, sq, 0)) {
		nvme_queues_reset(nvme);
		nvme_complain(nvme, "switched on with queues or pages that it cannot have");
		nvme->csts = NVME_CSTS_FATAL;
		return;
	}
	nvme->csts = NVME_CSTS_RDY;
}

static void nvme_disable(struct nvme *nvme)
{
	nvme_queues_reset(nvme);
	nvme_features_reset(nvme);
	nvme->csts = 0;
	nvme->masked = 0;
}

static void nvme_shut(struct disk_io *io, int result)
{
	struct nvme *nvme = (struct nvme *)((char *)io - offsetof(struct nvme, shutdown));

	nvme->shutting_down = false;
	if (!nvme->resetting)
		nvme->csts = (nvme->csts & ~NVME_CSTS_SHST) | NVME_CSTS_SHUT;
}

/* The driver says good-bye: what it has written is to be on the medium. */
static void nvme_shut_down(struct nvme *nvme)
{
	if (nvme->shutting_down)
		return;
	nvme->shutting_down = true;
	nvme->csts = (nvme->csts & ~NVME_CSTS_SHST) | NVME_CSTS_SHUTTING;
	nvme->shutdown = (struct disk_io){.operation = DISK_FLUSH, .done = nvme_shut};
	disk_queue(nvme->disk, &nvme->shutdown);
	disk_submit(nvme->disk);
}

static void nvme_write_cc(struct nvme *nvme, uint32_t value)
{
	uint32_t before = nvme->cc;

	nvme->cc = value & NVME_CC_WRITABLE;
	if (!(before & NVME_CC_EN) && (value & NVME_CC_EN))
		nvme_enable(nvme);
	else if ((before & NVME_CC_EN) && !(value & NVME_CC_EN))
		nvme_disable(nvme);
	if (!(before & NVME_CC_SHN) && (value & NVME_CC_SHN))
		nvme_shut_down(nvme);
	else if (!(value & NVME_CC_SHN) && !nvme->shutting_down)
		nvme->csts &= ~(uint32_t)NVME_CSTS_SHST;
}

static uint32_t register_read(struct nvme *nvme, uint64_t offset)
{
	switch (offset) {
	case NVME_CAP:
		return (uint32_t)nvme_cap;
	case NVME_CAP + 4:
		return (uint32_t)(nvme_cap >> 32);
	case NVME_VS:
		return 0x00010400;
	case NVME_INTMS:
	case NVME_INTMC:
		return nvme->masked;
	case NVME_CC:
		return nvme->cc;
	case NVME_CSTS:
		return nvme->csts;
	case NVME_AQA:
		return nvme->aqa;
	case NVME_ASQ:
		return (uint32_t)nvme->asq;
	case NVME_ASQ + 4:
		return (uint32_t)(nvme->asq >> 32);
	case NVME_ACQ:
		return (uint32_t)nvme->acq;
	case NVME_ACQ + 4:
		return (uint32_t)(nvme->acq >> 32);
	default:
		return 0;
	}
}

static void set_half(uint64_t *field, unsigned shift, uint32_t value)
{
	*field = (*field & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)value << shift;
	*field &= ~(uint64_t)(NVME_PAGE - 1);
}

static void register_write(struct nvme *nvme, uint64_t offset, uint32_t value)
{
	bool off = !(nvme->cc & NVME_CC_EN); /* the admin queue's place is fixed while it is on */

	switch (offset) {
	case NVME_INTMS:
	case NVME_INTMC:
		nvme->masked = offset == NVME_INTMS ? nvme->masked | value : nvme->masked & ~value;
		nvme_pin(nvme);
		break;
	case NVME_CC:
		nvme_write_cc(nvme, value);
		break;
	case NVME_AQA:
		if (off)
			nvme->aqa = value & 0x0fff0fff;
		break;
	case NVME_ASQ:
	case NVME_ASQ + 4:
		if (off)
			set_half(&nvme->asq, 8 * (offset & 4), value);
		break;
	case NVME_ACQ:
	case NVME_ACQ + 4:
		if (off)
			set_half(&nvme->acq, 8 * (offset & 4), value);
		break;
	default:
		break;
	}
}

/* No lock: the I/O thread may hold it for as long as it takes to hand requests to the kernel. */
static void doorbell_write(struct nvme *nvme, uint64_t offset, uint32_t value)
{
	unsigned i = (unsigned)(offset / 4);

	if (i >= 2 * NVME_QUEUES)
		return;
	g_atomic_int_set(&nvme->doorbell[i], (int)(value & 0xffff));
	nvme_again(nvme);
	/* Without MSI-X the pin must be low before the handler is through. */
	if (i % 2 == 0 || msix_on(&nvme->pci))
		return;
	g_mutex_lock(&nvme->lock);
	nvme_pin(nvme);
	g_mutex_unlock(&nvme->lock);
}

static uint64_t bar_read(void *owner, uint64_t offset, unsigned size)
{
	struct nvme *nvme = owner;
	uint64_t value;

	if (offset >= NVME_MSIX && offset < NVME_MSIX + 0x1000)
		return msix_read(&nvme->pci, offset - NVME_MSIX, size);
	if (offset % 4 || size < 4 || offset + size > NVME_REGISTERS_END)
		return 0;
	g_mutex_lock(&nvme->lock);
	value = register_read(nvme, offset);
	if (size == 8)
		value |= (uint64_t)register_read(nvme, offset + 4) << 32;
	g_mutex_unlock(&nvme->lock);
	return value;
}

static void bar_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct nvme *nvme = owner;

	if (offset >= NVME_MSIX && offset < NVME_MSIX + 0x1000) {
		msix_write(&nvme->pci, offset - NVME_MSIX, size, value);
		return;
	}
	if (offset % 4 || size < 4)
		return;
	if (offset >= NVME_DOORBELLS) {
		doorbell_write(nvme, offset - NVME_DOORBELLS, (uint32_t)value);
		return;
	}
	g_mutex_lock(&nvme->lock);
	register_write(nvme, offset, (uint32_t)value);
	if (size == 8)
		register_write(nvme, offset + 4, (uint32_t)(value >> 32));
	g_mutex_unlock(&nvme->lock);
}

static const struct region_ops bar_ops = {
	.read = bar_read,
	.write = bar_write,
};

static void nvme_bar_moved(struct pci_device *pci, unsigned bar, uint64_t base)
{
	struct nvme *nvme = (struct nvme *)((char *)pci - offsetof(struct nvme, pci));

	g_mutex_lock(&nvme->lock);
	nvme_kernel_kicks(nvme, false);
	nvme->base = base;
	if (nvme->shadow)
		nvme_kernel_kicks(nvme, true);
	g_mutex_unlock(&nvme->lock);
}

/* What waited for the right to reach memory. */
static void nvme_command_written(struct pci_device *pci)
{
	struct nvme *nvme = (struct nvme *)((char *)pci - offsetof(struct nvme, pci));

	if (pci_master(pci))
		nvme_again(nvme);
}

static const struct pci_device_ops nvme_pci_ops = {
	.bar_moved = nvme_bar_moved,
	.command_written = nvme_command_written,
};

static gboolean nvme_kicked(gint fd, GIOCondition condition, gpointer data)
{
	struct nvme *nvme = data;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return G_SOURCE_CONTINUE;
	g_mutex_lock(&nvme->lock);
	nvme_serve(nvme);
	g_mutex_unlock(&nvme->lock);
	return G_SOURCE_CONTINUE;
}

static void nvme_ready(void *data)
{
	struct nvme *nvme = data;

	g_mutex_lock(&nvme->lock);
	disk_reap(nvme->disk, false);
	nvme_serve(nvme); /* some waited for a place, and the driver for its interrupt */
	g_mutex_unlock(&nvme->lock);
}

static void nvme_reset(struct device *device)
{
	struct nvme *nvme = (struct nvme *)device;

	g_mutex_lock(&nvme->lock);
	nvme_disable(nvme);
	nvme->cc = nvme->aqa = 0;
	nvme->asq = nvme->acq = 0;
	disk_reset(nvme->disk);
	g_mutex_unlock(&nvme->lock);
}

static void nvme_drain(struct device *device)
{
	struct nvme *nvme = (struct nvme *)device;

	g_mutex_lock(&nvme->lock);
	/* What is still in the queues stays there: who brings the guest back, looks at them. */
	disk_reap(nvme->disk, true);
	nvme_interrupt(nvme);
	g_mutex_unlock(&nvme->lock);
}

/* A queue that was saved, looked at before it is one. */
static bool nvme_state_sq(struct nvme *nvme, unsigned id, struct nvme_sq *sq)
{
	if (sq->size == 0) {
		*sq = (struct nvme_sq){0};
		return true;
	}
	sq->entries = nvme_queue_at(nvme, sq->base, sq->size, sizeof(struct nvme_command));
	return sq->entries && sq->size >= 2 && sq->size <= NVME_PAGE && sq->head < sq->size &&
		sq->cq < NVME_QUEUES && nvme->cq[sq->cq].size > 0 && (id == 0) == (sq->cq == 0);
}

static bool nvme_state_cq(struct nvme *nvme, struct nvme_cq *cq)
{
	cq->owed = cq->queues = 0;
	cq->phase &= 1;
	if (cq->size == 0)
		return true;
	cq->entries = nvme_queue_at(nvme, cq->base, cq->size, sizeof(struct nvme_completion));
	return cq->entries && cq->size >= 2 && cq->size <= NVME_PAGE && cq->head < cq->size &&
		cq->tail < cq->size && cq->vector < NVME_QUEUES;
}

static bool nvme_state_check(struct nvme *nvme)
{
	bool good = nvme->n_events <= NVME_EVENTS;

	for (unsigned i = 0; i < NVME_QUEUES && good; i++)
		good = nvme_state_cq(nvme, &nvme->cq[i]);
	for (unsigned i = 0; i < NVME_QUEUES && good; i++) {
		nvme->sq[i].under_way = 0;
		good = nvme_state_sq(nvme, i, &nvme->sq[i]);
		nvme->cq[good ? nvme->sq[i].cq : 0].queues += nvme->sq[i].size > 0;
	}
	if (nvme->shadow_at || nvme->wanted_at) {
		nvme->shadow = nvme_queue_at(nvme, nvme->shadow_at, 1, NVME_PAGE);
		nvme->wanted = nvme_queue_at(nvme, nvme->wanted_at, 1, NVME_PAGE);
		good = good && nvme->shadow && nvme->wanted;
	}
	if (good)
		return true;
	nvme->shadow = nvme->wanted = NULL;
	memset(nvme->sq, 0, sizeof(nvme->sq));
	memset(nvme->cq, 0, sizeof(nvme->cq));
	return false;
}

static void nvme_state_registers(struct nvme *nvme, struct state *state)
{
	STATE(state, nvme->cc);
	STATE(state, nvme->csts);
	STATE(state, nvme->aqa);
	STATE(state, nvme->masked);
	STATE(state, nvme->asq);
	STATE(state, nvme->acq);
	STATE(state, nvme->feature);
	STATE(state, nvme->doorbell);
	STATE(state, nvme->shadow_at);
	STATE(state, nvme->wanted_at);
	STATE(state, nvme->events);
	STATE(state, nvme->n_events);
}

static void nvme_state_queues(struct nvme *nvme, struct state *state)
{
	for (unsigned i = 0; i < NVME_QUEUES; i++) {
		struct nvme_sq *sq = &nvme->sq[i];
		struct nvme_cq *cq = &nvme->cq[i];

		STATE(state, sq->base);
		STATE(state, sq->size);
		STATE(state, sq->head);
		STATE(state, sq->cq);
		STATE(state, cq->base);
		STATE(state, cq->size);
		STATE(state, cq->head);
		STATE(state, cq->tail);
		STATE(state, cq->vector);
		STATE(state, cq->phase);
		STATE(state, cq->interrupts);
	}
}

static void nvme_state(struct device *device, struct state *state)
{
	struct nvme *nvme = (struct nvme *)device;

	pci_state(&nvme->pci, state);
	g_mutex_lock(&nvme->lock);
	nvme_state_registers(nvme, state);
	nvme_state_queues(nvme, state);
	disk_state(nvme->disk, state);
	if (state_loading(state)) {
		if (!nvme_state_check(nvme))
			state_fail(state, "queues that cannot be");
		nvme->shutting_down = false;
		nvme_kernel_kicks(nvme, nvme->shadow);
		nvme_pin(nvme);
		nvme_again(nvme);
	}
	g_mutex_unlock(&nvme->lock);
}

static void nvme_destroy(struct device *device)
{
	struct nvme *nvme = (struct nvme *)device;

	if (nvme->disk)
		nvme_queues_reset(nvme);
	if (nvme->pci.bus)
		pci_detach(&nvme->pci);
	disk_close(nvme->disk);
	if (nvme->kick) {
		g_source_destroy(nvme->kick);
		g_source_unref(nvme->kick);
	}
	if (nvme->kick_fd >= 0)
		close(nvme->kick_fd);
	nvme_free_requests(nvme);
	g_mutex_clear(&nvme->lock);
	g_free(nvme);
}

/* What drivers tell disks apart by: the same at every start, another for every disk of every guest. */
static void nvme_name(struct nvme *nvme, const struct disk_config *config)
{
	const char *instance = nvme->device.instance;
	g_autofree char *name = g_strdup_printf("irori disk %s %s %s", nvme->machine->config->name,
		instance, config->serial ? config->serial : "");
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	uint8_t digest[32];
	gsize len = sizeof(digest);

	g_checksum_update(sum, (const guchar *)name, (gssize)strlen(name));
	g_checksum_get_digest(sum, digest, &len);
	memcpy(nvme->uuid, digest, sizeof(nvme->uuid));
	nvme->uuid[6] = (nvme->uuid[6] & 0x0f) | 0x80; /* RFC 9562: version 8, variant 1 */
	nvme->uuid[8] = (nvme->uuid[8] & 0x3f) | 0x80;
	disk_text(nvme->serial, config->serial ? config->serial : instance, sizeof(nvme->serial));
	disk_text(nvme->model, config->model ? config->model : "Irori disk", sizeof(nvme->model));
}

static bool nvme_plug(struct nvme *nvme, GError **error)
{
	static const struct pci_id id = {
		.vendor = 0x1af4,
		.device = 0x10f0,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class_code = 0x01,
		.subclass = 0x08,
		.interface = 0x02,
	};

	nvme->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (nvme->kick_fd < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "nvme: eventfd: %s",
			g_strerror(errno));
		return false;
	}
	nvme->kick = g_unix_fd_source_new(nvme->kick_fd, G_IO_IN);
	g_source_set_callback(nvme->kick, G_SOURCE_FUNC(nvme_kicked), nvme, NULL);
	g_source_attach(nvme->kick, nvme->machine->io_context);
	pci_init(&nvme->pci, "nvme", &id, &nvme_pci_ops);
	pci_add_bar(&nvme->pci, 0, NVME_BAR_LEN, &bar_ops, nvme, "nvme");
	pci_add_intx(&nvme->pci);
	pci_add_msix(&nvme->pci, NVME_QUEUES, 0, NVME_MSIX);
	if (pci_attach(nvme->machine->pci, &nvme->pci, -1) == 0)
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "nvme: no PCI slot is free");
	return false;
}

struct device *nvme_new(struct machine *machine, const char *instance,
	const struct disk_config *config, GError **error)
{
	struct nvme *nvme = g_new0(struct nvme, 1);

	nvme->device = (struct device){
		.instance = instance,
		.reset = nvme_reset,
		.drain = nvme_drain,
		.state = nvme_state,
		.destroy = nvme_destroy,
	};
	nvme->machine = machine;
	nvme->memory = machine->memory;
	nvme->kick_fd = -1;
	nvme->read_only = config->read_only;
	g_mutex_init(&nvme->lock);
	nvme_features_reset(nvme);
	nvme_name(nvme, config);
	nvme->disk = disk_open(machine, instance, config, error);
	if (!nvme->disk || !nvme_plug(nvme, error)) {
		nvme_destroy(&nvme->device);
		return NULL;
	}
	disk_watch(nvme->disk, machine->io_context, nvme_ready, nvme);
	if (config->boot_index > 0) /* the name is what OVMF knows an NVMe controller by */
		fw_cfg_add_boot(machine, config->boot_index, &nvme->pci, "pci8086,5845",
			"namespace@1,0");
	return &nvme->device;
}
