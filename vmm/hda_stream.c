/*
 * HD Audio streams: their registers, and the DMA that follows a list of buffers in guest memory at
 * the pace of the stream's clock. DMA only moves bytes between guest memory and a ring; the seat
 * thread does the rest, so that it may be driven from a processor's thread that reads a position.
 * Source: Intel High Definition Audio Specification 1.0a, sections 3.3.35 to 3.3.44, 3.6, 4.5.
 */
#include "vmm/hda_internal.h"

#include <string.h>

#define SECOND 1000000000ll

enum stream_registers {
	REG_CONTROL = 0x00, /* status in the highest byte */
	REG_POSITION = 0x04,
	REG_CYCLIC = 0x08,
	REG_LAST = 0x0c,    /* FIFO watermark above */
	REG_FORMAT = 0x10,  /* above the FIFO's size */
	REG_BDL_LOW = 0x18,
	REG_BDL_HIGH = 0x1c,
	FIFO_SIZE = 0x00ff,
	FIFO_WATERMARK = 0x0004,
	BDL_BASE = 0xffffff80,
	BDL_INTERRUPT = 1,
	DMA_PIECE = 4096,
};

struct bdl_entry {
	uint64_t address;
	uint32_t len, flags;
};

void hda_stream_reset(struct hda_stream *s)
{
	memset(s, 0, sizeof(*s));
}

bool hda_stream_pending(const struct hda_stream *s)
{
	return s->status & s->control & HDA_SD_EVENTS;
}

bool hda_stream_runs(const struct hda *hda, unsigned i)
{
	return hda->stream[i].control & HDA_SD_RUN && !(hda->hold >> i & 1) &&
		pci_master(&hda->pci);
}

/* The seat thread sees to the port. */
static void stream_unclock(struct hda *hda, struct hda_stream *s)
{
	s->clocked = s->bound = false;
	hda_wake(hda);
}

/* ---- DMA ---- */

static void stream_fault(struct hda *hda, struct hda_stream *s)
{
	s->status |= HDA_SD_DESC_ERROR;
	s->control &= ~(uint32_t)HDA_SD_RUN;
	stream_unclock(hda, s);
}

/* The next buffer that is not empty; false and a fault if the list has none. */
static bool stream_enter(struct hda *hda, struct hda_stream *s)
{
	uint64_t list = (uint64_t)s->bdl_high << 32 | s->bdl_low;

	for (unsigned tries = 0; tries <= s->last + 1u; tries++) {
		struct bdl_entry entry;

		if (s->index > s->last)
			s->index = 0;
		if (!memory_read(hda->memory, list + s->index * sizeof(entry), &entry,
			    sizeof(entry)))
			break;
		/* 255 wraps to 0, which is where it goes. */
		s->index++;
		s->at = GUINT64_FROM_LE(entry.address);
		s->left = GUINT32_FROM_LE(entry.len);
		s->interrupts = GUINT32_FROM_LE(entry.flags) & BDL_INTERRUPT;
		if (s->left)
			return true;
	}
	stream_fault(hda, s);
	return false;
}

/* Memory that is not there reads as silence and takes what is written. */
static void stream_copy(struct hda *hda, unsigned i, uint32_t n)
{
	struct hda_stream *s = &hda->stream[i];
	struct hda_fifo *fifo = &hda->lane[hda_is_output(i) ? HDA_PLAYBACK : HDA_CAPTURE].fifo;
	uint8_t piece[DMA_PIECE] = { 0 };

	if (hda_is_output(i)) {
		if (s->bound && memory_read(hda->memory, s->at, piece, n))
			hda_fifo_put(fifo, piece, n);
		else if (s->bound)
			hda_fifo_put(fifo, NULL, n);
		return;
	}
	if (s->bound)
		hda_fifo_get(fifo, piece, n);
	memory_write(hda->memory, s->at, piece, n);
}

static void stream_move(struct hda *hda, unsigned i, uint32_t n)
{
	struct hda_stream *s = &hda->stream[i];
	unsigned entries = HDA_TURN_ENTRIES;

	while (n && s->cyclic) {
		uint32_t piece;

		if (!s->left && (!entries-- || !stream_enter(hda, s)))
			break;
		piece = MIN(MIN(n, s->left), DMA_PIECE);
		stream_copy(hda, i, piece);
		s->at += piece;
		s->left -= piece;
		s->moved += piece;
		s->position = (uint32_t)(((uint64_t)s->position + piece) % s->cyclic);
		n -= piece;
		if (!s->left && s->interrupts) {
			s->status |= HDA_SD_COMPLETE;
			__atomic_fetch_add(&hda->counters.periods, 1, __ATOMIC_RELAXED);
		}
	}
}

/* Where the clock would have it: capture lags by the slack, so that it need not stop between two
 * pieces of what is recorded. */
static uint64_t stream_target(struct hda *hda, unsigned i, int64_t now)
{
	struct hda_stream *s = &hda->stream[i];
	uint64_t at = sound_clock_at(&s->clock, now);

	if (!hda_is_output(i))
		at -= MIN(at, s->clock.slack);
	return at - at % s->frame;
}

