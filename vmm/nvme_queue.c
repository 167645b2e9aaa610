/*
 * NVMe's queues: commands are copied out of submission queues, checked, carried out by the disk, and
 * answered in completion queues. NVM Express 1.4, sections 4 (structures), 6 (NVM commands), 5.7
 * (doorbell buffers).
 *
 * A command is fetched only when its answer has a place: so a driver that never moves the head of its
 * completion queue stops itself and nobody else.
 */
#define G_LOG_DOMAIN "nvme"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "vmm/nvme_internal.h"

enum nvme_io_opcode {
	NVME_FLUSH = 0x00,
	NVME_WRITE = 0x01,
	NVME_READ = 0x02,
	NVME_WRITE_ZEROES = 0x08,
	NVME_DEALLOCATE = 0x09,
	NVME_IO_OPCODES,
};

enum nvme_bits {
	NVME_FUSED_PSDT = 0xc3,    /* of the flags: fused commands, SGLs: neither */
	NVME_DWORD12_FUA = 1 << 30,
	NVME_DWORD12_DEAC = 1 << 25,
	NVME_DEALLOCATE_AD = 1 << 2,
	NVME_TURN = 4 * DISK_DEPTH, /* commands in one turn: others use the thread as well */
};

void nvme_complain(struct nvme *nvme, const char *why)
{
	unsigned n = ++nvme->complaints;

	if ((n & (n - 1)) == 0) /* the 1st, 2nd, 4th, ... */
		g_message("disk %s: %s (%u so far)", nvme->device.instance, why, n);
}

void nvme_again(struct nvme *nvme)
{
	uint64_t one = 1;

	if (write(nvme->kick_fd, &one, sizeof(one)) < 0)
		g_debug("kick: %s", g_strerror(errno));
}

static struct nvme_request *nvme_take(struct nvme *nvme)
{
	struct nvme_request *request = nvme->free;

	if (request)
		nvme->free = request->next_free;
	else
		request = g_new(struct nvme_request, 1); /* DISK_DEPTH of them at most */
	request->nvme = nvme;
	return request;
}

static void nvme_give(struct nvme *nvme, struct nvme_request *request)
{
	request->next_free = nvme->free;
	nvme->free = request;
}

void nvme_free_requests(struct nvme *nvme)
{
	while (nvme->free) {
		struct nvme_request *request = nvme->free;

		nvme->free = request->next_free;
		g_free(request);
	}
}

void *nvme_queue_at(struct nvme *nvme, uint64_t base, unsigned entries, size_t entry)
{
	if (base % NVME_PAGE)
		return NULL;
	return memory_at(nvme->memory, base, entries * entry);
}

/* Where the driver is with doorbell i. */
static uint32_t nvme_doorbell(const struct nvme *nvme, unsigned i)
{
	if (nvme->shadow && i >= 2)
		return __atomic_load_n(&nvme->shadow[i], __ATOMIC_ACQUIRE);
	return (uint32_t)g_atomic_int_get(&nvme->doorbell[i]);
}

