/*
 * A card by libdrm: its file, its memory, its events, its leases.
 */
#include "display/kms_drm.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "display/kms_drm_priv.h"

static int drm_call(struct drm_card *drm, unsigned long request, void *argument)
{
	return drmIoctl(drm->fd, request, argument) ? -errno : 0;
}

static void drm_buffer_destroy(struct kms_card *card, struct kms_buffer *buffer)
{
	struct drm_card *drm = drm_of(card);
	struct drm_mode_destroy_dumb destroy = {.handle = buffer->handle};

	if (buffer->fb)
		drmModeRmFB(drm->fd, buffer->fb);
	if (buffer->pixels)
		munmap(buffer->pixels, buffer->size);
	if (buffer->handle)
		drm_call(drm, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy);
	memset(buffer, 0, sizeof(*buffer));
}

static int drm_buffer_map(struct drm_card *drm, struct kms_buffer *buffer)
{
	struct drm_mode_map_dumb map = {.handle = buffer->handle};
	int error = drm_call(drm, DRM_IOCTL_MODE_MAP_DUMB, &map);
	void *at;

	if (error)
		return error;
	at = mmap(
		NULL, buffer->size, PROT_READ | PROT_WRITE, MAP_SHARED, drm->fd, (off_t)map.offset);
	if (at == MAP_FAILED)
		return -errno;
	buffer->pixels = at;
	return 0;
}

static int drm_buffer_create(struct kms_card *card, uint32_t width, uint32_t height,
	uint32_t format, struct kms_buffer *buffer)
{
	struct drm_card *drm = drm_of(card);
	struct drm_mode_create_dumb create = {.width = width, .height = height, .bpp = 32};
	uint32_t handles[4] = {0}, strides[4] = {0}, offsets[4] = {0};
	int error;

	memset(buffer, 0, sizeof(*buffer));
	if (!width || !height || width > KMS_MAX_SIDE || height > KMS_MAX_SIDE)
		return -EINVAL;
	error = drm_call(drm, DRM_IOCTL_MODE_CREATE_DUMB, &create);
	if (error)
		return error;
	*buffer = (struct kms_buffer){
		.handle = create.handle,
		.width = width,
		.height = height,
		.stride = create.pitch,
		.size = create.size,
	};
	handles[0] = create.handle;
	strides[0] = create.pitch;
	error = drm_buffer_map(drm, buffer);
	if (!error && drmModeAddFB2(drm->fd, width, height, format, handles, strides, offsets,
			      &buffer->fb, 0))
		error = -errno;
	if (error)
		drm_buffer_destroy(card, buffer);
	return error;
}

static int drm_cursor_move(struct kms_card *card, const struct kms_pipe *pipe, int32_t x, int32_t y)
{
	struct drm_mode_cursor move = {
		.flags = DRM_MODE_CURSOR_MOVE,
		.crtc_id = pipe->crtc,
		.x = x,
		.y = y,
	};

	return drm_call(drm_of(card), DRM_IOCTL_MODE_CURSOR, &move);
}

static int drm_fd(struct kms_card *card)
{
	return drm_of(card)->fd;
}

static void drm_flipped(
	int fd, unsigned sequence, unsigned s, unsigned us, unsigned crtc, void *data)
{
	struct drm_card *drm = data;
	struct kms_flip flip = {
		.crtc = crtc,
		.sequence = sequence,
		.time_ns = s * 1000000000ll + us * 1000ll,
	};

	if (drm->flipped)
		drm->flipped(drm->data, &flip);
}

/* A call reads up to 1024 bytes, some 30 flips; more than two on a CRTC there are not. */
static int drm_dispatch(struct kms_card *card, kms_flipped flipped, void *data)
{
	static drmEventContext context = {.version = 3, .page_flip_handler2 = drm_flipped};
	struct drm_card *drm = drm_of(card);
	struct pollfd poll_fd = {.fd = drm->fd, .events = POLLIN};
	int error = 0;

	drm->flipped = flipped;
	drm->data = data;
	for (unsigned i = 0; i < 4 && poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLIN; i++)
		if (drmHandleEvent(drm->fd, &context))
			break;
	if (poll_fd.revents & (POLLERR | POLLHUP | POLLNVAL))
		error = -ENODEV;
	drm->flipped = NULL;
	return error;
}

