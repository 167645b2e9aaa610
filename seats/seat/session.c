/*
 * The session: everything that happens ends in session_refresh(), which makes everything else follow the
 * facts, arms the one timer, and tells irorid what is different.
 */
#define G_LOG_DOMAIN "irori-seat"

#include "seats/seat/session_priv.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum {
	REPORT_S = 5, /* figures that change all the time */
};

/* ---- the screen ---- */

static void on_flipped(void *data, unsigned head, uint64_t seq, int64_t vblank_ns, int64_t period_ns)
{
	struct session *session = data;

	session->flips += head == 0;
	if (session->shown < 0)
		return;
	guest_presented(session->slots[session->shown].guest, head, seq, vblank_ns, period_ns);
}

static void on_monitors(void *data)
{
	session_soon(data);
}

static void on_lost(void *data, int error)
{
	g_message("the lease is over: %s", g_strerror(-error));
}

static const struct screen_events screen_events = {
	.flipped = on_flipped,
	.monitors = on_monitors,
	.lost = on_lost,
};

/* ---- what is to be seen ---- */

static bool until(int64_t *end, int64_t now)
{
	if (*end && *end <= now)
		*end = 0;
	return *end != 0;
}

static void session_model(struct session *session, struct overlay_model *model, int64_t now)
{
	struct screen_monitor monitor;

	*model = (struct overlay_model){ .facts = &session->facts, .menu = &session->menu };
	if (screen_monitor(session->screen, 0, &monitor)) {
		model->width = monitor.width;
		model->height = monitor.height;
		model->width_mm = monitor.width_mm;
		model->height_mm = monitor.height_mm;
	}
	if (session->config.clock)
		session->config.clock(model->clock);
	model->arriving = until(&session->arriving, now);
	model->hint = until(&session->hint, now);
	model->volume = until(&session->volume, now);
	model->identify = until(&session->identify, now);
	memcpy(model->identify_text, session->identify_text, sizeof(model->identify_text));
	for (unsigned i = 0; i < WIRE_NOTICES; i++) {
		model->notices[i].on = until(&session->notices[i], now);
		memcpy(model->notices[i].text, session->notice_texts[i],
			sizeof(model->notices[i].text));
	}
	if (session->time_left >= 0)
		session->facts.time.left_us = MAX(0, session->time_left -
			(session->facts.time.frozen ? 0 : (now - session->time_told) / 1000));
}

static void session_draw(struct session *session, int64_t now)
{
	struct overlay_model model;

	/* While irorid is telling, there is nothing yet to be seen that would still hold in a moment: to
	 * draw it takes longer than to be told. */
	if (session->telling && !session->facts.attached)
		return;
	session_model(session, &model, now);
	view_update(session->view, &model,
		menu_open(&session->menu) && session->pointing ? &session->pointer : NULL);
}

/* ---- the timer ---- */

static gboolean session_timed(gpointer data)
{
	struct session *session = data;

	session->timer = 0;
	session_refresh(session);
	return G_SOURCE_REMOVE;
}

static void session_arm(struct session *session, int64_t now)
{
	const int64_t ends[] = { session->arriving, session->hint, session->volume, session->identify,
		session->force, session->answer, session->notices[0], session->notices[1], session->notices[2] };
	int64_t next = now + REPORT_S * SECOND; /* the minute of the clock, the time that is left */

	for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++)
		if (ends[i] && ends[i] < next)
			next = ends[i];
	g_clear_handle_id(&session->timer, g_source_remove);
	session->timer = g_timeout_add((guint)(MAX(next - now, 0) / MS + 1), session_timed, session);
}

/* ---- irorid ---- */

