/*
 * EDID's first block; see edid_read.h.
 */
#include "display/edid_read.h"

#include <stdio.h>
#include <string.h>

enum {
	BLOCK = 128,
	MAKER = 8,
	PRODUCT = 10,
	SERIAL = 12,
	CM_WIDTH = 21,
	CM_HEIGHT = 22,
	DESCRIPTORS = 54,
	DESCRIPTOR = 18,
	N_DESCRIPTORS = 4,
	TAG_SERIAL = 0xff,
	TAG_NAME = 0xfc,
	TEXT = 5, /* in a descriptor */
	TEXT_LEN = 13,
};

static unsigned le16(const uint8_t *at)
{
	return at[0] | (unsigned)at[1] << 8;
}

static bool edid_is_one(const uint8_t *bytes, size_t len)
{
	static const uint8_t header[8] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
	uint8_t sum = 0;

	if (!bytes || len < BLOCK || memcmp(bytes, header, sizeof(header)))
		return false;
	for (unsigned i = 0; i < BLOCK; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

/* Three letters of five bits, big endian; 1 is 'A'. Others become '?'. */
static void edid_make(const uint8_t *at, char make[4])
{
	unsigned packed = (unsigned)at[0] << 8 | at[1];

	for (unsigned i = 0; i < 3; i++) {
		unsigned letter = packed >> (10 - 5 * i) & 31;

		make[i] = letter >= 1 && letter <= 26 ? (char)('A' + letter - 1) : '?';
	}
	make[3] = 0;
}

/* Ends at a line feed, and has spaces around what it is. */
static void edid_text(const uint8_t *at, char text[14])
{
	unsigned n = 0;

	for (unsigned i = 0; i < TEXT_LEN && at[i] != '\n' && at[i]; i++) {
		char c = at[i] >= 0x20 && at[i] < 0x7f ? (char)at[i] : '?';

		if (n || c != ' ')
			text[n++] = c;
	}
	while (n && text[n - 1] == ' ')
		n--;
	text[n] = 0;
}

/* The first detailed timing is the preferred one. */
static void edid_timing(const uint8_t *at, struct edid *edid)
{
	unsigned width = at[2] | (unsigned)(at[4] & 0xf0) << 4;
	unsigned height = at[5] | (unsigned)(at[7] & 0xf0) << 4;

	if (edid->width || !width || !height)
		return;
	if (at[17] & 0x80) /* interlaced: lines of a field */
		height *= 2;
	edid->width = width;
	edid->height = height;
	width = at[12] | (unsigned)(at[14] & 0xf0) << 4;
	height = at[13] | (unsigned)(at[14] & 0x0f) << 8;
	if (width && height) {
		edid->width_mm = width;
		edid->height_mm = height;
	}
}

static void edid_descriptor(const uint8_t *at, struct edid *edid)
{
	if (le16(at))
		edid_timing(at, edid);
	else if (at[3] == TAG_NAME && !at[2])
		edid_text(at + TEXT, edid->model);
	else if (at[3] == TAG_SERIAL && !at[2])
		edid_text(at + TEXT, edid->serial);
}

bool edid_read(const uint8_t *bytes, size_t len, struct edid *edid)
{
	uint32_t serial;

	memset(edid, 0, sizeof(*edid));
	if (!edid_is_one(bytes, len))
		return false;
	edid_make(bytes + MAKER, edid->make);
	/* Both are 0 for projectors, one is where they are an aspect ratio. */
	if (bytes[CM_WIDTH] && bytes[CM_HEIGHT]) {
		edid->width_mm = bytes[CM_WIDTH] * 10u;
		edid->height_mm = bytes[CM_HEIGHT] * 10u;
	}
	for (unsigned i = 0; i < N_DESCRIPTORS; i++)
		edid_descriptor(bytes + DESCRIPTORS + i * DESCRIPTOR, edid);
	if (!edid->model[0])
		snprintf(edid->model, sizeof(edid->model), "0x%04x", le16(bytes + PRODUCT));
	serial = le16(bytes + SERIAL) | (uint32_t)le16(bytes + SERIAL + 2) << 16;
	if (!edid->serial[0] && serial)
		snprintf(edid->serial, sizeof(edid->serial), "%u", serial);
	return true;
}
