/*
 * irorid from the command line: org.irori.Irori1 on the system bus ($IRORI_BUS=session: the session's,
 * for tests), asked and waited for.
 *
 * Thread: one.
 */
#ifndef IRORI_UI_APPLIANCE_H
#define IRORI_UI_APPLIANCE_H

#include <gio/gio.h>
#include <stdbool.h>

#define APPLIANCE_MANAGER "org.irori.Irori1.Manager"
#define APPLIANCE_SEAT "org.irori.Irori1.Seat"
#define APPLIANCE_GUEST "org.irori.Irori1.Guest"

/* NULL and error set: refused, or nobody there. `path` NULL: the manager's. `arguments` may be NULL. */
GVariant *appliance_call(const char *path, const char *interface, const char *method,
	GVariant *arguments, GError **error);
/* Where a seat or a guest is; g_free. */
char *appliance_seat(const char *name, GError **error);
char *appliance_guest(const char *name, GError **error);
/* a{sv} of all its properties. */
GVariant *appliance_properties(const char *path, const char *interface, GError **error);

#endif
