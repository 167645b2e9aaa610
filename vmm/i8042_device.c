/*
 * The keyboard controller among its ports: keys and motion of the seats go to PS/2 for as long as
 * the guest's virtio drivers are not up, and never to both.
 *
 * Without PS/2 (a kernel that is booted directly is told by ACPI that there is none, and saves itself
 * half a second of looking) its command port still resets the machine.
 */
#define G_LOG_DOMAIN "irori-i8042"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <string.h>

#include "vmm/acpi.h"
#include "vmm/error.h"
#include "vmm/i8042.h"
#include "vmm/kvm.h"
#include "vmm/machine.h"

enum {
	PS2_AUTO,
	PS2_YES,
	PS2_NO,

	PULSE_RESET = 0xfe,
	TABLET_RANGE = 32768,
	TABLET_PIXELS = 1024, /* how far a mouse goes for the tablet's whole range */
};

struct i8042_config {
	unsigned enabled;
};

struct i8042_device {
	struct device device;
	struct machine *machine;
	struct region data, command;
	struct i8042 i8042;
	bool enabled;
	gint leds;       /* as the port is to be told */
	GSource *tell;   /* on the seat thread, as the next one */
	GSource *repeat; /* armed while a key is held */
	/* The seat thread's: where the tablet was, in pixels of the mouse; -1: not known. */
	int32_t tablet[2];
	int32_t wheel;
};

static const char *const enabled_values[] = { "auto", "yes", "no", NULL };

static const struct property i8042_properties[] = {
	{ .key = "Enabled", .type = PROPERTY_ENUM, .offset = offsetof(struct i8042_config, enabled),
		.fallback = "auto", .values = enabled_values,
		.help = "a PS/2 keyboard and mouse; auto: when a firmware boots the guest" },
	{ 0 },
};

static void on_interrupt(void *owner, unsigned irq, bool level)
{
	struct i8042_device *ps2 = owner;

	if (ps2->machine->kvm)
		kvm_irq_line(ps2->machine->kvm, irq, level);
}

static void on_reset(void *owner)
{
	machine_request(((struct i8042_device *)owner)->machine, MACHINE_RESET,
		"keyboard controller (0x64)");
}

static void on_leds(void *owner, uint8_t leds)
{
	struct i8042_device *ps2 = owner;
	unsigned told = (leds & 1 ? 1u << LED_SCROLLL : 0) | (leds & 2 ? 1u << LED_NUML : 0) |
		(leds & 4 ? 1u << LED_CAPSL : 0);

	g_atomic_int_set(&ps2->leds, (gint)told);
	if (ps2->tell)
		g_source_set_ready_time(ps2->tell, 0);
}

static const struct i8042_ops i8042_device_ops = {
	.interrupt = on_interrupt,
	.reset = on_reset,
	.leds = on_leds,
};

static gboolean leds_tell(GSource *source, GSourceFunc callback, gpointer data)
{
	struct i8042_device *ps2 = data;

	g_source_set_ready_time(source, -1);
	if (!machine_input_is_taken(ps2->machine, INPUT_KEYBOARD))
		ps2->machine->port->ops->leds(ps2->machine->port,
			(uint32_t)g_atomic_int_get(&ps2->leds));
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs tell_funcs = { .dispatch = leds_tell };

/* A PS/2 keyboard repeats by itself, and systems count on it. */
static void repeat_arm(struct i8042_device *ps2, bool first)
{
	int64_t us = i8042_repeat(&ps2->i8042, first);

	g_source_set_ready_time(ps2->repeat, us < 0 ? -1 : g_get_monotonic_time() + us);
}

static gboolean repeat_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	repeat_arm(data, false);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs repeat_funcs = { .dispatch = repeat_dispatch };

/* From the seats */

static bool button_of(unsigned code, unsigned *button)
{
	static const uint16_t codes[] = { BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA };

	for (*button = 0; *button < G_N_ELEMENTS(codes); (*button)++)
		if (codes[*button] == code)
			return true;
	return false;
}

static void on_key(struct i8042_device *ps2, const struct port_input *event)
{
	unsigned button;

	if (event->value > 1)
		return; /* repetitions are the keyboard's */
	if (event->device == INPUT_KEYBOARD) {
		i8042_key(&ps2->i8042, event->code, event->value);
		if (event->value)
			repeat_arm(ps2, true);
	} else if (button_of(event->code, &button)) {
		i8042_button(&ps2->i8042, button, event->value);
	}
}

static void on_relative(struct i8042_device *ps2, const struct port_input *event)
{
	if (event->code == REL_X)
		i8042_move(&ps2->i8042, event->value, 0, 0);
	else if (event->code == REL_Y)
		i8042_move(&ps2->i8042, 0, event->value, 0);
	else if (event->code == REL_WHEEL)
		i8042_move(&ps2->i8042, 0, 0, event->value);
}

/* A mouse only knows motion: the tablet's places become differences, which a system with pointer
 * acceleration follows roughly. */
static void on_absolute(struct i8042_device *ps2, const struct port_input *event)
{
	unsigned axis = event->code == ABS_Y;
	int32_t at = CLAMP(event->value, 0, TABLET_RANGE - 1) * TABLET_PIXELS / TABLET_RANGE;
	int32_t by = ps2->tablet[axis] < 0 ? 0 : at - ps2->tablet[axis];

	if (event->code != ABS_X && event->code != ABS_Y)
		return;
	ps2->tablet[axis] = at;
	i8042_move(&ps2->i8042, axis ? 0 : by, axis ? by : 0, 0);
}

static void on_input(void *data, const struct port_input *events, unsigned n)
{
	struct i8042_device *ps2 = data;

	for (unsigned i = 0; i < n; i++) {
		if (events[i].type == EV_SYN)
			i8042_report(&ps2->i8042);
		else if (events[i].device > INPUT_MOUSE || /* PS/2 has no fingers and no pads */
			machine_input_is_taken(ps2->machine, events[i].device))
			continue;
		else if (events[i].type == EV_KEY)
			on_key(ps2, &events[i]);
		else if (events[i].type == EV_REL)
			on_relative(ps2, &events[i]);
		else if (events[i].type == EV_ABS)
			on_absolute(ps2, &events[i]);
	}
}

static const struct seat_port_events i8042_events = { .input = on_input };

/* A driver is up that gets this device's events from now on: nothing stays down behind it. */
static void on_taken(void *data, enum input_device which)
{
	struct i8042_device *ps2 = data;

	if (which == INPUT_KEYBOARD) {
		i8042_release_keys(&ps2->i8042);
		return;
	}
	for (unsigned button = 0; button < 5; button++)
		i8042_button(&ps2->i8042, button, false);
	i8042_report(&ps2->i8042);
}

/* Ports */

static uint64_t data_read(void *owner, uint64_t offset, unsigned size)
{
	return i8042_read(&((struct i8042_device *)owner)->i8042, I8042_DATA);
}

static void data_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	i8042_write(&((struct i8042_device *)owner)->i8042, I8042_DATA, (uint8_t)value);
}

