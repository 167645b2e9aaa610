/*
 * virtio-gpu, 2D: the guest's screens.
 *
 * Commands are carried out strictly in the order of the control queue. A fenced RESOURCE_FLUSH of
 * a scanout is answered when the seats' clock says that the frame was on the screen. What follows it
 * in the queue and would alter what that head shows waits behind it, and all that is behind that: so
 * a guest is paced by its seat's vblank, and may queue several presentations ahead; but what is for
 * another head goes on, each at its own pace. Everything else is answered at once, unless flushes
 * are GPU_AHEAD_MAX ahead of the clock. Long copies are cut into bands with a return to the loop
 * between them.
 *
 * With Vga=yes the function is a VGA as well (vga_screen.h), whose picture is shown until the guest's
 * driver sets a scanout, and again after a reset.
 *
 * The port is only told on the seat thread. A reset, which comes on other threads, leaves behind
 * what the port has to be told, and wakes the seat thread.
 *
 * Source: virtio 1.2, section 5.7.
 */
#define G_LOG_DOMAIN "virtio-gpu"

#include <errno.h>
#include <string.h>

#include "gpu-share/policy.h"
#include "vmm/edid.h"
#include "vmm/virtio_gpu_priv.h"

static struct gpu *gpu_of(struct virtio_device *dev)
{
	return (struct gpu *)dev;
}

static unsigned head_index(const struct gpu *gpu, const struct gpu_head *head)
{
	return (unsigned)(head - gpu->head);
}

/* What the seats see. Seat thread only. */

static void gpu_show(struct gpu *gpu, struct gpu_head *head, const struct gpu_resource *resource,
	const struct rect *source, const struct rect *damage)
{
	struct port_frame frame = {
		.seq = ++head->seq,
		.head = head_index(gpu, head),
		.flush_ns = gpu->machine->now(),
	};

	if (resource) {
		frame.buffer = resource->port_id;
		frame.source = *source;
		frame.damage = *damage;
		frame.boot = !gpu->taken_over;
	}
	head->shown = resource != NULL;
	head->stale = false;
	head->before = head->last;
	head->last = resource ? resource->id : 0;
	if (head == gpu->head)
		gpu->boot_shown = false;
	gpu->port->ops->frame(gpu->port, &frame);
}

static void gpu_show_off(struct gpu *gpu, struct gpu_head *head)
{
	if (head->shown)
		gpu_show(gpu, head, NULL, NULL, NULL);
}

static void resource_untell(struct gpu *gpu, struct gpu_resource *resource)
{
	if (resource->port_id)
		gpu->port->ops->buffer_gone(gpu->port, resource->port_id);
	resource->port_id = 0;
}

static bool resource_is_used(const struct gpu *gpu, const struct gpu_resource *resource)
{
	for (unsigned i = 0; i < gpu->n_heads; i++)
		if (gpu->head[i].scanout == resource->id || gpu->head[i].cursor == resource->id)
			return true;
	return false;
}

/* A guest may have more resources than the seats have room for: the one that was shown longest ago
 * makes room. */
static void told_make_room(struct gpu *gpu)
{
	struct gpu_resource *resource, *oldest = NULL;
	GHashTableIter iter;
	unsigned n = 0;

	g_hash_table_iter_init(&iter, gpu->resources);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&resource)) {
		if (!resource->port_id)
			continue;
		n++;
		if (!resource_is_used(gpu, resource) &&
		    (!oldest || resource->used_seq < oldest->used_seq))
			oldest = resource;
	}
	if (n >= GPU_TOLD_MAX && oldest)
		resource_untell(gpu, oldest);
}

static bool resource_tell(struct gpu *gpu, struct gpu_resource *resource)
{
	struct port_buffer buffer = {
		.fd = resource->fd,
		.width = resource->width,
		.height = resource->height,
		.stride = resource->stride,
	};

	resource->used_seq = ++gpu->tells;
	if (resource->port_id)
		return true;
	told_make_room(gpu);
	if (++gpu->last_port_id == 0)
		gpu->last_port_id = 1;
	buffer.id = gpu->last_port_id;
	if (gpu->port->ops->buffer(gpu->port, &buffer) < 0)
		return false;
	resource->port_id = buffer.id;
	return true;
}

