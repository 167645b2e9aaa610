/*
 * Property: whatever guest, cursor, overlay, monitors and vblanks do, and in whatever order, what
 * is on the monitors when it has settled is what a composition pixel by pixel says; and on both
 * buffers.
 */
#include "tests/unit/display/seat.h"

#include <stdlib.h>

enum {
	ROUNDS = 60,
	STEPS = 120,
};

static GRand *dice;

static uint32_t below(uint32_t n)
{
	return (uint32_t)g_rand_int_range(dice, 0, (int)n);
}

static struct rect any_part(uint32_t width, uint32_t height)
{
	struct rect part = {below(width), below(height), 0, 0};

	part.width = below(width - part.x + 1);
	part.height = below(height - part.y + 1);
	return part;
}

/* --- the reference --- */

static uint32_t channel(uint32_t under, uint32_t over, unsigned shift)
{
	uint32_t t = (under >> shift & 0xff) * (255 - (over >> 24)) + 0x80;
	uint32_t sum = (over >> shift & 0xff) + ((t + (t >> 8)) >> 8);

	return MIN(sum, 0xff) << shift;
}

static uint32_t over(uint32_t under, uint32_t above)
{
	return channel(under, above, 16) | channel(under, above, 8) | channel(under, above, 0);
}

static bool inside(int64_t x, int64_t y, uint32_t width, uint32_t height)
{
	return x >= 0 && y >= 0 && x < width && y < height;
}

/* What the pixel of a monitor of that size is. Not for pictures that are scaled. */
static uint32_t reference(uint32_t x, uint32_t y, uint32_t width, uint32_t height,
	uint32_t first_width, uint32_t first_height)
{
	const struct rect *source = &seat.guest.frame.source;
	int64_t gx = (int64_t)x - ((int32_t)width - (int32_t)source->width) / 2;
	int64_t gy = (int64_t)y - ((int32_t)height - (int32_t)source->height) / 2;
	int64_t cx = gx - seat.cursor_at.x, cy = gy - seat.cursor_at.y;
	int64_t ox = (int64_t)x - seat.overlay.x - ((int32_t)width - (int32_t)first_width) / 2;
	int64_t oy = (int64_t)y - seat.overlay.y - ((int32_t)height - (int32_t)first_height) / 2;
	uint32_t pixel = 0;

	if (inside(gx, gy, source->width, source->height))
		pixel = seat.guest.pixels[(gy + source->y) * seat.guest.width + gx + source->x];
	if (seat.has_cursor &&
		inside(cx, cy, seat.cursor_picture.width, seat.cursor_picture.height))
		pixel = over(pixel, seat.cursor[cy * seat.cursor_picture.width + cx]);
	if (seat.has_overlay && inside(ox, oy, seat.overlay.width, seat.overlay.height))
		pixel = over(pixel, seat.overlay_pixels[oy * (seat.overlay.stride / 4) + ox]);
	return pixel & 0xffffff;
}

/* Pictures that are scaled: all in one, instead of part by part. */
static uint32_t *reference_scaled(
	uint32_t width, uint32_t height, uint32_t first_width, uint32_t first_height)
{
	const struct rect *source = &seat.guest.frame.source;
	uint32_t *picture = g_new0(uint32_t, (size_t)width * height);
	struct composer *composer = composer_new();
	struct placement placement;
	pixman_region32_t all;
	struct scene scene = {0};

	scene.guest = (struct layer){
		(const uint8_t *)(seat.guest.pixels + source->y * seat.guest.width + source->x),
		source->width, source->height, seat.guest.width * 4, 0, 0};
	if (seat.has_cursor)
		scene.cursor = (struct layer){(const uint8_t *)seat.cursor,
			seat.cursor_picture.width, seat.cursor_picture.height,
			seat.cursor_picture.width * 4, seat.cursor_at.x, seat.cursor_at.y};
	if (seat.has_overlay)
		scene.overlay = (struct layer){(const uint8_t *)seat.overlay_pixels,
			seat.overlay.width, seat.overlay.height, seat.overlay.stride,
			seat.overlay.x + ((int32_t)width - (int32_t)first_width) / 2,
			seat.overlay.y + ((int32_t)height - (int32_t)first_height) / 2};
	placement_find(&placement, source->width, source->height, width, height);
	pixman_region32_init_rect(&all, 0, 0, width, height);
	test_equal(compose(composer, &scene, &placement, &all, (uint8_t *)picture, width * 4), 0);
	pixman_region32_fini(&all);
	composer_free(composer);
	return picture;
}

