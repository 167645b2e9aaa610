/*
 * What the objects on the bus say of themselves: a row for each property of
 * data/dbus/org.irori.Irori1.xml.
 */
#include <string.h>

#include "seats/bus_internal.h"

enum {
	IDLE_S = 300,
};

static GVariant *text(const char *string)
{
	return g_variant_new_string(string ? string : "");
}

/* From configuration and devices: text that may be anything. */
static GVariant *texts(char *const *list)
{
	return g_variant_new_strv((const char *const *)list, -1);
}

static GVariant *manager_version(struct bus_object *object)
{
	return text(IRORI_VERSION);
}

static GVariant *manager_spawn(struct bus_object *object)
{
	return text(spawn_way(object->bus->daemon->spawn));
}

static GVariant *manager_first_run(struct bus_object *object)
{
	return g_variant_new_boolean(object->bus->daemon->proposed != NULL);
}

static GVariant *manager_powering_off(struct bus_object *object)
{
	return g_variant_new_boolean(object->bus->daemon->powering_off);
}

static GVariant *manager_complaints(struct bus_object *object)
{
	const GPtrArray *complaints = object->bus->daemon->household->complaints;
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE("as"));
	for (guint i = 0; i < complaints->len; i++) {
		g_autofree char *line = g_utf8_make_valid(g_ptr_array_index(complaints, i), -1);

		g_variant_builder_add(&list, "s", line);
	}
	return g_variant_builder_end(&list);
}

static GVariant *seat_id(struct bus_object *object)
{
	return text(object->name);
}

static GVariant *seat_number(struct bus_object *object)
{
	return g_variant_new_uint32(bus_seat(object)->config->number);
}

static GVariant *seat_active(struct bus_object *object)
{
	return bus_guest_ref(daemon_guest_by_id(object->bus->daemon, bus_seat(object)->shown));
}

static GVariant *seat_guests(struct bus_object *object)
{
	const GPtrArray *guests = object->bus->daemon->guests;
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE("a(so)"));
	for (guint i = 0; i < guests->len; i++)
		if (seat_may_show(bus_seat(object), g_ptr_array_index(guests, i)))
			g_variant_builder_add_value(&list,
				bus_guest_ref(g_ptr_array_index(guests, i)));
	return g_variant_builder_end(&list);
}

static GVariant *seat_outputs(struct bus_object *object)
{
	return texts(bus_seat(object)->config->outputs);
}

static GVariant *seat_inputs(struct bus_object *object)
{
	return texts(bus_seat(object)->config->inputs);
}

static GVariant *seat_up(struct bus_object *object)
{
	return g_variant_new_boolean(seat_unit_is_up(bus_seat(object)->unit));
}

static GVariant *seat_pid(struct bus_object *object)
{
	return g_variant_new_uint32((guint32)seat_unit_pid(bus_seat(object)->unit));
}

static GVariant *seat_starts(struct bus_object *object)
{
	return g_variant_new_uint32(seat_unit_starts(bus_seat(object)->unit));
}

static GVariant *seat_locked(struct bus_object *object)
{
	return g_variant_new_boolean(bus_seat(object)->locked);
}

static const struct wire_state *said(struct bus_object *object)
{
	return seat_unit_state(bus_seat(object)->unit);
}

static GVariant *seat_attached(struct bus_object *object)
{
	return g_variant_new_boolean((said(object)->flags & WIRE_STATE_GUEST) != 0);
}

static GVariant *seat_width(struct bus_object *object)
{
	return g_variant_new_uint32(said(object)->width);
}

static GVariant *seat_height(struct bus_object *object)
{
	return g_variant_new_uint32(said(object)->height);
}

static GVariant *seat_lit(struct bus_object *object)
{
	return g_variant_new_uint32(said(object)->outputs);
}

static GVariant *seat_volume(struct bus_object *object)
{
	return g_variant_new_uint32(said(object)->volume);
}

static GVariant *seat_microphone(struct bus_object *object)
{
	return g_variant_new_boolean((said(object)->flags & WIRE_STATE_MICROPHONE) != 0);
}

static GVariant *seat_idle(struct bus_object *object)
{
	int64_t idle = object->bus->daemon->config.now() - bus_seat(object)->input_ns;

	return g_variant_new_boolean(idle > IDLE_S * INT64_C(1000000000));
}

/* As login1: microseconds of CLOCK_REALTIME; 0: nobody was there yet. */
static GVariant *seat_idle_since(struct bus_object *object)
{
	int64_t input_ns = bus_seat(object)->input_ns;
	int64_t ago_us = (object->bus->daemon->config.now() - input_ns) / 1000;

	return g_variant_new_uint64(input_ns ? (guint64)(g_get_real_time() - ago_us) : 0);
}