static void gpu_cursor_off(struct gpu *gpu, const struct gpu_head *head)
{
	gpu->port->ops->cursor(gpu->port, head_index(gpu, head), 0, 0, 0, 0, 0);
}

/* The boot screen, on the first head. Its pictures are not paced: there are few of them, and nobody waits. */

static void boot_draw(struct gpu *gpu)
{
	struct vga_screen_picture picture;
	enum vga_screen_news news = vga_screen_draw(gpu->vga, gpu->boot_shown, &picture);

	if (news == VGA_SCREEN_OFF)
		gpu_show_off(gpu, gpu->head);
	if (news == VGA_SCREEN_CHANGED && resource_tell(gpu, picture.resource)) {
		struct rect all = { 0, 0, picture.resource->width, picture.resource->height };

		gpu_show(gpu, gpu->head, picture.resource, &all, &picture.damage);
		gpu->boot_shown = true;
	}
	if (!picture.old)
		return;
	resource_untell(gpu, picture.old);
	gpu_resource_free(picture.old);
}

static void boot_begin(struct gpu *gpu)
{
	if (gpu->boot_tick)
		g_source_set_ready_time(gpu->boot_tick, 0);
}

/* What a reset left behind, before anything else is said. */
static void gpu_tell_reset(struct gpu *gpu)
{
	if (!gpu->tell_off)
		return;
	gpu->tell_off = false;
	for (unsigned i = 0; i < gpu->n_heads; i++) {
		gpu_cursor_off(gpu, &gpu->head[i]);
		gpu_show_off(gpu, &gpu->head[i]);
	}
	for (unsigned i = 0; i < gpu->n_gone; i++)
		gpu->port->ops->buffer_gone(gpu->port, gpu->gone[i]);
	gpu->n_gone = 0;
}

/* The commands. Each gives its answer's type, GPU_PENDING or GPU_PARKED. */

static uint32_t answer_of(int r)
{
	switch (r) {
	case 0:
		return GPU_OK_NODATA;
	case -ENOMEM:
		return GPU_ERR_OUT_OF_MEMORY;
	case -EINVAL:
		return GPU_ERR_INVALID_PARAMETER;
	default:
		return GPU_ERR_UNSPEC;
	}
}

static struct gpu_head *head_find(struct gpu *gpu, uint32_t i)
{
	return i < gpu->n_heads ? &gpu->head[i] : NULL;
}

static uint32_t do_display_info(struct gpu *gpu, union gpu_reply *reply)
{
	uint32_t x = 0;

	for (unsigned i = 0; i < gpu->connected; i++) {
		const struct gpu_head *head = &gpu->head[i];

		reply->display_info.mode[i].rect = (struct rect) { x, 0, head->width, head->height };
		reply->display_info.mode[i].enabled = 1;
		x += head->width;
	}
	return GPU_OK_DISPLAY_INFO;
}

/* Also of a head without a monitor: drivers ask for all. */
static uint32_t do_edid(struct gpu *gpu, union gpu_reply *reply)
{
	const struct gpu_head *head = head_find(gpu, gpu->request.edid.scanout);

	if (!(gpu->dev.accepted & GPU_F_EDID))
		return GPU_ERR_UNSPEC;
	if (!head)
		return GPU_ERR_INVALID_SCANOUT_ID;
	reply->edid.size = EDID_LEN;
	edid_fill(reply->edid.edid, head->width, head->height, GPU_HZ);
	return GPU_OK_EDID;
}

static uint32_t do_create(struct gpu *gpu, union gpu_reply *reply)
{
	uint32_t id = gpu->request.create.resource;
	struct gpu_resource *resource;
	int r;

	if (!id || gpu_resource_find(gpu, id))
		return GPU_ERR_INVALID_RESOURCE_ID;
	if (g_hash_table_size(gpu->resources) >= GPU_MAX_RESOURCES)
		return GPU_ERR_OUT_OF_MEMORY;
	r = gpu_resource_new(id, gpu->request.create.format, gpu->request.create.width,
		gpu->request.create.height, &gpu->budget, &resource);
	if (!r)
		g_hash_table_insert(gpu->resources, GUINT_TO_POINTER(id), resource);
	return answer_of(r);
}

