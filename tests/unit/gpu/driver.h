/*
 * A driver of virtio-gpu, through its rings, and a fake port that writes down what it is told. For one
 * test file: the device is part of it.
 */
#ifndef IRORI_TESTS_UNIT_GPU_DRIVER_H
#define IRORI_TESTS_UNIT_GPU_DRIVER_H

#include "vmm/virtio_gpu.c"
#include "vmm/virtio_gpu_device.c"

#include <fcntl.h>
#include <sys/mman.h>

#include "tests/unit/test.h"
#include "tests/unit/virtio/guest.h"

enum { SIDE = 64, BACKING = 0x100000, MEMORY = 16 << 20 };

static struct {
	unsigned buffers, gone, frames, cursors;
	uint64_t seq[PORT_HEADS];
	unsigned cursor_head;
	struct port_buffer buffer; /* the last; fd is a duplicate */
	uint32_t gone_id, cursor;
	struct port_frame frame;
	int refuse;
	void (*on_cursor)(void);
	char order[64]; /* B: buffer, F: frame, f: frame off, G: gone */
} seen;

static inline void seen_add(char what)
{
	size_t n = strlen(seen.order);

	if (n + 1 < sizeof(seen.order))
		seen.order[n] = what;
}

static inline int port_buffer(struct seat_port *port, const struct port_buffer *buffer)
{
	if (seen.refuse)
		return seen.refuse;
	if (seen.buffers++)
		close(seen.buffer.fd);
	seen.buffer = *buffer;
	seen.buffer.fd = dup(buffer->fd);
	seen_add('B');
	return 0;
}

static inline void port_gone(struct seat_port *port, uint32_t id)
{
	seen.gone++;
	seen.gone_id = id;
	seen_add('G');
}

static inline void port_frame(struct seat_port *port, const struct port_frame *frame)
{
	test_equal(frame->seq, ++seen.seq[frame->head]); /* never a gap, resets or not */
	seen.frames++;
	seen.frame = *frame;
	seen_add(frame->buffer ? 'F' : 'f');
}

static inline void port_cursor(struct seat_port *port, unsigned head, uint32_t buffer, int32_t x, int32_t y,
	uint32_t hot_x, uint32_t hot_y)
{
	seen.cursor_head = head;
	seen.cursors++;
	seen.cursor = buffer;
	if (seen.on_cursor)
		seen.on_cursor();
}

static const struct seat_port_ops port_ops = {
	.buffer = port_buffer, .buffer_gone = port_gone, .frame = port_frame,
	.cursor = port_cursor,
};
static struct seat_port port = { .ops = &port_ops };

static struct guest guest;
static struct gpu_config config;

static inline void start_with(unsigned n_heads)
{
	if (seen.buffers)
		close(seen.buffer.fd);
	memset(&seen, 0, sizeof(seen));
	config = (struct gpu_config) { .width = 1280, .height = 720, .max_memory = 8 << 20,
		.heads = n_heads };
	guest_open(&guest, MEMORY);
	guest.machine.port = &port;
	test_assert(guest_plug(&guest, &virtio_gpu, &config, NULL));
	guest_start(&guest, GPU_F_EDID);
	guest_spin(&guest);
}

static inline void start(void)
{
	start_with(1);
}

static inline void stop(void)
{
	guest_close(&guest);
}

static inline struct gpu *the_gpu(void)
{
	return gpu_of_device(guest.device);
}

static uint64_t reply_at;

/* Queues a command with room for an answer of reply_len. */
static inline void post(const void *request, size_t len, size_t reply_len)
{
	struct guest_buffer buffer[2] = { { guest_put(&guest, request, len), len, false } };

	buffer[1] = (struct guest_buffer) { guest_alloc(&guest, reply_len), reply_len, true };
	reply_at = buffer[1].addr;
	guest_add(&guest, CONTROL_QUEUE, buffer, 2);
}

static inline bool answered(void)
{
	uint32_t id, len;

	return guest_used(&guest, CONTROL_QUEUE, &id, &len);
}

static inline uint32_t reply_type(void)
{
	struct gpu_header header;

	memory_read(guest.machine.memory, reply_at, &header, sizeof(header));
	return header.type;
}

