/*
 * A seat's screen on a card in memory: what it promises, one by one. screen_random.c compares
 * pixels.
 */
#include "tests/unit/display/seat.h"

#include <errno.h>

static const struct fake_connector one[] = {{"A-1", 1, 320, 240, 60, 300, 200}};
static const struct fake_connector two[] = {
	{"A-1", 3, 320, 240, 60, 300, 200},
	{"B-1", 3, 400, 300, 60, 0, 0},
};

static const struct fake_card_config card_one = {
	.connectors = one, .n_connectors = 1, .n_crtcs = 1, .cursors = true, .vblank = true};
static const struct fake_card_config card_two = {.connectors = two,
	.n_connectors = 2,
	.n_crtcs = 3,
	.cursors = true,
	.overlays = 2,
	.vblank = true,
	.lit = true};

static void test_shows_a_guest(void)
{
	struct rect area;

	seat_up(&card_one);
	test_equal(seat.monitors, 1);
	test_equal(screen_monitors(seat.screen), 1);
	test_assert(!screen_idle(seat.screen));
	test_equal(look("A-1", 0, 0), 0);
	guest_size(320, 240, 0x123456);
	guest_show(seat.guest.frame.source);
	seat_run(); /* a flip is in flight since the modes were set */
	seat_vblank();
	test_equal(seat.flips, 0);
	seat_vblank();
	test_equal(look("A-1", 319, 239), 0x123456);
	test_equal(seat.flipped, 1);
	test_equal(seat.vblank_ns, seat.now);
	test_assert(screen_guest_area(seat.screen, &area));
	test_equal(area.width, 320);
	seat_down();
}

static void test_one_commit_in_flight(void)
{
	unsigned commits;

	seat_up(&card_one);
	seat_vblank();
	guest_size(320, 240, 1);
	commits = counts_now().commits;
	for (unsigned i = 0; i < 5; i++) {
		guest_fill((struct rect){i, 0, 1, 1}, 0xffffff);
		guest_show((struct rect){i, 0, 1, 1});
		seat_run();
	}
	test_equal(counts_now().commits, commits + 1);
	test_equal(screen_due(seat.screen), seat.now + 1000 * MS); /* only if the flip is lost */
	seat_vblank();
	test_equal(seat.flipped, 1);
	test_equal(counts_now().commits, commits + 2);
	seat_vblank();
	test_equal(seat.flipped, 5); /* 2 to 4 were never shown */
	test_equal(seat.flips, 2);
	test_equal(look("A-1", 4, 0), 0xffffff);
	seat_vblank();
	test_equal(counts_now().commits, commits + 2); /* nothing to do */
	test_equal(screen_due(seat.screen), INT64_MAX);
	seat_down();
}

static struct screen_counts counted(void)
{
	struct screen_counts counts;

	screen_counts(seat.screen, &counts);
	return counts;
}

static void guest_shows(unsigned frames)
{
	for (unsigned i = 0; i < frames; i++) {
		guest_show((struct rect){0, 0, 1, 1});
		seat_run();
	}
}

static void test_counts_frames(void)
{
	seat_up(&card_one);
	guest_size(320, 240, 1);
	guest_shows(1);
	seat_vblank();
	seat_vblank();
	test_equal(counted().shown, 1);
	test_equal(counted().gap_ns, 0); /* there was none before it */
	guest_shows(5);
	seat_vblank();
	seat_vblank();
	test_equal(counted().came, 6);
	test_equal(counted().shown, 3);
	test_equal(counted().skipped, 3); /* 3 to 5 */
	test_equal(counted().gap_ns, PERIOD);
	screen_counts_gap(seat.screen);
	test_equal(counted().gap_ns, 0);
	for (unsigned i = 0; i < 9; i++)
		seat_vblank();
	guest_shows(1);
	seat_vblank();
	test_equal(counted().gap_ns, 10 * PERIOD);
	screen_blank(seat.screen, true); /* nobody sees these */
	seat_run();
	for (unsigned i = 0; i < 3; i++) {
		guest_shows(1);
		seat.now += 1000 * MS;
		seat_run();
	}
	screen_counts_gap(seat.screen);
	screen_blank(seat.screen, false);
	seat_run();
	guest_shows(1);
	seat_vblank();
	seat_vblank();
	test_equal(counted().came, 11);
	test_equal(counted().shown, 5);
	test_equal(counted().skipped, 3);
	test_equal(counted().gap_ns, 0);
	/* Numbers begin anew. */
	screen_frame(seat.screen, NULL, NULL);
	seat.flipped = seat.flipped_on[0] = seat.guest.frame.seq = 0;
	guest_shows(1);
	seat_vblank();
	seat_vblank();
	test_equal(counted().shown, 6);
	test_equal(counted().skipped, 3);
	seat_down();
}

