/*
 * See daemon.h: the whole, from the configuration to what runs.
 */
#define G_LOG_DOMAIN "irorid"

#include "seats/daemon.h"

#include <errno.h>
#include <string.h>

#include "seats/process.h"
#include "vmm/error.h"

enum {
	BUSY_MS = 200,
	STRANGERS_MS = 100,
	STRANGERS_TRIES = 100, /* then a seat that is configured no more keeps what it has */
};

static struct seat *seat_new(struct daemon *daemon, const struct seat_config *config)
{
	struct seat *seat = g_new0(struct seat, 1);
	struct seat_unit_config unit = {
		.name = config->name,
		.number = config->number,
		.spawn = daemon->spawn,
		.runtime = daemon->config.runtime,
		.program = daemon->config.seat_program,
		.options = daemon->config.seat_options,
		.spare = daemon->household->irori.spares,
		.now = daemon->config.now,
	};

	seat->daemon = daemon;
	seat->lease = (struct seat_lease)SEAT_LEASE_NONE;
	seat->config = config;
	seat->inputs = g_hash_table_new(NULL, NULL);
	seat->links = seat_links_new(config->name, daemon->config.now);
	seat->unit = seat_unit_new(&unit, &seat_events, seat);
	return seat;
}

static void seat_free(void *data)
{
	struct seat *seat = data;

	seat_unit_free(seat->unit);
	seat_links_free(seat->links);
	if (seat->daemon->cards)
		cards_take_back(seat->daemon->cards, &seat->lease);
	g_hash_table_destroy(seat->inputs);
	g_free(seat->claimed);
	g_free(seat);
}

static void guest_free(void *data)
{
	guest_unit_free(data);
}

static gboolean changed_tell(gpointer data)
{
	struct daemon *daemon = data;

	daemon->changed_idle = 0;
	daemon->events->changed(daemon->data);
	return G_SOURCE_REMOVE;
}

void daemon_changed(struct daemon *daemon)
{
	if (!daemon->changed_idle)
		daemon->changed_idle = g_idle_add(changed_tell, daemon);
}

/* A guest that still boots is told from one that has by its hunger for processors. True: some boots. */
static bool look_busy(struct daemon *daemon)
{
	bool any = false;

	for (unsigned i = 0; i < POLICY_MAX_GUESTS; i++) {
		const struct policy_guest *guest = &daemon->policy.guest[i];
		struct guest_unit *unit = guest->used && guest->booting ?
			daemon_guest_by_id(daemon, guest->id) : NULL;

		if (unit)
			guest_unit_look(unit);
		any |= unit != NULL;
	}
	return any;
}

static gboolean busy_time(gpointer data)
{
	struct daemon *daemon = data;

	if (look_busy(daemon))
		return G_SOURCE_CONTINUE;
	daemon->busy_timer = 0;
	return G_SOURCE_REMOVE;
}

static gboolean policy_time(gpointer data)
{
	struct daemon *daemon = data;

	daemon->policy_timer = 0;
	daemon_policy(daemon, POLICY_TICK, 0, 0);
	return G_SOURCE_REMOVE;
}

void daemon_policy(struct daemon *daemon, enum policy_event_type type, uint32_t guest,
	enum share_class share_class)
{
	struct policy_event event = { type, guest, share_class };
	int64_t now = daemon->config.now(), next;
	struct policy_actions actions;

	if (policy_step(&daemon->policy, &event, now, &actions))
		return;
	for (unsigned i = 0; i < actions.n; i++) {
		struct guest_unit *unit = daemon_guest_by_id(daemon, actions.action[i].guest);

		if (unit)
			guest_unit_set_class(unit, actions.action[i].share_class);
	}
	if (actions.n)
		daemon_changed(daemon);
	if (type == POLICY_GUEST_RESET && !daemon->busy_timer)
		daemon->busy_timer = g_timeout_add(BUSY_MS, busy_time, daemon);
	g_clear_handle_id(&daemon->policy_timer, g_source_remove);
	if (daemon->policy.next_ns == INT64_MAX)
		return;
	next = (daemon->policy.next_ns - now) / 1000000 + 1;
	daemon->policy_timer = g_timeout_add_full(G_PRIORITY_HIGH,
		(guint)CLAMP(next, 1, 60000), policy_time, daemon, NULL);
}

