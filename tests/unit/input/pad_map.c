/*
 * Gamepads of several makes onto the one that guests have.
 */
#include "input/pad_map.h"

#include "tests/unit/test.h"

#include <stdint.h>

static struct pad_bits bits;
static struct pad_map map;

static void has_key(unsigned code)
{
	bits.key[code / 8] |= (uint8_t)(1 << code % 8);
}

static void has_axis(unsigned code, int32_t min, int32_t max)
{
	bits.abs[code / 8] |= (uint8_t)(1 << code % 8);
	bits.range[code] = (struct pad_range){min, max, 0};
}

static int32_t axis(uint16_t code, int32_t value, uint16_t to)
{
	struct seat_event event;

	test_assert(pad_map_event(&map, EV_ABS, code, value, &event));
	test_equal(event.type, SEAT_PAD_AXIS);
	test_equal(event.code, to);
	return event.value;
}

static void button(uint16_t code, uint16_t to)
{
	struct seat_event event;

	test_assert(pad_map_event(&map, EV_KEY, code, 1, &event));
	test_equal(event.type, SEAT_PAD_BUTTON);
	test_equal(event.code, to);
	test_assert(event.down);
}

static void by_the_book(void)
{
	struct seat_event event;

	bits = (struct pad_bits){0};
	has_key(BTN_SOUTH);
	has_axis(ABS_X, 0, 255);
	has_axis(ABS_RX, -32768, 32767);
	has_axis(ABS_RY, -32768, 32767);
	has_axis(ABS_Z, 0, 255);
	has_axis(ABS_RZ, 0, 1023);
	has_axis(ABS_HAT0X, -1, 1);
	test_assert(pad_is(&bits));
	pad_map_init(&map, &bits);
	button(BTN_SOUTH, BTN_SOUTH);
	button(KEY_RECORD, BTN_TRIGGER_HAPPY1);
	test_equal(axis(ABS_X, 0, ABS_X), -32768);
	test_equal(axis(ABS_X, 127, ABS_X), 0); /* an even range has no middle: two are */
	test_equal(axis(ABS_X, 128, ABS_X), 0);
	test_equal(axis(ABS_X, 255, ABS_X), 32767);
	test_equal(axis(ABS_X, 300, ABS_X), 32767);
	test_equal(axis(ABS_X, INT32_MIN, ABS_X), -32768);
	test_equal(axis(ABS_RX, 12345, ABS_RX), 12345);
	test_equal(axis(ABS_Z, 255, ABS_Z), 1023);
	test_equal(axis(ABS_Z, 0, ABS_Z), 0);
	test_equal(axis(ABS_HAT0X, -1, ABS_HAT0X), -1);
	test_assert(!pad_map_event(&map, EV_ABS, ABS_BRAKE, 0, &event)); /* Z is that already */
	test_assert(!pad_map_event(&map, EV_KEY, KEY_Q, 1, &event));
	test_assert(!pad_map_event(&map, EV_KEY, BTN_SOUTH, 2, &event));
	test_assert(!pad_map_event(&map, EV_KEY, KEY_CNT, 1, &event));
	test_assert(!pad_map_event(&map, EV_ABS, ABS_CNT, 1, &event));
	test_assert(!pad_map_event(&map, EV_REL, REL_X, 1, &event));
}

static void numbered_buttons(void)
{
	bits = (struct pad_bits){0};
	has_key(BTN_TRIGGER);
	test_assert(!pad_is(&bits)); /* a button alone is no joystick */
	has_axis(ABS_X, -128, 127);
	has_axis(ABS_Y, -128, 127);
	has_axis(ABS_Z, -128, 127);
	has_axis(ABS_RZ, -128, 127);
	test_assert(pad_is(&bits));
	pad_map_init(&map, &bits);
	button(BTN_TRIGGER, BTN_SOUTH);
	button(BTN_TRIGGER + 8, BTN_SELECT);
	test_equal(axis(ABS_Z, -128, ABS_RX), -32768); /* the right stick */
	test_equal(axis(ABS_RZ, 127, ABS_RY), 32767);
	test_equal(axis(ABS_GAS, 0, ABS_RZ), 0); /* a range of nothing */
}

static void a_cross_of_buttons(void)
{
	struct seat_event event;

	bits = (struct pad_bits){0};
	has_key(BTN_SOUTH);
	pad_map_init(&map, &bits);
	test_assert(pad_map_event(&map, EV_KEY, BTN_DPAD_UP, 1, &event));
	test_equal(event.code, ABS_HAT0Y);
	test_equal(event.value, -1);
	test_assert(pad_map_event(&map, EV_KEY, BTN_DPAD_RIGHT, 1, &event));
	test_equal(event.code, ABS_HAT0X);
	test_equal(event.value, 1);
	test_assert(pad_map_event(&map, EV_KEY, BTN_DPAD_RIGHT, 0, &event));
	test_equal(event.value, 0);
}

static void not_a_pad(void)
{
	static const uint16_t others[] = {BTN_LEFT, BTN_TOUCH, BTN_TOOL_PEN, KEY_A};

	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		bits = (struct pad_bits){0};
		has_key(BTN_SOUTH);
		has_key(others[i]);
		test_assert(!pad_is(&bits));
	}
}

/* Whatever a device says of itself: what comes out is in the pad's ranges. */
static void nothing_is_out_of_range(void)
{
	static const int32_t odd[] = {INT32_MIN, -32768, -1, 0, 1, 127, 255, 1 << 20, INT32_MAX};
	const unsigned n = sizeof(odd) / sizeof(odd[0]);

	for (unsigned i = 0; i < n * n * n * n; i++) {
		bits = (struct pad_bits){0};
		has_key(BTN_SOUTH);
		for (uint16_t code = 0; code < ABS_CNT; code++) {
			has_axis(code, odd[i % n], odd[i / n % n]);
			bits.range[code].flat = odd[i / n / n % n];
		}
		pad_map_init(&map, &bits);
		for (uint16_t code = 0; code < ABS_CNT; code++) {
			struct seat_event event;
			int32_t min, max;

			if (!pad_map_event(&map, EV_ABS, code, odd[i / n / n / n], &event))
				continue;
			test_assert(port_axis(INPUT_GAMEPAD, event.code, &min, &max));
			test_assert(event.value >= min && event.value <= max);
		}
	}
}

int main(void)
{
	test_run(by_the_book);
	test_run(numbered_buttons);
	test_run(a_cross_of_buttons);
	test_run(not_a_pad);
	test_run(nothing_is_out_of_range);
	return 0;
}
