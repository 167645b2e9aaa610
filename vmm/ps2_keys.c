/*
 * Key codes of evdev to scan codes. Below 89 evdev's numbers are set 1's; the rest is a table. Set 2
 * is what the keyboard sends and set 1 what the controller makes of it, so that one table of the
 * controller's gives both. Source: USB HID to PS/2 scan code translation table, Microsoft 2004.
 */
#include <glib.h>
#include <linux/input-event-codes.h>
#include <string.h>

#include "vmm/ps2.h"

enum {
	BREAK_1 = 0x80,  /* or'ed to a code of set 1 */
	BREAK_2 = 0xf0,  /* before a code of set 2 */
	EXTENDED = 0xe0,
	E0 = 0x100,      /* in the table: with that prefix */
};

static const uint8_t set_1_of_2[128] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
	0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
	0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
	0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
	0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
	0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
	0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
	0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

static const uint16_t set_1[PS2_KEYS] = {
	[KEY_ZENKAKUHANKAKU] = 0x76, [KEY_RO] = 0x73, [KEY_KATAKANA] = 0x78,
	[KEY_HIRAGANA] = 0x77, [KEY_HENKAN] = 0x79, [KEY_KATAKANAHIRAGANA] = 0x70,
	[KEY_MUHENKAN] = 0x7b, [KEY_KPJPCOMMA] = 0x5c, [KEY_KPENTER] = E0 | 0x1c,
	[KEY_RIGHTCTRL] = E0 | 0x1d, [KEY_KPSLASH] = E0 | 0x35, [KEY_RIGHTALT] = E0 | 0x38,
	[KEY_HOME] = E0 | 0x47, [KEY_UP] = E0 | 0x48, [KEY_PAGEUP] = E0 | 0x49,
	[KEY_LEFT] = E0 | 0x4b, [KEY_RIGHT] = E0 | 0x4d, [KEY_END] = E0 | 0x4f,
	[KEY_DOWN] = E0 | 0x50, [KEY_PAGEDOWN] = E0 | 0x51, [KEY_INSERT] = E0 | 0x52,
	[KEY_DELETE] = E0 | 0x53, [KEY_MUTE] = E0 | 0x20, [KEY_VOLUMEDOWN] = E0 | 0x2e,
	[KEY_VOLUMEUP] = E0 | 0x30, [KEY_POWER] = E0 | 0x5e, [KEY_KPEQUAL] = 0x59,
	[KEY_KPCOMMA] = 0x7e, [KEY_HANGEUL] = 0x72, [KEY_HANJA] = 0x71, [KEY_YEN] = 0x7d,
	[KEY_LEFTMETA] = E0 | 0x5b, [KEY_RIGHTMETA] = E0 | 0x5c, [KEY_COMPOSE] = E0 | 0x5d,
	[KEY_STOP] = E0 | 0x68, [KEY_CALC] = E0 | 0x21, [KEY_SLEEP] = E0 | 0x5f,
	[KEY_WAKEUP] = E0 | 0x63, [KEY_MAIL] = E0 | 0x6c, [KEY_BOOKMARKS] = E0 | 0x66,
	[KEY_COMPUTER] = E0 | 0x6b, [KEY_BACK] = E0 | 0x6a, [KEY_FORWARD] = E0 | 0x69,
	[KEY_NEXTSONG] = E0 | 0x19, [KEY_PLAYPAUSE] = E0 | 0x22, [KEY_PREVIOUSSONG] = E0 | 0x10,
	[KEY_STOPCD] = E0 | 0x24, [KEY_HOMEPAGE] = E0 | 0x32, [KEY_REFRESH] = E0 | 0x67,
	[KEY_F13] = 0x64, [KEY_F14] = 0x65, [KEY_F15] = 0x66, [KEY_F16] = 0x67, [KEY_F17] = 0x68,
	[KEY_F18] = 0x69, [KEY_F19] = 0x6a, [KEY_F20] = 0x6b, [KEY_F21] = 0x6c, [KEY_F22] = 0x6d,
	[KEY_F23] = 0x6e, [KEY_F24] = 0x76, [KEY_SEARCH] = E0 | 0x65, [KEY_MEDIA] = E0 | 0x6d,
};

/* Keys of several codes, as set 1 and set 2 have them. Pause goes up by itself. */
static const struct {
	uint8_t code, set, down, n;
	uint8_t byte[PS2_KEY_BYTES];
} odd_keys[] = {
	{ KEY_SYSRQ, 1, 1, 4, { 0xe0, 0x2a, 0xe0, 0x37 } },
	{ KEY_SYSRQ, 1, 0, 4, { 0xe0, 0xb7, 0xe0, 0xaa } },
	{ KEY_SYSRQ, 2, 1, 4, { 0xe0, 0x12, 0xe0, 0x7c } },
	{ KEY_SYSRQ, 2, 0, 6, { 0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12 } },
	{ KEY_PAUSE, 1, 1, 6, { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 } },
	{ KEY_PAUSE, 2, 1, 8, { 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77 } },
};

uint8_t ps2_translate(uint8_t byte)
{
	if (byte < G_N_ELEMENTS(set_1_of_2))
		return set_1_of_2[byte];
	return byte == 0x83 ? 0x41 : byte == 0x84 ? 0x54 : byte;
}

static uint8_t set_2_of_1(uint8_t wanted)
{
	if (wanted == 0x41)
		return 0x83; /* F7; 0x02 would be translated to it as well */
	for (unsigned i = 1; i < G_N_ELEMENTS(set_1_of_2); i++)
		if (set_1_of_2[i] == wanted)
			return (uint8_t)i;
	return 0;
}

static uint16_t set_1_code(unsigned code)
{
	if (code >= PS2_KEYS)
		return 0;
	if (set_1[code])
		return set_1[code];
	return code <= KEY_F12 && code != 84 ? (uint16_t)code : 0;
}

unsigned ps2_key_bytes(unsigned code, bool down, unsigned set, uint8_t byte[PS2_KEY_BYTES])
{
	uint16_t key = set_1_code(code);
	unsigned n = 0;

	for (unsigned i = 0; i < G_N_ELEMENTS(odd_keys); i++)
		if (odd_keys[i].code == code && odd_keys[i].set == set && odd_keys[i].down == down) {
			memcpy(byte, odd_keys[i].byte, odd_keys[i].n);
			return odd_keys[i].n;
		}
	if (!key)
		return 0;
	if (key & E0)
		byte[n++] = EXTENDED;
	if (set == 1) {
		byte[n++] = (uint8_t)((key & 0x7f) | (down ? 0 : BREAK_1));
		return n;
	}
	if (!down)
		byte[n++] = BREAK_2;
	byte[n++] = set_2_of_1(key & 0x7f);
	return n;
}
