/*
 * Mice, touchpads, wheels and pens. All that moves is summed in hands->motion and told at once: as the
 * guest's tablet, or as its mouse, never both.
 */
#include "input/hands_priv.h"

#include <math.h>
#include <stddef.h>

#define MOUSE_MOST 32767.0 /* counts in one report */
#define WHEEL_MOST (1 << 20)

struct area {
	double left, top, right, bottom;
};

/* The picture in 0..1 of the screen. */
static struct area hands_picture(const struct seat_hands *hands)
{
	const struct seat_screen *s = &hands->screen;

	return (struct area){
		.left = (double)s->x / s->width,
		.top = (double)s->y / s->height,
		.right = (double)(s->x + s->picture_width) / s->width,
		.bottom = (double)(s->y + s->picture_height) / s->height,
	};
}

static double between(double value, double least, double most)
{
	return fmin(fmax(value, least), most); /* no number: the least */
}

/* The first monitor in 0..1 of the screen. */
static struct area hands_first(const struct seat_hands *hands)
{
	const struct seat_screen *s = &hands->screen;

	return (struct area){0, 0, (double)s->first_width / s->width,
		(double)s->first_height / s->height};
}

void hands_clamp(struct seat_hands *hands)
{
	struct area area = hands->grabbed ? hands_first(hands) : hands_picture(hands);

	hands->x = between(hands->x, area.left, area.right);
	hands->y = between(hands->y, area.top, area.bottom);
}

bool hands_place(const struct seat_hands *hands, double x, double y, int32_t place[2])
{
	struct area area = hands_picture(hands);
	double across = (x - area.left) / (area.right - area.left);
	double down = (y - area.top) / (area.bottom - area.top);

	place[0] = (int32_t)lround(between(across, 0, 1) * PORT_AXIS_MAX);
	place[1] = (int32_t)lround(between(down, 0, 1) * PORT_AXIS_MAX);
	return across >= 0 && across <= 1 && down >= 0 && down <= 1;
}

void hands_on_first(const struct seat_hands *hands, struct seat_event *event)
{
	struct area first = hands_first(hands);

	event->x *= first.right;
	event->y *= first.bottom;
}

void seat_hands_mode(struct seat_hands *hands, enum seat_pointer_mode mode)
{
	if (hands->mode != mode)
		hands_flush_motion(hands);
	hands->mode = mode;
}

void seat_hands_screen(struct seat_hands *hands, const struct seat_screen *screen)
{
	struct seat_screen s = *screen;

	hands_flush_motion(hands);
	s.width = s.width ? s.width : 1;
	s.height = s.height ? s.height : 1;
	if (!s.picture_width || !s.picture_height || s.x >= s.width || s.y >= s.height)
		s = (struct seat_screen){s.width, s.height, 0, 0, s.width, s.height,
			s.first_width, s.first_height};
	if (s.picture_width > s.width - s.x)
		s.picture_width = s.width - s.x;
	if (s.picture_height > s.height - s.y)
		s.picture_height = s.height - s.y;
	if (!s.first_width || s.first_width > s.width)
		s.first_width = s.width;
	if (!s.first_height || s.first_height > s.height)
		s.first_height = s.height;
	hands->screen = s;
	hands_clamp(hands);
}

void seat_hands_where(const struct seat_hands *hands, double *x, double *y)
{
	*x = hands->x;
	*y = hands->y;
}

static enum input_device hands_pointer(const struct seat_hands *hands, const struct hand *hand)
{
	return hands->mode == SEAT_POINTER_ABSOLUTE || hand->absolute ? INPUT_TABLET : INPUT_MOUSE;
}

/* From here on motion is this device's, and of this sort. */
static void motion_begin(struct seat_hands *hands, struct hand *hand, bool absolute)
{
	struct hands_motion *motion = &hands->motion;
	int device = (int)hands_device(hands, hand);

	if (motion->device != HANDS_NONE &&
		(motion->device != device || hand->absolute != absolute))
		hands_flush_motion(hands);
	hand->absolute = absolute;
	motion->device = device;
}

static unsigned write_event(struct port_input *out, enum input_device device, uint16_t type,
	uint16_t code, int32_t value)
{
	*out = (struct port_input){(uint16_t)device, type, code, value};
	return 1;
}

/* Whole counts; the rest stays. */
static int32_t take_counts(double *sum)
{
	double whole = trunc(between(*sum, -MOUSE_MOST, MOUSE_MOST));

	*sum = fabs(*sum) > MOUSE_MOST ? 0 : *sum - whole;
	return (int32_t)whole;
}

static unsigned write_motion(struct seat_hands *hands, enum input_device device,
	struct port_input *out)
{
	unsigned n = 0;
	int32_t at[2];

	if (device == INPUT_TABLET) {
		hands_place(hands, hands->x, hands->y, at);
		n += write_event(out + n, device, EV_ABS, ABS_X, at[0]);
		n += write_event(out + n, device, EV_ABS, ABS_Y, at[1]);
		return n;
	}
	at[0] = take_counts(&hands->raw_x);
	at[1] = take_counts(&hands->raw_y);
	if (at[0])
		n += write_event(out + n, device, EV_REL, REL_X, at[0]);
	if (at[1])
		n += write_event(out + n, device, EV_REL, REL_Y, at[1]);
	return n;
}

/* Down is positive at the seat and negative in evdev. */
static unsigned write_wheels(const struct hands_motion *motion, enum input_device device,
	struct port_input *out)
{
	static const struct {
		uint16_t fine, notch;
		int sign;
	} wheels[2] = {
		{REL_HWHEEL_HI_RES, REL_HWHEEL, 1},
		{REL_WHEEL_HI_RES, REL_WHEEL, -1},
	};
	unsigned n = 0;

