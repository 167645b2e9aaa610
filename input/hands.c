/*
 * The hands at a seat: devices, keys, and who gets them.
 */
#include "input/hands_priv.h"

#include <errno.h>
#include <stdlib.h>

static const uint16_t hotkeys[] = {
	KEY_MUTE, KEY_VOLUMEDOWN, KEY_VOLUMEUP, KEY_MICMUTE, KEY_POWER, KEY_SLEEP, KEY_SUSPEND,
	KEY_BRIGHTNESSDOWN, KEY_BRIGHTNESSUP,
};

static bool is_hotkey(uint16_t code)
{
	for (unsigned i = 0; i < sizeof(hotkeys) / sizeof(hotkeys[0]); i++)
		if (hotkeys[i] == code)
			return true;
	return false;
}

struct seat_hands *seat_hands_new(struct router *router, const struct seat_input_ops *ops,
	void *data)
{
	struct seat_hands *hands = calloc(1, sizeof(*hands));

	if (!hands)
		return NULL;
	hands->router = router;
	hands->ops = ops;
	hands->data = data;
	hands->screen = (struct seat_screen){1280, 720, 0, 0, 1280, 720, 1280, 720};
	hands->x = hands->y = 0.5;
	hands->motion.device = HANDS_NONE;
	hands->pointing_device = HANDS_NONE;
	return hands;
}

void seat_hands_free(struct seat_hands *hands)
{
	if (!hands)
		return;
	for (unsigned i = 0; i < SEAT_INPUT_DEVICES; i++)
		if (hands->hand[i].used)
			router_unplug(hands->router, i, hands->now_ns);
	free(hands);
}

unsigned hands_device(const struct seat_hands *hands, const struct hand *hand)
{
	return (unsigned)(hand - hands->hand);
}

static struct hand *hands_find(struct seat_hands *hands, uint32_t id)
{
	for (unsigned i = 0; i < SEAT_INPUT_DEVICES; i++)
		if (hands->hand[i].used && hands->hand[i].id == id)
			return &hands->hand[i];
	return NULL;
}

unsigned seat_hands_caps(const struct seat_hands *hands)
{
	return hands->caps;
}

static void hands_count_caps(struct seat_hands *hands)
{
	unsigned before = hands->caps;

	hands->caps = 0;
	for (unsigned i = 0; i < SEAT_INPUT_DEVICES; i++)
		if (hands->hand[i].used)
			hands->caps |= hands->hand[i].caps;
	if (hands->caps != before && hands->ops->caps)
		hands->ops->caps(hands->data, hands->caps);
}

int seat_hands_plug(struct seat_hands *hands, uint32_t id, unsigned caps)
{
	if (hands_find(hands, id))
		return -EEXIST;
	for (int i = 0; i < SEAT_INPUT_DEVICES; i++) {
		if (hands->hand[i].used)
			continue;
		hands->hand[i] = (struct hand){.used = true, .id = id, .caps = caps};
		hands_count_caps(hands);
		return i;
	}
	return -ENOSPC;
}

int seat_hands_unplug(struct seat_hands *hands, uint32_t id, int64_t now_ns)
{
	struct hand *hand = hands_find(hands, id);

	if (!hand)
		return -ENOENT;
	hands->now_ns = now_ns;
	hands_flush_motion(hands);
	for (int c = held_next(&hand->taken, 0); c >= 0; c = held_next(&hand->taken, (unsigned)c + 1))
		hands->ops->hotkey(hands->data, (uint16_t)c, false);
	for (int c = held_next(&hand->grabbed, 0); c >= 0; c = held_next(&hand->grabbed, 0))
		hands_grab_key(hands, hand, (uint16_t)c, false);
	hands_touch_ignore(hands, hand);
	router_unplug(hands->router, hands_device(hands, hand), now_ns);
	*hand = (struct hand){0};
	hands_count_caps(hands);
	return 0;
}

void hands_grab_key(struct seat_hands *hands, struct hand *hand, uint16_t code, bool down)
{
	bool button = code >= BTN_MOUSE && code < BTN_JOYSTICK;

	if (!held_set(&hand->grabbed, code, down))
		return;
	if (button && hands->ops->button)
		hands->ops->button(hands->data, code, down);
	if (!button && hands->ops->key)
		hands->ops->key(hands->data, code, down);
}