static void test_copies_what_the_buffer_lacks(void)
{
	uint64_t clipped;

	seat_up(&card_one);
	guest_size(320, 240, 1);
	guest_show(seat.guest.frame.source);
	for (unsigned i = 0; i < 3; i++) { /* until both buffers are complete */
		seat_vblank();
		guest_show((struct rect){0, 0, 0, 0});
	}
	seat_vblank();
	seat_vblank();
	clipped = counts_now().clipped;
	guest_fill((struct rect){10, 10, 8, 4}, 2);
	guest_show((struct rect){10, 10, 8, 4});
	seat_vblank();
	seat_vblank();
	test_equal(counts_now().clipped - clipped, 32);
	clipped = counts_now().clipped;
	guest_fill((struct rect){100, 100, 5, 5}, 3);
	guest_show((struct rect){100, 100, 5, 5});
	seat_vblank();
	seat_vblank();
	test_equal(counts_now().clipped - clipped, 32 + 25); /* the other buffer lacks both */
	test_equal(look("A-1", 10, 10), 2);
	test_equal(look("A-1", 100, 100), 3);
	clipped = counts_now().clipped;
	guest_show((struct rect){0, 0, 0, 0}); /* nothing new, and presented all the same */
	seat_vblank();
	seat_vblank();
	test_equal(counts_now().clipped - clipped, 25);
	test_equal(seat.flipped, seat.guest.frame.seq);
	seat_down();
}

static void test_small_is_in_the_middle_large_is_scaled(void)
{
	struct rect area;

	seat_up(&card_one);
	guest_size(100, 40, 0xff00);
	guest_show(seat.guest.frame.source);
	seat_vblank();
	seat_vblank();
	test_equal(look("A-1", 110, 100), 0xff00);
	test_equal(look("A-1", 209, 139), 0xff00);
	test_equal(look("A-1", 109, 100), 0);
	test_equal(look("A-1", 210, 100), 0);
	guest_size(640, 240, 0xff);
	guest_show(seat.guest.frame.source);
	seat_vblank();
	seat_vblank();
	screen_guest_area(seat.screen, &area);
	test_equal(area.y, 60);
	test_equal(area.height, 120);
	test_equal(area.width, 320);
	test_equal(look("A-1", 0, 59), 0);
	test_equal(look("A-1", 0, 60), 0xff);
	test_equal(look("A-1", 319, 179), 0xff);
	test_equal(look("A-1", 110, 180), 0);
	seat_down();
}

static void test_two_monitors_and_nothing_else(void)
{
	struct screen_monitor monitor;

	seat_up(&card_two);
	test_equal(screen_monitors(seat.screen), 2);
	test_assert(screen_monitor(seat.screen, 1, &monitor));
	test_assert(!strcmp(monitor.connector, "B-1"));
	test_equal(monitor.width, 400);
	test_equal(counts_now().lit, 2);
	test_equal(counts_now().planes, 2); /* the console's are off */
	guest_size(320, 240, 0xabcdef);
	guest_show(seat.guest.frame.source);
	seat_vblank();
	seat_vblank();
	test_equal(look("A-1", 0, 0), 0xabcdef);
	test_equal(look("B-1", 40, 30), 0xabcdef);
	test_equal(look("B-1", 39, 30), 0);
	test_equal(seat.flips, 1); /* one clock */
	seat_down();
}

static void test_only_the_wished_connector(void)
{
	static const char *const wish[] = {"B-1", NULL};
	struct screen_monitor monitor;

	seat_up(NULL);
	screen_wish(seat.screen, wish, 320, 200);
	seat_lease(&card_two);
	seat_run();
	test_equal(screen_monitors(seat.screen), 1);
	screen_monitor(seat.screen, 0, &monitor);
	test_assert(!strcmp(monitor.connector, "B-1"));
	test_equal(monitor.width, 320);
	test_equal(monitor.height, 200);
	test_equal(counts_now().lit, 1);
	seat_down();
}

