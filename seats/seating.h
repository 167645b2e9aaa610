/*
 * Who gets what: pure functions from the inventory and the configured seats.
 *
 * Thread: any; nothing is kept.
 */
#ifndef IRORI_SEATS_SEATING_H
#define IRORI_SEATS_SEATING_H

#include "seats/household.h"
#include "seats/inventory.h"

/* The seat that a device belongs to: the longest place that covers it wins, then the seats' order.
 * `connector by place` before `monitor:IDENTITY`. NULL: nobody's. seats: of struct seat_config. */
const struct seat_config *seating_of(const GPtrArray *seats, const struct inventory_item *item);

/*
 * Seats for a machine that has none configured: one a connected monitor, from left to right as the
 * cards are numbered. Devices on a hub go together; a sound card of a monitor's own (HDMI) with it,
 * other cards one a seat; hubs with a keyboard one a seat in the order of their ports, when there are
 * as many as monitors, else keyboards stay unclaimed until somebody presses a key. GPtrArray of struct
 * seat_config that the caller frees; empty: no monitor. With one monitor everything is that seat's.
 */
GPtrArray *seating_propose(const GPtrArray *items);

/* The place by which `item` should be bound: its hub's if it has one, else its port's. g_free. */
char *seating_place(const struct inventory_item *item);

#endif
