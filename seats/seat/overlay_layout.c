/*
 * Where everything of the overlay is. Units are those of a screen of 1080 lines that is looked at from
 * across a room; people further away have larger screens.
 */
#include "seats/seat/overlay.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { /* units */
	PANEL = 820,
	PANEL_PAD = 36,
	ROW = 78,
	ROW_GAP = 6,
	TITLE = 42,
	TEXT = 35,
	SMALL = 27,
	PILL = 76,
	MARGIN = 28, /* from a screen's edges */
	PAD_KEY = 96,
};

#define DPI 96.0
#define MM_PER_INCH 25.4

struct lay {
	const struct overlay_model *model;
	struct overlay_layout *out;
	double unit;
};

static int px(const struct lay *lay, double units)
{
	return (int)lround(units * lay->unit);
}

double overlay_scale(uint32_t width, uint32_t height, uint32_t width_mm, uint32_t height_mm)
{
	double fits = fmin(height / 1000.0, width / 1280.0), usual = height / 1080.0, dpi;

	if (!height_mm || !width_mm)
		return fmax(fmin(usual, fits), 0.4);
	dpi = height * MM_PER_INCH / height_mm;
	if (dpi < 20 || dpi > 600)
		return fmax(fmin(usual, fits), 0.4);
	/* A small, fine screen is near, a large one far: between the two the middle. */
	return fmax(fmin(fmax(dpi / DPI, usual * 0.8), fits), 0.4);
}

static struct overlay_item *lay_add(struct lay *lay, enum overlay_kind kind, int x, int y, int width,
	int height)
{
	static struct overlay_item spare;
	struct overlay_layout *out = lay->out;
	struct overlay_item *item = out->n < OVERLAY_ITEMS ? &out->items[out->n++] : &spare;

	*item = (struct overlay_item){ .kind = kind, .target = MENU_TARGET_NOTHING };
	x = x < 0 ? 0 : x;
	y = y < 0 ? 0 : y;
	if (x < (int)out->width && y < (int)out->height && width > 0 && height > 0)
		item->box = (struct rect){ (uint32_t)x, (uint32_t)y,
			(uint32_t)(x + width > (int)out->width ? (int)out->width - x : width),
			(uint32_t)(y + height > (int)out->height ? (int)out->height - y : height) };
	return item;
}

__attribute__((format(printf, 8, 9))) static struct overlay_item *lay_text(struct lay *lay, int x,
	int y, int width, int height, double size, unsigned style, const char *format, ...)
{
	struct overlay_item *item = lay_add(lay, OVERLAY_TEXT, x, y, width, height);
	va_list arguments;

	item->size = (unsigned)px(lay, size);
	item->style = style;
	va_start(arguments, format);
	vsnprintf(item->text, sizeof(item->text), format, arguments);
	va_end(arguments);
	return item;
}

static struct overlay_item *lay_icon(struct lay *lay, int x, int y, int side, enum overlay_icon icon)
{
	struct overlay_item *item = lay_add(lay, OVERLAY_ICON, x, y, side, side);

	item->value = icon;
	return item;
}

static void lay_full(struct lay *lay, enum overlay_kind kind)
{
	lay_add(lay, kind, 0, 0, (int)lay->out->width, (int)lay->out->height);
	lay->out->hides |= kind == OVERLAY_HEARTH;
}

/* ---- rows ---- */

static void lay_row_value(struct lay *lay, const struct menu_row *row, int x, int y, int width,
	unsigned style)
{
	int right = x + width - px(lay, 28), h = px(lay, ROW), w;
	struct overlay_item *item;

	if (row->item == MENU_VOLUME && lay->model->facts->sound) {
		w = px(lay, 250);
		item = lay_add(lay, OVERLAY_BAR, right - px(lay, 110) - w, y + h / 2 - px(lay, 6), w,
			px(lay, 12));
		item->value = row->value;
		item->style = style;
	}
	if (row->item == MENU_MICROPHONE) {
		w = px(lay, 68);
		item = lay_add(lay, OVERLAY_SWITCH, right - w, y + h / 2 - px(lay, 18), w, px(lay, 36));
		item->value = row->value;
		item->style = style;
		right -= w + px(lay, 18);
	}
	if (row->detail[0])
		lay_text(lay, right - px(lay, 250), y, px(lay, 250), h, SMALL,
			style | OVERLAY_DIM | OVERLAY_RIGHT, "%s", row->detail);
}

