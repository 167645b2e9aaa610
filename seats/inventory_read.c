/*
 * What a device of udev's is to a household. Names, EDIDs, serial numbers come from the devices.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "display/edid_read.h"
#include "seats/inventory_priv.h"
#include "seats/wire.h"

enum {
	EDID_BYTES = 512,
	MAX_PARENTS = 32,
	MAX_SIBLINGS = 1024,
};

void inventory_text(char *into, size_t size, const char *from)
{
	g_autofree char *bounded = g_strndup(from ? from : "", size * 4);
	g_autofree char *text = g_utf8_make_valid(bounded, -1);
	size_t n = 0;

	for (const char *c = g_strstrip(text); *c; c = g_utf8_next_char(c)) {
		gunichar code = g_utf8_get_char(c);
		size_t len = (size_t)(g_utf8_next_char(c) - c);

		if (!g_unichar_isprint(code))
			continue;
		if (n + len >= size)
			break;
		memcpy(into + n, c, len);
		n += len;
	}
	into[n] = '\0';
}

/* Places are words of configuration: a space or what does not print cannot be in one. False: it is too
 * long to be said. */
static bool place_put(char into[INVENTORY_PLACE], const char *from)
{
	size_t len = strlen(from);

	if (!len || len >= INVENTORY_PLACE)
		return false;
	for (size_t i = 0; i <= len; i++)
		into[i] = from[i] && !g_ascii_isgraph(from[i]) ? '_' : from[i];
	return true;
}

/* ID_PATH of the device or of what it is a part of; before udev has seen it, the PCI function's name. */
static bool place_read(struct udev_device *device, char into[INVENTORY_PLACE])
{
	struct udev_device *at = device;

	for (unsigned i = 0; at && i < MAX_PARENTS; i++, at = udev_device_get_parent(at)) {
		const char *path = udev_device_get_property_value(at, "ID_PATH");
		const char *subsystem = udev_device_get_subsystem(at);

		if (path)
			return place_put(into, path);
		if (!g_strcmp0(subsystem, "pci")) {
			g_autofree char *pci = g_strconcat("pci-", udev_device_get_sysname(at), NULL);

			return place_put(into, pci);
		}
	}
	return false;
}

static void hub_read(struct inventory_item *item)
{
	g_autofree char *port = place_port(item->place);
	g_autofree char *hub = place_hub(port);

	if (hub)
		g_strlcpy(item->hub, hub, sizeof(item->hub));
}

static bool is_set(struct udev_device *device, const char *property)
{
	return !g_strcmp0(udev_device_get_property_value(device, property), "1");
}

/* Whether firmware drew on the card that a device is (a part of). */
static bool is_boot_display(struct udev_device *device)
{
	struct udev_device *pci = !g_strcmp0(udev_device_get_subsystem(device), "pci") ? device :
		udev_device_get_parent_with_subsystem_devtype(device, "pci", NULL);

	return pci && !g_strcmp0(udev_device_get_sysattr_value(pci, "boot_vga"), "1");
}

