/*
 * MSI with one vector, for functions that are older than MSI-X: the capability in configuration
 * space, routed through the same sink as vector 0. Source: PCI Local Bus 3.0, section 6.8.1.
 */
#include "vmm/pci_internal.h"

enum msi_layout {
	MSI_CONTROL = 2,
	MSI_ADDRESS = 4,
	MSI_DATA = 12,
	MSI_CAP_LEN = 14,
	MSI_CONTROL_ENABLE = 0x01,
	MSI_CONTROL_64BIT = 0x80,
};

void pci_add_msi(struct pci_device *device)
{
	unsigned cap = pci_add_cap(device, PCI_CAP_MSI, MSI_CAP_LEN);

	device->msi_cap = cap;
	device->config[cap + MSI_CONTROL] = MSI_CONTROL_64BIT;
	device->writable[cap + MSI_CONTROL] = MSI_CONTROL_ENABLE;
	memset(&device->writable[cap + MSI_ADDRESS], 0xff, MSI_CAP_LEN - MSI_ADDRESS);
	device->writable[cap + MSI_ADDRESS] = 0xfc;
}

bool msi_on(const struct pci_device *device)
{
	return __atomic_load_n(&device->msi_enabled, __ATOMIC_RELAXED);
}

/* Sends what waits, if it may. Under the lock. */
static void msi_send(struct pci_device *device)
{
	struct msi_sink *sink = device->bus ? pci_bus_sink(device->bus) : NULL;

	if (!sink || !device->vector[0].pending || !pci_master(device))
		return;
	device->vector[0].pending = false;
	sink->raise(sink, device, 0);
}

void msi_written(struct pci_device *device)
{
	const uint8_t *cap = &device->config[device->msi_cap];
	struct msi_sink *sink = device->bus ? pci_bus_sink(device->bus) : NULL;
	bool on = cap[MSI_CONTROL] & MSI_CONTROL_ENABLE;
	uint64_t address;
	uint16_t data;

	memcpy(&address, cap + MSI_ADDRESS, sizeof(address));
	memcpy(&data, cap + MSI_DATA, sizeof(data));
	g_mutex_lock(&device->msix_lock);
	__atomic_store_n(&device->msi_enabled, on, __ATOMIC_RELAXED);
	if (on && sink) {
		sink->route(sink, device, 0, address, data);
		msi_send(device);
	} else {
		device->vector[0].pending = false;
	}
	g_mutex_unlock(&device->msix_lock);
	pci_intx_update(device);
}

void msi_reset(struct pci_device *device)
{
	if (!device->msi_cap)
		return;
	g_mutex_lock(&device->msix_lock);
	__atomic_store_n(&device->msi_enabled, false, __ATOMIC_RELAXED);
	device->vector[0].pending = false;
	g_mutex_unlock(&device->msix_lock);
}

void pci_signal(struct pci_device *device, uint32_t before, uint32_t now)
{
	pci_intx(device, now);
	if (!msi_on(device) || !(now & ~before))
		return;
	g_mutex_lock(&device->msix_lock);
	device->vector[0].pending = true;
	msi_send(device);
	g_mutex_unlock(&device->msix_lock);
}
