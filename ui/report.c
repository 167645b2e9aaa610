/*
 * The report page; see report.h.
 */
#include "ui/report.h"

#include <errno.h>
#include <gio/gio.h>
#include <math.h>
#include <string.h>

#include "display/picture.h"

static const char *const style =
	":root{color-scheme:light dark;--paper:#faf6f0;--card:#fffdf9;--ink:#2b2521;--soft:#7b6f65;"
	"--line:#e6dccf;--ember:#d9541e;--coal:#3a332e;--good:#2f7d4f;--bad:#b3261e;--so:#8a6d1d;"
	"--band:#f0dcc4;--frame:#3f6c8c;--alone:#8c8175;--managed:#2f7d4f;--unmanaged:#d9541e}\n"
	"@media(prefers-color-scheme:dark){:root{--paper:#191614;--card:#221e1b;--ink:#ece4da;"
	"--soft:#a2968a;--line:#39322c;--ember:#f0703a;--coal:#ece4da;--good:#63b884;--bad:#f2705f;"
	"--so:#d8b14a;--band:#43331f;--frame:#7fb2d6;--alone:#9a8f83;--managed:#63b884;"
	"--unmanaged:#f0703a}}\n"
	"*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);"
	"font:16px/1.55 system-ui,\"Segoe UI\",\"Noto Sans\",\"DejaVu Sans\",sans-serif}\n"
	"main{max-width:1080px;margin:0 auto;padding:40px 24px 72px}\n"
	"header{border-bottom:3px solid var(--ember);padding-bottom:22px;margin-bottom:26px}\n"
	".brand{color:var(--ember);font-weight:700;letter-spacing:.14em;text-transform:uppercase;"
	"font-size:13px}h1{font-size:34px;line-height:1.15;margin:6px 0 14px;font-weight:650;"
	"letter-spacing:-.01em}h2{font-size:20px;margin:44px 0 6px;font-weight:650}\n"
	"p{margin:6px 0;max-width:86ch}.soft{color:var(--soft);font-size:14px}\n"
	".verdict{display:flex;gap:16px;align-items:center}.verdict b{flex:none;padding:5px 16px 6px;"
	"border-radius:99px;color:#fff;font-size:17px}.pass b{background:#2f7d4f}.fail b{"
	"background:#b3261e}.inconclusive b{background:#8a6d1d}.verdict p{font-size:18px;margin:0}\n"
	".two{display:grid;grid-template-columns:1fr 1fr;gap:20px}figure{margin:12px 0 0}\n"
	"figure img{width:100%;display:block;border-radius:10px;border:1px solid var(--line)}\n"
	"figcaption{font-size:14px;color:var(--soft);margin:8px 2px}figcaption b{color:var(--ink)}\n"
	".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:18px;"
	"margin-top:14px}.card{background:var(--card);border:1px solid var(--line);border-radius:12px;"
	"padding:16px 20px 18px;border-top:4px solid var(--tint)}.card .big{font-size:46px;"
	"line-height:1.1;font-weight:650;font-variant-numeric:tabular-nums;color:var(--tint)}\n"
	".card h3{margin:0 0 4px;font-size:16px}.card p{font-size:14px;color:var(--soft);margin:4px 0 "
	"0}.alone{--tint:var(--alone)}.managed{--tint:var(--managed)}.unmanaged{--tint:"
	"var(--unmanaged)}\n"
	"table{border-collapse:collapse;width:100%;margin-top:12px;font-variant-numeric:tabular-nums}\n"
	"th,td{text-align:right;padding:6px 12px;border-bottom:1px solid var(--line)}th:first-child,"
	"td:first-child{text-align:left;padding-left:2px}thead th{font-size:14px;border-bottom:2px "
	"solid var(--line)}td:first-child{color:var(--soft)}tr.key td{font-weight:650}"
	"tr.key td:first-child{color:var(--ink)}tr.part th{text-align:left;padding-top:20px;"
	"font-size:14px}\n"
	".scroll{overflow-x:auto}svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);"
	"font-size:12px;font-family:inherit}svg text.small{font-size:10.5px}.plot{background:"
	"var(--card);border:1px solid var(--line);border-radius:12px;padding:12px 10px 4px;"
	"margin-top:12px}.plot h3{margin:0 8px 4px;font-size:15px;display:flex;gap:8px;"
	"align-items:baseline}.plot h3 span{font-weight:400;color:var(--soft);font-size:14px}\n"
	".band{fill:var(--band)}.reset{stroke:var(--ember);stroke-width:1;opacity:.55;fill:none}"
	".grid{stroke:var(--line);stroke-width:1;fill:none}.promise{stroke:var(--good);"
	"stroke-width:1;stroke-dasharray:5 4;fill:none}.frame{stroke:var(--frame);stroke-width:2.6;"
	"stroke-linecap:round;fill:none}.lost{stroke:var(--bad);stroke-width:3;stroke-linecap:round;"
	"fill:none}.leg-alone{fill:var(--alone)}.leg-managed{fill:var(--managed)}"
	".leg-unmanaged{fill:var(--unmanaged)}\n"
	".key-row{display:flex;flex-wrap:wrap;gap:6px 22px;font-size:14px;color:var(--soft);"
	"margin-top:8px}.key-row i{display:inline-block;width:14px;height:10px;border-radius:2px;"
	"margin-right:7px}dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 22px;"
	"margin:12px 0 0;font-size:15px}dt{color:var(--soft)}dd{margin:0}\n"
	"footer{margin-top:52px;border-top:1px solid var(--line);padding-top:14px;color:var(--soft);"
	"font-size:13px}@media(max-width:720px){.two{grid-template-columns:1fr}h1{font-size:27px}"
	".verdict{align-items:flex-start;flex-direction:column}}\n"
	"@media print{body{background:#fff}.plot,.card,figure,table{break-inside:avoid}}\n";

