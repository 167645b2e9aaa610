/*
 * What a seat's process is given of a guest, with a real link server: what it may ask of the guest, and when the
 * connection ends though the process would keep it.
 */
#include "tests/unit/link/fake.h"

#include <glib/gstdio.h>

#include "seats/guest_link.h"
#include "seats/seat_links.h"

static char *folder, *path;
static int64_t clock_ns = 1; /* the household's; the timers are the main loop's */

static int64_t clock_now(void)
{
	return clock_ns;
}

/* Runs the seat's loop and the guest's. */
static void turn(unsigned ms)
{
	for (int64_t end = now() + ms * INT64_C(1000000); now() < end; g_usleep(500)) {
		g_main_context_iteration(NULL, FALSE);
		g_main_context_iteration(context, FALSE);
	}
}

/* The process has it: a descriptor of its own. */
static void take(struct seen *seen, int fd, enum wire_link_kind kind)
{
	memset(seen, 0, sizeof(*seen));
	test_assert(fd >= 0);
	seen->client = link_client_adopt(fcntl(fd, F_DUPFD_CLOEXEC, 0), guest_link_wants(kind), &seen_events, seen);
	pump();
	test_assert(link_client_dispatch(seen->client) > 0);
}

static void given(struct seen *seen, struct seat_links *links, uint32_t guest, enum wire_link_kind kind)
{
	clock_ns += SEAT_LINKS_AGAIN_MS * INT64_C(1000000);
	take(seen, seat_links_give(links, guest, kind, path), kind);
}

static bool is_over(struct seen *seen)
{
	int r;

	pump();
	while ((r = link_client_dispatch(seen->client)) > 0)
		;
	test_assert(r == 0 || r == -EPIPE);
	return r < 0;
}

/* It is what is said before it is given. */
static void has_no_control(void)
{
	static const uint32_t granted[WIRE_LINKS] = {
		[WIRE_LINK_PICTURE] = LINK_WANT_DISPLAY | LINK_WANT_HEADS | LINK_WANT_CLOCK | LINK_WANT_INPUT,
		[WIRE_LINK_SOUND] = LINK_WANT_AUDIO | LINK_WANT_SINK | LINK_WANT_MIC,
	};
	struct seat_links *links = seat_links_new("desk", clock_now);
	struct seen seen;

	start(path);
	for (unsigned kind = 0; kind < WIRE_LINKS; kind++) {
		given(&seen, links, 7, kind);
		test_equal(link_client_granted(seen.client), granted[kind]);
		test_equal(link_client_greet(link_client_fd(seen.client), LINK_WANT_CONTROL, "desk"), 0);
		test_assert(is_over(&seen));
		test_equal(link_client_granted(seen.client), granted[kind]);
		leave(&seen);
		given(&seen, links, 7, kind);
		test_equal(link_client_request(seen.client, LINK_VERB_RESET, 0, 1), 0);
		test_assert(is_over(&seen));
		leave(&seen);
		given(&seen, links, 7, kind);
		test_equal(link_client_stat(seen.client), 0);
		test_assert(is_over(&seen));
		leave(&seen);
		test_equal(seen.replies + seen.stats, 0);
	}
	test_equal(device.verb, 0);
	seat_links_free(links);
	stop();
}

