/*
 * virtio-input through its rings: configuration, whole reports, slow and odd drivers.
 */
#include "vmm/virtio_input.c"

#include "tests/unit/test.h"
#include "tests/unit/virtio/guest.h"
#include "vmm/pci_internal.h"

static struct {
	unsigned told;
	uint32_t leds;
} seen;

static void port_leds(struct seat_port *port, uint32_t leds)
{
	seen.told++;
	seen.leds = leds;
}

static const struct seat_port_ops port_ops = { .leds = port_leds };
static struct seat_port port = { .ops = &port_ops };
static struct guest guest;

static void plug(const struct device_type *type)
{
	static const struct input_options on = { true };

	memset(&seen, 0, sizeof(seen));
	guest_open(&guest, GUEST_MEMORY);
	guest.machine.port = &port;
	test_assert(guest_plug(&guest, type, &on, NULL));
}

static void start(const struct device_type *type)
{
	plug(type);
	guest_start(&guest, 0);
	guest_spin(&guest);
}

static void start_with_queue(const struct device_type *type, uint16_t size)
{
	plug(type);
	guest_negotiate(&guest, VIRTIO_F_VERSION_1);
	guest_open_vectors(&guest);
	guest_enable_queue(&guest, EVENT_QUEUE, size);
	guest_enable_queue(&guest, STATUS_QUEUE, size);
	guest_write(&guest, COMMON_DEVICE_STATUS, 1, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER |
		VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

static void stop(void)
{
	guest_close(&guest);
}

/* The driver gives n buffers for events. */
static void give(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct guest_buffer buffer = { guest_alloc(&guest, 8), 8, true };

		guest_add(&guest, EVENT_QUEUE, &buffer, 1);
	}
	guest_kick(&guest, EVENT_QUEUE);
}

/* One more, as far as the ring and our memory allow. */
static void give_one(void)
{
	const struct guest_queue *queue = &guest.queue[EVENT_QUEUE];

	if (guest.heap > GUEST_MEMORY - 0x1000)
		guest.heap = GUEST_HEAP + 0x8000;
	if ((uint16_t)(queue->added - queue->seen) < queue->size)
		give(1);
}

/* The next event the guest got. */
static bool got(struct input_event_wire *event)
{
	uint32_t id, len;
	uint64_t addr;

	if (!guest_used(&guest, EVENT_QUEUE, &id, &len))
		return false;
	test_equal(len, 8);
	memory_read(guest.machine.memory, guest.queue[EVENT_QUEUE].desc + 16 * id, &addr, 8);
	memory_read(guest.machine.memory, addr, event, sizeof(*event));
	return true;
}

static void expect(uint16_t type, uint16_t code, uint32_t value)
{
	struct input_event_wire event;

	test_assert(got(&event));
	test_equal(event.type, type);
	test_equal(event.code, code);
	test_equal(event.value, value);
}

static void expect_nothing(void)
{
	struct input_event_wire event;

	test_assert(!got(&event));
}

static void send(const struct port_input *events, unsigned n)
{
	guest_events->input(guest_events_device, events, n);
}

static void key(uint16_t code, int32_t value)
{
	struct port_input report[2] = {
		{ INPUT_KEYBOARD, EV_KEY, code, value }, { INPUT_KEYBOARD, EV_SYN, SYN_REPORT, 0 },
	};

	send(report, 2);
}

static void motion(int32_t x, int32_t y)
{
	struct port_input report[3] = {
		{ INPUT_MOUSE, EV_REL, REL_X, x }, { INPUT_MOUSE, EV_REL, REL_Y, y },
		{ INPUT_MOUSE, EV_SYN, SYN_REPORT, 0 },
	};

	send(report, 3);
}

/* The case that overflowed the heap in another VMM: one report, longer than anything expected. */
static void long_frame(void)
{
	struct port_input report[200];

	start(&virtio_keyboard);
	for (unsigned i = 0; i < 199; i++)
		report[i] = (struct port_input) { INPUT_KEYBOARD, EV_KEY, KEY_ESC + i, 1 };
	report[199] = (struct port_input) { INPUT_KEYBOARD, EV_SYN, SYN_REPORT, 0 };
	give(64);
	send(report, 200);
	for (unsigned i = 0; i < 63; i++)
		expect(EV_KEY, KEY_ESC + i, 1);
	expect(EV_SYN, SYN_REPORT, 0);
	expect_nothing();
	give(64);
	for (unsigned i = 63; i < 126; i++)
		expect(EV_KEY, KEY_ESC + i, 1);
	stop();
}

static void long_frame_short_ring(void)
{
	struct port_input report[64];
	struct input_event_wire event;
	unsigned up = 0;

	start_with_queue(&virtio_keyboard, 4);
	give(4);
	for (unsigned i = 0; i < 3; i++)
		report[i] = (struct port_input) { INPUT_KEYBOARD, EV_KEY, KEY_A + i, 1 };
	report[3] = (struct port_input) { INPUT_KEYBOARD, EV_SYN, SYN_REPORT, 0 };
	send(report, 4);
	for (unsigned i = 0; i < 4; i++)
		test_assert(got(&event));
	/* 64 events can never fit 4 buffers: the releases among them arrive all the same. */
	for (unsigned i = 0; i < 63; i++)
		report[i] = (struct port_input) { INPUT_KEYBOARD, EV_KEY, KEY_ESC + i, 0 };
	report[63] = (struct port_input) { INPUT_KEYBOARD, EV_SYN, SYN_REPORT, 0 };
	send(report, 64);
	for (unsigned i = 0; i < 10; i++) {
		give(2);
		while (got(&event))
			up += event.type == EV_KEY && !event.value;
	}
	test_equal(up, 3);
	stop();
}

static void whole_reports_or_nothing(void)
{
	start(&virtio_mouse);
	give(2);
	motion(3, 4);
	expect_nothing(); /* three events, two buffers */
	test_equal(guest.raised[EVENT_QUEUE], 0);
	give(1);
	expect(EV_REL, REL_X, 3);
	expect(EV_REL, REL_Y, 4);
	expect(EV_SYN, SYN_REPORT, 0);
	test_equal(guest.raised[EVENT_QUEUE], 1);
	expect_nothing();
	stop();
}

static void releases_are_never_lost(void)
{
	start(&virtio_keyboard);
	give(2);
	key(KEY_A, 1);
	expect(EV_KEY, KEY_A, 1);
	expect(EV_SYN, SYN_REPORT, 0);
	/* The driver sleeps while somebody types more than there is room for. */
	for (unsigned i = 0; i < 500; i++) {
		key(KEY_B, 1);
		key(KEY_B, 0);
	}
	key(KEY_A, 0);
	key(KEY_C, 1); /* dropped ... */
	key(KEY_C, 0); /* ... and so is its release */
	for (unsigned i = 0; i < 64; i++) {
		expect_nothing();
		give(4);
		expect(EV_KEY, KEY_B, 1);
		expect(EV_SYN, SYN_REPORT, 0);
		expect(EV_KEY, KEY_B, 0);
		expect(EV_SYN, SYN_REPORT, 0);
	}
	give(4);
	expect(EV_KEY, KEY_A, 0);
	expect(EV_SYN, SYN_REPORT, 0);
	expect_nothing();
	key(KEY_D, 1); /* and it goes on */
	expect(EV_KEY, KEY_D, 1);
	stop();
}

static void motion_adds_up(void)
{
	int64_t x = 0, y = 0;
	struct input_event_wire event;

	start(&virtio_mouse);
	for (unsigned i = 0; i < 1000; i++)
		motion(1, -2);
	for (unsigned i = 0; i < 200; i++) {
		give(3);
		while (got(&event)) {
			if (event.type == EV_REL && event.code == REL_X)
				x += (int32_t)event.value;
			if (event.type == EV_REL && event.code == REL_Y)
				y += (int32_t)event.value;
		}
	}
	test_equal(x, 1000);
	test_equal(y, -2000);
	stop();
}

static void only_what_it_has(void)
{
	const struct port_input mixed[] = {
		{ INPUT_MOUSE, EV_REL, REL_X, 1 }, { INPUT_MOUSE, EV_SYN, SYN_REPORT, 0 },
		{ INPUT_TABLET, EV_ABS, ABS_X, 5 }, { INPUT_TABLET, EV_KEY, KEY_A, 1 },
		{ INPUT_TABLET, EV_SYN, SYN_REPORT, 0 },
		{ INPUT_TABLET, EV_KEY, KEY_A, 1 }, { INPUT_TABLET, EV_SYN, SYN_REPORT, 0 },
	};

	start(&virtio_tablet);
	give(16);
	send(mixed, G_N_ELEMENTS(mixed));
	expect(EV_ABS, ABS_X, 5);
	expect(EV_SYN, SYN_REPORT, 0);
	expect_nothing(); /* a tablet has no letters, and no report without an event */
	stop();
}

static void reset_forgets(void)
{
	start(&virtio_keyboard);
	give(1);
	key(KEY_A, 1); /* one buffer is taken and held */
	guest_start(&guest, 0);
	give(2);
	expect_nothing();
	key(KEY_A, 0); /* the new driver has not seen it down */
	expect_nothing();
	key(KEY_A, 1);
	expect(EV_KEY, KEY_A, 1);
	expect(EV_SYN, SYN_REPORT, 0);
	guest_reset(&guest);
	key(KEY_A, 0); /* no driver: no effect */
	stop();
}

static void small_buffer(void)
{
	struct guest_buffer buffer = { GUEST_HEAP, 7, true };

	start(&virtio_keyboard);
	guest_add(&guest, EVENT_QUEUE, &buffer, 1);
	key(KEY_A, 1);
	test_assert(guest_needs_reset(&guest));
	key(KEY_A, 0);
	stop();
}

static void buffer_in_pieces(void)
{
	struct guest_buffer piece[8];
	uint8_t bytes[8];
	uint32_t id, len;
	uint64_t at;

	start(&virtio_keyboard);
	at = guest_alloc(&guest, 64);
	for (unsigned i = 0; i < 8; i++)
		piece[i] = (struct guest_buffer) { at + 2 * i, 1, true };
	guest_add(&guest, EVENT_QUEUE, piece, 8);
	give(1);
	key(KEY_A, 1);
	test_assert(guest_used(&guest, EVENT_QUEUE, &id, &len));
	for (unsigned i = 0; i < 8; i++)
		memory_read(guest.machine.memory, at + 2 * i, &bytes[i], 1);
	test_equal(bytes[0], EV_KEY);
	test_equal(bytes[2], KEY_A);
	test_equal(bytes[4], 1);
	stop();
}

static unsigned ask_config(uint8_t select, uint8_t subsel)
{
	guest_write(&guest, VIRTIO_PCI_DEVICE + 0, 1, select);
	guest_write(&guest, VIRTIO_PCI_DEVICE + 1, 1, subsel);
	return (unsigned)guest_config_read(&guest, 2, 1);
}

static bool config_bit(unsigned i)
{
	return guest_config_read(&guest, 8 + i / 8, 1) & (1u << i % 8);
}

static void configuration(void)
{
	start(&virtio_keyboard);
	test_equal(ask_config(0, 0), 0);
	test_equal(ask_config(INPUT_ID_NAME, 0), strlen("Irori keyboard"));
	test_equal(guest_config_read(&guest, 8, 1), 'I');
	test_equal(ask_config(INPUT_ID_NAME, 1), 0);
	test_equal(ask_config(INPUT_ID_DEVIDS, 0), 8);
	test_equal(guest_config_read(&guest, 8, 2), INPUT_BUS_VIRTUAL);
	test_assert(ask_config(INPUT_EV_BITS, EV_KEY) > KEY_MICMUTE / 8);
	test_assert(config_bit(KEY_A) && config_bit(KEY_MICMUTE) && config_bit(KEY_ESC));
	test_assert(!config_bit(BTN_LEFT) && !config_bit(0));
	test_equal(ask_config(INPUT_EV_BITS, EV_LED), 1);
	test_equal(guest_config_read(&guest, 8, 1), 0x1f);
	test_equal(ask_config(INPUT_EV_BITS, EV_REP), 1);
	test_equal(ask_config(INPUT_EV_BITS, EV_REL), 0);
	test_equal(ask_config(INPUT_EV_BITS, 0), 0);
	test_equal(ask_config(INPUT_EV_BITS, 255), 0);
	test_equal(ask_config(INPUT_PROP_BITS, 0), 0);
	test_equal(ask_config(INPUT_ABS_INFO, ABS_X), 0);
	test_equal(ask_config(255, 255), 0);
	stop();
	start(&virtio_tablet);
	test_equal(ask_config(INPUT_EV_BITS, EV_ABS), 1);
	test_equal(guest_config_read(&guest, 8, 1), 3);
	test_equal(ask_config(INPUT_ABS_INFO, ABS_Y), 20);
	test_equal(guest_config_read(&guest, 8, 4), 0);
	test_equal(guest_config_read(&guest, 12, 4), 32767);
	test_equal(ask_config(INPUT_ABS_INFO, ABS_Z), 0);
	test_equal(ask_config(INPUT_EV_BITS, EV_REP), 0);
	stop();
	start(&virtio_mouse);
	test_assert(ask_config(INPUT_EV_BITS, EV_REL));
	test_assert(config_bit(REL_X) && config_bit(REL_WHEEL) && !config_bit(REL_Z));
	test_assert(ask_config(INPUT_EV_BITS, EV_KEY));
	test_assert(config_bit(BTN_LEFT) && config_bit(BTN_MIDDLE));
	stop();
	start(&virtio_touch);
	test_equal(ask_config(INPUT_PROP_BITS, 0), 1);
	test_assert(config_bit(INPUT_PROP_DIRECT) && !config_bit(INPUT_PROP_POINTER));
	test_assert(ask_config(INPUT_EV_BITS, EV_ABS));
	test_assert(config_bit(ABS_MT_SLOT) && config_bit(ABS_MT_POSITION_Y) && !config_bit(ABS_X));
	test_assert(ask_config(INPUT_ABS_INFO, ABS_MT_SLOT));
	test_equal(guest_config_read(&guest, 12, 4), PORT_TOUCHES - 1);
	test_assert(ask_config(INPUT_ABS_INFO, ABS_MT_TRACKING_ID));
	test_equal(guest_config_read(&guest, 8, 4), 0);
	test_equal(guest_config_read(&guest, 12, 4), 65535);
	stop();
	start(&virtio_gamepad);
	test_assert(ask_config(INPUT_EV_BITS, EV_KEY));
	test_assert(config_bit(BTN_SOUTH) && config_bit(BTN_THUMBR) && !config_bit(BTN_TOUCH));
	test_equal(ask_config(INPUT_EV_BITS, EV_ABS), 3);
	test_equal(guest_config_read(&guest, 8, 3), 0x3003f);
	test_assert(ask_config(INPUT_ABS_INFO, ABS_RX));
	test_equal((int32_t)guest_config_read(&guest, 8, 4), -32768);
	test_equal(guest_config_read(&guest, 20, 4), INPUT_STICK_FLAT);
	stop();
}

static void only_if_enabled(void)
{
	static const struct input_options off = { false };
	const struct device_type *const types[] = { &virtio_touch, &virtio_gamepad };

	for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
		guest_open(&guest, GUEST_MEMORY);
		guest.machine.port = &port;
		test_assert(guest_plug(&guest, types[i], &off, NULL));
		guest_reset(&guest);
		for (unsigned slot = 1; slot < PCI_SLOTS; slot++) /* 0: the bridge */
			test_assert(!guest.machine.pci->function[slot * 8]);
		guest_close(&guest);
	}
}

