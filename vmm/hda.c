/*
 * Intel HD Audio: the controller (that of an ICH9) as a PCI function, its global registers, and its
 * turn on the seat thread. Commands, streams and the codec are in files of their own, see
 * hda_internal.h. Source: Intel High Definition Audio Specification 1.0a, section 3; Intel ICH9
 * datasheet, section 18.
 *
 * Thread: registers on processors' threads, all that concerns the seats on the seat thread, under
 * one lock.
 */
#include "vmm/hda_internal.h"

#include <gio/gio.h>

#include "vmm/machine.h"
#include "vmm/state.h"

enum hda_registers {
	REG_CAPS = 0x00,        /* and version */
	REG_PAYLOAD = 0x04,
	REG_GLOBAL = 0x08,
	REG_WAKE = 0x0c,        /* enable, status */
	REG_INTERRUPT_CONTROL = 0x20,
	REG_INTERRUPT_STATUS = 0x24,
	REG_WALL_CLOCK = 0x30,
	REG_HOLD_OLD = 0x34,    /* where an ICH9 has it */
	REG_HOLD = 0x38,
	REG_RINGS = 0x40,
	REG_RINGS_END = 0x6c,
	REG_POSITIONS_LOW = 0x70,
	REG_POSITIONS_HIGH = 0x74,
	REG_STREAMS = 0x80,
	REG_STREAM_LEN = 0x20,
	REG_STREAMS_END = REG_STREAMS + HDA_STREAMS * REG_STREAM_LEN,
	REG_ALIAS = 0x2000,     /* the wall clock and positions again, for user space */
	REG_ALIAS_END = REG_ALIAS + REG_STREAMS_END,
	HDA_BAR_LEN = 0x4000,
};

enum hda_bits {
	CAPS_VALUE = 0x01000000 | HDA_OUTPUTS << 12 | HDA_INPUTS << 8 | 1, /* 1.0; 64 bit */
	PAYLOAD_VALUE = 0x001d003c,
	GLOBAL_RUN = 1 << 0,
	GLOBAL_STORED = 1 << 0 | 1 << 8, /* unsolicited answers */
	POSITIONS_STORED = 0xffffff81u,
	CODECS = 1,
	WALL_CLOCK_MHZ = 24,
	PCI_HDA_CONTROL = 0x40,
	PCI_FIRST_CAP = 0x60, /* drivers write 0x44 (traffic class) as the ICH9 has it */
};

/* ---- interrupts ---- */

static uint32_t hda_causes(const struct hda *hda)
{
	uint32_t causes = 0;

	for (unsigned i = 0; i < HDA_STREAMS; i++)
		if (hda_stream_pending(&hda->stream[i]))
			causes |= 1u << i;
	if (hda_rings_pending(hda) || (hda->wake & hda->wake_enable))
		causes |= HDA_INT_CONTROLLER;
	return causes;
}

static uint32_t interrupt_status(const struct hda *hda)
{
	uint32_t causes = hda_causes(hda);

	return causes | (causes & hda->interrupt_control ? HDA_INT_GLOBAL : 0);
}

void hda_signal(struct hda *hda)
{
	uint32_t causes = hda->interrupt_control & HDA_INT_GLOBAL
		? hda_causes(hda) & hda->interrupt_control : 0;

	if (causes == hda->signalled)
		return;
	pci_signal(&hda->pci, hda->signalled, causes);
	hda->signalled = causes;
}

/* ---- global registers ---- */

static void controller_reset(struct hda *hda)
{
	for (unsigned i = 0; i < HDA_STREAMS; i++)
		hda_stream_reset(&hda->stream[i]);
	hda_rings_reset(hda);
	hda_codec_reset(&hda->codec);
	hda->global = 0;
	hda->interrupt_control = hda->hold = 0;
	hda->wake = hda->wake_enable = 0;
	hda->positions_low = hda->positions_high = 0;
	hda_wake(hda);
}

static void global_written(struct hda *hda, uint32_t value)
{
	if (!(value & GLOBAL_RUN)) {
		controller_reset(hda);
		return;
	}
	if (!(hda->global & GLOBAL_RUN)) {
		hda->born = hda->now();
		hda->wake = CODECS;
	}
	hda->global = value;
}

static void hold_written(struct hda *hda, uint32_t value)
{
	hda_streams_run(hda, hda->now());
	for (unsigned i = 0; i < HDA_STREAMS; i++)
		if ((hda->hold ^ value) >> i & 1)
			hda->stream[i].clocked = hda->stream[i].bound = false;
	hda->hold = value;
	hda_wake(hda);
}

static uint32_t wall_clock(const struct hda *hda)
{
	return (uint32_t)(((uint64_t)hda->now() - (uint64_t)hda->born) * WALL_CLOCK_MHZ / 1000);
}

