/*
 * irori-remote: a remote seat. Attaches to one guest by the seat link like any other seat, and offers
 * it to SPICE clients (remote-viewer) on a Unix socket or a TCP port. spice-server and what clients
 * send stay in this process.
 *
 * The seat outlives its guest's reboots, and its guest's process: it shows black and attaches again.
 * Clients stay connected all the while.
 */
#include "display/link_client.h"
#include "display/remote/core.h"
#include "display/remote/hands.h"
#include "display/remote/screen.h"
#include "display/remote/sound.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum {
	REMOTE_BACKOFF_MS = 50, /* doubles up to */
	REMOTE_BACKOFF_MAX_MS = 1000,
	REMOTE_STAY_MS = 2000, /* after so long at a guest it begins anew */
	REMOTE_DISPATCHES = 32, /* before others have a turn */
};

static struct {
	char *spice, *name, *ticket_file, *compression;
	int patience; /* seconds without the guest; 0: for ever */
	gboolean no_ticket;
	char **rest;
} options = {.patience = 60};

struct remote {
	GMainLoop *loop;
	int status;
	SpiceServer *server;
	struct remote_screen *screen;
	struct remote_hands *hands;
	struct remote_sound *sound;

	const char *path; /* the guest's socket */
	struct link_client *client;
	guint watch, retry, backoff_ms;
	int64_t lost_us; /* since when there has been no guest */
	int64_t welcome_us; /* when the guest let us in; 0: it has not */

	char *socket_path; /* ours, to be removed; NULL: TCP */
};

static void remote_attach(struct remote *remote);

static void remote_quit(struct remote *remote, int status)
{
	remote->status = status;
	g_main_loop_quit(remote->loop);
}

/* --- the guest --- */

static void guest_frame(void *data, const struct link_frame *frame,
	const struct link_picture *picture)
{
	struct remote *remote = data;

	remote_screen_show(remote->screen, picture, &frame->source, &frame->damage);
}

static void guest_buffer_gone(void *data, const struct link_picture *picture)
{
	remote_screen_gone(((struct remote *)data)->screen, picture);
}

static void guest_cursor(void *data, const struct link_cursor *cursor,
	const struct link_picture *picture)
{
	remote_screen_cursor(((struct remote *)data)->screen, cursor, picture);
}

static void guest_leds(void *data, uint32_t leds)
{
	remote_hands_leds(((struct remote *)data)->hands, leds);
}

static void guest_audio_start(void *data, const struct link_audio_start *start)
{
	if (start->stream == 0)
		remote_sound_start(((struct remote *)data)->sound, start);
}

static void guest_audio_stop(void *data, unsigned stream)
{
	if (stream == 0)
		remote_sound_stop(((struct remote *)data)->sound);
}

static void guest_audio_data(void *data, const void *pcm, size_t bytes)
{
	remote_sound_data(((struct remote *)data)->sound, pcm, bytes);
}

static void guest_state(void *data, const struct link_guest *guest)
{
	if (guest->state == LINK_GUEST_RESETTING)
		remote_hands_guest_reset(((struct remote *)data)->hands);
}

static void guest_welcome(void *data, const struct link_welcome *welcome)
{
	struct remote *remote = data;

	g_message("sits at %.*s", (int)LINK_NAME_LEN, welcome->name);
	remote->welcome_us = g_get_monotonic_time();
	remote->lost_us = 0;
	if (!options.name)
		spice_server_set_name(remote->server, link_client_guest_name(remote->client));
}

static const struct link_client_events guest_events = {
	.welcome = guest_welcome,
	.frame = guest_frame,
	.buffer_gone = guest_buffer_gone,
	.cursor = guest_cursor,
	.leds = guest_leds,
	.audio_start = guest_audio_start,
	.audio_stop = guest_audio_stop,
	.audio_data = guest_audio_data,
	.guest = guest_state,
};

static gboolean remote_retry(gpointer data)
{
	struct remote *remote = data;

	remote->retry = 0;
	remote_attach(remote);
	return G_SOURCE_REMOVE;
}

