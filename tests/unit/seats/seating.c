/*
 * Who gets what: the machines of this table, and what is proposed for them.
 */
#include "seats/seating.h"

#include <string.h>

#include "seats/wire.h"
#include "tests/unit/test.h"

#define XHCI "pci-0000:00:14.0-usb-0:"

enum {
	KEY = WIRE_INPUT_KEYBOARD,
	PTR = WIRE_INPUT_POINTER,
	BOOT = 99,
};

static struct inventory_item item_of(enum inventory_kind kind, const char *place)
{
	struct inventory_item item = { .kind = kind, .iommu_group = -1 };

	g_strlcpy(item.place, place, sizeof(item.place));
	return item;
}

static void places_end_where_components_do(void)
{
	static const struct {
		const char *pattern, *place;
		bool covers;
	} table[] = {
		{ XHCI "1", XHCI "1:1.0", true },
		{ XHCI "1", XHCI "1.2:1.0", true },
		{ XHCI "1", XHCI "12:1.0", false },
		{ XHCI "1.2", XHCI "1.2:1.0", true },
		{ XHCI "1.2", XHCI "1.3:1.0", false },
		{ XHCI "1.2:1.0", XHCI "1.2", false },
		{ "pci-0000:00:14.0", XHCI "1:1.0", true },
		{ "pci-0000:00:1", XHCI "1:1.0", false },
		{ "pci", XHCI "1:1.0", true },
		{ "pc", XHCI "1:1.0", false },
		{ "", XHCI "1:1.0", false },
		{ "pci-0000:00:02.0:DP-1", "pci-0000:00:02.0:DP-1", true },
		{ "pci-0000:00:02.0:DP-1", "pci-0000:00:02.0:DP-10", false },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(table); i++)
		test_equal(place_covers(table[i].pattern, table[i].place),
			table[i].covers ? strlen(table[i].pattern) : 0);
}

static void ports_and_hubs_are_found_in_places(void)
{
	static const struct {
		const char *place, *port, *hub;
	} table[] = {
		{ XHCI "1:1.0", XHCI "1", NULL },
		{ XHCI "1.2.4:1.1", XHCI "1.2.4", XHCI "1.2" },
		{ "platform-i8042-serio-1", "platform-i8042", NULL },
		{ "pci-0000:00:05.0", "pci-0000:00:05.0", NULL },
		{ "platform-xhci.0-usb-0:3.1:1.0", "platform-xhci.0-usb-0:3.1", "platform-xhci.0-usb-0:3" },
		{ "-usb-", "-usb-", NULL },
		{ "", "", NULL },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
		struct inventory_item item = item_of(INVENTORY_INPUT, table[i].place);
		g_autofree char *port = place_port(table[i].place), *hub = place_hub(port);
		g_autofree char *bound = seating_place(&item);

		test_assert(!strcmp(port, table[i].port));
		test_assert(!g_strcmp0(hub, table[i].hub));
		test_assert(!strcmp(bound, hub ? hub : port));
	}
}

static void places_have_an_order(void)
{
	static const char *const sorted[] = { "", "acpi-x", "pci-0000:00:02.0:DP-1", "pci-0000:00:02.0:DP-2",
		"pci-0000:00:02.0:DP-10", "pci-0000:00:02.0:HDMI-A-1", "pci-0000:00:09.0", "pci-0000:00:0a.0",
		"pci-0000:00:10.0", XHCI "2.1:1.0", XHCI "2.10:1.0", XHCI "2:1.0", XHCI "10:1.0",
		"pci-0000:00:1f.3", "pci-0000:01:00.0", "platform-i8042" };

	for (unsigned i = 0; i < G_N_ELEMENTS(sorted); i++)
		for (unsigned j = 0; j < G_N_ELEMENTS(sorted); j++) {
			int order = place_compare(sorted[i], sorted[j]);

			if ((i > j) - (i < j) != (order > 0) - (order < 0))
				printf("%s %d %s\n", sorted[i], order, sorted[j]);
			test_equal((i > j) - (i < j), (order > 0) - (order < 0));
		}
}

static GPtrArray *seats_of(const char *const (*texts)[3], unsigned n)
{
	GPtrArray *seats = g_ptr_array_new_with_free_func((GDestroyNotify)seat_config_free);

	for (unsigned i = 0; i < n; i++) {
		struct seat_config *seat = seat_config_new(i ? "b" : "a");

		g_strfreev(seat->outputs);
		g_strfreev(seat->inputs);
		seat->outputs = g_strsplit(texts[i][0], " ", -1);
		seat->inputs = g_strsplit(texts[i][1], " ", -1);
		seat->sound = g_strdup(texts[i][2]);
		g_ptr_array_add(seats, seat);
	}
	return seats;
}

