/*
 * DRM leases on one graphics card: each connected monitor goes to a lessee of its own, which sets a mode
 * and fills its picture with one colour: red, green, blue in turn. Runs in the lab's PC, as the proof that
 * the card lends what seats need.
 *
 * usage: lease /dev/dri/cardN. One line for each lessee; "READY"; after a line from standard input the
 * first lease is revoked. Exit status 1: something was not as it should be; the line says what.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

enum { LESSEES = 3 };

static const uint32_t colours[LESSEES] = { 0xff0000, 0x00ff00, 0x0000ff };

struct lessee {
	int fd;
	uint32_t id, connector, crtc, plane, framebuffer;
	drmModeModeInfo mode;
};

static int fail(const char *what, int err)
{
	printf("FAIL %s: %s\n", what, strerror(err));
	return 1;
}

/* A buffer of one colour, in the lessee's own file. */
static int lessee_fill(struct lessee *lessee, uint32_t colour)
{
	struct drm_mode_create_dumb dumb = {
		.width = lessee->mode.hdisplay, .height = lessee->mode.vdisplay, .bpp = 32
	};
	struct drm_mode_map_dumb map = { 0 };
	uint32_t *pixels;

	if (drmIoctl(lessee->fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb))
		return -errno;
	map.handle = dumb.handle;
	if (drmIoctl(lessee->fd, DRM_IOCTL_MODE_MAP_DUMB, &map) ||
	    drmModeAddFB(lessee->fd, dumb.width, dumb.height, 24, 32, dumb.pitch, dumb.handle,
			 &lessee->framebuffer))
		return -errno;
	pixels = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, lessee->fd, (off_t)map.offset);
	if (pixels == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < dumb.size / sizeof *pixels; i++)
		pixels[i] = colour;
	munmap(pixels, dumb.size);
	return 0;
}

static int lessee_set(struct lessee *lessee, uint32_t crtc)
{
	return drmModeSetCrtc(lessee->fd, crtc, lessee->framebuffer, 0, 0, &lessee->connector, 1,
			      &lessee->mode) ? -errno : 0;
}

/* It sees one connector and one CRTC: its own. */
static bool lessee_sees_its_own(const struct lessee *lessee)
{
	drmModeRes *res = drmModeGetResources(lessee->fd);
	bool own = res && res->count_connectors == 1 && res->connectors[0] == lessee->connector &&
		   res->count_crtcs == 1 && res->crtcs[0] == lessee->crtc;

	drmModeFreeResources(res);
	return own;
}

/* The primary plane that can be shown on the CRTC with this index. 0: none. */
static uint32_t plane_find(int card, unsigned index, const struct lessee *taken, unsigned count)
{
	drmModePlaneRes *all = drmModeGetPlaneResources(card);
	uint32_t found = 0;

	for (unsigned i = 0; all && i < all->count_planes && !found; i++) {
		drmModePlane *plane = drmModeGetPlane(card, all->planes[i]);
		bool fits = plane && plane->possible_crtcs & 1u << index;

		for (unsigned j = 0; j < count; j++)
			fits = fits && taken[j].plane != all->planes[i];
		if (fits)
			found = all->planes[i];
		drmModeFreePlane(plane);
	}
	drmModeFreePlaneResources(all);
	return found;
}

static int lease_make(int card, struct lessee *lessee)
{
	uint32_t objects[] = { lessee->connector, lessee->crtc, lessee->plane };

	lessee->fd = drmModeCreateLease(card, objects, 3, O_CLOEXEC, &lessee->id);
	return lessee->fd < 0 ? lessee->fd : 0;
}

/* One lessee for each connected connector, as many as there are colours. */
static unsigned leases_make(int card, const drmModeRes *res, struct lessee *lessees)
{
	unsigned count = 0;

	for (int i = 0; i < res->count_connectors && count < LESSEES; i++) {
		drmModeConnector *connector = drmModeGetConnector(card, res->connectors[i]);
		struct lessee *lessee = &lessees[count];

		if (connector && connector->connection == DRM_MODE_CONNECTED && connector->count_modes &&
		    i < res->count_crtcs) {
			*lessee = (struct lessee){
				.connector = connector->connector_id,
				.crtc = res->crtcs[i],
				.plane = plane_find(card, (unsigned)i, lessees, count),
				.mode = connector->modes[0],
			};
			count += lease_make(card, lessee) == 0;
		}
		drmModeFreeConnector(connector);
	}
	return count;
}

static int lessees_show(struct lessee *lessees, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int err = lessee_fill(&lessees[i], colours[i]);

		err = err ? err : lessee_set(&lessees[i], lessees[i].crtc);
		if (err)
			return fail("a lessee's mode", -err);
		if (!lessee_sees_its_own(&lessees[i]))
			return fail("a lessee sees what is not its own", EPERM);
		err = lessee_set(&lessees[i], lessees[(i + 1) % count].crtc);
		if (count > 1 && err != -ENOENT)
			return fail("a lessee touches the other's CRTC", -err);
		printf("LESSEE %ux%u\n", lessees[i].mode.hdisplay, lessees[i].mode.vdisplay);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct lessee lessees[LESSEES];
	int card = argc == 2 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
	drmModeRes *res;
	unsigned count;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (card < 0 || drmSetClientCap(card, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1))
		return fail("the card", errno);
	res = drmModeGetResources(card);
	if (!res)
		return fail("its resources", errno);
	count = leases_make(card, res, lessees);
	if (!count)
		return fail("no lease", ENODEV);
	if (lessees_show(lessees, count))
		return 1;
	puts("READY");
	getchar();
	if (drmModeRevokeLease(card, lessees[0].id))
		return fail("revoking", errno);
	if (!lessee_set(&lessees[0], lessees[0].crtc))
		return fail("a revoked lessee still sets its mode", EPERM);
	puts("REVOKED");
	drmModeFreeResources(res);
	return 0;
}
