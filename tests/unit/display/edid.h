/*
 * An EDID to begin with: DEL, product 0xa0b1, serial 1234, 1920x1080 on 510 x 287 mm.
 */
#ifndef IRORI_TESTS_UNIT_DISPLAY_EDID_H
#define IRORI_TESTS_UNIT_DISPLAY_EDID_H

#include <stdint.h>
#include <string.h>

static inline void edid_seal(uint8_t edid[128])
{
	uint8_t sum = 0;

	for (unsigned i = 0; i < 127; i++)
		sum = (uint8_t)(sum + edid[i]);
	edid[127] = (uint8_t)-sum;
}

static inline void edid_text_at(uint8_t *at, uint8_t tag, const char *text)
{
	size_t len = strlen(text);

	memset(at, 0, 18);
	at[3] = tag;
	memset(at + 5, ' ', 13);
	memcpy(at + 5, text, len);
	if (len < 13)
		at[5 + len] = '\n';
}

static inline void edid_make_sample(uint8_t edid[128])
{
	static const uint8_t timing[18] = {0x02, 0x3a, 0x80, 0x18, 0x71, 0x38, 0x2d, 0x40, 0x58,
		0x2c, 0x45, 0x00, 0xfe, 0x1f, 0x11, 0x00, 0x00, 0x1e};

	memset(edid, 0, 128);
	memset(edid + 1, 0xff, 6);
	edid[8] = 0x10; /* D E L: 4, 5, 12 */
	edid[9] = 0xac;
	edid[10] = 0xb1;
	edid[11] = 0xa0;
	edid[12] = 0xd2;
	edid[13] = 0x04;
	edid[18] = 1;
	edid[19] = 4;
	edid[21] = 51;
	edid[22] = 29;
	memcpy(edid + 54, timing, sizeof(timing));
	edid_text_at(edid + 72, 0xfc, "DELL U2412M");
	edid_text_at(edid + 90, 0xff, "ABC 0815");
	edid_text_at(edid + 108, 0xfe, "not asked for");
	edid_seal(edid);
}

#endif
