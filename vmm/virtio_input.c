/*
 * virtio-input: the keyboard, the tablet (absolute pointer), the mouse and the touch screen that every
 * guest has, whatever is plugged in at its seats, and a gamepad if it wants one. Reports go to the guest whole or not at all; what a slow
 * driver makes us hold back is in input_backlog.c.
 *
 * Source: virtio 1.2, section 5.8.
 */
#define G_LOG_DOMAIN "virtio-input"

#include <string.h>

#include "display/port.h"
#include "vmm/input_backlog.h"
#include "vmm/machine.h"
#include "vmm/state.h"
#include "vmm/virtio_pci.h"

enum input_queues { EVENT_QUEUE, STATUS_QUEUE, INPUT_QUEUES };

enum {
	INPUT_QUEUE_SIZE = 64,
	INPUT_TURN_STATUS = 32, /* then others on the seat thread have theirs */
	INPUT_BITMAP = 128,
	INPUT_STICK_FLAT = 128,
	INPUT_BUS_VIRTUAL = 6,
};

/* 5.8.4 */
enum input_select {
	INPUT_ID_NAME = 0x01,
	INPUT_ID_SERIAL = 0x02,
	INPUT_ID_DEVIDS = 0x03,
	INPUT_PROP_BITS = 0x10,
	INPUT_EV_BITS = 0x11,
	INPUT_ABS_INFO = 0x12,
};

struct input_config_space {
	uint8_t select, subsel, size, reserved[5];
	union {
		char string[INPUT_BITMAP];
		uint8_t bitmap[INPUT_BITMAP];
		struct {
			uint32_t min, max, fuzz, flat, res;
		} abs;
		struct {
			uint16_t bus, vendor, product, version;
		} ids;
	} u;
};

/* Codes first..last of an event type. */
struct input_range {
	uint16_t type, first, last;
};

struct input_kind {
	enum input_device which;
	const char *name;
	uint16_t product;
	uint8_t pci_subclass;
	struct input_range range[8]; /* ends with last 0 */
	bool repeats; /* EV_REP: the guest repeats held keys by itself */
	bool direct;  /* INPUT_PROP_DIRECT: a finger touches what it sees */
};

static const struct input_kind kinds[INPUT_DEVICES] = {
	[INPUT_KEYBOARD] = {
		.which = INPUT_KEYBOARD, .name = "Irori keyboard", .product = 1,
		.range = {
			/* Without the BTN_ ranges: a keyboard with buttons is taken for a mouse. */
			{ EV_KEY, KEY_ESC, BTN_MISC - 1 },
			{ EV_KEY, KEY_OK, KEY_LIGHTS_TOGGLE },
			{ EV_LED, LED_NUML, LED_KANA },
		},
		.repeats = true,
	},
	[INPUT_TABLET] = {
		.which = INPUT_TABLET, .name = "Irori tablet", .product = 2, .pci_subclass = 0x80,
		.range = {
			{ EV_KEY, BTN_LEFT, BTN_TASK },
			{ EV_REL, REL_HWHEEL, REL_HWHEEL },
			{ EV_REL, REL_WHEEL, REL_WHEEL },
			{ EV_REL, REL_WHEEL_HI_RES, REL_HWHEEL_HI_RES },
			{ EV_ABS, ABS_X, ABS_Y },
		},
	},
	[INPUT_MOUSE] = {
		.which = INPUT_MOUSE, .name = "Irori mouse", .product = 3, .pci_subclass = 0x02,
		.range = {
			{ EV_KEY, BTN_LEFT, BTN_TASK },
			{ EV_REL, REL_X, REL_Y },
			{ EV_REL, REL_HWHEEL, REL_HWHEEL },
			{ EV_REL, REL_WHEEL, REL_WHEEL },
			{ EV_REL, REL_WHEEL_HI_RES, REL_HWHEEL_HI_RES },
		},
	},
	[INPUT_TOUCH] = {
		.which = INPUT_TOUCH, .name = "Irori touch screen", .product = 4,
		.range = {
			{ EV_KEY, BTN_TOUCH, BTN_TOUCH },
			{ EV_ABS, ABS_MT_SLOT, ABS_MT_SLOT },
			{ EV_ABS, ABS_MT_POSITION_X, ABS_MT_POSITION_Y },
			{ EV_ABS, ABS_MT_TRACKING_ID, ABS_MT_TRACKING_ID },
		},
		.direct = true,
	},
	[INPUT_GAMEPAD] = {
		.which = INPUT_GAMEPAD, .name = "Irori gamepad", .product = 5,
		.range = {
			{ EV_KEY, BTN_SOUTH, BTN_THUMBR },
			{ EV_KEY, BTN_TRIGGER_HAPPY1, BTN_TRIGGER_HAPPY1 },
			{ EV_ABS, ABS_X, ABS_RZ },
			{ EV_ABS, ABS_HAT0X, ABS_HAT0Y },
		},
	},
};

