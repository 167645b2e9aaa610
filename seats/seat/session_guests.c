/*
 * Which guest is shown and which has the input. The picture changes at once; the input when all keys
 * are up (router_switch), or after a while in any case.
 */
#define G_LOG_DOMAIN "irori-seat"

#include "seats/seat/session_priv.h"

#include <string.h>

#include "display/packet.h"
#include "seats/guest_link.h"

enum {
	HINT_MS = 2500,
	FORCE_MS = 2000, /* a key that lies under a book is let go */
	ARRIVES_MS = 300,
};

static struct slot *slot_of(struct session *session, const struct guest *guest)
{
	for (unsigned i = 0; i < ROUTER_GUESTS; i++)
		if (session->slots[i].guest == guest)
			return &session->slots[i];
	return NULL;
}

static bool slot_is_shown(struct session *session, const struct guest *guest)
{
	return session->shown >= 0 && session->slots[session->shown].guest == guest;
}

/* ---- the guests say ---- */

static void on_wants_link(void *data, struct guest *guest)
{
	struct session *session = data;

	if (slot_is_shown(session, guest))
		session_want_link(session, WIRE_LINK_PICTURE);
}

static void on_changed(void *data, struct guest *guest)
{
	session_soon(data);
}

static void on_reset(void *data, struct guest *guest)
{
	struct session *session = data;
	struct slot *slot = slot_of(session, guest);

	if (!slot)
		return;
	router_guest_reset(session->router, (unsigned)(slot - session->slots));
	if (slot_is_shown(session, guest))
		session_microphone(session, false); /* it was granted to what ran before */
}

static void on_leds(void *data, struct guest *guest, uint32_t leds)
{
	struct session *session = data;

	if (slot_is_shown(session, guest))
		session->config.devices->leds(session->config.devices_data, leds);
}

static void on_resized(void *data, struct guest *guest)
{
	session_soon(data);
}

const struct guest_events session_guest_events = {
	.wants_link = on_wants_link,
	.changed = on_changed,
	.reset = on_reset,
	.leds = on_leds,
	.resized = on_resized,
};

/* ---- the router says ---- */

static int on_send(void *data, unsigned slot, const struct port_input *events, unsigned n)
{
	struct session *session = data;

	return session->slots[slot].guest ? guest_input(session->slots[slot].guest, events, n) : 0;
}

/* The one that had the keys and is not shown any more has them no longer. */
static void session_leave_others(struct session *session)
{
	for (int i = 0; i < ROUTER_GUESTS; i++) {
		struct slot *slot = &session->slots[i];

		if (slot->guest && i != session->shown && i != router_guest(session->router)) {
			router_guest_reset(session->router, (unsigned)i);
			g_clear_pointer(&slot->guest, guest_free);
		}
	}
}

/* From inside the router: nobody is freed here. */
static void on_switched(void *data, int slot)
{
	struct session *session = data;

	session_soon(session); /* the other one can be left now */
	if (slot < 0 || slot != session->shown)
		return;
	session->force = 0;
	session->hint = session->config.now() + HINT_MS * MS;
	session->config.devices->leds(session->config.devices_data,
		guest_leds(session->slots[slot].guest));
}

static void on_chord(void *data)
{
	struct session *session = data;

	menu_call(&session->menu, &session->facts);
	session_grab(session, session->config.now());
	session_soon(session);
}

const struct router_ops session_router_ops = {
	.send = on_send,
	.switched = on_switched,
	.chord = on_chord,
};

void session_force(struct session *session)
{
	session->force = 0;
	router_switch(session->router, session->shown, true);
}

/* ---- following ---- */

const char *session_key(const struct session *session, const struct wire_guest *guest)
{
	const char *path = session->alone && guest->id <= WIRE_GUESTS ? session->paths[guest->id - 1] :
		NULL;

	return path ? path : guest->name;
}

/* Who is behind a lock is not joined anew. -1: it has none. */
static int slot_take(struct session *session, const struct wire_guest *wanted)
{
	const char *key = session_key(session, wanted);
	int empty = -1;

	for (int i = 0; i < ROUTER_GUESTS; i++) {
		struct slot *slot = &session->slots[i];

		if (!slot->guest && empty < 0)
			empty = i;
		/* Ids are an irorid's: the next one may have others. */
		if (slot->guest && strcmp(guest_key(slot->guest), key) == 0)
			return session->facts.locked && !guest_attached(slot->guest) ? -1 : i;
	}
	if (empty < 0 || session->facts.locked)
		return -1;
	session->slots[empty].guest = guest_new(key, &session_guest_events, session);
	return empty;
}

/* A guest that is off has no socket to try; when it starts, irorid says so. */
static const struct wire_guest *session_wanted(const struct session *session)
{
	const struct wire_guest *guest = facts_shown(&session->facts);

	return guest && guest->state != WIRE_GUEST_OFF ? guest : NULL;
}

