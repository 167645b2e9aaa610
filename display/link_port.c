/*
 * The seat port as devices see it: what they show and play goes to every seat that is there, and is
 * remembered for those that come later.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "display/link_server_priv.h"

static struct link_server *server_of(struct seat_port *port)
{
	return (struct link_server *)((char *)port - offsetof(struct link_server, port));
}

static struct kept_buffer *buffer_find(struct link_server *server, uint32_t id)
{
	for (unsigned i = 0; i < LINK_MAX_BUFFERS; i++)
		if (server->buffer[i].told.id == id)
			return &server->buffer[i];
	return NULL;
}

static void buffer_send(struct link_server *server, const struct kept_buffer *buffer)
{
	server_broadcast(server, LINK_WANT_DISPLAY, LINK_BUFFER, &buffer->told,
		sizeof(buffer->told), buffer->fd);
}

static int op_buffer(struct seat_port *port, const struct port_buffer *told)
{
	struct link_server *server = server_of(port);
	struct kept_buffer *buffer = buffer_find(server, 0);
	struct stat st;
	int fd;

	if (!told->id || buffer_find(server, told->id) || !told->width || !told->height ||
	    told->width > PORT_MAX_SIDE || told->height > PORT_MAX_SIDE ||
	    told->stride > PORT_MAX_SIDE * 4 || told->stride / 4 < told->width)
		return -EINVAL;
	if (fstat(told->fd, &st) < 0 || st.st_size < (off_t)told->stride * told->height)
		return -EINVAL;
	if (!buffer)
		return -ENOSPC;
	fd = fcntl(told->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	buffer->fd = fd;
	buffer->told = (struct link_buffer) { told->id, told->width, told->height, told->stride };
	buffer_send(server, buffer);
	return 0;
}

static void op_buffer_gone(struct seat_port *port, uint32_t id)
{
	struct link_server *server = server_of(port);
	struct kept_buffer *buffer = id ? buffer_find(server, id) : NULL;
	struct link_buffer_gone gone = { .id = id };

	if (!buffer)
		return;
	for (unsigned i = 0; i < PORT_HEADS; i++) {
		if (server->frame[i].buffer == id)
			server->frame[i].buffer = 0;
		if (server->cursor[i].buffer == id)
			server->cursor[i].buffer = 0;
	}
	close(buffer->fd);
	buffer->told.id = 0;
	server_broadcast(server, LINK_WANT_DISPLAY, LINK_BUFFER_GONE, &gone, sizeof(gone), -1);
}

/* First pictures, of the guest's life and after its reset. */
static void frame_note(struct link_server *server, const struct port_frame *frame, int64_t now)
{
	server->frames++;
	if (!frame->buffer)
		return;
	if (!server->first_frame_ns)
		server->first_frame_ns = now;
	/* A firmware's picture is not the end of a reset; but there are guests that never have a
	 * driver. */
	if (server->guest.state != LINK_GUEST_RESETTING ||
		(frame->boot && now - server->reset_ns < LINK_BOOT_NS))
		return;
	server->reset_frame_ns = now;
	server_enter_state(server, LINK_GUEST_RUNNING, server->guest.reboots, now);
}

/* Who is told of a head. */
static uint32_t head_wants(unsigned head)
{
	return head ? LINK_WANT_HEADS : LINK_WANT_DISPLAY;
}

static void op_frame(struct seat_port *port, const struct port_frame *frame)
{
	struct link_server *server = server_of(port);
	struct link_frame *told = &server->frame[frame->head];

	server_take_posted(server);
	*told = (struct link_frame) {
		.seq = frame->seq,
		.head = frame->head,
		.flush_ns = frame->flush_ns,
		.buffer = frame->buffer && buffer_find(server, frame->buffer) ? frame->buffer : 0,
		.source = frame->source,
		.damage = frame->damage,
	};
	server_broadcast(server, head_wants(frame->head), LINK_FRAME, told, sizeof(*told), -1);
	frame_note(server, frame, server->now());
	clock_frame_sent(&server->clock[frame->head], frame->seq);
}

static void op_cursor(struct seat_port *port, unsigned head, uint32_t buffer, int32_t x, int32_t y,
	uint32_t hot_x, uint32_t hot_y)
{
	struct link_server *server = server_of(port);
	struct link_cursor *told = &server->cursor[head];

	if (buffer && !buffer_find(server, buffer))
		buffer = 0;
	*told = (struct link_cursor) { buffer, x, y, hot_x, hot_y, head };
	server_broadcast(server, head_wants(head), LINK_CURSOR, told, sizeof(*told), -1);
}

