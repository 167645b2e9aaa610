/*
 * NVMe's admin commands: who the controller and its one namespace are, queues, features, logs. NVM
 * Express 1.4, section 5.
 */
#define G_LOG_DOMAIN "nvme"

#include <string.h>

#include "vmm/nvme_internal.h"

enum nvme_admin_opcode {
	NVME_DELETE_SQ = 0x00,
	NVME_CREATE_SQ = 0x01,
	NVME_GET_LOG = 0x02,
	NVME_DELETE_CQ = 0x04,
	NVME_CREATE_CQ = 0x05,
	NVME_IDENTIFY = 0x06,
	NVME_ABORT = 0x08,
	NVME_SET_FEATURES = 0x09,
	NVME_GET_FEATURES = 0x0a,
	NVME_EVENT_REQUEST = 0x0c,
	NVME_DOORBELL_BUFFERS = 0x7c,
	NVME_ADMIN_OPCODES,
};

enum nvme_feature {
	NVME_FEATURE_ARBITRATION = 0x01,
	NVME_FEATURE_POWER = 0x02,
	NVME_FEATURE_TEMPERATURE = 0x04,
	NVME_FEATURE_RECOVERY = 0x05,
	NVME_FEATURE_WRITE_CACHE = 0x06,
	NVME_FEATURE_QUEUES = 0x07,
	NVME_FEATURE_COALESCING = 0x08,
	NVME_FEATURE_VECTORS = 0x09,
	NVME_FEATURE_ATOMICITY = 0x0a,
	NVME_FEATURE_EVENTS = 0x0b,
};

enum nvme_admin_numbers {
	NVME_TEMPERATURE_WARNS = 0x157, /* kelvin */
	NVME_TEMPERATURE = 0x140,
	NVME_LOG_MAX = 4096,
	NVME_QUEUES_ANSWER = (NVME_IO_QUEUES - 1) | (NVME_IO_QUEUES - 1) << 16,
	NVME_CONTIGUOUS = 1,
	NVME_INTERRUPTS = 2,
};

/* Identify, CNS 1: struct of 4096 bytes, most of them zero. */
struct nvme_controller {
	uint16_t vendor, subsystem_vendor;
	char serial[20], model[40], firmware[8];
	uint8_t arbitration_burst, ieee[3], multipath, mdts;
	uint16_t controller_id;
	uint32_t version, rtd3_resume, rtd3_enter, async_events, attributes;
	uint8_t reserved0[156];
	/* 256 */
	uint16_t admin_optional;
	uint8_t aborts, event_requests, firmware_updates, log_attributes, error_entries, power_states;
	uint8_t vendor_admin, power_transitions;
	uint16_t temperature_warns, temperature_critical;
	uint8_t reserved1[242];
	/* 512 */
	uint8_t sqe_size, cqe_size;
	uint16_t max_commands;
	uint32_t namespaces;
	uint16_t optional, fuses;
	uint8_t format, write_cache;
	uint16_t atomic_normal, atomic_power_fail;
	uint8_t vendor_io, write_protect;
	uint16_t atomic_compare, reserved2;
	uint32_t sgl, max_namespaces;
	uint8_t reserved3[224];
	char nqn[256]; /* 768 */
	uint8_t reserved4[1024];
	/* 2048: power states */
	uint16_t power0_max;
	uint8_t reserved5[2046];
} __attribute__((packed));
G_STATIC_ASSERT(sizeof(struct nvme_controller) == 4096);
G_STATIC_ASSERT(offsetof(struct nvme_controller, admin_optional) == 256);
G_STATIC_ASSERT(offsetof(struct nvme_controller, sqe_size) == 512);
G_STATIC_ASSERT(offsetof(struct nvme_controller, nqn) == 768);

/* CNS 0. */
struct nvme_namespace {
	uint64_t size, capacity, used;
	uint8_t features, formats, format, metadata, protection, protection_set, multipath;
	uint8_t reservations, progress, deallocate;
	uint8_t reserved0[65];
	uint8_t attributes; /* 99: bit 0: write protected */
	uint8_t reserved1[28];
	struct {
		uint16_t metadata;
		uint8_t shift, performance;
	} __attribute__((packed)) lba[16];
	uint8_t reserved2[3904];
} __attribute__((packed));
G_STATIC_ASSERT(sizeof(struct nvme_namespace) == 4096);
G_STATIC_ASSERT(offsetof(struct nvme_namespace, attributes) == 99);

/* CNS 3. */
struct nvme_descriptor {
	uint8_t type, len, reserved[2], uuid[16];
};