static uint32_t global_read(struct hda *hda, uint32_t offset)
{
	switch (offset) {
	case REG_CAPS:
		return CAPS_VALUE;
	case REG_PAYLOAD:
		return PAYLOAD_VALUE;
	case REG_GLOBAL:
		return hda->global;
	case REG_WAKE:
		return hda->wake_enable | (uint32_t)hda->wake << 16;
	case REG_INTERRUPT_CONTROL:
		return hda->interrupt_control;
	case REG_INTERRUPT_STATUS:
		return interrupt_status(hda);
	case REG_WALL_CLOCK:
		return wall_clock(hda);
	case REG_HOLD_OLD:
	case REG_HOLD:
		return hda->hold;
	case REG_POSITIONS_LOW:
		return hda->positions_low;
	case REG_POSITIONS_HIGH:
		return hda->positions_high;
	default:
		return 0;
	}
}

static void global_write(struct hda *hda, uint32_t offset, uint32_t value, uint32_t mask)
{
	switch (offset) {
	case REG_GLOBAL:
		global_written(hda, hda_merge(hda->global, value, mask) & GLOBAL_STORED);
		break;
	case REG_WAKE:
		hda->wake_enable = hda_merge(hda->wake_enable, value, mask) & CODECS;
		hda->wake &= (uint16_t)~((value & mask) >> 16);
		break;
	case REG_INTERRUPT_CONTROL:
		hda->interrupt_control = hda_merge(hda->interrupt_control, value, mask);
		break;
	case REG_HOLD_OLD:
	case REG_HOLD:
		hold_written(hda, hda_merge(hda->hold, value, mask) & ((1u << HDA_STREAMS) - 1));
		break;
	case REG_POSITIONS_LOW:
		hda->positions_low = hda_merge(hda->positions_low, value, mask) & POSITIONS_STORED;
		break;
	case REG_POSITIONS_HIGH:
		hda->positions_high = hda_merge(hda->positions_high, value, mask);
		break;
	default:
		break;
	}
}

/* ---- the BAR: a doubleword at a time, with a mask of what is written ---- */

static uint32_t register_read(struct hda *hda, uint32_t offset)
{
	if (offset >= REG_ALIAS && offset < REG_ALIAS_END)
		offset -= REG_ALIAS;
	if (offset >= REG_STREAMS && offset < REG_STREAMS_END)
		return hda_stream_read(hda, (offset - REG_STREAMS) / REG_STREAM_LEN,
			offset % REG_STREAM_LEN);
	if (offset >= REG_RINGS && offset < REG_RINGS_END)
		return hda_rings_read(hda, offset);
	return global_read(hda, offset);
}

static void register_write(struct hda *hda, uint32_t offset, uint32_t value, uint32_t mask)
{
	/* In reset nothing else can be written. */
	if (!(hda->global & GLOBAL_RUN) && offset != REG_GLOBAL)
		return;
	if (offset >= REG_STREAMS && offset < REG_STREAMS_END)
		hda_stream_write(hda, (offset - REG_STREAMS) / REG_STREAM_LEN,
			offset % REG_STREAM_LEN, value, mask);
	else if (offset >= REG_RINGS && offset < REG_RINGS_END)
		hda_rings_write(hda, offset, value, mask);
	else
		global_write(hda, offset, value, mask);
}

static uint64_t hda_read(void *owner, uint64_t offset, unsigned size)
{
	struct hda *hda = owner;
	uint32_t word = (uint32_t)offset & ~3u;
	unsigned shift = 8 * (offset & 3);
	uint64_t value;

	g_mutex_lock(&hda->lock);
	value = register_read(hda, word);
	if (size + (offset & 3) > 4)
		value |= (uint64_t)register_read(hda, word + 4) << 32;
	hda_signal(hda);
	g_mutex_unlock(&hda->lock);
	return value >> shift;
}

static void hda_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct hda *hda = owner;
	uint32_t word = (uint32_t)offset & ~3u;
	unsigned shift = 8 * (offset & 3);
	uint64_t mask = size == 8 ? UINT64_MAX : (1ull << (8 * size)) - 1;

	if (size == 8 && shift)
		return; /* no driver does, and it would be three registers */
	mask <<= shift;
	value <<= shift;
	g_mutex_lock(&hda->lock);
	register_write(hda, word, (uint32_t)value, (uint32_t)mask);
	if (mask >> 32)
		register_write(hda, word + 4, (uint32_t)(value >> 32), (uint32_t)(mask >> 32));
	hda_signal(hda);
	g_mutex_unlock(&hda->lock);
}

static const struct region_ops bar_ops = {
	.read = hda_read,
	.write = hda_write,
};

/* ---- the seat thread ---- */

void hda_wake(struct hda *hda)
{
	g_source_set_ready_time(hda->source, 0);
}