static uint32_t do_unref(struct gpu *gpu, union gpu_reply *reply)
{
	struct gpu_resource *resource = gpu_resource_find(gpu, gpu->request.name.resource);

	if (!resource)
		return GPU_ERR_INVALID_RESOURCE_ID;
	for (unsigned i = 0; i < gpu->n_heads; i++) {
		struct gpu_head *head = &gpu->head[i];

		if (head->scanout == resource->id) {
			head->scanout = 0;
			gpu_show_off(gpu, head);
		}
		if (head->cursor == resource->id) {
			head->cursor = 0;
			gpu_cursor_off(gpu, head);
		}
	}
	resource_untell(gpu, resource);
	g_hash_table_remove(gpu->resources, GUINT_TO_POINTER(resource->id));
	return GPU_OK_NODATA;
}

/* Takes effect with the next flush; only switching off is seen at once. */
static uint32_t do_set_scanout(struct gpu *gpu, union gpu_reply *reply)
{
	struct gpu_head *head = head_find(gpu, gpu->request.scanout.scanout);
	const struct rect *rect = &gpu->request.scanout.rect;
	uint32_t id = gpu->request.scanout.resource;
	struct gpu_resource *resource = gpu_resource_find(gpu, id);

	if (!head)
		return GPU_ERR_INVALID_SCANOUT_ID;
	if (!id) {
		head->scanout = 0;
		gpu_show_off(gpu, head);
		return GPU_OK_NODATA;
	}
	if (!resource)
		return GPU_ERR_INVALID_RESOURCE_ID;
	if (!gpu_resource_has(resource, rect))
		return GPU_ERR_INVALID_PARAMETER;
	head->scanout = id;
	head->source = *rect;
	head->stale = true;
	gpu->taken_over = true;
	return GPU_OK_NODATA;
}

static bool rects_meet(const struct rect *a, const struct rect *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
		b->y < a->y + a->height;
}

/* The command under way is put aside until these heads have shown it; others go on. */
static uint32_t flush_park(struct gpu *gpu, unsigned waits)
{
	struct gpu_flush *flush = gpu->flush;

	while (flush->waits) /* one is free: each waits for a head, and a head for one */
		flush++;
	for (unsigned i = 0; i < gpu->n_heads; i++)
		if (waits >> i & 1)
			gpu->head[i].waiting_seq = gpu->head[i].seq;
	flush->waits = waits;
	flush->asked = gpu->request.header;
	flush->chain = gpu->chain;
	gpu->busy = false;
	return GPU_PARKED;
}

static uint32_t do_flush(struct gpu *gpu, union gpu_reply *reply)
{
	const struct rect *rect = &gpu->request.flush.rect;
	struct gpu_resource *resource = gpu_resource_find(gpu, gpu->request.flush.resource);
	bool fence = gpu->request.header.flags & GPU_FLAG_FENCE;
	unsigned waits = 0;

	if (!resource)
		return GPU_ERR_INVALID_RESOURCE_ID;
	if (!gpu_resource_has(resource, rect))
		return GPU_ERR_INVALID_PARAMETER;
	for (unsigned i = 0; i < gpu->n_heads; i++) {
		struct gpu_head *head = &gpu->head[i];

		/* A desktop may have one picture for all heads, each showing its part. */
		if (head->scanout != resource->id ||
			!(head->stale || rects_meet(rect, &head->source)))
			continue;
		if (!resource_tell(gpu, resource))
			return GPU_ERR_OUT_OF_MEMORY;
		gpu_show(gpu, head, resource, &head->source, rect);
		/* One that does not ask for fences waits as well when it is so far ahead: the seats
		 * are told of each frame, and would be dropped for not keeping up. */
		if (fence || head->seq - head->presented >= GPU_AHEAD_MAX)
			waits |= 1u << i;
	}
	return waits ? flush_park(gpu, waits) : GPU_OK_NODATA;
}

/* Bytes copied in one turn, by the guest's class: what a guest that ranks below others does must
 * not hold its thread for long. A whole frame of 1280x720 fits a turn of the other classes. */
