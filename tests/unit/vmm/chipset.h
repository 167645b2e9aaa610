/*
 * A board without KVM: buses, PCI and a clock that is turned by hand; interrupts and requests are
 * counted. For tests of the chipset's parts.
 */
#ifndef IRORI_TESTS_UNIT_VMM_CHIPSET_H
#define IRORI_TESTS_UNIT_VMM_CHIPSET_H

#include <string.h>

#include "tests/unit/test.h"
#include "vmm/machine.h"
#include "vmm/state.h"

#define BOARD_FN static __attribute__((unused))

static struct machine machine;
static struct guest_config board_config = { .name = (char *)"test", .vcpus = 3 };
static bool board_irq[24];
static int board_asked;
static int64_t board_ns;

void machine_irq(struct machine *to, unsigned gsi, bool level)
{
	test_assert(to == &machine && gsi < 24);
	board_irq[gsi] = level;
}

void machine_request(struct machine *to, enum machine_request what, const char *why)
{
	test_assert(to == &machine && why);
	board_asked = (int)what;
}

static int64_t board_now(void)
{
	return board_ns;
}

BOARD_FN void board_open(uint64_t memory)
{
	memset(board_irq, 0, sizeof(board_irq));
	board_asked = -1;
	board_ns = 1000000000;
	machine = (struct machine){ .config = &board_config, .now = board_now };
	machine.memory = memory_new(memory, NULL);
	test_assert(machine.memory);
	machine.main_context = g_main_context_new();
	machine.pio = bus_new("port");
	machine.mmio = bus_new("memory");
	machine.pci = pci_bus_new(machine.mmio, machine.pio, NULL);
	test_equal(pci_bus_map(machine.pci, MACHINE_ECAM_BASE), 0);
}

BOARD_FN void board_close(void)
{
	pci_bus_free(machine.pci);
	bus_free(machine.mmio);
	bus_free(machine.pio);
	g_main_context_unref(machine.main_context);
	memory_free(machine.memory);
}

BOARD_FN void out(uint16_t port, unsigned size, uint64_t value)
{
	bus_write(machine.pio, port, size, value);
}

BOARD_FN uint64_t in(uint16_t port, unsigned size)
{
	uint64_t value;

	bus_read(machine.pio, port, size, &value);
	return value;
}

/* Configuration space of slot 31, function 0, by the ports. */
BOARD_FN void lpc_out(unsigned offset, unsigned size, uint64_t value)
{
	out(0xcf8, 4, 0x8000f800 | (offset & 0xfc));
	out((uint16_t)(0xcfc + offset % 4), size, value);
}

BOARD_FN uint64_t lpc_in(unsigned offset, unsigned size)
{
	out(0xcf8, 4, 0x8000f800 | (offset & 0xfc));
	return in((uint16_t)(0xcfc + offset % 4), size);
}

/* A device's state as a saved guest has it. */
BOARD_FN GBytes *board_save(struct device *device)
{
	struct state *state = state_new_saving();
	GBytes *bytes;

	device->state(device, state);
	test_assert(!state_failed(state));
	bytes = state_take(state);
	state_free(state);
	return bytes;
}

/* True if it was taken, to its end. */
BOARD_FN bool board_load(struct device *device, GBytes *bytes)
{
	struct state *state = state_new_loading(bytes);
	bool good;

	device->state(device, state);
	good = !state_failed(state) && state_at_end(state);
	state_free(state);
	return good;
}

#endif
