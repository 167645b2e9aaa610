/*
 * irori-sound: the sound of one guest on one device of the host, until it is told to stop. For seats
 * without a picture, for trials and for tests; irori-seat has the same inside.
 */
#define G_LOG_DOMAIN "irori-sound"

#include <glib-unix.h>
#include <glib.h>
#include <stdio.h>
#include <time.h>

#include "audio/seat_sound.h"

static char *server, *sink, *source, *name, **guests;
static int volume = 100, latency = AUDIO_LATENCY_MS, every;
static gboolean microphone, nobody;

static const GOptionEntry options[] = {
	{ "server", 's', 0, G_OPTION_ARG_STRING, &server, "sound server", "ADDRESS" },
	{ "sink", 'd', 0, G_OPTION_ARG_STRING, &sink, "device to play on", "NAME" },
	{ "source", 'r', 0, G_OPTION_ARG_STRING, &source, "device to record from", "NAME" },
	{ "name", 'n', 0, G_OPTION_ARG_STRING, &name, "name of the seat", "NAME" },
	{ "volume", 'v', 0, G_OPTION_ARG_INT, &volume, "0 to 150 (100)", "PERCENT" },
	{ "latency", 'l', 0, G_OPTION_ARG_INT, &latency, "what the server buffers (30)", "MS" },
	{ "microphone", 'm', 0, G_OPTION_ARG_NONE, &microphone, "open the microphone", NULL },
	{ "null", 0, 0, G_OPTION_ARG_NONE, &nobody, "play to nobody, at the nominal rate", NULL },
	{ "stat", 0, 0, G_OPTION_ARG_INT, &every, "print counters so often", "SECONDS" },
	{ G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &guests, NULL, "GUEST-SOCKET" },
	{ 0 },
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static gboolean print_stat(gpointer data)
{
	struct seat_sound_stat s;

	seat_sound_stat(data, &s);
	printf("device %s, guest %s%s: written %" G_GUINT64_FORMAT ", consumed %" G_GUINT64_FORMAT
	       ", dropped %" G_GUINT64_FORMAT ", underruns %" G_GUINT64_FORMAT ", ring %zu\n",
		s.device ? "there" : "away", s.guest ? "there" : "away", s.clock ? " (clock)" : "",
		s.sink.written, s.sink.consumed, s.sink.dropped, s.sink.underruns, s.sink.level);
	fflush(stdout);
	return G_SOURCE_CONTINUE;
}

static gboolean stop(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_CONTINUE;
}

static bool parse(int argc, char **argv, GError **error)
{
	GOptionContext *context = g_option_context_new("- play the sound of a guest");
	bool parsed;

	g_option_context_add_main_entries(context, options, NULL);
	parsed = g_option_context_parse(context, &argc, &argv, error);
	g_option_context_free(context);
	if (!parsed)
		return false;
	if (guests && guests[0] && !guests[1] && volume >= 0 && volume <= AUDIO_VOLUME_MAX &&
		latency >= 1 && latency <= 1000)
		return true;
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
		"one GUEST-SOCKET, a volume of 0 to 150, a latency of 1 to 1000 ms; see --help");
	return false;
}

int main(int argc, char **argv)
{
	struct seat_sound_config config = { 0 };
	struct seat_sound *sound;
	GMainLoop *loop;
	GError *error = NULL;

	if (!parse(argc, argv, &error)) {
		fprintf(stderr, "irori-sound: %s\n", error->message);
		return 2;
	}
	config.guest = guests[0];
	config.name = name ? name : "sound";
	config.ops = nobody ? &audio_null : &audio_pulse;
	config.microphone = microphone;
	config.now = now;
	config.audio = (struct audio_config){ .server = server, .sink = sink, .source = source,
		.name = config.name, .volume = volume, .latency_ms = latency };
	sound = seat_sound_new(&config, &error);
	if (!sound) {
		fprintf(stderr, "irori-sound: %s\n", error->message);
		return 1;
	}
	loop = g_main_loop_new(NULL, FALSE);
	g_unix_signal_add(SIGTERM, stop, loop);
	g_unix_signal_add(SIGINT, stop, loop);
	if (every > 0)
		g_timeout_add_seconds(every, print_stat, sound);
	g_main_loop_run(loop);
	print_stat(sound);
	seat_sound_free(sound);
	g_main_loop_unref(loop);
	return 0;
}
