/*
 * PCI in a saved guest: of configuration space only what the guest could have written is taken over,
 * so a damaged or hostile file can do no more than a hostile guest.
 */
#include "vmm/pci_internal.h"
#include "vmm/state.h"

enum {
	SAVED_CONFIG = 256, /* nothing in the extended part can be written */
};

/* Under the bus's lock. */
static void config_state(struct pci_device *device, struct state *state)
{
	uint8_t config[SAVED_CONFIG];

	memcpy(config, device->config, sizeof(config));
	STATE(state, config);
	for (unsigned i = 0; state_loading(state) && i < SAVED_CONFIG; i++) {
		uint8_t mask = device->writable[i];

		device->config[i] = (uint8_t)((device->config[i] & ~mask) | (config[i] & mask));
	}
}

void pci_state(struct pci_device *device, struct state *state)
{
	struct pci_bus *bus = device->bus;
	uint8_t intx = device->intx;

	if (!bus) {
		state_fail(state, "%s is on no bus", device->name);
		return;
	}
	g_mutex_lock(&bus->lock);
	config_state(device, state);
	STATE(state, intx);
	if (device->n_vectors)
		msix_state(device, state);
	if (state_loading(state) && !state_failed(state)) {
		pci_settle(bus);
		if (device->msix_cap)
			msix_control_written(device);
		if (device->msi_cap)
			msi_written(device);
		pci_intx(device, intx);
		pci_intx_update(device);
		if (device->ops && device->ops->command_written)
			device->ops->command_written(device);
	}
	g_mutex_unlock(&bus->lock);
}

void pci_bus_state(struct pci_bus *bus, struct state *state)
{
	g_mutex_lock(&bus->lock);
	STATE(state, bus->address);
	config_state(&bus->bridge, state);
	if (state_loading(state) && !state_failed(state))
		pci_host_settle(bus);
	g_mutex_unlock(&bus->lock);
}
