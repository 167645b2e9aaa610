/*
 * /dev/display: virtio-gpu, 2D. A presentation is up to three commands on the control queue
 * (transfer, scanout, flush with a fence), which the device carries out in order; it may finish the
 * flush at the seat's vblank, so several presentations can wait there. Their commands and
 * descriptors stand ready in DISPLAY_MAX_QUEUED places, used in turn.
 *
 * Source: virtio 1.2, 5.7.
 */
#include "demo/abi.h"
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"
#include "demo/kernel/virtio.h"

enum command {
	GET_DISPLAY_INFO = 0x100, RESOURCE_CREATE_2D = 0x101, SET_SCANOUT = 0x103,
	RESOURCE_FLUSH = 0x104, TRANSFER_TO_HOST_2D = 0x105, ATTACH_BACKING = 0x106,
	RESPONSE_ERROR = 0x1200,
};

enum { FLAG_FENCE = 1, FORMAT_B8G8R8X8 = 2, MAX_SIDE = 4096 };

struct header {
	uint32_t type, flags;
	uint64_t fence;
	uint32_t context, ring;
};

struct create { struct header header; uint32_t resource, format, width, height; };
struct attach { struct header header; uint32_t resource, n; uint64_t address; uint32_t length, pad; };
struct scanout { struct header header; struct display_rect rect; uint32_t scanout, resource; };
struct flush { struct header header; struct display_rect rect; uint32_t resource, pad; };
struct transfer { struct header header; struct display_rect rect; uint64_t offset; uint32_t resource, pad; };
struct display_reply {
	struct header header;
	struct { struct display_rect rect; uint32_t enabled, flags; } mode[16];
};

/* One presentation: commands i = 0 transfer, 1 scanout, 2 flush, with descriptors 6 * slot + 2 * i. */
struct slot {
	struct transfer transfer;
	struct scanout scanout;
	struct flush flush;
	struct header reply[3];
	uint64_t cookie;
	uint16_t under_way; /* commands that have not come back */
};

enum { SLOT_DESCS = 6, SYNC_DESC = SLOT_DESCS * DISPLAY_MAX_QUEUED };

/* A page for commands that are waited for. */
struct sync {
	union {
		struct header header;
		struct create create;
		struct attach attach;
	} command;
	struct display_reply reply;
};

struct buffer {
	uint32_t width, height;
	uint64_t at; /* physical */
	struct display_rect differs; /* where it may be other than what is shown */
};

static struct virtq queue;
static struct slot *slots; /* NULL: no device */
static struct sync *sync;
static unsigned first, n_queued;     /* slots under way, from the oldest on */
static struct display_event events[2 * DISPLAY_MAX_QUEUED];
static unsigned event_put, event_got;
static struct buffer buffers[DISPLAY_MAX_BUFFERS];
static unsigned n_buffers, shown;    /* shown: resource that the last queued scanout was for */

static void slot_prepare(uint16_t slot)
{
	struct slot *s = &slots[slot];
	const struct { const void *command; uint32_t length; } commands[] = {
		{ &s->transfer, sizeof(s->transfer) },
		{ &s->scanout, sizeof(s->scanout) },
		{ &s->flush, sizeof(s->flush) },
	};

	s->transfer.header.type = TRANSFER_TO_HOST_2D;
	s->scanout.header.type = SET_SCANOUT;
	s->flush.header.type = RESOURCE_FLUSH;
	s->flush.header.flags = FLAG_FENCE;
	for (uint16_t i = 0; i < ARRAY_SIZE(commands); i++) {
		uint16_t d = (uint16_t)(slot * SLOT_DESCS + 2 * i);

		virtq_describe(&queue, d, commands[i].command, commands[i].length, DESC_NEXT, d + 1);
		virtq_describe(&queue, d + 1, &s->reply[i], sizeof(s->reply[i]), DESC_WRITE, 0);
	}
}

void display_init(void)
{
	struct virtio device;
	uint8_t *page = page_alloc();

	_Static_assert(sizeof(struct slot) * DISPLAY_MAX_QUEUED + sizeof(struct sync) <= PAGE, "a page");
	if (!page || virtio_open(&device, VIRTIO_GPU, 0) ||
		virtio_queue(&device, &queue, 0, VIRTQ_MAX) || queue.size < VIRTQ_MAX)
		return;
	slots = (struct slot *)page;
	sync = (struct sync *)(page + sizeof(struct slot) * DISPLAY_MAX_QUEUED);
	for (uint16_t i = 0; i < DISPLAY_MAX_QUEUED; i++)
		slot_prepare(i);
	virtio_start(&device);
}

