/*
 * See seat_unit.h.
 */
#define G_LOG_DOMAIN "irorid"

#include "seats/seat_unit.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "seats/process.h"
#include "seats/wire_codec.h"

enum {
	/* A picture is to be back within a second, also at the twentieth time. */
	BACKOFF_MIN_MS = 50,
	BACKOFF_MAX_MS = 200,
	STAY_MS = 400,
	START_MS = 20000, /* fonts are read from a slow disk; one that dies is heard of before */
	END_MS = 30,       /* what it shows is frozen meanwhile */
	WELCOME_MS = 2000,
	MESSAGES_MAX = 64, /* handled in one go, so that one seat does not keep the others waiting */
};

struct seat_unit {
	struct seat_unit_config config;
	const struct seat_unit_events *events;
	void *data;
	char *name, *socket;
	char **argv;
	struct process *process;
	int fd; /* -1: not connected */
	guint source, timer;
	bool up, broken;
	uint32_t starts;
	struct wire_state state;
	char *why; /* said last, not to be said again and again */
};

static void hang_up(struct seat_unit *unit)
{
	bool was_up = unit->up;

	g_clear_handle_id(&unit->source, g_source_remove);
	g_clear_handle_id(&unit->timer, g_source_remove);
	if (unit->fd >= 0)
		close(unit->fd);
	unit->fd = -1;
	unit->up = unit->broken = false;
	unit->state = (struct wire_state){ 0 };
	if (was_up)
		unit->events->down(unit->data, unit);
}

static void lost(struct seat_unit *unit, const char *why)
{
	if (why)
		g_warning("seat %s: %s", unit->name, why);
	hang_up(unit);
	process_lost(unit->process);
}

static gboolean no_welcome(gpointer data)
{
	struct seat_unit *unit = data;

	unit->timer = 0;
	g_warning("seat %s: does not answer", unit->name);
	hang_up(unit);
	process_hangs(unit->process, "does not answer");
	return G_SOURCE_REMOVE;
}

/* Sends may come from within `up` or another event: the connection is ended from the loop. */
static gboolean broken(gpointer data)
{
	struct seat_unit *unit = data;

	unit->timer = 0;
	lost(unit, "does not read what it is told");
	return G_SOURCE_REMOVE;
}

int seat_unit_send(struct seat_unit *unit, uint16_t opcode, const void *body, size_t size, int fd)
{
	int r;

	if (!unit->up || unit->broken)
		return -EAGAIN;
	r = wire_send(unit->fd, opcode, body, size, fd);
	if (r == -EAGAIN || r == -EPIPE) {
		unit->broken = true;
		g_clear_handle_id(&unit->timer, g_source_remove);
		unit->timer = g_idle_add(broken, unit);
	} else if (r == -EINVAL) {
		g_warning("seat %s: message %u was not to be sent", unit->name, opcode);
	}
	return r;
}

static int handle_welcome(struct seat_unit *unit, const union wire_body *body)
{
	if (unit->up || body->welcome.version != WIRE_VERSION)
		return -EPROTO;
	g_clear_handle_id(&unit->timer, g_source_remove);
	unit->up = true;
	unit->starts++;
	g_clear_pointer(&unit->why, g_free);
	unit->events->up(unit->data, unit);
	seat_unit_send(unit, WIRE_READY, NULL, 0, -1);
	return 0;
}

static int handle_request(struct seat_unit *unit, const union wire_body *body)
{
	if (!unit->up)
		return -EPROTO;
	unit->events->request(unit->data, unit, &body->request);
	return 0;
}

static int handle_state(struct seat_unit *unit, const union wire_body *body)
{
	if (!unit->up)
		return -EPROTO;
	unit->state = body->state;
	unit->events->state(unit->data, unit);
	return 0;
}

static int (*const handlers[])(struct seat_unit *, const union wire_body *) = {
	[WIRE_WELCOME & 0xff] = handle_welcome,
	[WIRE_REQUEST & 0xff] = handle_request,
	[WIRE_STATE & 0xff] = handle_state,
};

static gboolean wire_ready(gint fd, GIOCondition condition, gpointer data)
{
	struct seat_unit *unit = data;
	struct wire_message message;
	int r = 0;

	for (unsigned i = 0; i < MESSAGES_MAX && !unit->broken; i++) {
		r = wire_receive(unit->fd, WIRE_FROM_SEAT, &message);
		if (r == 1)
			r = handlers[message.opcode & 0xff](unit, &message.body) ? -EPROTO : 1;
		wire_forget(&message.body, sizeof(message.body));
		if (r != 1)
			break;
	}
	if (r >= 0)
		return G_SOURCE_CONTINUE;
	unit->source = 0;
	lost(unit, r == -EPROTO ? "says what it should not" : NULL);
	return G_SOURCE_REMOVE;
}

