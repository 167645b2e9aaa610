/*
 * What a card has, copied out of libdrm's structures and bounded.
 */
#include "display/kms_drm_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

G_STATIC_ASSERT(sizeof(drmModeModeInfo) == sizeof(struct drm_mode_modeinfo));

static void probe_modes(struct kms_connector *to, const drmModeConnector *from)
{
	to->n_modes = (unsigned)CLAMP(from->count_modes, 0, KMS_MAX_MODES);
	to->modes = g_new0(struct drm_mode_modeinfo, to->n_modes);
	if (to->n_modes)
		memcpy(to->modes, from->modes, to->n_modes * sizeof(*to->modes));
	for (unsigned i = 0; i < to->n_modes; i++)
		to->modes[i].name[sizeof(to->modes[i].name) - 1] = 0;
}

static void probe_edid(struct drm_card *drm, struct kms_connector *to)
{
	drmModePropertyBlobRes *blob;
	uint64_t id;

	if (!drm_value(drm, to->id, CONNECTOR_EDID, &id) || !id)
		return;
	blob = drmModeGetPropertyBlob(drm->fd, (uint32_t)id);
	if (blob && blob->length && blob->data) {
		to->edid_len = MIN(blob->length, KMS_MAX_EDID);
		to->edid = g_memdup2(blob->data, to->edid_len);
	}
	drmModeFreePropertyBlob(blob);
}

static void probe_encoders(
	struct drm_card *drm, struct kms_connector *to, const drmModeConnector *from)
{
	drmModeEncoder *encoder = NULL;

	to->possible_crtcs = drmModeConnectorGetPossibleCrtcs(drm->fd, from);
	if (from->encoder_id)
		encoder = drmModeGetEncoder(drm->fd, from->encoder_id);
	to->crtc = encoder ? encoder->crtc_id : 0;
	drmModeFreeEncoder(encoder);
}

/* False: it has gone in the meantime. */
static bool probe_connector(struct drm_card *drm, uint32_t id, bool force, struct kms_connector *to)
{
	drmModeConnector *from =
		force ? drmModeGetConnector(drm->fd, id) : drmModeGetConnectorCurrent(drm->fd, id);
	const char *type;
	uint64_t value;

	if (!from)
		return false;
	type = drmModeGetConnectorTypeName(from->connector_type);
	to->id = id;
	snprintf(to->name, sizeof(to->name), "%s-%u", type ? type : "Unknown",
		from->connector_type_id);
	to->connected = from->connection == DRM_MODE_CONNECTED && from->count_modes > 0;
	to->width_mm = from->mmWidth;
	to->height_mm = from->mmHeight;
	to->non_desktop = drm_value(drm, id, CONNECTOR_NON_DESKTOP, &value) && value;
	to->link_bad = drm_value(drm, id, CONNECTOR_LINK_STATUS, &value) &&
		       value == DRM_MODE_LINK_STATUS_BAD;
	probe_encoders(drm, to, from);
	probe_modes(to, from);
	probe_edid(drm, to);
	drmModeFreeConnector(from);
	return true;
}

static void probe_crtcs(struct drm_card *drm, const drmModeRes *from, struct kms_resources *to)
{
	to->n_crtcs = (unsigned)CLAMP(from->count_crtcs, 0, KMS_MAX_CRTCS);
	to->crtcs = g_new0(struct kms_crtc, to->n_crtcs);
	for (unsigned i = 0; i < to->n_crtcs; i++) {
		drmModeCrtc *crtc = drmModeGetCrtc(drm->fd, from->crtcs[i]);

		to->crtcs[i].id = from->crtcs[i];
		to->crtcs[i].active = crtc && crtc->mode_valid;
		drmModeFreeCrtc(crtc);
	}
}

static bool probe_plane(struct drm_card *drm, uint32_t id, struct kms_plane *to)
{
	drmModePlane *from = drmModeGetPlane(drm->fd, id);
	uint64_t type = KMS_OVERLAY;

	if (!from)
		return false;
	drm_value(drm, id, PLANE_TYPE, &type);
	*to = (struct kms_plane){
		.id = id,
		.type = type == KMS_PRIMARY || type == KMS_CURSOR ? (enum kms_plane_type)type
								  : KMS_OVERLAY,
		.possible_crtcs = from->possible_crtcs,
		.crtc = from->crtc_id,
	};
	for (uint32_t i = 0; i < from->count_formats; i++) {
		to->xrgb |= from->formats[i] == DRM_FORMAT_XRGB8888;
		to->argb |= from->formats[i] == DRM_FORMAT_ARGB8888;
	}
	drmModeFreePlane(from);
	return true;
}

static void probe_planes(struct drm_card *drm, struct kms_resources *to)
{
	drmModePlaneRes *from = drm->atomic ? drmModeGetPlaneResources(drm->fd) : NULL;
	unsigned n = from ? MIN(from->count_planes, KMS_MAX_PLANES) : 0;

	to->planes = g_new0(struct kms_plane, n);
	for (unsigned i = 0; i < n; i++)
		if (probe_plane(drm, from->planes[i], &to->planes[to->n_planes]))
			to->n_planes++;
	drmModeFreePlaneResources(from);
}

struct kms_resources *drm_probe(struct kms_card *card, bool force, int *error)
{
	struct drm_card *drm = drm_of(card);
	drmModeRes *from = drmModeGetResources(drm->fd);
	struct kms_resources *to;
	unsigned n;

	if (!from) {
		*error = errno ? -errno : -ENODEV;
		return NULL;
	}
	to = g_new0(struct kms_resources, 1);
	probe_crtcs(drm, from, to);
	probe_planes(drm, to);
	n = (unsigned)CLAMP(from->count_connectors, 0, KMS_MAX_CONNECTORS);
	to->connectors = g_new0(struct kms_connector, n);
	for (unsigned i = 0; i < n; i++)
		if (probe_connector(
			    drm, from->connectors[i], force, &to->connectors[to->n_connectors]))
			to->n_connectors++;
	drmModeFreeResources(from);
	return to;
}
