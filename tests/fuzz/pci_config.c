/*
 * Fuzzes PCI: configuration accesses by CF8/CFC and ECAM, BARs on the move, MSI-X tables, with two
 * virtio functions on the bus.
 */
#include "vmm/virtio_rng.c"

#include "tests/unit/virtio/guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct step {
	uint8_t what, size;
	uint16_t at;
	uint32_t value;
};

static uint64_t step_address(const struct step *step, bool *pio)
{
	*pio = false;
	switch (step->what & 7) {
	case 0: /* the header and capabilities of the functions that there are */
	case 1:
		return MACHINE_ECAM_BASE + ((step->what >> 3) % 4u << 15) + (step->at & 0xff);
	case 2:
		return MACHINE_ECAM_BASE + (step->at << 4);
	case 3:
		*pio = true;
		return 0xcf0 + step->at % 24;
	case 4: /* where BARs were to begin with */
		return MACHINE_PCI_BASE + step->at;
	case 5: /* the table */
		return MACHINE_PCI_BASE + VIRTIO_PCI_MSIX + step->at % 0x1000;
	default:
		return (uint64_t)step->value & ~0xfffull;
	}
}

static void take_step(struct guest *guest, const struct step *step)
{
	unsigned size = 1u << step->size % 4;
	bool pio;
	uint64_t value, address = step_address(step, &pio);
	struct bus *bus = pio ? guest->machine.pio : guest->machine.mmio;

	bus_read(bus, address, size, &value);
	bus_write(bus, address, size, step->value | (uint64_t)step->value << 32);
	if (step->size & 0x80)
		msix_raise(virtio_pci_function(&((struct rng *)guest->device)->virtio),
			step->size >> 4 & 7);
}

static void quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rng_config config = {.rate = 65536};
	static struct guest guest;
	struct device *second;
	struct step step;

	if (!guest.machine.memory) {
		g_log_set_default_handler(quiet, NULL);
		guest_open(&guest, 1 << 16);
	}
	pci_bus_reset(guest.machine.pci);
	if (!guest_plug(&guest, &virtio_rng, &config, NULL))
		abort();
	second = virtio_rng.create(&guest.machine, "second", &config, NULL);
	pci_bus_assign(guest.machine.pci, MACHINE_PCI_BASE, MACHINE_PCI_LEN);
	for (unsigned i = 0; i < 512 && size >= sizeof(step); i++) {
		memcpy(&step, data, sizeof(step));
		data += sizeof(step);
		size -= sizeof(step);
		take_step(&guest, &step);
	}
	guest_spin(&guest);
	second->destroy(second);
	guest_unplug(&guest);
	return 0;
}
