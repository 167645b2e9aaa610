/*
 * The overlay on the screen: drawn anew when what is to be seen has changed, the pointer moved over it
 * without.
 *
 * Thread: the main one.
 */
#ifndef IRORI_SEATS_SEAT_VIEW_H
#define IRORI_SEATS_SEAT_VIEW_H

#include "display/screen.h"
#include "seats/seat/overlay.h"

struct view;

struct view *view_new(struct screen *screen);
void view_free(struct view *view);

/* pointer: where the seat's own is, 0..1 of the monitor; NULL: it is not to be seen. */
struct view_pointer {
	double x, y;
};

void view_update(struct view *view, const struct overlay_model *model,
	const struct view_pointer *pointer);
/* What is at the pointer, in what was shown last. */
int view_target(const struct view *view, const struct view_pointer *pointer);

#endif
