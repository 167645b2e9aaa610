/*
 * A driver for NVMe in as few lines as it can be, on the guest of guest.h: one admin queue, I/O
 * queues by number, commands one by one or many at once. Tests and the fuzzer include it.
 */
#ifndef IRORI_TESTS_UNIT_VIRTIO_NVME_GUEST_H
#define IRORI_TESTS_UNIT_VIRTIO_NVME_GUEST_H

#include "tests/unit/virtio/guest.h"
#include "vmm/nvme_internal.h"

enum drive_layout {
	DRIVE_ADMIN_SQ = 0x1000,
	DRIVE_ADMIN_CQ = 0x2000,
	DRIVE_SHADOW = 0x3000,
	DRIVE_WANTED = 0x4000,
	DRIVE_QUEUES = 0x10000, /* I/O queue i: SQ at + 0x4000 * i, CQ at + 0x2000 behind it */
	DRIVE_DATA = 0x100000,
	DRIVE_SIZE = 16,        /* entries of every queue */
};

struct drive_queue {
	uint16_t tail, head;
	uint8_t phase;
};

static struct guest drive;
static struct drive_queue drive_queue[NVME_QUEUES + 1];
static bool drive_shadowed;

static struct device *drive_make(struct machine *machine, const char *instance, const void *config,
	GError **error)
{
	return nvme_new(machine, instance, config, error);
}

static const struct device_type drive_type = {.section = "Disk", .create = drive_make};

GUEST_FN uint64_t drive_sq(unsigned q)
{
	return q ? DRIVE_QUEUES + 0x4000 * q : DRIVE_ADMIN_SQ;
}

GUEST_FN uint64_t drive_cq(unsigned q)
{
	return q ? DRIVE_QUEUES + 0x4000 * q + 0x2000 : DRIVE_ADMIN_CQ;
}

GUEST_FN void drive_config(unsigned offset, unsigned size, uint64_t value)
{
	bus_write(drive.machine.mmio, MACHINE_ECAM_BASE + ((uint64_t)GUEST_SLOT << 15) + offset, size,
		value);
}

/* MSI-X on and every vector open. */
GUEST_FN void drive_vectors(void)
{
	uint64_t cap, id, next, config = MACHINE_ECAM_BASE + ((uint64_t)GUEST_SLOT << 15);

	bus_read(drive.machine.mmio, config + PCI_CAP_POINTER, 1, &cap);
	for (; cap != 0; cap = next) {
		bus_read(drive.machine.mmio, config + cap, 1, &id);
		bus_read(drive.machine.mmio, config + cap + 1, 1, &next);
		if (id == PCI_CAP_MSIX)
			drive_config((unsigned)cap + 2, 2, 0x8000);
	}
	for (unsigned i = 0; i < NVME_QUEUES; i++)
		guest_write(&drive, 0x2000 + 16 * i + 12, 4, 0);
}

/* The admin queue, and the controller on; CSTS. */
GUEST_FN uint32_t drive_enable(void)
{
	memset(drive_queue, 0, sizeof(drive_queue));
	for (unsigned i = 0; i < NVME_QUEUES; i++)
		drive_queue[i].phase = 1;
	drive_shadowed = false;
	memset(guest_at(&drive, 0, DRIVE_DATA), 0, DRIVE_DATA);
	guest_write(&drive, 0x24, 4, (DRIVE_SIZE - 1) | (DRIVE_SIZE - 1) << 16);
	guest_write(&drive, 0x28, 8, DRIVE_ADMIN_SQ);
	guest_write(&drive, 0x30, 8, DRIVE_ADMIN_CQ);
	guest_write(&drive, 0x14, 4, 0x00460001);
	return (uint32_t)guest_read(&drive, 0x1c, 4);
}

/* Puts a command into a queue; its doorbell is another's matter. */
GUEST_FN void drive_put(unsigned q, const struct nvme_command *command)
{
	struct drive_queue *queue = &drive_queue[q];

	memory_write(drive.machine.memory, drive_sq(q) + 64 * queue->tail, command, 64);
	queue->tail = (uint16_t)((queue->tail + 1) % DRIVE_SIZE);
}

GUEST_FN void drive_ring(unsigned q)
{
	uint32_t tail = drive_queue[q].tail;

	if (drive_shadowed && q > 0)
		memory_write(drive.machine.memory, DRIVE_SHADOW + 8 * q, &tail, 4);
	guest_write(&drive, 0x1000 + 8 * q, 4, tail);
	guest_spin(&drive);
}

/* The next answer, if there is one; its place is given back. */
GUEST_FN bool drive_answer(unsigned q, struct nvme_completion *answer)
{
	struct drive_queue *queue = &drive_queue[q];
	uint32_t head;

	memory_read(drive.machine.memory, drive_cq(q) + 16 * queue->head, answer, 16);
	if ((answer->status & 1) != queue->phase)
		return false;
	queue->head = (uint16_t)((queue->head + 1) % DRIVE_SIZE);
	queue->phase ^= queue->head == 0;
	head = queue->head;
	if (drive_shadowed && q > 0)
		memory_write(drive.machine.memory, DRIVE_SHADOW + 8 * q + 4, &head, 4);
	guest_write(&drive, 0x1004 + 8 * q, 4, head);
	return true;
}

GUEST_FN bool drive_wait(unsigned q, struct nvme_completion *answer)
{
	for (unsigned i = 0; i < 2000; i++) {
		guest_spin(&drive);
		if (drive_answer(q, answer))
			return true;
		g_usleep(1000);
	}
	return false;
}

/* One command and its status without the phase; -1: none came. */
GUEST_FN int drive_run(unsigned q, struct nvme_command command, uint32_t *dw0)
{
	static uint16_t cid;
	struct nvme_completion answer;

	command.cid = ++cid;
	drive_put(q, &command);
	drive_ring(q);
	if (!drive_wait(q, &answer) || answer.cid != command.cid || answer.sq_id != q)
		return -1;
	if (dw0)
		*dw0 = answer.dw0;
	return answer.status >> 1;
}

GUEST_FN int drive_admin(uint8_t opcode, uint32_t cdw10, uint32_t cdw11, uint64_t prp1)
{
	return drive_run(0, (struct nvme_command){.opcode = opcode, .cdw10 = cdw10, .cdw11 = cdw11,
		.prp1 = prp1}, NULL);
}

/* I/O queue q with completion queue and vector q; the status of what failed, or 0. */
GUEST_FN int drive_create(unsigned q)
{
	int status = drive_admin(5, q | (DRIVE_SIZE - 1) << 16, 3 | q << 16, drive_cq(q));

	return status ? status : drive_admin(1, q | (DRIVE_SIZE - 1) << 16, 1 | q << 16, drive_sq(q));
}

GUEST_FN struct nvme_command drive_io(uint8_t opcode, uint64_t block, unsigned blocks, uint64_t prp1,
	uint64_t prp2)
{
	return (struct nvme_command){
		.opcode = opcode,
		.nsid = 1,
		.prp1 = prp1,
		.prp2 = prp2,
		.cdw10 = (uint32_t)block,
		.cdw11 = (uint32_t)(block >> 32),
		.cdw12 = blocks - 1,
	};
}

#endif