	for (unsigned i = 0; i < 2; i++) {
		if (motion->wheel[i])
			n += write_event(out + n, device, EV_REL, wheels[i].fine,
				wheels[i].sign * motion->wheel[i]);
		if (motion->notch[i])
			n += write_event(out + n, device, EV_REL, wheels[i].notch,
				wheels[i].sign * motion->notch[i]);
	}
	return n;
}

static void tell_overlay(struct seat_hands *hands, const struct hands_motion *motion)
{
	struct area first = hands_first(hands);

	if (motion->moved && hands->ops->pointer)
		hands->ops->pointer(hands->data, hands->x / first.right, hands->y / first.bottom);
	if (motion->notch[1] && hands->ops->wheel)
		hands->ops->wheel(hands->data, motion->notch[1]);
	hands->raw_x = hands->raw_y = 0;
}

/* What there is of motion goes out, as events of a report that may go on; none while grabbed. */
static unsigned motion_take(struct seat_hands *hands, enum input_device *device,
	struct port_input *out)
{
	const struct hands_motion motion = hands->motion;
	unsigned n = 0;

	if (motion.device == HANDS_NONE)
		return 0;
	hands->motion = (struct hands_motion){.device = HANDS_NONE};
	if (hands->grabbed) {
		tell_overlay(hands, &motion);
		return 0;
	}
	*device = hands_pointer(hands, &hands->hand[motion.device]);
	if (motion.moved)
		n += write_motion(hands, *device, out + n);
	n += write_wheels(&motion, *device, out + n);
	return n;
}

static void send_report(struct seat_hands *hands, unsigned source, struct port_input *events,
	unsigned n)
{
	if (!n)
		return;
	write_event(events + n, events[0].device, EV_SYN, SYN_REPORT, 0);
	router_report(hands->router, source, events, n + 1, hands->now_ns);
}

void hands_flush_motion(struct seat_hands *hands)
{
	struct port_input events[ROUTER_REPORT];
	enum input_device device;
	int source = hands->motion.device;
	unsigned n = motion_take(hands, &device, events);

	send_report(hands, (unsigned)source, events, n);
}

/* Where the pointer is and the press are one report. A release goes wherever the press went: the
 * router knows, and passes over the other. */
void hands_button(struct seat_hands *hands, struct hand *hand, const struct seat_event *event)
{
	unsigned source = hands_device(hands, hand), n = 0;
	enum input_device device = hands_pointer(hands, hand), other;
	struct port_input events[ROUTER_REPORT];

	if (hands->grabbed || hands->motion.device != (int)source)
		hands_flush_motion(hands);
	if (hands->grabbed) {
		hands_grab_key(hands, hand, event->code, event->down);
		return;
	}
	n = motion_take(hands, &device, events);
	n += write_event(events + n, device, EV_KEY, event->code, event->down);
	send_report(hands, source, events, n);
	other = device == INPUT_TABLET ? INPUT_MOUSE : INPUT_TABLET;
	if (!event->down)
		router_key(hands->router, source, other, event->code, false, hands->now_ns);
}

void hands_move(struct seat_hands *hands, struct hand *hand, const struct seat_event *event)
{
	motion_begin(hands, hand, false);
	hands->motion.moved = true;
	if (hands->mode == SEAT_POINTER_RELATIVE && !hands->grabbed) {
		hands->raw_x += isfinite(event->raw_x) ? event->raw_x : 0;
		hands->raw_y += isfinite(event->raw_y) ? event->raw_y : 0;
		return;
	}
	hands->x += event->x / hands->screen.width;
	hands->y += event->y / hands->screen.height;
	hands_clamp(hands);
}

void hands_move_abs(struct seat_hands *hands, struct hand *hand, const struct seat_event *event)
{
	motion_begin(hands, hand, true);
	hands->motion.moved = true;
	hands->x = event->x;
	hands->y = event->y;
	hands_clamp(hands);
}

static void turn(struct seat_hands *hands, struct hand *hand, unsigned axis, int by)
{
	struct hands_motion *motion = &hands->motion;
	int *click = &hand->click[axis];

	if (!by)
		return;
	if ((by < 0) != (*click < 0))
		*click = 0; /* back: a notch begins anew */
	if (motion->wheel[axis] > WHEEL_MOST || motion->wheel[axis] < -WHEEL_MOST)
		return;
	*click += by;
	motion->wheel[axis] += by;
	motion->notch[axis] += *click / HANDS_NOTCH;
	*click %= HANDS_NOTCH;
}

/* Wheels do not make a device absolute or relative. */
static void wheel_begin(struct seat_hands *hands, struct hand *hand)
{
	motion_begin(hands, hand, hand->absolute);
}

void hands_wheel(struct seat_hands *hands, struct hand *hand, const struct seat_event *event)
{
	wheel_begin(hands, hand);
	turn(hands, hand, 0, (int)between(event->x, -INT16_MAX, INT16_MAX));
	turn(hands, hand, 1, (int)between(event->y, -INT16_MAX, INT16_MAX));
}

void hands_scroll(struct seat_hands *hands, struct hand *hand, const struct seat_event *event)
{
	const double by[2] = {event->x, event->y};

	wheel_begin(hands, hand);
	for (unsigned i = 0; i < 2; i++) {
		double fine = hand->scroll[i] +
			between(by[i], -INT16_MAX / 8.0, INT16_MAX / 8.0) * HANDS_NOTCH / 15;

		if (by[0] == 0 && by[1] == 0)
			hand->click[i] = 0, fine = 0; /* the next scroll begins anew */
		turn(hands, hand, i, (int)fine);
		hand->scroll[i] = fine - (int)fine;
	}
}