/* The guest's process has gone, or is not there yet. */
static void remote_lost(struct remote *remote)
{
	int64_t now = g_get_monotonic_time();

	if (!remote->lost_us)
		remote->lost_us = now;
	/* A guest that lets us in and hangs up at once is not asked again at once. */
	if (remote->welcome_us && now - remote->welcome_us > REMOTE_STAY_MS * 1000)
		remote->backoff_ms = REMOTE_BACKOFF_MS;
	remote->welcome_us = 0;
	remote_screen_show(remote->screen, NULL, NULL, NULL);
	remote_hands_guest_reset(remote->hands);
	remote_sound_stop(remote->sound);
	g_clear_handle_id(&remote->watch, g_source_remove);
	g_clear_pointer(&remote->client, link_client_free);
	if (options.patience && now - remote->lost_us > options.patience * G_USEC_PER_SEC) {
		g_message("no guest at %s for %d s: leaving", remote->path, options.patience);
		remote_quit(remote, EX_UNAVAILABLE);
		return;
	}
	remote->retry = g_timeout_add(remote->backoff_ms, remote_retry, remote);
	remote->backoff_ms = MIN(2 * remote->backoff_ms, REMOTE_BACKOFF_MAX_MS);
}

static gboolean remote_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct remote *remote = data;
	int r = 1;

	for (unsigned i = 0; i < REMOTE_DISPATCHES && r > 0; i++)
		r = link_client_dispatch(remote->client);
	if (r >= 0)
		return G_SOURCE_CONTINUE;
	g_message("the guest has gone (%s)", strerror(-r));
	remote->watch = 0;
	remote_lost(remote);
	return G_SOURCE_REMOVE;
}

static void remote_attach(struct remote *remote)
{
	g_autoptr(GError) error = NULL;

	remote->client = link_client_connect(remote->path,
		LINK_WANT_DISPLAY | LINK_WANT_INPUT | LINK_WANT_AUDIO,
		options.name ? options.name : "remote", &guest_events, remote, &error);
	if (!remote->client) {
		if (!remote->lost_us)
			g_message("%s", error->message);
		remote_lost(remote);
		return;
	}
	remote->watch = g_unix_fd_add(link_client_fd(remote->client), G_IO_IN | G_IO_HUP | G_IO_ERR,
		remote_readable, remote);
}

static int remote_send(void *data, const struct port_input *events, unsigned n)
{
	struct remote *remote = data;

	if (!remote->client || !(link_client_granted(remote->client) & LINK_WANT_INPUT))
		return 0; /* nobody to tell: and nobody believes anything */
	return link_client_input(remote->client, events, n);
}

static void remote_resize(void *data, uint32_t width, uint32_t height)
{
	struct remote *remote = data;

	if (remote->client)
		link_client_resize(remote->client, width, height);
}

/* --- the clients --- */

static void remote_channel(void *data, int type, bool up)
{
	struct remote *remote = data;

	if (!remote->screen || !remote->hands || !remote->sound)
		return;
	if (type == SPICE_CHANNEL_DISPLAY)
		remote_screen_client(remote->screen, up);
	if (type == SPICE_CHANNEL_PLAYBACK && up)
		remote_sound_client(remote->sound);
	if (type == SPICE_CHANNEL_INPUTS && !up)
		remote_hands_release(remote->hands);
}

/* A socket file that nobody answers on is removed. */
static bool remote_socket_free(const char *path, GError **error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	int fd, r;

	if (strlen(path) >= sizeof(address.sun_path)) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NAMETOOLONG,
			"%s: a socket's path has at most %zu bytes", path,
			sizeof(address.sun_path) - 1);
		return false;
	}
	if (lstat(path, &st))
		return true;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	r = connect(fd, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;
	close(fd);
	if (S_ISSOCK(st.st_mode) && r == ECONNREFUSED && unlink(path) == 0)
		return true;
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST, "%s: %s", path,
		r ? "there is a file of that name" : "another remote seat answers there");
	return false;
}

