/*
 * Which CRTC for which connector, by table; and that a plan, where there is one, is found and is
 * sound.
 */
#include "tests/unit/test.h"

#include <glib.h>
#include <string.h>

#include "display/kms_plan.h"

enum {
	MAX = 4,
	NONE = 9, /* no CRTC */
};

/* Connector i is 10 + i, CRTC i is 20 + i, its primary plane 30 + i, its cursor plane 40 + i. */
struct card {
	unsigned n_connectors, n_crtcs;
	uint32_t possible[MAX]; /* of the connectors */
	int now[MAX];           /* CRTC that drives it, -1 none */
	uint32_t primaries;     /* CRTCs that have such a plane */
	uint32_t cursors;
};

struct board {
	struct kms_resources resources;
	struct kms_connector connectors[MAX];
	struct kms_crtc crtcs[MAX];
	struct kms_plane planes[2 * MAX];
};

static void board_make(struct board *board, const struct card *card)
{
	struct kms_resources *r = &board->resources;

	memset(board, 0, sizeof(*board));
	r->connectors = board->connectors;
	r->crtcs = board->crtcs;
	r->planes = board->planes;
	r->n_connectors = card->n_connectors;
	r->n_crtcs = card->n_crtcs;
	for (unsigned i = 0; i < card->n_connectors; i++) {
		r->connectors[i].id = 10 + i;
		r->connectors[i].possible_crtcs = card->possible[i];
		r->connectors[i].crtc = card->now[i] < 0 ? 0 : 20 + (uint32_t)card->now[i];
	}
	for (unsigned i = 0; i < card->n_crtcs; i++) {
		r->crtcs[i].id = 20 + i;
		if (card->primaries >> i & 1)
			r->planes[r->n_planes++] =
				(struct kms_plane){30 + i, KMS_PRIMARY, 1u << i, 0, true, false};
		if (card->cursors >> i & 1)
			r->planes[r->n_planes++] =
				(struct kms_plane){40 + i, KMS_CURSOR, 1u << i, 0, false, true};
	}
}

static const struct {
	const char *what;
	struct card card;
	unsigned n_want;
	unsigned want[MAX];
	unsigned n_taken;
	unsigned taken[MAX][2]; /* connector, CRTC */
	bool found;
	unsigned crtcs[MAX]; /* the answer; NONE: any */
} table[] = {
	{"one on one", {1, 1, {1}, {-1}, 1, 1}, 1, {0}, 0, {{0}}, true, {0}},
	{"keeps what the firmware left", {1, 3, {7}, {2}, 7, 0}, 1, {0}, 0, {{0}}, true, {2}},
	{"gives way to the one with less choice", {2, 2, {3, 1}, {0, -1}, 3, 3}, 2, {0, 1}, 0,
		{{0}}, true, {1, 0}},
	{"a chain of three", {3, 3, {3, 6, 1}, {0, 1, -1}, 7, 7}, 3, {0, 1, 2}, 0, {{0}}, true,
		{1, 2, 0}},
	{"more than it has", {3, 2, {3, 3, 3}, {-1, -1, -1}, 3, 3}, 3, {0, 1, 2}, 0, {{0}}, false,
		{0}},
	{"what is taken stays", {2, 2, {3, 1}, {-1, -1}, 3, 3}, 1, {1}, 1, {{0, 0}}, false, {0}},
	{"beside what is taken", {2, 2, {3, 3}, {-1, 1}, 3, 3}, 1, {0}, 1, {{1, 0}}, true, {1}},
	{"a CRTC without a plane is none", {1, 2, {3}, {0}, 2, 0}, 1, {0}, 0, {{0}}, true, {1}},
	{"the same twice", {1, 2, {3}, {-1}, 3, 0}, 2, {0, 0}, 0, {{0}}, false, {0}},
	{"nothing wanted", {1, 1, {1}, {-1}, 1, 0}, 0, {0}, 0, {{0}}, true, {0}},
};

