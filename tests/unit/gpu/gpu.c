/*
 * virtio-gpu through its rings.
 */
#include "tests/unit/gpu/driver.h"

static void pixels_reach_the_seats(void)
{
	start();
	screen_on(1);
	for (unsigned i = 0; i < SIDE * SIDE; i++)
		backing()[i] = i;
	test_equal(seen.frames, 0); /* a scanout alone shows nothing yet */
	test_equal(transfer(1, whole, 0), GPU_OK_NODATA);
	test_equal(flush(1, (struct rect) { 1, 2, 3, 4 }), GPU_OK_NODATA);
	test_equal(seen.frames, 1);
	test_equal(seen.buffer.width, SIDE);
	test_equal(seen.frame.buffer, seen.buffer.id);
	test_equal(seen.frame.damage.y, 2);
	test_equal(seen.frame.source.width, SIDE);
	for (unsigned i = 0; i < SIDE * SIDE; i++)
		test_equal(scanned(i % SIDE, i / SIDE), i);
	/* A part of it, from elsewhere in the backing. */
	backing()[9 * SIDE + 9] = 0xabcdef;
	test_equal(transfer(1, (struct rect) { 5, 6, 1, 1 }, (9 * SIDE + 9) * 4), GPU_OK_NODATA);
	test_equal(scanned(5, 6), 0xabcdef);
	test_equal(scanned(6, 6), 6 * SIDE + 6);
	test_equal(scanned(9, 9), 9 * SIDE + 9);
	stop();
}

static void seats_cannot_write_or_shrink(void)
{
	start();
	screen_on(1);
	flush(1, whole);
	test_assert(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, seen.buffer.fd, 0) ==
		MAP_FAILED);
	test_assert(ftruncate(seen.buffer.fd, 0) < 0);
	test_assert(pwrite(seen.buffer.fd, "x", 1, 0) < 0);
	stop();
}

static void scattered_backing(void)
{
	struct gpu_mem_entry entry[SIDE * 2];

	start();
	test_equal(create(1), GPU_OK_NODATA);
	/* Odd pieces, back to front, so that pixels straddle them; empty ones between. */
	for (unsigned i = 0; i < SIDE; i++) {
		entry[2 * i] = (struct gpu_mem_entry) {
			BACKING + (SIDE - 1 - i) * 0x200, i % 2 ? SIDE * 4 - 3 : SIDE * 4 + 3, 0 };
		entry[2 * i + 1] = (struct gpu_mem_entry) { UINT64_MAX, 0, 0 };
	}
	test_equal(attach_parts(1, entry, SIDE * 2, SIDE * 2), GPU_OK_NODATA);
	test_equal(set_scanout(1, whole), GPU_OK_NODATA);
	for (unsigned i = 0, at = 0; i < SIDE; i++) {
		uint8_t *piece = guest_at(&guest, entry[2 * i].addr, entry[2 * i].len);

		for (unsigned j = 0; j < entry[2 * i].len; j++)
			piece[j] = (uint8_t)(at++ * 7);
	}
	test_equal(transfer(1, whole, 0), GPU_OK_NODATA);
	test_equal(flush(1, whole), GPU_OK_NODATA);
	for (unsigned i = 0; i < SIDE * SIDE; i++) {
		uint8_t byte;

		test_equal(pread(seen.buffer.fd, &byte, 1, i * 4 + 1), 1);
		test_equal(byte, (uint8_t)((i * 4 + 1) * 7));
	}
	stop();
}

static void formats_become_ours(void)
{
	static const struct {
		uint32_t format;
		uint8_t bytes[4]; /* of blue 0x11, green 0x22, red 0x33, alpha 0x44 */
	} rows[] = {
		{ 1, { 0x11, 0x22, 0x33, 0x44 } }, { 2, { 0x11, 0x22, 0x33, 0x44 } },
		{ 3, { 0x44, 0x33, 0x22, 0x11 } }, { 4, { 0x44, 0x33, 0x22, 0x11 } },
		{ 67, { 0x33, 0x22, 0x11, 0x44 } }, { 68, { 0x44, 0x11, 0x22, 0x33 } },
		{ 121, { 0x44, 0x11, 0x22, 0x33 } }, { 134, { 0x33, 0x22, 0x11, 0x44 } },
	};

	start();
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint32_t id = i + 1;

		test_equal(create_as(id, rows[i].format, SIDE, SIDE), GPU_OK_NODATA);
		test_equal(attach(id), GPU_OK_NODATA);
		test_equal(set_scanout(id, whole), GPU_OK_NODATA);
		memcpy(backing() + 3, rows[i].bytes, 4);
		test_equal(transfer(id, whole, 0), GPU_OK_NODATA);
		test_equal(flush(id, whole), GPU_OK_NODATA);
		test_equal(scanned(3, 0), 0x44332211);
	}
	test_equal(create_as(99, 5, SIDE, SIDE), GPU_ERR_INVALID_PARAMETER);
	stop();
}

