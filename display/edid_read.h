/*
 * EDID: who made a monitor, and what size it likes (VESA E-EDID 1.4, block 0). The bytes come from
 * whatever is plugged in.
 *
 * Thread: any.
 */
#ifndef IRORI_DISPLAY_EDID_READ_H
#define IRORI_DISPLAY_EDID_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text is printable ASCII, without spaces at its ends; empty where it is not told. */
struct edid {
	char make[4];                 /* the three letters of the maker: "DEL" */
	char model[14];               /* the display's name, or "0x" and its product code */
	char serial[14];              /* the serial number's text, or its number */
	uint32_t width, height;       /* preferred, pixels; 0: none told */
	uint32_t width_mm, height_mm; /* 0: not told */
};

/* false, and *edid all empty: no EDID (too short, wrong header, wrong checksum). */
bool edid_read(const uint8_t *bytes, size_t len, struct edid *edid);

#endif
