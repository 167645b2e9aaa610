/*
 * A graphics card in memory. Each framebuffer has a second copy, which is what monitors show: a
 * commit updates it by the damage clips and nothing else, as virtio-gpu and others do. So a clip
 * that is missing is seen.
 */
#include "display/kms_fake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	MAX_EVENTS = 64,
	CURSOR_SIDE = 64,
	FIRST_CONNECTOR = 100,
	FIRST_CRTC = 200,
	FIRST_PLANE = 300,
	FIRST_FB = 1000,
};

struct fake_fb {
	uint32_t id, width, height, format;
	uint32_t *pixels; /* what the owner draws on */
	uint32_t *seen;   /* what monitors show */
	uint32_t hash;    /* of pixels, when it was last committed */
};

struct fake_plug {
	struct fake_connector is;
	uint32_t id, crtc;
};

struct fake_crtc {
	uint32_t id;
	bool active, in_flight;
	struct drm_mode_modeinfo mode;
};

struct fake_plane {
	uint32_t id, crtc, possible;
	enum kms_plane_type type;
	struct fake_fb *fb, *next; /* shown; and from the next vblank on (in flight) */
	int32_t x, y, next_x, next_y;
};

struct fake_card {
	struct kms_card card;
	int fd;
	struct fake_plug plugs[KMS_MAX_CONNECTORS];
	struct fake_crtc crtcs[KMS_MAX_CRTCS];
	struct fake_plane planes[KMS_MAX_PLANES];
	unsigned n_plugs, n_crtcs, n_planes;
	GHashTable *fbs;
	uint32_t last_fb, last_lessee, sequence;
	struct kms_flip events[MAX_EVENTS];
	unsigned n_events;
	bool revoked;
	int fail, refuse_cursor;
	unsigned fail_times;
	GArray *lessees;
	void (*closed)(void *data);
	void *closed_data;
	struct fake_card_counts counts;
};

static struct fake_card *fake_of(const struct kms_card *card)
{
	return (struct fake_card *)card;
}

static uint32_t hash_of(const struct fake_fb *fb)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < (size_t)fb->width * fb->height; i++)
		hash = (hash ^ fb->pixels[i]) * 16777619u;
	return hash;
}

/* --- what is there --- */

static struct drm_mode_modeinfo mode_of(uint32_t width, uint32_t height, uint32_t refresh)
{
	struct drm_mode_modeinfo mode = {
		.hdisplay = (uint16_t)width,
		.vdisplay = (uint16_t)height,
		.htotal = (uint16_t)(width + 100),
		.vtotal = (uint16_t)(height + 40),
		.vrefresh = refresh,
	};

	mode.clock = (uint32_t)mode.htotal * mode.vtotal * refresh / 1000;
	snprintf(mode.name, sizeof(mode.name), "%ux%u", width, height);
	return mode;
}

/* The monitor's own, and what every monitor can do. */
static void plug_modes(const struct fake_plug *plug, struct kms_connector *to)
{
	static const uint32_t usual[][2] = {{1024, 768}, {800, 600}, {640, 480}, {320, 200}};
	const struct fake_connector *is = &plug->is;

	to->modes = g_new0(struct drm_mode_modeinfo, 1 + G_N_ELEMENTS(usual));
	to->modes[0] = mode_of(is->width, is->height, is->refresh);
	to->modes[0].type = DRM_MODE_TYPE_PREFERRED;
	to->n_modes = 1;
	for (unsigned i = 0; i < G_N_ELEMENTS(usual); i++)
		if (usual[i][0] < is->width && usual[i][1] < is->height)
			to->modes[to->n_modes++] = mode_of(usual[i][0], usual[i][1], 60);
}

static struct kms_resources *fake_probe(struct kms_card *card, bool force, int *error)
{
	struct fake_card *fake = fake_of(card);
	struct kms_resources *to = g_new0(struct kms_resources, 1);

