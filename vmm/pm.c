/*
 * Power management: see pm.h. One array of bytes for what only keeps its value, the rest by name.
 */
#define G_LOG_DOMAIN "irori-pm"

#include "vmm/pm.h"

#include <string.h>

#include "vmm/machine.h"
#include "vmm/state.h"

enum pm1_bits {
	TIMER_BIT = 1 << 0,
	GLOBAL_BIT = 1 << 5,
	BUTTON_BIT = 1 << 8,
	RTC_BIT = 1 << 10,
	WAKE_BIT = 1 << 15,
	PM1_BITS = TIMER_BIT | GLOBAL_BIT | BUTTON_BIT | RTC_BIT | WAKE_BIT,
	PM1_CAN_ENABLE = TIMER_BIT | GLOBAL_BIT | BUTTON_BIT | RTC_BIT,

	SCI_ENABLE = 1 << 0,
	SLEEP_TYPE = 7 << 10,
	SLEEP_TYPE_OFF = 0 << 10, /* as \_S5 in dsdt.asl says */
	SLEEP_ENABLE = 1 << 13,

	SMI_APM = 1 << 5, /* "set up already": a BIOS then leaves SMM alone */
};

enum pm_timer {
	TIMER_HZ = 3579545,
	TIMER_BITS = 24,
};

struct pm {
	struct machine *machine;
	void (*sci)(void *owner, bool level);
	void *owner;
	struct region region;
	GSource *source; /* the timer's next carry, when the guest wants to hear of it */
	GMutex lock;     /* of what follows */
	uint16_t status, enable, control;
	uint64_t gpe_status, gpe_enable;
	uint32_t smi_enable;
	uint64_t carries; /* of the timer's highest bit, seen in `status` */
	bool level;
};

static uint64_t timer_count(const struct pm *pm)
{
	uint64_t now = (uint64_t)pm->machine->now();

	return now / 1000000000 * TIMER_HZ + now % 1000000000 * TIMER_HZ / 1000000000;
}

/* Its highest bit changes every 2.34 s. */
static uint64_t timer_carries(const struct pm *pm)
{
	return timer_count(pm) >> (TIMER_BITS - 1);
}

static void timer_arm(struct pm *pm)
{
	uint64_t next = (pm->carries + 1) << (TIMER_BITS - 1), now = timer_count(pm);
	uint64_t us = next > now ? (next - now) * 1000000 / TIMER_HZ + 1 : 1;

	g_source_set_ready_time(pm->source, pm->enable & TIMER_BIT && !(pm->status & TIMER_BIT) ?
		g_get_monotonic_time() + (int64_t)us : -1);
}

/* Under the lock, after anything that it depends on. */
static void pm_update(struct pm *pm)
{
	uint64_t carries = timer_carries(pm);
	bool level;

	if (carries != pm->carries)
		pm->status |= TIMER_BIT;
	pm->carries = carries;
	level = pm->control & SCI_ENABLE && (pm->status & pm->enable & PM1_CAN_ENABLE ||
		pm->gpe_status & pm->gpe_enable);
	timer_arm(pm);
	if (level == pm->level)
		return;
	pm->level = level;
	pm->sci(pm->owner, level);
}

static gboolean pm_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	struct pm *pm = data;

	g_source_set_ready_time(source, -1);
	g_mutex_lock(&pm->lock);
	pm_update(pm);
	g_mutex_unlock(&pm->lock);
	return G_SOURCE_CONTINUE;
}

static gboolean pm_callback(gpointer data)
{
	return G_SOURCE_CONTINUE;
}

/* GLib gives a source's dispatch the callback's data. */
static GSourceFuncs pm_funcs = {
	.dispatch = pm_dispatch,
};

/* The whole block as bytes; under the lock. */
static void registers_fill(const struct pm *pm, uint8_t block[PM_LEN])
{
	uint32_t timer = timer_count(pm) & ((1u << TIMER_BITS) - 1);

	memset(block, 0, PM_LEN);
	memcpy(block + PM1_STATUS, &pm->status, 2);
	memcpy(block + PM1_ENABLE, &pm->enable, 2);
	memcpy(block + PM1_CONTROL, &pm->control, 2);
	memcpy(block + PM_TIMER, &timer, 4);
	memcpy(block + PM_GPE0, &pm->gpe_status, 8);
	memcpy(block + PM_GPE0 + 8, &pm->gpe_enable, 8);
	memcpy(block + PM_SMI_ENABLE, &pm->smi_enable, 4);
}

static uint64_t pm_read(void *owner, uint64_t offset, unsigned size)
{
	struct pm *pm = owner;
	uint8_t block[PM_LEN];
	uint64_t value = 0;

	g_mutex_lock(&pm->lock);
	/* The timer is what a guest reads in a loop; the rest may have a carry to show. */
	if (offset != PM_TIMER)
		pm_update(pm);
	registers_fill(pm, block);
	g_mutex_unlock(&pm->lock);
	memcpy(&value, block + offset, size);
	return value;
}

/* The part of a field of `len` bytes at `field` that the access touches, in its place; a mask of it
 * in *mask, 0: none. */
static uint64_t field_part(unsigned field, unsigned len, uint64_t offset, unsigned size,
	uint64_t value, uint64_t *mask)
{
	uint64_t part = 0;

	*mask = 0;
	for (unsigned i = 0; i < size; i++) {
		uint64_t at = offset + i - field; /* huge when below */

		if (offset + i < field || at >= len)
			continue;
		part |= (value >> 8 * i & 0xff) << 8 * at;
		*mask |= 0xffull << 8 * at;
	}
	return part;
}