static void a_device_is_whose_place_fits_best(void)
{
	static const char *const texts[][3] = {
		{ "monitor:DEL-U27-1 card:DP-1", "pci-0000:00:14.0 x", "pci-0000:00:1f.3" },
		{ "monitor:DEL-U27-2 card:DP-2", XHCI "2 x", "pci-0000:01:00.1" },
	};
	static const struct {
		enum inventory_kind kind;
		const char *place, *identity, *owner;
	} table[] = {
		{ INVENTORY_INPUT, XHCI "1:1.0", "", "a" },
		{ INVENTORY_INPUT, XHCI "2.1:1.0", "", "b" },
		{ INVENTORY_INPUT, XHCI "22:1.0", "", "a" },
		{ INVENTORY_INPUT, "x", "", "a" }, /* as long: the order */
		{ INVENTORY_INPUT, "y", "", NULL },
		{ INVENTORY_INPUT, "", "", NULL },
		{ INVENTORY_STORAGE, XHCI "2.3:1.0", "", "b" },
		{ INVENTORY_SOUND, XHCI "2.3:1.0", "", "b" },
		{ INVENTORY_SOUND, "pci-0000:01:00.1", "", "b" },
		{ INVENTORY_SOUND, "pci-0000:00:1f.3", "", "a" },
		{ INVENTORY_SOUND, "pci-0000:00:1b.0", "", NULL },
		{ INVENTORY_MONITOR, "card:DP-1", "DEL-U27-2", "a" }, /* the place before the identity */
		{ INVENTORY_MONITOR, "card:DP-3", "DEL-U27-2", "b" },
		{ INVENTORY_MONITOR, "card:DP-3", "DEL-U27", NULL },
		{ INVENTORY_MONITOR, "card:DP-3", "", NULL },
		{ INVENTORY_PCI, "pci-0000:00:14.0", "", NULL },
	};
	g_autoptr(GPtrArray) seats = seats_of(texts, 2);

	for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
		struct inventory_item item = item_of(table[i].kind, table[i].place);
		const struct seat_config *owner;

		g_strlcpy(item.identity, table[i].identity, sizeof(item.identity));
		owner = seating_of(seats, &item);
		test_assert(!g_strcmp0(owner ? owner->name : NULL, table[i].owner));
	}
}

static void the_card_that_is_named_sounds(void)
{
	static const char *const texts[][3] = {
		{ "", XHCI "1", "pci-0000:00:1f.3" },
		{ "", XHCI "2", NULL },
	};
	static const char *const places[] = { XHCI "1.3:1.0", XHCI "2.3:1.0", XHCI "2.4:1.0",
		"pci-0000:00:1f.3", "pci-0000:00:1b.0" };
	g_autoptr(GPtrArray) seats = seats_of(texts, 2), items = g_ptr_array_new();
	struct inventory_item cards[G_N_ELEMENTS(places)];

	for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
		cards[i] = item_of(INVENTORY_SOUND, places[i]);
		g_ptr_array_add(items, &cards[i]);
	}
	test_assert(seating_sound(seats, seats->pdata[0], items) == &cards[3]);
	test_assert(seating_sound(seats, seats->pdata[1], items) == &cards[1]);
	g_ptr_array_remove(items, &cards[3]); /* unplugged: what is on the hub */
	test_assert(seating_sound(seats, seats->pdata[0], items) == &cards[0]);
	g_ptr_array_set_size(items, 0);
	test_assert(!seating_sound(seats, seats->pdata[0], items));
}

/* One thing of a machine: monitors M (m: not connected), inputs I (K: volume keys), sound S (H: HDMI). */
struct thing {
	char kind;
	const char *place;
	unsigned input; /* BOOT: firmware drew on that card */
};

