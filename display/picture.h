/*
 * Pictures in memory: XRGB8888 as guests' scanouts are, written as PNG files.
 *
 * Thread: any.
 */
#ifndef IRORI_DISPLAY_PICTURE_H
#define IRORI_DISPLAY_PICTURE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Somebody's pixels; stride in bytes. pixels NULL: no picture. */
struct picture {
	const uint8_t *pixels;
	uint32_t width, height, stride;
};

/* A copy that owns its pixels (tightly packed); pixels NULL if there is no memory or no picture. */
struct picture picture_copy(const struct picture *picture);
void picture_clear(struct picture *picture);

/* Both pictures beside each other, the same height, `gap` pixels of background between them. */
struct picture picture_beside(const struct picture *left, const struct picture *right,
	uint32_t gap, uint32_t background);
/* Half as wide and high, each pixel the mean of four. */
struct picture picture_half(const struct picture *picture);

/* The PNG file's bytes, or NULL and error set. */
GByteArray *picture_png(const struct picture *picture, GError **error);
bool picture_write_png(const struct picture *picture, const char *path, GError **error);

#endif
