/*
 * HD Audio: how commands get to the codec and answers back, through the two rings in guest memory
 * (CORB, RIRB) or one at a time through registers. A codec answers at once, so this is done on the
 * processor's thread that asks: at most a ring's length for each write.
 * Source: Intel High Definition Audio Specification 1.0a, sections 3.3.18 to 3.4.3, 4.4.
 */
#include "vmm/hda_internal.h"

enum ring_registers {
	REG_CORB_LOW = 0x40,
	REG_CORB_HIGH = 0x44,
	REG_CORB_POINTERS = 0x48, /* write 7..0, read 23..16, 31: reset of the read pointer */
	REG_CORB_CONTROL = 0x4c,  /* control, status, size */
	REG_RIRB_LOW = 0x50,
	REG_RIRB_HIGH = 0x54,
	REG_RIRB_POINTERS = 0x58, /* write 7..0, 15: its reset; 23..16 answers before an interrupt */
	REG_RIRB_CONTROL = 0x5c,
	REG_COMMAND = 0x60,
	REG_ANSWER = 0x64,
	REG_IMMEDIATE = 0x68,
};

enum ring_bits {
	RING_ENTRIES = 256,
	RING_SIZE = 0x42,      /* 256 entries, and nothing else can be chosen */
	RING_BASE = 0xffffff80,
	CORB_RESET = 0x8000,
	CORB_RUN = 0x02,
	CORB_CONTROL = 0x03,
	CORB_STATUS = 0x01,    /* memory error */
	RIRB_INTERRUPT = 0x01,
	RIRB_RUN = 0x02,
	RIRB_OVERRUN_INTERRUPT = 0x04,
	RIRB_CONTROL = 0x07,
	RIRB_ANSWERED = 0x01,
	RIRB_STATUS = 0x05,
	IMMEDIATE_BUSY = 0x01,
	IMMEDIATE_VALID = 0x02,
};

bool hda_rings_pending(const struct hda *hda)
{
	const struct hda_rings *r = &hda->rings;

	return (r->rirb_status & RIRB_ANSWERED && r->rirb_control & RIRB_INTERRUPT) ||
		(r->corb_status & CORB_STATUS && r->corb_control & 1);
}

void hda_rings_reset(struct hda *hda)
{
	hda->rings = (struct hda_rings){ 0 };
}

static void answer(struct hda *hda, uint32_t value)
{
	struct hda_rings *r = &hda->rings;
	uint64_t base = (uint64_t)r->rirb_high << 32 | r->rirb_low;
	uint32_t entry[2] = { GUINT32_TO_LE(value), 0 }; /* solicited, from codec 0 */

	r->rirb_write = (r->rirb_write + 1) % RING_ENTRIES;
	memory_write(hda->memory, base + r->rirb_write * sizeof(entry), entry, sizeof(entry));
	r->answered++;
	/* 0 is 256. */
	if (r->answered < (r->threshold ? r->threshold : RING_ENTRIES))
		return;
	r->answered = 0;
	r->rirb_status |= RIRB_ANSWERED;
}

/* A codec that is not there does not answer. */
static void command(struct hda *hda, uint32_t verb)
{
	if (verb >> 28 == 0)
		answer(hda, hda_codec_verb(&hda->codec, verb));
}

void hda_rings_run(struct hda *hda)
{
	struct hda_rings *r = &hda->rings;
	uint64_t base = (uint64_t)r->corb_high << 32 | r->corb_low;

	if (!(r->corb_control & CORB_RUN) || !(r->rirb_control & RIRB_RUN) ||
		r->corb_read & CORB_RESET || !pci_master(&hda->pci))
		return;
	/* Ends: the write pointer lies within the ring, and only registers move it. */
	while (r->corb_read != r->corb_write) {
		unsigned next = (r->corb_read + 1u) % RING_ENTRIES;
		uint32_t verb;

		if (!memory_read(hda->memory, base + next * sizeof(verb), &verb, sizeof(verb))) {
			r->corb_status |= CORB_STATUS;
			r->corb_control &= (uint8_t)~CORB_RUN;
			break;
		}
		r->corb_read = (uint16_t)next;
		command(hda, GUINT32_FROM_LE(verb));
	}
	/* The last ones of a batch are told of as well. */
	if (r->answered && r->corb_read == r->corb_write) {
		r->answered = 0;
		r->rirb_status |= RIRB_ANSWERED;
	}
	hda_wake(hda); /* a verb may have changed what plays */
}

