/*
 * Which monitors a screen has, in which mode, and the commit that lights them.
 */
#include "display/screen_priv.h"

#include <errno.h>
#include <string.h>

#include "display/edid_read.h"
#include "display/kms_plan.h"

enum {
	TRIES = 6, /* smaller modes, where the card cannot do what monitors like */
};

static bool mode_is_plain(const struct drm_mode_modeinfo *mode)
{
	return mode->hdisplay && mode->vdisplay && mode->hdisplay <= KMS_MAX_SIDE &&
	       mode->vdisplay <= KMS_MAX_SIDE &&
	       !(mode->flags & (DRM_MODE_FLAG_INTERLACE | DRM_MODE_FLAG_DBLSCAN));
}

static const struct drm_mode_modeinfo *mode_of_size(
	const struct kms_connector *connector, uint32_t width, uint32_t height)
{
	for (unsigned i = 0; i < connector->n_modes; i++) {
		const struct drm_mode_modeinfo *mode = &connector->modes[i];

		if (mode_is_plain(mode) && mode->hdisplay == width && mode->vdisplay == height)
			return mode;
	}
	return NULL;
}

/* What was wished, else what the monitor likes, else the first. NULL: none is of use. */
static const struct drm_mode_modeinfo *mode_choose(
	const struct screen *screen, const struct kms_connector *connector, const struct edid *edid)
{
	const struct drm_mode_modeinfo *mode = NULL;

	if (screen->wish_width && screen->wish_height)
		mode = mode_of_size(connector, screen->wish_width, screen->wish_height);
	for (unsigned i = 0; i < connector->n_modes && !mode; i++)
		if (mode_is_plain(&connector->modes[i]) &&
			connector->modes[i].type & DRM_MODE_TYPE_PREFERRED)
			mode = &connector->modes[i];
	if (!mode && edid->width)
		mode = mode_of_size(connector, edid->width, edid->height);
	for (unsigned i = 0; i < connector->n_modes && !mode; i++)
		if (mode_is_plain(&connector->modes[i]))
			mode = &connector->modes[i];
	return mode;
}

/* The largest with fewer pixels; false: there is none. */
static bool mode_smaller(const struct kms_connector *connector, struct drm_mode_modeinfo *mode)
{
	uint32_t pixels = (uint32_t)mode->hdisplay * mode->vdisplay, best = 0;
	const struct drm_mode_modeinfo *found = NULL;

	for (unsigned i = 0; i < connector->n_modes; i++) {
		const struct drm_mode_modeinfo *m = &connector->modes[i];
		uint32_t area = (uint32_t)m->hdisplay * m->vdisplay;

		if (mode_is_plain(m) && area < pixels && area > best) {
			best = area;
			found = m;
		}
	}
	if (found)
		*mode = *found;
	return found != NULL;
}

static void output_set_mode(struct output *output, const struct drm_mode_modeinfo *mode)
{
	output->mode = *mode;
	output->info.width = mode->hdisplay;
	output->info.height = mode->vdisplay;
	output->info.period_ns = kms_mode_period(mode);
}

static bool output_find(
	struct output *output, const struct screen *screen, const struct kms_connector *connector)
{
	const struct drm_mode_modeinfo *mode;
	struct edid edid;

	if (!connector || !connector->connected || connector->non_desktop)
		return false;
	edid_read(connector->edid, connector->edid_len, &edid);
	mode = mode_choose(screen, connector, &edid);
	if (!mode)
		return false;
	memset(output, 0, sizeof(*output));
	output_set_mode(output, mode);
	output->pipe.connector = connector->id;
	memcpy(output->info.connector, connector->name, sizeof(output->info.connector));
	memcpy(output->info.make, edid.make, sizeof(edid.make));
	memcpy(output->info.model, edid.model, sizeof(edid.model));
	memcpy(output->info.serial, edid.serial, sizeof(edid.serial));
	output->info.width_mm = connector->width_mm ? connector->width_mm : edid.width_mm;
	output->info.height_mm = connector->height_mm ? connector->height_mm : edid.height_mm;
	return true;
}

/* In the order in which they are wished, else in the card's. */
static unsigned find_outputs(
	const struct screen *screen, const struct kms_resources *resources, struct output *outputs)
{
	unsigned n = 0;

	for (unsigned i = 0; screen->wish && screen->wish[i] && n < SCREEN_MAX_MONITORS; i++)
		n += output_find(
			&outputs[n], screen, kms_connector_named(resources, screen->wish[i]));
	for (unsigned i = 0;
		!screen->wish && i < resources->n_connectors && n < SCREEN_MAX_MONITORS; i++)
		n += output_find(&outputs[n], screen, &resources->connectors[i]);
	return n;
}

/* How many of them the card can drive at once, from the first on. */
static unsigned find_pipes(
	const struct kms_resources *resources, struct output *outputs, unsigned n)
{
	uint32_t ids[SCREEN_MAX_MONITORS];
	struct kms_pipe pipes[SCREEN_MAX_MONITORS];

	for (unsigned i = 0; i < n; i++)
		ids[i] = outputs[i].pipe.connector;
	while (n && !kms_plan(resources, NULL, 0, ids, n, pipes))
		n--;
	for (unsigned i = 0; i < n; i++)
		outputs[i].pipe = pipes[i];
	return n;
}

