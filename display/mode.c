/*
 * See mode.h.
 */
#include "display/mode.h"

#include <glib.h>

enum {
	MIN_WIDTH = 320,
	MIN_HEIGHT = 200,
};

bool mode_parse(const char *text, uint32_t *width, uint32_t *height)
{
	char *end;
	guint64 x = g_ascii_isdigit(*text) ? g_ascii_strtoull(text, &end, 10) : 0, y;

	if (!x || *end != 'x' || !g_ascii_isdigit(end[1]))
		return false;
	y = g_ascii_strtoull(end + 1, &end, 10);
	if (*end || x < MIN_WIDTH || x > MODE_MAX_SIDE || y < MIN_HEIGHT || y > MODE_MAX_SIDE)
		return false;
	*width = (uint32_t)x;
	*height = (uint32_t)y;
	return true;
}
