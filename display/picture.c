/*
 * Pictures in memory and PNG by libpng; see picture.h.
 */
#include "display/picture.h"

#include <errno.h>
#include <gio/gio.h>
#include <png.h>
#include <string.h>

enum { MAX_SIDE = 16384 };

static struct picture picture_new(uint32_t width, uint32_t height)
{
	struct picture new = { .width = width, .height = height, .stride = width * 4 };

	if (!width || !height || width > MAX_SIDE || height > MAX_SIDE)
		return (struct picture){ 0 };
	new.pixels = g_try_malloc((size_t)new.stride * height);
	return new.pixels ? new : (struct picture){ 0 };
}

static uint8_t *own_row(const struct picture *own, uint32_t y)
{
	return (uint8_t *)own->pixels + (size_t)y * own->stride;
}

static const uint8_t *row(const struct picture *picture, uint32_t y)
{
	return picture->pixels + (size_t)y * picture->stride;
}

struct picture picture_copy(const struct picture *picture)
{
	struct picture new = { 0 };

	if (picture->pixels)
		new = picture_new(picture->width, picture->height);
	for (uint32_t y = 0; y < new.height; y++)
		memcpy(own_row(&new, y), row(picture, y), new.stride);
	return new;
}

void picture_clear(struct picture *picture)
{
	g_free((uint8_t *)picture->pixels);
	*picture = (struct picture){ 0 };
}

static void paste(const struct picture *to, const struct picture *from, uint32_t x)
{
	for (uint32_t y = 0; y < from->height; y++)
		memcpy(own_row(to, y) + (size_t)x * 4, row(from, y), (size_t)from->width * 4);
}

struct picture picture_beside(const struct picture *left, const struct picture *right,
	uint32_t gap, uint32_t background)
{
	uint32_t height = MAX(left->height, right->height);
	struct picture new = picture_new(left->width + gap + right->width, height);

	if (!new.pixels)
		return new;
	for (uint32_t y = 0; y < new.height; y++) {
		uint32_t *pixel = (uint32_t *)own_row(&new, y);

		for (uint32_t x = 0; x < new.width; x++)
			pixel[x] = background;
	}
	if (left->pixels)
		paste(&new, left, 0);
	if (right->pixels)
		paste(&new, right, left->width + gap);
	return new;
}

struct picture picture_half(const struct picture *picture)
{
	struct picture new = { 0 };

	if (picture->pixels)
		new = picture_new(picture->width / 2, picture->height / 2);
	for (uint32_t y = 0; y < new.height; y++) {
		const uint8_t *a = row(picture, y * 2), *b = row(picture, y * 2 + 1);
		uint8_t *to = own_row(&new, y);

		for (uint32_t i = 0; i < new.width * 4; i++) {
			uint32_t at = i / 4 * 8 + i % 4;

			to[i] = (uint8_t)((a[at] + a[at + 4] + b[at] + b[at + 4] + 2) / 4);
		}
	}
	return new;
}

static void png_append(png_structp png, png_bytep data, png_size_t len)
{
	g_byte_array_append(png_get_io_ptr(png), data, (guint)len);
}

static void png_nothing(png_structp png)
{
}

/* libpng leaves by longjmp: everything it may jump over lives in the caller. */
static bool png_fill(GByteArray *bytes, const struct picture *picture, png_structp png,
	png_infop info)
{
	if (setjmp(png_jmpbuf(png)))
		return false;
	png_set_write_fn(png, bytes, png_append, png_nothing);
	png_set_compression_level(png, 6);
	png_set_IHDR(png, info, picture->width, picture->height, 8, PNG_COLOR_TYPE_RGB,
		PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	png_set_bgr(png);
	png_set_filler(png, 0, PNG_FILLER_AFTER);
	for (uint32_t y = 0; y < picture->height; y++)
		png_write_row(png, (png_bytep)row(picture, y));
	png_write_end(png, NULL);
	return true;
}

GByteArray *picture_png(const struct picture *picture, GError **error)
{
	GByteArray *bytes = NULL;
	png_structp png = NULL;
	png_infop info = NULL;

	if (picture->pixels)
		png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	if (png)
		info = png_create_info_struct(png);
	if (info)
		bytes = g_byte_array_new();
	if (bytes && !png_fill(bytes, picture, png, info)) {
		g_byte_array_unref(bytes);
		bytes = NULL;
	}
	png_destroy_write_struct(&png, &info);
	if (!bytes)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s",
			picture->pixels ? "the picture cannot be written as PNG"
					: "there is no picture");
	return bytes;
}

bool picture_write_png(const struct picture *picture, const char *path, GError **error)
{
	GByteArray *bytes = picture_png(picture, error);
	bool done;

	if (!bytes)
		return false;
	done = g_file_set_contents(path, (const char *)bytes->data, bytes->len, error);
	g_byte_array_unref(bytes);
	return done;
}
