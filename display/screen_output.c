/*
 * One monitor: what its two buffers lack, what is drawn when, and the commit.
 *
 * Damage clips tell all that is drawn into the buffer, not only what is new since the last flip:
 * cards that copy a framebuffer elsewhere (virtio-gpu) copy what the clips say, and have last seen
 * this one two flips ago.
 */
#include "display/screen_priv.h"

#include <errno.h>
#include <string.h>

enum {
	MAX_RECTS = KMS_MAX_CLIPS, /* of damage; more are taken together */
};

void output_dirty(struct output *output, const pixman_box32_t *box)
{
	int32_t x1 = MAX(box->x1, 0), y1 = MAX(box->y1, 0);
	int32_t x2 = MIN(box->x2, (int32_t)output->info.width);
	int32_t y2 = MIN(box->y2, (int32_t)output->info.height);

	if (x1 >= x2 || y1 >= y2)
		return;
	output->want = true;
	for (unsigned i = 0; i < 2; i++) {
		pixman_region32_t *dirty = &output->dirty[i];

		pixman_region32_union_rect(
			dirty, dirty, x1, y1, (unsigned)(x2 - x1), (unsigned)(y2 - y1));
		if (pixman_region32_n_rects(dirty) > MAX_RECTS)
			pixman_region32_reset(dirty, pixman_region32_extents(dirty));
	}
}

static void output_moved(struct output *output, pixman_box32_t *noted, const pixman_box32_t *now)
{
	if (!memcmp(noted, now, sizeof(*now)))
		return;
	output_dirty(output, noted);
	output_dirty(output, now);
	*noted = *now;
}

struct scene output_scene(const struct output *output, const struct screen *screen)
{
	const struct screen_monitor *first = &screen->now.outputs[0].info;
	const struct head *head = output_shows(output, screen);
	struct scene scene = {.overlay = screen->overlay};

	if (!screen->hides) {
		scene.guest = head->guest;
		scene.cursor = head->cursor;
	}
	if (screen->now.n) {
		scene.overlay.x += ((int32_t)output->info.width - (int32_t)first->width) / 2;
		scene.overlay.y += ((int32_t)output->info.height - (int32_t)first->height) / 2;
	}
	if (output->plane_wanted)
		scene.cursor.pixels = NULL;
	return scene;
}

/* A plane is above everything, so it is not used while the overlay is up: that is above the guest's
 * cursor as well. */
static bool plane_fits(const struct output *output, const struct screen *screen)
{
	const struct layer *cursor = &output_shows(output, screen)->cursor;
	const struct kms_caps *caps = &screen->now.card->caps;

	return cursor->pixels && output->pipe.cursor && !output->plane_refused &&
	       !screen->overlay.pixels && output->placement.width &&
	       !output->placement.scaled && cursor->width <= caps->cursor_width &&
	       cursor->height <= caps->cursor_height;
}

static bool plane_is_stale(const struct output *output, const struct screen *screen)
{
	if (!output->plane_wanted)
		return output->plane_up;
	return !output->plane_up ||
	       output->plane_image != output_shows(output, screen)->cursor_image;
}

void output_cursor(struct output *output, struct screen *screen, bool new_image)
{
	pixman_box32_t box = {0};
	struct scene scene;

	output->plane_wanted = plane_fits(output, screen);
	scene = output_scene(output, screen);
	if (!output->plane_wanted)
		box = compose_cursor_box(&scene, &output->placement);
	output_moved(output, &output->cursor_box, &box);
	if (new_image)
		output_dirty(output, &box);
	output->want |= plane_is_stale(output, screen);
}

/* True: it is another's picture now, wherever it is. */
static bool output_choose(struct output *output, const struct screen *screen)
{
	unsigned before = output->head, own = output_index(output, screen);

	output->head = own < PORT_HEADS && screen->heads[own].guest.pixels ? own : 0;
	return output->head != before;
}