	if (fake->revoked)
		return to;
	to->n_connectors = fake->n_plugs;
	to->connectors = g_new0(struct kms_connector, fake->n_plugs);
	for (unsigned i = 0; i < fake->n_plugs; i++) {
		const struct fake_plug *plug = &fake->plugs[i];
		struct kms_connector *c = &to->connectors[i];

		c->id = plug->id;
		g_strlcpy(c->name, plug->is.name, sizeof(c->name));
		c->connected = plug->is.width > 0;
		c->width_mm = plug->is.width_mm;
		c->height_mm = plug->is.height_mm;
		c->possible_crtcs = plug->is.possible_crtcs;
		c->crtc = plug->crtc;
		if (c->connected)
			plug_modes(plug, c);
	}
	to->n_crtcs = fake->n_crtcs;
	to->crtcs = g_new0(struct kms_crtc, fake->n_crtcs);
	for (unsigned i = 0; i < fake->n_crtcs; i++)
		to->crtcs[i] = (struct kms_crtc){fake->crtcs[i].id, fake->crtcs[i].active};
	to->n_planes = fake->n_planes;
	to->planes = g_new0(struct kms_plane, fake->n_planes);
	for (unsigned i = 0; i < fake->n_planes; i++) {
		const struct fake_plane *p = &fake->planes[i];

		to->planes[i] = (struct kms_plane){p->id, p->type, p->possible, p->fb ? p->crtc : 0,
			p->type != KMS_CURSOR, p->type == KMS_CURSOR};
	}
	return to;
}

static struct fake_plug *plug_find(struct fake_card *fake, uint32_t id)
{
	for (unsigned i = 0; i < fake->n_plugs; i++)
		if (fake->plugs[i].id == id)
			return &fake->plugs[i];
	return NULL;
}

static struct fake_crtc *crtc_find(struct fake_card *fake, uint32_t id)
{
	for (unsigned i = 0; i < fake->n_crtcs; i++)
		if (fake->crtcs[i].id == id)
			return &fake->crtcs[i];
	return NULL;
}

static struct fake_plane *plane_find(struct fake_card *fake, uint32_t id)
{
	for (unsigned i = 0; i < fake->n_planes; i++)
		if (fake->planes[i].id == id)
			return &fake->planes[i];
	return NULL;
}

static struct fake_fb *fb_find(struct fake_card *fake, uint32_t id)
{
	return g_hash_table_lookup(fake->fbs, GUINT_TO_POINTER(id));
}

/* --- memory --- */

static void fb_free(gpointer data)
{
	struct fake_fb *fb = data;

	g_free(fb->pixels);
	g_free(fb->seen);
	g_free(fb);
}

static int fake_buffer_create(struct kms_card *card, uint32_t width, uint32_t height,
	uint32_t format, struct kms_buffer *buffer)
{
	struct fake_card *fake = fake_of(card);
	struct fake_fb *fb = g_new0(struct fake_fb, 1);

	fb->id = ++fake->last_fb;
	fb->width = width;
	fb->height = height;
	fb->format = format;
	fb->pixels = g_new0(uint32_t, (size_t)width * height);
	fb->seen = g_new0(uint32_t, (size_t)width * height);
	g_hash_table_insert(fake->fbs, GUINT_TO_POINTER(fb->id), fb);
	*buffer = (struct kms_buffer){
		.fb = fb->id,
		.handle = fb->id,
		.width = width,
		.height = height,
		.stride = width * 4,
		.pixels = (uint8_t *)fb->pixels,
		.size = (size_t)width * height * 4,
	};
	return 0;
}

static void fake_buffer_destroy(struct kms_card *card, struct kms_buffer *buffer)
{
	struct fake_card *fake = fake_of(card);
	struct fake_fb *fb = fb_find(fake, buffer->fb);

	memset(buffer, 0, sizeof(*buffer));
	if (!fb)
		return;
	for (unsigned i = 0; i < fake->n_planes; i++) {
		if (fake->planes[i].fb == fb)
			fake->planes[i].fb = NULL;
		if (fake->planes[i].next == fb)
			fake->planes[i].next = NULL;
	}
	g_hash_table_remove(fake->fbs, GUINT_TO_POINTER(fb->id));
}

/* --- commits --- */

/* What a monitor shows, or is about to, must not be drawn on. */
static void plane_check_still(struct fake_card *fake, const struct fake_plane *plane)
{
	if (plane->fb && plane->fb->hash != hash_of(plane->fb))
		fake->counts.faults++;
	if (plane->next && plane->next->hash != hash_of(plane->next))
		fake->counts.faults++;
}

