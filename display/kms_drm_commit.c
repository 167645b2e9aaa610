/*
 * kms_update to the kernel: one atomic request, or the calls of before there were such.
 */
#include "display/kms_drm_priv.h"

#include <errno.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

/* One request that is being filled. */
struct request {
	struct drm_card *drm;
	drmModeAtomicReq *atomic;
	uint32_t blobs[2 * KMS_MAX_CRTCS];
	unsigned n_blobs;
	int error;
};

/* A property that the object does not have is left out: those that matter are there in every
 * driver. */
static void request_set(
	struct request *r, uint32_t object, enum drm_property property, uint64_t value)
{
	uint32_t id = drm_property(r->drm, object, property);

	if (id && drmModeAtomicAddProperty(r->atomic, object, id, value) < 0)
		r->error = -ENOMEM;
}

/* 0 where that fails, which is an error only to some. */
static uint32_t request_blob(struct request *r, const void *data, size_t size)
{
	uint32_t blob = 0;

	if (r->n_blobs == G_N_ELEMENTS(r->blobs) ||
		drmModeCreatePropertyBlob(r->drm->fd, data, size, &blob))
		return 0;
	r->blobs[r->n_blobs++] = blob;
	return blob;
}

static void request_plane(struct request *r, uint32_t plane, uint32_t crtc, uint32_t fb, int32_t x,
	int32_t y, uint32_t width, uint32_t height)
{
	request_set(r, plane, PLANE_FB, fb);
	request_set(r, plane, PLANE_CRTC, fb ? crtc : 0);
	if (!fb)
		return;
	request_set(r, plane, PLANE_SRC_X, 0);
	request_set(r, plane, PLANE_SRC_Y, 0);
	request_set(r, plane, PLANE_SRC_W, (uint64_t)width << 16);
	request_set(r, plane, PLANE_SRC_H, (uint64_t)height << 16);
	request_set(r, plane, PLANE_CRTC_X, (uint64_t)(int64_t)x);
	request_set(r, plane, PLANE_CRTC_Y, (uint64_t)(int64_t)y);
	request_set(r, plane, PLANE_CRTC_W, width);
	request_set(r, plane, PLANE_CRTC_H, height);
}

static void request_mode(struct request *r, const struct kms_update *u)
{
	uint32_t blob = request_blob(r, u->mode, sizeof(*u->mode));

	if (!blob)
		r->error = -ENOMEM;
	request_set(r, u->pipe.connector, CONNECTOR_CRTC, u->pipe.crtc);
	request_set(r, u->pipe.connector, CONNECTOR_LINK_STATUS, DRM_MODE_LINK_STATUS_GOOD);
	request_set(r, u->pipe.crtc, CRTC_MODE, blob);
	request_set(r, u->pipe.crtc, CRTC_ACTIVE, 1);
	/* What the master before us may have left. */
	request_set(r, u->pipe.crtc, CRTC_GAMMA, 0);
	request_set(r, u->pipe.crtc, CRTC_DEGAMMA, 0);
	request_set(r, u->pipe.crtc, CRTC_CTM, 0);
	request_set(r, u->pipe.primary, PLANE_ROTATION, DRM_MODE_ROTATE_0);
	request_plane(r, u->pipe.primary, u->pipe.crtc, u->fb, 0, 0, u->mode->hdisplay,
		u->mode->vdisplay);
}

static void request_update(struct request *r, const struct kms_update *u, bool modeset)
{
	const struct kms_caps *caps = &r->drm->card.caps;

	if (modeset)
		request_mode(r, u);
	else
		request_set(r, u->pipe.primary, PLANE_FB, u->fb);
	/* No blob, no clips: all is new. Harmless. */
	request_set(r, u->pipe.primary, PLANE_CLIPS,
		u->n_clips ? request_blob(r, u->clips, u->n_clips * sizeof(u->clips[0])) : 0);
	if (u->pipe.cursor && (u->set_cursor || modeset))
		request_plane(r, u->pipe.cursor, u->pipe.crtc, u->set_cursor ? u->cursor_fb : 0,
			u->cursor_x, u->cursor_y, caps->cursor_width, caps->cursor_height);
}

static bool is_named(const struct kms_pipe *pipes, unsigned n, uint32_t object)
{
	for (unsigned i = 0; i < n; i++)
		if (pipes[i].connector == object || pipes[i].crtc == object ||
			pipes[i].primary == object || pipes[i].cursor == object)
			return true;
	return false;
}

