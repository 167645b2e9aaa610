/*
 * irori devices: what is plugged in, where, and whose it is. By itself, from udev and the configuration:
 * irorid need not run.
 */
#include <stdio.h>
#include <string.h>

#include <glib-unix.h>

#include "seats/household.h"
#include "seats/inventory.h"
#include "seats/seating.h"
#include "seats/wire.h"
#include "ui/command.h"
#include "ui/json.h"

static gboolean as_json, all, watch;
static char *folder;

static const GOptionEntry options[] = {
	{ "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "print JSON", NULL },
	{ "all", 0, 0, G_OPTION_ARG_NONE, &all,
		"PCI functions too, and connectors without a monitor", NULL },
	{ "watch", 0, 0, G_OPTION_ARG_NONE, &watch,
		"then what is plugged in (+), out (-), or changes (=)", NULL },
	{ "config", 0, 0, G_OPTION_ARG_FILENAME, &folder,
		"configuration (default /etc/irori)", "FOLDER" },
	{ 0 },
};

static const char *const kinds[INVENTORY_KINDS] = {
	[INVENTORY_MONITOR] = "monitor", [INVENTORY_INPUT] = "input", [INVENTORY_SOUND] = "sound",
	[INVENTORY_STORAGE] = "storage", [INVENTORY_PCI] = "pci",
};

static const struct input_word {
	uint32_t kind;
	const char *word;
} input_words[] = {
	{ WIRE_INPUT_KEYBOARD, "keyboard" }, { WIRE_INPUT_POINTER, "pointer" },
	{ WIRE_INPUT_TOUCH, "touch" }, { WIRE_INPUT_TABLET, "tablet" },
	{ WIRE_INPUT_GAMEPAD, "gamepad" }, { WIRE_INPUT_SWITCH, "switch" },
};

/* "keyboard+pointer", or the kind's word; g_free. */
static char *kind_word(const struct inventory_item *item)
{
	GString *out = g_string_new(NULL);

	for (unsigned i = 0; item->kind == INVENTORY_INPUT && i < G_N_ELEMENTS(input_words); i++)
		if (item->input & input_words[i].kind)
			g_string_append_printf(out, "%s%s", out->len ? "+" : "", input_words[i].word);
	if (item->keys_only)
		g_string_assign(out, "keys");
	if (!out->len)
		g_string_append(out, kinds[item->kind]);
	return g_string_free(out, FALSE);
}

/* The name, and what else a person would ask; g_free. */
static char *description(const struct inventory_item *item)
{
	GString *out = g_string_new(item->name);

	if (item->kind == INVENTORY_MONITOR && !item->connected)
		g_string_append(out, "(nothing connected)");
	if (item->kind == INVENTORY_MONITOR && item->connected && !item->name[0])
		g_string_append(out, "(does not say what it is)");
	if (item->width)
		g_string_append_printf(out, " %ux%u", item->width, item->height);
	if (item->kind == INVENTORY_SOUND && item->hdmi)
		g_string_append(out, " (HDMI)");
	if (item->iommu_group >= 0)
		g_string_append_printf(out, " (IOMMU group %d)", item->iommu_group);
	return g_string_free(out, FALSE);
}

static void item_json(JsonBuilder *json, const struct inventory_item *item, const char *seat)
{
	json_builder_begin_object(json);
	json_text(json, "kind", kinds[item->kind]);
	json_text(json, "place", item->place);
	json_text(json, "hub", item->hub[0] ? item->hub : NULL);
	json_text(json, "name", item->name);
	json_text(json, "node", item->node[0] ? item->node : NULL);
	json_text(json, "identity", item->identity[0] ? item->identity : NULL);
	json_text(json, "seat", seat);
	if (item->kind == INVENTORY_MONITOR) {
		json_text(json, "connector", item->connector);
		json_bool(json, "connected", item->connected);
		json_int(json, "width", item->width);
		json_int(json, "height", item->height);
		json_int(json, "width_mm", item->width_mm);
		json_int(json, "height_mm", item->height_mm);
	}
	if (item->kind == INVENTORY_INPUT) {
		json_builder_set_member_name(json, "input");
		json_builder_begin_array(json);
		for (unsigned i = 0; i < G_N_ELEMENTS(input_words); i++)
			if (item->input & input_words[i].kind)
				json_builder_add_string_value(json, input_words[i].word);
		json_builder_end_array(json);
		json_bool(json, "keys_only", item->keys_only);
	}
	if (item->kind == INVENTORY_SOUND)
		json_bool(json, "hdmi", item->hdmi);
	if (item->kind == INVENTORY_PCI && item->iommu_group >= 0)
		json_int(json, "iommu_group", item->iommu_group);
	if (item->kind == INVENTORY_PCI || item->kind == INVENTORY_MONITOR)
		json_bool(json, "boot_display", item->boot_display);
	json_builder_end_object(json);
}

static const char *seat_name(const struct household *household, const struct inventory_item *item)
{
	const struct seat_config *seat = seating_of(household->seats, item);

	return seat ? seat->name : NULL;
}

static void print_json(const struct household *household, const GPtrArray *items)
{
	JsonBuilder *json = json_builder_new();
	g_autofree char *text = NULL;

	json_builder_begin_array(json);
	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		item_json(json, item, seat_name(household, item));
	}
	json_builder_end_array(json);
	text = json_finish(json);
	fputs(text, stdout);
}

