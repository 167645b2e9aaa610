/*
 * The inventory on a udev of our own (umockdev): a machine that is there before, and what comes and goes.
 */
#include "seats/inventory.h"

#include <string.h>
#include <unistd.h>

#include "seats/inventory_priv.h"
#include "seats/wire.h"
#include "tests/unit/test.h"

static void text_is_cut_and_cleaned(void)
{
	static const struct {
		const char *from, *expected;
	} table[] = {
		{ NULL, "" },
		{ "", "" },
		{ "  Keyboard \n", "Keyboard" },
		{ "a\033[31mb\x7f\x01" "c", "a[31mbc" },
		{ "12345678901234567890", "123456789012345" },
		{ "\xff", "\xef\xbf\xbd" },
		{ "1234567890123\xe2\x82\xac", "1234567890123" }, /* not half a character */
		{ "\xe2\x80\xaeleft", "left" }, /* what turns the direction around */
	};
	char text[16];

	for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
		inventory_text(text, sizeof(text), table[i].from);
		test_assert(!strcmp(text, table[i].expected));
	}
}

#ifdef HAVE_UMOCKDEV
#include <umockdev.h>

#include "vmm/edid.h"

#define PCI_BUS "/sys/devices/pci0000:00"

struct heard {
	struct inventory *inventory;
	unsigned added, changed, removed;
	struct inventory_item last;
	bool listed; /* in inventory_items at the time */
};

static bool is_listed(const struct inventory *inventory, const struct inventory_item *item)
{
	return g_ptr_array_find((GPtrArray *)inventory_items(inventory), item, NULL);
}

static void hear_added(void *data, const struct inventory_item *item)
{
	struct heard *heard = data;

	heard->added++;
	heard->last = *item;
	heard->listed = is_listed(heard->inventory, item);
}

static void hear_changed(void *data, const struct inventory_item *item)
{
	struct heard *heard = data;

	heard->changed++;
	heard->last = *item;
	heard->listed = is_listed(heard->inventory, item);
}

static void hear_removed(void *data, const struct inventory_item *item)
{
	struct heard *heard = data;

	heard->removed++;
	heard->last = *item;
	heard->listed = is_listed(heard->inventory, item);
}

static const struct inventory_events events = {
	.added = hear_added, .changed = hear_changed, .removed = hear_removed,
};

static const struct inventory_item *find(const struct inventory *inventory,
	enum inventory_kind kind, const char *place)
{
	const GPtrArray *items = inventory_items(inventory);

	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		if (item->kind == kind && !strcmp(item->place, place))
			return item;
	}
	return NULL;
}

static void edid_set(UMockdevTestbed *bed, const char *connector, uint32_t width, uint32_t height)
{
	uint8_t edid[EDID_LEN];

	edid_fill(edid, width, height, 60);
	umockdev_testbed_set_attribute(bed, connector, "status", "connected");
	umockdev_testbed_set_attribute_binary(bed, connector, "edid", edid, sizeof(edid));
}

/* USB as the kernel has it: root hub, hub at its port 1, keyboard at the hub's port 2. */
static char *usb_add(UMockdevTestbed *bed)
{
	g_autofree char *pci = umockdev_testbed_add_device(bed, "pci", "0000:00:14.0", NULL, "class",
		"0x0c0330", "vendor", "0x8086", "device", "0xa36d", NULL, "ID_MODEL_FROM_DATABASE",
		"USB\033 controller", NULL);
	g_autofree char *root = umockdev_testbed_add_device(bed, "usb", "usb1", pci, NULL, "DEVTYPE",
		"usb_device", NULL);

	return umockdev_testbed_add_device(bed, "usb", "1-1", root, NULL, "DEVTYPE", "usb_device",
		"ID_PATH", "pci-0000:00:14.0-usb-0:1", NULL);
}

