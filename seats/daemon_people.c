/*
 * People's time: looked at every few seconds and when a verdict says so; what is used is counted from
 * the monotonic clock, hours from the wall's. A guest whose person has no time left is frozen: nothing
 * is lost, and a parent's PIN lets it go on.
 */
#define G_LOG_DOMAIN "irorid"

#include <errno.h>
#include <string.h>

#include "seats/daemon.h"
#include "seats/usage.h"

enum {
	LOOK_EVERY_S = 5,
	STORE_EVERY_S = 60,   /* what a power cut may give back */
	NOTICE_S = 20,
};

struct person_time *daemon_person(struct daemon *daemon, const char *name)
{
	for (guint i = 0; i < daemon->people->len; i++) {
		struct person_time *time = g_ptr_array_index(daemon->people, i);

		if (!strcmp(time->person->name, name))
			return time;
	}
	return NULL;
}

static char *usage_folder(const struct daemon *daemon)
{
	return g_build_filename(daemon->config.state, "usage", NULL);
}

static bool limited(const struct person *person)
{
	return person->hours->len || person->budget;
}

static void usage_keep(struct daemon *daemon, const struct person_time *time)
{
	g_autofree char *folder = usage_folder(daemon);
	g_autoptr(GError) error = NULL;

	if (limited(time->person) &&
		!usage_store(folder, time->person->name, &time->usage, &error))
		g_warning("%s: %s", time->person->name, error->message);
}

static void usage_keep_all(struct daemon *daemon)
{
	for (guint i = 0; i < daemon->people->len; i++)
		usage_keep(daemon, g_ptr_array_index(daemon->people, i));
}

static gboolean store_time(gpointer data)
{
	usage_keep_all(data);
	return G_SOURCE_CONTINUE;
}

void people_open(struct daemon *daemon)
{
	g_autofree char *folder = usage_folder(daemon);

	for (guint i = 0; i < daemon->household->people->len; i++) {
		struct person_time *time = g_new0(struct person_time, 1);
		g_autoptr(GError) error = NULL;

		time->person = g_ptr_array_index(daemon->household->people, i);
		if (!usage_load(folder, time->person->name, &time->usage, &error))
			g_warning("%s: %s; it begins anew", time->person->name, error->message);
		g_ptr_array_add(daemon->people, time);
	}
	daemon->stepped_ns = daemon->config.now();
	daemon->store_timer = g_timeout_add_seconds(STORE_EVERY_S, store_time, daemon);
}

void people_close(struct daemon *daemon)
{
	usage_keep_all(daemon);
	g_clear_handle_id(&daemon->people_timer, g_source_remove);
	g_clear_handle_id(&daemon->store_timer, g_source_remove);
	g_ptr_array_set_size(daemon->people, 0);
}

/* Somebody sees it, and it runs. */
static bool in_use(struct daemon *daemon, const struct person_time *time)
{
	for (guint i = 0; i < daemon->seats->len; i++) {
		const struct seat *seat = g_ptr_array_index(daemon->seats, i);
		const struct guest_unit *guest = daemon_guest_by_id(daemon, seat->shown);
		enum wire_guest_state state;

		if (!guest || g_strcmp0(guest_unit_entry(guest)->person, time->person->name))
			continue;
		state = guest_unit_state(guest);
		if (!seat->locked && (state == WIRE_GUEST_RUNNING || state == WIRE_GUEST_RESETTING))
			return true;
	}
	return false;
}

/* Every guest, also one whose person has no limit any more, or that is nobody's now. Whose person is not
 * configured stands still, if it runs at all. */
static void verdicts_apply(struct daemon *daemon)
{
	for (guint i = 0; i < daemon->guests->len; i++) {
		struct guest_unit *guest = g_ptr_array_index(daemon->guests, i);
		const char *name = guest_unit_entry(guest)->person;
		const struct person_time *time = name ? daemon_person(daemon, name) : NULL;

		guest_unit_freeze(guest, time ? !time->verdict.allowed : name != NULL);
	}
}

/* True: somebody could read it. */
static bool warn(struct seat *seat, uint32_t minutes)
{
	g_autofree char *text = g_strdup_printf("%u %s left", minutes,
		minutes == 1 ? "minute" : "minutes");

	seat_unit_notice(seat->unit, WIRE_NOTICE_WARNING, NOTICE_S, text);
	return seat_unit_is_up(seat->unit);
}

static void verdict_tell(struct daemon *daemon, struct person_time *time)
{
	if (time->verdict.warning)
		time->untold = time->verdict.warning;
	for (guint i = 0; i < daemon->seats->len; i++) {
		struct seat *seat = g_ptr_array_index(daemon->seats, i);

		if (g_strcmp0(seat_person(seat), time->person->name))
			continue;
		seat_tell_time(seat);
		if (time->verdict.warning && warn(seat, time->verdict.warning))
			time->untold = 0;
	}
}

