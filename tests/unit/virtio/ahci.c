/*
 * A CD drive on AHCI, by its registers and its command list, as Linux and firmware drive it.
 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "tests/unit/virtio/guest.h"
#include "vmm/ahci.c"
#include "vmm/disk_internal.h"

enum {
	LIST = 0x10000, /* 1 KiB */
	RECEIVED = 0x10400,
	TABLE = 0x11000,
	BUFFER = 0x100000,
	BLOCKS = 300,
	PORT = 0x100,
	GOOD = 0x50,
};

static struct guest guest;
static char *iso;

static void make_iso(unsigned blocks)
{
	int fd = g_file_open_tmp("irori-cd-XXXXXX", &iso, NULL);
	uint32_t word[ATAPI_BLOCK / 4];

	test_assert(fd >= 0);
	for (uint32_t b = 0; b < blocks; b++) {
		for (uint32_t i = 0; i < ATAPI_BLOCK / 4; i++)
			word[i] = b << 16 | i;
		test_assert(write(fd, word, sizeof(word)) == sizeof(word));
	}
	close(fd);
}

static uint32_t rd(uint32_t offset)
{
	return (uint32_t)guest_read(&guest, offset, 4);
}

static void wr(uint32_t offset, uint32_t value)
{
	guest_write(&guest, offset, 4, value);
}

static void spin(void)
{
	/* The host's file is read by io_uring: it may take its time. */
	for (unsigned i = 0; i < 2000 && ((struct ahci *)guest.device)->transfer.active; i++) {
		guest_spin(&guest);
		g_usleep(100);
	}
	guest_spin(&guest);
}

static void port_up(void)
{
	test_equal(rd(0x0c), 1);
	wr(0x04, 0x80000002);
	wr(PORT + 0x00, LIST);
	wr(PORT + 0x08, RECEIVED);
	wr(PORT + 0x18, 0x10 | 6);
	wr(PORT + 0x30, 0xffffffff);
	wr(PORT + 0x10, 0xffffffff);
	wr(PORT + 0x14, 0x7dc0007f);
	wr(PORT + 0x18, 0x11 | 6);
	test_equal(rd(PORT + 0x18) & 0xc011, 0xc011);
	test_equal(rd(PORT + 0x28), 0x113);
	test_equal(rd(PORT + 0x24), 0xeb140101);
}

static void up_with(const char *path)
{
	struct cd_config config = { .path = (char *)path };

	guest_open(&guest, GUEST_MEMORY);
	test_assert(guest_plug(&guest, &cd_type, &config, NULL));
	port_up();
}

static void up(void)
{
	make_iso(BLOCKS);
	up_with(iso);
}

static void down(void)
{
	guest_close(&guest);
	if (iso)
		g_unlink(iso);
	g_clear_pointer(&iso, g_free);
}

static void region(unsigned i, uint64_t address, uint32_t len)
{
	struct {
		uint64_t address;
		uint32_t reserved, len;
	} entry = { address, 0, len - 1 };

	memory_write(guest.machine.memory, TABLE + 0x80 + 16 * i, &entry, sizeof(entry));
}

/* Issues what lies in the table in slot 0, with so many regions. */
static void issue(const uint8_t fis[20], unsigned regions)
{
	uint32_t header[8] = { 5 | regions << 16, 0, TABLE, 0 };

	memory_write(guest.machine.memory, LIST, header, sizeof(header));
	memory_write(guest.machine.memory, TABLE, fis, 20);
	wr(PORT + 0x38, 1);
	spin();
}

static void packet(const uint8_t cdb[12], unsigned regions)
{
	static const uint8_t fis[20] = { 0x27, 0x80, 0xa0, 1 };

	memory_write(guest.machine.memory, TABLE + 0x40, cdb, 12);
	issue(fis, regions);
}

static uint32_t moved(void)
{
	uint32_t n;

	memory_read(guest.machine.memory, LIST + 4, &n, 4);
	return n;
}

/* After an error: as drivers do. */
static void restart(void)
{
	wr(PORT + 0x18, 0x10 | 6);
	test_equal(rd(PORT + 0x38), 0);
	wr(PORT + 0x10, 0xffffffff);
	wr(PORT + 0x30, 0xffffffff);
	wr(PORT + 0x18, 0x11 | 6);
}

/* A packet of up to 64 KiB to BUFFER; true: it went well. */
static bool ask(const uint8_t cdb[12])
{
	region(0, BUFFER, 65536);
	packet(cdb, 1);
	if (rd(PORT + 0x20) & 1)
		return false;
	test_equal(rd(PORT + 0x38), 0);
	return true;
}

