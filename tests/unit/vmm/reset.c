/*
 * Which port writes reset, and which do not.
 */
#include "vmm/reset.c"

#include "tests/unit/test.h"

/* In the place of machine_seat.c: what was asked for last. */
static int asked, status;

void machine_request(struct machine *machine, enum machine_request what, const char *why)
{
	test_assert(why);
	asked = (int)what;
}

void machine_exit_status(struct machine *machine, int value)
{
	status = value;
}

static struct machine machine;

static int after_write(uint16_t port, unsigned size, uint32_t value)
{
	asked = -1;
	bus_write(machine.pio, port, size, value);
	return asked;
}

static void resets(void)
{
	test_equal(after_write(0xcf9, 1, 0x02), -1); /* what kind of reset it is to be */
	test_equal(after_write(0xcf9, 1, 0x06), MACHINE_RESET);
	test_equal(after_write(0xcf9, 1, 0x0e), MACHINE_RESET);
	test_equal(after_write(0x92, 1, 0x02), -1);
	test_equal(after_write(0x92, 1, 0x03), MACHINE_RESET);
	test_equal(after_write(0xcf8, 4, 0xffffffff), -1);
}

static void reads(void)
{
	uint64_t value;

	bus_write(machine.pio, 0xcf9, 1, 0x02);
	test_assert(bus_read(machine.pio, 0xcf9, 1, &value));
	test_equal(value, 0x02);
}

static void test_exit(void)
{
	struct device *device = test_exit_type.create(&machine, "", NULL, NULL);

	test_assert(device);
	test_equal(after_write(0xf4, 1, 5), MACHINE_POWEROFF);
	test_equal(status, 11);
	device->destroy(device);
	test_equal(after_write(0xf4, 1, 5), -1);
}

static void only_one(void)
{
	g_autoptr(GError) error = NULL;

	test_assert(!reset_type.create(&machine, "", NULL, &error));
	test_assert(error);
	/* The first has not lost its ports to the second. */
	test_equal(after_write(0xcf9, 1, 0x06), MACHINE_RESET);
	test_equal(after_write(0x92, 1, 0x01), MACHINE_RESET);
}

int main(void)
{
	struct device *device;

	machine.pio = bus_new("port");
	machine.mmio = bus_new("memory");
	machine.pci = pci_bus_new(machine.mmio, machine.pio, NULL);
	test_equal(pci_bus_map(machine.pci, MACHINE_ECAM_BASE), 0);
	device = reset_type.create(&machine, "", NULL, NULL);
	test_assert(device);
	test_run(resets);
	test_run(reads);
	test_run(test_exit);
	test_run(only_one);
	device->destroy(device);
	pci_bus_free(machine.pci);
	bus_free(machine.mmio);
	bus_free(machine.pio);
	return 0;
}