static unsigned crtc_index(const struct fake_card *fake, const struct fake_crtc *crtc)
{
	return (unsigned)(crtc - fake->crtcs);
}

static bool mode_is_known(const struct fake_plug *plug, const struct drm_mode_modeinfo *mode)
{
	struct kms_connector has = {0};
	bool known = false;

	if (!plug->is.width)
		return false;
	plug_modes(plug, &has);
	for (unsigned i = 0; i < has.n_modes; i++)
		known |= !memcmp(&has.modes[i], mode, sizeof(*mode));
	g_free(has.modes);
	return known;
}

static int update_check_cursor(struct fake_card *fake, const struct kms_update *u, unsigned index)
{
	const struct fake_plane *plane = plane_find(fake, u->pipe.cursor);
	const struct fake_fb *fb = fb_find(fake, u->cursor_fb);

	if (!u->set_cursor || !u->cursor_fb)
		return 0;
	if (!plane || plane->type != KMS_CURSOR || !(plane->possible >> index & 1) || !fb ||
		fb->format != DRM_FORMAT_ARGB8888 || fb->width != CURSOR_SIDE ||
		fb->height != CURSOR_SIDE)
		return -EINVAL;
	return -fake->refuse_cursor;
}

static bool update_clips_fit(const struct kms_update *u, const struct fake_fb *fb)
{
	bool fit = u->n_clips <= KMS_MAX_CLIPS;

	for (unsigned i = 0; i < u->n_clips && fit; i++) {
		const struct drm_mode_rect *c = &u->clips[i];

		fit = c->x1 >= 0 && c->y1 >= 0 && c->x1 < c->x2 && c->y1 < c->y2 &&
		      c->x2 <= (int32_t)fb->width && c->y2 <= (int32_t)fb->height;
	}
	return fit;
}

static int update_check(struct fake_card *fake, const struct kms_update *u, bool modeset)
{
	struct fake_plug *plug = plug_find(fake, u->pipe.connector);
	struct fake_crtc *crtc = crtc_find(fake, u->pipe.crtc);
	struct fake_plane *primary = plane_find(fake, u->pipe.primary);
	struct fake_fb *fb = fb_find(fake, u->fb);
	const struct drm_mode_modeinfo *mode;

	if (!plug || !crtc || !primary || !fb)
		return -ENOENT;
	mode = modeset ? u->mode : &crtc->mode;
	if (!mode || primary->type != KMS_PRIMARY || fb->format != DRM_FORMAT_XRGB8888 ||
		fb->width < mode->hdisplay || fb->height < mode->vdisplay ||
		!(plug->is.possible_crtcs >> crtc_index(fake, crtc) & 1) ||
		!(primary->possible >> crtc_index(fake, crtc) & 1) || !update_clips_fit(u, fb))
		return -EINVAL;
	if (modeset && !mode_is_known(plug, mode))
		return -EINVAL;
	if (!modeset && (!crtc->active || plug->crtc != crtc->id))
		return -EINVAL;
	if (!modeset && crtc->in_flight) {
		fake->counts.busy++;
		return -EBUSY;
	}
	return update_check_cursor(fake, u, crtc_index(fake, crtc));
}

static void fb_upload(struct fake_card *fake, struct fake_fb *fb, const struct kms_update *u)
{
	struct drm_mode_rect all = {0, 0, (int32_t)fb->width, (int32_t)fb->height};

	for (unsigned i = 0; i < MAX(u->n_clips, 1); i++) {
		const struct drm_mode_rect *c = u->n_clips ? &u->clips[i] : &all;

		for (int32_t y = c->y1; y < c->y2; y++)
			memcpy(fb->seen + (size_t)y * fb->width + c->x1,
				fb->pixels + (size_t)y * fb->width + c->x1,
				(size_t)(c->x2 - c->x1) * 4);
		fake->counts.clipped += (uint64_t)(c->x2 - c->x1) * (uint64_t)(c->y2 - c->y1);
	}
	fb->hash = hash_of(fb);
}

