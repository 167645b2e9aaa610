/*
 * The hearth: the picture that greets at boot, and the colours of everything else. Drawn from
 * formulas; the embers glow and move.
 */
#ifndef IRORI_DEMO_HEARTH_H
#define IRORI_DEMO_HEARTH_H

#include "demo/programs/canvas.h"

enum {
	HEARTH_SIZE = 232, /* of the picture, square */
};

/* The colours of the house. */
#define HEARTH_NIGHT 0xff120a07u
#define HEARTH_BARK 0xff24150eu
#define HEARTH_CLAY 0xff3a2418u
#define HEARTH_ASH 0xff8f8074u
#define HEARTH_PAPER 0xfff0e6d8u
#define HEARTH_CREAM 0xffffe2c0u
#define HEARTH_EMBER 0xffff7a28u
#define HEARTH_FLAME 0xffffb45au

/* The colour of something as hot as `heat`, 0 to 1. */
uint32_t hearth_glow(float heat);

/* The hearth with its corner at x, y, at this moment; warmth 0 (cold) to 1. */
void hearth_draw(struct canvas *c, int x, int y, float seconds, float warmth);

/* The wallpaper: dusk, with the hearth's light from below. */
void hearth_wallpaper(struct canvas *c);

#endif
