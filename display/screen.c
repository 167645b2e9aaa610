/*
 * A seat's screen: what its owner tells it is noted here; screen_run() does what is due. See
 * screen.h.
 */
#include "display/screen.h"

#include <errno.h>
#include <string.h>

#include "display/screen_priv.h"

struct screen *screen_new(const struct screen_events *events, void *data)
{
	struct screen *screen = g_new0(struct screen, 1);

	screen->events = events;
	screen->data = data;
	screen->composer = composer_new();
	return screen;
}

void screen_free(struct screen *screen)
{
	if (!screen)
		return;
	if (screen->next)
		screen->next->ops->close(screen->next);
	lit_card_clear(&screen->retired);
	lit_card_clear(&screen->now);
	composer_free(screen->composer);
	g_strfreev(screen->wish);
	for (unsigned i = 0; i < PORT_HEADS; i++)
		g_free(screen->heads[i].pixels);
	g_free(screen);
}

/* --- what the owner tells --- */

void screen_wish(
	struct screen *screen, const char *const *connectors, uint32_t width, uint32_t height)
{
	g_strfreev(screen->wish);
	screen->wish = g_strdupv((char **)connectors);
	screen->wish_width = width;
	screen->wish_height = height;
	screen->probe = true;
}

void screen_lease(struct screen *screen, struct kms_card *card)
{
	if (screen->next)
		screen->next->ops->close(screen->next);
	screen->next = card;
	screen->has_next = true;
}

void screen_hotplug(struct screen *screen)
{
	screen->probe = true;
}

void screen_blank(struct screen *screen, bool blank)
{
	if (screen->blank == blank)
		return;
	screen->blank = blank;
	screen->probe = screen->force = true;
}

static void screen_arrange(struct screen *screen)
{
	for (unsigned i = 0; i < screen->now.n; i++)
		output_arrange(&screen->now.outputs[i], screen);
}

/* The monitor that is a head's clock; NULL: it has none. */
static struct output *screen_clock(struct screen *screen, const struct head *head)
{
	unsigned i = (unsigned)(head - screen->heads);

	return i < screen->now.n ? &screen->now.outputs[i] : NULL;
}

/* Numbers begin anew: another guest, or the same one in a new process. */
static void head_count_from(struct screen *screen, struct head *head, uint64_t seq)
{
	struct output *clock = screen_clock(screen, head);

	head->told = head->seq = seq;
	if (head == screen->heads)
		screen->shown_ns = 0;
	if (clock)
		clock->seq = 0;
}

static void screen_show_nothing(struct screen *screen, struct head *head)
{
	head->guest = (struct layer){0};
	screen_arrange(screen);
}

static void screen_guest_dirty(struct screen *screen, const struct head *head, const struct rect *part)
{
	for (unsigned i = 0; i < screen->now.n; i++) {
		struct output *output = &screen->now.outputs[i];
		struct scene scene;
		pixman_box32_t box;

		if (output_shows(output, screen) != head)
			continue;
		scene = output_scene(output, screen);
		box = placement_box(&output->placement, &scene, part->x, part->y, part->width,
			part->height, true);
		output_dirty(output, &box);
	}
}

/* Damage of the buffer as part of the source; both lie within the buffer. */
static struct rect damage_in_source(const struct rect *damage, const struct rect *source)
{
	uint32_t x = MAX(damage->x, source->x), y = MAX(damage->y, source->y);
	uint32_t right = MIN(damage->x + damage->width, source->x + source->width);
	uint32_t bottom = MIN(damage->y + damage->height, source->y + source->height);

	if (right <= x || bottom <= y)
		return (struct rect){0};
	return (struct rect){x - source->x, y - source->y, right - x, bottom - y};
}

static void screen_show(
	struct screen *screen, const struct link_frame *frame, const struct link_picture *picture)
{
	const struct rect *source = &frame->source;
	struct head *head = &screen->heads[frame->head];
	struct layer *guest = &head->guest;
	bool all = !guest->pixels || memcmp(source, &head->source, sizeof(*source));
	struct rect part = {0, 0, source->width, source->height};

	*guest = (struct layer){
		.pixels = picture->pixels + (size_t)source->y * picture->stride +
			  (size_t)source->x * 4,
		.width = source->width,
		.height = source->height,
		.stride = picture->stride,
	};
	head->guest_id = picture->id;
	head->source = *source;
	screen_arrange(screen);
	if (!all)
		part = damage_in_source(&frame->damage, source);
	screen_guest_dirty(screen, head, &part);
}

