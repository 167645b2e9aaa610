/*
 * The LPC bridge and power management: where pins go, where the registers are, what they do.
 */
#include "vmm/lpc.c"

#include "tests/unit/vmm/chipset.h"

static struct device *chipset;
static struct pci_device card;

static void start(void)
{
	static const struct pci_id id = { .vendor = 0x8086, .device = 1 };

	board_open(1 << 20);
	chipset = lpc_type.create(&machine, "", NULL, NULL);
	test_assert(chipset);
	pci_init(&card, "card", &id, NULL);
	pci_add_intx(&card);
	test_equal(pci_attach(machine.pci, &card, 2), 0); /* PIRQG */
}

static void stop(void)
{
	pci_detach(&card);
	chipset->destroy(chipset);
	board_close();
}

static void identity(void)
{
	start();
	test_equal(lpc_in(0, 4), 0x29188086);
	test_equal(lpc_in(0x0e, 1), 0x80);
	test_equal(lpc_in(LPC_PMBASE, 4), PM_BASE | 1);
	for (unsigned i = 0; i < 4; i++) {
		test_equal(lpc_in(LPC_PIRQ_A + i, 1), LPC_PIRQ_OFF);
		test_equal(lpc_in(LPC_PIRQ_E + i, 1), LPC_PIRQ_OFF);
	}
	test_assert(!lpc_type.create(&machine, "", NULL, NULL)); /* the slot is taken */
	test_equal(lpc_in(0, 4), 0x29188086);
	stop();
}

static void pins_are_routed(void)
{
	start();
	pci_intx(&card, true);
	test_assert(board_irq[22]);
	for (unsigned i = 0; i < 16; i++)
		test_assert(!board_irq[i]);
	lpc_out(LPC_PIRQ_E + 2, 1, 10);
	test_assert(board_irq[10]);
	lpc_out(LPC_PIRQ_E + 2, 1, 11); /* moves while it is high */
	test_assert(!board_irq[10] && board_irq[11]);
	lpc_out(LPC_PIRQ_E + 2, 1, 0x8b);
	test_assert(!board_irq[11] && board_irq[22]);
	lpc_out(LPC_PIRQ_E + 2, 1, 11);
	pci_intx(&card, false);
	test_assert(!board_irq[11] && !board_irq[22]);
	stop();
}

static void sci_shares_a_pin(void)
{
	start();
	out(PM_BASE + PM1_ENABLE, 2, 0x100);
	test_assert(pm_power_button(&machine));
	test_assert(board_irq[9]);
	lpc_out(LPC_PIRQ_E + 2, 1, 9);
	pci_intx(&card, true);
	out(PM_BASE + PM1_STATUS, 2, 0x100);
	test_assert(board_irq[9]); /* the card still wants it */
	pci_intx(&card, false);
	test_assert(!board_irq[9]);
	stop();
}

static void registers_move(void)
{
	start();
	test_equal(in(PM_BASE + PM1_CONTROL, 2), 1);
	lpc_out(LPC_PMBASE, 4, 0xb001);
	test_equal(in(PM_BASE + PM1_CONTROL, 2), 0xffff);
	test_equal(in(0xb000 + PM1_CONTROL, 2), 1);
	lpc_out(LPC_PM_CONTROL, 1, 0);
	test_equal(in(0xb000 + PM1_CONTROL, 2), 0xffff);
	lpc_out(LPC_PM_CONTROL, 1, LPC_PM_ON);
	lpc_out(LPC_PMBASE, 4, 0xc80); /* over PCI's ports: nowhere */
	test_equal(in(0xc80 + PM1_CONTROL, 2), 0xffff);
	test_equal(in(0xcf8, 4) >> 31, 1);
	lpc_out(LPC_PMBASE, 4, 0);
	test_equal(in(PM1_CONTROL, 2), 0xffff);
	pci_bus_reset(machine.pci);
	test_equal(in(PM_BASE + PM1_CONTROL, 2), 1);
	stop();
}

static uint64_t nothing_read(void *owner, uint64_t offset, unsigned size)
{
	return 0;
}

static void nothing_written(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
}

/* Somebody else had its ports for a while: it comes back to them. */
static void registers_come_back(void)
{
	static const struct region_ops ops = { nothing_read, nothing_written };
	struct region other = { .name = "other", .base = PM_BASE, .len = 4, .ops = &ops };

	start();
	lpc_out(LPC_PMBASE, 4, 0xb001);
	test_equal(bus_add(machine.pio, &other), 0);
	lpc_out(LPC_PMBASE, 4, PM_BASE | 1);
	test_equal(in(0xb000 + PM1_CONTROL, 2), 0xffff);
	test_equal(in(PM_BASE + PM1_CONTROL, 2), 0xffff);
	bus_remove(machine.pio, &other);
	pci_bus_reset(machine.pci);
	test_equal(in(PM_BASE + PM1_CONTROL, 2), 1);
	stop();
}

static int after_write(uint16_t port, unsigned size, uint32_t value)
{
	board_asked = -1;
	out(port, size, value);
	return board_asked;
}

