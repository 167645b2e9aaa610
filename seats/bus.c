/*
 * See bus.h: connection, name, objects, and what of them has changed.
 */
#define G_LOG_DOMAIN "irorid"

#include "seats/bus.h"

#include <string.h>

#include "seats/bus_internal.h"

enum { POWEROFF_MS = 5000 };

#define INTROSPECTION "/org/irori/org.irori.Irori1.xml" /* a resource: data/dbus */
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define EMITS_CHANGED "org.freedesktop.DBus.Property.EmitsChangedSignal"

static const char *const interfaces[BUS_KINDS] = {
	[BUS_MANAGER] = BUS_NAME ".Manager",
	[BUS_SEAT] = BUS_NAME ".Seat",
	[BUS_GUEST] = BUS_NAME ".Guest",
};

static const char manager_xml[] =
	"<node><interface name='" OBJECT_MANAGER "'>"
	"<method name='GetManagedObjects'>"
	"<arg name='objects' type='a{oa{sa{sv}}}' direction='out'/></method>"
	"<signal name='InterfacesAdded'><arg name='object' type='o'/>"
	"<arg name='interfaces' type='a{sa{sv}}'/></signal>"
	"<signal name='InterfacesRemoved'><arg name='object' type='o'/>"
	"<arg name='interfaces' type='as'/></signal>"
	"</interface></node>";

/* As sd_bus_path_encode(3): what is no letter or digit becomes _ and two hexadecimal digits. */
char *bus_path(enum bus_kind kind, const char *name)
{
	GString *path = g_string_new(kind == BUS_SEAT ? BUS_ROOT "/seat/" : BUS_ROOT "/guest/");

	if (kind == BUS_MANAGER) {
		g_string_assign(path, BUS_ROOT);
		return g_string_free(path, FALSE);
	}
	for (const char *c = name; *c; c++)
		if (g_ascii_isalpha(*c) || (g_ascii_isdigit(*c) && c != name))
			g_string_append_c(path, *c);
		else
			g_string_append_printf(path, "_%02x", (unsigned char)*c);
	return g_string_free(path, FALSE);
}

struct seat *bus_seat(const struct bus_object *object)
{
	return object->kind == BUS_SEAT ? daemon_seat(object->bus->daemon, object->name) : NULL;
}

struct guest_unit *bus_guest(const struct bus_object *object)
{
	return object->kind == BUS_GUEST ? daemon_guest(object->bus->daemon, object->name) : NULL;
}

GVariant *bus_guest_ref(const struct guest_unit *guest)
{
	const char *name = guest ? guest_unit_entry(guest)->name : "";
	g_autofree char *path = guest ? bus_path(BUS_GUEST, name) : g_strdup("/");

	return g_variant_new("(so)", name, path);
}

static bool object_stands(const struct bus_object *object)
{
	return object->kind == BUS_MANAGER || bus_seat(object) || bus_guest(object);
}

/* Properties */

static GVariant *property_get(struct bus_object *object, const char *name)
{
	for (const struct bus_property *p = bus_properties[object->kind]; p->name; p++)
		if (!strcmp(p->name, name))
			return object_stands(object) ? p->get(object) : NULL;
	return NULL;
}

static GVariant *property_asked(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GError **error, void *data)
{
	GVariant *value = property_get(data, name);

	if (!value)
		g_set_error(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT, "It is no more");
	return value;
}

static GVariant *properties_all(struct bus_object *object)
{
	GVariantBuilder all;

	g_variant_builder_init(&all, G_VARIANT_TYPE("a{sv}"));
	for (const struct bus_property *p = bus_properties[object->kind]; p->name; p++)
		g_variant_builder_add(&all, "{sv}", p->name, p->get(object));
	return g_variant_builder_end(&all);
}