static void finger(int32_t slot, int32_t id)
{
	const struct port_input down[] = {
		{ INPUT_TOUCH, EV_ABS, ABS_MT_SLOT, slot }, { INPUT_TOUCH, EV_ABS, ABS_MT_TRACKING_ID, id },
		{ INPUT_TOUCH, EV_ABS, ABS_MT_POSITION_X, 10 * slot },
		{ INPUT_TOUCH, EV_ABS, ABS_MT_POSITION_Y, 20 * slot },
		{ INPUT_TOUCH, EV_SYN, SYN_REPORT, 0 },
	};
	const struct port_input up[] = { down[0], down[1], down[4] };

	send(id < 0 ? up : down, id < 0 ? 3 : 5);
}

static void finger_moves(int32_t slot, int32_t x)
{
	const struct port_input report[] = {
		{ INPUT_TOUCH, EV_ABS, ABS_MT_SLOT, slot },
		{ INPUT_TOUCH, EV_ABS, ABS_MT_POSITION_X, x },
		{ INPUT_TOUCH, EV_SYN, SYN_REPORT, 0 },
	};

	send(report, 3);
}

static void expect_finger_down(uint32_t slot, uint32_t id)
{
	expect(EV_ABS, ABS_MT_SLOT, slot);
	expect(EV_ABS, ABS_MT_TRACKING_ID, id);
	expect(EV_ABS, ABS_MT_POSITION_X, 10 * slot);
	expect(EV_ABS, ABS_MT_POSITION_Y, 20 * slot);
}

