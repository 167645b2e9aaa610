/*
 * The graphics cards: irorid is the master of each and lends every seat the connectors of its
 * monitors (display/lease.h). A seat gets a new lease only when its own set of monitors has changed;
 * the others are not disturbed.
 *
 * Thread: main.
 */
#ifndef IRORI_SEATS_CARDS_H
#define IRORI_SEATS_CARDS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { SEAT_MAX_OUTPUTS = 16 };

/* What a seat has: one lease, of one card. */
struct seat_lease {
	char *card; /* its node, /dev/dri/card0; NULL: none */
	uint32_t lessee;
	uint32_t connectors[SEAT_MAX_OUTPUTS];
	unsigned n;
	/* Ours too, so that what a seat that died shows stays; and the one before, whose picture stays
	 * until the next is there. -1: none. */
	int fd, before;
};

#define SEAT_LEASE_NONE { .fd = -1, .before = -1 }

struct cards;

struct cards *cards_new(void);
/* Ends all leases. NULL is allowed. */
void cards_free(struct cards *cards);
/* A card whose file was kept over our death; taken over. */
void cards_adopt(struct cards *cards, int fd);
/* Opens a card if it is not open yet. */
bool cards_open(struct cards *cards, const char *node, GError **error);
/* Its file, for systemd to keep; -1: not open. */
int cards_fd(struct cards *cards, const char *node);
/* The same with one that is open already; tests. */
struct lease_card;
void cards_take(struct cards *cards, const char *node, struct lease_card *lease);
/* It was unplugged: what was lent of it is over. */
void cards_close(struct cards *cards, const char *node);

/* Numbers of connectors by name on a card, those that something is plugged into, as of the last cards_probe;
 * in the order of `names`. How many. */
unsigned cards_connected(struct cards *cards, const char *node, const char *const *names,
	unsigned n_names, uint32_t *ids, unsigned max);

/* Gives up what `lease` has, if anything, and lends these; *fd is the caller's. What was shown by the
 * lease before stays on the monitors until cards_shown. */
bool cards_lend(struct cards *cards, const char *node, const uint32_t *connectors, unsigned n,
	struct seat_lease *lease, int *fd, GError **error);
void cards_take_back(struct cards *cards, struct seat_lease *lease);
/* The lease's own picture is on its monitors. */
void cards_shown(struct seat_lease *lease);
/* Asks each card what is connected now, so that sysfs knows it too. Slow: once a hot plug. */
void cards_probe(struct cards *cards);
/* What nobody has goes dark. */
void cards_dark(struct cards *cards);

#endif
