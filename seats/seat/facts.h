/*
 * What a seat knows of itself: what irorid told, what the guest's link and the sound say. The menu and
 * the overlay are functions of this and of what hands did.
 *
 * Thread: the main one; a plain value.
 */
#ifndef IRORI_SEATS_SEAT_FACTS_H
#define IRORI_SEATS_SEAT_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "seats/wire.h"

struct seat_facts {
	char seat[WIRE_NAME];
	uint32_t number;             /* of the seat, from 1 */
	struct wire_guest guests[WIRE_GUESTS];
	unsigned n_guests;
	uint32_t shown;              /* a guest's id; 0: the list */
	bool locked;
	struct wire_time time;       /* of the person whose guest is shown */
	bool supervised;             /* irorid is there: requests are answered */
	bool attached;               /* to the shown guest's seat link */
	bool sound;                  /* the sound device is there */
	unsigned volume;             /* per cent */
	bool muted, microphone;      /* microphone: open to the guest */
	bool recording;              /* and the guest listens */
};

/* NULL: none of this id. */
static inline const struct wire_guest *facts_guest(const struct seat_facts *facts, uint32_t id)
{
	for (unsigned i = 0; id && i < facts->n_guests; i++)
		if (facts->guests[i].id == id)
			return &facts->guests[i];
	return NULL;
}

/* What is shown; NULL: the list, or nothing that there is. */
static inline const struct wire_guest *facts_shown(const struct seat_facts *facts)
{
	return facts_guest(facts, facts->shown);
}

/* What people call it. */
static inline const char *facts_title(const struct wire_guest *guest)
{
	return guest->title[0] ? guest->title : guest->name;
}

#endif
