/*
 * A guest's gamepad: axes told and wanted.
 */
#include "input/axes.h"

void axes_want(struct axis_map *map, unsigned owner, unsigned code, int32_t value)
{
	map->wanted[code] = value;
	map->owner[code] = (uint16_t)owner;
}

void axes_rest(struct axis_map *map, unsigned owner)
{
	for (unsigned i = 0; i < PORT_PAD_AXES; i++)
		if (owner == AXES_EVERYBODY || map->owner[i] == owner)
			map->wanted[i] = 0;
}

unsigned axes_due(const struct axis_map *map, struct port_input *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PORT_PAD_AXES; i++)
		if (map->told[i] != map->wanted[i])
			out[n++] = (struct port_input){
				.device = INPUT_GAMEPAD,
				.type = EV_ABS,
				.code = (uint16_t)i,
				.value = map->wanted[i],
			};
	return n;
}

void axes_told(struct axis_map *map, const struct port_input *events, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (events[i].device == INPUT_GAMEPAD && events[i].type == EV_ABS &&
			events[i].code < PORT_PAD_AXES)
			map->told[events[i].code] = events[i].value;
}
