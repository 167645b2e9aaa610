/*
 * The player on the fake machine: what is on the scanout at each vblank, read from its bar codes, and
 * what the sound device is given. Arguments: the small clip; a scenario's name.
 */
#define HARNESS_ITSELF
#include "tests/unit/demo/harness.h"

#include "display/barcode.h"
#include "tests/unit/test.h"

enum {
	CLIP_FPS = 30,
	CLIP_FRAMES = 60,
	CLIP_SAMPLES = 96000,
};

struct watch {
	bool any;
	uint16_t first;    /* running count first seen */
	uint64_t since;    /* vblank at which it was */
	uint16_t last;
	unsigned repeats;  /* vblanks that `last` has been seen for */
	unsigned shortest, longest, skipped, wrong_clip_frame;
	uint64_t frames;
	int64_t loop_ns[16];     /* when the clip's first frame was seen, each time */
	int64_t period_ns[2048]; /* when each period was heard */
	int16_t *sound;
	size_t sound_frames;
};

static struct watch watch = { .shortest = ~0u };

static bool watch_read(const struct harness_picture *p, unsigned cell, bool bottom, uint16_t *number)
{
	uint32_t row = 0;
	unsigned y = bottom ? p->height - cell / 2 : cell / 2;

	for (unsigned i = 0; i < BARCODE_CELLS; i++) {
		uint32_t pixel = p->pixels[(size_t)y * p->stride + i * cell + cell / 2];

		row = row << 1 | ((pixel >> 8 & 0xff) > 128);
	}
	return barcode_parse(row, number);
}

static void watch_change(uint16_t now)
{
	if (watch.any && watch.last != watch.first) { /* the first one may have begun anywhere */
		if (watch.repeats < watch.shortest)
			watch.shortest = watch.repeats;
		if (watch.repeats > watch.longest)
			watch.longest = watch.repeats;
	}
	if (watch.any && (uint16_t)(watch.last + 1) != now)
		watch.skipped += (uint16_t)(now - watch.last - 1);
	watch.frames++;
	watch.repeats = 0;
	watch.last = now;
}

static void watch_vblank(struct harness *h, uint64_t number, const struct harness_picture *p,
			 bool fresh, bool held)
{
	uint16_t count, clip;

	if (!p)
		return;
	test_assert(watch_read(p, BARCODE_PLAYER_CELL, false, &count));
	test_assert(watch_read(p, BARCODE_CLIP_CELL, true, &clip));
	if (clip != count % CLIP_FRAMES)
		watch.wrong_clip_frame++;
	if (!watch.any) {
		watch.first = count;
		watch.loop_ns[0] = h->now_ns;
		watch.last = count;
		watch.frames = 1;
		watch.any = true;
	} else if (count != watch.last) {
		watch_change(count);
		if (count % CLIP_FRAMES == 0 && count / CLIP_FRAMES < 16)
			watch.loop_ns[count / CLIP_FRAMES] = h->now_ns;
	}
	watch.repeats++;
}

static void watch_period(struct harness *h, const int16_t *samples, unsigned frames)
{
	if (watch.sound_frames / frames < 2048)
		watch.period_ns[watch.sound_frames / frames] = h->now_ns;
	watch.sound = realloc(watch.sound, (watch.sound_frames + frames) * 4);
	memcpy(watch.sound + watch.sound_frames * 2, samples, frames * 4);
	watch.sound_frames += frames;
}

/*
 * By how many milliseconds the sound of the given round (the first is 1) comes after its pictures,
 * half a second into it: its beginning may have been left out.
 */
static int64_t watch_parted(unsigned loop)
{
	const size_t probe = 4800, from = 24000;
	unsigned found = 0;

	for (size_t at = 0; at + probe < watch.sound_frames; at++) {
		if (memcmp(watch.sound + at * 2, watch.sound + from * 2, probe * 4))
			continue;
		if (++found == loop)
			return (watch.period_ns[at / 480] + (int64_t)(at % 480) * 1000000000 / 48000 -
				watch.loop_ns[loop - 1]) / 1000000 - 500;
		at += probe;
	}
	return 1000000;
}

static struct harness machine = {
	.refresh_mhz = 60000,
	.limit_ns = 7000000000,
	.vblank = watch_vblank,
	.period = watch_period,
};