void session_state(const struct session *session, struct wire_state *state)
{
	const struct seat_facts *facts = &session->facts;
	struct screen_monitor monitor;
	struct screen_counts counts;

	screen_counts(session->screen, &counts);
	*state = (struct wire_state){
		.guest = facts->shown,
		.flags = (facts->locked ? WIRE_STATE_LOCKED : 0u) |
			 (facts->microphone ? WIRE_STATE_MICROPHONE : 0u) |
			 (session->menu.state >= MENU_OPEN ? WIRE_STATE_MENU : 0u) |
			 (facts->attached ? WIRE_STATE_GUEST : 0u) |
			 (facts->sound ? WIRE_STATE_SOUND : 0u),
		.outputs = screen_monitors(session->screen),
		.volume = facts->muted ? 0 : facts->volume,
		.input_ns = session->input_ns,
		.frames = counts.shown,
		.flips = session->flips,
		.came = counts.came,
		.skipped = counts.skipped,
		.gap_ns = counts.gap_ns,
	};
	if (screen_monitor(session->screen, 0, &monitor)) {
		state->width = monitor.width;
		state->height = monitor.height;
	}
}

static void session_report(struct session *session, int64_t now)
{
	struct wire_state state;

	if (!session->facts.supervised)
		return;
	session_state(session, &state);
	if (memcmp(&state, &session->reported, offsetof(struct wire_state, input_ns)) == 0 &&
		now < session->reported_at + REPORT_S * SECOND)
		return;
	/* A queue that is full has older news in it: tried again with the next. */
	if (session->config.send(session->config.send_data, WIRE_STATE, &state, sizeof(state)) < 0)
		return;
	screen_counts_gap(session->screen);
	session->reported = state;
	session->reported_at = now;
}

void session_grab(struct session *session, int64_t now)
{
	if (menu_open(&session->menu) == session->grabbed)
		return;
	session->grabbed = !session->grabbed;
	session->pointing = false;
	session->config.devices->grab(session->config.devices_data, session->grabbed, now);
}

static gboolean session_now(gpointer data)
{
	struct session *session = data;

	session->soon = 0;
	session_refresh(session);
	return G_SOURCE_REMOVE;
}

void session_soon(struct session *session)
{
	if (!session->soon)
		session->soon = g_idle_add_full(G_PRIORITY_DEFAULT, session_now, session, NULL);
}

void session_refresh(struct session *session)
{
	int64_t now;

	session->again = session->refreshing;
	if (session->refreshing)
		return;
	session->refreshing = true;
	do {
		session->again = false;
		now = session->config.now();
		if (session->answer && session->answer <= now) {
			session->answer = 0;
			menu_answer(&session->menu, &session->facts, -ETIMEDOUT,
				"There is no answer. Please try again");
		}
		session_follow_shown(session);
		menu_news(&session->menu, &session->facts);
		session_follow_screen(session);
		session_follow_sound(session);
		session_grab(session, now);
		if (session->force && session->force <= now)
			session_force(session);
		session_draw(session, now);
	} while (session->again);
	session_report(session, now);
	session_arm(session, now);
	session->refreshing = false;
}

void session_begun(struct session *session, const struct wire_hello *hello)
{
	told_begin(&session->told, &session->facts, hello);
	session->alone = session->sound_told = false;
	session->facts.supervised = session->telling = true;
	session->identify = 0;
	memset(session->notices, 0, sizeof(session->notices));
	memset(&session->reported, 0xff, sizeof(session->reported));
	session_refresh(session);
}

void session_ended(struct session *session)
{
	session->facts.supervised = session->telling = false;
	session->answer = 0;
	menu_answer(&session->menu, &session->facts, -ENOTCONN,
		"Nobody is there to do it. Please try again in a moment");
	session_refresh(session);
}

static int64_t session_until(const struct session *session, uint32_t seconds)
{
	return seconds ? session->config.now() + seconds * SECOND : INT64_MAX;
}

static void session_notice(struct session *session, const struct wire_notice *notice)
{
	session->notices[notice->kind] = notice->text[0] ? session_until(session, notice->seconds) : 0;
	memcpy(session->notice_texts[notice->kind], notice->text, sizeof(notice->text));
}

/* A new irorid says what the old one did, and monitors are not asked again for that. */
static void session_settings(struct session *session, const struct wire_settings *settings)
{
	struct wire_settings before = session->settings;

	session->settings = *settings;
	session->facts.number = settings->number;
	router_set_chord(session->router, settings->chord);
	if (before.width != settings->width || before.height != settings->height)
		screen_wish(session->screen, NULL, settings->width, settings->height);
}