static const size_t band_bytes[SHARE_CLASSES] = {
	[SHARE_VIDEO] = 16 << 20,
	[SHARE_INTERACTIVE] = 16 << 20,
	[SHARE_FAIR] = 8 << 20,
	[SHARE_IDLE] = 256 << 10,
};

/* Called again, with row > 0, until it is done. */
static uint32_t do_transfer(struct gpu *gpu, union gpu_reply *reply)
{
	struct gpu_resource *resource = gpu_resource_find(gpu, gpu->request.transfer.resource);
	struct gpu_transfer *transfer = &gpu->transfer;
	uint32_t row = transfer->row;
	int r;

	if (!resource)
		return GPU_ERR_INVALID_RESOURCE_ID;
	transfer->rect = gpu->request.transfer.rect;
	transfer->offset = gpu->request.transfer.offset;
	if (!gpu_transfer_valid(resource, transfer))
		return GPU_ERR_INVALID_PARAMETER;
	r = gpu_transfer_step(resource, gpu->dev.memory, transfer, gpu->turn_left);
	gpu->turn_left -= MIN(gpu->turn_left,
		(size_t)(transfer->row - row) * transfer->rect.width * sizeof(uint32_t));
	return r == 1 ? GPU_PENDING : answer_of(r);
}

static uint32_t do_attach(struct gpu *gpu, union gpu_reply *reply)
{
	struct gpu_resource *resource = gpu_resource_find(gpu, gpu->request.attach.resource);
	unsigned n = gpu->request.attach.n;
	struct gpu_mem_entry *entry;
	uint32_t answer = GPU_ERR_INVALID_PARAMETER;

	if (!resource)
		return GPU_ERR_INVALID_RESOURCE_ID;
	if (!n || n > GPU_MAX_BACKING)
		return GPU_ERR_INVALID_PARAMETER;
	entry = g_try_new(struct gpu_mem_entry, n);
	if (!entry)
		return GPU_ERR_OUT_OF_MEMORY;
	if (chain_read(&gpu->chain, sizeof(gpu->request.attach), entry, n * sizeof(*entry)) ==
	    n * sizeof(*entry))
		answer = answer_of(gpu_resource_attach(resource, entry, n));
	g_free(entry);
	return answer;
}

static uint32_t do_detach(struct gpu *gpu, union gpu_reply *reply)
{
	struct gpu_resource *resource = gpu_resource_find(gpu, gpu->request.name.resource);

	if (!resource)
		return GPU_ERR_INVALID_RESOURCE_ID;
	gpu_resource_detach(resource);
	return GPU_OK_NODATA;
}

struct gpu_verb {
	uint32_t type;
	size_t len; /* of the request, at least */
	uint32_t (*carry_out)(struct gpu *gpu, union gpu_reply *reply);
	size_t reply_len; /* 0: a header */
	size_t resource;  /* where the request says whose pixels it alters, shows or throws away; 0 */
};

#define REQUEST_LEN(member) sizeof(((union gpu_request *)NULL)->member)
#define REPLY_LEN(member) sizeof(((union gpu_reply *)NULL)->member)
#define RESOURCE_OF(member) offsetof(union gpu_request, member.resource)

static const struct gpu_verb verbs[] = {
	{ GPU_TRANSFER_TO_HOST_2D, REQUEST_LEN(transfer), do_transfer, 0, RESOURCE_OF(transfer) },
	{ GPU_RESOURCE_FLUSH, REQUEST_LEN(flush), do_flush, 0, RESOURCE_OF(flush) },
	{ GPU_SET_SCANOUT, REQUEST_LEN(scanout), do_set_scanout, 0, 0 },
	{ GPU_RESOURCE_CREATE_2D, REQUEST_LEN(create), do_create, 0, 0 },
	{ GPU_RESOURCE_UNREF, REQUEST_LEN(name), do_unref, 0, RESOURCE_OF(name) },
	{ GPU_ATTACH_BACKING, REQUEST_LEN(attach), do_attach, 0, 0 },
	{ GPU_DETACH_BACKING, REQUEST_LEN(name), do_detach, 0, 0 },
	{ GPU_GET_DISPLAY_INFO, REQUEST_LEN(header), do_display_info, REPLY_LEN(display_info), 0 },
	{ GPU_GET_EDID, REQUEST_LEN(edid), do_edid, REPLY_LEN(edid), 0 },
};

