/*
 * virtio-gpu as a hostile driver uses it. The port behind it checks the device's side of its
 * contract: known buffers of the size they claim, frames within them, every number once.
 */
#include "vmm/virtio_gpu.c"
#include "vmm/virtio_gpu_device.c"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/virtio_harness.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

enum { FUZZ_HEADS = 3 };

static struct port_buffer known[GPU_TOLD_MAX];
static uint64_t last_seq[PORT_HEADS];

static struct port_buffer *known_find(uint32_t id)
{
	for (unsigned i = 0; i < GPU_TOLD_MAX; i++)
		if (known[i].id == id)
			return &known[i];
	return NULL;
}

static int fuzz_buffer(struct seat_port *port, const struct port_buffer *buffer)
{
	struct port_buffer *slot = known_find(0);
	struct stat st;

	CHECK(buffer->id && !known_find(buffer->id));
	CHECK(slot);
	CHECK(fstat(buffer->fd, &st) == 0);
	CHECK(buffer->stride / 4 >= buffer->width);
	CHECK(st.st_size >= (off_t)buffer->stride * buffer->height);
	*slot = *buffer;
	return buffer->id % 16 == 15 ? (slot->id = 0, -ENOSPC) : 0;
}

static void fuzz_gone(struct seat_port *port, uint32_t id)
{
	struct port_buffer *slot = known_find(id);

	CHECK(id && slot);
	slot->id = 0;
}

static void check_within(const struct rect *rect, const struct port_buffer *buffer)
{
	CHECK((uint64_t)rect->x + rect->width <= buffer->width);
	CHECK((uint64_t)rect->y + rect->height <= buffer->height);
}

static void fuzz_frame(struct seat_port *port, const struct port_frame *frame)
{
	CHECK(frame->head < FUZZ_HEADS);
	CHECK(frame->seq == last_seq[frame->head] + 1);
	last_seq[frame->head] = frame->seq;
	if (!frame->buffer)
		return;
	CHECK(known_find(frame->buffer));
	check_within(&frame->source, known_find(frame->buffer));
	check_within(&frame->damage, known_find(frame->buffer));
}

static void fuzz_cursor(struct seat_port *port, unsigned head, uint32_t buffer, int32_t x, int32_t y,
	uint32_t hot_x, uint32_t hot_y)
{
	CHECK(head < FUZZ_HEADS);
	CHECK(!buffer || known_find(buffer));
}

static const struct seat_port_ops fuzz_ops = {
	.buffer = fuzz_buffer, .buffer_gone = fuzz_gone, .frame = fuzz_frame,
	.cursor = fuzz_cursor,
};

static void prepare(struct guest *guest)
{
	static struct seat_port port = { .ops = &fuzz_ops };

	memset(known, 0, sizeof(known));
	memset(last_seq, 0, sizeof(last_seq));
	guest->machine.port = &port;
	guest->config.share_class = SHARE_IDLE;
}

static void event(struct guest *guest, const uint8_t *data, size_t len)
{
	struct port_size heads[PORT_HEADS] = { 0 };
	unsigned head = len ? data[0] % FUZZ_HEADS : 0;

	memcpy(heads, data, MIN(len, sizeof(heads)));
	if (len < 2)
		guest_events->presented(guest_events_device, head, last_seq[head], 0, 0);
	else
		guest_events->resized(guest_events_device, heads, 1 + data[1] % PORT_HEADS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gpu_config config = { .width = 1280, .height = 720, .max_memory = 1 << 20,
		.heads = FUZZ_HEADS };
	static const struct virtio_fuzz fuzz = {
		.type = &virtio_gpu, .config = &config, .prepare = prepare, .event = event,
	};

	return virtio_fuzz_run(&fuzz, data, size);
}
