/*
 * The PS/2 keyboard and mouse: codes of keys, what a full queue does, commands.
 */
#include <linux/input-event-codes.h>
#include <string.h>

#include "input/keymap.h"
#include "tests/unit/test.h"
#include "vmm/ps2.h"

static struct ps2_keyboard keyboard;
static struct ps2_mouse mouse;

static unsigned drain(uint8_t *byte, unsigned room)
{
	unsigned n = 0;

	while (n < room && ps2_keyboard_take(&keyboard, &byte[n]))
		n++;
	return n;
}

/* What a key sends, as a number: 0xe0f07c for E0 F0 7C. */
static uint64_t sent(unsigned code, bool down)
{
	uint8_t byte[PS2_KEY_BYTES];
	uint64_t value = 0;
	unsigned n;

	ps2_keyboard_key(&keyboard, code, down);
	n = drain(byte, sizeof(byte));
	for (unsigned i = 0; i < n; i++)
		value = value << 8 | byte[i];
	return value;
}

static void known_keys(void)
{
	static const struct {
		unsigned code;
		uint64_t down, up;
	} keys[] = {
		{ KEY_A, 0x1c, 0xf01c }, { KEY_ESC, 0x76, 0xf076 }, { KEY_F7, 0x83, 0xf083 },
		{ KEY_F12, 0x07, 0xf007 }, { KEY_ENTER, 0x5a, 0xf05a },
		{ KEY_KPENTER, 0xe05a, 0xe0f05a }, { KEY_UP, 0xe075, 0xe0f075 },
		{ KEY_RIGHTALT, 0xe011, 0xe0f011 }, { KEY_LEFTMETA, 0xe01f, 0xe0f01f },
		{ KEY_SYSRQ, 0xe012e07c, 0xe0f07ce0f012 }, { KEY_PAUSE, 0xe11477e1f014f077, 0 },
		{ KEY_102ND, 0x61, 0xf061 }, { KEY_VOLUMEUP, 0xe032, 0xe0f032 },
		{ KEY_NUMLOCK, 0x77, 0xf077 }, { KEY_KPASTERISK, 0x7c, 0xf07c },
	};

	ps2_keyboard_reset(&keyboard);
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		test_equal(sent(keys[i].code, true), keys[i].down);
		test_equal(sent(keys[i].code, false), keys[i].up);
	}
}

static unsigned repeated(void)
{
	uint8_t byte[PS2_KEY_BYTES];
	unsigned value = 0, n = drain(byte, sizeof(byte));

	for (unsigned i = 0; i < n; i++)
		value = value << 8 | byte[i];
	return value;
}

static void held_keys_repeat(void)
{
	ps2_keyboard_reset(&keyboard);
	test_equal(ps2_keyboard_repeat(&keyboard, true), -1);
	sent(KEY_A, true);
	test_equal(ps2_keyboard_repeat(&keyboard, true), 500000);
	test_equal(repeated(), 0);
	test_equal(ps2_keyboard_repeat(&keyboard, false) / 1000, 91);
	test_equal(ps2_keyboard_repeat(&keyboard, false) / 1000, 91); /* one is enough */
	test_equal(repeated(), 0x1c);
	sent(KEY_UP, true); /* the last one counts */
	test_assert(ps2_keyboard_repeat(&keyboard, false) > 0);
	test_equal(repeated(), 0xe075);
	ps2_keyboard_write(&keyboard, 0xf3);
	ps2_keyboard_write(&keyboard, 0x00); /* as fast as it can be */
	test_equal(repeated(), 0xfafa);
	test_equal(ps2_keyboard_repeat(&keyboard, true), 250000);
	test_equal(ps2_keyboard_repeat(&keyboard, false) / 1000, 33);
	sent(KEY_A, false);
	test_assert(ps2_keyboard_repeat(&keyboard, false) > 0);
	sent(KEY_UP, false);
	test_equal(ps2_keyboard_repeat(&keyboard, false), -1);
	sent(KEY_PAUSE, true); /* goes up by itself */
	test_equal(ps2_keyboard_repeat(&keyboard, false), -1);
	sent(KEY_A, true);
	ps2_keyboard_write(&keyboard, 0xf5);
	test_equal(repeated(), 0xfa);
	test_equal(ps2_keyboard_repeat(&keyboard, false), -1);
	test_equal(repeated(), 0);
}

