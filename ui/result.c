/*
 * What a demonstration found out; see result.h.
 */
#include "ui/result.h"

#include <stdlib.h>
#include <string.h>

#include "ui/json.h"

void result_clear(struct result *result)
{
	for (unsigned i = 0; i < result->n_legs; i++) {
		struct result_leg *leg = &result->leg[i];

		g_clear_pointer(&leg->bands, g_array_unref);
		for (unsigned k = 0; k < RESULT_GUESTS; k++)
			g_clear_pointer(&leg->guest[k].observations, g_array_unref);
	}
	for (unsigned k = 0; k < RESULT_GUESTS; k++)
		g_clear_pointer(&result->png[k], g_byte_array_unref);
	g_free(result->cpu_model);
	g_free(result->kernel);
	g_free(result->system);
	g_free(result->kvm);
	g_free(result->sharing);
	g_free(result->meter);
	g_free(result->started);
	memset(result, 0, sizeof(*result));
}

const struct result_leg *result_leg(const struct result *result, const char *name)
{
	for (unsigned i = 0; i < result->n_legs; i++)
		if (!strcmp(result->leg[i].leg, name))
			return &result->leg[i];
	return NULL;
}

static struct verdict_leg verdict_leg(const struct result *result, const char *name)
{
	const struct result_leg *leg = result_leg(result, name);

	if (!leg)
		return (struct verdict_leg){ 0 };
	return (struct verdict_leg){
		.present = leg->complete || leg->crashed,
		.video = leg->guest[0].video,
		.reboots = leg->guest[1].reboots,
		.crashed = leg->crashed,
	};
}

void result_judge(struct result *result)
{
	struct verdict_input input = {
		.alone = verdict_leg(result, "alone"),
		.managed = verdict_leg(result, "managed"),
		.unmanaged = verdict_leg(result, "unmanaged"),
	};

	result->verdict = verdict_reach(&input, result->why);
}

static uint64_t exits_before(const struct link_stat *stat, const char *reason)
{
	for (unsigned i = 0; i < MIN(stat->n_exits, LINK_MAX_EXITS); i++)
		if (!strncmp(stat->exits[i].reason, reason, sizeof(stat->exits[i].reason)))
			return stat->exits[i].count;
	return 0;
}

static int exits_compare(const void *a, const void *b)
{
	const struct link_exit_count *x = a, *y = b;

	return (x->count < y->count) - (x->count > y->count);
}

void result_exits(const struct link_stat *before, const struct link_stat *now,
	struct result_exits *exits)
{
	exits->n = 0;
	for (unsigned i = 0; i < MIN(now->n_exits, LINK_MAX_EXITS); i++) {
		struct link_exit_count one = now->exits[i];

		one.reason[sizeof(one.reason) - 1] = 0;
		one.count -= MIN(one.count, exits_before(before, one.reason));
		if (one.count)
			exits->count[exits->n++] = one;
	}
	qsort(exits->count, exits->n, sizeof(*exits->count), exits_compare);
}

static void object_begin(JsonBuilder *json, const char *name)
{
	json_builder_set_member_name(json, name);
	json_builder_begin_object(json);
}

static void guest_json(JsonBuilder *json, const struct result_guest *guest)
{
	const struct metrics *video = &guest->video;

	json_builder_begin_object(json);
	json_text(json, "name", guest->name);
	json_text(json, "role", guest->role);
	json_text(json, "counted_by", guest->counted ? "picture" : "link");
	json_int(json, "frames_expected", guest->counted ? (int64_t)video->expected : 0);
	json_int(json, "frames_shown", (int64_t)(guest->counted ? video->shown : guest->frames));
	json_int(json, "late", (int64_t)video->late);
	json_int(json, "repeated", guest->counted ? (int64_t)video->repeated : 0);
	json_int(json, "skipped", (int64_t)video->skipped);
	json_int(json, "early", (int64_t)video->early);
	json_int(json, "mismatched", (int64_t)video->mismatched);
	json_int(json, "unreadable", guest->counted ? (int64_t)video->unreadable : 0);
	json_int(json, "late_while_host_took_cpu", (int64_t)video->late_host);
	json_int(json, "skipped_while_host_took_cpu", (int64_t)video->skipped_host);
	object_begin(json, "jitter_ms");
	json_number(json, "p50", video->jitter_p50);
	json_number(json, "p99", video->jitter_p99);
	json_number(json, "max", video->jitter_max);
	json_builder_end_object(json);
	object_begin(json, "slack_ms");
	json_number(json, "p01", video->slack_p01);
	json_number(json, "p50", video->slack_p50);
	json_builder_end_object(json);
	json_int(json, "audio_periods", (int64_t)guest->audio_periods);
	json_int(json, "audio_underruns", (int64_t)guest->audio_underruns);
	json_int(json, "reboots", guest->reboots);
	object_begin(json, "reboot_ms");
	json_number(json, "p50", guest->reboot_p50);
	json_number(json, "max", guest->reboot_max);
	json_builder_end_object(json);
	object_begin(json, "exits");
	for (unsigned i = 0; i < guest->exits.n; i++)
		json_int(json, guest->exits.count[i].reason, (int64_t)guest->exits.count[i].count);
	json_builder_end_object(json);
	json_number(json, "cpu_s", guest->cpu_s);
	json_number(json, "run_delay_s", guest->run_delay_s);
	json_builder_end_object(json);
}

