/*
 * MSI-X: the vector table, the pending bits, and the three masks (the capability's enable bit, its
 * function mask, each vector's own). Source: PCI Local Bus 3.0, section 6.8.2.
 */
#include "vmm/pci_internal.h"
#include "vmm/state.h"

#include <string.h>

enum msix_layout {
	MSIX_ENTRY = 16,
	MSIX_PBA = 0x800, /* from the table; 64 vectors need 0x400 */
	MSIX_CAP_LEN = 12,
	MSIX_CONTROL_ENABLE = 0x8000,
	MSIX_CONTROL_MASK_ALL = 0x4000,
	MSIX_VECTOR_MASKED = 1,
};

void pci_add_msix(struct pci_device *device, unsigned n, unsigned bar, uint32_t table)
{
	unsigned cap = pci_add_cap(device, PCI_CAP_MSIX, MSIX_CAP_LEN);

	device->n_vectors = MIN(n, PCI_MSIX_MAX);
	device->msix_cap = cap;
	device->msix_bar = bar;
	device->msix_table = table;
	device->msix_pba = table + MSIX_PBA;
	config_set(device, cap + 2, device->n_vectors - 1, 2);
	config_set(device, cap + 4, table | bar, 4);
	config_set(device, cap + 8, device->msix_pba | bar, 4);
	device->writable[cap + 3] = (MSIX_CONTROL_ENABLE | MSIX_CONTROL_MASK_ALL) >> 8;
	msix_reset(device);
}

static bool msix_open(const struct pci_device *device, unsigned i)
{
	return device->msix_enabled && !device->msix_all_masked && pci_master(device) &&
		!(device->vector[i].control & MSIX_VECTOR_MASKED);
}

/* The guest changed vector i, or opened it: route it, and send what waited. */
static void msix_update(struct pci_device *device, unsigned i)
{
	struct msi_sink *sink = device->bus ? pci_bus_sink(device->bus) : NULL;
	struct msix_vector *vector = &device->vector[i];

	if (!sink || !msix_open(device, i))
		return;
	sink->route(sink, device, i, vector->address, vector->data);
	if (!vector->pending)
		return;
	vector->pending = false;
	sink->raise(sink, device, i);
}

void msix_reset(struct pci_device *device)
{
	g_mutex_lock(&device->msix_lock);
	device->msix_enabled = false;
	device->msix_all_masked = false;
	for (unsigned i = 0; i < device->n_vectors; i++) {
		struct msix_vector *vector = &device->vector[i];

		vector->address = 0;
		vector->data = 0;
		vector->control = MSIX_VECTOR_MASKED;
		vector->pending = false;
	}
	g_mutex_unlock(&device->msix_lock);
}

bool msix_on(const struct pci_device *device)
{
	return __atomic_load_n(&device->msix_enabled, __ATOMIC_RELAXED);
}

/* What was held back by the function's mask, or while it was no bus master. Under the lock. */
static void msix_update_all(struct pci_device *device)
{
	for (unsigned i = 0; i < device->n_vectors; i++)
		msix_update(device, i);
}

void msix_master_written(struct pci_device *device)
{
	g_mutex_lock(&device->msix_lock);
	msix_update_all(device);
	g_mutex_unlock(&device->msix_lock);
}

void msix_control_written(struct pci_device *device)
{
	uint16_t control;
	bool on, all_masked, opened;

	memcpy(&control, &device->config[device->msix_cap + 2], sizeof(control));
	on = control & MSIX_CONTROL_ENABLE;
	all_masked = control & MSIX_CONTROL_MASK_ALL;
	g_mutex_lock(&device->msix_lock);
	opened = on && !all_masked && (!device->msix_enabled || device->msix_all_masked);
	device->msix_enabled = on;
	device->msix_all_masked = all_masked;
	if (opened)
		msix_update_all(device);
	g_mutex_unlock(&device->msix_lock);
}

/* The table as the guest reads it, a doubleword at a time. */
static uint32_t *msix_word(struct pci_device *device, uint64_t offset, uint32_t scratch[2])
{
	struct msix_vector *vector = &device->vector[offset / MSIX_ENTRY];
	unsigned half = offset % 8 / 4;

	switch (offset % MSIX_ENTRY / 4) {
	case 2:
		return &vector->data;
	case 3:
		return &vector->control;
	default: /* the address is 64 bits in one */
		memcpy(scratch, &vector->address, 8);
		return &scratch[half];
	}
}

