/* NVMe from its guest's side: as drivers do it, and as none should. */
#include "tests/unit/virtio/nvme_guest.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "vmm/disk_internal.h"
#include "vmm/state.h"

enum {
	DISK = 1 << 20,
	BLOCKS = DISK / 512,
	FLUSH = 0,
	WRITE = 1,
	READ = 2,
	ZEROES = 8,
	DEALLOCATE = 9,
};

static char path[] = "/tmp/irori-test-nvme-XXXXXX";
static bool read_only;

static void plug(void)
{
	struct disk_config config = {.path = path, .read_only = read_only, .serial = (char *)"S1"};

	test_equal(truncate(path, 0), 0);
	test_equal(truncate(path, DISK), 0);
	guest_open(&drive, GUEST_MEMORY);
	test_assert(guest_plug(&drive, &drive_type, &config, NULL));
	test_equal(drive_enable(), 1);
	drive_vectors();
}

static void start(void)
{
	plug();
	test_equal(drive_create(1), 0);
}

static void unplug(void)
{
	guest_close(&drive);
}

static uint8_t *data_at(uint64_t offset)
{
	return guest_at(&drive, DRIVE_DATA + offset, 1);
}

static void identify(void)
{
	uint32_t dw0;

	plug();
	test_equal(drive_admin(6, 1, 0, DRIVE_DATA), 0);
	test_assert(memcmp(data_at(4), "S1                  ", 20) == 0);
	test_equal(*data_at(77), NVME_MDTS);
	test_equal(drive_run(0, (struct nvme_command){.opcode = 6, .nsid = 1, .prp1 = DRIVE_DATA},
			   NULL), 0);
	test_equal(*(uint64_t *)(void *)data_at(0), BLOCKS);
	test_equal(*data_at(128 + 2), 9);
	test_equal(drive_run(0, (struct nvme_command){.opcode = 6, .cdw10 = 2, .prp1 = DRIVE_DATA},
			   NULL), 0);
	test_equal(*(uint64_t *)(void *)data_at(0), 1);
	test_equal(drive_run(0, (struct nvme_command){.opcode = 6, .nsid = 1, .cdw10 = 3,
					.prp1 = DRIVE_DATA}, NULL), 0);
	test_equal(*data_at(0), 3);
	test_equal(drive_run(0, (struct nvme_command){.opcode = 6, .nsid = 2, .prp1 = DRIVE_DATA},
			   NULL), NVME_BAD_NAMESPACE);
	test_equal(drive_admin(6, 4, 0, DRIVE_DATA), NVME_BAD_FIELD);
	test_equal(drive_admin(6, 1, 0, GUEST_MEMORY), NVME_TRANSFER_ERROR);
	test_equal(drive_admin(6, 1, 0, UINT64_MAX - 3), NVME_TRANSFER_ERROR);
	test_equal(drive_admin(6, 1, 0, DRIVE_DATA + 1), NVME_BAD_PRP_OFFSET);
	test_equal(drive_run(0, (struct nvme_command){.opcode = 9, .cdw10 = 7, .cdw11 = 0x300030},
			   &dw0), 0);
	test_equal(dw0, 0x70007);
	test_equal(drive_run(0, (struct nvme_command){.opcode = 10, .cdw10 = 6}, &dw0), 0);
	test_equal(dw0, 1);
	test_equal(drive_admin(10, 0x30, 0, 0), NVME_BAD_FIELD);
	test_equal(drive_admin(2, 2 | 127 << 16, 0, DRIVE_DATA), 0);
	test_equal(*data_at(3), 100);
	test_equal(drive_admin(2, 77 | 127 << 16, 0, DRIVE_DATA), NVME_BAD_LOG);
	test_equal(drive_admin(2, 2 | 0xffffu << 16, 0xffff, DRIVE_DATA), NVME_BAD_FIELD);
	test_equal(drive_admin(0x7f, 0, 0, 0), NVME_BAD_OPCODE);
	test_equal(drive_admin(0xff, 0, 0, 0), NVME_BAD_OPCODE);
	unplug();
}

