/*
 * The window: seats' cards side by side, a headline, a hint; one input router for keyboard and
 * pointer. See window.h.
 */
#include "ui/window.h"

#include "input/keymap.h"
#include "input/router.h"
#include "ui/window_priv.h"

#include <linux/input-event-codes.h>

enum {
	WINDOW_NUMBERS_MS = 500,
	WINDOW_CARD_WIDTH = 680,
	WINDOW_CARD_HEIGHT = 520,
};

enum window_source {
	WINDOW_KEYBOARD,
	WINDOW_POINTER,
};

struct seat_window {
	GtkWidget *window, *headline, *verdict, *hint;
	const struct seat_window_ops *ops;
	void *data;
	struct router *router;
	guint numbers_timer, router_timer;
	unsigned n;
	struct window_seat *seats[SEAT_WINDOW_SEATS];
};

static int64_t window_now(void)
{
	return g_get_monotonic_time() * 1000;
}

/* --- input --- */

static void window_arm(struct seat_window *window);

static gboolean window_router_tick(gpointer data)
{
	struct seat_window *window = data;

	window->router_timer = 0;
	router_tick(window->router, window_now());
	window_arm(window);
	return G_SOURCE_REMOVE;
}

/* The chord's time, or a release that a guest had no room for. */
static void window_arm(struct seat_window *window)
{
	int64_t deadline = router_deadline(window->router);
	int64_t ms = (deadline - window_now()) / 1000000 + 1;

	g_clear_handle_id(&window->router_timer, g_source_remove);
	if (deadline != INT64_MAX)
		window->router_timer = g_timeout_add((guint)CLAMP(ms, 1, 10000),
			window_router_tick, window);
}

static int router_send(void *data, unsigned guest, const struct port_input *events, unsigned n)
{
	struct seat_window *window = data;

	return guest < window->n ? window_seat_send(window->seats[guest], events, n) : 0;
}

static void router_switched(void *data, int guest)
{
	struct seat_window *window = data;
	g_autofree char *text = NULL;

	for (unsigned i = 0; i < window->n; i++)
		window_seat_set_seated(window->seats[i], (int)i == guest);
	if (guest >= 0)
		text = g_strdup_printf("Input goes to %s \342\200\224 hold both Ctrl to leave",
			window_seat_name(window->seats[guest]));
	gtk_label_set_text(GTK_LABEL(window->hint),
		text ? text : "Click into a seat to give it keyboard and pointer");
	window_style_class(window->hint, "seated", guest >= 0);
}

static void router_chord(void *data)
{
	struct seat_window *window = data;

	router_switch(window->router, ROUTER_NOBODY, true);
}

static const struct router_ops router_ops = {
	.send = router_send,
	.switched = router_switched,
	.chord = router_chord,
};

static void seat_pointer(void *data, unsigned seat, const struct port_input *events, unsigned n)
{
	struct seat_window *window = data;
	struct port_input report[8];

	if (router_guest(window->router) != (int)seat || n >= G_N_ELEMENTS(report))
		return;
	memcpy(report, events, n * sizeof(*events));
	report[n++] = (struct port_input){.device = INPUT_TABLET, .type = EV_SYN};
	router_report(window->router, WINDOW_POINTER, report, n, window_now());
	window_arm(window);
}

/* A click is a wish for this seat, now: keys that are held are released in the old one. */
static void seat_pressed(void *data, unsigned seat)
{
	struct seat_window *window = data;

	if (router_guest(window->router) != (int)seat)
		router_switch(window->router, (int)seat, true);
}

static void seat_guest_reset(void *data, unsigned seat)
{
	struct seat_window *window = data;

	router_guest_reset(window->router, seat);
}

static const struct window_seat_ops seat_ops = {
	.pointer = seat_pointer,
	.pressed = seat_pressed,
	.guest_reset = seat_guest_reset,
};

/* Before GTK looks at it: no shortcut of ours while a seat has the keyboard. */
static gboolean window_key(GtkWidget *widget, GdkEventKey *event, gpointer data)
{
	struct seat_window *window = data;
	uint16_t code = keymap_from_x11(event->hardware_keycode);
	bool seated = router_guest(window->router) != ROUTER_NOBODY;

	if (code)
		router_key(window->router, WINDOW_KEYBOARD, INPUT_KEYBOARD, code,
			event->type == GDK_KEY_PRESS, window_now());
	window_arm(window);
	return seated;
}

/* What is released elsewhere we never hear of. */
static gboolean window_focus_out(GtkWidget *widget, GdkEventFocus *event, gpointer data)
{
	struct seat_window *window = data;

	router_release_all(window->router, window_now());
	window_arm(window);
	return FALSE;
}

static gboolean window_delete(GtkWidget *widget, GdkEvent *event, gpointer data)
{
	struct seat_window *window = data;

	if (window->ops && window->ops->closed)
		window->ops->closed(window->data);
	return TRUE;
}

/* --- numbers --- */

static gboolean window_numbers(gpointer data)
{
	struct seat_window *window = data;

	for (unsigned i = 0; i < window->n; i++) {
		struct seat_window_numbers numbers = {-1, -1, -1, -1, -1};

		if (window->ops && window->ops->numbers)
			window->ops->numbers(window->data, i, &numbers);
		window_seat_show_numbers(window->seats[i], &numbers);
	}
	return G_SOURCE_CONTINUE;
}

