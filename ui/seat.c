/*
 * irori status, attach, switch, lock, unlock, identify, extend, start, and what `irori seats` lists: verbs
 * of irorid, by D-Bus.
 */
#include "ui/seat.h"

#include <stdio.h>
#include <string.h>

#include "ui/appliance.h"
#include "ui/command.h"
#include "ui/json.h"

static int done(const char *name, GVariant *reply, GError *error)
{
	if (!reply)
		return command_fail_error(EX_UNAVAILABLE, name, error);
	g_variant_unref(reply);
	return EX_OK;
}

/* What a property says, for people and for JSON; "" and 0 where it does not say it. */
static const char *text(GVariant *properties, const char *name)
{
	const char *value = "";

	g_variant_lookup(properties, name, "&s", &value);
	return value;
}

static guint32 number(GVariant *properties, const char *name)
{
	guint32 value = 0;

	g_variant_lookup(properties, name, "u", &value);
	return value;
}

static gboolean flag(GVariant *properties, const char *name)
{
	gboolean value = FALSE;

	g_variant_lookup(properties, name, "b", &value);
	return value;
}

static guint64 large(GVariant *properties, const char *name)
{
	guint64 value = 0;

	g_variant_lookup(properties, name, "t", &value);
	return value;
}

static const char *active(GVariant *properties)
{
	const char *name = "";

	g_variant_lookup(properties, "ActiveGuest", "(&s&o)", &name, NULL);
	return name;
}

static void list_json(JsonBuilder *json, const char *name, GVariant *properties, const char *property)
{
	g_autofree const char **list = NULL;

	g_variant_lookup(properties, property, "^a&s", &list);
	json_builder_set_member_name(json, name);
	json_builder_begin_array(json);
	for (const char **item = list; item && *item; item++)
		json_builder_add_string_value(json, *item);
	json_builder_end_array(json);
}

static void seat_json(JsonBuilder *json, GVariant *seat)
{
	guint64 left = large(seat, "TimeLeftUSec");

	json_builder_begin_object(json);
	json_text(json, "name", text(seat, "Id"));
	json_int(json, "number", number(seat, "Number"));
	json_text(json, "guest", *active(seat) ? active(seat) : NULL);
	json_bool(json, "up", flag(seat, "Up"));
	json_int(json, "pid", number(seat, "Pid"));
	json_int(json, "starts", number(seat, "Starts"));
	json_bool(json, "attached", flag(seat, "Attached"));
	json_bool(json, "locked", flag(seat, "Locked"));
	json_bool(json, "microphone_open", flag(seat, "MicrophoneOpen"));
	json_int(json, "width", number(seat, "Width"));
	json_int(json, "height", number(seat, "Height"));
	json_int(json, "outputs_lit", number(seat, "LitOutputs"));
	json_int(json, "volume", number(seat, "Volume"));
	json_int(json, "frames", (int64_t)large(seat, "Frames"));
	json_int(json, "flips", (int64_t)large(seat, "Flips"));
	json_int(json, "frames_came", (int64_t)large(seat, "FramesCame"));
	json_int(json, "frames_skipped", (int64_t)large(seat, "FramesSkipped"));
	json_number(json, "frame_gap_ms", (double)large(seat, "FrameGapUSec") / 1e3);
	if (left != G_MAXUINT64)
		json_number(json, "time_left_s", (double)left / 1e6);
	list_json(json, "outputs", seat, "Outputs");
	list_json(json, "inputs", seat, "Inputs");
	json_builder_end_object(json);
}

static char *time_left(GVariant *seat)
{
	guint64 left = large(seat, "TimeLeftUSec");

	if (left == G_MAXUINT64)
		return g_strdup("");
	return g_strdup_printf("%u:%02u left", (unsigned)(left / 3600000000u),
		(unsigned)(left / 60000000u % 60));
}

static void seat_line(GVariant *seat)
{
	g_autofree char *left = time_left(seat);
	g_autofree char *screen = number(seat, "Width") ? g_strdup_printf("%ux%u",
		number(seat, "Width"), number(seat, "Height")) : g_strdup("-");

	printf("%2u  %-16s %-16s %-10s %-10s %s%s\n", number(seat, "Number"), text(seat, "Id"),
		*active(seat) ? active(seat) : "-", flag(seat, "Up") ? "up" : "down", screen,
		flag(seat, "Locked") ? "locked  " : "", left);
}