static void fenced_flush_waits_for_the_vblank(void)
{
	struct gpu_header header;
	uint64_t first;

	start();
	screen_on(1);
	post_flush(1, GPU_FLAG_FENCE);
	first = reply_at;
	post_flush(1, GPU_FLAG_FENCE);
	post_flush(1, 0);
	guest_kick(&guest, CONTROL_QUEUE);
	test_equal(seen.frames, 1); /* the second waits behind the first */
	test_assert(!answered());
	guest_kick(&guest, CONTROL_QUEUE); /* kicking does not help */
	presented(0);
	test_assert(!answered());
	presented(1);
	test_equal(seen.frames, 2);
	test_assert(answered());
	test_assert(!answered());
	memory_read(guest.machine.memory, first, &header, sizeof(header));
	test_equal(header.type, GPU_OK_NODATA);
	test_equal(header.flags, GPU_FLAG_FENCE);
	test_equal(header.fence_id, 42);
	presented(2);
	test_equal(seen.frames, 3);
	test_assert(answered());
	test_assert(answered()); /* the unfenced one does not wait */
	test_assert(!answered());
	stop();
}

static void flush_elsewhere_does_not_wait(void)
{
	start();
	screen_on(1);
	test_equal(create(2), GPU_OK_NODATA);
	post_flush(2, GPU_FLAG_FENCE);
	guest_kick(&guest, CONTROL_QUEUE);
	test_assert(answered());
	test_equal(seen.frames, 0);
	stop();
}

/* Flushes without a fence are answered at once, but not without end: seats are told of each. */
static void guests_do_not_run_away(void)
{
	start();
	screen_on(1);
	for (unsigned i = 0; i < GPU_AHEAD_MAX - 1; i++)
		test_equal(flush(1, whole), GPU_OK_NODATA);
	post_flush(1, 0);
	post_flush(1, 0); /* waits behind it */
	guest_kick(&guest, CONTROL_QUEUE);
	test_assert(!answered());
	test_equal(seen.frames, GPU_AHEAD_MAX);
	presented(seen.frame.seq - 1);
	test_assert(!answered());
	presented(seen.frame.seq);
	test_assert(answered() && answered());
	test_equal(reply_type(), GPU_OK_NODATA);
	test_equal(seen.frames, GPU_AHEAD_MAX + 1);
	test_equal(flush(1, whole), GPU_OK_NODATA);
	stop();
}

static void reset_while_waiting(void)
{
	start();
	screen_on(1);
	post_flush(1, GPU_FLAG_FENCE);
	guest_kick(&guest, CONTROL_QUEUE);
	guest_reset(&guest);
	guest_spin(&guest);
	test_assert(!strcmp(seen.order, "BFfG")); /* off first, then the buffer goes */
	presented(1);
	presented(2);
	guest_start(&guest, 0);
	screen_on(1); /* the same name is free again */
	test_equal(the_gpu()->budget.used, SIDE * SIDE * 4 + sizeof(struct gpu_part));
	post_flush(1, GPU_FLAG_FENCE);
	guest_kick(&guest, CONTROL_QUEUE);
	test_assert(!answered());
	presented(3);
	test_assert(answered());
	test_equal(seen.buffer.id, 2); /* the seats never see a number twice */
	stop();
}

static void reset_by_the_driver(void)
{
	start();
	screen_on(1);
	flush(1, whole);
	guest_start(&guest, 0); /* writes 0 to status first; kicks before the loop has turned */
	post_flush(1, 0);
	guest_kick(&guest, CONTROL_QUEUE);
	test_assert(!strcmp(seen.order, "BFfG"));
	test_equal(reply_type(), GPU_ERR_INVALID_RESOURCE_ID);
	stop();
}