static uint8_t *data(void)
{
	return guest_at(&guest, BUFFER, 65536);
}

#define ASK(...) ask((const uint8_t[12]){ __VA_ARGS__ })

/* Key and additional sense. */
static uint32_t sense(void)
{
	restart();
	test_assert(ASK(0x03, 0, 0, 0, 18));
	test_equal(moved(), 18);
	return data()[2] << 8 | data()[12];
}

static void calm(void)
{
	test_assert(!ASK(0));
	test_equal(sense(), 0x629);
	test_assert(ASK(0));
}

static void test_identifies(void)
{
	static const uint8_t fis[20] = { 0x27, 0x80, 0xa1 }, wrong[20] = { 0x27, 0x80, 0xec };
	uint8_t received[0x60];

	up();
	region(0, BUFFER, 512);
	issue(fis, 1);
	test_equal(moved(), 512);
	test_equal(data()[0] | data()[1] << 8, 0x85c0);
	test_equal(data()[54], 'r'); /* model, each word the other way round */
	test_equal(data()[55], 'I');
	memory_read(guest.machine.memory, RECEIVED, received, sizeof(received));
	test_equal(received[0x20], 0x5f);
	test_equal(received[0x2f], GOOD);
	test_equal(received[0x40], 0x34);
	test_equal(rd(PORT + 0x10) & 3, 3);
	/* As a disk: it is none, and says what it is. */
	issue(wrong, 1);
	memory_read(guest.machine.memory, RECEIVED, received, sizeof(received));
	test_equal(received[0x43], 4);
	test_equal(received[0x45], 0x14);
	test_equal(received[0x46], 0xeb);
	test_equal(rd(PORT + 0x38), 1); /* it stands */
	restart();
	down();
}

static void test_interrupts(void)
{
	up();
	calm();
	wr(PORT + 0x10, 0xffffffff);
	wr(0x08, 1);
	test_equal(rd(0x08), 0);
	test_assert(ASK(0));
	test_equal(rd(0x08), 1);
	test_assert(guest.device && ((struct ahci *)guest.device)->pci.intx);
	wr(0x08, 1);
	test_equal(rd(0x08), 1); /* the port has it still */
	wr(PORT + 0x10, 1);
	wr(0x08, 1);
	test_equal(rd(0x08), 0);
	test_assert(!((struct ahci *)guest.device)->pci.intx);
	down();
}

/* A driver's handler: the port's causes, then the controller's. */
static void handle(void)
{
	wr(PORT + 0x10, rd(PORT + 0x10));
	wr(0x08, 1);
}

/* A message for every command, and none for being handled. */
static void test_messages(void)
{
	uint64_t cap, id, config = MACHINE_ECAM_BASE + ((uint64_t)GUEST_SLOT << 15);

	up();
	for (bus_read(guest.machine.mmio, config + PCI_CAP_POINTER, 1, &cap); cap;
		bus_read(guest.machine.mmio, config + cap + 1, 1, &cap)) {
		bus_read(guest.machine.mmio, config + cap, 1, &id);
		if (id == PCI_CAP_MSI)
			bus_write(guest.machine.mmio, config + cap + 2, 2, 1);
	}
	calm();
	handle();
	guest.raised[0] = 0;
	for (unsigned i = 1; i < 4; i++) {
		test_assert(ASK(0));
		test_equal(guest.raised[0], i);
		handle();
		test_equal(guest.raised[0], i);
	}
	/* One that ends while the handler is between its two writes is not lost. */
	test_assert(ASK(0));
	wr(PORT + 0x10, rd(PORT + 0x10));
	test_assert(ASK(0));
	test_equal(guest.raised[0], 5);
	wr(0x08, 1);
	test_equal(rd(0x08), 1);
	down();
}

