/*
 * What a seat is told and what it asks: which guest it shows, whether it is locked, how its person's
 * time stands. What a seat shows and whether it is locked is kept beside its socket, so that neither
 * its own death nor ours unlocks it.
 */
#define G_LOG_DOMAIN "irorid"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "display/mode.h"
#include "input/chord.h"
#include "seats/daemon.h"
#include "seats/wire_codec.h"

enum {
	EXTEND_MAX = 24 * 60, /* minutes */
};

static bool list_has(char *const *list, const char *name)
{
	return g_strv_contains((const char *const *)list, name);
}

bool seat_may_show(const struct seat *seat, const struct guest_unit *guest)
{
	const struct guest_entry *entry = guest_unit_entry(guest);

	if (seat->config->guests[0] && !list_has(seat->config->guests, entry->name))
		return false;
	return !entry->seats[0] || list_has(entry->seats, seat->config->name);
}

const char *seat_person(const struct seat *seat)
{
	const struct guest_unit *guest = daemon_guest_by_id(seat->daemon, seat->shown);

	return guest ? guest_unit_entry(guest)->person : NULL;
}

static char *state_path(const struct seat *seat)
{
	return g_strdup_printf("%s/seats/%s.state", seat->daemon->config.runtime,
		seat->config->name);
}

void seat_store(const struct seat *seat)
{
	const struct guest_unit *guest = daemon_guest_by_id(seat->daemon, seat->shown);
	g_autofree char *path = state_path(seat);
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) error = NULL;

	g_key_file_set_string(file, "Seat", "Guest", guest ? guest_unit_entry(guest)->name : "");
	g_key_file_set_boolean(file, "Seat", "Locked", seat->locked);
	if (!g_key_file_save_to_file(file, path, &error))
		g_warning("seat %s: %s", seat->config->name, error->message);
}

/* The guest that a seat shows at first: its own, or the only one there is for it. */
static uint32_t shown_at_first(const struct seat *seat)
{
	struct daemon *daemon = seat->daemon;
	const struct guest_unit *only = NULL;
	unsigned n = 0;

	for (char **name = seat->config->guests; *name; name++) {
		struct guest_unit *guest = daemon_guest(daemon, *name);

		if (guest && seat_may_show(seat, guest))
			return guest_unit_id(guest);
	}
	for (guint i = 0; i < daemon->guests->len; i++) {
		const struct guest_unit *guest = g_ptr_array_index(daemon->guests, i);

		if (guest_unit_entry(guest)->seats[0] && seat_may_show(seat, guest))
			return guest_unit_id(guest);
		if (seat_may_show(seat, guest)) {
			only = guest;
			n++;
		}
	}
	return n == 1 && daemon_seat_configs(daemon)->len == 1 ? guest_unit_id(only) : 0;
}

static bool person_has_pin(struct daemon *daemon, const char *name)
{
	const struct person_time *time = name ? daemon_person(daemon, name) : NULL;

	return time && time->person->pin;
}

void seat_begin(struct seat *seat)
{
	g_autofree char *path = state_path(seat);
	g_autoptr(GKeyFile) file = g_key_file_new();

	if (g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL)) {
		g_autofree char *name = g_key_file_get_string(file, "Seat", "Guest", NULL);
		struct guest_unit *guest = name ? daemon_guest(seat->daemon, name) : NULL;

		seat->shown = guest && seat_may_show(seat, guest) ? guest_unit_id(guest) : 0;
		seat->locked = g_key_file_get_boolean(file, "Seat", "Locked", NULL);
	} else {
		seat->shown = shown_at_first(seat);
		/* Switching the PC off and on is no way around a PIN. */
		seat->locked = person_has_pin(seat->daemon, seat_person(seat));
	}
	seat_unit_start(seat->unit);
}

void seat_tell_settings(struct seat *seat)
{
	const struct seat_config *config = seat->config;
	struct wire_settings wire = { .number = config->number };

	memcpy(wire.chord, chord_default.keys, sizeof(wire.chord));
	if (config->chord)
		chord_parse(config->chord, wire.chord);
	if (config->mode)
		mode_parse(config->mode, &wire.width, &wire.height);
	seat_unit_send(seat->unit, WIRE_SETTINGS, &wire, sizeof(wire), -1);
}