static void unref_of_the_scanout(void)
{
	start();
	screen_on(1);
	flush(1, whole);
	test_equal(named(GPU_RESOURCE_UNREF, 1), GPU_OK_NODATA);
	test_assert(!strcmp(seen.order, "BFfG"));
	test_equal(the_gpu()->budget.used, 0);
	test_equal(flush(1, whole), GPU_ERR_INVALID_RESOURCE_ID);
	test_equal(named(GPU_RESOURCE_UNREF, 1), GPU_ERR_INVALID_RESOURCE_ID);
	stop();
}

static void scanout_off(void)
{
	start();
	screen_on(1);
	test_equal(set_scanout(0, (struct rect) { 0 }), GPU_OK_NODATA);
	test_equal(seen.frames, 0); /* it was not on */
	test_equal(set_scanout(1, whole), GPU_OK_NODATA);
	flush(1, whole);
	test_equal(set_scanout(0, (struct rect) { 0 }), GPU_OK_NODATA);
	test_equal(seen.frames, 2);
	test_equal(seen.frame.buffer, 0);
	test_equal(flush(1, whole), GPU_OK_NODATA);
	test_equal(seen.frames, 2);
	stop();
}

static void rectangles_are_checked(void)
{
	static const struct rect bad[] = {
		{ 0, 0, 0, 1 }, { 0, 0, 1, 0 }, { 0, 0, SIDE + 1, 1 }, { 0, 0, 1, SIDE + 1 },
		{ SIDE, 0, 1, 1 }, { 0, SIDE, 1, 1 }, { 1, 0, SIDE, 1 }, { 0, 1, 1, SIDE },
		{ UINT32_MAX, 0, 2, 1 }, { 0, UINT32_MAX, 1, 2 }, { 1, 0, UINT32_MAX, 1 },
		{ 0, 1, 1, UINT32_MAX }, { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX },
	};

	start();
	screen_on(1);
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		test_equal(transfer(1, bad[i], 0), GPU_ERR_INVALID_PARAMETER);
		test_equal(flush(1, bad[i]), GPU_ERR_INVALID_PARAMETER);
		test_equal(set_scanout(1, bad[i]), GPU_ERR_INVALID_PARAMETER);
	}
	test_equal(seen.frames, 0);
	stop();
}

static void backing_is_checked(void)
{
	struct gpu_mem_entry entry[2] = {
		{ BACKING, SIDE * SIDE * 4 - 4, 0 }, { UINT64_MAX - 1, 16, 0 } };
	uint64_t len = SIDE * SIDE * 4;

	start();
	test_equal(create(1), GPU_OK_NODATA);
	test_equal(transfer(1, whole, 0), GPU_ERR_INVALID_PARAMETER); /* none */
	test_equal(attach_parts(1, entry, 1, 1), GPU_OK_NODATA);
	test_equal(transfer(1, whole, 0), GPU_ERR_INVALID_PARAMETER); /* too short */
	test_equal(attach_parts(1, entry, 2, 2), GPU_OK_NODATA);
	test_equal(transfer(1, whole, 0), GPU_ERR_UNSPEC); /* wraps around the address space */
	entry[1].addr = MEMORY - 2;
	test_equal(attach_parts(1, entry, 2, 2), GPU_OK_NODATA);
	test_equal(transfer(1, whole, 0), GPU_ERR_UNSPEC); /* past the end of RAM */
	test_equal(attach_parts(1, entry, 1, 2), GPU_ERR_INVALID_PARAMETER); /* claims more */
	test_equal(attach_parts(1, entry, 1, 0), GPU_ERR_INVALID_PARAMETER);
	test_equal(attach_parts(1, entry, 1, GPU_MAX_BACKING + 1), GPU_ERR_INVALID_PARAMETER);
	test_equal(attach_parts(1, entry, 1, UINT32_MAX), GPU_ERR_INVALID_PARAMETER);
	test_equal(attach_parts(9, entry, 1, 1), GPU_ERR_INVALID_RESOURCE_ID);
	test_equal(attach(1), GPU_OK_NODATA);
	test_equal(transfer(1, whole, 0), GPU_OK_NODATA);
	test_equal(transfer(1, whole, 1), GPU_ERR_INVALID_PARAMETER);
	test_equal(transfer(1, whole, UINT64_MAX), GPU_ERR_INVALID_PARAMETER);
	test_equal(transfer(1, (struct rect) { 0, 0, 1, 1 }, len - 4), GPU_OK_NODATA);
	test_equal(transfer(1, (struct rect) { 0, 0, 1, 1 }, len - 3), GPU_ERR_INVALID_PARAMETER);
	test_equal(named(GPU_DETACH_BACKING, 1), GPU_OK_NODATA);
	test_equal(named(GPU_DETACH_BACKING, 1), GPU_OK_NODATA);
	test_equal(transfer(1, whole, 0), GPU_ERR_INVALID_PARAMETER);
	stop();
}

