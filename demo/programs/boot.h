/* The boot screen: the hearth is lit while the machine works. */
#ifndef IRORI_DEMO_BOOT_H
#define IRORI_DEMO_BOOT_H

#include "demo/programs/screen.h"

/*
 * Draws into `surface`, presents, and works: `ms` as work.h has it, on every processor. Comes back when the
 * work is done and nothing is queued on the screen. 0 or -errno.
 */
int boot_run(struct screen *screen, struct surface *surface, const char *name, unsigned ms);

#endif
