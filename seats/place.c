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

/* PCI addresses are hexadecimal and of one length, ports decimal and of any. */
static int compare_parts(const char *a, size_t a_len, const char *b, size_t b_len)
{
	bool numbers = strspn(a, "0123456789") >= a_len && strspn(b, "0123456789") >= b_len;
	int order;

	if (numbers && a_len != b_len)
		return a_len < b_len ? -1 : 1;
	order = memcmp(a, b, MIN(a_len, b_len));
	return order ? order : (a_len > b_len) - (a_len < b_len);
}

int place_compare(const char *a, const char *b)
{
	static const char ends[] = "-:.";

	for (;;) {
		size_t a_len = strcspn(a, ends), b_len = strcspn(b, ends);
		int order = compare_parts(a, a_len, b, b_len);

		a += a_len;
		b += b_len;
		if (order || *a != *b || !*a)
			return order ? order : (int)(unsigned char)*a - (int)(unsigned char)*b;
		a++;
		b++;
	}
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