static void cursor_upload(struct fake_fb *fb)
{
	memcpy(fb->seen, fb->pixels, (size_t)fb->width * fb->height * 4);
	fb->hash = hash_of(fb);
}

static void event_push(struct fake_card *fake, uint32_t crtc, int64_t time_ns)
{
	uint64_t one = 1;

	if (fake->n_events == MAX_EVENTS) {
		fake->counts.faults++;
		return;
	}
	fake->events[fake->n_events++] = (struct kms_flip){crtc, fake->sequence, time_ns};
	if (write(fake->fd, &one, sizeof(one)) != sizeof(one))
		fake->counts.faults++;
}

static void plane_flip(struct fake_plane *plane)
{
	plane->fb = plane->next;
	plane->x = plane->next_x;
	plane->y = plane->next_y;
}

static void crtc_flip(struct fake_card *fake, struct fake_crtc *crtc, int64_t time_ns)
{
	for (unsigned i = 0; i < fake->n_planes; i++) {
		plane_check_still(fake, &fake->planes[i]);
		if (fake->planes[i].crtc == crtc->id)
			plane_flip(&fake->planes[i]);
	}
	if (crtc->in_flight)
		event_push(fake, crtc->id, time_ns);
	crtc->in_flight = false;
}

static void all_off(struct fake_card *fake)
{
	for (unsigned i = 0; i < fake->n_crtcs; i++) {
		if (fake->crtcs[i].in_flight)
			crtc_flip(fake, &fake->crtcs[i], 0);
		fake->crtcs[i].active = false;
	}
	for (unsigned i = 0; i < fake->n_plugs; i++)
		fake->plugs[i].crtc = 0;
	for (unsigned i = 0; i < fake->n_planes; i++) {
		fake->planes[i].fb = fake->planes[i].next = NULL;
		fake->planes[i].crtc = 0;
	}
}

static void update_apply(struct fake_card *fake, const struct kms_update *u, bool modeset)
{
	struct fake_crtc *crtc = crtc_find(fake, u->pipe.crtc);
	struct fake_plane *primary = plane_find(fake, u->pipe.primary);
	struct fake_plane *cursor = plane_find(fake, u->pipe.cursor);

	if (modeset) {
		plug_find(fake, u->pipe.connector)->crtc = crtc->id;
		crtc->mode = *u->mode;
		crtc->active = true;
	}
	primary->crtc = crtc->id;
	primary->next = fb_find(fake, u->fb);
	fb_upload(fake, primary->next, u);
	if (cursor && u->set_cursor) {
		cursor->crtc = crtc->id;
		cursor->next = fb_find(fake, u->cursor_fb);
		if (cursor->next)
			cursor_upload(cursor->next);
		cursor->next_x = u->cursor_x;
		cursor->next_y = u->cursor_y;
	}
	crtc->in_flight = !modeset;
	if (modeset)
		crtc_flip(fake, crtc, 0);
	else if (!fake->card.caps.vblank)
		crtc_flip(fake, crtc, 0);
}

static int fake_failure(struct fake_card *fake)
{
	int error = fake->fail_times ? -fake->fail : 0;

	if (fake->revoked)
		return -ENOENT;
	if (fake->fail_times && fake->fail_times != UINT_MAX)
		fake->fail_times--;
	return error;
}

static int fake_commit(
	struct kms_card *card, const struct kms_update *updates, unsigned n, unsigned flags)
{
	struct fake_card *fake = fake_of(card);
	bool modeset = flags & KMS_MODESET;
	int error = flags & KMS_TEST ? 0 : fake_failure(fake);

	for (unsigned i = 0; i < fake->n_planes; i++)
		plane_check_still(fake, &fake->planes[i]);
	for (unsigned i = 0; i < n && !error; i++)
		error = update_check(fake, &updates[i], modeset);
	if (error || flags & KMS_TEST)
		return error;
	if (modeset)
		all_off(fake);
	for (unsigned i = 0; i < n; i++)
		update_apply(fake, &updates[i], modeset);
	fake->counts.commits += !modeset;
	fake->counts.modesets += modeset;
	return 0;
}

