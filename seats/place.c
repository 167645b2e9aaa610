/*
 * Places as text; see inventory.h.
 */
#include <string.h>

#include "seats/inventory.h"

size_t place_covers(const char *pattern, const char *place)
{
	size_t len = strlen(pattern);

	if (!len || strncmp(pattern, place, len))
		return 0;
	return !place[len] || strchr("-:.", place[len]) ? len : 0;
}

/* Behind "-usb-0:" where there is one: the ports that lead to a USB device, "1.2". */
static const char *usb_ports(const char *place)
{
	const char *usb = g_strrstr(place, "-usb-");
	const char *colon = usb ? strchr(usb, ':') : NULL;

	return colon ? colon + 1 : NULL;
}

char *place_port(const char *place)
{
	static const char i8042[] = "platform-i8042";
	const char *ports = usb_ports(place);
	const char *end = ports ? strchr(ports, ':') : NULL;

	if (place_covers(i8042, place))
		return g_strdup(i8042);
	return end ? g_strndup(place, (gsize)(end - place)) : g_strdup(place);
}

char *place_hub(const char *port)
{
	const char *ports = usb_ports(port);
	const char *dot = ports ? strrchr(ports, '.') : NULL;

	return dot ? g_strndup(port, (gsize)(dot - port)) : NULL;
}