/* Text is padded with spaces and has no zero at its end. */
static void nvme_text(char *to, const char *from, size_t len)
{
	size_t have = strnlen(from, len);

	memset(to, ' ', len);
	memcpy(to, from, have);
}

static uint16_t nvme_send(struct nvme *nvme, const struct nvme_command *command, const void *from,
	uint32_t len)
{
	struct iovec iov[NVME_SEGMENTS];
	const uint8_t *at = from;
	unsigned n;
	uint16_t status = nvme_map(nvme, command, len, iov, &n);

	for (unsigned i = 0; !status && i < n; at += iov[i++].iov_len)
		memcpy(iov[i].iov_base, at, iov[i].iov_len);
	return status;
}

static uint16_t identify_namespace(struct nvme *nvme, const struct nvme_command *command)
{
	uint64_t blocks = disk_size(nvme->disk) / DISK_SECTOR;
	struct nvme_namespace page = {
		.size = blocks,
		.capacity = blocks,
		.used = blocks,
		.features = 0,
		.deallocate = 0x01 | 0x08, /* reads as zeros; write zeroes may deallocate */
		.attributes = nvme->read_only,
		.lba[0].shift = 9,
	};

	if (command->nsid == UINT32_MAX) /* what all namespaces have in common */
		page.size = page.capacity = page.used = 0;
	else if (command->nsid != 1)
		return NVME_BAD_NAMESPACE;
	return nvme_send(nvme, command, &page, sizeof(page));
}