static void guest_changed(void *data, struct guest_unit *unit)
{
	struct daemon *daemon = data;

	if (!daemon->started)
		return;
	for (guint i = 0; i < daemon->seats->len; i++)
		seat_tell_guest(g_ptr_array_index(daemon->seats, i), unit);
	power_guest_changed(daemon);
	daemon_changed(daemon);
}

/* One that a person sees is at least interactive. */
static enum share_class class_of(struct daemon *daemon, const struct guest_unit *unit)
{
	enum share_class share_class = guest_unit_class(unit);

	for (guint i = 0; i < daemon->seats->len; i++) {
		const struct seat *seat = g_ptr_array_index(daemon->seats, i);

		if (seat->shown == guest_unit_id(unit) && share_class == SHARE_FAIR)
			return SHARE_INTERACTIVE;
	}
	return share_class;
}

static void guest_share(void *data, struct guest_unit *unit, enum policy_event_type event)
{
	struct daemon *daemon = data;

	daemon_policy(daemon, event, guest_unit_id(unit), class_of(daemon, unit));
}

static const struct guest_unit_events guest_events = {
	.changed = guest_changed,
	.share = guest_share,
};

struct seat *daemon_seat(struct daemon *daemon, const char *name)
{
	for (guint i = 0; i < daemon->seats->len; i++) {
		struct seat *seat = g_ptr_array_index(daemon->seats, i);

		if (!strcmp(seat->config->name, name))
			return seat;
	}
	return NULL;
}

struct seat *daemon_seat_by_number(struct daemon *daemon, uint32_t number)
{
	for (guint i = 0; i < daemon->seats->len; i++) {
		struct seat *seat = g_ptr_array_index(daemon->seats, i);

		if (seat->config->number == number)
			return seat;
	}
	return NULL;
}

struct guest_unit *daemon_guest(struct daemon *daemon, const char *name)
{
	for (guint i = 0; i < daemon->guests->len; i++) {
		struct guest_unit *unit = g_ptr_array_index(daemon->guests, i);

		if (!strcmp(guest_unit_entry(unit)->name, name))
			return unit;
	}
	return NULL;
}

struct guest_unit *daemon_guest_by_id(struct daemon *daemon, uint32_t id)
{
	for (guint i = 0; i < daemon->guests->len; i++)
		if (guest_unit_id(g_ptr_array_index(daemon->guests, i)) == id)
			return g_ptr_array_index(daemon->guests, i);
	return NULL;
}

const GPtrArray *daemon_seat_configs(const struct daemon *daemon)
{
	return daemon->proposed ? daemon->proposed : daemon->household->seats;
}

static void complain(const struct household *household)
{
	for (guint i = 0; i < household->complaints->len; i++)
		g_warning("%s", (char *)g_ptr_array_index(household->complaints, i));
}

/* Who may start. A guest of somebody who is not configured would have no hours and no PIN: a slip of
 * the pen is to give nobody anything. */
void daemon_guests_bar(struct daemon *daemon)
{
	for (guint i = 0; i < daemon->guests->len; i++) {
		struct guest_unit *unit = g_ptr_array_index(daemon->guests, i);
		const char *person = guest_unit_entry(unit)->person;
		g_autofree char *why = NULL;

		if (person && !household_person(daemon->household, person))
			why = g_strdup_printf("does not start: there is no person %s", person);
		else if (daemon->powering_off)
			why = g_strdup("does not start: everything is being switched off");
		guest_unit_bar(unit, why);
	}
}