void seat_window_set_headline(struct seat_window *window, const char *text)
{
	gtk_label_set_text(GTK_LABEL(window->headline), text);
}

void seat_window_set_verdict(struct seat_window *window, const char *text, bool good)
{
	gtk_label_set_text(GTK_LABEL(window->verdict), text ? text : "");
	window_style_class(window->verdict, "good", good);
	window_style_class(window->verdict, "bad", !good);
	gtk_widget_set_visible(window->verdict, text != NULL);
}

/* --- building --- */

static GtkWidget *window_build_header(struct seat_window *window)
{
	GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);

	window->headline = window_style_label("", "headline");
	gtk_label_set_ellipsize(GTK_LABEL(window->headline), PANGO_ELLIPSIZE_END);
	window->verdict = window_style_label("", "verdict");
	gtk_widget_set_valign(window->verdict, GTK_ALIGN_CENTER);
	gtk_widget_set_no_show_all(window->verdict, TRUE);
	gtk_box_pack_start(GTK_BOX(row), window_style_mark(), FALSE, FALSE, 0);
	gtk_box_pack_start(GTK_BOX(row), window_style_label("Irori", "title"), FALSE, FALSE, 0);
	gtk_box_pack_start(GTK_BOX(row), window->headline, TRUE, TRUE, 6);
	gtk_box_pack_end(GTK_BOX(row), window->verdict, FALSE, FALSE, 0);
	return row;
}

static GtkWidget *window_build(struct seat_window *window, unsigned columns)
{
	GtkWidget *all = gtk_box_new(GTK_ORIENTATION_VERTICAL, 16);
	GtkWidget *grid = gtk_grid_new();

	gtk_container_set_border_width(GTK_CONTAINER(all), 20);
	gtk_grid_set_column_spacing(GTK_GRID(grid), 18);
	gtk_grid_set_row_spacing(GTK_GRID(grid), 18);
	gtk_grid_set_column_homogeneous(GTK_GRID(grid), TRUE);
	gtk_grid_set_row_homogeneous(GTK_GRID(grid), TRUE);
	for (unsigned i = 0; i < window->n; i++) {
		GtkWidget *card = window_seat_card(window->seats[i]);

		gtk_widget_set_hexpand(card, TRUE);
		gtk_widget_set_vexpand(card, TRUE);
		gtk_grid_attach(GTK_GRID(grid), card, (int)(i % columns), (int)(i / columns), 1, 1);
	}
	window->hint = window_style_label("", "hint");
	gtk_label_set_xalign(GTK_LABEL(window->hint), 0.5);
	gtk_box_pack_start(GTK_BOX(all), window_build_header(window), FALSE, FALSE, 0);
	gtk_box_pack_start(GTK_BOX(all), grid, TRUE, TRUE, 0);
	gtk_box_pack_start(GTK_BOX(all), window->hint, FALSE, FALSE, 0);
	return all;
}

struct seat_window *seat_window_new(const struct seat_window_seat *seats, unsigned n,
	const struct seat_window_ops *ops, void *data, GError **error)
{
	unsigned columns = n > 3 ? (n + 1) / 2 : n, rows = n > 3 ? 2 : 1;
	struct seat_window *window;

	if (!n || n > SEAT_WINDOW_SEATS || !gdk_display_get_default()) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
			n && n <= SEAT_WINDOW_SEATS ? "there is no display to open a window on"
						    : "a window shows 1 to 6 seats");
		return NULL;
	}
	window_style_load();
	window = g_new0(struct seat_window, 1);
	window->ops = ops;
	window->data = data;
	window->n = n;
	window->router = router_new(&router_ops, window, &chord_default);
	for (unsigned i = 0; i < n; i++)
		window->seats[i] = window_seat_new(&seats[i], i, &seat_ops, window);
	window->window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
	gtk_window_set_title(GTK_WINDOW(window->window), "Irori");
	gtk_window_set_default_size(GTK_WINDOW(window->window), (int)columns * WINDOW_CARD_WIDTH,
		(int)rows * WINDOW_CARD_HEIGHT + 60);
	window_style_class(window->window, "irori", true);
	gtk_container_add(GTK_CONTAINER(window->window), window_build(window, columns));
	g_signal_connect(window->window, "key-press-event", G_CALLBACK(window_key), window);
	g_signal_connect(window->window, "key-release-event", G_CALLBACK(window_key), window);
	g_signal_connect(window->window, "focus-out-event", G_CALLBACK(window_focus_out), window);
	g_signal_connect(window->window, "delete-event", G_CALLBACK(window_delete), window);
	gtk_widget_show_all(window->window);
	router_switched(window, ROUTER_NOBODY);
	window_numbers(window);
	window->numbers_timer = g_timeout_add(WINDOW_NUMBERS_MS, window_numbers, window);
	return window;
}

void seat_window_free(struct seat_window *window)
{
	if (!window)
		return;
	g_clear_handle_id(&window->numbers_timer, g_source_remove);
	g_clear_handle_id(&window->router_timer, g_source_remove);
	router_release_all(window->router, window_now());
	router_free(window->router);
	gtk_widget_destroy(window->window);
	for (unsigned i = 0; i < window->n; i++)
		window_seat_free(window->seats[i]);
	g_free(window);
}

GtkWidget *seat_window_widget(struct seat_window *window)
{
	return window->window;
}
