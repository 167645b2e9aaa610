/* /dev/audio as programs use it. */
#include "demo/programs/sound.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

int sound_open(struct sound *sound, uint32_t rate, uint32_t channels, uint32_t frames,
	       uint32_t periods)
{
	struct audio_start start = {
		.rate = rate,
		.channels = channels,
		.period_bytes = frames * channels * 2,
		.periods = periods,
	};
	void *ring;

	*sound = (struct sound){
		.fd = open("/dev/audio", O_RDWR | O_CLOEXEC),
		.rate = rate,
		.channels = channels,
		.frames = frames,
		.periods = periods,
	};
	if (sound->fd < 0)
		return -errno;
	if (ioctl(sound->fd, AUDIO_START, &start))
		goto fail;
	ring = mmap(NULL, (size_t)start.period_bytes * periods, PROT_READ | PROT_WRITE, MAP_SHARED,
		    sound->fd, 0);
	if (ring == MAP_FAILED)
		goto fail;
	sound->ring = ring;
	sound->started = true;
	return 0;
fail:
	close(sound->fd);
	sound->fd = -1;
	return -errno;
}

int sound_update(struct sound *sound)
{
	struct audio_status status;

	if (ioctl(sound->fd, AUDIO_STATUS, &status))
		return -errno;
	sound->played = status.played;
	sound->latency_bytes = status.latency_bytes;
	return 0;
}

unsigned sound_free(const struct sound *sound)
{
	uint64_t held = sound->queued - sound->played;

	return held >= sound->periods ? 0 : sound->periods - (unsigned)held;
}

int16_t *sound_slot(struct sound *sound)
{
	size_t samples = (size_t)sound->frames * sound->channels;

	return sound->ring + sound->queued % sound->periods * samples;
}

int sound_queue(struct sound *sound)
{
	if (ioctl(sound->fd, AUDIO_QUEUE, sound->queued % sound->periods))
		return -errno;
	sound->queued++;
	return 0;
}

int64_t sound_heard(const struct sound *sound)
{
	int64_t frames = (int64_t)(sound->played * sound->frames) -
			 (int64_t)(sound->latency_bytes / (2 * sound->channels));

	return frames > 0 ? frames * 1000000000 / sound->rate : 0;
}
