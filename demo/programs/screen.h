/*
 * A program's side of /dev/display: buffers whose pixels are mapped, presentations, and their
 * events. Nothing here waits. Single thread.
 */
#ifndef IRORI_DEMO_SCREEN_H
#define IRORI_DEMO_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "demo/abi.h"

struct surface {
	uint32_t *pixels; /* XRGB8888, first row on top */
	uint32_t width, height;
	uint32_t stride; /* in pixels */
	uint32_t handle;
};

struct screen {
	int fd;
	struct display_info info;
	unsigned queued; /* presentations whose events have not come */
	bool seen;       /* the first has come */
};

/* 0 or -errno. */
int screen_open(struct screen *screen);

/* A new buffer, black. 0 or -errno. */
int screen_surface(struct screen *screen, uint32_t width, uint32_t height, struct surface *out);

/* damage NULL: hold the picture for one more vblank. -EAGAIN: the queue is full. */
int screen_present(struct screen *screen, const struct surface *surface,
		   const struct display_rect *damage, uint64_t cookie);

/* Takes at most `count` events that have come. How many, or -errno; 0 when there are none. */
int screen_events(struct screen *screen, struct display_event *events, unsigned count);

#endif
