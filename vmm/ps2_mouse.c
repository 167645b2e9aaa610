/*
 * The PS/2 mouse: its commands, the knocks at which it grows a wheel and two more buttons, and its
 * packets. Motion is added up while the guest does not read.
 */
#include <glib.h>
#include <string.h>

#include "vmm/ps2.h"

enum mouse_commands {
	MOUSE_SCALE_1 = 0xe6,
	MOUSE_SCALE_2 = 0xe7,
	MOUSE_RESOLUTION = 0xe8,
	MOUSE_STATUS = 0xe9,
	MOUSE_STREAM = 0xea,
	MOUSE_READ = 0xeb,
	MOUSE_WRAP_OFF = 0xec,
	MOUSE_WRAP = 0xee,
	MOUSE_REMOTE = 0xf0,
	MOUSE_ID = 0xf2,
	MOUSE_RATE = 0xf3,
	MOUSE_ENABLE = 0xf4,
	MOUSE_DISABLE = 0xf5,
	MOUSE_DEFAULTS = 0xf6,
	MOUSE_RESEND = 0xfe,
	MOUSE_RESET = 0xff,

	MOUSE_PACKETS = 16,     /* in the queue; then motion is added up */
	MOUSE_FAR = 1 << 20,
	MOUSE_BUTTONS = 5,
};

static void mouse_defaults(struct ps2_mouse *mouse)
{
	mouse->rate = 100;
	mouse->resolution = 2;
	mouse->twice = mouse->remote = mouse->wrap = mouse->reporting = false;
	mouse->dx = mouse->dy = mouse->dz = 0;
	mouse->motion.n = 0;
}

void ps2_mouse_reset(struct ps2_mouse *mouse)
{
	uint8_t buttons = mouse->buttons;

	memset(mouse, 0, sizeof(*mouse));
	mouse_defaults(mouse);
	mouse->buttons = mouse->buttons_told = buttons;
}

static void reply(struct ps2_mouse *mouse, uint8_t byte)
{
	ps2_queue_add(&mouse->reply, &byte, 1);
}

static unsigned mouse_packet(struct ps2_mouse *mouse, uint8_t byte[4])
{
	int dx = CLAMP(mouse->dx, -255, 255), dy = CLAMP(mouse->dy, -255, 255);
	int dz = CLAMP(mouse->dz, -7, 7);

	mouse->dx -= dx;
	mouse->dy -= dy;
	mouse->dz -= dz;
	mouse->buttons_told = mouse->buttons;
	byte[0] = (uint8_t)(0x08 | (mouse->buttons & 7) | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0));
	byte[1] = (uint8_t)dx;
	byte[2] = (uint8_t)dy;
	byte[3] = (uint8_t)dz;
	if (mouse->id == 4)
		byte[3] = (uint8_t)((dz & 0x0f) | (mouse->buttons & 0x18) << 1);
	return mouse->id ? 4 : 3;
}

/* Is there anything that the guest has not been told? */
static bool mouse_news(const struct ps2_mouse *mouse)
{
	return mouse->dx || mouse->dy || (mouse->dz && mouse->id) ||
		mouse->buttons != mouse->buttons_told;
}

void ps2_mouse_report(struct ps2_mouse *mouse)
{
	uint8_t byte[4];

	if (!mouse->reporting || mouse->remote || mouse->wrap) {
		mouse->dx = mouse->dy = mouse->dz = 0;
		return;
	}
	while (mouse_news(mouse) && mouse->motion.n < MOUSE_PACKETS * sizeof(byte)) {
		unsigned n = mouse_packet(mouse, byte);

		ps2_queue_add(&mouse->motion, byte, n);
	}
}

static void mouse_argument(struct ps2_mouse *mouse, uint8_t command, uint8_t byte)
{
	static const uint8_t wheel[3] = { 200, 100, 80 }, five[3] = { 200, 200, 80 };

	reply(mouse, PS2_ACK);
	if (command == MOUSE_RESOLUTION) {
		mouse->resolution = byte & 3;
		return;
	}
	mouse->rate = byte;
	mouse->knock[0] = mouse->knock[1];
	mouse->knock[1] = mouse->knock[2];
	mouse->knock[2] = byte;
	if (!memcmp(mouse->knock, wheel, sizeof(wheel)) && mouse->id == 0)
		mouse->id = 3;
	else if (!memcmp(mouse->knock, five, sizeof(five)) && mouse->id == 3)
		mouse->id = 4;
}