static const struct machine {
	const char *name;
	struct thing things[20];
	const char *expected; /* "OUTPUTS|INPUTS|SOUND", a line a seat */
} machines[] = {
	{ "nothing", { { 'I', XHCI "1:1.0", KEY }, { 'm', "c0:DP-1", 0 } }, "" },
	{ "one monitor has all",
		{ { 'M', "c0:DP-1", 0 }, { 'I', XHCI "1:1.0", KEY }, { 'I', XHCI "2:1.0", KEY },
			{ 'I', "acpi-X-0", PTR }, { 'H', "pci-0000:01:00.1", 0 }, { 'S', "pci-0000:00:1f.3", 0 } },
		"c0:DP-1|pci platform acpi|pci-0000:00:1f.3\n" },
	{ "one monitor, sound by HDMI only",
		{ { 'M', "pci-0000:01:00.0:DP-1", 0 }, { 'H', "pci-0000:01:00.1", 0 } },
		"pci-0000:01:00.0:DP-1|pci platform|pci-0000:01:00.1\n" },
	{ "two hubs, two cards",
		{ { 'M', "pci-0000:02:00.0:DP-1", 0 }, { 'M', "pci-0000:01:00.0:DP-1", 0 },
			{ 'I', XHCI "2.1:1.0", KEY }, { 'I', XHCI "2.2:1.0", PTR },
			{ 'I', XHCI "1.1:1.0", KEY }, { 'I', XHCI "1.2:1.0", PTR },
			{ 'H', "pci-0000:01:00.1", 0 }, { 'H', "pci-0000:02:00.1", 0 },
			{ 'S', "pci-0000:00:1f.3", 0 } },
		"pci-0000:01:00.0:DP-1|" XHCI "1|pci-0000:01:00.1\n"
		"pci-0000:02:00.0:DP-1|" XHCI "2|pci-0000:02:00.1\n" },
	{ "one card, two connectors: its HDMI sound is nobody's",
		{ { 'M', "pci-0000:01:00.0:DP-1", 0 }, { 'M', "pci-0000:01:00.0:DP-2", 0 },
			{ 'm', "pci-0000:01:00.0:DP-3", 0 }, { 'I', XHCI "1:1.0", KEY },
			{ 'I', XHCI "2:1.0", KEY }, { 'I', XHCI "3:1.0", PTR }, { 'I', XHCI "4:1.0", PTR },
			{ 'H', "pci-0000:01:00.1", 0 }, { 'S', "pci-0000:00:1f.3", 0 },
			{ 'S', XHCI "5:1.0", 0 }, { 'K', XHCI "5:1.3", 0 } },
		"pci-0000:01:00.0:DP-1|" XHCI "1 " XHCI "3|pci-0000:00:1f.3\n"
		"pci-0000:01:00.0:DP-2|" XHCI "2 " XHCI "4 " XHCI "5|" XHCI "5:1.0\n" },
	{ "a headset on the hub comes first",
		{ { 'M', "pci-0000:01:00.0:DP-1", 0 }, { 'M', "pci-0000:02:00.0:DP-1", 0 },
			{ 'I', XHCI "1.1:1.0", KEY }, { 'I', XHCI "2.1:1.0", KEY },
			{ 'S', "pci-0000:00:1f.3", 0 }, { 'S', XHCI "2.3:1.0", 0 }, { 'S', XHCI "2.4:1.0", 0 } },
		"pci-0000:01:00.0:DP-1|" XHCI "1|pci-0000:00:1f.3\n"
		"pci-0000:02:00.0:DP-1|" XHCI "2|" XHCI "2.3:1.0\n" },
	{ "keyboards on hubs that are on one hub",
		{ { 'M', "c0:DP-1", 0 }, { 'M', "c0:DP-2", 0 }, { 'I', XHCI "1.1.1:1.0", KEY },
			{ 'I', XHCI "1.1.2:1.0", PTR }, { 'I', XHCI "1.2.1:1.0", KEY },
			{ 'I', XHCI "1.2.2:1.0", PTR } },
		"c0:DP-1|" XHCI "1.1|\nc0:DP-2|" XHCI "1.2|\n" },
	{ "two keyboards on one hub, mice beside",
		{ { 'M', "c0:DP-1", 0 }, { 'M', "c0:DP-2", 0 }, { 'I', XHCI "1.1:1.0", KEY },
			{ 'I', XHCI "1.2:1.0", KEY }, { 'I', XHCI "1.3:1.0", PTR },
			{ 'I', XHCI "1.4:1.0", PTR } },
		"c0:DP-1|" XHCI "1.1 " XHCI "1.3|\nc0:DP-2|" XHCI "1.2 " XHCI "1.4|\n" },
	{ "too few keyboards: nobody's",
		{ { 'M', "c0:DP-1", 0 }, { 'M', "c0:DP-2", 0 }, { 'I', XHCI "1.1:1.0", KEY },
			{ 'I', XHCI "1.2:1.0", PTR } },
		"c0:DP-1||\nc0:DP-2||\n" },
	{ "too many keyboards: nobody's",
		{ { 'M', "c0:DP-1", 0 }, { 'M', "c0:DP-2", 0 }, { 'I', XHCI "1:1.0", KEY },
			{ 'I', XHCI "2:1.0", KEY }, { 'I', XHCI "3:1.0", KEY } },
		"c0:DP-1||\nc0:DP-2||\n" },
	{ "mice with keys do not count",
		{ { 'M', "c0:DP-1", 0 }, { 'M', "c0:DP-2", 0 }, { 'I', XHCI "1:1.0", KEY },
			{ 'I', XHCI "2:1.0", KEY }, { 'I', XHCI "3:1.0", PTR }, { 'I', XHCI "3:1.1", KEY },
			{ 'I', XHCI "4:1.0", PTR } },
		"c0:DP-1|" XHCI "1 " XHCI "3|\nc0:DP-2|" XHCI "2 " XHCI "4|\n" },
	{ "receivers do where there is nothing else",
		{ { 'M', "c0:DP-1", 0 }, { 'M', "c0:DP-2", 0 }, { 'I', XHCI "1:1.0", KEY },
			{ 'I', XHCI "1:1.1", PTR }, { 'I', XHCI "2:1.0", KEY | PTR } },
		"c0:DP-1|" XHCI "1|\nc0:DP-2|" XHCI "2|\n" },
	{ "an i8042 that nobody uses",
		{ { 'M', "c0:V-1", 0 }, { 'M', "c1:V-1", 0 }, { 'I', "platform-i8042-serio-0", KEY },
			{ 'I', "pci-0000:00:05.0", KEY }, { 'I', "pci-0000:00:06.0", KEY } },
		"c0:V-1|pci-0000:00:05.0|\nc1:V-1|pci-0000:00:06.0|\n" },
	{ "a laptop and a second seat",
		{ { 'M', "c0:DP-1", 0 }, { 'M', "c0:eDP-1", 0 }, { 'I', "platform-i8042-serio-0", KEY },
			{ 'I', "platform-i8042-serio-1", PTR }, { 'I', XHCI "1.1:1.0", KEY },
			{ 'I', XHCI "1.2:1.0", PTR }, { 'I', XHCI "9:1.0", WIRE_INPUT_SWITCH | KEY } },
		"c0:DP-1||\nc0:eDP-1||\n" },
	{ "a laptop and a second seat, no third keyboard",
		{ { 'M', "c0:DP-1", 0 }, { 'M', "c0:eDP-1", 0 }, { 'I', "platform-i8042-serio-0", KEY },
			{ 'I', "platform-i8042-serio-1", PTR }, { 'I', XHCI "1.1:1.0", KEY },
			{ 'I', XHCI "1.2:1.0", PTR }, { 'I', "acpi-LID-0", WIRE_INPUT_SWITCH } },
		"c0:DP-1|" XHCI "1|\nc0:eDP-1|platform-i8042|\n" },
	{ "where firmware drew is first",
		{ { 'M', "c0:DP-1", 0 }, { 'M', "c1:DP-1", BOOT } }, "c1:DP-1||\nc0:DP-1||\n" },
	{ "six",
		{ { 'M', "c0:DP-1", 0 }, { 'M', "c0:DP-2", 0 }, { 'M', "c0:DP-10", 0 },
			{ 'M', "c1:DP-1", 0 }, { 'M', "c2:DP-1", 0 }, { 'M', "c9:DP-1", 0 },
			{ 'I', XHCI "1:1.0", KEY }, { 'I', XHCI "2:1.0", KEY }, { 'I', XHCI "3:1.0", KEY },
			{ 'I', XHCI "10:1.0", KEY }, { 'I', XHCI "11.4:1.0", KEY },
			{ 'I', XHCI "4:1.0", KEY } },
		"c0:DP-1|" XHCI "1|\nc0:DP-2|" XHCI "2|\nc0:DP-10|" XHCI "3|\nc1:DP-1|" XHCI "4|\n"
		"c2:DP-1|" XHCI "10|\nc9:DP-1|" XHCI "11|\n" },
};

