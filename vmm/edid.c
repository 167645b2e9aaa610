/*
 * Makes the EDID of a virtual monitor, with the timing of CVT's reduced blanking: guests compute
 * their refresh rate from it, and 60 Hz is what the seats' clocks run at.
 */
#include "vmm/edid.h"

#include <glib.h>
#include <string.h>

enum {
	H_BLANK = 160, H_FRONT = 48, H_SYNC = 32,
	V_FRONT = 3, V_SYNC = 6, V_BLANK_MIN = 32,
	MM_PER_100_PIXELS = 26, /* 96 dots an inch */
};

static const uint8_t edid_base[] = {
	0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
	0x26, 0x4f,             /* maker: "IRO" */
	0x01, 0x00, 1, 0, 0, 0, /* product, serial number */
	1, 34,                  /* week, year - 1990 */
	1, 4,                   /* EDID 1.4 */
	0xa5,                   /* digital, 8 bits a colour, DisplayPort */
	0, 0,                   /* centimetres: filled in */
	120,                    /* gamma 2.2 */
	0x06,                   /* sRGB; the first timing is the preferred one */
	0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54, /* sRGB's primaries */
	0, 0, 0,                /* no established timings */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
};

/* E-EDID 3.10.2 */
static void edid_timing(uint8_t *d, uint32_t width, uint32_t height, unsigned hz)
{
	uint32_t v_blank = MAX(V_BLANK_MIN, height * hz / 2000);
	uint32_t clock = (uint32_t)((uint64_t)(width + H_BLANK) * (height + v_blank) * hz / 10000);
	uint32_t mm_x = width * MM_PER_100_PIXELS / 100, mm_y = height * MM_PER_100_PIXELS / 100;

	clock = MIN(clock, 0xffff);
	d[0] = (uint8_t)clock;
	d[1] = (uint8_t)(clock >> 8);
	d[2] = (uint8_t)width;
	d[3] = H_BLANK;
	d[4] = (uint8_t)(width >> 8 << 4);
	d[5] = (uint8_t)height;
	d[6] = (uint8_t)v_blank;
	d[7] = (uint8_t)((height >> 8 << 4) | (v_blank >> 8 & 0xf));
	d[8] = H_FRONT;
	d[9] = H_SYNC;
	d[10] = V_FRONT << 4 | V_SYNC;
	d[11] = 0;
	d[12] = (uint8_t)mm_x;
	d[13] = (uint8_t)mm_y;
	d[14] = (uint8_t)((mm_x >> 8 << 4) | (mm_y >> 8 & 0xf));
	d[17] = 0x1a; /* digital separate sync, positive horizontal */
}

/* E-EDID 3.10.3: a display descriptor with text. */
static void edid_text(uint8_t *d, uint8_t tag, const char *text)
{
	size_t len = MIN(strlen(text), 13);

	d[3] = tag;
	memset(d + 5, ' ', 13);
	memcpy(d + 5, text, len);
	if (len < 13)
		d[5 + len] = '\n';
}

void edid_fill(uint8_t edid[EDID_LEN], uint32_t width, uint32_t height, unsigned hz)
{
	uint8_t sum = 0;

	width = CLAMP(width, 1, 4095);
	height = CLAMP(height, 1, 4095);
	memset(edid, 0, EDID_LEN);
	memcpy(edid, edid_base, sizeof(edid_base));
	edid[21] = (uint8_t)MIN(width * MM_PER_100_PIXELS / 1000, 255);
	edid[22] = (uint8_t)MIN(height * MM_PER_100_PIXELS / 1000, 255);
	edid_timing(edid + 54, width, height, hz);
	edid_text(edid + 72, 0xfc, "Irori seat");
	edid[72 + 18 + 3] = 0x10; /* dummy descriptors */
	edid[72 + 36 + 3] = 0x10;
	for (unsigned i = 0; i < EDID_LEN - 1; i++)
		sum = (uint8_t)(sum + edid[i]);
	edid[EDID_LEN - 1] = (uint8_t)-sum;
}
