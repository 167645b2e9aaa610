/*
 * What the files of the session share.
 */
#ifndef IRORI_SEATS_SEAT_SESSION_PRIV_H
#define IRORI_SEATS_SEAT_SESSION_PRIV_H

#include "audio/seat_sound.h"
#include "display/screen_source.h"
#include "seats/seat/guest.h"
#include "seats/seat/session.h"
#include "seats/seat/told.h"
#include "seats/seat/view.h"

#define MS 1000000ll
#define SECOND (1000 * MS)

/* A guest at which the seat sits: the one that is shown, and one that still has the keys. */
struct slot {
	struct guest *guest; /* NULL: free */
};

struct session {
	struct session_config config;
	char *name;
	struct seat_facts facts;
	struct told told;
	struct menu menu;
	bool alone;          /* no irorid has ever been there: what is asked for is done here */
	char *paths[WIRE_GUESTS]; /* by hand: seat links, by id - 1 */

	struct wire_settings settings; /* as told; zeroed: nobody has */
	struct screen *screen;
	GSource *screen_source;
	struct view *view;
	struct view_pointer pointer;
	bool pointing;       /* it has been moved since the menu came up */

	struct router *router;
	guint router_timer;
	int64_t router_due;
	bool grabbed;
	struct slot slots[ROUTER_GUESTS];
	int shown;           /* slot; -1: none */
	struct seat_screen seat_screen;

	struct seat_sound *sound;
	char *sound_key;     /* of what it was made with */
	int sound_wake;      /* eventfd: its thread wants a connection to the guest; -1: there is no sound */
	guint sound_watch;   /* the watch on it */
	bool sound_told;     /* by this irorid */
	bool telling;        /* it has not said READY */
	guint sound_timer;

	/* until when (ns; 0: not, INT64_MAX: until told) */
	int64_t arriving, hint, volume, identify, notices[WIRE_NOTICES], force, answer;
	char identify_text[WIRE_TEXT], notice_texts[WIRE_NOTICES][WIRE_TEXT];
	int64_t time_told;   /* when facts.time was */
	int64_t time_left;   /* and what it said */
	guint timer, soon;

	uint32_t cookie;
	struct wire_state reported;
	int64_t reported_at, input_ns;
	uint64_t flips;
	bool refreshing, again;
};

/* Whatever has changed: guests, input, sound, overlay and irorid follow. */
void session_refresh(struct session *session);
/* The same from the main loop: for who is called by what a refresh may free. */
void session_soon(struct session *session);
/* Hands are the menu's, or the guest's: at once. */
void session_grab(struct session *session, int64_t now);

/* session_guests.c */
extern const struct guest_events session_guest_events;
extern const struct router_ops session_router_ops;
/* What the guest is known by while ids come and go. */
const char *session_key(const struct session *session, const struct wire_guest *guest);
/* Of the guest that is shown: asks irorid, or connects by hand. */
void session_want_link(struct session *session, enum wire_link_kind kind);
/* Takes over its descriptor. */
void session_link(struct session *session, struct wire_message *message);
/* Guests that are shown and not attached may be there now. */
void session_ask_guests(struct session *session);
void session_follow_shown(struct session *session);
void session_follow_screen(struct session *session);
/* The old guest's keys are let go at last, if hands did not. */
void session_force(struct session *session);

/* session_sound.c */
void session_silence(struct session *session);
void session_follow_sound(struct session *session);
void session_volume(struct session *session, unsigned volume, bool muted);
void session_microphone(struct session *session, bool open);

/* session_input.c */
void session_act(struct session *session, const struct menu_action *action);

#endif
