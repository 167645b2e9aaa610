/*
 * The seat link's codec. A table says for each opcode who sends it, how large it is, whether a
 * descriptor rides on it, and which function checks its fields.
 */
#include "display/link_codec.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "display/packet.h"

#define SIZE_IS(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type " has padding")
SIZE_IS(link_header, 4);
SIZE_IS(link_hello, 8 + LINK_NAME_LEN);
SIZE_IS(link_welcome, 16 + LINK_NAME_LEN);
SIZE_IS(link_presented, 32);
SIZE_IS(link_resize, 4 + PORT_HEADS * 8);
SIZE_IS(link_input_event, 12);
SIZE_IS(link_audio_consumed, 8);
SIZE_IS(link_request, 12);
SIZE_IS(link_reply, 8);
SIZE_IS(link_save, 4);
SIZE_IS(link_buffer, 16);
SIZE_IS(link_buffer_gone, 4);
SIZE_IS(link_frame, 56);
SIZE_IS(link_cursor, 24);
SIZE_IS(link_leds, 4);
SIZE_IS(link_audio_start, 16);
SIZE_IS(link_audio_stop, 4);
SIZE_IS(link_guest, 16);
SIZE_IS(link_exit_count, 32);
SIZE_IS(link_thread, 8);
SIZE_IS(link_stat, LINK_NAME_LEN + 16 + 5 * 8 + 10 * 8 + LINK_WHY_LEN + 16 + LINK_MAX_EXITS * 32 +
	LINK_MAX_THREADS * 8);
_Static_assert(sizeof(union link_body) == LINK_MAX_BODY, "the largest body is LINK_MAX_BODY");

struct opcode_rule {
	enum link_side from;
	uint16_t min, max; /* bytes of body; max 0: there is no such opcode */
	uint16_t step;     /* the body is a multiple of it; 0: any */
	bool fd;
	bool empty;        /* a body of 0 bytes is right */
	bool (*check)(const union link_body *body, size_t size);
};

static bool text_ends(const char *text, size_t len)
{
	return memchr(text, 0, len) != NULL;
}

/* What guests and their counters are called goes to terminals and into JSON: printable ASCII. */
static bool text_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!text[i])
			return true;
		if (text[i] < 0x20 || text[i] >= 0x7f)
			return false;
	}
	return false;
}

static bool hello_check(const union link_body *body, size_t size)
{
	return text_ends(body->hello.name, sizeof(body->hello.name));
}

static bool presented_check(const union link_body *body, size_t size)
{
	return body->presented.seq && body->presented.vblank_ns >= 0 &&
		body->presented.period_ns >= 0 && body->presented.head < PORT_HEADS;
}

static bool resize_check(const union link_body *body, size_t size)
{
	const struct link_resize *resize = &body->resize;

	if (!resize->n || resize->n > PORT_HEADS)
		return false;
	for (unsigned i = 0; i < PORT_HEADS; i++) {
		const struct port_size *head = &resize->head[i];
		bool there = head->width && head->height;

		if (there != (i < resize->n) || head->width > PORT_MAX_SIDE ||
		    head->height > PORT_MAX_SIDE)
			return false;
	}
	return true;
}

static bool input_check(const union link_body *body, size_t size)
{
	return link_input_valid(body->input, size / sizeof(body->input[0]));
}

static bool consumed_check(const union link_body *body, size_t size)
{
	return body->audio_consumed.stream == 0;
}

static bool welcome_check(const union link_body *body, size_t size)
{
	return text_plain(body->welcome.name, sizeof(body->welcome.name)) &&
		body->welcome.state <= LINK_GUEST_CRASHED;
}

static bool buffer_check(const union link_body *body, size_t size)
{
	const struct link_buffer *buffer = &body->buffer;

	return buffer->id && buffer->width && buffer->width <= PORT_MAX_SIDE && buffer->height &&
		buffer->height <= PORT_MAX_SIDE && buffer->stride / 4 >= buffer->width &&
		buffer->stride <= PORT_MAX_SIDE * 4;
}

static bool frame_check(const union link_body *body, size_t size)
{
	return body->frame.seq && body->frame.head < PORT_HEADS;
}

static bool cursor_check(const union link_body *body, size_t size)
{
	return body->cursor.head < PORT_HEADS;
}

