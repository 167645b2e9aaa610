/*
 * See guest_unit.h.
 */
#define G_LOG_DOMAIN "irorid"

#include "seats/guest_unit.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "display/link_client.h"
#include "gpu-share/appetite.h"
#include "seats/process.h"

enum {
	START_MS = 15000,  /* until it listens: firmware and disks are opened before */
	END_MS = 10000,    /* from the hang-up to the end: what was written is on the disk */
	STAY_MS = 10000,   /* up for so long is no failure */
	FORCE_S = 5,       /* from pulling the plug to killing the process */
	COOKIE_SHUTDOWN = 1,
};

struct guest_unit {
	struct guest_unit_config config;
	const struct guest_unit_events *events;
	void *data;
	char *socket, *mark;
	enum share_class configured, effective;
	unsigned vcpus;
	struct appetite appetite;
	char *argv[5]; /* ends with NULL */
	struct process *process;
	struct link_client *client;
	guint source;
	uint32_t link_state; /* enum link_guest_state */
	bool welcomed, frozen, paused_before;
	bool stopping, stop_force; /* being switched off, or as soon as it is up; by the plug */
	bool again; /* started by somebody while it was being switched off */
	char *bar;  /* why it may not start; NULL: it may */
	uint32_t reboots, starts;
	guint force_timer;
	char *why;
};

static void tell(struct guest_unit *unit)
{
	unit->events->changed(unit->data, unit);
}

static int ask(struct guest_unit *unit, enum link_verb verb, uint32_t argument, uint32_t cookie)
{
	return unit->client && unit->welcomed ?
		link_client_request(unit->client, verb, argument, cookie) : -EAGAIN;
}

/* What its person's time says is put in force again after each change of the link's state: a reset
 * lets a paused guest run. */
static void freeze_enforce(struct guest_unit *unit)
{
	bool stands = unit->link_state == LINK_GUEST_PAUSED;

	if (unit->frozen && !stands && !unit->stopping)
		ask(unit, LINK_VERB_PAUSE, 0, 0);
}

static gboolean force_kill(gpointer data)
{
	struct guest_unit *unit = data;

	unit->force_timer = 0;
	process_hangs(unit->process, "does not switch off: killed");
	return G_SOURCE_REMOVE;
}

static void force_begin(struct guest_unit *unit)
{
	g_clear_handle_id(&unit->force_timer, g_source_remove);
	unit->force_timer = g_timeout_add_seconds(FORCE_S, force_kill, unit);
	ask(unit, LINK_VERB_POWEROFF, 0, 0);
}

static gboolean force_off(gpointer data)
{
	struct guest_unit *unit = data;

	unit->force_timer = 0;
	g_message("guest %s: did not switch off by itself", unit->config.entry->name);
	force_begin(unit);
	return G_SOURCE_REMOVE;
}

/* The button, or the plug. */
static void stop_ask(struct guest_unit *unit)
{
	if (unit->stop_force) {
		force_begin(unit);
		return;
	}
	/* One that stands still does not hear its button. */
	if (unit->link_state == LINK_GUEST_PAUSED)
		ask(unit, LINK_VERB_RESUME, 0, 0);
	if (!unit->force_timer)
		unit->force_timer = g_timeout_add_seconds(unit->config.irori->shutdown_seconds,
			force_off, unit);
	ask(unit, LINK_VERB_SHUTDOWN, 0, COOKIE_SHUTDOWN);
}

static void link_came(struct guest_unit *unit, uint32_t state)
{
	bool was_off = !unit->welcomed;
	uint32_t before = unit->link_state;

	unit->welcomed = true;
	unit->link_state = state;
	if (was_off) {
		unit->starts++;
		g_clear_pointer(&unit->why, g_free);
		unit->events->share(unit->data, unit, POLICY_GUEST_ADDED);
	}
	if (state == LINK_GUEST_RESETTING && (was_off || before != state))
		unit->events->share(unit->data, unit, POLICY_GUEST_RESET);
	if (state == LINK_GUEST_RUNNING && !was_off && before == LINK_GUEST_RESETTING)
		unit->events->share(unit->data, unit, POLICY_FIRST_FRAME);
	freeze_enforce(unit);
	if (was_off && unit->stopping)
		stop_ask(unit);
	tell(unit);
}

static void welcomed(void *data, const struct link_welcome *welcome)
{
	struct guest_unit *unit = data;

	unit->reboots = welcome->reboots;
	link_came(unit, welcome->state);
}

