/*
 * The seat menu's states and keys. What a state's rows are is menu_rows.c.
 */
#include "seats/seat/menu.h"

#include <errno.h>
#include <glib.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <string.h>

/* Besides states: the base, and where one came from. */
enum { BASE = MENU_STATES, FROM, STAY };

/* What is shown while the menu is not open: it can be called. */
#define MENU_BASE(more_time)                                                                       \
	{                                                                                          \
		[MENU_EVENT_CALL] = MENU_OPEN, [MENU_EVENT_BACK] = STAY,                           \
		[MENU_EVENT_CONFIRM] = STAY, [MENU_EVENT_TIME] = more_time,                        \
		[MENU_EVENT_PIN] = STAY, [MENU_EVENT_DONE] = BASE,                                 \
		[MENU_EVENT_REFUSED] = STAY, [MENU_EVENT_NEWS] = BASE,                             \
	}

static const uint8_t table[MENU_STATES][MENU_EVENTS] = {
	[MENU_NONE] = MENU_BASE(STAY),
	[MENU_LIST] = MENU_BASE(STAY),
	[MENU_STOPPED] = MENU_BASE(STAY),
	[MENU_FROZEN] = MENU_BASE(MENU_TIME),
	[MENU_LOCKED] = {
		[MENU_EVENT_CALL] = STAY, [MENU_EVENT_BACK] = STAY,
		[MENU_EVENT_CONFIRM] = STAY, [MENU_EVENT_TIME] = STAY,
		[MENU_EVENT_PIN] = STAY, [MENU_EVENT_DONE] = STAY, /* irorid says when it is open */
		[MENU_EVENT_REFUSED] = STAY, [MENU_EVENT_NEWS] = BASE,
	},
	[MENU_OPEN] = {
		[MENU_EVENT_CALL] = BASE, [MENU_EVENT_BACK] = BASE,
		[MENU_EVENT_CONFIRM] = MENU_CONFIRM, [MENU_EVENT_TIME] = MENU_TIME,
		[MENU_EVENT_PIN] = STAY, [MENU_EVENT_DONE] = BASE,
		[MENU_EVENT_REFUSED] = STAY, [MENU_EVENT_NEWS] = STAY,
	},
	[MENU_CONFIRM] = {
		[MENU_EVENT_CALL] = BASE, [MENU_EVENT_BACK] = FROM,
		[MENU_EVENT_CONFIRM] = STAY, [MENU_EVENT_TIME] = STAY,
		[MENU_EVENT_PIN] = STAY, [MENU_EVENT_DONE] = BASE,
		[MENU_EVENT_REFUSED] = STAY, [MENU_EVENT_NEWS] = STAY,
	},
	[MENU_TIME] = {
		[MENU_EVENT_CALL] = BASE, [MENU_EVENT_BACK] = FROM,
		[MENU_EVENT_CONFIRM] = STAY, [MENU_EVENT_TIME] = STAY,
		[MENU_EVENT_PIN] = MENU_PIN, [MENU_EVENT_DONE] = BASE,
		[MENU_EVENT_REFUSED] = STAY, [MENU_EVENT_NEWS] = STAY,
	},
	[MENU_PIN] = {
		[MENU_EVENT_CALL] = BASE, [MENU_EVENT_BACK] = MENU_TIME,
		[MENU_EVENT_CONFIRM] = STAY, [MENU_EVENT_TIME] = STAY,
		[MENU_EVENT_PIN] = STAY, [MENU_EVENT_DONE] = BASE,
		[MENU_EVENT_REFUSED] = STAY, [MENU_EVENT_NEWS] = STAY,
	},
};

enum menu_state menu_next(enum menu_state state, enum menu_event event, enum menu_state base,
	enum menu_state from)
{
	uint8_t next = table[state][event];