static void memory_is_bounded(void)
{
	start();
	test_equal(create_as(1, 2, 0, 5), GPU_ERR_INVALID_PARAMETER);
	test_equal(create_as(1, 2, PORT_MAX_SIDE + 1, 1), GPU_ERR_INVALID_PARAMETER);
	test_equal(create_as(1, 2, UINT32_MAX, UINT32_MAX), GPU_ERR_INVALID_PARAMETER);
	test_equal(create_as(0, 2, 1, 1), GPU_ERR_INVALID_RESOURCE_ID);
	test_equal(create_as(1, 2, 2048, 1025), GPU_ERR_OUT_OF_MEMORY); /* 8 MiB is all */
	test_equal(create_as(1, 2, 2048, 1024), GPU_OK_NODATA);
	test_equal(create_as(1, 2, 1, 1), GPU_ERR_INVALID_RESOURCE_ID); /* twice */
	test_equal(create_as(2, 2, 1, 1), GPU_ERR_OUT_OF_MEMORY);
	test_equal(attach(1), GPU_ERR_OUT_OF_MEMORY); /* tables count too */
	test_equal(named(GPU_RESOURCE_UNREF, 1), GPU_OK_NODATA);
	for (uint32_t id = 1; id <= GPU_MAX_RESOURCES; id++) {
		test_equal(create_as(id, 2, 1, 1), GPU_OK_NODATA);
		guest.heap = 0x20000;
	}
	test_equal(create_as(GPU_MAX_RESOURCES + 1, 2, 1, 1), GPU_ERR_OUT_OF_MEMORY);
	stop();
}

static void seats_know_a_bounded_number(void)
{
	start();
	for (uint32_t id = 1; id <= GPU_TOLD_MAX + 10; id++) {
		test_equal(create_as(id, 2, SIDE, SIDE), GPU_OK_NODATA);
		test_equal(set_scanout(id, whole), GPU_OK_NODATA);
		test_equal(flush(id, whole), GPU_OK_NODATA);
		presented(seen.frame.seq);
	}
	test_equal(seen.buffers - seen.gone, GPU_TOLD_MAX);
	test_equal(seen.gone_id, 10); /* the oldest go first */
	seen.refuse = -ENOSPC;
	test_equal(set_scanout(1, whole), GPU_OK_NODATA);
	test_equal(flush(1, whole), GPU_ERR_OUT_OF_MEMORY);
	stop();
}

static void odd_commands(void)
{
	union gpu_request r = { .header = { .type = 0x9999 } };

	start();
	test_equal(ask(&r, sizeof(r.header)), GPU_ERR_UNSPEC);
	r.header.type = GPU_GET_CAPSET;
	test_equal(ask(&r, sizeof(r.header)), GPU_ERR_UNSPEC);
	r.header.type = GPU_RESOURCE_CREATE_2D;
	test_equal(ask(&r, sizeof(r.create) - 1), GPU_ERR_UNSPEC); /* cut short */
	test_equal(ask(&r, 3), GPU_ERR_UNSPEC);
	r = (union gpu_request) { .scanout = { { .type = GPU_SET_SCANOUT }, whole, 1, 0 } };
	test_equal(ask(&r, sizeof(r.scanout)), GPU_ERR_INVALID_SCANOUT_ID);
	/* No room for an answer: given back all the same. */
	r.header.type = GPU_GET_DISPLAY_INFO;
	post(&r, sizeof(r.header), 5);
	guest_kick(&guest, CONTROL_QUEUE);
	test_assert(answered());
	test_assert(!guest_needs_reset(&guest));
	stop();
}

