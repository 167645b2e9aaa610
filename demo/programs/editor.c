/*
 * The editor: keys become text. Until somebody types, it writes a few lines by itself, so that there
 * is something to see.
 */
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo/programs/hearth.h"
#include "demo/programs/window.h"

enum {
	EDITOR_LINES = 12, /* kept; older ones scroll away */
	EDITOR_COLUMNS = 46,
	EDITOR_GHOST_NS = 13000000, /* a letter of the greeting */
	EDITOR_BLINK_NS = 530000000,
	EDITOR_LEADING = 21,
};

struct editor {
	char lines[EDITOR_LINES][EDITOR_COLUMNS + 1];
	int line, column; /* the caret's */
	bool touched;     /* somebody has typed: the greeting stops */
	unsigned ghost;
	int64_t ghost_ns;
	bool caret;
};

static const char editor_greeting[] = "Good evening.\n"
				      "\n"
				      "This is study, a guest of its own\n"
				      "on a machine it shares with theater.\n"
				      "In a moment it will reboot.\n"
				      "Keep an eye on the film next door.\n"
				      "\n"
				      "> ";

void *editor_new(void)
{
	return calloc(1, sizeof(struct editor));
}

static void editor_new_line(struct editor *e)
{
	if (e->line + 1 < EDITOR_LINES) {
		e->line++;
	} else {
		memmove(e->lines[0], e->lines[1], sizeof e->lines - sizeof e->lines[0]);
		memset(e->lines[e->line], 0, sizeof e->lines[0]);
	}
	e->column = 0;
}

static void editor_put(struct editor *e, char c)
{
	if (c == '\n') {
		editor_new_line(e);
		return;
	}
	if (e->column >= EDITOR_COLUMNS)
		editor_new_line(e);
	e->lines[e->line][e->column++] = c;
	e->lines[e->line][e->column] = 0;
}

static void editor_erase(struct editor *e)
{
	if (e->column) {
		e->lines[e->line][--e->column] = 0;
	} else if (e->line) {
		e->line--;
		e->column = (int)strlen(e->lines[e->line]);
	}
}

/* US layout: plain, with shift. */
static const char editor_keys[128][2] = {
	[KEY_1] = "1!", [KEY_2] = "2@", [KEY_3] = "3#", [KEY_4] = "4$", [KEY_5] = "5%",
	[KEY_6] = "6^", [KEY_7] = "7&", [KEY_8] = "8*", [KEY_9] = "9(", [KEY_0] = "0)",
	[KEY_MINUS] = "-_", [KEY_EQUAL] = "=+", [KEY_Q] = "qQ", [KEY_W] = "wW", [KEY_E] = "eE",
	[KEY_R] = "rR", [KEY_T] = "tT", [KEY_Y] = "yY", [KEY_U] = "uU", [KEY_I] = "iI",
	[KEY_O] = "oO", [KEY_P] = "pP", [KEY_LEFTBRACE] = "[{", [KEY_RIGHTBRACE] = "]}",
	[KEY_A] = "aA", [KEY_S] = "sS", [KEY_D] = "dD", [KEY_F] = "fF", [KEY_G] = "gG",
	[KEY_H] = "hH", [KEY_J] = "jJ", [KEY_K] = "kK", [KEY_L] = "lL", [KEY_SEMICOLON] = ";:",
	[KEY_APOSTROPHE] = "'\"", [KEY_GRAVE] = "`~", [KEY_BACKSLASH] = "\\|", [KEY_Z] = "zZ",
	[KEY_X] = "xX", [KEY_C] = "cC", [KEY_V] = "vV", [KEY_B] = "bB", [KEY_N] = "nN",
	[KEY_M] = "mM", [KEY_COMMA] = ",<", [KEY_DOT] = ".>", [KEY_SLASH] = "/?",
	[KEY_SPACE] = "  ", [KEY_ENTER] = "\n\n", [KEY_KPENTER] = "\n\n",
};

static bool editor_key(struct window *w, uint16_t code, bool shift)
{
	struct editor *e = w->state;

	if (code == KEY_BACKSPACE) {
		e->touched = true;
		editor_erase(e);
		return true;
	}
	if (code >= 128 || !editor_keys[code][0])
		return false;
	e->touched = true;
	editor_put(e, editor_keys[code][shift]);
	return true;
}

static bool editor_tick(struct window *w, int64_t now_ns)
{
	struct editor *e = w->state;
	bool caret = now_ns / EDITOR_BLINK_NS % 2 == 0, changed = caret != e->caret;

	e->caret = caret;
	if (!e->ghost_ns)
		e->ghost_ns = now_ns;
	while (!e->touched && editor_greeting[e->ghost] && now_ns - e->ghost_ns >= EDITOR_GHOST_NS) {
		editor_put(e, editor_greeting[e->ghost++]);
		e->ghost_ns += EDITOR_GHOST_NS;
		changed = true;
	}
	return changed;
}

static void editor_draw(struct window *w, struct canvas *c, struct rect inside)
{
	struct editor *e = w->state;
	int x = inside.x + 46, y = inside.y + 12;

	canvas_round(c, inside, WINDOW_RADIUS, CANVAS_BOTTOM, 0xff1b110cu);
	canvas_round(c, (struct rect){ inside.x, inside.y, 34, inside.height }, WINDOW_RADIUS,
		     CANVAS_BOTTOM, 0xff22160fu);
	for (int i = 0; i < EDITOR_LINES; i++, y += EDITOR_LEADING) {
		char number[12];

		if (y + EDITOR_LEADING > inside.y + inside.height)
			break;
		if (i == e->line)
			canvas_fill(c, (struct rect){ inside.x, y - 1, inside.width, EDITOR_LEADING },
				    0x18ff9a4au);
		snprintf(number, sizeof number, "%2d", i + 1);
		canvas_text(c, &font_mono_small, inside.x + 11, y + 14,
			    i == e->line ? HEARTH_EMBER : 0xff6b5546u, number);
		canvas_text(c, &font_mono, x, y + 14, 0xfff0e0ccu, e->lines[i]);
		if (i == e->line && e->caret) {
			int wide = canvas_text_width(&font_mono, e->lines[i]);

			canvas_fill(c, (struct rect){ x + wide + 1, y + 1, 2, 17 }, HEARTH_FLAME);
		}
	}
}

const struct window_app editor_app = {
	.title = "Letters",
	.draw = editor_draw,
	.key = editor_key,
	.tick = editor_tick,
};
