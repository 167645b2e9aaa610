/*
 * Which vblanks a film's frame is shown at. Frame n begins at vblank floor(n * refresh / fps): 30 on
 * 60 gives 2 2 2..., 24 on 60 gives 2 3 2 3..., 30 on 24 skips some. Whole numbers only, so nothing
 * drifts. Rates are in thousandths of a hertz.
 */
#ifndef IRORI_DEMO_CADENCE_H
#define IRORI_DEMO_CADENCE_H

#include <stdint.h>

struct cadence {
	uint32_t fps_mhz, refresh_mhz;
	uint64_t frame; /* next to be asked for, since the rates were set */
};

static inline void cadence_set(struct cadence *c, uint32_t fps_mhz, uint32_t refresh_mhz)
{
	*c = (struct cadence){ .fps_mhz = fps_mhz, .refresh_mhz = refresh_mhz };
}

static inline uint64_t cadence_begin(const struct cadence *c, uint64_t frame)
{
	/* Whole seconds apart, so that the product cannot overflow in any run a person sees. */
	uint64_t whole = frame / c->fps_mhz, rest = frame % c->fps_mhz;

	return whole * c->refresh_mhz + rest * c->refresh_mhz / c->fps_mhz;
}

/* How many vblanks the next frame is shown for; 0: it is skipped. */
static inline unsigned cadence_next(struct cadence *c)
{
	uint64_t begin = cadence_begin(c, c->frame);

	return (unsigned)(cadence_begin(c, ++c->frame) - begin);
}

/*
 * The refresh rate, in thousandths of a hertz, that `count` distances between events (nanoseconds,
 * sorted by this call) speak of. Only rates that displays have are believed, and only when the
 * distances agree: on a machine that is short of processor time they do not, and mean nothing.
 */
enum {
	CADENCE_UNSURE = 0,
	CADENCE_UNPACED = 1, /* too fast for any display: nobody paces us */
};

uint32_t cadence_refresh(int64_t *distances, unsigned count);

#endif