/* Looks at what has come back. */
static void display_collect(void)
{
	int head;

	while (slots && (head = virtq_get(&queue, NULL)) >= 0) {
		struct slot *slot = &slots[head / SLOT_DESCS];
		unsigned i = head % SLOT_DESCS / 2;

		if (head >= SYNC_DESC)
			continue;
		if (slot->reply[i].type >= RESPONSE_ERROR)
			log_line("hearth: display: command %u failed: %x", i, slot->reply[i].type);
		slot->under_way--;
		if (i != 2)
			continue;
		events[event_put++ % ARRAY_SIZE(events)] =
			(struct display_event){ slot->cookie, clock_now() };
		first = (first + 1) % DISPLAY_MAX_QUEUED;
		n_queued--;
	}
}

/* For one more presentation, and for its event even if nobody reads the others. */
static bool display_room(void)
{
	return n_queued < DISPLAY_MAX_QUEUED && event_put - event_got + n_queued < ARRAY_SIZE(events);
}

/* Wakes when the oldest presentation is done; with none under way, as soon as anything comes. */
static void display_arm(struct file *file)
{
	virtq_arm(&queue, n_queued ? slots[first].under_way : 1);
}

/* A command that is waited for; presentations go first. */
static int sync_command(uint32_t type, uint32_t length, uint32_t reply)
{
	while (n_queued) {
		display_arm(NULL);
		fence();
		if (!virtq_pending(&queue))
			clock_idle(NEVER);
		display_collect();
	}
	sync->command.header = (struct header){ .type = type };
	virtq_describe(&queue, SYNC_DESC, &sync->command, length, DESC_NEXT, SYNC_DESC + 1);
	virtq_describe(&queue, SYNC_DESC + 1, &sync->reply, reply, DESC_WRITE, 0);
	virtq_do(&queue, SYNC_DESC);
	return sync->reply.header.type >= RESPONSE_ERROR ? -EIO : 0;
}

static int64_t display_information(uint64_t to)
{
	struct display_info *info = (struct display_info *)to;
	int ret;

	if (!user_range(to, sizeof(*info)))
		return -EFAULT;
	ret = sync_command(GET_DISPLAY_INFO, sizeof(struct header), sizeof(struct display_reply));
	info->width = sync->reply.mode[0].rect.width;
	info->height = sync->reply.mode[0].rect.height;
	return ret;
}

static int buffer_create(const struct buffer *buffer, uint32_t resource)
{
	struct create *create = &sync->command.create;
	struct attach *attach = &sync->command.attach;
	int ret;

	create->resource = resource;
	create->format = FORMAT_B8G8R8X8;
	create->width = buffer->width;
	create->height = buffer->height;
	ret = sync_command(RESOURCE_CREATE_2D, sizeof(*create), sizeof(struct header));
	attach->resource = resource;
	attach->n = 1;
	attach->address = buffer->at;
	attach->length = 4 * buffer->width * buffer->height;
	attach->pad = 0;
	return ret ? ret : sync_command(ATTACH_BACKING, sizeof(*attach), sizeof(struct header));
}

static int64_t display_new_buffer(uint64_t at)
{
	struct display_buffer *wanted = (struct display_buffer *)at;
	struct buffer *buffer = &buffers[n_buffers];
	uint64_t size;
	void *memory;
	int ret;

	if (!user_range(at, sizeof(*wanted)))
		return -EFAULT;
	if (n_buffers == DISPLAY_MAX_BUFFERS)
		return -ENOSPC;
	if (wanted->width - 1 >= MAX_SIDE || wanted->height - 1 >= MAX_SIDE)
		return -EINVAL;
	size = 4ull * wanted->width * wanted->height;
	memory = large_alloc((unsigned)((size + LARGE_PAGE - 1) / LARGE_PAGE));
	if (!memory)
		return -ENOMEM;
	*buffer = (struct buffer){ wanted->width, wanted->height, physical(memory),
		{ 0, 0, wanted->width, wanted->height } };
	ret = buffer_create(buffer, n_buffers + 1);
	if (ret)
		return ret;
	wanted->stride = 4 * wanted->width;
	wanted->handle = n_buffers++;
	return 0;
}

static bool rect_inside(const struct display_rect *rect, const struct buffer *buffer)
{
	return rect->x <= buffer->width && rect->width <= buffer->width - rect->x &&
		rect->y <= buffer->height && rect->height <= buffer->height - rect->y;
}

static struct display_rect rect_join(const struct display_rect *a, const struct display_rect *b)
{
	uint32_t x, y, right, bottom;