void session_message(struct session *session, struct wire_message *message)
{
	const union wire_body *body = &message->body;

	switch (message->opcode) {
	case WIRE_SOUND:
		session->sound_told = true;
		session_sound(session, body->sound.server, body->sound.sink, body->sound.source,
			body->sound.volume);
		break;
	case WIRE_LINK:
		session_link(session, message);
		return;
	case WIRE_SETTINGS:
		session_settings(session, &body->settings);
		break;
	case WIRE_NOTICE:
		session_notice(session, &body->notice);
		break;
	case WIRE_IDENTIFY:
		session->identify = body->identify.on ? session_until(session, body->identify.seconds)
						      : 0;
		memcpy(session->identify_text, body->identify.text, sizeof(session->identify_text));
		break;
	case WIRE_ANSWER:
		if (body->answer.cookie != session->cookie)
			return;
		session->answer = 0;
		menu_answer(&session->menu, &session->facts, body->answer.result, body->answer.text);
		break;
	default:
		if (!told_message(&session->told, &session->facts, message))
			return;
		session->telling &= message->opcode != WIRE_READY;
		if (message->opcode == WIRE_GUEST || message->opcode == WIRE_READY)
			session_ask_guests(session);
		if (message->opcode == WIRE_READY && !session->sound_told)
			session_silence(session);
		if (message->opcode == WIRE_TIME || message->opcode == WIRE_READY) {
			session->time_told = session->config.now();
			session->time_left = session->facts.time.left_us;
		}
		break;
	}
	session_refresh(session);
}

/* ---- by hand ---- */

void session_add_guest(struct session *session, const char *name, const char *socket)
{
	struct seat_facts *facts = &session->facts;
	struct wire_guest *guest = &facts->guests[facts->n_guests];

	if (facts->n_guests == WIRE_GUESTS)
		return;
	*guest = (struct wire_guest){ .id = facts->n_guests + 1, .state = WIRE_GUEST_RUNNING };
	wire_text(guest->name, sizeof(guest->name), name);
	session->paths[facts->n_guests] = g_strdup(socket);
	facts->n_guests++;
	if (!facts->shown)
		facts->shown = guest->id;
	session_refresh(session);
}

/* ---- making and ending ---- */

struct screen *session_screen(struct session *session)
{
	return session->screen;
}

struct router *session_router(struct session *session)
{
	return session->router;
}

struct session *session_new(const struct session_config *config)
{
	struct session *session = g_new0(struct session, 1);

	session->config = *config;
	session->name = g_strdup(config->name);
	session->alone = true;
	session->shown = session->sound_wake = -1;
	session->facts.time.left_us = session->time_left = -1;
	session->facts.volume = 70;
	menu_init(&session->menu);
	session->screen = screen_new(&screen_events, session);
	session->screen_source = screen_source_new(session->screen);
	g_source_attach(session->screen_source, NULL);
	session->view = view_new(session->screen);
	session->router = router_new(&session_router_ops, session,
		config->chord ? config->chord : &chord_default);
	if (!session->router) {
		session_free(session);
		return NULL;
	}
	return session;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	session_silence(session);
	if (session->router)
		router_release_all(session->router, session->config.now());
	for (unsigned i = 0; i < ROUTER_GUESTS; i++)
		guest_free(session->slots[i].guest);
	router_free(session->router);
	view_free(session->view);
	g_source_destroy(session->screen_source);
	g_source_unref(session->screen_source);
	screen_free(session->screen);
	/* Last: what ends above may have armed them. */
	g_clear_handle_id(&session->timer, g_source_remove);
	g_clear_handle_id(&session->soon, g_source_remove);
	g_clear_handle_id(&session->router_timer, g_source_remove);
	for (unsigned i = 0; i < WIRE_GUESTS; i++)
		g_free(session->paths[i]);
	g_free(session->name);
	g_free(session);
}
