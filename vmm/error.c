/*
 * See error.h.
 */
#include "vmm/error.h"

bool fail(GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (error && !*error)
		*error = g_error_new_valist(g_quark_from_static_string("irori"), 0, format, args);
	va_end(args);
	return false;
}
