/*
 * Devices with any places and names: what is proposed is bounded, and each thing belongs to whom it is given.
 * A line a device: kind (MmIKSHT, or any), kinds of input, place.
 */
#include <string.h>

#include "seats/inventory_priv.h"
#include "seats/seating.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void text_holds(const char *from)
{
	char text[16];

	inventory_text(text, sizeof(text), from);
	if (strlen(text) >= sizeof(text) || !g_utf8_validate(text, -1, NULL) || strpbrk(text, "\n\033"))
		__builtin_trap();
}

static void place_holds(const struct inventory_item *item)
{
	g_autofree char *port = place_port(item->place), *hub = place_hub(port);
	g_autofree char *bound = seating_place(item);

	if (strncmp(item->place, port, strlen(port)) || (hub && place_covers(hub, port) != strlen(hub) && *hub))
		__builtin_trap();
}

/* What is written is read as it was meant. */
static void file_holds(const struct seat_config *seat)
{
	g_autofree char *file = household_seat_text(seat);
	struct household *household = household_new();
	const struct seat_config *back;

	household_parse(household, HOUSEHOLD_SEAT, seat->name, "fuzz", file, strlen(file));
	back = household_seat(household, seat->name);
	if (!back || household->complaints->len || g_strcmp0(back->sound, seat->sound) ||
		!g_strv_equal((const char *const *)back->outputs, (const char *const *)seat->outputs) ||
		!g_strv_equal((const char *const *)back->inputs, (const char *const *)seat->inputs))
		__builtin_trap();
	household_free(household);
}

static GPtrArray *items_of(const char *text)
{
	GPtrArray *items = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", 400);

	for (char **line = lines; *line; line++) {
		struct inventory_item *item;

		text_holds(*line);
		if (strlen(*line) < 3)
			continue;
		item = g_new0(struct inventory_item, 1);
		item->kind = strchr("Mm", **line) ? INVENTORY_MONITOR : strchr("IK", **line) ? INVENTORY_INPUT :
			strchr("SH", **line) ? INVENTORY_SOUND : INVENTORY_STORAGE;
		item->connected = **line == 'M';
		item->keys_only = **line == 'K';
		item->hdmi = **line == 'H';
		item->input = (uint8_t)(*line)[1] & 0x3f;
		g_strlcpy(item->place, *line + 2, sizeof(item->place));
		for (char *c = item->place; *c; c++) /* as inventory_read.c does */
			*c = g_ascii_isgraph(*c) ? *c : '_';
		place_holds(item);
		g_ptr_array_add(items, item);
	}
	return items;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree char *text = g_strndup((const char *)data, len);
	g_autoptr(GPtrArray) items = items_of(text);
	g_autoptr(GPtrArray) seats = seating_propose(items);

	if (len % 2) /* as after a claim */
		seating_share_sound(seats, items);
	if (len % 2 && seats->len)
		seating_add_monitors(seats, items);
	for (guint i = 0; i < seats->len; i++) {
		const struct seat_config *seat = g_ptr_array_index(seats, i);

		file_holds(seat);
		if (g_strv_length(seat->outputs) != 1 || g_strv_length(seat->inputs) > 64)
			__builtin_trap();
	}
	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);
		const struct seat_config *seat = seating_of(seats, item);
		g_autofree char *place = seating_claim_place(items, item);

		if (seats->len == 1 && item->kind == INVENTORY_INPUT && place_covers("pci", item->place) && !seat)
			__builtin_trap();
		if (item->kind == INVENTORY_MONITOR && item->connected && item->place[0] && seats->len &&
			seats->len < 16 && !seat)
			__builtin_trap();
	}
	return 0;
}
