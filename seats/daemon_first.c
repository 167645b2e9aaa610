/*
 * A machine that no seat is configured for: seats are proposed (seats/seating.h) and run
 * provisionally, each with its number on its monitor. Whoever presses F<number> on a keyboard says that
 * this keyboard sits there. Nothing is written before somebody who sits presses Enter, or by
 * `irori seats accept`: monitors come late, and people press the wrong key. With one monitor there
 * is nothing to ask: it waits a while for others.
 */
#define G_LOG_DOMAIN "irorid"

#include <string.h>

#include "seats/daemon.h"
#include "seats/seating.h"

enum {
	SETTLE_S = 10, /* a monitor that is just being switched on is there by then */
	NOTICE_S = 15,
};

static const GPtrArray *items_of(const struct daemon *daemon)
{
	return daemon->inventory ? inventory_items(daemon->inventory) : NULL;
}

static unsigned sitting(const struct daemon *daemon)
{
	unsigned n = 0;

	for (guint i = 0; i < daemon->seats->len; i++)
		n += ((struct seat *)g_ptr_array_index(daemon->seats, i))->claimed != NULL;
	return n;
}

static bool is_alone(const struct daemon *daemon)
{
	return daemon->proposed->len == 1;
}

char *first_text(const struct seat *seat)
{
	const struct daemon *daemon = seat->daemon;

	if (is_alone(daemon))
		return g_strdup_printf("The only monitor: in %u seconds everything belongs here. "
			"Switch the others on now, or press Enter", SETTLE_S);
	if (!seat->claimed)
		return g_strdup_printf("Press F%u on your keyboard", seat->config->number);
	return g_strdup(sitting(daemon) == daemon->seats->len ?
		"Everybody has a keyboard. Press Enter" :
		"Yours. Press Enter when everybody has a keyboard");
}

static void all_identify(struct daemon *daemon)
{
	for (guint i = 0; i < daemon->seats->len; i++)
		seat_identify(g_ptr_array_index(daemon->seats, i), true, 0);
}

static void accept_or_say(struct daemon *daemon)
{
	g_autoptr(GError) error = NULL;

	if (first_accept(daemon, &error))
		return;
	g_warning("%s", error->message);
	for (guint i = 0; i < daemon->seats->len; i++)
		seat_unit_notice(((struct seat *)g_ptr_array_index(daemon->seats, i))->unit,
			WIRE_NOTICE_WARNING, NOTICE_S, error->message);
}

static gboolean settled(gpointer data)
{
	struct daemon *daemon = data;

	daemon->first_timer = 0;
	if (daemon->proposed && is_alone(daemon))
		accept_or_say(daemon);
	return G_SOURCE_REMOVE;
}

static void settle(struct daemon *daemon)
{
	g_clear_handle_id(&daemon->first_timer, g_source_remove);
	if (is_alone(daemon))
		daemon->first_timer = g_timeout_add_seconds(SETTLE_S, settled, daemon);
}

static void propose(struct daemon *daemon)
{
	const GPtrArray *items = items_of(daemon);
	GPtrArray *before = daemon->proposed;

	daemon->proposed = items ? seating_propose(items) :
		g_ptr_array_new_with_free_func((GDestroyNotify)seat_config_free);
	daemon_seats_renew(daemon, daemon->proposed);
	if (!before || before->len != daemon->proposed->len)
		g_message("no seat is configured: %u proposed", daemon->proposed->len);
	if (before)
		g_ptr_array_unref(before);
}

void first_begin(struct daemon *daemon)
{
	propose(daemon);
	settle(daemon);
	all_identify(daemon);
}

/* Who sits keeps their seat and its number. */
static void monitors_add(struct daemon *daemon)
{
	unsigned n = seating_add_monitors(daemon->proposed, items_of(daemon));

	if (!n)
		return;
	g_message("%u more seats are proposed", n);
	daemon_seats_renew(daemon, daemon->proposed);
	all_identify(daemon);
}

void first_news(struct daemon *daemon, enum inventory_kind kind)
{
	if (!sitting(daemon)) {
		propose(daemon);
		if (kind == INVENTORY_MONITOR)
			settle(daemon);
		all_identify(daemon);
		return;
	}
	if (kind == INVENTORY_MONITOR)
		monitors_add(daemon);
	seating_share_sound(daemon->proposed, items_of(daemon));
	devices_assign(daemon);
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
	g_clear_handle_id(&daemon->first_timer, g_source_remove);
	for (guint i = 0; i < daemon->seats->len; i++) {
		struct wire_identify off = { 0 };
		struct seat *seat = g_ptr_array_index(daemon->seats, i);

		g_clear_pointer(&seat->claimed, g_free);
		seat_unit_send(seat->unit, WIRE_IDENTIFY, &off, sizeof(off), -1);
	}
	daemon_reload(daemon);
	return true;
}

/* The last key counts: who pressed the wrong one does not sit there any more. */
static void sit(struct daemon *daemon, struct seat *seat, const char *place)
{
	for (guint i = 0; i < daemon->seats->len; i++) {
		struct seat *other = g_ptr_array_index(daemon->seats, i);

		if (other->claimed && (other == seat || !strcmp(other->claimed, place)))
			g_clear_pointer(&other->claimed, g_free);
	}
	seat->claimed = g_strdup(place);
	seating_share_sound(daemon->proposed, items_of(daemon));
	devices_assign(daemon);
	all_identify(daemon);
}

void first_key(struct daemon *daemon, const struct inventory_item *item, unsigned number)
{
	struct seat *seat = daemon_seat_by_number(daemon, number);
	g_autofree char *place = seating_claim_place(inventory_items(daemon->inventory), item);
	g_autoptr(GError) error = NULL;

	if (!seat)
		return;
	if (daemon->proposed && is_alone(daemon)) {
		accept_or_say(daemon);
		return;
	}
	g_message("%s belongs to seat %s", place, seat->config->name);
	if (!devices_attach(daemon, seat, place, &error)) {
		g_warning("seat %s: %s", seat->config->name, error->message);
		return;
	}
	if (daemon->proposed) {
		sit(daemon, seat, place);
		return;
	}
	seat = daemon_seat_by_number(daemon, number);
	if (seat)
		seat_unit_notice(seat->unit, WIRE_NOTICE_INFO, 5, "A keyboard is yours now");
}

void first_enter(struct daemon *daemon, const struct inventory_item *item)
{
	const struct seat *seat = daemon->proposed ? devices_owner(daemon, item) : NULL;

	if (seat && (is_alone(daemon) || (seat->claimed && place_covers(seat->claimed, item->place))))
		accept_or_say(daemon);
}