/* 30 on 60: each frame for two vblanks, none left out, across two seams; sound without a hole. */
static void test_even(void)
{
	harness_run(&machine);
	test_equal(watch.first, 0);
	test_equal(watch.shortest, 2);
	test_equal(watch.longest, 2);
	test_equal(watch.skipped, 0);
	test_equal(watch.wrong_clip_frame, 0);
	test_equal(machine.idle_vblanks, 0);
	test_equal(machine.underruns, 0);
	test_assert(watch.frames >= 205);
	test_assert(watch.sound_frames > 3 * CLIP_SAMPLES);
	/* The second time round is the first time round, sample for sample. */
	test_assert(!memcmp(watch.sound, watch.sound + CLIP_SAMPLES * 2, CLIP_SAMPLES * 4));
}

/* 24 on 60: two and three vblanks in turn. */
static void test_film(void)
{
	machine.cmdline = "init=/player player.fps=24 player.mute=1";
	harness_run(&machine);
	test_equal(watch.shortest, 2);
	test_equal(watch.longest, 3);
	test_equal(watch.skipped, 0);
	test_equal(machine.idle_vblanks, 0);
	test_equal(machine.periods, 0);
}

/* A 75 Hz display, not told: found out from its fences. */
static void test_measured(void)
{
	machine.refresh_mhz = 75000;
	machine.no_sound = true;
	harness_run(&machine);
	test_equal(watch.skipped, 0);
	test_equal(watch.wrong_clip_frame, 0);
	test_assert(watch.longest <= 3);
	/* The first frames went by 60 Hz. */
	test_assert(watch.frames >= 208 && watch.frames <= 216);
}

/* Nobody paces: frames go by the clock. */
static void test_unpaced(void)
{
	machine.refresh_mhz = 0;
	machine.cmdline = "player.loop=3";
	machine.limit_ns = 20000000000;
	harness_run(&machine);
	test_equal(machine.ended, RB_POWER_OFF);
	/* The fences of the first frames were needed to find it out. */
	test_assert(machine.now_ns > 6000000000 && machine.now_ns < 7200000000);
}

/* The processor is taken away for 50 ms: what is queued bridges it. */
static void test_short_stall(void)
{
	machine.stall_at_ns = 1000000000;
	machine.stall_ns = 50000000;
	test_even();
}

/* And for 300 ms: frames are late, none is left out, picture and sound come together again. */
static void test_long_stall(void)
{
	machine.stall_at_ns = 1000000000;
	machine.stall_ns = 300000000;
	harness_run(&machine);
	test_equal(watch.skipped, 0);
	test_equal(watch.wrong_clip_frame, 0);
	test_assert(machine.idle_vblanks > 5);
	test_assert(machine.underruns > 5);
	test_assert(watch.longest > 10);
	test_assert(llabs(watch_parted(2)) < 40);
}

/* A sound device whose clock is 2 % fast: brought back at each seam, so that it never adds up. */
static void test_skew(void)
{
	machine.sound_skew_ppm = 20000;
	machine.limit_ns = 12000000000;
	harness_run(&machine);
	test_equal(watch.skipped, 0);
	for (unsigned loop = 2; loop < 6; loop++)
		test_assert(llabs(watch_parted(loop)) < 40);
}

/* And one that is slow: sound is left out. */
static void test_skew_slow(void)
{
	machine.sound_skew_ppm = -20000;
	machine.limit_ns = 12000000000;
	harness_run(&machine);
	test_assert(machine.underruns == 0);
	test_assert(watch.sound_frames < 12 * 48000 * 99 / 100);
	test_equal(watch.skipped, 0);
}

static void test_loops_end(void)
{
	machine.cmdline = "player.loop=2 player.buffers=4";
	harness_run(&machine);
	test_equal(machine.ended, RB_POWER_OFF);
	test_assert(watch.frames >= 2 * CLIP_FRAMES - 6);
	test_equal(watch.skipped, 0);
}

static void test_no_disk(void)
{
	machine.disk = NULL;
	harness_run(&machine);
	test_equal(machine.ended, -1);
}

static void test_rubbish(void)
{
	machine.disk = "/bin/true";
	harness_run(&machine);
	test_equal(machine.ended, -1);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} scenarios[] = {
		{ "even", test_even },		 { "film", test_film },
		{ "measured", test_measured },	 { "unpaced", test_unpaced },
		{ "short-stall", test_short_stall }, { "long-stall", test_long_stall },
		{ "skew", test_skew },		 { "skew-slow", test_skew_slow },
		{ "loops-end", test_loops_end }, { "no-disk", test_no_disk },
		{ "rubbish", test_rubbish },
	};

	if (argc != 3)
		return 2;
	machine.disk = argv[1];
	for (unsigned i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
		if (!strcmp(scenarios[i].name, argv[2])) {
			scenarios[i].run();
			printf("ok %s\n", argv[2]);
			return 0;
		}
	return 2;
}