void people_tell(struct seat *seat)
{
	const char *name = seat_person(seat);
	struct person_time *time = name ? daemon_person(seat->daemon, name) : NULL;

	seat_tell_time(seat);
	if (time && time->untold && warn(seat, time->untold))
		time->untold = 0;
}

/* There is no new budget for so long, and whoever wonders finds here why. */
static void ahead_tell(struct person_time *time, int64_t wall)
{
	int64_t days = time->person->budget ? hours_days_ahead(&time->usage, wall) : 0;

	if (days > 1 && !time->ahead)
		g_warning("%s: the clock has been %" G_GINT64_FORMAT " days ahead: no new budget until then, or "
			"until somebody gives time (irori extend)", time->person->name, days);
	time->ahead = days > 1;
}

static gboolean people_time(gpointer data)
{
	struct daemon *daemon = data;

	daemon->people_timer = 0;
	people_step(daemon);
	return G_SOURCE_REMOVE;
}

void people_step(struct daemon *daemon)
{
	int64_t now = daemon->config.now(), wall = daemon->config.wall();
	int64_t elapsed_us = (now - daemon->stepped_ns) / 1000, next_s = wall + LOOK_EVERY_S;
	bool any = false;

	daemon->stepped_ns = now;
	for (guint i = 0; i < daemon->people->len; i++) {
		struct person_time *time = g_ptr_array_index(daemon->people, i);
		struct hours_verdict before = time->verdict;
		bool known = time->known;

		if (!limited(time->person)) {
			time->verdict = (struct hours_verdict){ INT64_MAX, true, 0, INT64_MAX };
			time->known = true;
			continue;
		}
		any = true;
		time->verdict = hours_step(time->person, &time->usage, wall,
			in_use(daemon, time) ? elapsed_us : 0);
		time->known = true;
		ahead_tell(time, wall);
		next_s = MIN(next_s, time->verdict.next_s);
		if (!known || before.allowed != time->verdict.allowed || time->verdict.warning ||
			before.left_us != time->verdict.left_us)
			verdict_tell(daemon, time);
		if (known && before.allowed != time->verdict.allowed) {
			g_message("%s: %s", time->person->name,
				time->verdict.allowed ? "may go on" : "time is over");
			usage_keep(daemon, time);
		}
	}
	verdicts_apply(daemon);
	g_clear_handle_id(&daemon->people_timer, g_source_remove);
	if (!any)
		return;
	daemon->people_timer = g_timeout_add((guint)CLAMP((next_s - wall) * 1000, 200,
		LOOK_EVERY_S * 1000), people_time, daemon);
	daemon_changed(daemon);
}

int people_extend(struct daemon *daemon, const char *person, uint32_t minutes, const char **why)
{
	struct person_time *time = daemon_person(daemon, person);

	if (!time) {
		if (why)
			*why = "There is no such person";
		return -ENOENT;
	}
	people_step(daemon); /* what is used up to now is used of what was there */
	if (minutes)
		hours_extend(&time->usage, daemon->config.wall(), minutes);
	else
		hours_tonight(&time->usage, daemon->config.wall());
	usage_keep(daemon, time);
	people_step(daemon);
	return 0;
}

/* Whose PIN it is: a parent's, or the person's own (NULL: nobody's). Each is tried, so that how long
 * it takes says nothing. */
static enum pin_whose pin_is(const struct daemon *daemon, const char *person, const char *pin, bool *any)
{
	enum pin_whose whose = PIN_WRONG;

	*any = false;
	for (guint i = 0; i < daemon->people->len; i++) {
		const struct person *p =
			((struct person_time *)g_ptr_array_index(daemon->people, i))->person;

		if (!p->pin || (!p->parent && g_strcmp0(person, p->name)))
			continue;
		*any = true;
		if (pin_matches(p->pin, pin))
			whose = MAX(whose, p->parent ? PIN_PARENT : PIN_OWN);
	}
	return whose;
}

static int pin_try(struct seat *seat, const char *person, const char *pin, const char **why)
{
	int64_t now = seat->daemon->config.now();
	enum pin_whose whose;
	bool any;

	if (pin_wait(&seat->throttle, now)) {
		*why = "Too many tries: wait a minute";
		return -EBUSY;
	}
	whose = pin_is(seat->daemon, person, pin, &any);
	if (!any) {
		*why = "No parent has a PIN";
		return -EPERM;
	}
	pin_tried(&seat->throttle, whose, now);
	if (whose != PIN_WRONG)
		return 0;
	*why = "That is not the PIN";
	return -EACCES;
}

int people_pin(struct seat *seat, const char *person, const char *pin, const char **why)
{
	const struct person_time *own = person ? daemon_person(seat->daemon, person) : NULL;

	/* Who has no PIN cannot be kept out by one. */
	return own && own->person->pin ? pin_try(seat, person, pin, why) : 0;
}

int people_parent_pin(struct seat *seat, const char *pin, const char **why)
{
	return pin_try(seat, NULL, pin, why);
}
