/*
 * virtio-snd: one playback and one capture stream between a guest and its seats.
 *
 * A playback buffer is completed when the seat's sink has consumed it (the port's audio_consumed),
 * never earlier, in order: the guest's sound follows the sink's clock. The device hands the port at
 * most `ahead_ms` of sound (SND_PERIODS buffers at most) and leaves the rest in the driver's ring.
 * STOP and RELEASE give back all that is pending.
 *
 * Thread: kicks and port events on the seat thread (the device's context); everything else as
 * vmm/virtio.h says. The port's events must not come from inside a call into the port.
 *
 * Source: virtio 1.2, section 5.14.
 */
#ifndef IRORI_VMM_VIRTIO_SND_H
#define IRORI_VMM_VIRTIO_SND_H

#include "display/port.h"
#include "vmm/machine.h"
#include "vmm/sound.h"
#include "vmm/virtio.h"

enum {
	SND_PERIODS = 64, /* at the port at once */
};

struct virtio_snd;

/* The device without a transport, for tests and fuzzers. context: where port calls are made after
 * a reset. */
struct virtio_snd *virtio_snd_new(const struct guest_memory *memory, GMainContext *context,
	struct seat_port *port, unsigned ahead_ms);
void virtio_snd_free(struct virtio_snd *snd);
struct virtio_device *virtio_snd_device(struct virtio_snd *snd);
/* To be called with a struct virtio_snd as the device. */
extern const struct seat_port_events virtio_snd_events;

/* For the card's drain and state. */
void virtio_snd_drain(struct virtio_snd *snd);
void virtio_snd_state(struct virtio_snd *snd, struct state *state);

/* From any thread. */
void virtio_snd_counters(struct virtio_snd *snd, struct sound_counters *counters);

#endif