void screen_frame(
	struct screen *screen, const struct link_frame *frame, const struct link_picture *picture)
{
	struct output *clock;
	struct head *head;

	if (!frame) {
		for (unsigned i = 0; i < PORT_HEADS; i++) {
			head_count_from(screen, &screen->heads[i], 0);
			screen_show_nothing(screen, &screen->heads[i]);
		}
		return;
	}
	if (frame->head >= PORT_HEADS)
		return;
	head = &screen->heads[frame->head];
	clock = screen_clock(screen, head);
	if (frame->seq <= head->seq)
		head_count_from(screen, head, frame->seq ? frame->seq - 1 : 0);
	head->seq = frame->seq;
	screen->counts.came += frame->head == 0;
	/* Rows that are not whole pixels apart: no guest of ours has them. */
	if (picture && picture->stride % 4 == 0)
		screen_show(screen, frame, picture);
	else
		screen_show_nothing(screen, head);
	if (clock) /* with nothing new to draw as well */
		clock->want = true;
}

void screen_gone(struct screen *screen, const struct link_picture *picture)
{
	for (unsigned i = 0; i < PORT_HEADS; i++)
		if (screen->heads[i].guest.pixels && screen->heads[i].guest_id == picture->id)
			screen_show_nothing(screen, &screen->heads[i]);
}

/* The picture is copied: guests draw the next one into the same buffer. True: it is another. */
static bool cursor_copy(struct head *head, const struct link_picture *picture)
{
	struct layer *cursor = &head->cursor;
	uint32_t width = MIN(picture->width, SCREEN_CURSOR_SIDE);
	uint32_t height = MIN(picture->height, SCREEN_CURSOR_SIDE);
	bool other = !cursor->pixels || cursor->width != width || cursor->height != height;

	if (!head->pixels)
		head->pixels = g_new(uint32_t, SCREEN_CURSOR_SIDE * SCREEN_CURSOR_SIDE);
	for (uint32_t y = 0; y < height; y++) {
		const uint8_t *from = picture->pixels + (size_t)y * picture->stride;
		uint32_t *to = head->pixels + (size_t)y * width;

		if (!other && !memcmp(to, from, (size_t)width * 4))
			continue;
		memcpy(to, from, (size_t)width * 4);
		other = true;
	}
	cursor->pixels = (const uint8_t *)head->pixels;
	cursor->width = width;
	cursor->height = height;
	cursor->stride = width * 4;
	return other;
}

void screen_cursor(
	struct screen *screen, const struct link_cursor *cursor, const struct link_picture *picture)
{
	struct head *head;
	bool other = false;

	if (!cursor) {
		for (unsigned i = 0; i < PORT_HEADS; i++)
			screen->heads[i].cursor = (struct layer){0};
		screen_arrange(screen);
		return;
	}
	if (cursor->head >= PORT_HEADS)
		return;
	head = &screen->heads[cursor->head];
	if (picture && picture->width && picture->height) {
		other = cursor_copy(head, picture);
		head->cursor.x = CLAMP(cursor->x, -SCREEN_FAR, SCREEN_FAR);
		head->cursor.y = CLAMP(cursor->y, -SCREEN_FAR, SCREEN_FAR);
	} else {
		head->cursor = (struct layer){0};
	}
	if (other)
		head->cursor_image = ++screen->cursor_images;
	for (unsigned i = 0; i < screen->now.n; i++)
		if (output_shows(&screen->now.outputs[i], screen) == head)
			output_cursor(&screen->now.outputs[i], screen, other);
}

static void overlay_dirty(struct screen *screen, const struct rect *part)
{
	const struct layer *overlay = &screen->overlay;
	uint32_t x2 = (uint32_t)MIN((uint64_t)part->x + part->width, overlay->width);
	uint32_t y2 = (uint32_t)MIN((uint64_t)part->y + part->height, overlay->height);

	if (part->x >= x2 || part->y >= y2)
		return;
	for (unsigned i = 0; i < screen->now.n; i++) {
		const pixman_box32_t *at = &screen->now.outputs[i].overlay_box;
		pixman_box32_t box = {at->x1 + (int32_t)part->x, at->y1 + (int32_t)part->y,
			at->x1 + (int32_t)x2, at->y1 + (int32_t)y2};

		output_dirty(&screen->now.outputs[i], &box);
	}
}

void screen_overlay(
	struct screen *screen, const struct screen_overlay *overlay, const struct rect *damage)
{
	struct rect all = {0};

