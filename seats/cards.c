/*
 * See cards.h.
 */
#define G_LOG_DOMAIN "irorid"

#include "seats/cards.h"

#include <string.h>
#include <unistd.h>

#include "display/lease.h"

struct cards {
	GHashTable *open;    /* node -> struct lease_card */
	GHashTable *adopted; /* node -> fd: not opened again yet */
};

static void card_free(gpointer card)
{
	lease_card_free(card);
}

static void fd_close(gpointer fd)
{
	close(GPOINTER_TO_INT(fd));
}

struct cards *cards_new(void)
{
	struct cards *cards = g_new0(struct cards, 1);

	cards->open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, card_free);
	cards->adopted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, fd_close);
	return cards;
}

void cards_free(struct cards *cards)
{
	if (!cards)
		return;
	g_hash_table_destroy(cards->open);
	g_hash_table_destroy(cards->adopted);
	g_free(cards);
}

void cards_adopt(struct cards *cards, int fd)
{
	g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
	char *node = g_file_read_link(link, NULL);

	if (node)
		g_hash_table_replace(cards->adopted, node, GINT_TO_POINTER(fd));
	else
		close(fd);
}

static struct lease_card *card_get(struct cards *cards, const char *node, GError **error)
{
	gpointer name = NULL, fd;

	if (!g_hash_table_steal_extended(cards->adopted, node, &name, &fd))
		return lease_card_open(node, error);
	g_free(name);
	return lease_card_adopt(GPOINTER_TO_INT(fd), error);
}

bool cards_open(struct cards *cards, const char *node, GError **error)
{
	struct lease_card *card;

	if (g_hash_table_contains(cards->open, node))
		return true;
	card = card_get(cards, node, error);
	if (!card)
		return false;
	g_hash_table_insert(cards->open, g_strdup(node), card);
	return true;
}

void cards_close(struct cards *cards, const char *node)
{
	g_hash_table_remove(cards->open, node);
}

int cards_fd(struct cards *cards, const char *node)
{
	struct lease_card *card = g_hash_table_lookup(cards->open, node);

	return card ? lease_card_fd(card) : -1;
}

unsigned cards_connected(struct cards *cards, const char *node, const char *const *names,
	unsigned n_names, uint32_t *ids, unsigned max)
{
	struct lease_card *card = g_hash_table_lookup(cards->open, node);
	g_autofree struct lease_connector *connectors = NULL;
	g_autoptr(GError) error = NULL;
	unsigned n_connectors = 0, n = 0;

	if (!card)
		return 0;
	connectors = lease_card_connectors(card, &n_connectors, &error);
	if (!connectors) {
		g_warning("%s: %s", node, error->message);
		return 0;
	}
	for (unsigned i = 0; i < n_names; i++)
		for (unsigned c = 0; c < n_connectors && n < max; c++)
			if (connectors[c].connected && !connectors[c].non_desktop &&
				!strcmp(connectors[c].name, names[i]))
				ids[n++] = connectors[c].id;
	return n;
}

bool cards_lend(struct cards *cards, const char *node, const uint32_t *connectors, unsigned n,
	struct seat_lease *lease, int *fd, GError **error)
{
	struct lease_card *card = g_hash_table_lookup(cards->open, node);

	cards_take_back(cards, lease);
	if (!card) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NODEV, "%s is not open", node);
		return false;
	}
	if (n > SEAT_MAX_OUTPUTS || !lease_create(card, connectors, n, fd, &lease->lessee, error))
		return false;
	lease->card = g_strdup(node);
	lease->n = n;
	memcpy(lease->connectors, connectors, n * sizeof(connectors[0]));
	return true;
}

void cards_take_back(struct cards *cards, struct seat_lease *lease)
{
	struct lease_card *card =
		lease->card ? g_hash_table_lookup(cards->open, lease->card) : NULL;

	if (card)
		lease_revoke(card, lease->lessee);
	g_free(lease->card);
	*lease = (struct seat_lease){ 0 };
}

void cards_probe(struct cards *cards)
{
	GHashTableIter iter;
	gpointer node, card;

	g_hash_table_iter_init(&iter, cards->open);
	while (g_hash_table_iter_next(&iter, &node, &card)) {
		unsigned n;

		g_free(lease_card_connectors(card, &n, NULL));
	}
}

void cards_dark(struct cards *cards)
{
	GHashTableIter iter;
	gpointer node, card;

	g_hash_table_iter_init(&iter, cards->open);
	while (g_hash_table_iter_next(&iter, &node, &card)) {
		int r = lease_card_dark(card);

		if (r)
			g_message("%s: does not go dark: %s", (char *)node, g_strerror(-r));
	}
}
