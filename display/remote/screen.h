/*
 * The remote seat's screen: the guest's scanout as a QXL display of spice-server. Damage is copied
 * out of the guest's buffer as drawables; what a slow client has not fetched yet is merged.
 *
 * Thread: main. spice-server's worker thread fetches and releases commands behind a mutex.
 */
#ifndef IRORI_DISPLAY_REMOTE_SCREEN_H
#define IRORI_DISPLAY_REMOTE_SCREEN_H

#include <glib.h>
#include <spice.h>

#include "display/link_client.h"

struct remote_screen;

/* resize is told what size a client would like. Lives until the process ends: spice-server keeps
 * calling until it has been destroyed. */
struct remote_screen *remote_screen_new(SpiceServer *server,
	void (*resize)(void *data, uint32_t width, uint32_t height), void *data);
/* After spice_server_destroy. */
void remote_screen_free(struct remote_screen *screen);

/* A frame. picture NULL: black. The picture stays readable until it is gone or black is shown. */
void remote_screen_show(struct remote_screen *screen, const struct link_picture *picture,
	const struct rect *source, const struct rect *damage);
/* The picture is about to be unmapped. */
void remote_screen_gone(struct remote_screen *screen, const struct link_picture *picture);
/* picture NULL: none. */
void remote_screen_cursor(struct remote_screen *screen, const struct link_cursor *cursor,
	const struct link_picture *picture);
/* A client's display channel came or went. */
void remote_screen_client(struct remote_screen *screen, bool up);
/* Of the scanout, in pixels. */
void remote_screen_size(const struct remote_screen *screen, uint32_t *width, uint32_t *height);

#endif