static bool property_emits(const struct bus_object *object, const char *name)
{
	GDBusInterfaceInfo *info =
		g_dbus_node_info_lookup_interface(object->bus->node, interfaces[object->kind]);
	GDBusPropertyInfo *property = g_dbus_interface_info_lookup_property(info, name);
	const char *how = g_dbus_annotation_info_lookup(property->annotations, EMITS_CHANGED);

	return !how || !strcmp(how, "true");
}

/* Emits what is different; `quiet`: only remembers. */
static void object_compare(struct bus_object *object, bool quiet)
{
	GVariantBuilder changed;
	bool any = false;

	g_variant_builder_init(&changed, G_VARIANT_TYPE("a{sv}"));
	for (const struct bus_property *p = bus_properties[object->kind]; p->name; p++) {
		GVariant *before, *now;

		if (!property_emits(object, p->name))
			continue;
		now = g_variant_ref_sink(p->get(object));
		before = g_hash_table_lookup(object->said, p->name);
		if (before && g_variant_equal(before, now)) {
			g_variant_unref(now);
			continue;
		}
		g_variant_builder_add(&changed, "{sv}", p->name, now);
		g_hash_table_replace(object->said, (gpointer)p->name, now);
		any = true;
	}
	if (any && !quiet)
		g_dbus_connection_emit_signal(object->bus->connection, NULL, object->path, PROPERTIES,
			"PropertiesChanged", g_variant_new("(sa{sv}as)", interfaces[object->kind],
				&changed, NULL), NULL);
	else
		g_variant_builder_clear(&changed);
}

/* Methods */

struct call {
	struct bus *bus;
	char *path;
	const struct bus_verb *verb;
	GVariant *arguments;
	GDBusMethodInvocation *invocation;
};

static void call_run(struct bus_object *object, const struct bus_verb *verb, GVariant *arguments,
	GDBusMethodInvocation *invocation)
{
	if (object && object_stands(object))
		verb->run(object, arguments, invocation);
	else
		g_dbus_method_invocation_return_error(invocation, G_DBUS_ERROR,
			G_DBUS_ERROR_UNKNOWN_OBJECT, "It is no more");
}

static void call_allowed(void *data, const char *answer)
{
	struct call *call = data;

	if (!strcmp(answer, "yes"))
		call_run(g_hash_table_lookup(call->bus->objects, call->path), call->verb,
			call->arguments, call->invocation);
	else
		g_dbus_method_invocation_return_dbus_error(call->invocation,
			!strcmp(answer, "challenge") ?
				"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired" :
				"org.freedesktop.DBus.Error.AccessDenied", "You may not do that");
	g_variant_unref(call->arguments);
	g_free(call->path);
	g_free(call);
}

