/*
 * The driver of virtio.h. Offsets in BAR 0 are those of vmm/virtio_pci.h.
 */
#include "virtio.h"

enum {
	ECAM = 0xe0000000,
	SLOTS = 32,
	COMMON_FEATURES_SELECT = 0x08,
	COMMON_FEATURES = 0x0c,
	COMMON_STATUS = 0x14,
	COMMON_QUEUE_SELECT = 0x16,
	COMMON_QUEUE_SIZE = 0x18,
	COMMON_QUEUE_VECTOR = 0x1a,
	COMMON_QUEUE_ENABLE = 0x1c,
	COMMON_QUEUE_DESC = 0x20,
	COMMON_QUEUE_AVAIL = 0x28,
	COMMON_QUEUE_USED = 0x30,
	NOTIFY = 0x3000,
	MSIX_TABLE = 0x4000,
	PCI_CAP_MSIX = 0x11,
	RINGS = 0x200000,
	PATIENCE = 30000, /* turns of a loop; a turn is an exit or some instructions */
};

static void write8(uint32_t addr, uint8_t value)
{
	*(volatile uint8_t *)addr = value;
}

static void write16(uint32_t addr, uint16_t value)
{
	*(volatile uint16_t *)addr = value;
}

static void write64(uint32_t addr, uint64_t value)
{
	write32(addr, (uint32_t)value);
	write32(addr + 4, (uint32_t)(value >> 32));
}

void virtio_find(struct virtio *dev, uint16_t id)
{
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		uint32_t config = ECAM + (slot << 15);

		if (read32(config) != (0x1af4 | (uint32_t)id << 16))
			continue;
		dev->config = config;
		dev->bar = read32(config + 0x10) & ~0xfu;
		dev->size = VIRTIO_SIZE;
		dev->desc = (volatile struct desc *)RINGS;
		dev->avail = (volatile struct avail *)(RINGS + 0x1000);
		dev->used = (volatile struct used *)(RINGS + 0x2000);
		return;
	}
	guest_print("FAILED: no such virtio device\n");
	guest_exit(1);
}

uint8_t virtio_status(struct virtio *dev)
{
	return *(volatile uint8_t *)(dev->bar + COMMON_STATUS);
}

void virtio_reset(struct virtio *dev)
{
	write8(dev->bar + COMMON_STATUS, 0);
	check(virtio_status(dev) == 0);
	memset((void *)RINGS, 0, 0x3000);
}

void virtio_rings_at(struct virtio *dev, uint64_t desc, uint64_t avail, uint64_t used)
{
	write16(dev->bar + COMMON_QUEUE_SELECT, 0);
	write16(dev->bar + COMMON_QUEUE_SIZE, dev->size);
	write64(dev->bar + COMMON_QUEUE_DESC, desc);
	write64(dev->bar + COMMON_QUEUE_AVAIL, avail);
	write64(dev->bar + COMMON_QUEUE_USED, used);
	write16(dev->bar + COMMON_QUEUE_ENABLE, 1);
}

void virtio_start(struct virtio *dev, uint32_t features, uint16_t vector)
{
	virtio_reset(dev);
	write8(dev->bar + COMMON_STATUS, 3);
	write32(dev->bar + COMMON_FEATURES_SELECT, 0);
	write32(dev->bar + COMMON_FEATURES, features);
	write32(dev->bar + COMMON_FEATURES_SELECT, 1);
	write32(dev->bar + COMMON_FEATURES, 1); /* VERSION_1 */
	write8(dev->bar + COMMON_STATUS, 11);
	check(virtio_status(dev) == 11);
	write16(dev->bar + COMMON_QUEUE_SELECT, 0);
	write16(dev->bar + COMMON_QUEUE_VECTOR, vector);
	virtio_rings_at(dev, (uint32_t)dev->desc, (uint32_t)dev->avail, (uint32_t)dev->used);
	write8(dev->bar + COMMON_STATUS, 15);
	check(virtio_status(dev) == 15);
}

void virtio_desc(struct virtio *dev, unsigned i, uint64_t addr, uint32_t len, uint16_t flags,
	uint16_t next)
{
	dev->desc[i].addr = addr;
	dev->desc[i].len = len;
	dev->desc[i].flags = flags;
	dev->desc[i].next = next;
}

void virtio_send(struct virtio *dev, uint16_t head)
{
	uint16_t idx = dev->avail->idx;

	dev->avail->ring[idx % VIRTIO_SIZE] = head;
	dev->avail->idx = idx + 1;
	write16(dev->bar + NOTIFY, 0);
}

bool virtio_wait_used(struct virtio *dev, uint16_t n)
{
	for (unsigned i = 0; i < PATIENCE; i++) {
		if (dev->used->idx == n)
			return true;
		if (i % 64 == 63 && virtio_status(dev) & VIRTIO_NEEDS_RESET)
			return false;
	}
	return false;
}

bool virtio_wait_needs_reset(struct virtio *dev)
{
	for (unsigned i = 0; i < PATIENCE; i++)
		if (virtio_status(dev) & VIRTIO_NEEDS_RESET)
			return true;
	return false;
}

void virtio_msix(struct virtio *dev, uint8_t vector)
{
	uint8_t cap = *(volatile uint8_t *)(dev->config + 0x34);

	write64(dev->bar + MSIX_TABLE, 0xfee00000);
	write32(dev->bar + MSIX_TABLE + 8, vector);
	write32(dev->bar + MSIX_TABLE + 12, 0);
	while (cap && *(volatile uint8_t *)(dev->config + cap) != PCI_CAP_MSIX)
		cap = *(volatile uint8_t *)(dev->config + cap + 1);
	check(cap);
	write16(dev->config + cap + 2, 0x8000);
}