/* Without PS/2, status reads 0: nothing to read, ready for a command. */
static uint64_t command_read(void *owner, uint64_t offset, unsigned size)
{
	struct i8042_device *ps2 = owner;

	return ps2->enabled ? i8042_read(&ps2->i8042, I8042_COMMAND) : 0;
}

static void command_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct i8042_device *ps2 = owner;

	if (ps2->enabled)
		i8042_write(&ps2->i8042, I8042_COMMAND, (uint8_t)value);
	else if ((uint8_t)value == PULSE_RESET)
		on_reset(ps2);
}

static const struct region_ops data_ops = { data_read, data_write };
static const struct region_ops command_ops = { command_read, command_write };

/* The device */

static void ps2_reset(struct device *device)
{
	i8042_reset(&((struct i8042_device *)device)->i8042);
}

static void ps2_state(struct device *device, struct state *state)
{
	i8042_state(&((struct i8042_device *)device)->i8042, state);
}

static void source_clear(GSource *source)
{
	if (!source)
		return;
	g_source_destroy(source);
	g_source_unref(source);
}

static void ps2_destroy(struct device *device)
{
	struct i8042_device *ps2 = (struct i8042_device *)device;

	bus_remove(ps2->machine->pio, &ps2->data);
	bus_remove(ps2->machine->pio, &ps2->command);
	source_clear(ps2->tell);
	source_clear(ps2->repeat);
	i8042_clear(&ps2->i8042);
	g_free(ps2);
}

static GSource *source_new(struct i8042_device *ps2, GSourceFuncs *funcs)
{
	GSource *source = g_source_new(funcs, sizeof(GSource));

	g_source_set_callback(source, NULL, ps2, NULL);
	g_source_set_ready_time(source, -1);
	g_source_attach(source, ps2->machine->seat_context);
	return source;
}

static void ps2_join(struct i8042_device *ps2)
{
	struct machine *machine = ps2->machine;

	ps2->tell = source_new(ps2, &tell_funcs);
	ps2->repeat = source_new(ps2, &repeat_funcs);
	machine_seat_events(machine, &i8042_events, ps2);
	machine_input_watch(machine, on_taken, ps2);
}

static struct device *ps2_create(struct machine *machine, const char *instance, const void *data,
	GError **error)
{
	const struct i8042_config *config = data;
	struct i8042_device *ps2 = g_new0(struct i8042_device, 1);

	*ps2 = (struct i8042_device){
		.device = { .reset = ps2_reset, .state = ps2_state, .destroy = ps2_destroy },
		.machine = machine,
		.data = { .name = "i8042 data", .base = I8042_DATA, .len = 1, .ops = &data_ops,
			.owner = ps2 },
		.command = { .name = "i8042", .base = I8042_COMMAND, .len = 1,
			.ops = &command_ops, .owner = ps2 },
		.enabled = config->enabled == PS2_YES ||
			(config->enabled == PS2_AUTO && machine->config->firmware),
		.tablet = { -1, -1 },
	};
	i8042_init(&ps2->i8042, &i8042_device_ops, ps2);
	if (bus_add(machine->pio, &ps2->command) == 0 &&
		(!ps2->enabled || bus_add(machine->pio, &ps2->data) == 0)) {
		if (ps2->enabled) {
			acpi_present(machine, ACPI_I8042);
			ps2_join(ps2);
		}
		return &ps2->device;
	}
	fail(error, "[Ps2]: its ports are taken");
	ps2_destroy(&ps2->device);
	return NULL;
}

static const struct device_type ps2_type = {
	.section = "Ps2",
	.help = "keyboard and mouse for systems without virtio drivers: ports 0x60, 0x64",
	.always = true,
	.single = true,
	.properties = i8042_properties,
	.config_size = sizeof(struct i8042_config),
	.create = ps2_create,
};
DEVICE_REGISTER(ps2_type);