static gboolean hda_turn(GSource *source, GSourceFunc callback, gpointer data)
{
	struct hda *hda = data;
	int64_t now, due;

	g_mutex_lock(&hda->lock);
	now = hda->now();
	/* Before anything below may wake it again. */
	g_source_set_ready_time(source, -1);
	hda_streams_run(hda, now);
	hda_port_settle(hda, now);
	hda_port_flush(hda);
	hda_signal(hda);
	due = MIN(hda_streams_due(hda, now), hda_port_due(hda));
	if (due != INT64_MAX && g_source_get_ready_time(source) < 0)
		g_source_set_ready_time(source,
			g_get_monotonic_time() + MAX(due - now, 0) / 1000 + 1);
	g_mutex_unlock(&hda->lock);
	return G_SOURCE_CONTINUE;
}

static void event_consumed(void *device, unsigned stream, size_t bytes)
{
	struct hda *hda = device;

	g_mutex_lock(&hda->lock);
	if (stream == HDA_PLAYBACK)
		hda_port_consumed(hda, bytes);
	hda_signal(hda);
	g_mutex_unlock(&hda->lock);
}

static void event_captured(void *device, const void *pcm, size_t bytes)
{
	struct hda *hda = device;

	g_mutex_lock(&hda->lock);
	hda_port_captured(hda, pcm, bytes);
	hda_signal(hda);
	g_mutex_unlock(&hda->lock);
}

static const struct seat_port_events hda_events = {
	.audio_consumed = event_consumed,
	.audio_captured = event_captured,
};

/* ---- the card ---- */

static void card_reset(struct sound_card *card)
{
	struct hda *hda = (struct hda *)card;

	g_mutex_lock(&hda->lock);
	controller_reset(hda);
	hda_signal(hda);
	g_mutex_unlock(&hda->lock);
}

static void card_counters(struct sound_card *card, struct sound_counters *counters)
{
	struct hda *hda = (struct hda *)card;

	counters->periods = __atomic_load_n(&hda->counters.periods, __ATOMIC_RELAXED);
	counters->underruns = __atomic_load_n(&hda->counters.underruns, __ATOMIC_RELAXED);
	counters->overruns = __atomic_load_n(&hda->counters.overruns, __ATOMIC_RELAXED);
}

static void card_free(struct sound_card *card)
{
	struct hda *hda = (struct hda *)card;

	pci_detach(&hda->pci);
	g_source_destroy(hda->source);
	g_source_unref(hda->source);
	g_mutex_clear(&hda->lock);
	g_free(hda);
}

static const struct sound_card_ops card_ops = {
	.reset = card_reset,
	.state = hda_state,
	.counters = card_counters,
	.free = card_free,
};

/* Under the bus's lock. Without bus mastering streams stand, and what they play is let go. */
static void command_written(struct pci_device *device)
{
	struct hda *hda = (struct hda *)((char *)device - offsetof(struct hda, pci));

	g_mutex_lock(&hda->lock);
	hda_rings_run(hda);
	hda_wake(hda);
	hda_signal(hda);
	g_mutex_unlock(&hda->lock);
}

static const struct pci_device_ops function_ops = {
	.command_written = command_written,
};

static void card_function(struct hda *hda)
{
	static const struct pci_id id = {
		.vendor = 0x8086,
		.device = 0x293e,
		.subsystem_vendor = 0x8086,
		.subsystem = 0x293e,
		.class_code = 0x04,
		.subclass = 0x03,
		.revision = 3,
	};

	pci_init(&hda->pci, "hda", &id, &function_ops);
	pci_add_bar(&hda->pci, 0, HDA_BAR_LEN, &bar_ops, hda, "hda");
	hda->pci.config[PCI_HDA_CONTROL] = 1; /* HD Audio, not AC'97 */
	hda->pci.next_cap = PCI_FIRST_CAP;
	pci_add_msi(&hda->pci);
	pci_add_intx(&hda->pci);
}

struct sound_card *hda_card_new(struct machine *machine, unsigned ahead_ms, GError **error)
{
	static GSourceFuncs funcs = { .dispatch = hda_turn };
	struct hda *hda = g_new0(struct hda, 1);

	hda->card.ops = &card_ops;
	g_mutex_init(&hda->lock);
	hda->memory = machine->memory;
	hda->port = machine->port;
	hda->now = machine->now;
	hda->ahead_ms = ahead_ms;
	hda->lane[HDA_PLAYBACK].stream = hda->lane[HDA_CAPTURE].stream = -1;
	hda->source = g_source_new(&funcs, sizeof(GSource));
	g_source_set_callback(hda->source, NULL, hda, NULL);
	controller_reset(hda);
	card_function(hda);
	if (pci_attach(machine->pci, &hda->pci, -1) < 0) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "hda: no PCI slot is free");
		card_free(&hda->card);
		return NULL;
	}
	g_source_attach(hda->source, machine->seat_context);
	machine_seat_events(machine, &hda_events, hda);
	return &hda->card;
}
