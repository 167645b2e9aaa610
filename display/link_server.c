/*
 * The guest's end of the seat link: listening, seats coming and going, and what they send. A seat
 * never makes the guest wait: sends do not block, and a seat that does not keep up is dropped.
 */
#include "display/link_server.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "display/link_server_priv.h"
#include "display/packet.h"

/* Messages of one seat at a time; the others and the guest have their turn between. */
#define MESSAGES_MAX 32

void seat_doom(struct link_seat *seat, const char *why)
{
	if (seat->dead)
		return;
	seat->dead = true;
	if (why)
		g_message("seat \"%s\" dropped: %s", seat->name, why);
	g_source_set_ready_time(seat->server->wake, 0);
}

bool seat_send(struct link_seat *seat, uint16_t opcode, const void *body, size_t size, int fd)
{
	int r;

	if (seat->dead)
		return false;
	r = link_send(seat->socket, opcode, body, size, fd);
	if (r == -EPIPE)
		seat_doom(seat, NULL);
	else if (r < 0)
		seat_doom(seat, r == -EAGAIN ? "it does not keep up" : "cannot send");
	return r == 0;
}

void server_broadcast(struct link_server *server, uint32_t wants, uint16_t opcode,
	const void *body, size_t size, int fd)
{
	for (unsigned i = 0; i < LINK_SERVER_MAX_SEATS; i++) {
		struct link_seat *seat = server->seat[i];

		if (seat && seat->greeted && (!wants || (seat->granted & wants)))
			seat_send(seat, opcode, body, size, fd);
	}
}

/* The guest's state */

void server_enter_state(struct link_server *server, enum link_guest_state state, uint32_t reboots,
	int64_t ns)
{
	server->guest = (struct link_guest) { state, reboots, ns };
	if (state == LINK_GUEST_RESETTING) {
		server->reset_ns = ns;
		server->reset_frame_ns = 0;
		input_forget(server);
	}
	server_broadcast(server, 0, LINK_GUEST, &server->guest, sizeof(server->guest), -1);
}

void link_server_set_state(struct link_server *server, enum link_guest_state state,
	uint32_t reboots)
{
	struct posted_state posted = { state, reboots, server->now() };

	g_mutex_lock(&server->lock);
	g_array_append_val(server->posted, posted);
	g_mutex_unlock(&server->lock);
	g_source_set_ready_time(server->wake, 0);
}

void server_take_posted(struct link_server *server)
{
	for (;;) {
		struct posted_state posted;

		g_mutex_lock(&server->lock);
		if (!server->posted->len) {
			g_mutex_unlock(&server->lock);
			return;
		}
		posted = g_array_index(server->posted, struct posted_state, 0);
		g_array_remove_index(server->posted, 0);
		g_mutex_unlock(&server->lock);
		server_enter_state(server, posted.state, posted.reboots, posted.ns);
	}
}

/* What seats send. Each returns 0 or -errno, which ends the connection. */

static uint32_t role_grant(const struct link_seat *holder, uint32_t wants, uint32_t role)
{
	return (wants & role) && (!holder || holder->dead) ? role : 0;
}

static uint32_t seat_grant(struct link_seat *seat, uint32_t wants)
{
	struct link_server *server = seat->server;
	uint32_t granted;

	if (wants & (LINK_WANT_CLOCK | LINK_WANT_HEADS))
		wants |= LINK_WANT_DISPLAY;
	if (wants & LINK_WANT_SINK)
		wants |= LINK_WANT_AUDIO;
	granted = wants & (LINK_WANT_DISPLAY | LINK_WANT_INPUT | LINK_WANT_AUDIO |
		LINK_WANT_CONTROL | LINK_WANT_HEADS);
	granted |= role_grant(server->clock_seat, wants, LINK_WANT_CLOCK);
	granted |= role_grant(server->audio[0].seat, wants, LINK_WANT_SINK);
	granted |= role_grant(server->audio[1].seat, wants, LINK_WANT_MIC);
	if (granted & LINK_WANT_CLOCK)
		clock_seat_changed(server, seat, granted);
	if (granted & LINK_WANT_SINK)
		audio_clock_seat_changed(server, 0, seat);
	if (granted & LINK_WANT_MIC)
		audio_clock_seat_changed(server, 1, seat);
	return granted;
}

