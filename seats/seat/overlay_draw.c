/*
 * What the overlay looks like: charcoal and ember, the colours of a sunken hearth. A function for each
 * kind of item.
 */
#include "seats/seat/overlay_priv.h"

#include <math.h>
#include <string.h>

const struct overlay_colour overlay_colours[OVERLAY_COLOURS] = {
	[COLOUR_CREAM] = { 1.00, 0.96, 0.91, 1 },
	[COLOUR_SAND] = { 0.80, 0.71, 0.62, 1 },
	[COLOUR_SOOT] = { 0.085, 0.065, 0.055, 1 },
	[COLOUR_CHARCOAL] = { 0.155, 0.125, 0.105, 1 },
	[COLOUR_ASH] = { 0.27, 0.225, 0.195, 1 },
	[COLOUR_EMBER] = { 1.00, 0.60, 0.28, 1 },
	[COLOUR_FIRE] = { 0.93, 0.42, 0.14, 1 },
	[COLOUR_ROSE] = { 1.00, 0.56, 0.46, 1 },
	[COLOUR_BURNT] = { 0.12, 0.06, 0.03, 1 },
};

void overlay_colour(cairo_t *cr, enum overlay_colour_name name, double alpha)
{
	const struct overlay_colour *c = &overlay_colours[name];

	cairo_set_source_rgba(cr, c->r, c->g, c->b, c->a * alpha);
}

void overlay_round(cairo_t *cr, double x, double y, double width, double height, double radius)
{
	radius = fmin(radius, fmin(width, height) / 2);
	cairo_new_sub_path(cr);
	cairo_arc(cr, x + width - radius, y + radius, radius, -G_PI / 2, 0);
	cairo_arc(cr, x + width - radius, y + height - radius, radius, 0, G_PI / 2);
	cairo_arc(cr, x + radius, y + height - radius, radius, G_PI / 2, G_PI);
	cairo_arc(cr, x + radius, y + radius, radius, G_PI, 1.5 * G_PI);
	cairo_close_path(cr);
}

static void path_box(struct draw *draw, const struct overlay_item *item, double inset, double radius)
{
	overlay_round(draw->cr, item->box.x + inset, item->box.y + inset, item->box.width - 2 * inset,
		item->box.height - 2 * inset, radius * draw->unit);
}

/* From ember above to fire below. */
static void fill_ember(struct draw *draw, const struct overlay_item *item, double alpha)
{
	cairo_pattern_t *glow = cairo_pattern_create_linear(0, item->box.y, 0,
		item->box.y + item->box.height);

	cairo_pattern_add_color_stop_rgba(glow, 0, 1.00, 0.66, 0.34, alpha);
	cairo_pattern_add_color_stop_rgba(glow, 1, 0.92, 0.46, 0.19, alpha);
	cairo_set_source(draw->cr, glow);
	cairo_fill(draw->cr);
	cairo_pattern_destroy(glow);
}

/* A soft shadow: rings that become fainter. */
static void shadow(struct draw *draw, const struct overlay_item *item, double radius)
{
	for (int i = 6; i > 0; i--) {
		double grow = i * 3 * draw->unit;

		overlay_round(draw->cr, item->box.x - grow, item->box.y - grow + 2 * grow / 3,
			item->box.width + 2 * grow, item->box.height + 2 * grow,
			radius * draw->unit + grow);
		cairo_set_source_rgba(draw->cr, 0, 0, 0, 0.055);
		cairo_fill(draw->cr);
	}
}

static void draw_veil(struct draw *draw, const struct overlay_item *item)
{
	cairo_set_source_rgba(draw->cr, 0.05, 0.035, 0.03, 0.66);
	cairo_rectangle(draw->cr, item->box.x, item->box.y, item->box.width, item->box.height);
	cairo_fill(draw->cr);
}

/* A dark room; the fire is below, out of sight. */
static void draw_hearth(struct draw *draw, const struct overlay_item *item)
{
	double w = item->box.width, h = item->box.height, x = item->box.x, y = item->box.y;
	cairo_pattern_t *room = cairo_pattern_create_linear(0, y, 0, y + h);
	cairo_pattern_t *glow = cairo_pattern_create_radial(x + w / 2, y + h * 1.25, h * 0.12,
		x + w / 2, y + h * 1.25, fmax(w, h) * 0.72);

	cairo_pattern_add_color_stop_rgb(room, 0, 0.105, 0.085, 0.078);
	cairo_pattern_add_color_stop_rgb(room, 1, 0.075, 0.052, 0.042);
	cairo_pattern_add_color_stop_rgba(glow, 0, 1.00, 0.52, 0.20, 0.52);
	cairo_pattern_add_color_stop_rgba(glow, 0.35, 0.90, 0.36, 0.12, 0.24);
	cairo_pattern_add_color_stop_rgba(glow, 1, 0.60, 0.20, 0.06, 0);
	cairo_rectangle(draw->cr, x, y, w, h);
	cairo_set_source(draw->cr, room);
	cairo_fill_preserve(draw->cr);
	cairo_set_source(draw->cr, glow);
	cairo_fill(draw->cr);
	cairo_pattern_destroy(room);
	cairo_pattern_destroy(glow);
}

