/*
 * Composition; see compose.h. What nothing covers is copied (or scaled, or black) straight into the
 * target; what the cursor or the overlay touch is blended in memory of our own, band by band, and
 * copied then.
 */
#include "display/compose.h"

#include <errno.h>
#include <string.h>

enum {
	BAND = 64 * 1024, /* pixels of the scratch memory */
};

struct composer {
	uint32_t *scratch;
	size_t pixels;
};

/* Where boxes are drawn: `pixels` is the box's corner at x, y. */
struct canvas {
	uint8_t *pixels;
	uint32_t stride;
	int32_t x, y;
};

struct composer *composer_new(void)
{
	return g_new0(struct composer, 1);
}

void composer_free(struct composer *composer)
{
	if (composer)
		g_free(composer->scratch);
	g_free(composer);
}

void placement_find(struct placement *placement, uint32_t guest_width, uint32_t guest_height,
	uint32_t width, uint32_t height)
{
	uint64_t w = guest_width, h = guest_height;

	if (!w || !h) {
		*placement = (struct placement){0};
		return;
	}
	if (w > width || h > height) {
		if (w * height > h * width) {
			h = MAX(h * width / w, 1);
			w = width;
		} else {
			w = MAX(w * height / h, 1);
			h = height;
		}
	}
	*placement = (struct placement){
		.x = ((int32_t)width - (int32_t)w) / 2,
		.y = ((int32_t)height - (int32_t)h) / 2,
		.width = (uint32_t)w,
		.height = (uint32_t)h,
		.scaled = w != guest_width || h != guest_height,
	};
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* From `from` pixels to `to`, with what bilinear filtering smears. */
static void scale_span(int64_t *at, int64_t *end, uint32_t from, uint32_t to)
{
	*at = floor_div(*at * to, from) - 2;
	*end = floor_div(*end * to, from) + 3;
}

pixman_box32_t placement_box(const struct placement *p, const struct scene *scene, int64_t x,
	int64_t y, int64_t width, int64_t height, bool clip)
{
	int64_t x2 = x + width, y2 = y + height;

	if (!p->width || width <= 0 || height <= 0)
		return (pixman_box32_t){0};
	if (p->scaled) {
		scale_span(&x, &x2, scene->guest.width, p->width);
		scale_span(&y, &y2, scene->guest.height, p->height);
	}
	if (clip) {
		x = MAX(x, 0);
		y = MAX(y, 0);
		x2 = MIN(x2, p->width);
		y2 = MIN(y2, p->height);
	}
	if (x2 <= x || y2 <= y)
		return (pixman_box32_t){0};
	return (pixman_box32_t){
		.x1 = (int32_t)(x + p->x),
		.y1 = (int32_t)(y + p->y),
		.x2 = (int32_t)(x2 + p->x),
		.y2 = (int32_t)(y2 + p->y),
	};
}

pixman_box32_t compose_cursor_box(const struct scene *scene, const struct placement *placement)
{
	const struct layer *cursor = &scene->cursor;

	if (!cursor->pixels)
		return (pixman_box32_t){0};
	return placement_box(
		placement, scene, cursor->x, cursor->y, cursor->width, cursor->height, false);
}

static uint8_t *canvas_at(const struct canvas *canvas, int32_t x, int32_t y)
{
	return canvas->pixels + (ptrdiff_t)(y - canvas->y) * canvas->stride +
	       (ptrdiff_t)(x - canvas->x) * 4;
}

static void draw_black(const struct canvas *to, const pixman_box32_t *box)
{
	for (int32_t y = box->y1; y < box->y2; y++)
		memset(canvas_at(to, box->x1, y), 0, (size_t)(box->x2 - box->x1) * 4);
}

static pixman_image_t *layer_image(const struct layer *layer, pixman_format_code_t format)
{
	return pixman_image_create_bits(format, (int)layer->width, (int)layer->height,
		(uint32_t *)layer->pixels, (int)layer->stride);
}

/* The image is guest-sized; it is to be drawn as the placement is. */
static void image_scale(
	pixman_image_t *image, const struct scene *scene, const struct placement *placement)
{
	pixman_transform_t scale;

	pixman_transform_init_scale(&scale,
		(pixman_fixed_t)(((int64_t)scene->guest.width << 16) / placement->width),
		(pixman_fixed_t)(((int64_t)scene->guest.height << 16) / placement->height));
	pixman_image_set_transform(image, &scale);
	pixman_image_set_filter(image, PIXMAN_FILTER_BILINEAR, NULL, 0);
}

/* Draws `image`, whose corner is at x, y of the monitor, into the box. */
static void draw_image(const struct canvas *to, const pixman_box32_t *box, pixman_op_t op,
	pixman_image_t *image, int32_t x, int32_t y)
{
	int width = box->x2 - box->x1, height = box->y2 - box->y1;
	pixman_image_t *target = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height,
		(uint32_t *)canvas_at(to, box->x1, box->y1), (int)to->stride);

	if (!target)
		return;
	pixman_image_composite32(
		op, image, NULL, target, box->x1 - x, box->y1 - y, 0, 0, 0, 0, width, height);
	pixman_image_unref(target);
}

