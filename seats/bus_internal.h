/*
 * The parts of bus.c: objects, what their properties say (bus_properties.c), what their methods do
 * (bus_verbs.c), who may (polkit.c).
 *
 * Thread: main.
 */
#ifndef IRORI_SEATS_BUS_INTERNAL_H
#define IRORI_SEATS_BUS_INTERNAL_H

#include <gio/gio.h>

#include "seats/bus.h"
#include "seats/daemon.h"

#define BUS_NAME "org.irori.Irori1"
#define BUS_ROOT "/org/irori/Irori1"

enum bus_kind {
	BUS_MANAGER,
	BUS_SEAT,
	BUS_GUEST,
	BUS_KINDS
};

struct bus_object {
	struct bus *bus;
	enum bus_kind kind;
	char *name, *path;   /* name: of the seat or guest */
	guint registration;
	GHashTable *said;    /* property -> GVariant: what it said last */
	bool seen;           /* while objects are looked through */
};

struct bus {
	GDBusConnection *connection;
	GCancellable *cancel; /* of what is asked of others */
	GDBusNodeInfo *node;
	GDBusNodeInfo *manager_node; /* ObjectManager's */
	guint owner, manager;
	GHashTable *objects; /* path -> struct bus_object */
	struct daemon *daemon;
};

struct bus_property {
	const char *name;
	/* Floating. The object's seat or guest is there. */
	GVariant *(*get)(struct bus_object *object);
};

struct bus_verb {
	enum bus_kind kind;
	const char *name;
	const char *action;    /* "switch-guest"; NULL: everybody may */
	int interactive;       /* which argument says so; -1: none, then not */
	/* Ends the invocation. */
	void (*run)(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation);
};

extern const struct bus_property *const bus_properties[BUS_KINDS]; /* each ends with name NULL */
const struct bus_verb *bus_verb_find(enum bus_kind kind, const char *name);

char *bus_path(enum bus_kind kind, const char *name); /* escaped; g_free */
/* Of an object that stands for one; NULL: it is no more. */
struct seat *bus_seat(const struct bus_object *object);
struct guest_unit *bus_guest(const struct bus_object *object);
GVariant *bus_guest_ref(const struct guest_unit *guest); /* (so); NULL: ("", "/") */

/* Answers "yes", "no", "challenge" (somebody may be asked); polkit_ask's answer is final. */
typedef void polkit_answer_fn(void *data, const char *answer);
void polkit_ask(GDBusConnection *connection, const char *sender, const char *action, bool interactive,
	polkit_answer_fn *answer, void *data);

#endif
