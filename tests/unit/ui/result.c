/*
 * A demonstration's result: names that scripts rely on, differences of exit counts, and a page that
 * carries nothing but text where a guest could have put something else.
 */
#include "ui/result.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "tests/unit/test.h"
#include "ui/report.h"

static const struct metrics_config config = { .cadence = 2, .period_ns = 16666667 };

static void leg_fill(struct result_leg *leg, const char *name, bool study)
{
	struct result_guest *guest = &leg->guest[0];
	struct result_band band = { 1000000000, 1200000000 };

	*leg = (struct result_leg){ .leg = name, .seconds = 4, .to_ns = 4000000000, .complete = true };
	leg->bands = g_array_new(FALSE, FALSE, sizeof(struct result_band));
	if (study)
		g_array_append_val(leg->bands, band);
	guest->present = guest->counted = true;
	guest->role = "plays";
	strcpy(guest->name, "theater");
	guest->observations = g_array_new(FALSE, FALSE, sizeof(struct observation));
	for (uint32_t v = 0; v < 240; v++) {
		struct observation o = {
			.vblank = v, .vblank_ns = v * config.period_ns, .taken_ns = v * config.period_ns,
			.number = (uint16_t)(v / 2 + (study && v > 100)), .clip = (uint16_t)(v / 2),
			.flags = OBSERVED_NUMBER | OBSERVED_CLIP,
		};

		o.clip = o.number;
		g_array_append_val(guest->observations, o);
	}
	metrics_count((struct observation *)guest->observations->data, 240, 0, &config,
		&guest->video);
	guest->exits.n = 1;
	strcpy(guest->exits.count[0].reason, "<script>alert(1)");
	guest->exits.count[0].count = 400;
	leg->guest[1].present = study;
	leg->guest[1].role = "reboots";
	strcpy(leg->guest[1].name, "study");
	leg->guest[1].reboots = study ? 10 : 0;
	leg->guest[1].reboot_p50 = NAN; /* must not become bad JSON */
}

static struct result *result_new(void)
{
	struct result *result = g_new0(struct result, 1);

	result->metrics = config;
	result->n_legs = 3;
	leg_fill(&result->leg[0], "alone", false);
	leg_fill(&result->leg[1], "managed", false);
	leg_fill(&result->leg[2], "unmanaged", true);
	result->leg[1].guest[1].present = true;
	result->leg[1].guest[1].reboots = 10;
	result->cpu_model = g_strdup("Evil\"><img src=//x> CPU & co");
	result_judge(result);
	return result;
}

static void json_names(void)
{
	static const char *const names[] = {
		"name", "role", "frames_expected", "frames_shown", "late", "repeated", "skipped",
		"jitter_ms", "slack_ms", "audio_underruns", "reboots", "reboot_ms", "exits", "cpu_s",
	};
	struct result *result = result_new();
	g_autofree char *text = result_json(result);
	JsonParser *parser = json_parser_new();
	JsonObject *top, *leg, *guest;

	test_assert(json_parser_load_from_data(parser, text, -1, NULL));
	top = json_node_get_object(json_parser_get_root(parser));
	test_assert(json_object_has_member(top, "verdict") && json_object_has_member(top, "why"));
	test_equal(json_array_get_length(json_object_get_array_member(top, "legs")), 3);
	leg = json_array_get_object_element(json_object_get_array_member(top, "legs"), 1);
	test_assert(!strcmp(json_object_get_string_member(leg, "leg"), "managed"));
	test_assert(json_object_get_double_member(leg, "seconds") > 3.9);
	test_equal(json_array_get_length(json_object_get_array_member(leg, "guests")), 2);
	guest = json_array_get_object_element(json_object_get_array_member(leg, "guests"), 0);
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		test_assert(json_object_has_member(guest, names[i]));
	test_equal(json_object_get_int_member(guest, "frames_shown"), 120);
	/* No tail of nines. */
	test_assert(!strstr(text, "999999") && !strstr(text, "000000001"));
	g_object_unref(parser);
	result_clear(result);
	g_free(result);
}

static void page_is_only_text(void)
{
	struct result *result = result_new();
	g_autofree char *html = report_html(result);

	test_assert(strstr(html, "<!doctype html>"));
	test_assert(!strstr(html, "<script"));
	test_assert(!strstr(html, "<img src=//x"));
	test_assert(strstr(html, "Evil&quot;&gt;"));
	test_assert(!strstr(html, "http://") && !strstr(html, "https://"));
	test_assert(!strstr(html, "nan") || !strstr(html, "=\"nan\""));
	test_assert(strstr(html, "unmanaged"));
	result_clear(result);
	g_free(result);
}

static void nothing_at_all(void)
{
	struct result result = { .metrics = config };
	g_autofree char *html = NULL, *json = NULL, *text = NULL;

	result_judge(&result);
	test_equal(result.verdict, VERDICT_INCONCLUSIVE);
	html = report_html(&result);
	json = result_json(&result);
	text = result_text(&result);
	test_assert(html && json && text);
	result_clear(&result);
}

static void differences(void)
{
	static struct link_stat before, now;
	struct result_exits exits;

	before.n_exits = now.n_exits = 2;
	strcpy(before.exits[0].reason, "hlt");
	before.exits[0].count = 10;
	strcpy(before.exits[1].reason, "mmio");
	before.exits[1].count = 7;
	strcpy(now.exits[0].reason, "mmio");
	now.exits[0].count = 7;
	strcpy(now.exits[1].reason, "hlt");
	now.exits[1].count = 15;
	result_exits(&before, &now, &exits);
	test_equal(exits.n, 1);
	test_equal(exits.count[0].count, 5);
	/* A guest that says nonsense. */
	now.n_exits = UINT32_MAX;
	now.exits[1].count = 3;
	memset(now.exits[5].reason, 'x', sizeof(now.exits[5].reason));
	now.exits[5].count = 1;
	result_exits(&before, &now, &exits);
	test_assert(exits.n <= LINK_MAX_EXITS);
	for (unsigned i = 0; i < exits.n; i++)
		test_assert(strlen(exits.count[i].reason) < sizeof(exits.count[i].reason));
}

int main(void)
{
	test_run(json_names);
	test_run(page_is_only_text);
	test_run(nothing_at_all);
	test_run(differences);
	return 0;
}
