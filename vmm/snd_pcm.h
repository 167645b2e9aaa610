/*
 * What a PCM stream of virtio-snd may be told, and when: the state machine and the check of its
 * parameters, without queues or memory.
 *
 *	         SET_PARAMS          PREPARE            START
 *	UNSET ------------> SET ------------> PREPARED -------> RUNNING
 *	                     ^                  |                | ^
 *	                     |     RELEASE      |           STOP v | START
 *	                     +------------------+------------- STOPPED
 *
 * SET_PARAMS is also allowed in PREPARED, PREPARE too. In STOPPED the specification allows only
 * START and RELEASE, but Linux skips RELEASE when it knows of no buffer at the device, so SET_PARAMS
 * and PREPARE are taken there as well, as if RELEASE had come before.
 *
 * Source: virtio 1.2, section 5.14.6.6.
 */
#ifndef IRORI_VMM_SND_PCM_H
#define IRORI_VMM_SND_PCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum snd_state {
	SND_UNSET, /* no parameters */
	SND_SET,   /* parameters, no buffers */
	SND_PREPARED, /* buffers may be queued; they wait */
	SND_RUNNING,
	SND_STOPPED,
	SND_STATES
};

/* In the order of their codes from VIRTIO_SND_R_PCM_SET_PARAMS on. */
enum snd_command {
	SND_SET_PARAMS,
	SND_PREPARE,
	SND_RELEASE,
	SND_START,
	SND_STOP,
	SND_COMMANDS
};

enum snd_limits {
	SND_MAX_BUFFER = 1 << 20, /* bytes of buffer_bytes */
	SND_MAX_PERIOD = 1 << 18,
	SND_MIN_PERIOD = 64, /* frames: 1.3 ms, so that the periods in flight are few */
};

struct snd_params {
	uint32_t buffer_bytes, period_bytes;
	uint32_t rate, channels;
};

struct virtio_snd_pcm_set_params;

/* The state after `command`, or -EINVAL where it has no business. */
int snd_transition(enum snd_state state, enum snd_command command);

/* Checks a driver's request (a copy); VIRTIO_SND_S_OK and *params filled, or the status to answer:
 * BAD_MSG for what makes no sense, NOT_SUPP for what we do not do. */
uint32_t snd_params_check(const struct virtio_snd_pcm_set_params *request,
	struct snd_params *params);

static inline uint32_t snd_frame_bytes(const struct snd_params *params)
{
	return 2 * params->channels;
}

#endif
