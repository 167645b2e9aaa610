/*
 * The connections to guests that one seat's process has been given. irorid keeps a descriptor of each, and so ends what
 * the process would rather keep: there is one of a kind to the guest that is shown, and for a while one to the guest that
 * was left, whose keys may still be down.
 *
 * Thread: main, whose default GMainContext it lives on.
 */
#ifndef IRORI_SEATS_SEAT_LINKS_H
#define IRORI_SEATS_SEAT_LINKS_H

#include "seats/wire.h"

enum {
	SEAT_LINKS_LEFT_MS = 3000, /* longer than the seat itself takes: FORCE_MS in seats/seat/session_guests.c */
	SEAT_LINKS_AGAIN_MS = 50,  /* from one of a kind to the next; the seat waits 100 ms at least */
};

struct seat_links;

/* `seat` is copied. */
struct seat_links *seat_links_new(const char *seat, int64_t (*now)(void));
/* What has been given stays, but to guests that were left: the seat's process outlives irorid. NULL is allowed. */
void seat_links_free(struct seat_links *links);

/* One to the guest that is shown, whose seat link is at `path`, instead of the one of this kind that there is: a
 * descriptor to send, which stays ours. -EAGAIN: the last one was just now; or -errno. */
int seat_links_give(struct seat_links *links, uint32_t guest, enum wire_link_kind kind, const char *path);
/* This guest is shown from now on (0: none): those to others end in a while. */
void seat_links_shown(struct seat_links *links, uint32_t guest);
/* The process is gone, or will be: all end. */
void seat_links_end(struct seat_links *links);

#endif