static void transfers(void)
{
	struct nvme_command command;
	uint64_t list[8];

	start();
	for (unsigned i = 0; i < 65536; i++)
		*data_at(i) = (uint8_t)(i / 512 + i);
	/* One page; a page and the next; a list, which begins within a page. */
	test_equal(drive_run(1, drive_io(WRITE, 0, 8, DRIVE_DATA, 0), NULL), 0);
	test_equal(drive_run(1, drive_io(WRITE, 8, 8, DRIVE_DATA + 0x1200, DRIVE_DATA + 0x2000), NULL),
		0);
	for (unsigned i = 0; i < 8; i++)
		list[i] = DRIVE_DATA + 0x8000 - 0x1000 * i;
	memory_write(drive.machine.memory, DRIVE_DATA + 0x80000 + 0xfd0, list, 48);
	list[5] = DRIVE_DATA + 0x90000; /* the list goes on there */
	memory_write(drive.machine.memory, DRIVE_DATA + 0x80000 + 0xfd0, list, 48);
	list[5] = DRIVE_DATA + 0x8000 - 0x1000 * 5;
	memory_write(drive.machine.memory, DRIVE_DATA + 0x90000, list + 5, 24);
	test_equal(drive_run(1, drive_io(WRITE, 100, 64, DRIVE_DATA, DRIVE_DATA + 0x80fd0), NULL), 0);
	test_equal(drive_run(1, drive_io(READ, 0, 16, DRIVE_DATA + 0x40000, DRIVE_DATA + 0xa0000), NULL),
		NVME_OK);
	test_assert(memcmp(data_at(0x40000), data_at(0), 4096) == 0);
	test_assert(memcmp(data_at(0xa0000), data_at(0x1200), 0xe00) == 0);
	test_equal(drive_run(1, drive_io(READ, 108, 8, DRIVE_DATA + 0x40000, 0), NULL), 0);
	test_assert(memcmp(data_at(0x40000), data_at(0x8000), 4096) == 0);
	test_equal(drive_run(1, drive_io(READ, 100 + 8 * 6, 8, DRIVE_DATA + 0x40000, 0), NULL), 0);
	test_assert(memcmp(data_at(0x40000), data_at(0x3000), 4096) == 0);
	command = drive_io(WRITE, 20, 1, DRIVE_DATA, 0);
	command.cdw12 |= 1 << 30;
	test_equal(drive_run(1, command, NULL), 0);
	test_equal(drive_run(1, drive_io(FLUSH, 0, 1, 0, 0), NULL), 0);
	test_assert(drive.raised[1] > 0);
	unplug();
}

static void refusals(void)
{
	static const struct {
		uint64_t block;
		unsigned blocks;
		uint64_t prp1, prp2;
		int status;
	} cases[] = {
		{BLOCKS, 1, DRIVE_DATA, 0, NVME_BAD_LBA},
		{BLOCKS - 1, 2, DRIVE_DATA, 0, NVME_BAD_LBA},
		{UINT64_MAX, 2, DRIVE_DATA, 0, NVME_BAD_LBA},
		{UINT64_MAX / 512, 8, DRIVE_DATA, 0, NVME_BAD_LBA},
		{0, 65536, DRIVE_DATA, 0, NVME_BAD_FIELD},
		{0, 8, GUEST_MEMORY - 512, GUEST_MEMORY, NVME_TRANSFER_ERROR},
		{0, 8, GUEST_MEMORY, 0, NVME_TRANSFER_ERROR},
		{0, 16, DRIVE_DATA, GUEST_MEMORY, NVME_TRANSFER_ERROR},
		{0, 16, DRIVE_DATA, DRIVE_DATA + 4, NVME_BAD_PRP_OFFSET},
		{0, 64, DRIVE_DATA, GUEST_MEMORY, NVME_TRANSFER_ERROR},
		{0, 64, DRIVE_DATA, DRIVE_DATA + 4, NVME_BAD_PRP_OFFSET},
		/* A list whose every page names itself as the next. */
		{0, 2000, DRIVE_DATA, DRIVE_DATA + 0xff8, NVME_BAD_FIELD},
	};
	struct nvme_command command;
	uint64_t self = DRIVE_DATA + 0xff8;

	start();
	memory_write(drive.machine.memory, self, &self, 8);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		int status = drive_run(1, drive_io(READ, cases[i].block, cases[i].blocks,
			cases[i].prp1, cases[i].prp2), NULL);

		test_equal(status, cases[i].status);
	}
	command = drive_io(READ, 0, 1, DRIVE_DATA, 0);
	command.nsid = 2;
	test_equal(drive_run(1, command, NULL), NVME_BAD_NAMESPACE);
	command.nsid = 1;
	command.flags = 0x40;
	test_equal(drive_run(1, command, NULL), NVME_BAD_FIELD);
	test_equal(drive_run(1, drive_io(5, 0, 1, DRIVE_DATA, 0), NULL), NVME_BAD_OPCODE);
	test_equal(drive_run(1, drive_io(255, 0, 1, DRIVE_DATA, 0), NULL), NVME_BAD_OPCODE);
	test_equal(drive_run(1, drive_io(READ, 0, 1, DRIVE_DATA, 0), NULL), 0);
	unplug();
}

