/*
 * Fingers of several owners in one guest's slots: MT type B to MT type B.
 */
#include "input/touch.h"

unsigned touch_count(const struct touch_map *map)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PORT_TOUCHES; i++)
		count += map->touch[i].down;
	return count;
}

bool touch_report_valid(const struct port_input *events, unsigned n)
{
	bool slot = false;

	for (unsigned i = 0; i + 1 < n; i++) {
		const struct port_input *e = &events[i];
		int32_t min, max;

		if (e->type == EV_KEY) {
			if (e->code != BTN_TOUCH)
				return false;
			continue;
		}
		if (e->type != EV_ABS || !port_axis(INPUT_TOUCH, e->code, &min, &max) ||
			e->value < min || e->value > max)
			return false;
		slot = slot || e->code == ABS_MT_SLOT;
		if (!slot)
			return false;
	}
	return true;
}

static bool touch_is(const struct touch *touch, unsigned owner)
{
	return touch->down && (owner == TOUCH_EVERYBODY || touch->owner == owner);
}

static int touch_find(const struct touch_map *map, unsigned owner, unsigned slot)
{
	for (int i = 0; i < PORT_TOUCHES; i++)
		if (touch_is(&map->touch[i], owner) && map->touch[i].slot == slot)
			return i;
	return -1;
}

/* Rather one that was not down when the report began: guests' drivers see one state a report. */
static int touch_free(const struct touch_map *map, const struct touch_map *before)
{
	int slot = -1;

	for (int i = PORT_TOUCHES - 1; i >= 0; i--)
		if (!map->touch[i].down &&
			(slot < 0 || !before->touch[i].down || before->touch[slot].down))
			slot = i;
	return slot;
}

struct touch_writer {
	struct port_input *out;
	unsigned n;
	int said; /* the slot that the guest was told last in this report */
};

static void touch_write(struct touch_writer *writer, uint16_t type, uint16_t code, int32_t value)
{
	writer->out[writer->n++] = (struct port_input){
		.device = INPUT_TOUCH,
		.type = type,
		.code = code,
		.value = value,
	};
}

static void touch_say(struct touch_writer *writer, int slot, uint16_t code, int32_t value)
{
	if (writer->said != slot)
		touch_write(writer, EV_ABS, ABS_MT_SLOT, slot);
	writer->said = slot;
	touch_write(writer, EV_ABS, code, value);
}

static void touch_end(struct touch_writer *writer, const struct touch_map *map,
	const struct touch_map *before)
{
	bool any = touch_count(map) != 0;

	if (any != (touch_count(before) != 0))
		touch_write(writer, EV_KEY, BTN_TOUCH, any);
}

unsigned touch_take(struct touch_map *map, unsigned owner, const struct port_input *events,
	unsigned n, struct port_input *out)
{
	const struct touch_map before = *map;
	struct touch_writer writer = {.out = out, .said = -1};
	unsigned slot = 0;
	int at = -1;

	for (unsigned i = 0; i < n; i++) {
		const struct port_input *e = &events[i];

		if (e->type != EV_ABS)
			continue;
		if (e->code == ABS_MT_SLOT) {
			slot = (unsigned)e->value;
			at = touch_find(map, owner, slot);
			continue;
		}
		if (e->code == ABS_MT_TRACKING_ID && e->value >= 0) {
			at = at < 0 ? touch_free(map, &before) : at;
			if (at < 0)
				continue;
			map->touch[at] = (struct touch){true, (uint16_t)owner, (uint16_t)slot,
				map->next_id++};
			touch_say(&writer, at, ABS_MT_TRACKING_ID, map->touch[at].id);
		} else if (at >= 0) {
			touch_say(&writer, at, e->code, e->value);
			map->touch[at].down = e->code != ABS_MT_TRACKING_ID;
			at = map->touch[at].down ? at : -1;
		}
	}
	touch_end(&writer, map, &before);
	return writer.n;
}

void touch_orphan(struct touch_map *map, unsigned owner)
{
	for (unsigned i = 0; i < PORT_TOUCHES; i++)
		if (touch_is(&map->touch[i], owner))
			map->touch[i].owner = TOUCH_NOBODY;
}

void touch_unheard(struct touch_map *map, const struct touch_map *after)
{
	for (unsigned i = 0; i < PORT_TOUCHES; i++)
		if (map->touch[i].down &&
			(!after->touch[i].down || after->touch[i].id != map->touch[i].id))
			map->touch[i].owner = TOUCH_NOBODY;
	map->next_id = after->next_id;
}

unsigned touch_lift(struct touch_map *map, unsigned owner, struct port_input *out)
{
	const struct touch_map before = *map;
	struct touch_writer writer = {.out = out, .said = -1};

	for (int i = 0; i < PORT_TOUCHES; i++) {
		if (!touch_is(&map->touch[i], owner))
			continue;
		touch_say(&writer, i, ABS_MT_TRACKING_ID, -1);
		map->touch[i].down = false;
	}
	touch_end(&writer, map, &before);
	return writer.n;
}