/* Doorbell i is to be rung when it moves past where it is now. */
static void nvme_ask(struct nvme *nvme, unsigned i, uint32_t now)
{
	if (!nvme->wanted || i < 2)
		return;
	__atomic_store_n(&nvme->wanted[i], now, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void nvme_queue_fresh(struct nvme *nvme, unsigned i)
{
	g_atomic_int_set(&nvme->doorbell[i], 0);
	if (nvme->shadow && i >= 2)
		__atomic_store_n(&nvme->shadow[i], 0, __ATOMIC_RELEASE);
	nvme_ask(nvme, i, 0);
}

bool nvme_sq_open(struct nvme *nvme, unsigned id, uint64_t base, unsigned size, unsigned cq)
{
	void *entries = nvme_queue_at(nvme, base, size, sizeof(struct nvme_command));

	if (!entries)
		return false;
	nvme->sq[id] = (struct nvme_sq){
		.base = base,
		.entries = entries,
		.size = (uint16_t)size,
		.cq = (uint16_t)cq,
	};
	nvme->cq[cq].queues++;
	nvme_queue_fresh(nvme, 2 * id);
	return true;
}

bool nvme_cq_open(struct nvme *nvme, unsigned id, uint64_t base, unsigned size)
{
	void *entries = nvme_queue_at(nvme, base, size, sizeof(struct nvme_completion));

	if (!entries)
		return false;
	nvme->cq[id] = (struct nvme_cq){
		.base = base,
		.entries = entries,
		.size = (uint16_t)size,
		.phase = 1,
		.interrupts = true,
	};
	nvme_queue_fresh(nvme, 2 * id + 1);
	return true;
}

void nvme_queues_reset(struct nvme *nvme)
{
	nvme->resetting = true;
	disk_cancel(nvme->disk);
	nvme->resetting = false;
	nvme_kernel_kicks(nvme, false);
	memset(nvme->sq, 0, sizeof(nvme->sq));
	memset(nvme->cq, 0, sizeof(nvme->cq));
	for (unsigned i = 0; i < 2 * NVME_QUEUES; i++)
		g_atomic_int_set(&nvme->doorbell[i], 0);
	nvme->shadow = nvme->wanted = NULL;
	nvme->shadow_at = nvme->wanted_at = 0;
	nvme->n_events = 0;
	nvme_pin(nvme);
}

/* Takes in how far the driver has read; a head that is not in the queue is not taken. */
static void nvme_cq_head(struct nvme *nvme, unsigned id)
{
	struct nvme_cq *cq = &nvme->cq[id];
	uint32_t head = nvme_doorbell(nvme, 2 * id + 1);

	if (head < cq->size)
		cq->head = (uint16_t)head;
}

static bool nvme_cq_room(struct nvme *nvme, unsigned id)
{
	struct nvme_cq *cq = &nvme->cq[id];
	unsigned used;

	for (unsigned i = 0; i < 2; i++) {
		nvme_cq_head(nvme, id);
		used = (cq->tail + cq->size - cq->head) % cq->size;
		if (used + cq->owed < cq->size - 1u)
			return true;
		nvme_ask(nvme, 2 * id + 1, cq->head); /* and look once more */
	}
	return false;
}

void nvme_complete(struct nvme *nvme, unsigned sq, uint16_t cid, uint16_t status, uint32_t dw0)
{
	struct nvme_cq *cq = &nvme->cq[nvme->sq[sq].cq];
	struct nvme_completion *entry = &cq->entries[cq->tail];

	entry->dw0 = dw0;
	entry->dw1 = 0;
	entry->sq_head = nvme->sq[sq].head;
	entry->sq_id = (uint16_t)sq;
	entry->cid = cid;
	__atomic_store_n(&entry->status, (uint16_t)(status << 1 | cq->phase), __ATOMIC_RELEASE);
	if (++cq->tail == cq->size) {
		cq->tail = 0;
		cq->phase ^= 1;
	}
	cq->raise = true;
}

void nvme_pin(struct nvme *nvme)
{
	bool level = false;

	for (unsigned i = 0; i < NVME_QUEUES && !msix_on(&nvme->pci); i++) {
		struct nvme_cq *cq = &nvme->cq[i];

		if (!cq->size)
			continue;
		nvme_cq_head(nvme, i);
		if (cq->head != cq->tail)
			nvme_ask(nvme, 2 * i + 1, cq->head);
		level = level || (cq->interrupts && cq->head != cq->tail && !(nvme->masked & 1));
	}
	if (level == nvme->level)
		return;
	nvme->level = level;
	pci_intx(&nvme->pci, level);
}

void nvme_interrupt(struct nvme *nvme)
{
	for (unsigned i = 0; i < NVME_QUEUES; i++) {
		struct nvme_cq *cq = &nvme->cq[i];

		if (cq->raise && cq->interrupts)
			msix_raise(&nvme->pci, cq->vector);
		cq->raise = false;
	}
	if (!msix_on(&nvme->pci) || nvme->level)
		nvme_pin(nvme);
}

struct nvme_mapping {
	struct nvme *nvme;
	struct iovec *iov;
	unsigned n;
	uint32_t left;
};

/* One buffer of at most a page; neighbours become one. */
static uint16_t nvme_map_page(struct nvme_mapping *map, uint64_t address)
{
	uint32_t len = MIN(map->left, NVME_PAGE - (uint32_t)(address % NVME_PAGE));
	uint8_t *host = memory_at(map->nvme->memory, address, len);
	struct iovec *last = map->n > 0 ? &map->iov[map->n - 1] : NULL;

	if (!host)
		return NVME_TRANSFER_ERROR;
	map->left -= len;
	if (last && (uint8_t *)last->iov_base + last->iov_len == host)
		last->iov_len += len;
	else
		map->iov[map->n++] = (struct iovec){host, len};
	return NVME_OK;
}

static uint16_t nvme_map_entries(struct nvme_mapping *map, const uint64_t *entry, unsigned n)
{
	uint16_t status = NVME_OK;

	for (unsigned i = 0; i < n && !status; i++)
		status = entry[i] % NVME_PAGE ? NVME_BAD_PRP_OFFSET : nvme_map_page(map, entry[i]);
	return status;
}

/* Lists: a page that does not hold all that is left ends with the address of the next. */
static uint16_t nvme_map_list(struct nvme_mapping *map, uint64_t list)
{
	uint64_t entry[NVME_PAGE / 8];

	for (unsigned hop = 0; hop < NVME_LIST_HOPS; hop++) {
		unsigned room = (NVME_PAGE - (unsigned)(list % NVME_PAGE)) / 8;
		unsigned need = (map->left + NVME_PAGE - 1) / NVME_PAGE;
		unsigned n = need <= room ? need : room - 1;
		uint16_t status;

		if (list % 8)
			return NVME_BAD_PRP_OFFSET;
		if (!memory_read(map->nvme->memory, list, entry, MIN(need, room) * 8))
			return NVME_TRANSFER_ERROR;
		status = nvme_map_entries(map, entry, n);
		if (status || map->left == 0)
			return status;
		list = entry[room - 1];
	}
	return NVME_BAD_FIELD;
}

uint16_t nvme_map(struct nvme *nvme, const struct nvme_command *command, uint32_t len,
	struct iovec iov[NVME_SEGMENTS], unsigned *n)
{
	struct nvme_mapping map = {.nvme = nvme, .iov = iov, .left = len};
	uint16_t status;

	if (len == 0 || len > NVME_TRANSFER_MAX)
		return NVME_BAD_FIELD;
	if (command->prp1 % 4)
		return NVME_BAD_PRP_OFFSET;
	status = nvme_map_page(&map, command->prp1);
	if (!status && map.left > NVME_PAGE)
		status = nvme_map_list(&map, command->prp2);
	else if (!status && map.left > 0)
		status = nvme_map_entries(&map, &command->prp2, 1);
	*n = map.n;
	return status;
}

static uint16_t nvme_result(const struct disk_io *io, int result)
{
	if (result == 0)
		return NVME_OK;
	if (result == -ENOSPC || result == -EDQUOT || result == -EFBIG)
		return NVME_CAPACITY;
	if (result == -EOPNOTSUPP)
		return NVME_BAD_OPCODE;
	return io->operation == DISK_READ ? NVME_READ_FAULT : NVME_WRITE_FAULT;
}

static void nvme_answer(struct nvme_request *request, uint16_t status)
{
	struct nvme *nvme = request->nvme;

	nvme->under_way--;
	nvme->sq[request->sq].under_way--;
	nvme->cq[nvme->sq[request->sq].cq].owed--;
	if (!nvme->resetting)
		nvme_complete(nvme, request->sq, request->cid, status, 0);
	nvme_give(nvme, request);
}

static void nvme_done(struct disk_io *io, int result)
{
	nvme_answer((struct nvme_request *)io, nvme_result(io, result));
}

static uint16_t nvme_start(struct nvme_request *request, enum disk_operation operation,
	uint64_t block, uint64_t blocks)
{
	request->io.operation = operation;
	request->io.offset = block * DISK_SECTOR;
	request->io.len = blocks * DISK_SECTOR;
	request->io.done = nvme_done;
	disk_queue(request->nvme->disk, &request->io);
	return NVME_LATER;
}

static bool nvme_on_disk(const struct nvme *nvme, uint64_t block, uint64_t blocks)
{
	uint64_t all = disk_size(nvme->disk) / DISK_SECTOR;

	return block <= all && blocks <= all - block;
}

static uint64_t nvme_block(const struct nvme_command *command)
{
	return command->cdw10 | (uint64_t)command->cdw11 << 32;
}

static uint16_t nvme_flush(struct nvme_request *request, const struct nvme_command *command)
{
	return nvme_start(request, DISK_FLUSH, 0, 0);
}

static uint16_t nvme_transfer(struct nvme_request *request, const struct nvme_command *command)
{
	struct nvme *nvme = request->nvme;
	uint32_t blocks = (command->cdw12 & 0xffff) + 1;
	enum disk_operation operation = DISK_READ;
	uint16_t status;

	if (blocks * DISK_SECTOR > NVME_TRANSFER_MAX)
		return NVME_BAD_FIELD;
	if (!nvme_on_disk(nvme, nvme_block(command), blocks))
		return NVME_BAD_LBA;
	status = nvme_map(nvme, command, blocks * DISK_SECTOR, request->iov, &request->io.n_iov);
	if (status)
		return status;
	request->io.iov = request->iov;
	if (command->opcode == NVME_WRITE)
		operation = command->cdw12 & NVME_DWORD12_FUA || !nvme_write_cache(nvme) ?
			DISK_WRITE_THROUGH : DISK_WRITE;
	return nvme_start(request, operation, nvme_block(command), blocks);
}

static uint16_t nvme_write_zeroes(struct nvme_request *request, const struct nvme_command *command)
{
	uint32_t blocks = (command->cdw12 & 0xffff) + 1;

	if (!nvme_on_disk(request->nvme, nvme_block(command), blocks))
		return NVME_BAD_LBA;
	return nvme_start(request, command->cdw12 & NVME_DWORD12_DEAC ? DISK_PUNCH : DISK_ZERO,
		nvme_block(command), blocks);
}

/* The next range that is not empty; false when there is none left. */
static bool nvme_next_range(struct nvme_request *request)
{
	while (request->range < request->n_ranges) {
		const struct nvme_range *range = &request->ranges[request->range++];

		if (range->blocks == 0)
			continue;
		request->io.operation = DISK_PUNCH;
		request->io.offset = range->block * DISK_SECTOR;
		request->io.len = (uint64_t)range->blocks * DISK_SECTOR;
		disk_queue(request->nvme->disk, &request->io);
		return true;
	}
	return false;
}

static void nvme_range_done(struct disk_io *io, int result)
{
	struct nvme_request *request = (struct nvme_request *)io;

	/* A host that cannot is no error: it is a hint. Of writing zeros that is not true. */
	if (result == -EOPNOTSUPP)
		result = 0;
	if (request->nvme->resetting)
		request->range = request->n_ranges;
	if (result < 0 || !nvme_next_range(request))
		nvme_answer(request, nvme_result(io, result));
}

static uint16_t nvme_deallocate(struct nvme_request *request, const struct nvme_command *command)
{
	struct nvme *nvme = request->nvme;
	struct iovec iov[NVME_SEGMENTS];
	unsigned n, at = 0;
	uint16_t status;

	if (!(command->cdw11 & NVME_DEALLOCATE_AD))
		return NVME_OK; /* other hints have no meaning here */
	request->range = 0;
	request->n_ranges = (command->cdw10 & 0xff) + 1;
	status = nvme_map(nvme, command, request->n_ranges * sizeof(struct nvme_range), iov, &n);
	if (status)
		return status;
	for (unsigned i = 0; i < n; at += iov[i++].iov_len)
		memcpy((uint8_t *)request->ranges + at, iov[i].iov_base, iov[i].iov_len);
	for (unsigned i = 0; i < request->n_ranges; i++)
		if (!nvme_on_disk(nvme, request->ranges[i].block, request->ranges[i].blocks))
			return NVME_BAD_LBA;
	request->io.done = nvme_range_done;
	return nvme_next_range(request) ? NVME_LATER : NVME_OK;
}

static const struct {
	uint16_t (*start)(struct nvme_request *request, const struct nvme_command *command);
	bool writes;
} nvme_io_commands[NVME_IO_OPCODES] = {
	[NVME_FLUSH] = {nvme_flush, false},
	[NVME_WRITE] = {nvme_transfer, true},
	[NVME_READ] = {nvme_transfer, false},
	[NVME_WRITE_ZEROES] = {nvme_write_zeroes, true},
	[NVME_DEALLOCATE] = {nvme_deallocate, true},
};

static uint16_t nvme_io(struct nvme_request *request, const struct nvme_command *command)
{
	bool all = command->opcode == NVME_FLUSH && command->nsid == UINT32_MAX;

	if (command->opcode >= NVME_IO_OPCODES || !nvme_io_commands[command->opcode].start)
		return NVME_BAD_OPCODE;
	if (command->flags & NVME_FUSED_PSDT)
		return NVME_BAD_FIELD;
	if (command->nsid != 1 && !all)
		return NVME_BAD_NAMESPACE;
	if (nvme_io_commands[command->opcode].writes && request->nvme->read_only)
		return NVME_READ_ONLY;
	return nvme_io_commands[command->opcode].start(request, command);
}

static void nvme_begin_io(struct nvme *nvme, unsigned sq, const struct nvme_command *command)
{
	struct nvme_request *request = nvme_take(nvme);
	uint16_t status;

	request->sq = (uint16_t)sq;
	request->cid = command->cid;
	nvme->under_way++;
	nvme->sq[sq].under_way++;
	nvme->cq[nvme->sq[sq].cq].owed++;
	status = nvme_io(request, command);
	if (status != NVME_LATER)
		nvme_answer(request, status);
}

static void nvme_begin_admin(struct nvme *nvme, const struct nvme_command *command)
{
	uint32_t dw0 = 0;
	uint16_t status = command->flags & NVME_FUSED_PSDT ? NVME_BAD_FIELD :
		nvme_admin(nvme, command, &dw0);

	if (status != NVME_LATER)
		nvme_complete(nvme, 0, command->cid, status, dw0);
}

/* True if the queue has a command. When it has none, the driver is asked to ring. */
static bool nvme_pending(struct nvme *nvme, unsigned id)
{
	struct nvme_sq *sq = &nvme->sq[id];
	uint32_t tail;

	for (unsigned i = 0; i < 2; i++) {
		tail = nvme_doorbell(nvme, 2 * id);
		if (tail >= sq->size) {
			nvme_complain(nvme, "a tail that is not in its queue");
			return false;
		}
		if (tail != sq->head)
			return true;
		if (!nvme->wanted || id == 0)
			return false;
		nvme_ask(nvme, 2 * id, tail);
	}
	return false;
}

/* The next command of a queue; false: there is none, or no place for it. */
static bool nvme_fetch(struct nvme *nvme, unsigned id)
{
	struct nvme_sq *sq = &nvme->sq[id];
	struct nvme_command command;

	if (!sq->size || !pci_master(&nvme->pci) || nvme->under_way >= DISK_DEPTH || !nvme_pending(nvme, id) ||
		!nvme_cq_room(nvme, sq->cq))
		return false;
	memcpy(&command, &sq->entries[sq->head], sizeof(command));
	sq->head = (uint16_t)((sq->head + 1) % sq->size);
	if (id == 0)
		nvme_begin_admin(nvme, &command);
	else
		nvme_begin_io(nvme, id, &command);
	return true;
}

void nvme_serve(struct nvme *nvme)
{
	unsigned n = 0;
	bool more = true;

	while (more && n < NVME_TURN) {
		more = false;
		for (unsigned id = 0; id < NVME_QUEUES; id++)
			for (unsigned i = 0; i < DISK_DEPTH / 4 && nvme_fetch(nvme, id); i++, n++)
				more = true;
		disk_submit(nvme->disk);
	}
	nvme_interrupt(nvme);
	if (more)
		nvme_again(nvme);
}
