/*
 * The PS/2 keyboard: its commands, and the way of a key into its queue.
 */
#include <string.h>

#include "vmm/ps2.h"

enum keyboard_commands {
	KEYBOARD_LEDS = 0xed,
	KEYBOARD_ECHO = 0xee,
	KEYBOARD_SET = 0xf0,
	KEYBOARD_ID = 0xf2,
	KEYBOARD_RATE = 0xf3,
	KEYBOARD_ENABLE = 0xf4,
	KEYBOARD_DISABLE = 0xf5,
	KEYBOARD_DEFAULTS = 0xf6,
	KEYBOARD_ALL_MODES = 0xf7, /* to 0xfa: what all keys do in set 3 */
	KEYBOARD_ALL_MODES_END = 0xfa,
	KEYBOARD_KEY_MODE = 0xfb,  /* to 0xfd: what one key does in set 3 */
	KEYBOARD_KEY_MODE_END = 0xfd,
	KEYBOARD_RESEND = 0xfe,
	KEYBOARD_RESET = 0xff,

	RATE_INITIAL = 0x2b, /* 10.9 a second after half a second */
	RATE_UNIT_US = 4167,
	RATE_DELAY_US = 250000,
};

bool ps2_queue_take(struct ps2_queue *queue, uint8_t *byte)
{
	if (!queue->n)
		return false;
	*byte = queue->byte[queue->first];
	queue->first = (queue->first + 1) % PS2_QUEUE;
	queue->n--;
	return true;
}

bool ps2_queue_add(struct ps2_queue *queue, const uint8_t *byte, size_t n)
{
	if (n > (size_t)PS2_QUEUE - queue->n)
		return false;
	for (size_t i = 0; i < n; i++)
		queue->byte[(queue->first + queue->n + i) % PS2_QUEUE] = byte[i];
	queue->n = (uint16_t)(queue->n + n);
	return true;
}

bool ps2_queue_valid(const struct ps2_queue *queue)
{
	return queue->first < PS2_QUEUE && queue->n <= PS2_QUEUE;
}

static bool key_down(const struct ps2_keyboard *keyboard, unsigned code)
{
	return keyboard->down[code / 8] >> (code % 8) & 1;
}

/* What is on the way is forgotten, and with it what the guest could believe to be down. */
static void keys_forget(struct ps2_keyboard *keyboard)
{
	keyboard->keys.n = 0;
	keyboard->held = 0;
	memset(keyboard->down, 0, sizeof(keyboard->down));
}

static void keyboard_defaults(struct ps2_keyboard *keyboard)
{
	keys_forget(keyboard);
	keyboard->set = 2;
	keyboard->rate = RATE_INITIAL;
}

void ps2_keyboard_reset(struct ps2_keyboard *keyboard)
{
	memset(keyboard, 0, sizeof(*keyboard));
	keyboard->set = 2;
	keyboard->rate = RATE_INITIAL;
	keyboard->scanning = true;
}

/* An answer: at most a few bytes at a time, so that only a guest that never reads misses some. */
static void reply(struct ps2_keyboard *keyboard, uint8_t byte)
{
	ps2_queue_add(&keyboard->reply, &byte, 1);
}

static void keyboard_argument(struct ps2_keyboard *keyboard, uint8_t command, uint8_t byte)
{
	if (command == KEYBOARD_SET && byte > 2) {
		reply(keyboard, PS2_AGAIN); /* set 3: there is none */
		return;
	}
	reply(keyboard, PS2_ACK);
	if (command == KEYBOARD_LEDS) {
		keyboard->leds = byte & 7;
	} else if (command == KEYBOARD_RATE) {
		keyboard->rate = byte & 0x7f;
	} else if (command == KEYBOARD_SET && byte == 0) {
		reply(keyboard, keyboard->set);
	} else if (command == KEYBOARD_SET) {
		keys_forget(keyboard);
		keyboard->set = byte;
	}
}

