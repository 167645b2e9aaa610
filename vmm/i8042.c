/*
 * The keyboard controller: command byte, translation of scan codes, one byte of output at a time.
 */
#include "vmm/i8042.h"

#include <string.h>

#include "vmm/state.h"

enum i8042_bits {
	STATUS_FULL = 0x01,     /* of the output buffer */
	STATUS_SYSTEM = 0x04,
	STATUS_COMMAND = 0x08,
	STATUS_UNLOCKED = 0x10,
	STATUS_MOUSE = 0x20,

	BYTE_IRQ_1 = 0x01,
	BYTE_IRQ_12 = 0x02,
	BYTE_SYSTEM = 0x04,
	BYTE_KEYBOARD_OFF = 0x10,
	BYTE_MOUSE_OFF = 0x20,
	BYTE_TRANSLATE = 0x40,

	OUTPUT_RUNNING = 0x01,  /* low: the machine is held in reset */
	OUTPUT_A20 = 0x02,
	OUTPUT_REST = 0xcc,     /* lines that are high when nobody pulls them */

	BREAK_PREFIX = 0xf0,
};

enum i8042_commands {
	COMMAND_READ = 0x20,         /* + n: byte n of its memory */
	COMMAND_WRITE = 0x60,
	COMMAND_MOUSE_OFF = 0xa7,
	COMMAND_MOUSE_ON = 0xa8,
	COMMAND_MOUSE_TEST = 0xa9,
	COMMAND_TEST = 0xaa,
	COMMAND_KEYBOARD_TEST = 0xab,
	COMMAND_KEYBOARD_OFF = 0xad,
	COMMAND_KEYBOARD_ON = 0xae,
	COMMAND_INPUT_PORT = 0xc0,
	COMMAND_OUTPUT_PORT = 0xd0,
	COMMAND_SET_OUTPUT_PORT = 0xd1,
	COMMAND_AS_KEYBOARD = 0xd2,
	COMMAND_AS_MOUSE = 0xd3,
	COMMAND_TO_MOUSE = 0xd4,
	COMMAND_A20_OFF = 0xdd,
	COMMAND_A20_ON = 0xdf,
	COMMAND_TEST_INPUTS = 0xe0,
	COMMAND_PULSE = 0xf0,        /* to 0xff: bits that are 0 are pulled low for a moment */
};

static void irq_set(struct i8042 *i8042, unsigned irq, bool *now, bool level)
{
	if (*now == level)
		return;
	*now = level;
	i8042->ops->interrupt(i8042->owner, irq, level);
}

static bool output_as_mouse(const struct i8042_registers *reg)
{
	return reg->source == I8042_MOUSE ||
		(reg->source == I8042_CONTROLLER && reg->as_mouse);
}

static void irqs_follow(struct i8042 *i8042)
{
	const struct i8042_registers *reg = &i8042->reg;
	bool full = reg->source != I8042_NOTHING, mouse = output_as_mouse(reg);

	irq_set(i8042, 1, &i8042->irq_1, full && !mouse && reg->ram[0] & BYTE_IRQ_1);
	irq_set(i8042, 12, &i8042->irq_12, full && mouse && reg->ram[0] & BYTE_IRQ_12);
}

/* A byte of the keyboard's, translated; false: it was a break prefix, more must follow. */
static bool keyboard_byte(struct i8042_registers *reg, uint8_t *byte)
{
	if (!(reg->ram[0] & BYTE_TRANSLATE))
		return true;
	if (*byte == BREAK_PREFIX) {
		reg->broken = true;
		return false;
	}
	*byte = ps2_translate(*byte);
	if (reg->broken)
		*byte |= 0x80;
	reg->broken = false;
	return true;
}

static bool keyboard_take(struct i8042_registers *reg, uint8_t *byte)
{
	while (!(reg->ram[0] & BYTE_KEYBOARD_OFF) && ps2_keyboard_take(&reg->keyboard, byte))
		if (keyboard_byte(reg, byte))
			return true;
	return false;
}

static void output_put(struct i8042_registers *reg, enum i8042_source source, uint8_t byte,
	bool as_mouse)
{
	reg->source = (uint8_t)source;
	reg->output = byte;
	reg->as_mouse = as_mouse;
}

/* The next byte into the output buffer, when it is empty. */
static void output_fill(struct i8042 *i8042)
{
	struct i8042_registers *reg = &i8042->reg;
	uint8_t byte;

	if (reg->source == I8042_NOTHING) {
		if (ps2_queue_take(&reg->reply, &byte))
			output_put(reg, I8042_CONTROLLER, byte, false);
		else if (ps2_queue_take(&reg->mouse_reply, &byte))
			output_put(reg, I8042_CONTROLLER, byte, true);
		else if (keyboard_take(reg, &byte))
			output_put(reg, I8042_KEYBOARD, byte, false);
		else if (!(reg->ram[0] & BYTE_MOUSE_OFF) && ps2_mouse_take(&reg->mouse, &byte))
			output_put(reg, I8042_MOUSE, byte, true);
	}
	irqs_follow(i8042);
}

