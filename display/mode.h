/*
 * A size that a person asks monitors for, as text.
 *
 * Thread: any.
 */
#ifndef IRORI_DISPLAY_MODE_H
#define IRORI_DISPLAY_MODE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	MODE_MAX_SIDE = 16384, /* pixels */
};

/* "1920x1080", from 320x200 to MODE_MAX_SIDE each; false, and nothing changed: it is none. */
bool mode_parse(const char *text, uint32_t *width, uint32_t *height);

#endif
