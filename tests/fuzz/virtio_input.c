/*
 * virtio-input with a hostile driver, while somebody types: the first byte says which of the
 * devices it is.
 */
#include "vmm/virtio_input.c"

#include "tests/fuzz/virtio_harness.h"

static void fuzz_leds(struct seat_port *port, uint32_t leds)
{
}

static const struct seat_port_ops fuzz_ops = { .leds = fuzz_leds };

static void prepare(struct guest *guest)
{
	static struct seat_port port = { .ops = &fuzz_ops };

	guest->machine.port = &port;
}

/* Events as the seat link lets them through: types and codes in range, reports whole. */
static void event(struct guest *guest, const uint8_t *data, size_t len)
{
	struct port_input report[64];
	unsigned n = 0;

	for (size_t i = 0; i + 4 <= len && n < G_N_ELEMENTS(report) - 1; i += 4) {
		static const uint16_t types[] = { EV_KEY, EV_REL, EV_ABS, EV_KEY };
		static const uint16_t fingers[] = { ABS_MT_SLOT, ABS_MT_TRACKING_ID,
			ABS_MT_POSITION_X, ABS_MT_POSITION_Y };
		struct port_input *in = &report[n++];

		in->device = data[i] % INPUT_DEVICES;
		in->type = types[data[i + 1] % 4];
		in->code = in->type == EV_REL ? data[i + 2] % REL_CNT :
			in->type == EV_ABS && in->device == INPUT_TOUCH ? fingers[data[i + 2] % 4] :
			in->type == EV_ABS ? data[i + 2] % PORT_PAD_AXES :
			(uint16_t)(data[i + 2] * 4 + data[i + 1] / 64) % KEY_CNT;
		in->value = in->type == EV_KEY ? data[i + 3] & 1 : (int8_t)data[i + 3];
		if (in->type == EV_ABS && in->code == ABS_MT_SLOT)
			in->value = data[i + 3] % PORT_TOUCHES;
	}
	for (unsigned device = 0; device < INPUT_DEVICES; device++) {
		report[n] = (struct port_input) { (uint16_t)device, EV_SYN, SYN_REPORT, 0 };
		guest_events->input(guest_events_device, report, n + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct input_options on = { true };
	static const struct virtio_fuzz fuzz[INPUT_DEVICES] = {
		{ .type = &virtio_keyboard, .prepare = prepare, .event = event },
		{ .type = &virtio_tablet, .prepare = prepare, .event = event },
		{ .type = &virtio_mouse, .prepare = prepare, .event = event },
		{ .type = &virtio_touch, .config = &on, .prepare = prepare, .event = event },
		{ .type = &virtio_gamepad, .config = &on, .prepare = prepare, .event = event },
	};

	return size ? virtio_fuzz_run(&fuzz[data[0] % INPUT_DEVICES], data + 1, size - 1) : 0;
}