static bool audio_start_check(const union link_body *body, size_t size)
{
	const struct link_audio_start *start = &body->audio_start;

	return start->stream < PORT_MAX_STREAMS && start->rate >= 4000 && start->rate <= 384000 &&
		start->channels && start->channels <= 18 && start->period_bytes;
}

static bool audio_stop_check(const union link_body *body, size_t size)
{
	return body->audio_stop.stream < PORT_MAX_STREAMS;
}

static bool guest_check(const union link_body *body, size_t size)
{
	return body->guest.state <= LINK_GUEST_CRASHED;
}

static bool stat_check(const union link_body *body, size_t size)
{
	const struct link_stat *stat = &body->stat;

	if (!text_plain(stat->name, sizeof(stat->name)) ||
	    !text_plain(stat->waits_for, sizeof(stat->waits_for)) || stat->n_exits > LINK_MAX_EXITS ||
	    stat->n_threads > LINK_MAX_THREADS)
		return false;
	for (unsigned i = 0; i < stat->n_exits; i++)
		if (!text_plain(stat->exits[i].reason, sizeof(stat->exits[i].reason)))
			return false;
	return true;
}

#define FIXED(side, type) .from = side, .min = sizeof(struct type), .max = sizeof(struct type)

/* The guest's opcodes are moved down to GUEST_BASE. */
#define GUEST_BASE 16
static const struct opcode_rule rules[32] = {
	[LINK_HELLO] = { FIXED(LINK_FROM_SEAT, link_hello), .check = hello_check },
	[LINK_PRESENTED] = { FIXED(LINK_FROM_SEAT, link_presented), .check = presented_check },
	[LINK_RESIZE] = { FIXED(LINK_FROM_SEAT, link_resize), .check = resize_check },
	[LINK_INPUT] = { .from = LINK_FROM_SEAT, .min = sizeof(struct link_input_event),
		.max = LINK_MAX_INPUT * sizeof(struct link_input_event),
		.step = sizeof(struct link_input_event), .check = input_check },
	[LINK_AUDIO_CONSUMED] = { FIXED(LINK_FROM_SEAT, link_audio_consumed),
		.check = consumed_check },
	[LINK_AUDIO_CAPTURED] = { .from = LINK_FROM_SEAT, .min = 1, .max = PORT_MAX_PCM },
	[LINK_REQUEST] = { FIXED(LINK_FROM_SEAT, link_request) },
	[LINK_STAT] = { .from = LINK_FROM_SEAT, .empty = true },
	[LINK_SAVE] = { FIXED(LINK_FROM_SEAT, link_save), .fd = true },
	[GUEST_BASE + 1] = { FIXED(LINK_FROM_GUEST, link_welcome), .check = welcome_check },
	[GUEST_BASE + 2] = { FIXED(LINK_FROM_GUEST, link_buffer), .fd = true,
		.check = buffer_check },
	[GUEST_BASE + 3] = { FIXED(LINK_FROM_GUEST, link_buffer_gone) },
	[GUEST_BASE + 4] = { FIXED(LINK_FROM_GUEST, link_frame), .check = frame_check },
	[GUEST_BASE + 5] = { FIXED(LINK_FROM_GUEST, link_cursor), .check = cursor_check },
	[GUEST_BASE + 6] = { FIXED(LINK_FROM_GUEST, link_leds) },
	[GUEST_BASE + 7] = { FIXED(LINK_FROM_GUEST, link_audio_start),
		.check = audio_start_check },
	[GUEST_BASE + 8] = { FIXED(LINK_FROM_GUEST, link_audio_stop), .check = audio_stop_check },
	[GUEST_BASE + 9] = { .from = LINK_FROM_GUEST, .min = 1, .max = PORT_MAX_PCM },
	[GUEST_BASE + 10] = { FIXED(LINK_FROM_GUEST, link_guest), .check = guest_check },
	[GUEST_BASE + 11] = { FIXED(LINK_FROM_GUEST, link_reply) },
	[GUEST_BASE + 12] = { FIXED(LINK_FROM_GUEST, link_stat), .check = stat_check },
};
_Static_assert(LINK_STAT_REPLY - LINK_WELCOME + GUEST_BASE + 1 == GUEST_BASE + 12, "the table");

