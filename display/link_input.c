/*
 * What seats hold of a guest's input devices: a key goes down with the first seat that presses it and
 * up with the last; fingers share the guest's touch screen; a pad's axis is whose who moved it last.
 */
#include "display/link_server_priv.h"

static bool held_get(const struct link_seat *seat, unsigned device, unsigned code)
{
	return seat->held[device][code / 8] & (1u << code % 8);
}

static void held_set(struct link_seat *seat, unsigned device, unsigned code, bool down)
{
	if (down)
		seat->held[device][code / 8] |= (uint8_t)(1u << code % 8);
	else
		seat->held[device][code / 8] &= (uint8_t)~(1u << code % 8);
}

static bool held_by_another(const struct link_seat *seat, unsigned device, unsigned code)
{
	for (unsigned i = 0; i < LINK_SERVER_MAX_SEATS; i++) {
		const struct link_seat *other = seat->server->seat[i];

		if (other && other != seat && held_get(other, device, code))
			return true;
	}
	return false;
}

/* Does the guest need to hear of it? Only when the first seat presses, the last one lets go. */
static bool held_update(struct link_seat *seat, const struct port_input *event)
{
	if (held_get(seat, event->device, event->code) == (event->value != 0))
		return false;
	held_set(seat, event->device, event->code, event->value != 0);
	return !held_by_another(seat, event->device, event->code);
}

static unsigned owner_of(const struct link_seat *seat)
{
	unsigned i = 0;

	while (i < LINK_SERVER_MAX_SEATS - 1 && seat->server->seat[i] != seat)
		i++;
	return i;
}

static void input_tell(struct link_server *server, const struct port_input *events, unsigned n)
{
	if (n && server->events && server->events->input)
		server->events->input(server->device, events, n);
}

/* A guest's tablet and touch screen cover all that it shows, side by side; a seat without HEADS has only
 * head 0 under its pointer. */
static int32_t place_on_heads(const struct link_server *server, bool across, int32_t value)
{
	const struct link_frame *first = &server->frame[0];
	uint64_t own = across ? first->source.width : first->source.height, all = 0;

	if (!first->buffer)
		return value;
	for (unsigned i = 0; i < PORT_HEADS; i++) {
		const struct link_frame *frame = &server->frame[i];

		if (frame->buffer && across)
			all += frame->source.width;
		else if (frame->buffer)
			all = MAX(all, frame->source.height);
	}
	return (int32_t)((uint64_t)value * own / all);
}

static void report_place(const struct link_seat *seat, struct port_input *events, unsigned n)
{
	if ((seat->granted & LINK_WANT_HEADS) || !n ||
	    (events[0].device != INPUT_TABLET && events[0].device != INPUT_TOUCH))
		return;
	for (unsigned i = 0; i < n; i++) {
		struct port_input *event = &events[i];
		bool across = event->code == ABS_X || event->code == ABS_MT_POSITION_X;
		bool down = event->code == ABS_Y || event->code == ABS_MT_POSITION_Y;

		if (event->type == EV_ABS && (across || down))
			event->value = place_on_heads(seat->server, across, event->value);
	}
}

/* One report, without its end, as the guest is told: up to n + 1 events. */
static unsigned report_take(struct link_seat *seat, const struct port_input *events, unsigned n,
	struct port_input *out)
{
	struct link_server *server = seat->server;
	unsigned kept = 0;

	if (n && events[0].device == INPUT_TOUCH)
		return touch_take(&server->touches, owner_of(seat), events, n, out);
	for (unsigned i = 0; i < n; i++) {
		if (events[i].type == EV_KEY && !held_update(seat, &events[i]))
			continue;
		if (events[i].type == EV_ABS && events[i].device == INPUT_GAMEPAD) {
			axes_want(&server->axes, owner_of(seat), events[i].code, events[i].value);
			axes_told(&server->axes, &events[i], 1);
		}
		out[kept++] = events[i];
	}
	return kept;
}

void input_from_seat(struct link_seat *seat, const struct link_input_event *events, unsigned n)
{
	struct port_input report[LINK_MAX_INPUT], out[2 * LINK_MAX_INPUT];
	unsigned len = 0, told = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned more;

		report[len] = (struct port_input){events[i].device, events[i].type, events[i].code,
			events[i].value};
		if (events[i].type != EV_SYN) {
			len++;
			continue;
		}
		report_place(seat, report, len);
		more = report_take(seat, report, len, out + told);
		if (more) { /* a report that has nothing left to say is left out */
			out[told + more] = report[len];
			told += more + 1;
		}
		len = 0;
	}
	input_tell(seat->server, out, told);
}

static void report_end(struct link_server *server, struct port_input *events, unsigned n,
	enum input_device device)
{
	if (!n)
		return;
	events[n] = (struct port_input){(uint16_t)device, EV_SYN, SYN_REPORT, 0};
	input_tell(server, events, n + 1);
}

void input_release(struct link_seat *seat)
{
	struct link_server *server = seat->server;
	struct port_input events[TOUCH_LIFT_EVENTS + 1];

	_Static_assert((int)PORT_PAD_AXES < (int)TOUCH_LIFT_EVENTS, "axes fit");
	for (unsigned device = 0; device < INPUT_DEVICES; device++) {
		for (unsigned code = 0; code < KEY_CNT; code++) {
			events[0] = (struct port_input){(uint16_t)device, EV_KEY, (uint16_t)code, 0};
			report_end(server, events, held_update(seat, &events[0]), device);
		}
	}
	report_end(server, events, touch_lift(&server->touches, owner_of(seat), events),
		INPUT_TOUCH);
	axes_rest(&server->axes, owner_of(seat));
	report_end(server, events, axes_due(&server->axes, events), INPUT_GAMEPAD);
	axes_told(&server->axes, events, axes_due(&server->axes, events));
}

void input_forget(struct link_server *server)
{
	for (unsigned i = 0; i < LINK_SERVER_MAX_SEATS; i++)
		if (server->seat[i])
			memset(server->seat[i]->held, 0, sizeof(server->seat[i]->held));
	server->touches = (struct touch_map){0};
	server->axes = (struct axis_map){0};
}
