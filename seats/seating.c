/*
 * Whose a device is; see seating.h.
 */
#include "seats/seating.h"

#include <string.h>

static const char by_identity[] = "monitor:";

static size_t list_covers(char *const *places, const char *place)
{
	size_t best = 0;

	for (; *places; places++)
		best = MAX(best, place_covers(*places, place));
	return best;
}

static bool list_identifies(char *const *outputs, const char *identity)
{
	size_t len = strlen(by_identity);

	for (; identity[0] && *outputs; outputs++)
		if (!strncmp(*outputs, by_identity, len) && !strcmp(*outputs + len, identity))
			return true;
	return false;
}

/* How well a seat's configuration names it; 0: not at all. Sound= is before any Inputs=. */
static size_t claim_of(const struct seat_config *seat, const struct inventory_item *item)
{
	size_t named = 0;

	switch (item->kind) {
	case INVENTORY_MONITOR:
		named = list_covers(seat->outputs, item->place);
		return named ? named + 1 : list_identifies(seat->outputs, item->identity);
	case INVENTORY_SOUND:
		named = seat->sound ? place_covers(seat->sound, item->place) : 0;
		return named ? named + INVENTORY_PLACE : list_covers(seat->inputs, item->place);
	case INVENTORY_INPUT:
	case INVENTORY_STORAGE:
		return list_covers(seat->inputs, item->place);
	case INVENTORY_PCI:
	case INVENTORY_KINDS:
		break;
	}
	return 0;
}

const struct seat_config *seating_of(const GPtrArray *seats, const struct inventory_item *item)
{
	const struct seat_config *owner = NULL;
	size_t best = 0;

	for (guint i = 0; i < seats->len; i++) {
		const struct seat_config *seat = g_ptr_array_index(seats, i);
		size_t claim = claim_of(seat, item);

		if (claim > best) {
			best = claim;
			owner = seat;
		}
	}
	return owner;
}

const struct inventory_item *seating_sound(const GPtrArray *seats, const struct seat_config *seat,
	const GPtrArray *items)
{
	const struct inventory_item *other = NULL;

	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		if (item->kind != INVENTORY_SOUND || seating_of(seats, item) != seat)
			continue;
		if (seat->sound && place_covers(seat->sound, item->place))
			return item;
		if (!other)
			other = item;
	}
	return other;
}

char *seating_place(const struct inventory_item *item)
{
	g_autofree char *port = place_port(item->place);
	char *hub = item->hub[0] ? g_strdup(item->hub) : place_hub(port);

	return hub ? hub : g_steal_pointer(&port);
}
