/*
 * What a card paints: the guest's buffer, scaled to fit with its aspect kept, the guest's cursor, and
 * a caption when there is nothing alive to see.
 */
#include "ui/window_priv.h"

#include <math.h>

enum { TABLET_MAX = 32767 };

struct window_fit window_picture_fit(uint32_t width, uint32_t height, int area_width, int area_height)
{
	struct window_fit fit = {.scale = 1, .width = MAX(width, 1), .height = MAX(height, 1)};

	fit.scale = fmin((double)area_width / fit.width, (double)area_height / fit.height);
	fit.x = (area_width - fit.width * fit.scale) / 2;
	fit.y = (area_height - fit.height * fit.scale) / 2;
	return fit;
}

static int32_t tablet_axis(double position, uint32_t size)
{
	if (size < 2)
		return 0;
	return (int32_t)CLAMP(position * TABLET_MAX / (size - 1), 0, TABLET_MAX);
}

void window_fit_tablet(const struct window_fit *fit, double x, double y, int32_t *tablet_x,
	int32_t *tablet_y)
{
	*tablet_x = tablet_axis(floor((x - fit->x) / fit->scale), fit->width);
	*tablet_y = tablet_axis(floor((y - fit->y) / fit->scale), fit->height);
}

/* The buffer is shared memory that the guest may be writing: cairo only reads. */
static void picture_paint(cairo_t *cr, const struct link_picture *picture, const struct rect *source,
	cairo_format_t format, double scale)
{
	cairo_surface_t *surface;
	const uint8_t *first = picture->pixels + (size_t)source->y * picture->stride +
		(size_t)source->x * 4;

	if (!source->width || !source->height || picture->stride % 4)
		return;
	surface = cairo_image_surface_create_for_data((unsigned char *)first, format,
		(int)source->width, (int)source->height, (int)picture->stride);
	cairo_set_source_surface(cr, surface, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(cr),
		scale == floor(scale) ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_BILINEAR);
	cairo_rectangle(cr, 0, 0, source->width, source->height);
	cairo_fill(cr);
	cairo_surface_destroy(surface);
}

static void picture_caption(cairo_t *cr, const char *text, int width, int height)
{
	PangoLayout *layout = pango_cairo_create_layout(cr);
	PangoFontDescription *font = pango_font_description_from_string("Cantarell, DejaVu Sans 15");
	int text_width, text_height;

	pango_layout_set_font_description(layout, font);
	pango_layout_set_text(layout, text, -1);
	pango_layout_get_pixel_size(layout, &text_width, &text_height);
	cairo_move_to(cr, (width - text_width) / 2.0, (height - text_height) / 2.0);
	cairo_set_source_rgb(cr, 0.80, 0.70, 0.61);
	pango_cairo_show_layout(cr, layout);
	pango_font_description_free(font);
	g_object_unref(layout);
}

void window_picture_draw(cairo_t *cr, const struct window_picture *p, int area_width, int area_height)
{
	struct window_fit fit = window_picture_fit(p->picture ? p->source.width : 16,
		p->picture ? p->source.height : 9, area_width, area_height);

	cairo_rectangle(cr, fit.x, fit.y, fit.width * fit.scale, fit.height * fit.scale);
	cairo_set_source_rgb(cr, 0.03, 0.025, 0.02);
	cairo_fill_preserve(cr);
	cairo_clip(cr);
	if (p->picture) {
		cairo_save(cr);
		cairo_translate(cr, fit.x, fit.y);
		cairo_scale(cr, fit.scale, fit.scale);
		picture_paint(cr, p->picture, &p->source, CAIRO_FORMAT_RGB24, fit.scale);
		if (p->cursor) {
			struct rect all = {0, 0, p->cursor->width, p->cursor->height};

			cairo_translate(cr, p->cursor_x, p->cursor_y);
			picture_paint(cr, p->cursor, &all, CAIRO_FORMAT_ARGB32, fit.scale);
		}
		cairo_restore(cr);
	}
	if (p->dim) {
		cairo_set_source_rgba(cr, 0.06, 0.045, 0.04, 0.72);
		cairo_paint(cr);
	}
	if (p->caption)
		picture_caption(cr, p->caption, area_width, area_height);
}