	screen->overlay = (struct layer){0};
	screen->hides = false;
	if (overlay && overlay->pixels && overlay->width && overlay->height &&
		overlay->stride % 4 == 0) {
		all.width = MIN(overlay->width, SCREEN_FAR);
		all.height = MIN(overlay->height, SCREEN_FAR);
		screen->overlay = (struct layer){
			.pixels = overlay->pixels,
			.width = all.width,
			.height = all.height,
			.stride = overlay->stride,
			.x = CLAMP(overlay->x, -SCREEN_FAR, SCREEN_FAR),
			.y = CLAMP(overlay->y, -SCREEN_FAR, SCREEN_FAR),
		};
		screen->hides = overlay->hides;
	}
	screen_arrange(screen);
	overlay_dirty(screen, damage ? damage : &all);
}

/* --- what is due --- */

static void screen_lose(struct screen *screen, int error, int64_t now_ns)
{
	bool before = screen->lost;

	screen->lost = screen->probe = screen->force = true;
	screen->retry_ns = now_ns + SCREEN_AGAIN_NS;
	for (unsigned i = 0; i < screen->now.n; i++)
		screen->now.outputs[i].in_flight = false;
	if (!before && screen->events->lost)
		screen->events->lost(screen->data, error);
}

static void screen_count_shown(struct screen *screen, uint64_t seq, int64_t vblank_ns)
{
	struct screen_counts *counts = &screen->counts;

	counts->shown++;
	/* What came before the first that is shown, an earlier screen has shown. */
	if (screen->shown_ns) {
		counts->skipped += seq - screen->heads[0].told - 1;
		counts->gap_ns = MAX(counts->gap_ns, vblank_ns - screen->shown_ns);
	}
	screen->shown_ns = vblank_ns;
}

static void screen_flipped(void *data, const struct kms_flip *flip)
{
	struct screen *screen = data;
	struct output *output = NULL;
	struct head *head;
	unsigned own;

	for (unsigned i = 0; i < screen->now.n && !output; i++)
		if (screen->now.outputs[i].pipe.crtc == flip->crtc)
			output = &screen->now.outputs[i];
	if (!output || !output->in_flight)
		return;
	output->in_flight = false;
	own = output_index(output, screen);
	if (own >= PORT_HEADS || output->seq <= screen->heads[own].told)
		return;
	head = &screen->heads[own];
	if (own == 0)
		screen_count_shown(screen, output->seq, flip->time_ns);
	head->told = output->seq;
	if (screen->events->flipped)
		screen->events->flipped(screen->data, own, output->seq, flip->time_ns,
			output->info.period_ns);
}

static void screen_take_next(struct screen *screen)
{
	bool had = screen->now.n > 0;

	screen->has_next = false;
	if (screen->now.n && screen->next) {
		lit_card_clear(&screen->retired);
		screen->retired = screen->now;
		memset(&screen->now, 0, sizeof(screen->now));
	}
	lit_card_clear(&screen->now);
	screen->now.card = g_steal_pointer(&screen->next);
	screen->lost = false;
	screen->probe = screen->force = true;
	screen->retry_ns = 0;
	if (screen->now.card)
		return;
	lit_card_clear(&screen->retired);
	if (had && screen->events->monitors)
		screen->events->monitors(screen->data);
}

static int screen_darken(struct screen *screen)
{
	for (unsigned i = 0; i < screen->now.n; i++)
		screen->now.outputs[i].in_flight = false;
	return card_set_modes(screen->now.card, NULL, 0);
}

/* Monitors: found, lit, or all dark. Told only where they are others than before. */
static void screen_do_light(struct screen *screen, int64_t now_ns)
{
	bool changed = false, force = screen->force;
	int error;

	screen->probe = screen->force = false;
	error = screen->blank ? screen_darken(screen)
			      : screen_light(screen, &screen->now, force, &changed);
	if (kms_error_is_loss(error)) {
		screen_lose(screen, error, now_ns);
		return;
	}
	if (error) {
		screen->probe = screen->force = true;
		screen->retry_ns =
			now_ns + (kms_error_passes(error) ? SCREEN_RETRY_NS * 8 : SCREEN_AGAIN_NS);
		return;
	}
	screen->lost = false;
	screen->retry_ns = 0;
	lit_card_clear(&screen->retired);
	if (changed && screen->events->monitors)
		screen->events->monitors(screen->data);
}