static void lay_row(struct lay *lay, const struct menu_row *row, int target, int x, int y, int width)
{
	bool chosen = (int)lay->model->menu->chosen == target;
	unsigned style = (chosen ? OVERLAY_CHOSEN : 0u) | (row->warns ? OVERLAY_WARNS : 0u);
	int text = width - px(lay, 56), h = px(lay, ROW);
	struct overlay_item *item = lay_add(lay, OVERLAY_ROW, x, y, width, h);

	item->style = style;
	item->target = target;
	if (row->item == MENU_VOLUME || row->item == MENU_MICROPHONE)
		text = px(lay, 250);
	else if (row->detail[0])
		text -= px(lay, 200);
	lay_text(lay, x + px(lay, 28), y, text, h, TEXT, style | (chosen ? OVERLAY_BOLD : 0u), "%s",
		row->text);
	lay_row_value(lay, row, x, y, width, style);
}

/* How many rows there is room for: all, or a part around the chosen one. */
static unsigned lay_rows_fit(const struct lay *lay, unsigned n, int height)
{
	int fit = height / px(lay, ROW + ROW_GAP);

	return fit < 1 ? 1 : n < (unsigned)fit ? n : (unsigned)fit;
}

static void lay_rows(struct lay *lay, const struct menu_row *rows, unsigned n, unsigned fit, int x,
	int y, int width)
{
	unsigned chosen = lay->model->menu->chosen, first = 0;

	if (chosen >= fit / 2)
		first = chosen - fit / 2;
	if (first + fit > n)
		first = n - fit;
	for (unsigned i = first; i < first + fit && i < n; i++) {
		lay_row(lay, &rows[i], (int)i, x, y, width);
		y += px(lay, ROW + ROW_GAP);
	}
}

/* ---- words ---- */

static void words_left(char *text, size_t size, int64_t left_us)
{
	int64_t minutes = (left_us + 59999999) / 60000000;

	if (minutes >= 120)
		snprintf(text, size, "%d hours %02d minutes left", (int)(minutes / 60),
			(int)(minutes % 60));
	else
		snprintf(text, size, "%d minute%s left", (int)minutes, minutes == 1 ? "" : "s");
}

static const char *words_person(const struct seat_facts *facts)
{
	const struct wire_guest *guest = facts_shown(facts);

	return facts->time.person[0] ? facts->time.person : guest ? guest->person : "";
}

static void words_title(const struct lay *lay, char *title, char *below, size_t size)
{
	const struct seat_facts *facts = lay->model->facts;
	const struct wire_guest *guest = facts_shown(facts);
	const char *name = guest ? facts_title(guest) : "", *person = words_person(facts);
	bool restart = lay->model->menu->asked == MENU_RESTART;

	title[0] = below[0] = '\0';
	switch (lay->model->menu->state) {
	case MENU_NONE:
	case MENU_STATES:
		break;
	case MENU_LIST:
		snprintf(title, size, facts->n_guests ? "Which one is yours?" : "Nothing is set up here yet");
		snprintf(below, size, facts->n_guests ? "Choose, and press Enter" :
			"A guest is a file in /etc/irori/guests.d");
		break;
	case MENU_OPEN:
		snprintf(title, size, "%s", guest ? name : "This seat");
		if (facts->time.left_us >= 0)
			words_left(below, size, facts->time.left_us);
		else if (facts->number)
			snprintf(below, size, "Seat %u", facts->number);
		break;
	case MENU_CONFIRM:
		snprintf(title, size, restart ? "Restart %s?" : "Switch %s off?", name);
		snprintf(below, size, "What is not saved there may be lost");
		break;
	case MENU_TIME:
		snprintf(title, size, "How much more time?");
		snprintf(below, size, "A parent's PIN is asked for next");
		break;
	case MENU_PIN:
		snprintf(title, size, "A parent's PIN, please");
		if (lay->model->menu->minutes)
			snprintf(below, size, "For %d more minutes", lay->model->menu->minutes);
		else
			snprintf(below, size, "For all of tonight");
		break;
	case MENU_LOCKED:
		snprintf(title, size, "This seat is locked");
		snprintf(below, size, person[0] ? "The PIN of %s, or a parent's" : "A PIN opens it",
			person);
		break;
	case MENU_FROZEN:
		snprintf(title, size, person[0] ? "That was today's time, %s" : "That was today's time",
			person);
		snprintf(below, size, "Everything is kept just as it is. A parent's PIN gives more time.");
		break;
	case MENU_STOPPED:
		snprintf(title, size,
			guest && guest->state == WIRE_GUEST_CRASHED ? "%s has stopped" : "%s is off",
			name);
		if (guest && guest->state == WIRE_GUEST_CRASHED)
			snprintf(below, size, "Something went wrong there. Nobody else is affected.");
		break;
	}
}