static void keyboard_command(struct ps2_keyboard *keyboard, uint8_t byte)
{
	switch (byte) {
	case KEYBOARD_ECHO:
		reply(keyboard, KEYBOARD_ECHO);
		return;
	case KEYBOARD_RESEND:
		reply(keyboard, keyboard->last);
		return;
	case KEYBOARD_LEDS:
	case KEYBOARD_SET:
	case KEYBOARD_RATE:
	case KEYBOARD_KEY_MODE ... KEYBOARD_KEY_MODE_END:
		keyboard->argument = byte;
		break;
	case KEYBOARD_ENABLE:
		keys_forget(keyboard);
		keyboard->scanning = true;
		break;
	case KEYBOARD_DISABLE:
	case KEYBOARD_DEFAULTS:
		keyboard_defaults(keyboard);
		keyboard->scanning = byte == KEYBOARD_DEFAULTS;
		break;
	case KEYBOARD_RESET:
		ps2_keyboard_reset(keyboard);
		break;
	case KEYBOARD_ID:
	case KEYBOARD_ALL_MODES ... KEYBOARD_ALL_MODES_END:
		break;
	default:
		reply(keyboard, PS2_AGAIN);
		return;
	}
	reply(keyboard, PS2_ACK);
	if (byte == KEYBOARD_ID) {
		reply(keyboard, 0xab);
		reply(keyboard, 0x83);
	} else if (byte == KEYBOARD_RESET) {
		reply(keyboard, PS2_TEST_PASSED);
	}
}

void ps2_keyboard_write(struct ps2_keyboard *keyboard, uint8_t byte)
{
	uint8_t command = keyboard->argument;

	keyboard->argument = 0;
	/* A command where an argument should be is a command. */
	if (command && byte < KEYBOARD_LEDS)
		keyboard_argument(keyboard, command, byte);
	else
		keyboard_command(keyboard, byte);
}

bool ps2_keyboard_take(struct ps2_keyboard *keyboard, uint8_t *byte)
{
	if (!ps2_queue_take(&keyboard->reply, byte) && !ps2_queue_take(&keyboard->keys, byte))
		return false;
	keyboard->last = *byte;
	return true;
}

/* Bytes that the releases of all keys that are down will need. */
static unsigned releases_len(const struct ps2_keyboard *keyboard)
{
	uint8_t byte[PS2_KEY_BYTES];
	unsigned n = 0;

	for (unsigned code = 0; code < PS2_KEYS; code++)
		if (key_down(keyboard, code))
			n += ps2_key_bytes(code, false, keyboard->set, byte);
	return n;
}

void ps2_keyboard_key(struct ps2_keyboard *keyboard, unsigned code, bool down)
{
	uint8_t byte[PS2_KEY_BYTES];
	unsigned n, later;

	if (code >= PS2_KEYS || key_down(keyboard, code) == down || (down && !keyboard->scanning))
		return;
	later = ps2_key_bytes(code, false, keyboard->set, byte);
	n = ps2_key_bytes(code, down, keyboard->set, byte);
	if (down && (!n || keyboard->keys.n + releases_len(keyboard) + n + later > PS2_QUEUE))
		return;
	ps2_queue_add(&keyboard->keys, byte, n);
	if (down)
		keyboard->held = later ? (uint8_t)code : 0;
	else if (code == keyboard->held)
		keyboard->held = 0;
	if (down && later)
		keyboard->down[code / 8] |= (uint8_t)(1u << code % 8);
	else
		keyboard->down[code / 8] &= (uint8_t)~(1u << code % 8);
}

int64_t ps2_keyboard_repeat(struct ps2_keyboard *keyboard, bool first)
{
	uint8_t byte[PS2_KEY_BYTES];
	unsigned rate = keyboard->rate, n;

	if (!keyboard->held || !key_down(keyboard, keyboard->held) || !keyboard->scanning)
		return -1;
	if (first)
		return ((rate >> 5 & 3) + 1) * RATE_DELAY_US;
	n = ps2_key_bytes(keyboard->held, true, keyboard->set, byte);
	if (!keyboard->keys.n && releases_len(keyboard) + n <= PS2_QUEUE)
		ps2_queue_add(&keyboard->keys, byte, n);
	return (8 + (rate & 7)) * (1u << (rate >> 3 & 3)) * RATE_UNIT_US;
}

void ps2_keyboard_release(struct ps2_keyboard *keyboard)
{
	for (unsigned code = 0; code < PS2_KEYS; code++)
		ps2_keyboard_key(keyboard, code, false);
}

bool ps2_keyboard_valid(const struct ps2_keyboard *keyboard)
{
	return ps2_queue_valid(&keyboard->reply) && ps2_queue_valid(&keyboard->keys) &&
		(keyboard->set == 1 || keyboard->set == 2);
}