static void guest_changed(void *data, const struct link_guest *guest)
{
	struct guest_unit *unit = data;

	unit->reboots = guest->reboots;
	if (guest->state == LINK_GUEST_OFF) /* it says goodbye: nothing to restart */
		process_unwant(unit->process);
	link_came(unit, guest->state);
}

static void replied(void *data, const struct link_reply *reply)
{
	struct guest_unit *unit = data;

	if (reply->cookie == COOKIE_SHUTDOWN && reply->result < 0 && unit->stopping)
		force_begin(unit); /* nobody in it listens */
}

static const struct link_client_events link_events = {
	.welcome = welcomed,
	.guest = guest_changed,
	.reply = replied,
};

static void hang_up(struct guest_unit *unit)
{
	bool was_up = unit->welcomed;

	g_clear_handle_id(&unit->source, g_source_remove);
	g_clear_handle_id(&unit->force_timer, g_source_remove);
	link_client_free(g_steal_pointer(&unit->client));
	unit->welcomed = false;
	unit->stopping = unit->stop_force = false;
	unit->appetite = (struct appetite){ 0 };
	if (was_up)
		unit->events->share(unit->data, unit, POLICY_GUEST_GONE);
}

static gboolean link_ready(gint fd, GIOCondition condition, gpointer data)
{
	struct guest_unit *unit = data;
	int n = link_client_dispatch(unit->client);
	bool again;

	if (n >= 0)
		return G_SOURCE_CONTINUE;
	if (n == -EPROTO)
		g_warning("guest %s: its link says what it should not", unit->config.entry->name);
	unit->source = 0;
	/* One that was killed is a crash; whether that is mended is the household's to say. */
	if (unit->link_state != LINK_GUEST_OFF && !unit->config.entry->restart)
		process_unwant(unit->process);
	if (unit->stopping)
		process_unwant(unit->process);
	again = unit->again;
	unit->again = false;
	hang_up(unit);
	process_lost(unit->process);
	if (again)
		process_want(unit->process, true);
	return G_SOURCE_REMOVE;
}

static void connected(void *data, int fd)
{
	struct guest_unit *unit = data;
	g_autoptr(GError) error = NULL;

	unit->link_state = LINK_GUEST_RUNNING;
	unit->client = link_client_join(fd, LINK_WANT_CONTROL, "irorid", &link_events, unit, &error);
	if (!unit->client) {
		g_warning("guest %s: %s", unit->config.entry->name, error->message);
		process_lost(unit->process);
		return;
	}
	if (unit->stopping)
		stop_ask(unit);
	else if (!unit->bar) /* one that was found is wanted: its irorid before us wanted it */
		process_want(unit->process, false);
	unit->source = g_unix_fd_add_full(G_PRIORITY_DEFAULT, link_client_fd(unit->client),
		G_IO_IN | G_IO_HUP, link_ready, unit, NULL);
}

static void say_why(struct guest_unit *unit, const char *why)
{
	if (!g_strcmp0(why, unit->why))
		return;
	g_message("guest %s: %s", unit->config.entry->name, why);
	g_free(unit->why);
	unit->why = g_strdup(why);
}

static void changed(void *data, const char *why)
{
	struct guest_unit *unit = data;

	if (process_state(unit->process) == PROCESS_IDLE)
		unit->stopping = unit->stop_force = false; /* it did not even come up */
	if (why)
		say_why(unit, why);
	tell(unit);
}

static bool ended(void *data, int status)
{
	struct guest_unit *unit = data;

	/* 0: powered off. What its configuration does not allow will not be better the next time, but a
	 * person who mends it should not have to wait for long: back-off does that. */
	return status != 0 && unit->config.entry->restart && !unit->stopping;
}

static const struct process_events process_events = {
	.connected = connected,
	.changed = changed,
	.ended = ended,
};