static void newer_ends_the_one_before(void)
{
	struct seat_links *links = seat_links_new("desk", clock_now);
	struct seen first, sound, second;

	start(path);
	given(&first, links, 7, WIRE_LINK_PICTURE);
	given(&sound, links, 7, WIRE_LINK_SOUND);
	test_equal(seat_links_give(links, 7, WIRE_LINK_SOUND, path), -EAGAIN); /* asked for too often */
	test_assert(!is_over(&sound));
	given(&second, links, 7, WIRE_LINK_PICTURE);
	test_assert(is_over(&first) && !is_over(&second) && !is_over(&sound));
	test_assert(link_client_granted(second.client) & LINK_WANT_CLOCK);
	/* However many the process wants, the guest has room for others. */
	for (unsigned i = 0; i < 3 * LINK_SERVER_MAX_SEATS; i++) {
		clock_ns += SEAT_LINKS_AGAIN_MS * INT64_C(1000000);
		test_assert(seat_links_give(links, 7, WIRE_LINK_PICTURE, path) >= 0);
		pump();
		test_assert(link_server_seats(server) <= 3);
	}
	test_equal(link_server_seats(server), 2);
	leave(&first);
	leave(&second);
	leave(&sound);
	/* The guest starts anew: the one before is dead, and it is given another. */
	stop();
	clock_ns += SEAT_LINKS_AGAIN_MS * INT64_C(1000000);
	test_assert(seat_links_give(links, 7, WIRE_LINK_PICTURE, path) < 0);
	start(path);
	given(&first, links, 7, WIRE_LINK_PICTURE);
	/* What the process is done with ends for the guest, though irorid has it too. */
	leave(&first);
	test_equal(link_server_seats(server), 0);
	seat_links_free(links);
	stop();
}

static void left_ends_in_a_while(void)
{
	struct seat_links *links = seat_links_new("desk", clock_now);
	struct seen picture, sound, other;

	start(path);
	given(&picture, links, 7, WIRE_LINK_PICTURE);
	given(&sound, links, 7, WIRE_LINK_SOUND);
	seat_links_shown(links, 8);
	given(&other, links, 8, WIRE_LINK_PICTURE);
	turn(200);
	test_assert(!is_over(&picture) && !is_over(&sound) && !is_over(&other));
	/* There and back: it was not left. */
	seat_links_shown(links, 7);
	seat_links_shown(links, 7);
	turn(SEAT_LINKS_LEFT_MS + 300);
	test_assert(!is_over(&picture) && !is_over(&sound) && is_over(&other));
	seat_links_shown(links, 0);
	turn(SEAT_LINKS_LEFT_MS + 300);
	test_assert(is_over(&picture) && is_over(&sound));
	test_equal(link_server_seats(server), 0);
	leave(&picture);
	leave(&sound);
	leave(&other);
	seat_links_free(links);
	stop();
}

/* From one to the next faster than they end: two at most. */
static void left_first_ends_first(void)
{
	struct seat_links *links = seat_links_new("desk", clock_now);
	struct seen seen[4];

	start(path);
	for (uint32_t i = 0; i < G_N_ELEMENTS(seen); i++) {
		seat_links_shown(links, i + 1);
		given(&seen[i], links, i + 1, WIRE_LINK_PICTURE);
		for (uint32_t n = 0; n <= i; n++)
			test_equal(is_over(&seen[n]), n + 1 < i);
	}
	/* No process, no connection: whoever else has it. */
	seat_links_end(links);
	for (unsigned i = 0; i < G_N_ELEMENTS(seen); i++) {
		test_assert(is_over(&seen[i]));
		leave(&seen[i]);
	}
	/* The next one need not wait, and keeps what it has when irorid goes; but not what it has left. */
	take(&seen[0], seat_links_give(links, 4, WIRE_LINK_PICTURE, path), WIRE_LINK_PICTURE);
	seat_links_shown(links, 5);
	given(&seen[1], links, 5, WIRE_LINK_PICTURE);
	seat_links_free(links);
	test_assert(is_over(&seen[0]) && !is_over(&seen[1]));
	leave(&seen[0]);
	leave(&seen[1]);
	stop();
}

int main(void)
{
	folder = g_dir_make_tmp("irori-links-XXXXXX", NULL);
	path = g_build_filename(folder, "guest.sock", NULL);
	test_run(has_no_control);
	test_run(newer_ends_the_one_before);
	test_run(left_ends_in_a_while);
	test_run(left_first_ends_first);
	g_rmdir(folder);
	g_free(path);
	g_free(folder);
	return 0;
}
