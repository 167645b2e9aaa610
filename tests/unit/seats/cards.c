/*
 * Cards: what is asked of them once and kept, what is lent and taken back.
 */
#include "seats/cards.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "display/kms_fake.h"
#include "display/lease.h"
#include "tests/unit/test.h"

static const char node[] = "/dev/dri/card0";
static const struct kms_ops *real;
static struct kms_ops counting;
static unsigned probes;

/* Those that make a card ask its monitors. */
static struct kms_resources *probe(struct kms_card *card, bool force, int *error)
{
	probes += force;
	return real->probe(card, force, error);
}

static struct kms_card *card_new(void)
{
	static const struct fake_connector connectors[] = {
		{ "Virtual-1", 3, 640, 480, 60, 0, 0 },
		{ "Virtual-2", 3, 0, 0, 0, 0, 0 },
	};
	static const struct fake_card_config config = { .connectors = connectors, .n_connectors = 2,
		.n_crtcs = 2, .vblank = true };
	struct kms_card *card = fake_card_new(&config);

	real = card->ops;
	counting = *real;
	counting.probe = probe;
	card->ops = &counting;
	probes = 0;
	return card;
}

static struct cards *cards_with(struct kms_card *card)
{
	struct cards *cards = cards_new();
	struct lease_card *lease = lease_card_new(card, NULL);

	test_assert(lease);
	cards_take(cards, node, lease);
	return cards;
}

static const char *const names[] = { "Virtual-2", "Virtual-1" };

static void asked_once_a_hotplug(void)
{
	struct kms_card *card = card_new();
	struct cards *cards = cards_with(card);
	uint32_t ids[4];

	/* Any number of seats, and keyboards that come and go. */
	for (unsigned i = 0; i < 5; i++)
		test_equal(cards_connected(cards, node, names, 2, ids, 4), 1);
	test_equal(probes, 1);
	fake_card_plug(card, "Virtual-2", 800, 600, 60);
	test_equal(cards_connected(cards, node, names, 2, ids, 4), 1);
	cards_probe(cards);
	test_equal(cards_connected(cards, node, names, 2, ids, 4), 2);
	test_equal(cards_connected(cards, node, names, 2, ids, 1), 1);
	test_equal(cards_connected(cards, "/dev/dri/card1", names, 2, ids, 4), 0);
	test_equal(probes, 2);
	cards_free(cards);
}

static void lent_and_gone(void)
{
	struct kms_card *card = card_new();
	struct cards *cards = cards_with(card);
	struct seat_lease lease = SEAT_LEASE_NONE, other = SEAT_LEASE_NONE;
	uint32_t ids[4];
	int fd = -1;

	test_equal(cards_connected(cards, node, names, 2, ids, 4), 1);
	test_assert(cards_lend(cards, node, ids, 1, &lease, &fd, NULL));
	close(fd);
	test_assert(!cards_lend(cards, node, ids, 1, &other, &fd, NULL)); /* somebody has it */
	test_assert(lease.fd >= 0 && lease.fd != fd && lease.before < 0);
	test_assert(cards_lend(cards, node, ids, 1, &lease, &fd, NULL));  /* who may have it anew */
	close(fd);
	test_assert(lease.fd >= 0 && lease.before >= 0); /* the old picture stays */
	cards_shown(&lease);
	test_assert(lease.fd >= 0 && lease.before < 0);
	cards_close(cards, node);
	test_equal(cards_connected(cards, node, names, 2, ids, 4), 0);
	test_equal(cards_fd(cards, node), -1);
	test_assert(!cards_lend(cards, node, ids, 1, &other, &fd, NULL));
	cards_take_back(cards, &lease); /* of a card that is gone */
	test_assert(!lease.card && !lease.n && lease.fd < 0 && lease.before < 0);
	cards_take_back(cards, &lease);
	/* Another under the same name. */
	cards_take(cards, node, lease_card_new(card_new(), NULL));
	test_equal(cards_connected(cards, node, names, 2, ids, 4), 1);
	test_assert(cards_lend(cards, node, ids, 1, &lease, &fd, NULL));
	close(fd);
	cards_take_back(cards, &lease);
	cards_free(cards);
}

int main(void)
{
	test_run(asked_once_a_hotplug);
	test_run(lent_and_gone);
	return 0;
}
