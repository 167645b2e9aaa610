/*
 * What is typed at COM1: standard input, a named pipe, a terminal. Bytes wait here, and then where
 * they come from, until the guest has taken those before them: a paste is not cut.
 *
 * Thread: new and free on the main thread; drained from any, and it may be called with the UART's
 * lock held.
 */
#ifndef IRORI_VMM_SERIAL_INPUT_H
#define IRORI_VMM_SERIAL_INPUT_H

#include <glib.h>

struct serial;
struct serial_input;

/* `from`: "stdin", or the path of a named pipe or a character device. */
struct serial_input *serial_input_new(struct serial *serial, const char *from,
	GMainContext *context, GError **error);
void serial_input_free(struct serial_input *input);
void serial_input_drained(struct serial_input *input); /* the UART's FIFO is empty */

#endif