static void erasing(void)
{
	struct nvme_range ranges[3] = {{.blocks = 8, .block = 8}, {.blocks = 0}, {0, 1, 20}};
	struct nvme_command command;

	start();
	memset(data_at(0), 7, 32768);
	for (unsigned i = 0; i < 4; i++)
		test_equal(drive_run(1, drive_io(WRITE, i * 8, 8, DRIVE_DATA, 0), NULL), 0);
	memory_write(drive.machine.memory, DRIVE_DATA + 0x10000, ranges, sizeof(ranges));
	command = (struct nvme_command){.opcode = DEALLOCATE, .nsid = 1, .cdw10 = 2, .cdw11 = 4,
		.prp1 = DRIVE_DATA + 0x10000};
	test_equal(drive_run(1, command, NULL), 0);
	test_equal(drive_run(1, drive_io(READ, 0, 16, DRIVE_DATA, DRIVE_DATA + 4096), NULL), 0);
	test_equal(*data_at(4095), 7);
	test_equal(*data_at(4096), 0);
	test_equal(drive_run(1, drive_io(READ, 16, 8, DRIVE_DATA, 0), NULL), 0);
	test_equal(*data_at(4 * 512), 0);
	test_equal(*data_at(5 * 512), 7);
	ranges[1] = (struct nvme_range){.blocks = 2, .block = BLOCKS - 1};
	memory_write(drive.machine.memory, DRIVE_DATA + 0x10000, ranges, sizeof(ranges));
	test_equal(drive_run(1, command, NULL), NVME_BAD_LBA);
	test_equal(drive_run(1, drive_io(ZEROES, 0, 8, 0, 0), NULL), 0);
	test_equal(drive_run(1, drive_io(READ, 0, 8, DRIVE_DATA, 0), NULL), 0);
	test_equal(*data_at(0), 0);
	test_equal(drive_run(1, drive_io(ZEROES, BLOCKS - 1, 2, 0, 0), NULL), NVME_BAD_LBA);
	unplug();
}

static const struct disk_layer_ops *able_ops;

static void unable_queue(struct disk *disk, struct disk_io *io)
{
	if (io->operation != DISK_PUNCH && io->operation != DISK_ZERO) {
		able_ops->queue(disk, io);
		return;
	}
	io->operation = DISK_PUNCH; /* as the file does before it gives up */
	disk_ended(disk, io, -EOPNOTSUPP);
}

