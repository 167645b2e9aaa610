/*
 * The EDID of a virtual monitor: 128 bytes that say one preferred mode.
 *
 * Thread: any. Source: VESA E-EDID 1.4, CVT 1.2 (reduced blanking).
 */
#ifndef IRORI_VMM_EDID_H
#define IRORI_VMM_EDID_H

#include <stdint.h>

enum { EDID_LEN = 128 };

/* Sides over 4095 do not fit the format and are cut to it. */
void edid_fill(uint8_t edid[EDID_LEN], uint32_t width, uint32_t height, unsigned hz);

#endif
