/*
 * A leg of the demonstration: figures are taken at its begin and at its end, frames are counted from
 * what the meter saw in between.
 */
#include <math.h>
#include <string.h>

#include "ui/demo.h"
#include "ui/host.h"

enum {
	WARM_UP_S = 3,
	STAT_WAIT_S = 3,
	CONTEXT = 240,       /* observations before the leg that are kept for counting */
	PICTURE_TRIES = 150, /* ten times a second */
	SLOW_REBOOT_S = 15,  /* a leg waits at most so long for each reboot it still needs */
	PICTURE_AFTER_MS = 800, /* since the study's first frame, and at rest: its desktop */
};

/* The begin of a leg, to be subtracted. */
struct start {
	struct link_stat stat[DEMO_GUESTS];
	double cpu_s[DEMO_GUESTS], run_delay_s[DEMO_GUESTS], steal_s;
	int64_t meter_delay_ns;
};

static int64_t now_ns(void)
{
	return g_get_monotonic_time() * 1000;
}

static bool stats_are_here(struct demo *demo)
{
	for (unsigned i = 0; i < DEMO_GUESTS; i++)
		if (demo->guest[i] && !demo->guest[i]->has_stat && !demo->guest[i]->gone)
			return false;
	return true;
}

static void stats_ask(struct demo *demo)
{
	for (unsigned i = 0; i < DEMO_GUESTS; i++)
		if (demo->guest[i])
			demo_guest_ask_stat(demo->guest[i]);
	demo_wait(demo, stats_are_here, STAT_WAIT_S);
}

unsigned demo_leg_reboots(const struct demo *demo)
{
	const struct demo_guest *study = demo->guest[DEMO_STUDY];
	unsigned n = 0;

	if (!study || !demo->leg_from_ns)
		return 0;
	for (unsigned i = 0; i < study->boots->len; i++)
		n += g_array_index(study->boots, struct demo_boot, i).reset_ns >= demo->leg_from_ns;
	return n;
}

void demo_leg_metrics(struct demo *demo, enum demo_seat seat, size_t vblanks, struct metrics *m)
{
	struct demo_guest *guest = demo->guest[seat];
	size_t n = guest ? meter_count(guest->meter, 0) : 0, from = demo->leg_from[seat], base;
	GArray *seen;

	memset(m, 0, sizeof(*m));
	if (!guest)
		return;
	if (vblanks)
		from = n > vblanks ? n - vblanks : 0;
	base = from > CONTEXT ? from - CONTEXT : 0;
	seen = meter_observations(guest->meter, 0, base);
	metrics_count((const struct observation *)seen->data, seen->len, from - base,
		&demo->result.metrics, m);
	g_array_unref(seen);
}

static void leg_begin(struct demo *demo, struct start *start)
{
	struct meter_host host;

	memset(start, 0, sizeof(*start));
	stats_ask(demo);
	meter_host(demo->guest[DEMO_THEATER]->meter, &host);
	start->meter_delay_ns = host.run_delay_ns;
	start->steal_s = host_steal();
	for (unsigned i = 0; i < DEMO_GUESTS; i++) {
		struct demo_guest *guest = demo->guest[i];

		if (!guest)
			continue;
		start->stat[i] = guest->stat;
		start->cpu_s[i] = host_cpu_seconds(demo_guest_pid(guest));
		start->run_delay_s[i] = host_run_delay(demo_guest_pid(guest));
		demo->leg_from[i] = meter_count(guest->meter, 0);
	}
	demo->leg_from_ns = now_ns();
}

static void boots_sum(const struct demo *demo, struct result_leg *leg, struct result_guest *to,
	const struct demo_guest *guest)
{
	GArray *ms = g_array_new(FALSE, FALSE, sizeof(double));

	for (unsigned i = 0; i < guest->boots->len; i++) {
		const struct demo_boot *boot = &g_array_index(guest->boots, struct demo_boot, i);
		struct result_band band = { boot->reset_ns, boot->frame_ns };
		double took = (double)(boot->frame_ns - boot->reset_ns) / 1e6;

		if (boot->reset_ns >= leg->from_ns) {
			to->reboots++;
			if (boot->frame_ns)
				g_array_append_val(ms, took);
		}
		if (!band.to_ns)
			band.to_ns = leg->to_ns;
		if (band.to_ns > leg->from_ns && guest == demo->guest[DEMO_STUDY])
			g_array_append_val(leg->bands, band);
	}
	to->reboot_p50 = metrics_quantile(ms, 0.5);
	to->reboot_max = metrics_quantile(ms, 1);
	g_array_free(ms, TRUE);
}

