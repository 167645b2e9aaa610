/*
 * virtio-gpu with several monitors: each head its own picture, cursor and pace.
 */
#include "tests/unit/gpu/driver.h"

static union gpu_reply display_info(void)
{
	union gpu_request r = { .header = { .type = GPU_GET_DISPLAY_INFO } };
	union gpu_reply reply = { 0 };

	post(&r, sizeof(r.header), sizeof(reply.display_info));
	guest_kick(&guest, CONTROL_QUEUE);
	test_assert(answered());
	memory_read(guest.machine.memory, reply_at, &reply, sizeof(reply.display_info));
	return reply;
}

static void monitors_come_and_go(void)
{
	union gpu_request r = { .edid = { { .type = GPU_GET_EDID }, 1, 0 } };
	union gpu_reply reply;

	start_with(3);
	test_equal(guest_config_read(&guest, 8, 4), 3);
	test_equal(display_info().display_info.mode[1].enabled, 0);
	monitors(2, 1920);
	test_equal(guest.raised[GPU_QUEUES], 1); /* both at once */
	reply = display_info();
	test_equal(reply.display_info.mode[0].rect.x, 0);
	test_equal(reply.display_info.mode[0].rect.width, 1920);
	test_equal(reply.display_info.mode[1].enabled, 1);
	test_equal(reply.display_info.mode[1].rect.x, 1920);
	test_equal(reply.display_info.mode[1].rect.width, 1921);
	test_equal(reply.display_info.mode[2].enabled, 0);
	monitors(2, 1920);
	test_equal(guest.raised[GPU_QUEUES], 1);
	monitors(1, 1920);
	test_equal(guest.raised[GPU_QUEUES], 2);
	test_equal(display_info().display_info.mode[1].enabled, 0);
	post(&r, sizeof(r.edid), sizeof(reply.edid)); /* drivers ask for all of them */
	guest_kick(&guest, CONTROL_QUEUE);
	memory_read(guest.machine.memory, reply_at, &reply, sizeof(reply.edid));
	test_equal(reply.header.type, GPU_OK_EDID);
	test_equal(reply.edid.edid[56] | (reply.edid.edid[58] & 0xf0) << 4, 1921);
	test_assert(answered());
	r.edid.scanout = 3;
	test_equal(ask(&r, sizeof(r.edid)), GPU_ERR_INVALID_SCANOUT_ID);
	monitors(PORT_HEADS, 800);
	test_equal(display_info().display_info.mode[2].enabled, 1);
	test_equal(display_info().display_info.mode[3].enabled, 0);
	stop();
}

static void heads_show_their_own(void)
{
	start_with(2);
	screen_on(1);
	test_equal(create(2), GPU_OK_NODATA);
	test_equal(attach(2), GPU_OK_NODATA);
	test_equal(set_scanout_of(1, 2, whole), GPU_OK_NODATA);
	test_equal(set_scanout_of(2, 2, whole), GPU_ERR_INVALID_SCANOUT_ID);
	test_equal(set_scanout_of(UINT32_MAX, 2, whole), GPU_ERR_INVALID_SCANOUT_ID);
	flush(1, whole);
	test_equal(seen.frame.head, 0);
	flush(2, whole);
	test_equal(seen.frame.head, 1);
	test_equal(seen.frame.buffer, seen.buffer.id);
	test_equal(set_scanout_of(1, 0, whole), GPU_OK_NODATA);
	test_equal(seen.frame.head, 1);
	test_equal(seen.frame.buffer, 0);
	flush(2, whole);
	test_equal(seen.seq[1], 2); /* it is nowhere */
	test_equal(seen.seq[0], 1);
	stop();
}

/* A desktop over both, as X11 has it: a head's frames are of what is in its part. */
static void one_picture_on_two_heads(void)
{
	const struct rect left = { 0, 0, SIDE / 2, SIDE }, right = { SIDE / 2, 0, SIDE / 2, SIDE };

	start_with(2);
	screen_on(1);
	test_equal(set_scanout(1, left), GPU_OK_NODATA);
	test_equal(set_scanout_of(1, 1, right), GPU_OK_NODATA);
	flush(1, (struct rect) { 0, 0, 1, 1 }); /* the first shows both, wherever it is */
	test_equal(seen.seq[0], 1);
	test_equal(seen.seq[1], 1);
	test_equal(seen.frame.source.x, SIDE / 2);
	flush(1, left);
	test_equal(seen.seq[0], 2);
	test_equal(seen.seq[1], 1);
	flush(1, right);
	test_equal(seen.seq[0], 2);
	test_equal(seen.seq[1], 2);
	/* A fence waits for all heads that show it. */
	post_flush(1, GPU_FLAG_FENCE);
	guest_kick(&guest, CONTROL_QUEUE);
	test_assert(!answered());
	presented_on(1, 3);
	test_assert(!answered());
	presented_on(0, 3);
	test_assert(answered());
	test_equal(named(GPU_RESOURCE_UNREF, 1), GPU_OK_NODATA);
	test_equal(seen.seq[0], 4); /* both are off */
	test_equal(seen.seq[1], 4);
	stop();
}