int seats_list(const char *name, bool as_json)
{
	GError *error = NULL;
	g_autoptr(GVariant) reply =
		appliance_call(NULL, APPLIANCE_MANAGER, "ListSeats", NULL, &error);
	g_autoptr(GVariantIter) seats = NULL;
	JsonBuilder *json = json_builder_new();
	g_autofree char *out = NULL;
	const char *path;

	if (!reply) {
		g_object_unref(json);
		return command_fail_error(EX_UNAVAILABLE, name, error);
	}
	json_builder_begin_array(json);
	g_variant_get(reply, "(a(so))", &seats);
	if (!as_json && g_variant_iter_n_children(seats))
		printf("%2s  %-16s %-16s %-10s %-10s\n", "", "SEAT", "GUEST", "STATE", "SCREEN");
	while (g_variant_iter_loop(seats, "(&s&o)", NULL, &path)) {
		g_autoptr(GVariant) seat = appliance_properties(path, APPLIANCE_SEAT, NULL);

		if (seat && as_json)
			seat_json(json, seat);
		else if (seat)
			seat_line(seat);
	}
	json_builder_end_array(json);
	out = json_finish(json);
	if (as_json)
		fputs(out, stdout);
	return EX_OK;
}

static gboolean status_json;

static const GOptionEntry status_options[] = {
	{ "json", 0, 0, G_OPTION_ARG_NONE, &status_json, "print JSON", NULL },
	{ 0 },
};

static void print_list(GVariant *seat, const char *label, const char *property)
{
	g_autofree const char **list = NULL;

	g_variant_lookup(seat, property, "^a&s", &list);
	for (const char **item = list; item && *item; item++)
		printf("%10s: %s\n", item == list ? label : "", *item);
}

/* How the guest that it shows is; why, where it is off. */
static void print_guest(GVariant *seat)
{
	const char *path = "/";
	g_autoptr(GVariant) guest = NULL;

	g_variant_lookup(seat, "ActiveGuest", "(&s&o)", NULL, &path);
	guest = strcmp(path, "/") ? appliance_properties(path, APPLIANCE_GUEST, NULL) : NULL;
	if (guest)
		printf("%10s: %s%s%s\n", "", text(guest, "State"), *text(guest, "Why") ? ", " : "",
			text(guest, "Why"));
}

static int status_run(const char *name, char **args, int n)
{
	GError *error = NULL;
	g_autofree char *path = appliance_seat(args[0], &error);
	g_autoptr(GVariant) seat =
		path ? appliance_properties(path, APPLIANCE_SEAT, &error) : NULL;
	g_autofree char *left = NULL, *out = NULL;

	if (!seat)
		return command_fail_error(EX_UNAVAILABLE, name, error);
	if (status_json) {
		JsonBuilder *json = json_builder_new();

		seat_json(json, seat);
		out = json_finish(json);
		fputs(out, stdout);
		return EX_OK;
	}
	left = time_left(seat);
	printf("%s, seat %u\n", text(seat, "Id"), number(seat, "Number"));
	printf("%10s: %s%s%s\n", "guest", *active(seat) ? active(seat) : "none: the list is shown",
		flag(seat, "Attached") ? "" : " (not attached)", flag(seat, "Locked") ? ", locked" : "");
	print_guest(seat);
	if (*left)
		printf("%10s: %s\n", "time", left);
	printf("%10s: %s, process %u, started %u times\n", "state", flag(seat, "Up") ? "up" : "down",
		number(seat, "Pid"), number(seat, "Starts"));
	printf("%10s: %ux%u on %u, %llu frames of %llu, %llu skipped, at most %.0f ms from one to the next\n",
		"screen", number(seat, "Width"), number(seat, "Height"), number(seat, "LitOutputs"),
		(unsigned long long)large(seat, "Frames"), (unsigned long long)large(seat, "FramesCame"),
		(unsigned long long)large(seat, "FramesSkipped"),
		(double)large(seat, "FrameGapUSec") / 1e3);
	printf("%10s: %u %%%s\n", "sound", number(seat, "Volume"),
		flag(seat, "MicrophoneOpen") ? ", microphone open" : "");
	print_list(seat, "monitors", "Outputs");
	print_list(seat, "devices", "Inputs");
	return EX_OK;
}

const struct command command_status = {
	.name = "status",
	.arguments = "SEAT",
	.help = "how a seat is: guest, screen, devices, time left",
	.options = status_options,
	.min = 1,
	.max = 1,
	.run = status_run,
};

static int attach_run(const char *name, char **args, int n)
{
	GError *error = NULL;
	GVariant *reply = appliance_call(NULL, APPLIANCE_MANAGER, "AttachDevice",
		g_variant_new("(ssb)", args[0], args[1], TRUE), &error);

	return done(name, reply, error);
}

