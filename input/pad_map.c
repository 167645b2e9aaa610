/*
 * Gamepads of all makes onto one.
 */
#include "input/pad_map.h"

static bool bit(const uint8_t *bits, unsigned i)
{
	return bits[i / 8] >> i % 8 & 1;
}

bool pad_is(const struct pad_bits *bits)
{
	bool sticks = bit(bits->abs, ABS_X) && bit(bits->abs, ABS_Y);

	if (bit(bits->key, BTN_TOUCH) || bit(bits->key, BTN_TOOL_PEN) || bit(bits->key, BTN_LEFT) ||
		bit(bits->key, KEY_A))
		return false;
	if (bit(bits->key, BTN_SOUTH))
		return true;
	for (unsigned code = BTN_JOYSTICK; code < BTN_GAMEPAD; code++)
		if (sticks && bit(bits->key, code))
			return true;
	return false;
}

/* BTN_TRIGGER and on: the order of most pads that only number their buttons. */
static const uint16_t numbered[] = {
	BTN_SOUTH, BTN_EAST, BTN_WEST, BTN_NORTH, BTN_TL, BTN_TR, BTN_TL2, BTN_TR2, BTN_SELECT,
	BTN_START, BTN_THUMBL, BTN_THUMBR, BTN_MODE,
};

static void map_buttons(struct pad_map *map, const struct pad_bits *bits)
{
	for (unsigned code = 0; code < KEY_CNT; code++)
		map->button[code] = port_pad_button(code) ? (uint16_t)code : PAD_NOWHERE;
	map->button[KEY_RECORD] = BTN_TRIGGER_HAPPY1;
	map->cross[BTN_DPAD_LEFT] = -1;
	map->cross[BTN_DPAD_RIGHT] = 1;
	map->cross[BTN_DPAD_UP] = -2;
	map->cross[BTN_DPAD_DOWN] = 2;
	for (unsigned i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++)
		if (!bit(bits->key, BTN_SOUTH))
			map->button[BTN_TRIGGER + i] = numbered[i];
}

static void map_axes(struct pad_map *map, const struct pad_bits *bits)
{
	bool right = bit(bits->abs, ABS_RX) && bit(bits->abs, ABS_RY);

	for (unsigned code = 0; code < ABS_CNT; code++) {
		map->axis[code] = PAD_NOWHERE;
		map->range[code] = bits->range[code];
	}
	map->axis[ABS_X] = ABS_X;
	map->axis[ABS_Y] = ABS_Y;
	map->axis[ABS_HAT0X] = ABS_HAT0X;
	map->axis[ABS_HAT0Y] = ABS_HAT0Y;
	map->axis[ABS_RX] = right ? ABS_RX : PAD_NOWHERE;
	map->axis[ABS_RY] = right ? ABS_RY : PAD_NOWHERE;
	map->axis[ABS_Z] = right ? ABS_Z : ABS_RX;
	map->axis[ABS_RZ] = right ? ABS_RZ : ABS_RY;
	map->axis[ABS_BRAKE] = right && bit(bits->abs, ABS_Z) ? PAD_NOWHERE : ABS_Z;
	map->axis[ABS_GAS] = right && bit(bits->abs, ABS_RZ) ? PAD_NOWHERE : ABS_RZ;
}

void pad_map_init(struct pad_map *map, const struct pad_bits *bits)
{
	*map = (struct pad_map){0};
	map_buttons(map, bits);
	map_axes(map, bits);
}

static int32_t scale(const struct pad_range *range, uint16_t axis, int32_t value)
{
	int64_t sum = (int64_t)range->min + range->max, width = (int64_t)range->max - range->min;
	int64_t off = 2 * (int64_t)value - sum; /* from the middle, doubled */
	int64_t flat = range->flat > 0 ? 2 * (int64_t)range->flat : 1;
	int32_t min = 0, max = 0;

	if (width <= 0 || !port_axis(INPUT_GAMEPAD, axis, &min, &max))
		return 0;
	if (axis == ABS_HAT0X || axis == ABS_HAT0Y)
		return (off > 0) - (off < 0);
	if (value < range->min)
		value = range->min;
	if (value > range->max)
		value = range->max;
	/* A stick that nobody holds is in the middle, though an even range has none. */
	if (min < 0 && off >= -flat && off <= flat)
		return 0;
	return (int32_t)(min + ((int64_t)value - range->min) * ((int64_t)max - min) / width);
}

static bool pad_map_key(const struct pad_map *map, uint16_t code, int32_t value,
	struct seat_event *event)
{
	int side = code < KEY_CNT ? map->cross[code] : 0;

	if (code >= KEY_CNT || value < 0 || value > 1) /* 2: repeated */
		return false;
	if (side) {
		*event = (struct seat_event){
			.type = SEAT_PAD_AXIS,
			.code = side == 1 || side == -1 ? ABS_HAT0X : ABS_HAT0Y,
			.value = !value ? 0 : side < 0 ? -1 : 1,
		};
		return true;
	}
	*event = (struct seat_event){.type = SEAT_PAD_BUTTON, .code = map->button[code], .down = value};
	return event->code != PAD_NOWHERE;
}

bool pad_map_event(const struct pad_map *map, uint16_t type, uint16_t code, int32_t value,
	struct seat_event *event)
{
	if (type == EV_KEY)
		return pad_map_key(map, code, value, event);
	if (type != EV_ABS || code >= ABS_CNT || map->axis[code] == PAD_NOWHERE)
		return false;
	*event = (struct seat_event){
		.type = SEAT_PAD_AXIS,
		.code = map->axis[code],
		.value = scale(&map->range[code], map->axis[code], value),
	};
	return true;
}