static GPtrArray *items_of(const struct machine *machine)
{
	GPtrArray *items = g_ptr_array_new_with_free_func(g_free);

	for (const struct thing *thing = machine->things; thing->kind; thing++) {
		struct inventory_item *item = g_new0(struct inventory_item, 1);

		*item = item_of(strchr("Mm", thing->kind) ? INVENTORY_MONITOR :
			strchr("IK", thing->kind) ? INVENTORY_INPUT : INVENTORY_SOUND, thing->place);
		item->connected = thing->kind == 'M';
		item->hdmi = thing->kind == 'H';
		item->boot_display = item->kind == INVENTORY_MONITOR && thing->input == BOOT;
		if (item->kind == INVENTORY_INPUT)
			item->input = thing->kind == 'K' ? KEY : thing->input;
		item->keys_only = thing->kind == 'K';
		g_ptr_array_add(items, item);
	}
	return items;
}

static char *said(const GPtrArray *seats)
{
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < seats->len; i++) {
		const struct seat_config *seat = g_ptr_array_index(seats, i);
		g_autofree char *outputs = g_strjoinv(" ", seat->outputs);
		g_autofree char *inputs = g_strjoinv(" ", seat->inputs);

		test_equal(seat->number, i + 1);
		test_assert(household_name_valid(seat->name));
		g_string_append_printf(out, "%s|%s|%s\n", outputs, inputs, seat->sound ? seat->sound : "");
	}
	return g_string_free(out, FALSE);
}

