/*
 * See seat_unit.h.
 */
#define G_LOG_DOMAIN "irorid"

#include "seats/seat_unit.h"

#include <errno.h>
#include <string.h>

#include "seats/seat_process.h"

enum {
	PROCESSES = 2,
	SPARE_MS = 2000, /* until the other has settled: starting costs what it needs */
};

struct seat_unit {
	const struct seat_unit_events *events;
	void *data;
	char *name;
	bool spare; /* is to be kept */
	struct seat_process *process[PROCESSES];
	struct seat_process *seated; /* NULL: none; it is greeted */
	guint timer;                 /* the spare */
	uint32_t starts;
	struct wire_state state;
};

/* The spare */

static struct seat_process *other(struct seat_unit *unit, const struct seat_process *process)
{
	return unit->process[process == unit->process[0]];
}

static gboolean spare_start(gpointer data)
{
	struct seat_unit *unit = data;

	unit->timer = 0;
	if (unit->seated)
		seat_process_want(other(unit, unit->seated));
	return G_SOURCE_REMOVE;
}

static void spare_later(struct seat_unit *unit)
{
	g_clear_handle_id(&unit->timer, g_source_remove);
	if (unit->spare)
		unit->timer = g_timeout_add(SPARE_MS, spare_start, unit);
}

/* Who has the seat */

static void seat_take(struct seat_unit *unit, struct seat_process *process)
{
	unit->seated = process;
	unit->starts++;
	unit->events->up(unit->data, unit);
	seat_unit_send(unit, WIRE_READY, NULL, 0, -1);
	spare_later(unit);
}

static void seat_leave(struct seat_unit *unit)
{
	g_clear_handle_id(&unit->timer, g_source_remove);
	unit->state = (struct wire_state){ 0 };
	if (!unit->seated)
		return;
	unit->seated = NULL;
	unit->events->down(unit->data, unit);
}

static void greeted(void *data, struct seat_process *process, bool seated)
{
	struct seat_unit *unit = data;
	struct seat_process *rival = other(unit, process);

	if (!unit->seated) {
		/* One that has the seat already comes before one that waits for it, and may be about to
		 * say so. */
		if (seated || !seat_process_silent(rival))
			seat_take(unit, process);
	} else if (seated) {
		/* It still holds what is the other's now. */
		g_warning("seat %s: two processes say that it is theirs", unit->name);
		seat_process_end(process);
		spare_later(unit);
	}
}

static void lost(void *data, struct seat_process *process)
{
	struct seat_unit *unit = data;
	struct seat_process *spare = other(unit, process);

	if (unit->seated && process != unit->seated) {
		seat_process_end(process);
		spare_later(unit);
		return;
	}
	seat_leave(unit);
	if (seat_process_greeted(spare)) {
		seat_process_end(process); /* the spare of its spare, in a while */
		seat_take(unit, spare);
	} else if (!seat_process_silent(spare)) {
		seat_process_want(process);
	}
}

static int handle_request(struct seat_unit *unit, const union wire_body *body)
{
	unit->events->request(unit->data, unit, &body->request);
	return 0;
}

static int handle_state(struct seat_unit *unit, const union wire_body *body)
{
	unit->state = body->state;
	unit->events->state(unit->data, unit);
	return 0;
}

static int handle_want_link(struct seat_unit *unit, const union wire_body *body)
{
	unit->events->link(unit->data, unit, &body->link);
	return 0;
}

static int (*const handlers[])(struct seat_unit *, const union wire_body *) = {
	[WIRE_REQUEST & 0xff] = handle_request,
	[WIRE_STATE & 0xff] = handle_state,
	[WIRE_WANT_LINK & 0xff] = handle_want_link,
};

/* A spare has nothing to say but how it is. */
static int message(void *data, struct seat_process *process, uint16_t opcode,
	const union wire_body *body)
{
	struct seat_unit *unit = data;

	if (process != unit->seated)
		return opcode == WIRE_STATE ? 0 : -EPROTO;
	return handlers[opcode & 0xff](unit, body);
}

static const struct seat_process_events process_events = {
	.greeted = greeted,
	.message = message,
	.lost = lost,
};

struct seat_unit *seat_unit_new(const struct seat_unit_config *config,
	const struct seat_unit_events *events, void *data)
{
	struct seat_unit *unit = g_new0(struct seat_unit, 1);
	g_autofree char *second = g_strconcat(config->name, SEAT_UNIT_SECOND, NULL);
	const char *const names[PROCESSES] = { config->name, second };

	unit->spare = config->spare;
	unit->events = events;
	unit->data = data;
	unit->name = g_strdup(config->name);
	for (unsigned i = 0; i < PROCESSES; i++) {
		struct seat_process_config process = {
			.seat = config->name,
			.name = names[i],
			.number = config->number,
			.spawn = config->spawn,
			.runtime = config->runtime,
			.program = config->program,
			.options = config->options,
			.now = config->now,
		};

		unit->process[i] = seat_process_new(&process, &process_events, unit);
	}
	return unit;
}

void seat_unit_free(struct seat_unit *unit)
{
	if (!unit)
		return;
	g_clear_handle_id(&unit->timer, g_source_remove);
	for (unsigned i = 0; i < PROCESSES; i++)
		seat_process_free(unit->process[i]);
	g_free(unit->name);
	g_free(unit);
}

void seat_unit_start(struct seat_unit *unit)
{
	bool found = false;

	for (unsigned i = 0; i < PROCESSES; i++)
		found |= seat_process_find(unit->process[i]);
	if (!found)
		seat_process_want(unit->process[0]);
}

void seat_unit_end(struct seat_unit *unit)
{
	for (unsigned i = 0; i < PROCESSES; i++)
		seat_process_end(unit->process[i]);
	seat_leave(unit);
}

int seat_unit_send(struct seat_unit *unit, uint16_t opcode, const void *body, size_t size, int fd)
{
	return unit->seated ? seat_process_send(unit->seated, opcode, body, size, fd) : -EAGAIN;
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

bool seat_unit_is_up(const struct seat_unit *unit)
{
	return unit->seated != NULL;
}

const struct wire_state *seat_unit_state(const struct seat_unit *unit)
{
	return &unit->state;
}

pid_t seat_unit_pid(const struct seat_unit *unit)
{
	return unit->seated ? seat_process_pid(unit->seated) : 0;
}

uint32_t seat_unit_starts(const struct seat_unit *unit)
{
	return unit->starts;
}
