/*
 * irorid's end of a card: what it lends, to whom, and what stays its own.
 */
#include "tests/unit/test.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "display/kms_fake.h"
#include "display/lease.h"

static const struct fake_connector connectors[] = {
	{"HDMI-A-1", 3, 1920, 1080, 60, 510, 287},
	{"DP-1", 3, 1280, 1024, 75, 0, 0},
	{"DP-2", 3, 0, 0, 0, 0, 0},
};

static const struct fake_card_config config = {
	.connectors = connectors,
	.n_connectors = G_N_ELEMENTS(connectors),
	.n_crtcs = 2,
	.cursors = true,
	.vblank = true,
	.lit = true,
};

static uint32_t lend(struct lease_card *card, uint32_t connector)
{
	uint32_t lessee = 0;
	int fd = -1;

	test_assert(lease_create(card, &connector, 1, &fd, &lessee, NULL));
	test_assert(fd >= 0 && lessee);
	close(fd);
	return lessee;
}

static void refused(struct lease_card *card, uint32_t connector, int code)
{
	g_autoptr(GError) error = NULL;
	uint32_t lessee;
	int fd;

	test_assert(!lease_create(card, &connector, 1, &fd, &lessee, &error));
	test_assert(g_error_matches(error, G_IO_ERROR, code));
}

static void test_connectors(void)
{
	struct lease_card *card = lease_card_new(fake_card_new(&config), NULL);
	struct lease_connector *list;
	unsigned n;

	list = lease_card_connectors(card, &n, NULL);
	test_equal(n, 3);
	test_assert(!strcmp(list[0].name, "HDMI-A-1"));
	test_assert(list[0].connected && !list[0].leased && !list[2].connected);
	test_equal(list[1].width, 1280);
	test_equal(list[1].height, 1024);
	g_free(list);
	lease_card_free(card);
}

static void test_lends_once(void)
{
	struct lease_card *card = lease_card_new(fake_card_new(&config), NULL);
	struct lease_connector *list;
	uint32_t first, second;
	unsigned n;

	first = lend(card, 100);
	refused(card, 100, G_IO_ERROR_BUSY);
	refused(card, 4711, G_IO_ERROR_NOT_FOUND);
	second = lend(card, 101);
	refused(card, 102, G_IO_ERROR_NO_SPACE);
	list = lease_card_connectors(card, &n, NULL);
	test_assert(list[0].leased && list[1].leased && !list[2].leased);
	g_free(list);
	lease_revoke(card, first);
	lease_revoke(card, 4711);
	lend(card, 102); /* on what became free */
	refused(card, 101, G_IO_ERROR_BUSY);
	lease_revoke(card, second);
	lend(card, 101);
	lease_card_free(card);
}

static void test_several_connectors_in_one(void)
{
	struct lease_card *card = lease_card_new(fake_card_new(&config), NULL);
	uint32_t both[] = {100, 101}, twice[] = {100, 100}, lessee;
	int fd;

	test_assert(!lease_create(card, twice, 2, &fd, &lessee, NULL));
	test_assert(lease_create(card, both, 2, &fd, &lessee, NULL));
	close(fd);
	refused(card, 101, G_IO_ERROR_BUSY);
	lease_revoke(card, lessee);
	lend(card, 101);
	lease_card_free(card);
}

static void test_old_leases_end(void)
{
	struct kms_card *fake = fake_card_new(&config);
	uint32_t objects[] = {100, 200, 300}, lessee, left[4];
	struct lease_card *card;
	int fd;

	test_equal(fake->ops->lease(fake, objects, 3, &fd, &lessee), 0);
	close(fd);
	card = lease_card_new(fake, NULL);
	test_equal(fake->ops->lessees(fake, left, 4), 0);
	lease_card_free(card);
}

static void test_dark_but_for_what_is_lent(void)
{
	struct kms_card *fake = fake_card_new(&config);
	struct lease_card *card = lease_card_new(fake, NULL);
	struct fake_card_counts counts;

	lend(card, 101);
	fake_card_counts(fake, &counts);
	test_equal(counts.lit, 2);
	test_equal(lease_card_dark(card), 0);
	fake_card_counts(fake, &counts);
	test_equal(counts.lit, 1);
	test_equal(counts.planes, 1);
	lease_card_free(card);
}

int main(void)
{
	test_run(test_connectors);
	test_run(test_lends_once);
	test_run(test_several_connectors_in_one);
	test_run(test_old_leases_end);
	test_run(test_dark_but_for_what_is_lent);
	return 0;
}
