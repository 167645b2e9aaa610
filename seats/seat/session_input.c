/*
 * What hands do when it is not the guest's: the menu, volume keys, the pointer over the overlay. And
 * what comes of it.
 */
#define G_LOG_DOMAIN "irori-seat"

#include "seats/seat/session_priv.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <string.h>

enum {
	VOLUME_MS = 1600,
	ANSWER_S = 10,
};

/* ---- requests ---- */

/* Without an irorid there is nobody to ask; guests can be switched all the same. */
static void session_alone(struct session *session, const struct menu_action *action)
{
	const struct seat_facts *facts = &session->facts;
	int result = -EOPNOTSUPP;

	if (action->verb == WIRE_VERB_SWITCH) {
		session->facts.shown = 0;
		for (unsigned i = 0; i < facts->n_guests; i++)
			if (strcmp(facts->guests[i].name, action->argument) == 0)
				session->facts.shown = facts->guests[i].id;
		result = 0;
	}
	menu_answer(&session->menu, facts, result, result ? "This seat runs by itself, without irorid"
							  : "");
}

static void session_request(struct session *session, const struct menu_action *action)
{
	struct wire_request request = { .cookie = ++session->cookie, .verb = action->verb };
	int r;

	if (session->alone)
		return session_alone(session, action);
	memcpy(request.argument, action->argument, sizeof(request.argument));
	memcpy(request.pin, action->pin, sizeof(request.pin));
	r = session->config.send(session->config.send_data, WIRE_REQUEST, &request, sizeof(request));
	wire_forget(&request, sizeof(request));
	if (r == 0)
		session->answer = session->config.now() + ANSWER_S * SECOND;
	else
		menu_answer(&session->menu, &session->facts, r,
			"Nobody is there to do it. Please try again in a moment");
}

void session_act(struct session *session, const struct menu_action *action)
{
	switch (action->deed) {
	case MENU_DEED_NONE:
		break;
	case MENU_DEED_REQUEST:
		session_request(session, action);
		break;
	case MENU_DEED_VOLUME:
		session_volume(session, (unsigned)action->value, false);
		break;
	case MENU_DEED_MUTE:
		session_volume(session, session->facts.volume, action->value != 0);
		break;
	case MENU_DEED_MICROPHONE:
		session_microphone(session, action->value != 0);
		break;
	}
	session_refresh(session);
}

/* ---- hands ---- */

static void on_activity(void *data, uint32_t id, uint16_t code, int64_t now_ns)
{
	struct session *session = data;

	session->input_ns = now_ns;
}

static bool on_hotkey(void *data, uint16_t code, bool down)
{
	struct session *session = data;
	struct seat_facts *facts = &session->facts;
	unsigned volume = facts->volume;
	bool muted = facts->muted;

	switch (code) {
	case KEY_MUTE:
		muted = !muted;
		break;
	case KEY_VOLUMEUP:
		volume = MIN(volume + MENU_VOLUME_STEP, MENU_VOLUME_MAX);
		muted = false;
		break;
	case KEY_VOLUMEDOWN:
		volume -= MIN(volume, MENU_VOLUME_STEP);
		break;
	case KEY_MICMUTE: /* closes; it is opened in the menu only */
		if (down)
			session_microphone(session, false);
		break;
	case KEY_POWER:
	case KEY_SLEEP:
	case KEY_SUSPEND:
		if (down && !menu_open(&session->menu))
			menu_call(&session->menu, facts);
		break;
	default:
		return false;
	}
	if (!down)
		return true;
	if (volume != facts->volume || muted != facts->muted)
		session_volume(session, volume, muted);
	if (code == KEY_MUTE || code == KEY_VOLUMEUP || code == KEY_VOLUMEDOWN)
		session->volume = session->config.now() + VOLUME_MS * MS;
	session_refresh(session);
	return true;
}

static void on_key(void *data, uint16_t code, bool down)
{
	struct session *session = data;
	struct menu_action action;

	if (!down)
		return;
	menu_key(&session->menu, &session->facts, code, &action);
	session_act(session, &action);
	wire_forget(&action, sizeof(action));
}

static void on_pointer(void *data, double x, double y)
{
	struct session *session = data;

	session->pointer = (struct view_pointer){ x, y };
	session->pointing = true;
	menu_point(&session->menu, &session->facts, view_target(session->view, &session->pointer));
	session_refresh(session);
}

static void on_button(void *data, uint16_t code, bool down)
{
	struct session *session = data;
	struct menu_action action;

	if (!down || code != BTN_LEFT)
		return;
	menu_click(&session->menu, &session->facts, view_target(session->view, &session->pointer),
		&action);
	session_act(session, &action);
	wire_forget(&action, sizeof(action));
}

static void on_wheel(void *data, int notches)
{
	struct session *session = data;
	struct menu_action action;

	notches = CLAMP(notches, -8, 8);
	for (int i = 0; i < ABS(notches); i++)
		menu_key(&session->menu, &session->facts, notches > 0 ? KEY_DOWN : KEY_UP, &action);
	session_refresh(session);
}

const struct seat_input_ops session_hands = {
	.activity = on_activity,
	.hotkey = on_hotkey,
	.key = on_key,
	.pointer = on_pointer,
	.button = on_button,
	.wheel = on_wheel,
};

/* ---- the router's clock ---- */

static gboolean router_timed(gpointer data)
{
	struct session *session = data;

	session->router_timer = 0;
	router_tick(session->router, session->config.now());
	session_tick(session);
	return G_SOURCE_REMOVE;
}

void session_tick(struct session *session)
{
	int64_t due = router_deadline(session->router), now;

	if (due == session->router_due && session->router_timer)
		return;
	g_clear_handle_id(&session->router_timer, g_source_remove);
	session->router_due = due;
	if (due == INT64_MAX)
		return;
	now = session->config.now();
	session->router_timer = g_timeout_add((guint)(MAX(due - now, 0) / MS + 1), router_timed,
		session);
}