void report_text(GString *html, const char *text)
{
	char *escaped = g_markup_escape_text(text ? text : "", -1);

	g_string_append(html, escaped);
	g_free(escaped);
}

static const char *leg_title(const char *leg)
{
	return !strcmp(leg, "alone") ? "Theater alone" :
		!strcmp(leg, "managed") ? "With Irori’s priorities" : "Without them";
}

static void head_write(GString *html, const struct result *result)
{
	static const char *const words[] = {
		[VERDICT_PASS] = "Pass",
		[VERDICT_FAIL] = "Fail",
		[VERDICT_INCONCLUSIVE] = "Inconclusive",
	};

	g_string_append_printf(html, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
		"<title>Irori: %s</title><style>\n%s</style></head>\n<body><main>\n<header>"
		"<div class=\"brand\">Irori</div><h1>One guest reboots, the other keeps playing "
		"video</h1>\n<div class=\"verdict %s\"><b>%s</b><p>", words[result->verdict], style,
		verdict_name(result->verdict), words[result->verdict]);
	report_text(html, result->why);
	g_string_append(html, "</p></div></header>\n");
}

static void pictures_write(GString *html, const struct result *result)
{
	static const char *const captions[] = {
		"<b>theater</b> plays the video. The bar code in its corner is the frame’s number.",
		"<b>study</b> boots, shows its desktop, and reboots, again and again.",
	};

	if (!result->png[0] && !result->png[1])
		return;
	g_string_append(html, "<div class=\"two\">\n");
	for (unsigned i = 0; i < RESULT_GUESTS; i++) {
		g_autofree char *data = NULL;

		if (!result->png[i])
			continue;
		data = g_base64_encode(result->png[i]->data, result->png[i]->len);
		g_string_append_printf(html, "<figure><img alt=\"The seat of %s\" "
			"src=\"data:image/png;base64,%s\"><figcaption>%s</figcaption></figure>\n",
			i ? "study" : "theater", data, captions[i]);
	}
	g_string_append(html, "</div>\n");
}

