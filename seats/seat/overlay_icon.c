/*
 * The overlay's icons, as strokes in a square of 24 by 24.
 */
#include "seats/seat/overlay_priv.h"

typedef void (*icon_drawer)(cairo_t *cr);

/* A hearth from above: four beams, and a fire. */
static void icon_hearth(cairo_t *cr)
{
	cairo_pattern_t *fire = cairo_pattern_create_radial(12, 12, 0, 12, 12, 8.6);

	cairo_rectangle(cr, 3, 3, 18, 18);
	cairo_set_source_rgb(cr, 0.09, 0.075, 0.065);
	cairo_fill(cr);
	cairo_pattern_add_color_stop_rgba(fire, 0.0, 1.0, 0.93, 0.66, 1);
	cairo_pattern_add_color_stop_rgba(fire, 0.4, 1.0, 0.55, 0.20, 1);
	cairo_pattern_add_color_stop_rgba(fire, 1.0, 0.75, 0.22, 0.05, 0);
	cairo_arc(cr, 12, 12, 8.6, 0, 2 * G_PI);
	cairo_set_source(cr, fire);
	cairo_fill(cr);
	cairo_pattern_destroy(fire);
	cairo_rectangle(cr, 3, 3, 18, 18);
	cairo_set_source_rgb(cr, 0.60, 0.42, 0.28);
	cairo_set_line_width(cr, 2.4);
	cairo_set_line_join(cr, CAIRO_LINE_JOIN_MITER);
	cairo_stroke(cr);
}

static void icon_microphone(cairo_t *cr)
{
	overlay_round(cr, 8.6, 2.2, 6.8, 12.2, 3.4);
	cairo_fill(cr);
	cairo_new_sub_path(cr);
	cairo_arc(cr, 12, 11, 7, 0, G_PI);
	cairo_move_to(cr, 12, 18);
	cairo_line_to(cr, 12, 21.6);
	cairo_move_to(cr, 8.5, 21.6);
	cairo_line_to(cr, 15.5, 21.6);
	cairo_stroke(cr);
}

static void speaker(cairo_t *cr)
{
	cairo_move_to(cr, 2.5, 9);
	cairo_line_to(cr, 6.5, 9);
	cairo_line_to(cr, 12, 4.2);
	cairo_line_to(cr, 12, 19.8);
	cairo_line_to(cr, 6.5, 15);
	cairo_line_to(cr, 2.5, 15);
	cairo_close_path(cr);
	cairo_fill(cr);
}

static void icon_speaker(cairo_t *cr)
{
	speaker(cr);
	cairo_arc(cr, 12, 12, 4.2, -G_PI / 3.4, G_PI / 3.4);
	cairo_stroke(cr);
	cairo_arc(cr, 12, 12, 8.2, -G_PI / 3.4, G_PI / 3.4);
	cairo_stroke(cr);
}

static void icon_muted(cairo_t *cr)
{
	speaker(cr);
	cairo_move_to(cr, 15.5, 9);
	cairo_line_to(cr, 21.5, 15);
	cairo_move_to(cr, 21.5, 9);
	cairo_line_to(cr, 15.5, 15);
	cairo_stroke(cr);
}

static void icon_lock(cairo_t *cr)
{
	cairo_move_to(cr, 7.4, 11);
	cairo_line_to(cr, 7.4, 7.6);
	cairo_arc(cr, 12, 7.6, 4.6, G_PI, 0);
	cairo_line_to(cr, 16.6, 11);
	cairo_stroke(cr);
	overlay_round(cr, 4.2, 10.6, 15.6, 11, 2.4);
	cairo_fill(cr);
}

static void icon_clock(cairo_t *cr)
{
	cairo_arc(cr, 12, 12, 9.4, 0, 2 * G_PI);
	cairo_stroke(cr);
	cairo_move_to(cr, 12, 6.4);
	cairo_line_to(cr, 12, 12);
	cairo_line_to(cr, 15.8, 14.4);
	cairo_stroke(cr);
}

static void icon_keyboard(cairo_t *cr)
{
	overlay_round(cr, 1.6, 5.4, 20.8, 13.2, 2.2);
	cairo_stroke(cr);
	for (int row = 0; row < 2; row++)
		for (int key = 0; key < 5; key++)
			cairo_rectangle(cr, 4.6 + key * 3.2, 8.2 + row * 3, 1.7, 1.7);
	cairo_rectangle(cr, 7.4, 14.3, 9.2, 1.7);
	cairo_fill(cr);
}

static void icon_info(cairo_t *cr)
{
	cairo_arc(cr, 12, 12, 9.4, 0, 2 * G_PI);
	cairo_stroke(cr);
	cairo_arc(cr, 12, 7.4, 1.5, 0, 2 * G_PI);
	cairo_fill(cr);
	cairo_move_to(cr, 12, 11.2);
	cairo_line_to(cr, 12, 17);
	cairo_stroke(cr);
}

static const icon_drawer icons[] = {
	[OVERLAY_ICON_HEARTH] = icon_hearth,
	[OVERLAY_ICON_MICROPHONE] = icon_microphone,
	[OVERLAY_ICON_SPEAKER] = icon_speaker,
	[OVERLAY_ICON_MUTED] = icon_muted,
	[OVERLAY_ICON_LOCK] = icon_lock,
	[OVERLAY_ICON_CLOCK] = icon_clock,
	[OVERLAY_ICON_KEYBOARD] = icon_keyboard,
	[OVERLAY_ICON_INFO] = icon_info,
};

void overlay_draw_icon(struct draw *draw, const struct overlay_item *item)
{
	cairo_t *cr = draw->cr;

	cairo_save(cr);
	cairo_translate(cr, item->box.x, item->box.y);
	cairo_scale(cr, item->box.width / 24.0, item->box.height / 24.0);
	cairo_set_line_width(cr, 1.9);
	cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
	cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
	overlay_colour(cr, item->style & (OVERLAY_LIVE | OVERLAY_WARNS) ? COLOUR_EMBER : COLOUR_CREAM, 1);
	cairo_new_path(cr);
	icons[item->value](cr);
	cairo_restore(cr);
}