/* Guests of a household: those that are known already stay as they are. */
static void guests_take(struct daemon *daemon, struct household *household)
{
	GPtrArray *guests = g_ptr_array_new_with_free_func(guest_free);

	for (guint i = 0; i < household->guests->len; i++) {
		const struct guest_entry *entry = g_ptr_array_index(household->guests, i);
		struct guest_unit *unit = daemon_guest(daemon, entry->name);
		struct guest_unit_config config = {
			.entry = entry,
			.irori = &household->irori,
			.spawn = daemon->spawn,
			.runtime = daemon->config.runtime,
			.monitor = daemon->config.monitor,
			.kvm = "/dev/kvm",
			.now = daemon->config.now,
		};
		guint at;

		if (unit && g_ptr_array_find(daemon->guests, unit, &at)) {
			g_ptr_array_steal_index(daemon->guests, at);
			guest_unit_renew(unit, entry, &household->irori);
		} else if (household->guests->len <= POLICY_MAX_GUESTS) {
			config.id = ++daemon->next_guest;
			unit = guest_unit_new(&config, &guest_events, daemon);
		}
		if (unit)
			g_ptr_array_add(guests, unit);
	}
	/* What is left is configured no more: it is switched off, and nobody waits for it. */
	for (guint i = 0; i < daemon->guests->len; i++) {
		struct guest_unit *unit = g_ptr_array_index(daemon->guests, i);
		struct wire_guest_gone gone = { guest_unit_id(unit) };

		guest_unit_stop(unit, false);
		daemon_policy(daemon, POLICY_GUEST_GONE, gone.id, 0);
		for (guint s = 0; s < daemon->seats->len; s++) {
			struct seat *seat = g_ptr_array_index(daemon->seats, s);

			if (seat->shown == gone.id)
				seat_switch(seat, "", NULL);
			seat_unit_send(seat->unit, WIRE_GUEST_GONE, &gone, sizeof(gone), -1);
		}
	}
	g_ptr_array_unref(daemon->guests);
	daemon->guests = guests;
	daemon_guests_bar(daemon);
}

static void seats_take(struct daemon *daemon, const GPtrArray *configs)
{
	GPtrArray *seats = g_ptr_array_new_with_free_func(seat_free);

	for (guint i = 0; i < configs->len; i++) {
		const struct seat_config *config = g_ptr_array_index(configs, i);
		struct seat *seat = daemon_seat(daemon, config->name);
		guint at;

		if (seat && g_ptr_array_find(daemon->seats, seat, &at)) {
			g_ptr_array_steal_index(daemon->seats, at);
			seat->config = config;
			seat_tell_settings(seat);
		} else {
			seat = seat_new(daemon, config);
		}
		g_ptr_array_add(seats, seat);
	}
	for (guint i = 0; i < daemon->seats->len; i++)
		seat_unit_end(((struct seat *)g_ptr_array_index(daemon->seats, i))->unit);
	g_ptr_array_unref(daemon->seats);
	daemon->seats = seats;
}

static bool runtime_make(const struct daemon_config *config, GError **error)
{
	static const char *const folders[] = { "", "guests", "seats", "log" };

	for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *path = g_build_filename(config->runtime, folders[i], NULL);

		if (g_mkdir_with_parents(path, i ? 0700 : 0711) < 0)
			return fail_errno(error, errno, "%s: %s", path, g_strerror(errno));
	}
	return true;
}

/* What runs is found before anything is started: nothing may be started twice. */
static void guests_begin(struct daemon *daemon)
{
	for (guint i = 0; i < daemon->guests->len; i++)
		guest_unit_find(g_ptr_array_index(daemon->guests, i));
	for (guint i = 0; i < daemon->guests->len; i++) {
		struct guest_unit *unit = g_ptr_array_index(daemon->guests, i);

		if (guest_unit_entry(unit)->autostart && !guest_unit_on(unit))
			guest_unit_start(unit, NULL);
	}
}

/* The seat that a file in the seats' folder is a socket of; NULL: none. */
static char *seat_of_file(const char *file)
{
	g_autofree char *name = g_str_has_suffix(file, ".sock") ? g_strdup(file) : NULL;

	if (!name)
		return NULL;
	name[strlen(name) - strlen(".sock")] = '\0';
	if (g_str_has_suffix(name, SEAT_UNIT_SECOND))
		name[strlen(name) - strlen(SEAT_UNIT_SECOND)] = '\0';
	return g_steal_pointer(&name);
}