/* A saved keyboard that holds any key, and any number of them, repeats within its queue. */
static void repeats_fit(void)
{
	for (unsigned code = 0; code < PS2_KEYS; code++) {
		ps2_keyboard_reset(&keyboard);
		memset(keyboard.down, 0xff, sizeof(keyboard.down));
		keyboard.held = (uint8_t)code;
		keyboard.rate = (uint8_t)code;
		test_assert(code == 0 || ps2_keyboard_repeat(&keyboard, false) > 0);
		test_assert(ps2_queue_valid(&keyboard.keys));
	}
}

/* Every key that has codes comes back as itself when its bytes are read as set 1. */
static void every_key_is_itself(void)
{
	unsigned known = 0;

	for (unsigned code = 1; code < PS2_KEYS; code++) {
		for (unsigned set = 1; set <= 2; set++) {
			uint8_t byte[PS2_KEY_BYTES];
			unsigned n = ps2_key_bytes(code, true, set, byte);
			struct keymap_at at = { 0 };
			uint16_t found = 0;
			bool down = false;

			test_assert(n <= PS2_KEY_BYTES);
			for (unsigned i = 0; i < n; i++) {
				uint8_t one = set == 2 ? ps2_translate(byte[i]) : byte[i];

				if (set == 2 && code == KEY_PAUSE)
					break; /* it has prefixes in its middle; the controller's test */
				keymap_at_byte(&at, one, &found, &down);
			}
			if (!found)
				continue;
			known++;
			/* The one code that two keys share. */
			test_assert(found == code || (code == KEY_F24 && found == KEY_ZENKAKUHANKAKU) ||
				(code == KEY_ZENKAKUHANKAKU && found == KEY_F24));
			test_assert(down || code == KEY_PAUSE);
		}
	}
	test_assert(known > 2 * 105);
}

/* However many keys go down while nobody reads, each that was told to be down is told to be up. */
static void releases_always_fit(void)
{
	uint8_t byte[PS2_QUEUE];
	unsigned n, makes = 0, breaks = 0;

	ps2_keyboard_reset(&keyboard);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned code = 1; code < 127; code++)
			ps2_keyboard_key(&keyboard, code, true);
		for (unsigned code = 1; code < 127; code += round % 3 + 1)
			ps2_keyboard_key(&keyboard, code, false);
		if (round % 4 == 3) {
			ps2_keyboard_release(&keyboard);
			for (unsigned i = 0; i < sizeof(keyboard.down); i++)
				test_equal(keyboard.down[i], 0);
			n = drain(byte, sizeof(byte));
			makes = breaks = 0;
			for (unsigned i = 0; i < n; i++) {
				if (byte[i] == 0xf0)
					breaks++;
				else if (byte[i] != 0xe0)
					makes++;
			}
			test_assert(makes >= 2 * breaks); /* each break's code counts as well */
		}
	}
}

static void said(uint8_t command, const char *answer, size_t n)
{
	uint8_t byte[16];

	ps2_keyboard_write(&keyboard, command);
	test_equal(drain(byte, sizeof(byte)), n);
	test_assert(!memcmp(byte, answer, n));
}

static void keyboard_commands(void)
{
	ps2_keyboard_reset(&keyboard);
	said(0xff, "\xfa\xaa", 2);
	said(0xf2, "\xfa\xab\x83", 3);
	said(0xee, "\xee", 1);
	said(0xfe, "\xee", 1); /* the last once more */
	said(0xed, "\xfa", 1);
	said(0x04, "\xfa", 1);
	test_equal(keyboard.leds, 4);
	said(0xf0, "\xfa", 1);
	said(0x00, "\xfa\x02", 2);
	said(0xf0, "\xfa", 1);
	said(0x01, "\xfa", 1);
	test_equal(sent(KEY_A, true), 0x1e);
	test_equal(sent(KEY_A, false), 0x9e);
	said(0xf0, "\xfa", 1);
	said(0x03, "\xfe", 1);
	said(0xf3, "\xfa", 1);
	said(0xf4, "\xfa", 1); /* a command instead of the rate */
	said(0x55, "\xfe", 1);
	said(0xf5, "\xfa", 1);
	test_equal(sent(KEY_A, true), 0);
	said(0xf4, "\xfa", 1);
	test_equal(sent(KEY_A, true), 0x1c);
	test_equal(sent(KEY_A, true), 0); /* is down already */
}

