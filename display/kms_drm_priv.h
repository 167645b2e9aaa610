/*
 * What the files of the libdrm card share: the card, and its objects' properties by name.
 */
#ifndef IRORI_DISPLAY_KMS_DRM_PRIV_H
#define IRORI_DISPLAY_KMS_DRM_PRIV_H

#include <glib.h>

#include "display/kms.h"

/* Named by what has it, for names repeat themselves. */
enum drm_property {
	CONNECTOR_CRTC,
	CONNECTOR_EDID,
	CONNECTOR_LINK_STATUS,
	CONNECTOR_NON_DESKTOP,
	CRTC_ACTIVE,
	CRTC_MODE,
	CRTC_GAMMA,
	CRTC_DEGAMMA,
	CRTC_CTM,
	PLANE_TYPE,
	PLANE_FB,
	PLANE_CRTC,
	PLANE_SRC_X,
	PLANE_SRC_Y,
	PLANE_SRC_W,
	PLANE_SRC_H,
	PLANE_CRTC_X,
	PLANE_CRTC_Y,
	PLANE_CRTC_W,
	PLANE_CRTC_H,
	PLANE_CLIPS,
	PLANE_ROTATION,
	DRM_PROPERTIES
};

struct drm_card {
	struct kms_card card;
	int fd;
	bool atomic;
	GHashTable *objects; /* id -> struct drm_object */
	kms_flipped flipped; /* while in dispatch */
	void *data;
};

/* kms_drm_property.c. 0: the object has no such property. */
uint32_t drm_property(struct drm_card *drm, uint32_t object, enum drm_property property);
/* Its value now. False: it has none. */
bool drm_value(struct drm_card *drm, uint32_t object, enum drm_property property, uint64_t *value);
GHashTable *drm_objects_new(void);

/* kms_drm_probe.c */
struct kms_resources *drm_probe(struct kms_card *card, bool force, int *error);

/* kms_drm_commit.c */
int drm_commit(struct kms_card *card, const struct kms_update *updates, unsigned n, unsigned flags);
int drm_dark(struct kms_card *card, const struct kms_pipe *keep, unsigned n);

static inline struct drm_card *drm_of(struct kms_card *card)
{
	return (struct drm_card *)card; /* its first member */
}

#endif