static bool remote_set_ticket(struct remote *remote, GError **error)
{
	g_autofree char *text = NULL;

	if (!options.ticket_file) {
		spice_server_set_noauth(remote->server);
		return true;
	}
	if (!g_file_get_contents(options.ticket_file, &text, NULL, error))
		return false;
	text[strcspn(text, "\r\n")] = '\0';
	if (!*text || strlen(text) > 60) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
			"%s: the first line is the ticket, of 1 to 60 bytes", options.ticket_file);
		return false;
	}
	spice_server_set_ticket(remote->server, text, 0, 0, 0);
	return true;
}

/* "unix:PATH", "tcp:PORT" (this machine only) or "tcp:ADDRESS:PORT". The address to tell people, or
 * NULL. */
static char *remote_set_address(struct remote *remote, const char *text, GError **error)
{
	g_autofree char *host = NULL;
	const char *port;
	guint64 number;

	if (g_str_has_prefix(text, "unix:") && text[5]) {
		if (!remote_socket_free(text + 5, error))
			return NULL;
		remote->socket_path = g_canonicalize_filename(text + 5, NULL);
		spice_server_set_addr(remote->server, remote->socket_path, SPICE_ADDR_FLAG_UNIX_ONLY);
		return g_strconcat("spice+unix://", remote->socket_path, NULL);
	}
	if (!g_str_has_prefix(text, "tcp:")) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			"--spice %s: expected unix:PATH, tcp:PORT or tcp:ADDRESS:PORT", text);
		return NULL;
	}
	port = strrchr(text, ':') + 1;
	if (!g_ascii_string_to_unsigned(port, 10, 1, 65535, &number, error))
		return NULL;
	host = port == text + 4 ? g_strdup("127.0.0.1") : g_strndup(text + 4, port - text - 5);
	if (!options.ticket_file && !options.no_ticket) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			"--spice %s: anybody could sit down; give --ticket-file, or --no-ticket", text);
		return NULL;
	}
	spice_server_set_addr(remote->server, host, 0);
	spice_server_set_port(remote->server, (int)number);
	return g_strdup_printf("spice://%s:%d", host, (int)number);
}

static bool remote_set_compression(struct remote *remote, GError **error)
{
	static const struct {
		const char *name;
		SpiceImageCompression images;
		int video;
	} ways[] = {
		{"off", SPICE_IMAGE_COMPRESSION_OFF, SPICE_STREAM_VIDEO_OFF},
		{"lz4", SPICE_IMAGE_COMPRESSION_LZ4, SPICE_STREAM_VIDEO_OFF},
		{"auto", SPICE_IMAGE_COMPRESSION_AUTO_GLZ, SPICE_STREAM_VIDEO_FILTER},
	};
	const char *wanted = options.compression;

	if (!wanted)
		wanted = remote->socket_path ? "off" : "auto";
	for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
		if (strcmp(ways[i].name, wanted))
			continue;
		spice_server_set_image_compression(remote->server, ways[i].images);
		spice_server_set_streaming_video(remote->server, ways[i].video);
		return true;
	}
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
		"--compression %s: expected off, lz4 or auto", wanted);
	return false;
}

/* The address to tell people, or NULL. */
static char *remote_serve(struct remote *remote, GError **error)
{
	g_autofree char *address = NULL;
	mode_t mask;
	int r;

	remote->server = spice_server_new();
	address = remote_set_address(remote, options.spice, error);
	if (!address || !remote_set_ticket(remote, error) || !remote_set_compression(remote, error))
		return NULL;
	spice_server_set_name(remote->server, options.name ? options.name : "Irori");
	spice_server_set_agent_copypaste(remote->server, FALSE);
	spice_server_set_agent_file_xfer(remote->server, FALSE);
	mask = umask(0177); /* the socket is its owner's */
	r = spice_server_init(remote->server, remote_core(remote_channel, remote));
	umask(mask);
	if (r) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot listen at %s",
			options.spice);
		return NULL;
	}
	remote->screen = remote_screen_new(remote->server, remote_resize, remote);
	remote->hands = remote_hands_new(remote->server, remote_send, remote);
	remote->sound = remote_sound_new(remote->server);
	if (!remote->screen || !remote->hands || !remote->sound) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
			"spice-server refuses a device");
		return NULL;
	}
	spice_server_vm_start(remote->server);
	return g_steal_pointer(&address);
}

