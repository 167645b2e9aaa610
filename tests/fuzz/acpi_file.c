/* A table from a file: what is taken for one fits, and a guest's tables are made with it. */
#include <stdlib.h>

#include "vmm/acpi.h"
#include "vmm/acpi_file.h"
#include "vmm/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct machine machine;
	g_autoptr(GError) error = NULL;

	if (!machine.memory) {
		machine.memory = memory_new(1 << 20, NULL);
		machine.mmio = bus_new("memory");
		machine.pio = bus_new("port");
		machine.pci = pci_bus_new(machine.mmio, machine.pio, NULL);
	}
	if (!acpi_file_check(data, size, &error))
		return error ? 0 : (abort(), 0);
	machine.acpi = acpi_new();
	for (unsigned i = 0; i < 8; i++)
		if (error || !acpi_add_file(&machine, g_bytes_new(data, size), NULL))
			abort();
	if (!acpi_build(&machine, 1))
		abort();
	acpi_free(machine.acpi);
	return 0;
}
