/*
 * A seat with two monitors at a guest that has a picture for each: who shows what, by whose vblank.
 */
#include "tests/unit/display/seat.h"

static const struct fake_connector one[] = {{"A-1", 1, 320, 240, 60, 300, 200}};
static const struct fake_connector two[] = {
	{"A-1", 3, 320, 240, 60, 300, 200},
	{"B-1", 3, 400, 300, 60, 0, 0},
};

static const struct fake_card_config card_one = {
	.connectors = one, .n_connectors = 1, .n_crtcs = 1, .cursors = true, .vblank = true};
static const struct fake_card_config card_two = {
	.connectors = two, .n_connectors = 2, .n_crtcs = 2, .cursors = true, .vblank = true};

static struct other {
	uint32_t pixels[400 * 300];
	struct link_picture picture;
	struct link_frame frame;
} other;

static void vblanks(void)
{
	for (unsigned i = 0; i < 3; i++)
		seat_vblank();
}

/* The first head all of a colour. */
static void first_shows(uint32_t colour)
{
	guest_size(320, 240, colour);
	guest_show(seat.guest.frame.source);
}

static void other_shows(unsigned head, uint32_t colour)
{
	for (unsigned i = 0; i < 400 * 300; i++)
		other.pixels[i] = colour;
	other.picture = (struct link_picture){99, 400, 300, 1600, (const uint8_t *)other.pixels};
	other.frame.head = head;
	other.frame.seq++;
	other.frame.buffer = colour ? other.picture.id : 0;
	other.frame.source = other.frame.damage = (struct rect){0, 0, 400, 300};
	screen_frame(seat.screen, &other.frame, colour ? &other.picture : NULL);
}

static void up(const struct fake_card_config *config)
{
	memset(&other, 0, sizeof(other));
	seat_up(config);
	vblanks();
}

static void test_each_its_own(void)
{
	up(&card_two);
	first_shows(0x111111);
	other_shows(1, 0x222222);
	vblanks();
	test_equal(look("A-1", 319, 239), 0x111111);
	test_equal(look("B-1", 0, 0), 0x222222);
	test_equal(look("B-1", 399, 299), 0x222222);
	test_equal(seat.flipped_on[0], 1);
	test_equal(seat.flipped_on[1], 1);
	first_shows(0x333333);
	vblanks();
	test_equal(look("A-1", 0, 0), 0x333333);
	test_equal(look("B-1", 200, 150), 0x222222);
	test_equal(seat.flipped_on[0], 2);
	test_equal(seat.flipped_on[1], 1);
	seat_down();
}

static void test_shows_the_first_until_it_has_one(void)
{
	up(&card_two);
	first_shows(0x111111);
	vblanks();
	test_equal(look("B-1", 40, 30), 0x111111);
	test_equal(look("B-1", 39, 30), 0);
	other_shows(1, 0x222222);
	vblanks();
	test_equal(look("B-1", 40, 30), 0x222222);
	first_shows(0x333333); /* none of B's business */
	vblanks();
	test_equal(look("B-1", 40, 30), 0x222222);
	other_shows(1, 0); /* off */
	vblanks();
	test_equal(look("B-1", 40, 30), 0x333333);
	test_equal(look("B-1", 39, 30), 0);
	test_equal(seat.flipped_on[1], 2); /* that was shown, too */
	other_shows(1, 0x444444);
	vblanks();
	screen_gone(seat.screen, &other.picture);
	vblanks();
	test_equal(look("B-1", 40, 30), 0x333333);
	other_shows(1, 0x555555);
	screen_frame(seat.screen, NULL, NULL); /* another guest */
	vblanks();
	test_equal(look("A-1", 40, 30), 0);
	test_equal(look("B-1", 40, 30), 0);
	seat_down();
}

/* Both of one size in the same place: that it is another's picture is all that tells. */
static void test_same_place_other_picture(void)
{
	static const struct fake_connector twins[] = {
		{"A-1", 3, 400, 300, 60, 0, 0}, {"B-1", 3, 400, 300, 60, 0, 0}};
	struct fake_card_config config = card_two;

	config.connectors = twins;
	up(&config);
	guest_size(400, 300, 0x111111);
	guest_show(seat.guest.frame.source);
	vblanks();
	test_equal(look("B-1", 5, 5), 0x111111);
	other_shows(1, 0x222222);
	other.frame.damage = (struct rect){0, 0, 1, 1};
	vblanks();
	test_equal(look("B-1", 5, 5), 0x222222);
	test_equal(look("A-1", 5, 5), 0x111111);
	screen_gone(seat.screen, &other.picture);
	vblanks();
	test_equal(look("B-1", 5, 5), 0x111111);
	seat_down();
}