static char *keyboard_add(UMockdevTestbed *bed, const char *hub, unsigned port, const char *node,
	const char *property)
{
	g_autofree char *usb = g_strdup_printf("1-1.%u", port);
	g_autofree char *interface = g_strdup_printf("1-1.%u:1.0", port);
	g_autofree char *path = g_strdup_printf("pci-0000:00:14.0-usb-0:1.%u:1.0", port);
	g_autofree char *name = g_path_get_basename(node);
	g_autofree char *bare = g_strdup(node + strlen("/dev/"));
	g_autofree char *input_name = g_strconcat("input", name + strlen("event"), NULL);
	g_autofree char *device = umockdev_testbed_add_device(bed, "usb", usb, hub, NULL, "DEVTYPE",
		"usb_device", NULL);
	g_autofree char *part = umockdev_testbed_add_device(bed, "usb", interface, device, NULL,
		"DEVTYPE", "usb_interface", NULL);
	g_autofree char *input = umockdev_testbed_add_device(bed, "input", input_name, part, "name",
		"ACME\t\033[2J Keys", NULL, "ID_INPUT", "1", NULL);

	return umockdev_testbed_add_device(bed, "input", name, input, NULL, "DEVNAME", bare, property,
		"1", "ID_INPUT", "1", "ID_PATH", path, NULL);
}

static void machine_add(UMockdevTestbed *bed)
{
	g_autofree char *group = NULL;
	g_autofree char *gpu = umockdev_testbed_add_device(bed, "pci", "0000:01:00.0", NULL, "class",
		"0x030000", "boot_vga", "1", "vendor", "0x1002", "device", "0x1234", NULL, NULL);
	g_autofree char *card = umockdev_testbed_add_device(bed, "drm", "card0", gpu, NULL, "DEVNAME",
		"dri/card0", "DEVTYPE", "drm_minor", "ID_PATH", "pci-0000:01:00.0", NULL);
	g_autofree char *dp1 = umockdev_testbed_add_device(bed, "drm", "card0-DP-3", card, "status",
		"connected", NULL, NULL);
	g_autofree char *dp2 = umockdev_testbed_add_device(bed, "drm", "card0-DP-11", card, "status",
		"disconnected", NULL, NULL);
	g_autofree char *other = umockdev_testbed_add_device(bed, "drm", "card0-HDMI-A-2", card, "status",
		"disconnected", NULL, NULL);
	g_autofree char *unnumbered = umockdev_testbed_add_device(bed, "drm", "card0-", card, "status",
		"disconnected", NULL, NULL);
	g_autofree char *writeback = umockdev_testbed_add_device(bed, "drm", "card0-Writeback-1", card,
		"status", "unknown", NULL, NULL);
	g_autofree char *render = umockdev_testbed_add_device(bed, "drm", "renderD128", gpu, NULL,
		"DEVNAME", "dri/renderD128", NULL);
	g_autofree char *gpu_sound = umockdev_testbed_add_device(bed, "pci", "0000:01:00.1", NULL,
		"class", "0x040300", NULL, NULL);
	g_autofree char *hdmi = umockdev_testbed_add_device(bed, "sound", "card0", gpu_sound, "id",
		"Generic", NULL, "ID_PATH", "pci-0000:01:00.1", NULL);
	g_autofree char *codec = umockdev_testbed_add_device(bed, "pci", "0000:00:1f.3", NULL, "class",
		"0x040300", NULL, NULL);
	g_autofree char *analog = umockdev_testbed_add_device(bed, "sound", "card1", codec, "id", "PCH",
		NULL, NULL);
	g_autofree char *control = umockdev_testbed_add_device(bed, "sound", "controlC1", analog, NULL,
		"DEVNAME", "snd/controlC1", NULL);
	g_autofree char *power = umockdev_testbed_add_device(bed, "input", "input0", NULL, "name",
		"Power Button", NULL, NULL);
	g_autofree char *power_event = umockdev_testbed_add_device(bed, "input", "event0", power, NULL,
		"DEVNAME", "input/event0", "ID_INPUT", "1", "ID_INPUT_KEY", "1", "ID_PATH",
		"acpi-LNXPWRBN:00", NULL);
	g_autofree char *speaker = umockdev_testbed_add_device(bed, "input", "event1", power, NULL,
		"DEVNAME", "input/event1", "ID_INPUT", "1", "ID_PATH", "platform-pcspkr", NULL);
	g_autofree char *stick = umockdev_testbed_add_device(bed, "block", "sda", NULL, NULL, "DEVNAME",
		"sda", "DEVTYPE", "disk", "ID_BUS", "usb", "ID_VENDOR", "ACME", "ID_MODEL", "Stick",
		"ID_SERIAL_SHORT", "42", "ID_PATH", "pci-0000:00:14.0-usb-0:1.4:1.0-scsi-0:0:0:0", NULL);
	g_autofree char *disk = umockdev_testbed_add_device(bed, "block", "sdb", NULL, NULL, "DEVNAME",
		"sdb", "DEVTYPE", "disk", "ID_BUS", "ata", "ID_PATH", "pci-0000:00:17.0-ata-1", NULL);

	test_assert(power_event && speaker && render && control && hdmi && stick && disk && dp2 &&
		writeback && other && unnumbered);
	edid_set(bed, dp1, 1920, 1080);
	group = g_strconcat(umockdev_testbed_get_root_dir(bed), gpu, "/iommu_group", NULL);
	test_equal(symlink("../../../kernel/iommu_groups/7", group), 0);
}

