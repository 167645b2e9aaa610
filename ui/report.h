/*
 * The report of a demonstration: one self-contained HTML page (inline SVG and CSS, pictures as data
 * URIs, no script, no request to anywhere) and the seats' pictures as PNG files beside it.
 *
 * Thread: one.
 */
#ifndef IRORI_UI_REPORT_H
#define IRORI_UI_REPORT_H

#include <glib.h>
#include <stdbool.h>

#include "ui/result.h"

/* The page; g_free. */
char *report_html(const struct result *result);

/* Writes index.html, theater.png, study.png and result.json into the folder, which is made
 * if missing. False and error set if something could not be written. */
bool report_write(const struct result *result, const char *folder, GError **error);

/* Text for HTML, attribute or content; appended. */
void report_text(GString *html, const char *text);

/* The plots, appended as SVG (report_plot.c). */
void report_plot_frames(GString *html, const struct result *result, const struct result_leg *leg,
	double worst_ms);
void report_plot_exits(GString *html, const struct result *result);

#endif
