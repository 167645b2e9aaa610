/*
 * What the objects on the bus do: a row for each method of data/dbus/org.irori.Irori1.xml, with its
 * polkit action.
 */
#include <errno.h>
#include <string.h>

#include "seats/bus_internal.h"

enum { IDENTIFY_S = 10 };

/* The error's name says what kind it is, its text is for people. */
static void refuse(GDBusMethodInvocation *invocation, int code, const char *why)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
		{ -ENOENT, BUS_NAME ".NoSuchThing" },
		{ -EACCES, BUS_NAME ".WrongPin" },
		{ -EBUSY, BUS_NAME ".TooManyTries" },
		{ -EPERM, BUS_NAME ".NotAllowed" },
		{ -EAGAIN, BUS_NAME ".NotRunning" },
	};
	const char *name = BUS_NAME ".Failed";

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		if (names[i].code == code)
			name = names[i].name;
	g_dbus_method_invocation_return_dbus_error(invocation, name,
		why ? why : g_strerror(-code));
}

static void answer(GDBusMethodInvocation *invocation, int code, const char *why)
{
	if (code)
		refuse(invocation, code, why);
	else
		g_dbus_method_invocation_return_value(invocation, NULL);
}

static void answer_error(GDBusMethodInvocation *invocation, const GError *error)
{
	g_autofree char *text = g_utf8_make_valid(error->message, -1);

	g_dbus_method_invocation_return_dbus_error(invocation, BUS_NAME ".Failed", text);
}

static GVariant *valid(const char *string)
{
	return g_variant_new_take_string(g_utf8_make_valid(string ? string : "", -1));
}

static void list_seats(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	const GPtrArray *seats = object->bus->daemon->seats;
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE("a(so)"));
	for (guint i = 0; i < seats->len; i++) {
		const struct seat *seat = g_ptr_array_index(seats, i);
		g_autofree char *path = bus_path(BUS_SEAT, seat->config->name);

		g_variant_builder_add(&list, "(so)", seat->config->name, path);
	}
	g_dbus_method_invocation_return_value(invocation, g_variant_new("(a(so))", &list));
}

static void list_guests(struct bus_object *object, GVariant *arguments,
	GDBusMethodInvocation *invocation)
{
	const GPtrArray *guests = object->bus->daemon->guests;
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE("a(so)"));
	for (guint i = 0; i < guests->len; i++)
		g_variant_builder_add_value(&list, bus_guest_ref(g_ptr_array_index(guests, i)));
	g_dbus_method_invocation_return_value(invocation, g_variant_new("(a(so))", &list));
}

static void list_people(struct bus_object *object, GVariant *arguments,
	GDBusMethodInvocation *invocation)
{
	struct daemon *daemon = object->bus->daemon;
	GVariantBuilder list;

	people_step(daemon);
	g_variant_builder_init(&list, G_VARIANT_TYPE("a(ssbbt)"));
	for (guint i = 0; i < daemon->people->len; i++) {
		const struct person_time *time = g_ptr_array_index(daemon->people, i);
		bool limited = time->verdict.left_us != INT64_MAX;

		g_variant_builder_open(&list, G_VARIANT_TYPE("(ssbbt)"));
		g_variant_builder_add_value(&list, valid(time->person->name));
		g_variant_builder_add_value(&list, valid(time->person->title));
		g_variant_builder_add(&list, "b", limited);
		g_variant_builder_add(&list, "b", time->verdict.allowed);
		g_variant_builder_add(&list, "t", limited ?
			(guint64)MAX(time->verdict.left_us, 0) : G_MAXUINT64);
		g_variant_builder_close(&list);
	}
	g_dbus_method_invocation_return_value(invocation, g_variant_new("(a(ssbbt))", &list));
}

static void list_devices(struct bus_object *object, GVariant *arguments,
	GDBusMethodInvocation *invocation)
{
	static const char *const kinds[INVENTORY_KINDS] = {
		[INVENTORY_MONITOR] = "monitor",
		[INVENTORY_INPUT] = "input",
		[INVENTORY_SOUND] = "sound",
		[INVENTORY_STORAGE] = "storage",
		[INVENTORY_PCI] = "pci",
	};
	struct daemon *daemon = object->bus->daemon;
	const GPtrArray *items = daemon->inventory ? inventory_items(daemon->inventory) : NULL;
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE("a(ssssssb)"));
	for (guint i = 0; items && i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);
		const struct seat *owner = devices_owner(daemon, item);

		g_variant_builder_open(&list, G_VARIANT_TYPE("(ssssssb)"));
		g_variant_builder_add(&list, "s", kinds[item->kind]);
		g_variant_builder_add_value(&list, valid(item->place));
		g_variant_builder_add_value(&list, valid(item->name));
		g_variant_builder_add_value(&list, valid(item->node));
		g_variant_builder_add_value(&list, valid(item->hub));
		g_variant_builder_add(&list, "s", owner ? owner->config->name : "");
		g_variant_builder_add(&list, "b", item->connected);
		g_variant_builder_close(&list);
	}
	g_dbus_method_invocation_return_value(invocation, g_variant_new("(a(ssssssb))", &list));
}