static int drm_lease(
	struct kms_card *card, const uint32_t *objects, unsigned n, int *fd, uint32_t *lessee)
{
	int lease = drmModeCreateLease(
		drm_of(card)->fd, objects, (int)n, O_CLOEXEC | O_NONBLOCK, lessee);

	if (lease < 0)
		return lease;
	*fd = lease;
	return 0;
}

static int drm_revoke(struct kms_card *card, uint32_t lessee)
{
	return drmModeRevokeLease(drm_of(card)->fd, lessee);
}

static int drm_lessees(struct kms_card *card, uint32_t *lessees, unsigned max)
{
	drmModeLesseeListRes *list = drmModeListLessees(drm_of(card)->fd);
	unsigned n;

	if (!list)
		return errno ? -errno : -EIO;
	n = MIN(list->count, max);
	if (n)
		memcpy(lessees, list->lessees, n * sizeof(*lessees));
	drmFree(list);
	return (int)n;
}

static void drm_close(struct kms_card *card)
{
	struct drm_card *drm = drm_of(card);

	g_hash_table_unref(drm->objects);
	close(drm->fd);
	g_free(drm);
}

static const struct kms_ops drm_ops = {
	.probe = drm_probe,
	.buffer_create = drm_buffer_create,
	.buffer_destroy = drm_buffer_destroy,
	.commit = drm_commit,
	.dark = drm_dark,
	.cursor_move = drm_cursor_move,
	.fd = drm_fd,
	.dispatch = drm_dispatch,
	.lease = drm_lease,
	.revoke = drm_revoke,
	.lessees = drm_lessees,
	.close = drm_close,
};

/* Drivers that emulate no vblank at all (virtual cards) complete a flip as soon as it is made. */
static bool drm_has_vblank(struct drm_card *drm)
{
	drmModeRes *resources = drmModeGetResources(drm->fd);
	bool has = true;
	uint64_t sequence, ns;

	if (resources && resources->count_crtcs > 0 &&
		drmCrtcGetSequence(drm->fd, resources->crtcs[0], &sequence, &ns) &&
		errno == EOPNOTSUPP)
		has = false;
	drmModeFreeResources(resources);
	return has;
}

static uint32_t drm_side(struct drm_card *drm, uint64_t capability)
{
	uint64_t side = 0;

	if (drmGetCap(drm->fd, capability, &side) || !side || side > 1024)
		return 64;
	return (uint32_t)side;
}

struct kms_card *kms_drm_new(int fd, GError **error)
{
	struct drm_card *drm = g_new0(struct drm_card, 1);
	uint64_t dumb = 0;

	drm->card.ops = &drm_ops;
	drm->fd = fd;
	drm->objects = drm_objects_new();
	if (drmGetCap(fd, DRM_CAP_DUMB_BUFFER, &dumb) || !dumb) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			"not a graphics card that shows pictures from memory");
		drm_close(&drm->card);
		return NULL;
	}
	/* Reading events must not wait. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	drm->atomic = !drmSetClientCap(fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1) &&
		      !drmSetClientCap(fd, DRM_CLIENT_CAP_ATOMIC, 1);
	if (!drm->atomic)
		drmSetClientCap(fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 0);
	drm->card.caps = (struct kms_caps){
		.vblank = drm_has_vblank(drm),
		.cursor_width = drm_side(drm, DRM_CAP_CURSOR_WIDTH),
		.cursor_height = drm_side(drm, DRM_CAP_CURSOR_HEIGHT),
	};
	return &drm->card;
}

struct kms_card *kms_drm_open(const char *path, GError **error)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(errno), "%s: %s", path,
			g_strerror(errno));
		return NULL;
	}
	if (!drmIsMaster(fd) && drmSetMaster(fd)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
			"%s: another program shows pictures on it", path);
		close(fd);
		return NULL;
	}
	return kms_drm_new(fd, error);
}