static void machines_are_shared(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(machines); i++) {
		g_autoptr(GPtrArray) items = items_of(&machines[i]);
		g_autoptr(GPtrArray) seats = seating_propose(items);
		g_autofree char *text = said(seats);

		if (strcmp(text, machines[i].expected))
			printf("%s:\n%sexpected\n%s", machines[i].name, text, machines[i].expected);
		test_assert(!strcmp(text, machines[i].expected));
	}
}

/* Whatever is proposed: what is given belongs to whom it is given, and never to two. */
static void what_is_proposed_holds(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(machines); i++) {
		g_autoptr(GPtrArray) items = items_of(&machines[i]);
		g_autoptr(GPtrArray) seats = seating_propose(items);

		for (guint j = 0; j < seats->len; j++) {
			const struct seat_config *seat = g_ptr_array_index(seats, j);
			struct inventory_item monitor = item_of(INVENTORY_MONITOR, seat->outputs[0]);

			test_assert(seating_of(seats, &monitor) == seat);
			for (char **input = seat->inputs; *input; input++) {
				struct inventory_item item = item_of(INVENTORY_INPUT, *input);

				test_assert(seating_of(seats, &item) == seat);
			}
			if (seat->sound) {
				struct inventory_item sound = item_of(INVENTORY_SOUND, seat->sound);

				test_assert(seating_of(seats, &sound) == seat);
			}
		}
	}
}

static void a_claim_takes_the_hub_along(void)
{
	static const struct machine machine = { "", {
		{ 'I', XHCI "1.1.1:1.0", KEY }, { 'I', XHCI "1.1.2:1.0", PTR },
		{ 'I', XHCI "1.2:1.0", KEY }, { 'I', XHCI "2.1:1.0", KEY }, { 'I', XHCI "2.2:1.0", KEY | PTR },
		{ 'I', XHCI "3:1.0", KEY }, { 'K', XHCI "4.1:1.0", 0 }, { 'I', XHCI "4.2:1.0", KEY } }, "" };
	static const char *const expected[] = { XHCI "1.1", XHCI "1.1.2", XHCI "1.2", XHCI "2", XHCI "2.2",
		XHCI "3", XHCI "4.1", XHCI "4" };
	g_autoptr(GPtrArray) items = items_of(&machine);

	for (guint i = 0; i < items->len; i++) {
		g_autofree char *place = seating_claim_place(items, g_ptr_array_index(items, i));

		test_assert(!strcmp(place, expected[i]));
	}
}