static void test_hotplug(void)
{
	struct screen_monitor monitor;
	unsigned modesets;

	seat_up(&card_one);
	guest_size(320, 240, 5);
	guest_show(seat.guest.frame.source);
	seat_vblank();
	seat_vblank();
	modesets = counts_now().modesets;
	screen_hotplug(seat.screen);
	test_equal(screen_due(seat.screen), 0);
	seat_run();
	test_equal(counts_now().modesets, modesets); /* nothing has changed */
	test_equal(seat.monitors, 1);
	fake_card_plug(seat.card, "A-1", 0, 0, 0);
	screen_hotplug(seat.screen);
	seat_run();
	test_equal(seat.monitors, 2);
	test_equal(screen_monitors(seat.screen), 0);
	test_equal(counts_now().lit, 0);
	test_assert(screen_idle(seat.screen));
	fake_card_plug(seat.card, "A-1", 400, 300, 75);
	screen_hotplug(seat.screen);
	seat_run();
	test_equal(seat.monitors, 3);
	screen_monitor(seat.screen, 0, &monitor);
	test_equal(monitor.width, 400);
	test_equal(look("A-1", 40, 30), 5); /* at once */
	test_equal(counts_now().buffers, 2);
	seat_vblank();
	seat_down();
}

static void test_idle_beats(void)
{
	seat_up(NULL);
	test_equal(screen_due(seat.screen), INT64_MAX);
	guest_size(320, 240, 5);
	guest_show(seat.guest.frame.source);
	test_assert(screen_due(seat.screen) <= seat.now);
	seat_run();
	test_equal(seat.flipped, 1);
	test_equal(screen_due(seat.screen), INT64_MAX); /* it waits for the guest */
	guest_show(seat.guest.frame.source);
	test_equal(screen_due(seat.screen), seat.now + PERIOD);
	seat_run();
	test_equal(seat.flipped, 1);
	seat.now += PERIOD;
	seat_run();
	test_equal(seat.flipped, 2);
	seat_down();
}

static void test_lease_lost_and_regained(void)
{
	struct kms_card *old;
	uint32_t pixel;

	seat_up(&card_one);
	guest_size(320, 240, 0x777777);
	guest_show(seat.guest.frame.source);
	seat_vblank();
	seat_vblank();
	old = seat.card;
	fake_card_revoke(old);
	fake_card_on_close(old, on_closed, NULL);
	seat_run();
	test_equal(seat.lost, 0); /* nothing to show, nothing to notice */
	guest_show(seat.guest.frame.source);
	seat_run();
	test_equal(seat.lost, 1);
	test_assert(screen_idle(seat.screen));
	test_equal(screen_fd(seat.screen), -1);
	test_equal(seat.flipped, 2);             /* the guest goes on */
	test_equal(look("A-1", 1, 1), 0x777777); /* frozen */
	seat.now += 1000 * MS;
	seat_run();
	test_equal(seat.lost, 1); /* told once */
	seat_lease(&card_one);
	test_equal(seat.closed, 0);
	seat_run();
	test_equal(seat.closed, 1); /* after the new one was lit */
	pixel = look("A-1", 1, 1);
	test_equal(pixel, 0x777777);
	test_assert(!screen_idle(seat.screen));
	guest_show(seat.guest.frame.source);
	seat_vblank();
	seat_vblank();
	test_equal(seat.flipped, 3);
	test_equal(seat.monitors, 2);
	seat_down();
}

static void test_a_new_lease_that_does_not_work_keeps_the_old_picture(void)
{
	struct kms_card *old;

	seat_up(&card_one);
	old = seat.card;
	fake_card_on_close(old, on_closed, NULL);
	seat_lease(&card_one);
	fake_card_fail(seat.card, EBUSY, 1);
	seat_run();
	test_equal(seat.closed, 0);
	test_equal(screen_monitors(seat.screen), 0);
	seat.now = screen_due(seat.screen);
	seat_run();
	test_equal(seat.closed, 1);
	test_equal(screen_monitors(seat.screen), 1);
	screen_lease(seat.screen, NULL);
	seat.card = NULL;
	seat_run();
	test_assert(screen_idle(seat.screen));
	test_equal(screen_fd(seat.screen), -1);
	seat_down();
}

static void test_busy_is_tried_again(void)
{
	seat_up(&card_one);
	seat_vblank();
	guest_size(320, 240, 9);
	guest_show(seat.guest.frame.source);
	fake_card_fail(seat.card, EBUSY, 1);
	seat_run();
	test_equal(seat.lost, 0);
	test_assert(
		screen_due(seat.screen) > seat.now && screen_due(seat.screen) < seat.now + 10 * MS);
	seat.now = screen_due(seat.screen);
	seat_run();
	seat_vblank();
	test_equal(seat.flipped, 1);
	test_equal(look("A-1", 0, 0), 9);
	seat_down();
}