/* Of what class it is and how many processors it has, its own file says; irori-vmm checks the file. */
static void entry_read(struct guest_unit *unit)
{
	const struct guest_entry *entry = unit->config.entry;
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *class_name = NULL;

	unit->configured = SHARE_FAIR;
	unit->vcpus = 1;
	if (g_key_file_load_from_file(file, entry->path, G_KEY_FILE_NONE, NULL)) {
		class_name = g_key_file_get_string(file, "Guest", "Class", NULL);
		unit->vcpus = (unsigned)MAX(g_key_file_get_integer(file, "Guest", "Vcpus", NULL), 1);
	}
	if (class_name)
		share_class_parse(class_name, &unit->configured);
	if (unit->socket)
		return; /* stays where it is as long as we live */
	unit->socket = entry->socket ? g_strdup(entry->socket) :
		g_strdup_printf("%s/guests/%s.sock", unit->config.runtime, entry->name);
	unit->mark = g_strconcat(unit->socket, ".frozen", NULL);
}

static struct spawn_spec spec_make(struct guest_unit *unit)
{
	const struct guest_entry *entry = unit->config.entry;
	bool one_seat = entry->seats && entry->seats[0] && !entry->seats[1];

	unit->argv[0] = (char *)unit->config.monitor;
	unit->argv[1] = "--socket";
	unit->argv[2] = unit->socket;
	unit->argv[3] = entry->path;
	return (struct spawn_spec){
		.kind = SPAWN_GUEST,
		.name = entry->name,
		.seat = one_seat ? entry->seats[0] : NULL,
		.argv = (const char *const *)unit->argv,
		.cpu_weight = entry->cpu_weight,
		.cpu_quota = entry->cpu_quota,
		.memory_max = entry->memory_max,
	};
}

static struct process *process_make(struct guest_unit *unit)
{
	const struct irori_config *irori = unit->config.irori;
	struct process_config config = {
		.spawn = unit->config.spawn,
		.spec = spec_make(unit),
		.socket = unit->socket,
		.needs = unit->config.kvm,
		.needs_why = "waits for /dev/kvm: is virtualization switched on in the PC's setup?",
		.start_ms = START_MS,
		.end_ms = END_MS,
		.now = unit->config.now,
	};

	backoff_init(&config.backoff, irori->backoff_min_ms, irori->backoff_max_ms, STAY_MS);
	return process_new(&config, &process_events, unit);
}

struct guest_unit *guest_unit_new(const struct guest_unit_config *config,
	const struct guest_unit_events *events, void *data)
{
	struct guest_unit *unit = g_new0(struct guest_unit, 1);

	unit->config = *config;
	unit->events = events;
	unit->data = data;
	entry_read(unit);
	unit->effective = unit->configured;
	unit->frozen = !access(unit->mark, F_OK);
	unit->process = process_make(unit);
	return unit;
}

void guest_unit_free(struct guest_unit *unit)
{
	if (!unit)
		return;
	unit->welcomed = false; /* nobody is told any more */
	hang_up(unit);
	process_free(unit->process);
	g_free(unit->socket);
	g_free(unit->mark);
	g_free(unit->why);
	g_free(unit->bar);
	g_free(unit);
}

void guest_unit_renew(struct guest_unit *unit, const struct guest_entry *entry,
	const struct irori_config *irori)
{
	struct spawn_spec spec;

	unit->config.entry = entry;
	unit->config.irori = irori;
	entry_read(unit);
	spec = spec_make(unit);
	process_renew(unit->process, &spec);
	tell(unit);
}

bool guest_unit_find(struct guest_unit *unit)
{
	return process_find(unit->process);
}

void guest_unit_bar(struct guest_unit *unit, const char *why)
{
	g_free(unit->bar);
	unit->bar = g_strdup(why);
	if (why)
		process_unwant(unit->process);
}

const char *guest_unit_barred(const struct guest_unit *unit)
{
	return unit->bar;
}

int guest_unit_start(struct guest_unit *unit, const char **why)
{
	if (unit->bar) {
		say_why(unit, unit->bar);
		tell(unit);
		if (why)
			*why = guest_unit_why(unit);
		return -EPERM;
	}
	unit->again = unit->stopping && unit->client;
	if (!unit->client)
		unit->stopping = unit->stop_force = false;
	process_want(unit->process, true);
	tell(unit);
	return 0;
}

void guest_unit_stop(struct guest_unit *unit, bool force)
{
	process_unwant(unit->process);
	unit->again = false;
	/* It is up, or may be soon: one that is busy as well. */
	unit->stopping = unit->client || process_state(unit->process) == PROCESS_STARTING ||
		process_is_busy(unit->process);
	unit->stop_force = unit->stopping && force;
	if (unit->client)
		stop_ask(unit);
	else
		tell(unit);
}

