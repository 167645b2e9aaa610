/*
 * See seat_process.h.
 */
#define G_LOG_DOMAIN "irorid"

#include "seats/seat_process.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

enum {
	/* A picture is to be back within a second, also at the twentieth time. */
	BACKOFF_MIN_MS = 50,
	BACKOFF_MAX_MS = 400,
	STAY_MS = 400,
	START_MS = 20000, /* fonts are read from a slow disk; one that dies is heard of before */
	END_MS = 30,       /* what it shows is frozen meanwhile */
	WELCOME_MS = 5000,
	MESSAGES_MAX = 64, /* handled in one go, so that one seat does not keep the others waiting */
};

struct seat_process {
	const struct seat_process_events *events;
	void *data;
	char *seat, *name, *socket;
	char **argv;
	uint32_t number;
	struct process *process;
	int fd; /* -1: not connected */
	guint source, timer;
	bool greeted, broken;
	bool busy; /* it was, when we heard of it last */
	char *why; /* said last, not to be said again and again */
};

static void hang_up(struct seat_process *process)
{
	g_clear_handle_id(&process->source, g_source_remove);
	g_clear_handle_id(&process->timer, g_source_remove);
	if (process->fd >= 0)
		close(process->fd);
	process->fd = -1;
	process->greeted = process->broken = false;
}

static void lost(struct seat_process *process, const char *why)
{
	if (why)
		g_warning("seat %s: %s", process->name, why);
	hang_up(process);
	if (why)
		process_hangs(process->process, why);
	else
		process_lost(process->process);
	process->events->lost(process->data, process);
}

static gboolean no_welcome(gpointer data)
{
	struct seat_process *process = data;

	process->timer = 0;
	lost(process, "does not answer");
	return G_SOURCE_REMOVE;
}

/* Sends come from within events: the connection is ended from the loop. */
static gboolean broken(gpointer data)
{
	struct seat_process *process = data;

	process->timer = 0;
	lost(process, "does not read what it is told");
	return G_SOURCE_REMOVE;
}

int seat_process_send(struct seat_process *process, uint16_t opcode, const void *body, size_t size,
	int fd)
{
	int r;

	if (!process->greeted || process->broken)
		return -EAGAIN;
	r = wire_send(process->fd, opcode, body, size, fd);
	if (r == -EAGAIN || r == -EPIPE) {
		process->broken = true;
		g_clear_handle_id(&process->timer, g_source_remove);
		/* Before the connection is looked at again, which has hung up. */
		process->timer = g_idle_add_full(G_PRIORITY_HIGH, broken, process, NULL);
	} else if (r == -EINVAL) {
		g_warning("seat %s: message %u was not to be sent", process->name, opcode);
	}
	return r;
}

static int handle(struct seat_process *process, const struct wire_message *message)
{
	const struct wire_welcome *welcome = &message->body.welcome;

	if (process->greeted)
		return message->opcode == WIRE_WELCOME ? -EPROTO :
			process->events->message(process->data, process, message->opcode,
				&message->body);
	if (message->opcode != WIRE_WELCOME || welcome->version != WIRE_VERSION)
		return -EPROTO;
	g_clear_handle_id(&process->timer, g_source_remove);
	process->greeted = true;
	g_clear_pointer(&process->why, g_free);
	process->events->greeted(process->data, process, welcome->seated);
	return 0;
}

static gboolean wire_ready(gint fd, GIOCondition condition, gpointer data)
{
	struct seat_process *process = data;
	struct wire_message message;
	int r = 1;

	/* What comes of a message may have ended the connection. */
	for (unsigned i = 0; i < MESSAGES_MAX && r > 0 && process->fd == fd && !process->broken; i++) {
		r = wire_receive(fd, WIRE_FROM_SEAT, &message);
		if (r == 1)
			r = handle(process, &message) ? -EPROTO : 1;
		wire_forget(&message.body, sizeof(message.body));
	}
	if (process->fd != fd)
		return G_SOURCE_REMOVE;
	if (r >= 0)
		return G_SOURCE_CONTINUE;
	process->source = 0;
	/* One that hangs up on our greeting would do so for ever: it is of another version. */
	lost(process, r == -EPROTO ? "says what it should not" :
		process->greeted ? NULL : "hung up before it answered");
	return G_SOURCE_REMOVE;
}

