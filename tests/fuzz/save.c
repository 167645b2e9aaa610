/*
 * The file of a saved guest, whatever is in it: header, configuration, state of the board's parts,
 * memory. Devices' own state is loaded by the targets of those devices.
 *
 *	u32	the file's length, of which the bytes that follow are the beginning; the rest are zeros
 */
#include "vmm/save.c"
#include "vmm/lpc.c"
#include "vmm/rtc_device.c"

#include "tests/fuzz/file_harness.h"
#include "tests/unit/vmm/chipset.h"
#include "vmm/i8042.h"
#include "vmm/serial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	FILE_MAX = 4 << 20,
	MEMORY = 64 << 10,
};

static struct device *chipset, *clock_chip;
static struct serial com1;
static struct i8042 keyboard;

/* In the place of machine.c: what needs no /dev/kvm. */
void machine_state(struct machine *to, struct state *state, int64_t slept_ns)
{
	if (slept_ns < 0)
		abort();
	memory_state(to->memory, state);
	state_section(state, "PCI");
	pci_bus_state(to->pci, state);
	state_section(state, "Board");
	chipset->state(chipset, state);
	state_section(state, "Clock");
	clock_chip->state(clock_chip, state);
	state_section(state, "Serial");
	serial_state(&com1, state);
	state_section(state, "Ps2");
	i8042_state(&keyboard, state);
}

static void on_level(void *owner, bool level)
{
}

static void on_interrupt(void *owner, unsigned irq, bool level)
{
}

static void on_reset(void *owner)
{
}

static void on_leds(void *owner, uint8_t leds)
{
}

static void board_make(void)
{
	static const struct serial_ops serial_ops = { .interrupt = on_level };
	static const struct i8042_ops i8042_ops = { on_interrupt, on_reset, on_leds };
	static const struct rtc_config rtc_config;

	board_open(MEMORY);
	memory_free(machine.memory);
	machine.memory = memory_new_with_room(MEMORY, MEMORY_BLOCK, NULL);
	chipset = lpc_type.create(&machine, "", NULL, NULL);
	clock_chip = rtc_type.create(&machine, "", &rtc_config, NULL);
	serial_init(&com1, &serial_ops, NULL);
	i8042_init(&keyboard, &i8042_ops, NULL);
	if (!machine.memory || !chipset || !clock_chip)
		abort();
}

static void board_end(void)
{
	serial_clear(&com1);
	clock_chip->destroy(clock_chip);
	chipset->destroy(chipset);
	board_close();
}

/* A guest that was loaded runs: each part answers. */
static void board_run(void)
{
	in(0x71, 1);
	in(PM_BASE, 4);
	for (unsigned i = 0; i < SERIAL_PORTS; i++)
		serial_read(&com1, i);
	for (unsigned i = 0; i < 4 * PS2_QUEUE; i++)
		i8042_read(&keyboard, I8042_DATA);
	board_ns += 1000000000;
	g_main_context_iteration(machine.main_context, FALSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct save_file *file;
	g_autoptr(GError) error = NULL;
	uint32_t len;

	if (size < sizeof(len))
		return 0;
	memcpy(&len, data, sizeof(len));
	data += sizeof(len);
	size -= sizeof(len);
	file = save_open(file_of(data, size, 0, len % FILE_MAX), &error);
	if (!file == !error)
		abort();
	if (!file)
		return 0;
	board_make();
	if (save_load(file, &machine, &error) == !!error)
		abort();
	if (!error)
		board_run();
	board_end();
	save_close(file);
	return 0;
}