/* Ten fingers put down at once are one report, lifted at once another. */
static void ten_fingers(void)
{
	struct port_input down[64], up[64];
	unsigned n = 0, m = 0;

	for (int32_t i = 0; i < PORT_TOUCHES; i++) {
		down[n++] = up[m++] = (struct port_input){ INPUT_TOUCH, EV_ABS, ABS_MT_SLOT, i };
		down[n++] = (struct port_input){ INPUT_TOUCH, EV_ABS, ABS_MT_TRACKING_ID, 100 + i };
		down[n++] = (struct port_input){ INPUT_TOUCH, EV_ABS, ABS_MT_POSITION_X, 10 * i };
		down[n++] = (struct port_input){ INPUT_TOUCH, EV_ABS, ABS_MT_POSITION_Y, 20 * i };
		up[m++] = (struct port_input){ INPUT_TOUCH, EV_ABS, ABS_MT_TRACKING_ID, -1 };
	}
	down[n++] = up[m++] = (struct port_input){ INPUT_TOUCH, EV_SYN, SYN_REPORT, 0 };
	start(&virtio_touch);
	give(41); /* one too few */
	send(down, n);
	expect_nothing();
	give(1);
	for (unsigned i = 0; i < PORT_TOUCHES; i++)
		expect_finger_down(i, 100 + i);
	expect(EV_KEY, BTN_TOUCH, 1);
	expect(EV_SYN, SYN_REPORT, 0);
	give(22);
	send(up, m);
	for (unsigned i = 0; i < PORT_TOUCHES; i++) {
		expect(EV_ABS, ABS_MT_SLOT, i);
		expect(EV_ABS, ABS_MT_TRACKING_ID, (uint32_t)-1);
	}
	expect(EV_KEY, BTN_TOUCH, 0);
	expect(EV_SYN, SYN_REPORT, 0);
	expect_nothing();
	stop();
}

