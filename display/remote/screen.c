/*
 * The remote seat's screen: a QXL device without a guest. The worker renders and sends what it finds
 * in the queue; each drawable carries its own copy of the pixels, as it is compressed later.
 */
#include "display/remote/screen.h"

#include <string.h>

enum {
	SCREEN_WIDTH = 1280, /* before the first frame */
	SCREEN_HEIGHT = 720,
	SCREEN_QUEUE = 2,          /* drawables that wait for the worker */
	SCREEN_HELD = 128 << 20,   /* bytes with the worker; more: it is asked to give some back */
	SCREEN_RETRY_MS = 8,
	SCREEN_IDLE_MS = 1000, /* with no client the picture is kept about so fresh */
	SCREEN_CURSOR_SIDE = 256,
};

/* What is handed to spice-server; release_info.id leads back to it. */
struct screen_command {
	QXLCommandExt ext;
	size_t bytes;
	union {
		struct {
			QXLDrawable drawable;
			QXLImage image;
		};
		struct {
			QXLCursorCmd cursor;
		};
	};
	_Alignas(16) uint8_t data[];
};

struct remote_screen {
	QXLInstance qxl;
	void (*resize)(void *data, uint32_t width, uint32_t height);
	void *data;
	uint32_t width, height; /* of the primary surface */
	uint8_t *surface;       /* its memory: the worker draws there */
	struct link_picture picture; /* pixels NULL: black */
	struct rect source;
	struct rect dirty; /* on the scanout, not handed over yet */
	unsigned clients;
	guint timer;
	uint32_t unique;
	GMutex lock; /* of the three below: the worker's side */
	GQueue draws, cursors;
	size_t held;
};

static struct remote_screen *screen_of(QXLInstance *qxl)
{
	return (struct remote_screen *)((char *)qxl - offsetof(struct remote_screen, qxl));
}

/* Worker's thread, or main. */
static void screen_command_free(struct remote_screen *screen, struct screen_command *command)
{
	g_mutex_lock(&screen->lock);
	screen->held -= command->bytes;
	g_mutex_unlock(&screen->lock);
	g_free(command);
}

static struct screen_command *screen_command_new(struct remote_screen *screen, uint32_t type,
	size_t bytes)
{
	struct screen_command *command = g_try_malloc(sizeof(*command) + bytes);

	if (!command)
		return NULL;
	memset(command, 0, sizeof(*command));
	command->bytes = bytes;
	command->ext.cmd.type = type;
	g_mutex_lock(&screen->lock);
	screen->held += bytes;
	g_mutex_unlock(&screen->lock);
	return command;
}

static void screen_command_queue(struct remote_screen *screen, GQueue *queue,
	struct screen_command *command)
{
	g_mutex_lock(&screen->lock);
	g_queue_push_tail(queue, command);
	g_mutex_unlock(&screen->lock);
	spice_qxl_wakeup(&screen->qxl);
}

/* --- what the worker asks for, on its thread --- */

static int screen_pop(struct remote_screen *screen, GQueue *queue, QXLCommandExt *ext)
{
	struct screen_command *command;

	g_mutex_lock(&screen->lock);
	command = g_queue_pop_head(queue);
	g_mutex_unlock(&screen->lock);
	if (command)
		*ext = command->ext;
	return command != NULL;
}

/* 1: nothing there, a wake-up will follow. */
static int screen_is_empty(struct remote_screen *screen, GQueue *queue)
{
	int empty;

	g_mutex_lock(&screen->lock);
	empty = g_queue_is_empty(queue);
	g_mutex_unlock(&screen->lock);
	return empty;
}

static int screen_get_command(QXLInstance *qxl, QXLCommandExt *ext)
{
	return screen_pop(screen_of(qxl), &screen_of(qxl)->draws, ext);
}

static int screen_req_cmd_notification(QXLInstance *qxl)
{
	return screen_is_empty(screen_of(qxl), &screen_of(qxl)->draws);
}