/* True: the guest has just asked to sleep. */
static bool control_write(struct pm *pm, uint64_t part, uint64_t mask)
{
	if (!mask)
		return false;
	pm->control = (uint16_t)((pm->control & ~mask) | part);
	if (!(pm->control & SLEEP_ENABLE))
		return false;
	pm->control &= (uint16_t)~SLEEP_ENABLE; /* reads as zero */
	return mask & SLEEP_ENABLE;
}

static void pm_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct pm *pm = owner;
	uint64_t part, mask;
	bool sleep, off;

	g_mutex_lock(&pm->lock);
	pm_update(pm); /* a carry until now is cleared with the rest */
	part = field_part(PM1_STATUS, 2, offset, size, value, &mask);
	pm->status &= (uint16_t)~part; /* ones clear */
	part = field_part(PM1_ENABLE, 2, offset, size, value, &mask);
	pm->enable = (uint16_t)(((pm->enable & ~mask) | part) & PM1_BITS);
	part = field_part(PM1_CONTROL, 2, offset, size, value, &mask);
	sleep = control_write(pm, part, mask);
	off = (pm->control & SLEEP_TYPE) == SLEEP_TYPE_OFF;
	part = field_part(PM_GPE0, 8, offset, size, value, &mask);
	pm->gpe_status &= ~part;
	part = field_part(PM_GPE0 + 8, 8, offset, size, value, &mask);
	pm->gpe_enable = (pm->gpe_enable & ~mask) | part;
	part = field_part(PM_SMI_ENABLE, 4, offset, size, value, &mask);
	pm->smi_enable = (uint32_t)((pm->smi_enable & ~mask) | part | SMI_APM);
	pm_update(pm);
	g_mutex_unlock(&pm->lock);
	if (sleep && off)
		machine_request(pm->machine, MACHINE_POWEROFF, "the guest has shut down");
	else if (sleep)
		g_debug("a sleep state that is not offered");
}

static const struct region_ops pm_ops = {
	.read = pm_read,
	.write = pm_write,
};

int pm_place(struct pm *pm, uint16_t base)
{
	int rc;

	if (pm->region.base == base)
		return 0;
	rc = bus_move(pm->machine->pio, &pm->region, base, base ? PM_LEN : 0);
	if (rc)
		bus_move(pm->machine->pio, &pm->region, 0, 0); /* tried again when asked again */
	return rc;
}

/* Under the lock. */
static void pm_clear(struct pm *pm)
{
	pm->status = pm->enable = 0;
	pm->control = SCI_ENABLE;
	pm->gpe_status = pm->gpe_enable = 0;
	pm->smi_enable = SMI_APM;
	pm->carries = timer_carries(pm);
	pm_update(pm);
}

void pm_reset(struct pm *pm)
{
	g_mutex_lock(&pm->lock);
	pm_clear(pm);
	g_mutex_unlock(&pm->lock);
}

/* The timer itself is no state: guests only look at differences, and it goes on from anywhere. */
void pm_state(struct pm *pm, struct state *state)
{
	g_mutex_lock(&pm->lock);
	STATE(state, pm->status);
	STATE(state, pm->enable);
	STATE(state, pm->control);
	STATE(state, pm->gpe_status);
	STATE(state, pm->gpe_enable);
	STATE(state, pm->smi_enable);
	if (state_loading(state)) {
		pm->enable &= PM1_BITS;
		pm->carries = timer_carries(pm);
		pm_update(pm);
	}
	g_mutex_unlock(&pm->lock);
}

struct pm *pm_new(struct machine *machine, void (*sci)(void *owner, bool level), void *owner)
{
	struct pm *pm = g_new0(struct pm, 1);

	pm->machine = machine;
	pm->sci = sci;
	pm->owner = owner;
	pm->region = (struct region){ .name = "power management", .ops = &pm_ops, .owner = pm };
	g_mutex_init(&pm->lock);
	pm->source = g_source_new(&pm_funcs, sizeof(GSource));
	g_source_set_callback(pm->source, pm_callback, pm, NULL);
	g_source_attach(pm->source, machine->main_context);
	pm_clear(pm);
	machine->pm = pm;
	return pm;
}

void pm_free(struct pm *pm)
{
	if (!pm)
		return;
	pm->machine->pm = NULL;
	bus_remove(pm->machine->pio, &pm->region);
	g_source_destroy(pm->source);
	g_source_unref(pm->source);
	g_mutex_clear(&pm->lock);
	g_free(pm);
}

void pm_gpe_raise(struct machine *machine, unsigned gpe)
{
	struct pm *pm = machine->pm;

	if (!pm || gpe >= PM_GPES)
		return;
	g_mutex_lock(&pm->lock);
	pm->gpe_status |= 1ull << gpe;
	pm_update(pm);
	g_mutex_unlock(&pm->lock);
}

bool pm_power_button(struct machine *machine)
{
	struct pm *pm = machine->pm;
	bool heard;

	if (!pm)
		return false;
	g_mutex_lock(&pm->lock);
	pm->status |= BUTTON_BIT;
	heard = pm->enable & BUTTON_BIT && pm->control & SCI_ENABLE;
	pm_update(pm);
	g_mutex_unlock(&pm->lock);
	return heard;
}
