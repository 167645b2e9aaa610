/*
 * What is plugged in, to the seat that it belongs to: monitors as leases, input devices as open files,
 * sound cards by name. Each change of the inventory or of the configuration comes down to
 * devices_assign, which tells every seat what is different for it and nothing else.
 */
#define G_LOG_DOMAIN "irorid"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "seats/daemon.h"
#include "seats/seating.h"
#include "seats/wire_codec.h"

#define APPLIANCE_SOUND "/run/irori/pulse/native" /* data/systemd/irori-pulse.socket */

struct seat *devices_owner(struct daemon *daemon, const struct inventory_item *item)
{
	const struct seat_config *config = seating_of(daemon_seat_configs(daemon), item);

	return config ? daemon_seat(daemon, config->name) : NULL;
}

static const GPtrArray *items_of(const struct daemon *daemon)
{
	static const GPtrArray none;

	return daemon->inventory ? inventory_items(daemon->inventory) : &none;
}

/* Input */

const struct inventory_item *devices_item(struct daemon *daemon, uint32_t id)
{
	const GPtrArray *items = items_of(daemon);

	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		if (item->id == id)
			return item;
	}
	return NULL;
}

static int input_open(const struct inventory_item *item)
{
	int fd = open(item->node, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);

	if (fd < 0)
		g_message("%s: %s", item->node, g_strerror(errno)); /* gone again, often */
	return fd;
}

/* One with F keys: not a headset's volume. */
static bool is_keyboard(const struct inventory_item *item)
{
	return (item->input & WIRE_INPUT_KEYBOARD) && !item->keys_only;
}

/* The PC's power button is nobody's. During the first run keyboards are for saying who sits where, and
 * for nothing else. */
static bool for_seat(struct seat *seat, const struct inventory_item *item)
{
	return item->kind == INVENTORY_INPUT && item->input != WIRE_INPUT_SWITCH &&
		devices_owner(seat->daemon, item) == seat &&
		!(seat->daemon->proposed && is_keyboard(item));
}

static void input_add(struct seat *seat, const struct inventory_item *item)
{
	struct wire_input_add add = { .id = item->id, .kind = item->input };
	int fd;

	if (g_hash_table_size(seat->inputs) >= WIRE_INPUTS || !item->input)
		return;
	fd = input_open(item);
	if (fd < 0)
		return;
	wire_text(add.path, sizeof(add.path), item->node);
	wire_text(add.name, sizeof(add.name), item->name);
	if (!seat_unit_send(seat->unit, WIRE_INPUT_ADD, &add, sizeof(add), fd))
		g_hash_table_add(seat->inputs, GUINT_TO_POINTER(item->id));
	close(fd);
}

static void input_remove(struct seat *seat, uint32_t id)
{
	struct wire_input_remove wire = { id };

	seat_unit_send(seat->unit, WIRE_INPUT_REMOVE, &wire, sizeof(wire), -1);
}

static void inputs_assign(struct seat *seat)
{
	const GPtrArray *items = items_of(seat->daemon);
	g_autoptr(GHashTable) mine = g_hash_table_new(NULL, NULL);
	GHashTableIter iter;
	gpointer id;

	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		if (for_seat(seat, item))
			g_hash_table_insert(mine, GUINT_TO_POINTER(item->id), (gpointer)item);
	}
	g_hash_table_iter_init(&iter, seat->inputs);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		if (!g_hash_table_contains(mine, id)) {
			input_remove(seat, GPOINTER_TO_UINT(id));
			g_hash_table_iter_remove(&iter);
		}
	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		if (g_hash_table_contains(mine, GUINT_TO_POINTER(item->id)) &&
			!g_hash_table_contains(seat->inputs, GUINT_TO_POINTER(item->id)))
			input_add(seat, item);
	}
}

/* Input of nobody: a keyboard waits for F<n>, a power button for its only key. */

static void unclaimed_add(struct daemon *daemon, const struct inventory_item *item)
{
	bool keyboard = is_keyboard(item);
	int fd;

	if (!keyboard && !(item->input & WIRE_INPUT_SWITCH))
		return;
	fd = input_open(item);
	if (fd < 0)
		return;
	g_hash_table_add(daemon->watched, GUINT_TO_POINTER(item->id));
	if (keyboard)
		claim_add(daemon->claim, item->id, fd);
	else
		power_buttons_add(daemon->buttons, item->id, fd);
}