static bool hands_take_hotkey(struct seat_hands *hands, struct hand *hand,
	const struct seat_event *event)
{
	if (!event->down && held_get(&hand->taken, event->code)) {
		held_set(&hand->taken, event->code, false);
		hands->ops->hotkey(hands->data, event->code, false);
		return true;
	}
	if (!event->down || !is_hotkey(event->code) || !hands->ops->hotkey ||
		!hands->ops->hotkey(hands->data, event->code, true))
		return false;
	held_set(&hand->taken, event->code, true);
	return true;
}

static void hands_key(struct seat_hands *hands, struct hand *hand, const struct seat_event *event)
{
	if (hands_take_hotkey(hands, hand, event))
		return;
	if (hands->grabbed)
		hands_grab_key(hands, hand, event->code, event->down);
	else
		router_key(hands->router, hands_device(hands, hand), INPUT_KEYBOARD, event->code,
			event->down, hands->now_ns);
}

struct port_input *hands_room(struct seat_hands *hands, struct hand *hand, unsigned more)
{
	struct port_input *at;

	/* The end, and one that the router may add. */
	if (hand->n + more + 2 > ROUTER_REPORT)
		hands_send(hands, hand);
	at = hand->report + hand->n;
	hand->n += more;
	return at;
}

void hands_send(struct seat_hands *hands, struct hand *hand)
{
	unsigned n = hand->n;

	hand->n = 0;
	if (!n)
		return;
	hand->report[n] = (struct port_input){.device = hand->report[0].device, .type = EV_SYN};
	router_report(hands->router, hands_device(hands, hand), hand->report, n + 1, hands->now_ns);
}

/* Who has the input changes: all that is under way is nothing to either side. */
void seat_hands_grab(struct seat_hands *hands, bool on, int64_t now_ns)
{
	if (hands->grabbed == on)
		return;
	hands->now_ns = now_ns;
	hands_flush_motion(hands);
	hands->grabbed = on;
	for (unsigned i = 0; i < SEAT_INPUT_DEVICES; i++) {
		struct hand *hand = &hands->hand[i];

		if (!hand->used)
			continue;
		hand->n = 0;
		held_clear(&hand->grabbed);
		hands_touch_ignore(hands, hand);
		if (on)
			router_unplug(hands->router, i, now_ns);
	}
	hands_clamp(hands);
}

typedef void hands_act(struct seat_hands *hands, struct hand *hand, const struct seat_event *event);

/* `press`: what owners are told as a press; BTN_TOUCH for a finger. */
static const struct {
	hands_act *act;
	bool coded, touch, silent;
} acts[SEAT_EVENTS] = {
	[SEAT_KEY] = {.act = hands_key, .coded = true},
	[SEAT_BUTTON] = {.act = hands_button, .coded = true},
	[SEAT_MOTION] = {.act = hands_move},
	[SEAT_MOTION_ABS] = {.act = hands_move_abs},
	[SEAT_WHEEL] = {.act = hands_wheel},
	[SEAT_SCROLL] = {.act = hands_scroll},
	[SEAT_TOUCH_DOWN] = {.act = hands_touch_down, .touch = true},
	[SEAT_TOUCH_MOVE] = {.act = hands_touch_move},
	[SEAT_TOUCH_UP] = {.act = hands_touch_up},
	[SEAT_TOUCH_FRAME] = {.act = hands_frame, .silent = true},
	[SEAT_PAD_BUTTON] = {.act = hands_pad_button, .coded = true},
	[SEAT_PAD_AXIS] = {.act = hands_pad_axis},
	[SEAT_PAD_FRAME] = {.act = hands_frame, .silent = true},
};

void seat_hands_event(struct seat_hands *hands, unsigned device, const struct seat_event *event,
	int64_t now_ns)
{
	struct hand *hand = device < SEAT_INPUT_DEVICES ? &hands->hand[device] : NULL;
	uint16_t press = 0;

	if (!hand || !hand->used || event->type >= SEAT_EVENTS || event->code >= HELD_CODES)
		return;
	hands->now_ns = now_ns;
	/* A chord that is due fires now, and not after this event went to the guest. */
	router_tick(hands->router, now_ns);
	if (acts[event->type].coded && event->down)
		press = event->code;
	if (acts[event->type].touch)
		press = BTN_TOUCH;
	if (hands->ops->activity && !acts[event->type].silent)
		hands->ops->activity(hands->data, hand->id, press, now_ns);
	acts[event->type].act(hands, hand, event);
}

void seat_hands_flush(struct seat_hands *hands, int64_t now_ns)
{
	hands->now_ns = now_ns;
	hands_flush_motion(hands);
}