static bool is_kept(const struct kms_pipe *keep, unsigned n, uint32_t object)
{
	for (unsigned i = 0; i < n; i++)
		if (keep[i].connector == object || keep[i].crtc == object ||
			keep[i].primary == object || keep[i].cursor == object)
			return true;
	return false;
}

static int fake_dark(struct kms_card *card, const struct kms_pipe *keep, unsigned n)
{
	struct fake_card *fake = fake_of(card);

	for (unsigned i = 0; i < fake->n_crtcs; i++)
		if (!is_kept(keep, n, fake->crtcs[i].id))
			fake->crtcs[i].active = false;
	for (unsigned i = 0; i < fake->n_plugs; i++)
		if (!is_kept(keep, n, fake->plugs[i].id))
			fake->plugs[i].crtc = 0;
	for (unsigned i = 0; i < fake->n_planes; i++)
		if (!is_kept(keep, n, fake->planes[i].id))
			fake->planes[i].fb = fake->planes[i].next = NULL;
	return 0;
}

static int fake_cursor_move(
	struct kms_card *card, const struct kms_pipe *pipe, int32_t x, int32_t y)
{
	struct fake_card *fake = fake_of(card);
	struct fake_plane *plane = plane_find(fake, pipe->cursor);

	if (fake->revoked || !plane || !plane->next)
		return -ENOENT;
	plane->x = plane->next_x = x;
	plane->y = plane->next_y = y;
	fake->counts.moves++;
	return 0;
}

/* --- events, leases, the end --- */

static int fake_fd(struct kms_card *card)
{
	return fake_of(card)->fd;
}

static int fake_dispatch(struct kms_card *card, kms_flipped flipped, void *data)
{
	struct fake_card *fake = fake_of(card);
	struct kms_flip events[MAX_EVENTS];
	unsigned n = fake->n_events;
	uint64_t count;

	memcpy(events, fake->events, n * sizeof(events[0]));
	fake->n_events = 0;
	if (n && read(fake->fd, &count, sizeof(count)) != sizeof(count))
		fake->counts.faults++;
	for (unsigned i = 0; i < n; i++)
		flipped(data, &events[i]);
	return 0;
}

static bool lease_has(const uint32_t *objects, unsigned n, uint32_t first, uint32_t last)
{
	for (unsigned i = 0; i < n; i++)
		if (objects[i] >= first && objects[i] < last)
			return true;
	return false;
}

static int fake_lease(
	struct kms_card *card, const uint32_t *objects, unsigned n, int *fd, uint32_t *lessee)
{
	struct fake_card *fake = fake_of(card);

	if (fake->revoked)
		return -EACCES;
	if (!lease_has(objects, n, FIRST_CONNECTOR, FIRST_CRTC) ||
		!lease_has(objects, n, FIRST_CRTC, FIRST_PLANE) ||
		!lease_has(objects, n, FIRST_PLANE, FIRST_FB))
		return -EINVAL;
	*fd = eventfd(0, EFD_CLOEXEC);
	*lessee = ++fake->last_lessee;
	g_array_append_val(fake->lessees, *lessee);
	return *fd < 0 ? -errno : 0;
}

static int fake_revoke(struct kms_card *card, uint32_t lessee)
{
	struct fake_card *fake = fake_of(card);

	for (unsigned i = 0; i < fake->lessees->len; i++)
		if (g_array_index(fake->lessees, uint32_t, i) == lessee) {
			g_array_remove_index(fake->lessees, i);
			return 0;
		}
	return -ENOENT;
}

static int fake_lessees(struct kms_card *card, uint32_t *lessees, unsigned max)
{
	struct fake_card *fake = fake_of(card);
	unsigned n = MIN(fake->lessees->len, max);

	if (n)
		memcpy(lessees, fake->lessees->data, n * sizeof(*lessees));
	return (int)n;
}

static void fake_close(struct kms_card *card)
{
	struct fake_card *fake = fake_of(card);

	if (fake->closed)
		fake->closed(fake->closed_data);
	g_hash_table_unref(fake->fbs);
	g_array_unref(fake->lessees);
	close(fake->fd);
	g_free(fake);
}