static void display_info_and_edid(void)
{
	union gpu_request r = { .header = { .type = GPU_GET_DISPLAY_INFO } };
	union gpu_reply reply;
	uint8_t sum = 0;

	start();
	post(&r, sizeof(r.header), sizeof(reply.display_info));
	guest_kick(&guest, CONTROL_QUEUE);
	memory_read(guest.machine.memory, reply_at, &reply, sizeof(reply.display_info));
	test_equal(reply.header.type, GPU_OK_DISPLAY_INFO);
	test_equal(reply.display_info.mode[0].rect.width, 1280);
	test_equal(reply.display_info.mode[0].enabled, 1);
	test_equal(reply.display_info.mode[1].enabled, 0);
	monitors(1, 1920);
	test_equal(guest.raised[GPU_QUEUES], 1);
	test_equal(guest_config_read(&guest, 0, 4), GPU_EVENT_DISPLAY);
	guest_write(&guest, VIRTIO_PCI_DEVICE + 4, 4, GPU_EVENT_DISPLAY);
	test_equal(guest_config_read(&guest, 0, 4), 0);
	test_equal(guest_config_read(&guest, 8, 4), 1);
	monitors(1, 1920); /* no news */
	monitors(2, 1920); /* nor is a monitor that the guest has no scanout for */
	test_equal(guest.raised[GPU_QUEUES], 1);
	r = (union gpu_request) { .edid = { { .type = GPU_GET_EDID }, 0, 0 } };
	post(&r, sizeof(r.edid), sizeof(reply.edid));
	guest_kick(&guest, CONTROL_QUEUE);
	memory_read(guest.machine.memory, reply_at, &reply, sizeof(reply.edid));
	test_equal(reply.header.type, GPU_OK_EDID);
	test_equal(reply.edid.size, EDID_LEN);
	for (unsigned i = 0; i < EDID_LEN; i++)
		sum = (uint8_t)(sum + reply.edid.edid[i]);
	test_equal(sum, 0);
	test_equal(reply.edid.edid[56] | (reply.edid.edid[58] & 0xf0) << 4, 1920);
	test_equal(reply.edid.edid[59] | (reply.edid.edid[61] & 0xf0) << 4, 1081);
	stop();
}

static void cursor_queue(void)
{
	union gpu_request r = { .cursor = { { .type = GPU_UPDATE_CURSOR }, 0, 10, 20, 0, 7, 1, 2,
		0 } };
	struct guest_buffer buffer;
	uint32_t id, len;

	start();
	test_equal(create(7), GPU_OK_NODATA);
	buffer = (struct guest_buffer) { guest_put(&guest, &r, sizeof(r.cursor)),
		sizeof(r.cursor), false };
	guest_add(&guest, CURSOR_QUEUE, &buffer, 1);
	guest_kick(&guest, CURSOR_QUEUE);
	test_assert(guest_used(&guest, CURSOR_QUEUE, &id, &len));
	test_equal(seen.cursors, 1);
	test_equal(seen.cursor, seen.buffer.id);
	test_equal(named(GPU_RESOURCE_UNREF, 7), GPU_OK_NODATA);
	test_equal(seen.cursor, 0);
	guest_add(&guest, CURSOR_QUEUE, &buffer, 1); /* names nothing now */
	guest_kick(&guest, CURSOR_QUEUE);
	test_equal(seen.cursors, 3);
	test_equal(seen.cursor, 0);
	stop();
}

static struct guest_buffer another_move;
static unsigned moves;

static void move_again(void)
{
	if (moves++ < 1000)
		guest_add(&guest, CURSOR_QUEUE, &another_move, 1);
}

/* A processor that queues commands while others are carried out needs no other kick. */
static void cursor_queue_that_does_not_end(void)
{
	union gpu_request r = { .cursor = { .header = { .type = GPU_MOVE_CURSOR } } };

	start();
	another_move = (struct guest_buffer) { guest_put(&guest, &r, sizeof(r.cursor)),
		sizeof(r.cursor), false };
	seen.on_cursor = move_again;
	moves = 0;
	move_again();
	guest_kick(&guest, CURSOR_QUEUE);
	guest_spin(&guest);
	test_equal(seen.cursors, 1000);
	stop();
}

