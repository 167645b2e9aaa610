/* Fuzzes NVMe as its guest: registers, doorbells, commands with any PRPs, memory that changes. */
#include "tests/unit/virtio/nvme_guest.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	DISK_BYTES = 1 << 16,
	MEMORY = 2 << 20,
	STEPS = 200,
};

struct input {
	const uint8_t *data;
	size_t left;
};

static uint64_t take(struct input *input, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size && input->left > 0; i++, input->left--)
		value |= (uint64_t)*input->data++ << (8 * i);
	return value;
}

static void quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

/* An address that is likely to mean something. */
static uint64_t address(struct input *input)
{
	uint64_t value = take(input, 3);

	return value & 0x800000 ? value : (value % (MEMORY / 512)) * 512;
}

static void step_io(struct input *input)
{
	struct nvme_command command = {
		.opcode = (uint8_t)(take(input, 1) % 10),
		.nsid = 1,
		.prp1 = address(input),
		.prp2 = address(input),
		.cdw10 = (uint32_t)take(input, 1),
		.cdw11 = (uint32_t)take(input, 1) & 4,
		.cdw12 = (uint32_t)take(input, 2),
	};
	unsigned q = 1 + (unsigned)take(input, 1) % 3;

	drive_put(q, &command);
	drive_ring(q);
}

static void step_admin(struct input *input)
{
	struct nvme_command command = {
		.opcode = (uint8_t)take(input, 1),
		.flags = (uint8_t)(take(input, 1) & 0xc0),
		.nsid = (uint32_t)take(input, 1) & 3,
		.prp1 = address(input),
		.prp2 = address(input),
		.cdw10 = (uint32_t)take(input, 4),
		.cdw11 = (uint32_t)take(input, 4),
		.cdw12 = (uint32_t)take(input, 1),
	};

	drive_put(0, &command);
	drive_ring(0);
}

static void step_create(struct input *input)
{
	struct nvme_command command = {.opcode = 5, .cid = (uint16_t)take(input, 1)};
	unsigned q = 1 + (unsigned)take(input, 1) % 3;

	command.cdw10 = q | (DRIVE_SIZE - 1) << 16;
	command.cdw11 = 3 | q << 16;
	command.prp1 = drive_cq(q);
	drive_put(0, &command);
	command.opcode = 1;
	command.cdw11 = 1 | q << 16;
	command.prp1 = drive_sq(q);
	drive_put(0, &command);
	drive_ring(0);
	drive_queue[q] = (struct drive_queue){.phase = 1};
}

static void step_register(struct input *input)
{
	uint64_t offset = take(input, 2) % 0x4000;
	unsigned size = 1u << take(input, 1) % 4;

	guest_read(&drive, offset, size);
	guest_write(&drive, offset, size, take(input, size));
	guest_spin(&drive);
}

static void step_scribble(struct input *input)
{
	uint64_t at = address(input), value = take(input, 8);

	memory_write(drive.machine.memory, at, &value, 8);
}

static void step_answers(struct input *input)
{
	struct nvme_completion answer;
	unsigned q = (unsigned)take(input, 1) % 4;

	guest_spin(&drive);
	while (drive_answer(q, &answer))
		;
}

static void step_shadow(struct input *input)
{
	struct nvme_command command = {.opcode = 0x7c, .prp1 = DRIVE_SHADOW, .prp2 = DRIVE_WANTED};

	drive_put(0, &command);
	drive_ring(0);
	drive_shadowed = true;
}

static void step_again(struct input *input)
{
	if (take(input, 1) & 1)
		guest_reset(&drive);
	guest_write(&drive, 0x14, 4, 0);
	drive_enable();
}

static void (*const steps[])(struct input *input) = {
	step_io, step_io, step_io, step_admin, step_create, step_register, step_scribble,
	step_answers, step_shadow, step_again,
};

static const char *disk_path(void)
{
	static char path[64];
	int fd;

	if (path[0])
		return path;
	fd = memfd_create("disk", 0);
	if (fd < 0 || ftruncate(fd, DISK_BYTES) < 0)
		abort();
	g_snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct disk_config config = {
		.path = (char *)disk_path(),
		.engine = size & 1 ? DISK_ENGINE_AUTO : DISK_ENGINE_SYNC,
		.read_only = (size & 15) == 2,
	};

	if (!drive.machine.memory) {
		g_log_set_default_handler(quiet, NULL);
		guest_open(&drive, MEMORY);
	}
	memset(guest_at(&drive, 0, MEMORY), 0, MEMORY);
	pci_bus_reset(drive.machine.pci);
	if (!guest_plug(&drive, &drive_type, &config, NULL))
		abort();
	drive_enable();
	drive_vectors();
	step_create(&input);
	for (unsigned i = 0; i < STEPS && input.left > 0; i++)
		steps[take(&input, 1) % G_N_ELEMENTS(steps)](&input);
	drive.device->drain(drive.device);
	guest_unplug(&drive);
	return 0;
}