static void power_off(void)
{
	start();
	test_equal(after_write(0x604, 2, 0x2001), MACHINE_POWEROFF);
	test_equal(in(0x604, 2), 1); /* sleep enable reads as zero */
	test_equal(after_write(0x604, 4, 0x2000), MACHINE_POWEROFF);
	test_equal(after_write(0x604, 2, 0x2401), -1); /* another sleep state */
	test_equal(after_write(0x604, 2, 0x0001), -1);
	test_equal(after_write(0x604, 1, 0x20), -1);
	test_equal(after_write(0x605, 1, 0x20), MACHINE_POWEROFF);
	test_equal(after_write(0x602, 4, 0x20010000), MACHINE_POWEROFF);
	test_equal(after_write(0x606, 1, 0x34), -1);
	stop();
}

static void timer_counts(void)
{
	uint64_t before, after;

	start();
	before = in(0x608, 4);
	board_ns += 1000000000;
	after = in(0x608, 4);
	test_equal((after - before) & 0xffffff, 3579545);
	out(0x608, 4, 0); /* not to be written */
	test_equal(in(0x608, 4), after);
	test_assert(in(0x608, 4) < 1 << 24);
	stop();
}

static void timer_carry_interrupts(void)
{
	start();
	out(0x600, 2, 1);
	test_equal(in(0x600, 2) & 1, 0);
	out(0x602, 2, 1);
	board_ns += 2400000000; /* the highest bit changes every 2.34 s */
	test_equal(in(0x600, 2) & 1, 1);
	test_assert(board_irq[9]);
	out(0x600, 2, 1);
	test_equal(in(0x600, 2) & 1, 0);
	test_assert(!board_irq[9]);
	stop();
}

static void button_is_heard(void)
{
	start();
	test_assert(!pm_power_button(&machine));
	test_assert(!board_irq[9]);
	test_equal(in(0x600, 2), 0x100);
	out(0x602, 2, 0xffff); /* pressed before: heard now */
	test_equal(in(0x602, 2), 0x8521);
	test_assert(board_irq[9]);
	out(0x604, 2, 0); /* no SCI */
	test_assert(!board_irq[9]);
	test_assert(!pm_power_button(&machine));
	out(0x604, 2, 1);
	test_assert(board_irq[9]);
	chipset->reset(chipset);
	test_assert(!board_irq[9]);
	test_equal(in(0x600, 4), 0);
	stop();
}

static void general_events(void)
{
	start();
	pm_gpe_raise(&machine, 2);
	pm_gpe_raise(&machine, 63);
	pm_gpe_raise(&machine, 64);
	test_equal(in(0x620, 8), 1ull << 63 | 4);
	test_assert(!board_irq[9]);
	out(0x628, 1, 4);
	test_assert(board_irq[9]);
	out(0x620, 1, 4);
	test_assert(!board_irq[9]);
	out(0x62f, 1, 0x80);
	test_assert(board_irq[9]);
	out(0x627, 1, 0x80);
	test_equal(in(0x620, 8), 0);
	test_equal(in(0x630, 4) & 0x20, 0x20); /* no SMM to set up */
	out(0x630, 4, 0);
	test_equal(in(0x630, 4), 0x20);
	stop();
}

/* Any write anywhere in the block leaves the machine as it should be. */
static void odd_accesses(void)
{
	start();
	for (unsigned offset = 0; offset < PM_LEN; offset++)
		for (unsigned size = 1; size <= 8; size *= 2) {
			if (offset + size > PM_LEN)
				continue;
			out((uint16_t)(PM_BASE + offset), size, UINT64_MAX);
			in((uint16_t)(PM_BASE + offset), size);
		}
	chipset->reset(chipset);
	test_equal(in(0x604, 2), 1);
	stop();
}

static void saved(void)
{
	GBytes *bytes;

	start();
	out(0x602, 2, 0x100);
	pm_power_button(&machine);
	pm_gpe_raise(&machine, 5);
	lpc_out(LPC_PMBASE, 4, 0xb000);
	lpc_out(LPC_PIRQ_E + 2, 1, 5);
	bytes = board_save(chipset);
	stop();
	start();
	test_assert(board_load(chipset, g_bytes_ref(bytes)));
	test_equal(in(0xb000, 4), 0x01000100);
	test_equal(in(0xb020, 1), 0x20);
	test_assert(board_irq[9]);
	pci_intx(&card, true);
	test_assert(board_irq[5]);
	stop();
	start();
	test_assert(!board_load(chipset, g_bytes_new_from_bytes(bytes, 0,
		g_bytes_get_size(bytes) - 1)));
	stop();
	g_bytes_unref(bytes);
}

int main(void)
{
	test_run(identity);
	test_run(pins_are_routed);
	test_run(sci_shares_a_pin);
	test_run(registers_move);
	test_run(registers_come_back);
	test_run(power_off);
	test_run(timer_counts);
	test_run(timer_carry_interrupts);
	test_run(button_is_heard);
	test_run(general_events);
	test_run(odd_accesses);
	test_run(saved);
	return 0;
}
