/*
 * A day of sound in a few seconds: a guest that follows the sink, a device whose clock is wrong by
 * up to 200 millionths and changes its mind every hour, stalls of the device and of the guest.
 *
 * Whatever happens: every byte is played once, in order, and told once; the ring never holds more
 * than the guest may have ahead; silence comes only where the guest was late.
 */
#include "tests/unit/test.h"

#include <string.h>

#include "audio/fake.h"
#include "audio/sink.h"

#define MS 1000000ll
#define HOUR (3600 * 1000 * MS)

enum {
	RATE = 8000, /* mono: a day is 1.4 GB */
	AHEAD = RATE * 40 / 1000 * 2,
};

static struct {
	struct sink *sink;
	struct audio_device *device;
	uint64_t written, told, played, silent;
	size_t level_max;
	uint16_t next_out, next_in; /* the sample is its number, never 0 */
	bool guest_late;
} day;

static uint32_t seed = 2003;

static uint32_t chance(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

static uint16_t number(uint16_t *next)
{
	if (++*next == 0)
		*next = 1;
	return *next;
}

static void day_played(void *user, const void *pcm, size_t bytes)
{
	const uint16_t *sample = pcm;

	for (size_t i = 0; i < bytes / 2; i++) {
		if (sample[i] == 0) {
			/* only at the end of what there was */
			test_assert(day.played == day.written);
			day.silent += 2;
			continue;
		}
		test_equal(sample[i], number(&day.next_out));
		day.played += 2;
	}
}

static void day_consumed(void *user, size_t bytes)
{
	day.told += bytes;
}

static void guest_fill(void)
{
	uint16_t pcm[AHEAD / 2];
	size_t n = AHEAD - (day.written - day.told);

	for (size_t i = 0; i < n / 2; i++)
		pcm[i] = number(&day.next_in);
	day.written += n;
	sink_write(day.sink, pcm, n);
}

/* What the device does in a step of the simulation; most are short, a few are stalls. */
static int64_t next_step(void)
{
	if (chance(20000) == 0)
		return (1 + chance(3000)) * MS; /* the host has other things to do */
	return (5 + chance(34)) * MS;
}

static void test_a_day(void)
{
	static const struct audio_config config = { .volume = 100 };
	static const struct sink_events events = { .consumed = day_consumed };
	static const struct audio_format mono = { .rate = RATE, .channels = 1 };
	struct sink_stat stat;
	uint64_t late = 0;

	day.sink = sink_new(&audio_fake, &config, &events, NULL, NULL);
	day.device = fake_audio_last();
	fake_audio_on_played(day.device, day_played, NULL);
	test_equal(sink_start(day.sink, &mono), 0);
	for (int64_t now = 0, hour = 0, step; now < 24 * HOUR; now += step) {
		if (now >= hour) {
			fake_audio_drift(day.device, (int)chance(401) - 200);
			hour += HOUR;
		}
		step = next_step();
		if (chance(5000) || now == 0)
			guest_fill();
		else
			step = 500 * MS;
		late += step >= 40 * MS;
		fake_audio_advance(day.device, step);
		sink_dispatch(day.sink, now);
		sink_stat(day.sink, &stat);
		test_assert(stat.level <= AHEAD);
		test_equal(stat.consumed, day.told);
		test_equal(day.played, day.told);
	}
	test_equal(stat.written, day.written);
	test_equal(stat.dropped, 0);
	test_equal(day.written - day.told, stat.level);
	test_assert(stat.level_max <= AHEAD);
	/* Every gap has a reason, and every reason made a gap. */
	test_assert(stat.underruns <= late && stat.underruns + 10 > late && late > 100);
	/* The device asked for as much as its clock says, no more than 200 millionths off. */
	test_assert(day.played + day.silent > 2ull * RATE * 86400 * 9998 / 10000);
	test_assert(day.played + day.silent < 2ull * RATE * (86400 + 4) * 10002 / 10000);
	printf("%llu bytes, %llu of silence, %llu gaps\n", (unsigned long long)day.played,
		(unsigned long long)day.silent, (unsigned long long)stat.underruns);
	sink_free(day.sink);
}

int main(void)
{
	test_run(test_a_day);
	return 0;
}