static void heads_have_their_own_pace(void)
{
	start_with(2);
	screen_on(1);
	test_equal(create(2), GPU_OK_NODATA);
	test_equal(attach(2), GPU_OK_NODATA);
	test_equal(create(3), GPU_OK_NODATA);
	test_equal(attach(3), GPU_OK_NODATA);
	test_equal(set_scanout_of(1, 2, whole), GPU_OK_NODATA);
	post_flush(1, GPU_FLAG_FENCE);
	guest_kick(&guest, CONTROL_QUEUE);
	test_assert(!answered());
	/* The other head does not wait for it, nor does what nobody sees yet. */
	test_equal(transfer(2, whole, 0), GPU_OK_NODATA);
	test_equal(flush(2, whole), GPU_OK_NODATA);
	test_equal(transfer(3, whole, 0), GPU_OK_NODATA);
	post_flush(2, GPU_FLAG_FENCE);
	guest_kick(&guest, CONTROL_QUEUE);
	test_equal(seen.seq[1], 2);
	test_assert(!answered());
	presented_on(1, 2);
	test_assert(answered());
	/* What would alter the picture that waits does; and all behind it, in order. */
	post_flush(2, GPU_FLAG_FENCE);
	post_flush(1, 0);
	post_flush(3, 0);
	guest_kick(&guest, CONTROL_QUEUE);
	presented_on(1, 3);
	test_assert(answered() && !answered());
	test_equal(seen.seq[0], 1);
	presented_on(0, 1);
	test_assert(answered() && answered() && answered() && !answered());
	test_equal(seen.seq[0], 2);
	stop();
}

/* The picture that a flip replaces is on the screen until then: it is not drawn on before. */
static void a_flip_keeps_the_picture_before(void)
{
	union gpu_request r = { .transfer = { { .type = GPU_TRANSFER_TO_HOST_2D }, { 0, 0, 1, 1 }, 0,
		1, 0 } };

	start();
	screen_on(1);
	flush(1, whole);
	presented(1);
	screen_on(2);
	post_flush(2, GPU_FLAG_FENCE);
	post(&r, sizeof(r.transfer), sizeof(struct gpu_header));
	guest_kick(&guest, CONTROL_QUEUE);
	test_assert(!answered());
	presented(2);
	test_assert(answered() && answered());
	stop();
}

static void reset_while_heads_wait(void)
{
	start_with(4);
	screen_on(1);
	for (uint32_t head = 1; head < 4; head++)
		test_equal(set_scanout_of(head, 1, whole), GPU_OK_NODATA);
	post_flush(1, GPU_FLAG_FENCE);
	guest_kick(&guest, CONTROL_QUEUE);
	presented_on(2, 1);
	guest_reset(&guest);
	guest_spin(&guest);
	test_assert(!strcmp(seen.order, "BFFFFffffG"));
	presented_on(0, 2);
	guest_start(&guest, 0);
	screen_on(1);
	post_flush(1, GPU_FLAG_FENCE);
	guest_kick(&guest, CONTROL_QUEUE);
	test_assert(!answered());
	presented_on(0, 3);
	test_assert(answered());
	stop();
}

static void cursors_of_heads(void)
{
	union gpu_request r = { .cursor = { { .type = GPU_UPDATE_CURSOR }, 1, 10, 20, 0, 7, 1, 2,
		0 } };
	struct guest_buffer buffer;

	start_with(2);
	test_equal(create(7), GPU_OK_NODATA);
	buffer = (struct guest_buffer) { guest_put(&guest, &r, sizeof(r.cursor)),
		sizeof(r.cursor), false };
	guest_add(&guest, CURSOR_QUEUE, &buffer, 1);
	guest_kick(&guest, CURSOR_QUEUE);
	test_equal(seen.cursor, seen.buffer.id);
	test_equal(seen.cursor_head, 1);
	r.cursor.scanout = 2; /* there is none */
	buffer.addr = guest_put(&guest, &r, sizeof(r.cursor));
	guest_add(&guest, CURSOR_QUEUE, &buffer, 1);
	guest_kick(&guest, CURSOR_QUEUE);
	test_equal(seen.cursors, 1);
	test_equal(named(GPU_RESOURCE_UNREF, 7), GPU_OK_NODATA);
	test_equal(seen.cursor, 0);
	test_equal(seen.cursor_head, 1);
	stop();
}

int main(void)
{
	test_run(monitors_come_and_go);
	test_run(heads_show_their_own);
	test_run(one_picture_on_two_heads);
	test_run(heads_have_their_own_pace);
	test_run(a_flip_keeps_the_picture_before);
	test_run(reset_while_heads_wait);
	test_run(cursors_of_heads);
	return 0;
}
