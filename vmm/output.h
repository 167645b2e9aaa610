/*
 * Standard output as a guest's console: shared with others, and never to be waited for.
 *
 * Thread: any.
 */
#ifndef IRORI_VMM_OUTPUT_H
#define IRORI_VMM_OUTPUT_H

#include <stdbool.h>

/* A descriptor for what `fd` (standard output or error; -1 stays -1) is open on. A write of up to
 * 4096 bytes when poll says that it is writable does not block. *own: the caller closes it; else it
 * is `fd`. */
int output_share(int fd, bool *own);

#endif