/* A host without holes: of a hint that is no error, of zeros it is. */
static void host_without_holes(void)
{
	struct nvme_range ranges[2] = {{.blocks = 1}, {.blocks = 1, .block = 8}};
	struct nvme_command command = {.opcode = DEALLOCATE, .nsid = 1, .cdw10 = 1, .cdw11 = 4,
		.prp1 = DRIVE_DATA};
	struct disk_layer_ops ops;
	struct disk *disk;

	start();
	disk = ((struct nvme *)drive.device)->disk;
	able_ops = disk->ops;
	ops = *disk->ops;
	ops.queue = unable_queue;
	disk->ops = &ops;
	memory_write(drive.machine.memory, DRIVE_DATA, ranges, sizeof(ranges));
	test_equal(drive_run(1, command, NULL), 0);
	test_equal(drive_run(1, drive_io(ZEROES, 0, 8, 0, 0), NULL), NVME_BAD_OPCODE);
	command = drive_io(ZEROES, 0, 8, 0, 0);
	command.cdw12 |= 1 << 25; /* and may be deallocated */
	test_equal(drive_run(1, command, NULL), NVME_BAD_OPCODE);
	disk->ops = able_ops;
	unplug();
}

static void queues(void)
{
	plug();
	test_equal(drive_admin(5, 0 | 15 << 16, 3, drive_cq(1)), NVME_BAD_QUEUE_ID);
	test_equal(drive_admin(5, NVME_QUEUES | 15 << 16, 3, drive_cq(1)), NVME_BAD_QUEUE_ID);
	test_equal(drive_admin(5, 1, 3, drive_cq(1)), NVME_BAD_QUEUE_SIZE);
	test_equal(drive_admin(5, 1 | NVME_ENTRIES_MAX << 16, 3, drive_cq(1)), NVME_BAD_QUEUE_SIZE);
	test_equal(drive_admin(5, 1 | 15 << 16, 2, drive_cq(1)), NVME_BAD_FIELD);
	test_equal(drive_admin(5, 1 | 15 << 16, 3, drive_cq(1) + 64), NVME_BAD_FIELD);
	test_equal(drive_admin(5, 1 | 15 << 16, 3, GUEST_MEMORY), NVME_BAD_FIELD);
	test_equal(drive_admin(5, 1 | 15 << 16, 3 | 100 << 16, drive_cq(1)), NVME_BAD_VECTOR);
	test_equal(drive_admin(1, 1 | 15 << 16, 1 | 1 << 16, drive_sq(1)), NVME_BAD_CQ);
	test_equal(drive_create(1), 0);
	test_equal(drive_create(1), NVME_BAD_QUEUE_ID);
	test_equal(drive_admin(4, 1, 0, 0), NVME_BAD_DELETION);
	test_equal(drive_admin(0, 2, 0, 0), NVME_BAD_QUEUE_ID);
	test_equal(drive_admin(0, 0, 0, 0), NVME_BAD_QUEUE_ID);
	test_equal(drive_admin(0, 1, 0, 0), 0);
	test_equal(drive_admin(4, 1, 0, 0), 0);
	drive_queue[1] = (struct drive_queue){.phase = 1};
	memset(guest_at(&drive, drive_cq(1), 16), 0, 16);
	test_equal(drive_create(1), 0);
	test_equal(drive_run(1, drive_io(READ, 0, 1, DRIVE_DATA, 0), NULL), 0);
	/* Doorbells of nothing, and tails that are none. */
	for (unsigned i = 0; i < 2 * NVME_QUEUES + 4; i++)
		guest_write(&drive, 0x1000 + 4 * i, 4, 0xfffff);
	guest_spin(&drive);
	unplug();
}

/* A driver that never moves the head of its completion queue stops itself. */
static void no_room_for_answers(void)
{
	struct nvme_completion answer;
	struct nvme_command command;
	unsigned n = 0;

	start();
	for (unsigned i = 0; i < DRIVE_SIZE - 1; i++) {
		command = drive_io(READ, i, 1, DRIVE_DATA, 0);
		drive_put(1, &command);
	}
	drive_ring(1);
	for (unsigned i = 0; i < 100; i++) {
		guest_spin(&drive);
		g_usleep(1000);
	}
	for (unsigned i = 0; i < 5; i++) { /* taken in already: their places are free in the SQ */
		command = drive_io(READ, i, 1, DRIVE_DATA, 0);
		drive_put(1, &command);
	}
	drive_ring(1);
	test_equal(((struct nvme *)drive.device)->sq[1].head, DRIVE_SIZE - 1);
	while (drive_wait(1, &answer) && ++n < DRIVE_SIZE - 1 + 5)
		;
	test_equal(n, DRIVE_SIZE - 1 + 5);
	unplug();
}

