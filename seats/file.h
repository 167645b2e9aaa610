/*
 * Small files that are written whole or not at all.
 *
 * Thread: any.
 */
#ifndef IRORI_SEATS_FILE_H
#define IRORI_SEATS_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* Beside the path under another name, to the disk, then renamed; its folder is made. A file that is
 * there stays, and is an error, unless `replace`. */
bool file_write(const char *path, const char *text, mode_t mode, bool replace, GError **error);

#endif