static void get_seat(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	g_autofree char *path = NULL;
	const char *name;

	g_variant_get(arguments, "(&s)", &name);
	if (!daemon_seat(object->bus->daemon, name)) {
		refuse(invocation, -ENOENT, "There is no such seat");
		return;
	}
	path = bus_path(BUS_SEAT, name);
	g_dbus_method_invocation_return_value(invocation, g_variant_new("(o)", path));
}

static void get_guest(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	g_autofree char *path = NULL;
	const char *name;

	g_variant_get(arguments, "(&s)", &name);
	if (!daemon_guest(object->bus->daemon, name)) {
		refuse(invocation, -ENOENT, "There is no such guest");
		return;
	}
	path = bus_path(BUS_GUEST, name);
	g_dbus_method_invocation_return_value(invocation, g_variant_new("(o)", path));
}

/* What goes into a configuration file is a place and nothing else. */
static bool place_valid(const char *place)
{
	size_t len = strlen(place);

	if (!len || len >= INVENTORY_PLACE)
		return false;
	for (; *place; place++)
		if (!g_ascii_isalnum(*place) && !strchr("-_:.,/", *place))
			return false;
	return true;
}

static void attach_device(struct bus_object *object, GVariant *arguments,
	GDBusMethodInvocation *invocation)
{
	g_autoptr(GError) error = NULL;
	const char *name, *place;
	struct seat *seat;

	g_variant_get(arguments, "(&s&sb)", &name, &place, NULL);
	seat = daemon_seat(object->bus->daemon, name);
	if (!seat)
		refuse(invocation, -ENOENT, "There is no such seat");
	else if (!place_valid(place))
		refuse(invocation, -EINVAL, "That is no place that a device can be at");
	else if (!devices_attach(object->bus->daemon, seat, place, &error))
		answer_error(invocation, error);
	else
		answer(invocation, 0, NULL);
}

static void accept_seats(struct bus_object *object, GVariant *arguments,
	GDBusMethodInvocation *invocation)
{
	g_autoptr(GError) error = NULL;

	if (first_accept(object->bus->daemon, &error))
		answer(invocation, 0, NULL);
	else
		answer_error(invocation, error);
}

static void identify_all(struct bus_object *object, GVariant *arguments,
	GDBusMethodInvocation *invocation)
{
	const GPtrArray *seats = object->bus->daemon->seats;

	for (guint i = 0; i < seats->len; i++)
		seat_identify(g_ptr_array_index(seats, i), true, IDENTIFY_S);
	answer(invocation, 0, NULL);
}

static void extend(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	const char *person, *why = NULL;
	guint32 minutes;
	int r;

	g_variant_get(arguments, "(&su)", &person, &minutes);
	r = people_extend(object->bus->daemon, person, minutes, &why);
	answer(invocation, r, why);
}

static void reload(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	daemon_reload(object->bus->daemon);
	answer(invocation, 0, NULL);
}

static void power_off(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	answer(invocation, 0, NULL);
	daemon_poweroff(object->bus->daemon, true);
}

static void stop_guests(struct bus_object *object, GVariant *arguments,
	GDBusMethodInvocation *invocation)
{
	answer(invocation, 0, NULL);
	daemon_poweroff(object->bus->daemon, false);
}

static void can(void *data, const char *said)
{
	g_dbus_method_invocation_return_value(data, g_variant_new("(s)", said));
}

static void can_ask(struct bus_object *object, GDBusMethodInvocation *invocation, const char *action)
{
	polkit_ask(object->bus->connection, g_dbus_method_invocation_get_sender(invocation), action,
		false, can, invocation);
}

static void can_power_off(struct bus_object *object, GVariant *arguments,
	GDBusMethodInvocation *invocation)
{
	can_ask(object, invocation, "power-off");
}