static const char *words_keys(enum menu_state state)
{
	switch (state) {
	case MENU_LOCKED:
	case MENU_PIN:
		return "Digits, then Enter";
	case MENU_LIST:
	case MENU_STOPPED:
	case MENU_FROZEN:
		return "Up, Down and Enter, or the mouse";
	case MENU_OPEN:
	case MENU_CONFIRM:
	case MENU_TIME:
	case MENU_NONE:
	case MENU_STATES:
		break;
	}
	return "Up, Down, Enter      Esc: back";
}

/* ---- the menu ---- */

static void lay_said(struct lay *lay, int x, int y, int width, const char *otherwise)
{
	const struct menu *menu = lay->model->menu;

	if (menu->waiting)
		lay_text(lay, x, y, width, px(lay, 40), SMALL, OVERLAY_CENTRE | OVERLAY_LIVE,
			"One moment \342\200\246");
	else if (menu->said[0])
		lay_text(lay, x, y, width, px(lay, 40), SMALL, OVERLAY_CENTRE | OVERLAY_WARNS, "%s",
			menu->said);
	else
		lay_text(lay, x, y, width, px(lay, 40), SMALL - 3, OVERLAY_CENTRE | OVERLAY_DIM, "%s",
			otherwise);
}

/* In a panel, over the guest. */
static void lay_panel(struct lay *lay)
{
	const struct overlay_model *model = lay->model;
	char title[WIRE_TEXT], below[WIRE_TEXT];
	struct menu_row rows[MENU_ROWS];
	unsigned n = menu_rows(model->menu, model->facts, rows), fit;
	int width = px(lay, PANEL), pad = px(lay, PANEL_PAD), head = px(lay, 112), foot = px(lay, 64);
	int screen = (int)lay->out->height, x = ((int)lay->out->width - width) / 2, y, height;

	words_title(lay, title, below, sizeof(title));
	fit = lay_rows_fit(lay, n, screen - 2 * px(lay, MARGIN) - head - foot - pad);
	height = head + (int)fit * px(lay, ROW + ROW_GAP) + foot + pad / 2;
	y = (screen - height) / 2;
	lay_add(lay, OVERLAY_PANEL, x, y, width, height)->target = MENU_ROWS; /* not beside it */
	lay_icon(lay, x + pad, y + px(lay, 27), px(lay, 60), OVERLAY_ICON_HEARTH);
	lay_text(lay, x + pad + px(lay, 82), y + px(lay, 16), width - 2 * pad - px(lay, 82),
		below[0] ? px(lay, 52) : px(lay, 82), TITLE, OVERLAY_BOLD, "%s", title);
	if (below[0])
		lay_text(lay, x + pad + px(lay, 82), y + px(lay, 64), width - 2 * pad - px(lay, 82),
			px(lay, 36), SMALL, OVERLAY_DIM, "%s", below);
	lay_rows(lay, rows, n, fit, x + pad / 2, y + head, width - pad);
	lay_said(lay, x + pad, y + height - foot + px(lay, 8), width - 2 * pad,
		words_keys(model->menu->state));
}

static void lay_clock(struct lay *lay)
{
	if (lay->model->clock[0])
		lay_text(lay, 0, px(lay, 34), (int)lay->out->width, px(lay, 80), 60,
			OVERLAY_CENTRE | OVERLAY_DIM, "%s", lay->model->clock);
}

/* A large title in the middle of the seat's own background; below it there is room from y on. */
static int lay_greeting(struct lay *lay, int y, enum overlay_icon icon, const char *title,
	const char *below)
{
	int width = (int)lay->out->width, side = px(lay, 104), edge = px(lay, 60);

	lay_icon(lay, (width - side) / 2, y, side, icon);
	y += side + px(lay, 18);
	lay_text(lay, edge, y, width - 2 * edge, px(lay, 72), 56, OVERLAY_CENTRE | OVERLAY_BOLD, "%s",
		title);
	y += px(lay, 74);
	lay_text(lay, edge, y, width - 2 * edge, px(lay, 48), 30, OVERLAY_CENTRE | OVERLAY_DIM, "%s",
		below);
	return y + px(lay, 76);
}

