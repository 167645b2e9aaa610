/*
 * A local seat's screen: the monitors of one seat, and on them the guest's pictures, its cursor, and
 *an overlay that the guest can neither draw on nor read. It is fed with a DRM lease (or with a card
 *that is master of itself).
 *
 *	screen = screen_new(&events, self);
 *	card = kms_drm_new(lease_fd, &error);  screen_lease(screen, card);   ... at any time again
 *	source = screen_source_new(screen);  g_source_attach(source, context);    (screen_source.h)
 *	link_client_events.frame, cursor, buffer_gone -> screen_frame, screen_cursor, screen_gone
 *	events.flipped -> link_client_presented;  events.monitors -> link_client_monitors
 *
 * The n-th monitor shows the guest's head n and is its clock; its mode's size is the one to ask the
 * guest for. While a head has no picture (the guest is a firmware, or knows one monitor only), and for
 * monitors beyond PORT_HEADS, it shows what the first does. A guest's picture that fits a monitor is
 * shown pixel by pixel, in the middle; a larger one is scaled down. Where nothing is, is black.
 *
 * What is told to it (screen_frame and so on) is only noted, and shown by the next screen_run(): at
 *once where no flip is under way, else with the vblank. So one frame at most is copied a vblank,
 *and of it only what the buffer at hand lacks.
 *
 * Pacing: `flipped` comes for a head at each vblank of its monitor on which a newer frame of the guest is
 * up. For a head without a monitor, and for all while there is none, or it is blanked, or the lease is
 *lost (screen_idle() is true then), `flipped` comes from screen_run() 60 times a second. So the owner has nothing to do but to run it when it is due.
 *
 * A lease that ends (irorid died, or took it back) is noticed by the next commit: events.lost, and
 *the picture stays frozen on the monitor. With the next screen_lease() it goes on; the old card is
 *closed after the new one shows the picture, so that there is no dark moment.
 *
 * Thread: one; events come from screen_run() only. screen_run() blocks while modes are set (after
 * screen_lease, screen_hotplug, screen_blank), otherwise it does not. Times are nanoseconds of
 * CLOCK_MONOTONIC; nothing here reads a clock.
 */
#ifndef IRORI_DISPLAY_SCREEN_H
#define IRORI_DISPLAY_SCREEN_H

#include <glib.h>

#include "display/kms.h"
#include "display/link_client.h"

struct screen;

enum screen_limits {
	SCREEN_MAX_MONITORS = 8,
};

struct screen_monitor {
	char connector[32];
	uint32_t width, height;       /* pixels of its mode */
	uint32_t width_mm, height_mm; /* 0: not told */
	int64_t period_ns;
	char make[4], model[14], serial[14]; /* see edid_read.h */
};

/* The guest's frames on the first monitor, since the screen was made. Frames that came while there was no
 * monitor are neither shown nor skipped. */
struct screen_counts {
	uint64_t came;    /* screen_frame() */
	uint64_t shown;   /* flips that put up a newer one */
	uint64_t skipped; /* never up: a newer one was, by their numbers */
	int64_t gap_ns;   /* the longest from one that was shown to the next, since screen_counts_gap() */
};

/* Any may be NULL. From inside, everything but screen_run, screen_lease and screen_free is allowed.
 */
struct screen_events {
	/* The newest frame of the guest's head that is on its monitor, since this vblank. */
	void (*flipped)(void *data, unsigned head, uint64_t seq, int64_t vblank_ns,
		int64_t period_ns);
	/* Monitors, or their modes, are others than before: see screen_monitors(). */
	void (*monitors)(void *data);
	/* The lease is of no use any more (-errno). */
	void (*lost)(void *data, int error);
};

/* ARGB8888, premultiplied. The owner's memory: it stays and is readable until the next
 * screen_overlay(). */
struct screen_overlay {
	const uint8_t *pixels;
	uint32_t width, height, stride;
	int32_t x, y; /* on the first monitor; on others as far from their middle */
	bool hides;   /* nothing of the guest is to be seen, on any monitor */
};

/* `events` and data must outlive it. */
struct screen *screen_new(const struct screen_events *events, void *data);
/* What it shows goes dark. */
void screen_free(struct screen *screen);

/* Only these connectors (names, NULL at the end); NULL: all that the card has. For cards that are
 * no lease. And the mode to choose, where a monitor has it (0: the monitor's choice). */
void screen_wish(
	struct screen *screen, const char *const *connectors, uint32_t width, uint32_t height);
/* The card is taken over, at the next screen_run(). NULL: no lease; the monitors go dark (where the
 * old lease is still good) and the screen is idle. */
void screen_lease(struct screen *screen, struct kms_card *card);
/* Something was plugged in or out, says udev: look. */
void screen_hotplug(struct screen *screen);
/* Monitors to sleep, and awake. */
void screen_blank(struct screen *screen, bool blank);

/* As link_client_events' namesakes. A picture stays readable until it is gone or another frame
 * (cursor) of its head replaces it: call screen_frame(screen, NULL, NULL) and screen_cursor(screen, NULL,
 * NULL), which are for all heads, before link_client_free(). */
void screen_frame(
	struct screen *screen, const struct link_frame *frame, const struct link_picture *picture);
void screen_cursor(struct screen *screen, const struct link_cursor *cursor,
	const struct link_picture *picture);
void screen_gone(struct screen *screen, const struct link_picture *picture);
/* overlay NULL: none. Damage is what changed in its picture, in its own coordinates; NULL: all of
 * it. A place or a size that is another than before needs none. */
void screen_overlay(
	struct screen *screen, const struct screen_overlay *overlay, const struct rect *damage);

/* Does what is due: flips that have happened, commits, monitors, pacing. */
void screen_run(struct screen *screen, int64_t now_ns);
/* When screen_run() wants to be called next without anything on the fd: 0: now; INT64_MAX: not.
 * Changes with every call above. */
int64_t screen_due(const struct screen *screen);
/* For POLLIN; -1: none. Changes in screen_run(). */
int screen_fd(const struct screen *screen);

bool screen_idle(const struct screen *screen);
unsigned screen_monitors(const struct screen *screen);
/* The i-th. False: no such. */
bool screen_monitor(const struct screen *screen, unsigned i, struct screen_monitor *monitor);
void screen_counts(const struct screen *screen, struct screen_counts *counts);
/* The longest gap is told: the next begins. */
void screen_counts_gap(struct screen *screen);
/* Where on the first monitor the guest's picture is, for pointers. False: nowhere. */
bool screen_guest_area(const struct screen *screen, struct rect *area);

#endif
