/*
 * A guest at which the seat sits.
 */
#define G_LOG_DOMAIN "irori-seat"

#include "seats/seat/guest.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>

#include "display/link_client.h"
#include "seats/guest_link.h"

enum {
	RETRY_FIRST_MS = 100,
	RETRY_LAST_MS = 1000,
	GUEST_TURN = 16, /* dispatches before others have their turn */
};

struct guest {
	char *key;
	const struct guest_events *events;
	void *data;
	struct link_client *client;
	guint watch, retry;
	unsigned retry_ms;
	struct screen *screen;
	struct link_cursor cursor[PORT_HEADS]; /* buffer 0: none */
	struct port_size heads[PORT_HEADS];    /* to ask for */
	unsigned n_heads;                      /* 0: nothing */
	struct port_size shown[PORT_HEADS];
	uint32_t reboots, leds;
};

/* ---- what it says ---- */

static void on_frame(void *data, const struct link_frame *frame, const struct link_picture *picture)
{
	struct guest *guest = data;
	struct port_size *shown = &guest->shown[frame->head];
	uint32_t width = picture ? frame->source.width : 0;
	uint32_t height = picture ? frame->source.height : 0;

	if (guest->screen)
		screen_frame(guest->screen, frame, picture);
	if (width == shown->width && height == shown->height)
		return;
	*shown = (struct port_size){ width, height };
	guest->events->resized(guest->data, guest);
}

static void on_buffer_gone(void *data, const struct link_picture *picture)
{
	struct guest *guest = data;

	for (unsigned i = 0; i < PORT_HEADS; i++)
		if (guest->cursor[i].buffer == picture->id)
			guest->cursor[i].buffer = 0;
	if (guest->screen)
		screen_gone(guest->screen, picture);
}

static void on_cursor(void *data, const struct link_cursor *cursor, const struct link_picture *picture)
{
	struct guest *guest = data;

	guest->cursor[cursor->head] = *cursor;
	if (!picture)
		guest->cursor[cursor->head].buffer = 0;
	if (guest->screen)
		screen_cursor(guest->screen, cursor, picture);
}

static void on_leds(void *data, uint32_t leds)
{
	struct guest *guest = data;

	guest->leds = leds;
	guest->events->leds(guest->data, guest, leds);
}

static void on_guest(void *data, const struct link_guest *state)
{
	struct guest *guest = data;

	if (state->reboots != guest->reboots)
		guest->events->reset(guest->data, guest);
	guest->reboots = state->reboots;
	guest->events->changed(guest->data, guest);
}

static void on_welcome(void *data, const struct link_welcome *welcome)
{
	struct guest *guest = data;

	guest->reboots = welcome->reboots;
	guest->retry_ms = 0;
	if (guest->n_heads)
		link_client_monitors(guest->client, guest->heads, guest->n_heads);
	if (!(welcome->granted & LINK_WANT_CLOCK))
		g_message("%s: another seat is the clock", welcome->name);
	guest->events->reset(guest->data, guest);
	guest->events->changed(guest->data, guest);
}

static const struct link_client_events events = {
	.welcome = on_welcome,
	.buffer_gone = on_buffer_gone,
	.frame = on_frame,
	.cursor = on_cursor,
	.leds = on_leds,
	.guest = on_guest,
};

/* ---- the connection ---- */

static void guest_want(struct guest *guest);

static gboolean guest_retry(gpointer data)
{
	struct guest *guest = data;

	guest->retry = 0;
	guest_want(guest);
	return G_SOURCE_REMOVE;
}

static void guest_later(struct guest *guest)
{
	guest->retry_ms = CLAMP(guest->retry_ms * 2, RETRY_FIRST_MS, RETRY_LAST_MS);
	g_clear_handle_id(&guest->retry, g_source_remove);
	guest->retry = g_timeout_add(guest->retry_ms, guest_retry, guest);
}

static void guest_want(struct guest *guest)
{
	guest_later(guest);
	guest->events->wants_link(guest->data, guest);
}

static void guest_detach(struct guest *guest)
{
	if (guest->screen) {
		screen_frame(guest->screen, NULL, NULL);
		screen_cursor(guest->screen, NULL, NULL);
	}
	g_clear_handle_id(&guest->watch, g_source_remove);
	g_clear_pointer(&guest->client, link_client_free);
	memset(guest->cursor, 0, sizeof(guest->cursor));
	memset(guest->shown, 0, sizeof(guest->shown));
	guest->leds = 0;
}