static int screen_get_cursor_command(QXLInstance *qxl, QXLCommandExt *ext)
{
	return screen_pop(screen_of(qxl), &screen_of(qxl)->cursors, ext);
}

static int screen_req_cursor_notification(QXLInstance *qxl)
{
	return screen_is_empty(screen_of(qxl), &screen_of(qxl)->cursors);
}

static void screen_release_resource(QXLInstance *qxl, QXLReleaseInfoExt release)
{
	screen_command_free(screen_of(qxl), (struct screen_command *)(uintptr_t)release.info->id);
}

static void screen_get_init_info(QXLInstance *qxl, QXLDevInitInfo *info)
{
	*info = (QXLDevInitInfo){
		.num_memslots_groups = 1,
		.num_memslots = 1,
		.memslot_gen_bits = 8,
		.memslot_id_bits = 8,
		.qxl_ram_size = 16 << 20,
		.n_surfaces = 1,
	};
}

static void screen_attached_worker(QXLInstance *qxl)
{
}

static void screen_set_compression_level(QXLInstance *qxl, int level)
{
}

static void screen_notify_update(QXLInstance *qxl, uint32_t id)
{
}

static int screen_flush_resources(QXLInstance *qxl)
{
	return 0;
}

static void screen_async_complete(QXLInstance *qxl, uint64_t cookie)
{
}

static void screen_update_area_complete(QXLInstance *qxl, uint32_t surface, QXLRect *rects,
	uint32_t n)
{
}

static void screen_set_client_capabilities(QXLInstance *qxl, uint8_t present,
	uint8_t caps[SPICE_CAPABILITIES_SIZE])
{
}

/* Main thread. NULL asks whether we can at all. */
static int screen_client_monitors_config(QXLInstance *qxl, VDAgentMonitorsConfig *config)
{
	struct remote_screen *screen = screen_of(qxl);
	uint32_t width, height;

	if (!config || !config->num_of_monitors)
		return 1;
	width = config->monitors[0].width;
	height = config->monitors[0].height;
	if (width && height && width <= PORT_MAX_SIDE && height <= PORT_MAX_SIDE)
		screen->resize(screen->data, width, height);
	return 1;
}

static const QXLInterface screen_interface = {
	.base.type = SPICE_INTERFACE_QXL,
	.base.description = "irori",
	.base.major_version = SPICE_INTERFACE_QXL_MAJOR,
	.base.minor_version = SPICE_INTERFACE_QXL_MINOR,
	.attached_worker = screen_attached_worker,
	.set_compression_level = screen_set_compression_level,
	.get_init_info = screen_get_init_info,
	.get_command = screen_get_command,
	.req_cmd_notification = screen_req_cmd_notification,
	.release_resource = screen_release_resource,
	.get_cursor_command = screen_get_cursor_command,
	.req_cursor_notification = screen_req_cursor_notification,
	.notify_update = screen_notify_update,
	.flush_resources = screen_flush_resources,
	.async_complete = screen_async_complete,
	.update_area_complete = screen_update_area_complete,
	.set_client_capabilities = screen_set_client_capabilities,
	.client_monitors_config = screen_client_monitors_config,
};

/* --- main thread --- */

static void screen_drop_queue(struct remote_screen *screen, GQueue *queue)
{
	GList *all, *l;

	g_mutex_lock(&screen->lock);
	all = queue->head;
	g_queue_init(queue);
	g_mutex_unlock(&screen->lock);
	for (l = all; l; l = l->next)
		screen_command_free(screen, l->data);
	g_list_free(all);
}

/* What is queued is for the old surface: it goes first. */
static void screen_destroy_surface(struct remote_screen *screen)
{
	if (!screen->surface)
		return;
	screen_drop_queue(screen, &screen->draws);
	spice_qxl_destroy_primary_surface(&screen->qxl, 0);
	g_clear_pointer(&screen->surface, g_free);
	screen->width = screen->height = 0;
}

