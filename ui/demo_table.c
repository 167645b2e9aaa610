/*
 * The live table of the demonstration: twice a second in place on a terminal, else lines now and then.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ui/attach.h"
#include "ui/demo.h"
#include "ui/host.h"

enum {
	RECENT = 120,     /* vblanks: the last two seconds */
	LINES_EVERY_S = 5,
	TOP_EXITS = 5,
};

static double seconds_since(const struct demo *demo, int64_t then)
{
	return then ? (double)(g_get_monotonic_time() * 1000 - then) / 1e9 : 0;
}

static char *headline(const struct demo *demo)
{
	if (!demo->leg)
		return g_strdup("the guests start");
	if (!demo->leg_from_ns)
		return g_strdup_printf("leg \"%s\": warming up", demo->leg);
	if (!demo->guest[DEMO_STUDY])
		return g_strdup_printf("leg \"%s\": %.0f of %d s", demo->leg,
			seconds_since(demo, demo->leg_from_ns), demo->seconds);
	return g_strdup_printf("leg \"%s\": %.0f of %d s, %u of %d reboots", demo->leg,
		seconds_since(demo, demo->leg_from_ns), demo->seconds, demo_leg_reboots(demo),
		demo->reboots);
}

static void exits_row(struct demo *demo, unsigned seat, GString *out)
{
	const struct demo_guest *guest = demo->guest[seat];
	double seconds = (double)(guest->stat_ns - demo->table_stat_ns[seat]) / 1e9;
	struct result_exits exits = { 0 };

	if (demo->table_stat_ns[seat] && seconds > 0)
		result_exits(&demo->table_stat[seat], &guest->stat, &exits);
	g_string_append_printf(out, "%-9s", "");
	for (unsigned i = 0; i < MIN(exits.n, TOP_EXITS); i++)
		g_string_append_printf(out, " %s %.0f/s", exits.count[i].reason,
			(double)exits.count[i].count / seconds);
	g_string_append_c(out, '\n');
	demo->table_stat[seat] = guest->stat;
	demo->table_stat_ns[seat] = guest->stat_ns;
}

static void guest_row(struct demo *demo, unsigned seat, GString *out, double seconds)
{
	struct demo_guest *guest = demo->guest[seat];
	double cpu = host_cpu_seconds(demo_guest_pid(guest)), period, promised;
	double between = (double)(guest->stat_ns - demo->table_stat_ns[seat]) / 1e9;
	struct metrics recent, leg;

	demo_leg_metrics(demo, seat, RECENT, &recent);
	demo_leg_metrics(demo, seat, 0, &leg);
	period = (double)demo->result.metrics.period_ns / 1e6;
	promised = period * demo->result.metrics.cadence;
	g_string_append_printf(out, "%-9s %-10s %-12s", guest->config->name,
		attach_state_name(guest->state), share_class_name(guest->share_class));
	if (seat == DEMO_THEATER)
		g_string_append_printf(out, "%6.1f %7.1f %7.1f", (double)recent.shown * 1000 /
			(period * (double)MAX(recent.vblanks, 1)), promised + recent.jitter_p50,
			promised + recent.jitter_max);
	else
		g_string_append_printf(out, "%6.1f %7s %7s", demo->table_stat_ns[seat] && between > 0 ?
			(double)(guest->stat.frames_presented -
				demo->table_stat[seat].frames_presented) / between : 0, "-", "-");
	if (seat == DEMO_THEATER && demo->leg_from_ns)
		g_string_append_printf(out, " %6d %8d", (int)leg.late, (int)leg.skipped);
	else
		g_string_append_printf(out, " %6s %8s", "-", "-");
	g_string_append_printf(out, " %8u %6.2f\n", guest->boots->len,
		seconds > 0 ? (cpu - demo->table_cpu[seat]) / seconds : 0);
	demo->table_cpu[seat] = cpu;
	exits_row(demo, seat, out);
}

static void clear_above(struct demo *demo)
{
	if (demo->table_tty && demo->table_lines)
		printf("\033[%uA\033[J", demo->table_lines);
	demo->table_lines = 0;
}

void demo_table_draw(struct demo *demo)
{
	int64_t now = g_get_monotonic_time() * 1000;
	double seconds = demo->table_ns ? (double)(now - demo->table_ns) / 1e9 : 0;
	g_autofree char *head = headline(demo);
	GString *out;

	demo_window_headline(demo->shown, head);
	if (demo->table_tty || !demo->table_ns || seconds >= LINES_EVERY_S) {
		out = g_string_new(NULL);
		g_string_append_printf(out, "\n%s\n%-9s %-10s %-12s%6s %7s %7s %6s %8s %8s %6s\n",
			head, "guest", "state", "class", "fps", "ms", "max", "late", "skipped",
			"reboots", "cpus");
		for (unsigned i = 0; i < DEMO_GUESTS; i++)
			if (demo->guest[i])
				guest_row(demo, i, out, seconds);
		clear_above(demo);
		fputs(out->str, stdout);
		fflush(stdout);
		for (const char *c = out->str; *c; c++)
			demo->table_lines += *c == '\n';
		demo->table_ns = now;
		g_string_free(out, TRUE);
	}
	/* For the next time; the legs ask for themselves. */
	for (unsigned i = 0; i < DEMO_GUESTS; i++)
		if (demo->guest[i] && demo->guest[i]->has_stat)
			demo_guest_ask_stat(demo->guest[i]);
}

void demo_table_end(struct demo *demo)
{
	demo->table_lines = 0;
}