static void screen_pump(struct screen *screen, struct output *output, int64_t now_ns)
{
	int error;

	if (output->in_flight && now_ns - output->committed_ns >= SCREEN_STUCK_NS) {
		output->in_flight = false;
		output->want = true;
	}
	output_move(output, screen);
	if (!output->want || output->in_flight || now_ns < output->earliest_ns)
		return;
	error = output_commit(output, screen, now_ns);
	if (kms_error_is_loss(error)) {
		screen_lose(screen, error, now_ns);
	} else if (error) {
		output->earliest_ns = now_ns + SCREEN_RETRY_NS;
		if (kms_error_passes(error))
			return;
		/* The card has changed its mind: begin anew, not too often. */
		screen->probe = screen->force = true;
		screen->retry_ns = now_ns + SCREEN_AGAIN_NS;
		output->earliest_ns = screen->retry_ns;
	}
}

/* It waits for a beat: no monitor says when it is shown. */
static bool head_beats(const struct screen *screen, unsigned i)
{
	return screen->heads[i].seq > screen->heads[i].told &&
	       (screen_idle(screen) || i >= screen->now.n);
}

static void screen_beat(struct screen *screen, unsigned i, int64_t now_ns)
{
	struct head *head = &screen->heads[i];

	if (now_ns < head->idle_ns)
		return;
	if (now_ns - head->idle_ns < SCREEN_IDLE_NS)
		head->idle_ns += SCREEN_IDLE_NS;
	else
		head->idle_ns = now_ns + SCREEN_IDLE_NS;
	head->told = head->seq;
	if (i == 0)
		screen->shown_ns = 0;
	if (screen->events->flipped)
		screen->events->flipped(screen->data, i, head->seq, now_ns, SCREEN_IDLE_NS);
}

void screen_run(struct screen *screen, int64_t now_ns)
{
	struct kms_card *card = screen->now.card;
	int error;

	if (card && !screen->lost) {
		error = card->ops->dispatch(card, screen_flipped, screen);
		if (error)
			screen_lose(screen, error, now_ns);
	}
	if (screen->has_next)
		screen_take_next(screen);
	if (screen->now.card && (screen->probe || screen->force) && now_ns >= screen->retry_ns)
		screen_do_light(screen, now_ns);
	for (unsigned i = 0; i < screen->now.n && !screen_idle(screen); i++)
		screen_pump(screen, &screen->now.outputs[i], now_ns);
	for (unsigned i = 0; i < PORT_HEADS; i++)
		if (head_beats(screen, i))
			screen_beat(screen, i, now_ns);
}

static int64_t output_due(const struct output *output, const struct screen *screen)
{
	if (output_must_move(output, screen))
		return 0;
	if (output->in_flight)
		return output->committed_ns + SCREEN_STUCK_NS;
	return output->want ? output->earliest_ns : INT64_MAX;
}

int64_t screen_due(const struct screen *screen)
{
	int64_t due = INT64_MAX;

	if (screen->has_next)
		return 0;
	if (screen->now.card && (screen->probe || screen->force))
		due = screen->retry_ns;
	for (unsigned i = 0; i < PORT_HEADS; i++)
		if (head_beats(screen, i))
			due = MIN(due, screen->heads[i].idle_ns);
	if (screen_idle(screen))
		return due;
	for (unsigned i = 0; i < screen->now.n; i++) {
		int64_t output = output_due(&screen->now.outputs[i], screen);

		due = MIN(due, output);
	}
	return due;
}

int screen_fd(const struct screen *screen)
{
	struct kms_card *card = screen->now.card;

	return card && !screen->lost ? card->ops->fd(card) : -1;
}

/* --- what there is --- */

bool screen_idle(const struct screen *screen)
{
	return !screen->now.n || screen->blank || screen->lost;
}

unsigned screen_monitors(const struct screen *screen)
{
	return screen->now.n;
}

bool screen_monitor(const struct screen *screen, unsigned i, struct screen_monitor *monitor)
{
	if (i >= screen->now.n)
		return false;
	*monitor = screen->now.outputs[i].info;
	return true;
}

void screen_counts(const struct screen *screen, struct screen_counts *counts)
{
	*counts = screen->counts;
}

void screen_counts_gap(struct screen *screen)
{
	screen->counts.gap_ns = 0;
}

bool screen_guest_area(const struct screen *screen, struct rect *area)
{
	const struct placement *p = &screen->now.outputs[0].placement;

	if (!screen->now.n || !p->width)
		return false;
	*area = (struct rect){(uint32_t)p->x, (uint32_t)p->y, p->width, p->height};
	return true;
}
