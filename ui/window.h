/*
 * The window: one or more guests side by side, each as a seat of its own on the seat link (DISPLAY
 * and INPUT; never the clock, so that what it shows cannot disturb what is measured). Click into a
 * seat and keyboard and pointer go there; hold both Ctrl to leave.
 *
 * It connects to each guest by itself, shows black while there is none, and connects again when a
 * guest's process has come back.
 *
 * Thread: GTK's (main). gtk_init_check() is the caller's. Callbacks come from the main loop.
 */
#ifndef IRORI_UI_WINDOW_H
#define IRORI_UI_WINDOW_H

#include <gtk/gtk.h>
#include <stdbool.h>
#include <stdint.h>

struct seat_window;

enum seat_window_limits {
	SEAT_WINDOW_SEATS = 6,
};

/* A seat to show; copied. */
struct seat_window_seat {
	const char *name; /* the guest's, as people know it */
	const char *role; /* a few words under the name: "plays the video"; may be NULL */
	const char *path; /* the guest's seat link socket */
};

/* What the caller knows about a seat from its own measurement; negative: not known, not shown (then
 * fps is what the window itself saw). */
struct seat_window_numbers {
	double fps;
	int64_t late;     /* frames */
	int64_t skipped;  /* frames */
	double jitter_ms; /* 99th percentile */
	double cpu;       /* processors in use */
};

/* Any may be NULL. */
struct seat_window_ops {
	/* Twice a second. All fields are negative before. */
	void (*numbers)(void *data, unsigned seat, struct seat_window_numbers *numbers);
	/* The person closed the window. It is still there: free it when you like. */
	void (*closed)(void *data);
};

/* Built and shown. NULL (with the error) when it cannot be: no display, too many seats. */
struct seat_window *seat_window_new(const struct seat_window_seat *seats, unsigned n,
	const struct seat_window_ops *ops, void *data, GError **error);
/* NULL is allowed. Held keys are released. */
void seat_window_free(struct seat_window *window);

/* The line at the top: what is going on ("managed, 34 of 60 s, 6 reboots"). Plain text. */
void seat_window_set_headline(struct seat_window *window, const char *text);
/* A result to stay: shown beside the headline in green (good) or ember red. NULL removes it. */
void seat_window_set_verdict(struct seat_window *window, const char *text, bool good);

GtkWidget *seat_window_widget(struct seat_window *window);

#endif