static void reply(struct i8042_registers *reg, uint8_t byte)
{
	ps2_queue_add(&reg->reply, &byte, 1);
}

static void output_port_set(struct i8042 *i8042, uint8_t value)
{
	i8042->reg.output_port = (uint8_t)(value | OUTPUT_RUNNING);
	if (!(value & OUTPUT_RUNNING))
		i8042->ops->reset(i8042->owner);
}

/* Commands that only set or clear bits of the command byte. */
static const struct {
	uint8_t command, set, clear;
} byte_commands[] = {
	{ COMMAND_MOUSE_OFF, BYTE_MOUSE_OFF, 0 },
	{ COMMAND_MOUSE_ON, 0, BYTE_MOUSE_OFF },
	{ COMMAND_KEYBOARD_OFF, BYTE_KEYBOARD_OFF, 0 },
	{ COMMAND_KEYBOARD_ON, 0, BYTE_KEYBOARD_OFF },
};

static void command_simple(struct i8042 *i8042, uint8_t command)
{
	struct i8042_registers *reg = &i8042->reg;

	for (unsigned i = 0; i < G_N_ELEMENTS(byte_commands); i++)
		if (byte_commands[i].command == command)
			reg->ram[0] = (uint8_t)((reg->ram[0] | byte_commands[i].set) &
				~byte_commands[i].clear);
	switch (command) {
	case COMMAND_MOUSE_TEST:
	case COMMAND_KEYBOARD_TEST:
	case COMMAND_TEST_INPUTS:
		reply(reg, 0); /* no line is stuck */
		break;
	case COMMAND_TEST:
		reg->ram[0] |= BYTE_SYSTEM;
		reply(reg, 0x55);
		break;
	case COMMAND_INPUT_PORT:
		reply(reg, 0x80); /* the keyboard is not locked */
		break;
	case COMMAND_OUTPUT_PORT:
		reply(reg, (uint8_t)(reg->output_port | (i8042->irq_1 ? 0x10 : 0) |
			(i8042->irq_12 ? 0x20 : 0)));
		break;
	case COMMAND_A20_OFF:
	case COMMAND_A20_ON:
		output_port_set(i8042, (uint8_t)((reg->output_port & ~OUTPUT_A20) |
			(command == COMMAND_A20_ON ? OUTPUT_A20 : 0)));
		break;
	default:
		break;
	}
}

static bool wants_argument(uint8_t command)
{
	return (command >= COMMAND_WRITE && command < COMMAND_WRITE + I8042_RAM) ||
		(command >= COMMAND_SET_OUTPUT_PORT && command <= COMMAND_TO_MOUSE);
}

static void command_write(struct i8042 *i8042, uint8_t command)
{
	struct i8042_registers *reg = &i8042->reg;

	reg->command = wants_argument(command) ? command : 0;
	if (command >= COMMAND_READ && command < COMMAND_READ + I8042_RAM)
		reply(reg, reg->ram[command - COMMAND_READ]);
	else if (command >= COMMAND_PULSE && !(command & OUTPUT_RUNNING))
		i8042->ops->reset(i8042->owner);
	else
		command_simple(i8042, command);
}

static void keyboard_write(struct i8042 *i8042, uint8_t value)
{
	struct i8042_registers *reg = &i8042->reg;
	uint8_t leds = reg->keyboard.leds;

	reg->ram[0] &= (uint8_t)~BYTE_KEYBOARD_OFF; /* who is spoken to may answer */
	ps2_keyboard_write(&reg->keyboard, value);
	if (leds != reg->keyboard.leds)
		i8042->ops->leds(i8042->owner, reg->keyboard.leds);
}

static void data_write(struct i8042 *i8042, uint8_t value)
{
	struct i8042_registers *reg = &i8042->reg;
	uint8_t command = reg->command;

	reg->command = 0;
	if (command >= COMMAND_WRITE && command < COMMAND_WRITE + I8042_RAM) {
		reg->ram[command - COMMAND_WRITE] = value;
	} else if (command == COMMAND_SET_OUTPUT_PORT) {
		output_port_set(i8042, value);
	} else if (command == COMMAND_AS_KEYBOARD) {
		reply(reg, value);
	} else if (command == COMMAND_AS_MOUSE) {
		ps2_queue_add(&reg->mouse_reply, &value, 1);
	} else if (command == COMMAND_TO_MOUSE) {
		reg->ram[0] &= (uint8_t)~BYTE_MOUSE_OFF;
		ps2_mouse_write(&reg->mouse, value);
	} else {
		keyboard_write(i8042, value);
	}
}

