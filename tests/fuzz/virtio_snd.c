/*
 * virtio-snd and its driver gone mad. The seat's side consumes and records as the input says, and
 * checks what it is told: never more than so much at once, start and stop in turn.
 */
#include "tests/fuzz/virtio_harness.h"
#include "vmm/sound.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	if (seat.flying > 48000 * 4 * 40 / 1000)
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

static void settle(struct guest *guest)
{
	guest_spin(guest);
	for (unsigned i = 0; i < 4; i++)
		event(guest, (const uint8_t[]){ 0, 0xff, 0xff }, 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sound_config config = { .model = SOUND_VIRTIO, .ahead = 40 };
	static const struct virtio_fuzz fuzz = {
		.type = &sound_type,
		.config = &config,
		.prepare = prepare,
		.event = event,
		.settle = settle,
	};

	return virtio_fuzz_run(&fuzz, data, size);
}
