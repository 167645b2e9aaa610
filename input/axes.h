/*
 * A guest's gamepad: where its axes stand, as far as the guest was told, and where they should, by
 * whom. An axis that nobody keeps out of its rest goes back to 0.
 *
 * Thread: none of its own; an axis_map is a plain value.
 */
#ifndef IRORI_INPUT_AXES_H
#define IRORI_INPUT_AXES_H

#include "display/port.h"

enum axes_limits {
	AXES_EVERYBODY = 0x10000,
};

struct axis_map {
	int32_t told[PORT_PAD_AXES];
	int32_t wanted[PORT_PAD_AXES];
	uint16_t owner[PORT_PAD_AXES];
};

/* An owner's axis has this value now; whoever moves it last has it. The code is in range. */
void axes_want(struct axis_map *map, unsigned owner, unsigned code, int32_t value);
/* The owner has gone: its axes should rest. */
void axes_rest(struct axis_map *map, unsigned owner);
/* What the guest has not been told, up to PORT_PAD_AXES events, without SYN_REPORT. */
unsigned axes_due(const struct axis_map *map, struct port_input *out);
/* The guest has got these. Others' events are passed over. */
void axes_told(struct axis_map *map, const struct port_input *events, unsigned n);

#endif
