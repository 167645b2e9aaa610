/*
 * A seat's devices: libinput's events into ours. Its path backend takes devices one by one; what it
 * "opens" are the descriptors that we were given.
 */
#define G_LOG_DOMAIN "irori-input"

#include "input/libinput.h"

#include "input/gamepad.h"
#include "input/hands.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <libinput.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct seat_device {
	struct seat_input *input;
	bool used;
	uint32_t id;
	int hand; /* its number with the hands; < 0: not yet */
	char *path;
	int fd;
	struct libinput_device *device; /* or */
	struct gamepad *pad;
};

struct seat_input {
	struct seat_hands *hands;
	struct libinput *libinput;
	int epoll;
	uint32_t leds;
	int64_t now_ns;
	struct seat_device device[SEAT_INPUT_DEVICES];
};

/* The descriptor stays ours until the device is removed: libinput gets one that it may close. */
static int on_open(const char *path, int flags, void *data)
{
	struct seat_input *input = data;

	for (unsigned i = 0; i < SEAT_INPUT_DEVICES; i++) {
		const struct seat_device *device = &input->device[i];
		int fd;

		if (!device->used || strcmp(device->path, path) != 0)
			continue;
		fd = fcntl(device->fd, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}

static void on_close(int fd, void *data)
{
	close(fd);
}

static const struct libinput_interface interface = {
	.open_restricted = on_open,
	.close_restricted = on_close,
};

G_GNUC_PRINTF(3, 0)
static void on_log(struct libinput *libinput, enum libinput_log_priority priority,
	const char *format, va_list args)
{
	g_autofree char *text = g_strdup_vprintf(format, args);

	g_log(G_LOG_DOMAIN,
		priority == LIBINPUT_LOG_PRIORITY_ERROR ? G_LOG_LEVEL_MESSAGE : G_LOG_LEVEL_DEBUG,
		"%s", g_strchomp(text));
}

static int input_watch(struct seat_input *input, int fd, struct seat_device *device)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = device};

	return epoll_ctl(input->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

struct seat_input *seat_input_new(struct router *router, const struct seat_input_ops *ops,
	void *data)
{
	struct seat_input *input = calloc(1, sizeof(*input));
	int error = ENOMEM;

	if (!input)
		return NULL;
	input->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (input->epoll < 0) {
		error = errno;
		goto fail;
	}
	input->hands = seat_hands_new(router, ops, data);
	input->libinput = libinput_path_create_context(&interface, input);
	if (!input->hands || !input->libinput)
		goto fail;
	libinput_log_set_handler(input->libinput, on_log);
	libinput_log_set_priority(input->libinput, LIBINPUT_LOG_PRIORITY_INFO);
	error = -input_watch(input, libinput_get_fd(input->libinput), NULL);
	if (!error)
		return input;
fail:
	seat_input_free(input);
	errno = error;
	return NULL;
}

static void device_close(struct seat_device *device)
{
	struct seat_input *input = device->input;

	if (device->device) {
		/* What it still has to say of it means nothing any more. */
		libinput_device_set_user_data(device->device, NULL);
		libinput_path_remove_device(device->device);
		libinput_device_unref(device->device);
	}
	if (device->pad)
		epoll_ctl(input->epoll, EPOLL_CTL_DEL, device->fd, NULL);
	gamepad_free(device->pad);
	free(device->path);
	close(device->fd);
	*device = (struct seat_device){.hand = -1};
}

void seat_input_free(struct seat_input *input)
{
	if (!input)
		return;
	for (unsigned i = 0; i < SEAT_INPUT_DEVICES; i++)
		if (input->device[i].used)
			device_close(&input->device[i]);
	if (input->libinput)
		libinput_unref(input->libinput);
	seat_hands_free(input->hands);
	if (input->epoll >= 0)
		close(input->epoll);
	free(input);
}

/* Devices come and go */

static unsigned device_caps(struct libinput_device *device)
{
	unsigned caps = 0;

	/* A mouse with a media key, or a power button, is no keyboard to write with. */
	if (libinput_device_has_capability(device, LIBINPUT_DEVICE_CAP_KEYBOARD) &&
		libinput_device_keyboard_has_key(device, KEY_ENTER) == 1)
		caps |= SEAT_HAS_KEYBOARD;
	if (libinput_device_has_capability(device, LIBINPUT_DEVICE_CAP_POINTER) ||
		libinput_device_has_capability(device, LIBINPUT_DEVICE_CAP_TABLET_TOOL))
		caps |= SEAT_HAS_POINTER;
	if (libinput_device_has_capability(device, LIBINPUT_DEVICE_CAP_TOUCH))
		caps |= SEAT_HAS_TOUCH;
	return caps;
}

static void device_leds(struct seat_device *device)
{
	uint32_t leds = device->input->leds;
	unsigned lit = 0;

	if (leds & 1u << LED_NUML)
		lit |= LIBINPUT_LED_NUM_LOCK;
	if (leds & 1u << LED_CAPSL)
		lit |= LIBINPUT_LED_CAPS_LOCK;
	if (leds & 1u << LED_SCROLLL)
		lit |= LIBINPUT_LED_SCROLL_LOCK;
	if (device->device)
		libinput_device_led_update(device->device, (enum libinput_led)lit);
}

static int device_open_libinput(struct seat_device *device, unsigned *caps)
{
	struct libinput_device *found =
		libinput_path_add_device(device->input->libinput, device->path);

	if (!found)
		return -ENODEV;
	device->device = libinput_device_ref(found);
	*caps = device_caps(found);
	if (!*caps && !libinput_device_has_capability(found, LIBINPUT_DEVICE_CAP_KEYBOARD))
		return -ENODEV;
	libinput_device_set_user_data(found, device);
	device_leds(device);
	return 0;
}

static int device_open(struct seat_device *device, unsigned *caps)
{
	device->pad = gamepad_new(device->fd);
	if (device->pad) {
		*caps = SEAT_HAS_GAMEPAD;
		return input_watch(device->input, device->fd, device);
	}
	return errno == ENODEV ? device_open_libinput(device, caps) : -errno;
}

static struct seat_device *device_find(struct seat_input *input, uint32_t id)
{
	for (unsigned i = 0; i < SEAT_INPUT_DEVICES; i++)
		if (input->device[i].used && input->device[i].id == id)
			return &input->device[i];
	return NULL;
}

static struct seat_device *device_free_place(struct seat_input *input)
{
	for (unsigned i = 0; i < SEAT_INPUT_DEVICES; i++)
		if (!input->device[i].used)
			return &input->device[i];
	return NULL;
}

int seat_input_add(struct seat_input *input, uint32_t id, const char *path, int fd)
{
	struct seat_device *device = device_free_place(input);
	unsigned caps = 0;
	int ret;

	if (device_find(input, id) || !device) {
		close(fd);
		return device ? -EEXIST : -ENOSPC;
	}
	*device = (struct seat_device){
		.input = input, .used = true, .id = id, .hand = -1, .path = strdup(path), .fd = fd};
	ret = device->path ? device_open(device, &caps) : -ENOMEM;
	if (!ret)
		ret = device->hand = seat_hands_plug(input->hands, id, caps);
	if (ret >= 0)
		return 0;
	device_close(device);
	return ret;
}

int seat_input_remove(struct seat_input *input, uint32_t id, int64_t now_ns)
{
	struct seat_device *device = device_find(input, id);

	if (!device)
		return -ENOENT;
	device_close(device);
	return seat_hands_unplug(input->hands, id, now_ns);
}

/* Events */

typedef void translate(struct libinput_event *event, struct seat_event *out);

static void on_key(struct libinput_event *event, struct seat_event *out)
{
	struct libinput_event_keyboard *key = libinput_event_get_keyboard_event(event);

	out->code = (uint16_t)libinput_event_keyboard_get_key(key);
	out->down = libinput_event_keyboard_get_key_state(key) == LIBINPUT_KEY_STATE_PRESSED;
}

static void on_button(struct libinput_event *event, struct seat_event *out)
{
	struct libinput_event_pointer *pointer = libinput_event_get_pointer_event(event);

	out->code = (uint16_t)libinput_event_pointer_get_button(pointer);
	out->down = libinput_event_pointer_get_button_state(pointer) ==
		LIBINPUT_BUTTON_STATE_PRESSED;
}

static void on_motion(struct libinput_event *event, struct seat_event *out)
{
	struct libinput_event_pointer *pointer = libinput_event_get_pointer_event(event);

	out->x = libinput_event_pointer_get_dx(pointer);
	out->y = libinput_event_pointer_get_dy(pointer);
	out->raw_x = libinput_event_pointer_get_dx_unaccelerated(pointer);
	out->raw_y = libinput_event_pointer_get_dy_unaccelerated(pointer);
}

static void on_motion_abs(struct libinput_event *event, struct seat_event *out)
{
	struct libinput_event_pointer *pointer = libinput_event_get_pointer_event(event);

	out->x = libinput_event_pointer_get_absolute_x_transformed(pointer, 1);
	out->y = libinput_event_pointer_get_absolute_y_transformed(pointer, 1);
}

static double scroll_value(struct libinput_event_pointer *pointer, enum libinput_pointer_axis axis,
	bool wheel)
{
	if (!libinput_event_pointer_has_axis(pointer, axis))
		return 0;
	return wheel ? libinput_event_pointer_get_scroll_value_v120(pointer, axis)
		     : libinput_event_pointer_get_scroll_value(pointer, axis);
}

static void on_scroll(struct libinput_event *event, struct seat_event *out)
{
	struct libinput_event_pointer *pointer = libinput_event_get_pointer_event(event);
	bool wheel = out->type == SEAT_WHEEL;

	out->x = scroll_value(pointer, LIBINPUT_POINTER_AXIS_SCROLL_HORIZONTAL, wheel);
	out->y = scroll_value(pointer, LIBINPUT_POINTER_AXIS_SCROLL_VERTICAL, wheel);
}

static void on_touch(struct libinput_event *event, struct seat_event *out)
{
	struct libinput_event_touch *touch = libinput_event_get_touch_event(event);
	int32_t slot = libinput_event_touch_get_slot(touch);

	out->slot = slot < 0 ? 0 : (unsigned)slot; /* -1: a screen for one finger */
	if (out->type == SEAT_TOUCH_UP)
		return;
	out->x = libinput_event_touch_get_x_transformed(touch, 1);
	out->y = libinput_event_touch_get_y_transformed(touch, 1);
}

static void on_frame(struct libinput_event *event, struct seat_event *out)
{
}

static void on_pen(struct libinput_event *event, struct seat_event *out)
{
	struct libinput_event_tablet_tool *pen = libinput_event_get_tablet_tool_event(event);

	out->x = libinput_event_tablet_tool_get_x_transformed(pen, 1);
	out->y = libinput_event_tablet_tool_get_y_transformed(pen, 1);
}

static void on_tip(struct libinput_event *event, struct seat_event *out)
{
	struct libinput_event_tablet_tool *pen = libinput_event_get_tablet_tool_event(event);

	out->code = BTN_LEFT;
	out->down = libinput_event_tablet_tool_get_tip_state(pen) == LIBINPUT_TABLET_TOOL_TIP_DOWN;
}

static void on_pen_button(struct libinput_event *event, struct seat_event *out)
{
	struct libinput_event_tablet_tool *pen = libinput_event_get_tablet_tool_event(event);
	uint32_t button = libinput_event_tablet_tool_get_button(pen);

	out->code = button == BTN_STYLUS ? BTN_RIGHT
		: button == BTN_STYLUS2  ? BTN_MIDDLE
					 : (uint16_t)button;
	out->down = libinput_event_tablet_tool_get_button_state(pen) ==
		LIBINPUT_BUTTON_STATE_PRESSED;
}

/* What each of libinput's events is: a pen's tip is where it touches, and a button. */
static const struct {
	enum libinput_event_type from;
	enum seat_event_type to;
	translate *translate;
} translations[] = {
	{LIBINPUT_EVENT_KEYBOARD_KEY, SEAT_KEY, on_key},
	{LIBINPUT_EVENT_POINTER_MOTION, SEAT_MOTION, on_motion},
	{LIBINPUT_EVENT_POINTER_MOTION_ABSOLUTE, SEAT_MOTION_ABS, on_motion_abs},
	{LIBINPUT_EVENT_POINTER_BUTTON, SEAT_BUTTON, on_button},
	{LIBINPUT_EVENT_POINTER_SCROLL_WHEEL, SEAT_WHEEL, on_scroll},
	{LIBINPUT_EVENT_POINTER_SCROLL_FINGER, SEAT_SCROLL, on_scroll},
	{LIBINPUT_EVENT_POINTER_SCROLL_CONTINUOUS, SEAT_SCROLL, on_scroll},
	{LIBINPUT_EVENT_TOUCH_DOWN, SEAT_TOUCH_DOWN, on_touch},
	{LIBINPUT_EVENT_TOUCH_MOTION, SEAT_TOUCH_MOVE, on_touch},
	{LIBINPUT_EVENT_TOUCH_UP, SEAT_TOUCH_UP, on_touch},
	{LIBINPUT_EVENT_TOUCH_CANCEL, SEAT_TOUCH_UP, on_touch},
	{LIBINPUT_EVENT_TOUCH_FRAME, SEAT_TOUCH_FRAME, on_frame},
	{LIBINPUT_EVENT_TABLET_TOOL_AXIS, SEAT_MOTION_ABS, on_pen},
	{LIBINPUT_EVENT_TABLET_TOOL_PROXIMITY, SEAT_MOTION_ABS, on_pen},
	{LIBINPUT_EVENT_TABLET_TOOL_TIP, SEAT_MOTION_ABS, on_pen},
	{LIBINPUT_EVENT_TABLET_TOOL_TIP, SEAT_BUTTON, on_tip},
	{LIBINPUT_EVENT_TABLET_TOOL_BUTTON, SEAT_BUTTON, on_pen_button},
};

static void input_event(struct seat_input *input, struct libinput_event *event)
{
	enum libinput_event_type type = libinput_event_get_type(event);
	struct seat_device *device =
		libinput_device_get_user_data(libinput_event_get_device(event));

	for (unsigned i = 0; device && i < G_N_ELEMENTS(translations); i++) {
		struct seat_event out = {.type = translations[i].to};

		if (translations[i].from != type)
			continue;
		translations[i].translate(event, &out);
		seat_hands_event(input->hands, (unsigned)device->hand, &out, input->now_ns);
	}
}

static void pad_event(void *data, const struct seat_event *event)
{
	struct seat_device *device = data;

	seat_hands_event(device->input->hands, (unsigned)device->hand, event, device->input->now_ns);
}

/* A pad that has gone is no longer looked at; its owner will say so. */
static void input_read_pads(struct seat_input *input)
{
	struct epoll_event ready[SEAT_INPUT_DEVICES + 1];
	int n = epoll_wait(input->epoll, ready, G_N_ELEMENTS(ready), 0);

	for (int i = 0; i < n; i++) {
		struct seat_device *device = ready[i].data.ptr;

		if (device && gamepad_read(device->pad, pad_event, device) < 0)
			epoll_ctl(input->epoll, EPOLL_CTL_DEL, device->fd, NULL);
	}
}

int seat_input_fd(const struct seat_input *input)
{
	return input->epoll;
}

int seat_input_dispatch(struct seat_input *input, int64_t now_ns)
{
	struct libinput_event *event;
	int ret = libinput_dispatch(input->libinput);

	input->now_ns = now_ns;
	while ((event = libinput_get_event(input->libinput))) {
		input_event(input, event);
		libinput_event_destroy(event);
	}
	input_read_pads(input);
	seat_hands_flush(input->hands, now_ns);
	return ret < 0 ? ret : 0;
}

void seat_input_leds(struct seat_input *input, uint32_t leds)
{
	input->leds = leds;
	for (unsigned i = 0; i < SEAT_INPUT_DEVICES; i++)
		if (input->device[i].used)
			device_leds(&input->device[i]);
}

/* The rest is the hands'. */

unsigned seat_input_caps(const struct seat_input *input)
{
	return seat_hands_caps(input->hands);
}

void seat_input_mode(struct seat_input *input, enum seat_pointer_mode mode)
{
	seat_hands_mode(input->hands, mode);
}

void seat_input_screen(struct seat_input *input, const struct seat_screen *screen)
{
	seat_hands_screen(input->hands, screen);
}

void seat_input_where(const struct seat_input *input, double *x, double *y)
{
	seat_hands_where(input->hands, x, y);
}

void seat_input_grab(struct seat_input *input, bool on, int64_t now_ns)
{
	seat_hands_grab(input->hands, on, now_ns);
}
