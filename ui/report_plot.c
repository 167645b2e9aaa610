/*
 * The report's plots: a leg's frame times with the other guest's reboots behind them, and the exits by
 * reason. Colours come from the page's style sheet, so both themes work.
 */
#include <math.h>
#include <string.h>

#include "ui/report.h"

/* A plot's place in its view box. */
enum {
	WIDTH = 1000,
	HEIGHT = 230,
	LEFT = 46,
	RIGHT = 12,
	TOP = 14,
	BOTTOM = 28,
	POINTS_MAX = 4000, /* more are thinned out; late ones never */
};

struct axes {
	int64_t from_ns, to_ns;
	double worst_ms;
};

static double x_of(const struct axes *axes, int64_t ns)
{
	double part = (double)(ns - axes->from_ns) / (double)MAX(axes->to_ns - axes->from_ns, 1);

	return LEFT + CLAMP(part, 0, 1) * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct axes *axes, double ms)
{
	return HEIGHT - BOTTOM -
		CLAMP(ms / axes->worst_ms, 0, 1) * (HEIGHT - TOP - BOTTOM);
}

static void bands_draw(GString *html, const struct result_leg *leg, const struct axes *axes)
{
	for (unsigned i = 0; i < leg->bands->len; i++) {
		const struct result_band *band = &g_array_index(leg->bands, struct result_band, i);
		double x = x_of(axes, band->from_ns);
		double width = fmax(x_of(axes, band->to_ns) - x, 1.5);

		g_string_append_printf(html, "<rect class=\"band\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" "
			"height=\"%d\"><title>study reboots: %.0f ms until its first frame</title>"
			"</rect><path class=\"reset\" d=\"M%.1f %dV%d\"/>\n", x, TOP, width,
			HEIGHT - TOP - BOTTOM, (double)(band->to_ns - band->from_ns) / 1e6, x, TOP,
			HEIGHT - BOTTOM);
	}
}

static void grid_draw(GString *html, const struct axes *axes, double period_ms, double promised_ms)
{
	double seconds = (double)(axes->to_ns - axes->from_ns) / 1e9;
	double step = seconds > 600 ? 120 : seconds > 240 ? 60 : seconds > 90 ? 20 :
		seconds > 30 ? 10 : seconds > 12 ? 5 : 1;
	/* A line a vblank while they can be told apart. */
	unsigned each = (unsigned)ceil(axes->worst_ms / period_ms / 7);

	for (unsigned i = 0; i * period_ms <= axes->worst_ms; i += each)
		g_string_append_printf(html, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.0f</text>\n", LEFT,
			y_of(axes, i * period_ms), WIDTH - RIGHT, LEFT - 6,
			y_of(axes, i * period_ms) + 4, i * period_ms);
	for (double s = 0; s <= seconds + 0.01; s += step)
		g_string_append_printf(html,
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.0f s</text>\n",
			x_of(axes, axes->from_ns + (int64_t)(s * 1e9)), HEIGHT - 8, s);
	g_string_append_printf(html, "<path class=\"promise\" d=\"M%d %.1fH%d\"/>\n", LEFT,
		y_of(axes, promised_ms), WIDTH - RIGHT);
}

static void frames_draw(GString *html, const GArray *frames, const struct axes *axes, bool lost)
{
	unsigned every = lost ? 1 : MAX(frames->len / POINTS_MAX, 1);

	g_string_append_printf(html, "<path class=\"%s\" d=\"", lost ? "lost" : "frame");
	for (unsigned i = 0; i < frames->len; i += every) {
		const struct shown_frame *f = &g_array_index(frames, struct shown_frame, i);
		double x = x_of(axes, f->taken_ns), y = y_of(axes, f->interval_ms);
		bool is_lost = f->late_by > 0 || f->skipped;

		if (f->interval_ms <= 0 || is_lost != lost)
			continue;
		if (lost)
			g_string_append_printf(html, "M%.1f %dV%.1f", x, HEIGHT - BOTTOM, y);
		g_string_append_printf(html, "M%.1f %.1fh.01", x, y);
	}
	g_string_append(html, "\"/>\n");
}

void report_plot_frames(GString *html, const struct result *result, const struct result_leg *leg,
	double worst_ms)
{
	const struct result_guest *guest = &leg->guest[0];
	const struct axes axes = { leg->from_ns, leg->to_ns, worst_ms };
	double period_ms = (double)result->metrics.period_ns / 1e6;
	GArray *frames;

	if (!guest->observations)
		return;
	frames = metrics_frames((const struct observation *)guest->observations->data,
		guest->observations->len, guest->from, &result->metrics);
	g_string_append_printf(html, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Time "
		"between the frames of theater's video, leg %s: %" G_GUINT64_FORMAT " late, %"
		G_GUINT64_FORMAT " skipped\">\n", WIDTH, HEIGHT, leg->leg, guest->video.late,
		guest->video.skipped);
	bands_draw(html, leg, &axes);
	grid_draw(html, &axes, period_ms, period_ms * result->metrics.cadence);
	frames_draw(html, frames, &axes, false);
	frames_draw(html, frames, &axes, true);
	g_string_append(html, "</svg>\n");
	g_array_unref(frames);
}