static void leg_json(JsonBuilder *json, const struct result_leg *leg)
{
	const struct metrics *video = &leg->guest[0].video;

	json_builder_begin_object(json);
	json_text(json, "leg", leg->leg);
	json_number(json, "seconds", leg->seconds);
	json_bool(json, "complete", leg->complete);
	json_bool(json, "crashed", leg->crashed);
	object_begin(json, "host");
	json_number(json, "steal_s", leg->steal_s);
	json_int(json, "vblanks_with_steal", (int64_t)video->host_vblanks);
	json_number(json, "meter_run_delay_s", leg->meter_delay_s);
	json_number(json, "meter_late_p99_ms", video->taken_p99);
	json_number(json, "meter_late_max_ms", video->taken_max);
	json_int(json, "meter_missed_vblanks", (int64_t)video->missed);
	json_builder_end_object(json);
	json_builder_set_member_name(json, "guests");
	json_builder_begin_array(json);
	for (unsigned i = 0; i < RESULT_GUESTS; i++)
		if (leg->guest[i].present)
			guest_json(json, &leg->guest[i]);
	json_builder_end_array(json);
	json_builder_end_object(json);
}

char *result_json(const struct result *result)
{
	JsonBuilder *json = json_builder_new();

	json_builder_begin_object(json);
	json_text(json, "verdict", verdict_name(result->verdict));
	json_text(json, "why", result->why);
	json_builder_set_member_name(json, "legs");
	json_builder_begin_array(json);
	for (unsigned i = 0; i < result->n_legs; i++)
		leg_json(json, &result->leg[i]);
	json_builder_end_array(json);
	object_begin(json, "host");
	json_text(json, "started", result->started);
	json_text(json, "processor", result->cpu_model);
	json_int(json, "processors", result->processors);
	json_text(json, "kernel", result->kernel);
	json_text(json, "system", result->system);
	json_text(json, "kvm", result->kvm);
	json_text(json, "sharing", result->sharing);
	json_text(json, "meter", result->meter);
	json_int(json, "study_vcpus", result->study_vcpus);
	json_number(json, "load_before", result->load_before);
	json_builder_end_object(json);
	json_builder_end_object(json);
	return json_finish(json);
}

char *result_text(const struct result *result)
{
	static const struct {
		const char *title;
		size_t offset;
	} rows[] = {
		{ "frames expected", offsetof(struct metrics, expected) },
		{ "frames shown", offsetof(struct metrics, shown) },
		{ "late", offsetof(struct metrics, late) },
		{ "skipped", offsetof(struct metrics, skipped) },
		{ "vblanks repeated", offsetof(struct metrics, repeated) },
	};
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "%-26s", "theater's video");
	for (unsigned i = 0; i < result->n_legs; i++)
		g_string_append_printf(text, "%12s", result->leg[i].leg);
	for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
		g_string_append_printf(text, "\n  %-24s", rows[r].title);
		for (unsigned i = 0; i < result->n_legs; i++)
			g_string_append_printf(text, "%12" G_GUINT64_FORMAT,
				G_STRUCT_MEMBER(uint64_t, &result->leg[i].guest[0].video,
					rows[r].offset));
	}
	g_string_append_printf(text, "\n  %-24s", "interval error p99, ms");
	for (unsigned i = 0; i < result->n_legs; i++)
		g_string_append_printf(text, "%12.2f", result->leg[i].guest[0].video.jitter_p99);
	g_string_append_printf(text, "\n  %-24s", "slack p01, ms");
	for (unsigned i = 0; i < result->n_legs; i++)
		g_string_append_printf(text, "%12.2f", result->leg[i].guest[0].video.slack_p01);
	g_string_append_printf(text, "\n  %-24s", "sound underruns");
	for (unsigned i = 0; i < result->n_legs; i++)
		g_string_append_printf(text, "%12" G_GUINT64_FORMAT,
			result->leg[i].guest[0].audio_underruns);
	g_string_append_printf(text, "\n  %-24s", "study's reboots");
	for (unsigned i = 0; i < result->n_legs; i++)
		g_string_append_printf(text, "%12u", result->leg[i].guest[1].reboots);
	g_string_append_printf(text, "\n  %-24s", "taken by the host, s");
	for (unsigned i = 0; i < result->n_legs; i++)
		g_string_append_printf(text, "%12.2f", result->leg[i].steal_s);
	g_string_append_printf(text, "\n\n%s: %s\n", verdict_name(result->verdict), result->why);
	return g_string_free(text, FALSE);
}