/* --- the process --- */

static const GOptionEntry entries[] = {
	{"spice", 0, 0, G_OPTION_ARG_STRING, &options.spice,
		"Where clients come: unix:PATH, tcp:PORT (this machine) or tcp:ADDRESS:PORT", "WHERE"},
	{"name", 0, 0, G_OPTION_ARG_STRING, &options.name,
		"What clients show as title (the guest's name)", "NAME"},
	{"ticket-file", 0, 0, G_OPTION_ARG_FILENAME, &options.ticket_file,
		"Clients must know the first line of FILE", "FILE"},
	{"no-ticket", 0, 0, G_OPTION_ARG_NONE, &options.no_ticket,
		"Let anybody in who reaches the TCP port", NULL},
	{"compression", 0, 0, G_OPTION_ARG_STRING, &options.compression,
		"off (for a Unix socket), lz4 (exact), auto (for TCP; video gets lossy)", "WAY"},
	{"patience", 0, 0, G_OPTION_ARG_INT, &options.patience,
		"Leave after so long without the guest; 0: never (60)", "SECONDS"},
	{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.rest, NULL,
		"GUEST_SOCKET"},
	{NULL},
};

static bool remote_options(int *argc, char ***argv, GError **error)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);

	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context,
		"A remote seat: offers the guest behind GUEST_SOCKET to SPICE clients.");
	g_option_context_set_description(context,
		"Prints the address for remote-viewer on standard output once clients may come.\n"
		"The socket is for its owner only. The guest may reboot or come back.\n");
	if (!g_option_context_parse(context, argc, argv, error))
		return false;
	if (options.spice && options.rest && options.rest[0] && !options.rest[1] &&
		options.patience >= 0)
		return true;
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
		"expected one GUEST_SOCKET and --spice WHERE (see --help)");
	return false;
}

static gboolean remote_signal(gpointer data)
{
	remote_quit(data, EX_OK);
	return G_SOURCE_CONTINUE;
}

/* spice-server warns of each client that hangs up: news for who looks for them. */
static void remote_spice_log(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
	g_log_default_handler(domain, G_LOG_LEVEL_DEBUG, text, NULL);
}

static void remote_free(struct remote *remote)
{
	g_clear_handle_id(&remote->retry, g_source_remove);
	g_clear_handle_id(&remote->watch, g_source_remove);
	if (remote->hands)
		remote_hands_release(remote->hands);
	if (remote->server)
		spice_server_destroy(remote->server);
	remote_screen_free(remote->screen);
	remote_hands_free(remote->hands);
	remote_sound_free(remote->sound);
	link_client_free(remote->client);
	if (remote->socket_path)
		unlink(remote->socket_path);
	g_free(remote->socket_path);
	g_main_loop_unref(remote->loop);
}

int main(int argc, char **argv)
{
	struct remote remote = {.backoff_ms = REMOTE_BACKOFF_MS};
	g_autoptr(GError) error = NULL;
	g_autofree char *address = NULL;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	if (!remote_options(&argc, &argv, &error)) {
		fprintf(stderr, "irori-remote: %s\n", error->message);
		return EX_USAGE;
	}
	g_log_set_handler("Spice",
		G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG,
		remote_spice_log, NULL);
	remote.loop = g_main_loop_new(NULL, FALSE);
	remote.path = options.rest[0];
	address = remote_serve(&remote, &error);
	if (!address) {
		fprintf(stderr, "irori-remote: %s\n", error->message);
		return error->domain == G_OPTION_ERROR ? EX_USAGE : EX_UNAVAILABLE;
	}
	g_unix_signal_add(SIGTERM, remote_signal, &remote);
	g_unix_signal_add(SIGINT, remote_signal, &remote);
	printf("remote-viewer %s\n", address);
	fflush(stdout);
	remote_attach(&remote);
	g_main_loop_run(remote.loop);
	remote_free(&remote);
	return remote.status;
}
