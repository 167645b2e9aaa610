/*
 * Seats for a machine that has none; the rules are in seating.h.
 */
#include <string.h>

#include "seats/seating.h"
#include "seats/wire.h"

enum {
	MAX_SEATS = 16,
	MAX_PORTS = 256,
};

/* What is plugged in at one port, all its event devices together. */
struct port {
	char *place;
	uint32_t input;
};

struct proposal {
	const struct inventory_item *monitors[MAX_SEATS];
	struct seat_config *seats[MAX_SEATS];
	GPtrArray *inputs[MAX_SEATS]; /* char *, of each seat */
	unsigned n;
	GArray *ports; /* struct port, in the order of their places */
};

/* The kernel's numbers of cards are another with each start. */
static int compare_monitors(const void *a, const void *b)
{
	const struct inventory_item *x = *(const struct inventory_item *const *)a;
	const struct inventory_item *y = *(const struct inventory_item *const *)b;

	if (x->boot_display != y->boot_display)
		return x->boot_display ? -1 : 1;
	return place_compare(x->place, y->place);
}

static int compare_ports(const void *a, const void *b)
{
	return place_compare(((const struct port *)a)->place, ((const struct port *)b)->place);
}

static void port_clear(void *port)
{
	g_free(((struct port *)port)->place);
}

static bool is_lit(const struct inventory_item *item)
{
	return item->kind == INVENTORY_MONITOR && item->connected && item->place[0];
}

/* The monitors that none of the seats has, in their order: how many. Never more than
 * an array has room for: the rest has to be configured by hand. */
static unsigned monitors_find(const GPtrArray *items, const GPtrArray *seats,
	const struct inventory_item *monitors[MAX_SEATS])
{
	unsigned n = 0;

	for (guint i = 0; i < items->len && n < MAX_SEATS; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		if (is_lit(item) && !seating_of(seats, item))
			monitors[n++] = item;
	}
	qsort(monitors, n, sizeof(monitors[0]), compare_monitors);
	return n;
}

static struct seat_config *seat_for(const struct inventory_item *monitor, unsigned number)
{
	g_autofree char *name = g_strdup_printf("seat%u", number);
	struct seat_config *seat = seat_config_new(name);

	seat->number = number;
	g_strfreev(seat->outputs);
	seat->outputs = g_new0(char *, 2);
	seat->outputs[0] = g_strdup(monitor->place);
	return seat;
}

/* NULL: it is not plugged in any more. */
static const struct inventory_item *monitor_of(const struct seat_config *seat, const GPtrArray *items)
{
	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		if (is_lit(item) && !g_strcmp0(seat->outputs[0], item->place))
			return item;
	}
	return NULL;
}

static void proposal_open(struct proposal *p, const GPtrArray *seats, const GPtrArray *items)
{
	for (p->n = 0; p->n < seats->len && p->n < MAX_SEATS; p->n++) {
		struct seat_config *seat = g_ptr_array_index(seats, p->n);

		p->seats[p->n] = seat;
		p->monitors[p->n] = monitor_of(seat, items);
		p->inputs[p->n] = g_ptr_array_new();
		for (char **place = seat->inputs; *place; place++)
			g_ptr_array_add(p->inputs[p->n], g_strdup(*place));
	}
}

static void proposal_close(struct proposal *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		g_ptr_array_add(p->inputs[i], NULL);
		g_strfreev(p->seats[i]->inputs);
		p->seats[i]->inputs = (char **)g_ptr_array_free(p->inputs[i], FALSE);
	}
}

static void port_add(GArray *ports, const struct inventory_item *item)
{
	struct port port = { place_port(item->place), item->keys_only ? 0 : item->input };

	for (guint i = 0; i < ports->len; i++)
		if (!strcmp(g_array_index(ports, struct port, i).place, port.place)) {
			g_array_index(ports, struct port, i).input |= port.input;
			g_free(port.place);
			return;
		}
	if (ports->len < MAX_PORTS)
		g_array_append_val(ports, port);
	else
		g_free(port.place);
}