static const struct kms_ops fake_ops = {
	.probe = fake_probe,
	.buffer_create = fake_buffer_create,
	.buffer_destroy = fake_buffer_destroy,
	.commit = fake_commit,
	.dark = fake_dark,
	.cursor_move = fake_cursor_move,
	.fd = fake_fd,
	.dispatch = fake_dispatch,
	.lease = fake_lease,
	.revoke = fake_revoke,
	.lessees = fake_lessees,
	.close = fake_close,
};

static struct fake_plane *plane_add(
	struct fake_card *fake, enum kms_plane_type type, uint32_t possible)
{
	struct fake_plane *plane = &fake->planes[fake->n_planes];

	plane->id = FIRST_PLANE + fake->n_planes++;
	plane->type = type;
	plane->possible = possible;
	return plane;
}

/* A console: a picture on every CRTC, and on the planes that nobody needs. */
static void fake_light(struct fake_card *fake)
{
	struct kms_buffer buffer;

	fake_buffer_create(&fake->card, 640, 480, DRM_FORMAT_XRGB8888, &buffer);
	for (unsigned i = 0; i < fake->n_planes; i++) {
		struct fake_plane *plane = &fake->planes[i];

		if (plane->type == KMS_CURSOR)
			continue;
		plane->fb = plane->next = fb_find(fake, buffer.fb);
		plane->fb->hash = hash_of(plane->fb);
		plane->crtc = fake->crtcs[i % fake->n_crtcs].id;
	}
	for (unsigned i = 0; i < fake->n_crtcs; i++) {
		fake->crtcs[i].active = true;
		fake->crtcs[i].mode = mode_of(640, 480, 60);
		if (i < fake->n_plugs)
			fake->plugs[i].crtc = fake->crtcs[i].id;
	}
}

struct kms_card *fake_card_new(const struct fake_card_config *config)
{
	struct fake_card *fake = g_new0(struct fake_card, 1);

	fake->card.ops = &fake_ops;
	fake->card.caps = (struct kms_caps){config->vblank, CURSOR_SIDE, CURSOR_SIDE};
	fake->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fake->fbs = g_hash_table_new_full(NULL, NULL, NULL, fb_free);
	fake->lessees = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	fake->last_fb = FIRST_FB;
	fake->n_plugs = MIN(config->n_connectors, KMS_MAX_CONNECTORS);
	fake->n_crtcs = MIN(config->n_crtcs, KMS_MAX_CRTCS);
	for (unsigned i = 0; i < fake->n_plugs; i++) {
		fake->plugs[i].is = config->connectors[i];
		fake->plugs[i].id = FIRST_CONNECTOR + i;
	}
	for (unsigned i = 0; i < fake->n_crtcs; i++)
		fake->crtcs[i].id = FIRST_CRTC + i;
	for (unsigned i = 0; i < fake->n_crtcs; i++)
		plane_add(fake, KMS_PRIMARY, 1u << i);
	for (unsigned i = 0; i < config->overlays && fake->n_planes < KMS_MAX_PLANES; i++)
		plane_add(fake, KMS_OVERLAY, UINT32_MAX);
	for (unsigned i = 0; config->cursors && i < fake->n_crtcs; i++)
		plane_add(fake, KMS_CURSOR, 1u << i);
	if (config->lit)
		fake_light(fake);
	return &fake->card;
}

/* --- the test's hand --- */

static struct fake_plug *plug_named(struct fake_card *fake, const char *name)
{
	for (unsigned i = 0; i < fake->n_plugs; i++)
		if (!strcmp(fake->plugs[i].is.name, name))
			return &fake->plugs[i];
	return NULL;
}

void fake_card_plug(struct kms_card *card, const char *connector, uint32_t width, uint32_t height,
	uint32_t refresh)
{
	struct fake_plug *plug = plug_named(fake_of(card), connector);

	if (!plug)
		return;
	plug->is.width = width;
	plug->is.height = height;
	plug->is.refresh = refresh;
}

void fake_card_vblank(struct kms_card *card, int64_t time_ns)
{
	struct fake_card *fake = fake_of(card);

	fake->sequence++;
	for (unsigned i = 0; i < fake->n_crtcs; i++)
		if (fake->crtcs[i].active)
			crtc_flip(fake, &fake->crtcs[i], time_ns);
}

