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

static void guest_row(struct demo *demo, unsigned seat, GString *out, double seconds)
{
	struct demo_guest *guest = demo->guest[seat];
	struct metrics recent, leg;
	struct result_exits exits = { 0 };
	double cpu = host_cpu_seconds(demo_guest_pid(guest)), busy = 0;
	uint64_t frames = guest->stat.frames_presented - demo->table_stat[seat].frames_presented;

	demo_leg_metrics(demo, seat, RECENT, &recent);
	demo_leg_metrics(demo, seat, 0, &leg);
	if (seconds > 0)
		busy = (cpu - demo->table_cpu[seat]) / seconds;
	if (demo->table_ns && guest->has_stat)
		result_exits(&demo->table_stat[seat], &guest->stat, &exits);
	g_string_append_printf(out, "%-9s %-10s %-12s", guest->config->name,
		attach_state_name(guest->state), share_class_name(guest->share_class));
	if (seat == DEMO_THEATER)
		g_string_append_printf(out, "%6.1f %7.1f %7.1f", (double)recent.shown * 60 /
			(double)MAX(recent.vblanks, 1),
			recent.jitter_p50 + 33.3, recent.jitter_max + 33.3);
	else
		g_string_append_printf(out, "%6.1f %7s %7s",
			seconds > 0 ? (double)frames / seconds : 0, "-", "-");
	if (seat == DEMO_THEATER && demo->leg_from_ns)
		g_string_append_printf(out, " %6d %8d", (int)leg.late, (int)leg.skipped);
	else
		g_string_append_printf(out, " %6s %8s", "-", "-");
	g_string_append_printf(out, " %8u %6.2f\n", guest->boots->len, busy);
	g_string_append_printf(out, "%-9s", "");
	for (unsigned i = 0; i < MIN(exits.n, TOP_EXITS) && seconds > 0; i++)
		g_string_append_printf(out, " %s %.0f/s", exits.count[i].reason,
			(double)exits.count[i].count / seconds);
	g_string_append_c(out, '\n');
	demo->table_cpu[seat] = cpu;
	if (guest->has_stat)
		demo->table_stat[seat] = guest->stat;
	demo_guest_ask_stat(guest);
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
	if (!demo->table_tty && demo->table_printed_ns &&
		now - demo->table_printed_ns < LINES_EVERY_S * 1000000000ll)
		return;
	out = g_string_new(NULL);
	g_string_append_printf(out, "\n%s\n%-9s %-10s %-12s%6s %7s %7s %6s %8s %8s %6s\n", head,
		"guest", "state", "class", "fps", "ms", "max", "late", "skipped", "reboots", "cpus");
	for (unsigned i = 0; i < DEMO_GUESTS; i++)
		if (demo->guest[i])
			guest_row(demo, i, out, seconds);
	clear_above(demo);
	fputs(out->str, stdout);
	fflush(stdout);
	for (const char *c = out->str; *c; c++)
		demo->table_lines += *c == '\n';
	demo->table_ns = demo->table_printed_ns = now;
	g_string_free(out, TRUE);
}

void demo_table_end(struct demo *demo)
{
	demo->table_lines = 0;
}