static const struct gpu_verb *verb_find(uint32_t type)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (verbs[i].type == type)
			return &verbs[i];
	return NULL;
}

/* The control queue. */

static void gpu_answer(struct gpu *gpu, const struct vq_chain *chain, const struct gpu_header *asked,
	uint32_t type, union gpu_reply *reply, size_t len)
{
	uint32_t written;

	reply->header.type = type;
	if (asked->flags & GPU_FLAG_FENCE) {
		reply->header.flags = GPU_FLAG_FENCE;
		reply->header.fence_id = asked->fence_id;
		reply->header.ctx_id = asked->ctx_id;
	}
	written = (uint32_t)chain_write(chain, 0, reply, len);
	virtio_push(&gpu->dev, CONTROL_QUEUE, chain->head, written);
	virtio_interrupt(&gpu->dev, CONTROL_QUEUE);
}

/* The head has shown what a flush waits for, or will not. */
static void head_release(struct gpu *gpu, struct gpu_head *head)
{
	unsigned bit = 1u << head_index(gpu, head);

	head->waiting_seq = 0;
	for (unsigned i = 0; i < PORT_HEADS; i++) {
		struct gpu_flush *flush = &gpu->flush[i];
		union gpu_reply reply = { 0 };

		if (!(flush->waits & bit))
			continue;
		flush->waits &= ~bit;
		if (!flush->waits)
			gpu_answer(gpu, &flush->chain, &flush->asked, GPU_OK_NODATA, &reply,
				sizeof(reply.header));
	}
}

void gpu_release_all(struct gpu *gpu)
{
	for (unsigned i = 0; i < gpu->n_heads; i++)
		head_release(gpu, &gpu->head[i]);
}

/* Would it alter what a head is about to show, or still shows? */
static bool gpu_must_wait(const struct gpu *gpu)
{
	const struct gpu_verb *verb = verb_find(gpu->request.header.type);
	uint32_t resource = 0;

	if (!verb || gpu->request_len < verb->len)
		return false;
	if (verb->resource)
		memcpy(&resource, (const char *)&gpu->request + verb->resource, sizeof(resource));
	for (unsigned i = 0; i < gpu->n_heads; i++) {
		const struct gpu_head *head = &gpu->head[i];

		if (!head->waiting_seq)
			continue;
		if (verb->type == GPU_SET_SCANOUT && gpu->request.scanout.scanout == i)
			return true;
		if (resource && (resource == head->last || resource == head->before))
			return true;
	}
	return false;
}

/* True when the command is done with, or put aside. */
static bool gpu_carry_out(struct gpu *gpu)
{
	const struct gpu_verb *verb = verb_find(gpu->request.header.type);
	union gpu_reply reply = { 0 };
	size_t len = sizeof(reply.header);
	uint32_t answer = GPU_ERR_UNSPEC;

	if (verb && gpu->request_len >= verb->len)
		answer = verb->carry_out(gpu, &reply);
	if (answer == GPU_PENDING || answer == GPU_PARKED)
		return answer == GPU_PARKED;
	if (verb && verb->reply_len && answer < GPU_ERR_UNSPEC)
		len = verb->reply_len;
	gpu_answer(gpu, &gpu->chain, &gpu->request.header, answer, &reply, len);
	gpu->busy = false;
	return true;
}

static void gpu_run(struct gpu *gpu)
{
	gpu->turn_left = band_bytes[(unsigned)g_atomic_int_get(&gpu->share_class)];
	for (unsigned turn = 0; turn < GPU_TURN_COMMANDS && gpu->turn_left; turn++) {
		if (gpu->dev.status & VIRTIO_NEEDS_RESET)
			return;
		if (!gpu->busy) {
			if (virtio_pop(&gpu->dev, CONTROL_QUEUE, &gpu->chain) != 1)
				return;
			gpu->busy = true;
			gpu->transfer.row = 0;
			memset(&gpu->request, 0, sizeof(gpu->request));
			gpu->request_len = chain_read(&gpu->chain, 0, &gpu->request,
				sizeof(gpu->request));
		}
		if (gpu_must_wait(gpu)) /* on_presented goes on */
			return;
		if (!gpu_carry_out(gpu))
			break;
	}
	gpu_wake(gpu); /* there may be more */
}