static void method_called(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GVariant *arguments,
	GDBusMethodInvocation *invocation, void *data)
{
	struct bus_object *object = data;
	const struct bus_verb *verb = bus_verb_find(object->kind, name);
	GDBusMessage *message = g_dbus_method_invocation_get_message(invocation);
	gboolean interactive = (g_dbus_message_get_flags(message) &
		G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
	struct call *call;

	if (!verb) {
		g_dbus_method_invocation_return_error(invocation, G_DBUS_ERROR,
			G_DBUS_ERROR_UNKNOWN_METHOD, "There is no method %s", name);
		return;
	}
	if (!verb->action) {
		call_run(object, verb, arguments, invocation);
		return;
	}
	if (verb->interactive >= 0)
		g_variant_get_child(arguments, (gsize)verb->interactive, "b", &interactive);
	call = g_new0(struct call, 1);
	*call = (struct call){ object->bus, g_strdup(path), verb, g_variant_ref(arguments),
		invocation };
	polkit_ask(connection, sender, verb->action, interactive, call_allowed, call);
}

static const GDBusInterfaceVTable object_vtable = {
	.method_call = method_called,
	.get_property = property_asked,
};

/* Objects */

static void object_free(gpointer data)
{
	struct bus_object *object = data;

	if (object->registration)
		g_dbus_connection_unregister_object(object->bus->connection, object->registration);
	g_hash_table_destroy(object->said);
	g_free(object->name);
	g_free(object->path);
	g_free(object);
}

static void emit(struct bus *bus, const char *interface, const char *signal, GVariant *arguments)
{
	g_dbus_connection_emit_signal(bus->connection, NULL, BUS_ROOT, interface, signal, arguments,
		NULL);
}

static void object_announce(struct bus_object *object, bool there)
{
	const char *const names[] = { interfaces[object->kind], NULL };
	GVariantBuilder added;

	if (there) {
		g_variant_builder_init(&added, G_VARIANT_TYPE("a{sa{sv}}"));
		g_variant_builder_add(&added, "{s@a{sv}}", names[0], properties_all(object));
		emit(object->bus, OBJECT_MANAGER, "InterfacesAdded",
			g_variant_new("(oa{sa{sv}})", object->path, &added));
	} else {
		emit(object->bus, OBJECT_MANAGER, "InterfacesRemoved",
			g_variant_new("(o^as)", object->path, names));
	}
	if (object->kind != BUS_MANAGER)
		emit(object->bus, interfaces[BUS_MANAGER], object->kind == BUS_SEAT ?
			(there ? "SeatNew" : "SeatRemoved") : (there ? "GuestNew" : "GuestRemoved"),
			g_variant_new("(so)", object->name, object->path));
}

static void object_see(struct bus *bus, enum bus_kind kind, const char *name)
{
	g_autofree char *path = bus_path(kind, name);
	struct bus_object *object = g_hash_table_lookup(bus->objects, path);
	g_autoptr(GError) error = NULL;

	if (object) {
		object->seen = true;
		object_compare(object, false);
		return;
	}
	object = g_new0(struct bus_object, 1);
	object->bus = bus;
	object->kind = kind;
	object->seen = true;
	object->name = g_strdup(name);
	object->path = g_steal_pointer(&path);
	object->said = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
		(GDestroyNotify)g_variant_unref);
	object->registration = g_dbus_connection_register_object(bus->connection, object->path,
		g_dbus_node_info_lookup_interface(bus->node, interfaces[kind]), &object_vtable, object,
		NULL, &error);
	if (!object->registration)
		g_warning("D-Bus: %s: %s", object->path, error->message);
	g_hash_table_insert(bus->objects, object->path, object);
	object_compare(object, true);
	object_announce(object, true);
}

static gboolean object_gone(gpointer path, gpointer value, gpointer data)
{
	struct bus_object *object = value;
	bool gone = !object->seen;

	object->seen = false;
	if (gone)
		object_announce(object, false);
	return gone;
}

void bus_refresh(struct bus *bus)
{
	if (!bus || !bus->connection)
		return;
	object_see(bus, BUS_MANAGER, "");
	for (guint i = 0; i < bus->daemon->seats->len; i++)
		object_see(bus, BUS_SEAT,
			((struct seat *)g_ptr_array_index(bus->daemon->seats, i))->config->name);
	for (guint i = 0; i < bus->daemon->guests->len; i++)
		object_see(bus, BUS_GUEST,
			guest_unit_entry(g_ptr_array_index(bus->daemon->guests, i))->name);
	g_hash_table_foreach_remove(bus->objects, object_gone, NULL);
}

static void managed_asked(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GVariant *arguments,
	GDBusMethodInvocation *invocation, void *data)
{
	struct bus *bus = data;
	GVariantBuilder all;
	GHashTableIter iter;
	gpointer value;

	g_variant_builder_init(&all, G_VARIANT_TYPE("a{oa{sa{sv}}}"));
	g_hash_table_iter_init(&iter, bus->objects);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct bus_object *object = value;

		if (object->kind == BUS_MANAGER || !object_stands(object))
			continue;
		g_variant_builder_open(&all, G_VARIANT_TYPE("{oa{sa{sv}}}"));
		g_variant_builder_add(&all, "o", object->path);
		g_variant_builder_open(&all, G_VARIANT_TYPE("a{sa{sv}}"));
		g_variant_builder_add(&all, "{s@a{sv}}", interfaces[object->kind],
			properties_all(object));
		g_variant_builder_close(&all);
		g_variant_builder_close(&all);
	}
	g_dbus_method_invocation_return_value(invocation, g_variant_new("(a{oa{sa{sv}}})", &all));
}

