/*
 * What a monitor shows, as a pure function: black, on it the guest's picture, on that its cursor
 * (where no plane of the card shows it), on top the overlay. Drawn part by part into a buffer that
 * is only written to, never read: reading what a card scans out is slow, and so is drawing there
 * twice.
 *
 * Thread: any.
 */
#ifndef IRORI_DISPLAY_COMPOSE_H
#define IRORI_DISPLAY_COMPOSE_H

#include <glib.h>
#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>

/* Somebody's pixels, 32 bits each; stride in bytes, a multiple of 4. pixels NULL: none. */
struct layer {
	const uint8_t *pixels;
	uint32_t width, height, stride;
	int32_t x, y; /* of its upper left corner */
};

struct scene {
	struct layer guest;   /* XRGB; x and y are not looked at: see placement */
	struct layer cursor;  /* premultiplied ARGB; in the guest's pixels */
	struct layer overlay; /* the same; in the monitor's pixels */
};

/* Where the guest's picture is on a monitor. */
struct placement {
	int32_t x, y;
	uint32_t width, height; /* 0: nowhere */
	bool scaled;            /* not pixel by pixel */
};

/* In the middle; scaled down where it is larger than the monitor, with its aspect kept. */
void placement_find(struct placement *placement, uint32_t guest_width, uint32_t guest_height,
	uint32_t width, uint32_t height);
/* A rectangle of the guest's picture, as the part of the monitor that may look different with it:
 * whole pixels, within the placement where `clip`. */
pixman_box32_t placement_box(const struct placement *placement, const struct scene *scene,
	int64_t x, int64_t y, int64_t width, int64_t height, bool clip);

/* The part of a monitor that a cursor (scene->cursor) covers, composed. May be outside the monitor.
 */
pixman_box32_t compose_cursor_box(const struct scene *scene, const struct placement *placement);

struct composer; /* memory to blend in */

struct composer *composer_new(void);
void composer_free(struct composer *composer);
/* Draws `region`, which lies within the target (width x height of its pixels). -ENOMEM: some of it
 * is not drawn. */
int compose(struct composer *composer, const struct scene *scene, const struct placement *placement,
	const pixman_region32_t *region, uint8_t *target, uint32_t stride);

#endif
