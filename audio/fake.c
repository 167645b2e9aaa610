/*
 * A sound device for tests, whose clock is turned by hand.
 */
#include "audio/fake.h"

#include <errno.h>

enum { FAKE_PIECE = 4096 };

struct audio_device {
	const struct audio_events *events;
	void *user;
	struct audio_format format;
	bool playing, recording, failed;
	unsigned volume;
	int ppm;
	int64_t due; /* frames not yet asked for, in units of 1e-15 */
	fake_audio_played played;
	void *played_user;
};

static struct audio_device *last;

static struct audio_device *fake_open(const struct audio_config *config,
	const struct audio_events *events, void *user, GError **error)
{
	struct audio_device *device = g_new0(struct audio_device, 1);

	device->events = events;
	device->user = user;
	device->volume = config->volume;
	last = device;
	return device;
}

static int fake_play(struct audio_device *device, const struct audio_format *format)
{
	if (device->failed)
		return -EIO;
	device->format = *format;
	device->playing = true;
	device->due = 0;
	return 0;
}

static void fake_rest(struct audio_device *device)
{
	device->playing = false;
}

static int fake_record(struct audio_device *device, const struct audio_format *format)
{
	device->recording = format != NULL;
	return 0;
}

static void fake_volume(struct audio_device *device, unsigned percent)
{
	device->volume = percent;
}

static void fake_close(struct audio_device *device)
{
	if (last == device)
		last = NULL;
	g_free(device);
}

const struct audio_ops audio_fake = {
	.name = "fake",
	.open = fake_open,
	.play = fake_play,
	.rest = fake_rest,
	.record = fake_record,
	.volume = fake_volume,
	.close = fake_close,
};

struct audio_device *fake_audio_last(void)
{
	return last;
}

void fake_audio_on_played(struct audio_device *device, fake_audio_played played, void *user)
{
	device->played = played;
	device->played_user = user;
}

void fake_audio_drift(struct audio_device *device, int ppm)
{
	device->ppm = ppm;
}

void fake_audio_advance(struct audio_device *device, int64_t ns)
{
	uint8_t piece[FAKE_PIECE];
	size_t frame = audio_frame_bytes(&device->format), bytes, n;
	const int64_t unit = 1000000000000000ll;

	if (!device->playing || device->failed)
		return;
	/* Exact: no frame is lost to rounding however small the steps are. */
	while (ns > 0) {
		int64_t step = MIN(ns, 1000000);

		device->due += step * (int64_t)device->format.rate * (1000000 + device->ppm);
		ns -= step;
		bytes = (size_t)(device->due / unit) * frame;
		device->due %= unit;
		for (; bytes; bytes -= n) {
			n = MIN(bytes, sizeof(piece) / frame * frame);
			device->events->fill(device->user, piece, n);
			if (device->played)
				device->played(device->played_user, piece, n);
		}
	}
}

void fake_audio_hear(struct audio_device *device, const void *pcm, size_t bytes)
{
	if (device->recording)
		device->events->captured(device->user, pcm, bytes);
}

void fake_audio_ready(struct audio_device *device)
{
	device->events->ready(device->user);
}

void fake_audio_fail(struct audio_device *device, const char *why)
{
	device->failed = true;
	device->events->failed(device->user, why);
}

bool fake_audio_playing(const struct audio_device *device)
{
	return device->playing;
}

bool fake_audio_recording(const struct audio_device *device)
{
	return device->recording;
}

unsigned fake_audio_volume(const struct audio_device *device)
{
	return device->volume;
}
