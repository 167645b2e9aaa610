/*
 * The seat's end of the control protocol.
 */
#define G_LOG_DOMAIN "irori-seat"

#include "seats/seat/control.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "display/packet.h"

enum { CONTROL_TURN = 64 /* messages before others have their turn */ };

struct control {
	const struct control_events *events;
	void *data;
	char *path;
	int listener, peer; /* -1: none */
	guint listening, watching;
	bool greeted;
	bool seated; /* READY was said, by whomever */
};

bool control_connected(const struct control *control)
{
	return control->peer >= 0 && control->greeted;
}

static void control_end(struct control *control, int why)
{
	bool greeted = control->greeted;

	if (control->peer < 0)
		return;
	g_clear_handle_id(&control->watching, g_source_remove);
	close(control->peer);
	control->peer = -1;
	control->greeted = false;
	if (greeted)
		control->events->ended(control->data, why);
}

static int control_hello(struct control *control, const struct wire_message *message)
{
	const struct wire_welcome welcome = {
		.version = WIRE_VERSION,
		.pid = (int32_t)getpid(),
		.seated = control->seated,
	};
	int r;

	if (message->opcode != WIRE_HELLO || control->greeted ||
		message->body.hello.version != WIRE_VERSION)
		return -EPROTO;
	r = wire_send(control->peer, WIRE_WELCOME, &welcome, sizeof(welcome), -1);
	if (r < 0)
		return r;
	control->greeted = true;
	control->events->begun(control->data, &message->body.hello);
	return 0;
}

/* 1: there may be more; 0: nothing now; or -errno. */
static int control_take(struct control *control)
{
	struct wire_message message;
	int r = wire_receive(control->peer, WIRE_FROM_IRORID, &message);

	if (r <= 0)
		return r;
	if (message.opcode == WIRE_HELLO || !control->greeted)
		r = control_hello(control, &message);
	else
		control->events->message(control->data, &message);
	control->seated |= control->greeted && message.opcode == WIRE_READY;
	if (message.fd >= 0)
		close(message.fd);
	wire_forget(&message, sizeof(message));
	return r < 0 ? r : 1;
}

static gboolean control_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct control *control = data;
	int r = 1;

	for (unsigned i = 0; i < CONTROL_TURN && r > 0; i++)
		r = control_take(control);
	if (r >= 0)
		return G_SOURCE_CONTINUE;
	if (r != -EPIPE)
		g_message("irorid: %s; hung up", g_strerror(-r));
	control->watching = 0;
	control_end(control, r);
	return G_SOURCE_REMOVE;
}

static void control_attach(struct control *control, int peer)
{
	control_end(control, 0);
	control->peer = peer;
	control->watching = g_unix_fd_add(peer, G_IO_IN | G_IO_HUP | G_IO_ERR, control_readable,
		control);
}

static gboolean control_accept(gint fd, GIOCondition condition, gpointer data)
{
	struct control *control = data;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (peer >= 0)
		control_attach(control, peer);
	return G_SOURCE_CONTINUE;
}

static int control_listen(struct control *control, const char *path)
{
	struct sockaddr_un address;
	mode_t mask;
	int r = packet_address(path, &address);

	if (r < 0)
		return r;
	control->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->listener < 0)
		return -errno;
	unlink(path);
	mask = umask(0177);
	r = bind(control->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(control->listener, 4) < 0 ? -errno : 0;
	umask(mask);
	return r;
}

static struct control *control_make(const struct control_events *events, void *data)
{
	struct control *control = g_new0(struct control, 1);

	control->events = events;
	control->data = data;
	control->listener = control->peer = -1;
	return control;
}

struct control *control_new(const char *path, const struct control_events *events, void *data,
	GError **error)
{
	struct control *control = control_make(events, data);
	int r = control_listen(control, path);

	if (r < 0) {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-r), "%s: %s", path,
			g_strerror(-r));
		control_free(control);
		return NULL;
	}
	control->path = g_strdup(path);
	control->listening = g_unix_fd_add(control->listener, G_IO_IN, control_accept, control);
	return control;
}

struct control *control_adopt(int socket, const struct control_events *events, void *data)
{
	struct control *control = control_make(events, data);

	control_attach(control, socket);
	return control;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	g_clear_handle_id(&control->watching, g_source_remove);
	g_clear_handle_id(&control->listening, g_source_remove);
	if (control->peer >= 0)
		close(control->peer);
	if (control->listener >= 0)
		close(control->listener);
	if (control->path)
		unlink(control->path);
	g_free(control->path);
	g_free(control);
}

int control_send(struct control *control, uint16_t opcode, const void *body, size_t size)
{
	if (!control_connected(control))
		return -ENOTCONN;
	return wire_send(control->peer, opcode, body, size, -1);
}
