/*
 * A screen in a GLib main loop: polls its card, and runs it when it is due.
 */
#ifndef IRORI_DISPLAY_SCREEN_SOURCE_H
#define IRORI_DISPLAY_SCREEN_SOURCE_H

#include <glib.h>

#include "display/screen.h"

/* The caller attaches it, destroys it before the screen, and unrefs it. */
GSource *screen_source_new(struct screen *screen);

#endif
