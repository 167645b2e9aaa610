/*
 * Key code tables. AT set 1 without a prefix is, up to 0x53, Linux' own numbering; only what differs
 * is in the tables.
 */
#include "input/keymap.h"

#include <linux/input-event-codes.h>
#include <string.h>
#include <strings.h>

enum {
	X11_OFFSET = 8, /* X11 reserves the codes below 8 */
	X11_LAST = 255,
	AT_SAME = 0x53, /* up to here the same as Linux' codes */
	AT_RELEASE = 0x80,
	AT_EXTENDED = 0xe0,
	AT_PAUSE = 0xe1, /* followed by 0x1d 0x45, or 0x9d 0xc5 for the release */
};

uint16_t keymap_from_x11(unsigned keycode)
{
	return keycode > X11_OFFSET && keycode <= X11_LAST ? (uint16_t)(keycode - X11_OFFSET) : 0;
}

static const uint8_t at_plain[0x80] = {
	[0x54] = KEY_SYSRQ, /* Alt and Print */
	[0x56] = KEY_102ND,
	[0x57] = KEY_F11,
	[0x58] = KEY_F12,
	[0x59] = KEY_KPEQUAL,
	[0x64] = KEY_F13,
	[0x65] = KEY_F14,
	[0x66] = KEY_F15,
	[0x67] = KEY_F16,
	[0x68] = KEY_F17,
	[0x69] = KEY_F18,
	[0x6a] = KEY_F19,
	[0x6b] = KEY_F20,
	[0x6c] = KEY_F21,
	[0x6d] = KEY_F22,
	[0x6e] = KEY_F23,
	[0x70] = KEY_KATAKANAHIRAGANA,
	[0x73] = KEY_RO,
	[0x76] = KEY_F24,
	[0x77] = KEY_HIRAGANA,
	[0x78] = KEY_KATAKANA,
	[0x79] = KEY_HENKAN,
	[0x7b] = KEY_MUHENKAN,
	[0x7d] = KEY_YEN,
	[0x7e] = KEY_KPCOMMA,
};

static const uint8_t at_extended[0x80] = {
	[0x10] = KEY_PREVIOUSSONG,
	[0x19] = KEY_NEXTSONG,
	[0x1c] = KEY_KPENTER,
	[0x1d] = KEY_RIGHTCTRL,
	[0x20] = KEY_MUTE,
	[0x21] = KEY_CALC,
	[0x22] = KEY_PLAYPAUSE,
	[0x24] = KEY_STOPCD,
	[0x2e] = KEY_VOLUMEDOWN,
	[0x30] = KEY_VOLUMEUP,
	[0x32] = KEY_HOMEPAGE,
	[0x35] = KEY_KPSLASH,
	[0x37] = KEY_SYSRQ,
	[0x38] = KEY_RIGHTALT,
	[0x46] = KEY_PAUSE, /* Ctrl and Pause */
	[0x47] = KEY_HOME,
	[0x48] = KEY_UP,
	[0x49] = KEY_PAGEUP,
	[0x4b] = KEY_LEFT,
	[0x4d] = KEY_RIGHT,
	[0x4f] = KEY_END,
	[0x50] = KEY_DOWN,
	[0x51] = KEY_PAGEDOWN,
	[0x52] = KEY_INSERT,
	[0x53] = KEY_DELETE,
	[0x5b] = KEY_LEFTMETA,
	[0x5c] = KEY_RIGHTMETA,
	[0x5d] = KEY_COMPOSE,
	[0x5e] = KEY_POWER,
	[0x5f] = KEY_SLEEP,
	[0x63] = KEY_WAKEUP,
	[0x65] = KEY_SEARCH,
	[0x66] = KEY_BOOKMARKS,
	[0x67] = KEY_REFRESH,
	[0x68] = KEY_STOP,
	[0x69] = KEY_FORWARD,
	[0x6a] = KEY_BACK,
	[0x6b] = KEY_COMPUTER,
	[0x6c] = KEY_MAIL,
	[0x6d] = KEY_MEDIA,
};

/* The two bytes after 0xe1. */
static bool keymap_at_pause(struct keymap_at *at, uint8_t byte, uint16_t *code, bool *down)
{
	if (!at->first) {
		at->first = byte;
		return false;
	}
	*code = KEY_PAUSE;
	*down = !(byte & AT_RELEASE);
	at->prefix = 0;
	return (at->first & 0x7f) == 0x1d && (byte & 0x7f) == 0x45;
}

bool keymap_at_byte(struct keymap_at *at, uint8_t byte, uint16_t *code, bool *down)
{
	uint8_t key = byte & 0x7f;

	if (at->prefix == AT_PAUSE)
		return keymap_at_pause(at, byte, code, down);
	if (byte == AT_EXTENDED || byte == AT_PAUSE) {
		*at = (struct keymap_at){.prefix = byte};
		return false;
	}
	if (at->prefix == AT_EXTENDED)
		*code = at_extended[key];
	else
		*code = key <= AT_SAME ? key : at_plain[key];
	*down = !(byte & AT_RELEASE);
	at->prefix = 0;
	return *code != 0;
}

