/*
 * A device on the fast paths: the kick by ioeventfd, the answer by MSI-X and irqfd.
 */
#include "virtio.h"

enum {
	VECTOR = 0x50,
	LAPIC_EOI = 0xfee000b0,
	BUFFER = 0x300000,
	TIMES = 8,
};

static volatile uint32_t interrupts;

static __attribute__((used)) void interrupted(void)
{
	interrupts++;
	write32(LAPIC_EOI, 0);
}

GUEST_HANDLER(handler, interrupted)

int guest_main(const void *start_info)
{
	struct virtio dev;

	guest_gate(VECTOR, handler);
	guest_interrupts_on();
	virtio_find(&dev, VIRTIO_RNG);
	virtio_start(&dev, 0, 0);
	virtio_msix(&dev, VECTOR);
	for (uint16_t i = 0; i < TIMES; i++) {
		virtio_desc(&dev, 0, BUFFER, 16, DESC_WRITE, 0);
		virtio_send(&dev, 0);
		__asm__ volatile("sti");
		for (unsigned n = 0; n < 100000 && interrupts == i; n++)
			__asm__ volatile("pause");
		__asm__ volatile("cli");
		check(interrupts == i + 1u);
		check(dev.used->idx == i + 1);
		check(dev.used->ring[i % VIRTIO_SIZE].len == 16);
	}
	check(read32(BUFFER) | read32(BUFFER + 4) | read32(BUFFER + 8));
	guest_print("interrupted as often as answered\n");
	return 0;
}