static void draw_guest_scaled(const struct canvas *to, const pixman_box32_t *box,
	const struct scene *scene, const struct placement *placement)
{
	pixman_image_t *image = layer_image(&scene->guest, PIXMAN_x8r8g8b8);

	if (!image)
		return;
	image_scale(image, scene, placement);
	pixman_image_set_repeat(image, PIXMAN_REPEAT_PAD);
	draw_image(to, box, PIXMAN_OP_SRC, image, placement->x, placement->y);
	pixman_image_unref(image);
}

/* The box lies within the placement. */
static void draw_guest(const struct canvas *to, const pixman_box32_t *box,
	const struct scene *scene, const struct placement *placement)
{
	const struct layer *guest = &scene->guest;
	size_t bytes = (size_t)(box->x2 - box->x1) * 4;
	const uint8_t *from;

	if (placement->scaled) {
		draw_guest_scaled(to, box, scene, placement);
		return;
	}
	from = guest->pixels + (size_t)(box->y1 - placement->y) * guest->stride +
	       (size_t)(box->x1 - placement->x) * 4;
	for (int32_t y = box->y1; y < box->y2; y++, from += guest->stride)
		memcpy(canvas_at(to, box->x1, y), from, bytes);
}

static bool box_intersect(const pixman_box32_t *a, const pixman_box32_t *b, pixman_box32_t *both)
{
	both->x1 = MAX(a->x1, b->x1);
	both->y1 = MAX(a->y1, b->y1);
	both->x2 = MIN(a->x2, b->x2);
	both->y2 = MIN(a->y2, b->y2);
	return both->x1 < both->x2 && both->y1 < both->y2;
}

/* What lies below the cursor and the overlay. */
static void draw_ground(const struct canvas *to, const pixman_box32_t *box,
	const struct scene *scene, const struct placement *placement)
{
	pixman_box32_t picture = {placement->x, placement->y,
		placement->x + (int32_t)placement->width,
		placement->y + (int32_t)placement->height};
	pixman_region32_t rest, guest;
	const pixman_box32_t *boxes;
	int n;

	if (!scene->guest.pixels || !placement->width) {
		draw_black(to, box);
		return;
	}
	pixman_region32_init_with_extents(&rest, (pixman_box32_t *)box);
	pixman_region32_init_with_extents(&guest, &picture);
	pixman_region32_subtract(&rest, &rest, &guest);
	boxes = pixman_region32_rectangles(&rest, &n);
	for (int i = 0; i < n; i++)
		draw_black(to, &boxes[i]);
	pixman_region32_fini(&rest);
	pixman_region32_fini(&guest);
	if (box_intersect(box, &picture, &picture))
		draw_guest(to, &picture, scene, placement);
}

static void draw_cursor(const struct canvas *to, const pixman_box32_t *box,
	const struct scene *scene, const struct placement *placement)
{
	pixman_box32_t all = compose_cursor_box(scene, placement), part;
	const struct layer *cursor = &scene->cursor;
	int32_t x = placement->x + cursor->x, y = placement->y + cursor->y;
	pixman_image_t *image;

	if (!box_intersect(box, &all, &part))
		return;
	image = layer_image(cursor, PIXMAN_a8r8g8b8);
	if (!image)
		return;
	if (placement->scaled) {
		image_scale(image, scene, placement);
		x = placement->x +
		    (int32_t)floor_div((int64_t)cursor->x * placement->width, scene->guest.width);
		y = placement->y +
		    (int32_t)floor_div((int64_t)cursor->y * placement->height, scene->guest.height);
	}
	draw_image(to, &part, PIXMAN_OP_OVER, image, x, y);
	pixman_image_unref(image);
}

