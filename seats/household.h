/*
 * What is configured: seats, guests, people. Files in /etc/irori (or another folder, for tests):
 *
 *	irori.conf          [Irori]
 *	seats.d/NAME.conf   [Seat]      a seat, called NAME
 *	guests.d/NAME.conf  [Household] beside the sections of irori-vmm: a guest, called NAME
 *	people.d/NAME.conf  [Person]
 *
 * with drop-ins in NAME.conf.d/ (irori.conf.d/), systemd's way: in the order of their names, a key that is
 * said later counts. In a guest's drop-in only [Household] counts: irori-vmm is given the file itself.
 * A file that is wrong is left out with a complaint that has file, line and what was expected; the others
 * count. An unknown key or section is a complaint only. Lists have spaces between.
 *
 * Thread: any; nothing here changes after household_load.
 */
#ifndef IRORI_SEATS_HOUSEHOLD_H
#define IRORI_SEATS_HOUSEHOLD_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	HOUSEHOLD_MAX = 64,         /* files of each kind, drop-ins of each file */
	HOUSEHOLD_MAX_NAME = 63,
	HOUSEHOLD_MAX_OUTPUTS = 16, /* of a seat */
};

enum household_kind {
	HOUSEHOLD_IRORI,
	HOUSEHOLD_SEAT,
	HOUSEHOLD_GUEST,
	HOUSEHOLD_PERSON,
	HOUSEHOLD_KINDS
};

/* Lists are NULL-terminated and never NULL. */
struct seat_config {
	char *name;
	char **outputs;  /* places of connectors, or "monitor:IDENTITY" */
	char **inputs;   /* places or prefixes */
	char *sound;     /* place of a card; NULL: none */
	char **guests;   /* that may be shown, the first is shown at first; empty: all */
	char *mode;      /* WIDTHxHEIGHT, or NULL: what the monitor prefers */
	char *chord;     /* two keys of input/keymap.h, "ctrl+ctrl_r", or "none"; NULL: those */
	uint32_t volume; /* per cent */
	uint32_t number; /* from 1, by name; not a key */
};

struct guest_entry {
	char *name;
	char *title;   /* for people; the name if there is none */
	char *path;    /* the file, for irori-vmm */
	char *socket;  /* Socket= of its [Guest]; NULL: NAME.sock in the runtime folder */
	char *person;  /* NULL: everybody's. One of who is not among the people does not start */
	bool autostart, kiosk, restart; /* kiosk: reset when the visitor leaves; restart: after a crash */
	char **seats;  /* where it may be shown; empty: everywhere */
	uint32_t cpu_weight; /* 1..10000 */
	uint32_t cpu_quota;  /* per cent of a processor; 0: no limit */
	uint64_t memory_max; /* of its processes; 0: no limit */
};

/* One span of hours on days of a week: bit 0 is Monday. Minutes since midnight, from < to. */
struct hours_span {
	uint8_t days;
	uint16_t from, to;
};

struct person {
	char *name;
	char *title;
	char *pin;        /* crypt(5); NULL: none */
	bool parent;      /* its PIN extends and unlocks for others */
	GArray *hours;    /* struct hours_span; empty: always */
	uint32_t budget;  /* minutes a day; 0: no limit */
	GArray *warnings; /* uint32_t minutes, falling: 15, 5, 1 */
};

struct irori_config {
	char *sound_server; /* NULL: what is there */
	uint32_t backoff_min_ms, backoff_max_ms;
	bool spares; /* of seats' processes: see seat_unit.h */
	uint32_t shutdown_seconds; /* for guests to switch off by themselves */
};

struct household {
	struct irori_config irori;
	GPtrArray *seats;   /* struct seat_config, by name */
	GPtrArray *guests;  /* struct guest_entry, by name */
	GPtrArray *people;  /* struct person, by name */
	GPtrArray *complaints; /* char *, a line each, for the log and for `irori check` */
};

/* Never fails: what is wrong is among the complaints. A folder that is not there is an empty one. */
struct household *household_load(const char *folder);
/* In pieces: nothing yet, and one file's text more (`path` is for messages). */
struct household *household_new(void);
void household_parse(struct household *household, enum household_kind kind, const char *name,
	const char *path, const char *text, size_t len);
void household_free(struct household *household);
const struct seat_config *household_seat(const struct household *household, const char *name);
const struct guest_entry *household_guest(const struct household *household, const char *name);
const struct person *household_person(const struct household *household, const char *name);

/* sd-login's rule without its prefix: 1 to 63 of a-z A-Z 0-9 _ - . and no dot or dash first. */
bool household_name_valid(const char *name);

/* What a seat's file says; g_free. */
char *household_seat_text(const struct seat_config *seat);
/* Writes seats.d/NAME.conf, whole or not at all; a file that is there is kept unless `replace`. */
bool household_write_seat(const char *folder, const struct seat_config *seat, bool replace,
	GError **error);
/* Made by hand: with empty lists and defaults. */
struct seat_config *seat_config_new(const char *name);
struct seat_config *seat_config_copy(const struct seat_config *seat);
void seat_config_free(struct seat_config *seat);

#endif