static const GDBusInterfaceVTable managed_vtable = {
	.method_call = managed_asked,
};

/* Connection */

static void name_lost(GDBusConnection *connection, const char *name, gpointer data)
{
	g_warning("D-Bus: the name %s is not ours", name);
}

static bool connect_to(struct bus *bus, GBusType type, GError **error)
{
	g_autoptr(GBytes) xml =
		g_resources_lookup_data(INTROSPECTION, G_RESOURCE_LOOKUP_FLAGS_NONE, error);

	if (!xml)
		return false;
	bus->node = g_dbus_node_info_new_for_xml(g_bytes_get_data(xml, NULL), error);
	bus->manager_node = bus->node ? g_dbus_node_info_new_for_xml(manager_xml, error) : NULL;
	bus->connection = bus->manager_node ? g_bus_get_sync(type, NULL, error) : NULL;
	if (!bus->connection)
		return false;
	g_dbus_connection_set_exit_on_close(bus->connection, FALSE);
	bus->manager = g_dbus_connection_register_object(bus->connection, BUS_ROOT,
		bus->manager_node->interfaces[0], &managed_vtable, bus, NULL, error);
	return bus->manager != 0;
}

struct bus *bus_new(enum bus_which which, struct daemon *daemon, GError **error)
{
	struct bus *bus;

	if (which == BUS_NONE)
		return NULL;
	bus = g_new0(struct bus, 1);
	bus->daemon = daemon;
	bus->cancel = g_cancellable_new();
	bus->objects = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, object_free);
	if (!connect_to(bus, which == BUS_SYSTEM ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_SESSION, error)) {
		bus_free(bus);
		return NULL;
	}
	bus_refresh(bus); /* all is there when the name is */
	bus->owner = g_bus_own_name_on_connection(bus->connection, BUS_NAME,
		G_BUS_NAME_OWNER_FLAGS_NONE, NULL, name_lost, NULL, NULL);
	return bus;
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	g_cancellable_cancel(bus->cancel);
	g_object_unref(bus->cancel);
	if (bus->owner)
		g_bus_unown_name(bus->owner);
	g_hash_table_destroy(bus->objects);
	if (bus->manager)
		g_dbus_connection_unregister_object(bus->connection, bus->manager);
	g_clear_object(&bus->connection);
	g_clear_pointer(&bus->node, g_dbus_node_info_unref);
	g_clear_pointer(&bus->manager_node, g_dbus_node_info_unref);
	g_free(bus);
}

struct poweroff {
	void (*refused)(void *data);
	void *data;
};

static void poweroff_answered(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autofree struct poweroff *poweroff = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

	if (reply || g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return;
	g_warning("systemd: %s", error->message);
	poweroff->refused(poweroff->data);
}

bool bus_poweroff(struct bus *bus, void (*refused)(void *data), void *data)
{
	struct poweroff *poweroff;

	if (!g_file_test("/run/systemd/system", G_FILE_TEST_IS_DIR))
		return false;
	if (!bus) {
		refused(data);
		return true;
	}
	poweroff = g_new(struct poweroff, 1);
	*poweroff = (struct poweroff){ refused, data };
	/* As systemctl poweroff: units are stopped in order. */
	g_dbus_connection_call(bus->connection, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager", "StartUnit",
		g_variant_new("(ss)", "poweroff.target", "replace-irreversibly"), NULL,
		G_DBUS_CALL_FLAGS_NONE, POWEROFF_MS, bus->cancel, poweroff_answered, poweroff);
	return true;
}