void seat_tell_guest(struct seat *seat, const struct guest_unit *guest)
{
	const struct guest_entry *entry = guest_unit_entry(guest);
	const struct person_time *person =
		entry->person ? daemon_person(seat->daemon, entry->person) : NULL;
	struct wire_guest wire = {
		.id = guest_unit_id(guest),
		.state = guest_unit_state(guest),
	};

	if (!seat_may_show(seat, guest))
		return;
	wire_text(wire.name, sizeof(wire.name), entry->name);
	wire_text(wire.title, sizeof(wire.title), entry->title ? entry->title : entry->name);
	wire_text(wire.person, sizeof(wire.person), person && person->person->title ?
		person->person->title : entry->person);
	seat_unit_send(seat->unit, WIRE_GUEST, &wire, sizeof(wire), -1);
}

static void tell_show(struct seat *seat)
{
	struct wire_show show = { seat->shown };

	seat_unit_send(seat->unit, WIRE_SHOW, &show, sizeof(show), -1);
}

static void tell_lock(struct seat *seat)
{
	struct wire_lock lock = { seat->locked };

	seat_unit_send(seat->unit, WIRE_LOCK, &lock, sizeof(lock), -1);
}

void seat_tell_time(struct seat *seat)
{
	const char *name = seat_person(seat);
	const struct person_time *time = name ? daemon_person(seat->daemon, name) : NULL;
	struct wire_time wire = { .left_us = -1 };

	if (time && time->known) {
		wire.left_us = time->verdict.left_us == INT64_MAX ? -1 : MAX(time->verdict.left_us, 0);
		wire.frozen = !time->verdict.allowed;
		wire_text(wire.person, sizeof(wire.person), time->person->title ?
			time->person->title : time->person->name);
	}
	seat_unit_send(seat->unit, WIRE_TIME, &wire, sizeof(wire), -1);
}

void seat_identify(struct seat *seat, bool on, uint32_t seconds)
{
	struct wire_identify wire = { .on = on, .seconds = seconds };
	g_autofree char *text = NULL;

	text = seat->daemon->proposed ? first_text(seat) : g_strdup(seat->config->name);
	wire_text(wire.text, sizeof(wire.text), text);
	seat_unit_send(seat->unit, WIRE_IDENTIFY, &wire, sizeof(wire), -1);
}

static void up(void *data, struct seat_unit *unit)
{
	struct seat *seat = data;
	struct daemon *daemon = seat->daemon;

	g_message("seat %s: up", seat->config->name);
	g_hash_table_remove_all(seat->inputs);
	seat_tell_settings(seat);
	devices_tell(seat);
	for (guint i = 0; i < daemon->guests->len; i++)
		seat_tell_guest(seat, g_ptr_array_index(daemon->guests, i));
	tell_lock(seat);
	tell_show(seat);
	people_tell(seat);
	if (daemon->proposed)
		seat_identify(seat, true, 0);
	daemon_changed(daemon);
}

static void down(void *data, struct seat_unit *unit)
{
	struct seat *seat = data;

	seat_links_end(seat->links);
	daemon_changed(seat->daemon);
}

static void state(void *data, struct seat_unit *unit)
{
	struct seat *seat = data;
	int64_t input_ns = seat_unit_state(unit)->input_ns;

	if (seat_unit_state(unit)->outputs)
		cards_shown(&seat->lease);

	if (input_ns > seat->input_ns && seat->shown)
		daemon_policy(seat->daemon, POLICY_INPUT, seat->shown, 0);
	seat->input_ns = MAX(seat->input_ns, input_ns);
	daemon_changed(seat->daemon);
}

