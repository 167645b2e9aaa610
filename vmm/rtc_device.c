/*
 * The clock in the machine: ports 0x70 and 0x71, interrupt 8, a timer on the main thread, and what
 * firmware reads from CMOS memory: how much RAM there is, what to boot from, how many processors.
 *
 * There is no HPET: every guest that could use one has a better clock here (kvm-clock, the TSC,
 * Hyper-V's reference counter, the ACPI timer), and its main counter would be an exit a read.
 */
#define G_LOG_DOMAIN "irori-rtc"

#include <errno.h>

#include "vmm/machine.h"
#include "vmm/error.h"
#include "vmm/rtc.h"
#include "vmm/state.h"

enum rtc_device_layout {
	PORT_RTC = 0x70,
	RTC_GSI = 8,
	INDEX_MASK = 0x7f, /* bit 7 keeps NMIs away */
};

/* Bytes of memory, as SeaBIOS and EDK II read them. */
enum cmos_layout {
	CMOS_EQUIPMENT = 0x14,
	CMOS_BASE_KB = 0x15,
	CMOS_EXTENDED_KB = 0x17,
	CMOS_EXTENDED_KB_AGAIN = 0x30,
	CMOS_ABOVE_16M = 0x34,  /* in 64 KiB */
	CMOS_BOOT_THIRD = 0x38, /* upper half */
	CMOS_BOOT_FIRST = 0x3d, /* lower half the first, upper half the second */
	CMOS_ABOVE_4G = 0x5b,   /* in 64 KiB, three bytes */
	CMOS_PROCESSORS = 0x5f, /* less one */

	EQUIPMENT_FPU = 0x02,
	EQUIPMENT_PS2_MOUSE = 0x04,
	BASE_KB = 640,
	BOOT_DISK = 2,
	BOOT_CD = 3,
	BOOT_NET = 4,
	NO_FLOPPY_CHECK = 1,
};

struct rtc_config {
	unsigned base;
};

struct rtc_device {
	struct device device;
	struct machine *machine;
	struct region region;
	GSource *source;
	GMutex lock; /* of what follows */
	struct rtc rtc;
	uint8_t index;
};

static const char *const base_choices[] = { "utc", "localtime", NULL };

static const struct property rtc_properties[] = {
	{ "Base", PROPERTY_ENUM, offsetof(struct rtc_config, base), "utc",
		"what the hardware clock shows; Windows expects localtime", .values = base_choices },
	{ 0 }
};

static int64_t wall_clock(void)
{
	return g_get_real_time() * 1000;
}

/* Under the lock, after whatever may have changed it. */
static void timer_arm(struct rtc_device *clock)
{
	int64_t ns = rtc_advance(&clock->rtc);

	g_source_set_ready_time(clock->source, ns < 0 ? -1 : g_get_monotonic_time() + ns / 1000 + 1);
}

static gboolean rtc_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	struct rtc_device *clock = data;

	g_mutex_lock(&clock->lock);
	timer_arm(clock);
	g_mutex_unlock(&clock->lock);
	return G_SOURCE_CONTINUE;
}

static gboolean rtc_callback(gpointer data)
{
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs rtc_funcs = {
	.dispatch = rtc_dispatch,
};

static void rtc_interrupt(void *owner, bool level)
{
	machine_irq(((struct rtc_device *)owner)->machine, RTC_GSI, level);
}

static uint64_t port_read(void *owner, uint64_t offset, unsigned size)
{
	struct rtc_device *clock = owner;
	uint8_t value;

	if (offset == 0)
		return 0xff; /* the index cannot be read back */
	g_mutex_lock(&clock->lock);
	value = rtc_read(&clock->rtc, clock->index);
	if (clock->index == RTC_C)
		timer_arm(clock);
	g_mutex_unlock(&clock->lock);
	return value;
}

static void port_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct rtc_device *clock = owner;

	g_mutex_lock(&clock->lock);
	if (offset == 0) {
		clock->index = value & INDEX_MASK;
	} else {
		rtc_write(&clock->rtc, clock->index, (uint8_t)value);
		timer_arm(clock);
	}
	g_mutex_unlock(&clock->lock);
}

static const struct region_ops port_ops = {
	.read = port_read,
	.write = port_write,
};