static void test_not_master_for_a_while(void)
{
	seat_up(&card_one);
	seat_vblank();
	guest_size(320, 240, 9);
	guest_show(seat.guest.frame.source);
	fake_card_fail(seat.card, EACCES, UINT_MAX);
	seat_run();
	test_equal(seat.lost, 1);
	test_equal(seat.flipped, 1);
	seat.now += 1000 * MS;
	seat_run();
	test_assert(screen_idle(seat.screen));
	fake_card_fail(seat.card, 0, 0);
	seat.now += 1000 * MS;
	seat_run();
	test_assert(!screen_idle(seat.screen));
	test_equal(look("A-1", 0, 0), 9);
	seat_down();
}

static void test_a_flip_that_never_comes(void)
{
	unsigned commits;

	seat_up(&card_one);
	seat_vblank();
	guest_size(320, 240, 9);
	guest_show(seat.guest.frame.source);
	seat_run();
	commits = counts_now().commits;
	seat.now += 1000 * MS;
	seat_run(); /* the card still has it in flight: busy, later */
	test_equal(counts_now().commits, commits);
	test_equal(counts_now().busy, 1);
	fake_card_vblank(seat.card, seat.now);
	seat.now += 10 * MS;
	seat_run();
	test_equal(counts_now().commits, commits + 1);
	screen_free(seat.screen);
}

static void test_smaller_mode_where_the_card_cannot(void)
{
	struct screen_monitor monitor;

	seat_up(NULL);
	seat_lease(&card_one);
	fake_card_plug(seat.card, "A-1", 1280, 1024, 60);
	fake_card_fail(seat.card, EINVAL, 2);
	seat_run();
	screen_monitor(seat.screen, 0, &monitor);
	test_equal(monitor.width, 800);
	test_equal(counts_now().buffers, 2);
	seat_down();
}

static void test_cursor_on_its_plane(void)
{
	unsigned commits;
	uint64_t clipped;

	seat_up(&card_one);
	guest_size(320, 240, 0);
	guest_show(seat.guest.frame.source);
	seat_vblank();
	seat_vblank();
	guest_cursor(16, 16, 100, 50, 0xffff0000);
	seat_vblank();
	seat_vblank();
	test_equal(look("A-1", 100, 50), 0xff0000);
	test_equal(look("A-1", 115, 65), 0xff0000);
	test_equal(look("A-1", 116, 65), 0);
	test_equal(counts_now().planes, 2);
	seat_vblank();
	commits = counts_now().commits;
	clipped = counts_now().clipped;
	guest_cursor(16, 16, -5, 7, 0xffff0000);
	test_equal(screen_due(seat.screen), 0);
	seat_run();
	test_equal(look("A-1", 0, 7), 0xff0000); /* at once, without a commit */
	test_equal(look("A-1", 100, 50), 0);
	test_equal(counts_now().commits, commits);
	test_equal(counts_now().clipped, clipped);
	test_equal(counts_now().moves, 1);
	screen_cursor(seat.screen, NULL, NULL);
	seat_vblank();
	seat_vblank();
	test_equal(counts_now().planes, 1);
	seat_down();
}

static void test_cursor_that_does_not_fit_is_composed(void)
{
	seat_up(&card_one);
	guest_size(320, 240, 0);
	guest_show(seat.guest.frame.source);
	guest_cursor(16, 16, 1, 1, 0xff00ff00);
	fake_card_refuse_cursor(seat.card, EINVAL);
	seat_vblank();
	seat_vblank();
	seat_vblank();
	test_equal(look("A-1", 1, 1), 0xff00);
	test_equal(counts_now().planes, 1);
	guest_cursor(16, 16, 100, 100, 0xff00ff00);
	seat_vblank();
	seat_vblank();
	test_equal(look("A-1", 1, 1), 0);
	test_equal(look("A-1", 115, 115), 0xff00);
	seat_down();
}

