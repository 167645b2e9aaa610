/*
 * The seat menu: its table, and what a person gets by keys and clicks.
 */
#include "tests/unit/test.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <string.h>

#include "seats/seat/menu.h"

static struct seat_facts facts;
static struct menu menu;
static struct menu_action action;

static void begin(void)
{
	memset(&facts, 0, sizeof(facts));
	facts.guests[0] = (struct wire_guest){ .id = 7, .state = WIRE_GUEST_RUNNING, .name = "mika",
		.title = "Mika's PC", .person = "Mika" };
	facts.guests[1] = (struct wire_guest){ .id = 9, .state = WIRE_GUEST_OFF, .name = "study" };
	facts.n_guests = 2;
	facts.shown = 7;
	facts.time.left_us = -1;
	facts.sound = true;
	facts.volume = 50;
	menu_init(&menu);
	menu_news(&menu, &facts);
}

static void key(uint16_t code)
{
	menu_key(&menu, &facts, code, &action);
}

static void keys(const char *digits)
{
	static const uint16_t codes[] = { KEY_0, KEY_1, KEY_2, KEY_3, KEY_4, KEY_5, KEY_6, KEY_7,
		KEY_8, KEY_9 };

	for (; *digits; digits++)
		key(codes[*digits - '0']);
}

/* Chooses the row with this item; fails where there is none. */
static void choose(enum menu_item item)
{
	struct menu_row rows[MENU_ROWS];
	unsigned n = menu_rows(&menu, &facts, rows), i = 0;

	while (i < n && rows[i].item != item)
		i++;
	test_assert(i < n);
	menu.chosen = i;
}

static bool offers(enum menu_item item)
{
	struct menu_row rows[MENU_ROWS];
	unsigned n = menu_rows(&menu, &facts, rows);

	for (unsigned i = 0; i < n; i++)
		if (rows[i].item == item)
			return true;
	return false;
}

/* Every state and event: a state that there is; the lock wins over all; nothing opens it but news. */
static void test_table(void)
{
	for (unsigned s = 0; s < MENU_STATES; s++)
		for (unsigned e = 0; e < MENU_EVENTS; e++)
			for (unsigned base = MENU_NONE; base <= MENU_LOCKED; base++)
				for (unsigned from = 0; from < MENU_STATES; from++) {
					enum menu_state next = menu_next(s, e, base, from);

					test_assert(next < MENU_STATES);
					if (e == MENU_EVENT_NEWS && base == MENU_LOCKED)
						test_equal(next, MENU_LOCKED);
					if (s == MENU_LOCKED && e != MENU_EVENT_NEWS)
						test_equal(next, MENU_LOCKED);
					if (e == MENU_EVENT_DONE && s != MENU_LOCKED)
						test_equal(next, base);
					if (e == MENU_EVENT_REFUSED)
						test_equal(next, s);
					if (next == MENU_PIN)
						test_assert(s == MENU_PIN || s == MENU_TIME);
					if (next == MENU_CONFIRM)
						test_assert(s == MENU_CONFIRM || s == MENU_OPEN);
				}
}

/* From every state, Esc and the chord lead back to the base in a few steps (but not through a lock). */
static void test_no_state_is_a_trap(void)
{
	for (unsigned s = 0; s < MENU_STATES; s++) {
		enum menu_state state = s;

		if (s == MENU_LOCKED)
			continue;
		for (unsigned i = 0; i < 4 && state >= MENU_OPEN; i++)
			state = menu_next(state, MENU_EVENT_BACK, MENU_NONE, MENU_OPEN);
		test_assert(state < MENU_OPEN);
		if (s >= MENU_OPEN)
			test_equal(menu_next(s, MENU_EVENT_CALL, MENU_NONE, MENU_OPEN), MENU_NONE);
	}
}

static void test_bases(void)
{
	begin();
	test_equal(menu_base(&facts), MENU_NONE);
	facts.guests[0].state = WIRE_GUEST_CRASHED;
	test_equal(menu_base(&facts), MENU_STOPPED);
	facts.guests[0].state = WIRE_GUEST_OFF;
	test_equal(menu_base(&facts), MENU_STOPPED);
	facts.time.frozen = 1;
	test_equal(menu_base(&facts), MENU_FROZEN);
	facts.shown = 0;
	test_equal(menu_base(&facts), MENU_LIST);
	facts.shown = 1234; /* irorid knows it, we do not (yet) */
	test_equal(menu_base(&facts), MENU_LIST);
	facts.locked = true;
	test_equal(menu_base(&facts), MENU_LOCKED);
}

