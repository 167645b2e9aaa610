/*
 * The end of the appliance: guests are switched off, each by its power button and by force when it
 * takes too long, then the machine.
 */
#define G_LOG_DOMAIN "irorid"

#include "seats/daemon.h"

enum {
	GRACE_S = 10,    /* beyond ShutdownSeconds=, for what hangs */
	REFUSED_S = 600, /* what went wrong is said to who comes to look */
};

static void notice(struct daemon *daemon, uint32_t seconds, const char *text)
{
	for (guint i = 0; i < daemon->seats->len; i++)
		seat_unit_notice(((struct seat *)g_ptr_array_index(daemon->seats, i))->unit,
			WIRE_NOTICE_WARNING, seconds, text);
}

static void off(struct daemon *daemon)
{
	bool machine = daemon->off_machine;

	g_clear_handle_id(&daemon->off_timer, g_source_remove);
	daemon->powering_off = daemon->off_machine = false;
	daemon_guests_bar(daemon);
	daemon_changed(daemon);
	daemon->events->off(daemon->data, machine);
}

static gboolean off_late(gpointer data)
{
	struct daemon *daemon = data;

	daemon->off_timer = 0;
	g_warning("not every guest is off; no longer waited for");
	off(daemon);
	return G_SOURCE_REMOVE;
}

static gboolean off_now(gpointer data)
{
	struct daemon *daemon = data;

	daemon->off_timer = 0;
	off(daemon);
	return G_SOURCE_REMOVE;
}

static bool any_on(const struct daemon *daemon)
{
	for (guint i = 0; i < daemon->guests->len; i++)
		if (guest_unit_on(g_ptr_array_index(daemon->guests, i)))
			return true;
	return false;
}

void power_guest_changed(struct daemon *daemon)
{
	if (!daemon->powering_off || any_on(daemon))
		return;
	/* From the loop: we may be in the middle of the last one's end. */
	g_clear_handle_id(&daemon->off_timer, g_source_remove);
	daemon->off_timer = g_idle_add(off_now, daemon);
}

void daemon_poweroff(struct daemon *daemon, bool machine)
{
	daemon->off_machine |= machine;
	if (daemon->powering_off)
		return;
	daemon->powering_off = true;
	daemon_guests_bar(daemon);
	g_message("all guests are switched off%s", machine ? ", then the machine" : "");
	daemon->off_timer = g_timeout_add_seconds(daemon->household->irori.shutdown_seconds + GRACE_S,
		off_late, daemon);
	notice(daemon, 0, machine ? "The PC switches off" : "All systems are switched off");
	for (guint i = 0; i < daemon->guests->len; i++)
		guest_unit_stop(g_ptr_array_index(daemon->guests, i), false);
	power_guest_changed(daemon);
	daemon_changed(daemon);
}

void daemon_poweroff_refused(struct daemon *daemon)
{
	g_warning("the machine could not be switched off: it stays on, without guests");
	notice(daemon, REFUSED_S, "The PC could not be switched off. Try again");
}
