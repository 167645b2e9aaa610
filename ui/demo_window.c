/*
 * The demonstration's window: the two seats side by side with the meter's numbers.
 */
#include "ui/demo.h"

#include "ui/window.h"

enum { RECENT = 120 };

struct demo_window {
	struct demo *demo;
	struct seat_window *window;
	double cpu[DEMO_GUESTS];
};

static void numbers(void *data, unsigned seat, struct seat_window_numbers *n)
{
	struct demo_window *window = data;
	struct metrics recent, leg;

	if (seat != DEMO_THEATER || !window->demo->guest[seat])
		return;
	demo_leg_metrics(window->demo, seat, RECENT, &recent);
	n->fps = (double)recent.shown * 60 / (double)MAX(recent.vblanks, 1);
	n->jitter_ms = recent.jitter_p99;
	if (!window->demo->leg_from_ns)
		return;
	demo_leg_metrics(window->demo, seat, 0, &leg);
	n->late = (int64_t)leg.late;
	n->skipped = (int64_t)leg.skipped;
}

static void closed(void *data)
{
	struct demo_window *window = data;

	window->demo->stop = true;
	g_main_context_wakeup(NULL);
}

static const struct seat_window_ops ops = {
	.numbers = numbers,
	.closed = closed,
};

struct demo_window *demo_window_new(struct demo *demo, GError **error)
{
	struct demo_window *window = g_new0(struct demo_window, 1);
	struct seat_window_seat seats[DEMO_GUESTS];
	char *path[DEMO_GUESTS];

	window->demo = demo;
	for (unsigned i = 0; i < DEMO_GUESTS; i++) {
		path[i] = g_strdup_printf("%s/%s.sock", demo->config[i].runtime,
			demo->config[i].name);
		seats[i] = (struct seat_window_seat){
			.name = demo->config[i].name, .role = demo->config[i].role, .path = path[i],
		};
	}
	if (gtk_init_check(NULL, NULL))
		window->window = seat_window_new(seats, DEMO_GUESTS, &ops, window, error);
	else
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "there is no display");
	for (unsigned i = 0; i < DEMO_GUESTS; i++)
		g_free(path[i]);
	if (window->window)
		return window;
	g_free(window);
	return NULL;
}

void demo_window_free(struct demo_window *window)
{
	if (!window)
		return;
	seat_window_free(window->window);
	g_free(window);
}

void demo_window_headline(struct demo_window *window, const char *text)
{
	if (window)
		seat_window_set_headline(window->window, text);
}

void demo_window_verdict(struct demo_window *window, const char *text, bool good)
{
	if (window)
		seat_window_set_verdict(window->window, text, good);
}
