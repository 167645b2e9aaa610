/*
 * A guest that is not one: a link server whose "device" presents pictures with bar codes as a script
 * says, one letter a vblank, or for ever. For tests of the meter and of the demonstration's runner.
 *
 * Thread: the one that runs `context`.
 */
#ifndef IRORI_TESTS_FAKE_GUEST_H
#define IRORI_TESTS_FAKE_GUEST_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/link_server.h"

enum {
	FAKE_WIDTH = 640,
	FAKE_HEIGHT = 360,
	FAKE_CLIP_FRAMES = 50,
};

struct fake_guest {
	struct link_server *server;
	GMainContext *context;
	int fd[2];           /* two buffers, as a player has */
	uint8_t *pixels[2];
	unsigned up;         /* the buffer that is on the scanout */
	uint64_t seq;
	/* 'a' + n is frame n, '.' switches the scanout off; NULL: frames for ever, each for two
	 * vblanks */
	const char *script;
	unsigned at;         /* vblanks presented so far */
	bool started, done;
	uint32_t frame;      /* for ever: the present one */
	unsigned hold;       /* vblanks it has been up */
	bool faults;         /* for ever: some are late, some are skipped */
	bool bars;           /* false: pictures without codes */
	bool stopped;        /* presents nothing (a guest that reboots) */
};

bool fake_guest_start(struct fake_guest *guest, GMainContext *context,
	const struct link_server_config *config, GError **error);
void fake_guest_stop(struct fake_guest *guest);
/* Begins to present. */
void fake_guest_play(struct fake_guest *guest);

#endif
