/*
 * See power_button.h.
 */
#include "seats/power_button.h"

#include <errno.h>
#include <glib-unix.h>
#include <linux/input.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { EVENTS = 16 };

struct button {
	struct power_buttons *buttons;
	int fd;
	guint source;
};

struct power_buttons {
	void (*pressed)(void *data);
	void *data;
	GHashTable *all; /* id -> struct button */
};

static void button_free(gpointer data)
{
	struct button *button = data;

	g_clear_handle_id(&button->source, g_source_remove);
	close(button->fd);
	g_free(button);
}

struct power_buttons *power_buttons_new(void (*pressed)(void *data), void *data)
{
	struct power_buttons *buttons = g_new0(struct power_buttons, 1);

	buttons->pressed = pressed;
	buttons->data = data;
	buttons->all = g_hash_table_new_full(NULL, NULL, NULL, button_free);
	return buttons;
}

void power_buttons_free(struct power_buttons *buttons)
{
	if (!buttons)
		return;
	g_hash_table_destroy(buttons->all);
	g_free(buttons);
}

static gboolean readable(gint fd, GIOCondition condition, gpointer data)
{
	struct button *button = data;
	struct power_buttons *buttons = button->buttons;
	struct input_event events[EVENTS];
	ssize_t n = read(fd, events, sizeof(events));
	bool pressed = false;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n <= 0) { /* unplugged: the inventory says so, too */
		button->source = 0;
		return G_SOURCE_REMOVE;
	}
	for (size_t i = 0; i < (size_t)n / sizeof(events[0]); i++)
		pressed |= events[i].type == EV_KEY && events[i].code == KEY_POWER &&
			events[i].value == 1;
	if (pressed)
		buttons->pressed(buttons->data);
	return G_SOURCE_CONTINUE;
}

void power_buttons_add(struct power_buttons *buttons, uint32_t id, int fd)
{
	uint8_t keys[KEY_CNT / 8] = { 0 };
	struct button *button;

	if (ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) < 0 ||
		!(keys[KEY_POWER / 8] & 1 << KEY_POWER % 8)) {
		close(fd);
		return;
	}
	button = g_new0(struct button, 1);
	button->buttons = buttons;
	button->fd = fd;
	button->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP, readable, button);
	g_hash_table_replace(buttons->all, GUINT_TO_POINTER(id), button);
}

void power_buttons_remove(struct power_buttons *buttons, uint32_t id)
{
	g_hash_table_remove(buttons->all, GUINT_TO_POINTER(id));
}
