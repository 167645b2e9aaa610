/*
 * The seat menu: what a person at the seat can ask for, and how. A state machine, fed with keys and
 * clicks, that says what is to be done. Drawing is overlay.h's.
 *
 * Where nobody has called the menu, the seat is in one of five places, as irorid has it: the guest has
 * the seat (MENU_NONE), nobody has (MENU_LIST), the guest is off or has crashed (MENU_STOPPED), its
 * person's time is over (MENU_FROZEN), the seat is locked (MENU_LOCKED). That is the base below.
 *
 *	 base --call--> MENU_OPEN --confirm--> MENU_CONFIRM        back: to where it came from
 *	   |               |                                       done, call: to the base
 *	   +-----time------+-----> MENU_TIME ---pin---> MENU_PIN   refused: stays
 *
 *	 any --news--> MENU_LOCKED when the seat is locked; a base follows its base
 *
 * In MENU_NONE keys are the guest's, else the menu's.
 *
 * Thread: the main one. Pure: no clock, no descriptors.
 */
#ifndef IRORI_SEATS_SEAT_MENU_H
#define IRORI_SEATS_SEAT_MENU_H

#include "seats/seat/facts.h"

enum menu_state {
	MENU_NONE,
	MENU_LIST,
	MENU_STOPPED,
	MENU_FROZEN,
	MENU_LOCKED,
	MENU_OPEN,
	MENU_CONFIRM,
	MENU_TIME,
	MENU_PIN,
	MENU_STATES
};

enum menu_event {
	MENU_EVENT_CALL,    /* both Ctrl, a click on nothing */
	MENU_EVENT_BACK,
	MENU_EVENT_CONFIRM, /* something that cannot be undone was chosen */
	MENU_EVENT_TIME,
	MENU_EVENT_PIN,
	MENU_EVENT_DONE,    /* what was asked for happens */
	MENU_EVENT_REFUSED,
	MENU_EVENT_NEWS,    /* the facts are others */
	MENU_EVENTS
};

enum menu_item {
	MENU_CONTINUE,
	MENU_SWITCH,     /* to a guest, which is started if it is off */
	MENU_VOLUME,
	MENU_MICROPHONE,
	MENU_MORE_TIME,
	MENU_LOCK,
	MENU_GUESTS,     /* the list of guests */
	MENU_RESTART,
	MENU_POWEROFF,
	MENU_YES,        /* of MENU_CONFIRM */
	MENU_MINUTES,    /* value: how many; 0: tonight */
	MENU_CANCEL,
	MENU_ITEMS
};

enum menu_limits {
	MENU_ROWS = WIRE_GUESTS + 10,
	MENU_TEXT = 96,
	MENU_VOLUME_MAX = 100,
	MENU_VOLUME_STEP = 5,
};

struct menu_row {
	enum menu_item item;
	uint32_t guest;          /* MENU_SWITCH */
	int value;               /* MENU_VOLUME: per cent; MENU_MINUTES; MENU_MICROPHONE: 0, 1 */
	bool warns;              /* of something that cannot be undone */
	char text[MENU_TEXT];
	char detail[MENU_TEXT];  /* in fewer letters, at the right */
};

/* What can be pointed at: a row by its number, or: */
enum menu_target {
	MENU_TARGET_NOTHING = -1,
	MENU_TARGET_DIGIT = 100, /* .. 109 */
	MENU_TARGET_ERASE = 110,
	MENU_TARGET_ENTER,
	MENU_TARGET_BACK,
};

struct menu {
	enum menu_state state;
	enum menu_state from;    /* where MENU_BACK of MENU_TIME and MENU_CONFIRM leads */
	unsigned chosen;         /* row */
	enum menu_item asked;    /* of MENU_CONFIRM */
	int minutes;             /* of MENU_PIN */
	char pin[WIRE_PIN];
	bool waiting;            /* for irorid's answer */
	char said[WIRE_TEXT];    /* why the last request came to nothing */
};

enum menu_deed {
	MENU_DEED_NONE,
	MENU_DEED_REQUEST,
	MENU_DEED_VOLUME,     /* value */
	MENU_DEED_MUTE,       /* value: 0, 1 */
	MENU_DEED_MICROPHONE, /* value: 0, 1 */
};

/* What is to be done now; a request is answered by menu_answer(). */
struct menu_action {
	enum menu_deed deed;
	int value;
	uint32_t verb; /* enum wire_verb */
	char argument[WIRE_NAME];
	char pin[WIRE_PIN];
};

void menu_init(struct menu *menu);
/* The table: where an event leads from a state. `from` as in struct menu. */
enum menu_state menu_next(enum menu_state state, enum menu_event event, enum menu_state base,
	enum menu_state from);
enum menu_state menu_base(const struct seat_facts *facts);
/* Keys are the menu's. */
bool menu_open(const struct menu *menu);

/* The rows of the state; none where a PIN is asked for. How many. */
unsigned menu_rows(const struct menu *menu, const struct seat_facts *facts,
	struct menu_row rows[MENU_ROWS]);
/* A PIN is asked for. */
bool menu_wants_pin(const struct menu *menu);

/* The facts are others than before. */
void menu_news(struct menu *menu, const struct seat_facts *facts);
/* The chord. */
void menu_call(struct menu *menu, const struct seat_facts *facts);
/* A key went down (linux/input-event-codes.h). */
void menu_key(struct menu *menu, const struct seat_facts *facts, uint16_t code,
	struct menu_action *action);
/* The pointer is on a target (enum menu_target or a row), or went down on it. */
void menu_point(struct menu *menu, const struct seat_facts *facts, int target);
void menu_click(struct menu *menu, const struct seat_facts *facts, int target,
	struct menu_action *action);
/* 0 or -errno, and words for people ("" for none). */
void menu_answer(struct menu *menu, const struct seat_facts *facts, int result, const char *text);

#endif