static void op_leds(struct seat_port *port, uint32_t leds)
{
	struct link_server *server = server_of(port);
	struct link_leds body = { .leds = leds };

	if (leds == server->leds)
		return;
	server->leds = leds;
	server_broadcast(server, LINK_WANT_INPUT, LINK_LEDS, &body, sizeof(body), -1);
}

/* Which seats care for a stream: all with sound for playback, those with a microphone. */
static uint32_t stream_wants(unsigned stream)
{
	return stream ? LINK_WANT_MIC : LINK_WANT_AUDIO;
}

static void op_audio_start(struct seat_port *port, unsigned stream,
	const struct port_audio_format *format)
{
	struct link_server *server = server_of(port);
	struct link_audio_start start = {
		.stream = stream,
		.rate = format->rate,
		.channels = format->channels,
		.period_bytes = format->period_bytes,
	};

	if (stream >= PORT_MAX_STREAMS || !start.rate || !start.channels || !start.period_bytes)
		return;
	server->audio[stream].format = start;
	audio_clock_start(server, stream);
	server_broadcast(server, stream_wants(stream), LINK_AUDIO_START, &start, sizeof(start), -1);
}

static void op_audio_stop(struct seat_port *port, unsigned stream)
{
	struct link_server *server = server_of(port);
	struct link_audio_stop stop = { .stream = stream };

	if (stream >= PORT_MAX_STREAMS)
		return;
	audio_clock_stop(server, stream);
	server_broadcast(server, stream_wants(stream), LINK_AUDIO_STOP, &stop, sizeof(stop), -1);
}

static void op_audio_write(struct seat_port *port, const void *pcm, size_t bytes)
{
	struct link_server *server = server_of(port);

	if (!bytes || bytes > PORT_MAX_PCM)
		return;
	if (server->audio[0].running)
		server_broadcast(server, LINK_WANT_AUDIO, LINK_AUDIO_DATA, pcm, bytes, -1);
	audio_clock_written(server, bytes);
}

const struct seat_port_ops link_port_ops = {
	.buffer = op_buffer,
	.buffer_gone = op_buffer_gone,
	.frame = op_frame,
	.cursor = op_cursor,
	.leds = op_leds,
	.audio_start = op_audio_start,
	.audio_stop = op_audio_stop,
	.audio_write = op_audio_write,
};

static void replay_picture(struct link_server *server, struct link_seat *seat)
{
	for (unsigned i = 0; i < LINK_MAX_BUFFERS; i++) {
		const struct kept_buffer *buffer = &server->buffer[i];

		if (buffer->told.id)
			seat_send(seat, LINK_BUFFER, &buffer->told, sizeof(buffer->told),
				buffer->fd);
	}
	for (unsigned i = 0; i < PORT_HEADS; i++) {
		const struct link_cursor *cursor = &server->cursor[i];
		struct link_frame frame = server->frame[i];

		if (!(seat->granted & head_wants(i)))
			continue;
		frame.damage = frame.source; /* all of it is new to this seat */
		if (frame.seq)
			seat_send(seat, LINK_FRAME, &frame, sizeof(frame), -1);
		if (cursor->buffer)
			seat_send(seat, LINK_CURSOR, cursor, sizeof(*cursor), -1);
	}
}

void port_replay(struct link_server *server, struct link_seat *seat)
{
	struct link_leds leds = { .leds = server->leds };

	if (seat->granted & LINK_WANT_DISPLAY)
		replay_picture(server, seat);
	if (seat->granted & LINK_WANT_INPUT)
		seat_send(seat, LINK_LEDS, &leds, sizeof(leds), -1);
	for (unsigned i = 0; i < PORT_MAX_STREAMS; i++)
		if (server->audio[i].running && (seat->granted & stream_wants(i)))
			seat_send(seat, LINK_AUDIO_START, &server->audio[i].format,
				sizeof(server->audio[i].format), -1);
}

void port_clear(struct link_server *server)
{
	for (unsigned i = 0; i < LINK_MAX_BUFFERS; i++)
		if (server->buffer[i].told.id)
			close(server->buffer[i].fd);
}
