/*
 * The seat control protocol's codec. A table says for each opcode who sends it, how large it is,
 * whether a descriptor rides on it, where its strings are and which function checks the rest.
 */
#include "seats/wire_codec.h"

#include <errno.h>
#include <glib.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "display/packet.h"

#define SIZE_IS(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type " has padding")
SIZE_IS(wire_header, 4);
SIZE_IS(wire_hello, 8 + WIRE_NAME);
SIZE_IS(wire_lease, WIRE_PATH);
SIZE_IS(wire_input_add, 8 + WIRE_PATH + WIRE_NAME);
SIZE_IS(wire_input_remove, 4);
SIZE_IS(wire_sound, 3 * WIRE_PATH + 8);
SIZE_IS(wire_guest, 8 + 3 * WIRE_NAME);
SIZE_IS(wire_link, 8);
SIZE_IS(wire_guest_gone, 4);
SIZE_IS(wire_show, 4);
SIZE_IS(wire_lock, 4);
SIZE_IS(wire_time, 16 + WIRE_NAME);
SIZE_IS(wire_notice, 8 + WIRE_TEXT);
SIZE_IS(wire_identify, 8 + WIRE_TEXT);
SIZE_IS(wire_answer, 8 + WIRE_TEXT);
SIZE_IS(wire_settings, 16);
SIZE_IS(wire_welcome, 16);
SIZE_IS(wire_request, 8 + WIRE_NAME + WIRE_PIN);
SIZE_IS(wire_state, 6 * 4 + 6 * 8);
_Static_assert(sizeof(union wire_body) == WIRE_MAX_BODY, "the largest body is WIRE_MAX_BODY");

enum text_kind {
	TEXT_NONE,
	TEXT_NAME,   /* household_name_valid */
	TEXT_PATH,   /* printable ASCII */
	TEXT_NODE,   /* the same, from the root */
	TEXT_PEOPLE, /* UTF-8 without control characters */
};

struct text_field {
	enum text_kind kind;
	uint16_t at, size;
};

struct opcode_rule {
	enum wire_side from;
	bool known, fd;
	uint16_t size; /* bytes of body */
	struct text_field text[4];
	bool (*check)(const union wire_body *body);
};

static bool name_valid(const char *text)
{
	if (!*text || *text == '.')
		return false;
	for (; *text; text++)
		if (!g_ascii_isalnum(*text) && !strchr("_-.", *text))
			return false;
	return true;
}

static bool path_valid(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text >= 0x7f)
			return false;
	return true;
}

static bool people_valid(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return g_utf8_validate(text, -1, NULL);
}

/* The field ends with a zero; what is behind it is made zero, so that no byte goes on unseen. */
static bool text_check(const struct text_field *field, union wire_body *body)
{
	char *text = (char *)body->bytes + field->at;
	const char *end = memchr(text, 0, field->size);

	if (!end)
		return false;
	memset(text + (end - text), 0, field->size - (size_t)(end - text));
	switch (field->kind) {
	case TEXT_NAME:
		return name_valid(text);
	case TEXT_PATH:
		return path_valid(text);
	case TEXT_NODE:
		return *text == '/' && path_valid(text);
	case TEXT_PEOPLE:
		return people_valid(text);
	case TEXT_NONE:
		break;
	}
	return true;
}

static bool hello_check(const union wire_body *body)
{
	return body->hello.number && body->hello.number <= WIRE_MAX_NUMBER;
}

static bool input_add_check(const union wire_body *body)
{
	return body->input_add.id && body->input_add.kind &&
		body->input_add.kind < WIRE_INPUT_SWITCH << 1;
}

static bool input_remove_check(const union wire_body *body)
{
	return body->input_remove.id != 0;
}

static bool sound_check(const union wire_body *body)
{
	return body->sound.volume <= WIRE_MAX_VOLUME;
}

static bool guest_check(const union wire_body *body)
{
	return body->guest.id && body->guest.state < WIRE_GUEST_STATES;
}

static bool link_check(const union wire_body *body)
{
	return body->link.guest && body->link.kind < WIRE_LINKS;
}

static bool guest_gone_check(const union wire_body *body)
{
	return body->guest_gone.id != 0;
}

static bool lock_check(const union wire_body *body)
{
	return body->lock.locked <= 1;
}

static bool time_check(const union wire_body *body)
{
	return body->time.left_us >= -1 && body->time.frozen <= 1;
}