static void what_is_there_is_found(UMockdevTestbed *bed, struct inventory *inventory)
{
	const GPtrArray *items = inventory_items(inventory);
	const struct inventory_item *item;

	item = find(inventory, INVENTORY_MONITOR, "pci-0000:01:00.0:DP-1");
	test_assert(item->connected && item->boot_display && !strcmp(item->connector, "DP-3"));
	test_equal(item->width, 1920);
	test_equal(item->height, 1080);
	test_assert(item->identity[0] && !strchr(item->identity, ' '));
	test_assert(item->name[0] && !strcmp(item->node, "/dev/dri/card0"));
	item = find(inventory, INVENTORY_MONITOR, "pci-0000:01:00.0:DP-2");
	test_assert(!item->connected && !item->identity[0] && !item->width);
	test_assert(!strcmp(item->connector, "DP-11"));
	item = find(inventory, INVENTORY_MONITOR, "pci-0000:01:00.0:HDMI-A-1");
	test_assert(!strcmp(item->connector, "HDMI-A-2"));
	test_assert(!find(inventory, INVENTORY_MONITOR, "pci-0000:01:00.0:Writeback-1"));

	item = find(inventory, INVENTORY_INPUT, "pci-0000:00:14.0-usb-0:1.2:1.0");
	test_equal(item->input, WIRE_INPUT_KEYBOARD);
	test_assert(!strcmp(item->hub, "pci-0000:00:14.0-usb-0:1"));
	test_assert(!strcmp(item->node, "/dev/input/event5"));
	test_assert(!strcmp(item->name, "ACME[2J Keys"));
	item = find(inventory, INVENTORY_INPUT, "acpi-LNXPWRBN:00");
	test_equal(item->input, WIRE_INPUT_SWITCH);
	test_assert(!item->keys_only);
	item = find(inventory, INVENTORY_INPUT, "pci-0000:00:14.0-usb-0:1.5:1.0");
	test_equal(item->input, WIRE_INPUT_KEYBOARD);
	test_assert(item->keys_only);
	test_assert(!find(inventory, INVENTORY_INPUT, "platform-pcspkr"));

	item = find(inventory, INVENTORY_SOUND, "pci-0000:01:00.1");
	test_assert(item->hdmi && !strcmp(item->node, "/dev/snd/controlC0"));
	item = find(inventory, INVENTORY_SOUND, "pci-0000:00:1f.3"); /* udev has not said ID_PATH */
	test_assert(!item->hdmi && !strcmp(item->name, "PCH"));

	item = find(inventory, INVENTORY_STORAGE, "pci-0000:00:14.0-usb-0:1.4:1.0-scsi-0:0:0:0");
	test_assert(!strcmp(item->name, "ACME Stick") && !strcmp(item->identity, "42"));
	test_assert(!strcmp(item->node, "/dev/sda") && !strcmp(item->hub, "pci-0000:00:14.0-usb-0:1"));
	item = find(inventory, INVENTORY_PCI, "pci-0000:01:00.0");
	test_assert(item->boot_display && !strcmp(item->identity, "1002:1234"));
	test_equal(item->iommu_group, 7);
	item = find(inventory, INVENTORY_PCI, "pci-0000:00:14.0");
	test_equal(item->iommu_group, -1);
	test_assert(!strcmp(item->name, "USB controller") && !item->boot_display);

	test_equal(items->len, 3 + 3 + 2 + 1 + 4);
	for (guint i = 1; i < items->len; i++)
		test_assert(((const struct inventory_item *)g_ptr_array_index(items, i - 1))->kind <=
			((const struct inventory_item *)g_ptr_array_index(items, i))->kind);
}