static GArray *ports_find(const GPtrArray *items)
{
	GArray *ports = g_array_new(FALSE, FALSE, sizeof(struct port));

	g_array_set_clear_func(ports, port_clear);
	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		if (item->kind == INVENTORY_INPUT && item->place[0] &&
			item->input & ~(uint32_t)WIRE_INPUT_SWITCH)
			port_add(ports, item);
	}
	g_array_sort(ports, compare_ports);
	return ports;
}

static bool is_internal(const char *place)
{
	return place_covers("platform", place);
}

static bool is_panel(const struct inventory_item *monitor)
{
	const char *connector = strrchr(monitor->place, ':');

	return connector && (g_str_has_prefix(connector, ":eDP-") ||
		g_str_has_prefix(connector, ":LVDS-") || g_str_has_prefix(connector, ":DSI-"));
}

/* What may count as somebody's keyboard. */
struct pass {
	bool with_mouse, internal;
};

static bool counts(const struct port *port, struct pass pass)
{
	return port->input & WIRE_INPUT_KEYBOARD &&
		(pass.with_mouse || !(port->input & WIRE_INPUT_POINTER) || is_internal(port->place)) &&
		(pass.internal || !is_internal(port->place));
}

static unsigned panel_find(const struct proposal *p)
{
	unsigned panel = 0;

	while (panel < p->n && !is_panel(p->monitors[panel]))
		panel++;
	return panel;
}

/* As many keyboards as seats, or false. chosen: one a seat. */
static bool keyboards_choose(const struct proposal *p, const struct port *chosen[MAX_SEATS])
{
	static const struct pass passes[] = {
		{ false, true }, { false, false }, { true, true }, { true, false },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(passes); i++) {
		unsigned n = 0;

		if (!passes[i].internal && panel_find(p) < p->n) /* a laptop's is not to be left out */
			continue;
		for (guint j = 0; j < p->ports->len; j++) {
			const struct port *port = &g_array_index(p->ports, struct port, j);

			if (!counts(port, passes[i]))
				continue;
			if (n < p->n)
				chosen[n] = port;
			n++;
		}
		if (n == p->n)
			return true;
	}
	return false;
}

/* A laptop's keyboard to its panel; the others keep their order. */
static void keyboard_to_panel(const struct proposal *p, const struct port *chosen[MAX_SEATS])
{
	unsigned panel = panel_find(p), own = 0;
	const struct port *keyboard;

	while (own < p->n && !is_internal(chosen[own]->place))
		own++;
	if (panel == p->n || own == p->n)
		return;
	keyboard = chosen[own];
	memmove(&chosen[own], &chosen[own + 1], (p->n - own - 1) * sizeof(chosen[0]));
	memmove(&chosen[panel + 1], &chosen[panel], (p->n - panel - 1) * sizeof(chosen[0]));
	chosen[panel] = keyboard;
}

/* The largest hub above a port that has none of the others; the port, if there is none. g_free. */
static char *hub_alone(const struct port *const *others, unsigned n, const char *port)
{
	char *place = g_strdup(port), *hub;

	while ((hub = place_hub(place))) {
		for (unsigned i = 0; i < n; i++)
			if (strcmp(others[i]->place, port) && place_covers(hub, others[i]->place)) {
				g_free(hub);
				return place;
			}
		g_free(place);
		place = hub;
	}
	return place;
}

static bool is_taken(const struct proposal *p, const char *place)
{
	for (unsigned i = 0; i < p->n; i++)
		for (guint j = 0; j < p->inputs[i]->len; j++)
			if (place_covers(g_ptr_array_index(p->inputs[i], j), place))
				return true;
	return false;
}

