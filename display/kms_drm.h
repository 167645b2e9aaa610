/*
 * A graphics card by libdrm.
 *
 * Atomic where the driver has it. Where not (radeon; nouveau unless nouveau.atomic=1), by the old
 * calls: then there are no planes (nor are they leased), the cursor is composed, and "all that no
 * update names goes off" reaches CRTCs only.
 */
#ifndef IRORI_DISPLAY_KMS_DRM_H
#define IRORI_DISPLAY_KMS_DRM_H

#include <glib.h>

#include "display/kms.h"

/* A DRM file that is master, or a lease. Taken over: closed with the card, or at once if this
 * fails. */
struct kms_card *kms_drm_new(int fd, GError **error);
/* The same for /dev/dri/cardN. Fails where somebody else is its master. */
struct kms_card *kms_drm_open(const char *path, GError **error);

#endif
