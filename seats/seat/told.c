/*
 * What irorid tells. Guests stay in the order in which they were told first.
 */
#include "seats/seat/told.h"

#include <string.h>

void told_begin(struct told *told, struct seat_facts *facts, const struct wire_hello *hello)
{
	memset(told, 0, sizeof(*told));
	memcpy(facts->seat, hello->seat, sizeof(facts->seat));
	facts->number = hello->number;
}

static void told_guest(struct told *told, struct seat_facts *facts, const struct wire_guest *guest)
{
	unsigned i = 0;

	while (i < facts->n_guests && facts->guests[i].id != guest->id)
		i++;
	if (i == WIRE_GUESTS)
		return; /* more than a seat may show */
	if (i == facts->n_guests)
		facts->n_guests++;
	facts->guests[i] = *guest;
	told->guest[i] = true;
}

static void told_gone(struct told *told, struct seat_facts *facts, unsigned i)
{
	unsigned after = facts->n_guests - i - 1;

	memmove(&facts->guests[i], &facts->guests[i + 1], after * sizeof(facts->guests[0]));
	memmove(&told->guest[i], &told->guest[i + 1], after * sizeof(told->guest[0]));
	facts->n_guests--;
	told->guest[facts->n_guests] = false;
}

static void told_ready(struct told *told, struct seat_facts *facts)
{
	for (unsigned i = facts->n_guests; i-- > 0;)
		if (!told->guest[i])
			told_gone(told, facts, i);
	if (!told->show)
		facts->shown = 0;
	if (!told->lock)
		facts->locked = false;
	if (!told->time)
		facts->time = (struct wire_time){ .left_us = -1 };
}

bool told_message(struct told *told, struct seat_facts *facts, const struct wire_message *message)
{
	const union wire_body *body = &message->body;

	switch (message->opcode) {
	case WIRE_GUEST:
		told_guest(told, facts, &body->guest);
		return true;
	case WIRE_GUEST_GONE:
		for (unsigned i = facts->n_guests; i-- > 0;)
			if (facts->guests[i].id == body->guest_gone.id)
				told_gone(told, facts, i);
		return true;
	case WIRE_SHOW:
		facts->shown = body->show.id;
		told->show = true;
		return true;
	case WIRE_LOCK:
		facts->locked = body->lock.locked != 0;
		told->lock = true;
		return true;
	case WIRE_TIME:
		facts->time = body->time;
		told->time = true;
		return true;
	case WIRE_READY:
		told_ready(told, facts);
		return true;
	default:
		return false;
	}
}