static int handle_hello(struct link_seat *seat, const struct link_message *m)
{
	const struct link_hello *hello = &m->body.hello;
	struct link_server *server = seat->server;
	struct link_welcome welcome = { .version = LINK_VERSION };

	if (seat->greeted || hello->version != LINK_VERSION)
		return -EPROTO;
	for (unsigned i = 0; hello->name[i]; i++) /* it goes to logs */
		seat->name[i] = g_ascii_isprint(hello->name[i]) ? hello->name[i] : '?';
	seat->granted = welcome.granted = seat_grant(seat, hello->wants);
	welcome.state = server->guest.state;
	welcome.reboots = server->guest.reboots;
	g_strlcpy(welcome.name, server->name, sizeof(welcome.name));
	seat->greeted = true;
	seat_send(seat, LINK_WELCOME, &welcome, sizeof(welcome), -1);
	seat_send(seat, LINK_GUEST, &server->guest, sizeof(server->guest), -1);
	port_replay(server, seat);
	g_debug("seat \"%s\" attached, granted %#x", seat->name, seat->granted);
	return 0;
}

static int handle_presented(struct link_seat *seat, const struct link_message *m)
{
	return clock_presented(seat->server, &m->body.presented);
}

static bool heads_are_told(const struct link_server *server)
{
	for (unsigned i = 0; i < LINK_SERVER_MAX_SEATS; i++) {
		const struct link_seat *seat = server->seat[i];

		if (seat && !seat->dead && (seat->granted & LINK_WANT_HEADS))
			return true;
	}
	return false;
}

/* What a seat of one head says is of that head; the others stay while a seat is there that has them. */
static int handle_resize(struct link_seat *seat, const struct link_message *m)
{
	struct link_server *server = seat->server;
	const struct link_resize *resize = &m->body.resize;
	bool heads = seat->granted & LINK_WANT_HEADS;

	if (resize->n > 1 && !heads)
		return -EPROTO;
	server->heads[0] = resize->head[0];
	if (heads)
		memcpy(server->heads, resize->head, sizeof(server->heads));
	if (heads || !server->n_heads || !heads_are_told(server))
		server->n_heads = resize->n;
	if (server->events && server->events->resized)
		server->events->resized(server->device, server->heads, server->n_heads);
	return 0;
}

static int handle_input(struct link_seat *seat, const struct link_message *m)
{
	input_from_seat(seat, m->body.input, m->size / sizeof(m->body.input[0]));
	return 0;
}

static int handle_consumed(struct link_seat *seat, const struct link_message *m)
{
	audio_clock_consumed(seat->server, m->body.audio_consumed.bytes);
	return 0;
}

static int handle_captured(struct link_seat *seat, const struct link_message *m)
{
	audio_clock_captured(seat->server, m->body.pcm, m->size);
	return 0;
}

static int handle_request(struct link_seat *seat, const struct link_message *m)
{
	const struct link_request *request = &m->body.request;
	struct link_server *server = seat->server;
	struct link_reply reply = { .cookie = request->cookie, .result = -EINVAL };

	if (!server->owner.request)
		reply.result = -EOPNOTSUPP;
	else if (request->verb >= LINK_VERB_RESET && request->verb < LINK_VERBS)
		reply.result = server->owner.request(server->owner_data, request->verb,
			request->argument);
	/* Any other error may have come half way. */
	if (request->verb == LINK_VERB_CLASS && server->owner.request && reply.result != -EINVAL)
		server->class_seat = seat;
	seat_send(seat, LINK_REPLY, &reply, sizeof(reply), -1);
	return 0;
}

