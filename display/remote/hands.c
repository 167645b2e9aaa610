/*
 * The remote seat's hands. SPICE sends AT set 1 bytes, a position with a mask of buttons, or motion
 * with the same mask; masks become presses and releases by comparison with the one before.
 */
#include "display/remote/hands.h"

#include "input/keymap.h"
#include "input/router.h"

#include <glib.h>
#include <linux/input-event-codes.h>

enum hands_source {
	HANDS_KEYBOARD,
	HANDS_POINTER,
};

enum { HANDS_ABS_MAX = 32767 };

struct remote_hands {
	SpiceKbdInstance keyboard;
	SpiceTabletInstance tablet;
	SpiceMouseInstance mouse;
	int (*send)(void *data, const struct port_input *events, unsigned n);
	void *data;
	struct router *router;
	struct keymap_at at;
	uint8_t leds;                 /* as SPICE has them */
	uint32_t buttons;             /* the mask last seen */
	enum input_device pressed_on; /* the device that was told of them */
	int width, height;            /* what positions are in */
	guint timer;
};

static int64_t hands_now(void)
{
	return g_get_monotonic_time() * 1000;
}

static void hands_arm(struct remote_hands *hands);

static gboolean hands_tick(gpointer data)
{
	struct remote_hands *hands = data;

	hands->timer = 0;
	router_tick(hands->router, hands_now());
	hands_arm(hands);
	return G_SOURCE_REMOVE;
}

/* The router may owe a release to a guest whose queue was full. */
static void hands_arm(struct remote_hands *hands)
{
	int64_t deadline = router_deadline(hands->router);

	if (deadline == INT64_MAX || hands->timer)
		return;
	deadline = (deadline - hands_now()) / 1000000 + 1;
	hands->timer = g_timeout_add((guint)CLAMP(deadline, 1, 1000), hands_tick, hands);
}

static int hands_router_send(void *data, unsigned guest, const struct port_input *events, unsigned n)
{
	struct remote_hands *hands = data;

	return hands->send(hands->data, events, n);
}

static const struct router_ops hands_router_ops = {.send = hands_router_send};

static void hands_keyboard_push(SpiceKbdInstance *keyboard, uint8_t byte)
{
	struct remote_hands *hands = (struct remote_hands *)((char *)keyboard -
		offsetof(struct remote_hands, keyboard));
	uint16_t code;
	bool down;

	if (keymap_at_byte(&hands->at, byte, &code, &down))
		router_key(hands->router, HANDS_KEYBOARD, INPUT_KEYBOARD, code, down, hands_now());
	hands_arm(hands);
}

static uint8_t hands_keyboard_leds(SpiceKbdInstance *keyboard)
{
	return ((struct remote_hands *)((char *)keyboard -
			offsetof(struct remote_hands, keyboard)))->leds;
}

/* spice-server's own order of bits: not the protocol's. */
static const struct {
	uint32_t mask;
	uint16_t code;
} hands_buttons[] = {
	{0x01, BTN_LEFT},
	{0x02, BTN_RIGHT},
	{0x04, BTN_MIDDLE},
	{0x40, BTN_SIDE},
	{0x80, BTN_EXTRA},
};

/* A report with up to three axes and whatever changed of the buttons. */
static void hands_report(struct remote_hands *hands, enum input_device device,
	const struct port_input *axes, unsigned n_axes, uint32_t buttons)
{
	struct port_input events[16];
	unsigned n = 0;

	if (hands->pressed_on != device) {
		/* From absolute to relative or back: buttons do not come along. */
		router_unplug(hands->router, HANDS_POINTER, hands_now());
		hands->buttons = 0;
		hands->pressed_on = device;
	}
	while (n < n_axes) {
		events[n] = axes[n];
		events[n++].device = (uint16_t)device;
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(hands_buttons); i++)
		if ((buttons ^ hands->buttons) & hands_buttons[i].mask)
			events[n++] = (struct port_input){
				.device = (uint16_t)device,
				.type = EV_KEY,
				.code = hands_buttons[i].code,
				.value = (buttons & hands_buttons[i].mask) != 0,
			};
	hands->buttons = buttons;
	if (!n)
		return;
	events[n++] = (struct port_input){.device = (uint16_t)device, .type = EV_SYN};
	router_report(hands->router, HANDS_POINTER, events, n, hands_now());
	hands_arm(hands);
}

static struct remote_hands *hands_of_tablet(SpiceTabletInstance *tablet)
{
	return (struct remote_hands *)((char *)tablet - offsetof(struct remote_hands, tablet));
}

static void hands_tablet_size(SpiceTabletInstance *tablet, int width, int height)
{
	hands_of_tablet(tablet)->width = MAX(width, 2);
	hands_of_tablet(tablet)->height = MAX(height, 2);
}

static int32_t hands_absolute(int position, int size)
{
	return (int32_t)((int64_t)CLAMP(position, 0, size - 1) * HANDS_ABS_MAX / (size - 1));
}

static void hands_tablet_position(SpiceTabletInstance *tablet, int x, int y, uint32_t buttons)
{
	struct remote_hands *hands = hands_of_tablet(tablet);
	struct port_input axes[] = {
		{.type = EV_ABS, .code = ABS_X, .value = hands_absolute(x, hands->width)},
		{.type = EV_ABS, .code = ABS_Y, .value = hands_absolute(y, hands->height)},
	};

	hands_report(hands, INPUT_TABLET, axes, 2, buttons);
}