/* The cursor queue: no waiting, no order with the control queue. */

static void cursor_carry_out(struct gpu *gpu, const union gpu_request *request)
{
	struct gpu_resource *resource = gpu_resource_find(gpu, request->cursor.resource);
	struct gpu_head *head = head_find(gpu, request->cursor.scanout);
	struct gpu_resource *now = head ? gpu_resource_find(gpu, head->cursor) : NULL;
	uint32_t type = request->header.type;

	if (!head)
		return;
	if (type == GPU_UPDATE_CURSOR) {
		if (resource && (resource->width > GPU_CURSOR_SIDE ||
				resource->height > GPU_CURSOR_SIDE || !resource_tell(gpu, resource)))
			resource = NULL;
		now = resource;
		head->cursor = now ? now->id : 0;
	} else if (type != GPU_MOVE_CURSOR) {
		return;
	}
	gpu->port->ops->cursor(gpu->port, request->cursor.scanout, now ? now->port_id : 0,
		(int32_t)request->cursor.x, (int32_t)request->cursor.y, request->cursor.hot_x,
		request->cursor.hot_y);
}

static void cursor_run(struct gpu *gpu)
{
	unsigned left = GPU_TURN_COMMANDS;
	struct vq_chain chain;

	while (left && virtio_pop(&gpu->dev, CURSOR_QUEUE, &chain) == 1) {
		union gpu_request request = { 0 };
		struct gpu_header reply = { .type = GPU_OK_NODATA };
		uint32_t written;

		left--;
		if (chain_read(&chain, 0, &request, sizeof(request)) >= sizeof(request.cursor))
			cursor_carry_out(gpu, &request);
		written = (uint32_t)chain_write(&chain, 0, &reply, sizeof(reply));
		virtio_push(&gpu->dev, CURSOR_QUEUE, chain.head, written);
	}
	virtio_interrupt(&gpu->dev, CURSOR_QUEUE);
	if (!left)
		gpu_wake(gpu); /* the driver need not kick for what is left */
}

static void gpu_kick(struct virtio_device *dev, unsigned q)
{
	struct gpu *gpu = gpu_of(dev);

	gpu_tell_reset(gpu);
	if (q == CONTROL_QUEUE)
		gpu_run(gpu);
	else
		cursor_run(gpu);
}

static void gpu_tell_loaded(struct gpu *gpu)
{
	for (unsigned i = 0; gpu->loaded && i < gpu->n_heads; i++) {
		struct gpu_head *head = &gpu->head[i];
		struct gpu_resource *resource = gpu_resource_find(gpu, head->scanout);

		if (resource && resource_tell(gpu, resource))
			gpu_show(gpu, head, resource, &head->source, &head->source);
	}
	gpu->loaded = false;
}

gboolean gpu_boot_ticked(gpointer data)
{
	struct gpu *gpu = data;
	gint64 next = -1;

	g_mutex_lock(&gpu->dev.lock);
	gpu_tell_reset(gpu);
	if (!gpu->taken_over) {
		next = g_get_monotonic_time() + GPU_BOOT_PAUSE_US;
		/* Seats that are far behind are not told still more. */
		if (gpu->head[0].seq - gpu->head[0].presented < GPU_AHEAD_MAX)
			boot_draw(gpu);
	}
	g_source_set_ready_time(gpu->boot_tick, next);
	g_mutex_unlock(&gpu->dev.lock);
	return G_SOURCE_CONTINUE;
}

