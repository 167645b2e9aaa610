/*
 * What the files that draw the overlay share.
 */
#ifndef IRORI_SEATS_SEAT_OVERLAY_PRIV_H
#define IRORI_SEATS_SEAT_OVERLAY_PRIV_H

#include <cairo.h>
#include <glib.h>

#include "seats/seat/overlay.h"

enum overlay_colour_name {
	COLOUR_CREAM,
	COLOUR_SAND,
	COLOUR_SOOT,
	COLOUR_CHARCOAL,
	COLOUR_ASH,
	COLOUR_EMBER,
	COLOUR_FIRE,
	COLOUR_ROSE,
	COLOUR_BURNT,
	OVERLAY_COLOURS
};

struct overlay_colour {
	double r, g, b, a;
};

struct draw {
	cairo_t *cr;
	double unit; /* pixels */
};

extern const struct overlay_colour overlay_colours[OVERLAY_COLOURS];
void overlay_colour(cairo_t *cr, enum overlay_colour_name name, double alpha);
void overlay_round(cairo_t *cr, double x, double y, double width, double height, double radius);

/* overlay_text.c, overlay_icon.c */
void overlay_draw_text(struct draw *draw, const struct overlay_item *item);
void overlay_draw_icon(struct draw *draw, const struct overlay_item *item);

#endif