/* The driver sleeps: what moved is at its last place, what was lifted is lifted, and a finger that came
 * meanwhile is none. */
static void fingers_of_a_slow_driver(void)
{
	start(&virtio_touch);
	give(12);
	finger(0, 1);
	finger(1, 2);
	expect_finger_down(0, 1);
	expect(EV_KEY, BTN_TOUCH, 1);
	expect(EV_SYN, SYN_REPORT, 0);
	expect_finger_down(1, 2);
	expect(EV_SYN, SYN_REPORT, 0);
	for (int32_t i = 0; i < 200; i++)
		finger_moves(0, i);
	finger(1, -1);
	finger(5, 3);
	finger_moves(5, 7);
	for (unsigned i = 0; i < INPUT_BACKLOG / 3; i++) {
		give(3);
		expect(EV_ABS, ABS_MT_SLOT, 0);
		expect(EV_ABS, ABS_MT_POSITION_X, i);
		expect(EV_SYN, SYN_REPORT, 0);
		if (i == INPUT_BACKLOG / 3 - 2)
			break;
	}
	give(3);
	give(16);
	for (struct input_event_wire event; got(&event);)
		test_assert(event.type != EV_ABS || event.code != ABS_MT_SLOT || event.value < 2);
	finger(0, -1);
	finger_moves(5, 8); /* still unknown */
	expect(EV_ABS, ABS_MT_SLOT, 0);
	expect(EV_ABS, ABS_MT_TRACKING_ID, (uint32_t)-1);
	expect(EV_KEY, BTN_TOUCH, 0);
	expect(EV_SYN, SYN_REPORT, 0);
	expect_nothing();
	stop();
}

