/*
 * HD Audio and its driver gone mad. The seat's side consumes and records as the input says, and
 * checks what it is told: never more than so much at once, start and stop in turn.
 */
#include "tests/fuzz/mmio_harness.h"
#include "vmm/hda_internal.h"
#include "vmm/sound.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	AHEAD_MS = 40,
	LEAD = 48000 * 4 / 1000 * AHEAD_MS,
};

static struct {
	struct seat_port port;
	bool started[2];
	size_t flying;
} seat;

static void seat_start(struct seat_port *port, unsigned stream,
	const struct port_audio_format *format)
{
	if (stream > 1 || seat.started[stream] || format->channels < 1 || format->channels > 2 ||
		!format->period_bytes)
		abort();
	seat.started[stream] = true;
	if (stream == 0)
		seat.flying = 0;
}

static void seat_stop(struct seat_port *port, unsigned stream)
{
	if (stream > 1 || !seat.started[stream])
		abort();
	seat.started[stream] = false;
}

static void seat_write(struct seat_port *port, const void *pcm, size_t bytes)
{
	static volatile uint8_t sum __attribute__((unused)); /* every byte is read */

	if (!bytes || bytes > PORT_MAX_PCM || !seat.started[0])
		abort();
	seat.flying += bytes;
	if (seat.flying > 2 * LEAD)
		abort(); /* further ahead than it may be */
	for (size_t i = 0; i < bytes; i++)
		sum += ((const uint8_t *)pcm)[i];
}

static const struct seat_port_ops seat_ops = {
	.audio_start = seat_start,
	.audio_stop = seat_stop,
	.audio_write = seat_write,
};

static void prepare(struct guest *guest)
{
	memset(&seat, 0, sizeof(seat));
	seat.port.ops = &seat_ops;
	guest->machine.port = &seat.port;
}

static void settle(struct guest *guest)
{
	hda_wake((struct hda *)guest->machine.sound);
	guest_spin(guest);
}

/* Rings, and a stream each way with its converter; the input says what is in memory. */
static void start(struct guest *guest)
{
	static const struct {
		uint32_t offset, size, value;
	} writes[] = {
		{ 0x08, 4, 1 }, { 0x20, 4, 0xc00000ff }, { 0x40, 4, 0x1000 }, { 0x50, 4, 0x2000 },
		{ 0x5a, 2, 1 }, { 0x4c, 1, 2 }, { 0x5c, 1, 7 }, { 0x70, 4, 0x3001 },
		{ 0x60, 4, 0x00270650 }, { 0x68, 2, 1 }, { 0x60, 4, 0x00470630 }, { 0x68, 2, 1 },
		{ 0x108, 4, 8192 }, { 0x10c, 2, 3 }, { 0x112, 2, 0x11 }, { 0x118, 4, 0x4000 },
		{ 0x100, 4, 0x50001e },
		{ 0x88, 4, 8192 }, { 0x8c, 2, 3 }, { 0x92, 2, 0x4010 }, { 0x98, 4, 0x4000 },
		{ 0x80, 4, 0x30001e },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(writes); i++)
		guest_write(guest, writes[i].offset, writes[i].size, writes[i].value);
	settle(guest);
}

static void event(struct guest *guest, const uint8_t *data, size_t len)
{
	size_t bytes = len > 2 ? data[1] | data[2] << 8 : len;

	if (len && (data[0] & 1)) {
		guest_events->audio_captured(guest_events_device, data, len);
		return;
	}
	bytes = MIN(bytes, seat.flying); /* what the link's server sees to */
	seat.flying -= bytes;
	guest_events->audio_consumed(guest_events_device, 0, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sound_config config = { .model = SOUND_HDA, .ahead = AHEAD_MS };
	static const struct mmio_fuzz fuzz = {
		.type = &sound_type,
		.config = &config,
		.registers = 0x180,
		.prepare = prepare,
		.start = start,
		.event = event,
		.settle = settle,
	};

	return mmio_fuzz_run(&fuzz, data, size);
}
