/*
 * What is plugged into this PC, as far as seats are concerned: monitors, input devices, sound cards,
 * USB storage, PCI functions with their IOMMU groups. Read from udev and sysfs; everything that comes
 * from a device (names, EDIDs, serial numbers) is hostile text and is cut and cleaned here.
 *
 * A place says where a thing is plugged in, and is how configuration names it: udev's ID_PATH
 * ("pci-0000:00:04.0-usb-0:1.2:1.0"), for a monitor the card's and the connector's with a colon between
 * ("pci-0000:00:02.0:HDMI-A-1": the card's first HDMI-A). The kernel counts connectors over all cards, in the
 * order in which these come up, so its name of one (`connector`) may be another with each start. A place of an input or sound device may be given by a prefix that
 * ends where a component does ('-', ':', '.'): a port, or a hub and all that is plugged into it.
 *
 * Thread: one thread at a time calls everything; events come from inventory_dispatch.
 */
#ifndef IRORI_SEATS_INVENTORY_H
#define IRORI_SEATS_INVENTORY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define INVENTORY_PLACE 128
#define INVENTORY_TEXT 64

enum inventory_kind {
	INVENTORY_MONITOR, /* a connector, whether or not something is connected */
	INVENTORY_INPUT,   /* an event device */
	INVENTORY_SOUND,
	INVENTORY_STORAGE, /* USB mass storage */
	INVENTORY_PCI,
	INVENTORY_KINDS
};

struct inventory_item {
	enum inventory_kind kind;
	uint32_t id;                   /* of this appearance: never used again */
	char place[INVENTORY_PLACE];
	char hub[INVENTORY_PLACE];     /* the hub's place; "": plugged into the PC itself */
	char name[INVENTORY_TEXT];     /* for people */
	char node[INVENTORY_TEXT];     /* /dev/input/event3, /dev/dri/card0, /dev/sda; "": none */
	char identity[INVENTORY_TEXT]; /* MAKE-MODEL-SERIAL of a monitor by its EDID, without spaces; "": unknown */
	uint32_t input;                /* enum wire_input_kind, or'ed */
	bool keys_only;                /* INPUT: a keyboard of volume keys and the like: a headset's, too */
	bool connected;                /* MONITOR */
	char connector[32];            /* MONITOR: the kernel's name of it now, "HDMI-A-3" */
	uint32_t width, height;        /* MONITOR: preferred mode; 0: unknown */
	uint32_t width_mm, height_mm;
	bool hdmi;                     /* SOUND: goes out at monitors of the card beside it */
	int iommu_group;               /* PCI; -1: none */
	bool boot_display;             /* MONITOR, PCI: firmware used this card */
};

struct inventory;

struct inventory_events {
	/* A graphics card says that a monitor came or went, before its connectors are looked at. What
	 * sysfs says is what the last one found who asked the card; while a card has a master, nobody
	 * does but that master: now is the time. May be NULL. */
	void (*hotplug)(void *data);
	/* `item` is valid until return; so is what inventory_items says. A change of a monitor
	 * (plugged in, out) is `changed`. */
	void (*added)(void *data, const struct inventory_item *item);
	void (*changed)(void *data, const struct inventory_item *item);
	void (*removed)(void *data, const struct inventory_item *item);
};

/* Looks at all there is (no events for that), then watches. NULL and error set without udev. */
struct inventory *inventory_new(const struct inventory_events *events, void *data, GError **error);
void inventory_free(struct inventory *inventory);
int inventory_fd(const struct inventory *inventory);
/* Handles what has arrived, a bounded number of events. */
void inventory_dispatch(struct inventory *inventory);
/* GPtrArray of const struct inventory_item *, sorted by kind and place; the inventory's. */
const GPtrArray *inventory_items(const struct inventory *inventory);

/* Whether `pattern` (a place or a prefix that ends where a component does) covers `place`; the longest
 * that covers wins: how long, or 0. */
size_t place_covers(const char *pattern, const char *place);
/* The order of places: by address, port 2 before port 10. */
int place_compare(const char *a, const char *b);
/* The port that a device is plugged into: its place without what is inside the device ("...-usb-0:1.2" of
 * "...-usb-0:1.2:1.0"; "platform-i8042" of a laptop's keyboard and touch pad). g_free. */
char *place_port(const char *place);
/* The hub that has this port, as a place; NULL: none, the PC itself. g_free. */
char *place_hub(const char *port);

#endif