static uint16_t identify_controller(struct nvme *nvme, const struct nvme_command *command)
{
	struct nvme_controller page = {
		.vendor = 0x1af4,
		.subsystem_vendor = 0x1af4,
		.arbitration_burst = 6,
		.ieee = {0x00, 0x54, 0x52},
		.mdts = NVME_MDTS,
		.controller_id = 1,
		.version = 0x00010400,
		.admin_optional = 1 << 8, /* doorbell buffers */
		.aborts = 3,
		.event_requests = NVME_EVENTS - 1,
		.firmware_updates = 1 | 1 << 1, /* one slot, read-only */
		.log_attributes = 1 << 2, /* offsets are known */
		.temperature_warns = NVME_TEMPERATURE_WARNS,
		.temperature_critical = 0x175,
		.sqe_size = 0x66,
		.cqe_size = 0x44,
		.namespaces = 1,
		.optional = 1 << 2 | 1 << 3 | 1 << 4, /* deallocate, write zeroes, saved features */
		.write_cache = 1,
		.power0_max = 2500,
	};
	const uint8_t *u = nvme->uuid;

	nvme_text(page.serial, nvme->serial, sizeof(page.serial));
	nvme_text(page.model, nvme->model, sizeof(page.model));
	nvme_text(page.firmware, "1", sizeof(page.firmware));
	g_snprintf(page.nqn, sizeof(page.nqn),
		"nqn.2014-08.org.nvmexpress:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
		"%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8],
		u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
	return nvme_send(nvme, command, &page, sizeof(page));
}

static uint16_t identify_list(struct nvme *nvme, const struct nvme_command *command)
{
	uint32_t page[1024] = {command->nsid < 1 ? 1 : 0}; /* ids above the one given */

	if (command->nsid >= UINT32_MAX - 1)
		return NVME_BAD_NAMESPACE;
	return nvme_send(nvme, command, page, sizeof(page));
}

static uint16_t identify_descriptors(struct nvme *nvme, const struct nvme_command *command)
{
	uint8_t page[NVME_PAGE] = {0};
	struct nvme_descriptor uuid = {.type = 3, .len = 16};

	if (command->nsid != 1)
		return NVME_BAD_NAMESPACE;
	memcpy(uuid.uuid, nvme->uuid, 16);
	memcpy(page, &uuid, sizeof(uuid));
	return nvme_send(nvme, command, page, sizeof(page));
}

static uint16_t admin_identify(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0)
{
	static uint16_t (*const structures[])(struct nvme *nvme,
		const struct nvme_command *command) = {
		identify_namespace,
		identify_controller,
		identify_list,
		identify_descriptors,
	};
	uint8_t cns = command->cdw10 & 0xff;

	return cns < G_N_ELEMENTS(structures) ? structures[cns](nvme, command) : NVME_BAD_FIELD;
}

static bool queue_size_ok(uint32_t cdw10)
{
	uint32_t size = (cdw10 >> 16) + 1;

	return size >= 2 && size <= NVME_ENTRIES_MAX;
}

static uint16_t admin_create_cq(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0)
{
	unsigned id = command->cdw10 & 0xffff, size = (command->cdw10 >> 16) + 1;
	unsigned vector = command->cdw11 >> 16;

	if (id == 0 || id >= NVME_QUEUES || nvme->cq[id].size)
		return NVME_BAD_QUEUE_ID;
	if (!queue_size_ok(command->cdw10))
		return NVME_BAD_QUEUE_SIZE;
	if (!(command->cdw11 & NVME_CONTIGUOUS))
		return NVME_BAD_FIELD;
	if (vector >= nvme->pci.n_vectors || (vector > 0 && !msix_on(&nvme->pci)))
		return NVME_BAD_VECTOR;
	if (!nvme_cq_open(nvme, id, command->prp1, size))
		return NVME_BAD_FIELD;
	nvme->cq[id].interrupts = (command->cdw11 & NVME_INTERRUPTS) != 0;
	nvme->cq[id].vector = (uint16_t)vector;
	return NVME_OK;
}

static uint16_t admin_create_sq(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0)
{
	unsigned id = command->cdw10 & 0xffff, size = (command->cdw10 >> 16) + 1;
	unsigned cq = command->cdw11 >> 16;

	if (cq == 0 || cq >= NVME_QUEUES || !nvme->cq[cq].size)
		return NVME_BAD_CQ;
	if (id == 0 || id >= NVME_QUEUES || nvme->sq[id].size)
		return NVME_BAD_QUEUE_ID;
	if (!queue_size_ok(command->cdw10))
		return NVME_BAD_QUEUE_SIZE;
	if (!(command->cdw11 & NVME_CONTIGUOUS) ||
		!nvme_sq_open(nvme, id, command->prp1, size, cq))
		return NVME_BAD_FIELD;
	if (nvme->shadow)
		nvme_kernel_kicks(nvme, true);
	return NVME_OK;
}

/* Its commands are answered first: afterwards their memory is the driver's. */
static uint16_t admin_delete_sq(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0)
{
	unsigned id = command->cdw10 & 0xffff;

	if (id == 0 || id >= NVME_QUEUES || !nvme->sq[id].size)
		return NVME_BAD_QUEUE_ID;
	disk_submit(nvme->disk);
	disk_reap(nvme->disk, true);
	if (nvme->sq[id].under_way > 0)
		disk_cancel(nvme->disk); /* those that wait for a full host */
	nvme->cq[nvme->sq[id].cq].queues--;
	nvme->sq[id] = (struct nvme_sq){0};
	return NVME_OK;
}

static uint16_t admin_delete_cq(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0)
{
	unsigned id = command->cdw10 & 0xffff;

	if (id == 0 || id >= NVME_QUEUES || !nvme->cq[id].size)
		return NVME_BAD_QUEUE_ID;
	if (nvme->cq[id].queues > 0)
		return NVME_BAD_DELETION;
	nvme->cq[id] = (struct nvme_cq){0};
	nvme_pin(nvme);
	return NVME_OK;
}

static uint16_t admin_get_log(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0)
{
	uint32_t numd = command->cdw10 >> 16 | (command->cdw11 & 0xffff) << 16;
	uint64_t offset = command->cdw12 | (uint64_t)command->cdw13 << 32;
	uint8_t page[NVME_LOG_MAX] = {0}, part[NVME_LOG_MAX] = {0};
	uint32_t len;

	if (numd >= NVME_LOG_MAX / 4 || offset % 4 || offset > NVME_LOG_MAX)
		return NVME_BAD_FIELD;
	len = (numd + 1) * 4;
	switch (command->cdw10 & 0xff) {
	case 1: /* errors: none */
		break;
	case 2: /* health */
		page[1] = NVME_TEMPERATURE & 0xff;
		page[2] = NVME_TEMPERATURE >> 8;
		page[3] = 100; /* spare */
		page[4] = 10;  /* threshold of it */
		break;
	case 3: /* firmware slots */
		page[0] = 1;
		nvme_text((char *)&page[8], "1", 8);
		break;
	default:
		return NVME_BAD_LOG;
	}
	memcpy(part, page + offset, MIN(len, NVME_LOG_MAX - offset));
	return nvme_send(nvme, command, part, len);
}

static uint16_t admin_abort(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0)
{
	*dw0 = 1; /* was not aborted: it will be answered in its time */
	return NVME_OK;
}

static uint16_t admin_event(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0)
{
	if (nvme->n_events == NVME_EVENTS)
		return NVME_TOO_MANY_EVENTS;
	nvme->events[nvme->n_events++] = command->cid; /* nothing ever happens */
	return NVME_LATER;
}

static const struct {
	bool known, fixed;
	uint32_t initial;
} features[NVME_FEATURES] = {
	[NVME_FEATURE_ARBITRATION] = {.known = true, .initial = 6},
	[NVME_FEATURE_POWER] = {.known = true, .fixed = true},
	[NVME_FEATURE_TEMPERATURE] = {.known = true, .initial = NVME_TEMPERATURE_WARNS},
	[NVME_FEATURE_RECOVERY] = {.known = true},
	[NVME_FEATURE_WRITE_CACHE] = {.known = true, .initial = 1},
	[NVME_FEATURE_QUEUES] = {.known = true, .initial = NVME_QUEUES_ANSWER},
	[NVME_FEATURE_COALESCING] = {.known = true},
	[NVME_FEATURE_VECTORS] = {.known = true},
	[NVME_FEATURE_ATOMICITY] = {.known = true},
	[NVME_FEATURE_EVENTS] = {.known = true},
};

void nvme_features_reset(struct nvme *nvme)
{
	for (unsigned i = 0; i < NVME_FEATURES; i++)
		nvme->feature[i] = features[i].initial;
}

bool nvme_write_cache(const struct nvme *nvme)
{
	return nvme->feature[NVME_FEATURE_WRITE_CACHE] & 1;
}

static uint16_t admin_set_features(struct nvme *nvme, const struct nvme_command *command,
	uint32_t *dw0)
{
	unsigned id = command->cdw10 & 0xff;

	if (id >= NVME_FEATURES || !features[id].known)
		return NVME_BAD_FIELD;
	if (features[id].fixed && command->cdw11 != features[id].initial)
		return NVME_BAD_FIELD;
	if (id == NVME_FEATURE_QUEUES) {
		/* 65536 queues are not to be asked for; it gets ours whatever it asks for. */
		if ((command->cdw11 & 0xffff) == 0xffff || command->cdw11 >> 16 == 0xffff)
			return NVME_BAD_FIELD;
		*dw0 = NVME_QUEUES_ANSWER;
		return NVME_OK;
	}
	nvme->feature[id] = command->cdw11;
	return NVME_OK;
}

static uint16_t admin_get_features(struct nvme *nvme, const struct nvme_command *command,
	uint32_t *dw0)
{
	unsigned id = command->cdw10 & 0xff, select = command->cdw10 >> 8 & 7;

	if (id >= NVME_FEATURES || !features[id].known || select > 3)
		return NVME_BAD_FIELD;
	if (select == 0)
		*dw0 = nvme->feature[id];
	else if (select == 3)
		*dw0 = features[id].fixed ? 0 : 4; /* changeable */
	else
		*dw0 = features[id].initial;
	return NVME_OK;
}

static uint16_t admin_doorbell_buffers(struct nvme *nvme, const struct nvme_command *command,
	uint32_t *dw0)
{
	uint32_t *shadow = nvme_queue_at(nvme, command->prp1, 1, NVME_PAGE);
	uint32_t *wanted = nvme_queue_at(nvme, command->prp2, 1, NVME_PAGE);

	if (!shadow || !wanted)
		return NVME_BAD_FIELD;
	for (unsigned i = 2; i < 2 * NVME_QUEUES; i++) {
		shadow[i] = (uint32_t)g_atomic_int_get(&nvme->doorbell[i]);
		wanted[i] = shadow[i];
	}
	nvme->shadow_at = command->prp1;
	nvme->wanted_at = command->prp2;
	nvme->shadow = shadow;
	nvme->wanted = wanted;
	nvme_kernel_kicks(nvme, true);
	return NVME_OK;
}

static uint16_t (*const admin_commands[NVME_ADMIN_OPCODES])(struct nvme *nvme,
	const struct nvme_command *command, uint32_t *dw0) = {
	[NVME_DELETE_SQ] = admin_delete_sq,
	[NVME_CREATE_SQ] = admin_create_sq,
	[NVME_GET_LOG] = admin_get_log,
	[NVME_DELETE_CQ] = admin_delete_cq,
	[NVME_CREATE_CQ] = admin_create_cq,
	[NVME_IDENTIFY] = admin_identify,
	[NVME_ABORT] = admin_abort,
	[NVME_SET_FEATURES] = admin_set_features,
	[NVME_GET_FEATURES] = admin_get_features,
	[NVME_EVENT_REQUEST] = admin_event,
	[NVME_DOORBELL_BUFFERS] = admin_doorbell_buffers,
};

uint16_t nvme_admin(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0)
{
	if (command->opcode >= NVME_ADMIN_OPCODES || !admin_commands[command->opcode])
		return NVME_BAD_OPCODE;
	return admin_commands[command->opcode](nvme, command, dw0);
}
