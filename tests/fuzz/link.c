/*
 * The seat link, both directions: the first byte says whether the input is what a seat sends to a
 * guest or what a guest sends to a seat. The rest is a list of steps.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "display/link_client.h"
#include "display/link_codec.h"
#include "display/link_server.h"
#include "display/packet.h"

struct steps {
	const uint8_t *data;
	size_t left;
};

static uint32_t take(struct steps *steps, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes && steps->left; i++, steps->left--)
		value |= (uint32_t)*steps->data++ << 8 * i;
	return value;
}

static int picture_fd;
static uint64_t ns;

static int64_t fuzz_now(void)
{
	return (int64_t)(ns += 1000);
}

static void picture_make(void)
{
	picture_fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (ftruncate(picture_fd, 64 * 64 * 4) < 0 ||
	    fcntl(picture_fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
		abort();
}

/* A packet with a header that is right more often than chance would have it. */
static void step_send(struct steps *steps, int sock, uint16_t opcode)
{
	uint8_t packet[sizeof(struct link_header) + LINK_MAX_BODY + 16] = { 0 };
	size_t size = take(steps, 1), len;
	struct link_header header = { .opcode = opcode };
	struct iovec part = { .iov_base = packet };

	if (size == 255)
		size = take(steps, 2) % (LINK_MAX_BODY + 16);
	len = size < steps->left ? size : steps->left;
	header.size = (uint16_t)size;
	memcpy(packet, &header, sizeof(header));
	memcpy(packet + sizeof(header), steps->data, len);
	steps->data += len;
	steps->left -= len;
	part.iov_len = sizeof(header) + size;
	packet_send(sock, &part, 1, opcode == LINK_BUFFER ? picture_fd : -1);
}

/* What a guest sends to a seat. */

static void touch(void *data, const struct link_frame *frame, const struct link_picture *picture)
{
	static volatile uint8_t sum;

	if (!picture)
		return;
	if (!frame->source.width || !frame->source.height)
		__builtin_trap(); /* promised */
	sum += picture->pixels[frame->source.y * picture->stride + frame->source.x * 4];
	sum += picture->pixels[(frame->source.y + frame->source.height - 1) * picture->stride +
		(frame->source.x + frame->source.width) * 4 - 1];
}

static void touch_cursor(void *data, const struct link_cursor *cursor,
	const struct link_picture *picture)
{
	static volatile uint8_t sum;

	if (picture)
		sum += picture->pixels[picture->height * picture->stride - 1];
}

static void client_run(struct steps *steps)
{
	static const struct link_client_events events = { .frame = touch, .cursor = touch_cursor };
	struct link_welcome welcome = { .version = LINK_VERSION };
	struct link_client *client;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	client = link_client_join(pair[0], 0xff, "fuzz", &events, NULL, NULL);
	if (take(steps, 1) & 1)
		link_send(pair[1], LINK_WELCOME, &welcome, sizeof(welcome), -1);
	for (unsigned i = 0; i < 64 && client && steps->left; i++) {
		step_send(steps, pair[1], (uint16_t)(LINK_WELCOME + take(steps, 1) % 14));
		if (link_client_dispatch(client) < 0)
			break;
	}
	link_client_free(client);
	close(pair[1]);
}

/* What seats send to a guest. */

struct guest_side {
	GMainContext *context;
	struct link_server *server;
	struct seat_port *port;
	uint64_t seq[PORT_HEADS], presented[PORT_HEADS];
	size_t written, consumed;
	int sock[4];
};

static void on_presented(void *data, unsigned head, uint64_t seq, int64_t vblank_ns,
	int64_t period_ns)
{
	struct guest_side *guest = data;

	if (seq != ++guest->presented[head] || seq > guest->seq[head])
		abort();
}

static void on_resized(void *data, const struct port_size *heads, unsigned n)
{
	if (!n || n > PORT_HEADS)
		abort();
	for (unsigned i = 0; i < n; i++)
		if (!heads[i].width || !heads[i].height)
			abort();
}

static void on_input(void *data, const struct port_input *events, unsigned n)
{
	if (!n || events[n - 1].type != 0)
		abort();
	for (unsigned i = 0; i < n; i++)
		if (events[i].device >= INPUT_DEVICES)
			abort();
}

static void on_consumed(void *data, unsigned stream, size_t bytes)
{
	struct guest_side *guest = data;

	guest->consumed += bytes;
	if (guest->consumed > guest->written)
		abort();
}

static void on_captured(void *data, const void *pcm, size_t bytes)
{
	if (!bytes || bytes > PORT_MAX_PCM)
		abort();
}