static int handle_stat(struct link_seat *seat, const struct link_message *m)
{
	struct link_server *server = seat->server;
	struct link_stat stat = { 0 };

	if (server->owner.stat)
		server->owner.stat(server->owner_data, &stat);
	g_strlcpy(stat.name, server->name, sizeof(stat.name));
	stat.state = server->guest.state;
	stat.reboots = server->guest.reboots;
	stat.first_frame_ns = server->first_frame_ns;
	stat.reset_ns = server->reset_ns;
	stat.reset_frame_ns = server->reset_frame_ns;
	stat.frames = server->frames;
	for (unsigned i = 0; i < PORT_HEADS; i++)
		stat.frames_presented += server->clock[i].presented;
	stat.n_exits = MIN(stat.n_exits, LINK_MAX_EXITS);
	stat.n_threads = MIN(stat.n_threads, LINK_MAX_THREADS);
	seat_send(seat, LINK_STAT_REPLY, &stat, sizeof(stat), -1);
	return 0;
}

static int handle_save(struct link_seat *seat, const struct link_message *m)
{
	struct link_server *server = seat->server;
	struct link_reply reply = { .cookie = m->body.save.cookie, .result = -EOPNOTSUPP };
	int fd = server->owner.save ? fcntl(m->fd, F_DUPFD_CLOEXEC, 0) : -1;

	if (server->owner.save)
		reply.result = fd < 0 ? -errno : server->owner.save(server->owner_data, fd);
	seat_send(seat, LINK_REPLY, &reply, sizeof(reply), -1);
	return 0;
}

/* Which grant a message needs; HELLO needs none and is the only one before WELCOME. */
static const struct {
	int (*handle)(struct link_seat *seat, const struct link_message *m);
	uint32_t needs;
} handlers[] = {
	[LINK_HELLO] = { handle_hello, 0 },
	[LINK_PRESENTED] = { handle_presented, LINK_WANT_CLOCK },
	[LINK_RESIZE] = { handle_resize, LINK_WANT_DISPLAY },
	[LINK_INPUT] = { handle_input, LINK_WANT_INPUT },
	[LINK_AUDIO_CONSUMED] = { handle_consumed, LINK_WANT_SINK },
	[LINK_AUDIO_CAPTURED] = { handle_captured, LINK_WANT_MIC },
	[LINK_REQUEST] = { handle_request, LINK_WANT_CONTROL },
	[LINK_STAT] = { handle_stat, LINK_WANT_CONTROL },
	[LINK_SAVE] = { handle_save, LINK_WANT_CONTROL },
};

static void seat_handle(struct link_seat *seat, const struct link_message *m)
{
	if (m->opcode != LINK_HELLO && !seat->greeted)
		seat_doom(seat, "no HELLO");
	else if (handlers[m->opcode].needs & ~seat->granted)
		seat_doom(seat, "it sends what it was not granted");
	else if (handlers[m->opcode].handle(seat, m) < 0)
		seat_doom(seat, "it breaks the protocol");
}

static gboolean seat_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct link_seat *seat = data;
	struct link_message message;

	for (unsigned i = 0; i < MESSAGES_MAX && !seat->dead; i++) {
		int r = link_receive(seat->socket, LINK_FROM_SEAT, &message);

		if (r == 0)
			break;
		if (r < 0) {
			seat_doom(seat, r == -EPIPE ? NULL : "it breaks the protocol");
			break;
		}
		seat_handle(seat, &message);
		if (message.fd >= 0)
			close(message.fd);
	}
	return seat->dead ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

/* Coming and going */

static void seat_free(struct link_seat *seat)
{
	g_source_destroy(seat->source);
	g_source_unref(seat->source);
	close(seat->socket);
	g_free(seat);
}