static void unclaimed_remove(struct daemon *daemon, uint32_t id)
{
	if (!g_hash_table_remove(daemon->watched, GUINT_TO_POINTER(id)))
		return;
	claim_remove(daemon->claim, id);
	power_buttons_remove(daemon->buttons, id);
}

static bool unclaimed(struct daemon *daemon, const struct inventory_item *item)
{
	struct seat *owner = item->kind == INVENTORY_INPUT ? devices_owner(daemon, item) : NULL;

	return item->kind == INVENTORY_INPUT && !(owner && for_seat(owner, item));
}

static bool any_keyboard_unclaimed(struct daemon *daemon)
{
	const GPtrArray *items = items_of(daemon);

	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		/* An i8042 has a keyboard whether or not one is plugged in. */
		if (is_keyboard(item) && !place_covers("platform-i8042", item->place) &&
			unclaimed(daemon, item) && g_hash_table_contains(daemon->watched, GUINT_TO_POINTER(item->id)))
			return true;
	}
	return false;
}

void devices_tell_unclaimed(struct seat *seat)
{
	g_autofree char *text = NULL;

	if (seat->config->number > CLAIM_MAX_SEATS || seat->daemon->proposed)
		return;
	if (any_keyboard_unclaimed(seat->daemon))
		text = g_strdup_printf("A keyboard belongs to nobody: press F%u on it to use it here",
			seat->config->number);
	seat_unit_notice(seat->unit, WIRE_NOTICE_CLAIM, 0, text ? text : "");
}

static void unclaimed_assign(struct daemon *daemon)
{
	const GPtrArray *items = items_of(daemon);

	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);
		bool watched = g_hash_table_contains(daemon->watched, GUINT_TO_POINTER(item->id));

		if (!unclaimed(daemon, item))
			unclaimed_remove(daemon, item->id);
		else if (!watched)
			unclaimed_add(daemon, item);
	}
	for (guint i = 0; i < daemon->seats->len; i++)
		devices_tell_unclaimed(g_ptr_array_index(daemon->seats, i));
}

static void key_claimed(void *data, uint32_t id, unsigned number)
{
	const struct inventory_item *item = devices_item(data, id);

	if (item)
		first_key(data, item, number);
}

static void key_entered(void *data, uint32_t id)
{
	const struct inventory_item *item = devices_item(data, id);

	if (item)
		first_enter(data, item);
}

static void keyboard_gone(void *data, uint32_t id)
{
	g_hash_table_remove(((struct daemon *)data)->watched, GUINT_TO_POINTER(id));
}

static const struct claim_events claim_events = {
	.claimed = key_claimed,
	.entered = key_entered,
	.gone = keyboard_gone,
};

static void button_pressed(void *data)
{
	daemon_poweroff(data, true);
}

/* Sound */

/* `anew`: though it is what the seat was told before. */
static void sound_tell(struct seat *seat, bool anew)
{
	const GPtrArray *items = items_of(seat->daemon);
	struct wire_sound sound = { .volume = MIN(seat->config->volume, WIRE_MAX_VOLUME) };
	const char *server = seat->daemon->household->irori.sound_server;
	const struct inventory_item *card =
		seating_sound(daemon_seat_configs(seat->daemon), seat->config, items);
	g_autofree char *sink = NULL;

	/* One that is not there yet may come: its seat does not sound elsewhere meanwhile. */
	if (card || seat->config->sound)
		sink = g_strdup_printf("path:%s", card ? card->place : seat->config->sound);
	if (!server && !access(APPLIANCE_SOUND, F_OK))
		server = "unix:" APPLIANCE_SOUND;
	wire_text(sound.server, sizeof(sound.server), server);
	wire_text(sound.sink, sizeof(sound.sink), sink);
	wire_text(sound.source, sizeof(sound.source), sink);
	if (!anew && !memcmp(&sound, &seat->sound, sizeof(sound)))
		return;
	seat->sound = sound;
	seat_unit_send(seat->unit, WIRE_SOUND, &sound, sizeof(sound), -1);
}