static uint32_t stream_room(const struct hda *hda, unsigned i)
{
	if (!hda->stream[i].bound)
		return HDA_TURN_BYTES;
	return hda_is_output(i) ? HDA_FIFO - hda->lane[HDA_PLAYBACK].fifo.n
				: hda->lane[HDA_CAPTURE].fifo.n;
}

static void stream_run(struct hda *hda, unsigned i, int64_t now)
{
	struct hda_stream *s = &hda->stream[i];
	uint64_t target;

	if (!s->clocked || !s->frame || !hda_stream_runs(hda, i))
		return;
	target = stream_target(hda, i, now);
	/* One that nobody listens to leaves out what it has missed. */
	if (s->clock.alone && target > s->moved + s->clock.rate)
		s->moved = target - s->clock.rate;
	if (target > s->moved)
		stream_move(hda, i, (uint32_t)MIN(MIN(target - s->moved, HDA_TURN_BYTES),
			stream_room(hda, i)));
}

static void positions_store(struct hda *hda)
{
	uint64_t base = (uint64_t)hda->positions_high << 32 | (hda->positions_low & ~0x7fu);

	if (!(hda->positions_low & 1) || !pci_master(&hda->pci))
		return;
	for (unsigned i = 0; i < HDA_STREAMS; i++) {
		uint32_t position = GUINT32_TO_LE(hda->stream[i].position);

		memory_write(hda->memory, base + 8 * i, &position, sizeof(position));
	}
}

void hda_streams_run(struct hda *hda, int64_t now)
{
	for (unsigned i = 0; i < HDA_STREAMS; i++)
		stream_run(hda, i, now);
	positions_store(hda);
}

int64_t hda_streams_due(const struct hda *hda, int64_t now)
{
	int64_t due = INT64_MAX, end;

	for (unsigned i = 0; i < HDA_STREAMS; i++) {
		const struct hda_stream *s = &hda->stream[i];

		if (!s->clocked || !s->frame || !hda_stream_runs(hda, i))
			continue;
		due = MIN(due, now + HDA_TICK_NS);
		end = sound_clock_when(&s->clock, s->moved + s->left +
			(hda_is_output(i) ? 0 : s->clock.slack));
		if (s->left && s->interrupts && end > now)
			due = MIN(due, end);
	}
	return due;
}

/* ---- registers ---- */

static uint32_t stream_status(const struct hda_stream *s)
{
	return s->status | (s->control & HDA_SD_RUN ? HDA_SD_READY : 0);
}

uint32_t hda_stream_read(struct hda *hda, unsigned i, uint32_t offset)
{
	const struct hda_stream *s = &hda->stream[i];

	switch (offset) {
	case REG_CONTROL:
		return s->control | stream_status(s) << 24;
	case REG_POSITION:
		hda_streams_run(hda, hda->now());
		return s->position;
	case REG_CYCLIC:
		return s->cyclic;
	case REG_LAST:
		return s->last | FIFO_WATERMARK << 16;
	case REG_FORMAT:
		return FIFO_SIZE | (uint32_t)s->format << 16;
	case REG_BDL_LOW:
		return s->bdl_low;
	case REG_BDL_HIGH:
		return s->bdl_high;
	default:
		return 0;
	}
}

static void control_written(struct hda *hda, unsigned i, uint32_t control)
{
	struct hda_stream *s = &hda->stream[i];

	if (control & HDA_SD_RESET) {
		hda_stream_reset(s);
		s->control = HDA_SD_RESET;
		hda_wake(hda);
		return;
	}
	/* To the last byte before it stops. */
	if ((s->control ^ control) & HDA_SD_RUN)
		hda_streams_run(hda, hda->now());
	if ((s->control ^ control) & ~(uint32_t)HDA_SD_EVENTS)
		stream_unclock(hda, s);
	s->control = control;
}

void hda_stream_write(struct hda *hda, unsigned i, uint32_t offset, uint32_t value, uint32_t mask)
{
	struct hda_stream *s = &hda->stream[i];

	switch (offset) {
	case REG_CONTROL:
		s->status &= (uint8_t)~((value & mask) >> 24 & HDA_SD_EVENTS);
		if (mask & 0xffffff)
			control_written(hda, i,
				hda_merge(s->control, value, mask) & HDA_SD_CONTROL);
		break;
	case REG_CYCLIC:
		s->cyclic = hda_merge(s->cyclic, value, mask);
		break;
	case REG_LAST:
		s->last = hda_merge(s->last, value, mask) & 0xff;
		break;
	case REG_FORMAT:
		s->format = hda_merge((uint32_t)s->format << 16, value, mask) >> 16;
		stream_unclock(hda, s);
		break;
	case REG_BDL_LOW:
		s->bdl_low = hda_merge(s->bdl_low, value, mask) & BDL_BASE;
		break;
	case REG_BDL_HIGH:
		s->bdl_high = hda_merge(s->bdl_high, value, mask);
		break;
	default:
		break;
	}
}