static void test_a_head_without_a_monitor_has_a_beat(void)
{
	up(&card_one);
	first_shows(0x111111);
	other_shows(1, 0x222222);
	seat_run();
	test_equal(seat.flipped_on[1], 1);
	test_equal(seat.flipped_on[0], 0); /* its monitor says when */
	other_shows(1, 0x333333);
	test_assert(screen_due(seat.screen) > seat.now);
	seat_run();
	test_equal(seat.flipped_on[1], 1);
	seat.now += 17 * MS;
	test_assert(screen_due(seat.screen) <= seat.now);
	seat_run();
	test_equal(seat.flipped_on[1], 2);
	vblanks();
	test_equal(look("A-1", 5, 5), 0x111111);
	seat_down();
}

static void test_pulled_out_and_plugged_in(void)
{
	up(&card_two);
	first_shows(0x111111);
	other_shows(1, 0x222222);
	vblanks();
	fake_card_plug(seat.card, "B-1", 0, 0, 0);
	screen_hotplug(seat.screen);
	seat_run();
	test_equal(screen_monitors(seat.screen), 1);
	vblanks();
	first_shows(0x333333);
	other_shows(1, 0x444444); /* the guest has not heard of it yet */
	vblanks();
	test_equal(look("A-1", 5, 5), 0x333333);
	test_equal(seat.flipped_on[0], 2);
	test_equal(seat.flipped_on[1], 2);
	fake_card_plug(seat.card, "B-1", 400, 300, 60);
	screen_hotplug(seat.screen);
	seat_run();
	test_equal(screen_monitors(seat.screen), 2);
	vblanks();
	test_equal(look("A-1", 5, 5), 0x333333);
	test_equal(look("B-1", 5, 5), 0x444444);
	/* The first is pulled out: what was the second is the first then. */
	fake_card_plug(seat.card, "A-1", 0, 0, 0);
	screen_hotplug(seat.screen);
	seat_run();
	vblanks();
	test_equal(look("B-1", 60, 60), 0x333333);
	other_shows(1, 0x555555);
	vblanks();
	test_equal(seat.flipped_on[1], 3);
	seat_down();
}

static void test_cursor_is_on_its_head(void)
{
	struct link_cursor cursor = {.buffer = 7, .x = 10, .y = 20, .head = 1};

	up(&card_two);
	first_shows(0x111111);
	other_shows(1, 0x222222);
	guest_cursor(16, 16, 100, 50, 0xffff0000);
	screen_cursor(seat.screen, NULL, NULL);
	screen_cursor(seat.screen, &cursor, &seat.cursor_picture);
	vblanks();
	test_equal(look("B-1", 10, 20), 0xff0000);
	test_equal(look("A-1", 10, 20), 0x111111);
	test_equal(look("A-1", 100, 50), 0x111111);
	cursor.x = 30;
	screen_cursor(seat.screen, &cursor, &seat.cursor_picture);
	seat_run();
	test_equal(look("B-1", 30, 20), 0xff0000);
	/* It goes over to the other. */
	guest_cursor(16, 16, 100, 50, 0xff00ff00);
	screen_cursor(seat.screen, &cursor, NULL);
	vblanks();
	test_equal(look("A-1", 100, 50), 0xff00);
	test_equal(look("B-1", 30, 20), 0x222222);
	other_shows(1, 0); /* B shows the first's now, with its cursor */
	vblanks();
	test_equal(look("B-1", 140, 80), 0xff00);
	seat_down();
}

static void test_an_overlay_that_hides(void)
{
	static uint32_t grey[320 * 240];
	struct screen_overlay overlay = {
		.pixels = (const uint8_t *)grey, .width = 320, .height = 240, .stride = 1280};

	for (unsigned i = 0; i < 320 * 240; i++)
		grey[i] = 0xff777777;
	up(&card_two);
	first_shows(0x111111);
	other_shows(1, 0x222222);
	screen_overlay(seat.screen, &overlay, NULL);
	vblanks();
	test_equal(look("B-1", 0, 0), 0x222222);
	test_equal(look("B-1", 40, 30), 0x777777);
	overlay.hides = true;
	screen_overlay(seat.screen, &overlay, NULL);
	vblanks();
	test_equal(look("B-1", 0, 0), 0);
	other_shows(1, 0x333333);
	first_shows(0x333333);
	vblanks();
	test_equal(look("B-1", 0, 0), 0);
	test_equal(look("A-1", 0, 0), 0x777777);
	test_equal(seat.flipped_on[1], 2); /* the guest goes on all the same */
	screen_overlay(seat.screen, NULL, NULL);
	vblanks();
	test_equal(look("B-1", 0, 0), 0x333333);
	test_equal(look("A-1", 0, 0), 0x333333);
	seat_down();
}

int main(void)
{
	test_run(test_each_its_own);
	test_run(test_shows_the_first_until_it_has_one);
	test_run(test_same_place_other_picture);
	test_run(test_a_head_without_a_monitor_has_a_beat);
	test_run(test_pulled_out_and_plugged_in);
	test_run(test_cursor_is_on_its_head);
	test_run(test_an_overlay_that_hides);
	return 0;
}
