/*
 * A screen as a GSource. The loop's own time is the screen's clock: g_get_monotonic_time() is
 * CLOCK_MONOTONIC, as the kernel's flips are.
 */
#include "display/screen_source.h"

struct screen_source {
	GSource source;
	struct screen *screen;
	int fd;
	gpointer tag;
};

/* After a lease the card's file is another. */
static void source_watch(struct screen_source *self)
{
	int fd = screen_fd(self->screen);

	if (fd == self->fd && (fd < 0 || self->tag))
		return;
	if (self->tag)
		g_source_remove_unix_fd(&self->source, self->tag);
	self->tag = fd >= 0 ? g_source_add_unix_fd(&self->source, fd, G_IO_IN) : NULL;
	self->fd = fd;
}

static gboolean source_is_due(struct screen_source *self)
{
	return screen_due(self->screen) <= g_source_get_time(&self->source) * 1000;
}

/* Rounded up: who wakes too early, wakes twice. */
static gboolean source_prepare(GSource *source, gint *timeout)
{
	struct screen_source *self = (struct screen_source *)source;
	int64_t due = screen_due(self->screen), now = g_source_get_time(source) * 1000;

	source_watch(self);
	*timeout = -1;
	if (due != INT64_MAX && due > now)
		*timeout = (gint)MIN((due - now + 999999) / 1000000, 60000);
	return due <= now;
}

static gboolean source_check(GSource *source)
{
	struct screen_source *self = (struct screen_source *)source;

	return source_is_due(self) || (self->tag && g_source_query_unix_fd(source, self->tag));
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	struct screen_source *self = (struct screen_source *)source;

	screen_run(self->screen, g_source_get_time(source) * 1000);
	source_watch(self);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = {
	.prepare = source_prepare,
	.check = source_check,
	.dispatch = source_dispatch,
};

GSource *screen_source_new(struct screen *screen)
{
	GSource *source = g_source_new(&source_funcs, sizeof(struct screen_source));
	struct screen_source *self = (struct screen_source *)source;

	self->screen = screen;
	self->fd = -1;
	g_source_set_name(source, "screen");
	return source;
}
