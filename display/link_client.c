/*
 * The seat's end of the seat link: a socket, a table of mapped buffers, the newest frame. What the
 * guest sends is checked as if it were hostile: a seat may sit at guests it does not trust.
 */
#include "display/link_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "display/link_codec.h"
#include "display/packet.h"

/* At a time, so that a guest that floods cannot keep its seat's loop from anything else. */
#define DISPATCH_MAX 256

struct mapped {
	struct link_picture picture; /* id 0: free */
	size_t len;
};

struct link_client {
	int socket;
	const struct link_client_events *events;
	void *data;
	int over; /* 0, or why it is */
	bool heads; /* it asked for all of them: else another than the first is nonsense */
	bool welcomed;
	uint32_t granted;
	char guest_name[LINK_NAME_LEN];
	struct link_guest guest;
	struct link_frame frame[PORT_HEADS]; /* seq 0: none yet */
	struct mapped buffer[LINK_MAX_BUFFERS];
	struct link_message message;
};

static const struct link_client_events no_events;

#define TELL(client, event, ...)                                                                   \
	do {                                                                                       \
		if ((client)->events->event)                                                       \
			(client)->events->event((client)->data, __VA_ARGS__);                      \
	} while (0)

static struct mapped *buffer_find(const struct link_client *client, uint32_t id)
{
	for (unsigned i = 0; i < LINK_MAX_BUFFERS; i++)
		if (client->buffer[i].picture.id == id)
			return (struct mapped *)&client->buffer[i];
	return NULL;
}

static void buffer_drop(struct link_client *client, struct mapped *buffer)
{
	TELL(client, buffer_gone, &buffer->picture);
	for (unsigned i = 0; i < PORT_HEADS; i++)
		if (client->frame[i].buffer == buffer->picture.id)
			client->frame[i].buffer = 0;
	munmap((void *)buffer->picture.pixels, buffer->len);
	*buffer = (struct mapped) { 0 };
}

/* A memfd that could shrink would kill its reader with SIGBUS. */
static int buffer_map(const struct link_buffer *told, int fd, struct mapped *buffer)
{
	size_t len = (size_t)told->stride * told->height;
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *pixels;

	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &st) < 0 || st.st_size < 0 ||
	    (uint64_t)st.st_size < len)
		return -EPROTO;
	pixels = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	if (pixels == MAP_FAILED)
		return -errno;
	*buffer = (struct mapped) {
		.picture = { told->id, told->width, told->height, told->stride, pixels },
		.len = len,
	};
	return 0;
}

static bool rect_within(const struct rect *rect, const struct link_picture *picture)
{
	return rect->x <= picture->width && rect->width <= picture->width - rect->x &&
		rect->y <= picture->height && rect->height <= picture->height - rect->y;
}

static int handle_welcome(struct link_client *client, const struct link_message *m)
{
	const struct link_welcome *welcome = &m->body.welcome;

	if (welcome->version != LINK_VERSION || client->welcomed)
		return -EPROTO;
	client->welcomed = true;
	client->granted = welcome->granted;
	memcpy(client->guest_name, welcome->name, sizeof(client->guest_name));
	client->guest.state = welcome->state;
	client->guest.reboots = welcome->reboots;
	TELL(client, welcome, welcome);
	return 0;
}

static int handle_buffer(struct link_client *client, const struct link_message *m)
{
	struct mapped *buffer = buffer_find(client, 0);
	int r;

	if (!buffer || buffer_find(client, m->body.buffer.id))
		return -EPROTO;
	r = buffer_map(&m->body.buffer, m->fd, buffer);
	if (r < 0)
		return r;
	TELL(client, buffer, &buffer->picture);
	return 0;
}

static int handle_buffer_gone(struct link_client *client, const struct link_message *m)
{
	struct mapped *buffer = m->body.buffer_gone.id ?
		buffer_find(client, m->body.buffer_gone.id) : NULL;

	if (buffer)
		buffer_drop(client, buffer);
	return 0;
}

static int handle_frame(struct link_client *client, const struct link_message *m)
{
	const struct link_frame *frame = &m->body.frame;
	const struct mapped *buffer = NULL;

	if (frame->head && !client->heads)
		return -EPROTO;
	if (frame->buffer) {
		buffer = buffer_find(client, frame->buffer);
		if (!buffer || !frame->source.width || !frame->source.height ||
		    !rect_within(&frame->source, &buffer->picture) ||
		    !rect_within(&frame->damage, &buffer->picture))
			return -EPROTO;
	}
	client->frame[frame->head] = *frame;
	TELL(client, frame, frame, buffer ? &buffer->picture : NULL);
	return 0;
}