static void an_axis_keeps_its_last_place(void)
{
	struct port_input report[] = {
		{ INPUT_GAMEPAD, EV_ABS, ABS_RX, 0 }, { INPUT_GAMEPAD, EV_ABS, ABS_HAT0Y, 0 },
		{ INPUT_GAMEPAD, EV_SYN, SYN_REPORT, 0 },
	};
	struct input_event_wire event;
	int32_t stick = 0, hat = 0;

	start(&virtio_gamepad);
	for (int32_t i = 0; i < 500; i++) {
		report[0].value = -i;
		report[1].value = i & 1;
		send(report, 3);
	}
	for (unsigned i = 0; i < 300; i++) {
		give_one();
		while (got(&event)) {
			if (event.type == EV_ABS && event.code == ABS_RX)
				stick = (int32_t)event.value;
			if (event.type == EV_ABS && event.code == ABS_HAT0Y)
				hat = (int32_t)event.value;
		}
	}
	test_equal(stick, -499);
	test_equal(hat, 1);
	stop();
}

static void led_queue(uint16_t type, uint16_t code, uint32_t value)
{
	struct input_event_wire event = { type, code, value };
	struct guest_buffer buffer = { guest_put(&guest, &event, sizeof(event)), 8, false };

	guest_add(&guest, STATUS_QUEUE, &buffer, 1);
}

