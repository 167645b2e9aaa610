/*
 * irori-seat: what one person has of this PC. Monitors, hands and sound of a seat, joined with one guest
 * at a time; told by irorid what belongs to it, or by hand.
 */
#define G_LOG_DOMAIN "irori-seat"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <time.h>

#include "display/kms_drm.h"
#include "display/mode.h"
#include "gpu-share/cpu.h"
#include "seats/seat/control.h"
#include "seats/seat/devices.h"
#include "seats/seat/overlay.h"
#include "seats/seat/sandbox.h"
#include "seats/seat/session.h"

static struct {
	char *socket, *user, *mode, *chord, *card, *sink, *source, *server, **connectors, **guests, **inputs;
	int volume;
	gboolean no_sandbox, silent;
} options = { .user = SANDBOX_USER, .volume = 70 };

static const GOptionEntry entries[] = {
	{ "socket", 's', 0, G_OPTION_ARG_FILENAME, &options.socket, "listen for irorid here", "PATH" },
	{ "user", 'u', 0, G_OPTION_ARG_STRING, &options.user,
		"who root becomes with --socket (" SANDBOX_USER ")", "NAME" },
	{ "mode", 'm', 0, G_OPTION_ARG_STRING, &options.mode, "by hand: what monitors should show (their choice)",
		"WIDTHxHEIGHT" },
	{ "chord", 'k', 0, G_OPTION_ARG_STRING, &options.chord,
		"by hand: two keys that call the menu (ctrl+ctrl_r), or none", "KEY+KEY" },
	{ "card", 'c', 0, G_OPTION_ARG_FILENAME, &options.card, "by hand: a graphics card", "/dev/dri/cardN" },
	{ "connector", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &options.connectors,
		"by hand: a connector of it (all)", "NAME" },
	{ "guest", 'g', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.guests,
		"by hand: a guest's seat link; the first is shown", "SOCKET" },
	{ "input", 'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.inputs, "by hand: a device",
		"/dev/input/eventN" },
	{ "server", 0, 0, G_OPTION_ARG_STRING, &options.server, "by hand: sound server", "ADDRESS" },
	{ "sink", 'd', 0, G_OPTION_ARG_STRING, &options.sink,
		"by hand: sound device, by name or path:PLACE", "NAME" },
	{ "source", 'r', 0, G_OPTION_ARG_STRING, &options.source, "by hand: microphone, the same", "NAME" },
	{ "volume", 'v', 0, G_OPTION_ARG_INT, &options.volume, "by hand: 0 to 100 (70)", "PERCENT" },
	{ "no-sound", 0, 0, G_OPTION_ARG_NONE, &options.silent, "by hand: no sound", NULL },
	{ "no-sandbox", 0, 0, G_OPTION_ARG_NONE, &options.no_sandbox, "for debugging", NULL },
	{ 0 },
};

static struct {
	GMainLoop *loop;
	struct session *session;
	struct devices *devices;
	struct control *control;
	bool leased; /* by this irorid */
	int status;
} seat;

static struct {
	const char *name;
	char *room;
	size_t size;
} title;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static const char *wall_clock(char text[16])
{
	time_t t = time(NULL);
	struct tm local;

	localtime_r(&t, &local);
	snprintf(text, 16, "%02d:%02d", local.tm_hour, local.tm_min);
	return text;
}

/* ---- irorid ---- */

static void on_begun(void *data, const struct wire_hello *hello)
{
	g_message("irorid is there: seat %u", hello->number);
	seat.leased = false;
	devices_begin(seat.devices);
	session_begun(seat.session, hello);
}

static void seat_lease(struct wire_message *message)
{
	g_autoptr(GError) error = NULL;
	struct kms_card *card = kms_drm_new(message->fd, &error);

	message->fd = -1;
	if (card)
		screen_lease(session_screen(seat.session), card);
	else
		g_warning("%s: %s", message->body.lease.card, error->message);
	seat.leased = true;
}

/* What ps and top show: the arguments give way to the seat's name. GLib has copied all others. */
static void title_set(const char *what)
{
	memset(title.room, 0, title.size);
	g_snprintf(title.room, (gulong)title.size, "irori-seat: %s%s", title.name, what);
}

static void on_message(void *data, struct wire_message *message)
{
	if (message->opcode == WIRE_LEASE)
		return seat_lease(message);
	if (message->opcode == WIRE_READY)
		title_set("");
	if (message->opcode == WIRE_HOTPLUG)
		return screen_hotplug(session_screen(seat.session));
	if (message->opcode == WIRE_UNLEASE || (message->opcode == WIRE_READY && !seat.leased))
		screen_lease(session_screen(seat.session), NULL);
	if (!devices_message(seat.devices, message))
		session_message(seat.session, message);
}

static void on_ended(void *data, int why)
{
	g_message("irorid is gone; the seat goes on");
	session_ended(seat.session);
}

static const struct control_events control_events = {
	.begun = on_begun,
	.message = on_message,
	.ended = on_ended,
};

static int send_irorid(void *data, uint16_t opcode, const void *body, size_t size)
{
	return seat.control ? control_send(seat.control, opcode, body, size) : -ENOTCONN;
}

/* ---- options ---- */