/* Without a guest behind it. */
static void lay_hearth(struct lay *lay)
{
	const struct overlay_model *model = lay->model;
	enum overlay_icon icon = model->menu->state == MENU_FROZEN ? OVERLAY_ICON_CLOCK
								   : OVERLAY_ICON_HEARTH;
	char title[WIRE_TEXT], below[WIRE_TEXT];
	struct menu_row rows[MENU_ROWS];
	unsigned n = menu_rows(model->menu, model->facts, rows), fit;
	int width = px(lay, PANEL), screen = (int)lay->out->height, head = px(lay, 276);
	int top = px(lay, 130), foot = px(lay, 70), y;

	words_title(lay, title, below, sizeof(title));
	lay_clock(lay);
	fit = lay_rows_fit(lay, n, screen - top - head - foot);
	y = top + (screen - top - foot - head - (int)fit * px(lay, ROW + ROW_GAP)) / 2;
	y = lay_greeting(lay, y, icon, title, below);
	if (n)
		lay_rows(lay, rows, n, fit, ((int)lay->out->width - width) / 2, y, width);
	if (n)
		lay_said(lay, 0, screen - foot, (int)lay->out->width, words_keys(model->menu->state));
}

/* ---- a PIN ---- */

static void lay_pad(struct lay *lay, int y)
{
	static const struct {
		int target;
		const char *text;
	} keys[12] = {
		{ MENU_TARGET_DIGIT + 1, "1" }, { MENU_TARGET_DIGIT + 2, "2" },
		{ MENU_TARGET_DIGIT + 3, "3" }, { MENU_TARGET_DIGIT + 4, "4" },
		{ MENU_TARGET_DIGIT + 5, "5" }, { MENU_TARGET_DIGIT + 6, "6" },
		{ MENU_TARGET_DIGIT + 7, "7" }, { MENU_TARGET_DIGIT + 8, "8" },
		{ MENU_TARGET_DIGIT + 9, "9" }, { MENU_TARGET_ERASE, "\342\214\253" },
		{ MENU_TARGET_DIGIT + 0, "0" }, { MENU_TARGET_ENTER, "\342\234\223" },
	};
	int side = px(lay, PAD_KEY), step = side + px(lay, 14);
	int x = ((int)lay->out->width - 3 * step + px(lay, 14)) / 2;

	for (int i = 0; i < 12; i++) {
		struct overlay_item *item = lay_add(lay, OVERLAY_KEY, x + i % 3 * step,
			y + i / 3 * step, side, side);

		item->target = keys[i].target;
		item->size = (unsigned)px(lay, 38);
		item->style = OVERLAY_CENTRE | (keys[i].target == MENU_TARGET_ENTER &&
			lay->model->menu->pin[0] ? OVERLAY_LIVE : 0u);
		snprintf(item->text, sizeof(item->text), "%s", keys[i].text);
	}
}

static void lay_pin(struct lay *lay)
{
	const struct menu *menu = lay->model->menu;
	char title[WIRE_TEXT], below[WIRE_TEXT];
	int screen = (int)lay->out->height, pad = 4 * px(lay, PAD_KEY + 14), width = px(lay, 520);
	int height = px(lay, 274) + px(lay, 104) + pad + px(lay, 56), y = (screen - height) / 2;
	int x = ((int)lay->out->width - width) / 2;
	struct overlay_item *item;

	words_title(lay, title, below, sizeof(title));
	lay_full(lay, OVERLAY_HEARTH);
	y = lay_greeting(lay, y, OVERLAY_ICON_LOCK, title, below);
	item = lay_add(lay, OVERLAY_PIN, x, y, width, px(lay, 72));
	item->value = (int)strlen(menu->pin);
	item->style = menu->said[0] ? OVERLAY_WARNS : 0;
	lay_pad(lay, y + px(lay, 100));
	lay_said(lay, 0, y + px(lay, 100) + pad, (int)lay->out->width, words_keys(menu->state));
	if (menu->state == MENU_PIN)
		lay_text(lay, px(lay, MARGIN), px(lay, MARGIN), px(lay, 260), px(lay, 48), SMALL,
			OVERLAY_DIM, "Esc: back")->target = MENU_TARGET_BACK;
}

/* ---- what stands at the top ---- */

