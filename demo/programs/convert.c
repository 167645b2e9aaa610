/*
 * YUV 4:2:0 to XRGB with SSE2: sixteen pixels of two rows at a time, so that each chroma sample is
 * worked on once. Six bits of fraction fit 16-bit lanes; saturating sums make the overshoot harmless.
 */
#include "demo/programs/convert.h"

#include <emmintrin.h>

enum { /* 64 times the matrix of BT.601 */
	Y_SCALE = 75,
	V_TO_R = 102,
	U_TO_G = 25,
	V_TO_G = 52,
	U_TO_B = 129,
};

static inline __m128i convert_luma(__m128i y)
{
	/* 16 is black. Saturating: footroom stays at 0. */
	y = _mm_subs_epu16(y, _mm_set1_epi16(16));
	return _mm_add_epi16(_mm_mullo_epi16(y, _mm_set1_epi16(Y_SCALE)), _mm_set1_epi16(32));
}

/* Eight pixels: luma in y (16 bits each), chroma terms already doubled to full width. */
static inline void convert_eight(__m128i y, __m128i r, __m128i g, __m128i b, uint32_t *out)
{
	__m128i zero = _mm_setzero_si128(), blue_green, red;

	y = convert_luma(y);
	r = _mm_srai_epi16(_mm_adds_epi16(y, r), 6);
	g = _mm_srai_epi16(_mm_subs_epi16(y, g), 6);
	b = _mm_srai_epi16(_mm_adds_epi16(y, b), 6);
	r = _mm_packus_epi16(r, zero);
	g = _mm_packus_epi16(g, zero);
	b = _mm_packus_epi16(b, zero);
	blue_green = _mm_unpacklo_epi8(b, g);
	red = _mm_unpacklo_epi8(r, zero);
	_mm_storeu_si128((__m128i *)out, _mm_unpacklo_epi16(blue_green, red));
	_mm_storeu_si128((__m128i *)(out + 4), _mm_unpackhi_epi16(blue_green, red));
}

static inline void convert_sixteen(const uint8_t *y, __m128i r, __m128i g, __m128i b, uint32_t *out)
{
	__m128i zero = _mm_setzero_si128(), luma = _mm_loadu_si128((const __m128i *)y);

	convert_eight(_mm_unpacklo_epi8(luma, zero), _mm_unpacklo_epi16(r, r),
		      _mm_unpacklo_epi16(g, g), _mm_unpacklo_epi16(b, b), out);
	convert_eight(_mm_unpackhi_epi8(luma, zero), _mm_unpackhi_epi16(r, r),
		      _mm_unpackhi_epi16(g, g), _mm_unpackhi_epi16(b, b), out + 8);
}

static inline uint32_t convert_clamp(int value)
{
	value >>= 6;
	return value < 0 ? 0 : value > 255 ? 255 : (uint32_t)value;
}

/* What is left of a row when the width is not a multiple of 16. */
static void convert_rest(const uint8_t *y, const uint8_t *u, const uint8_t *v, unsigned from,
			 unsigned width, uint32_t *out)
{
	for (unsigned x = from; x < width; x++) {
		int luma = (y[x] < 16 ? 0 : y[x] - 16) * Y_SCALE + 32;
		int du = u[x / 2] - 128, dv = v[x / 2] - 128;

		out[x] = convert_clamp(luma + V_TO_R * dv) << 16 |
			 convert_clamp(luma - U_TO_G * du - V_TO_G * dv) << 8 |
			 convert_clamp(luma + U_TO_B * du);
	}
}

void convert_yuv420(const struct convert_plane planes[3], unsigned width, unsigned height,
		    uint32_t *pixels, size_t stride)
{
	const __m128i zero = _mm_setzero_si128(), middle = _mm_set1_epi16(128);
	unsigned whole = width / 16 * 16;

	for (unsigned row = 0; row < height; row += 2) {
		const uint8_t *y0 = planes[0].data + (ptrdiff_t)row * planes[0].stride;
		const uint8_t *y1 = row + 1 < height ? y0 + planes[0].stride : y0;
		const uint8_t *u = planes[1].data + (ptrdiff_t)(row / 2) * planes[1].stride;
		const uint8_t *v = planes[2].data + (ptrdiff_t)(row / 2) * planes[2].stride;
		uint32_t *out0 = pixels + row * stride, *out1 = row + 1 < height ? out0 + stride : out0;

		for (unsigned x = 0; x < whole; x += 16) {
			__m128i du = _mm_loadl_epi64((const __m128i *)(u + x / 2));
			__m128i dv = _mm_loadl_epi64((const __m128i *)(v + x / 2));
			__m128i r, g, b;

			du = _mm_sub_epi16(_mm_unpacklo_epi8(du, zero), middle);
			dv = _mm_sub_epi16(_mm_unpacklo_epi8(dv, zero), middle);
			r = _mm_mullo_epi16(dv, _mm_set1_epi16(V_TO_R));
			g = _mm_add_epi16(_mm_mullo_epi16(du, _mm_set1_epi16(U_TO_G)),
					  _mm_mullo_epi16(dv, _mm_set1_epi16(V_TO_G)));
			b = _mm_mullo_epi16(du, _mm_set1_epi16(U_TO_B));
			convert_sixteen(y0 + x, r, g, b, out0 + x);
			convert_sixteen(y1 + x, r, g, b, out1 + x);
		}
		convert_rest(y0, u, v, whole, width, out0);
		convert_rest(y1, u, v, whole, width, out1);
	}
}