/* A visitor's guest is clean for the next one. */
static void leave(struct seat *seat, uint32_t id)
{
	struct guest_unit *guest = daemon_guest_by_id(seat->daemon, id);

	if (!guest || !guest_unit_entry(guest)->kiosk)
		return;
	for (guint i = 0; i < seat->daemon->seats->len; i++)
		if (((struct seat *)g_ptr_array_index(seat->daemon->seats, i))->shown == id)
			return;
	if (guest_unit_on(guest))
		guest_unit_restart(guest, NULL);
}

int seat_switch(struct seat *seat, const char *name, const char **why)
{
	struct daemon *daemon = seat->daemon;
	struct guest_unit *guest = *name ? daemon_guest(daemon, name) : NULL;
	const char *before = seat_person(seat), *person;
	uint32_t left = seat->shown;

	if (*name && (!guest || !seat_may_show(seat, guest))) {
		if (why)
			*why = "There is no such guest for this seat";
		return -ENOENT;
	}
	if (guest && !guest_unit_on(guest) && guest_unit_barred(guest)) {
		if (why)
			*why = guest_unit_barred(guest);
		return -EPERM;
	}
	people_step(daemon); /* up to now it was the other's time */
	seat->shown = guest ? guest_unit_id(guest) : 0;
	seat_links_shown(seat->links, seat->shown);
	person = seat_person(seat);
	/* Somebody else's is behind its own PIN. */
	if (person && g_strcmp0(before, person) && person_has_pin(daemon, person))
		seat->locked = true;
	if (guest && !guest_unit_on(guest))
		guest_unit_start(guest, NULL);
	tell_lock(seat); /* first: nothing of it is seen before */
	tell_show(seat);
	seat_tell_time(seat);
	seat_store(seat);
	if (left != seat->shown) {
		leave(seat, left);
		for (guint i = 0; i < daemon->guests->len; i++) {
			struct guest_unit *other = g_ptr_array_index(daemon->guests, i);
			bool seen = guest_unit_id(other) == seat->shown;

			if (seen || guest_unit_id(other) == left)
				daemon_policy(daemon, POLICY_SET_CLASS, guest_unit_id(other),
					guest_unit_class(other) == SHARE_FAIR && seen ?
						SHARE_INTERACTIVE : guest_unit_class(other));
		}
	}
	people_step(daemon);
	daemon_changed(daemon);
	return 0;
}

int seat_lock(struct seat *seat, bool locked)
{
	bool left = locked && !seat->locked;

	seat->locked = locked;
	tell_lock(seat);
	seat_store(seat);
	if (left) {
		const struct guest_unit *guest = daemon_guest_by_id(seat->daemon, seat->shown);

		if (guest && guest_unit_entry(guest)->kiosk)
			guest_unit_restart((struct guest_unit *)guest, NULL);
	}
	daemon_changed(seat->daemon);
	return 0;
}

int seat_unlock(struct seat *seat, const char *pin, const char **why)
{
	int r = people_pin(seat, seat_person(seat), pin, why);

	return r ? r : seat_lock(seat, false);
}

static struct guest_unit *asked_guest(struct seat *seat, const struct wire_request *request,
	const char **why)
{
	struct guest_unit *guest = request->argument[0] ? daemon_guest(seat->daemon, request->argument) :
		daemon_guest_by_id(seat->daemon, seat->shown);

	if (guest && seat_may_show(seat, guest))
		return guest;
	*why = "There is no such guest for this seat";
	return NULL;
}

/* Whose guest it is has a say, and so has who sits here: another person's guest is not theirs to stop,
 * unless the seat shows it. */
static bool theirs(const struct seat *seat, const struct guest_unit *guest, const char **why)
{
	const char *person = guest_unit_entry(guest)->person;

	if (!person || guest_unit_id(guest) == seat->shown || !g_strcmp0(person, seat_person(seat)))
		return true;
	*why = "It is somebody else's";
	return false;
}

static int ask_switch(struct seat *seat, const struct wire_request *request, const char **why)
{
	return seat_switch(seat, request->argument, why);
}

