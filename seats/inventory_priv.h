/*
 * The parts of inventory.c: what one device of udev's is to us.
 *
 * Thread: the inventory's.
 */
#ifndef IRORI_SEATS_INVENTORY_PRIV_H
#define IRORI_SEATS_INVENTORY_PRIV_H

#include <libudev.h>

#include "seats/inventory.h"

/* One that is looked at: by subsystem; a device becomes an item, or false: it is nothing to us, now. The item
 * is zeroed before, and has no id. */
struct inventory_source {
	const char *subsystem, *devtype; /* devtype NULL: any */
	bool whole; /* an event of one device says something about others of the subsystem */
	bool (*read)(struct udev_device *device, struct inventory_item *item);
};

enum {
	INVENTORY_SOURCES = 5,
};

extern const struct inventory_source inventory_sources[INVENTORY_SOURCES];

/* Text of a device's into `into`, cut, with nothing in it that does not print. */
void inventory_text(char *into, size_t size, const char *from);

#endif
