/*
 * Keys from a script: words and text into presses and releases.
 */
#include "input/script.h"

#include "input/keymap.h"

#include <gio/gio.h>
#include <linux/input-event-codes.h>
#include <string.h>

static void script_append(GArray *keys, uint16_t code, bool down)
{
	struct script_key key = {.code = code, .down = down};

	g_array_append_val(keys, key);
}

/* The length of the first key's name in "ctrl-alt--": up to the next '-', which itself is a key where
 * a name should begin. */
static size_t script_name_len(const char *word)
{
	return word[0] == '-' ? 1 : strcspn(word, "-");
}

bool script_word(GArray *keys, const char *word, GError **error)
{
	uint16_t codes[SCRIPT_WORD_KEYS];
	unsigned n = 0;

	for (const char *at = word; at;) {
		size_t len = script_name_len(at);
		uint16_t code = keymap_from_name(at, len);

		if (!code) {
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
				"'%s': no key is called '%.*s'", word, (int)len, at);
			return false;
		}
		if (n == SCRIPT_WORD_KEYS) {
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
				"'%s': more than %d keys at once", word, SCRIPT_WORD_KEYS);
			return false;
		}
		codes[n++] = code;
		at = at[len] ? at + len + 1 : NULL;
	}
	for (unsigned i = 0; i < n; i++)
		script_append(keys, codes[i], true);
	while (n)
		script_append(keys, codes[--n], false);
	return true;
}

bool script_text(GArray *keys, const char *text, GError **error)
{
	guint before = keys->len;

	for (const char *at = text; *at; at++) {
		bool shift;
		uint16_t code = keymap_from_char(*at, &shift);

		if (!code) {
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
				"no key of a US keyboard types the character at byte %zu (0x%02x)",
				(size_t)(at - text), (uint8_t)*at);
			g_array_set_size(keys, before);
			return false;
		}
		if (shift)
			script_append(keys, KEY_LEFTSHIFT, true);
		script_append(keys, code, true);
		script_append(keys, code, false);
		if (shift)
			script_append(keys, KEY_LEFTSHIFT, false);
	}
	return true;
}

void script_report(const struct script_key *key, struct port_input report[2])
{
	report[0] = (struct port_input){
		.device = INPUT_KEYBOARD,
		.type = EV_KEY,
		.code = key->code,
		.value = key->down,
	};
	report[1] = (struct port_input){.device = INPUT_KEYBOARD, .type = EV_SYN};
}
