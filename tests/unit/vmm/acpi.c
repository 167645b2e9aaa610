/*
 * ACPI tables: that they can be found from the RSDP, that their checksums are right, and that they
 * say what is there.
 */
#include "vmm/acpi.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/test.h"
#include "vmm/machine.h"

static struct guest_memory *memory;
static struct machine machine;

static uint64_t get(uint64_t gpa, unsigned len)
{
	uint64_t value = 0;

	test_assert(memory_read(memory, gpa, &value, len));
	return value;
}

static void sum_is_zero(uint64_t gpa, uint64_t len)
{
	const uint8_t *bytes = memory_at(memory, gpa, len);
	uint8_t sum = 0;

	test_assert(bytes);
	for (uint64_t i = 0; i < len; i++)
		sum += bytes[i];
	test_equal(sum, 0);
}

/* A listed table by its signature; its length. */
static uint64_t find(uint64_t rsdp, const char *signature, uint64_t *len)
{
	uint64_t xsdt = get(rsdp + 24, 8);

	for (uint64_t at = xsdt + 36; at < xsdt + get(xsdt + 4, 4); at += 8) {
		uint64_t table = get(at, 8);

		if (memcmp(memory_at(memory, table, 4), signature, 4))
			continue;
		*len = get(table + 4, 4);
		sum_is_zero(table, *len);
		return table;
	}
	test_assert(!"table found");
	return 0;
}

static void tables_are_found(void)
{
	uint64_t rsdp = acpi_build(&machine, 3), at, len;

	test_assert(rsdp >= 0xe0000 && rsdp < 0x100000);
	test_assert(!memcmp(memory_at(memory, rsdp, 8), "RSD PTR ", 8));
	sum_is_zero(rsdp, 20);
	sum_is_zero(rsdp, 36);
	test_equal(get(rsdp + 15, 1), 2);
	at = get(rsdp + 24, 8);
	sum_is_zero(at, get(at + 4, 4));
	at = find(rsdp, "FACP", &len);
	test_equal(len, 276);
	test_equal(get(at + 116, 1), 1);
	test_equal(get(at + 120, 8), 0xcf9);
	test_equal(get(at + 128, 1), 6);
	at = get(at + 140, 8);
	test_assert(!memcmp(memory_at(memory, at, 4), "DSDT", 4));
	sum_is_zero(at, get(at + 4, 4));
	at = find(rsdp, "MCFG", &len);
	test_equal(get(at + 44, 8), MACHINE_ECAM_BASE);
	test_equal(len, 60);
}

static void processors_are_counted(void)
{
	uint64_t rsdp = acpi_build(&machine, 64), len, at = find(rsdp, "APIC", &len);
	unsigned processors = 0, io = 0;

	for (uint64_t entry = at + 44; entry < at + len; entry += get(entry + 1, 1)) {
		test_assert(get(entry + 1, 1) >= 2);
		if (get(entry, 1) == 0)
			test_equal(get(entry + 3, 1), processors++);
		io += get(entry, 1) == 1;
	}
	test_equal(processors, 64);
	test_equal(io, 1);
}

static void no_room(void)
{
	struct guest_memory *small = memory_new(0xe0000, NULL);

	test_assert(small);
	machine.memory = small;
	test_equal(acpi_build(&machine, 1), 0);
	machine.memory = memory;
	memory_free(small);
}

int main(void)
{
	memory = memory_new(2 << 20, NULL);
	test_assert(memory);
	machine.memory = memory;
	machine.mmio = bus_new("memory");
	machine.pio = bus_new("port");
	machine.pci = pci_bus_new(machine.mmio, machine.pio, NULL);
	test_equal(pci_bus_map(machine.pci, MACHINE_ECAM_BASE), 0);
	test_run(tables_are_found);
	test_run(processors_are_counted);
	test_run(no_room);
	pci_bus_free(machine.pci);
	bus_free(machine.mmio);
	bus_free(machine.pio);
	memory_free(memory);
	return 0;
}
