/*
 * Errors that a person will read, and nobody tells apart: a text.
 *
 * Thread: any.
 */
#ifndef IRORI_VMM_ERROR_H
#define IRORI_VMM_ERROR_H

#include <glib.h>
#include <stdbool.h>

/* Sets *error (which may be set already: the first counts; error may be NULL). Always false:
 * return fail(error, "%s: %s", path, g_strerror(errno)); */
bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
