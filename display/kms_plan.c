/*
 * Connectors to CRTCs, CRTCs to planes: two matchings in a bipartite graph, by augmenting paths.
 */
#include "display/kms_plan.h"

#include <string.h>

enum {
	LEFT = KMS_MAX_CONNECTORS,
	RIGHT = KMS_MAX_PLANES,
	NOBODY = -1,
};

struct matching {
	unsigned n_left, n_right;
	bool edge[LEFT][RIGHT];
	int owner[RIGHT]; /* which left one has it */
	bool seen[RIGHT];
};

static void matching_init(struct matching *m, unsigned n_left, unsigned n_right)
{
	memset(m, 0, sizeof(*m));
	m->n_left = n_left;
	m->n_right = n_right;
	for (unsigned i = 0; i < RIGHT; i++)
		m->owner[i] = NOBODY;
}

static bool matching_augment(struct matching *m, unsigned left)
{
	for (unsigned right = 0; right < m->n_right; right++) {
		if (!m->edge[left][right] || m->seen[right])
			continue;
		m->seen[right] = true;
		if (m->owner[right] == NOBODY || matching_augment(m, (unsigned)m->owner[right])) {
			m->owner[right] = (int)left;
			return true;
		}
	}
	return false;
}

static int matching_of(const struct matching *m, unsigned left)
{
	for (unsigned right = 0; right < m->n_right; right++)
		if (m->owner[right] == (int)left)
			return (int)right;
	return NOBODY;
}

/* What somebody likes to keep has been given an owner before. Says whether all got one. */
static bool matching_solve(struct matching *m)
{
	bool all = true;

	for (unsigned left = 0; left < m->n_left; left++) {
		memset(m->seen, 0, sizeof(m->seen));
		if (matching_of(m, left) == NOBODY && !matching_augment(m, left))
			all = false;
	}
	return all;
}

static bool is_taken(const struct kms_pipe *taken, unsigned n_taken, uint32_t object)
{
	for (unsigned i = 0; i < n_taken; i++)
		if (taken[i].connector == object || taken[i].crtc == object ||
			taken[i].primary == object || taken[i].cursor == object)
			return true;
	return false;
}

struct plan {
	const struct kms_resources *resources;
	const struct kms_pipe *taken;
	unsigned n_taken;
	struct matching m;
};

static bool plane_fits(
	const struct plan *plan, unsigned plane, enum kms_plane_type type, unsigned crtc)
{
	const struct kms_plane *p = &plan->resources->planes[plane];

	return p->type == type && p->possible_crtcs >> crtc & 1 &&
	       (type == KMS_CURSOR ? p->argb : p->xrgb) &&
	       !is_taken(plan->taken, plan->n_taken, p->id);
}

/* A CRTC without a primary plane is of no use. Cards without atomic modes show no planes. */
static bool crtc_usable(const struct plan *plan, unsigned crtc)
{
	if (is_taken(plan->taken, plan->n_taken, plan->resources->crtcs[crtc].id))
		return false;
	if (!plan->resources->n_planes)
		return true;
	for (unsigned i = 0; i < plan->resources->n_planes; i++)
		if (plane_fits(plan, i, KMS_PRIMARY, crtc))
			return true;
	return false;
}

static bool plan_crtcs(struct plan *plan, const uint32_t *connectors, unsigned n, unsigned *crtcs)
{
	const struct kms_resources *resources = plan->resources;

	matching_init(&plan->m, n, resources->n_crtcs);
	for (unsigned i = 0; i < n; i++) {
		const struct kms_connector *connector =
			kms_connector_find(resources, connectors[i]);

		if (!connector || is_taken(plan->taken, plan->n_taken, connector->id))
			return false;
		for (unsigned j = 0; j < i; j++)
			if (connectors[j] == connectors[i])
				return false;
		for (unsigned c = 0; c < resources->n_crtcs; c++) {
			plan->m.edge[i][c] =
				connector->possible_crtcs >> c & 1 && crtc_usable(plan, c);
			if (plan->m.edge[i][c] && resources->crtcs[c].id == connector->crtc &&
				plan->m.owner[c] == NOBODY)
				plan->m.owner[c] = (int)i;
		}
	}
	if (!matching_solve(&plan->m))
		return false;
	for (unsigned i = 0; i < n; i++)
		crtcs[i] = (unsigned)matching_of(&plan->m, i);
	return true;
}

/* planes[i]: the id, or 0. */
static bool plan_planes(struct plan *plan, enum kms_plane_type type, const unsigned *crtcs,
	unsigned n, uint32_t *planes)
{
	const struct kms_resources *resources = plan->resources;
	bool all;

	matching_init(&plan->m, n, resources->n_planes);
	for (unsigned i = 0; i < n; i++)
		for (unsigned p = 0; p < resources->n_planes; p++) {
			plan->m.edge[i][p] = plane_fits(plan, p, type, crtcs[i]);
			if (plan->m.edge[i][p] && plan->m.owner[p] == NOBODY &&
				matching_of(&plan->m, i) == NOBODY &&
				resources->planes[p].crtc == resources->crtcs[crtcs[i]].id)
				plan->m.owner[p] = (int)i;
		}
	all = matching_solve(&plan->m);
	for (unsigned i = 0; i < n; i++) {
		int plane = matching_of(&plan->m, i);

		planes[i] = plane == NOBODY ? 0 : resources->planes[plane].id;
	}
	return all;
}

bool kms_plan(const struct kms_resources *resources, const struct kms_pipe *taken, unsigned n_taken,
	const uint32_t *connectors, unsigned n, struct kms_pipe *pipes)
{
	struct plan plan = {.resources = resources, .taken = taken, .n_taken = n_taken};
	uint32_t primaries[KMS_MAX_CONNECTORS] = {0}, cursors[KMS_MAX_CONNECTORS] = {0};
	unsigned crtcs[KMS_MAX_CONNECTORS] = {0};

	if (n > KMS_MAX_CONNECTORS || resources->n_crtcs > KMS_MAX_CRTCS ||
		resources->n_planes > KMS_MAX_PLANES)
		return false;
	if (!plan_crtcs(&plan, connectors, n, crtcs))
		return false;
	if (!plan_planes(&plan, KMS_PRIMARY, crtcs, n, primaries) && resources->n_planes)
		return false;
	plan_planes(&plan, KMS_CURSOR, crtcs, n, cursors);
	for (unsigned i = 0; i < n; i++)
		pipes[i] = (struct kms_pipe){
			.connector = connectors[i],
			.crtc = resources->crtcs[crtcs[i]].id,
			.primary = primaries[i],
			.cursor = cursors[i],
		};
	return true;
}
