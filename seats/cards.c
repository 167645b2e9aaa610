/*
 * See cards.h.
 */
#define G_LOG_DOMAIN "irorid"

#include "seats/cards.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "display/lease.h"

struct card {
	struct lease_card *lease;
	struct lease_connector *connectors; /* as it said last; NULL: it was not asked yet, or fails */
	unsigned n_connectors;
};

struct cards {
	GHashTable *open;    /* node -> struct card */
	GHashTable *adopted; /* device number -> fd: not opened again yet */
};

static void card_free(gpointer data)
{
	struct card *card = data;

	lease_card_free(card->lease);
	g_free(card->connectors);
	g_free(card);
}

static void fd_close(gpointer fd)
{
	close(GPOINTER_TO_INT(fd));
}

struct cards *cards_new(void)
{
	struct cards *cards = g_new0(struct cards, 1);

	cards->open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, card_free);
	cards->adopted = g_hash_table_new_full(NULL, NULL, NULL, fd_close);
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
	struct stat file;

	if (!fstat(fd, &file) && S_ISCHR(file.st_mode))
		g_hash_table_replace(cards->adopted, GSIZE_TO_POINTER(file.st_rdev), GINT_TO_POINTER(fd));
	else
		close(fd);
}

static struct lease_card *card_get(struct cards *cards, const char *node, GError **error)
{
	struct stat file;
	gpointer fd;

	/* Not by the path that the kernel has for the file: it was opened in the mounts of a unit that is gone. */
	if (stat(node, &file) || !g_hash_table_steal_extended(cards->adopted,
		GSIZE_TO_POINTER(file.st_rdev), NULL, &fd))
		return lease_card_open(node, error);
	return lease_card_adopt(GPOINTER_TO_INT(fd), error);
}

void cards_take(struct cards *cards, const char *node, struct lease_card *lease)
{
	struct card *card = g_new0(struct card, 1);

	card->lease = lease;
	g_hash_table_replace(cards->open, g_strdup(node), card);
}

bool cards_open(struct cards *cards, const char *node, GError **error)
{
	struct lease_card *lease;

	if (g_hash_table_contains(cards->open, node))
		return true;
	lease = card_get(cards, node, error);
	if (lease)
		cards_take(cards, node, lease);
	return lease != NULL;
}

void cards_close(struct cards *cards, const char *node)
{
	g_hash_table_remove(cards->open, node);
}

int cards_fd(struct cards *cards, const char *node)
{
	struct card *card = g_hash_table_lookup(cards->open, node);

	return card ? lease_card_fd(card->lease) : -1;
}

/* A monitor may take a hundred milliseconds to answer. */
static void card_probe(const char *node, struct card *card)
{
	g_autoptr(GError) error = NULL;

	g_free(card->connectors);
	card->n_connectors = 0;
	card->connectors = lease_card_connectors(card->lease, &card->n_connectors, &error);
	if (!card->connectors)
		g_warning("%s: %s", node, error->message);
}

unsigned cards_connected(struct cards *cards, const char *node, const char *const *names,
	unsigned n_names, uint32_t *ids, unsigned max)
{
	struct card *card = g_hash_table_lookup(cards->open, node);
	unsigned n = 0;

	if (!card)
		return 0;
	if (!card->connectors)
		card_probe(node, card);
	for (unsigned i = 0; i < n_names; i++)
		for (unsigned c = 0; c < card->n_connectors && n < max; c++) {
			const struct lease_connector *connector = &card->connectors[c];

			if (connector->connected && !connector->non_desktop &&
				!strcmp(connector->name, names[i]))
				ids[n++] = connector->id;
		}
	return n;
}

static void fd_clear(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* What is shown stays. */
static void lease_end(struct cards *cards, struct seat_lease *lease)
{
	struct card *card = lease->card ? g_hash_table_lookup(cards->open, lease->card) : NULL;
	int before = lease->fd >= 0 ? lease->fd : lease->before;

	if (card)
		lease_revoke(card->lease, lease->lessee);
	if (lease->fd >= 0)
		fd_clear(&lease->before);
	g_free(lease->card);
	*lease = (struct seat_lease){ .fd = -1, .before = before };
}

bool cards_lend(struct cards *cards, const char *node, const uint32_t *connectors, unsigned n,
	struct seat_lease *lease, int *fd, GError **error)
{
	struct card *card = g_hash_table_lookup(cards->open, node);

	lease_end(cards, lease);
	if (!card) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NODEV, "%s is not open", node);
		return false;
	}
	if (n > SEAT_MAX_OUTPUTS || !lease_create(card->lease, connectors, n, fd, &lease->lessee, error))
		return false;
	lease->card = g_strdup(node);
	lease->fd = fcntl(*fd, F_DUPFD_CLOEXEC, 0); /* without it, it goes dark: no harm */
	lease->n = n;
	memcpy(lease->connectors, connectors, n * sizeof(connectors[0]));
	return true;
}

void cards_take_back(struct cards *cards, struct seat_lease *lease)
{
	lease_end(cards, lease);
	cards_shown(lease);
}

void cards_shown(struct seat_lease *lease)
{
	fd_clear(&lease->before);
}

void cards_probe(struct cards *cards)
{
	GHashTableIter iter;
	gpointer node, card;

	g_hash_table_iter_init(&iter, cards->open);
	while (g_hash_table_iter_next(&iter, &node, &card))
		card_probe(node, card);
}

void cards_dark(struct cards *cards)
{
	GHashTableIter iter;
	gpointer node, card;

	g_hash_table_iter_init(&iter, cards->open);
	while (g_hash_table_iter_next(&iter, &node, &card)) {
		int r = lease_card_dark(((struct card *)card)->lease);

		if (r)
			g_message("%s: does not go dark: %s", (char *)node, g_strerror(-r));
	}
}