const struct command command_attach = {
	.name = "attach",
	.arguments = "SEAT PLACE",
	.help = "give a device, a port or a hub to a seat",
	.more = "PLACE is a device's place as `irori devices` prints it, or what it begins with: a port, or a\n"
		"hub with all that is plugged into it. It is written to the seat's file.",
	.min = 2,
	.max = 2,
	.run = attach_run,
};

static int seat_verb(const char *name, const char *seat, const char *method, GVariant *arguments)
{
	GError *error = NULL;
	g_autofree char *path = appliance_seat(seat, &error);
	GVariant *reply = NULL;

	if (path)
		reply = appliance_call(path, APPLIANCE_SEAT, method, arguments, &error);
	else if (arguments)
		g_variant_unref(g_variant_ref_sink(arguments));
	return done(name, reply, error);
}

static int switch_run(const char *name, char **args, int n)
{
	return seat_verb(name, args[0], "SwitchTo", g_variant_new("(s)", n > 1 ? args[1] : ""));
}

const struct command command_switch = {
	.name = "switch",
	.arguments = "SEAT [GUEST]",
	.help = "show a guest on a seat; without one, the list",
	.min = 1,
	.max = 2,
	.run = switch_run,
};

static int lock_run(const char *name, char **args, int n)
{
	return seat_verb(name, args[0], "Lock", NULL);
}

const struct command command_lock = {
	.name = "lock",
	.arguments = "SEAT",
	.help = "lock a seat",
	.min = 1,
	.max = 1,
	.run = lock_run,
};

static int unlock_run(const char *name, char **args, int n)
{
	return seat_verb(name, args[0], "Unlock", g_variant_new("(s)", ""));
}

const struct command command_unlock = {
	.name = "unlock",
	.arguments = "SEAT",
	.help = "unlock a seat, as an administrator",
	.min = 1,
	.max = 1,
	.run = unlock_run,
};

static int identify_run(const char *name, char **args, int n)
{
	GError *error = NULL;

	if (n)
		return seat_verb(name, args[0], "Identify", NULL);
	return done(name, appliance_call(NULL, APPLIANCE_MANAGER, "Identify", NULL, &error), error);
}

const struct command command_identify = {
	.name = "identify",
	.arguments = "[SEAT]",
	.help = "show each seat's number on its monitors",
	.min = 0,
	.max = 1,
	.run = identify_run,
};

static int extend_run(const char *name, char **args, int n)
{
	GError *error = NULL;
	guint64 minutes = 0;

	if (strcmp(args[1], "tonight") &&
		!g_ascii_string_to_unsigned(args[1], 10, 1, 1440, &minutes, &error))
		return command_fail_error(EX_USAGE, name, error);
	return done(name, appliance_call(NULL, APPLIANCE_MANAGER, "Extend",
		g_variant_new("(su)", args[0], (guint32)minutes), &error), error);
}

const struct command command_extend = {
	.name = "extend",
	.arguments = "PERSON MINUTES|tonight",
	.help = "give somebody more time",
	.min = 2,
	.max = 2,
	.run = extend_run,
};

static int start_run(const char *name, char **args, int n)
{
	GError *error = NULL;
	g_autofree char *path = appliance_guest(args[0], &error);

	return done(name, path ? appliance_call(path, APPLIANCE_GUEST, "Start", NULL, &error) : NULL,
		error);
}

const struct command command_start = {
	.name = "start",
	.arguments = "GUEST",
	.help = "start a configured guest",
	.min = 1,
	.max = 1,
	.run = start_run,
};

bool appliance_first_run(void)
{
	g_autoptr(GVariant) manager =
		appliance_properties("/org/irori/Irori1", APPLIANCE_MANAGER, NULL);

	return manager && flag(manager, "FirstRun");
}

int appliance_accept(const char *name)
{
	GError *error = NULL;

	return done(name, appliance_call(NULL, APPLIANCE_MANAGER, "AcceptSeats", NULL, &error), error);
}

int appliance_off(const char *name, bool guests_only, bool wait)
{
	GError *error = NULL;
	int status = done(name, appliance_call(NULL, APPLIANCE_MANAGER,
		guests_only ? "StopGuests" : "PowerOff", g_variant_new("(b)", TRUE), &error), error);

	while (status == EX_OK && wait) {
		g_autoptr(GVariant) manager =
			appliance_properties("/org/irori/Irori1", APPLIANCE_MANAGER, NULL);

		if (!manager || !flag(manager, "PoweringOff"))
			break;
		g_usleep(200000);
	}
	return status;
}