static GVariant *seat_time_left(struct bus_object *object)
{
	const char *name = seat_person(bus_seat(object));
	const struct person_time *time = name ? daemon_person(object->bus->daemon, name) : NULL;
	bool without = !time || !time->known || time->verdict.left_us == INT64_MAX;

	return g_variant_new_uint64(without ? G_MAXUINT64 :
		(guint64)MAX(time->verdict.left_us, 0));
}

static GVariant *seat_frames(struct bus_object *object)
{
	return g_variant_new_uint64(said(object)->frames);
}

static GVariant *seat_flips(struct bus_object *object)
{
	return g_variant_new_uint64(said(object)->flips);
}

static GVariant *seat_frames_came(struct bus_object *object)
{
	return g_variant_new_uint64(said(object)->came);
}

static GVariant *seat_frames_skipped(struct bus_object *object)
{
	return g_variant_new_uint64(said(object)->skipped);
}

static GVariant *seat_frame_gap(struct bus_object *object)
{
	return g_variant_new_uint64((guint64)said(object)->gap_ns / 1000);
}

static GVariant *guest_name(struct bus_object *object)
{
	return text(object->name);
}

static GVariant *guest_title(struct bus_object *object)
{
	return text(guest_unit_entry(bus_guest(object))->title);
}

static GVariant *guest_person(struct bus_object *object)
{
	return text(guest_unit_entry(bus_guest(object))->person);
}

static GVariant *guest_state(struct bus_object *object)
{
	return text(guest_state_name(guest_unit_state(bus_guest(object))));
}

static GVariant *guest_why(struct bus_object *object)
{
	return text(guest_unit_why(bus_guest(object)));
}

static GVariant *guest_class(struct bus_object *object)
{
	return text(share_class_name(guest_unit_effective(bus_guest(object))));
}

static GVariant *guest_pid(struct bus_object *object)
{
	return g_variant_new_uint32((guint32)guest_unit_pid(bus_guest(object)));
}

static GVariant *guest_reboots(struct bus_object *object)
{
	return g_variant_new_uint32(guest_unit_reboots(bus_guest(object)));
}

static GVariant *guest_starts(struct bus_object *object)
{
	return g_variant_new_uint32(guest_unit_starts(bus_guest(object)));
}

static GVariant *guest_autostart(struct bus_object *object)
{
	return g_variant_new_boolean(guest_unit_entry(bus_guest(object))->autostart);
}

static GVariant *guest_kiosk(struct bus_object *object)
{
	return g_variant_new_boolean(guest_unit_entry(bus_guest(object))->kiosk);
}

static GVariant *guest_socket(struct bus_object *object)
{
	return text(guest_unit_socket(bus_guest(object)));
}

static GVariant *guest_seats(struct bus_object *object)
{
	return texts(guest_unit_entry(bus_guest(object))->seats);
}

static const struct bus_property manager[] = {
	{ "Version", manager_version },
	{ "Spawn", manager_spawn },
	{ "FirstRun", manager_first_run },
	{ "PoweringOff", manager_powering_off },
	{ "Complaints", manager_complaints },
	{ 0 },
};

static const struct bus_property seat[] = {
	{ "Id", seat_id },
	{ "Number", seat_number },
	{ "ActiveGuest", seat_active },
	{ "Guests", seat_guests },
	{ "Outputs", seat_outputs },
	{ "Inputs", seat_inputs },
	{ "Up", seat_up },
	{ "Pid", seat_pid },
	{ "Starts", seat_starts },
	{ "Locked", seat_locked },
	{ "Attached", seat_attached },
	{ "Width", seat_width },
	{ "Height", seat_height },
	{ "LitOutputs", seat_lit },
	{ "Volume", seat_volume },
	{ "MicrophoneOpen", seat_microphone },
	{ "IdleHint", seat_idle },
	{ "IdleSinceHint", seat_idle_since },
	{ "TimeLeftUSec", seat_time_left },
	{ "Frames", seat_frames },
	{ "Flips", seat_flips },
	{ "FramesCame", seat_frames_came },
	{ "FramesSkipped", seat_frames_skipped },
	{ "FrameGapUSec", seat_frame_gap },
	{ 0 },
};

static const struct bus_property guest[] = {
	{ "Name", guest_name },
	{ "Title", guest_title },
	{ "Person", guest_person },
	{ "State", guest_state },
	{ "Why", guest_why },
	{ "Class", guest_class },
	{ "Pid", guest_pid },
	{ "Reboots", guest_reboots },
	{ "Starts", guest_starts },
	{ "Autostart", guest_autostart },
	{ "Kiosk", guest_kiosk },
	{ "Socket", guest_socket },
	{ "Seats", guest_seats },
	{ 0 },
};

const struct bus_property *const bus_properties[BUS_KINDS] = {
	[BUS_MANAGER] = manager,
	[BUS_SEAT] = seat,
	[BUS_GUEST] = guest,
};
