/*
 * The sink between a guest and a device whose clock is turned by hand.
 */
#include "tests/unit/test.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "audio/fake.h"
#include "audio/sink.h"

#define MS 1000000ll

static struct seat {
	struct sink *sink;
	struct audio_device *device;
	int64_t now;
	size_t consumed, captured;
	unsigned failed, ready;
	uint8_t heard[1 << 16]; /* what the device played last */
	size_t n_heard;
} seat;

static void seat_consumed(void *user, size_t bytes)
{
	seat.consumed += bytes;
}

static void seat_captured(void *user, const void *pcm, size_t bytes)
{
	seat.captured += bytes;
}

static void seat_ready(void *user)
{
	seat.ready++;
}

static void seat_failed(void *user, const char *why)
{
	test_assert(strcmp(why, "pulled out") == 0);
	seat.failed++;
}

static void seat_heard(void *user, const void *pcm, size_t bytes)
{
	if (seat.n_heard + bytes > sizeof(seat.heard))
		seat.n_heard = 0;
	memcpy(seat.heard + seat.n_heard, pcm, bytes);
	seat.n_heard += bytes;
}

static const struct sink_events events = {
	.ready = seat_ready,
	.consumed = seat_consumed,
	.captured = seat_captured,
	.failed = seat_failed,
};

static const struct audio_format stereo = { .rate = 48000, .channels = 2 };

static void seat_up(void)
{
	static const struct audio_config config = { .volume = 100 };

	memset(&seat, 0, sizeof(seat));
	seat.sink = sink_new(&audio_fake, &config, &events, NULL, NULL);
	test_assert(seat.sink);
	seat.device = fake_audio_last();
	fake_audio_on_played(seat.device, seat_heard, NULL);
}

static void seat_down(void)
{
	sink_free(seat.sink);
}

static int seat_pass(int64_t ns)
{
	fake_audio_advance(seat.device, ns);
	seat.now += ns;
	return sink_dispatch(seat.sink, seat.now);
}