void session_want_link(struct session *session, enum wire_link_kind kind)
{
	const struct wire_guest *guest = session_wanted(session);
	struct wire_message message = { .opcode = WIRE_LINK };

	if (!guest)
		return;
	message.body.link = (struct wire_link){ guest->id, kind };
	if (!session->alone) {
		session->config.send(session->config.send_data, WIRE_WANT_LINK, &message.body.link,
			sizeof(message.body.link));
		return;
	}
	message.fd = guest_link_open(session_key(session, guest), kind, session->name);
	session_link(session, &message);
}

void session_link(struct session *session, struct wire_message *message)
{
	const struct wire_link *link = &message->body.link;
	int fd = message->fd;

	message->fd = -1;
	if (fd < 0)
		return;
	/* It was asked for before the seat was told otherwise. */
	if (session->shown < 0 || link->guest != session->facts.shown ||
		(link->kind == WIRE_LINK_SOUND && !session->sound))
		packet_hang_up(fd);
	else if (link->kind == WIRE_LINK_SOUND)
		seat_sound_link(session->sound, fd);
	else
		guest_link(session->slots[session->shown].guest, fd);
}

void session_ask_guests(struct session *session)
{
	if (session->shown >= 0)
		guest_ask(session->slots[session->shown].guest);
}

/* irorid hears of a guest's reboot later than its seat does. */
static void session_link_state(struct session *session)
{
	struct wire_guest *guest = (struct wire_guest *)facts_shown(&session->facts);

	if (!guest || !session->facts.attached)
		return;
	switch (guest_link_state(session->slots[session->shown].guest)) {
	case LINK_GUEST_RUNNING:
		if (guest->state != WIRE_GUEST_FROZEN)
			guest->state = WIRE_GUEST_RUNNING;
		break;
	case LINK_GUEST_RESETTING:
		if (guest->state != WIRE_GUEST_FROZEN)
			guest->state = WIRE_GUEST_RESETTING;
		break;
	case LINK_GUEST_PAUSED:
		if (guest->state != WIRE_GUEST_FROZEN)
			guest->state = WIRE_GUEST_PAUSED;
		break;
	case LINK_GUEST_CRASHED:
		guest->state = WIRE_GUEST_CRASHED;
		break;
	default:
		break;
	}
}

void session_follow_shown(struct session *session)
{
	const struct wire_guest *wanted = session_wanted(session);
	int slot = wanted ? slot_take(session, wanted) : -1;
	bool came = slot != session->shown;

	if (came) {
		if (session->shown >= 0)
			guest_show(session->slots[session->shown].guest, NULL);
		session->shown = slot;
		session_microphone(session, false);
		if (slot >= 0)
			guest_show(session->slots[slot].guest, session->screen);
		session->arriving = slot >= 0 ? session->config.now() + ARRIVES_MS * MS : 0;
		router_switch(session->router, slot, false);
		session->force = router_guest(session->router) == slot
			? 0 : session->config.now() + FORCE_MS * MS;
	}
	session_leave_others(session);
	if (came)
		session_ask_guests(session);
	session->facts.attached = session->shown >= 0 &&
				  guest_attached(session->slots[session->shown].guest);
	session_link_state(session);
}

static void session_follow_monitors(struct session *session, struct guest *guest)
{
	struct port_size heads[PORT_HEADS];
	struct screen_monitor monitor;
	unsigned n = 0;

	for (; n < PORT_HEADS && screen_monitor(session->screen, n, &monitor); n++)
		heads[n] = (struct port_size){ monitor.width, monitor.height };
	guest_resize(guest, heads, n);
}

/* A guest that shows something on several heads has its pointer on all of them, side by side. */
static bool session_span(const struct session *session, struct seat_screen *place)
{
	unsigned heads = 0;

	for (unsigned i = 0; i < PORT_HEADS && session->shown >= 0; i++) {
		struct port_size size = guest_size(session->slots[session->shown].guest, i);

		heads += size.width != 0;
		place->width += size.width;
		place->height = MAX(place->height, size.height);
	}
	place->picture_width = place->width;
	place->picture_height = place->height;
	return heads > 1;
}

void session_follow_screen(struct session *session)
{
	struct seat_screen span = { 0 }, place = { 0 };
	struct screen_monitor monitor;
	struct rect area;

	if (!screen_monitor(session->screen, 0, &monitor))
		return;
	if (session->shown >= 0)
		session_follow_monitors(session, session->slots[session->shown].guest);
	place.width = place.picture_width = place.first_width = monitor.width;
	place.height = place.picture_height = place.first_height = monitor.height;
	if (session_span(session, &span)) {
		span.first_width = monitor.width;
		span.first_height = monitor.height;
		place = span;
	} else if (screen_guest_area(session->screen, &area)) {
		place.x = area.x;
		place.y = area.y;
		place.picture_width = area.width;
		place.picture_height = area.height;
	}
	if (memcmp(&place, &session->seat_screen, sizeof(place)) == 0)
		return;
	session->seat_screen = place;
	session->config.devices->screen(session->config.devices_data, &place);
}
