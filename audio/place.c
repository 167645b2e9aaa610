/*
 * Sound devices by place. What the server calls a place came from udev; without udev's database it
 * has only the path in sysfs, in which the same addresses stand, each a component of its own.
 */
#include "audio/place.h"

#include <string.h>

enum { PLACE_COMPONENT = 64 };

static const char prefix[] = "path:";

const char *place_of(const char *name)
{
	if (!name || strncmp(name, prefix, sizeof(prefix) - 1))
		return NULL;
	return name + sizeof(prefix) - 1;
}

/* A component ends at one of these: "pci-0000:00:14.0-usb-0:1.2:1.0" */
static bool place_covers_path(const char *place, const char *path)
{
	size_t len = strlen(place);

	return len > 0 && strncmp(place, path, len) == 0 &&
	       (path[len] == '\0' || strchr("-:.", path[len]));
}

/*
 * A component of a path in sysfs that is `name`; of USB, one that is a bus, a dash and `name`, and
 * may go on where a component of a place may ("1-1.2" for "1.2" and, as its hub, "1-1.2.4").
 */
static bool sysfs_has(const char *sysfs, const char *name, size_t len, bool usb)
{
	for (const char *part = sysfs, *next; part; part = next) {
		const char *from = part += *part == '/';

		next = strchr(part, '/');
		if (usb) {
			from = strchr(part, '-');
			if (!from)
				return false;
			if (next && from > next)
				continue;
			from++;
		}
		/* strchr finds the end as well */
		if (strncmp(from, name, len) == 0 && strchr(usb ? "/.:" : "/", from[len]))
			return true;
	}
	return false;
}

/* "pci-ADDRESS" and, behind it, "-usb-BUS:PORTS[:CONFIGURATION.INTERFACE]". */
static bool place_in_sysfs(const char *place, const char *sysfs)
{
	static const char pci[] = "pci-", usb[] = "-usb-";
	const char *ports;
	size_t len;

	if (strncmp(place, pci, sizeof(pci) - 1))
		return false;
	place += sizeof(pci) - 1;
	ports = strstr(place, usb);
	len = ports ? (size_t)(ports - place) : strlen(place);
	if (len == 0 || len > PLACE_COMPONENT || !sysfs_has(sysfs, place, len, false))
		return false;
	if (!ports)
		return true;
	ports = strchr(ports + sizeof(usb) - 1, ':'); /* the bus is numbered anew at each boot */
	return ports && ports[1] && sysfs_has(sysfs, ports + 1, strlen(ports + 1), true);
}

bool place_matches(const char *place, const char *bus_path, const char *sysfs_path)
{
	if (!place || !*place)
		return false;
	if (bus_path && *bus_path != '/')
		return place_covers_path(place, bus_path);
	return (bus_path && place_in_sysfs(place, bus_path)) ||
	       (sysfs_path && place_in_sysfs(place, sysfs_path));
}