static void led(uint16_t type, uint16_t code, uint32_t value)
{
	led_queue(type, code, value);
	guest_kick(&guest, STATUS_QUEUE);
}

static void leds(void)
{
	start(&virtio_keyboard);
	led(EV_LED, LED_CAPSL, 1);
	test_equal(seen.leds, 1u << LED_CAPSL);
	led(EV_LED, LED_CAPSL, 1);
	test_equal(seen.told, 1);
	led(EV_LED, 40, 1); /* no such light */
	led(EV_SYN, 0, 0);
	led(EV_LED, LED_NUML, 1);
	test_equal(seen.leds, 1u << LED_CAPSL | 1u << LED_NUML);
	guest_reset(&guest);
	guest_spin(&guest);
	test_equal(seen.leds, 0);
	stop();
}

/* More than one turn's worth, and one kick. */
static void many_leds(void)
{
	uint32_t id, len;

	start(&virtio_keyboard);
	for (unsigned i = 0; i < INPUT_QUEUE_SIZE; i++)
		led_queue(EV_LED, LED_CAPSL, i + 1 == INPUT_QUEUE_SIZE);
	guest_kick(&guest, STATUS_QUEUE);
	for (unsigned i = 0; i < INPUT_QUEUE_SIZE; i++)
		test_assert(guest_used(&guest, STATUS_QUEUE, &id, &len));
	test_equal(seen.leds, 1u << LED_CAPSL);
	stop();
}

/* Whatever is typed and however slowly it is read: afterwards no key hangs, and the guest never
 * gets a report that makes no sense. */