static void connected(void *data, int fd)
{
	struct seat_process *process = data;
	struct wire_hello hello = { .version = WIRE_VERSION, .number = process->number };

	wire_text(hello.seat, sizeof(hello.seat), process->seat);
	process->busy = false;
	process->fd = fd;
	process->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP, wire_ready, process);
	/* A greeting that is not taken is one that is not answered. */
	wire_send(fd, WIRE_HELLO, &hello, sizeof(hello), -1);
	process->timer = g_timeout_add(WELCOME_MS, no_welcome, process);
}

static void changed(void *data, const char *why)
{
	struct seat_process *process = data;
	bool was_busy = process->busy;

	process->busy = process_is_busy(process->process);

	if (why && g_strcmp0(why, process->why)) {
		g_message("seat %s: %s", process->name, why);
		g_free(process->why);
		process->why = g_strdup(why);
	}
	/* It went without ever having answered. */
	if (was_busy && process_state(process->process) == PROCESS_IDLE)
		process->events->lost(process->data, process);
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

static char **argv_make(const struct seat_process_config *config, const char *socket)
{
	GPtrArray *argv = g_ptr_array_new();

	g_ptr_array_add(argv, g_strdup(config->program));
	g_ptr_array_add(argv, g_strdup("--socket"));
	g_ptr_array_add(argv, g_strdup(socket));
	for (const char *const *o = config->options; o && *o; o++)
		g_ptr_array_add(argv, g_strdup(*o));
	g_ptr_array_add(argv, g_strdup(config->seat));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

struct seat_process *seat_process_new(const struct seat_process_config *config,
	const struct seat_process_events *events, void *data)
{
	struct seat_process *process = g_new0(struct seat_process, 1);
	struct process_config own = {
		.spawn = config->spawn,
		.start_ms = START_MS,
		.end_ms = END_MS,
		.now = config->now,
	};

	process->events = events;
	process->data = data;
	process->fd = -1;
	process->number = config->number;
	process->seat = g_strdup(config->seat);
	process->name = g_strdup(config->name);
	process->socket = g_strdup_printf("%s/seats/%s.sock", config->runtime, config->name);
	process->argv = argv_make(config, process->socket);
	own.socket = process->socket;
	own.spec = (struct spawn_spec){
		.kind = SPAWN_SEAT,
		.name = process->name,
		.seat = process->seat,
		.argv = (const char *const *)process->argv,
	};
	backoff_init(&own.backoff, BACKOFF_MIN_MS, BACKOFF_MAX_MS, STAY_MS);
	process->process = process_new(&own, &process_events, process);
	return process;
}

void seat_process_free(struct seat_process *process)
{
	if (!process)
		return;
	hang_up(process);
	process_free(process->process);
	g_strfreev(process->argv);
	g_free(process->seat);
	g_free(process->name);
	g_free(process->socket);
	g_free(process->why);
	g_free(process);
}

bool seat_process_find(struct seat_process *process)
{
	return process_find(process->process);
}

void seat_process_want(struct seat_process *process)
{
	process_want(process->process, false);
}

void seat_process_end(struct seat_process *process)
{
	process->busy = false;
	process_unwant(process->process);
	process_hangs(process->process, NULL);
	hang_up(process);
}

bool seat_process_silent(const struct seat_process *process)
{
	return process->fd >= 0 ? !process->greeted : process_is_busy(process->process);
}

bool seat_process_greeted(const struct seat_process *process)
{
	return process->greeted;
}

pid_t seat_process_pid(const struct seat_process *process)
{
	return process->fd >= 0 ? process_pid(process->process) : 0;
}
