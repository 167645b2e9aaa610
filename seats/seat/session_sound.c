/*
 * The sound of the shown guest at the seat's own sink.
 */
#define G_LOG_DOMAIN "irori-seat"

#include "seats/seat/session_priv.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LOOK_MS = 500 /* at what the sound's own thread says */ };

static const char *or_default(const char *text)
{
	return text[0] ? text : NULL;
}

static gboolean sound_look(gpointer data)
{
	struct session *session = data;
	struct seat_facts *facts = &session->facts;
	struct seat_sound_stat stat;

	seat_sound_stat(session->sound, &stat);
	if (stat.device != facts->sound || stat.recording != facts->recording) {
		facts->sound = stat.device;
		facts->recording = stat.recording;
		session_refresh(session);
	}
	return G_SOURCE_CONTINUE;
}

/* On the sound's thread; the connections are the main one's. */
static void sound_wants_link(void *data)
{
	struct session *session = data;

	eventfd_write(session->sound_wake, 1);
}

static gboolean sound_woke(gint fd, GIOCondition condition, gpointer data)
{
	eventfd_t asked;

	if (eventfd_read(fd, &asked) == 0)
		session_want_link(data, WIRE_LINK_SOUND);
	return G_SOURCE_CONTINUE;
}

void session_silence(struct session *session)
{
	session_microphone(session, false);
	g_clear_handle_id(&session->sound_timer, g_source_remove);
	g_clear_pointer(&session->sound, seat_sound_free);
	g_clear_handle_id(&session->sound_watch, g_source_remove);
	if (session->sound_wake >= 0)
		close(session->sound_wake);
	session->sound_wake = -1;
	g_clear_pointer(&session->sound_key, g_free);
	session->facts.sound = session->facts.recording = false;
}

void session_sound(struct session *session, const char *server, const char *sink, const char *source,
	unsigned volume)
{
	g_autofree char *key = g_strjoin("\n", server, sink, source, NULL);
	struct seat_sound_config config = {
		.name = session->name,
		.ops = session->config.audio,
		.now = session->config.now,
		.ask = sound_wants_link,
		.ask_data = session,
		.audio = { .server = or_default(server), .sink = or_default(sink),
			.source = or_default(source), .name = session->name },
	};
	GError *error = NULL;

	if (session->sound && strcmp(key, session->sound_key) == 0)
		return; /* a new irorid says what the old one did: the volume is the seat's by now */
	if (!session->sound)
		session->facts.volume = MIN(volume, MENU_VOLUME_MAX);
	session_silence(session);
	session->sound_key = g_steal_pointer(&key);
	config.audio.volume = session->facts.muted ? 0 : session->facts.volume;
	session->sound_wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	session->sound = seat_sound_new(&config, &error);
	if (session->sound) {
		session->sound_watch = g_unix_fd_add(session->sound_wake, G_IO_IN, sound_woke, session);
		session->sound_timer = g_timeout_add(LOOK_MS, sound_look, session);
	} else {
		g_message("%s", error->message);
		g_clear_error(&error);
	}
	session_refresh(session);
}

/* A microphone that is open while nobody sees who listens would be no mark's fault. */
void session_follow_sound(struct session *session)
{
	const struct wire_guest *guest = facts_shown(&session->facts);

	if (menu_base(&session->facts) != MENU_NONE && session->facts.microphone)
		session_microphone(session, false);
	if (session->sound)
		seat_sound_guest(session->sound, session->shown >= 0 && guest ?
			session_key(session, guest) : NULL);
}

void session_volume(struct session *session, unsigned volume, bool muted)
{
	session->facts.volume = volume;
	session->facts.muted = muted;
	if (session->sound)
		seat_sound_volume(session->sound, muted ? 0 : volume);
}

void session_microphone(struct session *session, bool open)
{
	open = open && session->sound && session->shown >= 0;
	if (open == session->facts.microphone)
		return;
	session->facts.microphone = open;
	if (!open)
		session->facts.recording = false;
	if (session->sound)
		seat_sound_grant(session->sound, open);
}
