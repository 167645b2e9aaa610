/*
 * /dev/console: virtio-console where there is one, else the first serial port.
 */
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"
#include "demo/kernel/virtio.h"

enum { CONSOLE_OUT = 1, SLOTS = 16, SLOT_SIZE = PAGE / SLOTS, COM1 = 0x3f8 };

static struct virtq out;
static uint8_t *text;       /* SLOTS pieces that the device reads */
static unsigned next, busy; /* slots are used and come back in order */

static void out_collect(void)
{
	while (virtq_get(&out, NULL) >= 0)
		busy--;
}

/* Copies to a slot; waits when all are on their way. */
static size_t out_write(const char *from, size_t n)
{
	uint16_t slot = next++ % SLOTS;

	if (n > SLOT_SIZE)
		n = SLOT_SIZE;
	for (out_collect(); busy == SLOTS; out_collect()) {
		virtq_arm(&out, 1);
		fence();
		if (!virtq_pending(&out))
			clock_idle(NEVER);
	}
	busy++;
	memcpy(text + slot * SLOT_SIZE, from, n);
	virtq_describe(&out, slot, text + slot * SLOT_SIZE, (uint32_t)n, 0, 0);
	virtq_put(&out, slot);
	virtq_kick(&out);
	return n;
}

/* All written text has reached its reader: before the power goes. */
void console_flush(void)
{
	for (int i = 0; text && busy && i < 100000; i++)
		out_collect();
}

void console_write(const char *from, size_t n)
{
	while (text && n) {
		size_t done = out_write(from, n);

		from += done;
		n -= done;
	}
	for (; n; n--)
		outb(COM1, (uint8_t)*from++);
}

void console_init(void)
{
	struct virtio device;
	uint8_t *page = page_alloc();

	if (!page || virtio_open(&device, VIRTIO_CONSOLE, 0) ||
		virtio_queue(&device, &out, CONSOLE_OUT, SLOTS))
		return;
	virtio_start(&device);
	text = page;
}

static int64_t console_file_write(struct file *file, uint64_t from, uint64_t n)
{
	console_write((const char *)from, n);
	return (int64_t)n;
}

static int64_t console_file_read(struct file *file, struct syscall *call, uint64_t to, uint64_t n,
	uint64_t at)
{
	return 0;
}

const struct file_ops console_file = {
	.path = "/dev/console",
	.read = console_file_read,
	.write = console_file_write,
};