static int ask_start(struct seat *seat, const struct wire_request *request, const char **why)
{
	struct guest_unit *guest = asked_guest(seat, request, why);

	if (!guest)
		return -ENOENT;
	if (!guest_unit_on(guest) || guest_unit_state(guest) == WIRE_GUEST_STARTING)
		return guest_unit_start(guest, why);
	if (guest_unit_state(guest) == WIRE_GUEST_PAUSED)
		return guest_unit_pause(guest, false);
	return guest_unit_state(guest) == WIRE_GUEST_CRASHED ? guest_unit_restart(guest, why) : 0;
}

static int ask_restart(struct seat *seat, const struct wire_request *request, const char **why)
{
	struct guest_unit *guest = asked_guest(seat, request, why);

	if (!guest)
		return -ENOENT;
	return theirs(seat, guest, why) ? guest_unit_restart(guest, why) : -EPERM;
}

static int ask_poweroff(struct seat *seat, const struct wire_request *request, const char **why)
{
	struct guest_unit *guest = asked_guest(seat, request, why);

	if (!guest)
		return -ENOENT;
	if (!theirs(seat, guest, why))
		return -EPERM;
	guest_unit_stop(guest, false);
	return 0;
}

static int ask_lock(struct seat *seat, const struct wire_request *request, const char **why)
{
	return seat_lock(seat, true);
}

static int ask_unlock(struct seat *seat, const struct wire_request *request, const char **why)
{
	return seat_unlock(seat, request->pin, why);
}

static int ask_extend(struct seat *seat, const struct wire_request *request, const char **why)
{
	const char *person = seat_person(seat);
	guint64 minutes = 0;
	int r;

	if (!person) {
		*why = "Nobody's time runs here";
		return -EINVAL;
	}
	if (strcmp(request->argument, "tonight") &&
		!g_ascii_string_to_unsigned(request->argument, 10, 1, EXTEND_MAX, &minutes, NULL)) {
		*why = "Minutes, or \"tonight\"";
		return -EINVAL;
	}
	r = people_parent_pin(seat, request->pin, why);
	return r ? r : people_extend(seat->daemon, person, (uint32_t)minutes, why);
}

static const struct {
	int (*ask)(struct seat *seat, const struct wire_request *request, const char **why);
	bool when_locked;
} asks[WIRE_VERBS] = {
	[WIRE_VERB_SWITCH] = { ask_switch },
	[WIRE_VERB_START] = { ask_start },
	[WIRE_VERB_RESTART] = { ask_restart },
	[WIRE_VERB_POWEROFF] = { ask_poweroff },
	[WIRE_VERB_LOCK] = { ask_lock, .when_locked = true },
	[WIRE_VERB_UNLOCK] = { ask_unlock, .when_locked = true },
	[WIRE_VERB_EXTEND] = { ask_extend, .when_locked = true },
};

static void request(void *data, struct seat_unit *unit, const struct wire_request *wire)
{
	struct seat *seat = data;
	const char *why = NULL;
	int r = -EACCES;

	if (seat->locked && !asks[wire->verb].when_locked)
		why = "The seat is locked";
	else
		r = asks[wire->verb].ask(seat, wire, &why);
	seat_unit_answer(unit, wire->cookie, r, why ? why : "");
}

/* A seat's process believes what a guest sends it and may be that guest's by now. So it gets what the person before
 * it has, and nothing else: the guest that is shown, and no guest while a lock keeps people out. */
static void give_link(void *data, struct seat_unit *unit, const struct wire_link *wanted)
{
	struct seat *seat = data;
	const struct guest_unit *guest = daemon_guest_by_id(seat->daemon, wanted->guest);
	int fd;

	if (!guest || wanted->guest != seat->shown || seat->locked)
		return;
	fd = seat_links_give(seat->links, wanted->guest, wanted->kind, guest_unit_socket(guest));
	if (fd >= 0) /* one that it does not take ends with it */
		seat_unit_send(unit, WIRE_LINK, wanted, sizeof(*wanted), fd);
}

const struct seat_unit_events seat_events = {
	.up = up,
	.down = down,
	.request = request,
	.state = state,
	.link = give_link,
};
