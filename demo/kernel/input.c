/*
 * /dev/input: all virtio-input devices, merged. Events wait in the rings until they are read.
 * Source: virtio 1.2, 5.8.
 */
#include "demo/abi.h"
#include "demo/kernel/cpu.h"
#include "demo/kernel/kernel.h"
#include "demo/kernel/virtio.h"

enum { MAX_DEVICES = 4, EVENTS = 64, EV_REL = 2, EV_ABS = 3, CONFIG_EV_BITS = 0x11 };
enum { KEYBOARD, TABLET, MOUSE };

struct event {
	uint16_t type, code;
	uint32_t value;
};

struct input {
	struct virtq queue;
	struct event *event; /* EVENTS of them */
	uint16_t kind;
};

static struct input inputs[MAX_DEVICES];
static unsigned n_inputs;

static bool has_events(struct virtio *device, uint8_t type)
{
	mmio_write8(device->config, CONFIG_EV_BITS);
	mmio_write8(device->config + 1, type);
	return mmio_read8(device->config + 2) != 0;
}

static int input_add(struct input *input, unsigned nth)
{
	struct virtio device;
	int ret = virtio_open(&device, VIRTIO_INPUT, nth);

	if (!ret)
		ret = virtio_queue(&device, &input->queue, 0, EVENTS);
	input->event = page_alloc();
	if (ret || !input->event)
		return ret ? ret : -ENOMEM;
	if (has_events(&device, EV_ABS))
		input->kind = TABLET;
	else
		input->kind = has_events(&device, EV_REL) ? MOUSE : KEYBOARD;
	for (uint16_t i = 0; i < input->queue.size; i++) {
		virtq_describe(&input->queue, i, &input->event[i], sizeof(struct event), DESC_WRITE, 0);
		virtq_put(&input->queue, i);
	}
	virtio_start(&device);
	virtq_kick(&input->queue);
	return 0;
}

void input_init(void)
{
	while (n_inputs < MAX_DEVICES && !input_add(&inputs[n_inputs], n_inputs))
		n_inputs++;
}

/* Moves what there is from one device to `record`. */
static unsigned input_take(struct input *input, struct input_record *record, uint64_t n)
{
	unsigned taken = 0;

	while (taken < n) {
		int i = virtq_get(&input->queue, NULL);

		if (i < 0 || i >= input->queue.size)
			break;
		record[taken++] = (struct input_record){
			.device = input->kind,
			.type = input->event[i].type,
			.code = input->event[i].code,
			.value = (int32_t)input->event[i].value,
		};
		virtq_put(&input->queue, (uint16_t)i);
	}
	if (taken)
		virtq_kick(&input->queue);
	return taken;
}

static int64_t input_read(struct file *file, struct syscall *call, uint64_t to, uint64_t n, uint64_t at)
{
	struct input_record *record = (struct input_record *)to;
	uint64_t taken = 0;

	n /= sizeof(*record);
	for (unsigned i = 0; i < n_inputs; i++)
		taken += input_take(&inputs[i], record + taken, n - taken);
	return taken ? (int64_t)(taken * sizeof(*record)) : -EAGAIN;
}

static unsigned input_poll(struct file *file)
{
	for (unsigned i = 0; i < n_inputs; i++) {
		if (virtq_pending(&inputs[i].queue))
			return POLLIN;
	}
	return 0;
}

static void input_arm(struct file *file)
{
	for (unsigned i = 0; i < n_inputs; i++)
		virtq_arm(&inputs[i].queue, 1);
}

const struct file_ops input_file = {
	.path = "/dev/input",
	.read = input_read,
	.poll = input_poll,
	.arm = input_arm,
};
