/*
 * A linear resampler in 32.32 fixed point.
 */
#include "display/remote/resample.h"

#include <errno.h>

#define ONE (UINT64_C(1) << 32)

int resample_init(struct resample *resample, uint32_t in_rate, uint32_t channels, uint32_t out_rate)
{
	if (in_rate < 1000 || in_rate > 384000 || out_rate < 1000 || out_rate > 384000 ||
		channels < 1 || channels > 8)
		return -EINVAL;
	*resample = (struct resample){
		.in_rate = in_rate,
		.out_rate = out_rate,
		.channels = channels,
		.step = ((uint64_t)in_rate << 32) / out_rate,
	};
	return 0;
}

void resample_push(struct resample *resample, const int16_t *frame)
{
	resample->last[0] = resample->next[0];
	resample->last[1] = resample->next[1];
	resample->next[0] = frame[0];
	resample->next[1] = frame[resample->channels > 1];
	if (resample->primed < 2)
		resample->primed++;
	else
		resample->phase -= resample->phase < ONE ? resample->phase : ONE;
}

static uint16_t resample_between(const struct resample *resample, unsigned channel)
{
	int64_t last = resample->last[channel], next = resample->next[channel];

	return (uint16_t)(last + (next - last) * (int64_t)(resample->phase >> 16) / 65536);
}

bool resample_pull(struct resample *resample, uint32_t *stereo)
{
	if (resample->primed < 2 || resample->phase >= ONE)
		return false;
	*stereo = resample_between(resample, 0) | (uint32_t)resample_between(resample, 1) << 16;
	resample->phase += resample->step;
	return true;
}
