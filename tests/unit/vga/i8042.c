/*
 * The keyboard controller as firmware and kernels talk to it.
 */
#include <linux/input-event-codes.h>
#include <string.h>

#include "tests/unit/test.h"
#include "vmm/i8042.h"
#include "vmm/state.h"

static struct i8042 chip;
static unsigned resets, edges[16];
static bool level[16];
static uint8_t leds;

static void on_interrupt(void *owner, unsigned irq, bool high)
{
	test_assert(irq == 1 || irq == 12);
	test_assert(high != level[irq]);
	level[irq] = high;
	edges[irq] += high;
}

static void on_reset(void *owner)
{
	resets++;
}

static void on_leds(void *owner, uint8_t now)
{
	leds = now;
}

static const struct i8042_ops ops = { on_interrupt, on_reset, on_leds };

static void begin(void)
{
	i8042_reset(&chip);
	memset(edges, 0, sizeof(edges));
	resets = 0;
}

static uint8_t status(void)
{
	return i8042_read(&chip, I8042_COMMAND);
}

static uint8_t data(void)
{
	return i8042_read(&chip, I8042_DATA);
}

static void command(uint8_t value)
{
	i8042_write(&chip, I8042_COMMAND, value);
}

static void write_data(uint8_t value)
{
	i8042_write(&chip, I8042_DATA, value);
}

/* The bytes that are there, as one number. */
static uint64_t all(void)
{
	uint64_t value = 0;

	while (status() & 1)
		value = value << 8 | data();
	return value;
}

/* As SeaBIOS does it. */
static void firmware_begins(void)
{
	begin();
	test_equal(all(), 0);
	command(0xaa);
	test_equal(all(), 0x55);
	command(0xab);
	test_equal(all(), 0);
	test_assert(status() & 4);
	command(0x60);
	write_data(0x30);
	command(0x60);
	write_data(0x20); /* the keyboard's side open */
	write_data(0xff);
	test_equal(all(), 0xfaaa);
	write_data(0xf5);
	test_equal(all(), 0xfa);
	write_data(0xf0);
	write_data(0x02);
	test_equal(all(), 0xfafa);
	command(0x60);
	write_data(0x61);
	write_data(0xf4);
	test_equal(all(), 0xfa);
	command(0x20);
	test_equal(all(), 0x61);
}

static void keys_are_translated(void)
{
	begin();
	i8042_key(&chip, KEY_A, true);
	test_equal(edges[1], 1);
	test_assert(level[1]);
	i8042_key(&chip, KEY_A, false);
	test_equal(edges[1], 1); /* the next byte waits for the first to be read */
	test_equal(all(), 0x1e9e);
	test_equal(edges[1], 2);
	test_assert(!level[1]);
	i8042_key(&chip, KEY_UP, true);
	i8042_key(&chip, KEY_UP, false);
	test_equal(all(), 0xe048e0c8);
	i8042_key(&chip, KEY_PAUSE, true);
	test_equal(all(), 0xe11d45e19dc5);
	i8042_key(&chip, KEY_SYSRQ, true);
	i8042_key(&chip, KEY_SYSRQ, false);
	test_equal(all(), 0xe02ae037e0b7e0aa);
	i8042_key(&chip, KEY_F7, true);
	test_equal(all(), 0x41);
	i8042_release_keys(&chip);
	test_equal(all(), 0xc1);
}

/* As Linux' i8042 looks for the mouse's port, and psmouse for the mouse. */
static void mouse_is_found(void)
{
	begin();
	command(0x60);
	write_data(0x43);
	command(0xd3);
	write_data(0x5a);
	test_assert(status() & 0x20);
	test_equal(edges[12], 1);
	test_equal(data(), 0x5a);
	command(0xa7);
	command(0x20);
	test_equal(all(), 0x63);
	command(0xa8);
	command(0x20);
	test_equal(all(), 0x43);
	command(0xd4);
	write_data(0xf2);
	test_assert(status() & 0x20);
	test_equal(all(), 0xfa00);
	command(0xd4);
	write_data(0xf4);
	test_equal(all(), 0xfa);
	i8042_move(&chip, 2, 1, 0);
	i8042_button(&chip, 1, true);
	i8042_report(&chip);
	test_assert(level[12] && !level[1]);
	test_equal(all(), 0x2a02ff);
}

static void ways_to_reset(void)
{
	begin();
	command(0xfe);
	test_equal(resets, 1);
	command(0xd1);
	write_data(0xfe);
	test_equal(resets, 2);
	command(0xd1);
	write_data(0xdf);
	command(0xff); /* pulses nothing */
	command(0xd0);
	test_equal(resets, 2);
	test_equal(all(), 0xdf);
	command(0xdd);
	command(0xd0);
	test_equal(all() & 2, 0);
}

static void lights(void)
{
	begin();
	write_data(0xed);
	write_data(0x02);
	test_equal(leds, 2);
	test_equal(all(), 0xfafa);
	i8042_reset(&chip);
	test_equal(leds, 0);
}

/* An argument that never comes, bytes nobody reads, switched-off sides. */
static void odd_guests(void)
{
	begin();
	for (unsigned i = 0; i < 200000; i++) {
		i8042_write(&chip, i & 1 ? I8042_DATA : I8042_COMMAND, (uint8_t)(i * 37 >> 3));
		i8042_key(&chip, i % 300, i & 4);
		i8042_move(&chip, (int32_t)(i * 12345), -(int32_t)i, 1);
		i8042_report(&chip);
		if (i % 11 == 0)
			data();
	}
	for (unsigned i = 0; i < 5000; i++)
		data();
	begin();
	command(0xad);
	i8042_key(&chip, KEY_A, true);
	test_equal(status() & 1, 0);
	command(0xae);
	test_equal(all(), 0x1e);
}

static void saved(void)
{
	struct state *state = state_new_saving();
	GBytes *bytes;

	begin();
	write_data(0xed);
	write_data(0x04);
	i8042_key(&chip, KEY_B, true);
	state_section(state, "Ps2");
	i8042_state(&chip, state);
	bytes = state_take(state);
	state_free(state);
	i8042_reset(&chip);
	state = state_new_loading(bytes);
	state_section(state, "Ps2");
	i8042_state(&chip, state);
	test_assert(!state_failed(state) && state_at_end(state));
	state_free(state);
	test_assert(level[1]);
	test_equal(leds, 4);
	test_equal(all(), 0xfafa30);
	i8042_key(&chip, KEY_B, false);
	test_equal(all(), 0xb0);
}

static void saved_badly(void)
{
	struct state *state = state_new_saving();
	struct i8042_registers reg = chip.reg;
	g_autoptr(GError) error = NULL;

	reg.keyboard.keys.n = PS2_QUEUE + 1;
	STATE(state, reg);
	reg = chip.reg;
	state_bytes(state, "end", NULL, 0);
	{
		GBytes *bytes = state_take(state);

		state_free(state);
		state = state_new_loading(bytes);
	}
	i8042_state(&chip, state);
	test_assert(state_failed(state));
	error = state_error(state);
	test_assert(error);
	test_assert(!memcmp(&reg, &chip.reg, sizeof(reg)));
	state_free(state);
}

int main(void)
{
	i8042_init(&chip, &ops, NULL);
	test_run(firmware_begins);
	test_run(keys_are_translated);
	test_run(mouse_is_found);
	test_run(ways_to_reset);
	test_run(lights);
	test_run(odd_guests);
	test_run(saved);
	test_run(saved_badly);
	i8042_clear(&chip);
	return 0;
}