static void mouse_status(struct ps2_mouse *mouse)
{
	uint8_t buttons = mouse->buttons;

	/* Here left, middle, right are bits 2, 1, 0. */
	reply(mouse, (uint8_t)((mouse->remote ? 0x40 : 0) | (mouse->reporting ? 0x20 : 0) |
		(mouse->twice ? 0x10 : 0) | (buttons & 1) << 2 | (buttons >> 2 & 1) << 1 |
		(buttons >> 1 & 1)));
	reply(mouse, mouse->resolution);
	reply(mouse, mouse->rate);
}

static void mouse_read(struct ps2_mouse *mouse)
{
	uint8_t byte[4];
	unsigned n = mouse_packet(mouse, byte);

	ps2_queue_add(&mouse->reply, byte, n);
}

/* What a command does besides being acknowledged. */
static void mouse_do(struct ps2_mouse *mouse, uint8_t byte)
{
	switch (byte) {
	case MOUSE_SCALE_1:
	case MOUSE_SCALE_2:
		mouse->twice = byte == MOUSE_SCALE_2;
		break;
	case MOUSE_RESOLUTION:
	case MOUSE_RATE:
		mouse->argument = byte;
		break;
	case MOUSE_STATUS:
		mouse_status(mouse);
		break;
	case MOUSE_STREAM:
	case MOUSE_REMOTE:
		mouse->remote = byte == MOUSE_REMOTE;
		break;
	case MOUSE_READ:
		mouse_read(mouse);
		break;
	case MOUSE_WRAP:
		mouse->wrap = true;
		break;
	case MOUSE_ID:
		reply(mouse, mouse->id);
		break;
	case MOUSE_ENABLE:
	case MOUSE_DISABLE:
		mouse->reporting = byte == MOUSE_ENABLE;
		mouse->motion.n = 0;
		break;
	case MOUSE_DEFAULTS:
		mouse_defaults(mouse);
		break;
	default:
		break;
	}
}

static bool mouse_knows(uint8_t byte)
{
	return (byte >= MOUSE_SCALE_1 && byte <= MOUSE_WRAP_OFF) || byte == MOUSE_WRAP ||
		byte == MOUSE_REMOTE || (byte >= MOUSE_ID && byte <= MOUSE_DEFAULTS);
}

void ps2_mouse_write(struct ps2_mouse *mouse, uint8_t byte)
{
	uint8_t command = mouse->argument;

	mouse->argument = 0;
	if (mouse->wrap && byte != MOUSE_WRAP_OFF && byte != MOUSE_RESET) {
		reply(mouse, byte);
		return;
	}
	mouse->wrap = false;
	if (command) {
		mouse_argument(mouse, command, byte);
	} else if (byte == MOUSE_RESET) {
		ps2_mouse_reset(mouse);
		reply(mouse, PS2_ACK);
		reply(mouse, PS2_TEST_PASSED);
		reply(mouse, mouse->id);
	} else if (byte == MOUSE_RESEND) {
		reply(mouse, mouse->last);
	} else if (mouse_knows(byte)) {
		reply(mouse, PS2_ACK);
		mouse_do(mouse, byte);
	} else {
		reply(mouse, PS2_AGAIN);
	}
}

bool ps2_mouse_take(struct ps2_mouse *mouse, uint8_t *byte)
{
	if (!ps2_queue_take(&mouse->reply, byte) && !ps2_queue_take(&mouse->motion, byte))
		return false;
	mouse->last = *byte;
	if (!mouse->motion.n && mouse->reporting)
		ps2_mouse_report(mouse); /* what was added up meanwhile */
	return true;
}

void ps2_mouse_move(struct ps2_mouse *mouse, int32_t dx, int32_t dy, int32_t wheel)
{
	const int32_t most = MOUSE_FAR;

	/* Up and towards the user are the positive ones here. */
	mouse->dx = CLAMP(mouse->dx + CLAMP(dx, -most, most), -most, most);
	mouse->dy = CLAMP(mouse->dy - CLAMP(dy, -most, most), -most, most);
	mouse->dz = CLAMP(mouse->dz - CLAMP(wheel, -most, most), -most, most);
}

void ps2_mouse_button(struct ps2_mouse *mouse, unsigned button, bool down)
{
	uint8_t bit;

	if (button >= MOUSE_BUTTONS)
		return;
	bit = (uint8_t)(1u << button);
	mouse->buttons = (uint8_t)(down ? mouse->buttons | bit : mouse->buttons & ~bit);
}

static bool motion_valid(int32_t by)
{
	return by >= -MOUSE_FAR && by <= MOUSE_FAR;
}

bool ps2_mouse_valid(const struct ps2_mouse *mouse)
{
	return ps2_queue_valid(&mouse->reply) && ps2_queue_valid(&mouse->motion) &&
		motion_valid(mouse->dx) && motion_valid(mouse->dy) && motion_valid(mouse->dz) &&
		(mouse->id == 0 || mouse->id == 3 || mouse->id == 4);
}
