/*
 * Key code tables and key scripts.
 */
#include "input/keymap.h"
#include "input/script.h"
#include "tests/unit/test.h"

#include <linux/input-event-codes.h>
#include <string.h>

static void x11(void)
{
	test_equal(keymap_from_x11(9), KEY_ESC);
	test_equal(keymap_from_x11(38), KEY_A);
	test_equal(keymap_from_x11(105), KEY_RIGHTCTRL);
	test_equal(keymap_from_x11(8), 0);
	test_equal(keymap_from_x11(0), 0);
	test_equal(keymap_from_x11(255), 247);
	test_equal(keymap_from_x11(256), 0);
	test_equal(keymap_from_x11(~0u), 0);
}

struct at_row {
	uint8_t bytes[6];
	unsigned n;
	uint16_t code;
	bool down;
};

static void at_bytes(void)
{
	static const struct at_row rows[] = {
		{{0x1e}, 1, KEY_A, true},
		{{0x9e}, 1, KEY_A, false},
		{{0x57}, 1, KEY_F11, true},
		{{0xd8}, 1, KEY_F12, false},
		{{0x56}, 1, KEY_102ND, true},
		{{0x73}, 1, KEY_RO, true},
		{{0x54}, 1, KEY_SYSRQ, true},
		{{0xe0, 0x1d}, 2, KEY_RIGHTCTRL, true},
		{{0xe0, 0x9d}, 2, KEY_RIGHTCTRL, false},
		{{0xe0, 0x48}, 2, KEY_UP, true},
		{{0xe0, 0xd3}, 2, KEY_DELETE, false},
		{{0xe0, 0x2a, 0xe0, 0x37}, 4, KEY_SYSRQ, true}, /* with the fake shift */
		{{0xe1, 0x1d, 0x45}, 3, KEY_PAUSE, true},
		{{0xe1, 0x9d, 0xc5}, 3, KEY_PAUSE, false},
		{{0xe0, 0xe1, 0x1d, 0x45}, 4, KEY_PAUSE, true}, /* a lost byte before it */
		{{0xe0, 0xe0, 0x5b}, 3, KEY_LEFTMETA, true},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct keymap_at at = {0};
		uint16_t code;
		bool down;

		for (unsigned b = 0; b + 1 < rows[i].n; b++)
			test_assert(!keymap_at_byte(&at, rows[i].bytes[b], &code, &down));
		test_assert(keymap_at_byte(&at, rows[i].bytes[rows[i].n - 1], &code, &down));
		test_equal(code, rows[i].code);
		test_equal(down, rows[i].down);
		test_equal(at.prefix, 0);
	}
}

static void at_unknown(void)
{
	static const uint8_t bytes[] = {0x00, 0x80, 0x7f, 0xff, 0xfa, 0xe0, 0x2a, 0xe0, 0xaa,
		0xe0, 0x00, 0xe0, 0x7f, 0xe1, 0x1d, 0x46, 0xe1, 0x2a, 0x45};
	struct keymap_at at = {0};
	uint16_t code;
	bool down;

	for (unsigned i = 0; i < sizeof(bytes); i++)
		test_assert(!keymap_at_byte(&at, bytes[i], &code, &down));
	test_assert(keymap_at_byte(&at, 0x1e, &code, &down));
}

static void words(void)
{
	static const uint16_t expected[] = {KEY_LEFTCTRL, KEY_LEFTALT, KEY_DELETE};
	g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(struct script_key));
	struct script_key *key;

	test_assert(script_word(keys, "ctrl-ALT-delete", NULL));
	test_equal(keys->len, 6);
	key = &g_array_index(keys, struct script_key, 0);
	for (unsigned i = 0; i < 3; i++) {
		test_equal(key[i].code, expected[i]);
		test_assert(key[i].down);
		test_equal(key[5 - i].code, expected[i]);
		test_assert(!key[5 - i].down);
	}
	g_array_set_size(keys, 0);
	test_assert(script_word(keys, "ctrl--", NULL));
	test_equal(keys->len, 4);
	test_equal(g_array_index(keys, struct script_key, 1).code, KEY_MINUS);
	g_array_set_size(keys, 0);
	test_assert(script_word(keys, "-", NULL));
	test_equal(keys->len, 2);
}

static void bad_words(void)
{
	static const char *const bad[] = {"", "hyper", "ctrl-", "ctrl-alt-nothing", "a--b", "!",
		"ctrl-!", "a-a-a-a-a-a-a-a-a", "\xc3\xa4", " -  "};
	g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(struct script_key));

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		g_autoptr(GError) error = NULL;

		if (script_word(keys, bad[i], &error))
			fprintf(stderr, "accepted: '%s'\n", bad[i]);
		test_assert(error);
		test_equal(keys->len, 0);
	}
}

static void text(void)
{
	g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(struct script_key));
	g_autoptr(GError) error = NULL;
	struct port_input report[2];

	test_assert(script_text(keys, "a?\n", NULL));
	test_equal(keys->len, 2 + 4 + 2);
	test_equal(g_array_index(keys, struct script_key, 0).code, KEY_A);
	test_equal(g_array_index(keys, struct script_key, 2).code, KEY_LEFTSHIFT);
	test_equal(g_array_index(keys, struct script_key, 3).code, KEY_SLASH);
	test_equal(g_array_index(keys, struct script_key, 6).code, KEY_ENTER);
	script_report(&g_array_index(keys, struct script_key, 3), report);
	test_equal(report[0].type, EV_KEY);
	test_equal(report[0].value, 1);
	test_equal(report[1].type, EV_SYN);
	test_assert(!script_text(keys, "ab\xc3\xa4", &error));
	test_equal(keys->len, 8);
	test_assert(strstr(error->message, "byte 2"));
}

/* Every printable character has a key, and each key its own pair. */
static void all_characters(void)
{
	uint8_t seen[2][128] = {{0}};

	for (char c = ' '; c <= '~'; c++) {
		bool shift;
		uint16_t code = keymap_from_char(c, &shift);

		test_assert(code && code < 128);
		test_equal(seen[shift][code]++, 0);
	}
}

int main(void)
{
	test_run(x11);
	test_run(at_bytes);
	test_run(at_unknown);
	test_run(words);
	test_run(bad_words);
	test_run(text);
	test_run(all_characters);
	return 0;
}
