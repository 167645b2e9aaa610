/*
 * A pure tone for tone.seconds= (default 5) at tone.hz= (default 1000), then off. The sound test
 * looks for it at the far end.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "demo/programs/options.h"
#include "demo/programs/sound.h"

enum {
	TONE_RATE = 48000,
	TONE_CHANNELS = 2,
	TONE_PERIOD = TONE_RATE / 100,
	TONE_PERIODS = 8,
	TONE_WAKE_MS = 20,
};

/* The phase goes on from call to call, kept small so that its precision does not fade. */
static void tone_fill(int16_t *slot, double *phase, double step)
{
	for (int i = 0; i < TONE_PERIOD; i++) {
		int16_t sample = (int16_t)lrint(12000 * sin(*phase));

		*phase += step;
		if (*phase > 2 * M_PI)
			*phase -= 2 * M_PI;
		*slot++ = sample;
		*slot++ = sample;
	}
}

static int tone_play(double hz, uint64_t periods)
{
	struct sound sound;
	double phase = 0;
	int err = sound_open(&sound, TONE_RATE, TONE_CHANNELS, TONE_PERIOD, TONE_PERIODS);

	while (!err && sound.played < periods) {
		err = sound_update(&sound);
		while (!err && sound_free(&sound) && sound.queued < periods) {
			tone_fill(sound_slot(&sound), &phase, 2 * M_PI * hz / TONE_RATE);
			err = sound_queue(&sound);
		}
		if (!err)
			poll(NULL, 0, TONE_WAKE_MS);
	}
	return err;
}

int main(void)
{
	long hz = option_number("tone.hz", 1000), seconds = option_number("tone.seconds", 5);
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (hz < 20 || hz > TONE_RATE / 2)
		hz = 1000;
	if (seconds < 1 || seconds > 3600)
		seconds = 5;
	err = tone_play((double)hz, (uint64_t)seconds * TONE_RATE / TONE_PERIOD);
	printf("tone: %s\n", err ? strerror(-err) : "played");
	reboot(RB_POWER_OFF);
	return err != 0;
}
