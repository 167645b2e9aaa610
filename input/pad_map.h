/*
 * Any gamepad's buttons and axes onto the one pad that guests know (INPUT_GAMEPAD, display/port.h).
 *
 * Drivers that follow the kernel's gamepad page need no map but for ranges. Others (plain HID pads,
 * joysticks) have their right stick on Z and RZ and number their buttons: those get what most of
 * them mean.
 *
 * Thread: none of its own; a pad_map is a plain value.
 * Source: Documentation/input/gamepad.rst of the kernel.
 */
#ifndef IRORI_INPUT_PAD_MAP_H
#define IRORI_INPUT_PAD_MAP_H

#include "display/port.h"
#include "input/seat_event.h"

enum pad_limits {
	PAD_KEY_BYTES = (KEY_CNT + 7) / 8,
	PAD_ABS_BYTES = (ABS_CNT + 7) / 8,
	PAD_NOWHERE = 0xffff,
};

/* What the device says it has: EVIOCGBIT, EVIOCGABS. */
struct pad_bits {
	uint8_t key[PAD_KEY_BYTES], abs[PAD_ABS_BYTES];
	struct pad_range {
		int32_t min, max, flat;
	} range[ABS_CNT];
};

struct pad_map {
	struct pad_range range[ABS_CNT];
	uint16_t axis[ABS_CNT];   /* the pad's axis, or PAD_NOWHERE */
	uint16_t button[KEY_CNT]; /* the pad's button, or PAD_NOWHERE */
	int8_t cross[KEY_CNT];    /* +-1 x, +-2 y: a button that is a side of the cross */
};

/* Is it a gamepad or a joystick at all? Mice, tablets and touch screens are not. */
bool pad_is(const struct pad_bits *bits);
void pad_map_init(struct pad_map *map, const struct pad_bits *bits);

/* A button or an axis of the device (EV_KEY, EV_ABS): the event of the pad, and whether there is one.
 * Values out of range are taken to its end. */
bool pad_map_event(const struct pad_map *map, uint16_t type, uint16_t code, int32_t value,
	struct seat_event *event);

#endif
