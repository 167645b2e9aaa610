/*
 * Modern virtio over PCI, the driver's side.
 */
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"
#include "demo/kernel/pci.h"
#include "demo/kernel/virtio.h"

enum { VENDOR_VIRTIO = 0x1af4, DEVICE_MODERN = 0x1040, CAP_VENDOR = 9, NO_VECTOR = 0xffff };
enum { AVAIL_OFFSET = 1024, USED_OFFSET = 2048 }; /* of a queue's page */
enum { FEATURE_EVENT_INDEX = 29, FEATURE_VERSION_1 = 32 };
enum { STATUS_ACKNOWLEDGE = 1, STATUS_DRIVER = 2, STATUS_DRIVER_OK = 4, STATUS_FEATURES_OK = 8 };

enum cap_type { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_DEVICE = 4 };

enum common { /* virtio 1.2, 4.1.4.3 */
	DEVICE_FEATURE_SELECT = 0, DEVICE_FEATURE = 4, DRIVER_FEATURE_SELECT = 8, DRIVER_FEATURE = 12,
	MSIX_CONFIG = 16, DEVICE_STATUS = 20, QUEUE_SELECT = 22, QUEUE_SIZE = 24, QUEUE_VECTOR = 26,
	QUEUE_ENABLE = 28, QUEUE_NOTIFY_OFF = 30, QUEUE_DESC = 32, QUEUE_AVAIL = 40, QUEUE_USED = 48,
};

static void register_found(struct virtio *device, struct pci *pci, const struct pci_cap *cap)
{
	enum cap_type type = cap->head >> 24;
	volatile uint8_t *base;

	if (type != CAP_COMMON && type != CAP_NOTIFY && type != CAP_DEVICE)
		return;
	base = pci_bar(pci, pci_read(pci, cap->at + 4) & 0xff);
	if (!base)
		return;
	base += pci_read(pci, cap->at + 8);
	if (type == CAP_COMMON) {
		device->common = base;
	} else if (type == CAP_DEVICE) {
		device->config = base;
	} else {
		device->notify = base;
		device->notify_step = pci_read(pci, cap->at + 16);
	}
}

static int find_registers(struct virtio *device, struct pci *pci)
{
	*device = (struct virtio){ .common = NULL };
	for (const struct pci_cap *cap = pci->cap; cap < pci->cap + pci->n_caps; cap++) {
		if ((cap->head & 0xff) == CAP_VENDOR)
			register_found(device, pci, cap);
	}
	return device->common && device->notify ? 0 : -ENODEV;
}

