/*
 * A screen in a GLib main loop: run by its card's file, by what it is told, and by its own beat.
 */
#include "tests/unit/display/seat.h"

#include "display/screen_source.h"

static const struct fake_connector connectors[] = {{"A-1", 1, 320, 240, 60, 0, 0}};
static const struct fake_card_config config = {
	.connectors = connectors, .n_connectors = 1, .n_crtcs = 1, .vblank = true};

static gboolean give_up(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_REMOVE;
}

/* Until the guest's newest frame has been shown. */
static void loop(void)
{
	bool late = false;
	guint timer = g_timeout_add_seconds(20, give_up, &late);

	while (seat.flipped < seat.guest.frame.seq && !late)
		g_main_context_iteration(NULL, TRUE);
	test_assert(!late);
	g_source_remove(timer);
}

/* As long as there is something to do at once. */
static void settle(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void test_runs_a_screen(void)
{
	GSource *source;

	memset(&seat, 0, sizeof(seat));
	seat.screen = screen_new(&seat_events, NULL);
	source = screen_source_new(seat.screen);
	g_source_attach(source, NULL);
	guest_size(320, 240, 0x55aa);
	for (unsigned i = 0; i < 3; i++) { /* nothing but the beat */
		guest_show(seat.guest.frame.source);
		loop();
	}
	for (unsigned i = 0; i < 2; i++) { /* and with a lease, and another */
		seat_lease(&config);
		settle();
		test_equal(screen_monitors(seat.screen), 1);
		guest_show(seat.guest.frame.source);
		settle();
		fake_card_vblank(seat.card, g_get_monotonic_time() * 1000);
		settle(); /* commits the frame */
		fake_card_vblank(seat.card, g_get_monotonic_time() * 1000);
		loop();
		test_equal(look("A-1", 5, 5), 0x55aa);
	}
	screen_lease(seat.screen, NULL);
	settle();
	guest_show(seat.guest.frame.source);
	loop();
	test_equal(seat.flipped, 6);
	g_source_destroy(source);
	g_source_unref(source);
	screen_free(seat.screen);
}

int main(void)
{
	test_run(test_runs_a_screen);
	return 0;
}
