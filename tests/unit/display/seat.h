/*
 * A seat with fake monitors and a guest that is memory, for tests of the screen.
 */
#ifndef IRORI_TESTS_UNIT_DISPLAY_SEAT_H
#define IRORI_TESTS_UNIT_DISPLAY_SEAT_H

#include <string.h>

#include "display/compose.h"
#include "display/kms_fake.h"
#include "display/screen.h"
#include "tests/unit/test.h"

#define MS INT64_C(1000000)
#define PERIOD (1000 * MS / 60)

struct guest {
	uint32_t width, height; /* of the buffer */
	uint32_t pixels[640 * 480];
	struct link_picture picture;
	struct link_frame frame;
};

static struct seat {
	struct screen *screen;
	struct kms_card *card;
	int64_t now;
	uint64_t flipped; /* newest, of head 0 */
	uint64_t flipped_on[PORT_HEADS];
	unsigned flips, monitors, lost, closed;
	int64_t vblank_ns, period_ns;
	struct guest guest;
	uint32_t cursor[64 * 64];
	struct link_picture cursor_picture;
	struct link_cursor cursor_at;
	bool has_cursor;
	uint32_t overlay_pixels[640 * 480];
	struct screen_overlay overlay;
	bool has_overlay;
} seat;

static inline void on_flipped(
	void *data, unsigned head, uint64_t seq, int64_t vblank_ns, int64_t period_ns)
{
	test_assert(head < PORT_HEADS);
	test_assert(seq > seat.flipped_on[head]);
	seat.flipped_on[head] = seq;
	if (head)
		return;
	test_assert(seq > seat.flipped);
	seat.flipped = seq;
	seat.flips++;
	seat.vblank_ns = vblank_ns;
	seat.period_ns = period_ns;
}

static inline void on_monitors(void *data)
{
	seat.monitors++;
}

static inline void on_lost(void *data, int error)
{
	seat.lost++;
}

static inline void on_closed(void *data)
{
	seat.closed++;
}

static const struct screen_events seat_events = {on_flipped, on_monitors, on_lost};

static inline void seat_run(void)
{
	screen_run(seat.screen, seat.now);
}

static inline void seat_vblank(void)
{
	seat.now += PERIOD;
	fake_card_vblank(seat.card, seat.now);
	seat_run();
}

static inline void seat_lease(const struct fake_card_config *config)
{
	seat.card = fake_card_new(config);
	screen_lease(seat.screen, seat.card);
}

static inline void seat_up(const struct fake_card_config *config)
{
	memset(&seat, 0, sizeof(seat));
	seat.now = 1000 * MS;
	seat.screen = screen_new(&seat_events, NULL);
	if (config)
		seat_lease(config);
	seat_run();
}

static inline void seat_down(void)
{
	struct fake_card_counts counts;

	if (seat.card) {
		fake_card_counts(seat.card, &counts);
		test_equal(counts.faults, 0);
		test_equal(counts.busy, 0);
	}
	screen_free(seat.screen);
}

/* A buffer of that size, all of one colour; the next frame shows all of it. */
static inline void guest_size(uint32_t width, uint32_t height, uint32_t colour)
{
	struct guest *guest = &seat.guest;

	guest->width = width;
	guest->height = height;
	for (uint32_t i = 0; i < width * height; i++)
		guest->pixels[i] = colour;
	guest->picture = (struct link_picture){
		guest->picture.id + 1, width, height, width * 4, (const uint8_t *)guest->pixels};
	guest->frame.source = (struct rect){0, 0, width, height};
	guest->frame.buffer = guest->picture.id;
}

static inline void guest_fill(struct rect part, uint32_t colour)
{
	for (uint32_t y = part.y; y < part.y + part.height; y++)
		for (uint32_t x = part.x; x < part.x + part.width; x++)
			seat.guest.pixels[y * seat.guest.width + x] = colour;
}

static inline void guest_show(struct rect damage)
{
	seat.guest.frame.seq++;
	seat.guest.frame.damage = damage;
	screen_frame(seat.screen, &seat.guest.frame, &seat.guest.picture);
}

static inline void guest_cursor(
	uint32_t width, uint32_t height, int32_t x, int32_t y, uint32_t colour)
{
	for (uint32_t i = 0; i < width * height; i++)
		seat.cursor[i] = colour;
	seat.cursor_picture =
		(struct link_picture){7, width, height, width * 4, (const uint8_t *)seat.cursor};
	seat.cursor_at = (struct link_cursor){.buffer = 7, .x = x, .y = y};
	seat.has_cursor = true;
	screen_cursor(seat.screen, &seat.cursor_at, &seat.cursor_picture);
}

/* One pixel of what a monitor shows. */
static inline uint32_t look(const char *connector, uint32_t x, uint32_t y)
{
	uint32_t width, height, pixel;
	uint32_t *picture = fake_card_look(seat.card, connector, &width, &height);

	test_assert(picture);
	test_assert(x < width && y < height);
	pixel = picture[y * width + x];
	g_free(picture);
	return pixel;
}

static inline struct fake_card_counts counts_now(void)
{
	struct fake_card_counts counts;

	fake_card_counts(seat.card, &counts);
	return counts;
}

#endif
