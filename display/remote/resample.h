/*
 * From any rate and number of channels to stereo at another rate, linear between neighbours. S16,
 * interleaved. At equal rates samples pass unchanged.
 *
 * Thread: any; pure.
 */
#ifndef IRORI_DISPLAY_REMOTE_RESAMPLE_H
#define IRORI_DISPLAY_REMOTE_RESAMPLE_H

#include <stdbool.h>
#include <stdint.h>

struct resample {
	uint32_t in_rate, out_rate, channels;
	uint64_t step;  /* input frames an output frame, 32.32 */
	uint64_t phase; /* of the next output frame, counted from `last` */
	int16_t last[2], next[2];
	unsigned primed; /* frames taken, up to 2 */
};

/* Rates 1000 to 384000, channels 1 to 8 (the first two count). 0 or -EINVAL. */
int resample_init(struct resample *resample, uint32_t in_rate, uint32_t channels, uint32_t out_rate);
/* One frame in, at `frame` its channels' samples. */
void resample_push(struct resample *resample, const int16_t *frame);
/* The next frame out, left in the low half as SPICE has it; false: push more first. */
bool resample_pull(struct resample *resample, uint32_t *stereo);

#endif
