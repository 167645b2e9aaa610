/*
 * Keys from a script: words as `irori send-keys` takes them, made into key events. A word is keys that
 * are held together, joined by '-': "a", "ret", "ctrl-alt-delete", "f1", "ctrl--" for Ctrl and minus.
 * Text is typed character by character as on a US keyboard.
 *
 * Each step is a report of one key; between reports the sender waits a little, as a hand does (guests
 * poll), SCRIPT_GAP_MS is enough.
 */
#ifndef IRORI_INPUT_SCRIPT_H
#define IRORI_INPUT_SCRIPT_H

#include <glib.h>

#include "display/port.h"

enum script_limits {
	SCRIPT_GAP_MS = 10,
	SCRIPT_WORD_KEYS = 8, /* held together */
};

struct script_key {
	uint16_t code;
	bool down;
};

/* Append the key events of a word, of a text, to an array of struct script_key. On a key that does
 * not exist: false, the error names it, nothing is appended. */
bool script_word(GArray *keys, const char *word, GError **error);
bool script_text(GArray *keys, const char *text, GError **error);

/* A report for the keyboard: two events. */
void script_report(const struct script_key *key, struct port_input report[2]);

#endif