	if (!a->width || !a->height)
		return *b;
	if (!b->width || !b->height)
		return *a;
	x = a->x < b->x ? a->x : b->x;
	y = a->y < b->y ? a->y : b->y;
	right = a->x + a->width > b->x + b->width ? a->x + a->width : b->x + b->width;
	bottom = a->y + a->height > b->y + b->height ? a->y + a->height : b->y + b->height;
	return (struct display_rect){ x, y, right - x, bottom - y };
}

/* What changes on the screen when this buffer is shown, with `damage` new in it: seats copy no more. */
static struct display_rect shown_changes(struct buffer *buffer, const struct display_rect *damage)
{
	struct display_rect changes = rect_join(&buffer->differs, damage);

	for (unsigned i = 0; i < n_buffers; i++)
		if (buffers[i].width == buffer->width && buffers[i].height == buffer->height)
			buffers[i].differs = rect_join(&buffers[i].differs, &changes);
		else
			buffers[i].differs = (struct display_rect){ 0, 0, buffers[i].width, buffers[i].height };
	buffer->differs = (struct display_rect){ 0 };
	if (!changes.width || !changes.height) /* the picture is held; a flush of nothing would be wrong */
		changes = (struct display_rect){ 0, 0, 1, 1 };
	return changes;
}

static void command_put(uint16_t slot, uint16_t i)
{
	slots[slot].under_way++;
	virtq_put(&queue, slot * SLOT_DESCS + 2 * i);
}

static int64_t display_show(uint64_t at)
{
	const struct display_present *present = (const struct display_present *)at;
	uint16_t i = (uint16_t)((first + n_queued) % DISPLAY_MAX_QUEUED);
	struct slot *slot = &slots[i];
	struct buffer *buffer;
	uint32_t resource;

	if (!user_range(at, sizeof(*present)))
		return -EFAULT;
	resource = present->handle + 1;
	if (present->handle >= n_buffers)
		return -EINVAL;
	buffer = &buffers[present->handle];
	if (!rect_inside(&present->damage, buffer))
		return -EINVAL;
	if (!display_room())
		return -EAGAIN;
	n_queued++;
	slot->cookie = present->cookie;
	slot->under_way = 0;
	if (present->damage.width && present->damage.height) {
		slot->transfer.rect = present->damage;
		slot->transfer.offset =
			4 * ((uint64_t)present->damage.y * buffer->width + present->damage.x);
		slot->transfer.resource = resource;
		command_put(i, 0);
	}
	if (resource != shown) {
		slot->scanout.rect = (struct display_rect){ 0, 0, buffer->width, buffer->height };
		slot->scanout.resource = shown = resource;
		command_put(i, 1);
	}
	slot->flush.rect = shown_changes(buffer, &present->damage);
	slot->flush.resource = resource;
	slot->flush.header.fence++;
	command_put(i, 2);
	virtq_kick(&queue);
	return 0;
}

static int64_t display_ioctl(struct file *file, uint32_t request, uint64_t argument)
{
	display_collect();
	switch (request) {
	case DISPLAY_INFO: return display_information(argument);
	case DISPLAY_BUFFER: return display_new_buffer(argument);
	case DISPLAY_PRESENT: return display_show(argument);
	default: return -ENOTTY;
	}
}

static int64_t display_mmap(struct file *file, uint64_t length, uint64_t offset)
{
	uint64_t handle = offset >> 32;

	if (handle >= n_buffers || (uint32_t)offset ||
		length > ((4ull * buffers[handle].width * buffers[handle].height + PAGE - 1) & -PAGE))
		return -EINVAL;
	return space_show(buffers[handle].at, length);
}

static int64_t display_read(struct file *file, struct syscall *call, uint64_t to, uint64_t n,
	uint64_t at)
{
	struct display_event *event = (struct display_event *)to;

	display_collect();
	for (n /= sizeof(*event); n && event_got != event_put; n--)
		*event++ = events[event_got++ % ARRAY_SIZE(events)];
	return (uint64_t)event == to ? -EAGAIN : (int64_t)((uint64_t)event - to);
}

static unsigned display_poll(struct file *file)
{
	display_collect();
	return (event_got != event_put ? POLLIN : 0) | (display_room() ? POLLOUT : 0);
}

static int display_open(struct file *file)
{
	return slots ? 0 : -ENODEV;
}

const struct file_ops display_file = {
	.path = "/dev/display",
	.open = display_open,
	.read = display_read,
	.ioctl = display_ioctl,
	.mmap = display_mmap,
	.poll = display_poll,
	.arm = display_arm,
};