static void doorbell_buffers(void)
{
	struct nvme_completion answer;
	uint32_t tail;

	start();
	test_equal(drive_run(0, (struct nvme_command){.opcode = 0x7c, .prp1 = DRIVE_SHADOW,
					.prp2 = GUEST_MEMORY}, NULL), NVME_BAD_FIELD);
	test_equal(drive_run(0, (struct nvme_command){.opcode = 0x7c, .prp1 = DRIVE_SHADOW,
					.prp2 = DRIVE_WANTED}, NULL), 0);
	drive_shadowed = true;
	for (unsigned i = 0; i < 40; i++)
		test_equal(drive_run(1, drive_io(READ, 0, 1, DRIVE_DATA, 0), NULL), 0);
	/* It asks to be rung from where it is. */
	memory_read(drive.machine.memory, DRIVE_WANTED + 8, &tail, 4);
	test_equal(tail, 40 % DRIVE_SIZE);
	test_equal(drive_create(2), 0);
	test_equal(drive_run(2, drive_io(READ, 0, 1, DRIVE_DATA, 0), NULL), 0);
	tail = 0xffffffff; /* nonsense in memory is no tail */
	memory_write(drive.machine.memory, DRIVE_SHADOW + 8, &tail, 4);
	guest_write(&drive, 0x1000 + 8, 4, 0);
	guest_spin(&drive);
	test_assert(!drive_answer(1, &answer));
	unplug();
}

static void life(void)
{
	plug();
	for (unsigned i = 0; i < NVME_EVENTS; i++) {
		struct nvme_command command = {.opcode = 12};

		drive_put(0, &command);
	}
	drive_ring(0);
	test_equal(drive_admin(12, 0, 0, 0), NVME_TOO_MANY_EVENTS);
	guest_write(&drive, 0x14, 4, 0x00464001); /* shutdown */
	for (unsigned i = 0; i < 1000 && (guest_read(&drive, 0x1c, 4) & 0xc) != 8; i++) {
		guest_spin(&drive);
		g_usleep(1000);
	}
	test_equal(guest_read(&drive, 0x1c, 4), 9);
	guest_write(&drive, 0x14, 4, 0);
	test_equal(guest_read(&drive, 0x1c, 4), 0);
	test_equal(drive_enable(), 1);
	test_equal(drive_create(1), 0);
	guest_write(&drive, 0x14, 4, 0);
	guest_write(&drive, 0x28, 8, GUEST_MEMORY); /* queues outside memory */
	guest_write(&drive, 0x14, 4, 0x00460001);
	test_equal(guest_read(&drive, 0x1c, 4), 2);
	guest_write(&drive, 0x14, 4, 0);
	guest_write(&drive, 0x28, 8, DRIVE_ADMIN_SQ);
	guest_write(&drive, 0x14, 4, 0x00460081); /* pages of 8 KiB */
	test_equal(guest_read(&drive, 0x1c, 4), 2);
	guest_reset(&drive);
	test_equal(guest_read(&drive, 0x14, 4), 0);
	test_equal(drive_enable(), 1);
	drive_vectors();
	test_equal(drive_create(1), 0);
	test_equal(drive_run(1, drive_io(READ, 0, 1, DRIVE_DATA, 0), NULL), 0);
	unplug();
}