	if (event == MENU_EVENT_NEWS && base == MENU_LOCKED)
		return MENU_LOCKED;
	if (next == FROM)
		next = from == MENU_OPEN ? MENU_OPEN : BASE; /* a base that one came from may be over */
	return next == BASE ? base : next == STAY ? state : (enum menu_state)next;
}

enum menu_state menu_base(const struct seat_facts *facts)
{
	const struct wire_guest *guest = facts_shown(facts);

	if (facts->locked)
		return MENU_LOCKED;
	if (!guest)
		return MENU_LIST;
	if (facts->time.frozen || guest->state == WIRE_GUEST_FROZEN)
		return MENU_FROZEN;
	if (guest->state == WIRE_GUEST_OFF || guest->state == WIRE_GUEST_CRASHED)
		return MENU_STOPPED;
	return MENU_NONE;
}

void menu_init(struct menu *menu)
{
	memset(menu, 0, sizeof(*menu));
	menu->state = menu->from = MENU_LIST;
}

bool menu_open(const struct menu *menu)
{
	return menu->state != MENU_NONE;
}

bool menu_wants_pin(const struct menu *menu)
{
	return menu->state == MENU_LOCKED || menu->state == MENU_PIN;
}

static void menu_forget_pin(struct menu *menu)
{
	explicit_bzero(menu->pin, sizeof(menu->pin));
}

/* The row that is chosen when a state begins: nothing that cannot be undone. */
static unsigned menu_first_row(const struct menu *menu, const struct seat_facts *facts)
{
	struct menu_row rows[MENU_ROWS];
	unsigned n = menu_rows(menu, facts, rows);

	for (unsigned i = 0; i < n; i++)
		if (!rows[i].warns)
			return i;
	return 0;
}

static void menu_happens(struct menu *menu, const struct seat_facts *facts, enum menu_event event)
{
	enum menu_state before = menu->state;

	menu->state = menu_next(before, event, menu_base(facts), menu->from);
	if (menu->state == before)
		return;
	if (menu->state == MENU_CONFIRM || menu->state == MENU_TIME)
		menu->from = before == MENU_PIN ? menu->from : before;
	menu_forget_pin(menu);
	menu->said[0] = '\0';
	menu->waiting = false;
	menu->chosen = menu_first_row(menu, facts);
}

void menu_news(struct menu *menu, const struct seat_facts *facts)
{
	struct menu_row rows[MENU_ROWS];
	unsigned n;

	menu_happens(menu, facts, MENU_EVENT_NEWS);
	n = menu_rows(menu, facts, rows);
	if (menu->chosen >= n)
		menu->chosen = n ? n - 1 : 0;
}

void menu_call(struct menu *menu, const struct seat_facts *facts)
{
	menu_happens(menu, facts, MENU_EVENT_CALL);
}

void menu_answer(struct menu *menu, const struct seat_facts *facts, int result, const char *text)
{
	if (!menu->waiting)
		return; /* it was left meanwhile */
	menu->waiting = false;
	if (result == 0)
		return menu_happens(menu, facts, MENU_EVENT_DONE);
	menu_forget_pin(menu);
	g_strlcpy(menu->said, *text ? text : result == -EACCES ? "That is not the PIN"
						      : "That did not work",
		sizeof(menu->said));
	menu_happens(menu, facts, MENU_EVENT_REFUSED);
}

/* ---- what is asked for ---- */

static void menu_request(struct menu *menu, uint32_t verb, const char *argument,
	struct menu_action *action)
{
	action->deed = MENU_DEED_REQUEST;
	action->verb = verb;
	g_strlcpy(action->argument, argument, sizeof(action->argument));
	menu->waiting = true;
	menu->said[0] = '\0';
}

static void menu_enter_pin(struct menu *menu, struct menu_action *action)
{
	char argument[16] = "tonight";

	if (!menu->pin[0])
		return;
	if (menu->minutes > 0)
		snprintf(argument, sizeof(argument), "%d", menu->minutes);
	memcpy(action->pin, menu->pin, sizeof(action->pin));
	if (menu->state == MENU_LOCKED)
		menu_request(menu, WIRE_VERB_UNLOCK, "", action);
	else
		menu_request(menu, WIRE_VERB_EXTEND, argument, action);
}

