/*
 * Gamepads: to the guest as they are; while the overlay has the input, the cross and two buttons walk
 * through its menu.
 */
#include "input/hands_priv.h"

void hands_pad_button(struct seat_hands *hands, struct hand *hand, const struct seat_event *event)
{
	if (!hands->grabbed && port_pad_button(event->code))
		*hands_room(hands, hand, 1) =
			(struct port_input){INPUT_GAMEPAD, EV_KEY, event->code, event->down};
	if (hands->grabbed && event->code == BTN_SOUTH)
		hands_grab_key(hands, hand, KEY_ENTER, event->down);
	if (hands->grabbed && event->code == BTN_EAST)
		hands_grab_key(hands, hand, KEY_ESC, event->down);
}

static void hands_cross(struct seat_hands *hands, struct hand *hand, const struct seat_event *event)
{
	bool across = event->code == ABS_HAT0X;
	uint16_t less = across ? KEY_LEFT : KEY_UP, more = across ? KEY_RIGHT : KEY_DOWN;

	hands_grab_key(hands, hand, less, event->value < 0);
	hands_grab_key(hands, hand, more, event->value > 0);
}

void hands_pad_axis(struct seat_hands *hands, struct hand *hand, const struct seat_event *event)
{
	int32_t min, max;

	if (!port_axis(INPUT_GAMEPAD, event->code, &min, &max) || event->value < min ||
		event->value > max)
		return;
	if (!hands->grabbed)
		*hands_room(hands, hand, 1) =
			(struct port_input){INPUT_GAMEPAD, EV_ABS, event->code, event->value};
	else if (event->code == ABS_HAT0X || event->code == ABS_HAT0Y)
		hands_cross(hands, hand, event);
}