static const struct opcode_rule *rule_find(uint16_t opcode)
{
	unsigned i = opcode;

	if (opcode & 0x8000)
		i = GUEST_BASE + (opcode & 0x7fff);
	else if (opcode >= GUEST_BASE)
		return NULL;
	if (i >= sizeof(rules) / sizeof(rules[0]) || (!rules[i].max && !rules[i].empty))
		return NULL;
	return &rules[i];
}

static bool rule_allows_size(const struct opcode_rule *rule, size_t size)
{
	return size >= rule->min && size <= rule->max && !(rule->step && size % rule->step);
}

static bool input_key_valid(const struct link_input_event *event)
{
	if (event->value != 0 && event->value != 1)
		return false;
	if (event->device == INPUT_TOUCH)
		return event->code == BTN_TOUCH;
	if (event->device == INPUT_GAMEPAD)
		return port_pad_button(event->code);
	return event->code < KEY_CNT;
}

static bool input_code_valid(const struct link_input_event *event)
{
	bool pointer = event->device == INPUT_TABLET || event->device == INPUT_MOUSE;
	int32_t min, max;

	switch (event->type) {
	case EV_KEY:
		return input_key_valid(event);
	case EV_ABS:
		return port_axis(event->device, event->code, &min, &max) && event->value >= min &&
			event->value <= max;
	case EV_REL:
		if (event->code == REL_X || event->code == REL_Y)
			return event->device == INPUT_MOUSE;
		return pointer && (event->code == REL_WHEEL || event->code == REL_HWHEEL ||
			event->code == REL_WHEEL_HI_RES || event->code == REL_HWHEEL_HI_RES);
	case EV_SYN:
		return event->code == SYN_REPORT && event->value == 0;
	default:
		return false;
	}
}

bool link_input_valid(const struct link_input_event *events, unsigned n)
{
	bool slot = false; /* the report has said whose touches it means */

	if (!n || n > LINK_MAX_INPUT || events[n - 1].type != EV_SYN)
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (events[i].device >= INPUT_DEVICES || events[i].reserved)
			return false;
		if (!input_code_valid(&events[i]))
			return false;
		if (events[i].type != EV_SYN && events[i + 1].device != events[i].device)
			return false;
		slot = events[i].type != EV_SYN && (slot || events[i].code == ABS_MT_SLOT);
		if (events[i].device == INPUT_TOUCH && events[i].type == EV_ABS && !slot)
			return false;
	}
	return true;
}

int link_parse(enum link_side from, const void *packet, size_t len, unsigned n_fds,
	struct link_message *message)
{
	const struct opcode_rule *rule;
	struct link_header header;

	if (len < sizeof(header))
		return -EPROTO;
	memcpy(&header, packet, sizeof(header));
	rule = rule_find(header.opcode);
	if (!rule || rule->from != from || header.size != len - sizeof(header) ||
	    !rule_allows_size(rule, header.size) || n_fds != (rule->fd ? 1 : 0))
		return -EPROTO;
	message->opcode = header.opcode;
	message->size = header.size;
	message->fd = -1;
	memcpy(message->body.bytes, (const uint8_t *)packet + sizeof(header), header.size);
	if (rule->check && !rule->check(&message->body, header.size))
		return -EPROTO;
	return 0;
}

int link_receive(int socket, enum link_side from, struct link_message *message)
{
	/* One byte more than allowed, so that a packet that is too long shows. */
	uint8_t packet[sizeof(struct link_header) + LINK_MAX_BODY + 1];
	unsigned n_fds;
	int fd, r;
	ssize_t len = packet_receive(socket, packet, sizeof(packet), &fd, &n_fds);

	if (len <= 0)
		return (int)len;
	r = link_parse(from, packet, (size_t)len, n_fds, message);
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		return r;
	}
	message->fd = fd;
	return 1;
}

int link_send(int socket, uint16_t opcode, const void *body, size_t size, int fd)
{
	const struct opcode_rule *rule = rule_find(opcode);
	struct link_header header = { .opcode = opcode, .size = (uint16_t)size };
	struct iovec parts[2] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)body, .iov_len = size },
	};

	if (!rule || !rule_allows_size(rule, size) || rule->fd != (fd >= 0))
		return -EINVAL;
	return packet_send(socket, parts, 2, fd);
}