static void check_monitor(unsigned i)
{
	const struct rect *source = &seat.guest.frame.source;
	struct screen_monitor monitor, first;
	uint32_t *shown, *scaled = NULL;
	uint32_t width, height;

	test_assert(screen_monitor(seat.screen, i, &monitor));
	screen_monitor(seat.screen, 0, &first);
	shown = fake_card_look(seat.card, monitor.connector, &width, &height);
	test_assert(shown && width == monitor.width && height == monitor.height);
	if (source->width > width || source->height > height)
		scaled = reference_scaled(width, height, first.width, first.height);
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++) {
			uint32_t at = y * width + x;
			uint32_t right =
				scaled ? scaled[at] & 0xffffff
				       : reference(x, y, width, height, first.width, first.height);

			if (shown[at] != right)
				fprintf(stderr, "at %u, %u of %s, guest %u x %u\n", x, y,
					monitor.connector, source->width, source->height);
			test_equal(shown[at], right);
		}
	g_free(shown);
	g_free(scaled);
}

static void settle(void)
{
	for (unsigned i = 0; i < 3; i++)
		seat_vblank();
	for (unsigned i = 0; i < screen_monitors(seat.screen); i++)
		check_monitor(i);
	/* The other buffer. */
	guest_show((struct rect){0, 0, 0, 0});
	seat_vblank();
	seat_vblank();
	for (unsigned i = 0; i < screen_monitors(seat.screen); i++)
		check_monitor(i);
	if (screen_monitors(seat.screen))
		test_equal(seat.flipped, seat.guest.frame.seq);
}

/* --- what may happen --- */

static void do_draw(void)
{
	const struct rect *source = &seat.guest.frame.source;
	struct rect part = any_part(seat.guest.width, seat.guest.height);

	(void)source;
	for (uint32_t y = part.y; y < part.y + part.height; y++)
		for (uint32_t x = part.x; x < part.x + part.width; x++)
			seat.guest.pixels[y * seat.guest.width + x] = g_rand_int(dice);
	guest_show(part);
}

static void do_draw_little(void)
{
	struct rect part = any_part(seat.guest.width, seat.guest.height);

	part.width = MIN(part.width, 9);
	part.height = MIN(part.height, 9);
	guest_fill(part, g_rand_int(dice));
	guest_show(part);
}

static void do_resize(void)
{
	static const uint32_t sizes[][2] = {
		{200, 150}, {160, 100}, {64, 200}, {1, 1}, {300, 200}, {401, 303}, {199, 151}};
	unsigned i = below(G_N_ELEMENTS(sizes));

	guest_size(sizes[i][0], sizes[i][1], g_rand_int(dice));
	guest_show(seat.guest.frame.source);
}

static void do_source(void)
{
	struct rect part = any_part(seat.guest.width, seat.guest.height);

	if (!part.width || !part.height)
		return;
	seat.guest.frame.source = part;
	guest_show((struct rect){0, 0, 0, 0});
}

static void do_cursor(void)
{
	guest_cursor(1 + below(64), 1 + below(64), (int32_t)below(300) - 60,
		(int32_t)below(300) - 60, 0x80408020);
}

static void do_cursor_move(void)
{
	if (!seat.has_cursor)
		return;
	seat.cursor_at.x += (int32_t)below(21) - 10;
	seat.cursor_at.y += (int32_t)below(21) - 10;
	screen_cursor(seat.screen, &seat.cursor_at, &seat.cursor_picture);
}

