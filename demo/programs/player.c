/*
 * The player: shows the clip on /dev/disk0 with its sound, over and over, each frame for as many
 * vblanks as its rate asks for, counted and not timed. Decodes ahead as far as its buffers go, so
 * that what is to be seen next lies in the device's queue before it is due. Each frame carries the
 * running count of presented frames as a bar code in its top left corner.
 *
 * Picture and sound start together and then each follows its own device. What has come between them
 * is made good where the clip begins again, by holding back or leaving out a little sound.
 *
 * Options on the kernel's command line: player.loop= (times, 0 is for ever), player.fps= (in place
 * of the clip's), player.refresh= (hertz, in place of measuring), player.buffers= (2 to 4),
 * player.periods= (of 10 ms, in the sound ring), player.mute=1.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "demo/programs/barcode-draw.h"
#include "demo/programs/cadence.h"
#include "demo/programs/media.h"
#include "demo/programs/options.h"
#include "demo/programs/screen.h"
#include "demo/programs/sound.h"

enum {
	PLAYER_DISTANCES = 32,            /* between fences, for the refresh rate */
	PLAYER_WAKE_MS = 30,              /* the sound ring is looked after at least this often */
	PLAYER_DRIFT_NS = 20 * 1000000,   /* less than this apart is together */
	PLAYER_DRIFT_MOST = 2000000000,   /* made good at one seam */
	PLAYER_HOLD_SHIFT = 8,            /* cookie: frame << 8 | its vblank */
};

/* What a loop's line on the console tells. */
struct player_tally {
	uint64_t frames, vblanks, late;
	uint64_t decode_tsc, decode_tsc_max;
	uint64_t began_tsc;
	int64_t began_ns;
};

struct player {
	struct media *media;
	const struct media_info *about;
	uint32_t fps_mhz;
	struct screen screen;
	struct sound sound;
	bool has_sound, started;

	struct surface buffers[DISPLAY_MAX_BUFFERS];
	unsigned buffer_count;
	uint64_t converted; /* frames that have gone into buffers, since the start */
	uint64_t released;  /* of those, how many the device is done with */
	struct convert_plane planes[3];
	bool decoded; /* planes hold a frame that waits for a buffer */

	struct cadence cadence;
	bool refresh_known;
	bool paced; /* the device's fences come at a display's rate */
	int64_t distances[PLAYER_DISTANCES];
	unsigned distance_count;
	int64_t last_event_ns;

	/* The frame whose presentations are being queued. */
	uint64_t showing;
	unsigned vblanks, hold; /* it is shown for, and queued for already */
	int64_t due_ns; /* only where nobody paces us */

	int64_t seen_ns;        /* media time of the last picture known to be seen */
	int64_t sound_offset;   /* media time minus time heard, nanoseconds */
	uint64_t silence;       /* frames of sound to hold back yet */
	int64_t drift_ns;       /* found at the last seam */
	unsigned loop, loops, sound_loop;
	struct player_tally tally;
};

static int64_t player_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Whole seconds apart, so that the product cannot overflow. */
static int64_t player_frame_ns(const struct player *p, uint64_t frame)
{
	const uint64_t second = 1000000000;

	return (int64_t)(frame / p->fps_mhz * 1000 * second +
			 frame % p->fps_mhz * 1000 * second / p->fps_mhz);
}

static int64_t player_period_ns(const struct player *p)
{
	return 1000000000000 / p->cadence.refresh_mhz;
}

/*
 * What the fences tell of how fast the display is, unless the command line did. Until they agree,
 * 60 Hz is taken for granted and the next lot is asked.
 */
static void player_learn_refresh(struct player *p)
{
	uint32_t refresh;

	if (p->refresh_known || p->distance_count < PLAYER_DISTANCES)
		return;
	refresh = cadence_refresh(p->distances, p->distance_count);
	p->distance_count = 0;
	if (refresh == CADENCE_UNSURE)
		return;
	p->refresh_known = true;
	p->paced = refresh != CADENCE_UNPACED;
	if (!p->paced)
		printf("player: nothing paces this display; going by the clock\n");
	else if (refresh != p->cadence.refresh_mhz) {
		printf("player: the display runs at %u Hz\n", refresh / 1000);
		cadence_set(&p->cadence, p->fps_mhz, refresh);
	}
	p->due_ns = player_now();
}