static void check_row(unsigned i)
{
	struct kms_pipe taken[MAX], pipes[MAX];
	uint32_t want[MAX];
	struct board board;
	bool found;

	board_make(&board, &table[i].card);
	for (unsigned t = 0; t < table[i].n_taken; t++) {
		uint32_t crtc = table[i].taken[t][1];

		taken[t] = (struct kms_pipe){
			10 + table[i].taken[t][0], 20 + crtc, 30 + crtc, 40 + crtc};
	}
	for (unsigned w = 0; w < table[i].n_want; w++)
		want[w] = 10 + table[i].want[w];
	found = kms_plan(&board.resources, taken, table[i].n_taken, want, table[i].n_want, pipes);
	if (found != table[i].found)
		fprintf(stderr, "%s\n", table[i].what);
	test_equal(found, table[i].found);
	for (unsigned w = 0; found && w < table[i].n_want; w++) {
		test_equal(pipes[w].connector, want[w]);
		if (table[i].crtcs[w] != NONE)
			test_equal(pipes[w].crtc, 20 + table[i].crtcs[w]);
		test_equal(pipes[w].primary, pipes[w].crtc + 10);
		test_equal(pipes[w].cursor,
			table[i].card.cursors >> (pipes[w].crtc - 20) & 1 ? pipes[w].crtc + 20 : 0);
	}
}

static void test_table(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(table); i++)
		check_row(i);
}

static bool brute(const struct card *card, unsigned at, uint32_t used)
{
	if (at == card->n_connectors)
		return true;
	for (unsigned c = 0; c < card->n_crtcs; c++)
		if (card->possible[at] >> c & 1 && card->primaries >> c & 1 && !(used >> c & 1) &&
			brute(card, at + 1, used | 1u << c))
			return true;
	return false;
}

static void test_finds_what_there_is(void)
{
	static const uint32_t want[MAX] = {10, 11, 12, 13};
	GRand *rand = g_rand_new_with_seed(4711);
	unsigned found = 0;

	for (unsigned round = 0; round < 5000; round++) {
		struct card card = {0};
		struct kms_pipe pipes[MAX];
		struct board board;
		uint32_t used = 0;

		card.n_connectors = (unsigned)g_rand_int_range(rand, 1, MAX + 1);
		card.n_crtcs = (unsigned)g_rand_int_range(rand, 1, MAX + 1);
		card.primaries = g_rand_int(rand) | g_rand_int(rand);
		card.cursors = g_rand_int(rand);
		for (unsigned i = 0; i < MAX; i++) {
			card.possible[i] = g_rand_int(rand) & 15;
			card.now[i] = g_rand_int_range(rand, -1, (int)card.n_crtcs);
		}
		board_make(&board, &card);
		/* A card without any plane is one without atomic modes: another matter. */
		if (!board.resources.n_planes)
			continue;
		test_equal(kms_plan(&board.resources, NULL, 0, want, card.n_connectors, pipes),
			brute(&card, 0, 0));
		if (!brute(&card, 0, 0))
			continue;
		found++;
		for (unsigned i = 0; i < card.n_connectors; i++) {
			unsigned crtc = pipes[i].crtc - 20;

			test_assert(card.possible[i] >> crtc & 1);
			test_assert(!(used >> crtc & 1));
			used |= 1u << crtc;
		}
	}
	test_assert(found > 500);
	g_rand_free(rand);
}

static void test_without_planes(void)
{
	static const struct card card = {2, 2, {3, 3}, {-1, -1}, 0, 0};
	static const uint32_t want[] = {10, 11};
	struct kms_pipe pipes[2];
	struct board board;

	board_make(&board, &card);
	test_assert(kms_plan(&board.resources, NULL, 0, want, 2, pipes));
	test_equal(pipes[0].primary, 0);
	test_assert(pipes[0].crtc != pipes[1].crtc);
}

int main(void)
{
	test_run(test_table);
	test_run(test_finds_what_there_is);
	test_run(test_without_planes);
	return 0;
}