/* Text measures itself only when drawn: pills are as wide as their text can be. */
static int lay_pill(struct lay *lay, int y, enum overlay_icon icon, unsigned style, const char *text)
{
	int letters = 0, height = px(lay, PILL), width, x;

	for (const char *c = text; *c; c++)
		letters += (*c & 0xc0) != 0x80;
	width = px(lay, 124 + letters * 17.5);
	if (width > (int)lay->out->width - 2 * px(lay, MARGIN))
		width = (int)lay->out->width - 2 * px(lay, MARGIN);
	x = ((int)lay->out->width - width) / 2;
	lay_add(lay, OVERLAY_PILL, x, y, width, height)->style = style;
	lay_icon(lay, x + px(lay, 22), y + px(lay, 18), px(lay, 40), icon)->style = style;
	lay_text(lay, x + px(lay, 76), y, width - px(lay, 104), height, 31, style | OVERLAY_CENTRE, "%s",
		text);
	return y + height + px(lay, 12);
}

static int lay_volume(struct lay *lay, int y)
{
	const struct seat_facts *facts = lay->model->facts;
	int width = px(lay, 480), height = px(lay, PILL), x = ((int)lay->out->width - width) / 2;
	struct overlay_item *bar;

	lay_add(lay, OVERLAY_PILL, x, y, width, height);
	lay_icon(lay, x + px(lay, 22), y + px(lay, 18), px(lay, 40),
		facts->muted || !facts->volume ? OVERLAY_ICON_MUTED : OVERLAY_ICON_SPEAKER);
	bar = lay_add(lay, OVERLAY_BAR, x + px(lay, 76), y + px(lay, 31), px(lay, 290), px(lay, 14));
	bar->value = facts->muted ? 0 : (int)facts->volume;
	lay_text(lay, x + px(lay, 380), y, px(lay, 76), height, SMALL, OVERLAY_RIGHT, "%d",
		facts->muted ? 0 : (int)facts->volume);
	return y + height + px(lay, 12);
}

/* While the microphone is open, whatever else there is. */
static void lay_microphone(struct lay *lay)
{
	int side = px(lay, PILL), x = (int)lay->out->width - px(lay, MARGIN) - side;
	struct overlay_item *item;

	item = lay_add(lay, OVERLAY_PILL, x, px(lay, MARGIN), side, side);
	item->style = OVERLAY_LIVE;
	item = lay_icon(lay, x + px(lay, 17), px(lay, MARGIN + 17), px(lay, 42),
		OVERLAY_ICON_MICROPHONE);
	item->style = lay->model->facts->recording ? OVERLAY_LIVE : 0;
	item->value = OVERLAY_ICON_MICROPHONE;
}

static const char *words_state(const struct overlay_model *model, const struct wire_guest *guest)
{
	switch (guest->state) {
	case WIRE_GUEST_STARTING:
		return "is starting";
	case WIRE_GUEST_RESETTING:
		return "is restarting";
	case WIRE_GUEST_PAUSED:
		return "is paused";
	default:
		return model->facts->attached || model->arriving ? NULL : "is on its way";
	}
}

static void lay_notices(struct lay *lay)
{
	static const struct {
		enum overlay_icon icon;
		unsigned style;
	} looks[WIRE_NOTICES] = {
		[WIRE_NOTICE_INFO] = { OVERLAY_ICON_INFO, 0 },
		[WIRE_NOTICE_WARNING] = { OVERLAY_ICON_CLOCK, OVERLAY_WARNS },
		[WIRE_NOTICE_CLAIM] = { OVERLAY_ICON_KEYBOARD, 0 },
	};
	const struct overlay_model *model = lay->model;
	const struct wire_guest *guest = facts_shown(model->facts);
	bool alone = model->menu->state == MENU_NONE;
	int y = px(lay, MARGIN);
	char text[WIRE_TEXT];

	if (model->volume)
		y = lay_volume(lay, y);
	for (unsigned i = WIRE_NOTICES; i-- > 0;)
		if (model->notices[i].on)
			y = lay_pill(lay, y, looks[i].icon, looks[i].style, model->notices[i].text);
	if (alone && guest && model->facts->attached && words_state(model, guest)) {
		snprintf(text, sizeof(text), "%s %s", facts_title(guest),
			words_state(model, guest));
		lay_pill(lay, y, OVERLAY_ICON_HEARTH, 0, text);
	} else if (alone && guest && model->hint) {
		snprintf(text, sizeof(text), "Keyboard and mouse go to %s", facts_title(guest));
		lay_pill(lay, y, OVERLAY_ICON_KEYBOARD, 0, text);
	}
	if (model->facts->microphone)
		lay_microphone(lay);
}

