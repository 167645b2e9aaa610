/*
 * A colour of its own on each monitor of a guest, by the kernel's DRM: page flips on all of them, as fast
 * as each goes, with a square that comes and goes. A monitor that is plugged in is lit, one that is pulled
 * out is switched off. COM1 hears of it, and once in two seconds how many flips each had.
 *
 * usage: heads /dev/dri/card0 SECONDS
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <drm.h>
#include <drm_mode.h>

enum {
	HEADS = 4,
	SQUARE = 32,
	LOOK_MS = 500,
	REPORT_MS = 2000,
};

static const uint32_t colours[HEADS] = { 0xc82828, 0x283cc8, 0x28c83c, 0xc8c828 };

struct buffer {
	uint32_t handle, fb;
};

struct head {
	uint32_t connector, crtc;
	struct drm_mode_modeinfo mode; /* hdisplay 0: it is off */
	struct buffer buffer[2];
	unsigned shown, flips;
	bool waiting;
};

static struct head heads[HEADS];
static unsigned n_heads;
static int card;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static int call(unsigned long request, void *argument)
{
	int rc;

	do
		rc = ioctl(card, request, argument);
	while (rc < 0 && errno == EINTR);
	return rc;
}

static int cards_find(void)
{
	uint32_t crtcs[HEADS], connectors[HEADS];
	struct drm_mode_card_res res = { 0 };

	if (call(DRM_IOCTL_MODE_GETRESOURCES, &res) || res.count_crtcs > HEADS ||
	    res.count_connectors > HEADS || res.count_crtcs != res.count_connectors)
		return -1;
	res.crtc_id_ptr = (uintptr_t)crtcs;
	res.connector_id_ptr = (uintptr_t)connectors;
	res.count_fbs = res.count_encoders = 0;
	if (call(DRM_IOCTL_MODE_GETRESOURCES, &res))
		return -1;
	n_heads = res.count_crtcs;
	for (unsigned i = 0; i < n_heads; i++)
		heads[i] = (struct head){ .connector = connectors[i], .crtc = crtcs[i] };
	return 0;
}

/* The mode that it likes; false: no monitor is there. */
static bool monitor_look(const struct head *head, struct drm_mode_modeinfo *mode)
{
	struct drm_mode_get_connector get = { .connector_id = head->connector };
	struct drm_mode_modeinfo modes[64];

	if (call(DRM_IOCTL_MODE_GETCONNECTOR, &get) || get.connection != 1 || !get.count_modes)
		return false;
	get.count_modes = get.count_modes < 64 ? get.count_modes : 64;
	get.count_props = get.count_encoders = 0;
	get.modes_ptr = (uintptr_t)modes;
	if (call(DRM_IOCTL_MODE_GETCONNECTOR, &get) || !get.count_modes)
		return false;
	*mode = modes[0];
	return true;
}

static int buffer_make(struct buffer *buffer, const struct drm_mode_modeinfo *mode, uint32_t colour,
	uint32_t square)
{
	struct drm_mode_create_dumb dumb = { .width = mode->hdisplay, .height = mode->vdisplay,
		.bpp = 32 };
	struct drm_mode_fb_cmd fb = { .width = mode->hdisplay, .height = mode->vdisplay, .bpp = 32,
		.depth = 24 };
	struct drm_mode_map_dumb map = { 0 };
	uint32_t *pixels;

	if (call(DRM_IOCTL_MODE_CREATE_DUMB, &dumb))
		return -1;
	buffer->handle = map.handle = fb.handle = dumb.handle;
	fb.pitch = dumb.pitch;
	if (call(DRM_IOCTL_MODE_ADDFB, &fb) || call(DRM_IOCTL_MODE_MAP_DUMB, &map))
		return -1;
	buffer->fb = fb.fb_id;
	pixels = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, card, (off_t)map.offset);
	if (pixels == MAP_FAILED)
		return -1;
	for (uint32_t y = 0; y < fb.height; y++)
		for (uint32_t x = 0; x < fb.width; x++)
			pixels[y * (dumb.pitch / 4) + x] = x < SQUARE && y < SQUARE ? square : colour;
	munmap(pixels, dumb.size);
	return 0;
}