struct reason {
	char name[sizeof(((struct link_exit_count *)0)->reason)];
	double a_second[RESULT_LEGS];
	double most;
};

static double exits_a_second(const struct result_leg *leg, unsigned seat, const char *reason)
{
	const struct result_exits *exits = &leg->guest[seat].exits;

	for (unsigned i = 0; i < exits->n && leg->seconds > 0; i++)
		if (!strcmp(exits->count[i].reason, reason))
			return (double)exits->count[i].count / leg->seconds;
	return 0;
}

static int reason_compare(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	return (x->most < y->most) - (x->most > y->most);
}

/* All reasons of a guest in any leg, the busiest first. */
static GArray *reasons(const struct result *result, unsigned seat)
{
	GArray *all = g_array_new(FALSE, TRUE, sizeof(struct reason));

	for (unsigned l = 0; l < result->n_legs; l++) {
		const struct result_exits *exits = &result->leg[l].guest[seat].exits;

		for (unsigned i = 0; i < exits->n; i++) {
			struct reason one = { 0 };
			bool known = false;

			for (unsigned k = 0; k < all->len; k++)
				known |= !strcmp(g_array_index(all, struct reason, k).name,
					exits->count[i].reason);
			if (known)
				continue;
			g_strlcpy(one.name, exits->count[i].reason, sizeof(one.name));
			for (unsigned k = 0; k < result->n_legs; k++) {
				one.a_second[k] = exits_a_second(&result->leg[k], seat, one.name);
				one.most = fmax(one.most, one.a_second[k]);
			}
			g_array_append_val(all, one);
		}
	}
	g_array_sort(all, reason_compare);
	return all;
}

/* A bar for each leg; the scale is logarithmic, from one exit in a hundred seconds up. */
static void guest_exits_draw(GString *html, const struct result *result, unsigned seat,
	double most)
{
	enum { ROW = 14, GAP = 10, NAME = 132, ROOM = 60, W = 490 };
	GArray *all = reasons(result, seat);
	unsigned row = ROW * result->n_legs + GAP;

	g_string_append_printf(html, "<svg viewBox=\"0 0 %d %u\" role=\"img\" aria-label=\"Exits a "
		"second by reason\">\n", W, MAX(all->len * row, ROW));
	for (unsigned i = 0; i < all->len; i++) {
		const struct reason *reason = &g_array_index(all, struct reason, i);

		g_string_append_printf(html, "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">", NAME - 8,
			i * row + ROW * result->n_legs / 2 + 4);
		report_text(html, reason->name);
		g_string_append(html, "</text>");
		for (unsigned l = 0; l < result->n_legs; l++) {
			double rate = reason->a_second[l];
			double width = rate > 0.01 ? log10(rate * 100) / log10(most * 100) *
				(W - NAME - ROOM) : 0;

			if (!result->leg[l].guest[seat].present)
				continue;
			g_string_append_printf(html, "<rect class=\"leg-%s\" x=\"%d\" y=\"%u\" "
				"width=\"%.1f\" height=\"%d\" rx=\"2\"/><text class=\"small\" x=\"%.1f\" "
				"y=\"%u\">%.*f</text>\n", result->leg[l].leg, NAME, i * row + l * ROW,
				fmax(width, 1), ROW - 3, NAME + width + 5, i * row + l * ROW + ROW - 4,
				rate < 10 ? 1 : 0, rate);
		}
	}
	g_string_append(html, "</svg>\n");
	g_array_unref(all);
}

static bool guest_has_exits(const struct result *result, unsigned seat)
{
	for (unsigned l = 0; l < result->n_legs; l++)
		if (result->leg[l].guest[seat].exits.n)
			return true;
	return false;
}

void report_plot_exits(GString *html, const struct result *result)
{
	double most = 10;

	for (unsigned l = 0; l < result->n_legs; l++)
		for (unsigned seat = 0; seat < RESULT_GUESTS; seat++)
			for (unsigned i = 0; i < result->leg[l].guest[seat].exits.n; i++)
				most = fmax(most, (double)result->leg[l].guest[seat].exits.count[i].count /
					fmax(result->leg[l].seconds, 0.1));
	g_string_append(html, "<div class=\"two\">\n");
	for (unsigned seat = 0; seat < RESULT_GUESTS; seat++) {
		g_string_append_printf(html, "<figure><figcaption>%s</figcaption>\n",
			seat ? "study" : "theater");
		if (guest_has_exits(result, seat))
			guest_exits_draw(html, result, seat, most);
		else
			g_string_append(html, "<p>None at all: every request went by eventfd.</p>");
		g_string_append(html, "</figure>\n");
	}
	g_string_append(html, "</div>\n");
}