static void cards_write(GString *html, const struct result *result)
{
	g_string_append(html, "<h2>Frames lost</h2><p class=\"soft\">Late and skipped frames of "
		"theater’s video, counted from the picture on its scanout at each vblank.</p>"
		"<div class=\"cards\">\n");
	for (unsigned i = 0; i < result->n_legs; i++) {
		const struct result_leg *leg = &result->leg[i];
		const struct metrics *video = &leg->guest[0].video;

		g_string_append_printf(html, "<div class=\"card %s\"><h3>%s</h3><div class=\"big\">%"
			G_GUINT64_FORMAT "</div><p>of %" G_GUINT64_FORMAT " frames in %.0f s", leg->leg,
			leg_title(leg->leg), video->late + video->skipped, video->expected,
			leg->seconds);
		if (leg->guest[1].present)
			g_string_append_printf(html, ", over %u reboots of study",
				leg->guest[1].reboots);
		g_string_append(html, "</p></div>\n");
	}
	g_string_append(html, "</div>\n");
}

/* A row of the table: what it is called and what it says of a leg. */
struct row {
	const char *title;
	bool key;
	void (*cell)(GString *html, const struct result_leg *leg);
};

#define VIDEO_CELL(name_, field_)                                                                  \
	static void name_(GString *html, const struct result_leg *leg)                             \
	{                                                                                          \
		g_string_append_printf(html, "%" G_GUINT64_FORMAT, leg->guest[0].video.field_);    \
	}

VIDEO_CELL(cell_expected, expected)
VIDEO_CELL(cell_shown, shown)
VIDEO_CELL(cell_late, late)
VIDEO_CELL(cell_skipped, skipped)
VIDEO_CELL(cell_repeated, repeated)
VIDEO_CELL(cell_mismatched, mismatched)
VIDEO_CELL(cell_missed, missed)

static void cell_jitter(GString *html, const struct result_leg *leg)
{
	const struct metrics *v = &leg->guest[0].video;

	g_string_append_printf(html, "%.2f / %.2f / %.1f ms", v->jitter_p50, v->jitter_p99,
		v->jitter_max);
}

static void cell_slack(GString *html, const struct result_leg *leg)
{
	g_string_append_printf(html, "%.1f / %.1f ms", leg->guest[0].video.slack_p01,
		leg->guest[0].video.slack_p50);
}

static void cell_audio(GString *html, const struct result_leg *leg)
{
	g_string_append_printf(html, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT,
		leg->guest[0].audio_underruns, leg->guest[0].audio_periods);
}

static void cell_theater_cpu(GString *html, const struct result_leg *leg)
{
	g_string_append_printf(html, "%.2f processors",
		leg->seconds > 0 ? leg->guest[0].cpu_s / leg->seconds : 0);
}

static void cell_study_cpu(GString *html, const struct result_leg *leg)
{
	if (!leg->guest[1].present)
		g_string_append(html, "–");
	else
		g_string_append_printf(html, "%.2f processors",
			leg->seconds > 0 ? leg->guest[1].cpu_s / leg->seconds : 0);
}

static void cell_reboots(GString *html, const struct result_leg *leg)
{
	if (!leg->guest[1].present)
		g_string_append(html, "–");
	else
		g_string_append_printf(html, "%u", leg->guest[1].reboots);
}

static void cell_reboot_ms(GString *html, const struct result_leg *leg)
{
	if (!leg->guest[1].present || !leg->guest[1].reboots)
		g_string_append(html, "–");
	else
		g_string_append_printf(html, "%.0f / %.0f ms", leg->guest[1].reboot_p50,
			leg->guest[1].reboot_max);
}

static void cell_steal(GString *html, const struct result_leg *leg)
{
	g_string_append_printf(html, "%.2f s", leg->steal_s);
}

static void cell_lost_host(GString *html, const struct result_leg *leg)
{
	g_string_append_printf(html, "%" G_GUINT64_FORMAT,
		leg->guest[0].video.late_host + leg->guest[0].video.skipped_host);
}