void output_arrange(struct output *output, struct screen *screen)
{
	bool other = output_choose(output, screen);
	struct scene scene = output_scene(output, screen);
	pixman_box32_t guest = {0}, overlay = {0};
	struct placement *p = &output->placement;

	placement_find(p, scene.guest.pixels ? scene.guest.width : 0, scene.guest.height,
		output->info.width, output->info.height);
	if (p->width)
		guest = (pixman_box32_t){
			p->x, p->y, p->x + (int32_t)p->width, p->y + (int32_t)p->height};
	if (scene.overlay.pixels)
		overlay = (pixman_box32_t){scene.overlay.x, scene.overlay.y,
			scene.overlay.x + (int32_t)scene.overlay.width,
			scene.overlay.y + (int32_t)scene.overlay.height};
	output_moved(output, &output->guest_box, &guest);
	if (other)
		output_dirty(output, &guest);
	output_moved(output, &output->overlay_box, &overlay);
	output_cursor(output, screen, other);
}

int output_init(struct output *output, struct screen *screen, struct kms_card *card)
{
	pixman_box32_t all = {0, 0, output->mode.hdisplay, output->mode.vdisplay};
	int error = 0;

	for (unsigned i = 0; i < 2 && !error; i++)
		error = card->ops->buffer_create(card, output->mode.hdisplay, output->mode.vdisplay,
			DRM_FORMAT_XRGB8888, &output->buffers[i]);
	for (unsigned i = 0; i < 2; i++)
		pixman_region32_init_with_extents(&output->dirty[i], &all);
	if (error)
		output_fini(output, card);
	return error;
}

void output_fini(struct output *output, struct kms_card *card)
{
	for (unsigned i = 0; i < 2; i++) {
		card->ops->buffer_destroy(card, &output->buffers[i]);
		card->ops->buffer_destroy(card, &output->cursors[i]);
		pixman_region32_fini(&output->dirty[i]);
	}
}

static int output_draw(struct output *output, struct screen *screen, struct kms_update *update)
{
	struct kms_buffer *buffer = &output->buffers[output->back];
	pixman_region32_t *dirty = &output->dirty[output->back];
	struct scene scene = output_scene(output, screen);
	const pixman_box32_t *boxes;
	int n, error;

	error = compose(screen->composer, &scene, &output->placement, dirty, buffer->pixels,
		buffer->stride);
	if (error)
		return error;
	boxes = pixman_region32_rectangles(dirty, &n);
	for (int i = 0; i < n && i < KMS_MAX_CLIPS; i++)
		update->clips[i] =
			(struct drm_mode_rect){boxes[i].x1, boxes[i].y1, boxes[i].x2, boxes[i].y2};
	update->n_clips = (unsigned)MIN(n, KMS_MAX_CLIPS);
	if (!n) { /* no clip at all would mean everything */
		update->clips[0] = (struct drm_mode_rect){0, 0, 1, 1};
		update->n_clips = 1;
	}
	update->pipe = output->pipe;
	update->fb = buffer->fb;
	return 0;
}

static void output_drawn(struct output *output)
{
	pixman_region32_clear(&output->dirty[output->back]);
	output->back ^= 1;
}

/* The cursor's picture into the buffer that the plane does not show. */
static int output_draw_plane(struct output *output, const struct screen *screen)
{
	const struct layer *cursor = &output_shows(output, screen)->cursor;
	struct kms_buffer *buffer = &output->cursors[output->cursor_back];
	struct kms_card *card = screen->now.card;
	int error;

	if (!buffer->fb) {
		error = card->ops->buffer_create(card, card->caps.cursor_width,
			card->caps.cursor_height, DRM_FORMAT_ARGB8888, buffer);
		if (error)
			return error;
	}
	for (uint32_t y = 0; y < buffer->height; y++) {
		uint8_t *row = buffer->pixels + (size_t)y * buffer->stride;
		size_t bytes = y < cursor->height ? (size_t)cursor->width * 4 : 0;

		if (bytes)
			memcpy(row, cursor->pixels + (size_t)y * cursor->stride, bytes);
		memset(row + bytes, 0, (size_t)buffer->width * 4 - bytes);
	}
	return 0;
}

