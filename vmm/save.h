/*
 * A saved guest: one file with its configuration, the state of every part, and its memory.
 *
 *	0	"IRORISAV", or "IRORIERR" and why it could not be saved; written last
 *	...	struct save_header, the configuration's path and text, the state (state.h)
 *	n * 64K	memory, where it is not zero: the file has holes elsewhere
 *
 * The file is bound to the disks as they were: it is to be loaded once.
 *
 * Thread: the main thread; processors and workers stopped.
 */
#ifndef IRORI_VMM_SAVE_H
#define IRORI_VMM_SAVE_H

#include <glib.h>
#include <stdbool.h>

struct config_file;
struct machine;
struct save_file;

/* Writes the machine to `fd`, an empty file open for writing, which stays the caller's. On false
 * the file holds the message as well, and the guest can go on. */
bool save_write(struct machine *machine, const struct config_file *config, int fd, GError **error);

/* Says in the file that it holds no guest, and why. */
void save_refuse(int fd, const char *why);

/* The file at `path`, checked as far as its header goes. NULL and error set. */
struct save_file *save_open(const char *path, GError **error);
void save_close(struct save_file *file);
/* The configuration it was saved with; the file's. */
const struct config_file *save_config(const struct save_file *file);
/* Puts everything into a machine that was made of that configuration and has not run. After false
 * it must not run. */
bool save_load(struct save_file *file, struct machine *machine, GError **error);

#endif