/* Is it for the table? What nobody sits at is not, unless all is asked for. */
static bool is_shown(const struct inventory_item *item)
{
	return all || (item->kind != INVENTORY_PCI &&
		(item->kind != INVENTORY_MONITOR || item->connected) &&
		(item->kind != INVENTORY_INPUT || item->input & ~(uint32_t)WIRE_INPUT_SWITCH));
}

static void print_table(const struct household *household, const GPtrArray *items)
{
	size_t kind_width = strlen("KIND"), place_width = strlen("PLACE"), seat_width = strlen("SEAT");
	bool any = false;

	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);
		const char *seat = seat_name(household, item);
		g_autofree char *kind = kind_word(item);

		if (!is_shown(item))
			continue;
		kind_width = MAX(kind_width, strlen(kind));
		place_width = MAX(place_width, strlen(item->place));
		seat_width = MAX(seat_width, strlen(seat ? seat : "-"));
		any = true;
	}
	if (!any) {
		printf("Nothing is plugged in that a seat could have.\n");
		return;
	}
	printf("%-*s  %-*s  %-*s  NAME\n", (int)kind_width, "KIND", (int)place_width, "PLACE",
		(int)seat_width, "SEAT");
	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);
		const char *seat = seat_name(household, item);
		g_autofree char *kind = kind_word(item), *text = description(item);

		if (is_shown(item))
			printf("%-*s  %-*s  %-*s  %s\n", (int)kind_width, kind, (int)place_width,
				item->place, (int)seat_width, seat ? seat : "-", text);
	}
}

static void print_event(const struct household *household, const struct inventory_item *item,
	char sign)
{
	const char *seat = seat_name(household, item);
	g_autofree char *kind = kind_word(item), *text = description(item);

	printf("%c %s  %s  %s  %s\n", sign, kind, item->place, seat ? seat : "-", text);
	fflush(stdout);
}

static void item_added(void *data, const struct inventory_item *item)
{
	print_event(data, item, '+');
}

static void item_changed(void *data, const struct inventory_item *item)
{
	print_event(data, item, '=');
}

static void item_removed(void *data, const struct inventory_item *item)
{
	print_event(data, item, '-');
}

static const struct inventory_events watched = {
	.added = item_added, .changed = item_changed, .removed = item_removed,
};

static gboolean arrived(int fd, GIOCondition condition, gpointer data)
{
	inventory_dispatch(data);
	return G_SOURCE_CONTINUE;
}

/* Until a signal ends us. */
static void follow(struct inventory *inventory)
{
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);

	fflush(stdout);
	g_unix_fd_add(inventory_fd(inventory), G_IO_IN, arrived, inventory);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
}

static int devices_run(const char *name, char **args, int n)
{
	struct household *household;
	struct inventory *inventory;
	GError *error = NULL;

	if (as_json && watch)
		return command_fail(EX_USAGE, name, "--watch is for people: not with --json");
	household = household_load(folder ? folder : "/etc/irori");
	inventory = inventory_new(&watched, household, &error);
	if (!inventory) {
		household_free(household);
		return command_fail_error(EX_OSERR, name, error);
	}
	for (guint i = 0; i < household->complaints->len; i++)
		command_fail(0, name, "%s", (char *)g_ptr_array_index(household->complaints, i));
	if (as_json)
		print_json(household, inventory_items(inventory));
	else
		print_table(household, inventory_items(inventory));
	if (watch)
		follow(inventory);
	household_free(household);
	inventory_free(inventory);
	return EX_OK;
}

const struct command command_devices = {
	.name = "devices",
	.arguments = "",
	.help = "what is plugged in, where, and whose it is",
	.more = "A place is what Outputs=, Inputs= and Sound= of a seat name; a place's beginning (a hub)\n"
		"stands for all that is plugged in there.",
	.options = options,
	.run = devices_run,
};