/* A guest that only writes. */
static void answers_are_bounded(void)
{
	for (unsigned i = 0; i < 100000; i++) {
		ps2_keyboard_write(&keyboard, (uint8_t)(i * 7));
		ps2_mouse_write(&mouse, (uint8_t)(i * 7));
		ps2_mouse_move(&mouse, INT32_MAX, INT32_MIN, INT32_MIN);
		ps2_mouse_report(&mouse);
	}
	test_assert(ps2_keyboard_valid(&keyboard));
	test_assert(ps2_mouse_valid(&mouse));
}

static unsigned mouse_drain(uint8_t *byte, unsigned room)
{
	unsigned n = 0;

	while (n < room && ps2_mouse_take(&mouse, &byte[n]))
		n++;
	return n;
}

static void mouse_said(const char *commands, const char *answer, size_t n)
{
	uint8_t byte[64];

	for (const char *c = commands; *c; c++)
		ps2_mouse_write(&mouse, (uint8_t)*c);
	test_equal(mouse_drain(byte, sizeof(byte)), n);
	test_assert(!memcmp(byte, answer, n));
}

static void mouse_grows_a_wheel(void)
{
	ps2_mouse_reset(&mouse);
	mouse_said("\xff", "\xfa\xaa\x00", 3);
	mouse_said("\xf2", "\xfa\x00", 2);
	mouse_said("\xf3\xc8\xf3\x64\xf3\x50", "\xfa\xfa\xfa\xfa\xfa\xfa", 6);
	mouse_said("\xf2", "\xfa\x03", 2);
	mouse_said("\xf3\xc8\xf3\xc8\xf3\x50", "\xfa\xfa\xfa\xfa\xfa\xfa", 6);
	mouse_said("\xf2", "\xfa\x04", 2);
	mouse_said("\xe8\x01\xe9", "\xfa\xfa\xfa\x00\x01\x50", 6);
	mouse_said("\xe1", "\xfe", 1);
}

static void mouse_packets(void)
{
	uint8_t byte[64];

	ps2_mouse_reset(&mouse);
	ps2_mouse_move(&mouse, 5, 5, 0);
	ps2_mouse_report(&mouse);
	test_equal(mouse_drain(byte, sizeof(byte)), 0); /* not asked to report */
	mouse_said("\xf4", "\xfa", 1);
	ps2_mouse_move(&mouse, 3, -4, 0);
	ps2_mouse_button(&mouse, 0, true);
	ps2_mouse_report(&mouse);
	test_equal(mouse_drain(byte, sizeof(byte)), 3);
	test_assert(!memcmp(byte, "\x09\x03\x04", 3));
	ps2_mouse_move(&mouse, -300, 300, 0);
	ps2_mouse_report(&mouse);
	test_equal(mouse_drain(byte, sizeof(byte)), 6);
	test_assert(!memcmp(byte, "\x39\x01\x01\x39\xd3\xd3", 6));
	mouse.id = 3;
	ps2_mouse_move(&mouse, 0, 0, 1);
	ps2_mouse_report(&mouse);
	test_equal(mouse_drain(byte, sizeof(byte)), 4);
	test_assert(!memcmp(byte, "\x09\x00\x00\xff", 4));
	ps2_mouse_button(&mouse, 77, true);
	ps2_mouse_report(&mouse);
	test_equal(mouse_drain(byte, sizeof(byte)), 0);
}

/* What is not read is added up and comes when there is room. */
static void motion_is_not_lost(void)
{
	uint8_t packet[3];
	int sum = 0;

	ps2_mouse_reset(&mouse);
	mouse_said("\xf4", "\xfa", 1);
	for (unsigned i = 0; i < 1000; i++) {
		ps2_mouse_move(&mouse, 7, 0, 0);
		ps2_mouse_report(&mouse);
	}
	while (mouse_drain(packet, 3) == 3)
		sum += packet[1];
	test_equal(sum, 7000);
}

int main(void)
{
	test_run(known_keys);
	test_run(held_keys_repeat);
	test_run(repeats_fit);
	test_run(every_key_is_itself);
	test_run(releases_always_fit);
	test_run(keyboard_commands);
	test_run(answers_are_bounded);
	test_run(mouse_grows_a_wheel);
	test_run(mouse_packets);
	test_run(motion_is_not_lost);
	return 0;
}