/* A driver's buffer for one event, which may lie in as many pieces as it has bytes. */
struct event_slot {
	uint16_t head;
	unsigned n;
	struct iovec part[sizeof(struct input_event_wire)];
};

struct input {
	struct virtio_device dev; /* first */
	struct device device;
	struct machine *machine;
	const struct input_kind *kind;
	struct seat_port *port;
	uint8_t select, subsel;
	struct input_backlog backlog;
	/* Taken from the ring until there are enough for a report. */
	struct event_slot slot[INPUT_QUEUE_SIZE];
	unsigned n_slots;
	uint32_t leds, leds_told;
	GSource *wake; /* a reset changed the LEDs, or there is more status */
};

static struct input *input_of(struct virtio_device *dev)
{
	return (struct input *)dev;
}

static bool kind_has(const struct input_kind *kind, uint16_t type, uint16_t code)
{
	for (const struct input_range *range = kind->range; range->last; range++)
		if (range->type == type && code >= range->first && code <= range->last)
			return true;
	return false;
}

/* Configuration */

static uint8_t config_bits(const struct input_kind *kind, uint16_t type, uint8_t *bitmap)
{
	uint8_t size = 0;

	for (const struct input_range *range = kind->range; range->last; range++) {
		for (unsigned i = range->first; range->type == type && i <= range->last; i++) {
			bitmap[i / 8] |= (uint8_t)(1u << i % 8);
			size = MAX(size, (uint8_t)(i / 8 + 1));
		}
	}
	if (type == EV_REP && kind->repeats)
		size = 1; /* it is there; it has no bits */
	return size;
}

static uint8_t config_axis(const struct input_kind *kind, uint8_t code,
	struct input_config_space *space)
{
	int32_t min = 0, max = 0;

	port_axis(kind->which, code, &min, &max);
	/* -1, lifted, is no number of a finger. */
	space->u.abs.min = code == ABS_MT_TRACKING_ID ? 0 : (uint32_t)min;
	space->u.abs.max = (uint32_t)max;
	space->u.abs.flat = min == PORT_STICK_MIN ? INPUT_STICK_FLAT : 0;
	return sizeof(space->u.abs);
}

static uint8_t config_text(char *string, const char *text)
{
	size_t len = strlen(text);

	memcpy(string, text, len);
	return (uint8_t)len;
}

static void config_fill(const struct input *input, struct input_config_space *space)
{
	const struct input_kind *kind = input->kind;

	memset(space, 0, sizeof(*space));
	space->select = input->select;
	space->subsel = input->subsel;
	if (input->select == INPUT_EV_BITS && input->subsel != EV_SYN)
		space->size = config_bits(kind, input->subsel, space->u.bitmap);
	if (input->select == INPUT_ABS_INFO && kind_has(kind, EV_ABS, input->subsel))
		space->size = config_axis(kind, input->subsel, space);
	if (input->subsel)
		return; /* the others have none */
	if (input->select == INPUT_PROP_BITS && kind->direct) {
		space->u.bitmap[0] = 1 << INPUT_PROP_DIRECT;
		space->size = 1;
	}
	if (input->select == INPUT_ID_NAME)
		space->size = config_text(space->u.string, kind->name);
	if (input->select == INPUT_ID_SERIAL)
		space->size = config_text(space->u.string, "1");
	if (input->select == INPUT_ID_DEVIDS) {
		space->u.ids.bus = INPUT_BUS_VIRTUAL;
		space->u.ids.vendor = 0x4952;
		space->u.ids.product = kind->product;
		space->u.ids.version = 1;
		space->size = sizeof(space->u.ids);
	}
}

static void input_config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned len)
{
	struct input_config_space space;

	config_fill(input_of(dev), &space);
	memcpy(to, (char *)&space + offset, len);
}

