/*
 * A seat's card: name, state, the guest's picture, numbers. It sits at its guest by its own seat link
 * connection, and comes back when the guest's process has.
 */
#include "ui/window_priv.h"

#include <glib-unix.h>
#include <linux/input-event-codes.h>

enum {
	SEAT_RETRY_MS = 250,
	SEAT_DISPATCHES = 16,
	SEAT_MIN_WIDTH = 320,
	SEAT_MIN_HEIGHT = 180,
	SEAT_TILE_WIDTH = 72,
};

enum seat_tile {
	TILE_FPS,
	TILE_LATE,
	TILE_SKIPPED,
	TILE_JITTER,
	TILE_CPU,
	TILE_REBOOTS,
	TILES
};

static const char *const tile_captions[TILES] = {
	[TILE_FPS] = "frames/s",
	[TILE_LATE] = "late",
	[TILE_SKIPPED] = "skipped",
	[TILE_JITTER] = "jitter p99",
	[TILE_CPU] = "processors",
	[TILE_REBOOTS] = "reboots",
};

struct window_seat {
	char *name, *path;
	unsigned index;
	const struct window_seat_ops *ops;
	void *data;

	GtkWidget *card, *chip, *area;
	GtkWidget *tiles[TILES], *values[TILES];
	const char *chip_class;
	bool seated;
	double scroll;

	struct link_client *client;
	guint watch, retry;
	uint32_t reboots;
	struct link_cursor cursor; /* buffer 0: none */
	unsigned frames;
	int64_t counted_us;
};

/* --- state --- */

static const struct seat_state {
	const char *class, *chip, *caption;
	bool dim;
} states[] = {
	[LINK_GUEST_RUNNING] = {"running", "running", NULL, false},
	[LINK_GUEST_RESETTING] = {"rebooting", "rebooting", "rebooting \342\200\246", true},
	[LINK_GUEST_PAUSED] = {"paused", "paused", "paused", true},
	[LINK_GUEST_OFF] = {"off", "off", "switched off", true},
	[LINK_GUEST_CRASHED] = {"crashed", "crashed", "crashed", true},
};

static const struct seat_state state_nobody = {"off", "waiting", "waiting for the guest", true};

static const struct seat_state *seat_state(const struct window_seat *seat)
{
	const struct link_guest *guest = seat->client ? link_client_guest(seat->client) : NULL;

	if (!guest || !link_client_granted(seat->client) || guest->state >= G_N_ELEMENTS(states))
		return &state_nobody;
	return &states[guest->state];
}

static void seat_show_state(struct window_seat *seat)
{
	const struct seat_state *state = seat_state(seat);
	g_autofree char *text = NULL;

	if (state->class == states[LINK_GUEST_RESETTING].class)
		text = g_strdup_printf("%s \302\267 %u", state->chip, seat->reboots);
	gtk_label_set_text(GTK_LABEL(seat->chip), text ? text : state->chip);
	if (seat->chip_class != state->class) {
		if (seat->chip_class)
			window_style_class(seat->chip, seat->chip_class, false);
		window_style_class(seat->chip, state->class, true);
		seat->chip_class = state->class;
	}
	gtk_widget_queue_draw(seat->area);
}

/* --- the guest --- */

static void guest_frame(void *data, const struct link_frame *frame,
	const struct link_picture *picture)
{
	struct window_seat *seat = data;

	seat->frames++;
	gtk_widget_queue_draw(seat->area);
}

static void guest_cursor(void *data, const struct link_cursor *cursor,
	const struct link_picture *picture)
{
	struct window_seat *seat = data;

	seat->cursor = *cursor;
	gtk_widget_queue_draw(seat->area);
}

static void guest_state(void *data, const struct link_guest *guest)
{
	struct window_seat *seat = data;

	if (guest->reboots != seat->reboots)
		seat->ops->guest_reset(seat->data, seat->index);
	seat->reboots = guest->reboots;
	seat_show_state(seat);
}

static void guest_welcome(void *data, const struct link_welcome *welcome)
{
	struct window_seat *seat = data;

	seat->reboots = welcome->reboots;
	seat_show_state(seat);
}

static const struct link_client_events guest_events = {
	.welcome = guest_welcome,
	.frame = guest_frame,
	.cursor = guest_cursor,
	.guest = guest_state,
};

static void seat_attach(struct window_seat *seat);