void fake_card_fail(struct kms_card *card, int error, unsigned times)
{
	fake_of(card)->fail = error;
	fake_of(card)->fail_times = times;
}

void fake_card_refuse_cursor(struct kms_card *card, int error)
{
	fake_of(card)->refuse_cursor = error;
}

void fake_card_revoke(struct kms_card *card)
{
	fake_of(card)->revoked = true;
}

void fake_card_on_close(struct kms_card *card, void (*closed)(void *data), void *data)
{
	fake_of(card)->closed = closed;
	fake_of(card)->closed_data = data;
}

static uint32_t blend_channel(uint32_t below, uint32_t above, uint32_t rest, unsigned shift)
{
	uint32_t product = (below >> shift & 0xff) * rest + 0x80;
	uint32_t sum = (above >> shift & 0xff) + ((product + (product >> 8)) >> 8);

	return MIN(sum, 0xff) << shift;
}

static uint32_t blend(uint32_t below, uint32_t above)
{
	uint32_t rest = 255 - (above >> 24);

	return blend_channel(below, above, rest, 16) | blend_channel(below, above, rest, 8) |
	       blend_channel(below, above, rest, 0);
}

static void look_at_plane(
	const struct fake_plane *plane, uint32_t *to, uint32_t width, uint32_t height)
{
	for (uint32_t y = 0; y < plane->fb->height; y++)
		for (uint32_t x = 0; x < plane->fb->width; x++) {
			int64_t tx = (int64_t)plane->x + x, ty = (int64_t)plane->y + y;
			uint32_t pixel = plane->fb->seen[(size_t)y * plane->fb->width + x];

			if (tx < 0 || ty < 0 || tx >= width || ty >= height)
				continue;
			if (plane->fb->format == DRM_FORMAT_ARGB8888)
				pixel = blend(to[ty * width + tx], pixel);
			to[ty * width + tx] = pixel & 0xffffff;
		}
}

uint32_t *fake_card_look(
	struct kms_card *card, const char *connector, uint32_t *width, uint32_t *height)
{
	static const enum kms_plane_type order[] = {KMS_PRIMARY, KMS_OVERLAY, KMS_CURSOR};
	struct fake_card *fake = fake_of(card);
	struct fake_plug *plug = plug_named(fake, connector);
	struct fake_crtc *crtc = plug ? crtc_find(fake, plug->crtc) : NULL;
	uint32_t *picture;

	if (!crtc || !crtc->active || !plug->is.width)
		return NULL;
	*width = crtc->mode.hdisplay;
	*height = crtc->mode.vdisplay;
	picture = g_new0(uint32_t, (size_t)*width * *height);
	for (unsigned o = 0; o < G_N_ELEMENTS(order); o++)
		for (unsigned i = 0; i < fake->n_planes; i++)
			if (fake->planes[i].type == order[o] && fake->planes[i].fb &&
				fake->planes[i].crtc == crtc->id)
				look_at_plane(&fake->planes[i], picture, *width, *height);
	return picture;
}

bool fake_card_write_ppm(struct kms_card *card, const char *connector, const char *path)
{
	uint32_t width, height;
	uint32_t *picture = fake_card_look(card, connector, &width, &height);
	FILE *file = picture ? fopen(path, "wb") : NULL;
	bool done = false;

	if (file) {
		fprintf(file, "P6\n%u %u\n255\n", width, height);
		for (size_t i = 0; i < (size_t)width * height; i++) {
			fputc(picture[i] >> 16 & 0xff, file);
			fputc(picture[i] >> 8 & 0xff, file);
			fputc(picture[i] & 0xff, file);
		}
		done = !ferror(file);
		done &= !fclose(file);
	}
	g_free(picture);
	return done;
}

void fake_card_counts(const struct kms_card *card, struct fake_card_counts *counts)
{
	struct fake_card *fake = fake_of(card);

	*counts = fake->counts;
	counts->buffers = g_hash_table_size(fake->fbs);
	for (unsigned i = 0; i < fake->n_plugs; i++)
		counts->lit += fake->plugs[i].crtc != 0;
	for (unsigned i = 0; i < fake->n_planes; i++)
		counts->planes += fake->planes[i].fb != NULL;
}