static pixman_box32_t layer_box(const struct layer *layer)
{
	if (!layer->pixels)
		return (pixman_box32_t){0};
	return (pixman_box32_t){layer->x, layer->y, layer->x + (int32_t)layer->width,
		layer->y + (int32_t)layer->height};
}

static void draw_overlay(
	const struct canvas *to, const pixman_box32_t *box, const struct scene *scene)
{
	pixman_box32_t all = layer_box(&scene->overlay), part;
	pixman_image_t *image;

	if (!box_intersect(box, &all, &part))
		return;
	image = layer_image(&scene->overlay, PIXMAN_a8r8g8b8);
	if (!image)
		return;
	draw_image(to, &part, PIXMAN_OP_OVER, image, scene->overlay.x, scene->overlay.y);
	pixman_image_unref(image);
}

static int draw_blended(struct composer *composer, const struct canvas *to,
	const pixman_box32_t *box, const struct scene *scene, const struct placement *placement)
{
	size_t width = (size_t)(box->x2 - box->x1);
	int32_t rows = (int32_t)MAX(BAND / width, 1);
	pixman_box32_t band = *box;

	if (composer->pixels < width * (size_t)rows) {
		g_free(composer->scratch);
		composer->pixels = width * (size_t)rows;
		composer->scratch = g_try_new(uint32_t, composer->pixels);
	}
	if (!composer->scratch) {
		composer->pixels = 0;
		return -ENOMEM;
	}
	for (; band.y1 < box->y2; band.y1 = band.y2) {
		struct canvas scratch = {
			(uint8_t *)composer->scratch, (uint32_t)width * 4, box->x1, band.y1};

		band.y2 = MIN(band.y1 + rows, box->y2);
		draw_ground(&scratch, &band, scene, placement);
		draw_cursor(&scratch, &band, scene, placement);
		draw_overlay(&scratch, &band, scene);
		for (int32_t y = band.y1; y < band.y2; y++)
			memcpy(canvas_at(to, box->x1, y), canvas_at(&scratch, box->x1, y),
				width * 4);
	}
	return 0;
}

static void region_of_boxes(
	pixman_region32_t *region, const pixman_box32_t *a, const pixman_box32_t *b)
{
	pixman_region32_init(region);
	for (const pixman_box32_t *box = a; box; box = box == a ? b : NULL)
		if (box->x2 > box->x1 && box->y2 > box->y1)
			pixman_region32_union_rect(region, region, box->x1, box->y1,
				(unsigned)(box->x2 - box->x1), (unsigned)(box->y2 - box->y1));
}

int compose(struct composer *composer, const struct scene *scene, const struct placement *placement,
	const pixman_region32_t *region, uint8_t *target, uint32_t stride)
{
	pixman_box32_t cursor = compose_cursor_box(scene, placement);
	pixman_box32_t overlay = layer_box(&scene->overlay);
	struct canvas to = {target, stride, 0, 0};
	pixman_region32_t blended, plain;
	const pixman_box32_t *boxes;
	int n, error = 0;

	region_of_boxes(&blended, &cursor, &overlay);
	pixman_region32_init(&plain);
	pixman_region32_subtract(&plain, (pixman_region32_t *)region, &blended);
	pixman_region32_intersect(&blended, (pixman_region32_t *)region, &blended);
	boxes = pixman_region32_rectangles(&plain, &n);
	for (int i = 0; i < n; i++)
		draw_ground(&to, &boxes[i], scene, placement);
	boxes = pixman_region32_rectangles(&blended, &n);
	for (int i = 0; i < n && !error; i++)
		error = draw_blended(composer, &to, &boxes[i], scene, placement);
	pixman_region32_fini(&blended);
	pixman_region32_fini(&plain);
	return error;
}