static gboolean seat_retry(gpointer data)
{
	struct window_seat *seat = data;

	seat->retry = 0;
	seat_attach(seat);
	return G_SOURCE_REMOVE;
}

static gboolean seat_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct window_seat *seat = data;
	int r = 1;

	for (unsigned i = 0; i < SEAT_DISPATCHES && r > 0; i++)
		r = link_client_dispatch(seat->client);
	if (r >= 0)
		return G_SOURCE_CONTINUE;
	seat->watch = 0;
	g_clear_pointer(&seat->client, link_client_free);
	seat->cursor.buffer = 0;
	seat->ops->guest_reset(seat->data, seat->index);
	seat_show_state(seat);
	seat->retry = g_timeout_add(SEAT_RETRY_MS, seat_retry, seat);
	return G_SOURCE_REMOVE;
}

static void seat_attach(struct window_seat *seat)
{
	seat->client = link_client_connect(seat->path, LINK_WANT_DISPLAY | LINK_WANT_INPUT, "window",
		&guest_events, seat, NULL);
	if (seat->client)
		seat->watch = g_unix_fd_add(link_client_fd(seat->client),
			G_IO_IN | G_IO_HUP | G_IO_ERR, seat_readable, seat);
	else
		seat->retry = g_timeout_add(SEAT_RETRY_MS, seat_retry, seat);
	seat_show_state(seat);
}

int window_seat_send(struct window_seat *seat, const struct port_input *events, unsigned n)
{
	if (!seat->client || !(link_client_granted(seat->client) & LINK_WANT_INPUT))
		return 0;
	return link_client_input(seat->client, events, n);
}

/* --- the picture, and the pointer over it --- */

static gboolean area_draw(GtkWidget *area, cairo_t *cr, gpointer data)
{
	struct window_seat *seat = data;
	const struct seat_state *state = seat_state(seat);
	struct window_picture picture = {.caption = state->caption, .dim = state->dim};
	const struct link_frame *frame = seat->client
		? link_client_frame(seat->client, 0, &picture.picture) : NULL;

	if (!frame)
		picture.picture = NULL;
	if (picture.picture)
		picture.source = frame->source;
	if (seat->client && seat->cursor.buffer) {
		picture.cursor = link_client_picture(seat->client, seat->cursor.buffer);
		picture.cursor_x = seat->cursor.x; /* the corner, not the hot spot: port.h */
		picture.cursor_y = seat->cursor.y;
	}
	window_picture_draw(cr, &picture, gtk_widget_get_allocated_width(area),
		gtk_widget_get_allocated_height(area));
	return TRUE;
}

static struct window_fit seat_fit(const struct window_seat *seat)
{
	const struct link_picture *picture = NULL;
	const struct link_frame *frame = seat->client ? link_client_frame(seat->client, 0, &picture)
						      : NULL;

	return window_picture_fit(frame && picture ? frame->source.width : 16,
		frame && picture ? frame->source.height : 9,
		gtk_widget_get_allocated_width(seat->area),
		gtk_widget_get_allocated_height(seat->area));
}

static unsigned seat_position(struct window_seat *seat, double x, double y,
	struct port_input events[2])
{
	struct window_fit fit = seat_fit(seat);

	events[0] = (struct port_input){.device = INPUT_TABLET, .type = EV_ABS, .code = ABS_X};
	events[1] = (struct port_input){.device = INPUT_TABLET, .type = EV_ABS, .code = ABS_Y};
	window_fit_tablet(&fit, x, y, &events[0].value, &events[1].value);
	return 2;
}

/* Motion, and coming in: a pointer that was warped here only does the latter. */
static gboolean area_motion(GtkWidget *area, GdkEvent *event, gpointer data)
{
	struct window_seat *seat = data;
	struct port_input events[2];
	double x = 0, y = 0;
	unsigned n;

	gdk_event_get_coords(event, &x, &y);
	n = seat_position(seat, x, y, events);
	seat->ops->pointer(seat->data, seat->index, events, n);
	return TRUE;
}

