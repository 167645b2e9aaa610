/*
 * Which CRTC and which planes for which connector: a pure function over what a card has.
 *
 * Thread: any.
 */
#ifndef IRORI_DISPLAY_KMS_PLAN_H
#define IRORI_DISPLAY_KMS_PLAN_H

#include "display/kms.h"

/* Finds a pipe for each of the connectors, in their order, beside those that are `taken`, which
 * stay as they are. A connector keeps the CRTC that drives it now where that is possible. Cursor
 * planes where there are any. False: there is none; `pipes` is undefined then. n <=
 * KMS_MAX_CONNECTORS. */
bool kms_plan(const struct kms_resources *resources, const struct kms_pipe *taken, unsigned n_taken,
	const uint32_t *connectors, unsigned n, struct kms_pipe *pipes);

#endif