static void menu_digit(struct menu *menu, int digit)
{
	size_t n = strlen(menu->pin);

	if (n + 1 < sizeof(menu->pin))
		menu->pin[n] = (char)('0' + digit);
	menu->said[0] = '\0';
}

static void menu_erase(struct menu *menu)
{
	size_t n = strlen(menu->pin);

	if (n)
		menu->pin[n - 1] = '\0';
}

static void menu_confirmed(struct menu *menu, const struct seat_facts *facts,
	struct menu_action *action)
{
	const struct wire_guest *guest = facts_shown(facts);

	if (guest)
		menu_request(menu, menu->asked == MENU_RESTART ? WIRE_VERB_RESTART : WIRE_VERB_POWEROFF,
			guest->name, action);
	else
		menu_happens(menu, facts, MENU_EVENT_DONE);
}

/* Enter, or a click. */
static void menu_take(struct menu *menu, const struct seat_facts *facts, const struct menu_row *row,
	struct menu_action *action)
{
	const struct wire_guest *guest = facts_guest(facts, row->guest);

	switch (row->item) {
	case MENU_CONTINUE:
	case MENU_CANCEL:
		return menu_happens(menu, facts, MENU_EVENT_BACK);
	case MENU_SWITCH:
		if (!guest)
			return;
		return menu_request(menu, guest->id == facts->shown ? WIRE_VERB_START
								    : WIRE_VERB_SWITCH,
			guest->name, action);
	case MENU_GUESTS:
		return menu_request(menu, WIRE_VERB_SWITCH, "", action);
	case MENU_LOCK:
		return menu_request(menu, WIRE_VERB_LOCK, "", action);
	case MENU_VOLUME:
		action->deed = MENU_DEED_MUTE;
		action->value = !facts->muted;
		return;
	case MENU_MICROPHONE:
		action->deed = MENU_DEED_MICROPHONE;
		action->value = !facts->microphone;
		return;
	case MENU_MORE_TIME:
		return menu_happens(menu, facts, MENU_EVENT_TIME);
	case MENU_MINUTES:
		menu->minutes = row->value;
		return menu_happens(menu, facts, MENU_EVENT_PIN);
	case MENU_RESTART:
	case MENU_POWEROFF:
		menu->asked = row->item;
		return menu_happens(menu, facts, MENU_EVENT_CONFIRM);
	case MENU_YES:
		return menu_confirmed(menu, facts, action);
	case MENU_ITEMS:
		return;
	}
}

/* ---- keys ---- */

static int menu_digit_of(uint16_t code)
{
	static const uint16_t codes[10][2] = {
		{ KEY_0, KEY_KP0 }, { KEY_1, KEY_KP1 }, { KEY_2, KEY_KP2 }, { KEY_3, KEY_KP3 },
		{ KEY_4, KEY_KP4 }, { KEY_5, KEY_KP5 }, { KEY_6, KEY_KP6 }, { KEY_7, KEY_KP7 },
		{ KEY_8, KEY_KP8 }, { KEY_9, KEY_KP9 },
	};

	for (int i = 0; i < 10; i++)
		if (code == codes[i][0] || code == codes[i][1])
			return i;
	return -1;
}

static bool menu_is_enter(uint16_t code)
{
	return code == KEY_ENTER || code == KEY_KPENTER;
}

static void menu_pin_key(struct menu *menu, const struct seat_facts *facts, uint16_t code,
	struct menu_action *action)
{
	int digit = menu_digit_of(code);

	if (code == KEY_ESC && menu->pin[0])
		return menu_forget_pin(menu);
	if (code == KEY_ESC)
		return menu_happens(menu, facts, MENU_EVENT_BACK);
	if (menu->waiting)
		return;
	if (digit >= 0)
		menu_digit(menu, digit);
	else if (code == KEY_BACKSPACE || code == KEY_DELETE)
		menu_erase(menu);
	else if (menu_is_enter(code))
		menu_enter_pin(menu, action);
}