static void output_where(
	const struct output *output, const struct screen *screen, int32_t *x, int32_t *y)
{
	const struct layer *cursor = &output_shows(output, screen)->cursor;

	*x = output->placement.x + cursor->x;
	*y = output->placement.y + cursor->y;
}

static void output_refuse_plane(struct output *output, struct screen *screen)
{
	output->plane_refused = true;
	output_cursor(output, screen, false);
}

static void output_plane(struct output *output, struct screen *screen, struct kms_update *update)
{
	if (output->plane_wanted && output_draw_plane(output, screen))
		output_refuse_plane(output, screen);
	if (!plane_is_stale(output, screen))
		return;
	update->set_cursor = true;
	if (!output->plane_wanted)
		return;
	update->cursor_fb = output->cursors[output->cursor_back].fb;
	output_where(output, screen, &update->cursor_x, &update->cursor_y);
}

static void output_plane_set(
	struct output *output, const struct screen *screen, const struct kms_update *update)
{
	output->plane_up = update->cursor_fb != 0;
	output->plane_image = output_shows(output, screen)->cursor_image;
	output->plane_x = update->cursor_x;
	output->plane_y = update->cursor_y;
	if (output->plane_up)
		output->cursor_back ^= 1;
}

/* Cards without vblank are given one: an even beat, as long as there is something to show. */
static void output_pace(struct output *output, const struct kms_card *card, int64_t now_ns)
{
	if (card->caps.vblank)
		return;
	if (now_ns - output->earliest_ns < output->info.period_ns)
		output->earliest_ns += output->info.period_ns;
	else
		output->earliest_ns = now_ns + output->info.period_ns;
}

static int output_try(struct output *output, struct screen *screen, struct kms_update *update)
{
	struct kms_card *card = screen->now.card;
	int error;

	memset(update, 0, sizeof(*update));
	if (plane_is_stale(output, screen))
		output_plane(output, screen, update);
	error = output_draw(output, screen, update);
	return error ? error : card->ops->commit(card, update, 1, 0);
}

int output_commit(struct output *output, struct screen *screen, int64_t now_ns)
{
	struct kms_update update;
	unsigned own = output_index(output, screen);
	int error = output_try(output, screen, &update);

	if (error && update.cursor_fb && !kms_error_passes(error) && !kms_error_is_loss(error)) {
		output_refuse_plane(output, screen);
		error = output_try(output, screen, &update);
	}
	if (error)
		return error;
	output_drawn(output);
	if (update.set_cursor)
		output_plane_set(output, screen, &update);
	output->want = false;
	output->in_flight = true;
	output->committed_ns = now_ns;
	output->seq = own < PORT_HEADS ? screen->heads[own].seq : 0;
	output_pace(output, screen->now.card, now_ns);
	return 0;
}

int output_light(struct output *output, struct screen *screen, struct kms_update *update)
{
	int error = output_draw(output, screen, update);

	update->mode = &output->mode;
	update->n_clips = 0;
	return error;
}

/* The flip that follows tells when the vblanks are, and puts the cursor up. */
void output_lit(struct output *output)
{
	output_drawn(output);
	output->want = true;
}

bool output_must_move(const struct output *output, const struct screen *screen)
{
	int32_t x, y;

	output_where(output, screen, &x, &y);
	return output->plane_up && !plane_is_stale(output, screen) &&
	       (x != output->plane_x || y != output->plane_y);
}

void output_move(struct output *output, struct screen *screen)
{
	struct kms_card *card = screen->now.card;
	int32_t x, y;

	if (!output_must_move(output, screen))
		return;
	output_where(output, screen, &x, &y);
	if (card->ops->cursor_move(card, &output->pipe, x, y)) {
		output->plane_image = 0; /* by a commit, then */
		output->want = true;
		return;
	}
	output->plane_x = x;
	output->plane_y = y;
}
