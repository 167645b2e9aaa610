/*
 * A graphics card for tests: framebuffers in memory, flips when the test says so. It is as strict
 * as the kernel: what a driver would refuse it refuses, and what breaks kms.h's rules it counts as
 * a fault.
 *
 * Thread: one; flips are told by ops->dispatch, as for a real card.
 */
#ifndef IRORI_DISPLAY_KMS_FAKE_H
#define IRORI_DISPLAY_KMS_FAKE_H

#include <glib.h>

#include "display/kms.h"

struct fake_connector {
	const char *name;
	uint32_t possible_crtcs;
	uint32_t width, height,
		refresh; /* the monitor's preferred mode; width 0: none plugged in */
	uint32_t width_mm, height_mm;
};

struct fake_card_config {
	const struct fake_connector *connectors;
	unsigned n_connectors, n_crtcs;
	bool cursors;      /* each CRTC has a cursor plane */
	unsigned overlays; /* planes that nobody needs */
	bool vblank;
	bool lit; /* a console is on all of them */
};

struct kms_card *fake_card_new(const struct fake_card_config *config);

/* A monitor is plugged in (or, width 0, unplugged). Nobody is told but by probe. */
void fake_card_plug(struct kms_card *card, const char *connector, uint32_t width, uint32_t height,
	uint32_t refresh);
/* A vblank on every CRTC at this time: what is in flight is shown. */
void fake_card_vblank(struct kms_card *card, int64_t time_ns);
/* The next `times` commits without KMS_TEST (or, UINT_MAX, all) fail with -error. */
void fake_card_fail(struct kms_card *card, int error, unsigned times);
/* The same for those that put a cursor up, as drivers may. */
void fake_card_refuse_cursor(struct kms_card *card, int error);
/* The lease is gone: nothing is found there any more; what is shown stays. */
void fake_card_revoke(struct kms_card *card);

/* Told when the card is closed, before it is. */
void fake_card_on_close(struct kms_card *card, void (*closed)(void *data), void *data);

/* What a connector's monitor shows now, cursor plane included: XRGB8888, width * height * 4 bytes
 * that the caller frees. NULL: it is dark. */
uint32_t *fake_card_look(
	struct kms_card *card, const char *connector, uint32_t *width, uint32_t *height);
/* The same as a PPM file. */
bool fake_card_write_ppm(struct kms_card *card, const char *connector, const char *path);

struct fake_card_counts {
	unsigned commits, modesets, moves; /* that succeeded */
	unsigned busy;                     /* commits while one was in flight */
	unsigned faults;                   /* rules broken: 0 in a good test */
	uint64_t clipped; /* pixels in clips (all of the framebuffer where there are none) */
	unsigned buffers; /* that live now */
	unsigned lit;     /* connectors that show something now */
	unsigned planes;  /* that are on now */
};

void fake_card_counts(const struct kms_card *card, struct fake_card_counts *counts);

#endif
