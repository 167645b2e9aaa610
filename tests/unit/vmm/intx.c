/*
 * Interrupt pins: a line is high while any function drives it and has not got it switched off.
 */
#include "vmm/pci.h"

#include "tests/unit/test.h"

static bool line[8];
static unsigned changes;

static void set(struct intx_sink *sink, unsigned n, bool level)
{
	line[n] = level;
	changes++;
}

static struct intx_sink sink = { .set = set };
static struct bus *mmio, *pio;
static struct pci_bus *pci;
static struct pci_device one, two;

static void start(void)
{
	static const struct pci_id id = { .vendor = 0x8086, .device = 1 };

	mmio = bus_new("mmio");
	pio = bus_new("pio");
	pci = pci_bus_new(mmio, pio, NULL);
	pci_bus_map(pci, 0xb0000000);
	pci_bus_intx(pci, &sink);
	pci_init(&one, "one", &id, NULL);
	pci_init(&two, "two", &id, NULL);
	pci_add_intx(&one);
	pci_add_intx(&two);
	pci_attach(pci, &one, 4);
	pci_attach(pci, &two, 8);
	changes = 0;
}

static void stop(void)
{
	pci_detach(&one);
	pci_detach(&two);
	pci_bus_free(pci);
	bus_free(mmio);
	bus_free(pio);
}

static void shared_line(void)
{
	unsigned n = pci_intx_line(4);

	start();
	test_equal(n, pci_intx_line(8));
	pci_intx(&one, true);
	test_assert(line[n]);
	pci_intx(&two, true);
	pci_intx(&one, false);
	test_assert(line[n]);
	pci_intx(&two, false);
	test_assert(!line[n]);
	test_equal(changes, 2);
	stop();
}

static void switched_off(void)
{
	unsigned n = pci_intx_line(4);

	start();
	pci_intx(&one, true);
	bus_write(pio, 0xcf8, 4, 0x80000000u | 4 << 11 | PCI_COMMAND);
	bus_write(pio, 0xcfc, 2, PCI_COMMAND_INTX_OFF);
	test_assert(!line[n]);
	test_assert(one.config[PCI_STATUS] & PCI_STATUS_INTX);
	bus_write(pio, 0xcfc, 2, 0);
	test_assert(line[n]);
	stop();
	test_assert(!line[n]);
}

static void reset_lowers_it(void)
{
	unsigned n = pci_intx_line(8);

	start();
	pci_intx(&two, true);
	pci_bus_reset(pci);
	test_assert(!line[n]);
	stop();
}

int main(void)
{
	test_run(shared_line);
	test_run(switched_off);
	test_run(reset_lowers_it);
	return 0;
}