static bool read_mode(uint32_t *width, uint32_t *height, GError **error)
{
	if (!options.mode || mode_parse(options.mode, width, height))
		return true;
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
		"--mode=%s: expected WIDTHxHEIGHT", options.mode);
	return false;
}

static bool read_chord(struct chord_config *chord, GError **error)
{
	*chord = chord_default;
	if (!options.chord || chord_parse(options.chord, chord->keys))
		return true;
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
		"--chord=%s: expected the names of two keys with + between, or none", options.chord);
	return false;
}

/* ---- by hand ---- */

static bool open_card(GError **error)
{
	struct kms_card *card;

	if (!options.card)
		return true;
	card = kms_drm_open(options.card, error);
	if (!card)
		return false;
	screen_lease(session_screen(seat.session), card);
	return true;
}

static bool open_inputs(GError **error)
{
	for (unsigned i = 0; options.inputs && options.inputs[i]; i++) {
		int fd = open(options.inputs[i], O_RDWR | O_NONBLOCK | O_CLOEXEC);
		int r = fd < 0 ? -errno : devices_add(seat.devices, i + 1, options.inputs[i], fd);

		if (r < 0) {
			g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-r), "%s: %s",
				options.inputs[i], g_strerror(-r));
			return false;
		}
	}
	return true;
}

static void show_guests(void)
{
	for (unsigned i = 0; options.guests && options.guests[i]; i++) {
		g_autofree char *name = g_path_get_basename(options.guests[i]);
		char *dot = strrchr(name, '.');

		if (dot && dot != name)
			*dot = '\0';
		session_add_guest(seat.session, name, options.guests[i]);
	}
	if (options.guests && !options.silent)
		session_sound(seat.session, options.server ? options.server : "",
			options.sink ? options.sink : "", options.source ? options.source : "",
			(unsigned)CLAMP(options.volume, 0, 100));
}

/* ---- the process ---- */

static gboolean on_quit(gpointer data)
{
	g_main_loop_quit(seat.loop);
	return G_SOURCE_CONTINUE;
}

static void on_input_failed(void *data)
{
	seat.status = EX_OSERR; /* irorid starts another, with devices that are open anew */
	g_main_loop_quit(seat.loop);
}

/* Fonts are found while the guest's picture is on its way: it is not to wait for them. */
static gpointer find_fonts(gpointer data)
{
	overlay_prepare();
	return NULL;
}

/* All that is opened by its path, before anything of a guest or a device is read. */
static bool seat_open(const char *name, GError **error)
{
	uint32_t width = 0, height = 0;
	struct chord_config chord;
	const struct session_config config = {
		.chord = &chord,
		.name = name,
		.audio = &audio_pulse,
		.devices = &devices_session,
		.send = send_irorid,
		.now = now,
		.clock = wall_clock,
		.devices_data = seat.devices = devices_new(now, on_input_failed, NULL),
	};
	int r;

	if (!read_mode(&width, &height, error) || !read_chord(&chord, error))
		return false;
	tzset();
	seat.session = session_new(&config);
	r = seat.session ? devices_attach(seat.devices, seat.session) : -ENOMEM;
	if (r < 0) {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-r), "input: %s",
			g_strerror(-r));
		return false;
	}
	screen_wish(session_screen(seat.session), (const char *const *)options.connectors, width, height);
	if (options.socket) {
		seat.control = control_new(options.socket, &control_events, NULL, error);
		if (!seat.control)
			return false;
	}
	return open_card(error) && open_inputs(error);
}

static void seat_close(void)
{
	control_free(seat.control);
	/* Devices let go of what they hold into the session's router, and are told by it till its end. */
	devices_free(seat.devices);
	session_free(seat.session);
	g_clear_pointer(&seat.loop, g_main_loop_unref);
}

static int fail(int status, GError *error)
{
	fprintf(stderr, "irori-seat: %s\n", error->message);
	g_error_free(error);
	return status;
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new("NAME - a seat of this PC");
	const char *end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
	char *room = argv[0];
	g_autofree char *name = NULL;
	GError *error = NULL;

	setlocale(LC_ALL, "");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		return fail(EX_USAGE, error);
	if (argc != 2 || (!options.socket && !options.card && !options.guests)) {
		g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);

		fprintf(stderr, "%s", help);
		return EX_USAGE;
	}
	title.name = name = g_strdup(argv[1]);
	title.room = room;
	title.size = (size_t)(end - room);
	title_set(options.socket ? " (waits)" : "");
	prctl(PR_SET_NAME, "irori-seat");
	/* What it shows, guests wait for; one of class video would otherwise have its seat wait. Where that
	 * is not permitted, it does what it can. */
	cpu_share_clock();
	seat.loop = g_main_loop_new(NULL, FALSE);
	if (!seat_open(name, &error))
		return fail(error->domain == G_OPTION_ERROR ? EX_USAGE : EX_UNAVAILABLE, error);
	/* By hand it stays who its person is: the guests are theirs. */
	if (!options.no_sandbox && !sandbox_enter(options.socket ? options.user : NULL, &error))
		return fail(EX_OSERR, error);
	g_thread_unref(g_thread_new("fonts", find_fonts, NULL));
	show_guests();
	g_unix_signal_add(SIGTERM, on_quit, NULL);
	g_unix_signal_add(SIGINT, on_quit, NULL);
	g_main_loop_run(seat.loop);
	seat_close();
	return seat.status;
}
