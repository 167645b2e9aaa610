/*
 * The clocks of the seat link: a seat's, and those that stand in for one.
 */
#include "tests/unit/link/fake.h"

static void clock_seat_presents(void)
{
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_CLOCK);
	show_buffer(1);
	for (uint64_t seq = 1; seq <= 3; seq++)
		show_frame(seq, 1);
	pump();
	test_equal(device.n_presented, 0); /* it is the seat's to say */
	link_client_dispatch(seat.client);
	test_equal(seat.frames, 3);
	test_equal(link_client_presented(seat.client, 0, 2, 1234, 16), 0);
	pump();
	test_equal(device.n_presented, 2);
	test_equal(device.presented[0], 1);
	test_equal(device.presented[1], 2);
	test_equal(device.vblank[1], 1234);
	link_client_presented(seat.client, 0, 2, 1235, 16); /* once each */
	pump();
	test_equal(device.n_presented, 2);
	link_client_presented(seat.client, 0, 3, 1236, 16);
	pump();
	test_equal(device.n_presented, 3);
	link_client_presented(seat.client, 0, 4, 1237, 16); /* was never sent: nonsense */
	pump();
	test_equal(link_server_seats(server), 0);
	leave(&seat);
	stop();
}

/* Each head has its vblanks; one that the seat does not know has the null clock's. */
static void heads_have_their_own_clock(void)
{
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_CLOCK | LINK_WANT_HEADS);
	show_buffer(1);
	show_frame(1, 1);
	show_frame_on(1, 1, 1);
	show_frame_on(1, 2, 1);
	pump();
	test_equal(device.n_presented, 0);
	link_client_presented(seat.client, 1, 2, 1234, 16);
	pump();
	test_equal(device.presented_on[1], 2);
	test_equal(device.presented_on[0], 0);
	link_client_presented(seat.client, 0, 2, 1234, 16); /* that head had none */
	pump();
	test_equal(link_server_seats(server), 0);
	leave(&seat);
	sit(&seat, LINK_WANT_CLOCK);
	show_frame_on(1, 3, 1);
	pump_until(device.presented_on[1] == 3);
	link_client_presented(seat.client, 1, 3, 1234, 16); /* not its own */
	pump();
	test_equal(link_server_seats(server), 0);
	leave(&seat);
	stop();
}

static void null_clock_is_even(void)
{
	int64_t first;

	start(NULL);
	show_buffer(1);
	for (uint64_t seq = 1; seq <= 12; seq++) {
		show_frame(seq, 1);
		while (device.n_presented < seq)
			g_main_context_iteration(context, TRUE);
		test_equal(device.presented[seq - 1], seq);
	}
	first = device.vblank[0];
	for (unsigned i = 1; i < 12; i++) {
		int64_t ticks = (device.vblank[i] - first) * 60 + 500000000ll;

		/* On the grid of 1/60 s, give or take a rounding, whatever the host did. */
		test_assert(llabs(ticks % 1000000000ll - 500000000ll) < 1000);
		test_assert(device.vblank[i] > device.vblank[i - 1]);
	}
	stop();
}

static void null_clock_stands_in(void)
{
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_CLOCK);
	show_buffer(1);
	show_frame(1, 1);
	pump_not(60, 90, device.n_presented);
	pump_until(device.n_presented == 1);
	show_frame(2, 1); /* it dozes: no second wait of 100 ms */
	pump_until(device.n_presented == 2);
	link_client_presented(seat.client, 0, 1, 99, 16); /* awake, though late */
	pump();
	show_frame(3, 1);
	pump_not(40, 90, device.n_presented != 2);
	leave(&seat); /* and gone: the frame does not wait for it */
	pump_until(device.n_presented == 3);
	stop();
}

/* Signs of life that bring nothing forward do not count. */
static void null_clock_takes_over_from_a_babbler(void)
{
	int64_t end = now() + 5000000000ll;
	struct seen seat;

	start(NULL);
	sit(&seat, LINK_WANT_CLOCK);
	show_buffer(1);
	show_frame(1, 1);
	link_client_presented(seat.client, 0, 1, 1234, 16);
	pump();
	test_equal(device.n_presented, 1);
	show_frame(2, 1);
	while (device.n_presented < 2 && now() < end) {
		link_client_presented(seat.client, 0, 1, 1234, 16);
		pump_ms(10);
	}
	test_equal(device.n_presented, 2);
	leave(&seat);
	stop();
}