static uint8_t status_read(const struct i8042_registers *reg)
{
	return (uint8_t)(STATUS_UNLOCKED | (reg->source != I8042_NOTHING ? STATUS_FULL : 0) |
		(output_as_mouse(reg) ? STATUS_MOUSE : 0) |
		(reg->ram[0] & BYTE_SYSTEM ? STATUS_SYSTEM : 0) |
		(reg->last_port == I8042_COMMAND ? STATUS_COMMAND : 0));
}

uint8_t i8042_read(struct i8042 *i8042, unsigned port)
{
	uint8_t value;

	g_mutex_lock(&i8042->lock);
	if (port == I8042_COMMAND) {
		value = status_read(&i8042->reg);
	} else {
		value = i8042->reg.output; /* an empty buffer gives its last byte again */
		i8042->reg.source = I8042_NOTHING;
		irqs_follow(i8042); /* low, so that the next byte is an edge */
		output_fill(i8042);
	}
	g_mutex_unlock(&i8042->lock);
	return value;
}

void i8042_write(struct i8042 *i8042, unsigned port, uint8_t value)
{
	g_mutex_lock(&i8042->lock);
	i8042->reg.last_port = (uint8_t)port;
	if (port == I8042_COMMAND)
		command_write(i8042, value);
	else
		data_write(i8042, value);
	output_fill(i8042);
	g_mutex_unlock(&i8042->lock);
}

void i8042_key(struct i8042 *i8042, unsigned code, bool down)
{
	g_mutex_lock(&i8042->lock);
	ps2_keyboard_key(&i8042->reg.keyboard, code, down);
	output_fill(i8042);
	g_mutex_unlock(&i8042->lock);
}

int64_t i8042_repeat(struct i8042 *i8042, bool first)
{
	int64_t us;

	g_mutex_lock(&i8042->lock);
	us = ps2_keyboard_repeat(&i8042->reg.keyboard, first);
	output_fill(i8042);
	g_mutex_unlock(&i8042->lock);
	return us;
}

void i8042_release_keys(struct i8042 *i8042)
{
	g_mutex_lock(&i8042->lock);
	ps2_keyboard_release(&i8042->reg.keyboard);
	output_fill(i8042);
	g_mutex_unlock(&i8042->lock);
}

void i8042_move(struct i8042 *i8042, int32_t dx, int32_t dy, int32_t wheel)
{
	g_mutex_lock(&i8042->lock);
	ps2_mouse_move(&i8042->reg.mouse, dx, dy, wheel);
	g_mutex_unlock(&i8042->lock);
}

void i8042_button(struct i8042 *i8042, unsigned button, bool down)
{
	g_mutex_lock(&i8042->lock);
	ps2_mouse_button(&i8042->reg.mouse, button, down);
	g_mutex_unlock(&i8042->lock);
}

void i8042_report(struct i8042 *i8042)
{
	g_mutex_lock(&i8042->lock);
	ps2_mouse_report(&i8042->reg.mouse);
	output_fill(i8042);
	g_mutex_unlock(&i8042->lock);
}

void i8042_reset(struct i8042 *i8042)
{
	struct i8042_registers *reg = &i8042->reg;

	g_mutex_lock(&i8042->lock);
	memset(reg, 0, sizeof(*reg));
	reg->ram[0] = BYTE_IRQ_1 | BYTE_IRQ_12 | BYTE_TRANSLATE;
	reg->output_port = OUTPUT_RUNNING | OUTPUT_A20 | OUTPUT_REST;
	ps2_keyboard_reset(&reg->keyboard);
	ps2_mouse_reset(&reg->mouse);
	irqs_follow(i8042);
	i8042->ops->leds(i8042->owner, 0);
	g_mutex_unlock(&i8042->lock);
}

void i8042_init(struct i8042 *i8042, const struct i8042_ops *ops, void *owner)
{
	memset(i8042, 0, sizeof(*i8042));
	g_mutex_init(&i8042->lock);
	i8042->ops = ops;
	i8042->owner = owner;
	i8042_reset(i8042);
}

void i8042_clear(struct i8042 *i8042)
{
	g_mutex_clear(&i8042->lock);
}

static bool registers_valid(const struct i8042_registers *reg)
{
	return reg->source <= I8042_MOUSE && ps2_queue_valid(&reg->reply) &&
		ps2_queue_valid(&reg->mouse_reply) && ps2_keyboard_valid(&reg->keyboard) &&
		ps2_mouse_valid(&reg->mouse);
}

void i8042_state(struct i8042 *i8042, struct state *state)
{
	struct i8042_registers reg = i8042->reg;

	STATE(state, reg);
	if (!state_loading(state) || state_failed(state))
		return;
	if (!registers_valid(&reg)) {
		state_fail(state, "registers that no guest could have brought about");
		return;
	}
	g_mutex_lock(&i8042->lock);
	i8042->reg = reg;
	irqs_follow(i8042);
	i8042->ops->leds(i8042->owner, reg.keyboard.leds);
	g_mutex_unlock(&i8042->lock);
}