static gboolean area_button(GtkWidget *area, GdkEventButton *event, gpointer data)
{
	static const uint16_t codes[] = {
		[1] = BTN_LEFT, [2] = BTN_MIDDLE, [3] = BTN_RIGHT, [8] = BTN_SIDE, [9] = BTN_EXTRA,
	};
	struct window_seat *seat = data;
	struct port_input events[3];
	unsigned n = seat_position(seat, event->x, event->y, events);

	if (event->button >= G_N_ELEMENTS(codes) || !codes[event->button] ||
		(event->type != GDK_BUTTON_PRESS && event->type != GDK_BUTTON_RELEASE))
		return TRUE; /* a double click comes as two clicks anyway */
	if (event->type == GDK_BUTTON_PRESS)
		seat->ops->pressed(seat->data, seat->index);
	events[n++] = (struct port_input){
		.device = INPUT_TABLET,
		.type = EV_KEY,
		.code = codes[event->button],
		.value = event->type == GDK_BUTTON_PRESS,
	};
	seat->ops->pointer(seat->data, seat->index, events, n);
	return TRUE;
}

static gboolean area_scroll(GtkWidget *area, GdkEventScroll *event, gpointer data)
{
	struct window_seat *seat = data;
	struct port_input wheel = {.device = INPUT_TABLET, .type = EV_REL, .code = REL_WHEEL};
	double dx, dy;

	if (event->direction == GDK_SCROLL_SMOOTH &&
		gdk_event_get_scroll_deltas((GdkEvent *)event, &dx, &dy)) {
		seat->scroll -= dy;
		wheel.value = (int32_t)CLAMP(seat->scroll, -8, 8); /* whole clicks */
		seat->scroll -= wheel.value;
	} else if (event->direction == GDK_SCROLL_UP) {
		wheel.value = 1;
	} else if (event->direction == GDK_SCROLL_DOWN) {
		wheel.value = -1;
	}
	if (wheel.value)
		seat->ops->pointer(seat->data, seat->index, &wheel, 1);
	return TRUE;
}

void window_seat_set_seated(struct window_seat *seat, bool seated)
{
	GdkWindow *window = gtk_widget_get_window(seat->area);
	g_autoptr(GdkCursor) none = seated ? gdk_cursor_new_for_display(
						     gdk_display_get_default(), GDK_BLANK_CURSOR)
					   : NULL;

	seat->seated = seated;
	window_style_class(seat->card, "seated", seated);
	if (window) /* the guest draws its own */
		gdk_window_set_cursor(window, none);
}

/* --- numbers --- */

static void seat_tile(struct window_seat *seat, enum seat_tile tile, bool known, bool lost,
	const char *text)
{
	gtk_widget_set_visible(seat->tiles[tile], known);
	if (!known)
		return;
	gtk_label_set_text(GTK_LABEL(seat->values[tile]), text);
	window_style_class(seat->values[tile], "lost", lost);
}

void window_seat_show_numbers(struct window_seat *seat, const struct seat_window_numbers *numbers)
{
	int64_t now = g_get_monotonic_time();
	double seconds = (double)(now - seat->counted_us) / G_USEC_PER_SEC;
	double fps = numbers->fps >= 0 ? numbers->fps : seconds > 0 ? seat->frames / seconds : 0;
	char text[32];

	seat->counted_us = now;
	seat->frames = 0;
	g_snprintf(text, sizeof(text), "%.1f", fps);
	seat_tile(seat, TILE_FPS, true, false, text);
	g_snprintf(text, sizeof(text), "%" G_GINT64_FORMAT, numbers->late);
	seat_tile(seat, TILE_LATE, numbers->late >= 0, numbers->late > 0, text);
	g_snprintf(text, sizeof(text), "%" G_GINT64_FORMAT, numbers->skipped);
	seat_tile(seat, TILE_SKIPPED, numbers->skipped >= 0, numbers->skipped > 0, text);
	g_snprintf(text, sizeof(text), "%.1f ms", numbers->jitter_ms);
	seat_tile(seat, TILE_JITTER, numbers->jitter_ms >= 0, false, text);
	g_snprintf(text, sizeof(text), "%.2f", numbers->cpu);
	seat_tile(seat, TILE_CPU, numbers->cpu >= 0, false, text);
	g_snprintf(text, sizeof(text), "%u", seat->reboots);
	seat_tile(seat, TILE_REBOOTS, true, false, text);
}