static bool screen_create_surface(struct remote_screen *screen, uint32_t width, uint32_t height)
{
	QXLDevSurfaceCreate create = {
		.width = width,
		.height = height,
		.stride = -(int32_t)(width * 4),
		.format = SPICE_SURFACE_FMT_32_xRGB,
		.mouse_mode = TRUE,
	};

	screen_destroy_surface(screen);
	screen->surface = g_try_malloc0((size_t)width * height * 4);
	if (!screen->surface)
		return false;
	screen->width = width;
	screen->height = height;
	create.mem = (uintptr_t)screen->surface;
	spice_qxl_create_primary_surface(&screen->qxl, 0, &create);
	return true;
}

static struct rect rect_union(struct rect a, struct rect b)
{
	uint32_t x, y, right, bottom;

	if (!a.width || !a.height)
		return b;
	if (!b.width || !b.height)
		return a;
	x = MIN(a.x, b.x);
	y = MIN(a.y, b.y);
	right = MAX(a.x + a.width, b.x + b.width);
	bottom = MAX(a.y + a.height, b.y + b.height);
	return (struct rect){x, y, right - x, bottom - y};
}

/* Damage of the buffer, as a part of the scanout; both lie within the buffer. */
static struct rect rect_on_scanout(struct rect damage, struct rect source)
{
	uint32_t x = MAX(damage.x, source.x), y = MAX(damage.y, source.y);
	uint32_t right = MIN(damage.x + damage.width, source.x + source.width);
	uint32_t bottom = MIN(damage.y + damage.height, source.y + source.height);

	if (right <= x || bottom <= y)
		return (struct rect){0};
	return (struct rect){x - source.x, y - source.y, right - x, bottom - y};
}

static void screen_copy(const struct remote_screen *screen, const struct rect *part, uint8_t *to)
{
	size_t row = (size_t)part->width * 4;
	const uint8_t *from;

	if (!screen->picture.pixels) {
		memset(to, 0, row * part->height);
		return;
	}
	from = screen->picture.pixels +
		(size_t)(screen->source.y + part->y) * screen->picture.stride +
		(size_t)(screen->source.x + part->x) * 4;
	for (uint32_t y = 0; y < part->height; y++)
		memcpy(to + y * row, from + (size_t)y * screen->picture.stride, row);
}

static bool screen_draw(struct remote_screen *screen, const struct rect *part)
{
	struct screen_command *command = screen_command_new(screen, QXL_CMD_DRAW,
		(size_t)part->width * part->height * 4);
	QXLDrawable *draw;
	QXLImage *image;

	if (!command)
		return false;
	command->ext.cmd.data = (uintptr_t)&command->drawable;
	draw = &command->drawable;
	draw->release_info.id = (uintptr_t)command;
	draw->effect = QXL_EFFECT_OPAQUE;
	draw->type = QXL_DRAW_COPY;
	draw->bbox = (QXLRect){
		.left = (int32_t)part->x,
		.top = (int32_t)part->y,
		.right = (int32_t)(part->x + part->width),
		.bottom = (int32_t)(part->y + part->height),
	};
	draw->clip.type = SPICE_CLIP_TYPE_NONE;
	draw->mm_time = (uint32_t)(g_get_monotonic_time() / 1000);
	for (unsigned i = 0; i < G_N_ELEMENTS(draw->surfaces_dest); i++)
		draw->surfaces_dest[i] = -1;
	draw->u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
	draw->u.copy.src_bitmap = (uintptr_t)&command->image;
	draw->u.copy.src_area.right = (int32_t)part->width;
	draw->u.copy.src_area.bottom = (int32_t)part->height;
	image = &command->image;
	QXL_SET_IMAGE_ID(image, QXL_IMAGE_GROUP_DEVICE, ++screen->unique);
	image->descriptor.type = SPICE_IMAGE_TYPE_BITMAP;
	image->descriptor.width = part->width;
	image->descriptor.height = part->height;
	image->bitmap.format = SPICE_BITMAP_FMT_32BIT;
	image->bitmap.flags = QXL_BITMAP_DIRECT | QXL_BITMAP_TOP_DOWN;
	image->bitmap.x = part->width;
	image->bitmap.y = part->height;
	image->bitmap.stride = part->width * 4;
	image->bitmap.data = (uintptr_t)command->data;
	screen_copy(screen, part, command->data);
	screen_command_queue(screen, &screen->draws, command);
	return true;
}

