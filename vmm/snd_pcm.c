/*
 * The state machine of a virtio-snd stream, and the check of its parameters.
 */
#include "vmm/snd_pcm.h"

#include <errno.h>
#include <linux/virtio_snd.h>

/* The new state + 1; 0: not allowed. */
#define TO(state) ((state) + 1)

static const uint8_t transitions[SND_STATES][SND_COMMANDS] = {
	[SND_UNSET] = {
		[SND_SET_PARAMS] = TO(SND_SET),
	},
	[SND_SET] = {
		[SND_SET_PARAMS] = TO(SND_SET),
		[SND_PREPARE] = TO(SND_PREPARED),
	},
	[SND_PREPARED] = {
		[SND_SET_PARAMS] = TO(SND_SET),
		[SND_PREPARE] = TO(SND_PREPARED),
		[SND_START] = TO(SND_RUNNING),
		[SND_RELEASE] = TO(SND_SET),
	},
	[SND_RUNNING] = {
		[SND_STOP] = TO(SND_STOPPED),
	},
	[SND_STOPPED] = {
		[SND_SET_PARAMS] = TO(SND_SET),
		[SND_PREPARE] = TO(SND_PREPARED),
		[SND_START] = TO(SND_RUNNING),
		[SND_RELEASE] = TO(SND_SET),
	},
};

int snd_transition(enum snd_state state, enum snd_command command)
{
	if (state >= SND_STATES || command >= SND_COMMANDS || !transitions[state][command])
		return -EINVAL;
	return transitions[state][command] - 1;
}

static uint32_t snd_rate(uint8_t code)
{
	switch (code) {
	case VIRTIO_SND_PCM_RATE_44100:
		return 44100;
	case VIRTIO_SND_PCM_RATE_48000:
		return 48000;
	default:
		return 0;
	}
}

uint32_t snd_params_check(const struct virtio_snd_pcm_set_params *request,
	struct snd_params *params)
{
	struct snd_params p = {
		.buffer_bytes = request->buffer_bytes,
		.period_bytes = request->period_bytes,
		.rate = snd_rate(request->rate),
		.channels = request->channels,
	};

	if (request->features || request->format != VIRTIO_SND_PCM_FMT_S16 || !p.rate ||
		p.channels < 1 || p.channels > 2)
		return VIRTIO_SND_S_NOT_SUPP;
	if (!p.period_bytes || p.period_bytes > p.buffer_bytes ||
		p.buffer_bytes % p.period_bytes || p.period_bytes % snd_frame_bytes(&p))
		return VIRTIO_SND_S_BAD_MSG;
	if (p.buffer_bytes > SND_MAX_BUFFER || p.period_bytes > SND_MAX_PERIOD ||
		p.period_bytes < SND_MIN_PERIOD * snd_frame_bytes(&p))
		return VIRTIO_SND_S_NOT_SUPP;
	*params = p;
	return VIRTIO_SND_S_OK;
}