static GtkWidget *seat_build_tiles(struct window_seat *seat)
{
	GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 18);

	for (unsigned i = 0; i < TILES; i++) {
		GtkWidget *tile = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

		seat->values[i] = window_style_label("\342\200\223", "value");
		seat->tiles[i] = tile;
		gtk_widget_set_size_request(tile, SEAT_TILE_WIDTH, -1); /* nothing jumps about */
		gtk_box_pack_start(GTK_BOX(tile), seat->values[i], FALSE, FALSE, 0);
		gtk_box_pack_start(GTK_BOX(tile), window_style_label(tile_captions[i], "caption"),
			FALSE, FALSE, 0);
		gtk_widget_show_all(tile);
		gtk_widget_set_no_show_all(tile, TRUE);
		gtk_widget_set_visible(tile, i == TILE_FPS || i == TILE_REBOOTS);
		gtk_box_pack_start(GTK_BOX(row), tile, FALSE, FALSE, 0);
	}
	return row;
}

/* --- the card --- */

static GtkWidget *seat_build_top(struct window_seat *seat, const char *role)
{
	GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 10);
	GtkWidget *name = window_style_label(seat->name, "name");

	seat->chip = window_style_label("", "chip");
	gtk_widget_set_valign(seat->chip, GTK_ALIGN_CENTER);
	gtk_box_pack_start(GTK_BOX(row), name, FALSE, FALSE, 0);
	if (role) {
		GtkWidget *label = window_style_label(role, "role");

		gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
		gtk_box_pack_start(GTK_BOX(row), label, TRUE, TRUE, 0);
	}
	gtk_box_pack_end(GTK_BOX(row), seat->chip, FALSE, FALSE, 0);
	return row;
}

static GtkWidget *seat_build_area(struct window_seat *seat)
{
	GtkWidget *area = gtk_drawing_area_new();
	g_autofree char *name = g_strdup_printf("Picture of %s", seat->name);

	gtk_widget_set_size_request(area, SEAT_MIN_WIDTH, SEAT_MIN_HEIGHT);
	gtk_widget_set_can_focus(area, TRUE);
	gtk_widget_add_events(area, GDK_POINTER_MOTION_MASK | GDK_ENTER_NOTIFY_MASK |
		GDK_BUTTON_PRESS_MASK | GDK_BUTTON_RELEASE_MASK | GDK_SCROLL_MASK | GDK_SMOOTH_SCROLL_MASK);
	g_signal_connect(area, "draw", G_CALLBACK(area_draw), seat);
	g_signal_connect(area, "motion-notify-event", G_CALLBACK(area_motion), seat);
	g_signal_connect(area, "enter-notify-event", G_CALLBACK(area_motion), seat);
	g_signal_connect(area, "button-press-event", G_CALLBACK(area_button), seat);
	g_signal_connect(area, "button-release-event", G_CALLBACK(area_button), seat);
	g_signal_connect(area, "scroll-event", G_CALLBACK(area_scroll), seat);
	atk_object_set_name(gtk_widget_get_accessible(area), name);
	atk_object_set_description(gtk_widget_get_accessible(area),
		"Click to give it keyboard and pointer; hold both Ctrl keys to leave");
	return area;
}

struct window_seat *window_seat_new(const struct seat_window_seat *config, unsigned index,
	const struct window_seat_ops *ops, void *data)
{
	struct window_seat *seat = g_new0(struct window_seat, 1);

	seat->name = g_strdup(config->name);
	seat->path = g_strdup(config->path);
	seat->index = index;
	seat->ops = ops;
	seat->data = data;
	seat->counted_us = g_get_monotonic_time();
	seat->card = gtk_box_new(GTK_ORIENTATION_VERTICAL, 10);
	window_style_class(seat->card, "card", true);
	gtk_box_pack_start(GTK_BOX(seat->card), seat_build_top(seat, config->role), FALSE, FALSE, 0);
	seat->area = seat_build_area(seat);
	gtk_box_pack_start(GTK_BOX(seat->card), seat->area, TRUE, TRUE, 0);
	gtk_box_pack_start(GTK_BOX(seat->card), seat_build_tiles(seat), FALSE, FALSE, 0);
	atk_object_set_name(gtk_widget_get_accessible(seat->card), seat->name);
	seat_attach(seat);
	return seat;
}

GtkWidget *window_seat_card(struct window_seat *seat)
{
	return seat->card;
}

const char *window_seat_name(const struct window_seat *seat)
{
	return seat->name;
}

void window_seat_free(struct window_seat *seat)
{
	if (!seat)
		return;
	g_clear_handle_id(&seat->watch, g_source_remove);
	g_clear_handle_id(&seat->retry, g_source_remove);
	link_client_free(seat->client);
	g_free(seat->name);
	g_free(seat->path);
	g_free(seat);
}
