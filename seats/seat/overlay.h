/*
 * The overlay: what the seat itself shows, over the guest's picture or without one. The menu, the list
 * of guests, lock and frozen screen, the seat's number, notices, the volume, the mark of an open
 * microphone.
 *
 * Pure: a model goes in, a layout (boxes with text, integers only) comes out, and a layout is drawn
 * into an ARGB image by cairo and Pango. The pointer is looked up in the same layout. Sizes are in
 * pixels and follow overlay_scale(): what is shown can be read from a sofa.
 *
 * Thread: the main one.
 */
#ifndef IRORI_SEATS_SEAT_OVERLAY_H
#define IRORI_SEATS_SEAT_OVERLAY_H

#include "display/port.h"
#include "seats/seat/facts.h"
#include "seats/seat/menu.h"

enum overlay_limits {
	OVERLAY_ITEMS = 96,
	OVERLAY_UNITS = 1080, /* a screen is at least so many units high when its size is not known */
};

struct overlay_notice {
	bool on;
	char text[WIRE_TEXT];
};

/* All there is to show. */
struct overlay_model {
	uint32_t width, height;       /* of the monitor, pixels */
	uint32_t width_mm, height_mm; /* 0: not known */
	const struct seat_facts *facts;
	const struct menu *menu;
	char clock[16];               /* "19:04"; "": none */
	bool arriving;                /* it is too early to say that the guest is on its way */
	bool hint;                    /* the input has just gone to the shown guest */
	bool volume;                  /* a volume key was pressed */
	bool identify;
	char identify_text[WIRE_TEXT];
	struct overlay_notice notices[WIRE_NOTICES];
};

enum overlay_kind {
	OVERLAY_VEIL,     /* the guest's picture, dimmed */
	OVERLAY_HEARTH,   /* the seat's own background */
	OVERLAY_PANEL,
	OVERLAY_RULE,     /* a thin line */
	OVERLAY_ROW,      /* one that can be chosen */
	OVERLAY_BAR,      /* value: per cent */
	OVERLAY_SWITCH,   /* value: 0, 1 */
	OVERLAY_TEXT,
	OVERLAY_PIN,      /* value: how many digits */
	OVERLAY_KEY,      /* of the pad for a PIN */
	OVERLAY_PILL,     /* a notice's background */
	OVERLAY_ICON,     /* value: enum overlay_icon */
	OVERLAY_KINDS
};

enum overlay_icon {
	OVERLAY_ICON_HEARTH,
	OVERLAY_ICON_MICROPHONE,
	OVERLAY_ICON_SPEAKER,
	OVERLAY_ICON_MUTED,
	OVERLAY_ICON_LOCK,
	OVERLAY_ICON_CLOCK,
	OVERLAY_ICON_KEYBOARD,
	OVERLAY_ICON_INFO,
};

enum overlay_style {
	OVERLAY_PLAIN = 0,
	OVERLAY_BOLD = 1 << 0,
	OVERLAY_DIM = 1 << 1,     /* of less weight */
	OVERLAY_CHOSEN = 1 << 2,
	OVERLAY_WARNS = 1 << 3,
	OVERLAY_LIVE = 1 << 4,    /* ember: something is going on */
	OVERLAY_LEFT = 0,
	OVERLAY_CENTRE = 1 << 5,
	OVERLAY_RIGHT = 1 << 6,
	OVERLAY_WRAPS = 1 << 7,
};

struct overlay_item {
	enum overlay_kind kind;
	unsigned style;    /* enum overlay_style, or'ed */
	struct rect box;
	unsigned size;     /* of text, pixels */
	int value;
	int target;        /* enum menu_target or a row; MENU_TARGET_NOTHING: cannot be pointed at */
	char text[WIRE_TEXT];
};

struct overlay_layout {
	struct overlay_item items[OVERLAY_ITEMS]; /* from the back to the front */
	unsigned n;
	uint32_t width, height;
	double unit;       /* pixels */
	struct rect extent; /* within the monitor: all that is drawn; empty: nothing is */
	bool modal;        /* the menu has the pointer */
	bool hides;        /* nothing of the guest is to be seen, on other monitors either */
};

/* Pixels of one unit. */
double overlay_scale(uint32_t width, uint32_t height, uint32_t width_mm, uint32_t height_mm);
void overlay_layout(const struct overlay_model *model, struct overlay_layout *layout);
/* What is at a pixel of the monitor: enum menu_target or a row. */
int overlay_target(const struct overlay_layout *layout, double x, double y);
/* What was laid out: for tests, and to see whether there is anything to draw anew. */
uint64_t overlay_hash(const struct overlay_layout *layout);

/* Draws the layout's extent into extent.width * extent.height pixels, premultiplied ARGB8888 as cairo
 * has it, stride (a multiple of 4) bytes a row; all of them are written. */
bool overlay_draw(const struct overlay_layout *layout, uint8_t *pixels, uint32_t stride);
/* The seat's own pointer, its tip at x, y of the monitor, into the same pixels. Returns what of them
 * it touched, for who wants to take it away again. */
struct rect overlay_draw_pointer(const struct overlay_layout *layout, double x, double y,
	uint8_t *pixels, uint32_t stride);
/* Finds the fonts, which takes a while the first time. Any thread. */
void overlay_prepare(void);

#endif
