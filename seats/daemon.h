/*
 * irorid without its main: who sits where, what runs, and what everybody is told. daemon.c has the
 * whole; daemon_seat.c what seats ask and are told; daemon_devices.c monitors, input, sound;
 * daemon_people.c their time; daemon_first.c a machine that nothing is configured for; daemon_power.c
 * its end. bus.c shows it to D-Bus and asks here.
 *
 * Thread: main.
 */
#ifndef IRORI_SEATS_DAEMON_H
#define IRORI_SEATS_DAEMON_H

#include <glib.h>
#include <stdbool.h>

#include "gpu-share/policy.h"
#include "seats/cards.h"
#include "seats/claim.h"
#include "seats/guest_unit.h"
#include "seats/hours.h"
#include "seats/household.h"
#include "seats/inventory.h"
#include "seats/pin.h"
#include "seats/power_button.h"
#include "seats/seat_links.h"
#include "seats/seat_unit.h"
#include "seats/spawn.h"

struct daemon_config {
	const char *folder, *runtime, *state; /* /etc/irori, /run/irori, /var/lib/irori */
	const char *monitor, *seat_program;   /* irori-vmm, irori-seat */
	const char *const *seat_options;      /* NULL: none */
	enum spawn_how spawn;
	bool cards;                           /* false: seats get no monitors (tests) */
	int kept_first;                       /* files of cards that were kept over our death */
	unsigned n_kept;
	int64_t (*now)(void);                 /* CLOCK_MONOTONIC, ns */
	int64_t (*wall)(void);                /* seconds since 1970-01-01 00:00, local time */
};

struct daemon;

struct seat {
	struct daemon *daemon;
	const struct seat_config *config;
	struct seat_unit *unit;
	struct seat_links *links;
	uint32_t shown; /* a guest's id; 0: the list */
	bool locked;
	struct seat_lease lease;
	GHashTable *inputs;  /* id of the inventory -> nothing: the seat has been told */
	struct pin_throttle throttle;
	int64_t input_ns;    /* last input that the seat told of */
	char *claimed;       /* first run: where the keyboard is plugged in that sits here; NULL: none */
	struct wire_sound sound; /* what it was told last */
};

struct person_time {
	const struct person *person;
	struct usage usage;
	struct hours_verdict verdict;
	bool known;          /* there is a verdict */
	bool ahead;          /* the clock was, by days, and that is logged */
	uint32_t untold;     /* minutes of a warning that no seat was up for */
};

struct daemon_events {
	/* Anything that D-Bus shows of it may have changed. */
	void (*changed)(void *data);
	/* A card is open ("card0"): for being kept over our death. Again for one that was told of. fd -1: it
	 * is gone. */
	void (*card)(void *data, const char *name, int fd);
	/* All guests are off, as daemon_poweroff was to do. */
	void (*off)(void *data, bool machine);
};

struct daemon {
	struct daemon_config config;
	const struct daemon_events *events;
	void *data;
	struct household *household;
	GPtrArray *proposed;  /* struct seat_config; NULL: seats are configured */
	struct spawn *spawn;
	struct inventory *inventory; /* NULL: no udev here */
	guint inventory_source;
	struct cards *cards;  /* NULL: none */
	GPtrArray *seats;     /* struct seat */
	GPtrArray *guests;    /* struct guest_unit */
	GPtrArray *people;    /* struct person_time */
	struct policy policy;
	guint policy_timer, busy_timer, people_timer, store_timer, changed_idle, off_timer, first_timer,
		strangers_timer;
	unsigned strangers_tries;
	int64_t stepped_ns;   /* when people's time was looked at */
	struct claim *claim;  /* keyboards that are nobody's */
	struct power_buttons *buttons;
	GHashTable *watched;  /* ids of what these two have */
	uint32_t next_guest;
	bool started, powering_off, off_machine;
};

/* Reads the configuration, looks at what is plugged in, takes over what runs, starts the rest. */
struct daemon *daemon_new(const struct daemon_config *config, const struct daemon_events *events,
	void *data, GError **error);
/* What runs, goes on. */
void daemon_free(struct daemon *daemon);
/* The configuration anew; what runs, goes on. */
void daemon_reload(struct daemon *daemon);
/* Seats by these configurations from now on; those that were there go on. */
void daemon_seats_renew(struct daemon *daemon, const GPtrArray *configs);

