/*
 * What the files of the Intel HD Audio controller share: hda.c (PCI function, registers, the seat
 * thread's turn), hda_rings.c (commands to the codec), hda_stream.c (DMA), hda_port.c
 * (what is at the seats), hda_codec.c (the codec).
 * All of it under the controller's lock. Source: Intel High Definition Audio Specification 1.0a.
 */
#ifndef IRORI_VMM_HDA_INTERNAL_H
#define IRORI_VMM_HDA_INTERNAL_H

#include <glib.h>

#include "display/port.h"
#include "vmm/hda_codec.h"
#include "vmm/memory.h"
#include "vmm/pci.h"
#include "vmm/sound.h"
#include "vmm/sound_clock.h"

enum hda_limits {
	HDA_INPUTS = 4,
	HDA_OUTPUTS = 4,
	HDA_STREAMS = HDA_INPUTS + HDA_OUTPUTS, /* inputs first, as the registers are */
	HDA_FIFO = 65536,   /* bytes: 300 ms of the largest format, more than Ahead= can be */
	HDA_TURN_BYTES = 65536, /* that a stream moves at a time, at most */
	HDA_TURN_ENTRIES = 1024, /* and buffers that it enters */
	HDA_TICK_NS = 2000000, /* how old the positions in memory are, at most */
};

enum hda_interrupts {
	HDA_INT_GLOBAL = 1u << 31,
	HDA_INT_CONTROLLER = 1u << 30,
};

enum hda_stream_bits {
	HDA_SD_RESET = 1 << 0,
	HDA_SD_RUN = 1 << 1,
	HDA_SD_COMPLETE = 1 << 2, /* interrupt enable in control, and the event in status */
	HDA_SD_FIFO_ERROR = 1 << 3,
	HDA_SD_DESC_ERROR = 1 << 4,
	HDA_SD_EVENTS = HDA_SD_COMPLETE | HDA_SD_FIFO_ERROR | HDA_SD_DESC_ERROR,
	HDA_SD_READY = 1 << 5, /* in status: the FIFO is filled */
	HDA_SD_CONTROL = 0xfc001f, /* bits of control that are stored */
	HDA_SD_TAG_SHIFT = 20,
};

/* A ring of bytes between a stream's DMA and the seats. */
struct hda_fifo {
	uint8_t byte[HDA_FIFO];
	uint32_t first, n;
};

struct hda_stream {
	/* registers */
	uint32_t control; /* 24 bits */
	uint8_t status;
	uint32_t position, cyclic, bdl_low, bdl_high;
	uint16_t last, format;

	/* DMA: where it is in the list of buffers, whose entry is a copy */
	uint8_t index; /* of the entry that follows */
	uint64_t at;
	uint32_t left;
	uint8_t interrupts; /* when the entry is done: 0 or 1 */

	struct sound_clock clock;
	uint32_t frame; /* bytes; 0: a format that we do not do, and it stands */
	uint64_t moved; /* bytes since the clock's start */
	bool clocked;   /* the clock has been started */
	bool bound;     /* it is its direction's stream at the port */
};

/* One direction at the port. */
struct hda_lane {
	int stream;        /* whose bytes go there, or -1 */
	bool open;         /* audio_start has been called */
	struct port_audio_format format; /* while it is open */
	uint64_t in_hand;  /* playback: bytes at the port and not reported */
	int64_t until;     /* open without a stream: when the rest of the sound is given up */
	struct hda_fifo fifo;
	bool dry;
};

enum hda_lanes {
	HDA_PLAYBACK,
	HDA_CAPTURE,
	HDA_LANES
};

/* CORB and RIRB: commands to the codec and its answers. */
struct hda_rings {
	uint32_t corb_low, corb_high, rirb_low, rirb_high;
	uint16_t corb_write, corb_read, rirb_write, threshold, answered;
	uint8_t corb_control, corb_status, rirb_control, rirb_status;
	uint32_t command, answer; /* the immediate pair */
	uint16_t immediate;       /* its status */
};

struct hda {
	struct sound_card card;
	struct pci_device pci;
	GMutex lock;
	const struct guest_memory *memory;
	struct seat_port *port;
	int64_t (*now)(void);
	GSource *source; /* runs on the seat thread when it is woken, or time has come */
	unsigned ahead_ms;

	uint32_t global, interrupt_control, hold; /* GCTL, INTCTL, SSYNC */
	uint16_t wake_enable, wake;               /* WAKEEN, STATESTS */
	uint32_t positions_low, positions_high;
	uint32_t signalled;
	int64_t born; /* when the wall clock was 0 */
	struct hda_rings rings;
	struct hda_codec codec;
	struct hda_stream stream[HDA_STREAMS];
	struct hda_lane lane[HDA_LANES];
	struct sound_counters counters;
	int16_t piece[PORT_MAX_PCM / 2];
};

/* ---- hda.c ---- */

void hda_wake(struct hda *hda);
/* The interrupt follows what the registers say. */
void hda_signal(struct hda *hda);

/* ---- hda_state.c ---- */

void hda_state(struct sound_card *card, struct state *state);

/* ---- hda_rings.c: registers 0x40..0x6b, a doubleword at a time ---- */

uint32_t hda_rings_read(struct hda *hda, uint32_t offset);
void hda_rings_write(struct hda *hda, uint32_t offset, uint32_t value, uint32_t mask);
/* True while they want an interrupt. */
bool hda_rings_pending(const struct hda *hda);
void hda_rings_reset(struct hda *hda);
/* Carries out the commands that wait. */
void hda_rings_run(struct hda *hda);

/* ---- hda_stream.c ---- */

uint32_t hda_stream_read(struct hda *hda, unsigned i, uint32_t offset);
void hda_stream_write(struct hda *hda, unsigned i, uint32_t offset, uint32_t value, uint32_t mask);
void hda_stream_reset(struct hda_stream *stream);
bool hda_stream_pending(const struct hda_stream *stream);
/* It moves, as far as its registers say. */
bool hda_stream_runs(const struct hda *hda, unsigned i);
/* Moves every stream to where its clock is, and the positions in memory; tells nobody. */
void hda_streams_run(struct hda *hda, int64_t now);
/* When hda_streams_run is due next; INT64_MAX: nothing runs. */
int64_t hda_streams_due(const struct hda *hda, int64_t now);

/* ---- hda_port.c: on the seat thread ---- */

/* fifo: n bytes at most; how many it were. `from` or `to` NULL: zeros, nowhere. */
uint32_t hda_fifo_put(struct hda_fifo *fifo, const void *from, uint32_t n);
uint32_t hda_fifo_get(struct hda_fifo *fifo, void *to, uint32_t n);
/* What plays and records at the port follows the registers. */
void hda_port_settle(struct hda *hda, int64_t now);
/* Hands over what DMA has fetched. */
void hda_port_flush(struct hda *hda);
/* When hda_port_settle is due, INT64_MAX: when something changes. */
int64_t hda_port_due(const struct hda *hda);
void hda_port_consumed(struct hda *hda, size_t bytes);
void hda_port_captured(struct hda *hda, const uint8_t *pcm, size_t bytes);

static inline bool hda_is_output(unsigned stream)
{
	return stream >= HDA_INPUTS;
}

static inline unsigned hda_tag(const struct hda_stream *stream)
{
	return stream->control >> HDA_SD_TAG_SHIFT & 15;
}

/* Registers are kept whole and written in parts. */
static inline uint32_t hda_merge(uint32_t old, uint32_t value, uint32_t mask)
{
	return (old & ~mask) | (value & mask);
}

#endif
