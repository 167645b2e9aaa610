/*
 * Properties of DRM objects by name. Ids are asked for once an object; they do not change.
 */
#include "display/kms_drm_priv.h"

#include <string.h>
#include <xf86drmMode.h>

struct drm_object {
	uint32_t ids[DRM_PROPERTIES];
};

static const struct {
	uint32_t type;
	const char *name;
} properties[DRM_PROPERTIES] = {
	[CONNECTOR_CRTC] = {DRM_MODE_OBJECT_CONNECTOR, "CRTC_ID"},
	[CONNECTOR_EDID] = {DRM_MODE_OBJECT_CONNECTOR, "EDID"},
	[CONNECTOR_LINK_STATUS] = {DRM_MODE_OBJECT_CONNECTOR, "link-status"},
	[CONNECTOR_NON_DESKTOP] = {DRM_MODE_OBJECT_CONNECTOR, "non-desktop"},
	[CRTC_ACTIVE] = {DRM_MODE_OBJECT_CRTC, "ACTIVE"},
	[CRTC_MODE] = {DRM_MODE_OBJECT_CRTC, "MODE_ID"},
	[CRTC_GAMMA] = {DRM_MODE_OBJECT_CRTC, "GAMMA_LUT"},
	[CRTC_DEGAMMA] = {DRM_MODE_OBJECT_CRTC, "DEGAMMA_LUT"},
	[CRTC_CTM] = {DRM_MODE_OBJECT_CRTC, "CTM"},
	[PLANE_TYPE] = {DRM_MODE_OBJECT_PLANE, "type"},
	[PLANE_FB] = {DRM_MODE_OBJECT_PLANE, "FB_ID"},
	[PLANE_CRTC] = {DRM_MODE_OBJECT_PLANE, "CRTC_ID"},
	[PLANE_SRC_X] = {DRM_MODE_OBJECT_PLANE, "SRC_X"},
	[PLANE_SRC_Y] = {DRM_MODE_OBJECT_PLANE, "SRC_Y"},
	[PLANE_SRC_W] = {DRM_MODE_OBJECT_PLANE, "SRC_W"},
	[PLANE_SRC_H] = {DRM_MODE_OBJECT_PLANE, "SRC_H"},
	[PLANE_CRTC_X] = {DRM_MODE_OBJECT_PLANE, "CRTC_X"},
	[PLANE_CRTC_Y] = {DRM_MODE_OBJECT_PLANE, "CRTC_Y"},
	[PLANE_CRTC_W] = {DRM_MODE_OBJECT_PLANE, "CRTC_W"},
	[PLANE_CRTC_H] = {DRM_MODE_OBJECT_PLANE, "CRTC_H"},
	[PLANE_CLIPS] = {DRM_MODE_OBJECT_PLANE, "FB_DAMAGE_CLIPS"},
	[PLANE_ROTATION] = {DRM_MODE_OBJECT_PLANE, "rotation"},
};

GHashTable *drm_objects_new(void)
{
	return g_hash_table_new_full(NULL, NULL, NULL, g_free);
}

static void object_name(struct drm_object *object, uint32_t type, const char *name, uint32_t id)
{
	for (unsigned i = 0; i < DRM_PROPERTIES; i++)
		if (properties[i].type == type && !strcmp(properties[i].name, name))
			object->ids[i] = id;
}

static const struct drm_object *object_get(struct drm_card *drm, uint32_t id, uint32_t type)
{
	struct drm_object *object = g_hash_table_lookup(drm->objects, GUINT_TO_POINTER(id));
	drmModeObjectProperties *has;

	if (object)
		return object;
	has = drmModeObjectGetProperties(drm->fd, id, type);
	if (!has)
		return NULL;
	object = g_new0(struct drm_object, 1);
	for (uint32_t i = 0; i < has->count_props; i++) {
		drmModePropertyRes *property = drmModeGetProperty(drm->fd, has->props[i]);

		if (property)
			object_name(object, type, property->name, property->prop_id);
		drmModeFreeProperty(property);
	}
	drmModeFreeObjectProperties(has);
	g_hash_table_insert(drm->objects, GUINT_TO_POINTER(id), object);
	return object;
}

uint32_t drm_property(struct drm_card *drm, uint32_t object, enum drm_property property)
{
	const struct drm_object *o = object_get(drm, object, properties[property].type);

	return o ? o->ids[property] : 0;
}

bool drm_value(struct drm_card *drm, uint32_t object, enum drm_property property, uint64_t *value)
{
	uint32_t id = drm_property(drm, object, property);
	drmModeObjectProperties *has;
	bool found = false;

	if (!id)
		return false;
	has = drmModeObjectGetProperties(drm->fd, object, properties[property].type);
	for (uint32_t i = 0; has && i < has->count_props && !found; i++)
		if (has->props[i] == id) {
			*value = has->prop_values[i];
			found = true;
		}
	drmModeFreeObjectProperties(has);
	return found;
}