static gboolean guest_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct guest *guest = data;
	int r = 1;

	for (unsigned i = 0; i < GUEST_TURN && r > 0; i++)
		r = link_client_dispatch(guest->client);
	if (r >= 0)
		return G_SOURCE_CONTINUE;
	if (r != -EPIPE)
		g_message("%s: %s", guest->key, g_strerror(-r));
	guest->watch = 0;
	guest_detach(guest);
	guest_later(guest);
	guest->events->reset(guest->data, guest);
	guest->events->changed(guest->data, guest);
	return G_SOURCE_REMOVE;
}

void guest_ask(struct guest *guest)
{
	if (!guest->client && (!guest->retry || guest->retry_ms > RETRY_FIRST_MS))
		guest_want(guest);
}

void guest_link(struct guest *guest, int socket)
{
	bool again = guest->client; /* asked for twice: the first is over */

	if (again)
		guest_detach(guest);
	guest->client = link_client_adopt(socket, guest_link_wants(WIRE_LINK_PICTURE), &events, guest);
	g_clear_handle_id(&guest->retry, g_source_remove);
	guest->watch = g_unix_fd_add(link_client_fd(guest->client), G_IO_IN | G_IO_HUP | G_IO_ERR,
		guest_readable, guest);
	if (!again)
		return;
	guest->events->reset(guest->data, guest);
	guest->events->changed(guest->data, guest);
}

struct guest *guest_new(const char *key, const struct guest_events *guest_events, void *data)
{
	struct guest *guest = g_new0(struct guest, 1);

	guest->key = g_strdup(key);
	guest->events = guest_events;
	guest->data = data;
	return guest;
}

void guest_free(struct guest *guest)
{
	if (!guest)
		return;
	guest_detach(guest);
	g_clear_handle_id(&guest->retry, g_source_remove);
	g_free(guest->key);
	g_free(guest);
}

/* ---- what is asked of it ---- */

const char *guest_key(const struct guest *guest)
{
	return guest->key;
}

bool guest_attached(const struct guest *guest)
{
	return guest->client && link_client_granted(guest->client);
}

uint32_t guest_link_state(const struct guest *guest)
{
	return guest_attached(guest) ? link_client_guest(guest->client)->state : LINK_GUEST_OFF;
}

uint32_t guest_leds(const struct guest *guest)
{
	return guest->leds;
}

void guest_show(struct guest *guest, struct screen *screen)
{
	const struct link_picture *picture = NULL;
	const struct link_frame *frame;

	if (guest->screen == screen)
		return;
	if (guest->screen) {
		screen_frame(guest->screen, NULL, NULL);
		screen_cursor(guest->screen, NULL, NULL);
	}
	guest->screen = screen;
	if (!screen || !guest->client)
		return;
	for (unsigned i = 0; i < PORT_HEADS; i++) {
		frame = link_client_frame(guest->client, i, &picture);
		if (frame)
			screen_frame(screen, frame, picture);
		if (guest->cursor[i].buffer)
			screen_cursor(screen, &guest->cursor[i],
				link_client_picture(guest->client, guest->cursor[i].buffer));
	}
}

void guest_resize(struct guest *guest, const struct port_size *heads, unsigned n)
{
	if (n == guest->n_heads && memcmp(heads, guest->heads, n * sizeof(*heads)) == 0)
		return;
	memcpy(guest->heads, heads, n * sizeof(*heads));
	guest->n_heads = n;
	if (guest_attached(guest) && n)
		link_client_monitors(guest->client, heads, n);
}

struct port_size guest_size(const struct guest *guest, unsigned head)
{
	return guest->shown[head];
}

void guest_presented(struct guest *guest, unsigned head, uint64_t seq, int64_t vblank_ns,
	int64_t period_ns)
{
	const struct link_frame *frame;

	if (!guest->client || !(link_client_granted(guest->client) & LINK_WANT_CLOCK))
		return;
	/* A flip of what another guest showed before a switch is none of this one's. */
	frame = link_client_frame(guest->client, head, NULL);
	if (frame && seq <= frame->seq)
		link_client_presented(guest->client, head, seq, vblank_ns, period_ns);
}

int guest_input(struct guest *guest, const struct port_input *report, unsigned n)
{
	if (!guest->client || !(link_client_granted(guest->client) & LINK_WANT_INPUT))
		return 0;
	return link_client_input(guest->client, report, n);
}