/* The guest has the seat but no picture yet. */
static void lay_waiting(struct lay *lay)
{
	const struct seat_facts *facts = lay->model->facts;
	const struct wire_guest *guest = facts_shown(facts);
	const char *words = guest ? words_state(lay->model, guest) : NULL;
	char title[WIRE_TEXT];

	if (!guest || facts->attached || !words)
		return;
	lay_full(lay, OVERLAY_HEARTH);
	lay_clock(lay);
	snprintf(title, sizeof(title), "%s %s \342\200\246", facts_title(guest), words);
	lay_greeting(lay, ((int)lay->out->height - px(lay, 280)) / 2, OVERLAY_ICON_HEARTH, title,
		"Both Ctrl keys, held, open the seat's menu");
}

static void lay_identify(struct lay *lay)
{
	const struct overlay_model *model = lay->model;
	int width = (int)lay->out->width, height = (int)lay->out->height, side = px(lay, 560);

	lay_full(lay, OVERLAY_HEARTH);
	lay_text(lay, 0, (height - side) / 2 - px(lay, 60), width, side, 460,
		OVERLAY_CENTRE | OVERLAY_BOLD | OVERLAY_LIVE, "%u", model->facts->number);
	if (model->identify_text[0])
		lay_text(lay, px(lay, 60), (height + side) / 2 - px(lay, 40), width - px(lay, 120),
			px(lay, 160), 56, OVERLAY_CENTRE | OVERLAY_WRAPS, "%s", model->identify_text);
}

/* ---- all of it ---- */

static void lay_extent(struct overlay_layout *out)
{
	uint32_t left = UINT32_MAX, top = UINT32_MAX, right = 0, bottom = 0;

	for (unsigned i = 0; i < out->n; i++) {
		const struct rect *box = &out->items[i].box;

		if (!box->width)
			continue;
		left = box->x < left ? box->x : left;
		top = box->y < top ? box->y : top;
		right = box->x + box->width > right ? box->x + box->width : right;
		bottom = box->y + box->height > bottom ? box->y + box->height : bottom;
	}
	if (right)
		out->extent = (struct rect){ left, top, right - left, bottom - top };
}

void overlay_layout(const struct overlay_model *model, struct overlay_layout *layout)
{
	struct lay lay = { .model = model, .out = layout };

	memset(layout, 0, sizeof(*layout));
	layout->width = model->width;
	layout->height = model->height;
	if (!model->width || !model->height)
		return;
	lay.unit = layout->unit = overlay_scale(model->width, model->height, model->width_mm,
		model->height_mm);
	layout->modal = menu_open(model->menu);
	switch (model->menu->state) {
	case MENU_NONE:
	case MENU_STATES:
		lay_waiting(&lay);
		break;
	case MENU_LIST:
	case MENU_FROZEN:
		lay_full(&lay, OVERLAY_HEARTH);
		lay_hearth(&lay);
		break;
	case MENU_LOCKED:
	case MENU_PIN:
		lay_pin(&lay);
		break;
	case MENU_OPEN:
	case MENU_CONFIRM:
	case MENU_TIME:
	case MENU_STOPPED:
		/* Nothing of a frozen guest is to be seen. */
		lay_full(&lay, facts_shown(model->facts) && menu_base(model->facts) != MENU_FROZEN
				? OVERLAY_VEIL : OVERLAY_HEARTH);
		lay_panel(&lay);
		break;
	}
	if (model->identify)
		lay_identify(&lay);
	lay_notices(&lay);
	lay_extent(layout);
}

int overlay_target(const struct overlay_layout *layout, double x, double y)
{
	for (unsigned i = layout->n; i-- > 0;) {
		const struct overlay_item *item = &layout->items[i];

		if (item->target != MENU_TARGET_NOTHING && x >= item->box.x && y >= item->box.y &&
			x < item->box.x + (double)item->box.width &&
			y < item->box.y + (double)item->box.height)
			return item->target;
	}
	return MENU_TARGET_NOTHING;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ b[i]) * 0x100000001b3ull; /* FNV-1a */
	return hash;
}

uint64_t overlay_hash(const struct overlay_layout *layout)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (unsigned i = 0; i < layout->n; i++) {
		const struct overlay_item *item = &layout->items[i];
		const uint32_t numbers[] = { item->kind, item->style, item->box.x, item->box.y,
			item->box.width, item->box.height, item->size, (uint32_t)item->value,
			(uint32_t)item->target };

		hash = hash_bytes(hash, numbers, sizeof(numbers));
		hash = hash_bytes(hash, item->text, strlen(item->text) + 1);
	}
	return hash;
}
