/*
 * The keyboard controller between a hostile guest and a busy seat; and a saved one from a file.
 */
#include <stdlib.h>
#include <string.h>

#include "vmm/i8042.h"
#include "vmm/state.h"

static bool level[16];

static void on_interrupt(void *owner, unsigned irq, bool high)
{
	if ((irq != 1 && irq != 12) || high == level[irq])
		abort();
	level[irq] = high;
}

static void on_reset(void *owner)
{
}

static void on_leds(void *owner, uint8_t leds)
{
	if (leds > 7)
		abort();
}

static const struct i8042_ops ops = { on_interrupt, on_reset, on_leds };

static void load(struct i8042 *chip, const uint8_t *data, size_t size)
{
	struct i8042_registers reg = chip->reg;
	struct state *state = state_new_saving();
	GBytes *bytes;

	for (size_t i = 0; i < size; i++)
		((uint8_t *)&reg)[(i * 131 + data[0] * 7u) % sizeof(reg)] = data[i];
	reg.keyboard.leds &= 7;
	STATE(state, reg);
	bytes = state_take(state);
	state_free(state);
	state = state_new_loading(bytes);
	i8042_state(chip, state);
	state_free(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct i8042 chip;

	if (!chip.ops)
		i8042_init(&chip, &ops, NULL);
	i8042_reset(&chip);
	for (; size >= 2; data += 2, size -= 2) {
		switch (data[0] % 8) {
		case 0 ... 1:
			i8042_write(&chip, I8042_COMMAND, data[1]);
			break;
		case 2 ... 3:
			i8042_write(&chip, I8042_DATA, data[1]);
			break;
		case 4:
			i8042_read(&chip, data[1] & 1 ? I8042_DATA : I8042_COMMAND);
			break;
		case 5:
			i8042_key(&chip, data[1] + (data[0] & 16) * 4u, data[0] & 8);
			i8042_repeat(&chip, data[0] & 32);
			break;
		case 6:
			i8042_move(&chip, (int8_t)data[1] * 100000, -(int8_t)data[1], data[0] >> 3);
			i8042_button(&chip, data[0] >> 4, data[0] & 8);
			i8042_report(&chip);
			break;
		default:
			if (data[0] & 8)
				i8042_release_keys(&chip);
			else
				load(&chip, data + 1, size - 1);
			break;
		}
	}
	for (unsigned i = 0; i < 4 * PS2_QUEUE && i8042_read(&chip, I8042_COMMAND) & 1; i++)
		i8042_read(&chip, I8042_DATA);
	return 0;
}