/* Monitors */

/* What a seat's lease should be: connectors of a card. */
struct wanted {
	const char *node;
	uint32_t ids[SEAT_MAX_OUTPUTS];
	unsigned n;
};

/* The card and the connectors of a seat's monitors. They must be of one card: a seat has one lease. */
static unsigned monitors_of(struct seat *seat, const char **node, const char **names)
{
	const GPtrArray *items = items_of(seat->daemon);
	unsigned n = 0;

	*node = NULL;
	for (guint i = 0; i < items->len && n < SEAT_MAX_OUTPUTS; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		if (item->kind != INVENTORY_MONITOR || !item->connected || !item->node[0] ||
			devices_owner(seat->daemon, item) != seat)
			continue;
		if (!*node)
			*node = item->node;
		if (!strcmp(*node, item->node))
			names[n++] = item->connector;
		else
			g_message("seat %s: %s is on another card than its first monitor",
				seat->config->name, item->place);
	}
	return n;
}

static void lease_tell(struct seat *seat, const struct wanted *wanted)
{
	g_autoptr(GError) error = NULL;
	struct wire_lease lease = { 0 };
	int fd;

	if (!wanted->n) {
		cards_take_back(seat->daemon->cards, &seat->lease);
		seat_unit_send(seat->unit, WIRE_UNLEASE, NULL, 0, -1);
		return;
	}
	if (!cards_lend(seat->daemon->cards, wanted->node, wanted->ids, wanted->n, &seat->lease, &fd,
		    &error)) {
		g_warning("seat %s: %s", seat->config->name, error->message);
		seat_unit_send(seat->unit, WIRE_UNLEASE, NULL, 0, -1);
		return;
	}
	wire_text(lease.card, sizeof(lease.card), wanted->node);
	seat_unit_send(seat->unit, WIRE_LEASE, &lease, sizeof(lease), fd);
	close(fd);
}

static struct wanted monitors_wanted(struct seat *seat)
{
	const char *names[SEAT_MAX_OUTPUTS];
	struct wanted wanted = { 0 };
	unsigned n = monitors_of(seat, &wanted.node, names);

	if (n)
		wanted.n = cards_connected(seat->daemon->cards, wanted.node, names, n, wanted.ids,
			SEAT_MAX_OUTPUTS);
	return wanted;
}

static bool lease_is(const struct seat *seat, const struct wanted *wanted)
{
	unsigned n = wanted->n;

	return n == seat->lease.n && (!n || (!g_strcmp0(wanted->node, seat->lease.card) &&
		!memcmp(wanted->ids, seat->lease.connectors, n * sizeof(wanted->ids[0]))));
}

/* `anew`: the seat's process has nothing of what it had before. */
static void monitors_assign(struct seat *seat, const struct wanted *wanted, bool anew)
{
	if (!anew && lease_is(seat, wanted))
		return;
	if (seat_unit_is_up(seat->unit))
		lease_tell(seat, wanted);
	else
		cards_take_back(seat->daemon->cards, &seat->lease);
}

/* A monitor that changes seats must be free before it is lent anew. */
static void monitors_leave(struct seat *seat, const struct wanted *wanted)
{
	if (!seat->lease.n)
		return;
	if (!wanted->n)
		monitors_assign(seat, wanted, false);
	else if (!lease_is(seat, wanted))
		cards_take_back(seat->daemon->cards, &seat->lease);
}

static void seats_monitors(struct daemon *daemon)
{
	g_autofree struct wanted *wanted = g_new(struct wanted, daemon->seats->len);

	if (!daemon->cards)
		return;
	for (guint i = 0; i < daemon->seats->len; i++) {
		wanted[i] = monitors_wanted(g_ptr_array_index(daemon->seats, i));
		monitors_leave(g_ptr_array_index(daemon->seats, i), &wanted[i]);
	}
	for (guint i = 0; i < daemon->seats->len; i++)
		monitors_assign(g_ptr_array_index(daemon->seats, i), &wanted[i], false);
	cards_dark(daemon->cards);
}