static void menu_louder(const struct seat_facts *facts, int step, struct menu_action *action)
{
	int volume = (int)facts->volume + step;

	action->deed = MENU_DEED_VOLUME;
	action->value = volume < 0 ? 0 : volume > MENU_VOLUME_MAX ? MENU_VOLUME_MAX : volume;
}

static void menu_row_key(struct menu *menu, const struct seat_facts *facts,
	const struct menu_row *rows, unsigned n, uint16_t code, struct menu_action *action)
{
	const struct menu_row *row = &rows[menu->chosen < n ? menu->chosen : 0];
	int digit = menu_digit_of(code);

	if (code == KEY_DOWN || code == KEY_TAB)
		menu->chosen = (menu->chosen + 1) % n;
	else if (code == KEY_UP)
		menu->chosen = (menu->chosen + n - 1) % n;
	else if (code == KEY_HOME || code == KEY_END)
		menu->chosen = code == KEY_HOME ? 0 : n - 1;
	else if ((code == KEY_LEFT || code == KEY_RIGHT) && row->item == MENU_VOLUME)
		menu_louder(facts, code == KEY_LEFT ? -MENU_VOLUME_STEP : MENU_VOLUME_STEP, action);
	else if (menu->waiting)
		return;
	else if (menu_is_enter(code) || code == KEY_SPACE)
		menu_take(menu, facts, row, action);
	else if (digit > 0 && (unsigned)digit <= n)
		menu->chosen = (unsigned)digit - 1;
}

void menu_key(struct menu *menu, const struct seat_facts *facts, uint16_t code,
	struct menu_action *action)
{
	struct menu_row rows[MENU_ROWS];
	unsigned n;

	memset(action, 0, sizeof(*action));
	if (!menu_open(menu))
		return;
	if (menu_wants_pin(menu))
		return menu_pin_key(menu, facts, code, action);
	if (code == KEY_ESC)
		return menu_happens(menu, facts, MENU_EVENT_BACK);
	n = menu_rows(menu, facts, rows);
	if (n)
		menu_row_key(menu, facts, rows, n, code, action);
}

/* ---- the pointer ---- */

void menu_point(struct menu *menu, const struct seat_facts *facts, int target)
{
	struct menu_row rows[MENU_ROWS];

	if (target >= 0 && (unsigned)target < menu_rows(menu, facts, rows))
		menu->chosen = (unsigned)target;
}

static void menu_click_pin(struct menu *menu, const struct seat_facts *facts, int target,
	struct menu_action *action)
{
	if (target == MENU_TARGET_BACK)
		return menu_happens(menu, facts, MENU_EVENT_BACK);
	if (menu->waiting)
		return;
	if (target >= MENU_TARGET_DIGIT && target < MENU_TARGET_DIGIT + 10)
		menu_digit(menu, target - MENU_TARGET_DIGIT);
	else if (target == MENU_TARGET_ERASE)
		menu_erase(menu);
	else if (target == MENU_TARGET_ENTER)
		menu_enter_pin(menu, action);
}

void menu_click(struct menu *menu, const struct seat_facts *facts, int target,
	struct menu_action *action)
{
	struct menu_row rows[MENU_ROWS];
	unsigned n;

	memset(action, 0, sizeof(*action));
	if (!menu_open(menu))
		return;
	if (menu_wants_pin(menu))
		return menu_click_pin(menu, facts, target, action);
	n = menu_rows(menu, facts, rows);
	if (target == MENU_TARGET_NOTHING)
		return menu_happens(menu, facts, MENU_EVENT_BACK); /* beside the menu */
	if (target < 0 || (unsigned)target >= n || menu->waiting)
		return;
	menu->chosen = (unsigned)target;
	menu_take(menu, facts, &rows[target], action);
}