static void test_reads(void)
{
	const uint32_t *word;

	up();
	calm();
	test_assert(ASK(0x25));
	test_equal(data()[2] << 8 | data()[3], BLOCKS - 1);
	test_equal(data()[6] << 8 | data()[7], ATAPI_BLOCK);
	/* 100 blocks from the 150th, in regions of uneven lengths: four pieces. */
	region(0, BUFFER, 1000);
	region(1, BUFFER + 1000, 2);
	region(2, BUFFER + 1002, 150000);
	region(3, BUFFER + 151002, 1 << 20);
	packet((const uint8_t[12]){ 0x28, 0, 0, 0, 0, 150, 0, 0, 100 }, 4);
	test_equal(rd(PORT + 0x20) & 0xff, GOOD);
	test_equal(moved(), 100 * ATAPI_BLOCK);
	word = guest_at(&guest, BUFFER, 100 * ATAPI_BLOCK);
	for (uint32_t i = 0; i < 100 * ATAPI_BLOCK / 4; i++)
		test_equal(word[i], (150 + i / 512) << 16 | i % 512);
	/* READ(12), READ CD; and none at all */
	test_assert(ASK(0xa8, 0, 0, 0, 1, 43, 0, 0, 0, 1));
	test_equal(*(uint32_t *)data(), 299 << 16);
	test_assert(ASK(0xbe, 0, 0, 0, 0, 7, 0, 0, 1, 0x10));
	test_equal(*(uint32_t *)data(), 7 << 16);
	test_assert(ASK(0x28));
	test_equal(moved(), 0);
	/* beyond its end */
	test_assert(!ASK(0xa8, 0, 0, 0, 1, 43, 0, 0, 0, 2));
	test_equal(sense(), 0x521);
	test_assert(!ASK(0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
	test_equal(sense(), 0x521);
	test_assert(!ASK(0xbe, 0, 0, 0, 0, 7, 0, 0, 1, 0xf8));
	test_equal(sense(), 0x524);
	down();
}

static const struct disk_layer_ops *whole_ops;

/* A host that gives the first 1000 bytes, and the rest with the next call. */
static void short_queue(struct disk *disk, struct disk_io *io)
{
	int fd = open(iso, O_RDONLY);

	test_assert(pread(fd, io->iov->iov_base, 1000, (off_t)io->offset) == 1000);
	close(fd);
	disk_advance(io, 1000);
	whole_ops->queue(disk, io);
}

static void test_short_reads(void)
{
	struct disk_layer_ops ops;
	const uint32_t *word;
	struct disk *disk;

	up();
	calm();
	disk = ((struct ahci *)guest.device)->disk;
	whole_ops = disk->ops;
	ops = *disk->ops;
	ops.queue = short_queue;
	disk->ops = &ops;
	region(0, BUFFER, 1 << 20);
	packet((const uint8_t[12]){ 0x28, 0, 0, 0, 0, 0, 0, 0, 40 }, 1);
	disk->ops = whole_ops;
	test_equal(rd(PORT + 0x20) & 0xff, GOOD);
	test_equal(moved(), 40 * ATAPI_BLOCK);
	word = guest_at(&guest, BUFFER, 40 * ATAPI_BLOCK);
	for (uint32_t i = 0; i < 40 * ATAPI_BLOCK / 4; i++)
		test_equal(word[i], i / 512 << 16 | i % 512);
	down();
}

static void test_drive(void)
{
	up();
	test_assert(ASK(0x12, 0, 0, 0, 36));
	test_equal(data()[0], 5);
	test_equal(moved(), 36);
	test_assert(ASK(0x12, 0, 0, 0, 5)); /* room for less */
	test_equal(moved(), 5);
	test_assert(ASK(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8));
	test_equal(data()[5], 2);
	calm();
	test_assert(ASK(0x43, 0, 0, 0, 0, 0, 0, 1, 0));
	test_equal(data()[1], 18);
	test_equal(data()[14], 0xaa);
	test_equal(data()[18] << 8 | data()[19], BLOCKS);
	test_assert(ASK(0x43, 2, 0, 0, 0, 0, 0, 1, 0));
	test_equal(data()[10], 2); /* 00:02:00 */
	test_assert(ASK(0x43, 0, 1, 0, 0, 0, 0, 1, 0));
	test_assert(ASK(0x43, 0, 2, 0, 0, 0, 0, 1, 0));
	test_assert(!ASK(0x43, 0, 5, 0, 0, 0, 0, 1, 0));
	test_equal(sense(), 0x524);
	test_assert(ASK(0x46, 0, 0, 0, 0, 0, 0, 1, 0));
	test_equal(data()[7], 8);
	test_assert(ASK(0x5a, 0, 0x2a, 0, 0, 0, 0, 1, 0));
	test_equal(data()[8], 0x2a);
	test_assert(ASK(0x1a, 0, 0x3f, 0, 255));
	test_assert(!ASK(0x5a, 0, 0x05, 0, 0, 0, 0, 1, 0));
	test_equal(sense(), 0x524);
	test_assert(ASK(0x51, 0, 0, 0, 0, 0, 0, 1, 0));
	test_assert(ASK(0x52, 1, 0, 0, 0, 1, 0, 1, 0));
	test_assert(ASK(0xbd, 0, 0, 0, 0, 0, 0, 0, 1, 0));
	test_assert(!ASK(0xad, 0, 0, 0, 0, 0, 0, 0, 1, 0)); /* no DVD */
	test_equal(sense(), 0x524);
	test_assert(!ASK(0x2a)); /* nobody writes */
	test_equal(sense(), 0x520);
	down();
}

static void test_tray(void)
{
	up();
	calm();
	test_assert(ASK(0x1e, 0, 0, 0, 1));
	test_assert(!ASK(0x1b, 0, 0, 0, 2));
	test_equal(sense(), 0x553);
	test_assert(ASK(0x1e));
	test_assert(ASK(0x1b, 0, 0, 0, 2));
	test_assert(!ASK(0));
	test_equal(sense(), 0x23a);
	test_assert(!ASK(0x28, 0, 0, 0, 0, 0, 0, 0, 1));
	test_equal(sense(), 0x23a);
	test_assert(ASK(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8));
	test_equal(data()[4], 3);
	test_equal(data()[5], 1);
	test_assert(ASK(0x1b, 0, 0, 0, 3));
	test_assert(!ASK(0));
	test_equal(sense(), 0x628);
	test_assert(ASK(0));
	down();
}

static void test_empty(void)
{
	up_with(NULL);
	test_assert(!ASK(0));
	test_equal(sense(), 0x629);
	test_assert(!ASK(0));
	test_equal(sense(), 0x23a);
	test_assert(ASK(0x46, 0, 0, 0, 0, 0, 0, 1, 0));
	test_equal(data()[7], 0);
	down();
}

static void test_no_image(void)
{
	struct cd_config config = { .path = (char *)"/nonexistent/debian.iso" };
	GError *error = NULL;

	guest_open(&guest, GUEST_MEMORY);
	test_assert(!guest_plug(&guest, &cd_type, &config, &error));
	test_assert(error && strstr(error->message, "/nonexistent/debian.iso"));
	g_clear_error(&error);
	guest_close(&guest);
}

static void test_bad_memory(void)
{
	static const uint8_t fis[20] = { 0x27, 0x80, 0xa1 };

	up();
	calm();
	/* regions outside */
	region(0, GUEST_MEMORY - 10, 65536);
	packet((const uint8_t[12]){ 0x28, 0, 0, 0, 0, 0, 0, 0, 9 }, 1);
	test_assert(rd(PORT + 0x10) & 1 << 29);
	restart();
	region(0, UINT64_MAX - 5, 65536);
	issue(fis, 1);
	test_assert(rd(PORT + 0x10) & 1 << 29);
	restart();
	/* none at all, and too few: the rest is nobody's */
	packet((const uint8_t[12]){ 0x28, 0, 0, 0, 0, 0, 0, 0, 9 }, 0);
	test_equal(moved(), 0);
	test_equal(rd(PORT + 0x20) & 1, 0);
	region(0, BUFFER, 1);
	packet((const uint8_t[12]){ 0x28, 0, 0, 0, 0, 0, 0, 0, 99 }, 1);
	test_equal(moved(), 1);
	/* a byte each, as many as there can be, one over the other */
	for (unsigned i = 0; i < 65535; i++)
		region(i, BUFFER + 0x200000, 1);
	packet((const uint8_t[12]){ 0x28, 0, 0, 0, 0, 0, 0, 0, 99 }, 65535);
	test_equal(moved(), 65535);
	/* the list, the table */
	wr(PORT + 0x04, 0xffffffff);
	wr(PORT + 0x38, 1);
	spin();
	test_assert(rd(PORT + 0x10) & 1 << 29);
	restart();
	wr(PORT + 0x04, 0);
	memory_write(guest.machine.memory, LIST,
		(const uint32_t[8]){ 5 | 1 << 16, 0, 0xffffff80, 0xffffffff }, 32);
	wr(PORT + 0x38, 1);
	spin();
	test_assert(rd(PORT + 0x10) & 1 << 29);
	restart();
	/* what is received, nowhere */
	wr(PORT + 0x0c, 0xffffffff);
	test_assert(ASK(0));
	/* no FIS of a host's, no command known */
	issue((const uint8_t[20]){ 0x34, 0x80, 0xa0 }, 1);
	test_assert(rd(PORT + 0x20) & 1);
	restart();
	issue((const uint8_t[20]){ 0x27, 0x80, 0x25 }, 1);
	test_assert(rd(PORT + 0x20) & 1);
	down();
}

static void test_resets(void)
{
	up();
	calm();
	/* by FIS */
	issue((const uint8_t[20]){ 0x27, 0, 0, [15] = 4 }, 0);
	test_equal(rd(PORT + 0x38), 0);
	issue((const uint8_t[20]){ 0x27, 0, 0, [15] = 0 }, 0);
	test_equal(rd(PORT + 0x20), 0x100);
	calm();
	/* by the link */
	wr(PORT + 0x18, 0x10 | 6);
	wr(PORT + 0x2c, 0x301);
	test_equal(rd(PORT + 0x28), 0);
	wr(PORT + 0x2c, 0x300);
	test_equal(rd(PORT + 0x28), 0x113);
	test_equal(rd(PORT + 0x20), 0x100);
	wr(PORT + 0x18, 0x11 | 6);
	calm();
	/* of the controller, with a read under way */
	region(0, BUFFER, 1 << 20);
	memory_write(guest.machine.memory, TABLE + 0x40,
		(const uint8_t[12]){ 0x28, 0, 0, 0, 0, 0, 0, 0, 200 }, 12);
	memory_write(guest.machine.memory, TABLE, (const uint8_t[20]){ 0x27, 0x80, 0xa0, 1 }, 20);
	memory_write(guest.machine.memory, LIST, (const uint32_t[8]){ 5 | 1 << 16, 0, TABLE, 0 }, 32);
	wr(PORT + 0x38, 1);
	g_main_context_iteration(guest.machine.main_context, FALSE);
	wr(0x04, 1);
	test_equal(rd(0x04), 0x80000000);
	test_equal(rd(PORT + 0x38), 0);
	port_up();
	spin();
	calm();
	/* of the machine, likewise */
	wr(PORT + 0x38, 1);
	g_main_context_iteration(guest.machine.main_context, FALSE);
	guest_reset(&guest);
	test_equal(rd(PORT + 0x38), 0);
	port_up();
	calm();
	/* issued while the port does not run: lost */
	wr(PORT + 0x18, 0x10 | 6);
	wr(PORT + 0x38, 0xffffffff);
	spin();
	test_equal(rd(PORT + 0x38), 0);
	/* all slots at once, and the same table */
	wr(PORT + 0x18, 0x11 | 6);
	for (unsigned i = 0; i < 32; i++)
		memory_write(guest.machine.memory, LIST + 32 * i,
			(const uint32_t[8]){ 5 | 1 << 16, 0, TABLE, 0 }, 32);
	memory_write(guest.machine.memory, TABLE, (const uint8_t[20]){ 0x27, 0x80, 0xa0, 1 }, 20);
	memset(guest_at(&guest, TABLE + 0x40, 12), 0, 12);
	wr(PORT + 0x38, 0xffffffff);
	spin();
	test_equal(rd(PORT + 0x38), 0);
	down();
}

static void test_state(void)
{
	struct state *state = state_new_saving();
	GBytes *saved;

	up();
	calm();
	test_assert(ASK(0x1e, 0, 0, 0, 1));
	guest.device->drain(guest.device);
	guest.device->state(guest.device, state);
	saved = state_take(state);
	state_free(state);
	guest_reset(&guest);
	for (unsigned cut = 0; cut < g_bytes_get_size(saved); cut += 5) {
		state = state_new_loading(g_bytes_new_from_bytes(saved, 0, cut));
		guest.device->state(guest.device, state);
		test_assert(state_failed(state));
		state_free(state);
	}
	state = state_new_loading(saved);
	guest.device->state(guest.device, state);
	test_assert(!state_failed(state) && state_at_end(state));
	state_free(state);
	test_equal(rd(PORT), LIST);
	test_assert(!ASK(0x1b, 0, 0, 0, 2)); /* locked still, and no attention */
	test_equal(sense(), 0x553);
	down();
}

int main(void)
{
	test_run(test_identifies);
	test_run(test_interrupts);
	test_run(test_messages);
	test_run(test_reads);
	test_run(test_short_reads);
	test_run(test_drive);
	test_run(test_tray);
	test_run(test_empty);
	test_run(test_no_image);
	test_run(test_bad_memory);
	test_run(test_resets);
	test_run(test_state);
	return 0;
}