/* Mice and tablets on no keyboard's hub. */
static void pointers_share(struct proposal *p)
{
	const struct port *chosen[MAX_SEATS];
	unsigned n = 0;

	for (guint i = 0; i < p->ports->len; i++) {
		const struct port *port = &g_array_index(p->ports, struct port, i);

		if (!(port->input & (WIRE_INPUT_POINTER | WIRE_INPUT_TABLET)) ||
			is_internal(port->place) || is_taken(p, port->place))
			continue;
		if (n < p->n)
			chosen[n] = port;
		n++;
	}
	for (unsigned i = 0; n == p->n && i < n; i++)
		g_ptr_array_add(p->inputs[i], g_strdup(chosen[i]->place));
}

static void inputs_share(struct proposal *p)
{
	const struct port *chosen[MAX_SEATS];

	if (!keyboards_choose(p, chosen))
		return;
	keyboard_to_panel(p, chosen);
	for (unsigned i = 0; i < p->n; i++)
		g_ptr_array_add(p->inputs[i], hub_alone(chosen, p->n, chosen[i]->place));
	pointers_share(p);
}

/* Everything, by where any place begins. */
static void inputs_all(struct proposal *p)
{
	static const char *const roots[] = { "pci", "platform" };

	for (unsigned i = 0; i < G_N_ELEMENTS(roots); i++)
		g_ptr_array_add(p->inputs[0], g_strdup(roots[i]));
	for (guint i = 0; i < p->ports->len; i++) {
		const char *place = g_array_index(p->ports, struct port, i).place;
		size_t root = strcspn(place, "-:.");

		if (!is_taken(p, place) && p->inputs[0]->len < WIRE_INPUTS)
			g_ptr_array_add(p->inputs[0], g_strndup(place, root ? root : strlen(place)));
	}
}

/* Cards are functions of one PCI device: 01:00.0 draws, 01:00.1 sounds. */
static bool is_beside(const struct inventory_item *sound, const struct inventory_item *monitor)
{
	const char *dot = strrchr(sound->place, '.');
	size_t len = dot ? (size_t)(dot - sound->place) + 1 : 0;

	return sound->hdmi && monitor && len && !strncmp(sound->place, monitor->place, len) &&
		strlen(monitor->place) > len + 1 && monitor->place[len + 1] == ':';
}

static unsigned monitors_of(const struct proposal *p, const struct inventory_item *sound)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n; i++)
		n += is_beside(sound, p->monitors[i]);
	return n;
}

static bool list_covers(const GPtrArray *places, const char *place)
{
	for (guint i = 0; i < places->len; i++)
		if (place_covers(g_ptr_array_index(places, i), place))
			return true;
	return false;
}

static bool sound_on_hub(const struct proposal *p, unsigned seat, const struct inventory_item *sound)
{
	return strstr(sound->place, "-usb-") && list_covers(p->inputs[seat], sound->place);
}

static bool sound_of_monitor(const struct proposal *p, unsigned seat,
	const struct inventory_item *sound)
{
	return is_beside(sound, p->monitors[seat]) && monitors_of(p, sound) == 1;
}

/* A second headset on one hub is not somebody else's. */
static bool sound_on_other_hub(const struct proposal *p, unsigned seat,
	const struct inventory_item *sound)
{
	for (unsigned i = 0; i < p->n; i++)
		if (i != seat && sound_on_hub(p, i, sound))
			return true;
	return false;
}

static bool sound_left(const struct proposal *p, unsigned seat, const struct inventory_item *sound)
{
	return !sound->hdmi && !sound_on_other_hub(p, seat, sound);
}

static bool sound_any(const struct proposal *p, unsigned seat, const struct inventory_item *sound)
{
	return monitors_of(p, sound) == 0 && !sound_on_other_hub(p, seat, sound);
}

typedef bool sound_rule(const struct proposal *p, unsigned seat, const struct inventory_item *sound);

static bool sound_is_free(const struct proposal *p, const struct inventory_item *item)
{
	if (item->kind != INVENTORY_SOUND || !item->place[0] || strlen(item->place) + 6 > WIRE_PATH)
		return false;
	for (unsigned i = 0; i < p->n; i++)
		if (p->seats[i]->sound && !strcmp(p->seats[i]->sound, item->place))
			return false;
	return true;
}