static bool notice_check(const union wire_body *body)
{
	return body->notice.kind < WIRE_NOTICES && body->notice.seconds <= WIRE_MAX_SECONDS;
}

static bool identify_check(const union wire_body *body)
{
	return body->identify.on <= 1 && body->identify.seconds <= WIRE_MAX_SECONDS;
}

static bool answer_check(const union wire_body *body)
{
	return body->answer.result <= 0 && body->answer.result >= -4095;
}

static bool settings_check(const union wire_body *body)
{
	const struct wire_settings *settings = &body->settings;

	return settings->number && settings->number <= WIRE_MAX_NUMBER &&
		settings->width <= WIRE_MAX_SIDE && settings->height <= WIRE_MAX_SIDE &&
		!settings->width == !settings->height && !settings->chord[0] == !settings->chord[1];
}

static bool welcome_check(const union wire_body *body)
{
	return body->welcome.pid > 0 && body->welcome.seated <= 1;
}

static bool request_check(const union wire_body *body)
{
	return body->request.verb && body->request.verb < WIRE_VERBS;
}

static bool state_check(const union wire_body *body)
{
	const struct wire_state *state = &body->state;

	return state->flags < WIRE_STATE_SOUND << 1 && state->width <= WIRE_MAX_SIDE &&
		state->height <= WIRE_MAX_SIDE && state->volume <= WIRE_MAX_VOLUME &&
		state->outputs <= WIRE_MAX_NUMBER && state->input_ns >= 0 && state->gap_ns >= 0;
}

#define BODY(side, type) .known = true, .from = side, .size = sizeof(struct type)
#define EMPTY(side) .known = true, .from = side
#define TEXT(kind, type, field)                                                                    \
	{ kind, offsetof(struct type, field), sizeof(((struct type *)NULL)->field) }

/* The seat's opcodes are moved down to SEAT_BASE. */
#define SEAT_BASE 20
static const struct opcode_rule rules[SEAT_BASE + 5] = {
	[WIRE_HELLO] = { BODY(WIRE_FROM_IRORID, wire_hello), .check = hello_check,
		.text = { TEXT(TEXT_NAME, wire_hello, seat) } },
	[WIRE_LEASE] = { BODY(WIRE_FROM_IRORID, wire_lease), .fd = true,
		.text = { TEXT(TEXT_PATH, wire_lease, card) } },
	[WIRE_UNLEASE] = { EMPTY(WIRE_FROM_IRORID) },
	[WIRE_HOTPLUG] = { EMPTY(WIRE_FROM_IRORID) },
	[WIRE_INPUT_ADD] = { BODY(WIRE_FROM_IRORID, wire_input_add), .fd = true,
		.check = input_add_check,
		.text = { TEXT(TEXT_NODE, wire_input_add, path),
			TEXT(TEXT_PEOPLE, wire_input_add, name) } },
	[WIRE_INPUT_REMOVE] = { BODY(WIRE_FROM_IRORID, wire_input_remove),
		.check = input_remove_check },
	[WIRE_SOUND] = { BODY(WIRE_FROM_IRORID, wire_sound), .check = sound_check,
		.text = { TEXT(TEXT_PATH, wire_sound, server), TEXT(TEXT_PATH, wire_sound, sink),
			TEXT(TEXT_PATH, wire_sound, source) } },
	[WIRE_GUEST] = { BODY(WIRE_FROM_IRORID, wire_guest), .check = guest_check,
		.text = { TEXT(TEXT_NAME, wire_guest, name),
			TEXT(TEXT_PEOPLE, wire_guest, title),
			TEXT(TEXT_PEOPLE, wire_guest, person) } },
	[WIRE_GUEST_GONE] = { BODY(WIRE_FROM_IRORID, wire_guest_gone), .check = guest_gone_check },
	[WIRE_SHOW] = { BODY(WIRE_FROM_IRORID, wire_show) },
	[WIRE_LOCK] = { BODY(WIRE_FROM_IRORID, wire_lock), .check = lock_check },
	[WIRE_TIME] = { BODY(WIRE_FROM_IRORID, wire_time), .check = time_check,
		.text = { TEXT(TEXT_PEOPLE, wire_time, person) } },
	[WIRE_NOTICE] = { BODY(WIRE_FROM_IRORID, wire_notice), .check = notice_check,
		.text = { TEXT(TEXT_PEOPLE, wire_notice, text) } },
	[WIRE_IDENTIFY] = { BODY(WIRE_FROM_IRORID, wire_identify), .check = identify_check,
		.text = { TEXT(TEXT_PEOPLE, wire_identify, text) } },
	[WIRE_READY] = { EMPTY(WIRE_FROM_IRORID) },
	[WIRE_ANSWER] = { BODY(WIRE_FROM_IRORID, wire_answer), .check = answer_check,
		.text = { TEXT(TEXT_PEOPLE, wire_answer, text) } },
	[WIRE_SETTINGS] = { BODY(WIRE_FROM_IRORID, wire_settings), .check = settings_check },
	[WIRE_LINK] = { BODY(WIRE_FROM_IRORID, wire_link), .fd = true, .check = link_check },
	[SEAT_BASE + 1] = { BODY(WIRE_FROM_SEAT, wire_welcome), .check = welcome_check },
	[SEAT_BASE + 2] = { BODY(WIRE_FROM_SEAT, wire_request), .check = request_check,
		.text = { TEXT(TEXT_PEOPLE, wire_request, argument),
			TEXT(TEXT_PEOPLE, wire_request, pin) } },
	[SEAT_BASE + 3] = { BODY(WIRE_FROM_SEAT, wire_state), .check = state_check },
	[SEAT_BASE + 4] = { BODY(WIRE_FROM_SEAT, wire_link), .check = link_check },
};
_Static_assert(WIRE_WANT_LINK - WIRE_WELCOME == 3 && WIRE_LINK < SEAT_BASE, "the table");