struct seat *daemon_seat(struct daemon *daemon, const char *name);
struct seat *daemon_seat_by_number(struct daemon *daemon, uint32_t number);
struct guest_unit *daemon_guest(struct daemon *daemon, const char *name);
struct guest_unit *daemon_guest_by_id(struct daemon *daemon, uint32_t id);
struct person_time *daemon_person(struct daemon *daemon, const char *name);
/* The configured or the proposed: struct seat_config. */
const GPtrArray *daemon_seat_configs(const struct daemon *daemon);
/* Says anew which guests may start. */
void daemon_guests_bar(struct daemon *daemon);
/* Events go out once, from the loop. */
void daemon_changed(struct daemon *daemon);
void daemon_policy(struct daemon *daemon, enum policy_event_type type, uint32_t guest,
	enum share_class share_class);

/* daemon_seat.c: results are 0 or -errno; `why` (may be NULL) is what to say then. */
bool seat_may_show(const struct seat *seat, const struct guest_unit *guest);
void seat_begin(struct seat *seat);
int seat_switch(struct seat *seat, const char *guest, const char **why);
int seat_lock(struct seat *seat, bool locked);
int seat_unlock(struct seat *seat, const char *pin, const char **why);
void seat_identify(struct seat *seat, bool on, uint32_t seconds);
void seat_tell_settings(struct seat *seat);
void seat_tell_guest(struct seat *seat, const struct guest_unit *guest);
void seat_tell_time(struct seat *seat);
void seat_store(const struct seat *seat);
extern const struct seat_unit_events seat_events;

/* daemon_devices.c */
bool devices_open(struct daemon *daemon, GError **error);
void devices_close(struct daemon *daemon);
/* To a seat that has just come up; or after seats have changed. */
void devices_tell(struct seat *seat);
void devices_assign(struct daemon *daemon);
/* A device or hub, by its place, belongs to a seat from now on: written to the seat's file. */
bool devices_attach(struct daemon *daemon, struct seat *seat, const char *place, GError **error);
/* The inventory's item; NULL: there is none (any more). */
const struct inventory_item *devices_item(struct daemon *daemon, uint32_t id);
/* What everybody is told of keyboards that are nobody's. */
void devices_tell_unclaimed(struct seat *seat);
/* Whose it is now; NULL: nobody's. */
struct seat *devices_owner(struct daemon *daemon, const struct inventory_item *item);

/* daemon_people.c */
void people_open(struct daemon *daemon);
void people_close(struct daemon *daemon);
void people_step(struct daemon *daemon);
/* To a seat that has just come up. */
void people_tell(struct seat *seat);
/* minutes 0: tonight. */
int people_extend(struct daemon *daemon, const char *person, uint32_t minutes, const char **why);
/* Whether the PIN is the person's own or a parent's; one of who has none is not asked for. NULL: nobody's.
 * -EACCES: it is not; -EBUSY: too many tries at this seat. */
int people_pin(struct seat *seat, const char *person, const char *pin, const char **why);
/* A parent's only; -EPERM: none has one. */
int people_parent_pin(struct seat *seat, const char *pin, const char **why);
const char *seat_person(const struct seat *seat); /* of the guest that is shown; NULL: nobody's */

/* daemon_first.c */
void first_begin(struct daemon *daemon);
/* The proposed seats are written and count from now on. */
bool first_accept(struct daemon *daemon, GError **error);
/* F<number> was pressed on a keyboard that is nobody's, or any during the first run. */
void first_key(struct daemon *daemon, const struct inventory_item *item, unsigned number);
/* Enter: on a keyboard that sits somewhere, during the first run, it says that all is as it should be. */
void first_enter(struct daemon *daemon, const struct inventory_item *item);
/* During the first run something came or went. */
void first_news(struct daemon *daemon, enum inventory_kind kind);
/* What a seat's monitor says during the first run. g_free. */
char *first_text(const struct seat *seat);

/* daemon_power.c: guests in order, then `off`; machine: the PC as well. */
void daemon_poweroff(struct daemon *daemon, bool machine);
/* After `off`: the PC stays on, guests stay off until somebody starts them, and it can be tried again. */
void daemon_poweroff_refused(struct daemon *daemon);
void power_guest_changed(struct daemon *daemon);

#endif