static void no_sequence_leaves_a_key_down(void)
{
	struct input_event_wire event, last;

	for (unsigned seed = 0; seed < 50; seed++) {
		GRand *rand = g_rand_new_with_seed(seed);
		bool host[KEY_CNT] = { false }, seat[KEY_CNT] = { false };

		start_with_queue(&virtio_keyboard, 1u << g_rand_int_range(rand, 1, 7));
		last = (struct input_event_wire) { EV_SYN, SYN_REPORT, 0 };
		for (unsigned step = 0; step < 3000; step++) {
			unsigned code = (unsigned)g_rand_int_range(rand, KEY_1, KEY_1 + 20);

			if (g_rand_int_range(rand, 0, 3)) {
				seat[code] = !seat[code];
				key((uint16_t)code, seat[code]);
			} else {
				give_one();
			}
			while (got(&event)) {
				if (event.type == EV_KEY) {
					test_assert(host[event.code] != (event.value != 0));
					host[event.code] = event.value;
				} else {
					test_assert(last.type != EV_SYN);
				}
				last = event;
			}
		}
		for (unsigned code = 0; code < KEY_CNT; code++)
			if (seat[code])
				key((uint16_t)code, 0);
		for (unsigned i = 0; i < 400; i++) {
			give_one();
			while (got(&event)) {
				if (event.type == EV_KEY)
					host[event.code] = event.value;
				last = event;
			}
		}
		test_equal(last.type, EV_SYN);
		for (unsigned code = 0; code < KEY_CNT; code++)
			test_assert(!host[code]);
		stop();
		g_rand_free(rand);
	}
}

/* What a driver makes of its events. */
struct screen {
	uint32_t slot;
	bool down[PORT_TOUCHES], button;
};

static void screen_read(struct screen *screen)
{
	struct input_event_wire event;

	while (got(&event)) {
		if (event.type == EV_KEY)
			screen->button = event.value;
		if (event.type != EV_ABS)
			continue;
		if (event.code == ABS_MT_SLOT)
			screen->slot = event.value;
		else if (event.code == ABS_MT_TRACKING_ID && event.value != (uint32_t)-1)
			screen->down[screen->slot] = true;
		else
			test_assert(screen->down[screen->slot]); /* nothing of fingers unknown */
		if (event.code == ABS_MT_TRACKING_ID && event.value == (uint32_t)-1)
			screen->down[screen->slot] = false;
	}
}

static void no_sequence_leaves_a_finger_down(void)
{
	for (unsigned seed = 0; seed < 50; seed++) {
		GRand *rand = g_rand_new_with_seed(seed);
		struct screen screen = { 0 };
		bool any = false;

		start_with_queue(&virtio_touch, 1u << g_rand_int_range(rand, 1, 7));
		for (unsigned step = 0; step < 3000; step++) {
			int32_t slot = g_rand_int_range(rand, 0, PORT_TOUCHES);

			switch (g_rand_int_range(rand, 0, 6)) {
			case 0:
				finger(slot, (int32_t)step);
				break;
			case 1:
				finger(slot, -1);
				break;
			case 2:
				finger_moves(slot, (int32_t)step);
				break;
			default:
				give_one();
			}
			screen_read(&screen);
			any |= screen.button;
		}
		for (int32_t slot = 0; slot < PORT_TOUCHES; slot++)
			finger(slot, -1);
		for (unsigned i = 0; i < 400; i++) {
			give_one();
			screen_read(&screen);
		}
		for (unsigned slot = 0; slot < PORT_TOUCHES; slot++)
			test_assert(!screen.down[slot]);
		test_assert(!screen.button);
		test_assert(any || report_longest((struct input *)guest_events_device) < 8);
		stop();
		g_rand_free(rand);
	}
}

int main(void)
{
	test_run(long_frame);
	test_run(long_frame_short_ring);
	test_run(whole_reports_or_nothing);
	test_run(releases_are_never_lost);
	test_run(motion_adds_up);
	test_run(only_what_it_has);
	test_run(reset_forgets);
	test_run(small_buffer);
	test_run(buffer_in_pieces);
	test_run(configuration);
	test_run(only_if_enabled);
	test_run(ten_fingers);
	test_run(fingers_of_a_slow_driver);
	test_run(an_axis_keeps_its_last_place);
	test_run(leds);
	test_run(many_leds);
	test_run(no_sequence_leaves_a_key_down);
	test_run(no_sequence_leaves_a_finger_down);
	return 0;
}