static const struct opcode_rule *rule_find(uint16_t opcode)
{
	unsigned i = opcode;

	if (opcode & 0x8000)
		i = SEAT_BASE + (opcode & 0x7fff);
	else if (opcode >= SEAT_BASE)
		return NULL;
	return i < G_N_ELEMENTS(rules) && rules[i].known ? &rules[i] : NULL;
}

static bool body_check(const struct opcode_rule *rule, union wire_body *body)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(rule->text); i++)
		if (rule->text[i].kind && !text_check(&rule->text[i], body))
			return false;
	return !rule->check || rule->check(body);
}

int wire_parse(enum wire_side from, const void *packet, size_t len, unsigned n_fds,
	struct wire_message *message)
{
	const struct opcode_rule *rule;
	struct wire_header header;

	if (len < sizeof(header))
		return -EPROTO;
	memcpy(&header, packet, sizeof(header));
	rule = rule_find(header.opcode);
	if (!rule || rule->from != from || header.size != rule->size ||
	    header.size != len - sizeof(header) || n_fds != (rule->fd ? 1 : 0))
		return -EPROTO;
	message->opcode = header.opcode;
	message->size = header.size;
	message->fd = -1;
	memcpy(message->body.bytes, (const uint8_t *)packet + sizeof(header), header.size);
	return body_check(rule, &message->body) ? 0 : -EPROTO;
}

int wire_receive(int socket, enum wire_side from, struct wire_message *message)
{
	/* One byte more than allowed, so that a packet that is too long shows. */
	uint8_t packet[sizeof(struct wire_header) + WIRE_MAX_BODY + 1];
	unsigned n_fds;
	int fd, r;
	ssize_t len = packet_receive(socket, packet, sizeof(packet), &fd, &n_fds);

	r = len <= 0 ? (int)len : wire_parse(from, packet, (size_t)len, n_fds, message);
	wire_forget(packet, sizeof(packet));
	if (len <= 0)
		return r;
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		return r;
	}
	message->fd = fd;
	return 1;
}

int wire_send(int socket, uint16_t opcode, const void *body, size_t size, int fd)
{
	const struct opcode_rule *rule = rule_find(opcode);
	struct wire_header header = { .opcode = opcode, .size = (uint16_t)size };
	union wire_body copy;
	struct iovec parts[2] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = &copy, .iov_len = size },
	};
	int r;

	if (!rule || rule->size != size || rule->fd != (fd >= 0))
		return -EINVAL;
	if (size)
		memcpy(&copy, body, size);
	if (!body_check(rule, &copy))
		return -EINVAL;
	r = packet_send(socket, parts, 2, fd);
	wire_forget(&copy, sizeof(copy));
	return r;
}

void wire_text(char *field, size_t size, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
	size_t len = strlen(valid);

	for (char *p = valid; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	if (len >= size)
		len = (size_t)(g_utf8_find_prev_char(valid, valid + size) - valid);
	memset(field, 0, size);
	memcpy(field, valid, len);
}

void wire_forget(void *secret, size_t size)
{
	explicit_bzero(secret, size);
}
