/*
 * irorid on D-Bus: org.irori.Irori1 (data/dbus/org.irori.Irori1.xml), a manager, an object a seat and a
 * guest, ObjectManager at the root. What changes is found by comparing what properties say now with
 * what they said before, so that no change can be forgotten; EmitsChangedSignal is as the file says.
 *
 * Without a bus, or while it is gone, everything else goes on.
 *
 * Thread: main.
 */
#ifndef IRORI_SEATS_BUS_H
#define IRORI_SEATS_BUS_H

#include <glib.h>
#include <stdbool.h>

enum bus_which {
	BUS_SYSTEM,
	BUS_SESSION,
	BUS_NONE,
};

struct bus;
struct daemon;

/* NULL without error for BUS_NONE. */
struct bus *bus_new(enum bus_which which, struct daemon *daemon, GError **error);
void bus_free(struct bus *bus);
/* Something may have changed. NULL is allowed. */
void bus_refresh(struct bus *bus);
/* Asks systemd to switch the machine off, without waiting for it; false: there is none. `refused` is called if
 * it cannot be asked (at once; bus NULL), refuses or does not answer, and not after bus_free. */
bool bus_poweroff(struct bus *bus, void (*refused)(void *data), void *data);

#endif