static void player_event(struct player *p, const struct display_event *event)
{
	uint64_t frame = event->cookie >> PLAYER_HOLD_SHIFT;
	uint64_t hold = event->cookie & ((1 << PLAYER_HOLD_SHIFT) - 1);
	int64_t period = player_period_ns(p);

	if (p->last_event_ns) {
		int64_t distance = event->ns - p->last_event_ns;

		if (!p->refresh_known && p->distance_count < PLAYER_DISTANCES)
			p->distances[p->distance_count++] = distance;
		if (p->paced && distance > period * 3 / 2)
			p->tally.late += (uint64_t)((distance + period / 2) / period - 1);
	}
	p->last_event_ns = event->ns;
	p->seen_ns = player_frame_ns(p, frame) + (int64_t)hold * period;
	p->tally.vblanks++;
	if (frame + 1 > p->released)
		p->released = frame + 1;
}

static int player_events(struct player *p)
{
	struct display_event events[DISPLAY_MAX_QUEUED];
	int got = screen_events(&p->screen, events, DISPLAY_MAX_QUEUED);

	for (int i = 0; i < got; i++)
		player_event(p, &events[i]);
	if (got > 0)
		player_learn_refresh(p);
	return got;
}

/* Leaves out up to `frames` of the sound that comes next. */
static void player_sound_skip(struct player *p, int64_t frames)
{
	int16_t dropped[512 * 2];

	while (frames > 0) {
		int n = media_sound(p->media, dropped, frames < 512 ? (unsigned)frames : 512);

		if (n <= 0)
			break;
		frames -= n;
	}
}

/*
 * Where the sound begins again, `done` frames into the period that is being filled: what will be
 * heard there belongs to the first picture of the next loop. If what is heard now and what is seen
 * now have parted, the sound comes back to the picture.
 */
static void player_sound_seam(struct player *p, unsigned done)
{
	int64_t at = (int64_t)(p->sound.queued * p->sound.frames + done) * 1000000000 / p->sound.rate;
	int64_t since = player_now() - p->last_event_ns, drift;

	media_sound_rewind(p->media);
	p->sound_loop++;
	p->sound_offset = player_frame_ns(p, p->sound_loop * p->about->frames) - at;
	if (since > player_period_ns(p))
		since = player_period_ns(p); /* the next fence is late: the picture stands still */
	drift = sound_heard(&p->sound) + p->sound_offset - p->seen_ns - since;
	p->drift_ns = drift;
	if (llabs(drift) < PLAYER_DRIFT_NS || !p->last_event_ns)
		return;
	if (llabs(drift) > PLAYER_DRIFT_MOST)
		drift = drift < 0 ? -PLAYER_DRIFT_MOST : PLAYER_DRIFT_MOST;
	p->sound_offset -= drift;
	if (drift > 0)
		p->silence = (uint64_t)drift * p->about->rate / 1000000000;
	else
		player_sound_skip(p, -drift * p->about->rate / 1000000000);
}

static int player_sound_period(struct player *p)
{
	unsigned frames = p->sound.frames, done = 0, channels = p->sound.channels;
	int16_t *slot = sound_slot(&p->sound);

	for (unsigned rewinds = 0; done < frames && rewinds < 2;) {
		int got;

		if (p->silence) {
			unsigned n = p->silence < frames - done ? (unsigned)p->silence : frames - done;

			memset(slot + (size_t)done * channels, 0, (size_t)n * channels * 2);
			p->silence -= n;
			done += n;
			continue;
		}
		got = media_sound(p->media, slot + (size_t)done * channels, frames - done);
		if (got < 0)
			return got;
		done += (unsigned)got;
		if (done < frames) {
			player_sound_seam(p, done);
			rewinds++;
		}
	}
	memset(slot + (size_t)done * channels, 0, (size_t)(frames - done) * channels * 2);
	return sound_queue(&p->sound);
}