static void what_comes_and_goes_is_told(UMockdevTestbed *bed, struct heard *heard, const char *hub)
{
	struct inventory *inventory = heard->inventory;
	g_autofree char *mouse = keyboard_add(bed, hub, 3, "/dev/input/event6", "ID_INPUT_MOUSE");
	uint32_t id;

	inventory_dispatch(inventory);
	test_equal(heard->added, 1);
	test_assert(heard->listed);
	test_equal(heard->last.input, WIRE_INPUT_POINTER);
	id = heard->last.id;
	umockdev_testbed_uevent(bed, mouse, "change"); /* nothing of it is another */
	inventory_dispatch(inventory);
	test_equal(heard->added + heard->changed + heard->removed, 1);
	/* One that is on its way out of the kernel has no hub above it any more, for udev to name its place by. */
	umockdev_testbed_set_property(bed, mouse, "ID_PATH", "pci-0000:00:14.0");
	umockdev_testbed_uevent(bed, mouse, "change");
	inventory_dispatch(inventory);
	test_equal(heard->added + heard->changed + heard->removed, 1);
	umockdev_testbed_uevent(bed, mouse, "remove");
	inventory_dispatch(inventory);
	test_equal(heard->removed, 1);
	test_assert(g_str_has_prefix(heard->last.place, "pci-0000:00:14.0-usb-"));
	test_assert(!heard->listed);
	test_equal(heard->last.id, id);
	umockdev_testbed_uevent(bed, mouse, "remove"); /* twice: told once */
	inventory_dispatch(inventory);
	test_equal(heard->removed, 1);
	umockdev_testbed_uevent(bed, mouse, "add");
	inventory_dispatch(inventory);
	test_equal(heard->added, 2);
	test_assert(heard->last.id > id);
}

static void a_monitor_is_plugged_in_and_out(UMockdevTestbed *bed, struct heard *heard)
{
	static const char card[] = "/sys/devices/0000:01:00.0/card0";
	static const char connector[] = "/sys/devices/0000:01:00.0/card0/card0-DP-11";
	uint32_t id = find(heard->inventory, INVENTORY_MONITOR, "pci-0000:01:00.0:DP-2")->id;
	unsigned before = heard->changed;

	edid_set(bed, connector, 1280, 1024);
	umockdev_testbed_uevent(bed, card, "change");
	inventory_dispatch(heard->inventory);
	test_equal(heard->changed, before + 1);
	test_assert(heard->last.connected);
	test_equal(heard->last.width, 1280);
	test_equal(heard->last.id, id);
	umockdev_testbed_set_attribute(bed, connector, "status", "disconnected");
	umockdev_testbed_uevent(bed, card, "change");
	inventory_dispatch(heard->inventory);
	test_equal(heard->changed, before + 2);
	test_assert(!heard->last.connected && !heard->last.identity[0]);
	/* rubbish for an EDID is none */
	umockdev_testbed_set_attribute(bed, connector, "status", "connected");
	umockdev_testbed_set_attribute(bed, connector, "edid", "rubbish");
	umockdev_testbed_uevent(bed, card, "change");
	inventory_dispatch(heard->inventory);
	test_equal(heard->changed, before + 3);
	test_assert(heard->last.connected && !heard->last.identity[0] && !heard->last.width);
}