/* A headset has keys. */
static void sound_keys_give(struct proposal *p, unsigned seat, const char *place)
{
	if (strstr(place, "-usb-") && !is_taken(p, place) && p->inputs[seat]->len < WIRE_INPUTS)
		g_ptr_array_add(p->inputs[seat], place_port(place));
}

static void sound_give(struct proposal *p, const GPtrArray *items, unsigned seat, sound_rule *rule)
{
	for (guint i = 0; i < items->len && !p->seats[seat]->sound; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		if (sound_is_free(p, item) && rule(p, seat, item)) {
			p->seats[seat]->sound = g_strdup(item->place);
			sound_keys_give(p, seat, item->place);
		}
	}
}

static void sound_share(struct proposal *p, const GPtrArray *items)
{
	/* Who sits alone hears all: a card with a jack before a monitor that may have no speaker. */
	static sound_rule *const alone[] = { sound_on_hub, sound_left, sound_of_monitor, sound_any };
	static sound_rule *const many[] = { sound_on_hub, sound_of_monitor, sound_left, sound_any };
	sound_rule *const *rules = p->n == 1 ? alone : many;

	for (unsigned rule = 0; rule < G_N_ELEMENTS(many); rule++)
		for (unsigned seat = 0; seat < p->n; seat++)
			sound_give(p, items, seat, rules[rule]);
}

GPtrArray *seating_propose(const GPtrArray *items)
{
	GPtrArray *seats = g_ptr_array_new_with_free_func((GDestroyNotify)seat_config_free);
	struct proposal p = { .ports = ports_find(items) };

	seating_add_monitors(seats, items);
	proposal_open(&p, seats, items);
	if (p.n == 1)
		inputs_all(&p);
	else
		inputs_share(&p);
	sound_share(&p, items);
	proposal_close(&p);
	g_array_free(p.ports, TRUE);
	return seats;
}

unsigned seating_add_monitors(GPtrArray *seats, const GPtrArray *items)
{
	const struct inventory_item *monitors[MAX_SEATS];
	unsigned n = monitors_find(items, seats, monitors), added = 0;

	for (; added < n && seats->len < MAX_SEATS; added++)
		g_ptr_array_add(seats, seat_for(monitors[added], seats->len + 1));
	return added;
}

/* And its keys. */
static void sound_take(struct proposal *p, unsigned seat)
{
	const char *sound = p->seats[seat]->sound;
	g_autofree char *port = sound && strstr(sound, "-usb-") ? place_port(sound) : NULL;

	for (guint i = 0; port && i < p->inputs[seat]->len; i++)
		if (!strcmp(g_ptr_array_index(p->inputs[seat], i), port)) {
			g_free(g_ptr_array_remove_index(p->inputs[seat], i));
			break;
		}
	g_clear_pointer(&p->seats[seat]->sound, g_free);
}

void seating_share_sound(GPtrArray *seats, const GPtrArray *items)
{
	struct proposal p = { .n = 0 };

	proposal_open(&p, seats, items);
	for (unsigned i = 0; i < p.n; i++)
		sound_take(&p, i);
	sound_share(&p, items);
	proposal_close(&p);
}

char *seating_claim_place(const GPtrArray *items, const struct inventory_item *keyboard)
{
	static const struct pass alone = { false, true };
	g_autofree char *port = place_port(keyboard->place);
	GArray *ports = ports_find(items);
	const struct port *others[MAX_PORTS];
	unsigned n = 0;
	char *place;

	for (guint i = 0; i < ports->len; i++)
		if (counts(&g_array_index(ports, struct port, i), alone))
			others[n++] = &g_array_index(ports, struct port, i);
	place = hub_alone(others, n, port);
	g_array_free(ports, TRUE);
	return place;
}
