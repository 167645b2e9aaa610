/*
 * Who gets what: pure functions from the inventory and the configured seats.
 *
 * Thread: any; nothing is kept.
 */
#ifndef IRORI_SEATS_SEATING_H
#define IRORI_SEATS_SEATING_H

#include "seats/household.h"
#include "seats/inventory.h"

/* The seat that a device belongs to: the longest place that covers it wins, then the seats' order. A
 * monitor is looked for in Outputs=, by place before monitor:IDENTITY; a sound card in Sound=, then as all
 * else in Inputs=: a headset at the seat's hub is the seat's. NULL: nobody's; so are PCI functions. seats:
 * of struct seat_config. */
const struct seat_config *seating_of(const GPtrArray *seats, const struct inventory_item *item);

/* The card that a seat sounds on: what Sound= names, if it is plugged in; else one that is plugged in where its
 * Inputs= are, the first. NULL: none. */
const struct inventory_item *seating_sound(const GPtrArray *seats, const struct seat_config *seat,
	const GPtrArray *items);

/*
 * Seats for a machine that has none configured: seat1, seat2, ..., one a connected monitor, first
 * those of the card that firmware drew on, then by the cards' places. GPtrArray of struct seat_config that the caller frees; empty: no monitor.
 *
 * With one monitor everything is that seat's, what is plugged in later too. With more:
 *
 * - Keyboards go one a seat in the order of their ports when there are as many as monitors, each with the
 *   largest hub that no other keyboard is on, and so with all on that hub. What calls itself a keyboard
 *   and a mouse (a receiver, or a mouse with many buttons) counts only if that makes the number right; the
 *   keyboard of an i8042 only if the number is right with it; a laptop's own keyboard is its own panel's.
 *   Otherwise no input belongs to anybody until somebody presses a key.
 * - Mice and the like that are on none of these hubs: the same, when there are as many as monitors.
 * - Sound: a card on the seat's hub; else that of the monitor's card (HDMI) if the card has no other
 *   monitor; else the cards that are left, in order.
 */
GPtrArray *seating_propose(const GPtrArray *items);

/* Proposed seats for monitors that none of `seats` has, behind those that there are, without input and sound:
 * how many. */
unsigned seating_add_monitors(GPtrArray *seats, const GPtrArray *items);

/* Sound cards of proposed seats by the rules above, anew: people have said which hub is whose. */
void seating_share_sound(GPtrArray *seats, const GPtrArray *items);

/* The place by which a keyboard should be bound when somebody claims it: the largest hub that no other
 * keyboard is on, so that what is beside it comes along; else its port. g_free. */
char *seating_claim_place(const GPtrArray *items, const struct inventory_item *keyboard);

/* The place by which `item` should be bound: its hub's if it has one, else its port's. g_free. */
char *seating_place(const struct inventory_item *item);

#endif