static void input_config_write(struct virtio_device *dev, unsigned offset, const void *from,
	unsigned len)
{
	struct input *input = input_of(dev);
	const uint8_t *byte = from;

	for (unsigned i = 0; i < len; i++) {
		if (offset + i == offsetof(struct input_config_space, select))
			input->select = byte[i];
		if (offset + i == offsetof(struct input_config_space, subsel))
			input->subsel = byte[i];
	}
}

/* Events to the guest */

static bool slot_fill(struct event_slot *slot, const struct vq_chain *chain)
{
	size_t room = sizeof(struct input_event_wire);

	slot->head = chain->head;
	slot->n = 0;
	for (unsigned i = 0; i < chain->n_in && room; i++) {
		struct iovec part = chain->segment[chain->n_out + i];

		part.iov_len = MIN(part.iov_len, room);
		room -= part.iov_len;
		if (part.iov_len)
			slot->part[slot->n++] = part;
	}
	return room == 0;
}

static bool slots_have(struct input *input, unsigned n)
{
	struct vq_chain chain;

	while (input->n_slots < n) {
		if (virtio_pop(&input->dev, EVENT_QUEUE, &chain) != 1)
			return false;
		if (!slot_fill(&input->slot[input->n_slots], &chain)) {
			virtio_needs_reset(&input->dev, "a buffer too small for an event");
			return false;
		}
		input->n_slots++;
	}
	return true;
}

static void slot_send(struct input *input, struct event_slot *slot,
	const struct input_event_wire *event)
{
	const uint8_t *from = (const uint8_t *)event;

	for (unsigned i = 0; i < slot->n; i++) {
		memcpy(slot->part[i].iov_base, from, slot->part[i].iov_len);
		from += slot->part[i].iov_len;
	}
	virtio_push(&input->dev, EVENT_QUEUE, slot->head, sizeof(*event));
}

/* A report can at most be as long as the ring that the driver chose. */
static unsigned report_longest(const struct input *input)
{
	return MIN(input->dev.queue[EVENT_QUEUE].size, INPUT_QUEUE_SIZE);
}

static void input_flush(struct input *input)
{
	bool sent = false;
	unsigned n;

	while ((n = input_backlog_first(&input->backlog, report_longest(input))) != 0) {
		if (!slots_have(input, n))
			break;
		for (unsigned i = 0; i < n; i++)
			slot_send(input, &input->slot[i], &input->backlog.event[i]);
		input_backlog_drop(&input->backlog, n);
		input->n_slots -= n;
		memmove(input->slot, input->slot + n, input->n_slots * sizeof(input->slot[0]));
		sent = true;
	}
	if (sent)
		virtio_interrupt(&input->dev, EVENT_QUEUE);
}

/* Events of one report that are for this device and that it has, with the SYN_REPORT. */
static void report_take(struct input *input, const struct port_input *events, unsigned n)
{
	struct input_event_wire report[INPUT_QUEUE_SIZE];
	unsigned len = 0;

	for (unsigned i = 0; i < n; i++) {
		bool syn = events[i].type == EV_SYN;

		if (events[i].device != input->kind->which ||
		    (!syn && !kind_has(input->kind, events[i].type, events[i].code)))
			continue;
		/* What does not fit is left for a report of its own, but for its SYN_REPORT. */
		if (!syn && len == G_N_ELEMENTS(report) - 1) {
			report[len++] = (struct input_event_wire) { EV_SYN, SYN_REPORT, 0 };
			input_backlog_add(&input->backlog, report, len, report_longest(input));
			len = 0;
		}
		report[len++] = (struct input_event_wire) { events[i].type, events[i].code,
			(uint32_t)events[i].value };
		if (!syn)
			continue;
		if (len > 1)
			input_backlog_add(&input->backlog, report, len, report_longest(input));
		len = 0;
	}
}

static void on_input(void *data, const struct port_input *events, unsigned n)
{
	struct input *input = data;

	g_mutex_lock(&input->dev.lock);
	/* A guest whose driver is not up has no keyboard yet. */
	if (input->dev.status & VIRTIO_DRIVER_OK && input->dev.queue[EVENT_QUEUE].ready &&
	    !(input->dev.status & VIRTIO_NEEDS_RESET)) {
		report_take(input, events, n);
		input_flush(input);
	}
	g_mutex_unlock(&input->dev.lock);
}

static const struct seat_port_events input_events = { .input = on_input };

/* Status from the guest */

static void leds_tell(struct input *input)
{
	if (input->leds == input->leds_told)
		return;
	input->leds_told = input->leds;
	input->port->ops->leds(input->port, input->leds);
}