/* False: some are busy. */
static bool strangers_evict(struct daemon *daemon)
{
	g_autofree char *folder = g_build_filename(daemon->config.runtime, "seats", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	bool first = !daemon->strangers_tries, last = ++daemon->strangers_tries == STRANGERS_TRIES;
	bool done = true;
	const char *file;

	while (dir && (file = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, file, NULL), *name = seat_of_file(file);

		if (!name || daemon_seat(daemon, name))
			continue;
		if (first)
			g_message("seat %s is configured no more", name);
		if (process_evict(path))
			continue;
		done = false;
		if (last)
			g_warning("seat %s is configured no more, and cannot be ended: %s is busy", name,
				path);
	}
	return done || last;
}

static gboolean strangers_again(gpointer data)
{
	struct daemon *daemon = data;

	if (!strangers_evict(daemon))
		return G_SOURCE_CONTINUE;
	daemon->strangers_timer = 0;
	return G_SOURCE_REMOVE;
}

/* Seats that run, for us or for an irorid before us, and are configured no more. One that is busy is ended when it
 * takes a connection, if it is not configured again by then. */
static void strangers_end(struct daemon *daemon)
{
	g_clear_handle_id(&daemon->strangers_timer, g_source_remove);
	daemon->strangers_tries = 0;
	if (!strangers_evict(daemon))
		daemon->strangers_timer = g_timeout_add(STRANGERS_MS, strangers_again, daemon);
}

struct daemon *daemon_new(const struct daemon_config *config, const struct daemon_events *events,
	void *data, GError **error)
{
	struct daemon *daemon = g_new0(struct daemon, 1);
	bool first;

	daemon->config = *config;
	daemon->events = events;
	daemon->data = data;
	daemon->guests = g_ptr_array_new_with_free_func(guest_free);
	daemon->seats = g_ptr_array_new_with_free_func(seat_free);
	daemon->people = g_ptr_array_new_with_free_func(g_free);
	policy_init(&daemon->policy, true);
	if (!runtime_make(config, error) ||
		!(daemon->spawn = spawn_new(config->spawn, config->runtime, error)) ||
		!devices_open(daemon, error)) {
		daemon_free(daemon);
		return NULL;
	}
	daemon->household = household_load(config->folder);
	complain(daemon->household);
	guests_take(daemon, daemon->household);
	people_open(daemon);
	first = !daemon->household->seats->len;
	if (!first)
		seats_take(daemon, daemon->household->seats);
	daemon->started = true;
	guests_begin(daemon);
	if (first)
		first_begin(daemon);
	strangers_end(daemon);
	if (!first)
		for (guint i = 0; i < daemon->seats->len; i++)
			seat_begin(g_ptr_array_index(daemon->seats, i));
	devices_assign(daemon);
	people_step(daemon);
	return daemon;
}

void daemon_seats_renew(struct daemon *daemon, const GPtrArray *configs)
{
	GPtrArray *before = g_ptr_array_new();

	for (guint i = 0; i < daemon->seats->len; i++)
		g_ptr_array_add(before, g_ptr_array_index(daemon->seats, i));
	seats_take(daemon, configs);
	for (guint i = 0; i < daemon->seats->len; i++) {
		struct seat *seat = g_ptr_array_index(daemon->seats, i);

		if (!g_ptr_array_find(before, seat, NULL))
			seat_begin(seat);
	}
	strangers_end(daemon);
	g_ptr_array_unref(before);
	devices_assign(daemon);
	daemon_changed(daemon);
}

void daemon_reload(struct daemon *daemon)
{
	struct household *old = daemon->household;

	daemon->household = household_load(daemon->config.folder);
	complain(daemon->household);
	guests_take(daemon, daemon->household);
	people_close(daemon);
	people_open(daemon);
	if (daemon->household->seats->len) {
		/* Seats have its configurations until they have the new ones; but the first run is over:
		 * keyboards are for the guests. */
		g_autoptr(GPtrArray) proposed = g_steal_pointer(&daemon->proposed);

		daemon_seats_renew(daemon, daemon->household->seats);
	} else if (!daemon->proposed) {
		first_begin(daemon);
	}
	household_free(old);
	for (guint i = 0; i < daemon->guests->len; i++)
		guest_changed(daemon, g_ptr_array_index(daemon->guests, i));
	people_step(daemon);
	daemon_changed(daemon);
}

void daemon_free(struct daemon *daemon)
{
	if (!daemon)
		return;
	if (daemon->household)
		people_close(daemon);
	g_clear_handle_id(&daemon->policy_timer, g_source_remove);
	g_clear_handle_id(&daemon->busy_timer, g_source_remove);
	g_clear_handle_id(&daemon->changed_idle, g_source_remove);
	g_clear_handle_id(&daemon->off_timer, g_source_remove);
	g_clear_handle_id(&daemon->first_timer, g_source_remove);
	g_clear_handle_id(&daemon->strangers_timer, g_source_remove);
	daemon->started = false;
	g_ptr_array_unref(daemon->seats);
	g_ptr_array_unref(daemon->guests);
	g_ptr_array_unref(daemon->people);
	devices_close(daemon);
	spawn_free(daemon->spawn);
	household_free(daemon->household);
	if (daemon->proposed)
		g_ptr_array_unref(daemon->proposed);
	g_free(daemon);
}
