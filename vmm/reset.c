/*
 * The ways in which a PC's guest ends itself, besides the keyboard controller's (i8042_device.c):
 *
 *	port 0xcf9   reset control of the chipset: a write with bit 2 set resets
 *	port 0x92    "fast A20": a write with bit 0 set resets
 *
 * Power-off is pm.c's.
 *
 * With [TestExit] also port 0xf4, as QEMU's isa-debug-exit: a byte v ends the process with exit
 * status v << 1 | 1.
 */
#define G_LOG_DOMAIN "irori-reset"

#include <errno.h>

#include "vmm/machine.h"
#include "vmm/error.h"
#include "vmm/state.h"

enum reset_bits {
	CF9_RESET = 0x04,
	PORT92_RESET = 0x01,
	PORT92_A20 = 0x02,
};

struct reset_device {
	struct device device;
	struct machine *machine;
	struct region port92;
	uint8_t cf9;
};

static uint64_t zero_read(void *owner, uint64_t offset, unsigned size)
{
	return 0;
}

static uint8_t cf9_read(void *owner)
{
	return ((struct reset_device *)owner)->cf9;
}

static void cf9_write(void *owner, uint8_t value)
{
	struct reset_device *reset = owner;

	reset->cf9 = value & ~(uint8_t)CF9_RESET;
	if (value & CF9_RESET)
		machine_request(reset->machine, MACHINE_RESET, "reset control register (0xcf9)");
}

static uint64_t port92_read(void *owner, uint64_t offset, unsigned size)
{
	return PORT92_A20;
}

static void port92_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct reset_device *reset = owner;

	if (value & PORT92_RESET)
		machine_request(reset->machine, MACHINE_RESET, "port 0x92");
}

static const struct region_ops port92_ops = {
	.read = port92_read,
	.write = port92_write,
};

static void reset_reset(struct device *device)
{
	((struct reset_device *)device)->cf9 = 0;
}

static void reset_state(struct device *device, struct state *state)
{
	STATE(state, ((struct reset_device *)device)->cf9);
}

static void reset_remove(struct reset_device *reset)
{
	bus_remove(reset->machine->pio, &reset->port92);
	g_free(reset);
}

static void reset_destroy(struct device *device)
{
	struct reset_device *reset = (struct reset_device *)device;

	pci_bus_reset_port(reset->machine->pci, NULL, NULL, NULL);
	reset_remove(reset);
}

static struct device *reset_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	struct reset_device *reset = g_new0(struct reset_device, 1);

	*reset = (struct reset_device){
		.device = { .reset = reset_reset, .state = reset_state,
			.destroy = reset_destroy },
		.machine = machine,
		.port92 = { .name = "port 92", .base = 0x92, .len = 1, .ops = &port92_ops,
			.owner = reset },
	};
	if (bus_add(machine->pio, &reset->port92) == 0) {
		pci_bus_reset_port(machine->pci, cf9_read, cf9_write, reset);
		return &reset->device;
	}
	fail(error, "[Power]: there is one already");
	reset_remove(reset);
	return NULL;
}

static const struct device_type reset_type = {
	.section = "Power",
	.single = true,
	.help = "reset: ports 0xcf9, 0x92",
	.always = true,
	.create = reset_create,
};
DEVICE_REGISTER(reset_type);

struct test_exit {
	struct device device;
	struct machine *machine;
	struct region region;
};

static void test_exit_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct test_exit *test = owner;

	machine_exit_status(test->machine, (int)((value & 0x7f) << 1 | 1));
	machine_request(test->machine, MACHINE_POWEROFF, "test exit");
}

static const struct region_ops test_exit_ops = {
	.read = zero_read,
	.write = test_exit_write,
};

static void test_exit_destroy(struct device *device)
{
	struct test_exit *test = (struct test_exit *)device;

	bus_remove(test->machine->pio, &test->region);
	g_free(test);
}

static struct device *test_exit_create(struct machine *machine, const char *instance,
	const void *config, GError **error)
{
	struct test_exit *test = g_new0(struct test_exit, 1);

	test->device.destroy = test_exit_destroy;
	test->machine = machine;
	test->region = (struct region){ .name = "test exit", .base = 0xf4, .len = 4,
		.ops = &test_exit_ops, .owner = test };
	if (bus_add(machine->pio, &test->region) == 0)
		return &test->device;
	fail(error, "[TestExit]: there is one already");
	test_exit_destroy(&test->device);
	return NULL;
}

static const struct device_type test_exit_type = {
	.section = "TestExit",
	.single = true,
	.help = "port 0xf4 ends the process with exit status 2 * byte + 1; for tests",
	.create = test_exit_create,
};
DEVICE_REGISTER(test_exit_type);