static void test_keys_are_the_guests_until_called(void)
{
	begin();
	test_assert(!menu_open(&menu));
	key(KEY_ENTER);
	test_equal(action.deed, MENU_DEED_NONE);
	menu_call(&menu, &facts);
	test_assert(menu_open(&menu));
	key(KEY_ESC);
	test_assert(!menu_open(&menu));
	menu_call(&menu, &facts);
	key(KEY_ENTER); /* the first row goes back */
	test_assert(!menu_open(&menu));
}

static void test_switch(void)
{
	begin();
	menu_call(&menu, &facts);
	choose(MENU_SWITCH);
	key(KEY_ENTER);
	test_equal(action.deed, MENU_DEED_REQUEST);
	test_equal(action.verb, WIRE_VERB_SWITCH);
	test_assert(strcmp(action.argument, "study") == 0);
	key(KEY_ENTER); /* not twice */
	test_equal(action.deed, MENU_DEED_NONE);
	menu_answer(&menu, &facts, 0, "");
	test_assert(!menu_open(&menu));
}

static void test_a_refusal_is_said(void)
{
	begin();
	menu_call(&menu, &facts);
	choose(MENU_LOCK);
	key(KEY_ENTER);
	test_equal(action.verb, WIRE_VERB_LOCK);
	menu_answer(&menu, &facts, -EPERM, "There is no PIN");
	test_equal(menu.state, MENU_OPEN);
	test_assert(strcmp(menu.said, "There is no PIN") == 0);
	key(KEY_ENTER);
	test_equal(action.verb, WIRE_VERB_LOCK);
}

static void test_restart_asks_first(void)
{
	begin();
	menu_call(&menu, &facts);
	choose(MENU_RESTART);
	key(KEY_ENTER);
	test_equal(action.deed, MENU_DEED_NONE);
	test_equal(menu.state, MENU_CONFIRM);
	key(KEY_ENTER); /* "no" is what is chosen at first */
	test_equal(action.deed, MENU_DEED_NONE);
	test_equal(menu.state, MENU_OPEN);
	choose(MENU_POWEROFF);
	key(KEY_ENTER);
	choose(MENU_YES);
	key(KEY_ENTER);
	test_equal(action.verb, WIRE_VERB_POWEROFF);
	test_assert(strcmp(action.argument, "mika") == 0);
}

static void test_volume_and_microphone(void)
{
	begin();
	menu_call(&menu, &facts);
	choose(MENU_VOLUME);
	key(KEY_RIGHT);
	test_equal(action.deed, MENU_DEED_VOLUME);
	test_equal(action.value, 55);
	facts.volume = 98;
	key(KEY_RIGHT);
	test_equal(action.value, 100);
	facts.volume = 2;
	key(KEY_LEFT);
	test_equal(action.value, 0);
	key(KEY_ENTER);
	test_equal(action.deed, MENU_DEED_MUTE);
	test_equal(action.value, 1);
	choose(MENU_MICROPHONE);
	key(KEY_SPACE);
	test_equal(action.deed, MENU_DEED_MICROPHONE);
	test_equal(action.value, 1);
	facts.microphone = true;
	key(KEY_SPACE);
	test_equal(action.value, 0);
}

static void test_lock(void)
{
	begin();
	menu_call(&menu, &facts);
	facts.locked = true;
	menu_news(&menu, &facts);
	test_equal(menu.state, MENU_LOCKED);
	menu_call(&menu, &facts);
	key(KEY_ESC);
	test_equal(menu.state, MENU_LOCKED);
	key(KEY_ENTER); /* no PIN, no question */
	test_equal(action.deed, MENU_DEED_NONE);
	keys("4711");
	key(KEY_BACKSPACE);
	keys("2");
	key(KEY_KPENTER);
	test_equal(action.verb, WIRE_VERB_UNLOCK);
	test_assert(strcmp(action.pin, "4712") == 0);
	menu_answer(&menu, &facts, -EACCES, "");
	test_equal(menu.state, MENU_LOCKED);
	test_assert(menu.said[0] && !menu.pin[0]);
	keys("4711");
	key(KEY_ENTER);
	menu_answer(&menu, &facts, 0, "");
	test_equal(menu.state, MENU_LOCKED); /* until irorid says that it is open */
	facts.locked = false;
	menu_news(&menu, &facts);
	test_assert(!menu_open(&menu));
	for (unsigned i = 0; i < sizeof(menu.pin); i++)
		test_equal(menu.pin[i], 0);
}

static void test_pins_are_bounded(void)
{
	begin();
	facts.locked = true;
	menu_news(&menu, &facts);
	for (unsigned i = 0; i < 100; i++)
		keys("8");
	test_equal(strlen(menu.pin), WIRE_PIN - 1);
	key(KEY_ENTER);
	test_equal(action.deed, MENU_DEED_REQUEST);
	test_equal(strlen(action.pin), WIRE_PIN - 1);
}

