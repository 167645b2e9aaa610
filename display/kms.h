/*
 * kms_ops: what a graphics card is to us. The seam between what seats show (screen.c), who gets
 * which connector (lease.c) and the card: kms_drm.c (libdrm, atomic where the driver has it) or
 * kms_fake.c (memory and a clock that tests turn by hand).
 *
 * A card is a DRM file that is master: of everything (/dev/dri/card0, opened first), or of a lease,
 * which sees its own connectors, CRTCs and planes only.
 *
 * Order of a CRTC's life: commit with KMS_MODESET, then commits without, at most one in flight on a
 * CRTC (until its flip event); a second is -EBUSY and changes nothing. Framebuffers are shown, or
 * about to be, from the commit until the flip event of a commit that shows another.
 *
 * What comes from the card (EDID, names, modes, masks) is anybody's: counts are bounded here, names
 * are plain ASCII, EDID is bytes for edid_read.h.
 *
 * Thread: one a card. `commit` with KMS_MODESET and `probe` take their time (up to 100 ms and
 * more); nothing else blocks. Times are nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef IRORI_DISPLAY_KMS_H
#define IRORI_DISPLAY_KMS_H

#include <drm_fourcc.h>
#include <drm_mode.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "display/mode.h"

enum kms_limits {
	KMS_MAX_CONNECTORS = 32,
	KMS_MAX_CRTCS = 32, /* bits in a mask */
	KMS_MAX_PLANES = 128,
	KMS_MAX_MODES = 256,  /* of a connector; what is beyond is left out */
	KMS_MAX_EDID = 4096,  /* bytes */
	KMS_MAX_CLIPS = 16,   /* in a commit */
	KMS_MAX_SIDE = MODE_MAX_SIDE, /* pixels of a mode */
};

struct kms_connector {
	uint32_t id;   /* may change when a monitor behind a hub is unplugged and plugged */
	char name[32]; /* as in /sys/class/drm without the card: "HDMI-A-1" */
	bool connected;
	bool non_desktop;                /* a headset: not for seats */
	bool link_bad;                   /* the link has failed: dark until modes are set anew */
	uint32_t width_mm, height_mm;    /* 0: not told */
	uint32_t possible_crtcs;         /* bit n: crtcs[n], by index and not by id */
	uint32_t crtc;                   /* which drives it now, 0: none */
	struct drm_mode_modeinfo *modes; /* best first, as the kernel sorts them */
	unsigned n_modes;
	uint8_t *edid; /* NULL where there is none */
	size_t edid_len;
};

struct kms_crtc {
	uint32_t id;
	bool active;
};

enum kms_plane_type {
	KMS_OVERLAY, /* numbers as in the kernel's "type" property */
	KMS_PRIMARY,
	KMS_CURSOR,
};

struct kms_plane {
	uint32_t id;
	enum kms_plane_type type;
	uint32_t possible_crtcs; /* as above */
	uint32_t crtc;           /* on which it is now, 0: none */
	bool xrgb, argb;         /* takes XRGB8888, ARGB8888 */
};

/* What there is. A copy that its receiver frees; nothing in it changes by itself. */
struct kms_resources {
	struct kms_connector *connectors;
	struct kms_crtc *crtcs;
	struct kms_plane *planes;
	unsigned n_connectors, n_crtcs, n_planes;
};

/* What a card can do; fixed while it is open. */
struct kms_caps {
	bool vblank; /* flip events come at a vblank; else at once, and the caller paces */
	uint32_t cursor_width, cursor_height; /* of a cursor plane's framebuffer, exactly */
};

/* Memory that a plane shows: mapped for writing. Reading it back is slow on real cards. */
struct kms_buffer {
	uint32_t fb;                    /* the framebuffer's id, never 0 */
	uint32_t handle;                /* the card's business */
	uint32_t width, height, stride; /* stride in bytes */
	uint8_t *pixels;
	size_t size;
};

/* A CRTC and what it joins. */
struct kms_pipe {
	uint32_t connector, crtc, primary;
	uint32_t cursor; /* 0: it has no cursor plane */
};