static bool screen_is_congested(struct remote_screen *screen)
{
	bool queued, held;

	g_mutex_lock(&screen->lock);
	queued = screen->draws.length >= SCREEN_QUEUE;
	held = screen->held > SCREEN_HELD;
	g_mutex_unlock(&screen->lock);
	if (held)
		spice_qxl_oom(&screen->qxl);
	return queued || held;
}

static gboolean screen_timer(gpointer data);

static void screen_arm(struct remote_screen *screen, guint ms)
{
	if (!screen->timer)
		screen->timer = g_timeout_add(ms, screen_timer, screen);
}

/* Hands the dirty part over, or comes back to it. */
static void screen_pump(struct remote_screen *screen)
{
	if (!screen->dirty.width || !screen->surface)
		return;
	if (screen_is_congested(screen) || !screen_draw(screen, &screen->dirty))
		screen_arm(screen, SCREEN_RETRY_MS);
	else
		screen->dirty = (struct rect){0};
}

static gboolean screen_timer(gpointer data)
{
	struct remote_screen *screen = data;

	screen->timer = 0;
	screen_pump(screen);
	return G_SOURCE_REMOVE;
}

static void screen_touch(struct remote_screen *screen, struct rect part)
{
	screen->dirty = rect_union(screen->dirty, part);
	if (screen->clients)
		screen_pump(screen);
	else
		screen_arm(screen, SCREEN_IDLE_MS);
}

static void screen_touch_all(struct remote_screen *screen)
{
	screen_touch(screen, (struct rect){0, 0, screen->width, screen->height});
}

void remote_screen_show(struct remote_screen *screen, const struct link_picture *picture,
	const struct rect *source, const struct rect *damage)
{
	bool all;

	if (!picture) {
		screen->picture.pixels = NULL;
		screen_touch_all(screen);
		return;
	}
	all = !screen->picture.pixels || memcmp(source, &screen->source, sizeof(*source));
	screen->picture = *picture;
	screen->source = *source;
	if (source->width != screen->width || source->height != screen->height) {
		screen->dirty = (struct rect){0};
		if (!screen_create_surface(screen, source->width, source->height))
			g_warning("no memory for a screen of %u x %u", source->width,
				source->height);
		all = true;
	}
	if (all)
		screen_touch_all(screen);
	else
		screen_touch(screen, rect_on_scanout(*damage, *source));
}

void remote_screen_gone(struct remote_screen *screen, const struct link_picture *picture)
{
	if (screen->picture.pixels && screen->picture.id == picture->id)
		remote_screen_show(screen, NULL, NULL, NULL);
}

void remote_screen_client(struct remote_screen *screen, bool up)
{
	if (up)
		screen->clients++;
	else if (screen->clients)
		screen->clients--;
	if (!up)
		return;
	g_clear_handle_id(&screen->timer, g_source_remove);
	screen_touch_all(screen);
}