static void status_run(struct input *input)
{
	unsigned left = INPUT_TURN_STATUS;
	struct vq_chain chain;

	while (left && virtio_pop(&input->dev, STATUS_QUEUE, &chain) == 1) {
		struct input_event_wire event;

		left--;
		if (chain_read(&chain, 0, &event, sizeof(event)) == sizeof(event) &&
		    event.type == EV_LED && kind_has(input->kind, EV_LED, event.code))
			input->leds = event.value ? input->leds | 1u << event.code :
				input->leds & ~(1u << event.code);
		virtio_push(&input->dev, STATUS_QUEUE, chain.head, 0);
	}
	virtio_interrupt(&input->dev, STATUS_QUEUE);
	leds_tell(input);
	if (!left)
		g_source_set_ready_time(input->wake, 0); /* the driver need not kick for the rest */
}

static void input_kick(struct virtio_device *dev, unsigned q)
{
	if (q == EVENT_QUEUE)
		input_flush(input_of(dev));
	else
		status_run(input_of(dev));
}

static gboolean input_woken(gpointer data)
{
	struct input *input = data;

	g_mutex_lock(&input->dev.lock);
	g_source_set_ready_time(input->wake, -1);
	leds_tell(input);
	if (input->dev.status & VIRTIO_DRIVER_OK && !(input->dev.status & VIRTIO_NEEDS_RESET))
		status_run(input);
	g_mutex_unlock(&input->dev.lock);
	return G_SOURCE_CONTINUE;
}

static void input_activate(struct virtio_device *dev)
{
	struct input *input = input_of(dev);

	machine_input_taken(input->machine, input->kind->which, true);
}

static void input_reset(struct virtio_device *dev)
{
	struct input *input = input_of(dev);

	if (input->machine)
		machine_input_taken(input->machine, input->kind->which, false);
	input_backlog_clear(&input->backlog);
	input->n_slots = 0;
	input->select = input->subsel = 0;
	input->leds = 0;
	if (input->wake)
		g_source_set_ready_time(input->wake, 0);
}

#define INPUT_OPS(subclass)                                                                        \
	{                                                                                          \
		.name = "virtio-input", .id = 18, .pci_class = 0x09, .pci_subclass = (subclass),   \
		.n_queues = INPUT_QUEUES,                                                          \
		.queue_size = { INPUT_QUEUE_SIZE, INPUT_QUEUE_SIZE },                              \
		.config_len = sizeof(struct input_config_space),                                   \
		.activate = input_activate, .reset = input_reset, .kick = input_kick,              \
		.config_read = input_config_read, .config_write = input_config_write,              \
	}

static const struct virtio_ops input_ops[INPUT_DEVICES] = {
	[INPUT_KEYBOARD] = INPUT_OPS(0x00),
	[INPUT_TABLET] = INPUT_OPS(0x80),
	[INPUT_MOUSE] = INPUT_OPS(0x02),
	[INPUT_TOUCH] = INPUT_OPS(0x80),
	[INPUT_GAMEPAD] = INPUT_OPS(0x80),
};

/* The devices */

static struct input *input_of_device(struct device *device)
{
	return (struct input *)((char *)device - offsetof(struct input, device));
}

static void input_device_reset(struct device *device)
{
	virtio_pci_reset(&input_of_device(device)->dev);
}

static void input_drain(struct device *device)
{
	struct input *input = input_of_device(device);

	g_mutex_lock(&input->dev.lock);
	virtio_unpop(&input->dev, EVENT_QUEUE, input->n_slots);
	input->n_slots = 0;
	g_mutex_unlock(&input->dev.lock);
}

/* The seats of the guest that is loaded hold nothing: its first report lets go of what is down. */
static void input_state(struct device *device, struct state *state)
{
	struct input *input = input_of_device(device);

	virtio_state(&input->dev, state);
	STATE(state, input->select);
	STATE(state, input->subsel);
	STATE(state, input->leds);
	STATE(state, input->backlog.down);
	STATE(state, input->backlog.fingers);
	STATE(state, input->backlog.slot);
	if (!state_loading(state) || state_failed(state))
		return;
	if (input->backlog.fingers >> PORT_TOUCHES || input->backlog.slot >= PORT_TOUCHES) {
		state_fail(state, "fingers %#x, slot %u", input->backlog.fingers,
			input->backlog.slot);
		return;
	}
	input_backlog_release(&input->backlog);
	for (unsigned code = 0; input->kind->which == INPUT_GAMEPAD && code < PORT_PAD_AXES; code++)
		if (kind_has(input->kind, EV_ABS, (uint16_t)code))
			input_backlog_axis(&input->backlog, code, 0);
	g_source_set_ready_time(input->wake, 0);
}

