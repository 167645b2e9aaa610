/*
 * What all cards share: copies of what they have, and a mode's period.
 */
#include "display/kms.h"

#include <glib.h>
#include <string.h>

void kms_resources_free(struct kms_resources *resources)
{
	if (!resources)
		return;
	for (unsigned i = 0; i < resources->n_connectors; i++) {
		g_free(resources->connectors[i].modes);
		g_free(resources->connectors[i].edid);
	}
	g_free(resources->connectors);
	g_free(resources->crtcs);
	g_free(resources->planes);
	g_free(resources);
}

const struct kms_connector *kms_connector_find(const struct kms_resources *resources, uint32_t id)
{
	for (unsigned i = 0; i < resources->n_connectors; i++)
		if (resources->connectors[i].id == id)
			return &resources->connectors[i];
	return NULL;
}

const struct kms_connector *kms_connector_named(
	const struct kms_resources *resources, const char *name)
{
	for (unsigned i = 0; i < resources->n_connectors; i++)
		if (!strcmp(resources->connectors[i].name, name))
			return &resources->connectors[i];
	return NULL;
}

int64_t kms_mode_period(const struct drm_mode_modeinfo *mode)
{
	const int64_t usual = 1000000000 / 60;
	int64_t period;

	if (!mode->clock || !mode->htotal || !mode->vtotal)
		return usual;
	/* The clock is in kHz. */
	period = (int64_t)mode->htotal * mode->vtotal * 1000000 / mode->clock;
	if (mode->flags & DRM_MODE_FLAG_INTERLACE)
		period /= 2;
	if (mode->flags & DRM_MODE_FLAG_DBLSCAN)
		period *= 2;
	return period >= 1000000 && period <= 200000000 ? period : usual;
}
