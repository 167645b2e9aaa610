/*
 * Two processors and the I/O thread at one disk: one starts, kicks and resets it, one moves its BAR
 * and reads through it, while requests complete. Nothing may hang, and nothing may write to the
 * guest's memory after a reset.
 */
#include "vmm/virtio_blk.c"

#include <unistd.h>

#include "tests/unit/test.h"
#include "tests/unit/virtio/blk_type.h"
#include "tests/unit/virtio/guest.h"

enum {
	ROUNDS = 300,
	REQUESTS = 32,
	DATA = 0x100000,
};

static struct guest guest;
static int stop;

static gpointer io_thread(gpointer data)
{
	while (!g_atomic_int_get(&stop))
		g_main_context_iteration(guest.machine.main_context, TRUE);
	return NULL;
}

static void config_write(unsigned offset, unsigned size, uint64_t value)
{
	bus_write(guest.machine.mmio, MACHINE_ECAM_BASE + (GUEST_SLOT << 15) + offset, size, value);
}

/* The other processor: off with the BAR, elsewhere, and back; the table masked and opened. */
static gpointer other_processor(gpointer data)
{
	uint64_t value;

	while (!g_atomic_int_get(&stop)) {
		config_write(PCI_BAR0, 4, 0xd0000000);
		bus_read(guest.machine.mmio, 0xd0000000 + COMMON_DEVICE_STATUS, 1, &value);
		config_write(PCI_BAR0, 4, MACHINE_PCI_BASE);
		guest_write(&guest, VIRTIO_PCI_MSIX + 12, 4, 1);
		guest_write(&guest, VIRTIO_PCI_MSIX + 12, 4, 0);
		guest_read(&guest, COMMON_DEVICE_STATUS, 1);
		guest_read(&guest, VIRTIO_PCI_ISR, 1);
		g_usleep(50);
	}
	return NULL;
}

/* A write that finds the BAR where it belongs; what it wrote is read back. */
static void persist(uint64_t offset, unsigned size, uint64_t value)
{
	do
		guest_write(&guest, offset, size, value);
	while (guest_read(&guest, offset, size) != value);
}

static bool start(void)
{
	guest.heap = GUEST_HEAP;
	memset(guest.queue, 0, sizeof(guest.queue));
	memset(guest_at(&guest, GUEST_HEAP, DATA - GUEST_HEAP), 0, DATA - GUEST_HEAP);
	guest_negotiate(&guest, VIRTIO_F_VERSION_1);
	guest_enable_queue(&guest, 0, 128);
	guest_write(&guest, COMMON_DEVICE_STATUS, 1, 15);
	return guest.queue[0].size == 128 &&
		guest_read(&guest, COMMON_QUEUE_ENABLE, 2) == 1 &&
		guest_read(&guest, COMMON_USED, 4) == guest.queue[0].used &&
		guest_read(&guest, COMMON_AVAIL, 4) == guest.queue[0].avail &&
		guest_read(&guest, COMMON_DESC, 4) == guest.queue[0].desc;
}

static void ask(void)
{
	struct blk_header header = {.type = BLK_T_IN};
	uint64_t at = guest_put(&guest, &header, sizeof(header));

	for (unsigned i = 0; i < REQUESTS; i++)
		guest_add(&guest, 0,
			(struct guest_buffer[]){{at, 16, false}, {DATA + 512 * i, 512, true},
				{DATA + 512 * REQUESTS + i, 1, true}},
			3);
	guest_write(&guest, VIRTIO_PCI_NOTIFY, 2, 0);
}

static bool quiet_after_reset(void)
{
	uint8_t *data = guest_at(&guest, DATA, 513 * REQUESTS);

	memset(data, 0x5a, 513 * REQUESTS);
	g_usleep(200);
	for (unsigned i = 0; i < 513 * REQUESTS; i++)
		if (data[i] != 0x5a)
			return false;
	return true;
}

static void processors_and_io(void)
{
	char path[] = "/tmp/irori-test-race-XXXXXX";
	struct disk_config config = {.path = path};
	GThread *thread[2];
	int fd = mkstemp(path);
	unsigned started = 0;

	test_assert(fd >= 0 && ftruncate(fd, 1 << 20) == 0);
	guest_open(&guest, GUEST_MEMORY);
	test_assert(guest_plug(&guest, &blk_type, &config, NULL));
	thread[0] = g_thread_new("io", io_thread, NULL);
	thread[1] = g_thread_new("other", other_processor, NULL);
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (start()) {
			started++;
			ask();
			g_usleep(i % 7 * 20);
		}
		persist(COMMON_DEVICE_STATUS, 1, 0);
		test_assert(quiet_after_reset());
	}
	test_assert(started > 0);
	g_atomic_int_set(&stop, 1);
	g_main_context_wakeup(guest.machine.main_context);
	for (unsigned i = 0; i < 2; i++)
		g_thread_join(thread[i]);
	guest_close(&guest);
	close(fd);
	unlink(path);
}

static void quiet(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
}

int main(void)
{
	g_log_set_default_handler(quiet, NULL);
	alarm(60); /* a hang is a failure */
	test_run(processors_and_io);
	return 0;
}