static void input_destroy(struct device *device)
{
	struct input *input = input_of_device(device);

	virtio_detach_pci(&input->dev);
	g_source_destroy(input->wake);
	g_source_unref(input->wake);
	virtio_clear(&input->dev);
	g_free(input);
}

static gboolean wake_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs input_wake_funcs = { .dispatch = wake_dispatch };

static struct device *input_create(struct machine *machine, const struct device_type *type,
	enum input_device which, const char *instance, GError **error)
{
	struct input *input = g_new0(struct input, 1);

	virtio_init(&input->dev, &input_ops[which], machine->memory, machine->seat_context);
	input->device = (struct device) {
		.type = type,
		.instance = instance,
		.reset = input_device_reset,
		.drain = input_drain,
		.state = input_state,
		.destroy = input_destroy,
	};
	input->machine = machine;
	input->kind = &kinds[which];
	input->port = machine->port;
	input->wake = g_source_new(&input_wake_funcs, sizeof(GSource));
	g_source_set_callback(input->wake, input_woken, input, NULL);
	g_source_set_ready_time(input->wake, -1);
	g_source_attach(input->wake, machine->seat_context);
	if (!virtio_attach_pci(machine, &input->dev, error)) {
		input_destroy(&input->device);
		return NULL;
	}
	machine_seat_events(machine, &input_events, input);
	return &input->device;
}

/* A device that the configuration does without. */

static void absent_destroy(struct device *device)
{
	g_free(device);
}

static struct device *absent_new(const struct device_type *type, const char *instance)
{
	struct device *device = g_new0(struct device, 1);

	*device = (struct device) { .type = type, .instance = instance,
		.destroy = absent_destroy };
	return device;
}

struct input_options {
	bool enabled;
};

#define INPUT_ENABLED(by_default, text)                                                            \
	{                                                                                          \
		{ .key = "Enabled", .type = PROPERTY_BOOL,                                         \
			.offset = offsetof(struct input_options, enabled),                         \
			.fallback = by_default, .help = text },                                    \
		{ 0 },                                                                             \
	}

static const struct property touch_properties[] =
	INPUT_ENABLED("yes", "no: fingers at the seat's screen do nothing in this guest");
static const struct property gamepad_properties[] =
	INPUT_ENABLED("no", "yes: a pad that seats' gamepads play on, whatever their make");

/* table NULL: always there. */
#define INPUT_TYPE(noun, which, title, text, table, size)                                          \
	static struct device *noun##_create(struct machine *machine, const char *instance,         \
		const void *config, GError **error);                                               \
	static const struct device_type virtio_##noun = {                                          \
		.section = title, .help = text, .always = true, .single = true,                    \
		.properties = table, .config_size = size, .create = noun##_create,                 \
	};                                                                                         \
	DEVICE_REGISTER(virtio_##noun);                                                            \
	static struct device *noun##_create(struct machine *machine, const char *instance,         \
		const void *config, GError **error)                                                \
	{                                                                                          \
		const struct input_options *options = config;                                      \
                                                                                                   \
		if (virtio_##noun.properties && !options->enabled)                                 \
			return absent_new(&virtio_##noun, instance);                               \
		return input_create(machine, &virtio_##noun, which, instance, error);              \
	}                                                                                          \
	struct device /* so that a semicolon may follow */

INPUT_TYPE(keyboard, INPUT_KEYBOARD, "Keyboard", "The keyboard: virtio-input", NULL, 0);
INPUT_TYPE(tablet, INPUT_TABLET, "Tablet", "The absolute pointer: virtio-input", NULL, 0);
INPUT_TYPE(mouse, INPUT_MOUSE, "Mouse", "The relative pointer: virtio-input", NULL, 0);
INPUT_TYPE(touch, INPUT_TOUCH, "Touch", "The touch screen, ten fingers: virtio-input",
	touch_properties, sizeof(struct input_options));
INPUT_TYPE(gamepad, INPUT_GAMEPAD, "Gamepad", "A gamepad: virtio-input", gamepad_properties,
	sizeof(struct input_options));