/* The cursor's shape, premultiplied BGRA as SPICE has it. */
static struct screen_command *screen_cursor_shape(struct remote_screen *screen,
	const struct link_cursor *cursor, const struct link_picture *picture)
{
	uint32_t row = picture->width * 4;
	struct screen_command *command = screen_command_new(screen, QXL_CMD_CURSOR,
		sizeof(QXLCursor) + (size_t)row * picture->height);
	QXLCursor *shape;

	if (!command)
		return NULL;
	shape = (QXLCursor *)command->data;
	*shape = (QXLCursor){
		.header.type = SPICE_CURSOR_TYPE_ALPHA,
		.header.unique = 0, /* not to be cached */
		.header.width = (uint16_t)picture->width,
		.header.height = (uint16_t)picture->height,
		.header.hot_spot_x = (uint16_t)MIN(cursor->hot_x, picture->width - 1),
		.header.hot_spot_y = (uint16_t)MIN(cursor->hot_y, picture->height - 1),
		.data_size = row * picture->height,
		.chunk.data_size = row * picture->height,
	};
	for (uint32_t y = 0; y < picture->height; y++)
		memcpy(shape->chunk.data + (size_t)y * row,
			picture->pixels + (size_t)y * picture->stride, row);
	command->cursor.type = QXL_CURSOR_SET;
	command->cursor.u.set.visible = 1;
	/* The guest says where the picture's corner is, SPICE wants to know where it points. */
	command->cursor.u.set.position.x =
		(int16_t)CLAMP((int64_t)cursor->x + cursor->hot_x, 0, PORT_MAX_SIDE);
	command->cursor.u.set.position.y =
		(int16_t)CLAMP((int64_t)cursor->y + cursor->hot_y, 0, PORT_MAX_SIDE);
	command->cursor.u.set.shape = (uintptr_t)shape;
	return command;
}

void remote_screen_cursor(struct remote_screen *screen, const struct link_cursor *cursor,
	const struct link_picture *picture)
{
	struct screen_command *command;

	if (picture && picture->width && picture->height &&
		picture->width <= SCREEN_CURSOR_SIDE && picture->height <= SCREEN_CURSOR_SIDE) {
		command = screen_cursor_shape(screen, cursor, picture);
	} else {
		command = screen_command_new(screen, QXL_CMD_CURSOR, 0);
		if (command)
			command->cursor.type = QXL_CURSOR_HIDE;
	}
	if (!command)
		return;
	command->ext.cmd.data = (uintptr_t)&command->cursor;
	command->cursor.release_info.id = (uintptr_t)command;
	screen_drop_queue(screen, &screen->cursors); /* only the newest matters */
	screen_command_queue(screen, &screen->cursors, command);
}

void remote_screen_size(const struct remote_screen *screen, uint32_t *width, uint32_t *height)
{
	*width = screen->width;
	*height = screen->height;
}

struct remote_screen *remote_screen_new(SpiceServer *server,
	void (*resize)(void *data, uint32_t width, uint32_t height), void *data)
{
	QXLDevMemSlot slot = {.virt_end = ~(uintptr_t)0}; /* addresses are our own */
	struct remote_screen *screen = g_new0(struct remote_screen, 1);

	screen->qxl.base.sif = &screen_interface.base;
	screen->resize = resize;
	screen->data = data;
	g_mutex_init(&screen->lock);
	g_queue_init(&screen->draws);
	g_queue_init(&screen->cursors);
	if (spice_server_add_interface(server, &screen->qxl.base)) {
		g_free(screen);
		return NULL;
	}
	spice_qxl_set_device_info(&screen->qxl, "pci/0000/02.0", 0, 1);
	spice_qxl_add_memslot(&screen->qxl, &slot);
	screen_create_surface(screen, SCREEN_WIDTH, SCREEN_HEIGHT);
	return screen;
}

void remote_screen_free(struct remote_screen *screen)
{
	if (!screen)
		return;
	g_clear_handle_id(&screen->timer, g_source_remove);
	screen_drop_queue(screen, &screen->draws);
	screen_drop_queue(screen, &screen->cursors);
	g_free(screen->surface);
	g_mutex_clear(&screen->lock);
	g_free(screen);
}
