/*
 * What the menu offers in each of its states, and in which words.
 */
#include "seats/seat/menu.h"

#include <stdarg.h>
#include <stdio.h>

struct rows {
	struct menu_row *row;
	unsigned n;
	const struct seat_facts *facts;
};

static const char *const state_words[WIRE_GUEST_STATES] = {
	[WIRE_GUEST_OFF] = "off",
	[WIRE_GUEST_STARTING] = "starting",
	[WIRE_GUEST_RUNNING] = "running",
	[WIRE_GUEST_RESETTING] = "restarting",
	[WIRE_GUEST_PAUSED] = "paused",
	[WIRE_GUEST_FROZEN] = "time is over",
	[WIRE_GUEST_CRASHED] = "crashed",
};

__attribute__((format(printf, 3, 4))) static struct menu_row *rows_add(struct rows *rows,
	enum menu_item item, const char *format, ...)
{
	static struct menu_row spare;
	struct menu_row *row = rows->n < MENU_ROWS ? &rows->row[rows->n++] : &spare;
	va_list arguments;

	*row = (struct menu_row){ .item = item };
	va_start(arguments, format);
	vsnprintf(row->text, sizeof(row->text), format, arguments);
	va_end(arguments);
	return row;
}

static void rows_detail(struct menu_row *row, const char *text)
{
	snprintf(row->detail, sizeof(row->detail), "%s", text);
}

static void rows_guest(struct rows *rows, const struct wire_guest *guest, const char *format)
{
	struct menu_row *row;

	/* format is one of ours, with one %s */
	row = rows_add(rows, MENU_SWITCH, "%s", "");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(row->text, sizeof(row->text), format, facts_title(guest));
#pragma GCC diagnostic pop
	row->guest = guest->id;
	if (guest->state < WIRE_GUEST_STATES)
		rows_detail(row, state_words[guest->state]);
}

static void rows_guests(struct rows *rows, const char *format, bool shown)
{
	for (unsigned i = 0; i < rows->facts->n_guests && i < WIRE_GUESTS; i++) {
		const struct wire_guest *guest = &rows->facts->guests[i];

		if ((guest->id == rows->facts->shown) == shown)
			rows_guest(rows, guest, format);
	}
}

static void rows_sound(struct rows *rows)
{
	const struct seat_facts *facts = rows->facts;
	struct menu_row *row = rows_add(rows, MENU_VOLUME, "Volume");

	row->value = facts->muted ? 0 : (int)facts->volume;
	if (!facts->sound)
		rows_detail(row, "no sound card");
	else if (facts->muted)
		rows_detail(row, "muted");
	else
		snprintf(row->detail, sizeof(row->detail), "%u %%", facts->volume);
	if (!facts_shown(facts) || !facts->sound)
		return;
	row = rows_add(rows, MENU_MICROPHONE, "Microphone");
	row->value = facts->microphone;
	rows_detail(row, facts->microphone ? "open" : "closed");
}

static void rows_open(struct rows *rows)
{
	const struct seat_facts *facts = rows->facts;
	const struct wire_guest *guest = facts_shown(facts);

	if (guest)
		rows_add(rows, MENU_CONTINUE, "Back to %s", facts_title(guest));
	rows_guests(rows, guest ? "Switch to %s" : "%s", false);
	rows_sound(rows);
	if (guest && facts->time.left_us >= 0)
		rows_add(rows, MENU_MORE_TIME, "Ask for more time");
	if (!guest)
		return;
	rows_add(rows, MENU_LOCK, "Lock this seat");
	rows_add(rows, MENU_RESTART, "Restart %s", facts_title(guest))->warns = true;
	rows_add(rows, MENU_POWEROFF, "Switch %s off", facts_title(guest))->warns = true;
}

static void rows_time(struct rows *rows)
{
	rows_add(rows, MENU_MINUTES, "15 minutes")->value = 15;
	rows_add(rows, MENU_MINUTES, "30 minutes")->value = 30;
	rows_add(rows, MENU_MINUTES, "One hour")->value = 60;
	rows_add(rows, MENU_MINUTES, "All of tonight")->value = 0;
	rows_add(rows, MENU_CANCEL, "Back");
}

static void rows_confirm(struct rows *rows, enum menu_item asked)
{
	rows_add(rows, MENU_YES, asked == MENU_RESTART ? "Yes, restart" : "Yes, switch off")->warns =
		true;
	rows_add(rows, MENU_CANCEL, "No, go back");
}

static void rows_stopped(struct rows *rows)
{
	const struct wire_guest *guest = facts_shown(rows->facts);

	rows_guests(rows, guest && guest->state == WIRE_GUEST_CRASHED ? "Start %s again" : "Start %s",
		true);
	rows_guests(rows, "Switch to %s", false);
}

unsigned menu_rows(const struct menu *menu, const struct seat_facts *facts,
	struct menu_row rows[MENU_ROWS])
{
	struct rows all = { .row = rows, .facts = facts };

	switch (menu->state) {
	case MENU_NONE:
	case MENU_LOCKED:
	case MENU_PIN:
	case MENU_STATES:
		break;
	case MENU_LIST:
		rows_guests(&all, "%s", false);
		break;
	case MENU_STOPPED:
		rows_stopped(&all);
		break;
	case MENU_FROZEN:
		rows_add(&all, MENU_MORE_TIME, "More time");
		rows_guests(&all, "Switch to %s", false);
		break;
	case MENU_OPEN:
		rows_open(&all);
		break;
	case MENU_CONFIRM:
		rows_confirm(&all, menu->asked);
		break;
	case MENU_TIME:
		rows_time(&all);
		break;
	}
	return all.n;
}