static bool seat_readable(void)
{
	struct pollfd p = { .fd = sink_fd(seat.sink), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void test_plays_what_was_written(void)
{
	uint8_t pcm[1920];

	seat_up();
	for (size_t i = 0; i < sizeof(pcm); i++)
		pcm[i] = i * 7 + 1;
	test_equal(sink_start(seat.sink, &stereo), 0);
	sink_write(seat.sink, pcm, sizeof(pcm));
	test_assert(!seat_readable());
	fake_audio_advance(seat.device, 5 * MS);
	test_assert(seat_readable());
	test_equal(seat.consumed, 0); /* only from dispatch */
	seat_pass(0);
	test_equal(seat.consumed, 960);
	seat_pass(5 * MS);
	test_equal(seat.consumed, 1920);
	test_equal(seat.n_heard, 1920);
	test_assert(!memcmp(seat.heard, pcm, sizeof(pcm)));
	seat_down();
}

static void test_silence_when_dry(void)
{
	struct sink_stat stat;
	uint8_t pcm[960], zero[960] = { 0 };

	seat_up();
	memset(pcm, 0x55, sizeof(pcm));
	sink_start(seat.sink, &stereo);
	seat_pass(20 * MS); /* before the first sound: no underrun */
	sink_write(seat.sink, pcm, sizeof(pcm));
	seat_pass(5 * MS);
	sink_stat(seat.sink, &stat);
	test_equal(stat.underruns, 0);
	seat_pass(10 * MS); /* a gap */
	test_assert(!memcmp(seat.heard + seat.n_heard - 960, zero, 960));
	sink_stat(seat.sink, &stat);
	test_equal(stat.underruns, 0); /* might be the end */
	sink_write(seat.sink, pcm, sizeof(pcm));
	seat_pass(5 * MS);
	sink_stat(seat.sink, &stat);
	test_equal(stat.underruns, 1);
	test_equal(stat.silence, 1920);
	test_equal(seat.consumed, 1920);
	seat_pass(50 * MS); /* the end */
	sink_stop(seat.sink, seat.now);
	sink_start(seat.sink, &stereo);
	sink_write(seat.sink, pcm, sizeof(pcm));
	seat_pass(5 * MS);
	sink_stat(seat.sink, &stat);
	test_equal(stat.underruns, 1);
	seat_down();
}

static void test_stop_forgets(void)
{
	uint8_t pcm[1920] = { 1 };

	seat_up();
	sink_start(seat.sink, &stereo);
	sink_write(seat.sink, pcm, sizeof(pcm));
	fake_audio_advance(seat.device, 5 * MS);
	sink_stop(seat.sink, seat.now); /* before dispatch told about the 5 ms */
	test_assert(seat_pass(5 * MS) > 0);
	test_equal(seat.consumed, 0);
	sink_write(seat.sink, pcm, sizeof(pcm)); /* comes too late */
	seat_pass(5 * MS);
	test_equal(seat.consumed, 0);
	seat_down();
}

static void test_lingers(void)
{
	seat_up();
	sink_start(seat.sink, &stereo);
	sink_stop(seat.sink, seat.now);
	test_assert(seat_pass((SINK_LINGER_MS - 1) * MS) >= 1);
	test_assert(fake_audio_playing(seat.device));
	sink_start(seat.sink, &stereo); /* a reboot: the stream goes on */
	test_equal(seat_pass(10000 * MS), -1);
	test_assert(fake_audio_playing(seat.device));
	sink_stop(seat.sink, seat.now);
	test_equal(seat_pass(SINK_LINGER_MS * MS), -1);
	test_assert(!fake_audio_playing(seat.device));
	test_equal(sink_start(seat.sink, &stereo), 0);
	test_assert(fake_audio_playing(seat.device));
	seat_down();
}

static void test_too_much_is_dropped(void)
{
	static uint8_t pcm[1 << 18];
	struct sink_stat stat;

	seat_up();
	sink_start(seat.sink, &stereo);
	sink_write(seat.sink, pcm, sizeof(pcm));
	seat_pass(0);
	sink_stat(seat.sink, &stat);
	test_equal(stat.dropped, seat.consumed); /* dropped at once, and told */
	test_equal(stat.level + stat.dropped, sizeof(pcm));
	seat_pass(2000 * MS);
	test_equal(seat.consumed, sizeof(pcm));
	seat_down();
}

static void test_formats(void)
{
	static const struct audio_format bad[] = {
		{ 0, 2 }, { 48000, 0 }, { 48000, 3 }, { 7999, 1 }, { 192001, 1 },
		{ UINT32_MAX, 1 }, { 48000, UINT32_MAX },
	};

	seat_up();
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_equal(sink_start(seat.sink, &bad[i]), -EINVAL);
		test_equal(sink_capture_start(seat.sink, &bad[i]), -EINVAL);
	}
	test_assert(!fake_audio_playing(seat.device));
	seat_down();
}

static void test_microphone_closed_until_granted(void)
{
	uint8_t pcm[1920] = { 0 };

	seat_up();
	sink_capture_start(seat.sink, &stereo);
	test_assert(!fake_audio_recording(seat.device));
	sink_grant(seat.sink, true);
	test_assert(fake_audio_recording(seat.device) && sink_recording(seat.sink));
	fake_audio_hear(seat.device, pcm, sizeof(pcm));
	seat_pass(0);
	test_equal(seat.captured, 1920);
	fake_audio_hear(seat.device, pcm, sizeof(pcm));
	sink_grant(seat.sink, false); /* what waited is not passed on */
	seat_pass(0);
	test_equal(seat.captured, 1920);
	test_assert(!fake_audio_recording(seat.device));
	sink_grant(seat.sink, true);
	sink_capture_stop(seat.sink);
	test_assert(!fake_audio_recording(seat.device));
	seat_down();
}

static void test_failure_and_readiness_come_once(void)
{
	seat_up();
	fake_audio_ready(seat.device);
	test_equal(seat.ready, 0);
	seat_pass(0);
	seat_pass(0);
	test_equal(seat.ready, 1);
	fake_audio_fail(seat.device, "pulled out");
	fake_audio_fail(seat.device, "again");
	seat_pass(0);
	seat_pass(0);
	test_equal(seat.failed, 1);
	seat_down();
}

static void test_volume_is_bounded(void)
{
	seat_up();
	test_equal(fake_audio_volume(seat.device), 100);
	sink_volume(seat.sink, 4000000000u);
	test_equal(fake_audio_volume(seat.device), AUDIO_VOLUME_MAX);
	seat_down();
}

int main(void)
{
	test_run(test_plays_what_was_written);
	test_run(test_silence_when_dry);
	test_run(test_stop_forgets);
	test_run(test_lingers);
	test_run(test_too_much_is_dropped);
	test_run(test_formats);
	test_run(test_microphone_closed_until_granted);
	test_run(test_failure_and_readiness_come_once);
	test_run(test_volume_is_bounded);
	return 0;
}