static void head_off(struct head *head)
{
	struct drm_mode_crtc crtc = { .crtc_id = head->crtc };

	call(DRM_IOCTL_MODE_SETCRTC, &crtc);
	for (unsigned i = 0; i < 2; i++) {
		struct drm_mode_destroy_dumb dumb = { .handle = head->buffer[i].handle };

		if (head->buffer[i].fb)
			call(DRM_IOCTL_MODE_RMFB, &head->buffer[i].fb);
		if (dumb.handle)
			call(DRM_IOCTL_MODE_DESTROY_DUMB, &dumb);
	}
	*head = (struct head){ .connector = head->connector, .crtc = head->crtc };
}

static int head_light(struct head *head, const struct drm_mode_modeinfo *mode, uint32_t colour)
{
	struct drm_mode_crtc crtc = { .crtc_id = head->crtc, .count_connectors = 1, .mode = *mode,
		.mode_valid = 1, .set_connectors_ptr = (uintptr_t)&head->connector };

	head->mode = *mode;
	if (buffer_make(&head->buffer[0], mode, colour, 0xffffff) ||
	    buffer_make(&head->buffer[1], mode, colour, 0))
		return -1;
	crtc.fb_id = head->buffer[0].fb;
	return call(DRM_IOCTL_MODE_SETCRTC, &crtc);
}

static void heads_look(void)
{
	for (unsigned i = 0; i < n_heads; i++) {
		struct head *head = &heads[i];
		struct drm_mode_modeinfo mode = { 0 };
		bool there = monitor_look(head, &mode);

		/* A flip that is under way ends first. */
		if (head->waiting || (mode.hdisplay == head->mode.hdisplay &&
			mode.vdisplay == head->mode.vdisplay))
			continue;
		head_off(head);
		if (there && head_light(head, &mode, colours[i]))
			printf("HEAD %u fails: %s\n", i, strerror(errno));
		else if (there)
			printf("HEAD %u is %ux%u\n", i, mode.hdisplay, mode.vdisplay);
		else
			printf("HEAD %u is off\n", i);
	}
}

static void head_flip(struct head *head, unsigned i)
{
	struct drm_mode_crtc_page_flip flip = { .crtc_id = head->crtc,
		.flags = DRM_MODE_PAGE_FLIP_EVENT, .user_data = i,
		.fb_id = head->buffer[!head->shown].fb };

	if (!head->mode.hdisplay || head->waiting || call(DRM_IOCTL_MODE_PAGE_FLIP, &flip))
		return;
	head->waiting = true;
	head->shown ^= 1;
}

static void flips_take(void)
{
	struct drm_event_vblank events[16];
	ssize_t n = read(card, events, sizeof(events));

	for (ssize_t i = 0; i < n / (ssize_t)sizeof(events[0]); i++) {
		struct head *head = &heads[events[i].user_data % HEADS];

		head->waiting = false;
		head->flips++;
	}
}

static void report(void)
{
	printf("FLIPS");
	for (unsigned i = 0; i < n_heads; i++) {
		printf(" %u", heads[i].flips);
		heads[i].flips = 0;
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	int64_t end, look = 0, told;

	card = argc == 3 ? open(argv[1], O_RDWR | O_NONBLOCK) : -1;
	if (card < 0 || cards_find()) {
		perror("heads");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("HEADS %u\n", n_heads);
	told = now_ms();
	end = told + atoi(argv[2]) * 1000ll;
	while (now_ms() < end) {
		struct pollfd pollfd = { .fd = card, .events = POLLIN };
		int64_t now = now_ms();

		if (now >= look) {
			heads_look();
			look = now + LOOK_MS;
		}
		if (now >= told + REPORT_MS) {
			report();
			told = now;
		}
		for (unsigned i = 0; i < n_heads; i++)
			head_flip(&heads[i], i);
		if (poll(&pollfd, 1, LOOK_MS) > 0)
			flips_take();
	}
	return 0;
}
