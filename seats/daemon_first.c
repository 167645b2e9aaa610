/*
 * A machine that no seat is configured for: seats are proposed (seats/seating.h) and run
 * provisionally, each with its number on its monitor. Whoever presses F<number> on a keyboard says that
 * this keyboard sits there; with every seat taken, after any other key on a keyboard that has a seat, or by
 * `irori seats accept`, the files are written. With one monitor there is nothing to ask.
 */
#define G_LOG_DOMAIN "irorid"

#include <string.h>

#include "seats/daemon.h"
#include "seats/seating.h"

static GPtrArray *propose(struct daemon *daemon)
{
	return daemon->inventory ? seating_propose(inventory_items(daemon->inventory)) :
		g_ptr_array_new_with_free_func((GDestroyNotify)seat_config_free);
}

void first_begin(struct daemon *daemon)
{
	GPtrArray *before = daemon->proposed;
	g_autoptr(GError) error = NULL;

	daemon->proposed = propose(daemon);
	for (guint i = 0; i < daemon->proposed->len; i++)
		((struct seat_config *)g_ptr_array_index(daemon->proposed, i))->number = i + 1;
	daemon_seats_renew(daemon, daemon->proposed);
	if (before)
		g_ptr_array_unref(before);
	if (daemon->proposed->len != 1) {
		devices_assign(daemon);
		g_message("no seat is configured: %u proposed", daemon->proposed->len);
		return;
	}
	if (!first_accept(daemon, &error))
		g_warning("%s", error->message);
}

void first_monitor(struct daemon *daemon)
{
	for (guint i = 0; i < daemon->seats->len; i++)
		if (((struct seat *)g_ptr_array_index(daemon->seats, i))->claimed)
			return; /* somebody has begun to sit down: not now */
	first_begin(daemon);
}

bool first_accept(struct daemon *daemon, GError **error)
{
	if (!daemon->proposed)
		return true;
	for (guint i = 0; i < daemon->proposed->len; i++)
		if (!household_write_seat(daemon->config.folder,
			g_ptr_array_index(daemon->proposed, i), false, error))
			return false;
	g_message("%u seats are configured as proposed", daemon->proposed->len);
	for (guint i = 0; i < daemon->seats->len; i++) {
		struct wire_identify off = { 0 };
		struct seat *seat = g_ptr_array_index(daemon->seats, i);

		seat->claimed = false;
		seat_unit_send(seat->unit, WIRE_IDENTIFY, &off, sizeof(off), -1);
	}
	daemon_reload(daemon);
	return true;
}

void first_key(struct daemon *daemon, const struct inventory_item *item, unsigned number)
{
	struct seat *seat = daemon_seat_by_number(daemon, number);
	g_autofree char *place = seating_claim_place(inventory_items(daemon->inventory), item);
	g_autoptr(GError) error = NULL;
	bool all = true;

	if (!seat)
		return;
	g_message("%s belongs to seat %s", place, seat->config->name);
	if (!devices_attach(daemon, seat, place, &error)) {
		g_warning("seat %s: %s", seat->config->name, error->message);
		return;
	}
	if (!daemon->proposed) {
		seat = daemon_seat_by_number(daemon, number);
		if (seat)
			seat_unit_notice(seat->unit, WIRE_NOTICE_INFO, 5, "A keyboard is yours now");
		return;
	}
	seat->claimed = true;
	seat_identify(seat, true, 0);
	for (guint i = 0; i < daemon->seats->len; i++) {
		struct seat *other = g_ptr_array_index(daemon->seats, i);

		all &= other->claimed;
	}
	if (all && !first_accept(daemon, &error))
		g_warning("%s", error->message);
}

void first_other_key(struct daemon *daemon, const struct inventory_item *item)
{
	g_autoptr(GError) error = NULL;

	if (daemon->proposed && devices_owner(daemon, item) && !first_accept(daemon, &error))
		g_warning("%s", error->message);
}