static void test_overlay_is_above_all(void)
{
	uint32_t colour = 0xff0000ff;

	seat_up(&card_one);
	guest_size(320, 240, 0x101010);
	guest_show(seat.guest.frame.source);
	guest_cursor(16, 16, 50, 50, 0xffffffff);
	seat_vblank();
	seat_vblank();
	for (unsigned i = 0; i < 100 * 100; i++)
		seat.overlay_pixels[i] = colour;
	seat.overlay = (struct screen_overlay){
		(const uint8_t *)seat.overlay_pixels, 100, 100, 400, 20, 20, false};
	screen_overlay(seat.screen, &seat.overlay, NULL);
	seat_vblank();
	seat_vblank();
	test_equal(look("A-1", 20, 20), 0xff);
	test_equal(look("A-1", 50, 50), 0xff); /* not the cursor */
	test_equal(look("A-1", 19, 20), 0x101010);
	guest_fill((struct rect){0, 0, 320, 240}, 0x222222);
	guest_show(seat.guest.frame.source);
	seat_vblank();
	seat_vblank();
	test_equal(look("A-1", 119, 119), 0xff);
	test_equal(look("A-1", 120, 119), 0x222222);
	screen_overlay(seat.screen, NULL, NULL);
	seat_vblank();
	seat_vblank();
	test_equal(look("A-1", 20, 20), 0x222222);
	test_equal(look("A-1", 50, 50), 0xffffff);
	seat_down();
}

static void test_blank(void)
{
	seat_up(&card_one);
	guest_size(320, 240, 3);
	guest_show(seat.guest.frame.source);
	seat_vblank();
	seat_vblank();
	screen_blank(seat.screen, true);
	seat_run();
	test_equal(counts_now().lit, 0);
	test_assert(screen_idle(seat.screen));
	guest_show(seat.guest.frame.source);
	seat.now += PERIOD;
	seat_run();
	test_equal(seat.flipped, 2);
	screen_blank(seat.screen, false);
	seat_run();
	test_equal(look("A-1", 0, 0), 3);
	seat_vblank();
	test_equal(seat.monitors, 1); /* the same as before */
	seat_down();
}

static void test_without_vblank_it_paces_itself(void)
{
	struct fake_card_config config = card_one;
	unsigned before;

	config.vblank = false;
	seat_up(&config);
	seat.now += 100 * MS;
	guest_size(320, 240, 3);
	before = seat.flips;
	for (unsigned ms = 0; ms < 1000; ms++) {
		if (seat.flipped == seat.guest.frame.seq)
			guest_show((struct rect){0, 0, 1, 1});
		seat_run(); /* commits */
		seat_run(); /* the flip is there already */
		seat.now += MS;
	}
	test_assert(seat.flips - before >= 58 && seat.flips - before <= 62);
	seat_down();
}

static void test_guest_goes_and_another_comes(void)
{
	seat_up(&card_one);
	guest_size(320, 240, 3);
	seat.guest.frame.seq = 1000;
	guest_show(seat.guest.frame.source);
	seat_vblank();
	seat_vblank();
	test_equal(seat.flipped, 1001);
	screen_gone(seat.screen, &seat.guest.picture);
	seat_vblank();
	seat_vblank();
	test_equal(look("A-1", 0, 0), 0);
	screen_frame(seat.screen, NULL, NULL);
	seat.guest.frame.seq = seat.flipped = seat.flipped_on[0] = 0;
	guest_size(200, 200, 4);
	guest_show(seat.guest.frame.source);
	seat_vblank();
	seat_vblank();
	test_equal(seat.flipped, 1);
	test_equal(look("A-1", 160, 120), 4);
	seat_down();
}

int main(void)
{
	test_run(test_shows_a_guest);
	test_run(test_one_commit_in_flight);
	test_run(test_counts_frames);
	test_run(test_copies_what_the_buffer_lacks);
	test_run(test_small_is_in_the_middle_large_is_scaled);
	test_run(test_two_monitors_and_nothing_else);
	test_run(test_only_the_wished_connector);
	test_run(test_hotplug);
	test_run(test_idle_beats);
	test_run(test_lease_lost_and_regained);
	test_run(test_a_new_lease_that_does_not_work_keeps_the_old_picture);
	test_run(test_busy_is_tried_again);
	test_run(test_not_master_for_a_while);
	test_run(test_a_flip_that_never_comes);
	test_run(test_smaller_mode_where_the_card_cannot);
	test_run(test_cursor_on_its_plane);
	test_run(test_cursor_that_does_not_fit_is_composed);
	test_run(test_overlay_is_above_all);
	test_run(test_blank);
	test_run(test_without_vblank_it_paces_itself);
	test_run(test_guest_goes_and_another_comes);
	return 0;
}