static void draw_panel(struct draw *draw, const struct overlay_item *item)
{
	cairo_pattern_t *wood = cairo_pattern_create_linear(0, item->box.y, 0,
		item->box.y + item->box.height);

	shadow(draw, item, 30);
	cairo_pattern_add_color_stop_rgba(wood, 0, 0.175, 0.142, 0.122, 0.985);
	cairo_pattern_add_color_stop_rgba(wood, 1, 0.115, 0.090, 0.077, 0.985);
	path_box(draw, item, 0, 30);
	cairo_set_source(draw->cr, wood);
	cairo_fill(draw->cr);
	cairo_pattern_destroy(wood);
	path_box(draw, item, draw->unit * 0.75, 30);
	cairo_set_source_rgba(draw->cr, 1, 0.80, 0.60, 0.16);
	cairo_set_line_width(draw->cr, fmax(1, 1.5 * draw->unit));
	cairo_stroke(draw->cr);
}

static void draw_row(struct draw *draw, const struct overlay_item *item)
{
	path_box(draw, item, 0, 18);
	if (item->style & OVERLAY_CHOSEN) {
		fill_ember(draw, item, 1);
	} else {
		cairo_set_source_rgba(draw->cr, 1, 0.88, 0.76, 0.055);
		cairo_fill(draw->cr);
	}
}

static void draw_bar(struct draw *draw, const struct overlay_item *item)
{
	bool chosen = item->style & OVERLAY_CHOSEN;
	struct overlay_item part = *item;
	double dot = item->box.height * 0.95, x;

	path_box(draw, item, 0, 99);
	overlay_colour(draw->cr, chosen ? COLOUR_BURNT : COLOUR_CREAM, chosen ? 0.30 : 0.14);
	cairo_fill(draw->cr);
	part.box.width = (uint32_t)(item->box.width * CLAMP(item->value, 0, 100) / 100);
	if (part.box.width > item->box.height) {
		path_box(draw, &part, 0, 99);
		if (chosen) {
			overlay_colour(draw->cr, COLOUR_BURNT, 1);
			cairo_fill(draw->cr);
		} else {
			fill_ember(draw, &part, 1);
		}
	}
	x = item->box.x + fmax(dot / 2, fmin(part.box.width, item->box.width - dot / 2));
	cairo_arc(draw->cr, x, item->box.y + item->box.height / 2.0, dot, 0, 2 * G_PI);
	overlay_colour(draw->cr, chosen ? COLOUR_BURNT : COLOUR_CREAM, 1);
	cairo_fill(draw->cr);
}

static void draw_switch(struct draw *draw, const struct overlay_item *item)
{
	bool chosen = item->style & OVERLAY_CHOSEN;
	double r = item->box.height / 2.0, x = item->box.x + (item->value ? item->box.width - r : r);

	path_box(draw, item, 0, 99);
	if (item->value && !chosen) {
		fill_ember(draw, item, 1);
	} else {
		overlay_colour(draw->cr, chosen ? COLOUR_BURNT : COLOUR_CREAM,
			item->value ? 1 : chosen ? 0.30 : 0.18);
		cairo_fill(draw->cr);
	}
	cairo_arc(draw->cr, x, item->box.y + r, r * 0.76, 0, 2 * G_PI);
	overlay_colour(draw->cr, chosen && !item->value ? COLOUR_BURNT : COLOUR_CREAM, 1);
	cairo_fill(draw->cr);
}

static void draw_pin(struct draw *draw, const struct overlay_item *item)
{
	int n = MAX(item->value, 4);
	double step = fmin(item->box.height * 0.72, item->box.width / (double)(n + 1));
	double y = item->box.y + item->box.height / 2.0;
	double x = item->box.x + item->box.width / 2.0 - step * (n - 1) / 2.0;

	for (int i = 0; i < n; i++, x += step) {
		cairo_arc(draw->cr, x, y, step * 0.26, 0, 2 * G_PI);
		if (i < item->value) {
			overlay_colour(draw->cr, COLOUR_EMBER, 1);
			cairo_fill(draw->cr);
			continue;
		}
		overlay_colour(draw->cr, item->style & OVERLAY_WARNS ? COLOUR_ROSE : COLOUR_SAND, 0.7);
		cairo_set_line_width(draw->cr, fmax(1.5, 2.5 * draw->unit));
		cairo_stroke(draw->cr);
	}
}

static void draw_key(struct draw *draw, const struct overlay_item *item)
{
	struct overlay_item label = *item;

	path_box(draw, item, 0, 99);
	if (item->style & OVERLAY_LIVE) {
		fill_ember(draw, item, 1);
		label.style |= OVERLAY_CHOSEN;
	} else {
		cairo_set_source_rgba(draw->cr, 1, 0.88, 0.76, 0.085);
		cairo_fill(draw->cr);
	}
	label.style &= ~(unsigned)OVERLAY_LIVE;
	overlay_draw_text(draw, &label);
}

