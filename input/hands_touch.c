/*
 * Fingers, on the first monitor: on the guest's touch screen as far as they went down in its picture;
 * while the overlay has the input, the first one is a pointer with its left button down.
 */
#include "input/hands_priv.h"

static struct hand_finger *finger_of(struct hand *hand, const struct seat_event *event)
{
	return event->slot < SEAT_SLOTS ? &hand->finger[event->slot] : NULL;
}

static bool is_pointing(const struct seat_hands *hands, const struct hand *hand,
	const struct seat_event *event)
{
	return hands->pointing_device == (int)hands_device(hands, hand) &&
		hands->pointing_slot == event->slot;
}

static void write_finger(struct port_input *out, uint16_t code, int32_t value)
{
	*out = (struct port_input){INPUT_TOUCH, EV_ABS, code, value};
}

static bool finger_slot(const struct hand *hand, unsigned *slot)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < SEAT_SLOTS; i++)
		if (hand->finger[i].state == FINGER_GUEST)
			taken |= 1u << hand->finger[i].slot;
	for (*slot = 0; *slot < PORT_TOUCHES; (*slot)++)
		if (!(taken >> *slot & 1))
			return true;
	return false;
}

static void finger_points(struct seat_hands *hands, struct hand *hand, const struct seat_event *event)
{
	if (hands->pointing_device != HANDS_NONE)
		return;
	hands->pointing_device = (int)hands_device(hands, hand);
	hands->pointing_slot = event->slot;
	hands_move_abs(hands, hand, event);
	hands_flush_motion(hands);
	hands_grab_key(hands, hand, BTN_LEFT, true);
}

void hands_touch_down(struct seat_hands *hands, struct hand *hand, const struct seat_event *touch)
{
	struct seat_event on_screen = *touch, *event = &on_screen;
	struct hand_finger *finger = finger_of(hand, event);
	struct port_input *out;
	int32_t at[2];

	hands_on_first(hands, event);
	if (!finger || finger->state != FINGER_UP)
		return;
	finger->state = FINGER_IGNORED;
	if (hands->grabbed) {
		finger_points(hands, hand, event);
		return;
	}
	if (!hands_place(hands, event->x, event->y, at) || !finger_slot(hand, &finger->slot))
		return;
	finger->state = FINGER_GUEST;
	out = hands_room(hands, hand, 4);
	write_finger(out, ABS_MT_SLOT, (int32_t)finger->slot);
	write_finger(out + 1, ABS_MT_TRACKING_ID, 0);
	write_finger(out + 2, ABS_MT_POSITION_X, at[0]);
	write_finger(out + 3, ABS_MT_POSITION_Y, at[1]);
}

void hands_touch_move(struct seat_hands *hands, struct hand *hand, const struct seat_event *touch)
{
	struct seat_event on_screen = *touch, *event = &on_screen;
	struct hand_finger *finger = finger_of(hand, event);
	struct port_input *out;
	int32_t at[2];

	hands_on_first(hands, event);
	if (finger && is_pointing(hands, hand, event))
		hands_move_abs(hands, hand, event);
	if (!finger || finger->state != FINGER_GUEST)
		return;
	hands_place(hands, event->x, event->y, at);
	out = hands_room(hands, hand, 3);
	write_finger(out, ABS_MT_SLOT, (int32_t)finger->slot);
	write_finger(out + 1, ABS_MT_POSITION_X, at[0]);
	write_finger(out + 2, ABS_MT_POSITION_Y, at[1]);
}

void hands_touch_up(struct seat_hands *hands, struct hand *hand, const struct seat_event *event)
{
	struct hand_finger *finger = finger_of(hand, event);
	struct port_input *out;

	if (!finger)
		return;
	if (is_pointing(hands, hand, event)) {
		hands->pointing_device = HANDS_NONE;
		hands_flush_motion(hands);
		hands_grab_key(hands, hand, BTN_LEFT, false);
	}
	if (finger->state == FINGER_GUEST) {
		out = hands_room(hands, hand, 2);
		write_finger(out, ABS_MT_SLOT, (int32_t)finger->slot);
		write_finger(out + 1, ABS_MT_TRACKING_ID, -1);
	}
	finger->state = FINGER_UP;
}

void hands_frame(struct seat_hands *hands, struct hand *hand, const struct seat_event *event)
{
	hands_send(hands, hand);
}

void hands_touch_ignore(struct seat_hands *hands, struct hand *hand)
{
	if (hands->pointing_device == (int)hands_device(hands, hand))
		hands->pointing_device = HANDS_NONE;
	for (unsigned i = 0; i < SEAT_SLOTS; i++)
		if (hand->finger[i].state != FINGER_UP)
			hand->finger[i].state = FINGER_IGNORED;
}
