/*
 * The list of what is plugged in, and how it follows udev; see inventory.h. What each device is, is
 * inventory_read.c's.
 */
#define G_LOG_DOMAIN "irori-inventory"

#include "seats/inventory.h"

#include <errno.h>
#include <string.h>

#include "seats/inventory_priv.h"
#include "vmm/error.h"

enum {
	MAX_ITEMS = 2048,
	MAX_LOOKED_AT = 16384, /* devices of one subsystem */
	MAX_EVENTS = 256,      /* in one dispatch */
	BUFFER_BYTES = 128 << 10,
};

struct entry {
	struct inventory_item item; /* first: inventory_items() gives these */
	unsigned source;
	char *syspath;
	bool seen; /* by the look that is under way */
};

struct inventory {
	struct udev *udev;
	struct udev_monitor *monitor;
	GPtrArray *entries; /* struct entry, sorted */
	const struct inventory_events *events; /* NULL: until the first look is over */
	void *data;
	uint32_t last_id;
	bool full; /* said once */
};

static void entry_free(void *data)
{
	struct entry *entry = data;

	g_free(entry->syspath);
	g_free(entry);
}

static int compare_entries(const void *a, const void *b)
{
	const struct inventory_item *x = *(const struct inventory_item *const *)a;
	const struct inventory_item *y = *(const struct inventory_item *const *)b;
	int order;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	order = place_compare(x->place, y->place);
	return order ? order : strverscmp(x->node, y->node);
}

static struct entry *entry_find(const struct inventory *inventory, unsigned source,
	const char *syspath)
{
	for (guint i = 0; i < inventory->entries->len; i++) {
		struct entry *entry = g_ptr_array_index(inventory->entries, i);

		if (entry->source == source && !strcmp(entry->syspath, syspath))
			return entry;
	}
	return NULL;
}

static void entry_add(struct inventory *inventory, unsigned source, const char *syspath,
	const struct inventory_item *item)
{
	struct entry *entry;

	if (inventory->entries->len == MAX_ITEMS) {
		if (!inventory->full)
			g_warning("more than %d devices; what comes now is left out", MAX_ITEMS);
		inventory->full = true;
		return;
	}
	entry = g_new0(struct entry, 1);
	entry->item = *item;
	entry->item.id = ++inventory->last_id;
	entry->source = source;
	entry->syspath = g_strdup(syspath);
	entry->seen = true;
	g_ptr_array_add(inventory->entries, entry);
	g_ptr_array_sort(inventory->entries, compare_entries);
	if (inventory->events)
		inventory->events->added(inventory->data, &entry->item);
}

/* A place becomes more exact when udev has seen the device, and less only on its way out of the kernel, when what
 * it was plugged into has gone before it. */
static bool place_is_fading(const char *before, const char *now)
{
	return strlen(now) < strlen(before) && g_str_has_prefix(before, now);
}

static void entry_change(struct inventory *inventory, struct entry *entry,
	struct inventory_item *item)
{
	item->id = entry->item.id;
	entry->seen = true;
	if (place_is_fading(entry->item.place, item->place) || !memcmp(&entry->item, item, sizeof(*item)))
		return;
	memcpy(&entry->item, item, sizeof(*item));
	g_ptr_array_sort(inventory->entries, compare_entries);
	if (inventory->events)
		inventory->events->changed(inventory->data, &entry->item);
}

static void entry_remove(struct inventory *inventory, struct entry *entry)
{
	guint index;

	if (!g_ptr_array_find(inventory->entries, entry, &index))
		return;
	g_ptr_array_steal_index(inventory->entries, index);
	if (inventory->events)
		inventory->events->removed(inventory->data, &entry->item);
	entry_free(entry);
}

/* What a device is now, against what is in the list. */
static void device_take(struct inventory *inventory, unsigned source, struct udev_device *device,
	bool gone)
{
	const char *syspath = udev_device_get_syspath(device);
	const char *devtype = udev_device_get_devtype(device);
	const struct inventory_source *from = &inventory_sources[source];
	struct entry *entry;
	struct inventory_item item;

	if (!syspath || (from->devtype && g_strcmp0(devtype, from->devtype)))
		return;
	memset(&item, 0, sizeof(item));
	item.iommu_group = -1;
	entry = entry_find(inventory, source, syspath);
	if (!gone && from->read(device, &item)) {
		if (entry)
			entry_change(inventory, entry, &item);
		else
			entry_add(inventory, source, syspath, &item);
	} else if (entry) {
		entry_remove(inventory, entry);
	}
}

/* What was not seen again is gone. One at a time: the list may be another after each. */
static void unseen_remove(struct inventory *inventory, unsigned source)
{
	for (guint i = inventory->entries->len; i-- > 0;) {
		struct entry *entry = g_ptr_array_index(inventory->entries, i);

		if (entry->source == source && !entry->seen)
			entry_remove(inventory, entry);
	}
}