static const struct {
	const char *name;
	uint16_t code;
} names[] = {
	{"ctrl", KEY_LEFTCTRL}, {"ctrl_r", KEY_RIGHTCTRL}, {"shift", KEY_LEFTSHIFT},
	{"shift_r", KEY_RIGHTSHIFT}, {"alt", KEY_LEFTALT}, {"alt_r", KEY_RIGHTALT},
	{"altgr", KEY_RIGHTALT}, {"meta", KEY_LEFTMETA}, {"meta_r", KEY_RIGHTMETA},
	{"super", KEY_LEFTMETA}, {"menu", KEY_COMPOSE}, {"ret", KEY_ENTER}, {"enter", KEY_ENTER},
	{"esc", KEY_ESC}, {"tab", KEY_TAB}, {"spc", KEY_SPACE}, {"space", KEY_SPACE},
	{"backspace", KEY_BACKSPACE}, {"delete", KEY_DELETE}, {"del", KEY_DELETE},
	{"insert", KEY_INSERT}, {"home", KEY_HOME}, {"end", KEY_END}, {"pgup", KEY_PAGEUP},
	{"pgdn", KEY_PAGEDOWN}, {"up", KEY_UP}, {"down", KEY_DOWN}, {"left", KEY_LEFT},
	{"right", KEY_RIGHT}, {"print", KEY_SYSRQ}, {"sysrq", KEY_SYSRQ}, {"pause", KEY_PAUSE},
	{"caps_lock", KEY_CAPSLOCK}, {"num_lock", KEY_NUMLOCK}, {"scroll_lock", KEY_SCROLLLOCK},
	{"minus", KEY_MINUS}, {"equal", KEY_EQUAL}, {"comma", KEY_COMMA}, {"dot", KEY_DOT},
	{"slash", KEY_SLASH}, {"backslash", KEY_BACKSLASH}, {"semicolon", KEY_SEMICOLON},
	{"apostrophe", KEY_APOSTROPHE}, {"grave", KEY_GRAVE}, {"bracketleft", KEY_LEFTBRACE},
	{"bracketright", KEY_RIGHTBRACE}, {"less", KEY_102ND}, {"kp_enter", KEY_KPENTER},
	{"kp_add", KEY_KPPLUS}, {"kp_subtract", KEY_KPMINUS}, {"kp_multiply", KEY_KPASTERISK},
	{"kp_divide", KEY_KPSLASH}, {"kp_dot", KEY_KPDOT}, {"kp_0", KEY_KP0}, {"kp_1", KEY_KP1},
	{"kp_2", KEY_KP2}, {"kp_3", KEY_KP3}, {"kp_4", KEY_KP4}, {"kp_5", KEY_KP5},
	{"kp_6", KEY_KP6}, {"kp_7", KEY_KP7}, {"kp_8", KEY_KP8}, {"kp_9", KEY_KP9},
	{"f1", KEY_F1}, {"f2", KEY_F2}, {"f3", KEY_F3}, {"f4", KEY_F4}, {"f5", KEY_F5},
	{"f6", KEY_F6}, {"f7", KEY_F7}, {"f8", KEY_F8}, {"f9", KEY_F9}, {"f10", KEY_F10},
	{"f11", KEY_F11}, {"f12", KEY_F12}, {"volumeup", KEY_VOLUMEUP},
	{"volumedown", KEY_VOLUMEDOWN}, {"mute", KEY_MUTE}, {"power", KEY_POWER},
	{"sleep", KEY_SLEEP}, {"wake", KEY_WAKEUP},
};

/* By code, from KEY_1 on, as on a US keyboard; a space where there is no character. */
static const char chars_plain[] = "1234567890-=  qwertyuiop[]  asdfghjkl;'` \\zxcvbnm,./";
static const char chars_shift[] = "!@#$%^&*()_+  QWERTYUIOP{}  ASDFGHJKL:\"~ |ZXCVBNM<>?";

uint16_t keymap_from_char(char c, bool *shift)
{
	static const char others[] = " \n\t\b\033";
	static const uint16_t codes[] = {KEY_SPACE, KEY_ENTER, KEY_TAB, KEY_BACKSPACE, KEY_ESC};
	const char *at;

	*shift = false;
	if (!c)
		return 0;
	at = strchr(others, c);
	if (at)
		return codes[at - others];
	at = strchr(chars_plain, c);
	if (at)
		return (uint16_t)(KEY_1 + (at - chars_plain));
	at = strchr(chars_shift, c);
	*shift = at != NULL;
	return at ? (uint16_t)(KEY_1 + (at - chars_shift)) : 0;
}

uint16_t keymap_from_name(const char *name, size_t len)
{
	bool shift;
	uint16_t code;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == len && !strncasecmp(names[i].name, name, len))
			return names[i].code;
	if (len != 1)
		return 0;
	code = keymap_from_char(*name, &shift);
	return shift && (*name < 'A' || *name > 'Z') ? 0 : code;
}
