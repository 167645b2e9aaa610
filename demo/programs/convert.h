/*
 * YUV 4:2:0 (BT.601, video range, as Theora has it) to XRGB8888. SSE2.
 */
#ifndef IRORI_DEMO_CONVERT_H
#define IRORI_DEMO_CONVERT_H

#include <stddef.h>
#include <stdint.h>

struct convert_plane {
	const uint8_t *data;
	ptrdiff_t stride;
};

/*
 * width and height in luma pixels; a last odd row or column is done too. Reads no chroma beyond
 * (width + 1) / 2 and (height + 1) / 2, writes nothing beyond width. stride: of pixels, in pixels.
 */
void convert_yuv420(const struct convert_plane planes[3], unsigned width, unsigned height,
		    uint32_t *pixels, size_t stride);

#endif