/* Hubs turned out to be the other way round: the headsets go with them. */
static void sound_follows_a_claim(void)
{
	static const struct machine machine = { "", {
		{ 'M', "c0:DP-1", 0 }, { 'M', "c0:DP-2", 0 }, { 'I', XHCI "1.1:1.0", KEY },
		{ 'I', XHCI "2.1:1.0", KEY }, { 'S', XHCI "1.3:1.0", 0 }, { 'S', "pci-0000:00:1f.3", 0 } }, "" };
	g_autoptr(GPtrArray) items = items_of(&machine);
	g_autoptr(GPtrArray) seats = seating_propose(items);
	struct seat_config *first = g_ptr_array_index(seats, 0), *second = g_ptr_array_index(seats, 1);
	char **inputs = first->inputs;

	test_assert(!strcmp(first->sound, XHCI "1.3:1.0"));
	test_assert(!strcmp(second->sound, "pci-0000:00:1f.3"));
	first->inputs = second->inputs;
	second->inputs = inputs;
	seating_share_sound(seats, items);
	test_assert(!strcmp(first->sound, "pci-0000:00:1f.3"));
	test_assert(!strcmp(second->sound, XHCI "1.3:1.0"));
	test_assert(!strcmp(second->inputs[0], XHCI "1") && !second->inputs[1]);
}

/* Headsets were guessed, with their keys; then somebody says whose the hub is. */
static void a_guess_gives_way_to_a_claim(void)
{
	static const struct machine machine = { "", {
		{ 'M', "c0:DP-1", 0 }, { 'M', "c0:DP-2", 0 }, { 'I', XHCI "1.1:1.0", KEY },
		{ 'S', XHCI "1.3:1.0", 0 }, { 'S', XHCI "2.3:1.0", 0 } }, "" };
	g_autoptr(GPtrArray) items = items_of(&machine);
	g_autoptr(GPtrArray) seats = seating_propose(items);
	struct seat_config *second = g_ptr_array_index(seats, 1);
	g_autofree char *before = said(seats), *after = NULL;

	test_assert(!strcmp(before, "c0:DP-1|" XHCI "1.3|" XHCI "1.3:1.0\n"
		"c0:DP-2|" XHCI "2.3|" XHCI "2.3:1.0\n"));
	second->inputs = g_renew(char *, second->inputs, 3);
	second->inputs[1] = g_strdup(XHCI "1");
	second->inputs[2] = NULL;
	seating_share_sound(seats, items);
	after = said(seats);
	test_assert(!strcmp(after, "c0:DP-1|" XHCI "2.3|" XHCI "2.3:1.0\n"
		"c0:DP-2|" XHCI "1|" XHCI "1.3:1.0\n"));
}

static void late_monitors_come_last(void)
{
	static const struct machine machine = { "", {
		{ 'M', "c0:DP-2", 0 }, { 'M', "c1:DP-1", 0 }, { 'm', "c0:DP-1", 0 }, { 'm', "c0:DP-3", 0 },
		{ 'I', XHCI "1.1:1.0", KEY }, { 'I', XHCI "2.1:1.0", KEY } }, "" };
	g_autoptr(GPtrArray) items = items_of(&machine);
	g_autoptr(GPtrArray) seats = seating_propose(items);
	g_autofree char *text = NULL;

	test_equal(seating_add_monitors(seats, items), 0);
	for (guint i = 0; i < items->len; i++)
		((struct inventory_item *)g_ptr_array_index(items, i))->connected = i != 1;
	test_equal(seating_add_monitors(seats, items), 2);
	seating_share_sound(seats, items); /* one of the monitors is gone */
	text = said(seats);
	test_assert(!strcmp(text, "c0:DP-2|" XHCI "1|\nc1:DP-1|" XHCI "2|\nc0:DP-1||\nc0:DP-3||\n"));
}

static void more_than_there_is_room_for(void)
{
	g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) seats = NULL;

	for (unsigned i = 0; i < 2000; i++) {
		struct inventory_item *item = g_new0(struct inventory_item, 1);

		item->kind = i % 2 ? INVENTORY_MONITOR : INVENTORY_INPUT;
		item->connected = true;
		item->input = KEY;
		g_snprintf(item->place, sizeof(item->place), "c%u:DP-1", i);
		g_ptr_array_add(items, item);
	}
	seats = seating_propose(items);
	test_equal(seats->len, 16);
	test_equal(seating_add_monitors(seats, items), 0);
}

int main(void)
{
	test_run(places_end_where_components_do);
	test_run(places_have_an_order);
	test_run(ports_and_hubs_are_found_in_places);
	test_run(a_device_is_whose_place_fits_best);
	test_run(the_card_that_is_named_sounds);
	test_run(machines_are_shared);
	test_run(what_is_proposed_holds);
	test_run(a_claim_takes_the_hub_along);
	test_run(sound_follows_a_claim);
	test_run(a_guess_gives_way_to_a_claim);
	test_run(late_monitors_come_last);
	test_run(more_than_there_is_room_for);
	return 0;
}
