/*
 * See error.h.
 */
#include "vmm/error.h"

#include <errno.h>
#include <gio/gio.h>

struct known {
	int code, status;
};

GQuark error_domain(void)
{
	return g_quark_from_static_string("irori");
}

static bool fail_list(GError **error, int status, const char *format, va_list args)
{
	if (error && !*error)
		*error = g_error_new_valist(error_domain(), status, format, args);
	return false;
}

bool fail(GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail_list(error, EX_CONFIG, format, args);
	va_end(args);
	return false;
}

bool fail_as(GError **error, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail_list(error, status, format, args);
	va_end(args);
	return false;
}

static int known_find(const struct known *known, unsigned n, int code, int otherwise)
{
	for (unsigned i = 0; i < n; i++)
		if (known[i].code == code)
			return known[i].status;
	return otherwise;
}

static int io_status(int code)
{
	static const struct known known[] = {
		{ G_IO_ERROR_NOT_FOUND, EX_NOINPUT },
		{ G_IO_ERROR_NOT_DIRECTORY, EX_NOINPUT },
		{ G_IO_ERROR_IS_DIRECTORY, EX_NOINPUT },
		{ G_IO_ERROR_NOT_REGULAR_FILE, EX_NOINPUT },
		{ G_IO_ERROR_PERMISSION_DENIED, EX_NOPERM },
		{ G_IO_ERROR_READ_ONLY, EX_NOPERM },
		{ G_IO_ERROR_INVALID_DATA, EX_DATAERR },
		{ G_IO_ERROR_INVALID_ARGUMENT, EX_CONFIG },
		{ G_IO_ERROR_INVALID_FILENAME, EX_CONFIG },
		{ G_IO_ERROR_FILENAME_TOO_LONG, EX_CONFIG },
		{ G_IO_ERROR_NOT_SUPPORTED, EX_UNAVAILABLE },
		{ G_IO_ERROR_FAILED, EX_UNAVAILABLE },
		{ G_IO_ERROR_BUSY, EX_TEMPFAIL },
		{ G_IO_ERROR_WOULD_BLOCK, EX_TEMPFAIL },
	};

	return known_find(known, G_N_ELEMENTS(known), code, EX_IOERR);
}

static int file_status(int code)
{
	static const struct known known[] = {
		{ G_FILE_ERROR_NOENT, EX_NOINPUT },
		{ G_FILE_ERROR_ISDIR, EX_NOINPUT },
		{ G_FILE_ERROR_NOTDIR, EX_NOINPUT },
		{ G_FILE_ERROR_ACCES, EX_NOPERM },
		{ G_FILE_ERROR_PERM, EX_NOPERM },
		{ G_FILE_ERROR_ROFS, EX_NOPERM },
		{ G_FILE_ERROR_AGAIN, EX_TEMPFAIL },
		{ G_FILE_ERROR_FAILED, EX_UNAVAILABLE },
	};

	return known_find(known, G_N_ELEMENTS(known), code, EX_IOERR);
}

bool fail_errno(GError **error, int code, const char *format, ...)
{
	int status = io_status((int)g_io_error_from_errno(code));
	va_list args;

	va_start(args, format);
	fail_list(error, status, format, args);
	va_end(args);
	return false;
}

int error_status(const GError *error)
{
	if (error->domain == error_domain() && error->code > 0)
		return error->code;
	if (error->domain == G_IO_ERROR)
		return io_status(error->code);
	if (error->domain == G_FILE_ERROR)
		return file_status(error->code);
	return EX_UNAVAILABLE; /* a program that cannot be started, above all */
}