/* All else is switched off: a console, or what was there before, would stay visible. */
static void request_rest_off(struct request *r, const struct kms_resources *all,
	const struct kms_pipe *pipes, unsigned n)
{
	for (unsigned i = 0; i < all->n_connectors; i++)
		if (!is_named(pipes, n, all->connectors[i].id))
			request_set(r, all->connectors[i].id, CONNECTOR_CRTC, 0);
	for (unsigned i = 0; i < all->n_crtcs; i++)
		if (!is_named(pipes, n, all->crtcs[i].id)) {
			request_set(r, all->crtcs[i].id, CRTC_ACTIVE, 0);
			request_set(r, all->crtcs[i].id, CRTC_MODE, 0);
		}
	for (unsigned i = 0; i < all->n_planes; i++)
		if (!is_named(pipes, n, all->planes[i].id))
			request_plane(r, all->planes[i].id, 0, 0, 0, 0, 0, 0);
}

/* What a commit is about. With modes, `all` is there to be switched off but for `pipes`. */
struct job {
	const struct kms_update *updates;
	unsigned n, flags;
	const struct kms_resources *all;
	const struct kms_pipe *pipes;
	unsigned n_pipes;
};

static int commit_atomic(struct drm_card *drm, const struct job *job)
{
	struct request r = {.drm = drm, .atomic = drmModeAtomicAlloc()};
	uint32_t how = 0;
	int error;

	if (!r.atomic)
		return -ENOMEM;
	for (unsigned i = 0; i < job->n; i++)
		request_update(&r, &job->updates[i], job->flags & KMS_MODESET);
	if (job->all)
		request_rest_off(&r, job->all, job->pipes, job->n_pipes);
	if (job->flags & KMS_MODESET)
		how |= DRM_MODE_ATOMIC_ALLOW_MODESET;
	if (job->flags & KMS_TEST)
		how |= DRM_MODE_ATOMIC_TEST_ONLY;
	if (!how)
		how = DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT;
	error = r.error;
	if (!error)
		error = drmModeAtomicCommit(drm->fd, r.atomic, how, drm);
	/* The kernel holds on to those that it uses. */
	for (unsigned i = 0; i < r.n_blobs; i++)
		drmModeDestroyPropertyBlob(drm->fd, r.blobs[i]);
	drmModeAtomicFree(r.atomic);
	return error;
}

static int legacy_one(struct drm_card *drm, const struct kms_update *u, bool modeset)
{
	uint32_t connector = u->pipe.connector;

	/* Without damage: drivers without atomic modes scan out what is in memory. */
	if (!modeset)
		return drmModePageFlip(drm->fd, u->pipe.crtc, u->fb, DRM_MODE_PAGE_FLIP_EVENT, drm);
	drmModeSetCursor(drm->fd, u->pipe.crtc, 0, 0, 0);
	return drmModeSetCrtc(
		drm->fd, u->pipe.crtc, u->fb, 0, 0, &connector, 1, (drmModeModeInfo *)u->mode);
}

static int commit_legacy(struct drm_card *drm, const struct job *job)
{
	int error = 0;

	if (job->flags & KMS_TEST)
		return 0;
	for (unsigned i = 0; job->all && i < job->all->n_crtcs; i++)
		if (!is_named(job->pipes, job->n_pipes, job->all->crtcs[i].id))
			drmModeSetCrtc(drm->fd, job->all->crtcs[i].id, 0, 0, 0, NULL, 0, NULL);
	for (unsigned i = 0; i < job->n && !error; i++)
		error = legacy_one(drm, &job->updates[i], job->flags & KMS_MODESET);
	return error;
}

/* libdrm's older calls say -1 and errno, its newer ones -errno. */
static int commit_job(struct drm_card *drm, const struct job *job)
{
	int error;

	errno = 0;
	error = drm->atomic ? commit_atomic(drm, job) : commit_legacy(drm, job);
	return error == -1 && errno ? -errno : error;
}

static int commit_modes(struct drm_card *drm, struct job *job)
{
	struct kms_resources *all;
	int error = 0;

	all = drm_probe(&drm->card, false, &error);
	if (!all)
		return error;
	if (!all->n_crtcs) /* a lease that is no more */
		error = -ENOENT;
	job->all = all;
	if (!error)
		error = commit_job(drm, job);
	kms_resources_free(all);
	return error;
}

int drm_commit(struct kms_card *card, const struct kms_update *updates, unsigned n, unsigned flags)
{
	struct job job = {.updates = updates, .n = n, .flags = flags};
	struct kms_pipe pipes[KMS_MAX_CRTCS];

	if (n > KMS_MAX_CRTCS)
		return -EINVAL;
	if (!(flags & KMS_MODESET))
		return commit_job(drm_of(card), &job);
	for (unsigned i = 0; i < n; i++)
		pipes[i] = updates[i].pipe;
	job.pipes = pipes;
	job.n_pipes = n;
	return commit_modes(drm_of(card), &job);
}

int drm_dark(struct kms_card *card, const struct kms_pipe *keep, unsigned n)
{
	struct job job = {.flags = KMS_MODESET, .pipes = keep, .n_pipes = n};

	return commit_modes(drm_of(card), &job);
}
