/*
 * Text by Pango: people's names are in any script, and cut where they are too long.
 */
#include "seats/seat/overlay_priv.h"

#include <pango/pangocairo.h>

#define FAMILY "Inter, Cantarell, DejaVu Sans, sans-serif"

static enum overlay_colour_name text_colour(unsigned style)
{
	if (style & OVERLAY_CHOSEN)
		return COLOUR_BURNT;
	if (style & OVERLAY_LIVE)
		return COLOUR_EMBER;
	if (style & OVERLAY_WARNS)
		return COLOUR_ROSE;
	return style & OVERLAY_DIM ? COLOUR_SAND : COLOUR_CREAM;
}

static PangoLayout *text_layout(struct draw *draw, const struct overlay_item *item)
{
	PangoLayout *layout = pango_cairo_create_layout(draw->cr);
	PangoFontDescription *font = pango_font_description_from_string(FAMILY);
	PangoAttrList *attributes = pango_attr_list_new();

	pango_font_description_set_absolute_size(font, (double)item->size * PANGO_SCALE);
	pango_font_description_set_weight(font, item->style & OVERLAY_BOLD ? PANGO_WEIGHT_SEMIBOLD
									: PANGO_WEIGHT_NORMAL);
	pango_layout_set_font_description(layout, font);
	/* Digits of one width: what counts down does not jiggle. */
	pango_attr_list_insert(attributes, pango_attr_font_features_new("tnum=1"));
	pango_layout_set_attributes(layout, attributes);
	pango_layout_set_text(layout, item->text, -1);
	pango_layout_set_width(layout, (int)item->box.width * PANGO_SCALE);
	pango_layout_set_alignment(layout, item->style & OVERLAY_CENTRE ? PANGO_ALIGN_CENTER :
		item->style & OVERLAY_RIGHT ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
	pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
	if (item->style & OVERLAY_WRAPS)
		pango_layout_set_height(layout, (int)item->box.height * PANGO_SCALE);
	else
		pango_layout_set_single_paragraph_mode(layout, TRUE);
	pango_attr_list_unref(attributes);
	pango_font_description_free(font);
	return layout;
}

void overlay_draw_text(struct draw *draw, const struct overlay_item *item)
{
	PangoLayout *layout = text_layout(draw, item);
	bool dim = (item->style & OVERLAY_DIM) && (item->style & OVERLAY_CHOSEN);
	int height;

	pango_layout_get_pixel_size(layout, NULL, &height);
	cairo_move_to(draw->cr, item->box.x, item->box.y + ((int)item->box.height - height) / 2.0);
	overlay_colour(draw->cr, text_colour(item->style), dim ? 0.75 : 1);
	pango_cairo_show_layout(draw->cr, layout);
	cairo_new_path(draw->cr); /* showing text leaves a point behind */
	g_object_unref(layout);
}

void overlay_prepare(void)
{
	struct overlay_item item = { .kind = OVERLAY_TEXT, .size = 32,
		.box = { 0, 0, 600, 60 }, .text = "0123456789 Aa\303\251 \342\200\246 \342\234\223 \342\214\253" };
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, 600, 60);
	struct draw draw = { .cr = cairo_create(surface), .unit = 1 };

	overlay_draw_text(&draw, &item);
	item.style = OVERLAY_BOLD;
	overlay_draw_text(&draw, &item);
	cairo_destroy(draw.cr);
	cairo_surface_destroy(surface);
}
