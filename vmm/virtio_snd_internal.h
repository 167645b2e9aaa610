/*
 * What virtio_snd.c (control, life) and virtio_snd_pcm.c (the two data queues) share. All of it
 * under the device's lock.
 */
#ifndef IRORI_VMM_VIRTIO_SND_INTERNAL_H
#define IRORI_VMM_VIRTIO_SND_INTERNAL_H

#include <linux/virtio_snd.h>

#include "vmm/snd_pcm.h"
#include "vmm/virtio_snd.h"

enum {
	SND_PLAYBACK = 0,
	SND_CAPTURE = 1,
	SND_STREAMS = 2,
	SND_QUEUE_SIZE = 64,
	SND_STATUS_BYTES = sizeof(struct virtio_snd_pcm_status),
};

/* A playback buffer at the port: where its status goes, and when it is done. */
struct snd_period {
	uint16_t head;
	unsigned n_status;
	struct iovec status[SND_STATUS_BYTES]; /* 8 bytes in 8 buffers at worst */
	uint64_t end; /* done when so many bytes have been consumed */
};

struct snd_stream {
	enum snd_state state;
	struct snd_params params;
	bool at_port;      /* audio_start has been called */
	bool stop_at_port; /* and audio_stop is to be: a reset came on another thread */
	bool start_at_port; /* audio_start is to be called: a saved guest was playing */

	/* The buffer being handed over or filled. */
	struct vq_chain chain;
	bool open;
	size_t offset, length; /* of its PCM */

	/* playback */
	struct snd_period period[SND_PERIODS];
	unsigned first, n_periods;
	uint64_t written, consumed; /* bytes to and from the port since the start */
	bool starved;
};

struct virtio_snd {
	struct virtio_device dev;
	struct seat_port *port;
	GSource *source; /* runs on the seat thread when it is woken */
	unsigned ahead_ms;
	struct snd_stream stream[SND_STREAMS];
	struct sound_counters counters;
	uint8_t piece[PORT_MAX_PCM];
};

/* Have the seat thread look again: stop at the port, or go on with a queue. */
void snd_wake(struct virtio_snd *snd);

/* Carries out what entering `state` means for the port and the buffers. */
void snd_enter(struct virtio_snd *snd, unsigned stream, enum snd_state state);
void snd_settle_port(struct virtio_snd *snd);
void snd_forget(struct virtio_snd *snd); /* reset */
/* Gives back what was popped: the rest of a period is lost, the stream goes on. */
void snd_drain_streams(struct virtio_snd *snd);

void snd_playback_kick(struct virtio_snd *snd);
void snd_playback_consumed(struct virtio_snd *snd, size_t bytes);
void snd_capture_kick(struct virtio_snd *snd);
void snd_capture_data(struct virtio_snd *snd, const uint8_t *pcm, size_t bytes);

#endif