/* A CRTC's next state. */
struct kms_update {
	struct kms_pipe pipe;
	const struct drm_mode_modeinfo *mode; /* with KMS_MODESET: from now on */
	uint32_t fb; /* fills the CRTC, from its upper left corner; never 0 */
	/* What differs from all that this framebuffer showed before, in its coordinates; lies
	 * within it. 0: anything may. */
	struct drm_mode_rect clips[KMS_MAX_CLIPS];
	unsigned n_clips;
	bool set_cursor;    /* else the cursor plane stays as it is (with KMS_MODESET: off) */
	uint32_t cursor_fb; /* 0: off */
	int32_t cursor_x, cursor_y; /* upper left corner, may be outside */
};

enum kms_commit_flags {
	/* Mode setting, synchronous and without event. The updates are then all there is:
	 * connectors, CRTCs and planes that no update names are switched off. n may be 0: all dark.
	 */
	KMS_MODESET = 1 << 0,
	/* Only says whether it would do. */
	KMS_TEST = 1 << 1,
};

struct kms_flip {
	uint32_t crtc;
	uint32_t sequence; /* of vblanks; 0 where the card counts none */
	int64_t time_ns;
};

typedef void (*kms_flipped)(void *data, const struct kms_flip *flip);

struct kms_card {
	const struct kms_ops *ops;
	struct kms_caps caps;
};

struct kms_ops {
	/* NULL and *error (negative errno) where the card does not answer. `force` looks at the
	 * monitors anew (slow); else as they were last seen. */
	struct kms_resources *(*probe)(struct kms_card *card, bool force, int *error);
	/* format: DRM_FORMAT_XRGB8888 or DRM_FORMAT_ARGB8888. All zero at first. 0 or -errno. */
	int (*buffer_create)(struct kms_card *card, uint32_t width, uint32_t height,
		uint32_t format, struct kms_buffer *buffer);
	/* Whatever shows it goes dark. Zeroes *buffer; one that is all zero is ignored. */
	void (*buffer_destroy)(struct kms_card *card, struct kms_buffer *buffer);
	/* 0, and without KMS_MODESET and KMS_TEST one flip event will follow for each update.
	 * -EBUSY: a commit is in flight. -EACCES, -EPERM, -ENOENT, -ENODEV: not ours (any more).
	 * Others: the card does not do this. Where it fails, nothing has changed. */
	int (*commit)(struct kms_card *card, const struct kms_update *updates, unsigned n,
		unsigned flags);
	/* All goes dark but these pipes, which are left alone. For who lends them. 0 or -errno. */
	int (*dark)(struct kms_card *card, const struct kms_pipe *keep, unsigned n);
	/* A cursor that a commit has put up moves at once, beside whatever is in flight. */
	int (*cursor_move)(
		struct kms_card *card, const struct kms_pipe *pipe, int32_t x, int32_t y);
	/* For POLLIN. It is the card's. */
	int (*fd)(struct kms_card *card);
	/* Tells the flips that have happened. 0, or -errno where the file is of no use. */
	int (*dispatch)(struct kms_card *card, kms_flipped flipped, void *data);
	/* Lends the objects: *fd is a DRM file (close-on-exec) that is master of these, *lessee its
	 * number. Connectors, CRTCs and primary planes must be among them. */
	int (*lease)(struct kms_card *card, const uint32_t *objects, unsigned n, int *fd,
		uint32_t *lessee);
	/* What the lessee shows stays until somebody shows something else there. */
	int (*revoke)(struct kms_card *card, uint32_t lessee);
	/* The numbers of those who have leases: how many, at most `max`; or -errno. */
	int (*lessees)(struct kms_card *card, uint32_t *lessees, unsigned max);
	/* What its own framebuffers show goes dark, unless somebody else has shown another there.
	 */
	void (*close)(struct kms_card *card);
};

/* NULL is allowed. */
void kms_resources_free(struct kms_resources *resources);
const struct kms_connector *kms_connector_find(const struct kms_resources *resources, uint32_t id);
/* By name. */
const struct kms_connector *kms_connector_named(
	const struct kms_resources *resources, const char *name);
/* Nanoseconds from a vblank to the next; always sensible (1/60 s for a mode that is not). */
int64_t kms_mode_period(const struct drm_mode_modeinfo *mode);

#endif