static void seat_reap(struct link_server *server, struct link_seat *seat)
{
	if (server->clock_seat == seat)
		clock_seat_changed(server, NULL, 0);
	for (unsigned i = 0; i < PORT_MAX_STREAMS; i++)
		if (server->audio[i].seat == seat)
			audio_clock_seat_changed(server, i, NULL);
	input_release(seat);
	if (server->class_seat == seat) {
		server->class_seat = NULL;
		if (server->owner.class_over)
			server->owner.class_over(server->owner_data);
	}
	for (unsigned i = 0; i < LINK_SERVER_MAX_SEATS; i++)
		if (server->seat[i] == seat)
			server->seat[i] = NULL;
	g_debug("seat \"%s\" left", seat->name);
	seat_free(seat);
}

static gboolean server_woken(gpointer data)
{
	struct link_server *server = data;
	int64_t now = server->now(), next = INT64_MAX;

	g_source_set_ready_time(server->wake, -1);
	server_take_posted(server);
	for (unsigned i = 0; i < LINK_SERVER_MAX_SEATS; i++) {
		struct link_seat *seat = server->seat[i];

		if (!seat)
			continue;
		if (!seat->greeted && now >= seat->hello_by_ns)
			seat_doom(seat, "no HELLO");
		if (seat->dead)
			seat_reap(server, seat);
		else if (!seat->greeted)
			next = MIN(next, seat->hello_by_ns);
	}
	/* Unless something has asked for an earlier turn meanwhile. */
	if (next != INT64_MAX && g_source_get_ready_time(server->wake) < 0)
		g_source_set_ready_time(server->wake,
			g_get_monotonic_time() + (next - now) / 1000 + 1);
	/* A state that another thread posted between those two lines would wait as long. */
	g_mutex_lock(&server->lock);
	if (server->posted->len)
		g_source_set_ready_time(server->wake, 0);
	g_mutex_unlock(&server->lock);
	return G_SOURCE_CONTINUE;
}

int link_server_adopt(struct link_server *server, int sock)
{
	struct link_seat *seat;
	int size = 1 << 20;
	unsigned i;

	for (i = 0; i < LINK_SERVER_MAX_SEATS && server->seat[i]; i++)
		;
	if (i == LINK_SERVER_MAX_SEATS) {
		g_message("a seat was turned away: %d are attached", LINK_SERVER_MAX_SEATS);
		close(sock);
		return -EBUSY;
	}
	setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	seat = g_new0(struct link_seat, 1);
	seat->server = server;
	seat->socket = sock;
	seat->hello_by_ns = server->now() + LINK_SERVER_HELLO_MS * NS_PER_MS;
	g_strlcpy(seat->name, "?", sizeof(seat->name));
	seat->source = g_unix_fd_source_new(sock, G_IO_IN | G_IO_HUP | G_IO_ERR);
	g_source_set_callback(seat->source, G_SOURCE_FUNC(seat_readable), seat, NULL);
	g_source_attach(seat->source, server->context);
	server->seat[i] = seat;
	g_source_set_ready_time(server->wake, 0);
	return 0;
}

/* Who waits at the door with no descriptor left to let it in would wake us for ever: it is shown out
 * with the one that is kept for this. */
static void server_turn_away(struct link_server *server)
{
	int sock;

	g_warning("no descriptor left for a seat");
	close(server->spare);
	sock = accept4(server->socket, NULL, NULL, SOCK_CLOEXEC);
	if (sock >= 0)
		close(sock);
	server->spare = fcntl(server->socket, F_DUPFD_CLOEXEC, 0);
}

static gboolean server_accept(gint fd, GIOCondition condition, gpointer data)
{
	int sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (sock >= 0)
		link_server_adopt(data, sock);
	else if (errno == EMFILE || errno == ENFILE)
		server_turn_away(data);
	return G_SOURCE_CONTINUE;
}