uint32_t hda_rings_read(struct hda *hda, uint32_t offset)
{
	const struct hda_rings *r = &hda->rings;

	switch (offset) {
	case REG_CORB_LOW:
		return r->corb_low;
	case REG_CORB_HIGH:
		return r->corb_high;
	case REG_CORB_POINTERS:
		return r->corb_write | (uint32_t)r->corb_read << 16;
	case REG_CORB_CONTROL:
		return r->corb_control | (uint32_t)r->corb_status << 8 | RING_SIZE << 16;
	case REG_RIRB_LOW:
		return r->rirb_low;
	case REG_RIRB_HIGH:
		return r->rirb_high;
	case REG_RIRB_POINTERS:
		return r->rirb_write | (uint32_t)r->threshold << 16;
	case REG_RIRB_CONTROL:
		return r->rirb_control | (uint32_t)r->rirb_status << 8 | RING_SIZE << 16;
	case REG_COMMAND:
		return r->command;
	case REG_ANSWER:
		return r->answer;
	case REG_IMMEDIATE:
		return r->immediate;
	default:
		return 0;
	}
}

static void immediate_written(struct hda *hda, uint32_t value)
{
	struct hda_rings *r = &hda->rings;

	r->immediate &= (uint16_t)~(value & IMMEDIATE_VALID);
	if (!(value & IMMEDIATE_BUSY))
		return;
	r->answer = r->command >> 28 == 0 ? hda_codec_verb(&hda->codec, r->command) : 0;
	r->immediate = IMMEDIATE_VALID;
	hda_wake(hda);
}

static void pointers_written(struct hda_rings *r, uint32_t value, uint32_t mask)
{
	if (mask & 0xff)
		r->corb_write = value & 0xff;
	if (!(mask & 0xff000000))
		return;
	/* The driver sets the reset, sees it set, and clears it. */
	r->corb_read = value >> 16 & CORB_RESET;
}

void hda_rings_write(struct hda *hda, uint32_t offset, uint32_t value, uint32_t mask)
{
	struct hda_rings *r = &hda->rings;

	switch (offset) {
	case REG_CORB_LOW:
		r->corb_low = hda_merge(r->corb_low, value, mask) & RING_BASE;
		break;
	case REG_CORB_HIGH:
		r->corb_high = hda_merge(r->corb_high, value, mask);
		break;
	case REG_CORB_POINTERS:
		pointers_written(r, value, mask);
		hda_rings_run(hda);
		break;
	case REG_CORB_CONTROL:
		r->corb_control = hda_merge(r->corb_control, value, mask) & CORB_CONTROL;
		r->corb_status &= (uint8_t)~((value & mask) >> 8 & CORB_STATUS);
		hda_rings_run(hda);
		break;
	case REG_RIRB_LOW:
		r->rirb_low = hda_merge(r->rirb_low, value, mask) & RING_BASE;
		break;
	case REG_RIRB_HIGH:
		r->rirb_high = hda_merge(r->rirb_high, value, mask);
		break;
	case REG_RIRB_POINTERS:
		if (mask & value & 0x8000)
			r->rirb_write = 0;
		r->threshold = hda_merge((uint32_t)r->threshold << 16, value, mask) >> 16 & 0xff;
		break;
	case REG_RIRB_CONTROL:
		r->rirb_control = hda_merge(r->rirb_control, value, mask) & RIRB_CONTROL;
		r->rirb_status &= (uint8_t)~((value & mask) >> 8 & RIRB_STATUS);
		hda_rings_run(hda);
		break;
	case REG_COMMAND:
		r->command = hda_merge(r->command, value, mask);
		break;
	case REG_IMMEDIATE:
		immediate_written(hda, value & mask);
		break;
	default:
		break;
	}
}