static void cell_meter(GString *html, const struct result_leg *leg)
{
	g_string_append_printf(html, "%.2f / %.1f ms", leg->guest[0].video.taken_p99,
		leg->guest[0].video.taken_max);
}

static const struct row rows[] = {
	{ "Theater’s video", false, NULL },
	{ "Frames expected", false, cell_expected },
	{ "Frames shown", false, cell_shown },
	{ "Late frames", true, cell_late },
	{ "Skipped frames", true, cell_skipped },
	{ "Vblanks that repeated an old frame", false, cell_repeated },
	{ "Error of the time between frames, p50 / p99 / max", false, cell_jitter },
	{ "Ready before its vblank, p01 / p50", false, cell_slack },
	{ "Frames that were not what they said", false, cell_mismatched },
	{ "Sound: periods that came too late", false, cell_audio },
	{ "Theater’s own use", false, cell_theater_cpu },
	{ "Study", false, NULL },
	{ "Reboots", true, cell_reboots },
	{ "Reset to first frame, p50 / max", false, cell_reboot_ms },
	{ "Study’s use", false, cell_study_cpu },
	{ "The host, reported beside", false, NULL },
	{ "Processor time taken by the host’s own host", false, cell_steal },
	{ "Lost frames at those times", false, cell_lost_host },
	{ "The meter looked late by, p99 / max", false, cell_meter },
	{ "Vblanks that the meter missed", false, cell_missed },
};

static void table_write(GString *html, const struct result *result)
{
	g_string_append(html, "<h2>Side by side</h2><div class=\"scroll\"><table><thead><tr><th></th>");
	for (unsigned l = 0; l < result->n_legs; l++)
		g_string_append_printf(html, "<th>%s</th>", leg_title(result->leg[l].leg));
	g_string_append(html, "</tr></thead><tbody>\n");
	for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
		if (!rows[r].cell) {
			g_string_append_printf(html, "<tr class=\"part\"><th colspan=\"%u\">%s</th></tr>\n",
				result->n_legs + 1, rows[r].title);
			continue;
		}
		g_string_append_printf(html, "<tr%s><td>%s</td>", rows[r].key ? " class=\"key\"" : "",
			rows[r].title);
		for (unsigned l = 0; l < result->n_legs; l++) {
			g_string_append(html, "<td>");
			rows[r].cell(html, &result->leg[l]);
			g_string_append(html, "</td>");
		}
		g_string_append(html, "</tr>\n");
	}
	g_string_append(html, "</tbody></table></div>\n");
}

/* One scale for all legs: whole vblanks, above the longest wait, within reason. */
static double worst_interval(const struct result *result)
{
	double period = (double)result->metrics.period_ns / 1e6, worst = period * 4;

	for (unsigned l = 0; l < result->n_legs; l++)
		worst = fmax(worst, result->leg[l].guest[0].video.jitter_max +
			period * (result->metrics.cadence + 1));
	return fmin(ceil(worst / period) * period, 500);
}

static void plots_write(GString *html, const struct result *result)
{
	double worst = worst_interval(result);

	g_string_append(html, "<h2>Time between frames</h2><p class=\"soft\">Each dot is a frame of "
		"theater’s video: when it was shown, and how many milliseconds after the one "
		"before.</p><div class=\"key-row\"><span><i style=\"background:var(--frame)\"></i>in "
		"time</span><span><i style=\"background:var(--bad)\"></i>late, or after a skipped "
		"one</span><span><i style=\"background:var(--good)\"></i>what the clip promises</span>"
		"<span><i style=\"background:var(--band)\"></i>study: reset until first frame</span>"
		"</div>\n");
	for (unsigned l = 0; l < result->n_legs; l++) {
		const struct result_leg *leg = &result->leg[l];

		g_string_append_printf(html, "<div class=\"plot\"><h3>%s <span>%" G_GUINT64_FORMAT
			" late, %" G_GUINT64_FORMAT " skipped; milliseconds</span></h3>\n",
			leg_title(leg->leg), leg->guest[0].video.late, leg->guest[0].video.skipped);
		report_plot_frames(html, result, leg, worst);
		g_string_append(html, "</div>\n");
	}
}