static int handle_cursor(struct link_client *client, const struct link_message *m)
{
	const struct link_cursor *cursor = &m->body.cursor;
	const struct mapped *buffer = cursor->buffer ? buffer_find(client, cursor->buffer) : NULL;

	if ((cursor->head && !client->heads) || (cursor->buffer && !buffer))
		return -EPROTO;
	TELL(client, cursor, cursor, buffer ? &buffer->picture : NULL);
	return 0;
}

static int handle_leds(struct link_client *client, const struct link_message *m)
{
	TELL(client, leds, m->body.leds.leds);
	return 0;
}

static int handle_audio_start(struct link_client *client, const struct link_message *m)
{
	TELL(client, audio_start, &m->body.audio_start);
	return 0;
}

static int handle_audio_stop(struct link_client *client, const struct link_message *m)
{
	TELL(client, audio_stop, m->body.audio_stop.stream);
	return 0;
}

static int handle_audio_data(struct link_client *client, const struct link_message *m)
{
	TELL(client, audio_data, m->body.pcm, m->size);
	return 0;
}

static int handle_guest(struct link_client *client, const struct link_message *m)
{
	client->guest = m->body.guest;
	TELL(client, guest, &m->body.guest);
	return 0;
}

static int handle_reply(struct link_client *client, const struct link_message *m)
{
	TELL(client, reply, &m->body.reply);
	return 0;
}

static int handle_stat(struct link_client *client, const struct link_message *m)
{
	TELL(client, stat, &m->body.stat);
	return 0;
}

/* By opcode without its top bit; link_receive lets no other opcode of the guest's through. */
static int (*const handlers[])(struct link_client *, const struct link_message *) = {
	[LINK_WELCOME & 0xff] = handle_welcome,
	[LINK_BUFFER & 0xff] = handle_buffer,
	[LINK_BUFFER_GONE & 0xff] = handle_buffer_gone,
	[LINK_FRAME & 0xff] = handle_frame,
	[LINK_CURSOR & 0xff] = handle_cursor,
	[LINK_LEDS & 0xff] = handle_leds,
	[LINK_AUDIO_START & 0xff] = handle_audio_start,
	[LINK_AUDIO_STOP & 0xff] = handle_audio_stop,
	[LINK_AUDIO_DATA & 0xff] = handle_audio_data,
	[LINK_GUEST & 0xff] = handle_guest,
	[LINK_REPLY & 0xff] = handle_reply,
	[LINK_STAT_REPLY & 0xff] = handle_stat,
};

static int handle(struct link_client *client)
{
	const struct link_message *m = &client->message;
	int r = -EPROTO;

	if (client->welcomed || m->opcode == LINK_WELCOME)
		r = handlers[m->opcode & 0xff](client, m);
	if (m->fd >= 0)
		close(m->fd);
	return r < 0 ? -EPROTO : 0;
}

int link_client_dispatch(struct link_client *client)
{
	int n;

	if (client->over)
		return client->over;
	for (n = 0; n < DISPATCH_MAX; n++) {
		int r = link_receive(client->socket, LINK_FROM_GUEST, &client->message);

		if (r == 0)
			break;
		if (r > 0)
			r = handle(client);
		if (r < 0) {
			client->over = r;
			return n ? n : r; /* what came before it first */
		}
	}
	return n;
}

int link_client_wait(struct link_client *client, int timeout_ms)
{
	struct pollfd pollfd = { .fd = client->socket, .events = POLLIN };

	if (client->over)
		return client->over;
	if (poll(&pollfd, 1, timeout_ms) <= 0)
		return 0; /* also on a signal: the caller has its own clock */
	return link_client_dispatch(client);
}

int link_client_greet(int socket, uint32_t wants, const char *name)
{
	struct link_hello hello = { .version = LINK_VERSION, .wants = wants };

	g_strlcpy(hello.name, name, sizeof(hello.name));
	return link_send(socket, LINK_HELLO, &hello, sizeof(hello), -1);
}

struct link_client *link_client_adopt(int socket, uint32_t wants,
	const struct link_client_events *events, void *data)
{
	struct link_client *client = g_new0(struct link_client, 1);

	client->socket = socket;
	client->events = events ? events : &no_events;
	client->data = data;
	client->heads = wants & LINK_WANT_HEADS;
	return client;
}