static void player_sound_fill(struct player *p)
{
	int err;

	if (!p->has_sound)
		return;
	err = sound_update(&p->sound);
	while (!err && sound_free(&p->sound))
		err = player_sound_period(p);
	if (err) {
		printf("player: sound: %s; going on without\n", strerror(-err));
		p->has_sound = false;
	}
}

static void player_report(struct player *p)
{
	struct player_tally *t = &p->tally;
	int64_t now = player_now(), ns = now - t->began_ns;
	uint64_t tsc = __rdtsc();
	double us_a_tick = tsc > t->began_tsc ? ns / 1000.0 / (double)(tsc - t->began_tsc) : 0;

	printf("player: loop %u: %llu frames, %llu vblanks in %.2f s, %llu late, decoding %.2f ms a "
	       "frame (most %.2f), sound %+d ms\n",
	       p->loop, (unsigned long long)t->frames, (unsigned long long)t->vblanks, ns / 1e9,
	       (unsigned long long)t->late,
	       t->frames ? (double)t->decode_tsc * us_a_tick / 1000 / (double)t->frames : 0.0,
	       (double)t->decode_tsc_max * us_a_tick / 1000, (int)(p->drift_ns / 1000000));
	*t = (struct player_tally){ .began_tsc = tsc, .began_ns = now };
}

/* Decodes one frame and, if a buffer is free, converts it. 1: something was done; 0; -errno. */
static int player_decode(struct player *p)
{
	uint64_t began = __rdtsc(), spent;
	const struct surface *to = &p->buffers[p->converted % p->buffer_count];

	if (!p->decoded) {
		int got = media_picture(p->media, p->planes);

		if (got < 0)
			return got;
		if (!got) {
			p->loop++;
			player_report(p);
			if (p->loops && p->loop >= p->loops)
				return -ECANCELED;
			media_picture_rewind(p->media);
			return 1;
		}
		p->decoded = true;
	} else if (p->converted - p->released >= p->buffer_count) {
		return 0;
	}
	if (p->converted - p->released < p->buffer_count) {
		convert_yuv420(p->planes, to->width, to->height, to->pixels, to->stride);
		barcode_draw(to->pixels, to->stride, BARCODE_PLAYER_CELL, (uint16_t)p->converted);
		p->converted++;
		p->decoded = false;
		p->tally.frames++;
	}
	spent = __rdtsc() - began;
	p->tally.decode_tsc += spent;
	if (spent > p->tally.decode_tsc_max)
		p->tally.decode_tsc_max = spent;
	return 1;
}

/* Makes the next frame the one to be shown. false: there is none yet. */
static bool player_next_frame(struct player *p)
{
	uint64_t next = p->showing + (p->vblanks != 0);

	for (;;) {
		if (next >= p->converted)
			return false;
		p->showing = next;
		p->hold = 0;
		p->vblanks = cadence_next(&p->cadence);
		if (p->vblanks)
			return true;
		p->released = ++next; /* more frames than vblanks: this one is never seen */
	}
}

/* Hands over one presentation. 1: done; 0: nothing to hand over, or no room; -errno. */
static int player_present_one(struct player *p)
{
	const struct surface *from;
	struct display_rect all;
	int err;

	if (p->hold == p->vblanks && !player_next_frame(p))
		return 0;
	from = &p->buffers[p->showing % p->buffer_count];
	all = (struct display_rect){ 0, 0, from->width, from->height };
	if (!p->paced && player_now() < p->due_ns)
		return 0;
	err = screen_present(&p->screen, from, p->hold ? NULL : &all,
			     p->showing << PLAYER_HOLD_SHIFT | p->hold);
	if (err)
		return err == -EAGAIN ? 0 : err;
	p->due_ns += player_period_ns(p);
	p->hold++;
	return 1;
}

