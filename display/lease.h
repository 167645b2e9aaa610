/*
 * irorid's end of a card: it is the master, knows the connectors, and lends them to seats.
 *
 * When the file of a card is closed (irorid died), the kernel ends its leases; the lessees keep
 * their frozen picture. Whoever has kept the file (systemd's fd store) hands it to
 * lease_card_adopt(): old leases are ended there as well, for nobody can say any more what is in
 * them, and seats are given new ones.
 *
 * Thread: one a card.
 */
#ifndef IRORI_DISPLAY_LEASE_H
#define IRORI_DISPLAY_LEASE_H

#include <glib.h>

#include "display/edid_read.h"
#include "display/kms.h"

struct lease_card;

struct lease_connector {
	uint32_t id;
	char name[32];
	bool connected, non_desktop;
	bool leased;
	uint32_t width, height; /* preferred mode; 0: none */
	struct edid edid;       /* empty where there is none */
};

/* Opens /dev/dri/cardN. Fails where somebody else is its master. */
struct lease_card *lease_card_open(const char *path, GError **error);
/* An open file that is master; taken over, also where this fails. Ends the leases that it has. */
struct lease_card *lease_card_adopt(int fd, GError **error);
/* Tests: on any card, taken over. */
struct lease_card *lease_card_new(struct kms_card *card, GError **error);
/* Ends all leases. NULL is allowed. */
void lease_card_free(struct lease_card *card);
/* The card's file, for keeping it open elsewhere. */
int lease_card_fd(const struct lease_card *card);

/* Looks at the connectors anew: at most 32. The array is the caller's (g_free). NULL and error set.
 */
struct lease_connector *lease_card_connectors(struct lease_card *card, unsigned *n, GError **error);

/* Lends these connectors, each with a CRTC (of which there are often fewer than connectors: lend
 * those with a monitor first) and planes; those that others have are left alone. *fd is the
 * caller's (close-on-exec), *lessee names the lease. G_IO_ERROR_BUSY: a connector is lent already;
 * G_IO_ERROR_NOT_FOUND: no such connector; G_IO_ERROR_NO_SPACE: the card cannot drive so many at
 * once. */
bool lease_create(struct lease_card *card, const uint32_t *connectors, unsigned n, int *fd,
	uint32_t *lessee, GError **error);
/* Ends a lease. Its connectors may be lent again at once. Unknown numbers are ignored. */
void lease_revoke(struct lease_card *card, uint32_t lessee);
/* What is lent to nobody goes dark (a console may still be on it). 0 or -errno. */
int lease_card_dark(struct lease_card *card);

#endif