static void exits_write(GString *html, const struct result *result)
{
	g_string_append(html, "<h2>What the monitor still does in software</h2><p class=\"soft\">Exits "
		"from each guest to irori-vmm, a second, by reason (logarithmic).</p>"
		"<div class=\"key-row\">");
	for (unsigned l = 0; l < result->n_legs; l++)
		g_string_append_printf(html, "<span><i style=\"background:var(--%s)\"></i>%s</span>",
			result->leg[l].leg, leg_title(result->leg[l].leg));
	g_string_append(html, "</div>\n");
	report_plot_exits(html, result);
}

static void facts_write(GString *html, const struct result *result)
{
	const struct {
		const char *name, *value;
	} facts[] = {
		{ "Processor", result->cpu_model },
		{ "System", result->system },
		{ "Kernel", result->kernel },
		{ "Virtualization", result->kvm },
		{ "Priorities by", result->sharing },
		{ "The meter runs as", result->meter },
		{ "Begun", result->started },
	};

	g_string_append_printf(html, "<h2>Where this was measured</h2><dl><dt>Processors</dt><dd>%u for "
		"both guests; theater has 1 virtual processor, study %u</dd>", result->processors,
		result->study_vcpus);
	for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
		g_string_append_printf(html, "<dt>%s</dt><dd>", facts[i].name);
		report_text(html, facts[i].value);
		g_string_append(html, "</dd>");
	}
	g_string_append_printf(html, "<dt>Load before</dt><dd>%.2f</dd></dl>\n", result->load_before);
	g_string_append(html, "<h2>How it was measured</h2>"
		"<p>The player in theater draws its running frame number into each picture as a bar code. "
		"A meter, a seat of its own attached to the guest, looks at the guest’s scanout at each "
		"vblank of a 60 Hz clock and reads that number from the pixels; neither the guest’s nor "
		"the monitor’s opinion counts. A second bar code was burnt into the clip before it was "
		"compressed: it proves that the frame that was counted is the frame that was decoded. A "
		"picture counts for a vblank only if it was complete before it.</p>"
		"<p>A frame is <b>late</b> if it came later after the one before than the clip promises, "
		"and <b>skipped</b> if its number was never seen. The managed leg passes with no frame "
		"skipped and no more late than theater alone plus 0.1 %, over at least 10 reboots. The "
		"leg without priorities is the control: if it loses nothing, nothing was proved, and the "
		"verdict is “inconclusive”. Time that the host’s own host took away is reported beside; "
		"no frame is ever left out of the count.</p>\n"
		"<footer>Made by <b>irori demo</b>. This page asks nothing of any network.</footer>\n"
		"</main></body></html>\n");
}

char *report_html(const struct result *result)
{
	GString *html = g_string_new(NULL);

	head_write(html, result);
	pictures_write(html, result);
	cards_write(html, result);
	plots_write(html, result);
	table_write(html, result);
	exits_write(html, result);
	facts_write(html, result);
	return g_string_free(html, FALSE);
}

static bool file_write(const char *folder, const char *name, const void *data, gssize len,
	GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	return g_file_set_contents(path, data, len, error);
}

bool report_write(const struct result *result, const char *folder, GError **error)
{
	g_autofree char *html = report_html(result);
	g_autofree char *json = result_json(result);
	static const char *const names[] = { "theater.png", "study.png" };

	if (g_mkdir_with_parents(folder, 0755)) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", folder,
			g_strerror(errno));
		return false;
	}
	for (unsigned i = 0; i < RESULT_GUESTS; i++)
		if (result->png[i] && !file_write(folder, names[i], result->png[i]->data,
			result->png[i]->len, error))
			return false;
	return file_write(folder, "index.html", html, -1, error) &&
		file_write(folder, "result.json", json, -1, error);
}