static void guest_sum(struct demo *demo, struct result_leg *leg, unsigned seat,
	const struct start *start)
{
	struct demo_guest *guest = demo->guest[seat];
	struct result_guest *to = &leg->guest[seat];
	size_t from = demo->leg_from[seat], base = from > CONTEXT ? from - CONTEXT : 0;

	to->present = true;
	to->role = guest->config->role;
	g_strlcpy(to->name, guest->config->name, sizeof(to->name));
	to->observations = meter_observations(guest->meter, 0, base);
	to->from = from - base;
	metrics_count((const struct observation *)to->observations->data, to->observations->len,
		to->from, &demo->result.metrics, &to->video);
	to->counted = seat == DEMO_THEATER;
	to->frames = guest->stat.frames_presented - start->stat[seat].frames_presented;
	to->audio_periods = guest->stat.audio_periods - start->stat[seat].audio_periods;
	to->audio_underruns = guest->stat.audio_underruns - start->stat[seat].audio_underruns;
	result_exits(&start->stat[seat], &guest->stat, &to->exits);
	/* A process that is gone has no figures any more. */
	to->cpu_s = fmax(host_cpu_seconds(demo_guest_pid(guest)) - start->cpu_s[seat], 0);
	to->run_delay_s = fmax(host_run_delay(demo_guest_pid(guest)) - start->run_delay_s[seat], 0);
	leg->crashed |= guest->gone || guest->state == LINK_GUEST_CRASHED;
	boots_sum(demo, leg, to, guest);
}

static void leg_end(struct demo *demo, struct result_leg *leg, const struct start *start)
{
	struct meter_host host;

	leg->from_ns = demo->leg_from_ns;
	leg->to_ns = now_ns();
	leg->seconds = (double)(leg->to_ns - leg->from_ns) / 1e9;
	leg->bands = g_array_new(FALSE, FALSE, sizeof(struct result_band));
	meter_host(demo->guest[DEMO_THEATER]->meter, &host);
	leg->meter_delay_s = (double)(host.run_delay_ns - start->meter_delay_ns) / 1e9;
	leg->steal_s = host_steal() - start->steal_s;
	/* Count first: what the meter sees from now on does not belong to the leg. */
	for (unsigned i = 0; i < DEMO_GUESTS; i++)
		if (demo->guest[i])
			guest_sum(demo, leg, i, start);
}

static bool guest_is_lost(struct demo *demo)
{
	for (unsigned i = 0; i < DEMO_GUESTS; i++)
		if (demo->guest[i] && (demo->guest[i]->gone ||
			demo->guest[i]->state == LINK_GUEST_CRASHED))
			return true;
	return false;
}

/* Both seats as they look while the study's desktop is up. False: it is not just now. */
static bool pictures_take(struct demo *demo, int64_t after_ms)
{
	const struct demo_guest *study = demo->guest[DEMO_STUDY];
	const struct demo_boot *last = study->boots->len ?
		&g_array_index(study->boots, struct demo_boot, study->boots->len - 1) : NULL;

	if (study->state != LINK_GUEST_RUNNING ||
		(last && now_ns() - last->frame_ns < after_ms * 1000000) ||
		(after_ms && study->busy)) /* its boot screen */
		return false;
	for (unsigned i = 0; i < DEMO_GUESTS; i++) {
		struct picture picture = demo_guest_picture(demo->guest[i]);

		g_clear_pointer(&demo->result.png[i], g_byte_array_unref);
		if (picture.pixels)
			demo->result.png[i] = picture_png(&picture, NULL);
		picture_clear(&picture);
	}
	return true;
}

static bool leg_is_over(struct demo *demo)
{
	double seconds = (double)(now_ns() - demo->leg_from_ns) / 1e9;
	bool needs_reboots = demo->guest[DEMO_STUDY] && demo->reboots > 0;
	unsigned reboots = demo_leg_reboots(demo);

	if (guest_is_lost(demo))
		return true;
	if (seconds < demo->seconds)
		return false;
	return !needs_reboots || reboots >= (unsigned)demo->reboots ||
		seconds > demo->seconds + (double)demo->reboots * SLOW_REBOOT_S;
}

bool demo_leg_run(struct demo *demo, const char *name)
{
	struct result_leg *leg = &demo->result.leg[demo->result.n_legs];
	struct start start;

	demo->leg = name;
	demo->leg_from_ns = 0;
	if (!demo_wait(demo, NULL, WARM_UP_S))
		return false;
	leg_begin(demo, &start);
	demo_wait(demo, leg_is_over, INFINITY);
	*leg = (struct result_leg){ .leg = name, .complete = leg_is_over(demo) };
	/* Encoding takes a while: after the leg, so that nothing of it is measured. */
	stats_ask(demo);
	leg_end(demo, leg, &start);
	demo->result.n_legs++;
	demo->leg_from_ns = 0;
	for (unsigned i = 0; demo->guest[DEMO_STUDY] && i < PICTURE_TRIES && !demo->stop; i++)
		if (demo->result.png[DEMO_STUDY] || guest_is_lost(demo) ||
			pictures_take(demo, i < PICTURE_TRIES / 2 ? PICTURE_AFTER_MS : 0))
			break;
		else
			demo_wait(demo, NULL, 0.1);
	return leg->complete && !leg->crashed && !demo->stop;
}
