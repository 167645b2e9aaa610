/*
 * The window's own parts, for window*.c only: the style, a seat's card, and what cards and window ask
 * of each other.
 *
 * Thread: GTK's.
 */
#ifndef IRORI_UI_WINDOW_PRIV_H
#define IRORI_UI_WINDOW_PRIV_H

#include "display/link_client.h"
#include "ui/window.h"

/* --- window_style.c --- */

void window_style_load(void);
void window_style_class(GtkWidget *widget, const char *name, bool on);
GtkWidget *window_style_label(const char *text, const char *class);
GtkWidget *window_style_mark(void);

/* --- window_seat.c: one card --- */

struct window_seat;

/* What a card tells the window. */
struct window_seat_ops {
	/* The pointer did something over the picture: a report for the tablet, without its end. */
	void (*pointer)(void *data, unsigned seat, const struct port_input *events, unsigned n);
	/* A press of a button, before its report. */
	void (*pressed)(void *data, unsigned seat);
	/* The guest was reset or its process is another: it believes that nothing is down. */
	void (*guest_reset)(void *data, unsigned seat);
};

struct window_seat *window_seat_new(const struct seat_window_seat *seat, unsigned index,
	const struct window_seat_ops *ops, void *data);
/* Its widget is the parent's to destroy, before. */
void window_seat_free(struct window_seat *seat);

GtkWidget *window_seat_card(struct window_seat *seat);
const char *window_seat_name(const struct window_seat *seat);
/* To the guest: a whole report. 0 or -errno; without a guest 0, nobody believes anything. */
int window_seat_send(struct window_seat *seat, const struct port_input *events, unsigned n);
/* It has, or has no longer, keyboard and pointer. */
void window_seat_set_seated(struct window_seat *seat, bool seated);
/* Twice a second. */
void window_seat_show_numbers(struct window_seat *seat, const struct seat_window_numbers *numbers);

/* --- window_picture.c: what a card paints --- */

struct window_picture {
	const struct link_picture *picture; /* NULL: black */
	struct rect source;
	const struct link_picture *cursor; /* NULL: none */
	double cursor_x, cursor_y;         /* of its top left corner, on the scanout */
	bool dim;            /* the picture is not alive */
	const char *caption; /* over it; NULL: none */
};

/* Where the picture goes in an area of that size: as large as fits, aspect kept. */
struct window_fit {
	double x, y, scale;
	uint32_t width, height; /* of the scanout */
};

struct window_fit window_picture_fit(uint32_t width, uint32_t height, int area_width,
	int area_height);
void window_picture_draw(cairo_t *cr, const struct window_picture *picture, int area_width,
	int area_height);
/* A position in the area as the tablet has it, 0..32767, at the edge where it is outside. */
void window_fit_tablet(const struct window_fit *fit, double x, double y, int32_t *tablet_x,
	int32_t *tablet_y);

#endif