static void cmos_put(struct rtc_device *clock, unsigned index, uint64_t value, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		clock->rtc.ram[index + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t above(uint64_t len, uint64_t base)
{
	return len > base ? len - base : 0;
}

static void cmos_fill(struct rtc_device *clock)
{
	const struct memory_part *low = memory_part(clock->machine->memory, 0);
	const struct memory_part *high = memory_part(clock->machine->memory, 1);
	uint64_t extended = MIN(above(low->len, 1 << 20) >> 10, 0xffff);

	cmos_put(clock, CMOS_EQUIPMENT, EQUIPMENT_FPU | EQUIPMENT_PS2_MOUSE, 1);
	cmos_put(clock, CMOS_BASE_KB, BASE_KB, 2);
	cmos_put(clock, CMOS_EXTENDED_KB, extended, 2);
	cmos_put(clock, CMOS_EXTENDED_KB_AGAIN, extended, 2);
	cmos_put(clock, CMOS_ABOVE_16M, MIN(above(low->len, 16 << 20) >> 16, 0xffff), 2);
	cmos_put(clock, CMOS_ABOVE_4G, high ? high->len >> 16 : 0, 3);
	cmos_put(clock, CMOS_BOOT_FIRST, BOOT_CD << 4 | BOOT_DISK, 1);
	cmos_put(clock, CMOS_BOOT_THIRD, BOOT_NET << 4 | NO_FLOPPY_CHECK, 1);
	cmos_put(clock, CMOS_PROCESSORS, clock->machine->config->vcpus - 1, 1);
}

static void rtc_device_reset(struct device *device)
{
	struct rtc_device *clock = (struct rtc_device *)device;

	g_mutex_lock(&clock->lock);
	clock->index = 0;
	rtc_reset(&clock->rtc);
	cmos_fill(clock);
	timer_arm(clock);
	g_mutex_unlock(&clock->lock);
}

static void rtc_device_state(struct device *device, struct state *state)
{
	struct rtc_device *clock = (struct rtc_device *)device;

	g_mutex_lock(&clock->lock);
	STATE(state, clock->index);
	clock->index &= INDEX_MASK;
	rtc_state(&clock->rtc, state);
	timer_arm(clock);
	g_mutex_unlock(&clock->lock);
}

static void rtc_device_destroy(struct device *device)
{
	struct rtc_device *clock = (struct rtc_device *)device;

	bus_remove(clock->machine->pio, &clock->region);
	g_source_destroy(clock->source);
	g_source_unref(clock->source);
	g_mutex_clear(&clock->lock);
	g_free(clock);
}

/* What local time is ahead of UTC now; summer's and winter's changes are the guest's to make. */
static int64_t local_offset(void)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();

	return now ? g_date_time_get_utc_offset(now) * 1000 : 0;
}

static struct device *rtc_device_create(struct machine *machine, const char *instance,
	const void *data, GError **error)
{
	const struct rtc_config *config = data;
	struct rtc_device *clock = g_new0(struct rtc_device, 1);

	clock->device = (struct device){ .reset = rtc_device_reset, .state = rtc_device_state,
		.destroy = rtc_device_destroy };
	clock->machine = machine;
	clock->region = (struct region){ .name = "RTC", .base = PORT_RTC, .len = 2,
		.ops = &port_ops, .owner = clock };
	g_mutex_init(&clock->lock);
	clock->source = g_source_new(&rtc_funcs, sizeof(GSource));
	g_source_set_callback(clock->source, rtc_callback, clock, NULL);
	g_source_attach(clock->source, machine->main_context);
	rtc_init(&clock->rtc, wall_clock, rtc_interrupt, clock, config->base ? local_offset() : 0);
	cmos_fill(clock);
	if (bus_add(machine->pio, &clock->region) == 0)
		return &clock->device;
	fail(error, "[Clock]: something else has its ports");
	rtc_device_destroy(&clock->device);
	return NULL;
}

static const struct device_type rtc_type = {
	.section = "Clock",
	.help = "the battery-backed clock, ports 0x70 and 0x71",
	.always = true,
	.single = true,
	.properties = rtc_properties,
	.config_size = sizeof(struct rtc_config),
	.create = rtc_device_create,
};
DEVICE_REGISTER(rtc_type);
