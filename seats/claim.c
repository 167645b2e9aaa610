/*
 * See claim.h.
 */
#include "seats/claim.h"

#include <errno.h>
#include <linux/input.h>
#include <unistd.h>

#include <glib-unix.h>

enum {
	EVENTS = 64, /* in one read */
	READS = 4,   /* in one turn: who types faster waits for the next */
};

struct device {
	struct claim *claim;
	uint32_t id;
	uint64_t serial; /* an id may be used again */
	int fd;
	GSource *source;
};

struct claim {
	const struct claim_events *events;
	void *data;
	GMainContext *context;
	GPtrArray *devices; /* struct device */
	uint64_t serial;
};

static struct device *device_find(const struct claim *claim, uint32_t id)
{
	for (guint i = 0; i < claim->devices->len; i++) {
		struct device *device = g_ptr_array_index(claim->devices, i);

		if (device->id == id)
			return device;
	}
	return NULL;
}

/* 1 to 12; 0: no F key. Their codes are in two rows. */
static unsigned f_key(unsigned code)
{
	if (code >= KEY_F1 && code <= KEY_F10)
		return code - KEY_F1 + 1;
	return code == KEY_F11 ? 11 : code == KEY_F12 ? 12 : 0;
}

static void event_take(struct claim *claim, uint32_t id, const struct input_event *event)
{
	unsigned number = event->type == EV_KEY && event->value == 1 ? f_key(event->code) : 0;

	if (event->type != EV_KEY || event->value != 1)
		return;
	if (number)
		claim->events->claimed(claim->data, id, number);
	else if (event->code == KEY_ENTER || event->code == KEY_KPENTER)
		claim->events->entered(claim->data, id);
}

static void device_gone(struct claim *claim, uint32_t id)
{
	claim_remove(claim, id);
	claim->events->gone(claim->data, id);
}

/* Each event may be the last that we want of this device, which is then not there any more. */
static gboolean device_readable(int fd, GIOCondition condition, gpointer data)
{
	struct device *device = data;
	struct claim *claim = device->claim;
	struct input_event events[EVENTS];
	uint64_t serial = device->serial;
	uint32_t id = device->id;

	for (unsigned turn = 0; turn < READS; turn++) {
		ssize_t n = read(fd, events, sizeof(events));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return G_SOURCE_CONTINUE;
		if (n <= 0 || (size_t)n % sizeof(events[0])) {
			device_gone(claim, id);
			return G_SOURCE_REMOVE;
		}
		for (size_t i = 0; i < (size_t)n / sizeof(events[0]); i++) {
			event_take(claim, id, &events[i]);
			device = device_find(claim, id);
			if (!device || device->serial != serial)
				return G_SOURCE_REMOVE;
		}
	}
	return G_SOURCE_CONTINUE;
}

static void device_free(void *data)
{
	struct device *device = data;

	g_source_destroy(device->source);
	g_source_unref(device->source);
	if (device->fd >= 0)
		close(device->fd);
	g_free(device);
}

struct claim *claim_new(const struct claim_events *events, void *data)
{
	struct claim *claim = g_new0(struct claim, 1);

	claim->events = events;
	claim->data = data;
	claim->context = g_main_context_ref_thread_default();
	claim->devices = g_ptr_array_new_with_free_func(device_free);
	return claim;
}

void claim_free(struct claim *claim)
{
	if (!claim)
		return;
	g_ptr_array_free(claim->devices, TRUE);
	g_main_context_unref(claim->context);
	g_free(claim);
}

int claim_add(struct claim *claim, uint32_t id, int fd)
{
	struct device *device;
	int code = device_find(claim, id)                   ? -EEXIST :
		claim->devices->len == CLAIM_MAX_DEVICES ? -ENOSPC :
							   0;

	if (code) {
		close(fd);
		return code;
	}
	device = g_new0(struct device, 1);
	device->claim = claim;
	device->id = id;
	device->serial = ++claim->serial;
	device->fd = fd;
	device->source = g_unix_fd_source_new(fd, G_IO_IN);
	g_source_set_callback(device->source, G_SOURCE_FUNC(device_readable), device, NULL);
	g_source_attach(device->source, claim->context);
	g_ptr_array_add(claim->devices, device);
	return 0;
}

void claim_remove(struct claim *claim, uint32_t id)
{
	struct device *device = device_find(claim, id);

	if (device)
		g_ptr_array_remove(claim->devices, device);
}

int claim_take(struct claim *claim, uint32_t id)
{
	struct device *device = device_find(claim, id);
	int fd = device ? device->fd : -1;

	if (!device)
		return -1;
	device->fd = -1;
	g_ptr_array_remove(claim->devices, device);
	return fd;
}
