/*
 * See appliance.h.
 */
#include "ui/appliance.h"

#include <string.h>

#define NAME "org.irori.Irori1"
#define ROOT "/org/irori/Irori1"

enum { ANSWER_MS = 120000 }; /* somebody may be asked for a password */

static GDBusConnection *connection(GError **error)
{
	static GDBusConnection *bus;
	const char *which = g_getenv("IRORI_BUS");
	bool session = which && !strcmp(which, "session");

	if (!bus)
		bus = g_bus_get_sync(session ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM, NULL, error);
	return bus;
}

GVariant *appliance_call(const char *path, const char *interface, const char *method,
	GVariant *arguments, GError **error)
{
	GDBusConnection *bus = connection(error);
	GVariant *reply;

	if (!bus) {
		if (arguments)
			g_variant_unref(g_variant_ref_sink(arguments));
		return NULL;
	}
	reply = g_dbus_connection_call_sync(bus, NAME, path ? path : ROOT, interface, method, arguments,
		NULL, G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, ANSWER_MS, NULL, error);
	if (!reply && error && g_error_matches(*error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)) {
		g_clear_error(error);
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "irorid does not run here");
	} else if (!reply && error) {
		g_dbus_error_strip_remote_error(*error);
	}
	return reply;
}

static char *object(const char *method, const char *name, GError **error)
{
	g_autoptr(GVariant) reply = appliance_call(NULL, APPLIANCE_MANAGER, method,
		g_variant_new("(s)", name), error);
	char *path = NULL;

	if (reply && g_variant_is_of_type(reply, G_VARIANT_TYPE("(o)")))
		g_variant_get(reply, "(o)", &path);
	return path;
}

char *appliance_seat(const char *name, GError **error)
{
	return object("GetSeat", name, error);
}

char *appliance_guest(const char *name, GError **error)
{
	return object("GetGuest", name, error);
}

GVariant *appliance_properties(const char *path, const char *interface, GError **error)
{
	g_autoptr(GVariant) reply = appliance_call(path, "org.freedesktop.DBus.Properties", "GetAll",
		g_variant_new("(s)", interface), error);

	return reply && g_variant_is_of_type(reply, G_VARIANT_TYPE("(a{sv})")) ?
		g_variant_get_child_value(reply, 0) : NULL;
}
