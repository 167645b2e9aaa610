/*
 * Sound devices by where their card is plugged in, which is how seats know them: "path:" and udev's
 * ID_PATH of the card, or a prefix of that which ends where a component does (a port, a hub).
 *
 * Pure. Thread: any.
 */
#ifndef IRORI_AUDIO_PLACE_H
#define IRORI_AUDIO_PLACE_H

#include <stdbool.h>

/* The place in "path:PLACE"; NULL: `name` is a device's name (or NULL). Points into name. */
const char *place_of(const char *name);

/*
 * Whether a device of the sound server is at `place`. bus_path and sysfs_path are the server's
 * properties device.bus_path (ID_PATH where udev knew it, else a path in sysfs) and sysfs.path;
 * either may be NULL.
 */
bool place_matches(const char *place, const char *bus_path, const char *sysfs_path);

#endif