static void draw_pill(struct draw *draw, const struct overlay_item *item)
{
	path_box(draw, item, 0, 99);
	cairo_set_source_rgba(draw->cr, 0.115, 0.090, 0.077, 0.94);
	cairo_fill(draw->cr);
	path_box(draw, item, draw->unit, 99);
	if (item->style & (OVERLAY_WARNS | OVERLAY_LIVE))
		overlay_colour(draw->cr, COLOUR_EMBER, 0.95);
	else
		cairo_set_source_rgba(draw->cr, 1, 0.80, 0.60, 0.28);
	cairo_set_line_width(draw->cr, fmax(1.2, 2 * draw->unit));
	cairo_stroke(draw->cr);
}

static void draw_rule(struct draw *draw, const struct overlay_item *item)
{
	cairo_rectangle(draw->cr, item->box.x, item->box.y, item->box.width, item->box.height);
	cairo_set_source_rgba(draw->cr, 1, 0.85, 0.70, 0.14);
	cairo_fill(draw->cr);
}

static void (*const drawers[OVERLAY_KINDS])(struct draw *, const struct overlay_item *) = {
	[OVERLAY_VEIL] = draw_veil,
	[OVERLAY_HEARTH] = draw_hearth,
	[OVERLAY_PANEL] = draw_panel,
	[OVERLAY_RULE] = draw_rule,
	[OVERLAY_ROW] = draw_row,
	[OVERLAY_BAR] = draw_bar,
	[OVERLAY_SWITCH] = draw_switch,
	[OVERLAY_TEXT] = overlay_draw_text,
	[OVERLAY_PIN] = draw_pin,
	[OVERLAY_KEY] = draw_key,
	[OVERLAY_PILL] = draw_pill,
	[OVERLAY_ICON] = overlay_draw_icon,
};

static cairo_t *draw_begin(const struct overlay_layout *layout, uint8_t *pixels, uint32_t stride,
	cairo_surface_t **surface)
{
	cairo_t *cr;

	*surface = cairo_image_surface_create_for_data(pixels, CAIRO_FORMAT_ARGB32,
		(int)layout->extent.width, (int)layout->extent.height, (int)stride);
	cr = cairo_create(*surface);
	cairo_translate(cr, -(double)layout->extent.x, -(double)layout->extent.y);
	return cr;
}

static bool draw_end(cairo_t *cr, cairo_surface_t *surface)
{
	bool good = cairo_status(cr) == CAIRO_STATUS_SUCCESS;

	cairo_destroy(cr);
	cairo_surface_flush(surface);
	cairo_surface_destroy(surface);
	return good;
}

bool overlay_draw(const struct overlay_layout *layout, uint8_t *pixels, uint32_t stride)
{
	struct draw draw = { .unit = layout->unit };
	cairo_surface_t *surface;

	if (!layout->extent.width || stride / 4 < layout->extent.width)
		return false;
	memset(pixels, 0, (size_t)stride * layout->extent.height);
	draw.cr = draw_begin(layout, pixels, stride, &surface);
	for (unsigned i = 0; i < layout->n; i++)
		if (layout->items[i].box.width && layout->items[i].box.height)
			drawers[layout->items[i].kind](&draw, &layout->items[i]);
	return draw_end(draw.cr, surface);
}

struct rect overlay_draw_pointer(const struct overlay_layout *layout, double x, double y,
	uint8_t *pixels, uint32_t stride)
{
	static const double shape[][2] = { { 0, 0 }, { 0, 30 }, { 7, 23.5 }, { 11.8, 34 },
		{ 16.4, 31.9 }, { 11.8, 21.6 }, { 21.5, 21.6 } };
	double unit = layout->unit, left = x - layout->extent.x - 4 * unit;
	double top = y - layout->extent.y - 4 * unit;
	struct rect box = { (uint32_t)fmax(0, left), (uint32_t)fmax(0, top),
		(uint32_t)ceil(32 * unit), (uint32_t)ceil(44 * unit) };
	cairo_surface_t *surface;
	cairo_t *cr;

	if (box.x >= layout->extent.width || box.y >= layout->extent.height)
		return (struct rect){ 0 };
	box.width = MIN(box.width, layout->extent.width - box.x);
	box.height = MIN(box.height, layout->extent.height - box.y);
	cr = draw_begin(layout, pixels, stride, &surface);
	for (unsigned i = 0; i < G_N_ELEMENTS(shape); i++)
		cairo_line_to(cr, x + shape[i][0] * unit, y + shape[i][1] * unit);
	cairo_close_path(cr);
	overlay_colour(cr, COLOUR_CREAM, 1);
	cairo_fill_preserve(cr);
	overlay_colour(cr, COLOUR_BURNT, 1);
	cairo_set_line_width(cr, 2 * unit);
	cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
	cairo_stroke(cr);
	draw_end(cr, surface);
	return box;
}