static inline uint32_t ask(const void *request, size_t len)
{
	post(request, len, sizeof(struct gpu_header));
	guest_kick(&guest, CONTROL_QUEUE);
	test_assert(answered());
	return reply_type();
}

static inline uint32_t create_as(uint32_t id, uint32_t format, uint32_t width, uint32_t height)
{
	union gpu_request r = { .create = { { .type = GPU_RESOURCE_CREATE_2D }, id, format, width,
		height } };

	return ask(&r, sizeof(r.create));
}

static inline uint32_t create(uint32_t id)
{
	return create_as(id, 2, SIDE, SIDE);
}

static inline uint32_t attach_parts(uint32_t id, const struct gpu_mem_entry *entry, unsigned n,
	unsigned claimed)
{
	union gpu_request r = { .attach = { { .type = GPU_ATTACH_BACKING }, id, claimed } };
	uint8_t *bytes = g_malloc0(sizeof(r.attach) + n * sizeof(*entry));
	uint32_t type;

	memcpy(bytes, &r, sizeof(r.attach));
	if (n)
		memcpy(bytes + sizeof(r.attach), entry, n * sizeof(*entry));
	type = ask(bytes, sizeof(r.attach) + n * sizeof(*entry));
	g_free(bytes);
	return type;
}

static inline uint32_t attach(uint32_t id)
{
	struct gpu_mem_entry entry = { BACKING, SIDE * SIDE * 4, 0 };

	return attach_parts(id, &entry, 1, 1);
}

static inline uint32_t named(uint32_t type, uint32_t id)
{
	union gpu_request r = { .name = { { .type = type }, id, 0 } };

	return ask(&r, sizeof(r.name));
}

static inline uint32_t set_scanout_of(uint32_t head, uint32_t id, struct rect rect)
{
	union gpu_request r = { .scanout = { { .type = GPU_SET_SCANOUT }, rect, head, id } };

	return ask(&r, sizeof(r.scanout));
}

static inline uint32_t set_scanout(uint32_t id, struct rect rect)
{
	return set_scanout_of(0, id, rect);
}

static inline uint32_t transfer(uint32_t id, struct rect rect, uint64_t offset)
{
	union gpu_request r = { .transfer = { { .type = GPU_TRANSFER_TO_HOST_2D }, rect, offset,
		id, 0 } };

	return ask(&r, sizeof(r.transfer));
}

static inline union gpu_request flush_request(uint32_t id, struct rect rect, uint32_t flags)
{
	return (union gpu_request) { .flush = { { .type = GPU_RESOURCE_FLUSH, .flags = flags,
		.fence_id = 42 }, rect, id, 0 } };
}

static inline uint32_t flush(uint32_t id, struct rect rect)
{
	union gpu_request r = flush_request(id, rect, 0);

	return ask(&r, sizeof(r.flush));
}

static inline void post_flush(uint32_t id, uint32_t flags)
{
	union gpu_request r = flush_request(id, (struct rect) { 0, 0, SIDE, SIDE }, flags);

	post(&r, sizeof(r.flush), sizeof(struct gpu_header));
}

static const struct rect whole = { 0, 0, SIDE, SIDE };

static inline void screen_on(uint32_t id)
{
	test_equal(create(id), GPU_OK_NODATA);
	test_equal(attach(id), GPU_OK_NODATA);
	test_equal(set_scanout(id, whole), GPU_OK_NODATA);
}

static inline uint32_t *backing(void)
{
	return guest_at(&guest, BACKING, SIDE * SIDE * 4);
}

/* A pixel as the seats see it. */
static inline uint32_t scanned(unsigned x, unsigned y)
{
	uint32_t pixel = 0;

	test_equal(pread(seen.buffer.fd, &pixel, 4, y * seen.buffer.stride + x * 4), 4);
	return pixel;
}

static inline void presented_on(unsigned head, uint64_t seq)
{
	guest_events->presented(guest_events_device, head, seq, 0, 0);
	guest_spin(&guest);
}

static inline void presented(uint64_t seq)
{
	presented_on(0, seq);
}

static inline void monitors(unsigned n, uint32_t width)
{
	struct port_size heads[PORT_HEADS];

	for (unsigned i = 0; i < n; i++)
		heads[i] = (struct port_size) { width + i, 1081 };
	guest_events->resized(guest_events_device, heads, n);
}

#endif