static void places_that_cannot_be_said_are_left_out(UMockdevTestbed *bed, struct heard *heard)
{
	g_autofree char *longest = g_strnfill(INVENTORY_PLACE, 'x');
	unsigned before = heard->added;
	g_autofree char *one = umockdev_testbed_add_device(bed, "input", "event8", NULL, NULL, "DEVNAME",
		"input/event8", "ID_INPUT_KEYBOARD", "1", "ID_PATH", longest, NULL);
	g_autofree char *two = umockdev_testbed_add_device(bed, "input", "event9", NULL, NULL, "DEVNAME",
		"input/event9", "ID_INPUT_KEYBOARD", "1", "ID_PATH", "a b\033c", NULL);
	g_autofree char *three = umockdev_testbed_add_device(bed, "input", "event10", NULL, NULL,
		"DEVNAME", "input/event10", "ID_INPUT_KEYBOARD", "1", NULL);

	inventory_dispatch(heard->inventory);
	test_assert(one && two && three);
	test_equal(heard->added, before + 1);
	test_assert(!strcmp(heard->last.place, "a_b_c"));
}

static void storm(UMockdevTestbed *bed, struct heard *heard, const char *hub)
{
	unsigned added = heard->added, removed = heard->removed;
	guint items = inventory_items(heard->inventory)->len;
	g_autofree char *mouse = keyboard_add(bed, hub, 4, "/dev/input/event7", "ID_INPUT_MOUSE");

	for (unsigned i = 0; i < 200; i++) {
		umockdev_testbed_uevent(bed, mouse, "remove");
		if (i % 3)
			umockdev_testbed_uevent(bed, mouse, "add");
		inventory_dispatch(heard->inventory);
	}
	umockdev_testbed_uevent(bed, mouse, "add");
	for (unsigned i = 0; i < 10; i++)
		inventory_dispatch(heard->inventory);
	test_equal(inventory_items(heard->inventory)->len, items + 1);
	test_equal(heard->added - added, heard->removed - removed + 1);
}

static void on_a_machine(void)
{
	UMockdevTestbed *bed = umockdev_testbed_new();
	g_autofree char *hub = NULL, *keyboard = NULL, *headset = NULL;
	struct heard heard = { .inventory = NULL };
	GError *error = NULL;

	machine_add(bed);
	hub = usb_add(bed);
	keyboard = keyboard_add(bed, hub, 2, "/dev/input/event5", "ID_INPUT_KEYBOARD");
	headset = keyboard_add(bed, hub, 5, "/dev/input/event4", "ID_INPUT_KEY");
	heard.inventory = inventory_new(&events, &heard, &error);
	test_assert(heard.inventory && keyboard && headset);
	test_equal(heard.added, 0);
	test_assert(inventory_fd(heard.inventory) >= 0);
	inventory_dispatch(heard.inventory);
	test_equal(heard.added, 0);
	what_is_there_is_found(bed, heard.inventory);
	what_comes_and_goes_is_told(bed, &heard, hub);
	a_monitor_is_plugged_in_and_out(bed, &heard);
	places_that_cannot_be_said_are_left_out(bed, &heard);
	storm(bed, &heard, hub);
	inventory_free(heard.inventory);
	g_object_unref(bed);
}
#endif

int main(void)
{
	test_run(text_is_cut_and_cleaned);
#ifdef HAVE_UMOCKDEV
	if (!strstr(g_getenv("LD_PRELOAD") ?: "", "umockdev"))
		test_skip("not under umockdev-wrapper (which does not go with a sanitizer)");
	test_run(on_a_machine);
	return 0;
#else
	test_skip("umockdev is not there (libumockdev-dev)");
#endif
}