static uint32_t msix_read_word(struct pci_device *device, uint64_t offset)
{
	uint32_t scratch[2];
	uint32_t pending = 0;
	uint64_t first;

	if (offset / MSIX_ENTRY < device->n_vectors)
		return *msix_word(device, offset, scratch);
	if (offset < MSIX_PBA || (offset - MSIX_PBA) * 8 >= device->n_vectors)
		return 0;
	first = (offset - MSIX_PBA) * 8;
	for (uint64_t i = first; i < first + 32 && i < device->n_vectors; i++)
		pending |= (uint32_t)device->vector[i].pending << (i - first);
	return pending;
}

static void msix_write_word(struct pci_device *device, uint64_t offset, uint32_t value)
{
	struct msix_vector *vector;
	uint32_t scratch[2];

	if (offset / MSIX_ENTRY >= device->n_vectors)
		return;
	vector = &device->vector[offset / MSIX_ENTRY];
	*msix_word(device, offset, scratch) = value;
	if (offset % MSIX_ENTRY < 8)
		memcpy(&vector->address, scratch, 8);
	else if (offset % MSIX_ENTRY == 12)
		vector->control &= MSIX_VECTOR_MASKED;
	/* Data arrives before the mask goes, as drivers do it, or in place while open. */
	msix_update(device, offset / MSIX_ENTRY);
}

/* Doublewords and quadwords, aligned; anything else is not allowed by the specification. */
static bool msix_aligned(uint64_t offset, unsigned size)
{
	return (size == 4 || size == 8) && offset % size == 0;
}

uint64_t msix_read(struct pci_device *device, uint64_t offset, unsigned size)
{
	uint64_t value;

	if (!msix_aligned(offset, size))
		return 0;
	g_mutex_lock(&device->msix_lock);
	value = msix_read_word(device, offset);
	if (size == 8)
		value |= (uint64_t)msix_read_word(device, offset + 4) << 32;
	g_mutex_unlock(&device->msix_lock);
	return value;
}

void msix_write(struct pci_device *device, uint64_t offset, unsigned size, uint64_t value)
{
	if (!msix_aligned(offset, size))
		return;
	g_mutex_lock(&device->msix_lock);
	msix_write_word(device, offset, (uint32_t)value);
	if (size == 8)
		msix_write_word(device, offset + 4, (uint32_t)(value >> 32));
	g_mutex_unlock(&device->msix_lock);
}

void msix_raise(struct pci_device *device, unsigned vector)
{
	struct msi_sink *sink = device->bus ? pci_bus_sink(device->bus) : NULL;

	if (vector >= device->n_vectors)
		return;
	g_mutex_lock(&device->msix_lock);
	if (sink && msix_open(device, vector))
		sink->raise(sink, device, vector);
	else if (device->msix_enabled)
		device->vector[vector].pending = true;
	g_mutex_unlock(&device->msix_lock);
}

/* One record of all vectors; what the guest cannot set in them is not taken over. */
void msix_state(struct pci_device *device, struct state *state)
{
	struct {
		uint64_t address;
		uint32_t data;
		uint8_t masked, pending, unused[2];
	} saved[PCI_MSIX_MAX] = { 0 };

	g_mutex_lock(&device->msix_lock);
	for (unsigned i = 0; i < device->n_vectors; i++) {
		const struct msix_vector *vector = &device->vector[i];

		saved[i].address = vector->address;
		saved[i].data = vector->data;
		saved[i].masked = vector->control & MSIX_VECTOR_MASKED;
		saved[i].pending = vector->pending;
	}
	state_bytes(state, "msix", saved, device->n_vectors * sizeof(saved[0]));
	for (unsigned i = 0; state_loading(state) && i < device->n_vectors; i++) {
		struct msix_vector *vector = &device->vector[i];

		vector->address = saved[i].address;
		vector->data = saved[i].data;
		vector->control = saved[i].masked ? MSIX_VECTOR_MASKED : 0;
		vector->pending = saved[i].pending;
	}
	g_mutex_unlock(&device->msix_lock);
}
