/*
 * The seat's input devices. What irorid calls a device changes with it; ours are numbers that last.
 */
#define G_LOG_DOMAIN "irori-seat"

#include "seats/seat/devices.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct device {
	uint32_t id, wire; /* ours, 0: none; irorid's */
	char path[WIRE_PATH];
	struct stat node;
	bool told;
};

struct devices {
	int64_t (*now)(void);
	void (*failed)(void *data);
	void *data;
	struct session *session;
	struct seat_input *input;
	guint watch;
	uint32_t last;
	struct device device[WIRE_INPUTS];
};

static gboolean devices_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct devices *devices = data;
	int r = seat_input_dispatch(devices->input, devices->now());

	session_tick(devices->session);
	if (r >= 0)
		return G_SOURCE_CONTINUE;
	g_warning("input: %s", g_strerror(-r));
	devices->watch = 0;
	devices->failed(devices->data);
	return G_SOURCE_REMOVE;
}

struct devices *devices_new(int64_t (*now)(void), void (*failed)(void *data), void *data)
{
	struct devices *devices = g_new0(struct devices, 1);

	devices->now = now;
	devices->failed = failed;
	devices->data = data;
	return devices;
}

int devices_attach(struct devices *devices, struct session *session)
{
	devices->session = session;
	devices->input = seat_input_new(session_router(session), &session_hands, session);
	if (!devices->input)
		return -errno;
	devices->watch = g_unix_fd_add(seat_input_fd(devices->input), G_IO_IN, devices_readable,
		devices);
	return 0;
}

void devices_free(struct devices *devices)
{
	if (!devices)
		return;
	g_clear_handle_id(&devices->watch, g_source_remove);
	seat_input_free(devices->input);
	g_free(devices);
}

static void device_drop(struct devices *devices, struct device *device)
{
	seat_input_remove(devices->input, device->id, devices->now());
	session_tick(devices->session);
	*device = (struct device){ 0 };
}

/* The same device, and not another that was plugged in at the same place since. */
static bool device_is(const struct device *device, const char *path, const struct stat *node)
{
	return device->id && strcmp(device->path, path) == 0 && device->node.st_dev == node->st_dev &&
	       device->node.st_ino == node->st_ino && device->node.st_rdev == node->st_rdev;
}

int devices_add(struct devices *devices, uint32_t wire, const char *path, int fd)
{
	struct device *empty = NULL;
	struct stat node;
	int r = fstat(fd, &node) < 0 ? -errno : 0;

	for (unsigned i = 0; r == 0 && i < WIRE_INPUTS; i++) {
		struct device *device = &devices->device[i];

		if (device_is(device, path, &node)) {
			device->wire = wire;
			device->told = true;
			close(fd);
			return 0;
		}
		if (device->id && (device->wire == wire || strcmp(device->path, path) == 0))
			device_drop(devices, device); /* replaced */
		if (!device->id && !empty)
			empty = device;
	}
	if (r < 0 || !empty) {
		close(fd);
		return r < 0 ? r : -ENOSPC;
	}
	*empty = (struct device){ .id = ++devices->last, .wire = wire, .node = node, .told = true };
	g_strlcpy(empty->path, path, sizeof(empty->path));
	r = seat_input_add(devices->input, empty->id, path, fd);
	if (r < 0)
		*empty = (struct device){ 0 };
	return r;
}

void devices_begin(struct devices *devices)
{
	for (unsigned i = 0; i < WIRE_INPUTS; i++) {
		devices->device[i].told = false;
		devices->device[i].wire = 0; /* a number of the one before */
	}
}

bool devices_message(struct devices *devices, struct wire_message *message)
{
	const struct wire_input_add *add = &message->body.input_add;
	int r;

	if (message->opcode == WIRE_INPUT_ADD) {
		r = devices_add(devices, add->id, add->path, message->fd);
		message->fd = -1;
		if (r < 0)
			g_message("%s (%s): %s", add->path, add->name, g_strerror(-r));
		else
			g_debug("%s: %s", add->path, add->name);
		return true;
	}
	for (unsigned i = 0; i < WIRE_INPUTS; i++) {
		struct device *device = &devices->device[i];

		if (!device->id)
			continue;
		if (message->opcode == WIRE_READY ? !device->told
						  : message->opcode == WIRE_INPUT_REMOVE &&
				device->wire == message->body.input_remove.id)
			device_drop(devices, device);
	}
	return message->opcode == WIRE_INPUT_REMOVE;
}

static void on_grab(void *data, bool on, int64_t now_ns)
{
	struct devices *devices = data;

	seat_input_grab(devices->input, on, now_ns);
}

static void on_screen(void *data, const struct seat_screen *screen)
{
	struct devices *devices = data;

	seat_input_screen(devices->input, screen);
}

static void on_leds(void *data, uint32_t leds)
{
	struct devices *devices = data;

	seat_input_leds(devices->input, leds);
}

const struct session_devices devices_session = {
	.grab = on_grab,
	.screen = on_screen,
	.leds = on_leds,
};