/* Negative is away from the person, which is positive in Linux. */
static void hands_tablet_wheel(SpiceTabletInstance *tablet, int wheel, uint32_t buttons)
{
	struct port_input axis = {.type = EV_REL, .code = REL_WHEEL, .value = wheel < 0 ? 1 : -1};

	hands_report(hands_of_tablet(tablet), INPUT_TABLET, &axis, wheel != 0, buttons);
}

static void hands_tablet_buttons(SpiceTabletInstance *tablet, uint32_t buttons)
{
	hands_report(hands_of_tablet(tablet), INPUT_TABLET, NULL, 0, buttons);
}

static struct remote_hands *hands_of_mouse(SpiceMouseInstance *mouse)
{
	return (struct remote_hands *)((char *)mouse - offsetof(struct remote_hands, mouse));
}

static void hands_mouse_motion(SpiceMouseInstance *mouse, int dx, int dy, int dz, uint32_t buttons)
{
	struct port_input axes[3];
	unsigned n = 0;

	if (dx)
		axes[n++] = (struct port_input){.type = EV_REL, .code = REL_X, .value = dx};
	if (dy)
		axes[n++] = (struct port_input){.type = EV_REL, .code = REL_Y, .value = dy};
	if (dz)
		axes[n++] = (struct port_input){
			.type = EV_REL,
			.code = REL_WHEEL,
			.value = dz < 0 ? 1 : -1,
		};
	hands_report(hands_of_mouse(mouse), INPUT_MOUSE, axes, n, buttons);
}

static void hands_mouse_buttons(SpiceMouseInstance *mouse, uint32_t buttons)
{
	hands_report(hands_of_mouse(mouse), INPUT_MOUSE, NULL, 0, buttons);
}

static const SpiceKbdInterface keyboard_interface = {
	.base.type = SPICE_INTERFACE_KEYBOARD,
	.base.description = "irori keyboard",
	.base.major_version = SPICE_INTERFACE_KEYBOARD_MAJOR,
	.base.minor_version = SPICE_INTERFACE_KEYBOARD_MINOR,
	.push_scan_freg = hands_keyboard_push,
	.get_leds = hands_keyboard_leds,
};

static const SpiceTabletInterface tablet_interface = {
	.base.type = SPICE_INTERFACE_TABLET,
	.base.description = "irori tablet",
	.base.major_version = SPICE_INTERFACE_TABLET_MAJOR,
	.base.minor_version = SPICE_INTERFACE_TABLET_MINOR,
	.set_logical_size = hands_tablet_size,
	.position = hands_tablet_position,
	.wheel = hands_tablet_wheel,
	.buttons = hands_tablet_buttons,
};

static const SpiceMouseInterface mouse_interface = {
	.base.type = SPICE_INTERFACE_MOUSE,
	.base.description = "irori mouse",
	.base.major_version = SPICE_INTERFACE_MOUSE_MAJOR,
	.base.minor_version = SPICE_INTERFACE_MOUSE_MINOR,
	.motion = hands_mouse_motion,
	.buttons = hands_mouse_buttons,
};

struct remote_hands *remote_hands_new(SpiceServer *server,
	int (*send)(void *data, const struct port_input *events, unsigned n), void *data)
{
	struct remote_hands *hands = g_new0(struct remote_hands, 1);

	hands->send = send;
	hands->data = data;
	hands->width = hands->height = 2;
	hands->pressed_on = INPUT_TABLET;
	hands->keyboard.base.sif = &keyboard_interface.base;
	hands->tablet.base.sif = &tablet_interface.base;
	hands->mouse.base.sif = &mouse_interface.base;
	hands->router = router_new(&hands_router_ops, hands, NULL);
	if (!hands->router || spice_server_add_interface(server, &hands->keyboard.base) ||
		spice_server_add_interface(server, &hands->mouse.base) ||
		spice_server_add_interface(server, &hands->tablet.base)) {
		router_free(hands->router);
		g_free(hands);
		return NULL;
	}
	router_switch(hands->router, 0, true);
	return hands;
}

void remote_hands_free(struct remote_hands *hands)
{
	if (!hands)
		return;
	g_clear_handle_id(&hands->timer, g_source_remove);
	router_free(hands->router);
	g_free(hands);
}

void remote_hands_release(struct remote_hands *hands)
{
	hands->at = (struct keymap_at){0};
	hands->buttons = 0;
	router_release_all(hands->router, hands_now());
	hands_arm(hands);
}

void remote_hands_guest_reset(struct remote_hands *hands)
{
	router_guest_reset(hands->router, 0);
}

void remote_hands_leds(struct remote_hands *hands, uint32_t leds)
{
	hands->leds = 0;
	if (leds & 1u << LED_SCROLLL)
		hands->leds |= SPICE_KEYBOARD_MODIFIER_FLAGS_SCROLL_LOCK;
	if (leds & 1u << LED_NUML)
		hands->leds |= SPICE_KEYBOARD_MODIFIER_FLAGS_NUM_LOCK;
	if (leds & 1u << LED_CAPSL)
		hands->leds |= SPICE_KEYBOARD_MODIFIER_FLAGS_CAPS_LOCK;
	spice_server_kbd_leds(&hands->keyboard, hands->leds);
}
