/*
 * A sunken hearth seen from above: a wooden frame, raked ash, coals in the middle. What does not
 * change is drawn once; the coals are a few dozen cells, each with a pulse of its own.
 */
#include "demo/programs/hearth.h"

#include <math.h>
#include <stdbool.h>

enum {
	HALF = HEARTH_SIZE / 2,
	FRAME = 108, /* half the outer edge of the wood */
	PIT = 84,    /* half its inner edge */
	BED = 58,    /* radius of the coals */
	COALS = 38,
};

static float hearth_random(uint32_t n)
{
	n = (n ^ 61) ^ (n >> 16);
	n *= 9;
	n ^= n >> 4;
	n *= 0x27d4eb2d;
	n ^= n >> 15;
	return (float)(n & 0xffff) / 65536.0f;
}

static uint32_t hearth_rgb(float r, float g, float b)
{
	r = fminf(1, fmaxf(0, r));
	g = fminf(1, fmaxf(0, g));
	b = fminf(1, fmaxf(0, b));
	return (uint32_t)(r * 255) << 16 | (uint32_t)(g * 255) << 8 | (uint32_t)(b * 255);
}

static uint32_t hearth_add(uint32_t under, float r, float g, float b)
{
	return hearth_rgb((float)(under >> 16 & 255) / 255 + r, (float)(under >> 8 & 255) / 255 + g,
			  (float)(under & 255) / 255 + b);
}

uint32_t hearth_glow(float heat)
{
	heat = fminf(1, fmaxf(0, heat));
	return hearth_rgb(heat * 1.7f, heat * heat * 1.05f, heat * heat * heat * heat * 0.55f);
}

/* Signed distance to a square with round corners, negative inside. */
static float hearth_square(float x, float y, float half, float radius)
{
	float qx = fabsf(x) - half + radius, qy = fabsf(y) - half + radius;
	float ax = fmaxf(qx, 0), ay = fmaxf(qy, 0);

	return sqrtf(ax * ax + ay * ay) + fminf(fmaxf(qx, qy), 0) - radius;
}

static uint32_t hearth_wood(float x, float y)
{
	/* Four boards, mitred: the grain follows the longer way. */
	bool across = fabsf(y) > fabsf(x);
	float along = across ? x : y, off = across ? y : x;
	float grain = sinf(off * 1.1f + 1.6f * sinf(along * 0.035f + off * 0.2f)) * 0.5f + 0.5f;
	float fine = hearth_random((uint32_t)((int)(off * 2) * 7919 + (int)(along / 9) * 104729));
	float light = 0.78f + 0.16f * grain + 0.08f * fine;
	float mitre = fminf(1, fabsf(fabsf(x) - fabsf(y)) * 0.9f);

	light *= 0.6f + 0.4f * mitre;
	if (off < 0)
		light *= 1.12f; /* lit from above left */
	return hearth_rgb(0.36f * light, 0.205f * light, 0.125f * light);
}

static uint32_t hearth_ash(float x, float y)
{
	float r = sqrtf(x * x + y * y);
	float rake = sinf(r * 0.82f) * fminf(1, fmaxf(0, (r - BED) * 0.1f));
	float grit = hearth_random((uint32_t)((int)(x + 500) * 9176 + (int)(y + 500) * 31));
	float edge = fmaxf(fabsf(x), fabsf(y));
	float light = 0.235f + 0.026f * rake + 0.03f * grit;

	/* The frame's shadow into the pit. */
	light *= 0.55f + 0.45f * fminf(1, (PIT - edge) * 0.07f);
	return hearth_rgb(light * 1.04f, light * 0.88f, light * 0.77f);
}

struct hearth_still {
	uint32_t pixels[HEARTH_SIZE * HEARTH_SIZE];
	uint8_t opacity[HEARTH_SIZE * HEARTH_SIZE];
	uint8_t coal[4 * BED * BED];  /* which one; COALS: between them */
	uint8_t crack[4 * BED * BED]; /* how near to its edge, 255 is the edge */
};

/* The two nearest coals to a place decide whose it is and how far the crack is. */
static void hearth_coals(struct hearth_still *s)
{
	float cx[COALS], cy[COALS];

	for (uint32_t i = 0; i < COALS; i++) { /* spread evenly: a sunflower's spiral, disturbed */
		float r = (BED - 7) * sqrtf(((float)i + 0.6f) / COALS), a = (float)i * 2.399963f;

		cx[i] = r * cosf(a) + 5 * hearth_random(i * 2 + 1) - 2.5f;
		cy[i] = r * sinf(a) + 5 * hearth_random(i * 2 + 2) - 2.5f;
	}
	for (int y = 0; y < 2 * BED; y++)
		for (int x = 0; x < 2 * BED; x++) {
			float first = 1e9f, second = 1e9f, px = (float)(x - BED), py = (float)(y - BED);
			int who = COALS;

			for (int i = 0; i < COALS; i++) {
				float d = hypotf(px - cx[i], py - cy[i]);

				if (d < first) {
					second = first;
					first = d;
					who = i;
				} else if (d < second) {
					second = d;
				}
			}
			if (first > 11.0f - 2 * hearth_random((uint32_t)(x / 2 * 91 + y / 2 * 57))) /* the bed's ragged rim */
				who = COALS;
			s->coal[y * 2 * BED + x] = (uint8_t)who;
			s->crack[y * 2 * BED + x] =
				(uint8_t)(255 * fmaxf(0, 1 - (second - first) * 0.16f));
		}
}

