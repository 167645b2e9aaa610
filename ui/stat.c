/*
 * irori stat: what a guest's monitor still has to do in software, live: exits by reason a second,
 * and how its frames are paced.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpu-share/policy.h"
#include "ui/attach.h"
#include "ui/command.h"
#include "ui/json.h"
#include "ui/runtime.h"

enum { BAR = 40 };

static gboolean as_json, once;
static double interval = 1;

static const GOptionEntry options[] = {
	{ "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "print JSON, one object a look", NULL },
	{ "once", 0, 0, G_OPTION_ARG_NONE, &once, "one look, then end", NULL },
	{ "interval", 'i', 0, G_OPTION_ARG_DOUBLE, &interval, "seconds between looks (1)",
		"SECONDS" },
	{ 0 },
};

struct look {
	struct link_stat stat;
	int64_t at_us;
};

static uint64_t exits_of(const struct link_stat *stat, const char *reason)
{
	for (unsigned i = 0; i < MIN(stat->n_exits, LINK_MAX_EXITS); i++)
		if (!strncmp(stat->exits[i].reason, reason, sizeof(stat->exits[i].reason)))
			return stat->exits[i].count;
	return 0;
}

struct rate {
	char reason[sizeof(((struct link_exit_count *)0)->reason) + 1];
	uint64_t count;
	double a_second;
};

static int rate_compare(const void *a, const void *b)
{
	const struct rate *x = a, *y = b;

	if (x->a_second != y->a_second)
		return x->a_second < y->a_second ? 1 : -1;
	return (x->count < y->count) - (x->count > y->count);
}

/* Exit reasons, the busiest first. With no look before, rates are means since the start. */
static unsigned rates(const struct look *before, const struct look *now,
	struct rate rate[LINK_MAX_EXITS])
{
	unsigned n = MIN(now->stat.n_exits, LINK_MAX_EXITS);
	double seconds = (double)(now->at_us - (before ? before->at_us
						       : now->stat.started_ns / 1000)) / 1e6;

	for (unsigned i = 0; i < n; i++) {
		const struct link_exit_count *exits = &now->stat.exits[i];
		uint64_t was = before ? exits_of(&before->stat, exits->reason) : 0;

		memset(&rate[i], 0, sizeof(rate[i]));
		memcpy(rate[i].reason, exits->reason, sizeof(exits->reason));
		rate[i].count = exits->count;
		rate[i].a_second = seconds > 0 ? (double)(exits->count - was) / seconds : 0;
	}
	qsort(rate, n, sizeof(*rate), rate_compare);
	return n;
}

static double frames_a_second(const struct look *before, const struct look *now)
{
	double seconds = (double)(now->at_us - (before ? before->at_us
						       : now->stat.started_ns / 1000)) / 1e6;

	return seconds > 0 ? (double)(now->stat.frames_presented -
		(before ? before->stat.frames_presented : 0)) / seconds : 0;
}

static double ms_between(int64_t from, int64_t to)
{
	return from && to >= from ? (double)(to - from) / 1e6 : 0;
}

static void look_json(JsonBuilder *json, const struct look *before, const struct look *now)
{
	const struct link_stat *stat = &now->stat;
	struct rate rate[LINK_MAX_EXITS];
	unsigned n = rates(before, now, rate);

	json_builder_begin_object(json);
	json_text(json, "name", stat->name);
	json_text(json, "state", attach_state_name(stat->state));
	json_text(json, "waits_for", stat->waits_for);
	json_text(json, "class", share_class_name(stat->share_class));
	json_int(json, "pid", stat->pid);
	json_int(json, "reboots", stat->reboots);
	json_number(json, "frames_per_second", frames_a_second(before, now));
	json_int(json, "frames", (int64_t)stat->frames);
	json_int(json, "frames_presented", (int64_t)stat->frames_presented);
	json_int(json, "audio_periods", (int64_t)stat->audio_periods);
	json_int(json, "audio_underruns", (int64_t)stat->audio_underruns);
	json_int(json, "memory_bytes", (int64_t)stat->memory_bytes);
	json_int(json, "memory_max", (int64_t)stat->memory_max);
	json_int(json, "memory_target", (int64_t)stat->memory_target);
	json_int(json, "memory_actual", (int64_t)stat->memory_actual);
	json_int(json, "memory_available", (int64_t)stat->memory_available);
	json_int(json, "memory_host", (int64_t)stat->memory_host);
	json_int(json, "vcpus", stat->vcpus);
	json_int(json, "vcpus_max", stat->vcpus_max);
	json_number(json, "start_to_entry_ms", ms_between(stat->started_ns, stat->first_entry_ns));
	json_number(json, "start_to_frame_ms", ms_between(stat->started_ns, stat->first_frame_ns));
	json_number(json, "reset_to_frame_ms", ms_between(stat->reset_ns, stat->reset_frame_ns));
	json_builder_set_member_name(json, "exits");
	json_builder_begin_object(json);
	for (unsigned i = 0; i < n; i++)
		json_int(json, rate[i].reason, (int64_t)rate[i].count);
	json_builder_end_object(json);
	json_builder_set_member_name(json, "exits_per_second");
	json_builder_begin_object(json);
	for (unsigned i = 0; i < n; i++)
		json_number(json, rate[i].reason, rate[i].a_second);
	json_builder_end_object(json);
	json_builder_end_object(json);
}