static void can_attach(struct bus_object *object, GVariant *arguments,
	GDBusMethodInvocation *invocation)
{
	can_ask(object, invocation, "attach-device");
}

static void can_extend(struct bus_object *object, GVariant *arguments,
	GDBusMethodInvocation *invocation)
{
	can_ask(object, invocation, "extend");
}

static void switch_to(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	const char *guest, *why = NULL;
	int r;

	g_variant_get(arguments, "(&s)", &guest);
	r = seat_switch(bus_seat(object), guest, &why);
	answer(invocation, r, why);
}

static void lock(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	answer(invocation, seat_lock(bus_seat(object), true), NULL);
}

static void unlock(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	const char *pin, *why = NULL;
	int r;

	g_variant_get(arguments, "(&s)", &pin);
	/* Without a PIN it is whoever polkit has let through. */
	r = *pin ? seat_unlock(bus_seat(object), pin, &why) : seat_lock(bus_seat(object), false);
	answer(invocation, r, why);
}

static void identify(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	seat_identify(bus_seat(object), true, IDENTIFY_S);
	answer(invocation, 0, NULL);
}

static void terminate(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	seat_unit_end(bus_seat(object)->unit);
	seat_unit_start(bus_seat(object)->unit);
	answer(invocation, 0, NULL);
}

static void start(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	const char *why = NULL;
	int r = guest_unit_start(bus_guest(object), &why);

	answer(invocation, r, why);
}

static void stop(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	gboolean force;

	g_variant_get(arguments, "(b)", &force);
	guest_unit_stop(bus_guest(object), force);
	answer(invocation, 0, NULL);
}

static void restart(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	const char *why = NULL;
	int r = guest_unit_restart(bus_guest(object), &why);

	answer(invocation, r, why);
}

static void pause_guest(struct bus_object *object, GVariant *arguments,
	GDBusMethodInvocation *invocation)
{
	answer(invocation, guest_unit_pause(bus_guest(object), true), NULL);
}

static void resume(struct bus_object *object, GVariant *arguments, GDBusMethodInvocation *invocation)
{
	answer(invocation, guest_unit_pause(bus_guest(object), false), NULL);
}

static const struct bus_verb verbs[] = {
	{ BUS_MANAGER, "ListSeats", NULL, -1, list_seats },
	{ BUS_MANAGER, "ListGuests", NULL, -1, list_guests },
	{ BUS_MANAGER, "ListPeople", NULL, -1, list_people },
	{ BUS_MANAGER, "ListDevices", NULL, -1, list_devices },
	{ BUS_MANAGER, "GetSeat", NULL, -1, get_seat },
	{ BUS_MANAGER, "GetGuest", NULL, -1, get_guest },
	{ BUS_MANAGER, "AttachDevice", "attach-device", 2, attach_device },
	{ BUS_MANAGER, "AcceptSeats", "accept-seats", -1, accept_seats },
	{ BUS_MANAGER, "Identify", "identify", -1, identify_all },
	{ BUS_MANAGER, "Extend", "extend", -1, extend },
	{ BUS_MANAGER, "Reload", "reload", -1, reload },
	{ BUS_MANAGER, "PowerOff", "power-off", 0, power_off },
	{ BUS_MANAGER, "StopGuests", "power-off", 0, stop_guests },
	{ BUS_MANAGER, "CanPowerOff", NULL, -1, can_power_off },
	{ BUS_MANAGER, "CanAttachDevice", NULL, -1, can_attach },
	{ BUS_MANAGER, "CanExtend", NULL, -1, can_extend },
	{ BUS_SEAT, "SwitchTo", "switch-guest", -1, switch_to },
	{ BUS_SEAT, "Lock", "lock", -1, lock },
	{ BUS_SEAT, "Unlock", "unlock", -1, unlock },
	{ BUS_SEAT, "Identify", "identify", -1, identify },
	{ BUS_SEAT, "Terminate", "terminate-seat", -1, terminate },
	{ BUS_GUEST, "Start", "start-guest", -1, start },
	{ BUS_GUEST, "Stop", "stop-guest", -1, stop },
	{ BUS_GUEST, "Restart", "restart-guest", -1, restart },
	{ BUS_GUEST, "Pause", "pause-guest", -1, pause_guest },
	{ BUS_GUEST, "Resume", "pause-guest", -1, resume },
};

const struct bus_verb *bus_verb_find(enum bus_kind kind, const char *name)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (verbs[i].kind == kind && !strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}