static void without_messages(void)
{
	struct nvme_completion answer;
	struct nvme_command command = {.opcode = 10, .cdw10 = 6};
	struct disk_config config = {.path = path};
	struct nvme *nvme;

	guest_open(&drive, GUEST_MEMORY);
	test_assert(guest_plug(&drive, &drive_type, &config, NULL));
	nvme = (struct nvme *)drive.device;
	test_equal(drive_enable(), 1);
	drive_put(0, &command);
	drive_ring(0);
	test_assert(nvme->pci.intx);
	guest_write(&drive, 0x0c, 4, 1);
	test_assert(!nvme->pci.intx);
	guest_write(&drive, 0x10, 4, 1);
	test_assert(nvme->pci.intx);
	test_assert(drive_answer(0, &answer)); /* and with the head the pin goes low */
	test_assert(!nvme->pci.intx);
	unplug();
}

static void read_only_disk(void)
{
	read_only = true;
	start();
	test_equal(drive_run(1, drive_io(WRITE, 0, 1, DRIVE_DATA, 0), NULL), NVME_READ_ONLY);
	test_equal(drive_run(1, drive_io(ZEROES, 0, 1, 0, 0), NULL), NVME_READ_ONLY);
	test_equal(drive_run(1, drive_io(READ, 0, 1, DRIVE_DATA, 0), NULL), 0);
	read_only = false;
	unplug();
}

/* A guest that was saved goes on where it was; a file that was tampered with is refused. */
static void saved(void)
{
	struct disk_config config = {.path = path};
	struct state *state = state_new_saving();
	struct drive_queue queues_then[NVME_QUEUES + 1];
	struct nvme_command waiting = drive_io(READ, 0, 1, DRIVE_DATA, 0);
	struct nvme_completion answer;
	g_autofree uint8_t *memory = g_malloc(GUEST_MEMORY);
	GBytes *bytes;

	start();
	test_equal(drive_run(1, drive_io(READ, 0, 1, DRIVE_DATA, 0), NULL), 0);
	/* One that nobody has looked at: it is not begun any more, and not forgotten. */
	drive_put(1, &waiting);
	guest_write(&drive, 0x1000 + 8, 4, drive_queue[1].tail);
	drive.device->drain(drive.device);
	test_assert(!drive_answer(1, &answer));
	drive.device->state(drive.device, state);
	test_assert(!state_failed(state));
	bytes = state_take(state);
	state_free(state);
	memcpy(memory, guest_at(&drive, 0, GUEST_MEMORY), GUEST_MEMORY);
	memcpy(queues_then, drive_queue, sizeof(drive_queue));
	unplug();
	guest_open(&drive, GUEST_MEMORY);
	test_assert(guest_plug(&drive, &drive_type, &config, NULL));
	memcpy(guest_at(&drive, 0, GUEST_MEMORY), memory, GUEST_MEMORY);
	memcpy(drive_queue, queues_then, sizeof(drive_queue));
	state = state_new_loading(g_bytes_ref(bytes));
	drive.device->state(drive.device, state);
	test_assert(!state_failed(state) && state_at_end(state));
	state_free(state);
	test_assert(drive_wait(1, &answer) && answer.status >> 1 == 0);
	test_equal(drive_run(1, drive_io(READ, 0, 1, DRIVE_DATA, 0), NULL), 0);
	for (gsize i = 0, len = g_bytes_get_size(bytes); i < len; i += 3) {
		uint8_t *copy = g_memdup2(g_bytes_get_data(bytes, NULL), len);

		copy[i] ^= 0xff;
		nvme_queues_reset((struct nvme *)drive.device);
		state = state_new_loading(g_bytes_new_take(copy, len));
		drive.device->state(drive.device, state);
		state_free(state);
		guest_spin(&drive);
	}
	g_bytes_unref(bytes);
	unplug();
}

static void quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

int main(void)
{
	int fd = mkstemp(path);

	test_assert(fd >= 0);
	close(fd);
	g_log_set_default_handler(quiet, NULL);
	test_run(identify);
	test_run(transfers);
	test_run(refusals);
	test_run(erasing);
	test_run(host_without_holes);
	test_run(queues);
	test_run(no_room_for_answers);
	test_run(doorbell_buffers);
	test_run(life);
	test_run(without_messages);
	test_run(read_only_disk);
	test_run(saved);
	unlink(path);
	return 0;
}