static void source_look(struct inventory *inventory, unsigned source)
{
	struct udev_enumerate *enumerate = udev_enumerate_new(inventory->udev);
	struct udev_list_entry *at;
	unsigned n = 0;

	if (!enumerate)
		return;
	for (guint i = 0; i < inventory->entries->len; i++)
		((struct entry *)g_ptr_array_index(inventory->entries, i))->seen = false;
	udev_enumerate_add_match_subsystem(enumerate, inventory_sources[source].subsystem);
	udev_enumerate_scan_devices(enumerate);
	at = udev_enumerate_get_list_entry(enumerate);
	for (; at && n < MAX_LOOKED_AT; at = udev_list_entry_get_next(at), n++) {
		struct udev_device *device =
			udev_device_new_from_syspath(inventory->udev, udev_list_entry_get_name(at));

		if (!device) /* it has gone since */
			continue;
		device_take(inventory, source, device, false);
		udev_device_unref(device);
	}
	udev_enumerate_unref(enumerate);
	unseen_remove(inventory, source);
}

static bool monitor_start(struct inventory *inventory)
{
	inventory->monitor = udev_monitor_new_from_netlink(inventory->udev, "udev");
	if (!inventory->monitor)
		return false;
	for (unsigned i = 0; i < INVENTORY_SOURCES; i++)
		udev_monitor_filter_add_match_subsystem_devtype(inventory->monitor,
			inventory_sources[i].subsystem, inventory_sources[i].devtype);
	if (udev_monitor_enable_receiving(inventory->monitor) < 0)
		return false;
	/* libudev lets the kernel hold 128 MiB for us; losing some costs one look. */
	udev_monitor_set_receive_buffer_size(inventory->monitor, BUFFER_BYTES);
	return true;
}

struct inventory *inventory_new(const struct inventory_events *events, void *data, GError **error)
{
	struct inventory *inventory = g_new0(struct inventory, 1);

	inventory->entries = g_ptr_array_new_with_free_func(entry_free);
	inventory->udev = udev_new();
	/* Watching begins before looking, so that nothing comes between. */
	if (!inventory->udev || !monitor_start(inventory)) {
		fail_as(error, EX_OSERR, "udev: %s", g_strerror(errno));
		inventory_free(inventory);
		return NULL;
	}
	for (unsigned i = 0; i < INVENTORY_SOURCES; i++)
		source_look(inventory, i);
	inventory->events = events;
	inventory->data = data;
	return inventory;
}

void inventory_free(struct inventory *inventory)
{
	if (!inventory)
		return;
	udev_monitor_unref(inventory->monitor);
	udev_unref(inventory->udev);
	g_ptr_array_free(inventory->entries, TRUE);
	g_free(inventory);
}

int inventory_fd(const struct inventory *inventory)
{
	return udev_monitor_get_fd(inventory->monitor);
}

/* All devices of a source; its cards are asked before. */
static void source_look_again(struct inventory *inventory, unsigned source)
{
	if (inventory_sources[source].whole && inventory->events && inventory->events->hotplug)
		inventory->events->hotplug(inventory->data);
	source_look(inventory, source);
}

/* Of what is looked at as a whole, only that it is to be. */
static void event_take(struct inventory *inventory, struct udev_device *device,
	bool look[INVENTORY_SOURCES])
{
	bool gone = !g_strcmp0(udev_device_get_action(device), "remove");
	const char *subsystem = udev_device_get_subsystem(device);

	for (unsigned i = 0; i < INVENTORY_SOURCES; i++) {
		if (g_strcmp0(subsystem, inventory_sources[i].subsystem))
			continue;
		if (inventory_sources[i].whole)
			look[i] = true;
		else
			device_take(inventory, i, device, gone);
	}
}

void inventory_dispatch(struct inventory *inventory)
{
	bool look[INVENTORY_SOURCES] = { false };

	for (unsigned i = 0; i < MAX_EVENTS; i++) {
		struct udev_device *device;

		errno = 0;
		device = udev_monitor_receive_device(inventory->monitor);
		if (device) {
			event_take(inventory, device, look);
			udev_device_unref(device);
			continue;
		}
		if (errno != ENOBUFS)
			break;
		/* Some were lost: only looking at everything says which. */
		for (unsigned j = 0; j < INVENTORY_SOURCES; j++)
			look[j] = true;
	}
	for (unsigned i = 0; i < INVENTORY_SOURCES; i++)
		if (look[i])
			source_look_again(inventory, i);
}

const GPtrArray *inventory_items(const struct inventory *inventory)
{
	return inventory->entries;
}
