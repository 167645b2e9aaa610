/*
 * The window at any guests, for its tests: "window SOCKET NAME ROLE ...", commands on standard input:
 * "headline TEXT", "good TEXT", "bad TEXT", "quit".
 */
#include "ui/window.h"

#include <glib-unix.h>
#include <stdio.h>
#include <string.h>

static struct seat_window *window;

static gboolean on_line(GIOChannel *channel, GIOCondition condition, gpointer data)
{
	g_autofree char *line = NULL;

	if (g_io_channel_read_line(channel, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL ||
		g_str_has_prefix(line, "quit")) {
		gtk_main_quit();
		return G_SOURCE_REMOVE;
	}
	g_strchomp(line);
	if (g_str_has_prefix(line, "headline "))
		seat_window_set_headline(window, line + 9);
	if (g_str_has_prefix(line, "good "))
		seat_window_set_verdict(window, line + 5, true);
	if (g_str_has_prefix(line, "bad "))
		seat_window_set_verdict(window, line + 4, false);
	printf("ok\n");
	fflush(stdout);
	return G_SOURCE_CONTINUE;
}

/* As if measured: so that all tiles are seen. */
static void on_numbers(void *data, unsigned seat, struct seat_window_numbers *numbers)
{
	if (seat)
		return;
	numbers->late = 0;
	numbers->skipped = 0;
	numbers->jitter_ms = 0.4;
	numbers->cpu = 0.61;
}

static void on_closed(void *data)
{
	gtk_main_quit();
}

int main(int argc, char **argv)
{
	static const struct seat_window_ops ops = {.numbers = on_numbers, .closed = on_closed};
	struct seat_window_seat seats[SEAT_WINDOW_SEATS];
	g_autoptr(GError) error = NULL;
	unsigned n = 0;

	if (!gtk_init_check(&argc, &argv)) {
		fprintf(stderr, "window: no display\n");
		return 1;
	}
	for (int i = 1; i + 2 < argc && n < SEAT_WINDOW_SEATS; i += 3)
		seats[n++] = (struct seat_window_seat){
			.path = argv[i],
			.name = argv[i + 1],
			.role = argv[i + 2],
		};
	window = seat_window_new(seats, n, &ops, NULL, &error);
	if (!window) {
		fprintf(stderr, "window: %s\n", error->message);
		return 1;
	}
	g_io_add_watch(g_io_channel_unix_new(0), G_IO_IN | G_IO_HUP, on_line, NULL);
	printf("ready\n");
	fflush(stdout);
	gtk_main();
	seat_window_free(window);
	return 0;
}