gboolean gpu_woken(gpointer data)
{
	struct gpu *gpu = data;

	g_mutex_lock(&gpu->dev.lock);
	g_source_set_ready_time(gpu->wake, -1);
	gpu_tell_reset(gpu);
	gpu_tell_loaded(gpu);
	if (gpu->dev.status & VIRTIO_DRIVER_OK && !(gpu->dev.status & VIRTIO_NEEDS_RESET)) {
		gpu_run(gpu);
		cursor_run(gpu);
	}
	g_mutex_unlock(&gpu->dev.lock);
	return G_SOURCE_CONTINUE;
}

/* Any thread: what concerns the port is left to the seat thread. */
static void gpu_reset(struct virtio_device *dev)
{
	struct gpu *gpu = gpu_of(dev);
	struct gpu_resource *resource;
	GHashTableIter iter;

	gpu->busy = false;
	gpu->events = 0;
	g_hash_table_iter_init(&iter, gpu->resources);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&resource))
		if (resource->port_id && gpu->n_gone < GPU_TOLD_MAX)
			gpu->gone[gpu->n_gone++] = resource->port_id;
	g_hash_table_remove_all(gpu->resources);
	/* The boot screen stays, if it is there: a driver's first act is a reset. */
	gpu->tell_off |= gpu->n_gone;
	for (unsigned i = 0; i < gpu->n_heads; i++) {
		struct gpu_head *head = &gpu->head[i];

		gpu->tell_off |= head->shown && !(i == 0 && gpu->boot_shown);
		head->scanout = head->last = head->before = head->cursor = 0;
		head->waiting_seq = 0;
		gpu->flush[i].waits = 0;
	}
	gpu_wake(gpu);
	gpu->taken_over = false;
	boot_begin(gpu);
}

static void gpu_config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned len)
{
	const struct gpu *gpu = gpu_of(dev);
	struct gpu_device_config config = { .events_read = gpu->events, .n_scanouts = gpu->n_heads };

	memcpy(to, (char *)&config + offset, len);
}

static void gpu_config_write(struct virtio_device *dev, unsigned offset, const void *from,
	unsigned len)
{
	uint32_t clear;

	if (offset != offsetof(struct gpu_device_config, events_clear) || len != sizeof(clear))
		return;
	memcpy(&clear, from, sizeof(clear));
	gpu_of(dev)->events &= ~clear;
}

const struct virtio_ops gpu_ops = {
	.name = "virtio-gpu",
	.id = 16,
	.pci_class = 0x03, /* display */
	.pci_subclass = 0x80,
	.n_queues = GPU_QUEUES,
	.queue_size = { 256, 16 },
	.features = GPU_F_EDID,
	.config_len = sizeof(struct gpu_device_config),
	.reset = gpu_reset,
	.kick = gpu_kick,
	.config_read = gpu_config_read,
	.config_write = gpu_config_write,
};

/* From the seats. */

static void on_presented(void *data, unsigned i, uint64_t seq, int64_t vblank_ns, int64_t period_ns)
{
	struct gpu *gpu = data;
	struct gpu_head *head = &gpu->head[i];

	g_mutex_lock(&gpu->dev.lock);
	head->presented = seq;
	if (head->waiting_seq && seq >= head->waiting_seq) {
		head_release(gpu, head);
		gpu_run(gpu);
	}
	g_mutex_unlock(&gpu->dev.lock);
}

/* A monitor that is pulled out leaves its size behind: it may come back. */
static void on_resized(void *data, const struct port_size *heads, unsigned n)
{
	struct gpu *gpu = data;
	bool news;

	g_mutex_lock(&gpu->dev.lock);
	n = MIN(n, gpu->n_heads);
	news = n != gpu->connected;
	gpu->connected = n;
	for (unsigned i = 0; i < n; i++) {
		struct gpu_head *head = &gpu->head[i];
		uint32_t width = CLAMP(heads[i].width, 64, PORT_MAX_SIDE);
		uint32_t height = CLAMP(heads[i].height, 64, PORT_MAX_SIDE);

		news |= width != head->width || height != head->height;
		head->width = width;
		head->height = height;
	}
	if (news) {
		gpu->events |= GPU_EVENT_DISPLAY;
		virtio_config_changed(&gpu->dev);
	}
	g_mutex_unlock(&gpu->dev.lock);
}

const struct seat_port_events gpu_events = {
	.presented = on_presented,
	.resized = on_resized,
};
