/*
 * Where things are: guests' sockets, our own programs and files.
 *
 * Thread: any; paths are freed with g_free.
 */
#ifndef IRORI_UI_RUNTIME_H
#define IRORI_UI_RUNTIME_H

#include <glib.h>
#include <stdbool.h>

/* $XDG_RUNTIME_DIR/irori, or /tmp/irori-UID where that is not set, made if missing. NULL and error
 * set if it cannot be made or belongs to somebody else. */
char *runtime_dir(GError **error);

/* The socket of a guest: a name is looked up in runtime_dir(), then in irorid's /run/irori/guests; anything
 * with a slash is a path. NULL
 * and error set if there is none. */
char *runtime_socket(const char *guest, GError **error);
/* Names of the guests that have a socket, sorted, NULL-terminated; g_strfreev. */
char **runtime_guests(GError **error);

/* A program of ours ("irori-vmm") or a file of the demonstration ("demo/kernel/hearth"): in the build
 * tree if we run from it, else where it was installed. NULL if it is in neither. */
char *runtime_program(const char *name);
char *runtime_file(const char *name);

#endif