/* Nobody answers on it: left behind by a process that was killed. */
static int stale_unlink(const char *path, const struct sockaddr_un *address)
{
	int sock, r = 0;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return -errno;
	if (connect(sock, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	    errno != ECONNREFUSED)
		r = -EADDRINUSE;
	close(sock);
	if (!r && unlink(path) < 0)
		r = -errno;
	return r;
}

static int server_listen(struct link_server *server, const char *path)
{
	struct sockaddr_un address;
	char *folder;
	int r = packet_address(path, &address);

	if (r < 0)
		return r;
	folder = g_path_get_dirname(path);
	r = g_mkdir_with_parents(folder, 0700) < 0 ? -errno : 0;
	g_free(folder);
	if (!r)
		r = stale_unlink(path, &address);
	if (r < 0)
		return r;
	server->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode is set on the socket before it gets its name: there is no moment at which
	 * others could connect. */
	if (server->socket < 0 || fchmod(server->socket, 0600) < 0 ||
	    bind(server->socket, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	server->path = g_strdup(path); /* ours to remove from now on */
	if (chmod(path, 0600) < 0 || listen(server->socket, LINK_SERVER_MAX_SEATS) < 0)
		return -errno;
	server->spare = fcntl(server->socket, F_DUPFD_CLOEXEC, 0);
	if (server->spare < 0)
		return -errno;
	server->accept = g_unix_fd_source_new(server->socket, G_IO_IN);
	g_source_set_callback(server->accept, G_SOURCE_FUNC(server_accept), server, NULL);
	g_source_attach(server->accept, server->context);
	return 0;
}

static gboolean wake_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs wake_funcs = { .dispatch = wake_dispatch };

struct link_server *link_server_new(GMainContext *context, const struct link_server_config *config,
	GError **error)
{
	struct link_server *server = g_new0(struct link_server, 1);
	int r;

	server->port.ops = &link_port_ops;
	server->context = context ? g_main_context_ref(context) : NULL;
	server->name = g_strdup(config->name ? config->name : "");
	if (config->owner)
		server->owner = *config->owner;
	server->owner_data = config->owner_data;
	server->now = config->now;
	server->socket = server->spare = -1;
	g_mutex_init(&server->lock);
	server->posted = g_array_new(FALSE, FALSE, sizeof(struct posted_state));
	server->guest.since_ns = server->now();
	server->wake = g_source_new(&wake_funcs, sizeof(GSource));
	g_source_set_callback(server->wake, server_woken, server, NULL);
	g_source_attach(server->wake, context);
	r = clocks_init(server);
	if (!r && config->path)
		r = server_listen(server, config->path);
	if (r < 0) {
		g_set_error(error, G_FILE_ERROR, r == -EADDRINUSE ? G_FILE_ERROR_AGAIN :
			g_file_error_from_errno(-r), "%s: cannot listen for seats: %s", config->path ? config->path : "seat link",
			r == -EADDRINUSE ? "another process answers there" : g_strerror(-r));
		link_server_free(server);
		return NULL;
	}
	return server;
}

static void source_drop(GSource *source)
{
	if (!source)
		return;
	g_source_destroy(source);
	g_source_unref(source);
}

void link_server_free(struct link_server *server)
{
	if (!server)
		return;
	source_drop(server->accept);
	if (server->socket >= 0)
		close(server->socket);
	if (server->spare >= 0)
		close(server->spare);
	if (server->path)
		unlink(server->path);
	for (unsigned i = 0; i < LINK_SERVER_MAX_SEATS; i++)
		if (server->seat[i])
			seat_free(server->seat[i]);
	source_drop(server->wake);
	clocks_clear(server);
	port_clear(server);
	g_array_free(server->posted, TRUE);
	g_mutex_clear(&server->lock);
	if (server->context)
		g_main_context_unref(server->context);
	g_free(server->path);
	g_free(server->name);
	g_free(server);
}

struct seat_port *link_server_port(struct link_server *server)
{
	return &server->port;
}

void link_server_set_events(struct link_server *server, const struct seat_port_events *events,
	void *device)
{
	server->events = events;
	server->device = device;
}

unsigned link_server_seats(const struct link_server *server)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LINK_SERVER_MAX_SEATS; i++)
		n += server->seat[i] != NULL;
	return n;
}