void devices_tell(struct seat *seat)
{
	if (seat->daemon->cards) {
		struct wanted wanted = monitors_wanted(seat);

		monitors_assign(seat, &wanted, true);
	}
	inputs_assign(seat);
	sound_tell(seat, true);
	devices_tell_unclaimed(seat);
}

void devices_assign(struct daemon *daemon)
{
	seats_monitors(daemon);
	for (guint i = 0; i < daemon->seats->len; i++) {
		struct seat *seat = g_ptr_array_index(daemon->seats, i);

		if (!seat_unit_is_up(seat->unit))
			continue;
		inputs_assign(seat);
		sound_tell(seat, false);
	}
	unclaimed_assign(daemon);
}

/* Whose a thing is, by hand */

static enum inventory_kind kind_of(const struct daemon *daemon, const char *place)
{
	const GPtrArray *items = items_of(daemon);

	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		if (item->kind != INVENTORY_PCI && place_covers(place, item->place))
			return item->kind;
	}
	return INVENTORY_INPUT;
}

/* Its list without the place; true: it was there. */
static bool list_drop(char **list, const char *place)
{
	char **to = list;

	for (char **from = list; *from; from++)
		if (strcmp(*from, place))
			*to++ = *from;
		else
			g_free(*from);
	if (!*to)
		return false;
	*to = NULL;
	return true;
}

static void list_add(char ***list, const char *place)
{
	guint n = g_strv_length(*list);

	*list = g_renew(char *, *list, n + 2);
	(*list)[n] = g_strdup(place);
	(*list)[n + 1] = NULL;
}

static bool config_drop(struct seat_config *config, const char *place)
{
	bool sound = !g_strcmp0(config->sound, place);

	if (sound)
		g_clear_pointer(&config->sound, g_free);
	return list_drop(config->outputs, place) | list_drop(config->inputs, place) | sound;
}

static void config_take(struct seat_config *config, enum inventory_kind kind, const char *place)
{
	config_drop(config, place);
	if (kind == INVENTORY_MONITOR) {
		list_add(&config->outputs, place);
	} else if (kind == INVENTORY_SOUND) {
		g_free(config->sound);
		config->sound = g_strdup(place);
	} else {
		list_add(&config->inputs, place);
	}
}

bool devices_attach(struct daemon *daemon, struct seat *seat, const char *place, GError **error)
{
	const GPtrArray *configs = daemon_seat_configs(daemon);
	enum inventory_kind kind = kind_of(daemon, place);
	bool done = true;

	for (guint i = 0; done && i < configs->len; i++) {
		struct seat_config *config = g_ptr_array_index(configs, i);
		struct seat_config *changed = daemon->proposed ? config : seat_config_copy(config);
		bool differs = config_drop(changed, place);

		if (config == seat->config) {
			config_take(changed, kind, place);
			differs = true;
		}
		if (daemon->proposed)
			continue;
		if (differs)
			done = household_write_seat(daemon->config.folder, changed, true, error);
		seat_config_free(changed);
	}
	if (!daemon->proposed)
		daemon_reload(daemon);
	devices_assign(daemon);
	return done;
}

/* News */

static bool card_is_there(struct daemon *daemon, const char *node)
{
	const GPtrArray *items = items_of(daemon);

	for (guint i = 0; i < items->len; i++) {
		const struct inventory_item *item = g_ptr_array_index(items, i);

		if (item->kind == INVENTORY_MONITOR && !strcmp(item->node, node))
			return true;
	}
	return false;
}

static void card_open(struct daemon *daemon, const struct inventory_item *item)
{
	g_autoptr(GError) error = NULL;

	if (!daemon->cards || item->kind != INVENTORY_MONITOR || !item->node[0] ||
		!card_is_there(daemon, item->node)) /* the last of its connectors goes */
		return;
	if (!cards_open(daemon->cards, item->node, &error)) {
		g_warning("%s: %s", item->node, error->message);
	} else if (daemon->events->card) {
		g_autofree char *name = g_path_get_basename(item->node);

		daemon->events->card(daemon->data, name, cards_fd(daemon->cards, item->node));
	}
}