static const struct hearth_still *hearth_still(void)
{
	static struct hearth_still s;
	static bool made;

	if (made)
		return &s;
	for (int i = 0; i < HEARTH_SIZE * HEARTH_SIZE; i++) {
		float x = (float)(i % HEARTH_SIZE - HALF) + 0.5f;
		float y = (float)(i / HEARTH_SIZE - HALF) + 0.5f;
		float outer = hearth_square(x, y, FRAME, 9), inner = hearth_square(x, y, PIT, 4);
		uint32_t wood = hearth_wood(x, y), pit = hearth_ash(x, y);
		float part = fminf(1, fmaxf(0, inner + 0.5f));

		if (fabsf(inner) < 1.6f || (outer < 0 && outer > -1.4f))
			wood = canvas_blend(wood, 0xffd9a0, inner > -1 && x + y > 0 ? 50 : 26);
		s.pixels[i] = canvas_blend(pit, wood, (uint32_t)(part * 255));
		s.opacity[i] = (uint8_t)(255 * fminf(1, fmaxf(0, 0.5f - outer)));
	}
	hearth_coals(&s);
	made = true;
	return &s;
}

/* How hot each coal is just now. */
static void hearth_pulse(float heat[COALS + 1], float seconds, float warmth)
{
	for (uint32_t i = 0; i < COALS; i++) {
		float slow = sinf(seconds * (0.7f + hearth_random(i + 77)) + 6.28f * hearth_random(i + 9));
		float quick = sinf(seconds * (3.1f + 2 * hearth_random(i + 5)) + 6.28f * hearth_random(i));

		heat[i] = warmth * (0.60f + 0.25f * hearth_random(i + 3) + 0.2f * slow + 0.05f * quick);
	}
	heat[COALS] = 0;
}

static uint32_t hearth_coal(uint32_t under, unsigned crack, float heat)
{
	float k = (float)crack / 255, hot = heat * (0.20f + 0.35f * k + 0.62f * k * k * k);
	uint32_t glow = hearth_glow(hot);

	/* A coal is dark, its top a little greyer with ash. */
	under = canvas_blend(under, crack < 60 ? 0x2a221e : 0x15100d, 215);
	return hearth_add(under, (float)(glow >> 16) / 255, (float)(glow >> 8 & 255) / 255,
			  (float)(glow & 255) / 255);
}

void hearth_draw(struct canvas *c, int x, int y, float seconds, float warmth)
{
	const struct hearth_still *s = hearth_still();
	struct rect r = rect_meet((struct rect){ x, y, HEARTH_SIZE, HEARTH_SIZE }, c->clip);
	float heat[COALS + 1], breath = warmth * (0.88f + 0.08f * sinf(seconds * 1.7f) +
						  0.04f * sinf(seconds * 7.3f));

	hearth_pulse(heat, seconds, warmth);
	for (int row = r.y; row < r.y + r.height; row++)
		for (int column = r.x; column < r.x + r.width; column++) {
			int i = (row - y) * HEARTH_SIZE + column - x;
			int bx = column - x - HALF + BED, by = row - y - HALF + BED;
			float dx = (float)(column - x - HALF), dy = (float)(row - y - HALF);
			float light = fmaxf(0, 1 - (dx * dx + dy * dy) / (112.0f * 112.0f)) * breath;
			uint32_t *to = c->pixels + (long)row * c->stride + column, colour = s->pixels[i];

			light *= light * light;
			if (bx >= 0 && by >= 0 && bx < 2 * BED && by < 2 * BED &&
			    s->coal[by * 2 * BED + bx] < COALS)
				colour = hearth_coal(colour, s->crack[by * 2 * BED + bx],
						     heat[s->coal[by * 2 * BED + bx]]);
			colour = hearth_add(colour, 0.52f * light, 0.19f * light, 0.035f * light);
			*to = canvas_blend(*to, colour, s->opacity[i]);
		}
}

void hearth_wallpaper(struct canvas *c)
{
	float w = (float)c->width, h = (float)c->height;

	for (int y = 0; y < c->height; y++)
		for (int x = 0; x < c->width; x++) {
			float px = ((float)x - w * 0.5f) / w, py = ((float)y - h * 1.12f) / w;
			float r = sqrtf(px * px + py * py);
			float light = expf(-r * r * 5.5f), rake = sinf(r * 130) * 0.5f + 0.5f;
			float dither = hearth_random((uint32_t)(y * c->width + x)) / 255;

			rake *= 0.035f * fminf(1, r * 2.2f) * (0.35f + light);
			c->pixels[(long)y * c->stride + x] = hearth_rgb(
				0.060f + 0.50f * light * light + 0.09f * light + rake + dither,
				0.034f + 0.155f * light * light + 0.045f * light + rake * 0.6f + dither,
				0.030f + 0.035f * light * light + 0.03f * light + rake * 0.4f + dither);
		}
}
