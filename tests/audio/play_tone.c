/*
 * Plays a sine through the sink as a guest would: 40 ms ahead, more when the sink has consumed.
 *
 * usage: play-tone SERVER SINK HZ SECONDS
 */
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "audio/sink.h"

enum {
	RATE = 48000,
	AHEAD = RATE / 25 * 4, /* bytes */
};

static struct {
	struct sink *sink;
	double hz;
	uint64_t written, consumed;
	bool ready, failed;
} tone;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void tone_ready(void *user)
{
	tone.ready = true;
}

static void tone_consumed(void *user, size_t bytes)
{
	tone.consumed += bytes;
}

static void tone_failed(void *user, const char *why)
{
	fprintf(stderr, "play-tone: %s\n", why);
	tone.failed = true;
}

static void tone_fill(void)
{
	int16_t pcm[AHEAD / 2];
	size_t frames = (AHEAD - (tone.written - tone.consumed)) / 4;

	for (size_t i = 0; i < frames; i++) {
		double t = (double)(tone.written / 4 + i) / RATE;

		pcm[2 * i] = pcm[2 * i + 1] = (int16_t)(12000 * sin(2 * M_PI * tone.hz * t));
	}
	tone.written += frames * 4;
	sink_write(tone.sink, pcm, frames * 4);
}

static bool tone_wait(int64_t end)
{
	struct pollfd p = { .fd = sink_fd(tone.sink), .events = POLLIN };

	poll(&p, 1, 100);
	sink_dispatch(tone.sink, now());
	return !tone.failed && now() < end;
}

int main(int argc, char **argv)
{
	static const struct sink_events events = { tone_ready, tone_consumed, NULL, tone_failed };
	static const struct audio_format format = { RATE, 2 };
	struct audio_config config = { .name = "tone", .volume = 100 };
	struct sink_stat stat;
	GError *error = NULL;
	uint64_t wanted;

	if (argc != 5)
		return 2;
	config.server = argv[1];
	config.sink = argv[2];
	tone.hz = atof(argv[3]);
	wanted = (uint64_t)(atof(argv[4]) * RATE) * 4;
	tone.sink = sink_new(&audio_pulse, &config, &events, NULL, &error);
	if (!tone.sink) {
		fprintf(stderr, "play-tone: %s\n", error->message);
		return 1;
	}
	while (!tone.ready && tone_wait(now() + 1000000000ll))
		;
	if (tone.failed || sink_start(tone.sink, &format) < 0)
		return 1;
	for (int64_t end = now() + 60000000000ll; tone.consumed < wanted;) {
		tone_fill();
		if (!tone_wait(end))
			return 1;
	}
	sink_stat(tone.sink, &stat);
	printf("written %llu, consumed %llu, underruns %llu, silence %llu\n",
		(unsigned long long)stat.written, (unsigned long long)stat.consumed,
		(unsigned long long)stat.underruns, (unsigned long long)stat.silence);
	sink_free(tone.sink);
	return 0;
}