static double mib(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

static void resources_text(const struct link_stat *stat)
{
	printf("%u of %u processors; memory %.0f of %.0f MiB", stat->vcpus, stat->vcpus_max,
		mib(stat->memory_actual), mib(stat->memory_max));
	if (stat->memory_target != stat->memory_actual)
		printf(" (%.0f asked for)", mib(stat->memory_target));
	if (stat->memory_available)
		printf(", %.0f available in the guest", mib(stat->memory_available));
	printf(", %.0f taken from the host\n", mib(stat->memory_host));
}

static void look_text(const struct look *before, const struct look *now)
{
	const struct link_stat *stat = &now->stat;
	struct rate rate[LINK_MAX_EXITS];
	unsigned n = rates(before, now, rate);
	double most = n ? rate[0].a_second : 0;

	printf("%s: %s, %s, pid %d, %u reboots, %.1f frames/s, %llu sound underruns\n", stat->name,
		attach_state_name(stat->state), share_class_name(stat->share_class), stat->pid,
		stat->reboots, frames_a_second(before, now),
		(unsigned long long)stat->audio_underruns);
	printf("start to first entry %.1f ms, to first frame %.0f ms; last reset to frame %.0f ms\n",
		ms_between(stat->started_ns, stat->first_entry_ns),
		ms_between(stat->started_ns, stat->first_frame_ns),
		ms_between(stat->reset_ns, stat->reset_frame_ns));
	resources_text(stat);
	if (stat->waits_for[0])
		printf("paused by the host: %s\n", stat->waits_for);
	printf("\n  %-20s %12s %10s\n", "exit", "count", "a second");
	for (unsigned i = 0; i < n; i++) {
		int len = most > 0 ? (int)(rate[i].a_second / most * BAR + 0.5) : 0;

		if (!rate[i].count)
			continue;
		printf("  %-20s %12llu %10.1f ", rate[i].reason,
			(unsigned long long)rate[i].count, rate[i].a_second);
		while (len--)
			fputs("▇", stdout);
		printf("\n");
	}
	printf("\n");
}

static bool look_take(struct attached *attached, struct look *look, GError **error)
{
	const struct link_stat *stat = attach_stat(attached, error);

	if (!stat)
		return false;
	look->stat = *stat;
	look->stat.name[sizeof(look->stat.name) - 1] = 0;
	look->at_us = g_get_monotonic_time();
	return true;
}

static int guests_watch(const char *name, struct attached **attached, unsigned n)
{
	struct look *before = g_new0(struct look, n), *now = g_new0(struct look, n);
	GError *error = NULL;
	bool first = true, ok = true;

	do {
		JsonBuilder *json = json_builder_new();
		g_autofree char *text = NULL;

		if (!first)
			g_usleep((gulong)(interval * 1e6));
		if (!as_json && !once && isatty(STDOUT_FILENO))
			printf("\033[H\033[J");
		if (n > 1)
			json_builder_begin_array(json);
		for (unsigned i = 0; i < n && ok; i++) {
			ok = look_take(attached[i], &now[i], &error);
			if (!ok)
				break;
			if (as_json)
				look_json(json, first ? NULL : &before[i], &now[i]);
			else
				look_text(first ? NULL : &before[i], &now[i]);
			before[i] = now[i];
		}
		if (n > 1)
			json_builder_end_array(json);
		if (ok && as_json)
			fputs(text = json_finish(json), stdout);
		else
			g_object_unref(json);
		fflush(stdout);
		first = false;
	} while (ok && !once);
	g_free(before);
	g_free(now);
	return ok ? EX_OK : command_fail_error(EX_UNAVAILABLE, name, error);
}

static int stat_run(const char *name, char **args, int n)
{
	GError *error = NULL;
	g_auto(GStrv) all = n ? NULL : runtime_guests(&error);
	char **guests = n ? args : all;
	unsigned count = n ? (unsigned)n : all ? g_strv_length(all) : 0, attached_n = 0;
	struct attached **attached;
	int status = EX_OK;

	if (!guests)
		return command_fail_error(EX_UNAVAILABLE, name, error);
	if (!count)
		return command_fail(EX_UNAVAILABLE, name, "no guest is running");
	if (!(interval >= 0.05 && interval <= 3600))
		return command_fail(EX_USAGE, name, "--interval is 0.05 to 3600 seconds");
	attached = g_new0(struct attached *, count);
	for (unsigned i = 0; i < count && !status; i++) {
		attached[attached_n] = attach(guests[i], LINK_WANT_CONTROL, &error);
		if (attached[attached_n])
			attached_n++;
		else if (n)
			status = command_fail_error(EX_UNAVAILABLE, name, error);
		else
			g_clear_error(&error); /* a socket that was left behind */
	}
	if (!status && !attached_n)
		status = command_fail(EX_UNAVAILABLE, name, "no guest answers");
	if (!status)
		status = guests_watch(name, attached, attached_n);
	for (unsigned i = 0; i < attached_n; i++)
		attach_free(attached[i]);
	g_free(attached);
	return status;
}

const struct command command_stat = {
	.name = "stat",
	.arguments = "[GUEST...]",
	.help = "exits by reason and frame pacing, live",
	.options = options,
	.max = -1,
	.run = stat_run,
};