static bool is_same(const struct lit_card *a, const struct lit_card *b)
{
	bool same = a->n == b->n;

	for (unsigned i = 0; i < a->n && same; i++) {
		const struct output *one = &a->outputs[i], *other = &b->outputs[i];

		same = !memcmp(&one->pipe, &other->pipe, sizeof(one->pipe)) &&
		       !memcmp(&one->mode, &other->mode, sizeof(one->mode)) &&
		       !memcmp(&one->info, &other->info, sizeof(one->info));
	}
	return same;
}

static bool any_link_bad(const struct kms_resources *resources, const struct lit_card *lit)
{
	for (unsigned i = 0; i < lit->n; i++) {
		const struct kms_connector *connector =
			kms_connector_find(resources, lit->outputs[i].pipe.connector);

		if (connector && connector->link_bad)
			return true;
	}
	return false;
}

static void outputs_fini(struct lit_card *lit, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		output_fini(&lit->outputs[i], lit->card);
}

void lit_card_clear(struct lit_card *lit)
{
	if (!lit->card)
		return;
	outputs_fini(lit, lit->n);
	lit->card->ops->close(lit->card);
	memset(lit, 0, sizeof(*lit));
}

static void ignore_flip(void *data, const struct kms_flip *flip)
{
}

int card_set_modes(struct kms_card *card, const struct kms_update *updates, unsigned n)
{
	int error = card->ops->commit(card, updates, n, KMS_MODESET);

	if (!error)
		card->ops->dispatch(card, ignore_flip, NULL);
	return error;
}

/* Buffers, their first picture, and the modes. Where it fails, the buffers are gone. */
static int try_light(struct screen *screen, struct lit_card *fresh)
{
	struct kms_update updates[SCREEN_MAX_MONITORS] = {0};
	unsigned n = 0;
	int error = 0;

	while (n < fresh->n && !error) {
		error = output_init(&fresh->outputs[n], screen, fresh->card);
		n += !error;
	}
	for (unsigned i = 0; i < n && !error; i++) {
		output_arrange(&fresh->outputs[i], screen);
		error = output_light(&fresh->outputs[i], screen, &updates[i]);
	}
	if (!error)
		error = card_set_modes(fresh->card, updates, n);
	for (unsigned i = 0; i < n && !error; i++)
		output_lit(&fresh->outputs[i]);
	if (error)
		outputs_fini(fresh, n);
	return error;
}

/* Only what output_find and find_pipes told. */
static void output_forget(struct output *output)
{
	*output = (struct output){.info = output->info, .mode = output->mode, .pipe = output->pipe};
}

static bool all_smaller(const struct kms_resources *resources, struct lit_card *fresh)
{
	bool any = false;

	for (unsigned i = 0; i < fresh->n; i++) {
		struct drm_mode_modeinfo mode = fresh->outputs[i].mode;

		output_forget(&fresh->outputs[i]);
		if (!mode_smaller(
			    kms_connector_find(resources, fresh->outputs[i].pipe.connector), &mode))
			continue;
		output_set_mode(&fresh->outputs[i], &mode);
		any = true;
	}
	return any;
}

/* `fresh` takes the place of what is lit, and is shown there: the scene is arranged by it. */
static int light_fresh(struct screen *screen, struct lit_card *lit, struct lit_card *fresh,
	const struct kms_resources *resources)
{
	struct lit_card *before = g_memdup2(lit, sizeof(*lit));
	int error = -EINVAL;

	*lit = *fresh;
	for (unsigned i = 0; i < TRIES; i++) {
		error = try_light(screen, lit);
		if (!error || kms_error_is_loss(error) || kms_error_passes(error) ||
			!all_smaller(resources, lit))
			break;
	}
	if (error)
		*lit = *before;
	else
		outputs_fini(before, before->n);
	g_free(before);
	return error;
}

int screen_light(struct screen *screen, struct lit_card *lit, bool force, bool *changed)
{
	struct lit_card *fresh = NULL;
	struct kms_resources *resources;
	int error = 0;

	*changed = false;
	resources = lit->card->ops->probe(lit->card, true, &error);
	if (!resources)
		return error;
	if (!resources->n_connectors) /* a lease that is no more */
		error = -ENOENT;
	if (!error) {
		fresh = g_new0(struct lit_card, 1);
		fresh->card = lit->card;
		fresh->n = find_outputs(screen, resources, fresh->outputs);
		fresh->n = find_pipes(resources, fresh->outputs, fresh->n);
		*changed = !is_same(fresh, lit);
		if (*changed || force || any_link_bad(resources, lit))
			error = light_fresh(screen, lit, fresh, resources);
	}
	g_free(fresh);
	kms_resources_free(resources);
	return error;
}
