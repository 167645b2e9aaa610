/*
 * The demonstration: two guests, the policy between them, and the legs that put it to the proof.
 * demo.c is the command and the order of things, demo_leg.c measures, demo_table.c shows.
 *
 * Thread: the main thread. Waiting means to iterate the default main context.
 */
#ifndef IRORI_UI_DEMO_H
#define IRORI_UI_DEMO_H

#include <glib.h>
#include <stdbool.h>

#include "gpu-share/policy.h"
#include "ui/demo_guest.h"
#include "ui/result.h"

enum demo_seat {
	DEMO_THEATER, /* plays the video */
	DEMO_STUDY,   /* reboots */
	DEMO_GUESTS
};

struct demo_window; /* demo_window.c */

struct demo {
	/* from the command line */
	int seconds, reboots;
	bool window, ab, unmanaged;

	struct demo_guest_config config[DEMO_GUESTS];
	struct demo_guest *guest[DEMO_GUESTS]; /* NULL: not started */
	struct policy policy;
	guint policy_timer;
	bool stop; /* a person, or a signal, wants it to end */
	struct result result;
	struct demo_window *shown;

	/* of the leg in progress */
	const char *leg;
	int64_t leg_from_ns; /* 0: warming up */
	size_t leg_from[DEMO_GUESTS]; /* index in the meter's observations */
	bool table_tty;
	unsigned table_lines; /* drawn last time */
	struct link_stat table_stat[DEMO_GUESTS]; /* as of the last table, and when */
	int64_t table_stat_ns[DEMO_GUESTS];
	double table_cpu[DEMO_GUESTS];
	int64_t table_ns;
};

/* Until `done` (NULL: never) or so many seconds have passed. False: it is to end, or time is up and
 * there was something to wait for. */
bool demo_wait(struct demo *demo, bool (*done)(struct demo *demo), double seconds);

/* The policy is told; its actions are carried out. */
void demo_policy(struct demo *demo, enum policy_event_type type, const struct demo_guest *guest,
	enum share_class share_class);

/* Measures a leg into result->leg[n_legs++]. False: it was broken off (it counts if complete). */
bool demo_leg_run(struct demo *demo, const char *leg);
/* Reboots of the leg in progress so far. */
unsigned demo_leg_reboots(const struct demo *demo);
/* The watched guest's figures of the last `vblanks`, or of the whole leg in progress (0). */
void demo_leg_metrics(struct demo *demo, enum demo_seat seat, size_t vblanks, struct metrics *m);

/* The live table: called twice a second. */
void demo_table_draw(struct demo *demo);
/* Ends it: what is printed next stands below. */
void demo_table_end(struct demo *demo);

/* The window; NULL and error set if there is no display, or it was not built. */
struct demo_window *demo_window_new(struct demo *demo, GError **error);
void demo_window_free(struct demo_window *window);
void demo_window_headline(struct demo_window *window, const char *text);
void demo_window_verdict(struct demo_window *window, const char *text, bool good);

#endif