static int player_present(struct player *p)
{
	int err;

	do {
		err = player_present_one(p);
	} while (err > 0);
	return err;
}

/* As many frames as there are buffers are ready: picture and sound go out at once. */
static void player_start(struct player *p)
{
	long periods = option_number("player.periods", 8);
	int err = -ENOENT;

	p->started = true;
	if (p->about->rate && p->about->channels <= 2 && !option_number("player.mute", 0)) {
		err = sound_open(&p->sound, p->about->rate, p->about->channels, p->about->rate / 100,
				 periods < 2 ? 2 : periods > 16 ? 16 : (unsigned)periods);
		p->has_sound = !err;
	}
	printf("player: %ux%u at %.3f frames a second, %u buffers, sound: %s\n", p->about->width,
	       p->about->height, p->fps_mhz / 1000.0, p->buffer_count,
	       err ? strerror(-err) : "yes");
}

/* Everything that is ready goes to the devices. 1: there is more to do; 0: wait; -errno. */
static int player_step(struct player *p)
{
	int err = player_events(p), did;

	if (err >= 0 && p->started)
		err = player_present(p);
	if (err < 0)
		return err;
	if (p->started)
		player_sound_fill(p);
	did = player_decode(p);
	if (!did && !p->started) {
		player_start(p);
		did = 1;
	}
	return did;
}

static int player_run(struct player *p)
{
	struct pollfd fd = { .fd = p->screen.fd, .events = POLLIN };

	p->tally.began_ns = player_now();
	p->tally.began_tsc = __rdtsc();
	for (;;) {
		int did = player_step(p), wait = PLAYER_WAKE_MS;

		if (did < 0)
			return did;
		if (did)
			continue;
		if (!p->paced) {
			int64_t left = (p->due_ns - player_now()) / 1000000;

			wait = left < 0 ? 1 : left < wait ? (int)left + 1 : wait;
		}
		poll(&fd, 1, wait);
	}
}

/* The whole disk. */
static uint8_t *player_read(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	uint8_t *data = end > 0 ? malloc((size_t)end) : NULL;
	off_t at = 0;

	while (data && at < end) {
		size_t n = (size_t)(end - at) < (1 << 18) ? (size_t)(end - at) : 1 << 18;
		ssize_t got = pread(fd, data + at, n, at);

		if (got <= 0)
			break;
		at += got;
	}
	if (fd >= 0)
		close(fd);
	*size = (size_t)at;
	return data;
}

static int player_open(struct player *p)
{
	size_t size;
	uint8_t *clip = player_read("/dev/disk0", &size);
	long fps = option_number("player.fps", 0), refresh = option_number("player.refresh", 0);
	long buffers = option_number("player.buffers", 3);
	int err;

	if (!clip)
		return -ENODEV;
	err = media_open(&p->media, clip, size);
	if (err)
		return err;
	p->about = media_about(p->media);
	p->fps_mhz = fps > 0 && fps <= 240 ? (uint32_t)fps * 1000 : p->about->fps_mhz;
	p->loops = (unsigned)option_number("player.loop", 0);
	p->paced = true;
	p->refresh_known = refresh > 0 && refresh <= 1000;
	cadence_set(&p->cadence, p->fps_mhz, p->refresh_known ? (uint32_t)refresh * 1000 : 60000);
	p->buffer_count = buffers < 2		       ? 2 :
			  buffers > DISPLAY_MAX_BUFFERS ? DISPLAY_MAX_BUFFERS :
							  (unsigned)buffers;
	err = screen_open(&p->screen);
	for (unsigned i = 0; !err && i < p->buffer_count; i++)
		err = screen_surface(&p->screen, p->about->width, p->about->height, &p->buffers[i]);
	return err;
}

int main(void)
{
	static struct player player;
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	err = player_open(&player);
	if (!err)
		err = player_run(&player);
	if (err != -ECANCELED) {
		printf("player: %s\n", strerror(-err));
		return 1;
	}
	reboot(RB_POWER_OFF);
	return 0;
}
