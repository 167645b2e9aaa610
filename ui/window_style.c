/*
 * What the window looks like: charcoal and ember, the colours of a sunken hearth, as GTK style sheet;
 * and the mark in its corner.
 */
#include "ui/window_priv.h"

#include <math.h>

static const char style[] =
	"window.irori { background-image: linear-gradient(to bottom, #211c19, #171412);"
	"  color: #efe6dd; font-family: Cantarell, 'DejaVu Sans', sans-serif; }"
	".irori .title { font-size: 20px; font-weight: bold; color: #fff6ec; }"
	".irori .headline { font-size: 14px; color: #cbbcaf; }"
	".irori .verdict { font-size: 13px; font-weight: bold; border-radius: 14px; padding: 4px 14px; }"
	".irori .verdict.good { background: #2c4630; color: #b7e4b4; border: 1px solid #4f7d52; }"
	".irori .verdict.bad { background: #54231a; color: #ffc3b0; border: 1px solid #9c4431; }"
	".irori .card { background: #2a2420; border: 2px solid #3b332d; border-radius: 12px;"
	"  padding: 12px 14px 12px 14px; box-shadow: 0 4px 14px rgba(0,0,0,0.35); }"
	".irori .card.seated { border-color: #ff8a3d;"
	"  box-shadow: 0 0 22px rgba(255,120,40,0.40); }"
	".irori .card:backdrop.seated { border-color: #8c5a36; box-shadow: none; }"
	".irori .name { font-size: 17px; font-weight: bold; color: #fff6ec; }"
	".irori .role { font-size: 13px; color: #a2948a; }"
	".irori .chip { font-size: 12px; font-weight: bold; border-radius: 11px; padding: 2px 11px; }"
	".irori .chip.running { background: #263b29; color: #a5d8a2; }"
	".irori .chip.rebooting { background: #59310f; color: #ffc182; }"
	".irori .chip.paused { background: #3a3a45; color: #c3c6d8; }"
	".irori .chip.off { background: #37302b; color: #a2948a; }"
	".irori .chip.crashed { background: #5c2018; color: #ffb3a1; }"
	".irori .value { font-size: 19px; font-weight: bold; color: #fff6ec;"
	"  font-feature-settings: 'tnum'; }"
	".irori .value.lost { color: #ff8a6b; }"
	".irori .caption { font-size: 11px; color: #a2948a; }"
	".irori .hint { font-size: 13px; color: #a2948a; }"
	".irori .hint.seated { color: #ffb37a; }";

void window_style_load(void)
{
	GtkCssProvider *provider = gtk_css_provider_new();

	gtk_css_provider_load_from_data(provider, style, -1, NULL);
	gtk_style_context_add_provider_for_screen(gdk_screen_get_default(),
		GTK_STYLE_PROVIDER(provider), GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
	g_object_unref(provider);
}

void window_style_class(GtkWidget *widget, const char *name, bool on)
{
	GtkStyleContext *context = gtk_widget_get_style_context(widget);

	if (on)
		gtk_style_context_add_class(context, name);
	else
		gtk_style_context_remove_class(context, name);
}

GtkWidget *window_style_label(const char *text, const char *class)
{
	GtkWidget *label = gtk_label_new(text);

	gtk_label_set_xalign(GTK_LABEL(label), 0);
	window_style_class(label, class, true);
	return label;
}

/* A hearth from above: four beams, and a fire. */
static gboolean mark_draw(GtkWidget *widget, cairo_t *cr, gpointer data)
{
	double side = gtk_widget_get_allocated_height(widget), c = side / 2;
	cairo_pattern_t *fire = cairo_pattern_create_radial(c, c, 0, c, c, side * 0.36);

	cairo_pattern_add_color_stop_rgba(fire, 0.0, 1.0, 0.93, 0.66, 1);
	cairo_pattern_add_color_stop_rgba(fire, 0.4, 1.0, 0.55, 0.20, 1);
	cairo_pattern_add_color_stop_rgba(fire, 1.0, 0.75, 0.22, 0.05, 0);
	cairo_set_source_rgb(cr, 0.09, 0.075, 0.065);
	cairo_rectangle(cr, side * 0.12, side * 0.12, side * 0.76, side * 0.76);
	cairo_fill(cr);
	cairo_set_source(cr, fire);
	cairo_arc(cr, c, c, side * 0.36, 0, 2 * G_PI);
	cairo_fill(cr);
	cairo_pattern_destroy(fire);
	cairo_set_source_rgb(cr, 0.55, 0.38, 0.25);
	cairo_set_line_width(cr, side * 0.1);
	cairo_set_line_join(cr, CAIRO_LINE_JOIN_MITER);
	cairo_rectangle(cr, side * 0.12, side * 0.12, side * 0.76, side * 0.76);
	cairo_stroke(cr);
	return TRUE;
}

GtkWidget *window_style_mark(void)
{
	GtkWidget *mark = gtk_drawing_area_new();

	gtk_widget_set_size_request(mark, 30, 30);
	gtk_widget_set_valign(mark, GTK_ALIGN_CENTER);
	g_signal_connect(mark, "draw", G_CALLBACK(mark_draw), NULL);
	return mark;
}