static int settle_features(struct virtio *device)
{
	volatile uint8_t *common = device->common;
	uint32_t low;

	mmio_write8(common + DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	mmio_write32(common + DEVICE_FEATURE_SELECT, 0);
	low = mmio_read32(common + DEVICE_FEATURE) & 1u << FEATURE_EVENT_INDEX;
	mmio_write32(common + DRIVER_FEATURE_SELECT, 0);
	mmio_write32(common + DRIVER_FEATURE, low);
	mmio_write32(common + DRIVER_FEATURE_SELECT, 1);
	mmio_write32(common + DRIVER_FEATURE, 1u << (FEATURE_VERSION_1 - 32));
	mmio_write8(common + DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	device->event_index = low != 0;
	return mmio_read8(common + DEVICE_STATUS) & STATUS_FEATURES_OK ? 0 : -ENODEV;
}

int virtio_open(struct virtio *device, enum virtio_id id, unsigned nth)
{
	struct pci *pci = pci_find(VENDOR_VIRTIO, (uint16_t)(DEVICE_MODERN + id), nth);
	int ret;

	/* Transitional devices of other VMMs: block 0x1001, console 0x1003, entropy 0x1005. */
	if (!pci && id == VIRTIO_BLOCK)
		pci = pci_find(VENDOR_VIRTIO, 0x1001, nth);
	if (!pci && id == VIRTIO_CONSOLE)
		pci = pci_find(VENDOR_VIRTIO, 0x1003, nth);
	if (!pci && id == VIRTIO_ENTROPY)
		pci = pci_find(VENDOR_VIRTIO, 0x1005, nth);
	if (!pci)
		return -ENODEV;
	ret = find_registers(device, pci);
	if (!ret)
		ret = pci_enable(pci);
	if (ret)
		return ret;
	mmio_write8(device->common + DEVICE_STATUS, 0);
	while (mmio_read8(device->common + DEVICE_STATUS))
		;
	return settle_features(device);
}

/* A 64-bit register; its upper half is 0 since the reset. */
static void write_address(volatile uint8_t *at, const void *memory)
{
	mmio_write32(at, (uint32_t)physical(memory)); /* all our memory is below 4 GiB */
}

int virtio_queue(struct virtio *device, struct virtq *queue, uint16_t number, uint16_t size)
{
	volatile uint8_t *common = device->common;
	uint8_t *page = page_alloc();
	uint16_t most;

	if (!page)
		return -ENOMEM;
	mmio_write16(common + QUEUE_SELECT, number);
	most = mmio_read16(common + QUEUE_SIZE);
	if (!most)
		return -ENODEV;
	*queue = (struct virtq){
		.desc = (void *)page,
		.avail = (void *)(page + AVAIL_OFFSET),
		.used = (void *)(page + USED_OFFSET),
		.number = number,
		.size = most < size ? most : size,
		.event_index = device->event_index,
	};
	queue->notify = device->notify + device->notify_step * mmio_read16(common + QUEUE_NOTIFY_OFF);
	queue->avail->flags = !device->event_index;
	virtq_arm(queue, 0);
	if (queue->size != most)
		mmio_write16(common + QUEUE_SIZE, queue->size);
	mmio_write16(common + QUEUE_VECTOR, 0);
	write_address(common + QUEUE_DESC, queue->desc);
	write_address(common + QUEUE_AVAIL, queue->avail);
	write_address(common + QUEUE_USED, queue->used);
	mmio_write16(common + QUEUE_ENABLE, 1);
	return 0;
}

void virtio_start(struct virtio *device)
{
	mmio_write8(device->common + DEVICE_STATUS,
		STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}

void virtq_describe(struct virtq *queue, uint16_t i, const void *at, uint32_t length, uint16_t flags,
	uint16_t next)
{
	queue->desc[i] = (struct virtq_desc){ physical(at), length, flags, next };
}

void virtq_put(struct virtq *queue, uint16_t head)
{
	queue->avail->ring[queue->put & (queue->size - 1)] = head;
	barrier();
	*(volatile uint16_t *)&queue->avail->index = ++queue->put;
}

void virtq_kick(struct virtq *queue)
{
	uint16_t old = queue->kicked, event;

	queue->kicked = queue->put;
	fence();
	if (queue->event_index) {
		event = *(volatile uint16_t *)&queue->used->ring[queue->size];
		if ((uint16_t)(queue->put - event - 1) >= (uint16_t)(queue->put - old))
			return;
	} else if (*(volatile uint16_t *)&queue->used->flags & 1) {
		return;
	}
	mmio_write16(queue->notify, queue->number);
}

int virtq_get(struct virtq *queue, uint32_t *length)
{
	unsigned slot = queue->got & (queue->size - 1);

	if (!virtq_pending(queue))
		return -1;
	barrier();
	queue->got++;
	if (length)
		*length = queue->used->ring[slot].length;
	return (int)queue->used->ring[slot].id;
}

/* n = 0: as far away as can be, that is never in practice. */
void virtq_arm(struct virtq *queue, uint16_t n)
{
	if (queue->event_index)
		*(volatile uint16_t *)&queue->avail->ring[queue->size] = (uint16_t)(queue->got + n - 1);
	else
		*(volatile uint16_t *)&queue->avail->flags = !n;
}

void virtq_do(struct virtq *queue, uint16_t head)
{
	virtq_put(queue, head);
	virtq_kick(queue);
	while (virtq_get(queue, NULL) < 0) {
		virtq_arm(queue, 1);
		fence();
		if (!virtq_pending(queue))
			clock_idle(NEVER);
	}
}
