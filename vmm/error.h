/*
 * Errors that a person will read: a text, and for scripts the exit status that irori-vmm ends with
 * where it cannot start because of it, by sysexits(3).
 *
 * Thread: any.
 */
#ifndef IRORI_VMM_ERROR_H
#define IRORI_VMM_ERROR_H

#include <glib.h>
#include <stdbool.h>
#include <sysexits.h>

/* Its codes are exit statuses. */
GQuark error_domain(void);

/* Sets *error (which may be set already: the first counts; error may be NULL). Always false:
 * return fail_errno(error, errno, "%s: %s", path, g_strerror(errno));
 * fail() is EX_CONFIG: the configuration asks for what cannot be. */
bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
bool fail_as(GError **error, int status, const char *format, ...) G_GNUC_PRINTF(3, 4);
bool fail_errno(GError **error, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The exit status of an error of any domain, never 0. */
int error_status(const GError *error);

#endif
