/*
 * Reports waiting for a virtio-input driver: bounded, whole, and never a stuck key.
 */
#include "vmm/input_backlog.h"

#include <string.h>

#define REL_LIMIT 0x7fff

static bool bit_get(const uint8_t *bits, unsigned i)
{
	return bits[i / 8] & (1u << i % 8);
}

static void bit_set(uint8_t *bits, unsigned i, bool on)
{
	if (on)
		bits[i / 8] |= (uint8_t)(1u << i % 8);
	else
		bits[i / 8] &= (uint8_t)~(1u << i % 8);
}

void input_backlog_clear(struct input_backlog *backlog)
{
	memset(backlog, 0, sizeof(*backlog));
}

static void event_push(struct input_backlog *backlog, uint16_t type, uint16_t code, uint32_t value)
{
	backlog->event[backlog->n++] = (struct input_event_wire) { type, code, value };
}

static void bits_move(uint16_t *from, uint16_t *to, uint16_t bits)
{
	*to |= *from & bits;
	*from &= (uint16_t)~bits;
}

static bool is_finger(const struct input_event_wire *event)
{
	return event->type == EV_ABS && event->code >= PORT_PAD_AXES;
}

/* An event that changes nothing for the guest is none. */
static bool event_is_news(const struct input_backlog *backlog, const struct input_event_wire *event)
{
	if (event->type == EV_KEY)
		return event->code != BTN_TOUCH &&
			bit_get(backlog->down, event->code) != (event->value != 0);
	if (is_finger(event))
		return backlog->fingers >> backlog->from_slot & 1 ||
			(event->code == ABS_MT_TRACKING_ID && (int32_t)event->value >= 0);
	return true;
}

/* Where the incoming stream is: fingers' events are of this slot. */
static bool event_selects(struct input_backlog *backlog, const struct input_event_wire *event)
{
	if (!is_finger(event) || event->code != ABS_MT_SLOT)
		return false;
	backlog->from_slot = event->value < PORT_TOUCHES ? (uint8_t)event->value : 0;
	return true;
}

static void finger_slot(struct input_backlog *backlog, unsigned slot)
{
	backlog->slot = (uint8_t)slot;
	event_push(backlog, EV_ABS, ABS_MT_SLOT, slot);
}

/* Before a report ends: is any finger on the screen? */
static void finger_button(struct input_backlog *backlog)
{
	bool any = backlog->fingers != 0;

	if (bit_get(backlog->down, BTN_TOUCH) == any)
		return;
	bit_set(backlog->down, BTN_TOUCH, any);
	event_push(backlog, EV_KEY, BTN_TOUCH, any);
}

static void owe_rel(struct input_backlog *backlog, const struct input_event_wire *event)
{
	int64_t sum = (int64_t)backlog->rel[event->code] + (int32_t)event->value;

	sum = sum > REL_LIMIT ? REL_LIMIT : sum < -REL_LIMIT ? -REL_LIMIT : sum;
	backlog->rel[event->code] = (int32_t)sum;
}

static void owe_finger(struct input_backlog *backlog, const struct input_event_wire *event)
{
	unsigned slot = backlog->from_slot, axis = event->code == ABS_MT_POSITION_Y;
	uint16_t bit = (uint16_t)(1u << slot);

	if (!(backlog->fingers & bit))
		return;
	if (event->code == ABS_MT_TRACKING_ID) {
		bits_move(&backlog->fingers, &backlog->lift, bit); /* a new one in its place is lost */
		backlog->finger_moved[slot] = 0;
	} else {
		backlog->finger[slot][axis] = (int32_t)event->value;
		backlog->finger_moved[slot] |= (uint8_t)(1u << axis);
	}
}

void input_backlog_axis(struct input_backlog *backlog, unsigned code, int32_t value)
{
	backlog->abs[code] = value;
	backlog->abs_moved[code] = true;
	backlog->owes = true;
}

/* Keeps of a report what must not be lost. */
static void report_owe(struct input_backlog *backlog, const struct input_event_wire *event,
	unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (event_selects(backlog, &event[i]))
			continue;
		if (event[i].type == EV_KEY && !event[i].value && event[i].code != BTN_TOUCH &&
		    bit_get(backlog->down, event[i].code)) {
			bit_set(backlog->down, event[i].code, false);
			bit_set(backlog->release, event[i].code, true);
		} else if (event[i].type == EV_REL) {
			owe_rel(backlog, &event[i]);
		} else if (is_finger(&event[i])) {
			owe_finger(backlog, &event[i]);
		} else if (event[i].type == EV_ABS) {
			input_backlog_axis(backlog, event[i].code, (int32_t)event[i].value);
		}
	}
	backlog->owes = true;
}