/* With its last connector a card is gone; another may come under the same name. */
static void card_close(struct daemon *daemon, const struct inventory_item *item)
{
	g_autofree char *name = NULL;

	if (!daemon->cards || item->kind != INVENTORY_MONITOR || card_is_there(daemon, item->node))
		return;
	g_message("%s is gone", item->node);
	cards_close(daemon->cards, item->node);
	name = g_path_get_basename(item->node);
	if (daemon->events->card)
		daemon->events->card(daemon->data, name, -1);
}

static void monitor_news(struct daemon *daemon, const struct inventory_item *item)
{
	struct seat *seat = devices_owner(daemon, item);
	uint32_t lessee = seat ? seat->lease.lessee : 0;

	seats_monitors(daemon);
	/* The same connectors, but another monitor may be on one of them. */
	if (seat && lessee && seat->lease.lessee == lessee)
		seat_unit_send(seat->unit, WIRE_HOTPLUG, NULL, 0, -1);
}

static void news(struct daemon *daemon, const struct inventory_item *item)
{
	if (!daemon->started)
		return;
	card_open(daemon, item);
	if (daemon->proposed)
		first_news(daemon, item->kind);
	if (item->kind == INVENTORY_MONITOR)
		monitor_news(daemon, item);
	else if (item->kind == INVENTORY_INPUT)
		devices_assign(daemon);
	else if (item->kind == INVENTORY_SOUND)
		for (guint i = 0; i < daemon->seats->len; i++)
			sound_tell(g_ptr_array_index(daemon->seats, i), true);
	daemon_changed(daemon);
}

static void added(void *data, const struct inventory_item *item)
{
	news(data, item);
}

static void changed(void *data, const struct inventory_item *item)
{
	news(data, item);
}

static void removed(void *data, const struct inventory_item *item)
{
	struct daemon *daemon = data;

	if (item->kind == INVENTORY_INPUT)
		for (guint i = 0; i < daemon->seats->len; i++) {
			struct seat *seat = g_ptr_array_index(daemon->seats, i);

			if (g_hash_table_remove(seat->inputs, GUINT_TO_POINTER(item->id)))
				input_remove(seat, item->id);
		}
	unclaimed_remove(daemon, item->id);
	news(daemon, item);
	card_close(daemon, item);
}

static void hotplug(void *data)
{
	struct daemon *daemon = data;

	if (daemon->cards)
		cards_probe(daemon->cards);
}

static const struct inventory_events inventory_events = {
	.hotplug = hotplug,
	.added = added,
	.changed = changed,
	.removed = removed,
};

static gboolean inventory_ready(gint fd, GIOCondition condition, gpointer data)
{
	inventory_dispatch(((struct daemon *)data)->inventory);
	return G_SOURCE_CONTINUE;
}

bool devices_open(struct daemon *daemon, GError **error)
{
	g_autoptr(GError) why = NULL;

	if (daemon->config.cards)
		daemon->cards = cards_new();
	for (unsigned i = 0; i < daemon->config.n_kept; i++)
		cards_adopt(daemon->cards, daemon->config.kept_first + (int)i);
	daemon->watched = g_hash_table_new(NULL, NULL);
	daemon->claim = claim_new(&claim_events, daemon);
	daemon->buttons = power_buttons_new(button_pressed, daemon);
	daemon->inventory = inventory_new(&inventory_events, daemon, &why);
	if (!daemon->inventory) {
		g_warning("%s; no device is known", why->message);
		return true;
	}
	for (guint i = 0; i < inventory_items(daemon->inventory)->len; i++)
		card_open(daemon, g_ptr_array_index(inventory_items(daemon->inventory), i));
	daemon->inventory_source = g_unix_fd_add_full(G_PRIORITY_HIGH,
		inventory_fd(daemon->inventory), G_IO_IN, inventory_ready, daemon, NULL);
	return true;
}

void devices_close(struct daemon *daemon)
{
	g_clear_handle_id(&daemon->inventory_source, g_source_remove);
	inventory_free(daemon->inventory);
	daemon->inventory = NULL;
	claim_free(daemon->claim);
	power_buttons_free(daemon->buttons);
	g_clear_pointer(&daemon->watched, g_hash_table_destroy);
	cards_free(daemon->cards);
	daemon->cards = NULL;
}