static void test_more_time(void)
{
	begin();
	facts.time.frozen = 1;
	facts.time.left_us = 0;
	menu_news(&menu, &facts);
	test_equal(menu.state, MENU_FROZEN);
	choose(MENU_MORE_TIME);
	key(KEY_ENTER);
	test_equal(menu.state, MENU_TIME);
	key(KEY_ESC);
	test_equal(menu.state, MENU_FROZEN);
	key(KEY_ENTER);
	key(KEY_DOWN);
	key(KEY_ENTER);
	test_equal(menu.state, MENU_PIN);
	keys("99");
	key(KEY_ENTER);
	test_equal(action.verb, WIRE_VERB_EXTEND);
	test_assert(strcmp(action.argument, "30") == 0);
	facts.time.frozen = 0;
	menu_news(&menu, &facts);
	menu_answer(&menu, &facts, 0, "");
	test_assert(!menu_open(&menu));
}

static void test_time_is_asked_for_only_where_it_runs(void)
{
	begin();
	menu_call(&menu, &facts);
	test_assert(!offers(MENU_MORE_TIME));
	facts.time.left_us = 60000000;
	test_assert(offers(MENU_MORE_TIME));
}

static void test_a_late_answer_changes_nothing(void)
{
	begin();
	menu_call(&menu, &facts);
	choose(MENU_SWITCH);
	key(KEY_ENTER);
	key(KEY_ESC);
	test_assert(!menu_open(&menu));
	menu_call(&menu, &facts);
	menu_answer(&menu, &facts, 0, "");
	test_equal(menu.state, MENU_OPEN);
}

static void test_pointer(void)
{
	begin();
	menu_call(&menu, &facts);
	menu_point(&menu, &facts, 2);
	test_equal(menu.chosen, 2);
	menu_point(&menu, &facts, 4000);
	menu_point(&menu, &facts, -5);
	test_equal(menu.chosen, 2);
	menu_click(&menu, &facts, MENU_ROWS, &action); /* the panel itself */
	test_equal(menu.state, MENU_OPEN);
	menu_click(&menu, &facts, 1, &action);
	test_equal(action.verb, WIRE_VERB_SWITCH);
	menu_answer(&menu, &facts, 0, "");
	menu_call(&menu, &facts);
	menu_click(&menu, &facts, MENU_TARGET_NOTHING, &action);
	test_assert(!menu_open(&menu));
	facts.locked = true;
	menu_news(&menu, &facts);
	for (int digit = 0; digit < 10; digit++)
		menu_click(&menu, &facts, MENU_TARGET_DIGIT + digit, &action);
	menu_click(&menu, &facts, MENU_TARGET_ERASE, &action);
	test_assert(strcmp(menu.pin, "012345678") == 0);
	menu_click(&menu, &facts, MENU_TARGET_ENTER, &action);
	test_equal(action.verb, WIRE_VERB_UNLOCK);
}

/* Any keys in any facts: no row is chosen that there is not. */
static void test_any_keys(void)
{
	uint32_t seed = 2003;

	begin();
	for (unsigned i = 0; i < 200000; i++) {
		struct menu_row rows[MENU_ROWS];
		unsigned n;

		seed = seed * 1664525 + 1013904223;
		if (seed >> 28 == 0) {
			facts.locked = seed & 0x10000;
			facts.time.frozen = !!(seed & 0x20000);
			facts.n_guests = seed >> 8 & 3;
			facts.shown = seed & 0x40000 ? 7 : 0;
			facts.guests[0].state = (seed >> 12) % WIRE_GUEST_STATES;
			menu_news(&menu, &facts);
		} else if (seed >> 28 == 1) {
			menu_call(&menu, &facts);
		} else if (seed >> 28 == 2) {
			menu_answer(&menu, &facts, seed & 1 ? 0 : -EACCES, "");
		} else {
			key((uint16_t)(seed >> 16 & 127));
		}
		n = menu_rows(&menu, &facts, rows);
		test_assert(n <= MENU_ROWS);
		test_assert(!n || menu.chosen < n);
		test_assert(memchr(menu.pin, 0, sizeof(menu.pin)));
	}
}

int main(void)
{
	test_run(test_table);
	test_run(test_no_state_is_a_trap);
	test_run(test_bases);
	test_run(test_keys_are_the_guests_until_called);
	test_run(test_switch);
	test_run(test_a_refusal_is_said);
	test_run(test_restart_asks_first);
	test_run(test_volume_and_microphone);
	test_run(test_lock);
	test_run(test_pins_are_bounded);
	test_run(test_more_time);
	test_run(test_time_is_asked_for_only_where_it_runs);
	test_run(test_a_late_answer_changes_nothing);
	test_run(test_pointer);
	test_run(test_any_keys);
	return 0;
}