/* A guest draws the next one into the same buffer. */
static void do_cursor_draw(void)
{
	if (!seat.has_cursor)
		return;
	seat.cursor[below(seat.cursor_picture.width)] = 0xff000000 | below(0xffffff);
	screen_cursor(seat.screen, &seat.cursor_at, &seat.cursor_picture);
}

static void do_cursor_off(void)
{
	seat.has_cursor = false;
	screen_cursor(seat.screen, NULL, NULL);
}

static void do_overlay(void)
{
	uint32_t width = 1 + below(200), height = 1 + below(150);

	for (uint32_t i = 0; i < width * height; i++)
		seat.overlay_pixels[i] = i % 3 ? 0xc0602010 : below(2) * 0xff00ff00;
	seat.overlay = (struct screen_overlay){(const uint8_t *)seat.overlay_pixels, width, height,
		width * 4, (int32_t)below(300) - 50, (int32_t)below(200) - 50, false};
	seat.has_overlay = true;
	screen_overlay(seat.screen, &seat.overlay, NULL);
}

static void do_overlay_draw(void)
{
	struct rect part;

	if (!seat.has_overlay)
		return;
	part = any_part(seat.overlay.width, seat.overlay.height);
	for (uint32_t y = part.y; y < part.y + part.height; y++)
		for (uint32_t x = part.x; x < part.x + part.width; x++)
			seat.overlay_pixels[y * seat.overlay.width + x] = 0x40102030;
	screen_overlay(seat.screen, &seat.overlay, &part);
}

static void do_overlay_off(void)
{
	seat.has_overlay = false;
	screen_overlay(seat.screen, NULL, NULL);
}

static void do_plug(void)
{
	static const uint32_t sizes[][2] = {{0, 0}, {200, 150}, {240, 160}};
	unsigned i = below(G_N_ELEMENTS(sizes));

	fake_card_plug(seat.card, below(2) ? "A-1" : "B-1", sizes[i][0], sizes[i][1], 60);
	screen_hotplug(seat.screen);
}

static void do_blank(void)
{
	screen_blank(seat.screen, true);
	if (below(2))
		seat_run();
	screen_blank(seat.screen, false);
}

static void do_run(void)
{
	seat_run();
}

static void do_vblank(void)
{
	seat_vblank();
}

static void (*const what[])(void) = {do_draw, do_draw, do_draw_little, do_draw_little,
	do_draw_little, do_resize, do_source, do_cursor, do_cursor_move, do_cursor_move,
	do_cursor_draw, do_cursor_off, do_overlay, do_overlay_draw, do_overlay_draw, do_overlay_off,
	do_plug, do_blank, do_run, do_run, do_vblank, do_vblank, do_vblank};

static const struct fake_connector connectors[] = {
	{"A-1", 3, 200, 150, 60, 0, 0},
	{"B-1", 3, 240, 160, 60, 0, 0},
};

static void one_round(unsigned round)
{
	struct fake_card_config config = {.connectors = connectors,
		.n_connectors = round % 3 ? 1 : 2,
		.n_crtcs = 2,
		.cursors = round & 1,
		.vblank = true};

	seat_up(&config);
	guest_size(200, 150, 0x345678);
	guest_show(seat.guest.frame.source);
	for (unsigned step = 0; step < STEPS; step++) {
		what[below(G_N_ELEMENTS(what))]();
		if (below(12) == 0)
			settle();
	}
	settle();
	test_assert(counts_now().buffers <= 8);
	seat_down();
}

static void test_pixels(void)
{
	for (unsigned round = 0; round < ROUNDS; round++)
		one_round(round);
}

int main(int argc, char **argv)
{
	uint32_t seed = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 1234;

	dice = g_rand_new_with_seed(seed);
	test_run(test_pixels);
	g_rand_free(dice);
	return 0;
}