struct link_client *link_client_join(int socket, uint32_t wants, const char *name,
	const struct link_client_events *events, void *data, GError **error)
{
	int r = link_client_greet(socket, wants, name);

	if (r == 0)
		return link_client_adopt(socket, wants, events, data);
	close(socket);
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-r), "the guest hung up: %s",
		g_strerror(-r));
	return NULL;
}

struct link_client *link_client_connect(const char *path, uint32_t wants, const char *name,
	const struct link_client_events *events, void *data, GError **error)
{
	int sock = packet_connect(path);

	if (sock >= 0)
		return link_client_join(sock, wants, name, events, data, error);
	if (sock == -ENAMETOOLONG)
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NAMETOOLONG,
			"%s: not a path for a socket (at most %zu bytes)", path,
			sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
	else
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-sock),
			"%s: no guest answers: %s", path, g_strerror(-sock));
	return NULL;
}

void link_client_free(struct link_client *client)
{
	if (!client)
		return;
	for (unsigned i = 0; i < LINK_MAX_BUFFERS; i++)
		if (client->buffer[i].picture.id)
			munmap((void *)client->buffer[i].picture.pixels, client->buffer[i].len);
	packet_hang_up(client->socket);
	g_free(client);
}

int link_client_fd(const struct link_client *client)
{
	return client->socket;
}

uint32_t link_client_granted(const struct link_client *client)
{
	return client->granted;
}

const char *link_client_guest_name(const struct link_client *client)
{
	return client->guest_name;
}

const struct link_guest *link_client_guest(const struct link_client *client)
{
	return &client->guest;
}

const struct link_picture *link_client_picture(const struct link_client *client, uint32_t id)
{
	const struct mapped *buffer = id ? buffer_find(client, id) : NULL;

	return buffer ? &buffer->picture : NULL;
}

const struct link_frame *link_client_frame(const struct link_client *client, unsigned head,
	const struct link_picture **picture)
{
	const struct link_frame *frame = &client->frame[head];

	if (picture)
		*picture = link_client_picture(client, frame->buffer);
	return frame->seq ? frame : NULL;
}

int link_client_presented(struct link_client *client, unsigned head, uint64_t seq,
	int64_t vblank_ns, int64_t period_ns)
{
	struct link_presented body = { seq, vblank_ns, period_ns, head, 0 };

	return link_send(client->socket, LINK_PRESENTED, &body, sizeof(body), -1);
}

int link_client_resize(struct link_client *client, uint32_t width, uint32_t height)
{
	struct port_size size = { width, height };

	return link_client_monitors(client, &size, 1);
}

int link_client_monitors(struct link_client *client, const struct port_size *heads, unsigned n)
{
	struct link_resize body = { .n = n };

	if (!n || n > PORT_HEADS)
		return -EINVAL;
	memcpy(body.head, heads, n * sizeof(*heads));
	return link_send(client->socket, LINK_RESIZE, &body, sizeof(body), -1);
}

int link_client_input(struct link_client *client, const struct port_input *events, unsigned n)
{
	struct link_input_event body[LINK_MAX_INPUT];

	if (!n || n > LINK_MAX_INPUT)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++)
		body[i] = (struct link_input_event) {
			.device = events[i].device,
			.type = events[i].type,
			.code = events[i].code,
			.value = events[i].value,
		};
	if (!link_input_valid(body, n))
		return -EINVAL;
	return link_send(client->socket, LINK_INPUT, body, n * sizeof(body[0]), -1);
}

int link_client_audio_consumed(struct link_client *client, unsigned stream, uint32_t bytes)
{
	struct link_audio_consumed body = { stream, bytes };

	return link_send(client->socket, LINK_AUDIO_CONSUMED, &body, sizeof(body), -1);
}

int link_client_audio_captured(struct link_client *client, const void *pcm, size_t bytes)
{
	return link_send(client->socket, LINK_AUDIO_CAPTURED, pcm, bytes, -1);
}

int link_client_request(struct link_client *client, enum link_verb verb, uint32_t argument,
	uint32_t cookie)
{
	struct link_request body = { verb, argument, cookie };

	return link_send(client->socket, LINK_REQUEST, &body, sizeof(body), -1);
}

int link_client_stat(struct link_client *client)
{
	return link_send(client->socket, LINK_STAT, NULL, 0, -1);
}

int link_client_save(struct link_client *client, int fd, uint32_t cookie)
{
	struct link_save body = { cookie };

	return link_send(client->socket, LINK_SAVE, &body, sizeof(body), fd);
}