static const struct seat_port_events device_events = {
	.presented = on_presented, .resized = on_resized, .input = on_input, .audio_consumed = on_consumed,
	.audio_captured = on_captured,
};

static void pump(struct guest_side *guest)
{
	for (unsigned i = 0; i < 8 && g_main_context_iteration(guest->context, FALSE); i++)
		;
}

static void seat_join(struct guest_side *guest, struct steps *steps, int *sock)
{
	struct link_hello hello = { LINK_VERSION, take(steps, 1), "fuzz" };
	int pair[2];

	if (*sock >= 0) {
		close(*sock);
		*sock = -1;
		return;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	link_server_adopt(guest->server, pair[0]);
	*sock = pair[1];
	if (hello.wants != 0xff)
		link_send(*sock, LINK_HELLO, &hello, sizeof(hello), -1);
}

static void device_acts(struct guest_side *guest, unsigned what)
{
	struct port_buffer buffer = { what % 8 + 1, picture_fd, 64, 64, 256 };
	unsigned head = what / 64;
	struct port_frame frame = { .head = head, .buffer = what % 8 + 1, .source = { 0, 0, 64, 64 } };
	struct port_audio_format format = { 48000, 2, 4 + what * 4 };
	static const uint8_t pcm[1024];

	switch (what / 8 % 8) {
	case 0:
		guest->port->ops->buffer(guest->port, &buffer);
		break;
	case 1:
		guest->port->ops->buffer_gone(guest->port, what % 8 + 1);
		break;
	case 2:
		frame.seq = ++guest->seq[head];
		guest->port->ops->frame(guest->port, &frame);
		break;
	case 3:
		guest->port->ops->cursor(guest->port, head, what % 8, 0, 0, 0, 0);
		guest->port->ops->leds(guest->port, what);
		break;
	case 4:
		guest->port->ops->audio_start(guest->port, what % 3, &format);
		break;
	case 5:
		guest->port->ops->audio_stop(guest->port, what % 3);
		break;
	case 6:
		guest->written += sizeof(pcm);
		guest->port->ops->audio_write(guest->port, pcm, sizeof(pcm));
		break;
	default:
		link_server_set_state(guest->server, what % 5, what);
		break;
	}
}

static bool class_lent;

static int on_request(void *data, enum link_verb verb, uint32_t argument)
{
	if (verb != LINK_VERB_CLASS)
		return 0;
	if (argument > 3)
		return -EINVAL;
	class_lent = true;
	return argument == 3 ? -EPERM : 0;
}

static void on_class_over(void *data)
{
	class_lent = false;
}

static void server_run(struct steps *steps)
{
	static const struct link_server_owner owner = {
		.request = on_request, .class_over = on_class_over,
	};
	struct guest_side guest = { .sock = { -1, -1, -1, -1 } };
	struct link_server_config config = { .name = "fuzz", .owner = &owner, .now = fuzz_now };

	class_lent = false;
	guest.context = g_main_context_new();
	guest.server = link_server_new(guest.context, &config, NULL);
	guest.port = link_server_port(guest.server);
	link_server_set_events(guest.server, &device_events, &guest);
	seat_join(&guest, steps, &guest.sock[0]);
	pump(&guest);
	for (unsigned i = 0; i < 64 && steps->left; i++) {
		unsigned step = take(steps, 1);
		int *sock = &guest.sock[step / 8 % 4];

		if (step % 8 == 0)
			seat_join(&guest, steps, sock);
		else if (step % 8 < 4)
			device_acts(&guest, take(steps, 1));
		else if (*sock >= 0)
			step_send(steps, *sock, (uint16_t)take(steps, 1) % 10);
		pump(&guest);
	}
	for (unsigned i = 0; i < 4; i++)
		if (guest.sock[i] >= 0)
			close(guest.sock[i]);
	pump(&guest);
	if (class_lent && !link_server_seats(guest.server))
		__builtin_trap(); /* nobody is left who gave it */
	link_server_free(guest.server);
	g_main_context_unref(guest.context);
}

static GLogWriterOutput no_log(GLogLevelFlags level, const GLogField *fields, gsize n,
	gpointer data)
{
	return G_LOG_WRITER_HANDLED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct steps steps = { data, size };

	if (!picture_fd) {
		picture_make();
		g_log_set_writer_func(no_log, NULL, NULL);
	}
	if (take(&steps, 1) & 1)
		client_run(&steps);
	else
		server_run(&steps);
	return 0;
}