static void null_sink_takes_over_from_a_babbler(void)
{
	struct port_audio_format format = { 48000, 2, 1920 };
	int64_t end = now() + 5000000000ll;
	struct seen sink;

	start(NULL);
	sit(&sink, LINK_WANT_SINK);
	port->ops->audio_start(port, 0, &format);
	port->ops->audio_write(port, "hush", 4);
	while (device.consumed < 4 && now() < end) {
		link_client_audio_consumed(sink.client, 0, 0);
		pump_ms(10);
	}
	test_equal(device.consumed, 4);
	leave(&sink);
	stop();
}

static void sound_by_the_null_clock(void)
{
	struct port_audio_format format = { 48000, 2, 1920 }; /* 10 ms */
	static const uint8_t pcm[1920 * 5];

	start(NULL);
	port->ops->audio_start(port, 0, &format);
	port->ops->audio_start(port, 1, &format);
	port->ops->audio_write(port, pcm, sizeof(pcm));
	pump_not(4, 9, device.consumed);
	pump_until(device.captured >= 1920 * 10);
	test_equal(device.captured % 1920, 0);
	pump_ms(30);
	test_equal(device.consumed, sizeof(pcm)); /* every byte, and no more */
	port->ops->audio_write(port, pcm, sizeof(pcm));
	port->ops->audio_stop(port, 0);
	port->ops->audio_stop(port, 1);
	pump_ms(60);
	test_equal(device.consumed, sizeof(pcm));
	stop();
}

static void sound_by_the_sink(void)
{
	struct port_audio_format format = { 48000, 2, 1920 };
	static const uint8_t pcm[1920];
	struct seen sink;

	start(NULL);
	sit(&sink, LINK_WANT_SINK);
	port->ops->audio_start(port, 0, &format);
	for (unsigned i = 0; i < 4; i++)
		port->ops->audio_write(port, pcm, sizeof(pcm));
	pump_not(40, 100, device.consumed); /* it is the sink's to say */
	link_client_dispatch(sink.client);
	test_equal(sink.pcm, 4 * 1920);
	link_client_audio_consumed(sink.client, 0, 2000);
	pump();
	test_assert(device.consumed >= 2000);
	pump_until(device.consumed == 4 * 1920); /* it dozes: the null clock goes on */
	link_client_audio_consumed(sink.client, 0, 4 * 1920 - 2000); /* late, counted once */
	pump();
	test_equal(device.consumed, 4 * 1920);
	port->ops->audio_write(port, pcm, sizeof(pcm));
	link_client_audio_consumed(sink.client, 0, 1u << 31); /* more than there is */
	pump();
	test_equal(device.consumed, 5 * 1920);
	port->ops->audio_write(port, pcm, sizeof(pcm));
	leave(&sink);
	pump_until(device.consumed == 6 * 1920);
	stop();
}

static void microphone(void)
{
	struct port_audio_format format = { 48000, 1, 960 };
	struct seen mic;

	start(NULL);
	sit(&mic, LINK_WANT_MIC);
	link_client_audio_captured(mic.client, "abcd", 4);
	pump();
	test_equal(device.captured, 0); /* nobody records */
	port->ops->audio_start(port, 1, &format);
	link_client_audio_captured(mic.client, "abcd", 4);
	pump();
	test_equal(device.captured, 4);
	leave(&mic);
	stop();
}

int main(void)
{
	test_run(clock_seat_presents);
	test_run(heads_have_their_own_clock);
	test_run(null_clock_is_even);
	test_run(null_clock_stands_in);
	test_run(null_clock_takes_over_from_a_babbler);
	test_run(null_sink_takes_over_from_a_babbler);
	test_run(sound_by_the_null_clock);
	test_run(sound_by_the_sink);
	test_run(microphone);
	return 0;
}
