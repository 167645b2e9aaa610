/*
 * What the files of the screen share: screen.c (what the owner calls, and what is due when),
 * screen_light.c (which monitors, in which mode), screen_output.c (one monitor: its buffers and
 * commits).
 */
#ifndef IRORI_DISPLAY_SCREEN_PRIV_H
#define IRORI_DISPLAY_SCREEN_PRIV_H

#include "display/compose.h"
#include "display/screen.h"

enum {
	SCREEN_CURSOR_SIDE = 512, /* a larger cursor is cut off */
	SCREEN_FAR = 32768,       /* positions of cursor and overlay are within this */
};

#define SCREEN_STUCK_NS 1000000000ll /* a flip that has not come by then is given up */
#define SCREEN_RETRY_NS 4000000ll
#define SCREEN_AGAIN_NS 1000000000ll /* until a lost card is tried again */
#define SCREEN_IDLE_NS (1000000000ll / 60)

/* A monitor. Two buffers: one is shown or about to be, `back` is drawn next. */
struct output {
	struct screen_monitor info;
	struct drm_mode_modeinfo mode;
	struct kms_pipe pipe;
	struct kms_buffer buffers[2];
	pixman_region32_t dirty[2]; /* what a buffer lacks */
	unsigned back;
	unsigned head; /* whose picture it shows */
	struct placement placement;
	pixman_box32_t guest_box, overlay_box; /* where they were last noted */

	bool want; /* there is something new to show */
	bool in_flight;
	int64_t committed_ns;
	int64_t earliest_ns; /* of the next commit: the card has no vblank to wait for */
	uint64_t seq;        /* the frame of its own head in the last commit */

	/* The cursor plane: what it shows, by the last commit, and what it shall show. */
	struct kms_buffer cursors[2];
	unsigned cursor_back;
	bool plane_refused; /* by the driver */
	bool plane_up, plane_wanted;
	uint64_t plane_image; /* number of the cursor's picture */
	int32_t plane_x, plane_y;
	pixman_box32_t cursor_box; /* of the composed cursor */
};

/* A card and the monitors that are lit on it. */
struct lit_card {
	struct kms_card *card; /* NULL: none */
	struct output outputs[SCREEN_MAX_MONITORS];
	unsigned n;
};

/* What the guest shows on one of its monitors. */
struct head {
	struct layer guest, cursor; /* as in struct scene */
	uint32_t guest_id;          /* of its buffer */
	struct rect source;
	uint64_t seq, told;   /* the newest frame; the newest that was told as flipped */
	int64_t idle_ns;      /* the next beat without a monitor */
	uint32_t *pixels;     /* a copy of the cursor's picture; NULL: there never was one */
	uint64_t cursor_image; /* its number, among those of all heads */
};

struct screen {
	const struct screen_events *events;
	void *data;
	struct lit_card now;
	struct lit_card retired; /* shows the frozen picture until `now` is lit */
	struct kms_card *next;   /* to be taken */
	bool has_next;
	bool probe, force; /* look at the monitors; and set modes whatever they are */
	bool blank;
	bool lost;
	int64_t retry_ns; /* not before */

	char **wish; /* connectors */
	uint32_t wish_width, wish_height;

	struct composer *composer;
	struct head heads[PORT_HEADS];
	uint64_t cursor_images;
	struct layer overlay; /* its place: on the first monitor */
	bool hides;           /* the guest, that is */
	struct screen_counts counts; /* of head 0 */
	int64_t shown_ns; /* the last flip that counted; 0: what comes next has none before it */
};

/* screen_output.c */
/* Buffers for the mode; all dirty. 0 or -errno (and nothing is kept). */
int output_init(struct output *output, struct screen *screen, struct kms_card *card);
void output_fini(struct output *output, struct kms_card *card);
void output_dirty(struct output *output, const pixman_box32_t *box);
/* The guest's picture, the overlay or the cursor have another place, size or picture. */
void output_arrange(struct output *output, struct screen *screen);
void output_cursor(struct output *output, struct screen *screen, bool new_image);
/* Draws the back buffer for a commit with KMS_MODESET; told whether that went well. */
int output_light(struct output *output, struct screen *screen, struct kms_update *update);
void output_lit(struct output *output);
/* One commit; as kms_ops.commit. */
int output_commit(struct output *output, struct screen *screen, int64_t now_ns);
/* Moves the cursor plane, where that is all there is to do. */
void output_move(struct output *output, struct screen *screen);
bool output_must_move(const struct output *output, const struct screen *screen);
/* What it shows, with the overlay where this monitor has it. */
struct scene output_scene(const struct output *output, const struct screen *screen);

/* Its place among the monitors: the head that it is the clock of. */
static inline unsigned output_index(const struct output *output, const struct screen *screen)
{
	return (unsigned)(output - screen->now.outputs);
}

static inline const struct head *output_shows(const struct output *output,
	const struct screen *screen)
{
	return &screen->heads[output->head];
}

/* screen_light.c */
/* Looks at the monitors and lights them. 0; -errno: the card is lost or does not do it. */
int screen_light(struct screen *screen, struct lit_card *lit, bool force, bool *changed);
/* Commits that were in flight are over then, and their flips are forgotten: they must not be taken
 * for those of commits to come. */
int card_set_modes(struct kms_card *card, const struct kms_update *updates, unsigned n);
void lit_card_clear(struct lit_card *lit);

static inline bool kms_error_is_loss(int error)
{
	return error == -EACCES || error == -EPERM || error == -ENOENT || error == -ENODEV;
}

static inline bool kms_error_passes(int error)
{
	return error == -EBUSY || error == -EAGAIN || error == -EINTR || error == -ENOMEM;
}

#endif
