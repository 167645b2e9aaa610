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

/* A key event that changes nothing for the guest is none. */
static bool event_is_news(const struct input_backlog *backlog, const struct input_event_wire *event)
{
	return event->type != EV_KEY ||
		bit_get(backlog->down, event->code) != (event->value != 0);
}

static void owe_rel(struct input_backlog *backlog, const struct input_event_wire *event)
{
	int64_t sum = (int64_t)backlog->rel[event->code] + (int32_t)event->value;

	sum = sum > REL_LIMIT ? REL_LIMIT : sum < -REL_LIMIT ? -REL_LIMIT : sum;
	backlog->rel[event->code] = (int32_t)sum;
}

/* Keeps of a report what must not be lost. */
static void report_owe(struct input_backlog *backlog, const struct input_event_wire *event,
	unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (event[i].type == EV_KEY && !event[i].value &&
		    bit_get(backlog->down, event[i].code)) {
			bit_set(backlog->down, event[i].code, false);
			bit_set(backlog->release, event[i].code, true);
		} else if (event[i].type == EV_REL) {
			owe_rel(backlog, &event[i]);
		} else if (event[i].type == EV_ABS) {
			backlog->abs[event[i].code] = (int32_t)event[i].value;
			backlog->abs_moved[event[i].code] = true;
		}
	}
	backlog->owes = true;
}

void input_backlog_add(struct input_backlog *backlog, const struct input_event_wire *event,
	unsigned n, unsigned longest)
{
	unsigned start = backlog->n;

	if (backlog->owes || n > longest || n > INPUT_BACKLOG - backlog->n) {
		report_owe(backlog, event, n);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!event_is_news(backlog, &event[i]) ||
		    (event[i].type == EV_SYN && backlog->n == start))
			continue;
		if (event[i].type == EV_KEY)
			bit_set(backlog->down, event[i].code, event[i].value != 0);
		backlog->event[backlog->n++] = event[i];
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
	for (unsigned code = 0; code < INPUT_BACKLOG_AXES && backlog->n < room; code++) {
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
	backlog->owes = true;
}