static void idle_guests_copy_in_bands(void)
{
	struct gpu_mem_entry entry = { BACKING, 1024 * 1024 * 4, 0 };
	union gpu_request r = { .transfer = { { .type = GPU_TRANSFER_TO_HOST_2D },
		{ 0, 0, 1024, 1024 }, 0, 1, 0 } };
	unsigned turns = 0;

	start();
	virtio_gpu_set_class(guest.device, SHARE_IDLE);
	test_equal(create_as(1, 2, 1024, 1024), GPU_OK_NODATA);
	test_equal(attach_parts(1, &entry, 1, 1), GPU_OK_NODATA);
	test_equal(set_scanout(1, (struct rect) { 0, 0, 1024, 1024 }), GPU_OK_NODATA);
	memset(guest_at(&guest, BACKING, 1024 * 1024 * 4), 0x5a, 1024 * 1024 * 4);
	post(&r, sizeof(r.transfer), sizeof(struct gpu_header));
	guest_write(&guest, VIRTIO_PCI_NOTIFY, 2, CONTROL_QUEUE);
	for (; turns < 100 && !answered(); turns++)
		g_main_context_iteration(guest.machine.main_context, FALSE);
	test_assert(turns > 8 && turns < 32);
	test_equal(reply_type(), GPU_OK_NODATA);
	flush(1, (struct rect) { 0, 0, 1024, 1024 });
	test_equal(scanned(1023, 1023), 0x5a5a5a5a);
	stop();
}

/* Many small copies count as one large one: what a turn may take is of the turn, not of a command. */
static void a_turn_has_its_bound(void)
{
	struct gpu_mem_entry entry = { BACKING, 128 * 128 * 4, 0 };
	union gpu_request r = { .transfer = { { .type = GPU_TRANSFER_TO_HOST_2D },
		{ 0, 0, 128, 128 }, 0, 1, 0 } }; /* 64 KiB; an idle guest's turn has 256 */
	unsigned done = 0, turns = 0;

	start();
	virtio_gpu_set_class(guest.device, SHARE_IDLE);
	test_equal(create_as(1, 2, 128, 128), GPU_OK_NODATA);
	test_equal(attach_parts(1, &entry, 1, 1), GPU_OK_NODATA);
	for (unsigned i = 0; i < 16; i++)
		post(&r, sizeof(r.transfer), sizeof(struct gpu_header));
	guest_write(&guest, VIRTIO_PCI_NOTIFY, 2, CONTROL_QUEUE);
	for (; turns < 100 && done < 16; turns++) {
		g_main_context_iteration(guest.machine.main_context, FALSE);
		while (answered())
			done++;
	}
	test_equal(done, 16);
	test_assert(turns >= 4);
	stop();
}

static void broken_ring(void)
{
	start();
	screen_on(1);
	guest_publish(&guest, CONTROL_QUEUE, 0x7777);
	guest_kick(&guest, CONTROL_QUEUE);
	test_assert(guest_needs_reset(&guest));
	guest_start(&guest, 0);
	test_equal(create(1), GPU_OK_NODATA);
	stop();
}

int main(void)
{
	test_run(pixels_reach_the_seats);
	test_run(seats_cannot_write_or_shrink);
	test_run(scattered_backing);
	test_run(formats_become_ours);
	test_run(fenced_flush_waits_for_the_vblank);
	test_run(flush_elsewhere_does_not_wait);
	test_run(guests_do_not_run_away);
	test_run(reset_while_waiting);
	test_run(reset_by_the_driver);
	test_run(unref_of_the_scanout);
	test_run(scanout_off);
	test_run(rectangles_are_checked);
	test_run(backing_is_checked);
	test_run(memory_is_bounded);
	test_run(seats_know_a_bounded_number);
	test_run(odd_commands);
	test_run(display_info_and_edid);
	test_run(cursor_queue);
	test_run(cursor_queue_that_does_not_end);
	test_run(idle_guests_copy_in_bands);
	test_run(a_turn_has_its_bound);
	test_run(broken_ring);
	return 0;
}