static void event_add(struct input_backlog *backlog, const struct input_event_wire *event,
	bool *slot_said)
{
	uint16_t bit = (uint16_t)(1u << backlog->from_slot);

	if (event->type == EV_KEY)
		bit_set(backlog->down, event->code, event->value != 0);
	if (is_finger(event)) {
		if (!*slot_said || backlog->slot != backlog->from_slot)
			finger_slot(backlog, backlog->from_slot);
		*slot_said = true;
		if (event->code == ABS_MT_TRACKING_ID)
			backlog->fingers = (int32_t)event->value < 0 ? backlog->fingers & ~bit
								    : backlog->fingers | bit;
	}
	backlog->event[backlog->n++] = *event;
}

void input_backlog_add(struct input_backlog *backlog, const struct input_event_wire *event,
	unsigned n, unsigned longest)
{
	unsigned start = backlog->n, most = n;
	bool slot_said = false;

	for (unsigned i = 0; i < n && most == n; i++)
		if (is_finger(&event[i]))
			most = n + 2; /* a slot that was told before, BTN_TOUCH */
	if (backlog->owes || most > longest || most > INPUT_BACKLOG - backlog->n) {
		report_owe(backlog, event, n);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		if (event[i].type == EV_SYN)
			finger_button(backlog);
		if (!event_selects(backlog, &event[i]) && event_is_news(backlog, &event[i]) &&
		    (event[i].type != EV_SYN || backlog->n != start))
			event_add(backlog, &event[i], &slot_said);
	}
}

/* In a report of two, all that a ring of two takes, a slot is told first, and then of it. */
static void owed_finger(struct input_backlog *backlog, unsigned slot, unsigned room)
{
	static const uint16_t axes[] = { ABS_MT_POSITION_X, ABS_MT_POSITION_Y };
	uint16_t bit = (uint16_t)(1u << slot);

	if (!(backlog->lift & bit) && !backlog->finger_moved[slot])
		return;
	if (backlog->n < room && backlog->slot != slot)
		finger_slot(backlog, slot);
	if (backlog->n < room && backlog->lift & bit) {
		event_push(backlog, EV_ABS, ABS_MT_TRACKING_ID, (uint32_t)-1);
		backlog->lift &= (uint16_t)~bit;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (backlog->n >= room || !(backlog->finger_moved[slot] >> i & 1))
			continue;
		event_push(backlog, EV_ABS, axes[i], (uint32_t)backlog->finger[slot][i]);
		backlog->finger_moved[slot] &= (uint8_t)~(1u << i);
	}
}

/* One report of at most `longest` events from what is owed; nothing is left owed when it is empty. */
static void owed_report(struct input_backlog *backlog, unsigned longest)
{
	unsigned room = (longest < INPUT_BACKLOG ? longest : INPUT_BACKLOG) - 1;

	for (unsigned code = 0; code < KEY_CNT && backlog->n < room; code++) {
		if (!bit_get(backlog->release, code))
			continue;
		bit_set(backlog->release, code, false);
		event_push(backlog, EV_KEY, (uint16_t)code, 0);
	}
	for (unsigned code = 0; code < REL_CNT && backlog->n < room; code++) {
		if (!backlog->rel[code])
			continue;
		event_push(backlog, EV_REL, (uint16_t)code, (uint32_t)backlog->rel[code]);
		backlog->rel[code] = 0;
	}
	for (unsigned slot = 0; slot < PORT_TOUCHES && backlog->n < room; slot++)
		owed_finger(backlog, slot, room);
	if (backlog->n < room && !backlog->lift)
		finger_button(backlog);
	for (unsigned code = 0; code < PORT_PAD_AXES && backlog->n < room; code++) {
		if (!backlog->abs_moved[code])
			continue;
		event_push(backlog, EV_ABS, (uint16_t)code, (uint32_t)backlog->abs[code]);
		backlog->abs_moved[code] = false;
	}
	if (backlog->n)
		event_push(backlog, EV_SYN, SYN_REPORT, 0);
	else
		backlog->owes = false;
}

unsigned input_backlog_first(struct input_backlog *backlog, unsigned longest)
{
	if (!backlog->n && backlog->owes && longest >= 2)
		owed_report(backlog, longest);
	for (unsigned i = 0; i < backlog->n; i++)
		if (backlog->event[i].type == EV_SYN)
			return i + 1;
	return 0;
}

void input_backlog_drop(struct input_backlog *backlog, unsigned n)
{
	backlog->n -= n;
	memmove(backlog->event, backlog->event + n, backlog->n * sizeof(backlog->event[0]));
}

void input_backlog_release(struct input_backlog *backlog)
{
	memcpy(backlog->release, backlog->down, sizeof(backlog->release));
	memset(backlog->down, 0, sizeof(backlog->down));
	bit_set(backlog->down, BTN_TOUCH, bit_get(backlog->release, BTN_TOUCH));
	bit_set(backlog->release, BTN_TOUCH, false);
	bits_move(&backlog->fingers, &backlog->lift, UINT16_MAX);
	memset(backlog->finger_moved, 0, sizeof(backlog->finger_moved));
	backlog->owes = true;
}