/* MAKE-MODEL-SERIAL, as one word; many have no serial number. */
static void identity_put(char into[INVENTORY_TEXT], const struct edid *edid)
{
	g_snprintf(into, INVENTORY_TEXT, "%s-%s%s%s", edid->make, edid->model,
		edid->serial[0] ? "-" : "", edid->serial);
	g_strcanon(into, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", '_');
}

static void edid_take(const char *syspath, struct inventory_item *item)
{
	g_autofree char *path = g_build_filename(syspath, "edid", NULL);
	uint8_t bytes[EDID_BYTES];
	g_autofree char *name = NULL;
	struct edid edid;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	if (fd >= 0)
		close(fd);
	if (n <= 0 || !edid_read(bytes, (size_t)n, &edid))
		return;
	identity_put(item->identity, &edid);
	name = g_strdup_printf("%s %s", edid.make, edid.model);
	inventory_text(item->name, sizeof(item->name), name);
	item->width = edid.width;
	item->height = edid.height;
	item->width_mm = edid.width_mm;
	item->height_mm = edid.height_mm;
}

/* "HDMI-A-3" is the 3rd: where the number begins, behind "HDMI-A-"; NULL: it has none. */
static const char *connector_number(const char *connector, uint64_t *number)
{
	const char *dash = strrchr(connector, '-');

	return dash && g_ascii_string_to_unsigned(dash + 1, 10, 0, UINT32_MAX, number, NULL) ?
		dash + 1 : NULL;
}

/* "card0-HDMI-A-3" without its beginning; NULL: it is no connector. */
static const char *connector_of(const char *sysname)
{
	const char *dash = sysname && g_str_has_prefix(sysname, "card") ? strchr(sysname, '-') : NULL;

	return dash && !g_str_has_prefix(dash, "-Writeback") ? dash + 1 : NULL;
}

/* Which of its kind it is among those of its card, from 1: that stays. */
static unsigned connector_rank(const char *card, const char *connector)
{
	g_autoptr(GDir) dir = g_dir_open(card, 0, NULL);
	uint64_t number = 0, other;
	const char *end = connector_number(connector, &number), *name;
	unsigned rank = 1;

	for (unsigned i = 0; dir && i < MAX_SIBLINGS && (name = g_dir_read_name(dir)); i++) {
		const char *sibling = connector_of(name);
		const char *sibling_end = sibling ? connector_number(sibling, &other) : NULL;

		if (sibling_end && sibling_end - sibling == end - connector && other < number &&
			!strncmp(sibling, connector, (size_t)(end - connector)))
			rank++;
	}
	return rank;
}

/* card0-HDMI-A-1, a child of card0. */
static bool monitor_read(struct udev_device *device, struct inventory_item *item)
{
	const char *connector = connector_of(udev_device_get_sysname(device));
	struct udev_device *card = connector ? udev_device_get_parent(device) : NULL;
	char place[INVENTORY_PLACE];
	g_autofree char *whole = NULL;
	const char *number;
	uint64_t counted;

	if (!card || strlen(connector) >= sizeof(item->connector) || !place_read(card, place))
		return false;
	number = connector_number(connector, &counted);
	if (!number)
		return false;
	whole = g_strdup_printf("%s:%.*s%u", place, (int)(number - connector), connector,
		connector_rank(udev_device_get_syspath(card), connector));
	if (!place_put(item->place, whole))
		return false;
	item->kind = INVENTORY_MONITOR;
	g_strlcpy(item->connector, connector, sizeof(item->connector));
	inventory_text(item->node, sizeof(item->node), udev_device_get_devnode(card));
	item->connected = !g_strcmp0(udev_device_get_sysattr_value(device, "status"), "connected");
	item->boot_display = is_boot_display(card);
	if (item->connected)
		edid_take(udev_device_get_syspath(device), item);
	return true;
}

static const struct input_class {
	const char *property;
	uint32_t kind;
} input_classes[] = {
	{ "ID_INPUT_KEYBOARD", WIRE_INPUT_KEYBOARD },
	{ "ID_INPUT_MOUSE", WIRE_INPUT_POINTER },
	{ "ID_INPUT_TOUCHPAD", WIRE_INPUT_POINTER },
	{ "ID_INPUT_TRACKBALL", WIRE_INPUT_POINTER },
	{ "ID_INPUT_POINTINGSTICK", WIRE_INPUT_POINTER },
	{ "ID_INPUT_TOUCHSCREEN", WIRE_INPUT_TOUCH },
	{ "ID_INPUT_TABLET", WIRE_INPUT_TABLET },
	{ "ID_INPUT_TABLET_PAD", WIRE_INPUT_TABLET },
	{ "ID_INPUT_JOYSTICK", WIRE_INPUT_GAMEPAD },
	{ "ID_INPUT_SWITCH", WIRE_INPUT_SWITCH },
};

/* A keyboard has them as a device beside itself, for volume and the like; but the PC's own are its
 * power button, or a laptop's lid and what its firmware tells of. */
static uint32_t keys_kind(const char *place)
{
	bool own = place_covers("acpi", place) || place_covers("platform", place) ||
		place_covers("virtual", place);

	return own ? WIRE_INPUT_SWITCH : WIRE_INPUT_KEYBOARD;
}

static bool input_read(struct udev_device *device, struct inventory_item *item)
{
	const char *name = udev_device_get_sysname(device);
	const char *node = udev_device_get_devnode(device);
	struct udev_device *parent = udev_device_get_parent_with_subsystem_devtype(device, "input", NULL);

	if (!node || !g_str_has_prefix(name, "event") || !place_read(device, item->place))
		return false;
	for (unsigned i = 0; i < G_N_ELEMENTS(input_classes); i++)
		if (is_set(device, input_classes[i].property))
			item->input |= input_classes[i].kind;
	if (!item->input && is_set(device, "ID_INPUT_KEY")) {
		item->input = keys_kind(item->place);
		item->keys_only = item->input == WIRE_INPUT_KEYBOARD;
	}
	item->kind = INVENTORY_INPUT;
	hub_read(item);
	inventory_text(item->node, sizeof(item->node), node);
	inventory_text(item->name, sizeof(item->name),
		parent ? udev_device_get_sysattr_value(parent, "name") : NULL);
	return item->input != 0;
}

/* What udev's database or the device calls it. */
static void model_read(struct udev_device *device, struct inventory_item *item)
{
	static const char *const vendors[] = { "ID_VENDOR_FROM_DATABASE", "ID_VENDOR" };
	static const char *const models[] = { "ID_MODEL_FROM_DATABASE", "ID_MODEL" };
	const char *vendor = NULL, *model = NULL;
	g_autofree char *name = NULL;

	for (unsigned i = 0; i < G_N_ELEMENTS(models) && !model; i++) {
		vendor = udev_device_get_property_value(device, vendors[i]);
		model = udev_device_get_property_value(device, models[i]);
	}
	name = g_strdup_printf("%.200s%s%.200s", vendor ? vendor : "", vendor && model ? " " : "",
		model ? model : "");
	inventory_text(item->name, sizeof(item->name), name);
}

/* The sound of a graphics card is a function of the same PCI device; an Intel one of old says so. */
static bool sound_is_hdmi(struct udev_device *device)
{
	struct udev_device *pci = udev_device_get_parent_with_subsystem_devtype(device, "pci", NULL);
	const char *name = pci ? udev_device_get_sysname(pci) : NULL;
	const char *dot = name ? strrchr(name, '.') : NULL;
	const char *id = udev_device_get_sysattr_value(device, "id");
	g_autofree char *first = dot ? g_strdup_printf("%.*s.0", (int)(dot - name), name) : NULL;
	struct udev_device *card;
	bool hdmi;

	if (id && strstr(id, "HDMI"))
		return true;
	if (!first || !strcmp(first, name))
		return false;
	card = udev_device_new_from_subsystem_sysname(udev_device_get_udev(device), "pci", first);
	if (!card)
		return false;
	hdmi = g_str_has_prefix(udev_device_get_sysattr_value(card, "class") ?: "", "0x03");
	udev_device_unref(card);
	return hdmi;
}

static bool sound_read(struct udev_device *device, struct inventory_item *item)
{
	const char *name = udev_device_get_sysname(device);
	unsigned number;
	char rest;

	if (!name || sscanf(name, "card%u%c", &number, &rest) != 1 ||
		!place_read(device, item->place))
		return false;
	item->kind = INVENTORY_SOUND;
	hub_read(item);
	g_snprintf(item->node, sizeof(item->node), "/dev/snd/controlC%u", number);
	model_read(device, item);
	if (!item->name[0])
		inventory_text(item->name, sizeof(item->name),
			udev_device_get_sysattr_value(device, "id"));
	item->hdmi = sound_is_hdmi(device);
	return true;
}

static bool storage_read(struct udev_device *device, struct inventory_item *item)
{
	bool usb = !g_strcmp0(udev_device_get_property_value(device, "ID_BUS"), "usb") ||
		udev_device_get_parent_with_subsystem_devtype(device, "usb", "usb_device");

	if (!usb || !place_read(device, item->place))
		return false;
	item->kind = INVENTORY_STORAGE;
	hub_read(item);
	inventory_text(item->node, sizeof(item->node), udev_device_get_devnode(device));
	model_read(device, item);
	inventory_text(item->identity, sizeof(item->identity),
		udev_device_get_property_value(device, "ID_SERIAL_SHORT"));
	return true;
}

static int iommu_group_read(const char *syspath)
{
	g_autofree char *path = g_build_filename(syspath, "iommu_group", NULL);
	char target[256];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *slash;
	guint64 group;

	if (n <= 0)
		return -1;
	target[n] = '\0';
	slash = strrchr(target, '/');
	return g_ascii_string_to_unsigned(slash ? slash + 1 : target, 10, 0, G_MAXINT, &group, NULL) ?
		(int)group : -1;
}

/* "0x8086" without what it begins with. */
static const char *hex_of(struct udev_device *device, const char *attribute)
{
	const char *value = udev_device_get_sysattr_value(device, attribute);

	return value && g_str_has_prefix(value, "0x") ? value + 2 : "";
}

static bool pci_read(struct udev_device *device, struct inventory_item *item)
{
	g_autofree char *place = g_strconcat("pci-", udev_device_get_sysname(device), NULL);
	const char *vendor = hex_of(device, "vendor"), *model = hex_of(device, "device");
	g_autofree char *kind = g_strdup_printf("%.8s:%.8s", vendor, model);

	if (!place_put(item->place, place))
		return false;
	item->kind = INVENTORY_PCI;
	item->iommu_group = iommu_group_read(udev_device_get_syspath(device));
	item->boot_display = is_boot_display(device);
	if (vendor[0] && model[0])
		inventory_text(item->identity, sizeof(item->identity), kind);
	model_read(device, item);
	if (!item->name[0])
		inventory_text(item->name, sizeof(item->name), item->identity);
	return true;
}

const struct inventory_source inventory_sources[INVENTORY_SOURCES] = {
	{ "drm", NULL, true, monitor_read },
	{ "input", NULL, false, input_read },
	{ "sound", NULL, false, sound_read },
	{ "block", "disk", false, storage_read },
	{ "pci", NULL, false, pci_read },
};
