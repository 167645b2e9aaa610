/*
 * spice-server's timers and watches as GLib sources. Both may be removed inside their own callback:
 * nothing is touched after it.
 */
#include <glib-unix.h>
#include <stdbool.h>

#include "display/remote/core.h"

struct SpiceTimer {
	SpiceTimerFunc func;
	void *opaque;
	guint source;
};

struct SpiceWatch {
	int fd;
	int mask;
	SpiceWatchFunc func;
	void *opaque;
	guint source;
};

static remote_channel_func channel_func;
static void *channel_data;

static SpiceTimer *core_timer_add(SpiceTimerFunc func, void *opaque)
{
	SpiceTimer *timer = g_new0(SpiceTimer, 1);

	timer->func = func;
	timer->opaque = opaque;
	return timer;
}

static gboolean core_timer_fire(gpointer data)
{
	SpiceTimer *timer = data;

	timer->source = 0;
	timer->func(timer->opaque);
	return G_SOURCE_REMOVE;
}

static void core_timer_cancel(SpiceTimer *timer)
{
	if (timer->source)
		g_source_remove(timer->source);
	timer->source = 0;
}

static void core_timer_start(SpiceTimer *timer, uint32_t ms)
{
	core_timer_cancel(timer);
	timer->source = g_timeout_add(ms, core_timer_fire, timer);
}

static void core_timer_remove(SpiceTimer *timer)
{
	core_timer_cancel(timer);
	g_free(timer);
}

/* A dead socket counts as whatever is being waited for, or it would spin. */
static gboolean core_watch_fire(gint fd, GIOCondition condition, gpointer data)
{
	SpiceWatch *watch = data;
	int event = 0;

	if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR))
		event |= SPICE_WATCH_EVENT_READ;
	if (condition & (G_IO_OUT | G_IO_HUP | G_IO_ERR))
		event |= SPICE_WATCH_EVENT_WRITE;
	event &= watch->mask;
	if (event)
		watch->func(fd, event, watch->opaque);
	return G_SOURCE_CONTINUE;
}

/* A mask of 0 is a watch that is silent, not one that sees hang-ups. */
static void core_watch_update_mask(SpiceWatch *watch, int mask)
{
	GIOCondition condition = 0;

	if (watch->source && mask == watch->mask)
		return;
	if (watch->source)
		g_source_remove(watch->source);
	watch->source = 0;
	watch->mask = mask;
	if (mask & SPICE_WATCH_EVENT_READ)
		condition |= G_IO_IN;
	if (mask & SPICE_WATCH_EVENT_WRITE)
		condition |= G_IO_OUT;
	if (condition)
		watch->source = g_unix_fd_add(watch->fd, condition | G_IO_HUP | G_IO_ERR,
			core_watch_fire, watch);
}

static SpiceWatch *core_watch_add(int fd, int mask, SpiceWatchFunc func, void *opaque)
{
	SpiceWatch *watch = g_new0(SpiceWatch, 1);

	watch->fd = fd;
	watch->func = func;
	watch->opaque = opaque;
	core_watch_update_mask(watch, mask);
	return watch;
}

static void core_watch_remove(SpiceWatch *watch)
{
	core_watch_update_mask(watch, 0);
	g_free(watch);
}

static void core_channel_event(int event, SpiceChannelEventInfo *info)
{
	if (event == SPICE_CHANNEL_EVENT_INITIALIZED || event == SPICE_CHANNEL_EVENT_DISCONNECTED)
		channel_func(channel_data, info->type, event == SPICE_CHANNEL_EVENT_INITIALIZED);
}

SpiceCoreInterface *remote_core(remote_channel_func func, void *data)
{
	static SpiceCoreInterface core = {
		.base.type = SPICE_INTERFACE_CORE,
		.base.description = "irori",
		.base.major_version = SPICE_INTERFACE_CORE_MAJOR,
		.base.minor_version = SPICE_INTERFACE_CORE_MINOR,
		.timer_add = core_timer_add,
		.timer_start = core_timer_start,
		.timer_cancel = core_timer_cancel,
		.timer_remove = core_timer_remove,
		.watch_add = core_watch_add,
		.watch_update_mask = core_watch_update_mask,
		.watch_remove = core_watch_remove,
		.channel_event = core_channel_event,
	};

	channel_func = func;
	channel_data = data;
	return &core;
}