static void connected(void *data, int fd)
{
	struct seat_unit *unit = data;
	struct wire_hello hello = { .version = WIRE_VERSION, .number = unit->config.number };

	wire_text(hello.seat, sizeof(hello.seat), unit->name);
	unit->fd = fd;
	if (wire_send(fd, WIRE_HELLO, &hello, sizeof(hello), -1)) {
		lost(unit, "does not take a greeting");
		return;
	}
	unit->source = g_unix_fd_add_full(G_PRIORITY_HIGH, fd, G_IO_IN | G_IO_HUP, wire_ready, unit,
		NULL);
	unit->timer = g_timeout_add(WELCOME_MS, no_welcome, unit);
}

static void changed(void *data, const char *why)
{
	struct seat_unit *unit = data;

	if (why && g_strcmp0(why, unit->why)) {
		g_message("seat %s: %s", unit->name, why);
		g_free(unit->why);
		unit->why = g_strdup(why);
	}
}

static bool ended(void *data, int status)
{
	return true;
}

static const struct process_events process_events = {
	.connected = connected,
	.changed = changed,
	.ended = ended,
};

struct seat_unit *seat_unit_new(const struct seat_unit_config *config,
	const struct seat_unit_events *events, void *data)
{
	struct seat_unit *unit = g_new0(struct seat_unit, 1);
	GPtrArray *argv = g_ptr_array_new();
	struct process_config process = {
		.spawn = config->spawn,
		.start_ms = START_MS,
		.end_ms = END_MS,
		.now = config->now,
	};

	unit->config = *config;
	unit->events = events;
	unit->data = data;
	unit->fd = -1;
	unit->name = g_strdup(config->name);
	unit->socket = g_strdup_printf("%s/seats/%s.sock", config->runtime, config->name);
	g_ptr_array_add(argv, g_strdup(config->program));
	g_ptr_array_add(argv, g_strdup("--socket"));
	g_ptr_array_add(argv, g_strdup(unit->socket));
	for (const char *const *o = config->options; o && *o; o++)
		g_ptr_array_add(argv, g_strdup(*o));
	g_ptr_array_add(argv, g_strdup(unit->name));
	g_ptr_array_add(argv, NULL);
	unit->argv = (char **)g_ptr_array_free(argv, FALSE);
	process.socket = unit->socket;
	process.spec = (struct spawn_spec){
		.kind = SPAWN_SEAT,
		.name = unit->name,
		.seat = unit->name,
		.argv = (const char *const *)unit->argv,
	};
	backoff_init(&process.backoff, BACKOFF_MIN_MS, BACKOFF_MAX_MS, STAY_MS);
	unit->process = process_new(&process, &process_events, unit);
	return unit;
}

void seat_unit_free(struct seat_unit *unit)
{
	if (!unit)
		return;
	g_clear_handle_id(&unit->source, g_source_remove);
	g_clear_handle_id(&unit->timer, g_source_remove);
	if (unit->fd >= 0)
		close(unit->fd);
	process_free(unit->process);
	g_strfreev(unit->argv);
	g_free(unit->name);
	g_free(unit->socket);
	g_free(unit->why);
	g_free(unit);
}

void seat_unit_start(struct seat_unit *unit)
{
	process_want(unit->process, true);
}

void seat_unit_end(struct seat_unit *unit)
{
	process_unwant(unit->process);
	process_hangs(unit->process, NULL);
	hang_up(unit);
}

void seat_unit_answer(struct seat_unit *unit, uint32_t cookie, int result, const char *text)
{
	struct wire_answer answer = { .cookie = cookie, .result = result };

	wire_text(answer.text, sizeof(answer.text), text);
	seat_unit_send(unit, WIRE_ANSWER, &answer, sizeof(answer), -1);
}

void seat_unit_notice(struct seat_unit *unit, enum wire_notice_kind kind, uint32_t seconds,
	const char *text)
{
	struct wire_notice notice = { .kind = kind, .seconds = seconds };

	wire_text(notice.text, sizeof(notice.text), text);
	seat_unit_send(unit, WIRE_NOTICE, &notice, sizeof(notice), -1);
}

const char *seat_unit_name(const struct seat_unit *unit)
{
	return unit->name;
}

uint32_t seat_unit_number(const struct seat_unit *unit)
{
	return unit->config.number;
}

bool seat_unit_is_up(const struct seat_unit *unit)
{
	return unit->up;
}

const struct wire_state *seat_unit_state(const struct seat_unit *unit)
{
	return &unit->state;
}

pid_t seat_unit_pid(const struct seat_unit *unit)
{
	return unit->fd >= 0 ? process_pid(unit->process) : 0;
}

uint32_t seat_unit_starts(const struct seat_unit *unit)
{
	return unit->starts;
}