int guest_unit_restart(struct guest_unit *unit, const char **why)
{
	/* What is being switched off is started when it is off. */
	return unit->stopping || ask(unit, LINK_VERB_RESET, 0, 0) ? guest_unit_start(unit, why) : 0;
}

static void mark_set(struct guest_unit *unit, bool set)
{
	if (set)
		g_file_set_contents(unit->mark, "", 0, NULL);
	else
		g_unlink(unit->mark);
}

void guest_unit_freeze(struct guest_unit *unit, bool frozen)
{
	if (unit->frozen == frozen)
		return;
	if (frozen) {
		unit->paused_before = unit->welcomed && unit->link_state == LINK_GUEST_PAUSED;
		unit->frozen = true;
		if (!unit->paused_before)
			mark_set(unit, true);
		freeze_enforce(unit);
	} else {
		unit->frozen = false;
		mark_set(unit, false);
		if (!unit->paused_before)
			ask(unit, LINK_VERB_RESUME, 0, 0);
		unit->paused_before = false;
	}
	tell(unit);
}

int guest_unit_pause(struct guest_unit *unit, bool paused)
{
	if (unit->frozen)
		return -EPERM;
	return ask(unit, paused ? LINK_VERB_PAUSE : LINK_VERB_RESUME, 0, 0);
}

void guest_unit_set_class(struct guest_unit *unit, enum share_class share_class)
{
	unit->effective = share_class;
	ask(unit, LINK_VERB_CLASS, share_class, 0);
}

void guest_unit_look(struct guest_unit *unit)
{
	pid_t pid = guest_unit_pid(unit);

	if (pid && appetite_look(&unit->appetite, pid, unit->vcpus, unit->config.now()))
		unit->events->share(unit->data, unit,
			unit->appetite.busy ? POLICY_BUSY : POLICY_QUIET);
}

uint32_t guest_unit_id(const struct guest_unit *unit)
{
	return unit->config.id;
}

const struct guest_entry *guest_unit_entry(const struct guest_unit *unit)
{
	return unit->config.entry;
}

const char *guest_unit_socket(const struct guest_unit *unit)
{
	return unit->socket;
}

enum wire_guest_state guest_unit_state(const struct guest_unit *unit)
{
	static const enum wire_guest_state of_link[] = {
		[LINK_GUEST_RUNNING] = WIRE_GUEST_RUNNING,
		[LINK_GUEST_RESETTING] = WIRE_GUEST_RESETTING,
		[LINK_GUEST_PAUSED] = WIRE_GUEST_PAUSED,
		[LINK_GUEST_OFF] = WIRE_GUEST_OFF,
		[LINK_GUEST_CRASHED] = WIRE_GUEST_CRASHED,
	};

	if (!unit->welcomed)
		return process_wanted(unit->process) || process_is_busy(unit->process) ||
				unit->stopping ?
			WIRE_GUEST_STARTING :
			WIRE_GUEST_OFF;
	if (unit->frozen && unit->link_state != LINK_GUEST_OFF)
		return WIRE_GUEST_FROZEN;
	return of_link[unit->link_state];
}

const char *guest_state_name(enum wire_guest_state state)
{
	static const char *const names[] = {
		[WIRE_GUEST_OFF] = "off",
		[WIRE_GUEST_STARTING] = "starting",
		[WIRE_GUEST_RUNNING] = "running",
		[WIRE_GUEST_RESETTING] = "resetting",
		[WIRE_GUEST_PAUSED] = "paused",
		[WIRE_GUEST_FROZEN] = "frozen",
		[WIRE_GUEST_CRASHED] = "crashed",
	};

	return names[state];
}

enum share_class guest_unit_class(const struct guest_unit *unit)
{
	return unit->configured;
}

enum share_class guest_unit_effective(const struct guest_unit *unit)
{
	return unit->effective;
}

pid_t guest_unit_pid(const struct guest_unit *unit)
{
	return unit->client ? process_pid(unit->process) : 0;
}

uint32_t guest_unit_reboots(const struct guest_unit *unit)
{
	return unit->reboots;
}

uint32_t guest_unit_starts(const struct guest_unit *unit)
{
	return unit->starts;
}

bool guest_unit_on(const struct guest_unit *unit)
{
	return guest_unit_state(unit) != WIRE_GUEST_OFF || unit->client;
}

const char *guest_unit_why(const struct guest_unit *unit)
{
	return unit->why;
}
