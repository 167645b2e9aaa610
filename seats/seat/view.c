/*
 * The overlay on the screen. `drawn` is the overlay, `shown` the same with the pointer on it: where it
 * was is taken from the former.
 */
#define G_LOG_DOMAIN "irori-seat"

#include "seats/seat/view.h"

#include <string.h>

struct view {
	struct screen *screen;
	struct overlay_layout layout;
	uint64_t hash;
	bool up;
	uint8_t *drawn, *shown;
	uint32_t stride;
	struct rect pointer; /* of shown, where it is; empty: it is not */
	double x, y;
};

struct view *view_new(struct screen *screen)
{
	struct view *view = g_new0(struct view, 1);

	view->screen = screen;
	return view;
}

void view_free(struct view *view)
{
	if (!view)
		return;
	screen_overlay(view->screen, NULL, NULL);
	g_free(view->drawn);
	g_free(view->shown);
	g_free(view);
}

static void view_tell(struct view *view, const struct rect *damage)
{
	const struct rect *extent = &view->layout.extent;
	const struct screen_overlay overlay = {
		.pixels = view->shown,
		.width = extent->width,
		.height = extent->height,
		.stride = view->stride,
		.x = (int32_t)extent->x,
		.y = (int32_t)extent->y,
		.hides = view->layout.hides,
	};

	screen_overlay(view->screen, view->up ? &overlay : NULL, damage);
}

static struct rect rect_union(const struct rect *a, const struct rect *b)
{
	struct rect u = *a;
	uint32_t right = MAX(a->x + a->width, b->x + b->width);
	uint32_t bottom = MAX(a->y + a->height, b->y + b->height);

	if (!a->width)
		return *b;
	if (!b->width)
		return *a;
	u.x = MIN(a->x, b->x);
	u.y = MIN(a->y, b->y);
	u.width = right - u.x;
	u.height = bottom - u.y;
	return u;
}

static void view_point(struct view *view, const struct view_pointer *pointer)
{
	const struct rect *old = &view->pointer;

	for (uint32_t y = old->y; y < old->y + old->height; y++) {
		size_t at = (size_t)y * view->stride + (size_t)old->x * 4;

		memcpy(view->shown + at, view->drawn + at, (size_t)old->width * 4);
	}
	view->pointer = (struct rect){ 0 };
	if (!pointer)
		return;
	view->x = pointer->x;
	view->y = pointer->y;
	view->pointer = overlay_draw_pointer(&view->layout, pointer->x * view->layout.width,
		pointer->y * view->layout.height, view->shown, view->stride);
}

/* The old pixels are read by the screen until it has been told of the new ones. */
static void view_draw(struct view *view, const struct view_pointer *pointer)
{
	uint8_t *old = view->shown;
	size_t bytes;

	view->stride = view->layout.extent.width * 4;
	bytes = (size_t)view->stride * view->layout.extent.height;
	g_free(view->drawn);
	view->drawn = view->shown = NULL;
	view->pointer = (struct rect){ 0 };
	if (bytes) {
		view->drawn = g_try_malloc(bytes);
		view->shown = g_try_malloc(bytes);
	}
	view->up = view->drawn && view->shown &&
		   overlay_draw(&view->layout, view->drawn, view->stride);
	if (view->up) {
		memcpy(view->shown, view->drawn, bytes);
		view_point(view, pointer);
	}
	view_tell(view, NULL);
	g_free(old);
}

void view_update(struct view *view, const struct overlay_model *model,
	const struct view_pointer *pointer)
{
	struct overlay_layout *layout = &view->layout;
	struct rect before = view->pointer, damage;
	uint32_t width = layout->width, height = layout->height;
	uint64_t hash;

	overlay_layout(model, layout);
	hash = overlay_hash(layout);
	if (hash != view->hash || width != layout->width || height != layout->height) {
		view->hash = hash;
		return view_draw(view, pointer);
	}
	if (!view->up || (!pointer && !before.width) ||
		(pointer && before.width && pointer->x == view->x && pointer->y == view->y))
		return;
	view_point(view, pointer);
	damage = rect_union(&before, &view->pointer);
	if (damage.width)
		view_tell(view, &damage);
}

int view_target(const struct view *view, const struct view_pointer *pointer)
{
	return overlay_target(&view->layout, pointer->x * view->layout.width,
		pointer->y * view->layout.height);
}
