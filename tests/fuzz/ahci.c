/*
 * A CD drive on AHCI and its driver gone mad: registers, command lists, tables, packets.
 */
#include <unistd.h>

#include "tests/fuzz/mmio_harness.h"
#include "vmm/ahci.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	DISC = 100 * ATAPI_BLOCK,
	LIST = 0x10000,
	RECEIVED = 0x10400,
	TABLE = 0x11000,
};

static void settle(struct guest *guest)
{
	struct ahci *ahci = (struct ahci *)guest->device;

	guest_spin(guest);
	while (ahci->transfer.under_way) {
		g_mutex_lock(&ahci->lock);
		disk_reap(ahci->disk, true);
		ahci_run(ahci);
		g_mutex_unlock(&ahci->lock);
	}
	guest_spin(guest);
}

/* The port runs; slot 0 has a packet in it. */
static void start(struct guest *guest)
{
	static const uint32_t header[8] = { 5 | 4 << 16, 0, TABLE, 0 };
	static const uint8_t fis[4] = { 0x27, 0x80, 0xa0, 1 };

	memory_write(guest->machine.memory, LIST, header, sizeof(header));
	memory_write(guest->machine.memory, TABLE, fis, sizeof(fis));
	guest_write(guest, 0x04, 4, 2);
	guest_write(guest, 0x100, 4, LIST);
	guest_write(guest, 0x108, 4, RECEIVED);
	guest_write(guest, 0x114, 4, 0xffffffff);
	guest_write(guest, 0x118, 4, 0x11);
}

/* A packet, issued. */
static void event(struct guest *guest, const uint8_t *data, size_t len)
{
	uint8_t packet[ATAPI_PACKET] = { 0 };

	memcpy(packet, data, MIN(len, sizeof(packet)));
	if (guest_read(guest, 0x118, 4) & 1 && ((struct ahci *)guest->device)->port.halted) {
		guest_write(guest, 0x118, 4, 0x10);
		guest_write(guest, 0x118, 4, 0x11);
	}
	memory_write(guest->machine.memory, TABLE + 0x40, packet, sizeof(packet));
	guest_write(guest, 0x138, 4, len > 12 ? data[12] : 1);
	settle(guest);
}

static const char *disc(void)
{
	static char path[] = "/tmp/irori-fuzz-cd-XXXXXX";
	static bool made;

	if (!made) {
		int fd = mkstemp(path);

		if (fd < 0 || ftruncate(fd, DISC) < 0)
			abort();
		close(fd);
		made = true;
	}
	return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cd_config config = { .path = (char *)disc() };
	const struct mmio_fuzz fuzz = {
		.type = &cd_type,
		.config = &config,
		.registers = 0x180,
		.start = start,
		.event = event,
		.settle = settle,
	};

	return mmio_fuzz_run(&fuzz, data, size);
}
